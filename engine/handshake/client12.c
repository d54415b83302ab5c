/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The client of DTLS 1.2 (RFC 6347 §4.2.4, RFC 5246 §7.3), in protocol order:
 *
 *   1. ClientHello: handshake/opening
 *   2. ServerHello, Certificate, ServerKeyExchange, [CertificateRequest,] ServerHelloDone
 *   3. the verdict on the chain, the credential if one is asked for, and the signature, from outside
 *   4. [Certificate,] ClientKeyExchange, [CertificateVerify,] ChangeCipherSpec, Finished
 *   5. [NewSessionTicket,] ChangeCipherSpec, Finished
 *
 * With a pre-shared key (handshake/psk12):
 *
 *   2. ServerHello, [ServerKeyExchange,] ServerHelloDone
 *   4. ClientKeyExchange, ChangeCipherSpec, Finished
 *
 * If the server resumes our session (handshake/resume12):
 *
 *   2. ServerHello, [NewSessionTicket,] ChangeCipherSpec, Finished
 *   3. perhaps a verdict on the session's chain
 *   4. ChangeCipherSpec, Finished */

#include "handshake/client12.h"

#include "handshake/authenticate.h"
#include "handshake/mutual.h"
#include "handshake/opening.h"
#include "handshake/psk12.h"
#include "handshake/reply.h"
#include "handshake/resume12.h"
#include "wire/certificates.h"
#include "wire/extensions.h"
#include "wire/key_exchange.h"

#include <string.h>

/* ----------------------------------------------------------------------- 2. the server's flight */

static enum dtls_error
take_extensions (struct handshake *h, struct bytes block)
{
  struct extensions found;

  switch (extensions_read (block, IN_SERVER_HELLO_12, &found))
    {
    case EXTENSIONS_MALFORMED:
    case EXTENSIONS_DUPLICATE:
      return DTLS_ERROR_DECODE;
    case EXTENSIONS_MISPLACED:
      return DTLS_ERROR_ILLEGAL_PARAMETER;
    case EXTENSIONS_OK:
      break;
    }

  /* RFC 5246 §7.4.1.4: an answer to what was not asked is fatal. */
  if (found.has_unknown)
    return DTLS_ERROR_UNSUPPORTED_EXTENSION;
  for (unsigned i = 0; i < N_EXTENSIONS; i++)
    if (found.has[i] && !opening_has_extension (h, i))
      return DTLS_ERROR_UNSUPPORTED_EXTENSION;

  TRY (mutual_take (h, &found));
  /* RFC 9325 §3.5: without it, this handshake may be somebody else's renegotiation. */
  if (!h->peer_has_renegotiation_info)
    return DTLS_ERROR_RENEGOTIATION_INFO;
  if (found.has[FOUND_SERVER_NAME] && found.body[FOUND_SERVER_NAME].left > 0) /* RFC 6066 §3 */
    return DTLS_ERROR_DECODE;
  if (found.body[FOUND_SESSION_TICKET].left > 0) /* RFC 5077 §3.2: a server's is empty */
    return DTLS_ERROR_DECODE;

  return found.has[FOUND_ALPN] ? reply_take_protocol (h, found.body[FOUND_ALPN]) : DTLS_OK;
}

/* RFC 5246 §7.4.1.3: the suite is the session's. RFC 7627 §5.3: the extension is there, or the handshake
 * ends. */
static enum dtls_error
begin_resumed (struct handshake *h)
{
  if (h->session.suite != h->suite->code)
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (!h->known->has_extended_master_secret)
    return DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED;

  TRY (resume12_begin (h));
  h->state = h->peer_takes_tickets ? WAIT_SESSION_TICKET : WAIT_CHANGE_CIPHER_SPEC;
  return DTLS_OK;
}

/* The session ID that the server gives us is for the next time; it may give none. */
static void
begin_full (struct handshake *h, struct bytes session_id)
{
  resume12_forget (h);
  if (session_id.left > 0)
    memcpy (h->session_id, session_id.at, session_id.left);
  h->session_id_len = (uint8_t) session_id.left;

  if (!suite_is_psk (h->suite))
    {
      h->state = WAIT_SERVER_CERTIFICATE;
      return;
    }

  psk12_begin (h);
  h->state =
      h->suite->authentication == SUITE_ECDHE_PSK ? WAIT_PSK_PARAMETERS : WAIT_PSK_HINT_OR_DONE;
}

enum dtls_error
client12_on_server_hello (struct handshake *handshake, const struct message *message,
                          struct effects *effects)
{
  const struct suite *suite;
  struct server_hello hello;

  (void) effects;
  if (!server_hello_read (message->body, &hello))
    return DTLS_ERROR_DECODE;
  suite = suite_find (hello.suite);
  if (suite == NULL || !offer_has_suite (&handshake->ours, hello.suite)
      || suite->version != VERSION_DTLS_1_2 || hello.compression != 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (suite_is_psk (suite) && handshake->config->psk == NULL)
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (handshake->config->requires_psk && !suite_is_psk (suite))
    return DTLS_ERROR_PSK_REQUIRED;

  TRY (take_extensions (handshake, hello.extensions));

  memcpy (handshake->known->randoms + RANDOM_LEN, hello.random.at, RANDOM_LEN);
  handshake->suite = suite;
  if (resume12_is_accepted (handshake, &hello))
    return begin_resumed (handshake);

  begin_full (handshake, hello.session_id);
  return DTLS_OK;
}

static enum dtls_error
on_certificate (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  TRY (authenticate_take_chain (h, message->body));
  if (h->peer->chain.n == 0) /* RFC 5246 §7.4.2: only a client's may be empty */
    return DTLS_ERROR_DECODE;
  /* RFC 8422 §5.3: of the suite's kind, and on a curve that we offered. */
  if (!suite_fits_key (h->suite, h->peer_kind) || !offer_takes_key_kind (&h->ours, h->peer_kind))
    return DTLS_ERROR_UNSUPPORTED_CERTIFICATE;

  TRY (authenticate_end_point (h, h->peer->chain.items[0]));
  h->state = WAIT_SERVER_KEY_EXCHANGE;
  return DTLS_OK;
}

static enum dtls_error
on_server_key_exchange (struct handshake *h, const struct message *message, struct effects *effects)
{
  uint8_t signed_memory[MAX_SIGNED_PARAMS_LEN];
  struct server_key_exchange exchange;
  struct peer_signature signature;

  (void) effects;
  if (!server_key_exchange_read (message->body, &exchange))
    return DTLS_ERROR_DECODE;
  if (!offer_has_group (&h->ours, exchange.group)
      || !group_is_of (exchange.group, VERSION_DTLS_1_2))
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  signature = (struct peer_signature){ exchange.scheme, exchange.signature };
  TRY (authenticate_check (h, authenticate_signed_params (h, exchange.params, signed_memory),
                           &signature));

  h->known->group = exchange.group;
  handshake_keep_point (h, exchange.point);
  h->owed &= ~(unsigned) OWES_KEY_EXCHANGE_SIGNATURE;
  h->state = WAIT_REQUEST_OR_DONE;
  return DTLS_OK;
}

static enum dtls_error
on_certificate_request (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct certificate_request request;

  (void) effects;
  if (!certificate_request_read (message->body, &request))
    return DTLS_ERROR_DECODE;

  TRY (reply_take_authorities (h, request.authorities));
  offer_take_schemes (&h->theirs, request.schemes);
  h->peer_takes_rsa = bytes_have (request.types, CERT_TYPE_RSA_SIGN);
  h->peer_takes_ecdsa = bytes_have (request.types, CERT_TYPE_ECDSA_SIGN);
  h->peer->has_asked_for_certificate = true;
  h->state = WAIT_DONE;
  return DTLS_OK;
}

static enum dtls_error
on_server_hello_done (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) effects;
  if (message->body.left > 0)
    return DTLS_ERROR_DECODE;

  h->state = ANSWERING_SERVER;
  return DTLS_OK;
}

/* ---------------------------------------------------------------------- 3. answers from outside */

/* RFC 5246 §7.4.4; RFC 8422 §5.5: ecdsa_sign stands for EdDSA too. */
static bool
peer_takes_own_kind (const struct handshake *h)
{
  bool is_rsa = h->own_kind == KEY_RSA || h->own_kind == KEY_RSA_PSS;

  return is_rsa ? h->peer_takes_rsa : h->peer_takes_ecdsa;
}

/* A credential that the server cannot take is none: it may go on without (RFC 5246 §7.4.6). */
static enum dtls_error
choose_credential (struct handshake *h, struct effects *effects)
{
  TRY (handshake_need_credential (h, effects));
  if (h->wait != DTLS_WAIT_NONE)
    return DTLS_OK;

  if (h->credential != NULL)
    {
      h->signing.scheme = handshake_choose_scheme (h);
      if (h->signing.scheme == 0 || !peer_takes_own_kind (h))
        h->credential = NULL;
    }

  return DTLS_OK;
}

/* -------------------------------------------------------------------------------- 4. our flight */

static enum dtls_error
send_key_exchange (struct handshake *h, struct effects *effects)
{
  struct bytes public;

  if (suite_is_psk (h->suite))
    return psk12_send_identity (h, effects);
  if (h->peer->has_asked_for_certificate)
    TRY (authenticate_send_chain (h, effects));

  h->share = key_share_new (h->crypto, h->known->group);
  if (h->share == NULL)
    return DTLS_ERROR_CRYPTO;

  public = key_share_public (h->share);
  client_key_exchange_write (effects_draft (effects, 1 + MAX_ECDH_PUBLIC_LEN), public);
  TRY (handshake_send (h, effects, CLIENT_KEY_EXCHANGE));
  return handshake_derive (h);
}

static enum dtls_error
send_certificate_verify (struct handshake *h, struct effects *effects)
{
  struct certificate_verify verify = {
    .scheme = h->signing.scheme,
    .signature = { h->signing.signature, h->signing.signature_len },
  };

  certificate_verify_write (effects_draft (effects, 4 + MAX_SIGNATURE_LEN), &verify);
  return handshake_send (h, effects, CERTIFICATE_VERIFY);
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

  if (!h->has_sent_key_exchange)
    {
      if (h->peer->has_asked_for_certificate)
        TRY (choose_credential (h, effects));
      if (h->wait != DTLS_WAIT_NONE)
        return DTLS_OK;
      effects_add (effects, EFFECT_BEGIN_FLIGHT);
      TRY (send_key_exchange (h, effects));
      h->has_sent_key_exchange = true;
    }

  if (h->credential != NULL)
    {
      if (h->signing.signature_len == 0)
        TRY (handshake_sign (h, effects, h->signing.scheme, transcript_bytes (&h->transcript)));
      if (h->wait != DTLS_WAIT_NONE)
        return DTLS_OK;
      TRY (send_certificate_verify (h, effects));
    }

  TRY (handshake_send_finished (h, effects));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = h->peer_takes_tickets ? WAIT_SESSION_TICKET : WAIT_CHANGE_CIPHER_SPEC;
  return DTLS_OK;
}

/* -------------------------------------------------------------------------- 5. the server's end */

static enum dtls_error
finish (struct handshake *h, struct effects *effects)
{
  TRY (handshake_connect (h, effects));
  resume12_keep (h, effects);
  return DTLS_OK;
}

static enum dtls_error
on_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  TRY (handshake_check_finished (h, message));
  if (h->known->is_resumed)
    {
      h->state = ANSWERING_FINISHED;
      return DTLS_OK;
    }

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  return finish (h, effects);
}

/* A resumed handshake ends with us. */
static enum dtls_error
answer_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;

  if (h->owed & OWES_VERDICT)
    {
      handshake_ask (h, effects, DTLS_WAIT_VERDICT);
      return DTLS_OK;
    }

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (handshake_send_finished (h, effects));
  effects_add (effects, EFFECT_END_LAST_FLIGHT);
  return finish (h, effects);
}

/* clang-format off */
static const struct row rows[] = {
  /* waiting for              gets                      does                             may go to */
  { WAIT_SERVER_CERTIFICATE,  CERTIFICATE,              on_certificate,                  TO (WAIT_SERVER_KEY_EXCHANGE) },
  { WAIT_SERVER_KEY_EXCHANGE, SERVER_KEY_EXCHANGE,      on_server_key_exchange,          TO (WAIT_REQUEST_OR_DONE) },
  { WAIT_REQUEST_OR_DONE,     CERTIFICATE_REQUEST,      on_certificate_request,          TO (WAIT_DONE) },
  { WAIT_REQUEST_OR_DONE,     SERVER_HELLO_DONE,        on_server_hello_done,            TO (ANSWERING_SERVER) },
  { WAIT_PSK_PARAMETERS,      SERVER_KEY_EXCHANGE,      psk12_on_parameters,             TO (WAIT_DONE) },
  { WAIT_PSK_HINT_OR_DONE,    SERVER_KEY_EXCHANGE,      psk12_on_hint,                   TO (WAIT_DONE) },
  { WAIT_PSK_HINT_OR_DONE,    SERVER_HELLO_DONE,        on_server_hello_done,            TO (ANSWERING_SERVER) },
  { WAIT_DONE,                SERVER_HELLO_DONE,        on_server_hello_done,            TO (ANSWERING_SERVER) },
  { ANSWERING_SERVER,         INPUT_OUR_TURN,           answer_server,                   TO (ANSWERING_SERVER) | TO (WAIT_SESSION_TICKET) | TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_SESSION_TICKET,      NEW_SESSION_TICKET,       resume12_on_ticket,              TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_CHANGE_CIPHER_SPEC,  INPUT_CHANGE_CIPHER_SPEC, handshake_on_change_cipher_spec, TO (WAIT_FINISHED) },
  { WAIT_FINISHED,            FINISHED,                 on_finished,                     TO (ANSWERING_FINISHED) | TO (CONNECTED) },
  { ANSWERING_FINISHED,       INPUT_OUR_TURN,           answer_finished,                 TO (ANSWERING_FINISHED) | TO (CONNECTED) },
};
/* clang-format on */

const struct table client12_table = { rows, sizeof rows / sizeof rows[0] };
