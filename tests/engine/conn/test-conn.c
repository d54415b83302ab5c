/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Handshakes without accidents: every suite, key, group and mode, and what both sides then know. */

#include "same.h"
#include "wire/codepoints.h"

#include <stdlib.h>

/* clang-format off */
static const char *const kinds[] = { "rsa", "ecdsa", "p384", "ed25519", "rsapss" };
static const uint16_t ecdsa_suites[] = {
  SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
  SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,
  SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
};
static const uint16_t rsa_suites[] = {
  SUITE_ECDHE_RSA_AES_128_GCM_SHA256,
  SUITE_ECDHE_RSA_AES_256_GCM_SHA384,
  SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256,
};
static const uint16_t groups[] = { GROUP_X25519, GROUP_SECP256R1, GROUP_SECP384R1 };
/* clang-format on */

static const struct identity *
identity_of (const char *role, const char *kind)
{
  char name[32];

  snprintf (name, sizeof name, "%s-%s", role, kind);
  return pki_identity (name);
}

static void
finish (struct pair *pair)
{
  if (!CHECK (pair_handshake (pair)))
    tell_errors (pair);
  else if (check_same (pair))
    CHECK (pair_talks (pair));
}

static void
connect_with (const char *kind, uint16_t suite, uint16_t group, bool has_cookies)
{
  struct pair pair;
  char row[64];

  snprintf (row, sizeof row, "%s, suite %04x, group %u, %s", kind, suite, group,
            has_cookies ? "cookies" : "no cookies");
  tap_set_row (row);

  pair_init (&pair, identity_of ("server", kind), NULL);
  pair.has_cookies = has_cookies;
  pair.sides[DTLS_SERVER].config.suites = &suite;
  pair.sides[DTLS_SERVER].config.n_suites = 1;
  pair.sides[DTLS_SERVER].config.groups = &group;
  pair.sides[DTLS_SERVER].config.n_groups = 1;
  finish (&pair);
  if (pair_is_connected (&pair))
    {
      CHECK_UINT (dtls_conn_suite (pair.sides[DTLS_CLIENT].conn), suite);
      CHECK_UINT (dtls_conn_group (pair.sides[DTLS_CLIENT].conn), group);
      CHECK (dtls_conn_has_extended_master_secret (pair.sides[DTLS_CLIENT].conn));
    }
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static void
test_every_combination (void)
{
  for (size_t k = 0; k < TAP_N (kinds); k++)
    for (size_t s = 0; s < TAP_N (rsa_suites); s++)
      for (size_t g = 0; g < TAP_N (groups); g++)
        for (unsigned cookies = 0; cookies < 2; cookies++)
          connect_with (kinds[k], kinds[k][0] == 'r' ? rsa_suites[s] : ecdsa_suites[s], groups[g],
                        cookies);
}

/* ---------------------------------------------------------------------------------- client certificates */

struct auth_row
{
  const char *name;
  enum dtls_client_auth mode;
  bool has_certificate;
  enum dtls_error server_error;
  size_t n_seen; /* certificates that the server has */
};

/* clang-format off */
static const struct auth_row auth_rows[] = {
  { "not asked, has none",  DTLS_CLIENT_AUTH_NONE,      false, DTLS_OK,                         0 },
  { "not asked, has one",   DTLS_CLIENT_AUTH_NONE,      true,  DTLS_OK,                         0 },
  { "requested, has none",  DTLS_CLIENT_AUTH_REQUESTED, false, DTLS_OK,                         0 },
  { "requested, has one",   DTLS_CLIENT_AUTH_REQUESTED, true,  DTLS_OK,                         2 },
  { "required, has none",   DTLS_CLIENT_AUTH_REQUIRED,  false, DTLS_ERROR_CERTIFICATE_REQUIRED, 0 },
  { "required, has one",    DTLS_CLIENT_AUTH_REQUIRED,  true,  DTLS_OK,                         2 },
};
/* clang-format on */

static void
authenticate_with (const struct auth_row *row, const char *kind, bool has_cookies)
{
  struct pair pair;
  char name[64];

  snprintf (name, sizeof name, "%s, %s", row->name, kind);
  tap_set_row (name);
  pair_init (&pair, identity_of ("server", "ecdsa"),
             row->has_certificate ? identity_of ("client", kind) : NULL);
  pair.has_cookies = has_cookies;
  pair.sides[DTLS_SERVER].config.client_auth = row->mode;

  CHECK_UINT (pair_handshake (&pair), row->server_error == DTLS_OK);
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), row->server_error);
  CHECK_UINT (dtls_conn_n_peer_certificates (pair.sides[DTLS_SERVER].conn), row->n_seen);
  CHECK_UINT (dtls_conn_was_asked_for_certificate (pair.sides[DTLS_CLIENT].conn),
              row->mode != DTLS_CLIENT_AUTH_NONE);
  if (row->server_error == DTLS_OK && check_same (&pair))
    CHECK (pair_talks (&pair));
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static void
test_client_authentication (void)
{
  for (size_t i = 0; i < TAP_N (auth_rows); i++)
    for (size_t k = 0; k < TAP_N (kinds); k++)
      for (unsigned cookies = 0; cookies < 2; cookies++)
        authenticate_with (&auth_rows[i], kinds[k], cookies);
}

static void
test_chain_is_handed_over_as_it_was_sent (void)
{
  const struct identity *server = pki_identity ("server-long-chain");
  const struct identity *client = pki_identity ("client-ecdsa");
  struct pair pair;

  pair_init (&pair, server, client);
  pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_n_peer_certificates (pair.sides[DTLS_CLIENT].conn), 5);
  for (size_t i = 0; i < 5; i++)
    CHECK_BYTES (dtls_conn_peer_certificate (pair.sides[DTLS_CLIENT].conn, i), server->chain[i]);
  for (size_t i = 0; i < 2; i++)
    CHECK_BYTES (dtls_conn_peer_certificate (pair.sides[DTLS_SERVER].conn, i), client->chain[i]);
  CHECK_UINT (dtls_conn_peer_certificate (pair.sides[DTLS_SERVER].conn, 2).left, 0);
  PAIR_END (&pair);
}

static void
test_authorities_reach_the_client (void)
{
  const struct identity *server = pki_identity ("server-ecdsa");
  struct bytes names[2] = { dtls_certificate_subject (server->chain[0]),
                            dtls_certificate_subject (server->chain[1]) };
  struct pair pair;

  pair_init (&pair, server, NULL);
  pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUESTED;
  pair.sides[DTLS_SERVER].config.authorities = names;
  pair.sides[DTLS_SERVER].config.n_authorities = 2;
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_n_authorities (pair.sides[DTLS_CLIENT].conn), 2);
  for (size_t i = 0; i < 2; i++)
    {
      CHECK (names[i].left > 0);
      CHECK_BYTES (dtls_conn_authority (pair.sides[DTLS_CLIENT].conn, i), names[i]);
    }
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- what is negotiated */

static void
test_server_name_reaches_the_server (void)
{
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  pair.sides[DTLS_CLIENT].config.server_name = TAP_STRING ("server.example.com");
  finish (&pair);
  CHECK_BYTES (dtls_conn_server_name (pair.sides[DTLS_SERVER].conn),
               TAP_STRING ("server.example.com"));
  PAIR_END (&pair);
}

static void
test_no_server_name_is_sent_by_default (void)
{
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  finish (&pair);
  CHECK_UINT (dtls_conn_server_name (pair.sides[DTLS_SERVER].conn).left, 0);
  PAIR_END (&pair);
}

struct alpn_row
{
  const char *name;
  struct bytes client, server, chosen;
};

/* clang-format off */
static const struct alpn_row alpn_rows[] = {
  { "the same",             TAP_STRING ("\4coap"),           TAP_STRING ("\4coap"),           TAP_STRING ("coap") },
  { "the server's order",   TAP_STRING ("\1a\1b\1c"),        TAP_STRING ("\1c\1b"),           TAP_STRING ("c") },
  { "nothing in common",    TAP_STRING ("\1a"),              TAP_STRING ("\1b"),              { NULL, 0 } },
  { "only the client",      TAP_STRING ("\1a"),              { NULL, 0 },                     { NULL, 0 } },
  { "only the server",      { NULL, 0 },                     TAP_STRING ("\1a"),              { NULL, 0 } },
  { "one begins the other", TAP_STRING ("\6webrtc"),         TAP_STRING ("\10c-webrtc\6webrtc"), TAP_STRING ("webrtc") },
};
/* clang-format on */

static void
test_alpn_is_the_servers_choice (void)
{
  for (size_t i = 0; i < TAP_N (alpn_rows); i++)
    {
      struct pair pair;

      tap_set_row (alpn_rows[i].name);
      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair.sides[DTLS_CLIENT].config.alpn = alpn_rows[i].client;
      pair.sides[DTLS_SERVER].config.alpn = alpn_rows[i].server;
      finish (&pair);
      CHECK_BYTES (dtls_conn_alpn (pair.sides[DTLS_CLIENT].conn), alpn_rows[i].chosen);
      PAIR_END (&pair);
    }
  tap_set_row (NULL);
}

struct limit_row
{
  uint16_t client, server;
};

static const struct limit_row limit_rows[] = {
  { 16384, 16384 }, { 64, 16384 }, { 16384, 64 }, { 64, 64 }, { 512, 1500 }
};

/* A message of just the limit passes, one byte more is refused before it is sent. */
static void
check_limit (struct pair *pair, enum dtls_role from, size_t limit)
{
  static const uint8_t zeros[16385];
  enum dtls_role to = from == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;

  CHECK_UINT (dtls_conn_max_payload (pair->sides[from].conn), limit);
  CHECK_UINT (pair_send (pair, from, (struct bytes){ zeros, limit + 1 }), DTLS_ERROR_TOO_LARGE);
  CHECK_UINT (pair_send (pair, from, (struct bytes){ zeros, limit }), DTLS_OK);
  pair_settle (pair);
  CHECK_UINT (pair->sides[to].n_messages, 1);
  CHECK_UINT (pair->sides[to].message_len, limit);
}

static void
test_record_size_limit_holds_both_ways (void)
{
  for (size_t i = 0; i < TAP_N (limit_rows); i++)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair.sides[DTLS_CLIENT].config.record_size_limit = limit_rows[i].client;
      pair.sides[DTLS_SERVER].config.record_size_limit = limit_rows[i].server;
      CHECK (pair_handshake (&pair));
      check_limit (&pair, DTLS_CLIENT, limit_rows[i].server);
      check_limit (&pair, DTLS_SERVER, limit_rows[i].client);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- mismatches */

struct mismatch_row
{
  const char *name;
  const char *server;
  uint16_t client_suite, client_group, client_scheme; /* 0: the defaults */
  uint16_t server_suite, server_group, server_scheme;
  enum dtls_error error; /* of the server */
};

/* clang-format off */
static const struct mismatch_row mismatch_rows[] = {
  { "no suite", "server-ecdsa", SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, 0, 0, SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384, 0, 0, DTLS_ERROR_NO_SHARED_SUITE },
  { "no suite for the key", "server-rsa", SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, 0, 0, 0, 0, 0, DTLS_ERROR_NO_SHARED_SUITE },
  { "no group", "server-ecdsa", 0, GROUP_X25519, 0, 0, GROUP_SECP384R1, 0, DTLS_ERROR_NO_SHARED_GROUP },
  { "a curve of the key that the client does not take", "server-p384", 0, GROUP_X25519, 0, 0, 0, 0, DTLS_ERROR_NO_SHARED_SUITE },
  { "no signature for the key", "server-ecdsa", 0, 0, SIG_ED25519, 0, 0, 0, DTLS_ERROR_NO_SHARED_SIGNATURE },
  { "no signature in common", "server-rsa", 0, 0, SIG_RSA_PSS_RSAE_SHA256, 0, 0, SIG_RSA_PKCS1_SHA256, DTLS_ERROR_NO_SHARED_SIGNATURE },
  { "PSS keys have their own schemes", "server-rsapss", 0, 0, SIG_RSA_PSS_RSAE_SHA256, 0, 0, 0, DTLS_ERROR_NO_SHARED_SIGNATURE },
};
/* clang-format on */

static void
restrict_to (struct dtls_config *config, const uint16_t *suite, const uint16_t *group,
             const uint16_t *scheme)
{
  config->suites = suite;
  config->n_suites = *suite != 0;
  config->groups = group;
  config->n_groups = *group != 0;
  config->signature_schemes = scheme;
  config->n_signature_schemes = *scheme != 0;
}

static void
test_nothing_in_common_is_handshake_failure (void)
{
  for (size_t i = 0; i < TAP_N (mismatch_rows); i++)
    {
      const struct mismatch_row *row = &mismatch_rows[i];
      struct pair pair;

      tap_set_row (row->name);
      pair_init (&pair, pki_identity (row->server), NULL);
      restrict_to (&pair.sides[DTLS_CLIENT].config, &row->client_suite, &row->client_group,
                   &row->client_scheme);
      restrict_to (&pair.sides[DTLS_SERVER].config, &row->server_suite, &row->server_group,
                   &row->server_scheme);
      CHECK (!pair_handshake (&pair));
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), row->error);
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_ERROR_PEER_ALERT);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[DTLS_CLIENT].conn),
                  ALERT_HANDSHAKE_FAILURE);
      PAIR_END (&pair);
    }
  tap_set_row (NULL);
}

/* ---------------------------------------------------------------------------------- randoms */

static int
compare_randoms (const void *a, const void *b)
{
  return memcmp (a, b, RANDOM_LEN);
}

/* Picks both randoms of a handshake out of what goes over the links. */
struct random_picker
{
  uint8_t (*randoms)[RANDOM_LEN];
  size_t n;
};

static bool
pick_random (void *data, unsigned index, struct bytes datagram)
{
  enum
  {
    TYPE_AT = 13,
    RANDOM_AT = 13 + 12 + 2
  };
  struct random_picker *picker = data;

  /* The first datagram of either side begins with a whole hello. */
  if (index == 0 && datagram.left > RANDOM_AT + RANDOM_LEN
      && (datagram.at[TYPE_AT] == CLIENT_HELLO || datagram.at[TYPE_AT] == SERVER_HELLO))
    memcpy (picker->randoms[picker->n++], datagram.at + RANDOM_AT, RANDOM_LEN);
  return true;
}

/* CVE-2020-11501: a client random of zeros. */
static void
test_randoms_are_never_zero_and_never_the_same (void)
{
  enum
  {
    N_HANDSHAKES = 1000
  };
  static uint8_t randoms[2 * N_HANDSHAKES][RANDOM_LEN];
  static const uint8_t zeros[RANDOM_LEN];
  struct random_picker picker = { randoms, 0 };

  for (unsigned i = 0; i < N_HANDSHAKES; i++)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      for (unsigned side = 0; side < 2; side++)
        {
          pair.links[side].lets_through = pick_random;
          pair.links[side].lets_through_data = &picker;
        }
      CHECK (pair_handshake (&pair));
      PAIR_END (&pair);
    }

  if (!CHECK_UINT (picker.n, 2 * N_HANDSHAKES))
    return;
  qsort (randoms, picker.n, RANDOM_LEN, compare_randoms);
  for (size_t i = 0; i < picker.n; i++)
    {
      CHECK (memcmp (randoms[i], zeros, RANDOM_LEN) != 0);
      CHECK (i == 0 || memcmp (randoms[i], randoms[i - 1], RANDOM_LEN) != 0);
    }
}

static const struct tap_test tests[] = {
  { "/conn/handshake/every-suite-key-group-and-cookie-mode", test_every_combination },
  { "/conn/handshake/client-authentication-none-requested-required", test_client_authentication },
  { "/conn/handshake/chains-are-handed-over-as-sent", test_chain_is_handed_over_as_it_was_sent },
  { "/conn/handshake/authorities-reach-the-client", test_authorities_reach_the_client },
  { "/conn/handshake/server-name-reaches-the-server", test_server_name_reaches_the_server },
  { "/conn/handshake/no-server-name-unless-configured", test_no_server_name_is_sent_by_default },
  { "/conn/handshake/alpn-is-the-servers-choice", test_alpn_is_the_servers_choice },
  { "/conn/handshake/record-size-limit-holds-both-ways", test_record_size_limit_holds_both_ways },
  { "/conn/handshake/nothing-in-common-is-handshake-failure",
    test_nothing_in_common_is_handshake_failure },
  { "/conn/handshake/randoms-are-never-zero-and-never-the-same",
    test_randoms_are_never_zero_and_never_the_same },
};

TAP_MAIN (tests)
