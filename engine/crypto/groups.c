/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Ephemeral keys and what two of them agree on. */

#include "crypto/groups.h"

#include "crypto/digest.h"
#include "crypto/fetched.h"
#include "wire/codepoints.h"

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

enum
{
  X25519_LEN = 32, /* RFC 7748 §5: of a public value and of the result */
};

struct key_share
{
  EVP_PKEY *key; /* (owned) */
  uint16_t group;
  size_t public_len;
  uint8_t public_value[MAX_PUBLIC_LEN];
};

/* A key on the same curve as `curve`. */
static EVP_PKEY *
generate_on_curve (EVP_PKEY *curve)
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey (NULL, curve, NULL);
  EVP_PKEY *key = NULL;

  /* On failure `key` stays NULL. */
  if (ctx != NULL && EVP_PKEY_keygen_init (ctx) == 1)
    (void) EVP_PKEY_keygen (ctx, &key);

  EVP_PKEY_CTX_free (ctx);
  return key;
}

static EVP_PKEY *
generate (struct dtls_crypto *crypto, uint16_t group)
{
  switch (group)
    {
    case GROUP_SECP256R1:
      return generate_on_curve (crypto->p256);
    case GROUP_SECP384R1:
      return generate_on_curve (crypto->p384);
    default:
      return EVP_PKEY_Q_keygen (NULL, NULL, "X25519");
    }
}

static struct key_share *
key_share_make (struct dtls_crypto *crypto, uint16_t group)
{
  struct key_share *share = calloc (1, sizeof *share);

  if (share == NULL)
    return NULL;

  share->group = group;
  share->key = generate (crypto, group);
  if (share->key != NULL
      && EVP_PKEY_get_octet_string_param (share->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                          share->public_value, sizeof share->public_value,
                                          &share->public_len)
             == 1)
    return share;

  key_share_free (share);
  return NULL;
}

struct key_share *
key_share_new (struct dtls_crypto *crypto, uint16_t group)
{
  struct key_share *share;

  if (!crypto_has_group (crypto, group))
    return NULL;

  ERR_set_mark ();
  share = key_share_make (crypto, group);
  ERR_pop_to_mark ();

  return share;
}

void
key_share_free (struct key_share *share)
{
  if (share == NULL)
    return;

  EVP_PKEY_free (share->key);
  free (share);
}

uint16_t
key_share_group (const struct key_share *share)
{
  return share->group;
}

struct bytes
key_share_public (const struct key_share *share)
{
  return (struct bytes){ share->public_value, share->public_len };
}

static EVP_PKEY *
import_peer (const struct key_share *share, struct bytes peer_public)
{
  /* Of every group all public values have the same length. */
  if (peer_public.left != share->public_len)
    return NULL;
  if (share->group == GROUP_X25519)
    return EVP_PKEY_new_raw_public_key_ex (NULL, "X25519", NULL, peer_public.at, peer_public.left);

  return crypto_import_point (share->key, peer_public);
}

static bool
derive (EVP_PKEY *ours, EVP_PKEY *theirs, uint8_t *out, size_t *out_len)
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey (NULL, ours, NULL);
  bool is_done;

  *out_len = MAX_SHARED_LEN;
  /* 0: without checking the peer's key once more. crypto_import_point did, and multiplying it with the order
   * of the group would double the cost. */
  is_done = ctx != NULL && EVP_PKEY_derive_init (ctx) == 1
            && EVP_PKEY_derive_set_peer_ex (ctx, theirs, 0) == 1
            && EVP_PKEY_derive (ctx, out, out_len) == 1;
  EVP_PKEY_CTX_free (ctx);

  return is_done;
}

static bool
is_all_zero (const uint8_t *at, size_t len)
{
  static const uint8_t zeros[MAX_SHARED_LEN];

  return equal_constant_time (at, zeros, len);
}

static enum dtls_error
key_share_meet (struct key_share *share, EVP_PKEY *peer, uint8_t *out, size_t *out_len)
{
  bool is_x25519 = share->group == GROUP_X25519;

  /* RFC 8422 §5.11: with X25519 the handshake ends if the result is all zero. libcrypto fails then, which it
   * has no other reason for. */
  if (!derive (share->key, peer, out, out_len))
    return is_x25519 ? DTLS_ERROR_ILLEGAL_PARAMETER : DTLS_ERROR_CRYPTO;
  if (is_x25519 && is_all_zero (out, X25519_LEN))
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  return DTLS_OK;
}

enum dtls_error
key_share_agree (struct key_share *share, struct bytes peer_public, uint8_t *out, size_t *out_len)
{
  enum dtls_error error = DTLS_ERROR_ILLEGAL_PARAMETER;
  EVP_PKEY *peer;

  ERR_set_mark ();
  peer = import_peer (share, peer_public);
  if (peer != NULL)
    error = key_share_meet (share, peer, out, out_len);
  EVP_PKEY_free (peer);
  ERR_pop_to_mark ();

  if (error == DTLS_OK)
    return DTLS_OK;

  wipe (out, MAX_SHARED_LEN);
  *out_len = 0;
  return error;
}
