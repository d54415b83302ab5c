/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is chosen of two offers, and what is kept of a peer's. */

#include "handshake/negotiate.h"
#include "pki.h"
#include "tap.h"

static struct offer
defaults (void)
{
  struct dtls_config config;
  struct offer offer;

  dtls_config_init (&config);
  CHECK (offer_from_config (&offer, &config, pki_crypto ()));
  return offer;
}

static void
test_defaults_are_all_we_speak (void)
{
  struct offer offer = defaults ();

  CHECK_UINT (offer.n_suites, 6);
  CHECK_UINT (offer.n_groups, 3);
  CHECK_UINT (offer.groups[0], GROUP_X25519);
  CHECK_UINT (offer.n_schemes, 12);
  CHECK (!offer_has_scheme (&offer, 0x0203));
  CHECK (!offer_has_scheme (&offer, 0x0201));
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
  CHECK (offer.n_suites <= 6);
  CHECK (offer.n_groups <= 3);
  CHECK (offer.n_schemes <= 12);
}

static void
test_group_is_ours_first (void)
{
  static const uint8_t theirs[] = { 0, GROUP_SECP384R1, 0, GROUP_SECP256R1 };
  struct offer ours = defaults (), peer = { .n_groups = 0 };

  CHECK_UINT (choose_group (&ours, &peer), 0);
  offer_take_groups (&peer, TAP_BYTES (theirs));
  CHECK_UINT (choose_group (&ours, &peer), GROUP_SECP256R1);
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
      const struct suite *suite = choose_suite (&ours, &ours, suite_rows[i].kind);

      if (CHECK (suite != NULL))
        CHECK_UINT (suite->authentication, suite_rows[i].authentication);
      CHECK (choose_suite (&ours, &nothing, suite_rows[i].kind) == NULL);
    }
  CHECK (choose_suite (&ours, &ours, KEY_UNKNOWN) == NULL);
}

struct scheme_row
{
  const char *name;
  enum key_kind kind;
  uint16_t theirs[3];
  uint16_t chosen;
};

/* clang-format off */
static const struct scheme_row scheme_rows[] = {
  { "P-256 takes its own hash first", KEY_P256,    { SIG_ECDSA_SECP384R1_SHA384, SIG_ECDSA_SECP256R1_SHA256 }, SIG_ECDSA_SECP256R1_SHA256 },
  { "P-384 takes its own hash first", KEY_P384,    { SIG_ECDSA_SECP256R1_SHA256, SIG_ECDSA_SECP384R1_SHA384 }, SIG_ECDSA_SECP384R1_SHA384 },
  { "P-384 takes another in 1.2",     KEY_P384,    { SIG_ECDSA_SECP256R1_SHA256 },                             SIG_ECDSA_SECP256R1_SHA256 },
  { "PSS before PKCS#1",              KEY_RSA,     { SIG_RSA_PKCS1_SHA256, SIG_RSA_PSS_RSAE_SHA384 },          SIG_RSA_PSS_RSAE_SHA384 },
  { "PKCS#1 where there is no PSS",   KEY_RSA,     { SIG_RSA_PKCS1_SHA512, SIG_RSA_PSS_PSS_SHA256 },           SIG_RSA_PKCS1_SHA512 },
  { "a PSS key has its own schemes",  KEY_RSA_PSS, { SIG_RSA_PSS_RSAE_SHA256, SIG_RSA_PSS_PSS_SHA512 },        SIG_RSA_PSS_PSS_SHA512 },
  { "Ed25519",                        KEY_ED25519, { SIG_ECDSA_SECP256R1_SHA256, SIG_ED25519 },                SIG_ED25519 },
  { "none that fits",                 KEY_ED25519, { SIG_ECDSA_SECP256R1_SHA256, SIG_RSA_PKCS1_SHA256 },       0 },
};
/* clang-format on */

static void
test_scheme_fits_the_key (void)
{
  struct offer ours = defaults ();

  for (size_t i = 0; i < TAP_N (scheme_rows); i++)
    {
      struct offer theirs = { .n_schemes = 0 };

      tap_set_row (scheme_rows[i].name);
      for (size_t s = 0; s < 3 && scheme_rows[i].theirs[s] != 0; s++)
        theirs.schemes[theirs.n_schemes++] = scheme_rows[i].theirs[s];
      CHECK_UINT (choose_scheme (&ours, &theirs, scheme_rows[i].kind), scheme_rows[i].chosen);
    }
  tap_set_row (NULL);
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
  { "/handshake/negotiate/defaults-are-all-we-speak-and-no-sha-1", test_defaults_are_all_we_speak },
  { "/handshake/negotiate/configuration-keeps-its-order", test_configuration_is_kept_in_its_order },
  { "/handshake/negotiate/a-peers-list-may-be-as-long-as-it-likes",
    test_a_peers_list_may_be_as_long_as_it_likes },
  { "/handshake/negotiate/group-is-the-first-of-ours", test_group_is_ours_first },
  { "/handshake/negotiate/suite-fits-the-key", test_suite_fits_the_key },
  { "/handshake/negotiate/scheme-fits-the-key", test_scheme_fits_the_key },
  { "/handshake/negotiate/curve-of-the-key-must-be-among-the-groups",
    test_curve_of_the_key_must_be_among_the_groups },
  { "/handshake/negotiate/protocol-is-the-first-of-ours", test_protocol_is_the_first_of_ours },
};

TAP_MAIN (tests)
