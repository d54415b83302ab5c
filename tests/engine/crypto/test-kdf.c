/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The PRF against the vectors that the TLS working group passed around for want of any in RFC 5246, and
 * against libcrypto's own. */

#include "crypto/kdf.h"

#include "crypto/hex.h"
#include "dtls.h"
#include "tap.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static struct dtls_crypto *crypto;

struct prf_case
{
  enum hash hash;
  const char *secret;
  const char *seed;
  const char *expected;
};

static const struct prf_case cases[] = {
  { HASH_SHA256, "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
    "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
    "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
    "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
    "87347b66" },
  { HASH_SHA384, "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
    "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd"
    "e9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd"
    "8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
    "9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee6"
    "91c8f3a26854308d5eaa3be85e0990703d73e56f" },
  { HASH_SHA512, "b0323523c1853599584d88568bbb05eb", "d4640e12e4bcdbfb437f03e6ae418ee5",
    "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283"
    "042df6789875c7147e906d868bc75c45e20eb40c1cf4a1713b27371f68432592"
    "f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fe"
    "c702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9"
    "f6b9826675bec7d01a845658dc9c397545401d40b9f46c7a400ee1b8f81ca0a6"
    "0d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e6"
    "40d4d898" },
};

static void
test_vectors (void)
{
  for (size_t i = 0; i < TAP_N (cases); i++)
    {
      struct hex secret, seed, expected_place;
      struct bytes expected = hex_read (&expected_place, cases[i].expected);
      const struct prf_input input = {
        .secret = hex_read (&secret, cases[i].secret),
        .label = TAP_STRING ("test label"),
        .seeds = { hex_read (&seed, cases[i].seed) },
      };
      uint8_t out[MAX_HEX_LEN];

      tap_set_row (cases[i].secret);
      /* Every length is a prefix of the longest, and not a byte more is written. */
      for (size_t len = 0; len <= expected.left; len++)
        {
          memset (out, 0xa5, sizeof out);
          CHECK (prf (crypto, cases[i].hash, &input, out, len));
          CHECK (memcmp (out, expected.at, len) == 0);
          CHECK_UINT (out[len], 0xa5);
        }
    }
}

/* However one seed is cut into three, it is the same. */
static void
test_seeds (void)
{
  struct hex secret, seed_place, expected;
  struct bytes seed = hex_read (&seed_place, cases[0].seed);

  hex_read (&expected, cases[0].expected);
  for (size_t a = 0; a <= seed.left; a++)
    for (size_t b = a; b <= seed.left; b++)
      {
        const struct prf_input input = {
          .secret = hex_read (&secret, cases[0].secret),
          .label = TAP_STRING ("test label"),
          .seeds = { { seed.at, a }, { seed.at + a, b - a }, { seed.at + b, seed.left - b } },
        };
        uint8_t out[48];

        CHECK (prf (crypto, HASH_SHA256, &input, out, sizeof out));
        CHECK (memcmp (out, expected.at, sizeof out) == 0);
      }
}

static void
test_empty (void)
{
  const struct prf_input input = { .label = { NULL, 0 } };
  uint8_t out[40], again[40];

  CHECK (prf (crypto, HASH_SHA256, &input, out, sizeof out));
  CHECK (prf (crypto, HASH_SHA256, &input, again, sizeof again));
  CHECK (memcmp (out, again, sizeof out) == 0);
}

static bool
prf_of_libcrypto (uint8_t *secret, size_t secret_len, uint8_t *seed, size_t seed_len, uint8_t *out,
                  size_t out_len)
{
  char hash[] = "SHA2-384";
  const OSSL_PARAM params[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, hash, 0),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SECRET, secret, secret_len),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SEED, seed, seed_len),
    OSSL_PARAM_construct_end (),
  };
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, "TLS1-PRF", NULL);
  EVP_KDF_CTX *ctx = EVP_KDF_CTX_new (kdf);
  bool is_done = EVP_KDF_derive (ctx, out, out_len, params) == 1;

  EVP_KDF_CTX_free (ctx);
  EVP_KDF_free (kdf);
  return is_done;
}

/* A secret longer than a block of the hash, and seeds of every length up to libcrypto's limit. */
static void
test_against_libcrypto (void)
{
  static uint8_t secret[200], seed[1024];

  for (size_t i = 0; i < sizeof secret; i++)
    secret[i] = (uint8_t) (i * 7);
  for (size_t i = 0; i < sizeof seed; i++)
    seed[i] = (uint8_t) (i * 5 + 1);

  for (size_t len = 1; len <= sizeof seed; len += 31)
    {
      const struct prf_input input = { .secret = TAP_BYTES (secret), .label = { seed, len } };
      uint8_t ours[104], theirs[104];

      CHECK (prf (crypto, HASH_SHA384, &input, ours, sizeof ours));
      CHECK (prf_of_libcrypto (secret, sizeof secret, seed, len, theirs, sizeof theirs));
      CHECK (memcmp (ours, theirs, sizeof ours) == 0);
    }
}

/* RFC 5705 §4: an exporter's context may have 2^16 - 1 bytes. */
static void
test_long_seed (void)
{
  static uint8_t context[UINT16_MAX];
  const struct prf_input input = { .secret = TAP_STRING ("secret"),
                                   .label = TAP_STRING ("EXPERIMENTAL"),
                                   .seeds = { TAP_BYTES (context) } };
  uint8_t with_zero[32], with_one[32];

  CHECK (prf (crypto, HASH_SHA256, &input, with_zero, sizeof with_zero));
  context[sizeof context - 1] = 1;
  CHECK (prf (crypto, HASH_SHA256, &input, with_one, sizeof with_one));
  CHECK (memcmp (with_zero, with_one, sizeof with_one) != 0);
}

static const struct tap_test tests[] = {
  { "/crypto/kdf/prf-gives-the-known-answers-at-every-length", test_vectors },
  { "/crypto/kdf/prf-joins-its-seeds", test_seeds },
  { "/crypto/kdf/prf-takes-nothing", test_empty },
  { "/crypto/kdf/prf-agrees-with-libcrypto", test_against_libcrypto },
  { "/crypto/kdf/prf-takes-a-long-context", test_long_seed },
};

int
main (void)
{
  int status;

  crypto = dtls_crypto_new ();
  if (crypto == NULL)
    return EXIT_FAILURE;
  status = tap_run (tests, TAP_N (tests));
  dtls_crypto_free (crypto);

  return status;
}
