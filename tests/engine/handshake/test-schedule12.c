/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The key schedule held against libcrypto's own PRF, and that labels, order and lengths are the RFCs'. */

#include "handshake/schedule12.h"
#include "pki.h"
#include "tap.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

static const uint16_t suites[] = {
  SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
  SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,
  SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
};

static void
fill (uint8_t *at, size_t len, uint8_t first)
{
  for (size_t i = 0; i < len; i++)
    at[i] = (uint8_t) (first + i);
}

static struct association
example (void)
{
  struct association known = { .version = 0 };

  fill (known.randoms, sizeof known.randoms, 1);
  fill (known.master_secret, sizeof known.master_secret, 101);
  return known;
}

/* PRF (secret, label || first || second) of RFC 5246 §5. */
static void
expect (const struct suite *suite, struct bytes secret, const char *label, struct bytes first,
        struct bytes second, uint8_t *out, size_t len)
{
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, "TLS1-PRF", NULL);
  EVP_KDF_CTX *ctx = EVP_KDF_CTX_new (kdf);
  char digest[8];
  uint8_t key[64], seed[256];
  size_t n = strlen (label);
  OSSL_PARAM params[4];

  snprintf (digest, sizeof digest, "%s", suite->hash == HASH_SHA384 ? "SHA384" : "SHA256");
  memcpy (key, secret.at, secret.left);
  memcpy (seed, label, n);
  memcpy (seed + n, first.at, first.left);
  if (second.left > 0)
    memcpy (seed + n + first.left, second.at, second.left);
  params[0] = OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, digest, 0);
  params[1] = OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SECRET, key, secret.left);
  params[2] =
      OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SEED, seed, n + first.left + second.left);
  params[3] = OSSL_PARAM_construct_end ();
  CHECK (EVP_KDF_derive (ctx, out, len, params) == 1);
  EVP_KDF_CTX_free (ctx);
  EVP_KDF_free (kdf);
}

static void
test_master_secrets (void)
{
  static const uint8_t premaster[32] = { 9, 8, 7 };
  uint8_t hash[48], expected[MASTER_SECRET_LEN];
  struct bytes nothing = { NULL, 0 };

  fill (hash, sizeof hash, 3);
  for (size_t i = 0; i < TAP_N (suites); i++)
    {
      const struct suite *suite = suite_find (suites[i]);
      struct association known = example ();

      CHECK (schedule12_master (pki_crypto (), suite, TAP_BYTES (premaster), &known));
      expect (suite, TAP_BYTES (premaster), "master secret", TAP_BYTES (known.randoms), nothing,
              expected, sizeof expected);
      CHECK_BYTES (TAP_BYTES (known.master_secret), TAP_BYTES (expected));

      /* RFC 7627 §4: the session hash has the length of the suite's hash. */
      CHECK (
          schedule12_extended_master (pki_crypto (), suite, TAP_BYTES (premaster), hash, &known));
      expect (suite, TAP_BYTES (premaster), "extended master secret",
              (struct bytes){ hash, suite->hash == HASH_SHA384 ? 48 : 32 }, nothing, expected,
              sizeof expected);
      CHECK_BYTES (TAP_BYTES (known.master_secret), TAP_BYTES (expected));
    }
}

/* RFC 5246 §6.3: client's key, server's key, client's IV, server's IV; the server's random comes first. */
static void
test_key_block (void)
{
  for (size_t i = 0; i < TAP_N (suites); i++)
    {
      const struct suite *suite = suite_find (suites[i]);
      struct association known = example ();
      struct key_block block;
      uint8_t expected[2 * 32 + 2 * 12];
      size_t key = aead_key_len (suite->aead);
      size_t iv = suite->aead == AEAD_CHACHA20_POLY1305 ? 12 : 4;

      CHECK (schedule12_key_block (pki_crypto (), suite, &known, &block));
      expect (suite, TAP_BYTES (known.master_secret), "key expansion",
              (struct bytes){ known.randoms + RANDOM_LEN, RANDOM_LEN },
              (struct bytes){ known.randoms, RANDOM_LEN }, expected, 2 * key + 2 * iv);
      CHECK_UINT (block.algorithm, suite->aead);
      CHECK_BYTES (((struct bytes){ block.client_key, key }), ((struct bytes){ expected, key }));
      CHECK_BYTES (((struct bytes){ block.server_key, key }),
                   ((struct bytes){ expected + key, key }));
      CHECK_BYTES (((struct bytes){ block.client_iv, iv }),
                   ((struct bytes){ expected + 2 * key, iv }));
      CHECK_BYTES (((struct bytes){ block.server_iv, iv }),
                   ((struct bytes){ expected + 2 * key + iv, iv }));
    }
}

static void
test_finished (void)
{
  uint8_t hash[48], expected[VERIFY_DATA_LEN], got[2][VERIFY_DATA_LEN];
  struct bytes nothing = { NULL, 0 };

  fill (hash, sizeof hash, 50);
  for (size_t i = 0; i < TAP_N (suites); i++)
    for (unsigned from = 0; from < 2; from++)
      {
        const struct suite *suite = suite_find (suites[i]);
        struct association known = example ();
        struct finished_input input = { from, hash };

        CHECK (schedule12_finished (pki_crypto (), suite, &known, &input, got[from]));
        expect (suite, TAP_BYTES (known.master_secret),
                from == DTLS_CLIENT ? "client finished" : "server finished",
                (struct bytes){ hash, suite->hash == HASH_SHA384 ? 48 : 32 }, nothing, expected,
                sizeof expected);
        CHECK_BYTES (TAP_BYTES (got[from]), TAP_BYTES (expected));
      }
}

static const struct tap_test tests[] = {
  { "/handshake/schedule12/master-secrets-are-rfc-5246-and-7627", test_master_secrets },
  { "/handshake/schedule12/key-block-has-the-rfcs-order", test_key_block },
  { "/handshake/schedule12/finished-differs-by-sender", test_finished },
};

TAP_MAIN (tests)
