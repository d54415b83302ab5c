/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The derivations of (D)TLS 1.2, each one call of its pseudo-random function. */

#include "handshake/schedule12.h"

#include "crypto/kdf.h"

#include <string.h>

static struct bytes
label (const char *text)
{
  return (struct bytes){ (const uint8_t *) text, strlen (text) };
}

bool
schedule12_extended_master (struct dtls_crypto *crypto, const struct suite *suite,
                            struct bytes premaster, const uint8_t *session_hash,
                            struct association *known)
{
  struct prf_input input = {
    .secret = premaster,
    .label = label ("extended master secret"),
    .seeds = { { session_hash, hash_len (suite->hash) } },
  };

  return prf (crypto, suite->hash, &input, known->master_secret, MASTER_SECRET_LEN);
}

bool
schedule12_master (struct dtls_crypto *crypto, const struct suite *suite, struct bytes premaster,
                   struct association *known)
{
  struct prf_input input = {
    .secret = premaster,
    .label = label ("master secret"),
    .seeds = { { known->randoms, 2 * RANDOM_LEN } },
  };

  return prf (crypto, suite->hash, &input, known->master_secret, MASTER_SECRET_LEN);
}

bool
schedule12_key_block (struct dtls_crypto *crypto, const struct suite *suite,
                      const struct association *known, struct key_block *out)
{
  uint8_t block[2 * MAX_AEAD_KEY_LEN + 2 * 12];
  size_t key = aead_key_len (suite->aead);
  size_t iv = aead_fixed_iv_len (suite->aead);
  const uint8_t *at = block;
  struct prf_input input = {
    .secret = { known->master_secret, MASTER_SECRET_LEN },
    .label = label ("key expansion"),
    /* RFC 5246 §6.3: here the server's random comes first. */
    .seeds = { { known->randoms + RANDOM_LEN, RANDOM_LEN }, { known->randoms, RANDOM_LEN } },
  };

  if (!prf (crypto, suite->hash, &input, block, 2 * key + 2 * iv))
    return false;

  *out = (struct key_block){ .algorithm = suite->aead };
  memcpy (out->client_key, at, key);
  memcpy (out->server_key, at + key, key);
  memcpy (out->client_iv, at + 2 * key, iv);
  memcpy (out->server_iv, at + 2 * key + iv, iv);
  wipe (block, sizeof block);
  return true;
}

bool
schedule12_finished (struct dtls_crypto *crypto, const struct suite *suite,
                     const struct association *known, const struct finished_input *input,
                     uint8_t out[VERIFY_DATA_LEN])
{
  struct prf_input prf_in = {
    .secret = { known->master_secret, MASTER_SECRET_LEN },
    .label = label (input->from == DTLS_CLIENT ? "client finished" : "server finished"),
    .seeds = { { input->transcript_hash, hash_len (suite->hash) } },
  };

  return prf (crypto, suite->hash, &prf_in, out, VERIFY_DATA_LEN);
}
