/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* X25519MLKEM768 against peers put together from libcrypto's ML-KEM-768 and X25519: which part
 * stands where, and what is refused. Where libcrypto has no ML-KEM, that the group is not there. */

#include "crypto/algorithms.h"
#include "crypto/groups.h"
#include "crypto/hex.h"
#include "crypto/lent.h"
#include "dtls.h"
#include "tap.h"
#include "wire/codepoints.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* FIPS 203 §8 and RFC 7748 §5 */
enum
{
  KEM_PUBLIC_LEN = 1184,
  KEM_CIPHERTEXT_LEN = 1088,
  KEM_SECRET_LEN = 32,
  X25519_LEN = 32,
  FIRST_LEN = KEM_PUBLIC_LEN + X25519_LEN,
  SECOND_LEN = KEM_CIPHERTEXT_LEN + X25519_LEN,
  SECRET_LEN = KEM_SECRET_LEN + X25519_LEN,
  N_COEFFICIENTS = 768, /* of an encapsulation key, 12 bits each */
  KEM_PRIME = 3329,
};

/* Whether there is something to test. FIPS 203 came to libcrypto under this name. */
static bool
has_ml_kem (void)
{
  EVP_KEM *kem;

  ERR_set_mark ();
  kem = EVP_KEM_fetch (NULL, "ML-KEM-768", NULL);
  ERR_pop_to_mark ();
  EVP_KEM_free (kem);
  return kem != NULL;
}

static void
test_availability (void)
{
  static const uint8_t value[FIRST_LEN];
  uint8_t memory[MAX_SHARED_LEN];
  struct dtls_buffer secret = { memory, sizeof memory, 0 };
  struct key_share *share = key_share_new (crypto, GROUP_X25519MLKEM768);

  CHECK_UINT (crypto_has_group (crypto, GROUP_X25519MLKEM768), has_ml_kem ());
  CHECK_UINT (share != NULL, has_ml_kem ());
  key_share_free (share);

  if (has_ml_kem ())
    return;
  CHECK_UINT (key_share_answer (crypto, GROUP_X25519MLKEM768, TAP_BYTES (value), &share, &secret),
              DTLS_ERROR_CRYPTO);
  CHECK (share == NULL);
}

static EVP_PKEY *
import (const char *name, const uint8_t *at, size_t len)
{
  return EVP_PKEY_new_raw_public_key_ex (NULL, name, NULL, at, len);
}

static void export(EVP_PKEY *key, uint8_t *out, size_t len)
{
  size_t n = 0;

  CHECK (EVP_PKEY_get_octet_string_param (key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, out, len, &n)
         == 1);
  CHECK_UINT (n, len);
}

static void
x25519 (EVP_PKEY *ours, const uint8_t *theirs, uint8_t *out)
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey (NULL, ours, NULL);
  EVP_PKEY *peer = import ("X25519", theirs, X25519_LEN);
  size_t len = X25519_LEN;

  CHECK (EVP_PKEY_derive_init (ctx) == 1 && EVP_PKEY_derive_set_peer (ctx, peer) == 1
         && EVP_PKEY_derive (ctx, out, &len) == 1);
  EVP_PKEY_free (peer);
  EVP_PKEY_CTX_free (ctx);
}

/* Answers `first` as RFC 10024 says. */
static void
answer_by_hand (struct bytes first, uint8_t second[SECOND_LEN], uint8_t secret[SECRET_LEN])
{
  EVP_PKEY *kem = import ("ML-KEM-768", first.at, KEM_PUBLIC_LEN);
  EVP_PKEY *own = EVP_PKEY_Q_keygen (NULL, NULL, "X25519");
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey (NULL, kem, NULL);
  size_t ciphertext_len = KEM_CIPHERTEXT_LEN, secret_len = KEM_SECRET_LEN;

  CHECK (EVP_PKEY_encapsulate_init (ctx, NULL) == 1
         && EVP_PKEY_encapsulate (ctx, second, &ciphertext_len, secret, &secret_len) == 1);
  export(own, second + KEM_CIPHERTEXT_LEN, X25519_LEN);
  x25519 (own, first.at + KEM_PUBLIC_LEN, secret + KEM_SECRET_LEN);

  EVP_PKEY_CTX_free (ctx);
  EVP_PKEY_free (own);
  EVP_PKEY_free (kem);
}

/* The one who comes first, by hand. */
struct opener
{
  EVP_PKEY *kem; /* (owned) */
  EVP_PKEY *own; /* (owned) */
  uint8_t value[FIRST_LEN];
};

static void
opener_init (struct opener *opener)
{
  opener->kem = EVP_PKEY_Q_keygen (NULL, NULL, "ML-KEM-768");
  opener->own = EVP_PKEY_Q_keygen (NULL, NULL, "X25519");
  export(opener->kem, opener->value, KEM_PUBLIC_LEN);
  export(opener->own, opener->value + KEM_PUBLIC_LEN, X25519_LEN);
}

static void
opener_clear (struct opener *opener)
{
  EVP_PKEY_free (opener->kem);
  EVP_PKEY_free (opener->own);
}

static void
opener_agree (struct opener *opener, struct bytes second, uint8_t secret[SECRET_LEN])
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey (NULL, opener->kem, NULL);
  size_t len = KEM_SECRET_LEN;

  CHECK (EVP_PKEY_decapsulate_init (ctx, NULL) == 1
         && EVP_PKEY_decapsulate (ctx, secret, &len, second.at, KEM_CIPHERTEXT_LEN) == 1);
  x25519 (opener->own, second.at + KEM_CIPHERTEXT_LEN, secret + KEM_SECRET_LEN);
  EVP_PKEY_CTX_free (ctx);
}

/* RFC 10024: the ML-KEM part comes first everywhere. */
static void
test_client (void)
{
  struct key_share *share;
  uint8_t second[SECOND_LEN], expected[SECRET_LEN], got[MAX_SHARED_LEN];
  size_t len;

  if (!has_ml_kem ())
    return;

  share = key_share_new (crypto, GROUP_X25519MLKEM768);
  CHECK_UINT (key_share_group (share), GROUP_X25519MLKEM768);
  CHECK_UINT (key_share_public (share).left, FIRST_LEN);
  answer_by_hand (key_share_public (share), second, expected);
  CHECK_UINT (key_share_agree (share, TAP_BYTES (second), got, &len), DTLS_OK);
  CHECK_BYTES (((struct bytes){ got, len }), TAP_BYTES (expected));
  key_share_free (share);
}

static void
test_server (void)
{
  struct opener opener;
  struct key_share *share = NULL;
  uint8_t memory[3 + MAX_SHARED_LEN], expected[SECRET_LEN];
  struct dtls_buffer secret = { memory, sizeof memory, 3 };

  if (!has_ml_kem ())
    return;

  opener_init (&opener);
  CHECK_UINT (
      key_share_answer (crypto, GROUP_X25519MLKEM768, TAP_BYTES (opener.value), &share, &secret),
      DTLS_OK);
  CHECK_UINT (key_share_group (share), GROUP_X25519MLKEM768);
  CHECK_UINT (key_share_public (share).left, SECOND_LEN);
  opener_agree (&opener, key_share_public (share), expected);
  CHECK_BYTES (((struct bytes){ memory + 3, secret.used - 3 }), TAP_BYTES (expected));
  key_share_free (share);
  opener_clear (&opener);
}

/* FIPS 203 §6.3: an altered ciphertext is not told from a good one, but gives another secret. */
static void
test_implicit_rejection (void)
{
  struct key_share *share;
  uint8_t second[SECOND_LEN], good[SECRET_LEN], got[MAX_SHARED_LEN];
  size_t len;

  if (!has_ml_kem ())
    return;

  share = key_share_new (crypto, GROUP_X25519MLKEM768);
  answer_by_hand (key_share_public (share), second, good);
  second[0] ^= 1;
  CHECK_UINT (key_share_agree (share, TAP_BYTES (second), got, &len), DTLS_OK);
  CHECK (memcmp (got, good, KEM_SECRET_LEN) != 0);
  CHECK (memcmp (got + KEM_SECRET_LEN, good + KEM_SECRET_LEN, X25519_LEN) == 0);
  key_share_free (share);
}

static void
check_agree_refuses (struct key_share *share, struct bytes second)
{
  static const uint8_t zeros[MAX_SHARED_LEN];
  uint8_t out[MAX_SHARED_LEN];
  size_t len = 1;

  memset (out, 0xa5, sizeof out);
  CHECK_UINT (key_share_agree (share, second, out, &len), DTLS_ERROR_ILLEGAL_PARAMETER);
  CHECK_UINT (len, 0);
  CHECK (memcmp (out, zeros, sizeof out) == 0);
}

/* What was in the buffer before stays, and nothing of a secret comes after it. */
static void
check_answer_refuses (struct bytes first)
{
  uint8_t memory[1 + MAX_SHARED_LEN];
  struct dtls_buffer secret = { memory, sizeof memory, 1 };
  struct key_share *share = NULL;
  bool has_secret = false;

  memset (memory, 0xa5, sizeof memory);
  CHECK_UINT (key_share_answer (crypto, GROUP_X25519MLKEM768, first, &share, &secret),
              DTLS_ERROR_ILLEGAL_PARAMETER);
  CHECK (share == NULL);
  CHECK_UINT (secret.used, 1);
  CHECK_UINT (memory[0], 0xa5);
  /* Refused for its length it is before anything is written. */
  for (size_t i = 1; i < sizeof memory; i++)
    has_secret = has_secret || (memory[i] != 0 && memory[i] != 0xa5);
  CHECK (!has_secret);
}

static void
test_lengths (void)
{
  struct opener opener;
  struct key_share *share;
  uint8_t first[2 * FIRST_LEN] = { 0 }, second[2 * FIRST_LEN] = { 0 }, secret[SECRET_LEN];

  if (!has_ml_kem ())
    return;

  opener_init (&opener);
  share = key_share_new (crypto, GROUP_X25519MLKEM768);
  memcpy (first, opener.value, FIRST_LEN);
  answer_by_hand (key_share_public (share), second, secret);

  check_answer_refuses ((struct bytes){ NULL, 0 });
  check_agree_refuses (share, (struct bytes){ NULL, 0 });
  for (size_t len = 0; len <= sizeof first; len++)
    {
      if (len != FIRST_LEN)
        check_answer_refuses ((struct bytes){ first, len });
      if (len != SECOND_LEN)
        check_agree_refuses (share, (struct bytes){ second, len });
    }
  key_share_free (share);
  opener_clear (&opener);
}

/* Little-endian, two coefficients in three bytes. */
static void
set_coefficient (uint8_t *key, size_t i, unsigned value)
{
  uint8_t *at = key + i / 2 * 3;

  if (i % 2 == 0)
    {
      at[0] = (uint8_t) value;
      at[1] = (uint8_t) ((at[1] & 0xf0) | value >> 8);
    }
  else
    {
      at[1] = (uint8_t) ((at[1] & 0x0f) | (value & 0x0f) << 4);
      at[2] = (uint8_t) (value >> 4);
    }
}

/* FIPS 203 §7.2: each coefficient of an encapsulation key is less than the prime. */
static void
test_modulus (void)
{
  struct opener opener;

  if (!has_ml_kem ())
    return;

  opener_init (&opener);
  for (size_t i = 0; i < N_COEFFICIENTS; i++)
    {
      uint8_t memory[MAX_SHARED_LEN], first[FIRST_LEN];
      struct dtls_buffer secret = { memory, sizeof memory, 0 };
      struct key_share *share = NULL;

      memcpy (first, opener.value, sizeof first);
      set_coefficient (first, i, KEM_PRIME);
      check_answer_refuses (TAP_BYTES (first));
      set_coefficient (first, i, 0xfff);
      check_answer_refuses (TAP_BYTES (first));
      set_coefficient (first, i, KEM_PRIME - 1);
      CHECK_UINT (
          key_share_answer (crypto, GROUP_X25519MLKEM768, TAP_BYTES (first), &share, &secret),
          DTLS_OK);
      key_share_free (share);
    }
  opener_clear (&opener);
}

/* RFC 7748 §6.1: points with which X25519's result is zero; the ML-KEM part is good. */
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
  struct opener opener;
  struct key_share *share;
  uint8_t second[SECOND_LEN], secret[SECRET_LEN];

  if (!has_ml_kem ())
    return;

  opener_init (&opener);
  share = key_share_new (crypto, GROUP_X25519MLKEM768);
  answer_by_hand (key_share_public (share), second, secret);
  for (size_t i = 0; i < TAP_N (small_orders); i++)
    {
      struct hex place;
      struct bytes point = hex_read (&place, small_orders[i]);

      tap_set_row (small_orders[i]);
      memcpy (opener.value + KEM_PUBLIC_LEN, point.at, X25519_LEN);
      memcpy (second + KEM_CIPHERTEXT_LEN, point.at, X25519_LEN);
      check_answer_refuses (TAP_BYTES (opener.value));
      check_agree_refuses (share, TAP_BYTES (second));
    }
  key_share_free (share);
  opener_clear (&opener);
}

static void
test_errors_left (void)
{
  CHECK_UINT (ERR_peek_error (), 0);
}

static const struct tap_test tests[] = {
  { "/crypto/groups-hybrid/is-there-if-ml-kem-is", test_availability },
  { "/crypto/groups-hybrid/client-agrees-with-the-two-parts", test_client },
  { "/crypto/groups-hybrid/server-agrees-with-the-two-parts", test_server },
  { "/crypto/groups-hybrid/an-altered-ciphertext-gives-another-secret", test_implicit_rejection },
  { "/crypto/groups-hybrid/refuses-every-other-length", test_lengths },
  { "/crypto/groups-hybrid/refuses-coefficients-from-the-prime-on", test_modulus },
  { "/crypto/groups-hybrid/refuses-a-zero-x25519-result", test_small_order },
  { "/crypto/groups-hybrid/leaves-no-errors-behind", test_errors_left },
};

LENT_MAIN (tests)
