/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Hashes, HMAC, comparison in constant time, and wiping, all of them libcrypto's. */

#include "crypto/digest.h"

#include "crypto/fetched.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

struct digest
{
  EVP_MD_CTX *running; /* (owned) */
  EVP_MD_CTX *peeked;  /* (owned) takes the copy that digest_peek finishes */
};

size_t
hash_len (enum hash hash)
{
  switch (hash)
    {
    case HASH_SHA256:
      return 32;
    case HASH_SHA384:
      return 48;
    case HASH_SHA512:
      return 64;
    }

  return 0;
}

bool
hash_once (struct dtls_crypto *crypto, enum hash hash, struct bytes input, uint8_t *out)
{
  bool is_done;

  ERR_set_mark ();
  is_done = EVP_Digest (input.at, input.left, out, NULL, crypto->hashes[hash], NULL) == 1;
  ERR_pop_to_mark ();

  return is_done;
}

struct digest *
digest_new (struct dtls_crypto *crypto, enum hash hash)
{
  struct digest *digest = calloc (1, sizeof *digest);
  bool is_ready;

  if (digest == NULL)
    return NULL;

  ERR_set_mark ();
  digest->running = EVP_MD_CTX_new ();
  digest->peeked = EVP_MD_CTX_new ();
  is_ready = digest->running != NULL && digest->peeked != NULL
             && EVP_DigestInit_ex2 (digest->running, crypto->hashes[hash], NULL) == 1;
  ERR_pop_to_mark ();

  if (is_ready)
    return digest;

  digest_free (digest);
  return NULL;
}

void
digest_free (struct digest *digest)
{
  if (digest == NULL)
    return;

  EVP_MD_CTX_free (digest->running);
  EVP_MD_CTX_free (digest->peeked);
  free (digest);
}

bool
digest_update (struct digest *digest, struct bytes input)
{
  bool is_done;

  ERR_set_mark ();
  is_done = EVP_DigestUpdate (digest->running, input.at, input.left) == 1;
  ERR_pop_to_mark ();

  return is_done;
}

bool
digest_peek (struct digest *digest, uint8_t *out)
{
  bool is_done;

  ERR_set_mark ();
  is_done = EVP_MD_CTX_copy_ex (digest->peeked, digest->running) == 1
            && EVP_DigestFinal_ex (digest->peeked, out, NULL) == 1;
  ERR_pop_to_mark ();

  return is_done;
}

static bool
hmac_run (EVP_MAC_CTX *ctx, const struct hmac_input *input, uint8_t *out, size_t len)
{
  /* To libcrypto a key at NULL is no key, not an empty one. */
  const uint8_t *key = input->key.left > 0 ? input->key.at : (const uint8_t *) "";

  if (EVP_MAC_init (ctx, key, input->key.left, NULL) != 1)
    return false;

  for (size_t i = 0; i < input->n_parts; i++)
    if (EVP_MAC_update (ctx, input->parts[i].at, input->parts[i].left) != 1)
      return false;

  return EVP_MAC_final (ctx, out, &len, len) == 1;
}

bool
hmac_once (struct dtls_crypto *crypto, enum hash hash, const struct hmac_input *input, uint8_t *out)
{
  EVP_MAC_CTX *ctx;
  bool is_done;

  ERR_set_mark ();
  ctx = EVP_MAC_CTX_dup (crypto->hmacs[hash]);
  is_done = ctx != NULL && hmac_run (ctx, input, out, hash_len (hash));
  EVP_MAC_CTX_free (ctx);
  ERR_pop_to_mark ();

  return is_done;
}

bool
equal_constant_time (const uint8_t *a, const uint8_t *b, size_t len)
{
  return CRYPTO_memcmp (a, b, len) == 0;
}

void
wipe (void *at, size_t len)
{
  OPENSSL_cleanse (at, len);
}

void
wipe_free (void *at, size_t len)
{
  if (at == NULL)
    return;

  wipe (at, len);
  free (at);
}
