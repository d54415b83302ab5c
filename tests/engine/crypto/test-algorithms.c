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

/* Each needs two ciphers of libcrypto. */
static const struct
{
  enum aead_algorithm algorithm;
  const char *aead;
  const char *mask;
} aeads[] = {
  { AEAD_AES_128_GCM, "AES-128-GCM", "AES-128-ECB" },
  { AEAD_AES_256_GCM, "AES-256-GCM", "AES-256-ECB" },
  { AEAD_CHACHA20_POLY1305, "ChaCha20-Poly1305", "ChaCha20" },
  { AEAD_AES_128_CCM, "AES-128-CCM", "AES-128-ECB" },
  { AEAD_AES_128_CCM_8, "AES-128-CCM", "AES-128-ECB" },
};

static void
test_aeads (void)
{
  for (size_t i = 0; i < TAP_N (aeads); i++)
    {
      EVP_CIPHER *aead = EVP_CIPHER_fetch (NULL, aeads[i].aead, NULL);
      EVP_CIPHER *mask = EVP_CIPHER_fetch (NULL, aeads[i].mask, NULL);

      tap_set_row (aeads[i].aead);
      CHECK_UINT (crypto_has_aead (crypto, aeads[i].algorithm), aead != NULL && mask != NULL);
      EVP_CIPHER_free (aead);
      EVP_CIPHER_free (mask);
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
  { "/crypto/algorithms/has-an-aead-if-its-ciphers", test_aeads },
  { "/crypto/algorithms/has-a-group-if-its-keys", test_groups },
  { "/crypto/algorithms/random-fills-just-what-it-is-given", test_random },
  { "/crypto/algorithms/comes-and-goes", test_many },
};

LENT_MAIN (tests)
