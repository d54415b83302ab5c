/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The table of cipher suites. */

#include "handshake/suites.h"
#include "tap.h"

static void
test_defaults_are_in_the_table_once (void)
{
  size_t n;
  const uint16_t *defaults = suite_defaults (&n);

  CHECK_UINT (n, 6);
  for (size_t i = 0; i < n; i++)
    {
      if (CHECK (suite_find (defaults[i]) != NULL))
        CHECK_UINT (suite_find (defaults[i])->code, defaults[i]);
      CHECK (suite_name (defaults[i]) != NULL);
      for (size_t j = 0; j < i; j++)
        CHECK (defaults[i] != defaults[j]);
    }
}

/* AEAD and forward secrecy or nothing: no suite of CBC, RC4, RSA key transport or plain PSK can be found. */
static void
test_nothing_else_is_spoken (void)
{
  unsigned n = 0;

  for (unsigned code = 0; code < 65536; code++)
    n += suite_find ((uint16_t) code) != NULL;
  CHECK_UINT (n, 6);
}

static void
test_hash_and_cipher_are_the_names (void)
{
  size_t n;
  const uint16_t *defaults = suite_defaults (&n);

  for (size_t i = 0; i < n; i++)
    {
      const struct suite *suite = suite_find (defaults[i]);
      const char *name = suite_name (defaults[i]);

      CHECK_UINT (suite->hash, strstr (name, "SHA384") != NULL ? HASH_SHA384 : HASH_SHA256);
      CHECK_UINT (suite->authentication,
                  strstr (name, "ECDHE_RSA") != NULL ? SUITE_SIGNS_RSA : SUITE_SIGNS_ECDSA);
      CHECK_UINT (suite->aead, strstr (name, "CHACHA20") != NULL  ? AEAD_CHACHA20_POLY1305
                               : strstr (name, "256_GCM") != NULL ? AEAD_AES_256_GCM
                                                                  : AEAD_AES_128_GCM);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/suites/defaults-are-in-the-table-once", test_defaults_are_in_the_table_once },
  { "/handshake/suites/nothing-but-ecdhe-and-aead-is-spoken", test_nothing_else_is_spoken },
  { "/handshake/suites/hash-and-cipher-are-the-names", test_hash_and_cipher_are_the_names },
};

TAP_MAIN (tests)
