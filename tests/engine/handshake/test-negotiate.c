/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is chosen of two offers, and what is kept of a peer's. */

#include "crypto/algorithms.h"
#include "crypto/signature.h"
#include "handshake/negotiate.h"
#include "pki.h"
#include "tap.h"

static struct offer
offer_of (const struct dtls_config *config)
{
  struct offer offer;

  CHECK (offer_from_config (&offer, config, pki_crypto ()));
  return offer;
}

static struct offer
defaults (void)
{
  struct dtls_config config;

  dtls_config_init (&config);
  return offer_of (&config);
}

static bool
has_hybrid (void)
{
  return crypto_has_group (pki_crypto (), GROUP_X25519MLKEM768);
}

/* X25519MLKEM768 needs libcrypto 3.5. */
static void
test_defaults (void)
{
  static const uint16_t groups[] = { GROUP_X25519MLKEM768, GROUP_X25519, GROUP_SECP256R1,
                                     GROUP_SECP384R1 };
  const uint16_t *expected = has_hybrid () ? groups : groups + 1;
  struct offer offer = defaults ();

  CHECK_UINT (offer.n_suites, 9);
  if (CHECK_UINT (offer.n_groups, has_hybrid () ? 4 : 3))
    for (size_t i = 0; i < offer.n_groups; i++)
      CHECK_UINT (offer.groups[i], expected[i]);
  CHECK_UINT (offer.n_schemes, 12);
  CHECK (!offer_has_scheme (&offer, 0x0203));
  CHECK (!offer_has_scheme (&offer, 0x0201));
}

/* RFC 5487 needs a key; so what kinds of suites there are depends on whether there can be one. */
enum
{
  OF_13 = 1 << 0,
  OF_12 = 1 << 1,
  OF_12_PSK = 1 << 2,
};

static unsigned
kinds_of (const struct offer *offer)
{
  unsigned kinds = 0;

  for (size_t i = 0; i < offer->n_suites; i++)
    {
      const struct suite *suite = suite_find (offer->suites[i]);

      kinds |= suite->version == VERSION_DTLS_1_3 ? OF_13
               : suite_is_psk (suite)             ? OF_12_PSK
                                                  : OF_12;
    }

  return kinds;
}

enum keys
{
  NO_KEY,
  CLIENT_KEY,
  SERVER_KEY,
};

struct version_row
{
  const char *name;
  enum dtls_version min_version;
  enum dtls_version max_version;
  enum keys keys;
  unsigned kinds;
  bool has_hybrid; /* where libcrypto has it */
};

/* clang-format off */
static const struct version_row version_rows[] = {
  { "both",                      DTLS_1_2, DTLS_1_3, NO_KEY,     OF_13 | OF_12,             true },
  { "both, client with a key",   DTLS_1_2, DTLS_1_3, CLIENT_KEY, OF_13 | OF_12 | OF_12_PSK, true },
  { "both, server that asks",    DTLS_1_2, DTLS_1_3, SERVER_KEY, OF_13 | OF_12 | OF_12_PSK, true },
  { "1.2 alone",                 DTLS_1_2, DTLS_1_2, NO_KEY,     OF_12,                     false },
  { "1.2, client with a key",    DTLS_1_2, DTLS_1_2, CLIENT_KEY, OF_12 | OF_12_PSK,         false },
  { "1.3 alone",                 DTLS_1_3, DTLS_1_3, NO_KEY,     OF_13,                     true },
  { "1.3, client with a key",    DTLS_1_3, DTLS_1_3, CLIENT_KEY, OF_13,                     true },
};
/* clang-format on */

static void
test_versions_leave_out (void)
{
  static const struct dtls_psk psk = { .identity = TAP_STRING ("a"), .key = TAP_STRING ("b") };

  for (size_t i = 0; i < TAP_N (version_rows); i++)
    {
      const struct version_row *row = &version_rows[i];
      struct dtls_config config;
      struct offer offer;

      tap_set_row (row->name);
      dtls_config_init (&config);
      config.min_version = row->min_version;
      config.max_version = row->max_version;
      config.psk = row->keys == CLIENT_KEY ? &psk : NULL;
      config.asks_for_psk = row->keys == SERVER_KEY;
      offer = offer_of (&config);
      CHECK_UINT (kinds_of (&offer), row->kinds);
      CHECK_UINT (offer_has_group (&offer, GROUP_X25519MLKEM768), row->has_hybrid && has_hybrid ());
      CHECK (offer_has_group (&offer, GROUP_X25519));
      /* Certificates may have such signatures also where messages may not: RFC 9846 §4.3.3. */
      CHECK (offer_has_scheme (&offer, SIG_RSA_PKCS1_SHA256));
      CHECK_UINT (offer_has_version (&offer, VERSION_DTLS_1_2), (row->kinds & OF_12) != 0);
      CHECK_UINT (offer_has_version (&offer, VERSION_DTLS_1_3), (row->kinds & OF_13) != 0);
      CHECK (!offer_has_version (&offer, VERSION_DTLS_1_0));
    }
  tap_set_row (NULL);
}

struct empty_row
{
  const char *name;
  uint16_t suite;
  uint16_t group;
  uint16_t scheme;
  bool has_12;
  bool has_13;
};

/* clang-format off */
static const struct empty_row empty_rows[] = {
  { "a suite of 1.3",                    SUITE_AES_128_GCM_SHA256,             GROUP_X25519, SIG_ED25519, false, true },
  { "a suite of 1.2",                    SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, GROUP_X25519, SIG_ED25519, true,  false },
  { "a suite that we do not speak",      0x002f,                               GROUP_X25519, SIG_ED25519, false, false },
  { "1.3 without a group",               SUITE_AES_128_GCM_SHA256,             0x0a0a,       SIG_ED25519, false, false },
  { "1.3 without a scheme",              SUITE_AES_128_GCM_SHA256,             GROUP_X25519, 0x0201,      false, false },
  { "1.2 without a group",               SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, 0x0a0a,       SIG_ED25519, false, false },
  { "1.2 without a scheme",              SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, GROUP_X25519, 0x0201,      false, false },
  { "ECDHE_PSK needs no scheme",         SUITE_ECDHE_PSK_AES_128_GCM_SHA256,   GROUP_X25519, 0x0201,      true,  false },
  { "ECDHE_PSK needs a group",           SUITE_ECDHE_PSK_AES_128_GCM_SHA256,   0x0a0a,       SIG_ED25519, false, false },
  { "PSK needs neither",                 SUITE_PSK_AES_128_GCM_SHA256,         0x0a0a,       0x0201,      true,  false },
  { "CCM, which is no default",          SUITE_AES_128_CCM_SHA256,             GROUP_X25519, SIG_ED25519, false, true },
};
/* clang-format on */

static void
test_what_a_version_needs (void)
{
  for (size_t i = 0; i < TAP_N (empty_rows); i++)
    {
      const struct empty_row *row = &empty_rows[i];
      struct dtls_config config;
      struct offer offer;

      tap_set_row (row->name);
      dtls_config_init (&config);
      config.asks_for_psk = true;
      config.suites = &row->suite;
      config.groups = &row->group;
      config.signature_schemes = &row->scheme;
      config.n_suites = config.n_groups = config.n_signature_schemes = 1;
      CHECK_UINT (offer_from_config (&offer, &config, pki_crypto ()), row->has_12 || row->has_13);
      CHECK_UINT (offer_has_version (&offer, VERSION_DTLS_1_2), row->has_12);
      CHECK_UINT (offer_has_version (&offer, VERSION_DTLS_1_3), row->has_13);
    }
  tap_set_row (NULL);
}

static void
test_configuration_is_kept_in_its_order (void)
{
  static const uint16_t groups[] = { GROUP_SECP384R1, 0x0a0a, GROUP_X25519, GROUP_SECP384R1 };
  struct dtls_config config;
  struct offer offer;

  dtls_config_init (&config);
  config.groups = groups;
  config.n_groups = TAP_N (groups);
  CHECK (offer_from_config (&offer, &config, pki_crypto ()));
  CHECK_UINT (offer.n_groups, 2);
  CHECK_UINT (offer.groups[0], GROUP_SECP384R1);
  CHECK_UINT (offer.groups[1], GROUP_X25519);
}

/* Every pair of bytes there is, twice over: only what we speak is kept, and each once. */
static void
test_a_peers_list_may_be_as_long_as_it_likes (void)
{
  static uint8_t list[65534];
  struct offer offer = { .n_suites = 0 };

  for (size_t i = 0; i + 1 < sizeof list; i += 2)
    {
      list[i] = (uint8_t) (i % 65536 >> 8);
      list[i + 1] = (uint8_t) (i / 2);
    }
  for (unsigned i = 0; i < 2; i++)
    {
      offer_take_suites (&offer, TAP_BYTES (list));
      offer_take_groups (&offer, TAP_BYTES (list));
      offer_take_schemes (&offer, TAP_BYTES (list));
    }
  CHECK (offer.n_suites > 0 && offer.n_suites <= 20);
  CHECK (offer.n_groups > 0 && offer.n_groups <= 4);
  CHECK (offer.n_schemes > 0 && offer.n_schemes <= 12);
}

static struct offer
peer_with_groups (uint16_t first, uint16_t second)
{
  return (struct offer){ .groups = { first, second }, .n_groups = second != 0 ? 2 : first != 0 };
}

struct group_row
{
  const char *name;
  uint16_t ours[2];
  uint16_t theirs[2];
  uint16_t in_12;
  uint16_t in_13;
};

/* clang-format off */
static const struct group_row group_rows[] = {
  { "none",                       { GROUP_X25519 },                         { 0 },                                  0,               0 },
  { "none in common",             { GROUP_X25519 },                         { GROUP_SECP256R1 },                    0,               0 },
  { "the first of ours",          { GROUP_SECP256R1, GROUP_X25519 },        { GROUP_X25519, GROUP_SECP256R1 },      GROUP_SECP256R1, GROUP_SECP256R1 },
  { "no encapsulation in 1.2",    { GROUP_X25519MLKEM768, GROUP_X25519 },   { GROUP_X25519MLKEM768, GROUP_X25519 }, GROUP_X25519,    GROUP_X25519MLKEM768 },
  { "nothing but encapsulation",  { GROUP_X25519MLKEM768 },                 { GROUP_X25519MLKEM768 },               0,               GROUP_X25519MLKEM768 },
};
/* clang-format on */

static void
test_group_is_ours_first (void)
{
  for (size_t i = 0; i < TAP_N (group_rows); i++)
    {
      const struct group_row *row = &group_rows[i];
      struct offer ours = peer_with_groups (row->ours[0], row->ours[1]);
      struct offer theirs = peer_with_groups (row->theirs[0], row->theirs[1]);

      tap_set_row (row->name);
      CHECK_UINT (choose_group (&ours, &theirs, VERSION_DTLS_1_2), row->in_12);
      CHECK_UINT (choose_group (&ours, &theirs, VERSION_DTLS_1_3), row->in_13);
    }
  tap_set_row (NULL);
}

/* A peer's own list is kept for both versions, and what is none is in neither. */
static void
test_groups_by_version (void)
{
  unsigned n_12 = 0, n_13 = 0;

  for (unsigned group = 0; group < 65536; group++)
    {
      n_12 += group_is_of ((uint16_t) group, VERSION_DTLS_1_2);
      n_13 += group_is_of ((uint16_t) group, VERSION_DTLS_1_3);
      CHECK (!group_is_of ((uint16_t) group, VERSION_DTLS_1_0));
    }
  CHECK_UINT (n_12, 3);
  CHECK_UINT (n_13, 4);
  CHECK (!group_is_of (GROUP_X25519MLKEM768, VERSION_DTLS_1_2));
}

struct suite_row
{
  enum key_kind kind;
  enum suite_authentication authentication;
};

/* clang-format off */
static const struct suite_row suite_rows[] = {
  { KEY_RSA,     SUITE_SIGNS_RSA },
  { KEY_RSA_PSS, SUITE_SIGNS_RSA },
  { KEY_P256,    SUITE_SIGNS_ECDSA },
  { KEY_P384,    SUITE_SIGNS_ECDSA },
  { KEY_ED25519, SUITE_SIGNS_ECDSA },
};
/* clang-format on */

static void
test_suite_fits_the_key (void)
{
  struct offer ours = defaults (), nothing = { .n_suites = 0 };

  for (size_t i = 0; i < TAP_N (suite_rows); i++)
    {
      const struct suite *suite = choose_suite_12 (&ours, &ours, suite_rows[i].kind);

      if (CHECK (suite != NULL))
        {
          CHECK_UINT (suite->version, VERSION_DTLS_1_2);
          CHECK_UINT (suite->authentication, suite_rows[i].authentication);
        }
      CHECK (choose_suite_12 (&ours, &nothing, suite_rows[i].kind) == NULL);
    }
  CHECK (choose_suite_12 (&ours, &ours, KEY_UNKNOWN) == NULL);
}

struct choice_row
{
  const char *name;
  uint16_t ours[4];
  uint16_t theirs[4];
  bool has_group; /* in common */
  uint16_t rsa_12;
  uint16_t psk_12;
  uint16_t any_13;
  uint16_t sha384_13;
};

/* clang-format off */
static const struct choice_row choice_rows[] = {
  { "nothing",
    { 0 }, { SUITE_AES_128_GCM_SHA256 }, true, 0, 0, 0, 0 },
  { "each of its version",
    { SUITE_AES_128_GCM_SHA256, SUITE_ECDHE_PSK_AES_128_GCM_SHA256, SUITE_ECDHE_RSA_AES_128_GCM_SHA256 },
    { SUITE_ECDHE_RSA_AES_128_GCM_SHA256, SUITE_AES_128_GCM_SHA256, SUITE_ECDHE_PSK_AES_128_GCM_SHA256 },
    true, SUITE_ECDHE_RSA_AES_128_GCM_SHA256, SUITE_ECDHE_PSK_AES_128_GCM_SHA256, SUITE_AES_128_GCM_SHA256, 0 },
  { "ours first",
    { SUITE_CHACHA20_POLY1305_SHA256, SUITE_AES_256_GCM_SHA384, SUITE_AES_128_GCM_SHA256 },
    { SUITE_AES_128_GCM_SHA256, SUITE_AES_256_GCM_SHA384, SUITE_CHACHA20_POLY1305_SHA256 },
    true, 0, 0, SUITE_CHACHA20_POLY1305_SHA256, SUITE_AES_256_GCM_SHA384 },
  { "the peer's only",
    { SUITE_AES_128_GCM_SHA256, SUITE_AES_256_GCM_SHA384 }, { SUITE_AES_256_GCM_SHA384 },
    true, 0, 0, SUITE_AES_256_GCM_SHA384, SUITE_AES_256_GCM_SHA384 },
  { "forward secrecy first, as we say",
    { SUITE_ECDHE_PSK_AES_128_GCM_SHA256, SUITE_PSK_AES_256_GCM_SHA384 },
    { SUITE_PSK_AES_256_GCM_SHA384, SUITE_ECDHE_PSK_AES_128_GCM_SHA256 },
    true, 0, SUITE_ECDHE_PSK_AES_128_GCM_SHA256, 0, 0 },
  { "no ECDHE without a group",
    { SUITE_ECDHE_PSK_AES_128_GCM_SHA256, SUITE_PSK_AES_256_GCM_SHA384 },
    { SUITE_PSK_AES_256_GCM_SHA384, SUITE_ECDHE_PSK_AES_128_GCM_SHA256 },
    false, 0, SUITE_PSK_AES_256_GCM_SHA384, 0, 0 },
  { "another's key",
    { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256 }, { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256 }, true, 0, 0, 0, 0 },
};
/* clang-format on */

static struct offer
with_suites (const uint16_t suites[4], uint16_t group)
{
  struct offer offer = peer_with_groups (group, 0);

  while (offer.n_suites < 4 && suites[offer.n_suites] != 0)
    {
      offer.suites[offer.n_suites] = suites[offer.n_suites];
      offer.n_suites++;
    }
  return offer;
}

static void
check_suite (const struct suite *suite, uint16_t expected)
{
  CHECK_UINT (suite != NULL ? suite->code : 0, expected);
}

static void
test_suites_by_version (void)
{
  for (size_t i = 0; i < TAP_N (choice_rows); i++)
    {
      const struct choice_row *row = &choice_rows[i];
      struct offer ours = with_suites (row->ours, GROUP_X25519);
      struct offer theirs =
          with_suites (row->theirs, row->has_group ? GROUP_X25519 : GROUP_X25519MLKEM768);

      tap_set_row (row->name);
      check_suite (choose_suite_12 (&ours, &theirs, KEY_RSA), row->rsa_12);
      check_suite (choose_psk_suite_12 (&ours, &theirs), row->psk_12);
      check_suite (choose_suite_13 (&ours, &theirs), row->any_13);
      check_suite (choose_suite_13_of (&ours, &theirs, HASH_SHA384), row->sha384_13);
    }
  tap_set_row (NULL);
}

struct scheme_row
{
  const char *name;
  enum key_kind kind;
  uint16_t theirs[3];
  uint16_t in_12;
  uint16_t in_13;
};

/* clang-format off */
static const struct scheme_row scheme_rows[] = {
  { "P-256 takes its own hash first",   KEY_P256,    { SIG_ECDSA_SECP384R1_SHA384, SIG_ECDSA_SECP256R1_SHA256 }, SIG_ECDSA_SECP256R1_SHA256, SIG_ECDSA_SECP256R1_SHA256 },
  { "P-384 takes its own hash first",   KEY_P384,    { SIG_ECDSA_SECP256R1_SHA256, SIG_ECDSA_SECP384R1_SHA384 }, SIG_ECDSA_SECP384R1_SHA384, SIG_ECDSA_SECP384R1_SHA384 },
  { "P-384 takes another in 1.2 only",  KEY_P384,    { SIG_ECDSA_SECP256R1_SHA256 },                             SIG_ECDSA_SECP256R1_SHA256, 0 },
  { "P-256 takes another in 1.2 only",  KEY_P256,    { SIG_ECDSA_SECP384R1_SHA384 },                             SIG_ECDSA_SECP384R1_SHA384, 0 },
  { "PSS before PKCS #1",               KEY_RSA,     { SIG_RSA_PKCS1_SHA256, SIG_RSA_PSS_RSAE_SHA384 },          SIG_RSA_PSS_RSAE_SHA384,    SIG_RSA_PSS_RSAE_SHA384 },
  { "PKCS #1 for want of PSS in 1.2",   KEY_RSA,     { SIG_RSA_PKCS1_SHA512, SIG_RSA_PSS_PSS_SHA256 },           SIG_RSA_PKCS1_SHA512,       0 },
  { "a PSS key has its own schemes",    KEY_RSA_PSS, { SIG_RSA_PSS_RSAE_SHA256, SIG_RSA_PSS_PSS_SHA512 },        SIG_RSA_PSS_PSS_SHA512,     SIG_RSA_PSS_PSS_SHA512 },
  { "Ed25519",                          KEY_ED25519, { SIG_ECDSA_SECP256R1_SHA256, SIG_ED25519 },                SIG_ED25519,                SIG_ED25519 },
  { "none that fits",                   KEY_ED25519, { SIG_ECDSA_SECP256R1_SHA256, SIG_RSA_PKCS1_SHA256 },       0,                          0 },
};
/* clang-format on */

static void
test_scheme_fits_the_key (void)
{
  struct offer ours = defaults ();

  for (size_t i = 0; i < TAP_N (scheme_rows); i++)
    {
      const struct scheme_row *row = &scheme_rows[i];
      struct offer theirs = { .n_schemes = 0 };

      tap_set_row (row->name);
      for (size_t s = 0; s < 3 && row->theirs[s] != 0; s++)
        theirs.schemes[theirs.n_schemes++] = row->theirs[s];
      CHECK_UINT (choose_scheme (&ours, &theirs, row->kind, VERSION_DTLS_1_2), row->in_12);
      CHECK_UINT (choose_scheme (&ours, &theirs, row->kind, VERSION_DTLS_1_3), row->in_13);
    }
  tap_set_row (NULL);
}

/* RFC 9846 §4.3.3: every pair of scheme and key that 1.3 has. */
static void
test_schemes_of_13 (void)
{
  static const struct
  {
    uint16_t scheme;
    enum key_kind kind;
  } pairs[] = {
    { SIG_ECDSA_SECP256R1_SHA256, KEY_P256 },
    { SIG_ECDSA_SECP384R1_SHA384, KEY_P384 },
    { SIG_ED25519, KEY_ED25519 },
    { SIG_RSA_PSS_RSAE_SHA256, KEY_RSA },
    { SIG_RSA_PSS_RSAE_SHA384, KEY_RSA },
    { SIG_RSA_PSS_RSAE_SHA512, KEY_RSA },
    { SIG_RSA_PSS_PSS_SHA256, KEY_RSA_PSS },
    { SIG_RSA_PSS_PSS_SHA384, KEY_RSA_PSS },
    { SIG_RSA_PSS_PSS_SHA512, KEY_RSA_PSS },
  };
  unsigned n = 0;

  for (size_t i = 0; i < TAP_N (pairs); i++)
    CHECK (scheme_is_of (pairs[i].scheme, pairs[i].kind, VERSION_DTLS_1_3));

  for (unsigned scheme = 0; scheme < 65536; scheme++)
    for (enum key_kind kind = KEY_RSA; kind <= KEY_UNKNOWN; kind++)
      {
        n += scheme_is_of ((uint16_t) scheme, kind, VERSION_DTLS_1_3);
        CHECK (!scheme_is_of ((uint16_t) scheme, kind, VERSION_DTLS_1_0));
        CHECK_UINT (scheme_is_of ((uint16_t) scheme, kind, VERSION_DTLS_1_2),
                    signature_fits ((uint16_t) scheme, kind));
      }
  CHECK_UINT (n, TAP_N (pairs));
}

static void
test_curve_of_the_key_must_be_among_the_groups (void)
{
  static const uint8_t p256[] = { 0, GROUP_SECP256R1 };
  struct offer theirs = { .n_groups = 0 };

  offer_take_groups (&theirs, TAP_BYTES (p256));
  CHECK (offer_takes_key_kind (&theirs, KEY_P256));
  CHECK (!offer_takes_key_kind (&theirs, KEY_P384));
  CHECK (offer_takes_key_kind (&theirs, KEY_ED25519));
  CHECK (offer_takes_key_kind (&theirs, KEY_RSA));
  CHECK (!offer_takes_key_kind (&theirs, KEY_UNKNOWN));
}

static void
test_protocol_is_the_first_of_ours (void)
{
  CHECK_BYTES (choose_protocol (TAP_STRING ("\1b\1a"), TAP_STRING ("\1a\1b")), TAP_STRING ("b"));
  CHECK_BYTES (choose_protocol (TAP_STRING ("\2ab"), TAP_STRING ("\1a\3abc\2ab")),
               TAP_STRING ("ab"));
  CHECK_UINT (choose_protocol (TAP_STRING ("\1a"), TAP_STRING ("\1b")).left, 0);
  CHECK_UINT (choose_protocol ((struct bytes){ NULL, 0 }, TAP_STRING ("\1b")).left, 0);
}

static const struct tap_test tests[] = {
  { "/handshake/negotiate/defaults-and-no-sha-1", test_defaults },
  { "/handshake/negotiate/versions-and-keys-leave-out-what-has-no-use", test_versions_leave_out },
  { "/handshake/negotiate/what-a-version-cannot-do-without", test_what_a_version_needs },
  { "/handshake/negotiate/configuration-keeps-its-order", test_configuration_is_kept_in_its_order },
  { "/handshake/negotiate/a-peers-list-may-be-as-long-as-it-likes",
    test_a_peers_list_may_be_as_long_as_it_likes },
  { "/handshake/negotiate/group-is-the-first-of-ours", test_group_is_ours_first },
  { "/handshake/negotiate/encapsulation-is-1.3s", test_groups_by_version },
  { "/handshake/negotiate/suite-fits-the-key", test_suite_fits_the_key },
  { "/handshake/negotiate/suite-is-the-first-of-ours-in-its-version", test_suites_by_version },
  { "/handshake/negotiate/scheme-fits-the-key", test_scheme_fits_the_key },
  { "/handshake/negotiate/schemes-of-1.3", test_schemes_of_13 },
  { "/handshake/negotiate/curve-of-the-key-must-be-among-the-groups",
    test_curve_of_the_key_must_be_among_the_groups },
  { "/handshake/negotiate/protocol-is-the-first-of-ours", test_protocol_is_the_first_of_ours },
};

TAP_MAIN (tests)
