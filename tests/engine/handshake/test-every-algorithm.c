/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every suite, group and signature scheme between two engines, in each version that has it and in those that do not. */

#include "crypto/algorithms.h"
#include "handshake/suites.h"
#include "pair.h"
#include "tap.h"
#include "wire/codepoints.h"

static const enum dtls_version versions[] = { DTLS_1_2, DTLS_1_3 };

static void
set_groups (struct dtls_config *config, const uint16_t *groups, size_t n)
{
  config->groups = groups;
  config->n_groups = n;
}

static void
set_schemes (struct dtls_config *config, const uint16_t *schemes, size_t n)
{
  config->signature_schemes = schemes;
  config->n_signature_schemes = n;
}

/* Both are connected, or the server has this to say. */
static void
check_outcome (struct pair *pair, enum dtls_error expected)
{
  if (pair_handshake (pair))
    CHECK (pair_talks (pair));
  CHECK_UINT (dtls_conn_error (pair->sides[DTLS_SERVER].conn), expected);
  CHECK_UINT (pair_is_connected (pair), expected == DTLS_OK);
}

/* ---------------------------------------------------------------------------------- suites */

static void
check_suite (uint16_t code)
{
  const struct suite *suite = suite_find (code);
  bool is_rsa = suite->authentication == SUITE_SIGNS_RSA;
  struct pair pair;

  if (!crypto_has_aead (pki_crypto (), suite->aead))
    {
      printf ("# skipped, libcrypto has no such AEAD: %s\n", suite_name (code));
      return;
    }

  for (unsigned v = 0; v < TAP_N (versions); v++)
    {
      tap_set_row (suite_name (code));
      pair_init (&pair, pki_identity (is_rsa ? "server-rsa" : "server-ecdsa"), NULL);
      pair_set_versions (&pair, DTLS_1_2, DTLS_1_3);
      pair.sides[v].config.suites = &code;
      pair.sides[v].config.n_suites = 1;
      check_outcome (&pair, DTLS_OK);
      CHECK_UINT (dtls_conn_suite (pair.sides[DTLS_CLIENT].conn), code);
      CHECK_UINT (dtls_conn_version (pair.sides[DTLS_CLIENT].conn), suite->version);
      PAIR_END (&pair);
    }
}

/* One alone, on either side: it decides the version too. */
static void
test_suites (void)
{
  static const uint16_t suites[] = {
    SUITE_AES_128_GCM_SHA256,
    SUITE_AES_256_GCM_SHA384,
    SUITE_CHACHA20_POLY1305_SHA256,
    SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
    SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,
    SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
    SUITE_ECDHE_RSA_AES_128_GCM_SHA256,
    SUITE_ECDHE_RSA_AES_256_GCM_SHA384,
    SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
  };

  for (size_t i = 0; i < TAP_N (suites); i++)
    check_suite (suites[i]);
}

/* ---------------------------------------------------------------------------------- groups */

static const uint16_t groups[] = { GROUP_X25519, GROUP_SECP256R1, GROUP_SECP384R1,
                                   GROUP_X25519MLKEM768 };

/* An RSA key, as in 1.2 a certificate's curve is held against the client's groups too (RFC 8422 §5.1).
 * By a share in the first hello, or, where the server alone insists on it, by a retry. */
static void
check_group (uint16_t group, enum dtls_version version, bool is_asked_for)
{
  bool is_of = version == DTLS_1_3 || group != GROUP_X25519MLKEM768;
  struct pair pair;

  tap_set_row (group_name (group));
  pair_init (&pair, pki_identity ("server-rsa"), NULL);
  pair_set_versions (&pair, version, version);
  set_groups (&pair.sides[DTLS_SERVER].config, &group, 1);
  pair.sides[DTLS_CLIENT].config.share_groups = groups; /* X25519 */
  pair.sides[DTLS_CLIENT].config.n_share_groups = 1;
  if (!is_asked_for)
    {
      set_groups (&pair.sides[DTLS_CLIENT].config, &group, 1);
      pair.sides[DTLS_CLIENT].config.n_share_groups = 0;
    }

  if (is_of)
    {
      check_outcome (&pair, DTLS_OK);
      CHECK_UINT (dtls_conn_group (pair.sides[DTLS_CLIENT].conn), group);
      CHECK_UINT (dtls_conn_group (pair.sides[DTLS_SERVER].conn), group);
      CHECK_UINT (dtls_conn_was_retried (pair.sides[DTLS_CLIENT].conn),
                  is_asked_for && version == DTLS_1_3 && group != GROUP_X25519);
      CHECK_TEXT (pair.broken, NULL);
    }
  pair_clear (&pair);
}

static void
test_groups (void)
{
  for (size_t i = 0; i < TAP_N (groups); i++)
    {
      if (!crypto_has_group (pki_crypto (), groups[i]))
        {
          printf ("# skipped, libcrypto has no such group: %s\n", group_name (groups[i]));
          continue;
        }

      for (unsigned v = 0; v < TAP_N (versions); v++)
        for (unsigned is_asked_for = 0; is_asked_for < 2; is_asked_for++)
          check_group (groups[i], versions[v], is_asked_for);
    }
}

/* The server's order decides, but no share is worth a round trip. */
static void
test_order (void)
{
  static const uint16_t ours[] = { GROUP_SECP384R1, GROUP_SECP256R1, GROUP_X25519 };
  static const uint16_t theirs[] = { GROUP_X25519, GROUP_SECP384R1 };

  for (unsigned v = 0; v < TAP_N (versions); v++)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-rsa"), NULL);
      pair_set_versions (&pair, versions[v], versions[v]);
      set_groups (&pair.sides[DTLS_SERVER].config, ours, TAP_N (ours));
      set_groups (&pair.sides[DTLS_CLIENT].config, theirs, TAP_N (theirs));
      check_outcome (&pair, DTLS_OK);
      CHECK_UINT (dtls_conn_group (pair.sides[DTLS_CLIENT].conn),
                  versions[v] == DTLS_1_3 ? GROUP_X25519 : GROUP_SECP384R1);
      PAIR_END (&pair);
    }
}

static void
test_no_group (void)
{
  for (unsigned v = 0; v < TAP_N (versions); v++)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-rsa"), NULL);
      pair_set_versions (&pair, versions[v], versions[v]);
      set_groups (&pair.sides[DTLS_SERVER].config, &groups[1], 1);
      set_groups (&pair.sides[DTLS_CLIENT].config, &groups[2], 1);
      check_outcome (&pair, DTLS_ERROR_NO_SHARED_GROUP);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[DTLS_CLIENT].conn),
                  ALERT_HANDSHAKE_FAILURE);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- signatures */

/* By whom, with what, and whether that is so in each version. */
/* clang-format off */
static const struct
{
  uint16_t scheme;
  const char *server, *client;
  bool is_of_12, is_of_13;
} scheme_rows[] = {
  { SIG_ECDSA_SECP256R1_SHA256, "server-ecdsa",   "client-ecdsa",   true,  true },
  { SIG_ECDSA_SECP384R1_SHA384, "server-p384",    "client-p384",    true,  true },
  /* RFC 5246 §7.4.1.4.1: in 1.2 the hash alone counts. */
  { SIG_ECDSA_SECP384R1_SHA384, "server-ecdsa",   "client-ecdsa",   true,  false },
  { SIG_ECDSA_SECP256R1_SHA256, "server-p384",    "client-p384",    true,  false },
  { SIG_ED25519,                "server-ed25519", "client-ed25519", true,  true },
  { SIG_RSA_PSS_RSAE_SHA256,    "server-rsa",     "client-rsa",     true,  true },
  { SIG_RSA_PSS_RSAE_SHA384,    "server-rsa",     "client-rsa",     true,  true },
  { SIG_RSA_PSS_RSAE_SHA512,    "server-rsa",     "client-rsa",     true,  true },
  { SIG_RSA_PSS_PSS_SHA256,     "server-rsapss",  "client-rsapss",  true,  true },
  { SIG_RSA_PSS_PSS_SHA384,     "server-rsapss",  "client-rsapss",  true,  true },
  { SIG_RSA_PSS_PSS_SHA512,     "server-rsapss",  "client-rsapss",  true,  true },
  { SIG_RSA_PKCS1_SHA256,       "server-rsa",     "client-rsa",     true,  false },
  { SIG_RSA_PKCS1_SHA384,       "server-rsa",     "client-rsa",     true,  false },
  { SIG_RSA_PKCS1_SHA512,       "server-rsa",     "client-rsa",     true,  false },
  { SIG_ECDSA_SECP256R1_SHA256, "server-rsa",     "client-rsa",     false, false },
  { SIG_RSA_PSS_RSAE_SHA256,    "server-rsapss",  "client-rsapss",  false, false },
  { SIG_RSA_PSS_PSS_SHA256,     "server-rsa",     "client-rsa",     false, false },
  { SIG_ED25519,                "server-ecdsa",   "client-ecdsa",   false, false },
};
/* clang-format on */

/* The client takes no other scheme. */
static void
test_servers_sign (void)
{
  for (size_t i = 0; i < TAP_N (scheme_rows); i++)
    for (unsigned v = 0; v < TAP_N (versions); v++)
      {
        bool is_of = versions[v] == DTLS_1_3 ? scheme_rows[i].is_of_13 : scheme_rows[i].is_of_12;
        struct pair pair;

        tap_set_row (signature_name (scheme_rows[i].scheme));
        pair_init (&pair, pki_identity (scheme_rows[i].server), NULL);
        pair_set_versions (&pair, versions[v], versions[v]);
        set_schemes (&pair.sides[DTLS_CLIENT].config, &scheme_rows[i].scheme, 1);
        pair_handshake (&pair);
        CHECK_UINT (pair_is_connected (&pair), is_of);
        if (!is_of)
          CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[DTLS_CLIENT].conn),
                      ALERT_HANDSHAKE_FAILURE);
        PAIR_END (&pair);
      }
}

/* The server takes no other scheme: a client whose key does not make it has no certificate to show. */
static void
test_clients_sign (void)
{
  for (size_t i = 0; i < TAP_N (scheme_rows); i++)
    for (unsigned v = 0; v < TAP_N (versions); v++)
      {
        bool is_of = versions[v] == DTLS_1_3 ? scheme_rows[i].is_of_13 : scheme_rows[i].is_of_12;
        const uint16_t schemes[] = { scheme_rows[i].scheme, SIG_ED25519 };
        /* The server's own key makes Ed25519 signatures; offering that too would let a client use it. */
        bool is_own = scheme_rows[i].scheme == SIG_ED25519;
        struct pair pair;

        tap_set_row (signature_name (scheme_rows[i].scheme));
        pair_init (&pair, pki_identity ("server-ed25519"), pki_identity (scheme_rows[i].client));
        pair_set_versions (&pair, versions[v], versions[v]);
        pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
        set_schemes (&pair.sides[DTLS_SERVER].config, schemes, is_own ? 1 : 2);
        check_outcome (&pair, is_of ? DTLS_OK : DTLS_ERROR_CERTIFICATE_REQUIRED);
        PAIR_END (&pair);
      }
}

static const struct tap_test tests[] = {
  { "/every-algorithm/suites/one-alone-decides", test_suites },
  { "/every-algorithm/groups/by-a-share-or-by-a-retry", test_groups },
  { "/every-algorithm/groups/the-servers-order-but-no-needless-retry", test_order },
  { "/every-algorithm/groups/none-in-common-is-told", test_no_group },
  { "/every-algorithm/schemes/servers-sign-what-clients-take", test_servers_sign },
  { "/every-algorithm/schemes/clients-sign-what-servers-take", test_clients_sign },
};

TAP_MAIN (tests)
