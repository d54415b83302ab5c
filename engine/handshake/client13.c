/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The client of DTLS 1.3 (RFC 9147 §5, RFC 9846 §4), in protocol order, from the server's first
 * answer on:
 *
 *   1. HelloRetryRequest, at most one, and the ClientHello once more
 *   2. ServerHello, and the keys of the handshake
 *   3. EncryptedExtensions
 *   4. without a pre-shared key [CertificateRequest,] Certificate, CertificateVerify
 *   5. Finished; the verdict on the chain, the credential if one is asked for, and the signature,
 *      from outside
 *   6. [Certificate, [CertificateVerify,]] Finished */

#include "handshake/client13.h"

#include "handshake/authenticate.h"
#include "handshake/opening.h"
#include "handshake/psk_offer.h"
#include "handshake/reply.h"
#include "handshake/shared13.h"
#include "handshake/shares.h"
#include "wire/certificates.h"
#include "wire/extensions.h"
#include "wire/key_share.h"

#include <string.h>

/* Extensions in an answer: each known, in its place, and asked for. */
static enum dtls_error
read_answers (const struct handshake *h, struct bytes block, enum extension_place place,
              struct extensions *found)
{
  switch (extensions_read (block, place, found))
    {
    case EXTENSIONS_MALFORMED:
    case EXTENSIONS_DUPLICATE:
      return DTLS_ERROR_DECODE;
    case EXTENSIONS_MISPLACED:
      return DTLS_ERROR_ILLEGAL_PARAMETER;
    case EXTENSIONS_OK:
      break;
    }

  if (found->has_unknown)
    return DTLS_ERROR_UNSUPPORTED_EXTENSION;

  /* RFC 9846 §4.3: an answer to what was not asked, but for a HelloRetryRequest's cookie. */
  for (unsigned i = 0; i < N_EXTENSIONS; i++)
    if (found->has[i] && !opening_has_extension (h, i)
        && !(i == FOUND_COOKIE && place == IN_HELLO_RETRY_REQUEST))
      return DTLS_ERROR_UNSUPPORTED_EXTENSION;

  return DTLS_OK;
}

/* ---------------------------------------------------------------- 1. HelloRetryRequest, or not */

/* What both kinds of ServerHello have in common. */
static enum dtls_error
check_fixed_fields (const struct handshake *h, const struct server_hello *hello)
{
  const struct suite *suite = suite_find (hello->suite);

  if (hello->version != VERSION_DTLS_1_2) /* RFC 9846 §4.2.3 */
    return DTLS_ERROR_PROTOCOL_VERSION;
  /* RFC 9147 §5: not even where our hello has the ID of a session of 1.2. */
  if (hello->session_id.left > 0 || hello->compression != 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (!offer_has_suite (&h->ours, hello->suite) || suite->version != VERSION_DTLS_1_3)
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  /* RFC 9846 §4.2.4: the HelloRetryRequest's again. */
  if (h->has_retried && suite != h->suite)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  return DTLS_OK;
}

/* RFC 9846 §4.2.4: after a HelloRetryRequest it may not change, and before it whoever called us has
 * found 1.3. */
static enum dtls_error
check_selected_version (const struct extensions *found)
{
  uint16_t selected;

  if (!found->has[FOUND_SUPPORTED_VERSIONS])
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (!selected_read (found->body[FOUND_SUPPORTED_VERSIONS], &selected))
    return DTLS_ERROR_DECODE;

  return selected == VERSION_DTLS_1_3 ? DTLS_OK : DTLS_ERROR_ILLEGAL_PARAMETER;
}

/* RFC 9846 §4.3.8: a group that we have, and sent no share of. */
static enum dtls_error
read_retry_group (const struct handshake *h, struct bytes body, uint16_t *out_group)
{
  if (!selected_read (body, out_group))
    return DTLS_ERROR_DECODE;

  return offer_has_group (&h->ours, *out_group) && shares_find (h, *out_group) == NULL
             ? DTLS_OK
             : DTLS_ERROR_ILLEGAL_PARAMETER;
}

static enum dtls_error
take_retry (struct handshake *h, const struct server_hello *hello, const struct extensions *found)
{
  struct bytes cookie = { NULL, 0 };
  uint16_t group = 0;

  if (found->has[FOUND_COOKIE] && !cookie_read (found->body[FOUND_COOKIE], &cookie))
    return DTLS_ERROR_DECODE;
  if (found->has[FOUND_KEY_SHARE])
    TRY (read_retry_group (h, found->body[FOUND_KEY_SHARE], &group));
  /* RFC 9846 §4.2.4: it must change something. */
  if (cookie.left == 0 && group == 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  if (cookie.left > 0 && !bytes_keep (&h->retry_cookie, cookie))
    return DTLS_ERROR_NO_MEMORY;
  h->suite = suite_find (hello->suite);
  if (!transcript_retry (&h->transcript, h->crypto, h->suite->hash))
    return DTLS_ERROR_CRYPTO;

  h->retry_group = group;
  h->has_retried = true;
  h->known->was_retried = true;
  h->state = ANSWERING_RETRY;
  return DTLS_OK;
}

static enum dtls_error
send_second_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;

  if (h->retry_group != 0)
    TRY (shares_replace (h, h->retry_group));

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (opening_send (h, effects));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = WAIT_SECOND_SERVER_HELLO;
  return DTLS_OK;
}

/* ------------------------------------------------------------------------------- 2. ServerHello */

/* The key that the server chose of those that we offered; of kind PSK_NONE if it chose none. */
static enum dtls_error
find_psk (const struct handshake *h, const struct suite *suite, const struct extensions *found,
          struct psk_offer *out_psk)
{
  struct psk_offer offers[MAX_PSK_OFFERS];
  size_t n = psk_offers (h, offers);
  uint16_t selected;

  *out_psk = (struct psk_offer){ .kind = PSK_NONE };
  if (!found->has[FOUND_PRE_SHARED_KEY])
    return h->config->requires_psk ? DTLS_ERROR_PSK_REQUIRED : DTLS_OK;

  if (!selected_read (found->body[FOUND_PRE_SHARED_KEY], &selected))
    return DTLS_ERROR_DECODE;
  /* RFC 9846 §4.3.11: within the range, and of the suite's hash. */
  if (selected >= n || offers[selected].hash != suite->hash)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  *out_psk = offers[selected];
  return DTLS_OK;
}

static enum dtls_error
find_server_share (const struct handshake *h, const struct extensions *found,
                   struct key_share_entry *out_share)
{
  /* RFC 9846 §9.2; §4.3.11: with a key, psk_dhe_ke is what we offered. */
  if (!found->has[FOUND_KEY_SHARE])
    return found->has[FOUND_PRE_SHARED_KEY] ? DTLS_ERROR_ILLEGAL_PARAMETER
                                            : DTLS_ERROR_MISSING_EXTENSION;
  if (!server_share_read (found->body[FOUND_KEY_SHARE], out_share))
    return DTLS_ERROR_DECODE;

  /* RFC 9846 §4.3.8; after a HelloRetryRequest that named a group there is no other share. */
  return shares_find (h, out_share->group) != NULL && out_share->key_exchange.left <= MAX_PUBLIC_LEN
             ? DTLS_OK
             : DTLS_ERROR_ILLEGAL_PARAMETER;
}

/* The chain that proved the server when the session was made is this connection's too; a verdict on it is
 * asked again if so configured. */
static enum dtls_error
resume (struct handshake *h)
{
  h->known->is_resumed = true;
  if (!session_chain_read (h->session.chain, &h->peer->chain) || h->peer->chain.n == 0)
    return DTLS_ERROR_NO_MEMORY;

  if (h->config->verifies_resumed)
    h->owed |= OWES_VERDICT;
  return authenticate_end_point (h, h->peer->chain.items[0]);
}

/* Its key proves the server: no certificate, no signature (RFC 9846 §4.5). */
static enum dtls_error
use_psk (struct handshake *h, const struct psk_offer *psk)
{
  if (psk->kind == PSK_NONE)
    return DTLS_OK;

  h->psk.kind = psk->kind;
  h->psk.hash = psk->hash;
  memcpy (h->psk.key, psk->key.at, psk->key.left);
  h->psk.key_len = psk->key.left;
  h->owed &= ~(unsigned) (OWES_KEY_EXCHANGE_SIGNATURE | OWES_VERDICT);
  if (psk->kind == PSK_RESUMPTION)
    return resume (h);

  h->known->has_psk = true;
  return bytes_keep (&h->peer->psk_identity, psk->identity) ? DTLS_OK : DTLS_ERROR_NO_MEMORY;
}

static enum dtls_error
take_hello (struct handshake *h, const struct server_hello *hello, const struct extensions *found)
{
  const struct suite *suite = suite_find (hello->suite);
  struct key_share_entry share;
  struct psk_offer psk;

  TRY (find_psk (h, suite, found, &psk));
  TRY (find_server_share (h, found, &share));

  h->suite = suite;
  h->known->group = share.group;
  memcpy (h->known->randoms + RANDOM_LEN, hello->random.at, RANDOM_LEN);
  handshake_keep_point (h, share.key_exchange);
  TRY (use_psk (h, &psk));
  h->state = ANSWERING_SERVER_HELLO;
  return DTLS_OK;
}

enum dtls_error
client13_on_server_hello (struct handshake *handshake, const struct message *message,
                          struct effects *effects)
{
  struct server_hello hello;
  struct extensions found;
  bool is_retry;

  (void) effects;
  if (!server_hello_read (message->body, &hello))
    return DTLS_ERROR_DECODE;

  is_retry = server_hello_is_retry (&hello);
  if (is_retry && handshake->has_retried) /* RFC 9846 §4.2.4 */
    return DTLS_ERROR_UNEXPECTED_MESSAGE;

  TRY (check_fixed_fields (handshake, &hello));
  TRY (read_answers (handshake, hello.extensions,
                     is_retry ? IN_HELLO_RETRY_REQUEST : IN_SERVER_HELLO_13, &found));
  TRY (check_selected_version (&found));
  return is_retry ? take_retry (handshake, &hello, &found) : take_hello (handshake, &hello, &found);
}

static enum dtls_error
derive_handshake (struct handshake *h)
{
  struct bytes peer_point = { h->peer_point, h->peer_point_len };
  struct key_share *share = shares_find (h, h->known->group);
  uint8_t shared[MAX_SHARED_LEN];
  size_t shared_len = 0;
  enum dtls_error error = key_share_agree (share, peer_point, shared, &shared_len);

  if (error == DTLS_OK)
    error = shared13_begin (h);
  if (error == DTLS_OK)
    error = shared13_to_handshake (h, (struct bytes){ shared, shared_len });

  wipe (shared, sizeof shared);
  /* The ephemeral keys have done their work: forward secrecy begins here. */
  shares_drop (h);
  return error;
}

static enum dtls_error
answer_server_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;

  TRY (derive_handshake (h));
  effects_keys (effects, EFFECT_READ_KEYS, 2);
  effects_keys (effects, EFFECT_WRITE_KEYS, 2);
  h->state = WAIT_ENCRYPTED_EXTENSIONS;
  return DTLS_OK;
}

/* ----------------------------------------------------------------------- 3. EncryptedExtensions */

static enum dtls_error
on_encrypted_extensions (struct handshake *h, const struct message *message,
                         struct effects *effects)
{
  struct extensions found;
  struct bytes block;

  (void) effects;
  if (!encrypted_extensions_read (message->body, &block))
    return DTLS_ERROR_DECODE;
  TRY (read_answers (h, block, IN_ENCRYPTED_EXTENSIONS, &found));

  if (found.has[FOUND_SERVER_NAME] && found.body[FOUND_SERVER_NAME].left > 0) /* RFC 6066 §3 */
    return DTLS_ERROR_DECODE;
  if (found.has[FOUND_ALPN])
    TRY (reply_take_protocol (h, found.body[FOUND_ALPN]));
  if (found.has[FOUND_USE_SRTP])
    TRY (reply_take_srtp_profile (h, found.body[FOUND_USE_SRTP]));
  if (found.has[FOUND_RECORD_SIZE_LIMIT])
    {
      TRY (shared13_take_record_size_limit (h, found.body[FOUND_RECORD_SIZE_LIMIT]));
      h->known->read_limit = opening_record_size_limit (h) - 1; /* less the content type */
    }
  /* RFC 9846 §4.3.7: supported_groups is for later connections. */

  h->state = h->psk.kind != PSK_NONE ? WAIT_FINISHED : WAIT_CERTIFICATE_OR_REQUEST;
  return DTLS_OK;
}

/* ------------------------------------------------------------------------------ 4. certificates */

static enum dtls_error
read_request_extensions (struct bytes block, struct extensions *found)
{
  switch (extensions_read (block, IN_CERTIFICATE_REQUEST_13, found))
    {
    case EXTENSIONS_MALFORMED:
    case EXTENSIONS_DUPLICATE:
      return DTLS_ERROR_DECODE;
    case EXTENSIONS_MISPLACED:
      return DTLS_ERROR_ILLEGAL_PARAMETER;
    case EXTENSIONS_OK: /* RFC 9846 §4.4.2: unknown ones are ignored */
      break;
    }

  return found->has[FOUND_SIGNATURE_ALGORITHMS] ? DTLS_OK : DTLS_ERROR_MISSING_EXTENSION;
}

static enum dtls_error
on_certificate_request (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct certificate_request_13 request;
  struct bytes schemes, authorities;
  struct extensions found;

  (void) effects;
  if (!certificate_request_13_read (message->body, &request))
    return DTLS_ERROR_DECODE;
  if (request.context.left > 0) /* RFC 9846 §4.4.2: within a handshake it is empty */
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  TRY (read_request_extensions (request.extensions, &found));

  if (!u16_list_read (found.body[FOUND_SIGNATURE_ALGORITHMS], &schemes))
    return DTLS_ERROR_DECODE;
  if (found.has[FOUND_CERTIFICATE_AUTHORITIES])
    {
      if (!certificate_authorities_read (found.body[FOUND_CERTIFICATE_AUTHORITIES], &authorities))
        return DTLS_ERROR_DECODE;
      TRY (reply_take_authorities (h, authorities));
    }

  offer_take_schemes (&h->theirs, schemes);
  h->peer->has_asked_for_certificate = true;
  h->state = WAIT_SERVER_CERTIFICATE;
  return DTLS_OK;
}

static enum dtls_error
on_certificate (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (shared13_take_certificate (h, message->body));
  if (h->peer->chain.n == 0) /* RFC 9846 §4.5.1.3: only a client's may be empty */
    return DTLS_ERROR_DECODE;

  TRY (authenticate_end_point (h, h->peer->chain.items[0]));
  h->state = WAIT_CERTIFICATE_VERIFY;
  return DTLS_OK;
}

static enum dtls_error
on_certificate_verify (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (shared13_check_certificate_verify (h, message->body));
  h->state = WAIT_FINISHED;
  return DTLS_OK;
}

/* -------------------------------------------------------- 5. Finished, and answers from outside */

static enum dtls_error
on_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (shared13_check_finished (h, message->body));
  h->state = ANSWERING_SERVER;
  return DTLS_OK;
}

/* A credential that the server cannot take is none: it may go on without (RFC 9846 §4.5.1). */
static enum dtls_error
choose_credential (struct handshake *h, struct effects *effects)
{
  TRY (handshake_need_credential (h, effects));
  if (h->wait != DTLS_WAIT_NONE || h->credential == NULL)
    return DTLS_OK;

  h->signing.scheme = handshake_choose_scheme (h);
  if (h->signing.scheme == 0)
    h->credential = NULL;
  return DTLS_OK;
}

/* -------------------------------------------------------------------------------- 6. our flight */

/* The secrets first: they cover the server's messages alone. */
static enum dtls_error
begin_flight (struct handshake *h, struct effects *effects)
{
  TRY (shared13_to_application (h));
  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  if (!h->peer->has_asked_for_certificate)
    return DTLS_OK;

  TRY (shared13_send_certificate (h, effects));
  return h->credential != NULL ? shared13_sign (h, effects) : DTLS_OK;
}

static enum dtls_error
end_flight (struct handshake *h, struct effects *effects)
{
  if (h->credential != NULL)
    TRY (shared13_send_certificate_verify (h, effects));
  TRY (shared13_send_finished (h, effects));
  TRY (shared13_to_resumption (h));

  effects_keys (effects, EFFECT_WRITE_KEYS, 3);
  effects_keys (effects, EFFECT_READ_KEYS, 3);
  effects_add (effects, EFFECT_END_ACKED_FLIGHT);
  return handshake_connect (h, effects);
}

/* Comes again after each answer, and goes on with what is still missing. */
static enum dtls_error
answer_server (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;

  if (h->owed & OWES_VERDICT)
    {
      handshake_ask (h, effects, DTLS_WAIT_VERDICT);
      return DTLS_OK;
    }

  if (h->peer->has_asked_for_certificate)
    TRY (choose_credential (h, effects));
  if (h->wait != DTLS_WAIT_NONE)
    return DTLS_OK;

  /* A signature that is there was asked for in the flight that we began. */
  if (h->signing.signature_len == 0)
    TRY (begin_flight (h, effects));
  return h->wait == DTLS_WAIT_NONE ? end_flight (h, effects) : DTLS_OK;
}

/* clang-format off */
static const struct row rows[] = {
  /* waiting for                 gets                  does                      may go to */
  { ANSWERING_RETRY,             INPUT_OUR_TURN,       send_second_hello,        TO (WAIT_SECOND_SERVER_HELLO) },
  { WAIT_SECOND_SERVER_HELLO,    SERVER_HELLO,         client13_on_server_hello, TO (ANSWERING_SERVER_HELLO) },
  { ANSWERING_SERVER_HELLO,      INPUT_OUR_TURN,       answer_server_hello,      TO (WAIT_ENCRYPTED_EXTENSIONS) },
  { WAIT_ENCRYPTED_EXTENSIONS,   ENCRYPTED_EXTENSIONS, on_encrypted_extensions,  TO (WAIT_CERTIFICATE_OR_REQUEST) | TO (WAIT_FINISHED) },
  { WAIT_CERTIFICATE_OR_REQUEST, CERTIFICATE_REQUEST,  on_certificate_request,   TO (WAIT_SERVER_CERTIFICATE) },
  { WAIT_CERTIFICATE_OR_REQUEST, CERTIFICATE,          on_certificate,           TO (WAIT_CERTIFICATE_VERIFY) },
  { WAIT_SERVER_CERTIFICATE,     CERTIFICATE,          on_certificate,           TO (WAIT_CERTIFICATE_VERIFY) },
  { WAIT_CERTIFICATE_VERIFY,     CERTIFICATE_VERIFY,   on_certificate_verify,    TO (WAIT_FINISHED) },
  { WAIT_FINISHED,               FINISHED,             on_finished,              TO (ANSWERING_SERVER) },
  { ANSWERING_SERVER,            INPUT_OUR_TURN,       answer_server,            TO (ANSWERING_SERVER) | TO (CONNECTED) },
};
/* clang-format on */

const struct table client13_table = { rows, sizeof rows / sizeof rows[0] };
