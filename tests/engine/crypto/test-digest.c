/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Hashes (FIPS 180-4 examples), HMAC (RFC 4231), comparison and wiping. */

#include "crypto/digest.h"

#include "crypto/hex.h"
#include "crypto/lent.h"
#include "dtls.h"
#include "tap.h"

struct hash_case
{
  const char *input;
  enum hash hash;
  const char *expected;
};

static const struct hash_case hash_cases[] = {
  { "", HASH_SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
  { "abc", HASH_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
  { "abc", HASH_SHA384,
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
    "8086072ba1e7cc2358baeca134c825a7" },
  { "abc", HASH_SHA512,
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

static struct bytes
text_bytes (const char *text)
{
  return (struct bytes){ (const uint8_t *) text, strlen (text) };
}

static void
test_hashes (void)
{
  for (size_t i = 0; i < TAP_N (hash_cases); i++)
    {
      const struct hash_case *c = &hash_cases[i];
      uint8_t out[MAX_HASH_LEN];
      struct hex expected;

      tap_set_row (c->expected);
      if (CHECK (hash_once (crypto, c->hash, text_bytes (c->input), out)))
        CHECK_BYTES (((struct bytes){ out, hash_len (c->hash) }),
                     hex_read (&expected, c->expected));
    }
}

static void
test_empty_null (void)
{
  struct digest *digest = digest_new (crypto, HASH_SHA256);
  uint8_t once[MAX_HASH_LEN], peeked[MAX_HASH_LEN];
  struct hex expected;

  if (!CHECK (digest != NULL))
    return;

  hex_read (&expected, hash_cases[0].expected);
  CHECK (hash_once (crypto, HASH_SHA256, (struct bytes){ NULL, 0 }, once));
  CHECK (digest_update (digest, (struct bytes){ NULL, 0 }));
  CHECK (digest_peek (digest, peeked));
  CHECK (memcmp (once, expected.at, 32) == 0);
  CHECK (memcmp (peeked, expected.at, 32) == 0);
  digest_free (digest);
}

/* Peeking after each byte is hashing what is there so far. */
static void
test_peek (void)
{
  static const char text[] = "a transcript is hashed while it grows";

  for (enum hash hash = HASH_SHA256; hash <= HASH_SHA512; hash++)
    {
      struct digest *digest = digest_new (crypto, hash);

      if (!CHECK (digest != NULL))
        return;
      for (size_t len = 0; len < sizeof text; len++)
        {
          uint8_t peeked[MAX_HASH_LEN], again[MAX_HASH_LEN], once[MAX_HASH_LEN];

          CHECK (digest_peek (digest, peeked) && digest_peek (digest, again));
          CHECK (hash_once (crypto, hash, (struct bytes){ (const uint8_t *) text, len }, once));
          CHECK (memcmp (peeked, once, hash_len (hash)) == 0);
          CHECK (memcmp (again, once, hash_len (hash)) == 0);
          CHECK (digest_update (digest, (struct bytes){ (const uint8_t *) text + len, 1 }));
        }
      digest_free (digest);
    }
  digest_free (NULL);
}

struct hmac_case
{
  const char *key;
  const char *data;
  const char *expected[3]; /* by enum hash */
};

/* RFC 4231 §4.2, §4.3, §4.7 */
static const struct hmac_case hmac_cases[] = {
  { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
    "4869205468657265",
    { "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
      "faea9ea9076ede7f4af152e8b2fa9cb6",
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
      "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" } },
  { "4a656665",
    "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
    { "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
      "8e2240ca5e69e2c78b3239ecfab21649",
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" } },
  { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaa",
    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
    "48617368204b6579204669727374",
    { "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
      "0c2ef6ab4030fe8296248df163f44952",
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
      "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" } },
};

/* Whole, and in two parts wherever it is cut. */
static void
check_hmac (const struct hmac_case *c, enum hash hash)
{
  struct hex key_place, data_place, expected_place;
  struct bytes data = hex_read (&data_place, c->data);
  struct bytes expected = hex_read (&expected_place, c->expected[hash]);

  for (size_t cut = 0; cut <= data.left; cut++)
    {
      const struct bytes parts[] = { { data.at, cut }, { data.at + cut, data.left - cut } };
      const struct hmac_input input = { hex_read (&key_place, c->key), parts, 2 };
      uint8_t out[MAX_HASH_LEN];

      if (CHECK (hmac_once (crypto, hash, &input, out)))
        CHECK_BYTES (((struct bytes){ out, hash_len (hash) }), expected);
    }
}

static void
test_hmac (void)
{
  for (size_t i = 0; i < TAP_N (hmac_cases); i++)
    for (enum hash hash = HASH_SHA256; hash <= HASH_SHA512; hash++)
      {
        tap_set_row (hmac_cases[i].expected[hash]);
        check_hmac (&hmac_cases[i], hash);
      }
}

/* HMAC fills a key up with zeros, so that one zero and none are the same key. */
static void
test_hmac_empty_key (void)
{
  static const uint8_t zero[1];
  const struct bytes part = TAP_STRING ("data");
  const struct hmac_input with_none = { { NULL, 0 }, &part, 1 };
  const struct hmac_input with_zero = { { zero, 1 }, &part, 1 };
  const struct hmac_input with_other = { part, &part, 1 };
  uint8_t none[32], one[32], other[32];

  CHECK (hmac_once (crypto, HASH_SHA256, &with_other, other));
  CHECK (hmac_once (crypto, HASH_SHA256, &with_none, none));
  CHECK (hmac_once (crypto, HASH_SHA256, &with_zero, one));
  CHECK (memcmp (none, one, sizeof none) == 0);
  CHECK (memcmp (none, other, sizeof none) != 0);
}

static void
test_equal (void)
{
  uint8_t a[64] = { 0 }, b[64] = { 0 };

  CHECK (equal_constant_time (a, b, 0));
  CHECK (equal_constant_time (a, b, sizeof a));
  for (unsigned bit = 0; bit < 8 * sizeof a; bit++)
    {
      b[bit / 8] ^= (uint8_t) (1 << bit % 8);
      CHECK (!equal_constant_time (a, b, sizeof a));
      CHECK (equal_constant_time (a, b, bit / 8));
      b[bit / 8] = 0;
    }
}

static void
test_wipe (void)
{
  uint8_t secret[16];

  memset (secret, 0xa5, sizeof secret);
  wipe (secret + 1, sizeof secret - 2);
  CHECK_UINT (secret[0], 0xa5);
  CHECK_UINT (secret[15], 0xa5);
  for (size_t i = 1; i < sizeof secret - 1; i++)
    CHECK_UINT (secret[i], 0);

  wipe (secret, 0);
  CHECK_UINT (secret[0], 0xa5);
  wipe_free (malloc (16), 16);
  wipe_free (NULL, 16);
}

static const struct tap_test tests[] = {
  { "/crypto/digest/hashes-as-fips-180-says", test_hashes },
  { "/crypto/digest/hashes-nothing", test_empty_null },
  { "/crypto/digest/peeks-and-goes-on", test_peek },
  { "/crypto/digest/hmac-as-rfc-4231-says", test_hmac },
  { "/crypto/digest/hmac-takes-an-empty-key", test_hmac_empty_key },
  { "/crypto/digest/sees-every-differing-bit", test_equal },
  { "/crypto/digest/wipes-what-it-is-told-to", test_wipe },
};

LENT_MAIN (tests)
