/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A key or a certificate, who is asked for what, and the mark of a server that could have done better. */

#include "handshake/choices12.h"
#include "handshake/talk12.h"
#include "same.h"

static const uint8_t key_bytes[16] = { 9 };
static const struct dtls_psk client_key = {
  .identity = { (const uint8_t *) "node", 4 },
  .key = { key_bytes, sizeof key_bytes },
  .role = DTLS_CLIENT,
};
static const struct dtls_psk server_key = {
  .key = { key_bytes, sizeof key_bytes },
  .role = DTLS_SERVER,
};
static const uint16_t key_last[] = { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
                                     SUITE_ECDHE_PSK_AES_128_GCM_SHA256 };
static const uint16_t key_first[] = { SUITE_ECDHE_PSK_AES_128_GCM_SHA256,
                                      SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256 };
static const uint16_t plain_key[] = { SUITE_PSK_AES_128_GCM_SHA256 };
static const uint16_t p256[] = { GROUP_SECP256R1 };
static const uint16_t x25519[] = { GROUP_X25519 };

enum
{
  CLIENT_HAS_KEY = 1 << 0,
  SERVER_HAS_KEYS = 1 << 1,
  SERVER_HAS_CERTIFICATE = 1 << 2,
  CERTIFICATES_FIRST = 1 << 3, /* in the server's order; otherwise keys */
  CLIENT_NEEDS_KEY = 1 << 4,
  SERVER_NEEDS_KEY = 1 << 5,
  NO_COMMON_GROUP = 1 << 6,
  PLAIN_KEY = 1 << 7, /* the server's only suite */

  BOTH_KEYS = CLIENT_HAS_KEY | SERVER_HAS_KEYS,
};

struct choice
{
  const char *name;
  unsigned setup;
  uint16_t suite;                 /* 0: none */
  unsigned asks_credential;       /* how often the server is asked */
  enum dtls_error client, server; /* where the fault is found */
};

/* clang-format off */
static const struct choice choices[] = {
  { "both, keys first",                 BOTH_KEYS | SERVER_HAS_CERTIFICATE,                      SUITE_ECDHE_PSK_AES_128_GCM_SHA256,   0, DTLS_OK, DTLS_OK },
  { "both, certificates first",         BOTH_KEYS | SERVER_HAS_CERTIFICATE | CERTIFICATES_FIRST, SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, 1, DTLS_OK, DTLS_OK },
  { "certificates first, but none",     BOTH_KEYS | CERTIFICATES_FIRST,                          SUITE_ECDHE_PSK_AES_128_GCM_SHA256,   1, DTLS_OK, DTLS_OK },
  { "certificates first, key needed",   BOTH_KEYS | SERVER_HAS_CERTIFICATE | CERTIFICATES_FIRST | SERVER_NEEDS_KEY, SUITE_ECDHE_PSK_AES_128_GCM_SHA256, 0, DTLS_OK, DTLS_OK },
  { "only the server has a key",        SERVER_HAS_KEYS | SERVER_HAS_CERTIFICATE,                SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, 1, DTLS_OK, DTLS_OK },
  { "only the client has a key",        CLIENT_HAS_KEY | SERVER_HAS_CERTIFICATE,                 SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, 1, DTLS_OK, DTLS_OK },
  { "the client needs a key",           CLIENT_HAS_KEY | SERVER_HAS_CERTIFICATE | CLIENT_NEEDS_KEY, 0,                                 1, DTLS_ERROR_PSK_REQUIRED, DTLS_ERROR_PEER_ALERT },
  { "the server needs a key",           SERVER_HAS_KEYS | SERVER_HAS_CERTIFICATE | SERVER_NEEDS_KEY, 0,                                0, DTLS_ERROR_PEER_ALERT, DTLS_ERROR_PSK_REQUIRED },
  { "nobody has anything",              0,                                                       0,                                    1, DTLS_ERROR_PEER_ALERT, DTLS_ERROR_NO_CREDENTIAL },
  { "no group in common",               SERVER_HAS_CERTIFICATE | NO_COMMON_GROUP,                0,                                    1, DTLS_ERROR_PEER_ALERT, DTLS_ERROR_NO_SHARED_GROUP },
  { "a key needs no group",             BOTH_KEYS | NO_COMMON_GROUP | PLAIN_KEY,                 SUITE_PSK_AES_128_GCM_SHA256,         0, DTLS_OK, DTLS_OK },
};
/* clang-format on */

static void
set_up (struct pair *pair, unsigned setup)
{
  struct dtls_config *client = &pair->sides[DTLS_CLIENT].config;
  struct dtls_config *server = &pair->sides[DTLS_SERVER].config;

  pair_init (pair, setup & SERVER_HAS_CERTIFICATE ? pki_identity ("server-ecdsa") : NULL, NULL);
  pair->sides[DTLS_SERVER].credential = ANSWERS_AT_ONCE;
  pair->sides[DTLS_SERVER].given_psk = &server_key;
  server->asks_for_psk = (setup & SERVER_HAS_KEYS) != 0;
  server->requires_psk = (setup & SERVER_NEEDS_KEY) != 0;
  server->suites = setup & CERTIFICATES_FIRST ? key_last : key_first;
  server->n_suites = 2;
  client->psk = setup & CLIENT_HAS_KEY ? &client_key : NULL;
  client->requires_psk = (setup & CLIENT_NEEDS_KEY) != 0;
  if (setup & PLAIN_KEY)
    {
      client->suites = server->suites = plain_key;
      client->n_suites = server->n_suites = 1;
    }
  if (setup & NO_COMMON_GROUP)
    {
      client->groups = p256;
      server->groups = x25519;
      client->n_groups = server->n_groups = 1;
    }
}

static void
test_choices (void)
{
  for (size_t i = 0; i < TAP_N (choices); i++)
    {
      const struct choice *row = &choices[i];
      struct pair pair;

      tap_set_row (row->name);
      set_up (&pair, row->setup);
      pair_handshake (&pair);
      pair_settle (&pair);
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), row->client);
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), row->server);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_events[DTLS_EVENT_CREDENTIAL_NEEDED],
                  row->asks_credential);
      for (unsigned side = 0; side < 2; side++)
        {
          const struct dtls_conn *conn = pair.sides[side].conn;

          CHECK_UINT (dtls_conn_suite (conn), row->suite);
          if (row->suite != 0)
            CHECK_UINT (dtls_conn_has_psk (conn), suite_is_psk (suite_find (row->suite)));
        }
      PAIR_END (&pair);
    }
}

/* RFC 9846 §4.2.3: in the last eight bytes of the random, if 1.3 could have been chosen. */
static void
test_mark (void)
{
  static const uint16_t only_12[] = { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256 };
  static const struct
  {
    const char *name;
    enum dtls_version max_version;
    const uint16_t *suites;
    bool has_mark;
  } rows[] = {
    { "1.2 alone", DTLS_1_2, NULL, false },
    { "both versions", DTLS_1_3, NULL, true },
    { "both versions, but no suite of 1.3", DTLS_1_3, only_12, false },
  };
  static const struct mischief nothing = { .name = "nothing", .expected = CONNECTS };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct pair pair;
      struct talk12 talk = { .pair = &pair };
      struct bytes end = { talk.puppet.known.randoms + 2 * RANDOM_LEN - 8, 8 };
      bool has_mark;

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair.sides[DTLS_SERVER].config.max_version = rows[i].max_version;
      pair.sides[DTLS_SERVER].config.suites = rows[i].suites;
      pair.sides[DTLS_SERVER].config.n_suites = rows[i].suites != NULL;
      talk12_run (&talk, DTLS_CLIENT, &nothing);
      talk12_check (&talk, &nothing);
      has_mark = bytes_equal (end, TAP_STRING ("DOWNGRD\1"));
      tap_set_row (rows[i].name);
      CHECK_UINT (has_mark, rows[i].has_mark);
      talk12_end (&talk);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/choices12/a-key-or-a-certificate-by-our-order", test_choices },
  { "/handshake/choices12/marks-its-random-where-1.3-was-possible", test_mark },
};

TAP_MAIN (tests)
