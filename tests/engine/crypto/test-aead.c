/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sealing and opening: known answers (NIST's GCM test cases and CCM example, RFC 8439), every short
 * length, every flipped bit, parts cut anywhere, and no allocation. */

#include "crypto/aead.h"

#include "crypto/hex.h"
#include "crypto/lent.h"
#include "dtls.h"
#include "heap.h"
#include "tap.h"

#include <openssl/err.h>

enum
{
  N_ALGORITHMS = AEAD_AES_128_CCM_8 + 1,
  MAX_SEALED_LEN = 2048,
};

static const char *const names[N_ALGORITHMS] = {
  "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-128-CCM", "AES-128-CCM-8",
};

/* Both directions under one key. */
struct both
{
  struct aead *sealer;
  struct aead *opener;
  size_t tag_len;
};

static struct both
both_new (enum aead_algorithm algorithm, const uint8_t *key)
{
  struct both both = { aead_new (crypto, algorithm, AEAD_SEALS, key),
                       aead_new (crypto, algorithm, AEAD_OPENS, key), aead_tag_len (algorithm) };

  if (both.sealer == NULL || both.opener == NULL)
    {
      printf ("Bail out! no %s\n", names[algorithm]);
      exit (EXIT_FAILURE);
    }
  return both;
}

static void
both_free (const struct both *both)
{
  aead_free (both->sealer);
  aead_free (both->opener);
}

static const uint8_t some_key[MAX_AEAD_KEY_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const uint8_t some_nonce[AEAD_NONCE_LEN] = { 9, 8, 7, 6 };
static const struct aead_input some_input = { some_nonce,
                                              { (const uint8_t *) "thirteen byte", 13 } };

struct vector
{
  enum aead_algorithm algorithm;
  const char *key;
  const char *nonce;
  const char *additional;
  const char *plain;
  const char *sealed;
};

#define ZERO_16 "00000000000000000000000000000000"
#define ZERO_12 "000000000000000000000000"
#define GCM_KEY "feffe9928665731c6d6a8f9467308308"
#define GCM_PLAIN                                                                                  \
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                               \
  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_ADDITIONAL "feedfacedeadbeeffeedfacedeadbeefabaddad2"

#define CCM_KEY "404142434445464748494a4b4c4d4e4f"
#define CCM_NONCE "101112131415161718191a1b"
#define CCM_ADDITIONAL "000102030405060708090a0b0c0d0e0f10111213"
#define CCM_PLAIN "202122232425262728292a2b2c2d2e2f3031323334353637"

/* The test cases 1, 2, 4, 13 and 16 of the GCM specification; RFC 8439 §2.8.2; example 3 of SP
 * 800-38C, its like with a tag of 16 bytes, and both without plaintext, by a CCM written in Python
 * over AES alone that gives the example, too. */
static const struct vector vectors[] = {
  { AEAD_AES_128_GCM, ZERO_16, ZERO_12, "", "", "58e2fccefa7e3061367f1d57a4e7455a" },
  { AEAD_AES_128_GCM, ZERO_16, ZERO_12, "", ZERO_16,
    "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf" },
  { AEAD_AES_128_GCM, GCM_KEY, "cafebabefacedbaddecaf888", GCM_ADDITIONAL, GCM_PLAIN,
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
    "5bc94fbc3221a5db94fae95ae7121a47" },
  { AEAD_AES_256_GCM, ZERO_16 ZERO_16, ZERO_12, "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
  { AEAD_AES_256_GCM, GCM_KEY GCM_KEY, "cafebabefacedbaddecaf888", GCM_ADDITIONAL, GCM_PLAIN,
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
    "76fc6ece0f4e1768cddf8853bb2d551b" },
  { AEAD_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
    "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
    "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
    "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
    "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
    "637265656e20776f756c642062652069742e",
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
    "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
    "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
    "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691" },
  { AEAD_AES_128_CCM_8, CCM_KEY, CCM_NONCE, CCM_ADDITIONAL, CCM_PLAIN,
    "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951" },
  { AEAD_AES_128_CCM_8, CCM_KEY, CCM_NONCE, "", "", "68e23e70e7b69aae" },
  { AEAD_AES_128_CCM, CCM_KEY, CCM_NONCE, CCM_ADDITIONAL, CCM_PLAIN,
    "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5c87ae488918de93f17dd3e4934347f44" },
  { AEAD_AES_128_CCM, CCM_KEY, CCM_NONCE, CCM_ADDITIONAL, "", "551d5d5f39de73135b5b67518627e990" },
};

static void
test_vectors (void)
{
  for (size_t i = 0; i < TAP_N (vectors); i++)
    {
      const struct vector *v = &vectors[i];
      struct hex key, nonce, additional, plain_place, sealed_place;
      struct bytes plain = hex_read (&plain_place, v->plain);
      struct bytes sealed = hex_read (&sealed_place, v->sealed);
      struct both both = both_new (v->algorithm, hex_read (&key, v->key).at);
      struct aead_input input = { hex_read (&nonce, v->nonce).at,
                                  hex_read (&additional, v->additional) };
      uint8_t out[MAX_HEX_LEN];

      tap_set_row (v->sealed);
      CHECK_UINT (strlen (v->key) / 2, aead_key_len (v->algorithm));
      CHECK_UINT (sealed.left - plain.left, aead_tag_len (v->algorithm));
      /* Twice: nothing is left over from the first time. */
      for (int turn = 0; turn < 2; turn++)
        {
          CHECK (aead_seal (both.sealer, &input, &plain, 1, out));
          CHECK_BYTES (((struct bytes){ out, sealed.left }), sealed);
          CHECK (aead_open (both.opener, &input, out, sealed.left));
          CHECK_BYTES (((struct bytes){ out, plain.left }), plain);
        }
      both_free (&both);
    }
}

/* What is too short for a tag, and what is long enough but was never sealed. */
static void
test_short (void)
{
  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      struct both both = both_new (algorithm, some_key);

      tap_set_row (names[algorithm]);
      for (size_t len = 0; len <= 64; len++)
        {
          uint8_t *record = malloc (len > 0 ? len : 1);

          memset (record, 0x5a, len);
          CHECK (!aead_open (both.opener, &some_input, record, len));
          for (size_t i = 0; i < len; i++)
            CHECK_UINT (record[i], len < aead_tag_len (algorithm) ? 0x5a : 0);
          free (record);
        }
      both_free (&both);
    }
}

/* Each bit of record, nonce and additional data. */
static void
check_tampering (const struct both *both, size_t plain_len)
{
  static const uint8_t zeros[64];
  uint8_t plain[64], sealed[64 + MAX_AEAD_TAG_LEN], copy[sizeof sealed];
  uint8_t header[AEAD_NONCE_LEN + 13];
  const struct aead_input input = { header, { header + AEAD_NONCE_LEN, 13 } };
  const struct bytes part = { plain, plain_len };
  size_t len = plain_len + both->tag_len;

  memset (plain, 'p', sizeof plain);
  memset (header, 'h', sizeof header);
  CHECK (aead_seal (both->sealer, &input, &part, 1, sealed));

  for (size_t bit = 0; bit < 8 * (len + sizeof header); bit++)
    {
      uint8_t *target = bit / 8 < len ? &copy[bit / 8] : &header[bit / 8 - len];

      memcpy (copy, sealed, len);
      *target ^= (uint8_t) (1 << bit % 8);
      CHECK (!aead_open (both->opener, &input, copy, len));
      CHECK (memcmp (copy, zeros, plain_len) == 0);
      if (bit / 8 >= len)
        *target ^= (uint8_t) (1 << bit % 8);
    }

  for (size_t shorter = 0; shorter < len; shorter++)
    {
      memcpy (copy, sealed, len);
      CHECK (!aead_open (both->opener, &input, copy, shorter));
    }

  /* All these failures have left the context as good as before. */
  CHECK (aead_open (both->opener, &input, sealed, len));
  CHECK (memcmp (sealed, plain, plain_len) == 0);
}

static void
test_tampering (void)
{
  static const size_t lens[] = { 0, 1, 15, 16, 17, 64 };

  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      struct both both = both_new (algorithm, some_key);

      tap_set_row (names[algorithm]);
      for (size_t i = 0; i < TAP_N (lens); i++)
        check_tampering (&both, lens[i]);
      both_free (&both);
    }
}

/* However the plaintext is cut, and also when its last part stands where it will be sealed. */
static void
check_parts (const struct both *both, const uint8_t *plain, size_t len)
{
  uint8_t whole[MAX_SEALED_LEN], out[MAX_SEALED_LEN];
  const struct bytes all = { plain, len };

  CHECK (aead_seal (both->sealer, &some_input, &all, 1, whole));
  for (size_t cut = 0; cut <= len; cut++)
    {
      const struct bytes parts[] = { { plain, cut / 2 },
                                     { plain + cut / 2, cut - cut / 2 },
                                     { plain + cut, len - cut } };
      const struct bytes in_place[] = { { plain, cut }, { out + cut, len - cut } };

      CHECK (aead_seal (both->sealer, &some_input, parts, 3, out));
      CHECK (memcmp (out, whole, len + both->tag_len) == 0);

      memcpy (out + cut, plain + cut, len - cut);
      CHECK (aead_seal (both->sealer, &some_input, in_place, 2, out));
      CHECK (memcmp (out, whole, len + both->tag_len) == 0);
    }

  CHECK (aead_open (both->opener, &some_input, whole, len + both->tag_len));
  CHECK (memcmp (whole, plain, len) == 0);
}

static void
test_parts (void)
{
  static const size_t lens[] = { 0, 1, 16, 63, 64, 65, 300 };
  uint8_t plain[300];

  for (size_t i = 0; i < sizeof plain; i++)
    plain[i] = (uint8_t) i;

  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      struct both both = both_new (algorithm, some_key);

      tap_set_row (names[algorithm]);
      for (size_t i = 0; i < TAP_N (lens); i++)
        check_parts (&both, plain, lens[i]);
      both_free (&both);
    }
}

/* No parts at all are an empty plaintext; and no additional data is not the same as some. */
static void
test_nothing (void)
{
  const struct aead_input bare = { some_nonce, { NULL, 0 } };
  const struct bytes nothing = { NULL, 0 };

  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      struct both both = both_new (algorithm, some_key);
      uint8_t none[MAX_AEAD_TAG_LEN], empty[MAX_AEAD_TAG_LEN];

      tap_set_row (names[algorithm]);
      CHECK (aead_seal (both.sealer, &bare, NULL, 0, none));
      CHECK (aead_seal (both.sealer, &bare, &nothing, 1, empty));
      CHECK (memcmp (none, empty, both.tag_len) == 0);
      CHECK (aead_open (both.opener, &bare, none, both.tag_len));
      CHECK (!aead_open (both.opener, &some_input, empty, both.tag_len));
      both_free (&both);
    }
}

/* A key, a nonce or an algorithm makes a difference. */
static void
test_differs (void)
{
  static const uint8_t other_key[MAX_AEAD_KEY_LEN] = { 1, 2, 3, 4, 5, 6, 7, 9 };
  const struct bytes part = TAP_STRING ("the same plaintext");

  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      struct both both = both_new (algorithm, some_key);
      struct both other = both_new (algorithm, other_key);
      uint8_t sealed[MAX_SEALED_LEN];

      tap_set_row (names[algorithm]);
      CHECK (aead_seal (both.sealer, &some_input, &part, 1, sealed));
      CHECK (!aead_open (other.opener, &some_input, sealed, part.left + both.tag_len));
      both_free (&both);
      both_free (&other);
    }
  aead_free (NULL);
}

enum
{
  STEADY_LEN = 1200,
};

/* Seals and opens records, or flips a bit of each in between. False if one opened that was not to, or
 * the other way around. */
static bool
run_records (const struct both *both, bool flips)
{
  static uint8_t record[STEADY_LEN + MAX_AEAD_TAG_LEN];
  const struct bytes parts[] = { { record, 200 }, { record + 200, STEADY_LEN - 200 } };
  bool is_good = true;

  for (int i = 0; i < 1000; i++)
    {
      is_good &= aead_seal (both->sealer, &some_input, parts, 2, record);
      record[0] ^= flips;
      is_good &= aead_open (both->opener, &some_input, record, STEADY_LEN + both->tag_len) != flips;
    }

  return is_good;
}

/* A thousand records take nothing from the heap (with AES-CCM, only those that are not refused), and
 * leave no error behind for the other users of libcrypto in this thread. */
static void
test_steady_state (void)
{
  if (!CHECK (heap_is_counted ()))
    return;

  for (int algorithm = 0; algorithm < N_ALGORITHMS; algorithm++)
    {
      bool is_ccm = algorithm == AEAD_AES_128_CCM || algorithm == AEAD_AES_128_CCM_8;
      struct both both = both_new (algorithm, some_key);

      tap_set_row (names[algorithm]);
      ERR_clear_error ();
      heap_reset ();
      CHECK (run_records (&both, false));
      CHECK_UINT (heap.n_allocations, 0);
      CHECK (run_records (&both, true));
      CHECK (is_ccm || heap.n_allocations == 0);
      CHECK_UINT (ERR_peek_error (), 0);
      both_free (&both);
    }
}

static const struct tap_test tests[] = {
  { "/crypto/aead/gives-the-known-answers", test_vectors },
  { "/crypto/aead/refuses-every-length-to-64", test_short },
  { "/crypto/aead/refuses-every-flipped-bit-and-truncation", test_tampering },
  { "/crypto/aead/seals-parts-as-one", test_parts },
  { "/crypto/aead/seals-nothing", test_nothing },
  { "/crypto/aead/refuses-another-key", test_differs },
  { "/crypto/aead/allocates-nothing-per-record", test_steady_state },
};

LENT_MAIN (tests)
