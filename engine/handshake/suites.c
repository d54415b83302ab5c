/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The table of cipher suites. */

#include "handshake/suites.h"

/* clang-format off */
static const struct suite suites[] = {
  { SUITE_AES_128_GCM_SHA256,                   VERSION_DTLS_1_3, SUITE_ANY,         AEAD_AES_128_GCM,       HASH_SHA256 },
  { SUITE_AES_256_GCM_SHA384,                   VERSION_DTLS_1_3, SUITE_ANY,         AEAD_AES_256_GCM,       HASH_SHA384 },
  { SUITE_CHACHA20_POLY1305_SHA256,             VERSION_DTLS_1_3, SUITE_ANY,         AEAD_CHACHA20_POLY1305, HASH_SHA256 },
  { SUITE_AES_128_CCM_SHA256,                   VERSION_DTLS_1_3, SUITE_ANY,         AEAD_AES_128_CCM,       HASH_SHA256 },
  { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,       VERSION_DTLS_1_2, SUITE_SIGNS_ECDSA, AEAD_AES_128_GCM,       HASH_SHA256 },
  { SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,       VERSION_DTLS_1_2, SUITE_SIGNS_ECDSA, AEAD_AES_256_GCM,       HASH_SHA384 },
  { SUITE_ECDHE_RSA_AES_128_GCM_SHA256,         VERSION_DTLS_1_2, SUITE_SIGNS_RSA,   AEAD_AES_128_GCM,       HASH_SHA256 },
  { SUITE_ECDHE_RSA_AES_256_GCM_SHA384,         VERSION_DTLS_1_2, SUITE_SIGNS_RSA,   AEAD_AES_256_GCM,       HASH_SHA384 },
  { SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256,   VERSION_DTLS_1_2, SUITE_SIGNS_RSA,   AEAD_CHACHA20_POLY1305, HASH_SHA256 },
  { SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256, VERSION_DTLS_1_2, SUITE_SIGNS_ECDSA, AEAD_CHACHA20_POLY1305, HASH_SHA256 },
  { SUITE_ECDHE_PSK_CHACHA20_POLY1305_SHA256,   VERSION_DTLS_1_2, SUITE_ECDHE_PSK,   AEAD_CHACHA20_POLY1305, HASH_SHA256 },
  { SUITE_ECDHE_PSK_AES_128_GCM_SHA256,         VERSION_DTLS_1_2, SUITE_ECDHE_PSK,   AEAD_AES_128_GCM,       HASH_SHA256 },
  { SUITE_ECDHE_PSK_AES_256_GCM_SHA384,         VERSION_DTLS_1_2, SUITE_ECDHE_PSK,   AEAD_AES_256_GCM,       HASH_SHA384 },
  { SUITE_ECDHE_PSK_AES_128_CCM_8_SHA256,       VERSION_DTLS_1_2, SUITE_ECDHE_PSK,   AEAD_AES_128_CCM_8,     HASH_SHA256 },
  { SUITE_ECDHE_PSK_AES_128_CCM_SHA256,         VERSION_DTLS_1_2, SUITE_ECDHE_PSK,   AEAD_AES_128_CCM,       HASH_SHA256 },
  { SUITE_PSK_AES_128_GCM_SHA256,               VERSION_DTLS_1_2, SUITE_PSK,         AEAD_AES_128_GCM,       HASH_SHA256 },
  { SUITE_PSK_AES_256_GCM_SHA384,               VERSION_DTLS_1_2, SUITE_PSK,         AEAD_AES_256_GCM,       HASH_SHA384 },
  { SUITE_PSK_AES_128_CCM,                      VERSION_DTLS_1_2, SUITE_PSK,         AEAD_AES_128_CCM,       HASH_SHA256 },
  { SUITE_PSK_AES_128_CCM_8,                    VERSION_DTLS_1_2, SUITE_PSK,         AEAD_AES_128_CCM_8,     HASH_SHA256 },
  { SUITE_PSK_CHACHA20_POLY1305_SHA256,         VERSION_DTLS_1_2, SUITE_PSK,         AEAD_CHACHA20_POLY1305, HASH_SHA256 },
};
/* clang-format on */

const struct suite *
suite_find (uint16_t code)
{
  for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
    if (suites[i].code == code)
      return &suites[i];

  return NULL;
}

bool
suite_is_psk (const struct suite *suite)
{
  return suite->authentication == SUITE_ECDHE_PSK || suite->authentication == SUITE_PSK;
}

bool
suite_fits_key (const struct suite *suite, enum key_kind kind)
{
  switch (kind)
    {
    case KEY_RSA:
    case KEY_RSA_PSS:
      return suite->authentication == SUITE_SIGNS_RSA || suite->authentication == SUITE_ANY;
    case KEY_P256:
    case KEY_P384:
    case KEY_ED25519:
      return suite->authentication == SUITE_SIGNS_ECDSA || suite->authentication == SUITE_ANY;
    case KEY_UNKNOWN:
      break;
    }

  return false;
}

static bool
processor_has_aes (void)
{
#if defined __x86_64__ || defined __i386__
  return __builtin_cpu_supports ("aes");
#else
  /* Where we cannot ask: libcrypto's AES is constant-time there too, and AES-128 is what peers like
   * best. */
  return true;
#endif
}

/* Without CCM, which is slow and has no use but on small devices, without CCM_8, whose tags are short,
 * and without plain PSK, which has no forward secrecy: whoever needs them configures them. */
const uint16_t *
suite_defaults (size_t *out_n)
{
  static const uint16_t aes_first[] = {
    SUITE_AES_128_GCM_SHA256,
    SUITE_AES_256_GCM_SHA384,
    SUITE_CHACHA20_POLY1305_SHA256,
    SUITE_ECDHE_PSK_AES_128_GCM_SHA256,
    SUITE_ECDHE_PSK_AES_256_GCM_SHA384,
    SUITE_ECDHE_PSK_CHACHA20_POLY1305_SHA256,
    SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
    SUITE_ECDHE_RSA_AES_128_GCM_SHA256,
    SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,
    SUITE_ECDHE_RSA_AES_256_GCM_SHA384,
    SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
    SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
  };
  static const uint16_t chacha_first[] = {
    SUITE_CHACHA20_POLY1305_SHA256,
    SUITE_AES_128_GCM_SHA256,
    SUITE_AES_256_GCM_SHA384,
    SUITE_ECDHE_PSK_CHACHA20_POLY1305_SHA256,
    SUITE_ECDHE_PSK_AES_128_GCM_SHA256,
    SUITE_ECDHE_PSK_AES_256_GCM_SHA384,
    SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
    SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
    SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
    SUITE_ECDHE_RSA_AES_128_GCM_SHA256,
    SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,
    SUITE_ECDHE_RSA_AES_256_GCM_SHA384,
  };

  *out_n = sizeof aes_first / sizeof aes_first[0];
  return processor_has_aes () ? aes_first : chacha_first;
}
