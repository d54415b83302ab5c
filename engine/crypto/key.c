/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Private keys: read by libcrypto's own decoders, since one is read once and used many times. */

#include "crypto/keys.h"
#include "crypto/signature.h"
#include "dtls.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>

static enum key_kind
curve_kind (const EVP_PKEY *pkey)
{
  char name[32];
  size_t len;

  if (EVP_PKEY_get_group_name (pkey, name, sizeof name, &len) != 1)
    return KEY_UNKNOWN;
  if (OBJ_sn2nid (name) == NID_X9_62_prime256v1)
    return KEY_P256;
  if (OBJ_sn2nid (name) == NID_secp384r1)
    return KEY_P384;

  return KEY_UNKNOWN;
}

static enum key_kind
kind_of (const EVP_PKEY *pkey)
{
  bool is_rsa_fit =
      EVP_PKEY_get_bits (pkey) >= MIN_RSA_BITS && EVP_PKEY_get_bits (pkey) <= MAX_RSA_BITS;

  if (EVP_PKEY_is_a (pkey, "RSA"))
    return is_rsa_fit ? KEY_RSA : KEY_UNKNOWN;
  if (EVP_PKEY_is_a (pkey, "RSA-PSS"))
    return is_rsa_fit ? KEY_RSA_PSS : KEY_UNKNOWN;
  if (EVP_PKEY_is_a (pkey, "EC"))
    return curve_kind (pkey);
  if (EVP_PKEY_is_a (pkey, "ED25519"))
    return KEY_ED25519;

  return KEY_UNKNOWN;
}

/* NULL if `der` is not one private key and nothing else. */
static EVP_PKEY *
decode (struct bytes der)
{
  const unsigned char *at = der.at;
  EVP_PKEY *pkey;

  if (der.left == 0 || der.left > LONG_MAX)
    return NULL;

  ERR_set_mark ();
  pkey = d2i_AutoPrivateKey_ex (NULL, &at, (long) der.left, NULL, NULL);
  ERR_pop_to_mark ();

  if (pkey != NULL && at == der.at + der.left)
    return pkey;

  EVP_PKEY_free (pkey);
  return NULL;
}

enum dtls_error
dtls_key_new (struct dtls_crypto *crypto, struct bytes der, struct dtls_key **out_key)
{
  EVP_PKEY *pkey = decode (der);
  enum key_kind kind = pkey != NULL ? kind_of (pkey) : KEY_UNKNOWN;
  struct dtls_key *key;

  (void) crypto;
  if (kind == KEY_UNKNOWN)
    {
      EVP_PKEY_free (pkey);
      return DTLS_ERROR_KEY;
    }

  key = calloc (1, sizeof *key);
  if (key == NULL)
    {
      EVP_PKEY_free (pkey);
      return DTLS_ERROR_NO_MEMORY;
    }

  key->pkey = pkey;
  key->kind = kind;
  *out_key = key;
  return DTLS_OK;
}

void
dtls_key_free (struct dtls_key *key)
{
  if (key == NULL)
    return;

  EVP_PKEY_free (key->pkey);
  free (key);
}

enum key_kind
key_kind_of (const struct dtls_key *key)
{
  return key->kind;
}

bool
dtls_key_matches (struct dtls_crypto *crypto, const struct dtls_key *key, struct bytes leaf)
{
  struct leaf facts;
  struct public_key *public_key;
  bool is_same;

  if (!leaf_read (leaf, &facts))
    return false;
  public_key = public_key_new (crypto, &facts);
  if (public_key == NULL)
    return false;

  ERR_set_mark ();
  is_same = EVP_PKEY_eq (public_key->pkey, key->pkey) == 1;
  ERR_pop_to_mark ();
  public_key_free (public_key);

  return is_same;
}
