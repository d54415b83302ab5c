/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What libcrypto has, told by code point; and that fetching and freeing leave nothing behind. */

#include "crypto/algorithms.h"

#include "crypto/lent.h"
#include "dtls.h"
#include "tap.h"
#include "wire/codepoints.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct availability
{
  uint16_t code;
  const char *name; /* what it needs of libcrypto; NULL if it is none of ours */
};

static const struct availability suites[] = {
  { SUITE_AES_128_GCM_SHA256, "AES-128-GCM" },
  { SUITE_AES_256_GCM_SHA384, "AES-256-GCM" },
  { SUITE_CHACHA20_POLY1305_SHA256, "ChaCha20-Poly1305" },
  { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, "AES-128-GCM" },
  { SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384, "AES-256-GCM" },
  { SUITE_ECDHE_RSA_AES_128_GCM_SHA256, "AES-128-GCM" },
  { SUITE_ECDHE_RSA_AES_256_GCM_SHA384, "AES-256-GCM" },
  { SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256, "ChaCha20-Poly1305" },
  { SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256, "ChaCha20-Poly1305" },
  { SUITE_EMPTY_RENEGOTIATION_INFO_SCSV, NULL },
  { SUITE_FALLBACK_SCSV, NULL },
  { 0x0000, NULL },
  { 0x1304, NULL }, /* AES-128-CCM */
  { 0x1305, NULL }, /* AES-128-CCM-8 */
  { 0xc009, NULL }, /* ECDHE-ECDSA with AES-CBC */
  { 0xffff, NULL },
};

static void
test_suites (void)
{
  for (size_t i = 0; i < TAP_N (suites); i++)
    {
      const char *name = suites[i].name;
      EVP_CIPHER *cipher = name != NULL ? EVP_CIPHER_fetch (NULL, name, NULL) : NULL;

      tap_set_row (suite_name (suites[i].code));
      CHECK_UINT (crypto_has_suite (crypto, suites[i].code), cipher != NULL);
      EVP_CIPHER_free (cipher);
    }
}

static const struct availability groups[] = {
  { GROUP_SECP256R1, "EC" },
  { GROUP_SECP384R1, "EC" },
  { GROUP_X25519, "X25519" },
  { GROUP_X25519MLKEM768, "ML-KEM-768" },
  { 0x11eb, NULL }, /* SecP256r1MLKEM768 */
  { 0x11ed, NULL }, /* SecP384r1MLKEM1024 */
  { 25, NULL },     /* secp521r1 */
  { 256, NULL },    /* ffdhe2048 */
  { 0, NULL },
  { 0xffff, NULL },
};

static void
test_groups (void)
{
  for (size_t i = 0; i < TAP_N (groups); i++)
    {
      const char *name = groups[i].name;
      EVP_KEYMGMT *keys = name != NULL ? EVP_KEYMGMT_fetch (NULL, name, NULL) : NULL;

      tap_set_row (group_name (groups[i].code));
      CHECK_UINT (crypto_has_group (crypto, groups[i].code), keys != NULL);
      EVP_KEYMGMT_free (keys);
    }
}

static void
test_random (void)
{
  uint8_t a[32] = { 0 }, b[32] = { 0 };

  CHECK (dtls_crypto_random (crypto, a, sizeof a));
  CHECK (dtls_crypto_random (crypto, b, sizeof b - 1));
  CHECK (memcmp (a, b, sizeof a - 1) != 0);
  CHECK_UINT (b[31], 0);
  CHECK (dtls_crypto_random (crypto, a, 0));
}

static void
test_many (void)
{
  ERR_clear_error ();
  for (int i = 0; i < 3; i++)
    {
      struct dtls_crypto *other = dtls_crypto_new ();

      CHECK (other != NULL);
      dtls_crypto_free (other);
    }
  dtls_crypto_free (NULL);
  CHECK_UINT (ERR_peek_error (), 0);
}

static const struct tap_test tests[] = {
  { "/crypto/algorithms/has-a-suite-if-its-cipher", test_suites },
  { "/crypto/algorithms/has-a-group-if-its-keys", test_groups },
  { "/crypto/algorithms/random-fills-just-what-it-is-given", test_random },
  { "/crypto/algorithms/comes-and-goes", test_many },
};

LENT_MAIN (tests)
