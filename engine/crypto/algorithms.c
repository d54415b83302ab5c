/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Fetches libcrypto's algorithms once, and knows which of our code points they make possible. What every
 * libcrypto must have (three hashes, HMAC, the suites' mandatory AES-128-GCM) is essential; the rest may be
 * missing, as ChaCha20 and X25519 are where only FIPS-approved algorithms are loaded. */

#include "crypto/algorithms.h"

#include "crypto/fetched.h"
#include "dtls.h"
#include "wire/codepoints.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

static const char *const hash_names[N_HASHES] = {
  [HASH_SHA256] = "SHA2-256",
  [HASH_SHA384] = "SHA2-384",
  [HASH_SHA512] = "SHA2-512",
};

static const char *const aead_names[N_AEADS] = {
  [AEAD_AES_128_GCM] = "AES-128-GCM",
  [AEAD_AES_256_GCM] = "AES-256-GCM",
  [AEAD_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
  [AEAD_AES_128_CCM] = "AES-128-CCM",
  [AEAD_AES_128_CCM_8] = "AES-128-CCM",
};

/* RFC 9147 §4.2.3 */
static const char *const mask_names[N_AEADS] = {
  [AEAD_AES_128_GCM] = "AES-128-ECB",    [AEAD_AES_256_GCM] = "AES-256-ECB",
  [AEAD_CHACHA20_POLY1305] = "ChaCha20", [AEAD_AES_128_CCM] = "AES-128-ECB",
  [AEAD_AES_128_CCM_8] = "AES-128-ECB",
};

const char *
crypto_hash_name (enum hash hash)
{
  return hash_names[hash];
}

/* The parameters of a curve. Copying them into a new key costs a quarter of naming the curve again. */
static EVP_PKEY *
new_curve (const char *name)
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name (NULL, "EC", NULL);
  EVP_PKEY *curve = NULL;

  /* On failure `curve` stays NULL. */
  if (ctx != NULL && EVP_PKEY_paramgen_init (ctx) == 1
      && EVP_PKEY_CTX_set_group_name (ctx, name) == 1)
    (void) EVP_PKEY_paramgen (ctx, &curve);

  EVP_PKEY_CTX_free (ctx);
  return curve;
}

/* HMAC with a hash, under a key that is there only because libcrypto copies no context without one. A copy
 * with a new key costs less than a new context, which would look for the hash by name. */
static EVP_MAC_CTX *
new_hmac (EVP_MAC *hmac, const char *hash_name)
{
  const uint8_t key[1] = { 0 };
  char name[16];
  OSSL_PARAM params[2] = { OSSL_PARAM_construct_end (), OSSL_PARAM_construct_end () };
  EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new (hmac) : NULL;

  /* libcrypto only reads it, but asks for a string that is not constant. */
  OPENSSL_strlcpy (name, hash_name, sizeof name);
  params[0] = OSSL_PARAM_construct_utf8_string (OSSL_MAC_PARAM_DIGEST, name, 0);
  if (ctx != NULL && EVP_MAC_init (ctx, key, sizeof key, params) == 1)
    return ctx;

  EVP_MAC_CTX_free (ctx);
  return NULL;
}

static bool
has_key_exchange (const char *name)
{
  EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch (NULL, name, NULL);
  EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch (NULL, name, NULL);
  bool has_both = keys != NULL && exchange != NULL;

  EVP_KEYMGMT_free (keys);
  EVP_KEYEXCH_free (exchange);
  return has_both;
}

static bool
has_encapsulation (const char *name)
{
  EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch (NULL, name, NULL);
  EVP_KEM *kem = EVP_KEM_fetch (NULL, name, NULL);
  bool has_both = keys != NULL && kem != NULL;

  EVP_KEYMGMT_free (keys);
  EVP_KEM_free (kem);
  return has_both;
}

static bool
has_essentials (const struct dtls_crypto *crypto)
{
  for (size_t i = 0; i < N_HASHES; i++)
    if (crypto->hashes[i] == NULL || crypto->hmacs[i] == NULL)
      return false;

  return crypto->aeads[AEAD_AES_128_GCM] != NULL;
}

static void
fetch_all (struct dtls_crypto *crypto)
{
  EVP_MAC *hmac = EVP_MAC_fetch (NULL, "HMAC", NULL);

  for (size_t i = 0; i < N_HASHES; i++)
    {
      crypto->hashes[i] = EVP_MD_fetch (NULL, hash_names[i], NULL);
      crypto->hmacs[i] = new_hmac (hmac, hash_names[i]);
    }
  for (size_t i = 0; i < N_AEADS; i++)
    {
      crypto->aeads[i] = EVP_CIPHER_fetch (NULL, aead_names[i], NULL);
      crypto->masks[i] = EVP_CIPHER_fetch (NULL, mask_names[i], NULL);
    }

  crypto->p256 = new_curve ("P-256");
  crypto->p384 = new_curve ("P-384");
  crypto->has_x25519 = has_key_exchange ("X25519");
  /* Since libcrypto 3.5. */
  crypto->has_x25519_ml_kem_768 = has_encapsulation ("X25519MLKEM768");

  EVP_MAC_free (hmac);
}

struct dtls_crypto *
dtls_crypto_new (void)
{
  struct dtls_crypto *crypto = calloc (1, sizeof *crypto);

  if (crypto == NULL)
    return NULL;

  ERR_set_mark ();
  fetch_all (crypto);
  ERR_pop_to_mark ();

  if (has_essentials (crypto))
    return crypto;

  dtls_crypto_free (crypto);
  return NULL;
}

void
dtls_crypto_free (struct dtls_crypto *crypto)
{
  if (crypto == NULL)
    return;

  for (size_t i = 0; i < N_HASHES; i++)
    {
      EVP_MD_free (crypto->hashes[i]);
      EVP_MAC_CTX_free (crypto->hmacs[i]);
    }
  for (size_t i = 0; i < N_AEADS; i++)
    {
      EVP_CIPHER_free (crypto->aeads[i]);
      EVP_CIPHER_free (crypto->masks[i]);
    }
  EVP_PKEY_free (crypto->p256);
  EVP_PKEY_free (crypto->p384);
  free (crypto);
}

bool
dtls_crypto_random (struct dtls_crypto *crypto, uint8_t *out, size_t len)
{
  bool is_filled;

  /* RAND_bytes needs nothing that we fetch: it has its own generator for each thread. */
  (void) crypto;
  if (len > INT_MAX)
    return false;

  ERR_set_mark ();
  is_filled = RAND_bytes (out, (int) len) == 1;
  ERR_pop_to_mark ();

  return is_filled;
}

bool
crypto_has_group (const struct dtls_crypto *crypto, uint16_t group)
{
  switch (group)
    {
    case GROUP_SECP256R1:
      return crypto->p256 != NULL;
    case GROUP_SECP384R1:
      return crypto->p384 != NULL;
    case GROUP_X25519:
      return crypto->has_x25519;
    case GROUP_X25519MLKEM768:
      return crypto->has_x25519_ml_kem_768;
    default:
      return false;
    }
}

bool
crypto_has_aead (const struct dtls_crypto *crypto, enum aead_algorithm algorithm)
{
  return crypto->aeads[algorithm] != NULL && crypto->masks[algorithm] != NULL;
}

EVP_PKEY *
crypto_import_point (const EVP_PKEY *model, struct bytes point)
{
  EVP_PKEY *key = EVP_PKEY_new ();

  /* RFC 8422 §5.4.1: only the uncompressed form, 4 and two coordinates. libcrypto checks the length and that
   * the point is on the curve; the curves have no other points, so it is then a good one. */
  if (key != NULL && point.left > 0 && point.at[0] == POINT_CONVERSION_UNCOMPRESSED
      && EVP_PKEY_copy_parameters (key, model) == 1
      && EVP_PKEY_set1_encoded_public_key (key, point.at, point.left) == 1)
    return key;

  EVP_PKEY_free (key);
  return NULL;
}
