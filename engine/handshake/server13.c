/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The server of DTLS 1.3 (RFC 9147 §5, RFC 9846 §4), in protocol order. Cookies come before it, in a
 * pure function (handshake/cookie, conn/hello):
 *
 *   1. ClientHello [, HelloRetryRequest, ClientHello]
 *   2. pre-shared key or credential, from outside
 *   3. ServerHello, EncryptedExtensions, [CertificateRequest,] [Certificate; the signature, from outside;
 *      CertificateVerify,] Finished
 *   4. [Certificate, CertificateVerify; the verdict on the chain, from outside;] Finished
 *   5. [NewSessionTicket ...] */

#include "handshake/server13.h"

#include "handshake/authenticate.h"
#include "handshake/cookie.h"
#include "handshake/hello13.h"
#include "handshake/psk_choice.h"
#include "handshake/shared13.h"
#include "handshake/tickets13.h"
#include "wire/certificates.h"

#include <string.h>

/* -------------------------------------------------------------------------------- 1. ClientHello */

static enum dtls_error
keep_share (struct handshake *h, const struct key_share_entry *share)
{
  if (share->key_exchange.left > MAX_PUBLIC_LEN)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  h->known->group = share->group;
  handshake_keep_point (h, share->key_exchange);
  return DTLS_OK;
}

/* The best group that the client brings a share of; or, for lack of any, the best to ask for. */
static enum dtls_error
choose_share (struct handshake *h, const struct hello13 *hello)
{
  struct key_share_entry share;

  if (hello13_choose_share (hello, &h->ours, &h->theirs, &share))
    return keep_share (h, &share);

  h->retry_group = choose_group (&h->ours, &h->theirs, VERSION_DTLS_1_3);
  return h->retry_group != 0 ? DTLS_OK : DTLS_ERROR_NO_SHARED_GROUP;
}

/* RFC 9846 §4.2.2: of the group that was named a second hello has the one share, and no early data. */
static enum dtls_error
check_second (struct handshake *h, const struct hello13 *hello)
{
  struct key_share_entry share;

  if (hello->found.has[FOUND_EARLY_DATA])
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  if (h->retry_group == 0)
    return hello13_choose_share (hello, &h->ours, &h->theirs, &share)
               ? keep_share (h, &share)
               : DTLS_ERROR_ILLEGAL_PARAMETER;

  return hello13_has_only_share (hello, h->retry_group, &share) ? keep_share (h, &share)
                                                                : DTLS_ERROR_ILLEGAL_PARAMETER;
}

/* RFC 9846 §4.5.1: the HelloRetryRequest that someone sent who has kept nothing, and the hello before
 * it, from the cookie that was checked. */
static enum dtls_error
recall_retry (struct handshake *h, const struct hello13 *hello)
{
  uint8_t memory[RETRY13_LEN + MAX_COOKIE13_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  struct message message = { .type = SERVER_HELLO };
  struct retry13 retry = { .cookie = hello->cookie };
  struct cookie13 cookie;

  if (!cookie13_read (hello->cookie, &cookie) || !offer_has_suite (&h->ours, cookie.suite->code)
      || !offer_has_suite (&h->theirs, cookie.suite->code))
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  h->suite = cookie.suite;
  h->retry_group = cookie.group;
  h->has_retried = true;
  h->known->was_retried = true;

  retry.suite = cookie.suite->code;
  retry.group = cookie.group;
  hello13_write_retry (&w, &retry);
  message.body = writer_bytes (&w);
  if (!transcript_retry_from (&h->transcript,
                              (struct bytes){ cookie.first, hash_len (cookie.suite->hash) })
      || !transcript_add (&h->transcript, &message))
    return DTLS_ERROR_NO_MEMORY;

  return check_second (h, hello);
}

/* Of a hello that is the first we know of. RFC 9846 §4.3.2: a cookie comes back only to whoever gave
 * it. */
static enum dtls_error
begin (struct handshake *h, const struct hello13 *hello)
{
  if (h->is_hello_accepted)
    return recall_retry (h, hello);
  if (hello->cookie.left > 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  h->suite = hello13_choose_suite (hello, &h->ours, &h->theirs);
  return h->suite != NULL ? choose_share (h, hello) : DTLS_ERROR_NO_SHARED_SUITE;
}

/* RFC 5764 §4.1.2: the first of ours that the client has; its MKI is not for us. */
static void
choose_srtp_profile (struct handshake *h, const struct extensions *found)
{
  const struct dtls_config *config = h->config;
  struct use_srtp srtp;

  if (!found->has[FOUND_USE_SRTP] || !use_srtp_read (found->body[FOUND_USE_SRTP], &srtp))
    return;

  for (size_t i = 0; i < config->n_srtp_profiles && h->known->srtp_profile == 0; i++)
    if (u16_list_has (srtp.profiles, config->srtp_profiles[i]))
      h->known->srtp_profile = config->srtp_profiles[i];
}

static bool
digest_fixed_parts (struct handshake *h, const struct hello13 *hello, uint8_t out[MAX_HASH_LEN])
{
  struct bytes parts[MAX_FIXED_PARTS];
  /* A hash of several parts: it needs no key. */
  struct hmac_input input = { { NULL, 0 }, parts, hello13_fixed_parts (hello, parts) };

  return hmac_once (h->crypto, HASH_SHA256, &input, out);
}

enum dtls_error
server13_on_client_hello (struct handshake *h, const struct message *message,
                          struct effects *effects)
{
  uint8_t digest[MAX_HASH_LEN];
  struct hello13 hello;

  (void) effects;
  TRY (hello13_read (message->body, &hello));
  hello13_offer (&hello, &h->theirs);
  TRY (begin (h, &hello));
  if (hello.found.has[FOUND_RECORD_SIZE_LIMIT])
    TRY (shared13_take_record_size_limit (h, hello.found.body[FOUND_RECORD_SIZE_LIMIT]));
  choose_srtp_profile (h, &hello.found);
  h->peer_takes_tickets = hello.takes_psk_dhe_ke;

  if (!digest_fixed_parts (h, &hello, digest))
    return DTLS_ERROR_CRYPTO;
  memcpy (h->hello_digest, digest, sizeof h->hello_digest);

  /* RFC 9147 §5.2: a HelloRetryRequest that we do not remember had the number before. */
  h->next_send_seq = message->seq;
  h->state = ANSWERING_HELLO;
  return DTLS_OK;
}

static enum dtls_error
on_second_client_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  uint8_t digest[MAX_HASH_LEN];
  struct hello13 hello;

  (void) effects;
  TRY (hello13_read (message->body, &hello));
  if (!digest_fixed_parts (h, &hello, digest))
    return DTLS_ERROR_CRYPTO;
  if (memcmp (h->hello_digest, digest, sizeof h->hello_digest) != 0 || hello.cookie.left > 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  TRY (check_second (h, &hello));
  h->state = ANSWERING_HELLO;
  return DTLS_OK;
}

static enum dtls_error
send_retry (struct handshake *h, struct effects *effects)
{
  struct retry13 retry = { h->suite->code, h->retry_group, { NULL, 0 } };

  h->has_retried = true;
  h->known->was_retried = true;
  if (!transcript_retry (&h->transcript, h->crypto, h->suite->hash))
    return DTLS_ERROR_CRYPTO;

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  hello13_write_retry (effects_draft (effects, RETRY13_LEN), &retry);
  TRY (handshake_send (h, effects, SERVER_HELLO));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = WAIT_SECOND_CLIENT_HELLO;
  return DTLS_OK;
}

/* --------------------------------------------------------------------- 2. key or certificate */

/* Without a pre-shared key. */
static enum dtls_error
choose_credential (struct handshake *h, const struct hello13 *hello, struct effects *effects)
{
  if (h->config->requires_psk)
    return DTLS_ERROR_PSK_REQUIRED;
  /* RFC 9846 §4.3.3: not without a word on what the client can check. */
  if (!hello->found.has[FOUND_SIGNATURE_ALGORITHMS])
    return DTLS_ERROR_MISSING_EXTENSION;

  TRY (handshake_need_credential (h, effects));
  if (h->wait != DTLS_WAIT_NONE)
    return DTLS_OK;
  /* RFC 9846 §6.2: a client that names keys wants to hear that it was about those. */
  if (h->credential == NULL)
    return h->config->asks_for_psk && hello->found.has[FOUND_PRE_SHARED_KEY]
               ? DTLS_ERROR_UNKNOWN_PSK
               : DTLS_ERROR_NO_CREDENTIAL;

  h->signing.scheme = handshake_choose_scheme (h);
  if (h->signing.scheme == 0)
    return DTLS_ERROR_NO_SHARED_SIGNATURE;

  TRY (authenticate_end_point (h, h->credential->chain[0]));
  return shared13_begin (h);
}

/* --------------------------------------------------------------------------------- 3. our flight */

static enum dtls_error
send_server_hello (struct handshake *h, struct effects *effects)
{
  uint8_t memory[6 + 8 + MAX_PUBLIC_LEN + 6];
  struct writer block = writer_over (memory, sizeof memory);
  struct key_share_entry share = { h->known->group, key_share_public (h->share) };
  struct server_hello hello = {
    .version = VERSION_DTLS_1_2,
    .random = { h->known->randoms + RANDOM_LEN, RANDOM_LEN },
    .suite = h->suite->code,
  };
  size_t body;

  body = extension_begin (&block, EXT_SUPPORTED_VERSIONS);
  selected_write (&block, VERSION_DTLS_1_3);
  extension_end (&block, body);
  body = extension_begin (&block, EXT_KEY_SHARE);
  server_share_write (&block, &share);
  extension_end (&block, body);
  if (h->psk.kind != PSK_NONE)
    {
      body = extension_begin (&block, EXT_PRE_SHARED_KEY);
      selected_write (&block, (uint16_t) (h->n_psks_seen - 1));
      extension_end (&block, body);
    }

  hello.extensions = writer_bytes (&block);
  server_hello_write (effects_draft (effects, 64 + sizeof memory), &hello);
  return handshake_send (h, effects, SERVER_HELLO);
}

static enum dtls_error
begin_flight (struct handshake *h, struct effects *effects, struct bytes shared)
{
  if (!handshake_random (h, h->known->randoms + RANDOM_LEN, RANDOM_LEN))
    return DTLS_ERROR_CRYPTO;

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (send_server_hello (h, effects));
  TRY (shared13_to_handshake (h, shared));
  /* Reading first: if the hello's record goes on beyond it, the alert is one that the client can read. */
  effects_keys (effects, EFFECT_READ_KEYS, 2);
  effects_keys (effects, EFFECT_WRITE_KEYS, 2);
  return DTLS_OK;
}

static enum dtls_error
agree (struct handshake *h, struct effects *effects)
{
  uint8_t memory[MAX_SHARED_LEN];
  struct dtls_buffer shared = { memory, sizeof memory, 0 };
  struct bytes point = { h->peer_point, h->peer_point_len };
  enum dtls_error error = key_share_answer (h->crypto, h->known->group, point, &h->share, &shared);

  if (error == DTLS_OK)
    error = begin_flight (h, effects, (struct bytes){ shared.at, shared.used });

  wipe (memory, sizeof memory);
  return error;
}

static void
write_protocol (const struct handshake *h, struct writer *w)
{
  size_t body = extension_begin (w, EXT_ALPN);
  size_t names = write_vec_begin (w, 2);

  write_vec (w, (struct bytes){ h->known->alpn, h->known->alpn_len }, 1);
  write_vec_end (w, names, 2);
  extension_end (w, body);
}

static enum dtls_error
send_encrypted_extensions (struct handshake *h, struct effects *effects)
{
  struct writer *w = effects_draft (effects, 64 + 255);
  const uint8_t profile[] = { (uint8_t) (h->known->srtp_profile >> 8),
                              (uint8_t) h->known->srtp_profile };
  struct use_srtp srtp = { .profiles = { profile, sizeof profile } };
  size_t block = extension_block_begin (w), body;

  if (h->known->server_name_len > 0 && !h->known->is_resumed && h->config->acknowledges_server_name)
    extension_end (w, extension_begin (w, EXT_SERVER_NAME));
  if (h->known->srtp_profile != 0)
    {
      body = extension_begin (w, EXT_USE_SRTP);
      use_srtp_write (w, &srtp);
      extension_end (w, body);
    }
  if (h->known->alpn_len > 0)
    write_protocol (h, w);
  if (h->peer_has_record_size_limit)
    {
      /* RFC 8449 §4: in 1.3 it counts the content type too. */
      body = extension_begin (w, EXT_RECORD_SIZE_LIMIT);
      record_size_limit_write (w, (uint16_t) (h->config->record_size_limit + 1));
      extension_end (w, body);
      h->known->read_limit = h->config->record_size_limit;
    }

  extension_block_end (w, block);
  return handshake_send (h, effects, ENCRYPTED_EXTENSIONS);
}

/* RFC 9846 §4.4.2: none where a pre-shared key is what vouches for both. */
static bool
asks_for_certificate (const struct handshake *h)
{
  return h->config->client_auth != DTLS_CLIENT_AUTH_NONE && h->psk.kind == PSK_NONE;
}

static enum dtls_error
send_certificate_request (struct handshake *h, struct effects *effects)
{
  const struct dtls_config *config = h->config;
  size_t capacity = 32 + 2 * MAX_OFFERED_SCHEMES, block, body;
  struct writer *w;

  for (size_t i = 0; i < config->n_authorities; i++)
    capacity += 2 + config->authorities[i].left;

  w = effects_draft (effects, capacity);
  block = certificate_request_13_begin (w, (struct bytes){ NULL, 0 });
  body = extension_begin (w, EXT_SIGNATURE_ALGORITHMS);
  u16_list_write (w, h->ours.schemes, h->ours.n_schemes);
  extension_end (w, body);
  if (config->n_authorities > 0)
    {
      body = extension_begin (w, EXT_CERTIFICATE_AUTHORITIES);
      certificate_authorities_write (w, config->authorities, config->n_authorities);
      extension_end (w, body);
    }

  extension_block_end (w, block);
  return handshake_send (h, effects, CERTIFICATE_REQUEST);
}

static enum dtls_error
finish_flight (struct handshake *h, struct effects *effects)
{
  if (h->psk.kind == PSK_NONE)
    TRY (shared13_send_certificate_verify (h, effects));
  TRY (shared13_send_finished (h, effects));
  TRY (shared13_to_application (h));
  effects_keys (effects, EFFECT_WRITE_KEYS, 3);
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = asks_for_certificate (h) ? WAIT_CLIENT_CERTIFICATE : WAIT_FINISHED;
  return DTLS_OK;
}

static enum dtls_error
send_flight (struct handshake *h, struct effects *effects)
{
  TRY (agree (h, effects));
  TRY (send_encrypted_extensions (h, effects));
  if (h->psk.kind != PSK_NONE)
    return finish_flight (h, effects);

  if (asks_for_certificate (h))
    TRY (send_certificate_request (h, effects));
  TRY (shared13_send_certificate (h, effects));
  TRY (shared13_sign (h, effects));
  return h->wait == DTLS_WAIT_NONE ? finish_flight (h, effects) : DTLS_OK;
}

/* The hello that we answer. */
static struct bytes
last_message (const struct transcript *transcript)
{
  struct reader r = reader_over (transcript_bytes (transcript));
  struct bytes body = { NULL, 0 };

  while (r.left > 0)
    {
      (void) read_u8 (&r);
      body = read_vec (&r, 3);
    }

  return body;
}

/* Comes again after each answer, and goes on with what is still missing. */
static enum dtls_error
answer_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct hello13 hello;

  (void) message;
  /* The flight waited for it. */
  if (h->signing.signature_len > 0)
    return finish_flight (h, effects);
  if (h->retry_group != 0 && !h->has_retried)
    return send_retry (h, effects);

  TRY (hello13_read (last_message (&h->transcript), &hello));
  TRY (psk_choice_go_on (h, &hello, effects));
  if (h->wait == DTLS_WAIT_NONE && h->psk.kind == PSK_NONE)
    TRY (choose_credential (h, &hello, effects));

  return h->wait == DTLS_WAIT_NONE ? send_flight (h, effects) : DTLS_OK;
}

/* ------------------------------------------------------------------------ 4. the client's flight */

static enum dtls_error
on_certificate (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (shared13_take_certificate (h, message->body));

  if (h->peer->chain.n > 0)
    {
      h->owed |= OWES_CERTIFICATE_VERIFY | OWES_VERDICT;
      h->owed &= ~(unsigned) OWES_CERTIFICATE;
    }
  if (h->owed & OWES_CERTIFICATE)
    return DTLS_ERROR_CERTIFICATE_REQUIRED;

  h->state = h->peer->chain.n > 0 ? WAIT_CERTIFICATE_VERIFY : WAIT_FINISHED;
  return DTLS_OK;
}

static enum dtls_error
on_certificate_verify (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (shared13_check_certificate_verify (h, message->body));
  h->state = ANSWERING_CERTIFICATE;
  return DTLS_OK;
}

static enum dtls_error
answer_certificate (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;
  if (h->owed & OWES_VERDICT)
    handshake_ask (h, effects, DTLS_WAIT_VERDICT);
  else
    h->state = WAIT_FINISHED;

  return DTLS_OK;
}

static enum dtls_error
on_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (shared13_check_finished (h, message->body));
  h->state = ANSWERING_FINISHED;
  return DTLS_OK;
}

/* ------------------------------------------------------------------------------------ 5. tickets */

static enum dtls_error
answer_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;
  /* On the chain that a resumed session was made with. */
  if (h->owed & OWES_VERDICT)
    {
      handshake_ask (h, effects, DTLS_WAIT_VERDICT);
      return DTLS_OK;
    }

  TRY (shared13_to_resumption (h));
  effects_keys (effects, EFFECT_READ_KEYS, 3);
  effects_add (effects, EFFECT_ACK_NOW);
  TRY (tickets13_send (h, effects));
  /* The tickets have what they need of it, and nobody else is to. */
  wipe (h->known->resumption_secret, sizeof h->known->resumption_secret);
  return handshake_connect (h, effects);
}

/* clang-format off */
static const struct row rows[] = {
  /* waiting for              gets                does                    may go to */
  { WAIT_SECOND_CLIENT_HELLO, CLIENT_HELLO,       on_second_client_hello, TO (ANSWERING_HELLO) },
  { ANSWERING_HELLO,          INPUT_OUR_TURN,     answer_hello,           TO (ANSWERING_HELLO) | TO (WAIT_SECOND_CLIENT_HELLO) | TO (WAIT_CLIENT_CERTIFICATE) | TO (WAIT_FINISHED) },
  { WAIT_CLIENT_CERTIFICATE,  CERTIFICATE,        on_certificate,         TO (WAIT_CERTIFICATE_VERIFY) | TO (WAIT_FINISHED) },
  { WAIT_CERTIFICATE_VERIFY,  CERTIFICATE_VERIFY, on_certificate_verify,  TO (ANSWERING_CERTIFICATE) },
  { ANSWERING_CERTIFICATE,    INPUT_OUR_TURN,     answer_certificate,     TO (ANSWERING_CERTIFICATE) | TO (WAIT_FINISHED) },
  { WAIT_FINISHED,            FINISHED,           on_finished,            TO (ANSWERING_FINISHED) },
  { ANSWERING_FINISHED,       INPUT_OUR_TURN,     answer_finished,        TO (ANSWERING_FINISHED) | TO (CONNECTED) },
};
/* clang-format on */

const struct table server13_table = { rows, sizeof rows / sizeof rows[0] };
