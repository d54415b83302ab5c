/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The server of DTLS 1.2 (RFC 6347 §4.2.4, RFC 5246 §7.3), in protocol order. Cookies come before
 * it, in a pure function (handshake/cookie, conn/hello):
 *
 *   1. ClientHello
 *   2. the credential and the signature, from outside; ServerHello, Certificate, ServerKeyExchange,
 *      [CertificateRequest,] ServerHelloDone
 *   3. [Certificate,] ClientKeyExchange, [CertificateVerify; the verdict on the chain, from
 * outside]
 *   4. ChangeCipherSpec, Finished
 *   5. ChangeCipherSpec, Finished */

#include "handshake/server12.h"

#include "handshake/authenticate.h"
#include "handshake/mutual.h"
#include "wire/certificates.h"
#include "wire/extensions.h"
#include "wire/key_exchange.h"

#include <string.h>

/* ------------------------------------------------------------------------------- 1. ClientHello */

enum
{
  MIN_DTLS_VERSION =
      0x8000, /* versions of DTLS are the ones' complement of their numbers; TLS's lie below */
};

/* RFC 6347 §4.1: versions count downwards. */
static bool
offers_our_version (const struct client_hello *hello, const struct extensions *found,
                    enum dtls_error *out_error)
{
  struct bytes list;

  *out_error = DTLS_ERROR_PROTOCOL_VERSION;
  if (found->has[FOUND_SUPPORTED_VERSIONS])
    {
      /* RFC 8446 §4.2.1: then it alone counts. */
      if (supported_versions_read (found->body[FOUND_SUPPORTED_VERSIONS], &list))
        return u16_list_has (list, VERSION_DTLS_1_2);
      *out_error = DTLS_ERROR_DECODE;
      return false;
    }

  if (hello->version > VERSION_DTLS_1_2 && client_hello_has_suite (hello, SUITE_FALLBACK_SCSV))
    *out_error = DTLS_ERROR_INAPPROPRIATE_FALLBACK; /* RFC 7507 §3 */
  /* RFC 5246 §E.1: a version to come, which for DTLS is a smaller number, is met with ours. */
  return hello->version <= VERSION_DTLS_1_2 && hello->version >= MIN_DTLS_VERSION;
}

static enum dtls_error
take_server_name (struct handshake *h, struct bytes body)
{
  struct bytes name;

  if (!server_name_read (body, &name))
    return DTLS_ERROR_DECODE;

  /* Empty: it names no host, but something that we do not know. */
  if (name.left > 0)
    memcpy (h->known->server_name, name.at, name.left);
  h->known->server_name_len = (uint8_t) name.left;
  return DTLS_OK;
}

static enum dtls_error
take_protocols (struct handshake *h, struct bytes body)
{
  struct bytes names, chosen;

  if (!alpn_read (body, &names))
    return DTLS_ERROR_DECODE;

  /* Nothing in common is no reason to end it: applications see that none was chosen. */
  chosen = choose_protocol (h->config->alpn, names);
  if (chosen.left > 0)
    memcpy (h->known->alpn, chosen.at, chosen.left);
  h->known->alpn_len = (uint8_t) chosen.left;
  return DTLS_OK;
}

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
  TRY (take_lists (h, found));
  if (found->has[FOUND_SERVER_NAME])
    TRY (take_server_name (h, found->body[FOUND_SERVER_NAME]));
  if (found->has[FOUND_ALPN])
    TRY (take_protocols (h, found->body[FOUND_ALPN]));

  return DTLS_OK;
}

static enum dtls_error
on_client_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct client_hello hello;
  struct extensions found;
  enum dtls_error error;

  (void) effects;
  if (!client_hello_read (message->body, &hello))
    return DTLS_ERROR_DECODE;

  switch (extensions_read (hello.extensions, IN_CLIENT_HELLO, &found))
    {
    case EXTENSIONS_MALFORMED:
    case EXTENSIONS_DUPLICATE:
      return DTLS_ERROR_DECODE;
    case EXTENSIONS_MISPLACED:
      return DTLS_ERROR_ILLEGAL_PARAMETER;
    case EXTENSIONS_OK:
      break;
    }

  if (!offers_our_version (&hello, &found, &error))
    return error;
  if (!bytes_have (hello.compression, 0)) /* RFC 5246 §7.4.1.2 */
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (!offer_from_config (&h->ours, h->config, h->crypto))
    return DTLS_ERROR_CONFIG;

  memcpy (h->known->randoms, hello.random.at, RANDOM_LEN);
  offer_take_suites (&h->theirs, hello.suites);
  TRY (take_extensions (h, &hello, &found));

  h->known->group = choose_group (&h->ours, &h->theirs);
  if (h->known->group == 0)
    return DTLS_ERROR_NO_SHARED_GROUP;

  /* RFC 6347 §4.2.2: a HelloVerifyRequest that we do not remember had the number before. */
  h->next_send_seq = message->seq;
  h->state = ANSWERING_HELLO;
  return DTLS_OK;
}

/* -------------------------------------------------------------------------------- 2. our flight */

static enum dtls_error
choose (struct handshake *h)
{
  if (h->credential == NULL)
    return DTLS_ERROR_NO_CREDENTIAL;

  h->suite = choose_suite (&h->ours, &h->theirs, h->own_kind);
  if (h->suite == NULL || !offer_takes_key_kind (&h->theirs, h->own_kind))
    return DTLS_ERROR_NO_SHARED_SUITE;

  h->signing.scheme = handshake_choose_scheme (h);
  if (h->signing.scheme == 0)
    return DTLS_ERROR_NO_SHARED_SIGNATURE;

  h->share = key_share_new (h->crypto, h->known->group);
  if (h->share == NULL || !handshake_random (h, h->known->randoms + RANDOM_LEN, RANDOM_LEN))
    return DTLS_ERROR_CRYPTO;

  return authenticate_end_point (h, h->credential->chain[0]);
}

static struct bytes
ecdh_params (struct handshake *h, uint8_t *out, size_t capacity)
{
  struct writer w = writer_over (out, capacity);

  server_ecdh_params_write (&w, h->known->group, key_share_public (h->share));
  return writer_bytes (&w);
}

static void
write_extensions (struct handshake *h, struct writer *w)
{
  size_t body, names;

  if (h->peer_has_renegotiation_info)
    {
      body = extension_begin (w, EXT_RENEGOTIATION_INFO);
      renegotiation_info_write (w, (struct bytes){ NULL, 0 });
      extension_end (w, body);
    }

  if (h->known->has_extended_master_secret)
    {
      body = extension_begin (w, EXT_EXTENDED_MASTER_SECRET);
      extension_end (w, body);
    }

  if (h->peer_has_record_size_limit)
    {
      body = extension_begin (w, EXT_RECORD_SIZE_LIMIT);
      record_size_limit_write (w, h->config->record_size_limit);
      extension_end (w, body);
    }

  if (h->known->alpn_len > 0)
    {
      body = extension_begin (w, EXT_ALPN);
      names = write_vec_begin (w, 2);
      write_vec (w, (struct bytes){ h->known->alpn, h->known->alpn_len }, 1);
      write_vec_end (w, names, 2);
      extension_end (w, body);
    }
}

static enum dtls_error
send_server_hello (struct handshake *h, struct effects *effects)
{
  uint8_t extensions[64 + 255];
  struct writer block = writer_over (extensions, sizeof extensions);
  struct server_hello hello = {
    .version = VERSION_DTLS_1_2,
    .random = { h->known->randoms + RANDOM_LEN, RANDOM_LEN },
    .suite = h->suite->code,
  };

  write_extensions (h, &block);
  hello.extensions = writer_bytes (&block);
  server_hello_write (effects_draft (effects, 80 + sizeof extensions), &hello);
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

static enum dtls_error
send_flight (struct handshake *h, struct effects *effects)
{
  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (send_server_hello (h, effects));
  TRY (authenticate_send_chain (h, effects));
  TRY (send_key_exchange (h, effects));
  if (h->config->client_auth != DTLS_CLIENT_AUTH_NONE)
    TRY (send_certificate_request (h, effects));

  effects_draft (effects, 0);
  TRY (handshake_send (h, effects, SERVER_HELLO_DONE));
  effects_add (effects, EFFECT_END_FLIGHT);
  h->state = h->config->client_auth != DTLS_CLIENT_AUTH_NONE ? WAIT_CLIENT_CERTIFICATE
                                                             : WAIT_CLIENT_KEY_EXCHANGE;
  return DTLS_OK;
}

/* Comes again after each answer, and goes on with what is still missing. */
static enum dtls_error
answer_hello (struct handshake *h, const struct message *message, struct effects *effects)
{
  uint8_t params[4 + MAX_ECDH_PUBLIC_LEN], memory[MAX_SIGNED_PARAMS_LEN];

  (void) message;
  TRY (handshake_need_credential (h, effects));
  if (h->wait != DTLS_WAIT_NONE)
    return DTLS_OK;

  if (h->suite == NULL)
    TRY (choose (h));

  if (h->signing.signature_len == 0)
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
  h->state = ANSWERING_FINISHED;
  return DTLS_OK;
}

static enum dtls_error
answer_finished (struct handshake *h, const struct message *message, struct effects *effects)
{
  (void) message;
  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  TRY (handshake_send_finished (h, effects));
  effects_add (effects, EFFECT_END_LAST_FLIGHT);
  return handshake_connect (h, effects);
}

/* clang-format off */
static const struct row rows[] = {
  /* waiting for              gets                      does                             may go to */
  { WAIT_CLIENT_HELLO,        CLIENT_HELLO,             on_client_hello,                 TO (ANSWERING_HELLO) },
  { ANSWERING_HELLO,          INPUT_OUR_TURN,           answer_hello,                    TO (ANSWERING_HELLO) | TO (WAIT_CLIENT_CERTIFICATE) | TO (WAIT_CLIENT_KEY_EXCHANGE) },
  { WAIT_CLIENT_CERTIFICATE,  CERTIFICATE,              on_certificate,                  TO (WAIT_CLIENT_KEY_EXCHANGE) },
  { WAIT_CLIENT_KEY_EXCHANGE, CLIENT_KEY_EXCHANGE,      on_client_key_exchange,          TO (ANSWERING_KEY_EXCHANGE) },
  { ANSWERING_KEY_EXCHANGE,   INPUT_OUR_TURN,           derive,                          TO (WAIT_CERTIFICATE_VERIFY) | TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_CERTIFICATE_VERIFY,  CERTIFICATE_VERIFY,       on_certificate_verify,           TO (ANSWERING_CERTIFICATE) },
  { ANSWERING_CERTIFICATE,    INPUT_OUR_TURN,           answer_certificate,              TO (ANSWERING_CERTIFICATE) | TO (WAIT_CHANGE_CIPHER_SPEC) },
  { WAIT_CHANGE_CIPHER_SPEC,  INPUT_CHANGE_CIPHER_SPEC, handshake_on_change_cipher_spec, TO (WAIT_FINISHED) },
  { WAIT_FINISHED,            FINISHED,                 on_finished,                     TO (ANSWERING_FINISHED) },
  { ANSWERING_FINISHED,       INPUT_OUR_TURN,           answer_finished,                 TO (CONNECTED) },
};
/* clang-format on */

const struct table server12_table = { rows, sizeof rows / sizeof rows[0] };
