/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The server of DTLS 1.2 (RFC 6347 §4.2.4, RFC 5246 §7.3), in protocol order. Cookies come before
 * it, in a pure function (handshake/cookie, conn/hello):
 *
 *   1. ClientHello; its version was chosen in handshake/welcome
 *   2. the credential and the signature, from outside; ServerHello, Certificate, ServerKeyExchange,
 *      [CertificateRequest,] ServerHelloDone
 *   3. [Certificate,] ClientKeyExchange, [CertificateVerify; the verdict on the chain, from outside]
 *   4. ChangeCipherSpec, Finished
 *   5. [NewSessionTicket,] ChangeCipherSpec, Finished
 *
 * With a pre-shared key (handshake/psk12):
 *
 *   2. ServerHello, [ServerKeyExchange,] ServerHelloDone
 *   3. ClientKeyExchange; the key, from outside
 *
 * If we resume a session (handshake/resume12):
 *
 *   2. the credential; ServerHello, [NewSessionTicket,] ChangeCipherSpec, Finished
 *   3. ChangeCipherSpec, Finished; perhaps a verdict on the session's chain */

#include "handshake/server12.h"

#include "handshake/authenticate.h"
#include "handshake/choices12.h"
#include "handshake/mutual.h"
#include "handshake/psk12.h"
#include "handshake/resume12.h"
#include "handshake/welcome.h"
#include "wire/certificates.h"
#include "wire/extensions.h"
#include "wire/key_exchange.h"

/* ------------------------------------------------------------------------------- 1. ClientHello */

static enum dtls_error
take_lists (struct handshake *h, const struct extensions *found)
{
  struct bytes list;

  if (found->has[FOUND_SUPPORTED_GROUPS])
    {
      if (!u16_list_read (found->body[FOUND_SUPPORTED_GROUPS], &list))
        return DTLS_ERROR_DECODE;
      offer_take_groups (&h->theirs, list);
    }
  else
    {
      /* RFC 8422 §4: without it any curve is fine; P-256 is the one that everybody has. */
      offer_take_groups (&h->theirs, (struct bytes){ (const uint8_t[]){ 0, GROUP_SECP256R1 }, 2 });
    }

  if (found->has[FOUND_SIGNATURE_ALGORITHMS])
    {
      if (!u16_list_read (found->body[FOUND_SIGNATURE_ALGORITHMS], &list))
        return DTLS_ERROR_DECODE;
      offer_take_schemes (&h->theirs, list);
    }

  if (found->has[FOUND_SIGNATURE_ALGORITHMS_CERT]
      && !u16_list_read (found->body[FOUND_SIGNATURE_ALGORITHMS_CERT], &list))
    return DTLS_ERROR_DECODE;

  return DTLS_OK;
}

static enum dtls_error
take_extensions (struct handshake *h, const struct client_hello *hello,
                 const struct extensions *found)
{
  if (client_hello_has_suite (hello, SUITE_EMPTY_RENEGOTIATION_INFO_SCSV))
    h->peer_has_renegotiation_info = true;
  TRY (mutual_take (h, found));
  return take_lists (h, found);
}

enum dtls_error
server12_on_client_hello (struct handshake *handshake, const struct message *message,
                          struct effects *effects)
{
  struct client_hello hello;
  struct extensions found;

  (void) effects;
  TRY (welcome_read (message->body, &hello, &found));
  if (!bytes_have (hello.compression, 0)) /* RFC 5246 §7.4.1.2 */
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  offer_take_suites (&handshake->theirs, hello.suites);
  TRY (take_extensions (handshake, &hello, &found));
  TRY (resume12_find (handshake, hello.session_id, found.body[FOUND_SESSION_TICKET]));

  /* RFC 6347 §4.2.2: a HelloVerifyRequest that we do not remember had the number before. */
  handshake->next_send_seq = message->seq;
  handshake->state = ANSWERING_HELLO;
  return DTLS_OK;
}

/* -------------------------------------------------------------------------------- 2. our flight */

static struct bytes
ecdh_params (struct handshake *h, uint8_t *out, size_t capacity)
{
  struct writer w = writer_over (out, capacity);

  server_ecdh_params_write (&w, h->known->group, key_share_public (h->share));
  return writer_bytes (&w);
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

static void
write_srtp_profile (const struct handshake *h, struct writer *w)
{
  uint16_t profile = h->known->srtp_profile;
  uint8_t profiles[] = { (uint8_t) (profile >> 8), (uint8_t) profile };
  struct use_srtp srtp = { .profiles = { profiles, sizeof profiles } };
  size_t body = extension_begin (w, EXT_USE_SRTP);

  use_srtp_write (w, &srtp);
  extension_end (w, body);
}

static void
write_extensions (const struct handshake *h, struct writer *w)
{
  size_t body;

  if (h->peer_has_renegotiation_info)
    {
      body = extension_begin (w, EXT_RENEGOTIATION_INFO);
      renegotiation_info_write (w, (struct bytes){ NULL, 0 });
      extension_end (w, body);
    }

  if (h->known->has_extended_master_secret)
    extension_end (w, extension_begin (w, EXT_EXTENDED_MASTER_SECRET));

  if (h->peer_has_record_size_limit)
    {
      body = extension_begin (w, EXT_RECORD_SIZE_LIMIT);
      record_size_limit_write (w, h->config->record_size_limit);
      extension_end (w, body);
    }

  /* RFC 6066 §3: an empty one, since the name counts; but "MUST NOT" when a session resumes. */
  if (h->known->server_name_len > 0 && !h->known->is_resumed && h->config->acknowledges_server_name)
    extension_end (w, extension_begin (w, EXT_SERVER_NAME));
  if (h->known->alpn_len > 0)
    write_protocol (h, w);
  if (h->known->srtp_profile != 0)
    write_srtp_profile (h, w);
  if (resume12_promises_ticket (h))
    extension_end (w, extension_begin (w, EXT_SESSION_TICKET));
}

static enum dtls_error
send_server_hello (struct handshake *h, struct effects *effects)
{
  uint8_t extensions[64 + 255];
  struct writer block = writer_over (extensions, sizeof extensions);
  struct server_hello hello = {
    .version = VERSION_DTLS_1_2,
    .random = { h->known->randoms + RANDOM_LEN, RANDOM_LEN },
    .session_id = { h->session_id, h->session_id_len },
    .suite = h->suite->code,
  };

  write_extensions (h, &block);
  hello.extensions = writer_bytes (&block);
  server_hello_write (effects_draft (effects, 80 + MAX_SESSION_ID_LEN + sizeof extensions), &hello);
  return handshake_send (h, effects, SERVER_HELLO);
}

static enum dtls_error
send_key_exchange (struct handshake *h, struct effects *effects)
{
  uint8_t params[4 + MAX_ECDH_PUBLIC_LEN];
  struct server_key_exchange exchange = {
    .params = ecdh_params (h, params, sizeof params),
    .scheme = h->signing.scheme,
    .signature = { h->signing.signature, h->signing.signature_len },
  };

  server_key_exchange_write (effects_draft (effects, sizeof params + 4 + MAX_SIGNATURE_LEN),
                             &exchange);
  return handshake_send (h, effects, SERVER_KEY_EXCHANGE);
}

static enum dtls_error
send_certificate_request (struct handshake *h, struct effects *effects)
{
  static const uint8_t types[] = { CERT_TYPE_ECDSA_SIGN, CERT_TYPE_RSA_SIGN };
  uint8_t schemes[2 * MAX_OFFERED_SCHEMES];
  struct writer list = writer_over (schemes, sizeof schemes);
  struct certificate_request request = { .types = { types, sizeof types } };
  size_t capacity = sizeof types + sizeof schemes + 8;

  for (size_t i = 0; i < h->ours.n_schemes; i++)
    write_u16 (&list, h->ours.schemes[i]);
  request.schemes = writer_bytes (&list);

  for (size_t i = 0; i < h->config->n_authorities; i++)
    capacity += 2 + h->config->authorities[i].left;

  certificate_request_write (effects_draft (effects, capacity), &request, h->config->authorities,
                             h->config->n_authorities);
  return handshake_send (h, effects, CERTIFICATE_REQUEST);
}

/* RFC 4279 §2: "The Certificate and CertificateRequest payloads are omitted" with a pre-shared key. */
static enum dtls_error
send_flight (struct handshake *h, struct effects *effects)
{
  bool is_psk = suite_is_psk (h->suite);
  bool asks = !is_psk && h->config->client_auth != DTLS_CLIENT_AUTH_NONE;

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (send_server_hello (h, effects));
  if (!is_psk)
    TRY (authenticate_send_chain (h, effects));
  TRY (is_psk ? psk12_send_parameters (h, effects) : send_key_exchange (h, effects));
  if (asks)
    TRY (send_certificate_request (h, effects));

  effects_draft (effects, 0);
  TRY (handshake_send (h, effects, SERVER_HELLO_DONE));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = is_psk ? WAIT_PSK_IDENTITY : asks ? WAIT_CLIENT_CERTIFICATE : WAIT_CLIENT_KEY_EXCHANGE;
  return DTLS_OK;
}

static enum dtls_error
send_resumed_flight (struct handshake *h, struct effects *effects)
{
  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (send_server_hello (h, effects));
  /* RFC 5077 §3.3: "it MAY renew the ticket". */
  if (resume12_promises_ticket (h))
    TRY (resume12_send_ticket (h, effects));

  TRY (handshake_send_finished (h, effects));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = WAIT_CHANGE_CIPHER_SPEC;
  return DTLS_OK;
}

/* Comes again after each answer, and goes on with what is still missing. */
static enum dtls_error
answer_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  uint8_t params[4 + MAX_ECDH_PUBLIC_LEN], memory[MAX_SIGNED_PARAMS_LEN];

  (void) message;
  if (h->suite == NULL)
    TRY (choices12_make (h, effects));
  if (h->wait != DTLS_WAIT_NONE)
    return DTLS_OK;

  if (h->known->is_resumed)
    return send_resumed_flight (h, effects);

  if (!suite_is_psk (h->suite) && h->signing.signature_len == 0)
    TRY (handshake_sign (
        h, effects, h->signing.scheme,
        authenticate_signed_params (h, ecdh_params (h, params, sizeof params), memory)));

  return h->wait == DTLS_WAIT_NONE ? send_flight (h, effects) : DTLS_OK;
}

/* ----------------------------------------------------------------------- 3. the client's flight */

static enum dtls_error
on_certificate (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (authenticate_take_chain (h, message->body));

  if (h->peer->chain.n > 0)
    {
      h->owed |= OWES_CERTIFICATE_VERIFY | OWES_VERDICT;
      h->owed &= ~(unsigned) OWES_CERTIFICATE;
    }
  if (h->owed & OWES_CERTIFICATE)
    return DTLS_ERROR_CERTIFICATE_REQUIRED;

  h->state = WAIT_CLIENT_KEY_EXCHANGE;
  return DTLS_OK;
}

static enum dtls_error
on_client_key_exchange (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct bytes point;

  (void) effects;
  if (!client_key_exchange_read (message->body, &point))
    return DTLS_ERROR_DECODE;

  handshake_keep_point (h, point);
  h->state = ANSWERING_KEY_EXCHANGE;
  return DTLS_OK;
}

/* Its own step, since the extended master secret covers the ClientKeyExchange and nothing after it.
 */
static enum dtls_error
derive (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;
  (void) effects;
  TRY (handshake_derive (h));

  h->state = h->peer->chain.n > 0 ? WAIT_CERTIFICATE_VERIFY : WAIT_CHANGE_CIPHER_SPEC;
  return DTLS_OK;
}

static enum dtls_error
on_certificate_verify (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct certificate_verify verify;
  struct peer_signature signature;

  (void) effects;
  if (!certificate_verify_read (message->body, &verify))
    return DTLS_ERROR_DECODE;

  signature = (struct peer_signature){ verify.scheme, verify.signature };
  TRY (authenticate_check (h, transcript_bytes (&h->transcript), &signature));

  h->owed &= ~(unsigned) OWES_CERTIFICATE_VERIFY;
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
    h->state = WAIT_CHANGE_CIPHER_SPEC;

  return DTLS_OK;
}

/* -------------------------------------------------------------------------- 4. and 5. both ends */

static enum dtls_error
on_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (handshake_check_finished (h, message));
  h->state = h->known->is_resumed ? ANSWERING_RESUMED : ANSWERING_FINISHED;
  return DTLS_OK;
}

static enum dtls_error
answer_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;
  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  if (resume12_promises_ticket (h))
    TRY (resume12_send_ticket (h, effects));
  TRY (handshake_send_finished (h, effects));
  effects_add (effects, EFFECT_END_LAST_FLIGHT);
  resume12_store (h);
  return handshake_connect (h, effects);
}

/* A resumed handshake ends with the client. */
static enum dtls_error
answer_resumed (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;
  if (h->owed & OWES_VERDICT)
    {
      handshake_ask (h, effects, DTLS_WAIT_VERDICT);
      return DTLS_OK;
    }

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  return handshake_connect (h, effects);
}

/* clang-format off */
static const struct row rows[] = {
  /* waiting for              gets                      does                             may go to */
  { ANSWERING_HELLO,          INPUT_OUR_TURN,           answer_hello,                    TO (ANSWERING_HELLO) | TO (WAIT_CLIENT_CERTIFICATE) | TO (WAIT_CLIENT_KEY_EXCHANGE) | TO (WAIT_PSK_IDENTITY) | TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_CLIENT_CERTIFICATE,  CERTIFICATE,              on_certificate,                  TO (WAIT_CLIENT_KEY_EXCHANGE) },
  { WAIT_CLIENT_KEY_EXCHANGE, CLIENT_KEY_EXCHANGE,      on_client_key_exchange,          TO (ANSWERING_KEY_EXCHANGE) },
  { ANSWERING_KEY_EXCHANGE,   INPUT_OUR_TURN,           derive,                          TO (WAIT_CERTIFICATE_VERIFY) | TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_CERTIFICATE_VERIFY,  CERTIFICATE_VERIFY,       on_certificate_verify,           TO (ANSWERING_CERTIFICATE) },
  { ANSWERING_CERTIFICATE,    INPUT_OUR_TURN,           answer_certificate,              TO (ANSWERING_CERTIFICATE) | TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_PSK_IDENTITY,        CLIENT_KEY_EXCHANGE,      psk12_on_identity,               TO (ANSWERING_PSK_IDENTITY) },
  { ANSWERING_PSK_IDENTITY,   INPUT_OUR_TURN,           psk12_ask,                       TO (ANSWERING_PSK) },
  { ANSWERING_PSK,            INPUT_OUR_TURN,           psk12_derive,                    TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_CHANGE_CIPHER_SPEC,  INPUT_CHANGE_CIPHER_SPEC, handshake_on_change_cipher_spec, TO (WAIT_FINISHED) },
  { WAIT_FINISHED,            FINISHED,                 on_finished,                     TO (ANSWERING_FINISHED) | TO (ANSWERING_RESUMED) },
  { ANSWERING_FINISHED,       INPUT_OUR_TURN,           answer_finished,                 TO (CONNECTED) },
  { ANSWERING_RESUMED,        INPUT_OUR_TURN,           answer_resumed,                  TO (ANSWERING_RESUMED) | TO (CONNECTED) },
};
/* clang-format on */

const struct table server12_table = { rows, sizeof rows / sizeof rows[0] };
