/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client's machine and, by hand, a server of 1.3 that says what a test wants: without records,
 * flights or time. The server's half of the shared steps (handshake/shared13) is all that it has of
 * the engine. */

#pragma once

#include "handshake/opening.h"
#include "handshake/shared13.h"
#include "pki.h"
#include "tap.h"
#include "wire/extensions.h"
#include "wire/hello.h"
#include "wire/key_share.h"

#include <stdlib.h>

struct talk_side
{
  struct dtls_config config;
  struct association known;
  struct peer peer;
  struct handshake *h;
  struct effects effects;
};

struct talk
{
  struct talk_side client;
  struct talk_side server;
  uint8_t hello_memory[8192]; /* the newest ClientHello */
  struct bytes hello_bytes;
  struct client_hello hello;
  struct extensions found;
  unsigned n_hellos;
  enum effect_kind kinds[64]; /* what the client asked for */
  size_t n_kinds;
  enum dtls_event event;        /* its newest */
  enum dtls_error server_error; /* what the server has against the client's flight */
};

static inline void
talk_init (struct talk *talk)
{
  *talk = (struct talk){ .n_hellos = 0 };
  dtls_config_init (&talk->client.config);
  dtls_config_init (&talk->server.config);
}

static inline void
talk_side_clear (struct talk_side *side)
{
  effects_clear (&side->effects);
  handshake_free (side->h);
  der_list_clear (&side->peer.chain);
  der_list_clear (&side->peer.authorities);
  bytes_release (&side->peer.psk_identity);
}

static inline void
talk_clear (struct talk *talk)
{
  talk_side_clear (&talk->client);
  talk_side_clear (&talk->server);
}

static inline void
talk_side_begin (struct talk_side *side, enum dtls_role role)
{
  struct handshake_parts parts = {
    .config = &side->config,
    .crypto = pki_crypto (),
    .role = role,
    .known = &side->known,
    .peer = &side->peer,
  };

  effects_init (&side->effects);
  side->h = handshake_new (&parts);
}

static inline void
talk_take_hello (struct talk *talk, struct bytes body)
{
  if (!CHECK (body.left <= sizeof talk->hello_memory))
    return;

  memcpy (talk->hello_memory, body.at, body.left);
  talk->hello_bytes = (struct bytes){ talk->hello_memory, body.left };
  talk->n_hellos++;
  CHECK (client_hello_read (talk->hello_bytes, &talk->hello));
  CHECK_UINT (extensions_read (talk->hello.extensions, IN_CLIENT_HELLO, &talk->found),
              EXTENSIONS_OK);
}

/* The client's last flight, before it is in the transcript. */
static inline void
talk_check (struct talk *talk, const struct message *message)
{
  struct handshake *server = talk->server.h;
  enum dtls_error error = DTLS_OK;

  if (message->type == CERTIFICATE)
    error = shared13_take_certificate (server, message->body);
  if (message->type == CERTIFICATE_VERIFY)
    error = shared13_check_certificate_verify (server, message->body);
  if (message->type == FINISHED)
    error = shared13_check_finished (server, message->body);
  if (talk->server_error == DTLS_OK)
    talk->server_error = error;
}

/* What the client has to do by itself; what it sends is in the server's transcript. */
static inline enum dtls_error
talk_turn (struct talk *talk)
{
  struct talk_side *client = &talk->client;
  enum dtls_error error = DTLS_OK;

  while (error == DTLS_OK && handshake_takes (client->h, INPUT_OUR_TURN))
    error = handshake_take_input (client->h, INPUT_OUR_TURN, &client->effects);

  for (size_t i = 0; i < client->effects.n; i++)
    {
      const struct effect *effect = &client->effects.list[i];

      if (talk->n_kinds < TAP_N (talk->kinds))
        talk->kinds[talk->n_kinds++] = effect->kind;
      if (effect->kind == EFFECT_EVENT)
        talk->event = effect->event;
      if (effect->kind != EFFECT_SEND)
        continue;
      if (effect->message.type == CLIENT_HELLO)
        talk_take_hello (talk, effect->message.body);
      talk_check (talk, &effect->message);
      CHECK (transcript_add (&talk->server.h->transcript, &effect->message));
    }
  effects_clear (&client->effects);
  return error;
}

/* The client's configuration is ready: its first hello. */
static inline enum dtls_error
talk_begin (struct talk *talk)
{
  talk_side_begin (&talk->client, DTLS_CLIENT);
  talk_side_begin (&talk->server, DTLS_SERVER);
  talk->client.h->wall_clock = talk->client.config.wall_clock_offset;
  transcript_use_13 (&talk->server.h->transcript);
  CHECK (offer_from_config (&talk->server.h->ours, &talk->server.config, pki_crypto ()));
  return talk_turn (talk);
}

/* A message as it comes, and what the client does then. */
static inline enum dtls_error
talk_give (struct talk *talk, uint8_t type, struct bytes body)
{
  struct message message = { type, 0, body };
  enum dtls_error error = handshake_take_message (talk->client.h, &message, &talk->client.effects);

  return error == DTLS_OK ? talk_turn (talk) : error;
}

/* The same of what the server has just sent with handshake_send. */
static inline enum dtls_error
talk_pass (struct talk *talk)
{
  struct effects *effects = &talk->server.effects;
  enum dtls_error error = DTLS_OK;

  for (size_t i = 0; i < effects->n && error == DTLS_OK; i++)
    error = talk_give (talk, effects->list[i].message.type, effects->list[i].message.body);
  effects_clear (effects);
  return error;
}

/* A server's first answer. What is zero is as it should be. */
struct answer
{
  uint16_t legacy_version;
  const char *random_end; /* (nullable) 8 bytes */
  bool echoes_session_id;
  uint16_t suite;
  uint8_t compression;
  bool omits_version;
  uint16_t selected_version;
  bool omits_share;
  uint16_t group; /* of the share, or asked for by a retry */
  struct bytes share;
  bool has_psk;
  uint16_t psk;
  struct bytes cookie;
  struct bytes extra; /* whole extensions */
};

static inline void
answer_write_extension (struct writer *w, uint16_t type, uint16_t selected)
{
  size_t body = extension_begin (w, type);

  selected_write (w, selected);
  extension_end (w, body);
}

static inline void
answer_write_share (struct writer *w, const struct answer *answer, bool is_retry)
{
  struct key_share_entry share = { answer->group, answer->share };
  size_t body = extension_begin (w, EXT_KEY_SHARE);

  if (is_retry)
    selected_write (w, answer->group);
  else
    server_share_write (w, &share);
  extension_end (w, body);
}

static inline struct bytes
answer_write (struct writer *w, const struct answer *answer, bool is_retry)
{
  static const uint8_t echo[] = { 1, 2, 3, 4 };
  uint8_t random[RANDOM_LEN];
  struct server_hello hello = {
    .version = answer->legacy_version != 0 ? answer->legacy_version : VERSION_DTLS_1_2,
    .random = { random, RANDOM_LEN },
    .session_id = { echo, answer->echoes_session_id ? sizeof echo : 0 },
    .suite = answer->suite != 0 ? answer->suite : SUITE_AES_128_GCM_SHA256,
    .compression = answer->compression,
  };
  size_t block, body;

  memset (random, 9, sizeof random);
  if (is_retry)
    memcpy (random, hello_retry_random, RANDOM_LEN);
  if (answer->random_end != NULL)
    memcpy (random + RANDOM_LEN - 8, answer->random_end, 8);

  server_hello_write (w, &hello);
  block = extension_block_begin (w);
  if (!answer->omits_version)
    answer_write_extension (w, EXT_SUPPORTED_VERSIONS,
                            answer->selected_version != 0 ? answer->selected_version
                                                          : VERSION_DTLS_1_3);
  if (!answer->omits_share && answer->group != 0)
    answer_write_share (w, answer, is_retry);
  if (answer->has_psk)
    answer_write_extension (w, EXT_PRE_SHARED_KEY, answer->psk);
  if (answer->cookie.left > 0)
    {
      body = extension_begin (w, EXT_COOKIE);
      cookie_write (w, answer->cookie);
      extension_end (w, body);
    }
  if (answer->extra.left > 0)
    write_bytes (w, answer->extra.at, answer->extra.left);
  extension_block_end (w, block);
  return writer_bytes (w);
}

/* A HelloRetryRequest, into the client. */
static inline enum dtls_error
talk_retry (struct talk *talk, const struct answer *answer)
{
  struct handshake *server = talk->server.h;
  struct writer *w = effects_draft (&talk->server.effects, 32768);

  server->suite = suite_find (answer->suite != 0 ? answer->suite : SUITE_AES_128_GCM_SHA256);
  answer_write (w, answer, true);
  if (server->suite != NULL)
    CHECK (transcript_retry (&server->transcript, pki_crypto (), server->suite->hash));
  CHECK_UINT (handshake_send (server, &talk->server.effects, SERVER_HELLO), DTLS_OK);
  return talk_pass (talk);
}

/* The client's share of this group in its newest hello. */
static inline struct bytes
talk_client_share (const struct talk *talk, uint16_t group)
{
  struct key_share_entry share;
  struct bytes shares;

  if (!CHECK_UINT (client_shares_read (talk->found.body[FOUND_KEY_SHARE], &shares), READ_OK))
    return (struct bytes){ NULL, 0 };
  while (client_share_next (&shares, &share))
    if (share.group == group)
      return share.key_exchange;

  return (struct bytes){ NULL, 0 };
}

/* A ServerHello that is right unless `answer` says otherwise, into the client; then the server has the
 * handshake's secrets too. */
static inline enum dtls_error
talk_hello (struct talk *talk, const struct answer *answer)
{
  struct handshake *server = talk->server.h;
  struct answer whole = *answer;
  uint8_t secret[MAX_SHARED_LEN];
  struct dtls_buffer shared = { secret, sizeof secret, 0 };
  uint16_t group = answer->group != 0 ? answer->group : GROUP_X25519;
  struct bytes theirs = talk_client_share (talk, group);
  struct key_share *share = NULL;
  enum dtls_error error;

  if (theirs.left > 0)
    CHECK_UINT (key_share_answer (pki_crypto (), group, theirs, &share, &shared), DTLS_OK);
  whole.group = group;
  if (whole.share.left == 0 && share != NULL)
    whole.share = key_share_public (share);
  if (whole.share.left == 0)
    whole.share = TAP_STRING ("a share");

  answer_write (effects_draft (&talk->server.effects, 8192), &whole, false);
  key_share_free (share);
  CHECK_UINT (handshake_send (server, &talk->server.effects, SERVER_HELLO), DTLS_OK);
  error = talk_pass (talk);
  if (error != DTLS_OK)
    return error;

  server->suite = suite_find (answer->suite != 0 ? answer->suite : SUITE_AES_128_GCM_SHA256);
  memcpy (server->known->randoms, talk->hello.random.at, RANDOM_LEN);
  server->psk = talk->client.h->psk;
  CHECK_UINT (shared13_begin (server), DTLS_OK);
  CHECK_UINT (shared13_to_handshake (server, (struct bytes){ secret, shared.used }), DTLS_OK);
  return DTLS_OK;
}

/* EncryptedExtensions of this block, into the client. */
static inline enum dtls_error
talk_extensions (struct talk *talk, struct bytes block)
{
  struct writer *w = effects_draft (&talk->server.effects, 2 + block.left);

  write_vec (w, block, 2);
  CHECK_UINT (handshake_send (talk->server.h, &talk->server.effects, ENCRYPTED_EXTENSIONS),
              DTLS_OK);
  return talk_pass (talk);
}

/* Certificate and CertificateVerify. */
static inline enum dtls_error
talk_certificate (struct talk *talk, const struct identity *identity, uint16_t scheme)
{
  struct handshake *server = talk->server.h;
  enum dtls_error error;

  server->credential = &identity->whole;
  server->signing.scheme = scheme;
  CHECK_UINT (shared13_send_certificate (server, &talk->server.effects), DTLS_OK);
  error = talk_pass (talk);
  if (error != DTLS_OK)
    return error;

  CHECK_UINT (shared13_sign (server, &talk->server.effects), DTLS_OK);
  CHECK_UINT (shared13_send_certificate_verify (server, &talk->server.effects), DTLS_OK);
  return talk_pass (talk);
}

static inline enum dtls_error
talk_finished (struct talk *talk)
{
  CHECK_UINT (shared13_send_finished (talk->server.h, &talk->server.effects), DTLS_OK);
  CHECK_UINT (shared13_to_application (talk->server.h), DTLS_OK);
  return talk_pass (talk);
}
