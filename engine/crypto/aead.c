/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sealing and opening. libcrypto keeps the key schedule in its context; for each record it gets the nonce,
 * the additional data, the bytes and the tag, and needs no memory for that. It raises no error where a tag
 * does not fit, so its queue of errors is not touched here (a mark for each record would cost 27 ns). */

#include "crypto/aead.h"

#include "crypto/fetched.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

struct aead
{
  EVP_CIPHER_CTX *ctx; /* (owned) keyed */
};

size_t
aead_key_len (enum aead_algorithm algorithm)
{
  switch (algorithm)
    {
    case AEAD_AES_128_GCM:
      return 16;
    case AEAD_AES_256_GCM:
    case AEAD_CHACHA20_POLY1305:
      return 32;
    }

  return 0;
}

size_t
aead_fixed_iv_len (enum aead_algorithm algorithm)
{
  return algorithm == AEAD_CHACHA20_POLY1305 ? AEAD_NONCE_LEN : 4;
}

struct aead *
aead_new (struct dtls_crypto *crypto, enum aead_algorithm algorithm, enum aead_direction direction,
          const uint8_t *key)
{
  const EVP_CIPHER *cipher = crypto->aeads[algorithm];
  struct aead *aead;
  bool is_keyed;

  if (cipher == NULL)
    return NULL;
  aead = calloc (1, sizeof *aead);
  if (aead == NULL)
    return NULL;

  ERR_set_mark ();
  aead->ctx = EVP_CIPHER_CTX_new ();
  is_keyed =
      aead->ctx != NULL
      && EVP_CipherInit_ex2 (aead->ctx, cipher, key, NULL, direction == AEAD_SEALS, NULL) == 1;
  ERR_pop_to_mark ();

  if (is_keyed)
    return aead;

  aead_free (aead);
  return NULL;
}

void
aead_free (struct aead *aead)
{
  if (aead == NULL)
    return;

  EVP_CIPHER_CTX_free (aead->ctx);
  free (aead);
}

/* `out` is NULL for additional data. */
static bool
aead_update (struct aead *aead, struct bytes in, uint8_t *out)
{
  int n;

  if (in.left == 0)
    return true;

  return in.left <= INT_MAX && EVP_CipherUpdate (aead->ctx, out, &n, in.at, (int) in.left) == 1
         && (size_t) n == in.left;
}

static bool
aead_begin (struct aead *aead, const struct aead_input *input)
{
  /* -1: in the direction it was keyed for. */
  return EVP_CipherInit_ex2 (aead->ctx, NULL, NULL, input->nonce, -1, NULL) == 1
         && aead_update (aead, input->additional, NULL);
}

bool
aead_seal (struct aead *aead, const struct aead_input *input, const struct bytes *parts,
           size_t n_parts, uint8_t *out)
{
  OSSL_PARAM tag[2] = { OSSL_PARAM_construct_end (), OSSL_PARAM_construct_end () };
  size_t done = 0;
  int n;

  if (!aead_begin (aead, input))
    return false;

  for (size_t i = 0; i < n_parts; i++)
    {
      if (!aead_update (aead, parts[i], out + done))
        return false;
      done += parts[i].left;
    }

  tag[0] = OSSL_PARAM_construct_octet_string (OSSL_CIPHER_PARAM_AEAD_TAG, out + done, AEAD_TAG_LEN);
  return EVP_CipherFinal_ex (aead->ctx, out + done, &n) == 1
         && EVP_CIPHER_CTX_get_params (aead->ctx, tag) == 1;
}

static bool
aead_open_at (struct aead *aead, const struct aead_input *input, uint8_t *at, size_t len)
{
  OSSL_PARAM tag[] = {
    OSSL_PARAM_construct_octet_string (OSSL_CIPHER_PARAM_AEAD_TAG, at + len, AEAD_TAG_LEN),
    OSSL_PARAM_construct_end (),
  };
  int n;

  return aead_begin (aead, input) && aead_update (aead, (struct bytes){ at, len }, at)
         && EVP_CIPHER_CTX_set_params (aead->ctx, tag) == 1
         && EVP_CipherFinal_ex (aead->ctx, at + len, &n) == 1;
}

bool
aead_open (struct aead *aead, const struct aead_input *input, uint8_t *at, size_t len)
{
  if (len < AEAD_TAG_LEN)
    return false;
  if (aead_open_at (aead, input, at, len - AEAD_TAG_LEN))
    return true;

  /* libcrypto decrypts before it knows whether the tag fits. */
  OPENSSL_cleanse (at, len);
  return false;
}
