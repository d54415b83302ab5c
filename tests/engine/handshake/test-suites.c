/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The table of cipher suites. */

#include "handshake/suites.h"
#include "tap.h"

static bool
has (const uint16_t *list, size_t n, uint16_t value)
{
  for (size_t i = 0; i < n; i++)
    if (list[i] == value)
      return true;

  return false;
}

static void
test_defaults_are_in_the_table_once (void)
{
  size_t n;
  const uint16_t *defaults = suite_defaults (&n);

  CHECK_UINT (n, 12);
  for (size_t i = 0; i < n; i++)
    {
      if (CHECK (suite_find (defaults[i]) != NULL))
        CHECK_UINT (suite_find (defaults[i])->code, defaults[i]);
      CHECK (!has (defaults, i, defaults[i]));
    }
}

/* 1.3 first, then those of pre-shared keys, then those of certificates. */
static void
test_order_of_the_defaults (void)
{
  unsigned last = 0;
  size_t n;
  const uint16_t *defaults = suite_defaults (&n);

  for (size_t i = 0; i < n; i++)
    {
      const struct suite *suite = suite_find (defaults[i]);
      unsigned rank = suite->version == VERSION_DTLS_1_3 ? 0 : suite_is_psk (suite) ? 1 : 2;

      CHECK (rank >= last);
      last = rank;
    }
  CHECK_UINT (last, 2);
}

/* No plain PSK, which has no forward secrecy, and no CCM. All else that we speak is there. */
static void
test_what_is_left_out_of_the_defaults (void)
{
  size_t n;
  const uint16_t *defaults = suite_defaults (&n);

  for (unsigned code = 0; code < 65536; code++)
    {
      const struct suite *suite = suite_find ((uint16_t) code);
      bool is_on_request = suite != NULL
                           && (suite->authentication == SUITE_PSK || suite->aead == AEAD_AES_128_CCM
                               || suite->aead == AEAD_AES_128_CCM_8);

      CHECK_UINT (has (defaults, n, (uint16_t) code), suite != NULL && !is_on_request);
    }
}

/* AEAD or nothing: no suite of CBC, RC4 or RSA key transport can be found. */
static void
test_nothing_else_is_spoken (void)
{
  unsigned n = 0;

  for (unsigned code = 0; code < 65536; code++)
    n += suite_find ((uint16_t) code) != NULL;
  CHECK_UINT (n, 20);
}

static enum suite_authentication
authentication_named (const char *name)
{
  static const struct
  {
    const char *beginning;
    enum suite_authentication authentication;
  } beginnings[] = {
    { "TLS_ECDHE_ECDSA_WITH_", SUITE_SIGNS_ECDSA },
    { "TLS_ECDHE_RSA_WITH_", SUITE_SIGNS_RSA },
    { "TLS_ECDHE_PSK_WITH_", SUITE_ECDHE_PSK },
    { "TLS_PSK_WITH_", SUITE_PSK },
    { "TLS_AES_", SUITE_ANY },
    { "TLS_CHACHA20_", SUITE_ANY },
  };

  for (size_t i = 0; i < TAP_N (beginnings); i++)
    if (strncmp (name, beginnings[i].beginning, strlen (beginnings[i].beginning)) == 0)
      return beginnings[i].authentication;

  CHECK (!"a name that begins otherwise");
  return SUITE_ANY;
}

static enum aead_algorithm
aead_named (const char *name)
{
  return strstr (name, "CHACHA20_POLY1305") != NULL ? AEAD_CHACHA20_POLY1305
         : strstr (name, "AES_256_GCM") != NULL     ? AEAD_AES_256_GCM
         : strstr (name, "AES_128_CCM_8") != NULL   ? AEAD_AES_128_CCM_8
         : strstr (name, "AES_128_CCM") != NULL     ? AEAD_AES_128_CCM
                                                    : AEAD_AES_128_GCM;
}

/* RFC 6655 §3: CCM's suites of 1.2 name no hash where it is SHA-256. */
static void
test_parts_are_the_names (void)
{
  for (unsigned code = 0; code < 65536; code++)
    {
      const struct suite *suite = suite_find ((uint16_t) code);
      const char *name = suite_name ((uint16_t) code);

      if (suite == NULL)
        continue;
      if (!CHECK (name != NULL))
        continue;
      tap_set_row (name);
      CHECK_UINT (suite->hash, strstr (name, "SHA384") != NULL ? HASH_SHA384 : HASH_SHA256);
      CHECK_UINT (suite->authentication, authentication_named (name));
      CHECK_UINT (suite->aead, aead_named (name));
      /* RFC 9846 §B.4: those of 1.3 name no key exchange. */
      CHECK_UINT (suite->version,
                  strstr (name, "_WITH_") != NULL ? VERSION_DTLS_1_2 : VERSION_DTLS_1_3);
    }
  tap_set_row (NULL);
}

/* clang-format off */
static const struct
{
  uint16_t suite;
  bool is_psk;
  bool fits[KEY_UNKNOWN + 1];
} key_rows[] = {
  { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, false, { [KEY_P256] = true, [KEY_P384] = true, [KEY_ED25519] = true } },
  { SUITE_ECDHE_RSA_AES_128_GCM_SHA256,   false, { [KEY_RSA] = true, [KEY_RSA_PSS] = true } },
  { SUITE_ECDHE_PSK_AES_128_GCM_SHA256,   true,  { false } },
  { SUITE_PSK_AES_128_GCM_SHA256,         true,  { false } },
  { SUITE_AES_128_GCM_SHA256,             false, { [KEY_RSA] = true, [KEY_RSA_PSS] = true, [KEY_P256] = true, [KEY_P384] = true, [KEY_ED25519] = true } },
};
/* clang-format on */

static void
test_keys (void)
{
  for (size_t i = 0; i < TAP_N (key_rows); i++)
    {
      const struct suite *suite = suite_find (key_rows[i].suite);

      tap_set_row (suite_name (suite->code));
      CHECK_UINT (suite_is_psk (suite), key_rows[i].is_psk);
      for (size_t kind = 0; kind < TAP_N (key_rows[i].fits); kind++)
        CHECK_UINT (suite_fits_key (suite, (enum key_kind) kind), key_rows[i].fits[kind]);
    }
  tap_set_row (NULL);
}

static const struct tap_test tests[] = {
  { "/handshake/suites/defaults-are-in-the-table-once", test_defaults_are_in_the_table_once },
  { "/handshake/suites/defaults-are-1.3-then-keys-then-certificates", test_order_of_the_defaults },
  { "/handshake/suites/plain-psk-and-ccm-are-no-defaults", test_what_is_left_out_of_the_defaults },
  { "/handshake/suites/nothing-but-aead-is-spoken", test_nothing_else_is_spoken },
  { "/handshake/suites/parts-are-the-names", test_parts_are_the_names },
  { "/handshake/suites/which-keys-fit", test_keys },
};

TAP_MAIN (tests)
