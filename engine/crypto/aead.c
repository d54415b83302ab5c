/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sealing and opening. libcrypto keeps the key schedule in its context; for each record it gets the
 * nonce, the additional data, the bytes and the tag, and needs no memory for that. AES-GCM and
 * ChaCha20-Poly1305 take their plaintext in pieces, and raise no error where a tag does not fit, so
 * the queue of errors is not touched for them (a mark for each record would cost 27 ns). AES-CCM is
 * told the length first and takes all of it at once, and an error that it raises is taken back. */

#include "crypto/aead.h"

#include "crypto/fetched.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

struct aead
{
  EVP_CIPHER_CTX *ctx; /* (owned) keyed */
  enum aead_algorithm algorithm;
};

size_t
aead_key_len (enum aead_algorithm algorithm)
{
  switch (algorithm)
    {
    case AEAD_AES_128_GCM:
    case AEAD_AES_128_CCM:
    case AEAD_AES_128_CCM_8:
      return 16;
    case AEAD_AES_256_GCM:
    case AEAD_CHACHA20_POLY1305:
      return 32;
    }

  return 0;
}

size_t
aead_tag_len (enum aead_algorithm algorithm)
{
  return algorithm == AEAD_AES_128_CCM_8 ? 8 : 16;
}

size_t
aead_fixed_iv_len (enum aead_algorithm algorithm)
{
  return algorithm == AEAD_CHACHA20_POLY1305 ? AEAD_NONCE_LEN : 4;
}

static bool
is_ccm (enum aead_algorithm algorithm)
{
  return algorithm == AEAD_AES_128_CCM || algorithm == AEAD_AES_128_CCM_8;
}

/* Both lengths go into AES-CCM's first block, and libcrypto wants them before the key. The tag at
 * NULL is not one, but the length of all there will be. */
static bool
set_ccm_lengths (struct aead *aead)
{
  size_t nonce_len = AEAD_NONCE_LEN;
  OSSL_PARAM lengths[] = {
    OSSL_PARAM_construct_size_t (OSSL_CIPHER_PARAM_AEAD_IVLEN, &nonce_len),
    OSSL_PARAM_construct_octet_string (OSSL_CIPHER_PARAM_AEAD_TAG, NULL,
                                       aead_tag_len (aead->algorithm)),
    OSSL_PARAM_construct_end (),
  };

  return EVP_CIPHER_CTX_set_params (aead->ctx, lengths) == 1;
}

static bool
init_keyed (struct aead *aead, const EVP_CIPHER *cipher, int seals, const uint8_t *key)
{
  aead->ctx = EVP_CIPHER_CTX_new ();

  return aead->ctx != NULL && EVP_CipherInit_ex2 (aead->ctx, cipher, NULL, NULL, seals, NULL) == 1
         && (!is_ccm (aead->algorithm) || set_ccm_lengths (aead))
         && EVP_CipherInit_ex2 (aead->ctx, NULL, key, NULL, seals, NULL) == 1;
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
  aead->algorithm = algorithm;
  is_keyed = init_keyed (aead, cipher, direction == AEAD_SEALS, key);
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

/* `out` is NULL for additional data, and both are for AES-CCM's length of the plaintext. */
static bool
update (struct aead *aead, const uint8_t *in, size_t len, uint8_t *out)
{
  int n;

  return len <= INT_MAX && EVP_CipherUpdate (aead->ctx, out, &n, in, (int) len) == 1
         && (size_t) n == len;
}

/* To libcrypto no bytes at NULL may mean something else. */
static bool
update_some (struct aead *aead, struct bytes in, uint8_t *out)
{
  return in.left == 0 || update (aead, in.at, in.left, out);
}

static bool
set_nonce (struct aead *aead, const uint8_t *nonce)
{
  /* -1: in the direction it was keyed for. */
  return EVP_CipherInit_ex2 (aead->ctx, NULL, NULL, nonce, -1, NULL) == 1;
}

static bool
get_tag (struct aead *aead, uint8_t *out)
{
  OSSL_PARAM tag[] = {
    OSSL_PARAM_construct_octet_string (OSSL_CIPHER_PARAM_AEAD_TAG, out,
                                       aead_tag_len (aead->algorithm)),
    OSSL_PARAM_construct_end (),
  };

  return EVP_CIPHER_CTX_get_params (aead->ctx, tag) == 1;
}

static bool
set_tag (struct aead *aead, uint8_t *at)
{
  OSSL_PARAM tag[] = {
    OSSL_PARAM_construct_octet_string (OSSL_CIPHER_PARAM_AEAD_TAG, at,
                                       aead_tag_len (aead->algorithm)),
    OSSL_PARAM_construct_end (),
  };

  return EVP_CIPHER_CTX_set_params (aead->ctx, tag) == 1;
}

static bool
seal_in_pieces (struct aead *aead, const struct aead_input *input, const struct bytes *parts,
                size_t n_parts, uint8_t *out)
{
  size_t done = 0;
  int n;

  if (!set_nonce (aead, input->nonce) || !update_some (aead, input->additional, NULL))
    return false;

  for (size_t i = 0; i < n_parts; i++)
    {
      if (!update_some (aead, parts[i], out + done))
        return false;
      done += parts[i].left;
    }

  return EVP_CipherFinal_ex (aead->ctx, out + done, &n) == 1 && get_tag (aead, out + done);
}

static bool
open_in_pieces (struct aead *aead, const struct aead_input *input, uint8_t *at, size_t len)
{
  int n;

  return set_nonce (aead, input->nonce) && update_some (aead, input->additional, NULL)
         && update_some (aead, (struct bytes){ at, len }, at) && set_tag (aead, at + len)
         && EVP_CipherFinal_ex (aead->ctx, at + len, &n) == 1;
}

/* All of the plaintext or ciphertext, in place; also if that is none, for the tag's sake. */
static bool
run_ccm (struct aead *aead, const struct aead_input *input, uint8_t *at, size_t len)
{
  return update (aead, NULL, len, NULL) && update_some (aead, input->additional, NULL)
         && update (aead, at, len, at);
}

static bool
seal_ccm (struct aead *aead, const struct aead_input *input, const struct bytes *parts,
          size_t n_parts, uint8_t *out)
{
  size_t done = 0;

  for (size_t i = 0; i < n_parts; i++)
    {
      if (parts[i].left > 0)
        memmove (out + done, parts[i].at, parts[i].left);
      done += parts[i].left;
    }

  return set_nonce (aead, input->nonce) && run_ccm (aead, input, out, done)
         && get_tag (aead, out + done);
}

static bool
open_ccm (struct aead *aead, const struct aead_input *input, uint8_t *at, size_t len)
{
  bool is_open;

  ERR_set_mark ();
  is_open =
      set_nonce (aead, input->nonce) && set_tag (aead, at + len) && run_ccm (aead, input, at, len);
  ERR_pop_to_mark ();

  return is_open;
}

bool
aead_seal (struct aead *aead, const struct aead_input *input, const struct bytes *parts,
           size_t n_parts, uint8_t *out)
{
  return is_ccm (aead->algorithm) ? seal_ccm (aead, input, parts, n_parts, out)
                                  : seal_in_pieces (aead, input, parts, n_parts, out);
}

bool
aead_open (struct aead *aead, const struct aead_input *input, uint8_t *at, size_t len)
{
  size_t tag_len = aead_tag_len (aead->algorithm);
  size_t plain_len;

  if (len < tag_len)
    return false;

  plain_len = len - tag_len;
  if (is_ccm (aead->algorithm) ? open_ccm (aead, input, at, plain_len)
                               : open_in_pieces (aead, input, at, plain_len))
    return true;

  /* libcrypto decrypts before it knows whether the tag fits. */
  OPENSSL_cleanse (at, len);
  return false;
}
