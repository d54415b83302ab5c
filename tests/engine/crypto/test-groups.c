/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Key exchange: both sides agree, with the keys of RFC 7748 and RFC 5903 too, and every public
 * value that may not be is refused, by whoever comes second as well. The hybrid group's tests are
 * in test-groups-hybrid.c. */

#include "crypto/groups.h"

#include "crypto/hex.h"
#include "crypto/lent.h"
#include "dtls.h"
#include "tap.h"
#include "wire/codepoints.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

struct group_facts
{
  uint16_t group;
  const char *name;
  size_t public_len;
  size_t shared_len;
};

static const struct group_facts facts[] = {
  { GROUP_SECP256R1, "P-256", 65, 32 },
  { GROUP_SECP384R1, "P-384", 97, 48 },
  { GROUP_X25519, "X25519", 32, 32 },
};

static void
test_agree (void)
{
  for (size_t i = 0; i < TAP_N (facts); i++)
    {
      struct key_share *a = key_share_new (crypto, facts[i].group);
      struct key_share *b = key_share_new (crypto, facts[i].group);
      uint8_t from_a[MAX_SHARED_LEN], from_b[MAX_SHARED_LEN];
      size_t a_len, b_len;

      tap_set_row (facts[i].name);
      if (!CHECK (a != NULL && b != NULL))
        continue;
      CHECK_UINT (key_share_group (a), facts[i].group);
      CHECK_UINT (key_share_public (a).left, facts[i].public_len);
      /* Fresh each time. */
      CHECK (memcmp (key_share_public (a).at, key_share_public (b).at, facts[i].public_len) != 0);
      CHECK_UINT (key_share_agree (a, key_share_public (b), from_a, &a_len), DTLS_OK);
      CHECK_UINT (key_share_agree (b, key_share_public (a), from_b, &b_len), DTLS_OK);
      CHECK_UINT (a_len, facts[i].shared_len);
      CHECK_BYTES (((struct bytes){ from_a, a_len }), ((struct bytes){ from_b, b_len }));
      key_share_free (a);
      key_share_free (b);
    }
  key_share_free (NULL);
}

/* Only the one who comes first keeps a key. */
static void
test_answer (void)
{
  for (size_t i = 0; i < TAP_N (facts); i++)
    {
      struct key_share *first = key_share_new (crypto, facts[i].group);
      struct key_share *second, *another;
      uint8_t memory[1 + 2 * MAX_SHARED_LEN] = { 0xa5 }, from_first[MAX_SHARED_LEN];
      struct dtls_buffer secret = { memory, sizeof memory, 1 };
      size_t len;

      tap_set_row (facts[i].name);
      CHECK_UINT (
          key_share_answer (crypto, facts[i].group, key_share_public (first), &second, &secret),
          DTLS_OK);
      CHECK_UINT (secret.used, 1 + facts[i].shared_len);
      CHECK_UINT (memory[0], 0xa5);
      CHECK_UINT (key_share_group (second), facts[i].group);
      CHECK_UINT (key_share_public (second).left, facts[i].public_len);
      CHECK_UINT (key_share_agree (first, key_share_public (second), from_first, &len), DTLS_OK);
      CHECK_BYTES (((struct bytes){ from_first, len }),
                   ((struct bytes){ memory + 1, secret.used - 1 }));

      /* Fresh each time, and appended. */
      CHECK_UINT (
          key_share_answer (crypto, facts[i].group, key_share_public (first), &another, &secret),
          DTLS_OK);
      CHECK_UINT (secret.used, 1 + 2 * facts[i].shared_len);
      CHECK (
          memcmp (key_share_public (second).at, key_share_public (another).at, facts[i].public_len)
          != 0);
      CHECK (memcmp (memory + 1, from_first, len) == 0);
      CHECK (memcmp (memory + 1 + len, from_first, len) != 0);
      key_share_free (another);
      key_share_free (second);
      key_share_free (first);
    }
}

/* Not a byte is written beyond the buffer's end. */
static void
test_answer_without_room (void)
{
  struct key_share *peer = key_share_new (crypto, GROUP_X25519);
  uint8_t memory[MAX_SHARED_LEN] = { 0 };
  struct dtls_buffer secret = { memory, sizeof memory - 1, 0 };
  struct key_share *share = peer;

  CHECK_UINT (key_share_answer (crypto, GROUP_X25519, key_share_public (peer), &share, &secret),
              DTLS_ERROR_CRYPTO);
  CHECK (share == NULL);
  CHECK_UINT (secret.used, 0);
  key_share_free (peer);
}

static void
test_unknown_group (void)
{
  static const uint16_t others[] = { 0, 22, 25, 28, 30, 256, 0x11eb, 0x11ed, 0xffff };

  static const uint8_t value[MAX_ECDH_PUBLIC_LEN];
  uint8_t memory[MAX_SHARED_LEN];
  struct dtls_buffer secret = { memory, sizeof memory, 0 };
  struct key_share *share;

  for (size_t i = 0; i < TAP_N (others); i++)
    {
      CHECK (key_share_new (crypto, others[i]) == NULL);
      CHECK_UINT (key_share_answer (crypto, others[i], TAP_BYTES (value), &share, &secret),
                  DTLS_ERROR_CRYPTO);
      CHECK (share == NULL);
      CHECK_UINT (secret.used, 0);
    }
}

/* A peer whose private key is a known one, made by libcrypto alone. */
struct known
{
  uint16_t group;
  const char *curve; /* NULL: X25519 */
  const char *private_key;
  const char *public_value;
};

/* RFC 7748 §6.1, Alice's and Bob's; RFC 5903 §8.1, §8.2, the initiators' */
static const struct known knowns[] = {
  { GROUP_X25519, NULL, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a" },
  { GROUP_X25519, NULL, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f" },
  { GROUP_SECP256R1, "P-256", "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
    "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
    "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3" },
  { GROUP_SECP384R1, "P-384",
    "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab1"
    "94",
    "04667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f"
    "41aa"
    "9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a8"
    "1c" },
};

static EVP_PKEY *
known_ec_key (const struct known *known)
{
  struct hex private_place, public_place;
  struct bytes private_key = hex_read (&private_place, known->private_key);
  struct bytes public_value = hex_read (&public_place, known->public_value);
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name (NULL, "EC", NULL);
  BIGNUM *number = BN_bin2bn (private_key.at, (int) private_key.left, NULL);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new ();
  OSSL_PARAM *params;
  EVP_PKEY *pkey = NULL;

  OSSL_PARAM_BLD_push_utf8_string (builder, OSSL_PKEY_PARAM_GROUP_NAME, known->curve, 0);
  OSSL_PARAM_BLD_push_BN (builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
  OSSL_PARAM_BLD_push_octet_string (builder, OSSL_PKEY_PARAM_PUB_KEY, public_value.at,
                                    public_value.left);
  params = OSSL_PARAM_BLD_to_param (builder);
  EVP_PKEY_fromdata_init (ctx);
  EVP_PKEY_fromdata (ctx, &pkey, EVP_PKEY_KEYPAIR, params);

  OSSL_PARAM_free (params);
  OSSL_PARAM_BLD_free (builder);
  BN_free (number);
  EVP_PKEY_CTX_free (ctx);
  return pkey;
}

static EVP_PKEY *
known_key (const struct known *known)
{
  struct hex place;
  struct bytes private_key = hex_read (&place, known->private_key);

  if (known->curve != NULL)
    return known_ec_key (known);
  return EVP_PKEY_new_raw_private_key (EVP_PKEY_X25519, NULL, private_key.at, private_key.left);
}

static EVP_PKEY *
public_of (const struct known *known, struct bytes public_value)
{
  EVP_PKEY *pkey;

  if (known->curve == NULL)
    return EVP_PKEY_new_raw_public_key (EVP_PKEY_X25519, NULL, public_value.at, public_value.left);

  pkey = known_key (known);
  if (pkey != NULL)
    EVP_PKEY_set1_encoded_public_key (pkey, public_value.at, public_value.left);
  return pkey;
}

static size_t
derive (EVP_PKEY *ours, EVP_PKEY *theirs, uint8_t *out)
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey (NULL, ours, NULL);
  size_t len = MAX_SHARED_LEN;
  bool is_done = EVP_PKEY_derive_init (ctx) == 1 && EVP_PKEY_derive_set_peer (ctx, theirs) == 1
                 && EVP_PKEY_derive (ctx, out, &len) == 1;

  EVP_PKEY_CTX_free (ctx);
  return is_done ? len : 0;
}

static void
test_known_peers (void)
{
  for (size_t i = 0; i < TAP_N (knowns); i++)
    {
      struct key_share *share = key_share_new (crypto, knowns[i].group);
      EVP_PKEY *peer = known_key (&knowns[i]);
      EVP_PKEY *ours = public_of (&knowns[i], key_share_public (share));
      struct hex place;
      uint8_t got[MAX_SHARED_LEN], expected[MAX_SHARED_LEN];
      size_t len;

      tap_set_row (knowns[i].public_value);
      CHECK_UINT (key_share_agree (share, hex_read (&place, knowns[i].public_value), got, &len),
                  DTLS_OK);
      CHECK_BYTES (((struct bytes){ got, len }),
                   ((struct bytes){ expected, derive (peer, ours, expected) }));
      EVP_PKEY_free (ours);
      EVP_PKEY_free (peer);
      key_share_free (share);
    }
}

/* `peer` is refused with illegal_parameter on both ways, and nothing of a secret is left in the
 * output. */
static void
check_refused (struct key_share *share, struct bytes peer)
{
  static const uint8_t zeros[MAX_SHARED_LEN];
  uint8_t out[MAX_SHARED_LEN];
  struct dtls_buffer secret = { out, sizeof out, 0 };
  struct key_share *answer = share;
  size_t len = 1;

  memset (out, 0xa5, sizeof out);
  if (!CHECK_UINT (key_share_agree (share, peer, out, &len), DTLS_ERROR_ILLEGAL_PARAMETER))
    tap_dump ("peer", peer);
  CHECK_UINT (len, 0);
  CHECK (memcmp (out, zeros, sizeof out) == 0);

  if (!CHECK_UINT (key_share_answer (crypto, key_share_group (share), peer, &answer, &secret),
                   DTLS_ERROR_ILLEGAL_PARAMETER))
    tap_dump ("peer", peer);
  CHECK (answer == NULL);
  CHECK_UINT (secret.used, 0);
  CHECK (memcmp (out, zeros, sizeof out) == 0);
}

/* A good value with a byte too few, a byte too many, and so on. */
static void
test_lengths (void)
{
  for (size_t i = 0; i < TAP_N (facts); i++)
    {
      struct key_share *share = key_share_new (crypto, facts[i].group);
      struct key_share *peer = key_share_new (crypto, facts[i].group);
      uint8_t value[2 * MAX_ECDH_PUBLIC_LEN] = { 0 };

      tap_set_row (facts[i].name);
      memcpy (value, key_share_public (peer).at, facts[i].public_len);
      check_refused (share, (struct bytes){ NULL, 0 });
      for (size_t len = 0; len <= sizeof value; len++)
        if (len != facts[i].public_len)
          check_refused (share, (struct bytes){ value, len });
      key_share_free (peer);
      key_share_free (share);
    }
}

/* Every first byte but 4, which are the compressed (2, 3), the hybrid (6, 7) forms and no forms at all. */
static void
check_forms (struct key_share *share, const struct key_share *peer)
{
  uint8_t value[MAX_ECDH_PUBLIC_LEN];
  size_t len = key_share_public (peer).left;

  memcpy (value, key_share_public (peer).at, len);
  for (unsigned form = 0; form < 256; form++)
    {
      value[0] = (uint8_t) form;
      if (form != POINT_CONVERSION_UNCOMPRESSED)
        check_refused (share, (struct bytes){ value, len });
    }
  /* The real compressed point, and the one at infinity. */
  value[0] = (uint8_t) (2 + value[len - 1] % 2);
  check_refused (share, (struct bytes){ value, 1 + (len - 1) / 2 });
  value[0] = 0;
  check_refused (share, (struct bytes){ value, 1 });
}

/* With one bit of a coordinate flipped a point leaves the curve: for each x there are but two y. */
static void
check_off_curve (struct key_share *share, const struct key_share *peer)
{
  uint8_t value[MAX_ECDH_PUBLIC_LEN];
  size_t len = key_share_public (peer).left;

  for (size_t bit = 8 * (1 + (len - 1) / 2); bit < 8 * len; bit++)
    {
      memcpy (value, key_share_public (peer).at, len);
      value[bit / 8] ^= (uint8_t) (1 << bit % 8);
      check_refused (share, (struct bytes){ value, len });
    }

  memset (value + 1, 0, len - 1);
  check_refused (share, (struct bytes){ value, len });
  /* Coordinates beyond the field's prime. */
  memset (value + 1, 0xff, len - 1);
  check_refused (share, (struct bytes){ value, len });
}

static void
test_points (void)
{
  for (size_t i = 0; facts[i].group != GROUP_X25519; i++)
    {
      struct key_share *share = key_share_new (crypto, facts[i].group);
      struct key_share *peer = key_share_new (crypto, facts[i].group);
      uint8_t out[MAX_SHARED_LEN];
      size_t len;

      tap_set_row (facts[i].name);
      check_forms (share, peer);
      check_off_curve (share, peer);
      /* The share has come to no harm. */
      CHECK_UINT (key_share_agree (share, key_share_public (peer), out, &len), DTLS_OK);
      key_share_free (peer);
      key_share_free (share);
    }
}

/* RFC 7748 §6.1: the points of small order, with all of which the result is zero: 0, 1, the two of order 8,
 * p - 1, p, p + 1, and the same with the bit set that is to be masked. */
static const char *const small_orders[] = {
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void
test_small_order (void)
{
  struct key_share *share = key_share_new (crypto, GROUP_X25519);

  for (size_t i = 0; i < TAP_N (small_orders); i++)
    {
      struct hex place;
      struct bytes peer = hex_read (&place, small_orders[i]);

      check_refused (share, peer);
      place.at[31] |= 0x80;
      check_refused (share, peer);
    }
  key_share_free (share);
}

/* RFC 7748 §5: the most significant bit is masked, and values from p on are taken modulo p. */
static void
test_not_canonical (void)
{
  struct key_share *share = key_share_new (crypto, GROUP_X25519);
  /* 9, the base point; 9 with the bit; and p + 9 */
  static const char *const same[] = {
    "0900000000000000000000000000000000000000000000000000000000000000",
    "0900000000000000000000000000000000000000000000000000000000000080",
    "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  };

  for (size_t i = 0; i < TAP_N (same); i++)
    {
      struct hex place;
      uint8_t out[MAX_SHARED_LEN];
      size_t len;

      tap_set_row (same[i]);
      CHECK_UINT (key_share_agree (share, hex_read (&place, same[i]), out, &len), DTLS_OK);
      /* Our key times the base point is our public value. */
      CHECK_BYTES (((struct bytes){ out, len }), key_share_public (share));
    }
  key_share_free (share);
}

static void
test_errors_left (void)
{
  CHECK_UINT (ERR_peek_error (), 0);
}

static const struct tap_test tests[] = {
  { "/crypto/groups/both-sides-agree", test_agree },
  { "/crypto/groups/an-answer-agrees", test_answer },
  { "/crypto/groups/an-answer-needs-room-for-the-secret", test_answer_without_room },
  { "/crypto/groups/none-of-ours-is-refused", test_unknown_group },
  { "/crypto/groups/agrees-with-the-rfcs-keys", test_known_peers },
  { "/crypto/groups/refuses-every-other-length", test_lengths },
  { "/crypto/groups/refuses-other-forms-and-points-off-the-curve", test_points },
  { "/crypto/groups/x25519-refuses-a-zero-result", test_small_order },
  { "/crypto/groups/x25519-takes-what-is-not-canonical", test_not_canonical },
  { "/crypto/groups/leaves-no-errors-behind", test_errors_left },
};

LENT_MAIN (tests)
