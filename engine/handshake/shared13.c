/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The steps of DTLS 1.3 that are the same on both sides. */

#include "handshake/shared13.h"

#include "handshake/authenticate.h"
#include "handshake/keylog.h"
#include "wire/certificates.h"
#include "wire/extensions.h"

#include <assert.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- secrets */

static void
tell_keylog (const struct handshake *h, const char *label, const uint8_t *secret)
{
  keylog_secret (h->config, label, h->known->randoms,
                 (struct bytes){ secret, hash_len (h->suite->hash) });
}

enum dtls_error
shared13_begin (struct handshake *handshake)
{
  struct bytes psk = { NULL, 0 };

  if (handshake->psk.kind != PSK_NONE)
    psk = (struct bytes){ handshake->psk.key, handshake->psk.key_len };

  return schedule13_begin (handshake->crypto, handshake->suite->hash, psk, &handshake->schedule)
             ? DTLS_OK
             : DTLS_ERROR_CRYPTO;
}

enum dtls_error
shared13_to_handshake (struct handshake *handshake, struct bytes shared)
{
  uint8_t hash[MAX_HASH_LEN];

  TRY (handshake_hash (handshake, hash));
  if (!schedule13_handshake (handshake->crypto, &handshake->schedule, shared, hash))
    return DTLS_ERROR_CRYPTO;

  tell_keylog (handshake, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", handshake->schedule.client_handshake);
  tell_keylog (handshake, "SERVER_HANDSHAKE_TRAFFIC_SECRET", handshake->schedule.server_handshake);
  return DTLS_OK;
}

enum dtls_error
shared13_to_application (struct handshake *handshake)
{
  uint8_t hash[MAX_HASH_LEN];

  TRY (handshake_hash (handshake, hash));
  if (!schedule13_master (handshake->crypto, &handshake->schedule, hash, handshake->known))
    return DTLS_ERROR_CRYPTO;

  tell_keylog (handshake, "CLIENT_TRAFFIC_SECRET_0", handshake->known->client_traffic);
  tell_keylog (handshake, "SERVER_TRAFFIC_SECRET_0", handshake->known->server_traffic);
  tell_keylog (handshake, "EXPORTER_SECRET", handshake->known->exporter_secret);
  return DTLS_OK;
}

enum dtls_error
shared13_to_resumption (struct handshake *handshake)
{
  uint8_t hash[MAX_HASH_LEN];

  TRY (handshake_hash (handshake, hash));
  return schedule13_resumption (handshake->crypto, &handshake->schedule, hash, handshake->known)
             ? DTLS_OK
             : DTLS_ERROR_CRYPTO;
}

/* ----------------------------------------------------------------------------------- extensions */

enum dtls_error
shared13_take_record_size_limit (struct handshake *handshake, struct bytes body)
{
  uint16_t limit;

  if (body.left != sizeof limit)
    return DTLS_ERROR_DECODE;
  if (!record_size_limit_read (body, &limit))
    return DTLS_ERROR_ILLEGAL_PARAMETER; /* RFC 8449 §4: below 64 */

  /* RFC 8449 §4: "the complete length of TLSInnerPlaintext", of which one byte is the type. */
  limit--;
  handshake->peer_has_record_size_limit = true;
  handshake->known->write_limit = limit < MAX_PLAINTEXT_LEN ? limit : MAX_PLAINTEXT_LEN;
  return DTLS_OK;
}

/* ---------------------------------------------------------------------------------- Certificate */

/* RFC 9846 §4.3: an extension here answers one of ours, and none that we send can be. */
static enum dtls_error
check_entry_extensions (struct bytes block)
{
  struct extensions found;

  switch (extensions_read (block, IN_CERTIFICATE_13, &found))
    {
    case EXTENSIONS_MALFORMED:
    case EXTENSIONS_DUPLICATE:
      return DTLS_ERROR_DECODE;
    case EXTENSIONS_MISPLACED:
      return DTLS_ERROR_ILLEGAL_PARAMETER;
    case EXTENSIONS_OK:
      break;
    }

  return found.has_unknown ? DTLS_ERROR_UNSUPPORTED_EXTENSION : DTLS_OK;
}

static enum dtls_error
keep_chain (struct handshake *h, const struct certificate_13 *certificate)
{
  struct bytes items[MAX_PEER_CHAIN];
  struct bytes rest = certificate->entries;
  struct certificate_entry entry;
  size_t n = 0;

  while (certificate_entry_next (&rest, &entry))
    {
      TRY (check_entry_extensions (entry.extensions));
      items[n++] = entry.der;
    }

  return der_list_copy (&h->peer->chain, items, n) ? DTLS_OK : DTLS_ERROR_NO_MEMORY;
}

enum dtls_error
shared13_take_certificate (struct handshake *handshake, struct bytes message)
{
  struct certificate_13 certificate;

  if (!certificate_13_read (message, &certificate))
    return DTLS_ERROR_DECODE;
  if (certificate.context.left > 0) /* RFC 9846 §4.5.1 */
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (certificate.n == 0)
    return DTLS_OK;
  if (certificate.n > MAX_PEER_CHAIN)
    return DTLS_ERROR_BAD_CERTIFICATE;

  TRY (keep_chain (handshake, &certificate));
  return authenticate_take_leaf (handshake);
}

enum dtls_error
shared13_send_certificate (struct handshake *handshake, struct effects *effects)
{
  const struct dtls_credential *credential = handshake->credential;
  const struct bytes *chain = credential != NULL ? credential->chain : NULL;
  size_t n_chain = credential != NULL ? credential->n_chain : 0;
  struct bytes context = { NULL, 0 };
  struct writer *w = effects_draft (effects, certificate_13_len (context, chain, n_chain));

  certificate_13_write (w, context, chain, n_chain);
  return handshake_send (handshake, effects, CERTIFICATE);
}

/* ---------------------------------------------------------------------------- CertificateVerify */

#define SERVER_CONTEXT "TLS 1.3, server CertificateVerify"
#define CLIENT_CONTEXT "TLS 1.3, client CertificateVerify"

enum
{
  N_SPACES = 64,
  MAX_SIGNED_LEN = N_SPACES + sizeof SERVER_CONTEXT + MAX_HASH_LEN,
};

static_assert (sizeof SERVER_CONTEXT == sizeof CLIENT_CONTEXT, "both contexts fit");

/* RFC 9846 §4.5.2: what a CertificateVerify of `from` signs. The zero byte that separates is the
 * string's own. */
static enum dtls_error
signed_input (const struct handshake *h, enum dtls_role from, uint8_t out[MAX_SIGNED_LEN],
              struct bytes *out_input)
{
  const char *context = from == DTLS_SERVER ? SERVER_CONTEXT : CLIENT_CONTEXT;
  uint8_t *hash = out + N_SPACES + sizeof SERVER_CONTEXT;

  memset (out, ' ', N_SPACES);
  memcpy (out + N_SPACES, context, sizeof SERVER_CONTEXT);
  TRY (handshake_hash (h, hash));

  *out_input = (struct bytes){ out, N_SPACES + sizeof SERVER_CONTEXT + hash_len (h->suite->hash) };
  return DTLS_OK;
}

static enum dtls_role
peer_role (const struct handshake *h)
{
  return h->role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
}

enum dtls_error
shared13_check_certificate_verify (struct handshake *handshake, struct bytes message)
{
  uint8_t memory[MAX_SIGNED_LEN];
  struct certificate_verify verify;
  struct peer_signature signature;
  struct bytes input;

  if (!certificate_verify_read (message, &verify))
    return DTLS_ERROR_DECODE;
  /* RFC 9846 §4.3.3: neither PKCS #1 nor a curve other than the scheme's. */
  if (!scheme_is_of (verify.scheme, handshake->peer_kind, VERSION_DTLS_1_3))
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  TRY (signed_input (handshake, peer_role (handshake), memory, &input));
  signature = (struct peer_signature){ verify.scheme, verify.signature };
  TRY (authenticate_check (handshake, input, &signature));

  handshake->owed &= ~(unsigned) (OWES_KEY_EXCHANGE_SIGNATURE | OWES_CERTIFICATE_VERIFY);
  return DTLS_OK;
}

enum dtls_error
shared13_sign (struct handshake *handshake, struct effects *effects)
{
  uint8_t memory[MAX_SIGNED_LEN];
  struct bytes input;

  if (handshake->signing.signature_len > 0)
    return DTLS_OK;

  TRY (signed_input (handshake, handshake->role, memory, &input));
  return handshake_sign (handshake, effects, handshake->signing.scheme, input);
}

enum dtls_error
shared13_send_certificate_verify (struct handshake *handshake, struct effects *effects)
{
  struct certificate_verify verify = {
    .scheme = handshake->signing.scheme,
    .signature = { handshake->signing.signature, handshake->signing.signature_len },
  };

  certificate_verify_write (effects_draft (effects, 4 + MAX_SIGNATURE_LEN), &verify);
  return handshake_send (handshake, effects, CERTIFICATE_VERIFY);
}

/* ------------------------------------------------------------------------------------- Finished */

static enum dtls_error
finished_data (const struct handshake *h, enum dtls_role from, uint8_t out[MAX_HASH_LEN])
{
  const struct schedule13 *schedule = &h->schedule;
  const uint8_t *secret =
      from == DTLS_CLIENT ? schedule->client_handshake : schedule->server_handshake;
  uint8_t hash[MAX_HASH_LEN];

  TRY (handshake_hash (h, hash));
  return schedule13_finished (h->crypto, h->suite->hash, secret, hash, out) ? DTLS_OK
                                                                            : DTLS_ERROR_CRYPTO;
}

enum dtls_error
shared13_check_finished (struct handshake *handshake, struct bytes message)
{
  size_t len = hash_len (handshake->suite->hash);
  uint8_t expected[MAX_HASH_LEN];

  TRY (finished_data (handshake, peer_role (handshake), expected));

  /* RFC 9846 §4.5.3: decrypt_error for any that is not correct, too long or too short included. */
  if (message.left != len || !equal_constant_time (message.at, expected, len))
    return DTLS_ERROR_BAD_FINISHED;

  handshake->owed &= ~(unsigned) OWES_FINISHED;
  return DTLS_OK;
}

enum dtls_error
shared13_send_finished (struct handshake *handshake, struct effects *effects)
{
  uint8_t verify_data[MAX_HASH_LEN];

  TRY (finished_data (handshake, handshake->role, verify_data));
  write_bytes (effects_draft (effects, MAX_HASH_LEN), verify_data,
               hash_len (handshake->suite->hash));
  return handshake_send (handshake, effects, FINISHED);
}
