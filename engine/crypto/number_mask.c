/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Masks for record numbers. libcrypto keeps the key schedule in its context, needs no memory for a
 * sample, and raises no error for one, so its queue of errors is not touched for each. */

#include "crypto/number_mask.h"

#include "crypto/fetched.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

struct number_mask
{
  EVP_CIPHER_CTX *ctx; /* (owned) keyed */
  bool is_chacha;
};

struct number_mask *
number_mask_new (struct dtls_crypto *crypto, enum aead_algorithm algorithm, const uint8_t *key)
{
  const EVP_CIPHER *cipher = crypto->masks[algorithm];
  struct number_mask *mask;
  bool is_keyed;

  if (cipher == NULL)
    return NULL;
  mask = calloc (1, sizeof *mask);
  if (mask == NULL)
    return NULL;

  ERR_set_mark ();
  mask->is_chacha = algorithm == AEAD_CHACHA20_POLY1305;
  mask->ctx = EVP_CIPHER_CTX_new ();
  is_keyed = mask->ctx != NULL && EVP_EncryptInit_ex2 (mask->ctx, cipher, key, NULL, NULL) == 1
             && EVP_CIPHER_CTX_set_padding (mask->ctx, 0) == 1;
  ERR_pop_to_mark ();

  if (is_keyed)
    return mask;

  number_mask_free (mask);
  return NULL;
}

void
number_mask_free (struct number_mask *mask)
{
  if (mask == NULL)
    return;

  EVP_CIPHER_CTX_free (mask->ctx);
  free (mask);
}

bool
number_mask_make (struct number_mask *mask, const uint8_t sample[NUMBER_SAMPLE_LEN],
                  uint8_t out[NUMBER_MASK_LEN])
{
  static const uint8_t zeros[NUMBER_SAMPLE_LEN];
  uint8_t block[NUMBER_SAMPLE_LEN];
  const uint8_t *in = mask->is_chacha ? zeros : sample;
  int n;

  /* What libcrypto calls ChaCha20's initialisation vector is what RFC 9147 §4.2.3 takes from the
   * sample: the counter, in RFC 8439's byte order, and the nonce. The key stream then shows as
   * ciphertext of zeros. */
  if (mask->is_chacha && EVP_EncryptInit_ex2 (mask->ctx, NULL, NULL, sample, NULL) != 1)
    return false;
  if (EVP_EncryptUpdate (mask->ctx, block, &n, in, sizeof block) != 1 || n != sizeof block)
    return false;

  memcpy (out, block, NUMBER_MASK_LEN);
  return true;
}
