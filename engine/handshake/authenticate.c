/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Certificates and signatures of the peer. */

#include "handshake/authenticate.h"

#include "wire/certificates.h"

#include <stdlib.h>
#include <string.h>

static enum dtls_error
keep_list (struct handshake *h, struct bytes list, size_t n)
{
  struct bytes *items = calloc (n, sizeof *items);
  bool is_kept;

  if (items == NULL)
    return DTLS_ERROR_NO_MEMORY;

  for (size_t i = 0; i < n && certificate_next (&list, &items[i]); i++)
    ;
  is_kept = der_list_copy (&h->peer->chain, items, n);
  free (items);
  return is_kept ? DTLS_OK : DTLS_ERROR_NO_MEMORY;
}

enum dtls_error
authenticate_take_leaf (struct handshake *handshake)
{
  struct leaf leaf;

  if (!leaf_read (handshake->peer->chain.items[0], &leaf))
    return DTLS_ERROR_BAD_CERTIFICATE;
  /* RFC 5246 §7.4.2, §7.4.6; RFC 9846 §4.5.1.2: its key usage, if present, must allow signing. */
  if (leaf.kind == KEY_UNKNOWN || !leaf.may_sign)
    return DTLS_ERROR_UNSUPPORTED_CERTIFICATE;

  handshake->peer_kind = leaf.kind;
  handshake->peer_key = public_key_new (handshake->crypto, &leaf);
  return handshake->peer_key != NULL ? DTLS_OK : DTLS_ERROR_UNSUPPORTED_CERTIFICATE;
}

enum dtls_error
authenticate_take_chain (struct handshake *handshake, struct bytes message)
{
  struct bytes list;
  size_t n;

  if (!certificate_read (message, &list, &n))
    return DTLS_ERROR_DECODE;
  if (n == 0)
    return DTLS_OK;
  if (n > MAX_PEER_CHAIN)
    return DTLS_ERROR_BAD_CERTIFICATE;

  TRY (keep_list (handshake, list, n));
  return authenticate_take_leaf (handshake);
}

enum dtls_error
authenticate_check (struct handshake *handshake, struct bytes input,
                    const struct peer_signature *signature)
{
  /* RFC 5246 §7.4.3, §7.4.8: it must be one that we offered, and one that fits the key. */
  if (!offer_has_scheme (&handshake->ours, signature->scheme)
      || !signature_fits (signature->scheme, handshake->peer_kind))
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  return signature_check (handshake->crypto, handshake->peer_key, signature->scheme, input,
                          signature->signature);
}

enum dtls_error
authenticate_end_point (struct handshake *handshake, struct bytes server_leaf)
{
  struct association *known = handshake->known;
  struct leaf leaf;

  if (!leaf_read (server_leaf, &leaf))
    return DTLS_ERROR_BAD_CERTIFICATE;
  if (!leaf.has_end_point_hash)
    return DTLS_OK;

  if (!hash_once (handshake->crypto, leaf.end_point_hash, server_leaf, known->end_point_hash))
    return DTLS_ERROR_CRYPTO;

  known->end_point_hash_len = (uint8_t) hash_len (leaf.end_point_hash);
  return DTLS_OK;
}

enum dtls_error
authenticate_send_chain (struct handshake *handshake, struct effects *effects)
{
  const struct dtls_credential *credential = handshake->credential;
  const struct bytes *chain = credential != NULL ? credential->chain : NULL;
  size_t n_chain = credential != NULL ? credential->n_chain : 0;
  struct writer *w = effects_draft (effects, certificate_len (chain, n_chain));

  certificate_write (w, chain, n_chain);
  return handshake_send (handshake, effects, CERTIFICATE);
}

struct bytes
authenticate_signed_params (const struct handshake *handshake, struct bytes params,
                            uint8_t out[MAX_SIGNED_PARAMS_LEN])
{
  struct writer w = writer_over (out, MAX_SIGNED_PARAMS_LEN);

  write_bytes (&w, handshake->known->randoms, 2 * RANDOM_LEN);
  write_bytes (&w, params.at, params.left);
  return writer_bytes (&w);
}
