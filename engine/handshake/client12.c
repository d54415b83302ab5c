/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The client of DTLS 1.2 (RFC 6347 §4.2.4, RFC 5246 §7.3), in protocol order:
 *
 *   1. ClientHello; if the server answers HelloVerifyRequest, once more with its cookie
 *   2. ServerHello, Certificate, ServerKeyExchange, [CertificateRequest,] ServerHelloDone
 *   3. the verdict on the chain, the credential if one is asked for, and the signature, from
 * outside
 *   4. [Certificate,] ClientKeyExchange, [CertificateVerify,] ChangeCipherSpec, Finished
 *   5. ChangeCipherSpec, Finished */

#include "handshake/client12.h"

#include "handshake/authenticate.h"
#include "handshake/mutual.h"
#include "handshake/opening.h"
#include "wire/certificates.h"
#include "wire/extensions.h"
#include "wire/key_exchange.h"

#include <stdlib.h>
#include <string.h>

enum
{
  /* A server whose keys changed asks twice. More would let anyone make us send hello after hello. */
  MAX_VERIFY_REQUESTS = 4,
};

/* ------------------------------------------------------------------------------------- 1. hello */

static enum dtls_error
send_first_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;

  if (!offer_from_config (&h->ours, h->config, h->crypto))
    return DTLS_ERROR_CONFIG;
  if (!handshake_random (h, h->known->randoms, RANDOM_LEN))
    return DTLS_ERROR_CRYPTO;

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (opening_send (h, effects));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = WAIT_SERVER_HELLO;
  return DTLS_OK;
}

static enum dtls_error
on_hello_verify_request (struct handshake *h, const struct message *message,
                         struct effects *effects)
{
  struct hello_verify_request request;

  (void) effects;
  if (!hello_verify_request_read (message->body, &request))
    return DTLS_ERROR_DECODE;
  if (++h->n_verify_requests > MAX_VERIFY_REQUESTS)
    return DTLS_ERROR_UNEXPECTED_MESSAGE;

  /* RFC 6347 §4.2.1: its version says nothing about the one to come. */
  if (request.cookie.left > 0)
    memcpy (h->cookie, request.cookie.at, request.cookie.left);
  h->cookie_len = (uint8_t) request.cookie.left;
  h->state = ANSWERING_VERIFY_REQUEST;
  return DTLS_OK;
}

static enum dtls_error
send_second_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;

  transcript_restart (&h->transcript);
  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (opening_send (h, effects));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = WAIT_SERVER_HELLO;
  return DTLS_OK;
}

/* ----------------------------------------------------------------------- 2. the server's flight */

static enum dtls_error
take_protocol (struct handshake *h, struct bytes body)
{
  struct bytes names, name, rest;

  if (!alpn_read (body, &names))
    return DTLS_ERROR_DECODE;

  /* RFC 7301 §3.1: exactly one name, and one of ours. */
  rest = names;
  if (!alpn_next (&rest, &name) || rest.left > 0
      || choose_protocol (h->config->alpn, names).left == 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  memcpy (h->known->alpn, name.at, name.left);
  h->known->alpn_len = (uint8_t) name.left;
  return DTLS_OK;
}

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
  if (found.has[FOUND_SERVER_NAME] && found.body[FOUND_SERVER_NAME].left > 0) /* RFC 6066 §3 */
    return DTLS_ERROR_DECODE;

  return found.has[FOUND_ALPN] ? take_protocol (h, found.body[FOUND_ALPN]) : DTLS_OK;
}

/* RFC 8446 §4.1.3: a server that speaks 1.2 says so when it was made to choose 1.1 or below. In a
 * ServerHello of 1.2 the mark can only be a forgery. */
static bool
is_downgrade (struct bytes random)
{
  static const uint8_t mark[8] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 0 };

  return memcmp (random.at + RANDOM_LEN - sizeof mark, mark, sizeof mark) == 0;
}

static enum dtls_error
on_server_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct server_hello hello;

  (void) effects;
  if (!server_hello_read (message->body, &hello))
    return DTLS_ERROR_DECODE;
  if (hello.version != VERSION_DTLS_1_2)
    return DTLS_ERROR_PROTOCOL_VERSION;
  if (is_downgrade (hello.random))
    return DTLS_ERROR_DOWNGRADE;
  if (!offer_has_suite (&h->ours, hello.suite) || hello.compression != 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  TRY (take_extensions (h, hello.extensions));

  memcpy (h->known->randoms + RANDOM_LEN, hello.random.at, RANDOM_LEN);
  h->suite = suite_find (hello.suite);
  h->state = WAIT_SERVER_CERTIFICATE;
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
  if (!offer_has_group (&h->ours, exchange.group))
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
keep_authorities (struct handshake *h, struct bytes authorities)
{
  struct bytes name, rest = authorities, *items;
  size_t n = 0;
  bool is_kept;

  while (authority_next (&rest, &name))
    n++;

  items = calloc (n > 0 ? n : 1, sizeof *items);
  if (items == NULL)
    return DTLS_ERROR_NO_MEMORY;

  for (size_t i = 0; i < n && authority_next (&authorities, &items[i]); i++)
    ;
  is_kept = der_list_copy (&h->peer->authorities, items, n);
  free (items);
  return is_kept ? DTLS_OK : DTLS_ERROR_NO_MEMORY;
}

static enum dtls_error
on_certificate_request (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct certificate_request request;

  (void) effects;
  if (!certificate_request_read (message->body, &request))
    return DTLS_ERROR_DECODE;

  TRY (keep_authorities (h, request.authorities));
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

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  if (h->peer->has_asked_for_certificate)
    TRY (authenticate_send_chain (h, effects));

  h->share = key_share_new (h->crypto, h->known->group);
  if (h->share == NULL)
    return DTLS_ERROR_CRYPTO;

  public = key_share_public (h->share);
  client_key_exchange_write (effects_draft (effects, 1 + MAX_ECDH_PUBLIC_LEN), public);
  TRY (handshake_send (h, effects, CLIENT_KEY_EXCHANGE));

  h->has_sent_key_exchange = true;
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
      TRY (send_key_exchange (h, effects));
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
  h->state = WAIT_CHANGE_CIPHER_SPEC;
  return DTLS_OK;
}

/* -------------------------------------------------------------------------- 5. the server's end */

static enum dtls_error
on_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  TRY (handshake_check_finished (h, message));
  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  return handshake_connect (h, effects);
}

/* clang-format off */
static const struct row rows[] = {
  /* waiting for              gets                      does                             may go to */
  { START,                    INPUT_OUR_TURN,           send_first_hello,                TO (WAIT_SERVER_HELLO) },
  { WAIT_SERVER_HELLO,        HELLO_VERIFY_REQUEST,     on_hello_verify_request,         TO (ANSWERING_VERIFY_REQUEST) },
  { ANSWERING_VERIFY_REQUEST, INPUT_OUR_TURN,           send_second_hello,               TO (WAIT_SERVER_HELLO) },
  { WAIT_SERVER_HELLO,        SERVER_HELLO,             on_server_hello,                 TO (WAIT_SERVER_CERTIFICATE) },
  { WAIT_SERVER_CERTIFICATE,  CERTIFICATE,              on_certificate,                  TO (WAIT_SERVER_KEY_EXCHANGE) },
  { WAIT_SERVER_KEY_EXCHANGE, SERVER_KEY_EXCHANGE,      on_server_key_exchange,          TO (WAIT_REQUEST_OR_DONE) },
  { WAIT_REQUEST_OR_DONE,     CERTIFICATE_REQUEST,      on_certificate_request,          TO (WAIT_DONE) },
  { WAIT_REQUEST_OR_DONE,     SERVER_HELLO_DONE,        on_server_hello_done,            TO (ANSWERING_SERVER) },
  { WAIT_DONE,                SERVER_HELLO_DONE,        on_server_hello_done,            TO (ANSWERING_SERVER) },
  { ANSWERING_SERVER,         INPUT_OUR_TURN,           answer_server,                   TO (ANSWERING_SERVER) | TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_CHANGE_CIPHER_SPEC,  INPUT_CHANGE_CIPHER_SPEC, handshake_on_change_cipher_spec, TO (WAIT_FINISHED) },
  { WAIT_FINISHED,            FINISHED,                 on_finished,                     TO (CONNECTED) },
};
/* clang-format on */

const struct table client12_table = { rows, sizeof rows / sizeof rows[0] };
