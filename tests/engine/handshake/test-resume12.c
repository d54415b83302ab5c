/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions of DTLS 1.2: what resumes, and what does not. */

#include "handshake/resume12.h"
#include "capture.h"
#include "handshake/session12.h"
#include "same.h"
#include "wire/extensions.h"

static bool
check_resumed (const struct pair *pair, bool is_resumed)
{
  if (!check_same (pair))
    return false;

  for (unsigned i = 0; i < 2; i++)
    CHECK_UINT (dtls_conn_is_resumed (pair->sides[i].conn), is_resumed);
  return true;
}

/* ---------------------------------------------------------------------------------- what resumes */

static void
test_ticket (void)
{
  struct kept kept;
  struct pair pair;

  make_session (&kept);
  set_up (&pair);
  offer (&pair, &kept);
  pair_handshake (&pair);
  if (check_resumed (&pair, true))
    {
      const struct dtls_conn *client = pair.sides[DTLS_CLIENT].conn;

      CHECK (pair_talks (&pair));
      CHECK_UINT (dtls_conn_group (client), 0);
      CHECK (dtls_conn_has_extended_master_secret (client));
      CHECK_UINT (dtls_conn_n_peer_certificates (client), 2);
    }
  PAIR_END (&pair);
}

/* RFC 5077 §3.3: renewed each time, under the same session's age; and each one resumes. */
static void
test_renewal (void)
{
  struct session first, second;
  struct kept kept[2];
  struct pair pair;

  make_session (&kept[0]);
  for (unsigned i = 0; i < 3; i++)
    {
      set_up (&pair);
      pair.now += i * 3600 * DTLS_SECOND;
      offer (&pair, &kept[i % 2]);
      pair_handshake (&pair);
      check_resumed (&pair, true);
      CHECK_UINT (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_SESSION], 1);
      keep (&pair, &kept[(i + 1) % 2]);
      PAIR_END (&pair);

      CHECK (session_read ((struct bytes){ kept[i % 2].at, kept[i % 2].len }, &first));
      CHECK (session_read ((struct bytes){ kept[(i + 1) % 2].at, kept[(i + 1) % 2].len }, &second));
      CHECK (!bytes_equal (first.ticket, second.ticket));
      CHECK_UINT (second.made, first.made);
      CHECK (second.received > first.received);
      CHECK_BYTES (second.chain, first.chain);
    }
}

static void
test_id (void)
{
  struct dtls_session_cache *cache = dtls_session_cache_new (8, 1 << 16);
  struct kept kept;
  struct pair pair;

  set_up_cache (&pair, cache);
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_session_cache_n (cache), 1);
  CHECK_UINT (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_SESSION], 1);
  keep (&pair, &kept);
  PAIR_END (&pair);

  /* It stays the same session, and is not kept anew. */
  for (unsigned i = 0; i < 2; i++)
    {
      set_up_cache (&pair, cache);
      offer (&pair, &kept);
      pair_handshake (&pair);
      check_resumed (&pair, true);
      CHECK (pair_talks (&pair));
      CHECK_UINT (dtls_session_cache_n (cache), 1);
      CHECK_UINT (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_SESSION], 0);
      CHECK_BYTES (dtls_conn_session (pair.sides[DTLS_CLIENT].conn),
                   ((struct bytes){ kept.at, kept.len }));
      PAIR_END (&pair);
    }

  dtls_session_cache_free (cache);
}

/* RFC 5077 §3.4: who gets a ticket gets no ID, and nothing is kept for it. */
static void
test_ticket_before_id (void)
{
  struct dtls_session_cache *cache = dtls_session_cache_new (8, 1 << 16);
  struct session session;
  struct kept kept;
  struct pair pair;

  set_up_cache (&pair, cache);
  pair.sides[DTLS_SERVER].config.ticket_keys = ticket_keys;
  pair.sides[DTLS_SERVER].config.n_ticket_keys = 1;
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_session_cache_n (cache), 0);
  keep (&pair, &kept);
  CHECK (session_read ((struct bytes){ kept.at, kept.len }, &session));
  CHECK (session.ticket.left > 0);
  CHECK_UINT (session.id.left, 0);
  PAIR_END (&pair);
  dtls_session_cache_free (cache);
}

static void
test_no_session (void)
{
  struct pair pair;

  set_up (&pair);
  pair.sides[DTLS_CLIENT].config.keeps_sessions = false;
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_session (pair.sides[DTLS_CLIENT].conn).left, 0);
  CHECK_UINT (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_SESSION], 0);
  PAIR_END (&pair);

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_session (pair.sides[DTLS_CLIENT].conn).left, 0);
  PAIR_END (&pair);
}

/* What is lost comes again, whichever flight it was. */
static void
test_loss (void)
{
  static const struct
  {
    enum dtls_role from;
    unsigned datagram;
  } rows[] = { { DTLS_CLIENT, 0 }, { DTLS_SERVER, 0 }, { DTLS_CLIENT, 1 } };
  struct kept kept;

  make_session (&kept);
  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct pair pair;

      set_up (&pair);
      offer (&pair, &kept);
      pair.links[rows[i].from].drops = UINT64_C (1) << rows[i].datagram;
      pair_handshake (&pair);
      check_resumed (&pair, true);
      CHECK (pair.links[DTLS_CLIENT].n_datagrams > 2 || pair.links[DTLS_SERVER].n_datagrams > 1);
      CHECK (pair_talks (&pair));
      PAIR_END (&pair);
    }
}

/* RFC 6066 §3: a whole handshake acknowledges the server's name, a resumed one "MUST NOT". */
static void
test_server_name (void)
{
  struct kept kept;

  for (unsigned resumes = 0; resumes < 2; resumes++)
    {
      struct capture capture = { .n = 0 };
      struct fragment fragment;
      struct server_hello hello;
      struct extensions found;
      struct reader reader;
      struct pair pair;

      set_up (&pair);
      pair.sides[DTLS_CLIENT].config.server_name = TAP_STRING ("server.example.com");
      pair.links[DTLS_SERVER].lets_through = captures;
      pair.links[DTLS_SERVER].lets_through_data = &capture;
      if (resumes)
        offer (&pair, &kept);
      pair_handshake (&pair);
      check_resumed (&pair, resumes);
      CHECK_BYTES (dtls_conn_server_name (pair.sides[DTLS_SERVER].conn),
                   TAP_STRING ("server.example.com"));

      reader = reader_over ((struct bytes){ capture.at[0], capture.len[0] });
      read_bytes (&reader, RECORD_HEADER_LEN);
      CHECK (fragment_read (&reader, &fragment) && server_hello_read (fragment.body, &hello)
             && extensions_read (hello.extensions, IN_SERVER_HELLO_12, &found) == EXTENSIONS_OK);
      CHECK_UINT (found.has[FOUND_SERVER_NAME], !resumes);
      keep (&pair, &kept);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- what does not */

static void
other_key (struct pair *pair)
{
  pair->sides[DTLS_SERVER].config.ticket_keys = &ticket_keys[1];
}

static void
old_key (struct pair *pair)
{
  static const struct dtls_ticket_key keys[] = { { { 3 }, { 4 } }, { { 1 }, { 2 } } };

  pair->sides[DTLS_SERVER].config.ticket_keys = keys;
  pair->sides[DTLS_SERVER].config.n_ticket_keys = 2;
}

static void
other_policy (struct pair *pair)
{
  pair->sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUESTED;
}

static void
other_certificate (struct pair *pair)
{
  pair->sides[DTLS_SERVER].identity = pki_identity ("server-any-eku");
}

static void
other_suite (struct pair *pair)
{
  static const uint16_t suites[] = { SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384 };

  pair->sides[DTLS_SERVER].config.suites = suites;
  pair->sides[DTLS_SERVER].config.n_suites = 1;
}

static void
other_protocol (struct pair *pair)
{
  pair->sides[DTLS_CLIENT].config.alpn = TAP_STRING ("\1a");
  pair->sides[DTLS_SERVER].config.alpn = TAP_STRING ("\1a");
}

static void
other_name (struct pair *pair)
{
  pair->sides[DTLS_CLIENT].config.server_name = TAP_STRING ("other.example.com");
}

static void
day_after (struct pair *pair)
{
  pair->now += 24 * 3600 * DTLS_SECOND;
}

static void
hour_after (struct pair *pair)
{
  pair->now += 3600 * DTLS_SECOND;
}

static void
day_before (struct pair *pair)
{
  pair->sides[DTLS_SERVER].config.wall_clock_offset = (dtls_time) 0 - 24 * 3600 * DTLS_SECOND;
}

static void
demand_key (struct pair *pair)
{
  pair->sides[DTLS_CLIENT].config.requires_psk = true;
}

/* Each in a second handshake that is whole. The client offers its session all the same: it is made up to
 * fit what the client has now. */
static void
test_misfits (void)
{
  static const struct
  {
    const char *name;
    void (*change) (struct pair *pair);
    bool resumes;
  } rows[] = {
    { "the same", NULL, true },
    { "an hour later", hour_after, true },
    { "a ticket of the key before", old_key, true },
    { "a ticket of an unknown key", other_key, false },
    { "another policy for clients", other_policy, false },
    { "another certificate of ours", other_certificate, false },
    { "a suite that is no longer allowed", other_suite, false },
    { "another protocol", other_protocol, false },
    { "another server name", other_name, false },
    { "a ticket of yesterday", day_after, false },
    { "a ticket of tomorrow", day_before, false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      uint8_t memory[MAX_KEPT];
      struct writer w = writer_over (memory, sizeof memory);
      struct session session;
      struct kept kept;
      struct pair pair;

      tap_set_row (rows[i].name);
      make_session (&kept);
      set_up (&pair);
      offer (&pair, &kept);
      if (rows[i].change != NULL)
        rows[i].change (&pair);
      CHECK (session_read ((struct bytes){ kept.at, kept.len }, &session));
      session.server_name = pair.sides[DTLS_CLIENT].config.server_name;
      session.received = session.made = pair.now;
      session_write (&w, &session);
      pair.sides[DTLS_CLIENT].config.session = writer_bytes (&w);
      pair_handshake (&pair);
      check_resumed (&pair, rows[i].resumes);
      PAIR_END (&pair);
    }
}

static void
test_demanded_key (void)
{
  struct kept kept;
  struct pair pair;

  make_session (&kept);
  set_up (&pair);
  offer (&pair, &kept);
  demand_key (&pair);
  CHECK (!pair_handshake (&pair));
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_ERROR_PSK_REQUIRED);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- who the peer is */

static void
set_up_mutual (struct pair *pair)
{
  pair_init (pair, pki_identity ("server-ecdsa"), pki_identity ("client-ecdsa"));
  pair->sides[DTLS_SERVER].config.ticket_keys = ticket_keys;
  pair->sides[DTLS_SERVER].config.n_ticket_keys = 1;
  pair->sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
}

/* Both chains are there again, and judged again where that is wanted. */
static void
test_verdict (void)
{
  for (unsigned verifies = 0; verifies < 2; verifies++)
    {
      struct kept kept;
      struct pair pair;

      set_up_mutual (&pair);
      CHECK (pair_handshake (&pair));
      keep (&pair, &kept);
      PAIR_END (&pair);

      set_up_mutual (&pair);
      offer (&pair, &kept);
      for (unsigned i = 0; i < 2; i++)
        {
          pair.sides[i].config.verifies_resumed = verifies;
          pair.sides[i].verdict = ANSWERS_LATER;
        }
      pair_handshake (&pair);
      check_resumed (&pair, true);
      for (unsigned i = 0; i < 2; i++)
        {
          const struct dtls_conn *conn = pair.sides[i].conn;
          const struct identity *other = pair.sides[i == DTLS_CLIENT].identity;

          CHECK_UINT (pair.sides[i].n_events[DTLS_EVENT_VERDICT_NEEDED], verifies);
          CHECK_UINT (dtls_conn_n_peer_certificates (conn), other->whole.n_chain);
          CHECK_BYTES (dtls_conn_peer_certificate (conn, 0), other->chain[0]);
        }
      CHECK (pair_talks (&pair));
      PAIR_END (&pair);
    }
}

static void
test_rejection (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      struct kept kept;
      struct pair pair;

      set_up_mutual (&pair);
      CHECK (pair_handshake (&pair));
      keep (&pair, &kept);
      PAIR_END (&pair);

      set_up_mutual (&pair);
      offer (&pair, &kept);
      pair.sides[role].given_verdict = (struct dtls_verdict){ false, ALERT_CERTIFICATE_REVOKED };
      CHECK (!pair_handshake (&pair));
      CHECK (!dtls_conn_is_connected (pair.sides[role].conn));
      CHECK_UINT (dtls_conn_error (pair.sides[role].conn), DTLS_ERROR_CERTIFICATE_REJECTED);
      pair_settle (&pair);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[role == DTLS_CLIENT].conn),
                  ALERT_CERTIFICATE_REVOKED);
      PAIR_END (&pair);
    }
}

static const uint8_t key_bytes[] = "the key of node 7", next_key_bytes[] = "the next of node 7";
static const struct dtls_psk client_key = {
  { (const uint8_t *) "node 7", 6 }, { key_bytes, sizeof key_bytes }, DTLS_CLIENT, DTLS_PSK_SHA256
};
static const struct dtls_psk next_client_key = { { (const uint8_t *) "node 7", 6 },
                                                 { next_key_bytes, sizeof next_key_bytes },
                                                 DTLS_CLIENT,
                                                 DTLS_PSK_SHA256 };
static const struct dtls_psk server_key = {
  { NULL, 0 }, { key_bytes, sizeof key_bytes }, DTLS_SERVER, DTLS_PSK_SHA256
};
static const struct dtls_psk next_server_key = {
  { NULL, 0 }, { next_key_bytes, sizeof next_key_bytes }, DTLS_SERVER, DTLS_PSK_SHA256
};

static void
set_up_key (struct pair *pair, const struct dtls_psk *client, const struct dtls_psk *server)
{
  pair_init (pair, NULL, NULL);
  pair->sides[DTLS_SERVER].config.ticket_keys = ticket_keys;
  pair->sides[DTLS_SERVER].config.n_ticket_keys = 1;
  pair->sides[DTLS_SERVER].config.asks_for_psk = true;
  pair->sides[DTLS_SERVER].given_psk = server;
  pair->sides[DTLS_CLIENT].config.psk = client;
}

static void
check_key (const struct pair *pair)
{
  for (unsigned side = 0; side < 2; side++)
    {
      CHECK (dtls_conn_has_psk (pair->sides[side].conn));
      CHECK_BYTES (dtls_conn_psk_identity (pair->sides[side].conn), client_key.identity);
    }
}

/* The server asks for the key of the session's name again each time. */
static void
test_psk (void)
{
  struct kept kept;

  for (unsigned i = 0; i < 3; i++)
    {
      struct pair pair;

      set_up_key (&pair, &client_key, &server_key);
      pair.now += i * 3600 * DTLS_SECOND;
      if (i > 0)
        offer (&pair, &kept);
      pair_handshake (&pair);
      check_resumed (&pair, i > 0);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_events[DTLS_EVENT_PSK_NEEDED], 1);
      check_key (&pair);
      keep (&pair, &kept);
      PAIR_END (&pair);
    }
}

/* A key that was replaced takes its sessions with it, on either side. */
static void
test_replaced_psk (void)
{
  static const struct
  {
    const char *name;
    const struct dtls_psk *client, *server;
    unsigned n_asked;
    bool connects;
  } replaced[] = {
    { "by both", &next_client_key, &next_server_key, 1, true },
    { "by the client", &next_client_key, &server_key, 1, false },
    { "by the server", &client_key, &next_server_key, 2, false },
    { "and the server has none", &client_key, NULL, 2, false },
    { "by one of the client's role", &client_key, &client_key, 2, false },
  };

  for (unsigned i = 0; i < TAP_N (replaced); i++)
    {
      struct kept kept;
      struct pair pair;

      tap_set_row (replaced[i].name);
      set_up_key (&pair, &client_key, &server_key);
      pair_handshake (&pair);
      keep (&pair, &kept);
      PAIR_END (&pair);

      set_up_key (&pair, replaced[i].client, replaced[i].server);
      offer (&pair, &kept);
      CHECK_UINT (pair_handshake (&pair), replaced[i].connects);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_events[DTLS_EVENT_PSK_NEEDED], replaced[i].n_asked);
      if (replaced[i].connects)
        {
          check_resumed (&pair, false);
          check_key (&pair);
        }
      PAIR_END (&pair);
    }
  tap_set_row (NULL);
}

/* A chain that makes a ticket too long for a hello: the promise is kept with an empty one. */
static void
test_long_chain (void)
{
  struct identity client = *pki_identity ("client-ecdsa");
  struct bytes chain[12];
  struct pair pair;

  for (size_t i = 0; i < TAP_N (chain); i++)
    chain[i] = client.chain[0];
  client.whole.chain = chain;
  client.whole.n_chain = TAP_N (chain);
  set_up_mutual (&pair);
  pair.sides[DTLS_CLIENT].identity = &client;
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_n_peer_certificates (pair.sides[DTLS_SERVER].conn), TAP_N (chain));
  CHECK_UINT (dtls_conn_session (pair.sides[DTLS_CLIENT].conn).left, 0);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/handshake/resume12/resumes-by-ticket", test_ticket },
  { "/handshake/resume12/renews-the-ticket-but-not-the-session", test_renewal },
  { "/handshake/resume12/resumes-by-id", test_id },
  { "/handshake/resume12/a-ticket-comes-before-an-id", test_ticket_before_id },
  { "/handshake/resume12/keeps-none-unless-both-want-it", test_no_session },
  { "/handshake/resume12/survives-loss", test_loss },
  { "/handshake/resume12/acknowledges-the-servers-name-once", test_server_name },
  { "/handshake/resume12/resumes-only-what-fits", test_misfits },
  { "/handshake/resume12/does-not-stand-for-a-key-that-is-required", test_demanded_key },
  { "/handshake/resume12/judges-the-chain-again-if-wanted", test_verdict },
  { "/handshake/resume12/a-rejected-chain-ends-it", test_rejection },
  { "/handshake/resume12/an-external-key-is-asked-for-again", test_psk },
  { "/handshake/resume12/an-external-key-takes-its-sessions-along", test_replaced_psk },
  { "/handshake/resume12/a-ticket-too-long-for-a-hello-is-empty", test_long_chain },
};

TAP_MAIN (tests)
