/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is known of a connection, and from when on. */

#include "same.h"
#include "wire/codepoints.h"

/* Before the handshake is over nothing that was agreed is given away as if it were. */
static void
test_nothing_is_known_before_the_end (void)
{
  bool is_over = false;

  for (unsigned n_steps = 0; !is_over; n_steps++)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair.sides[DTLS_CLIENT].config.alpn = pair.sides[DTLS_SERVER].config.alpn =
          TAP_STRING ("\1a");
      pair_start (&pair);
      for (unsigned i = 0; i < n_steps; i++)
        pair_step (&pair, DTLS_NEVER);
      is_over = pair_is_connected (&pair);
      for (unsigned i = 0; i < 2; i++)
        {
          const struct dtls_conn *conn = pair.sides[i].conn;
          bool is_connected = dtls_conn_is_connected (conn);

          CHECK_UINT (dtls_conn_is_handshaking (conn), !is_connected);
          CHECK_UINT (dtls_conn_version (conn), is_connected ? DTLS_1_2 : DTLS_VERSION_UNKNOWN);
          CHECK_UINT (dtls_conn_suite (conn) != 0, is_connected);
          CHECK_UINT (dtls_conn_group (conn) != 0, is_connected);
          CHECK_UINT (dtls_conn_has_extended_master_secret (conn), is_connected);
          CHECK_UINT (dtls_conn_alpn (conn).left, is_connected ? 1 : 0);
          CHECK_UINT ((unsigned) dtls_conn_peer_alert (conn), UINT32_MAX);
          CHECK_UINT (dtls_conn_error (conn), DTLS_OK);
        }
      PAIR_END (&pair);
    }
}

static void
test_peer_is_heard_with_its_first_legal_message (void)
{
  static const uint8_t rubbish[] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7 };
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  pair_start (&pair);
  for (unsigned i = 0; i < 2; i++)
    {
      pair_deliver (&pair, i, TAP_BYTES (rubbish));
      CHECK (!dtls_conn_has_heard_peer (pair.sides[i].conn));
    }
  CHECK (pair_handshake (&pair));
  for (unsigned i = 0; i < 2; i++)
    CHECK (dtls_conn_has_heard_peer (pair.sides[i].conn));
  PAIR_END (&pair);
}

static void
test_counters (void)
{
  struct dtls_stats stats[2];
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  CHECK (pair_handshake (&pair));
  CHECK (pair_talks (&pair));
  for (unsigned i = 0; i < 2; i++)
    dtls_conn_stats (pair.sides[i].conn, &stats[i]);
  CHECK_UINT (stats[DTLS_CLIENT].sealed, 2);
  CHECK_UINT (stats[DTLS_CLIENT].opened, 1);
  CHECK_UINT (stats[DTLS_SERVER].sealed, 1);
  CHECK_UINT (stats[DTLS_SERVER].opened, 2);
  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_UINT (stats[i].n_retransmissions, 0);
      for (unsigned drop = 0; drop < N_DTLS_DROPS; drop++)
        CHECK_UINT (stats[i].dropped[drop], 0);
    }
  PAIR_END (&pair);
}

static void
test_names (void)
{
  CHECK_TEXT (dtls_suite_name (SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256),
              "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  CHECK_TEXT (dtls_suite_name (0x002f), NULL);
  CHECK_TEXT (dtls_alert_name (40), "handshake_failure");
  CHECK_TEXT (dtls_alert_name (255), NULL);
}

static void
test_beyond_the_end_of_lists (void)
{
  struct pair pair;
  const struct dtls_conn *client;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  CHECK (pair_handshake (&pair));
  client = pair.sides[DTLS_CLIENT].conn;
  CHECK_UINT (dtls_conn_n_peer_certificates (client), 2);
  CHECK_UINT (dtls_conn_peer_certificate (client, 2).left, 0);
  CHECK_UINT (dtls_conn_peer_certificate (client, SIZE_MAX).left, 0);
  CHECK_UINT (dtls_conn_n_authorities (client), 0);
  CHECK_UINT (dtls_conn_authority (client, 0).left, 0);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/facts/nothing-is-known-before-the-end", test_nothing_is_known_before_the_end },
  { "/conn/facts/the-peer-is-heard-with-its-first-legal-message",
    test_peer_is_heard_with_its_first_legal_message },
  { "/conn/facts/counters-count", test_counters },
  { "/conn/facts/names-are-ianas", test_names },
  { "/conn/facts/lists-end-where-they-end", test_beyond_the_end_of_lists },
};

TAP_MAIN (tests)
