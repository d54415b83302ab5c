/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The engine's two machines face to face, without records, flights or time: what one sends the other
 * takes at once. Questions are answered as the test has set them up, and one message may be changed on its
 * way. */

#pragma once

#include "handshake/machine.h"
#include "pki.h"
#include "tap.h"
#include "wire/fragment.h"
#include "wire/record_header.h"

struct duel_side
{
  /* Set before duel_run. */
  struct dtls_config config;
  const struct dtls_credential *credential; /* (nullable) what a question for it is answered with */
  const struct identity *signer;            /* (nullable) who makes signatures that are asked for */
  const struct dtls_psk *psk;               /* (nullable) for the identity that it has */

  /* What happened. */
  struct association known;
  struct peer peer;
  struct handshake *h; /* (owned) */
  struct effects effects;
  enum dtls_error error;
  enum effect_kind kinds[64];
  size_t n_kinds;
  uint8_t sent[64]; /* types of its messages */
  size_t n_sent;
  unsigned n_asked[DTLS_WAIT_PSK + 1];
};

struct duel
{
  struct duel_side sides[2];
  bool has_cookies; /* the server answers first hellos without keeping anything */
  struct dtls_cookie_keys cookie_keys;
  uint64_t now; /* since 1970 */
  /* (nullable) Sees each message, and may put another in its place; the sender's transcript stays. */
  void (*spoil) (struct duel *duel, enum dtls_role from, struct message *message);
  const void *spoil_data;
};

static inline void
duel_init (struct duel *duel, const struct identity *server)
{
  *duel = (struct duel){ .now = 1000000 * DTLS_SECOND };
  for (unsigned i = 0; i < 2; i++)
    dtls_config_init (&duel->sides[i].config);
  if (server != NULL)
    duel->sides[DTLS_SERVER].config.credential = &server->whole;
  duel->cookie_keys.crypto = pki_crypto ();
  duel->cookie_keys.config = &duel->sides[DTLS_SERVER].config;
}

/* For another duel of the same sides; a session that the client has is to be copied before. */
static inline void
duel_clear (struct duel *duel)
{
  for (unsigned i = 0; i < 2; i++)
    {
      struct duel_side *side = &duel->sides[i];

      effects_clear (&side->effects);
      handshake_free (side->h);
      der_list_clear (&side->peer.chain);
      der_list_clear (&side->peer.authorities);
      bytes_release (&side->peer.psk_identity);
      bytes_release (&side->peer.session);
    }
}

static inline void
duel_side_begin (struct duel *duel, enum dtls_role role, bool is_hello_accepted)
{
  struct duel_side *side = &duel->sides[role];
  struct handshake_parts parts = {
    .config = &side->config,
    .crypto = pki_crypto (),
    .role = role,
    .known = &side->known,
    .peer = &side->peer,
    .is_hello_accepted = is_hello_accepted,
  };

  effects_init (&side->effects);
  side->known.read_limit = side->known.write_limit = MAX_PLAINTEXT_LEN;
  side->h = handshake_new (&parts);
  side->h->wall_clock = duel->now;
}

/* ------------------------------------------------------------------------------------- answers */

static inline void
duel_answer_signature (struct duel_side *side)
{
  struct signing *signing = &side->h->signing;
  struct dtls_buffer out = { signing->signature, sizeof signing->signature, 0 };

  if (!CHECK (side->signer != NULL))
    return;
  CHECK_UINT (signature_make (pki_crypto (), side->signer->key, signing->scheme,
                              (struct bytes){ signing->input, signing->input_len }, &out),
              DTLS_OK);
  signing->signature_len = out.used;
}

static inline void
duel_answer_psk (struct duel_side *side)
{
  struct handshake_psk *psk = &side->h->psk;

  psk->kind = PSK_NONE;
  if (side->psk == NULL || !bytes_equal (side->psk->identity, side->peer.psk_identity))
    return;

  psk->kind = PSK_EXTERNAL;
  psk->hash = side->psk->hash == DTLS_PSK_SHA384 ? HASH_SHA384 : HASH_SHA256;
  memcpy (psk->key, side->psk->key.at, side->psk->key.left);
  psk->key_len = side->psk->key.left;
}

static inline void
duel_answer (struct duel_side *side)
{
  enum dtls_wait wait = side->h->wait;

  side->n_asked[wait]++;
  side->h->wait = DTLS_WAIT_NONE;
  if (wait == DTLS_WAIT_CREDENTIAL)
    CHECK_UINT (handshake_set_credential (side->h, side->credential), DTLS_OK);
  if (wait == DTLS_WAIT_SIGNATURE)
    duel_answer_signature (side);
  if (wait == DTLS_WAIT_PSK)
    duel_answer_psk (side);
  if (wait == DTLS_WAIT_VERDICT)
    side->h->owed &= ~(unsigned) OWES_VERDICT;
}

/* ----------------------------------------------------------------------------------- messages */

static inline void duel_take (struct duel *duel, enum dtls_role to, const struct message *message);

/* The server's first answers, as a listener gives them. True if the hello is accepted. */
static inline bool
duel_welcome (struct duel *duel, const struct message *message)
{
  const struct dtls_hello hello = { message->body, message->seq, message->seq };
  uint8_t memory[512];
  struct dtls_buffer reply = { memory, sizeof memory, 0 };
  const size_t headers = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN;
  enum dtls_hello_answer answer =
      dtls_hello_answer (&duel->cookie_keys, duel->now, TAP_STRING ("here"), &hello, &reply);

  if (answer == DTLS_HELLO_ACCEPT)
    {
      duel_side_begin (duel, DTLS_SERVER, true);
      return true;
    }

  if (CHECK_UINT (answer, DTLS_HELLO_REPLY) && CHECK (reply.used > headers))
    duel_take (duel, DTLS_CLIENT,
               &(struct message){ SERVER_HELLO, 0, { memory + headers, reply.used - headers } });
  return false;
}

/* A client that is connected takes what follows with another machine. */
static inline void
duel_begin_post (struct duel *duel, enum dtls_role role)
{
  struct duel_side *side = &duel->sides[role];
  struct handshake_parts parts = { &side->config, pki_crypto (), role,
                                   &side->known,  &side->peer,   false };

  handshake_free (side->h);
  side->h = handshake_new_post (&parts, 0);
  side->h->wall_clock = duel->now;
}

/* What a side has to do by itself, and what it then says. */
static inline void
duel_turn (struct duel *duel, enum dtls_role role)
{
  struct duel_side *side = &duel->sides[role];
  struct effects effects;

  while (side->error == DTLS_OK)
    {
      if (side->h->wait != DTLS_WAIT_NONE)
        duel_answer (side);
      else if (handshake_takes (side->h, INPUT_OUR_TURN))
        side->error = handshake_take_input (side->h, INPUT_OUR_TURN, &side->effects);
      else
        break;
    }

  effects = side->effects;
  effects_init (&side->effects);
  for (size_t i = 0; i < effects.n && side->n_kinds < TAP_N (side->kinds); i++)
    side->kinds[side->n_kinds++] = effects.list[i].kind;
  for (size_t i = 0; i < effects.n; i++)
    {
      struct message message = effects.list[i].message;

      if (effects.list[i].kind != EFFECT_SEND || side->error != DTLS_OK)
        continue;
      if (side->n_sent < TAP_N (side->sent))
        side->sent[side->n_sent++] = message.type;
      if (duel->spoil != NULL)
        duel->spoil (duel, role, &message);
      duel_take (duel, role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT, &message);
    }
  effects_clear (&effects);
}

static inline void
duel_take (struct duel *duel, enum dtls_role to, const struct message *message)
{
  struct duel_side *side = &duel->sides[to];

  if (side->error != DTLS_OK)
    return;
  if (side->h == NULL && !duel_welcome (duel, message))
    return;
  if (message->type == NEW_SESSION_TICKET && to == DTLS_CLIENT)
    duel_begin_post (duel, to);

  side->error = handshake_take_message (side->h, message, &side->effects);
  if (side->error == DTLS_OK)
    duel_turn (duel, to);
}

/* A whole handshake. */
static inline void
duel_run (struct duel *duel)
{
  duel_side_begin (duel, DTLS_CLIENT, false);
  if (!duel->has_cookies)
    duel_side_begin (duel, DTLS_SERVER, false);
  duel_turn (duel, DTLS_CLIENT);
}

/* ------------------------------------------------------------------------------------- checks */

/* Both are connected, owe nothing, and know the same. */
static inline void
duel_check (const struct duel *duel)
{
  const struct association *client = &duel->sides[DTLS_CLIENT].known;
  const struct association *server = &duel->sides[DTLS_SERVER].known;
  static const uint8_t zeros[MAX_SECRET_LEN];

  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_UINT (duel->sides[i].error, DTLS_OK);
      if (!CHECK (duel->sides[i].h != NULL))
        return;
      CHECK_UINT (duel->sides[i].h->state, CONNECTED);
      CHECK_UINT (duel->sides[i].h->owed, 0);
      CHECK_UINT (duel->sides[i].known.version, VERSION_DTLS_1_3);
    }

  CHECK_UINT (client->suite, server->suite);
  CHECK_UINT (client->group, server->group);
  CHECK_UINT (client->is_resumed, server->is_resumed);
  CHECK_UINT (client->was_retried, server->was_retried);
  CHECK_UINT (client->srtp_profile, server->srtp_profile);
  CHECK (memcmp (client->randoms, server->randoms, sizeof client->randoms) == 0);
  CHECK (memcmp (client->client_traffic, server->client_traffic, MAX_SECRET_LEN) == 0);
  CHECK (memcmp (client->server_traffic, server->server_traffic, MAX_SECRET_LEN) == 0);
  CHECK (memcmp (client->exporter_secret, server->exporter_secret, MAX_SECRET_LEN) == 0);
  /* A server has made its tickets. */
  CHECK (memcmp (client->resumption_secret, zeros, 32) != 0);
  CHECK (memcmp (server->resumption_secret, zeros, 32) == 0);
}
