/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Masks for record numbers: the known answers of QUIC, which hides its numbers in the same way, and
 * of the ciphers themselves; each mask independent of those before it; and no allocation. */

#include "crypto/number_mask.h"

#include "crypto/hex.h"
#include "crypto/lent.h"
#include "dtls.h"
#include "heap.h"
#include "tap.h"

#include <openssl/err.h>

enum
{
  N_ALGORITHMS = AEAD_AES_128_CCM_8 + 1,
};

static const char *const names[N_ALGORITHMS] = {
  "AES-128 of GCM", "AES-256", "ChaCha20", "AES-128 of CCM", "AES-128 of CCM-8",
};

struct vector
{
  const char *source;
  enum aead_algorithm algorithm;
  const char *key;
  const char *sample;
  const char *mask;
};

#define KEY_128 "000102030405060708090a0b0c0d0e0f"
#define KEY_256 KEY_128 "101112131415161718191a1b1c1d1e1f"

static const struct vector vectors[] = {
  { "RFC 9001 appendix A.2", AEAD_AES_128_GCM, "9f50449e04a0e810283a1e9933adedd2",
    "d1b1c98dd7689fb8ec11d242b123dc9b", "437b" },
  { "RFC 9001 appendix A.3", AEAD_AES_128_GCM, "c206b8d9b9f0f37644430b490eeaa314",
    "2cd0991cd25b0aac406a5816b6394100", "2ec0" },
  { "FIPS 197 appendix C.1", AEAD_AES_128_GCM, KEY_128, "00112233445566778899aabbccddeeff",
    "69c4" },
  { "FIPS 197 appendix C.3", AEAD_AES_256_GCM, KEY_256, "00112233445566778899aabbccddeeff",
    "8ea2" },
  { "FIPS 197 appendix C.1", AEAD_AES_128_CCM, KEY_128, "00112233445566778899aabbccddeeff",
    "69c4" },
  { "FIPS 197 appendix C.1", AEAD_AES_128_CCM_8, KEY_128, "00112233445566778899aabbccddeeff",
    "69c4" },
  { "RFC 9001 appendix A.5", AEAD_CHACHA20_POLY1305,
    "25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4",
    "5e5cd55c41f69080575d7999c25a5bfb", "aefe" },
  /* Its block counter is 1: the least significant byte of it comes first. */
  { "RFC 8439 §2.3.2", AEAD_CHACHA20_POLY1305, KEY_256, "01000000 000000090000004a00000000",
    "10f1" },
};

static struct number_mask *
mask_new (enum aead_algorithm algorithm, const uint8_t *key)
{
  struct number_mask *mask = number_mask_new (crypto, algorithm, key);

  if (mask == NULL)
    {
      printf ("Bail out! no %s\n", names[algorithm]);
      exit (EXIT_FAILURE);
    }
  return mask;
}

static void
test_vectors (void)
{
  for (size_t i = 0; i < TAP_N (vectors); i++)
    {
      const struct vector *v = &vectors[i];
      struct hex key, sample_place, expected;
      struct bytes sample = hex_read (&sample_place, v->sample);
      struct number_mask *mask = mask_new (v->algorithm, hex_read (&key, v->key).at);
      uint8_t out[NUMBER_MASK_LEN + 1] = { 0, 0, 0xa5 };

      tap_set_row (v->source);
      CHECK_UINT (sample.left, NUMBER_SAMPLE_LEN);
      CHECK (number_mask_make (mask, sample.at, out));
      CHECK_BYTES (((struct bytes){ out, NUMBER_MASK_LEN }), hex_read (&expected, v->mask));
      CHECK_UINT (out[NUMBER_MASK_LEN], 0xa5);
      number_mask_free (mask);
    }
  number_mask_free (NULL);
}

/* A receiver meets samples in any order, each possibly again. */
static void
test_independent (void)
{
  static const uint8_t key[MAX_AEAD_KEY_LEN] = { 7 };
  uint8_t first[256][NUMBER_MASK_LEN];

  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      struct number_mask *mask = mask_new (algorithm, key);

      tap_set_row (names[algorithm]);
      for (unsigned i = 0; i < 256; i++)
        {
          const uint8_t sample[NUMBER_SAMPLE_LEN] = { (uint8_t) i, 1, 2, 3, 4 };
          struct number_mask *fresh = mask_new (algorithm, key);

          CHECK (number_mask_make (fresh, sample, first[i]));
          number_mask_free (fresh);
        }
      for (unsigned n = 0; n < 512; n++)
        {
          const unsigned i = n * 167 % 256;
          const uint8_t sample[NUMBER_SAMPLE_LEN] = { (uint8_t) i, 1, 2, 3, 4 };
          uint8_t out[NUMBER_MASK_LEN];

          CHECK (number_mask_make (mask, sample, out));
          CHECK_BYTES (TAP_BYTES (out), TAP_BYTES (first[i]));
        }
      number_mask_free (mask);
    }
}

/* Every byte of sample and key counts. */
static void
test_differs (void)
{
  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      uint8_t key[MAX_AEAD_KEY_LEN] = { 0 };
      uint8_t sample[NUMBER_SAMPLE_LEN] = { 0 };
      struct number_mask *mask = mask_new (algorithm, key);
      uint8_t plain[NUMBER_MASK_LEN], out[NUMBER_MASK_LEN];

      tap_set_row (names[algorithm]);
      CHECK (number_mask_make (mask, sample, plain));
      for (size_t i = 0; i < sizeof sample; i++)
        {
          sample[i] = 1;
          CHECK (number_mask_make (mask, sample, out));
          CHECK (memcmp (out, plain, sizeof out) != 0);
          sample[i] = 0;
        }
      number_mask_free (mask);

      for (size_t i = 0; i < aead_key_len (algorithm); i++)
        {
          key[i] = 1;
          mask = mask_new (algorithm, key);
          CHECK (number_mask_make (mask, sample, out));
          CHECK (memcmp (out, plain, sizeof out) != 0);
          number_mask_free (mask);
          key[i] = 0;
        }
    }
}

/* A thousand records take nothing from the heap, and leave no error behind for the other users of
 * libcrypto in this thread. */
static void
test_steady_state (void)
{
  static const uint8_t key[MAX_AEAD_KEY_LEN] = { 3 };

  if (!CHECK (heap_is_counted ()))
    return;

  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      struct number_mask *mask = mask_new (algorithm, key);
      uint8_t sample[NUMBER_SAMPLE_LEN] = { 0 };
      uint8_t out[NUMBER_MASK_LEN];
      bool is_good = true;
      size_t n_taken;

      ERR_clear_error ();
      heap_reset ();
      for (int i = 0; i < 1000; i++)
        {
          sample[i % NUMBER_SAMPLE_LEN]++;
          is_good &= number_mask_make (mask, sample, out);
        }
      n_taken = heap.n_allocations;

      tap_set_row (names[algorithm]);
      CHECK (is_good);
      CHECK_UINT (n_taken, 0);
      CHECK_UINT (ERR_peek_error (), 0);
      number_mask_free (mask);
    }
}

static const struct tap_test tests[] = {
  { "/crypto/number-mask/gives-the-known-answers", test_vectors },
  { "/crypto/number-mask/forgets-the-samples-before", test_independent },
  { "/crypto/number-mask/is-of-the-whole-sample-and-key", test_differs },
  { "/crypto/number-mask/allocates-nothing-per-record", test_steady_state },
};

LENT_MAIN (tests)
