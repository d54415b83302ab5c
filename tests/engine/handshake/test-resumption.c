/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions between two engines, by the same table in both versions: what makes one resume, and what makes a whole
 * handshake of it, which is never an error. */

#include "pair.h"
#include "tap.h"
#include "wire/codepoints.h"

#include "handshake/session.h"
#include "handshake/tickets.h"

#include <stdlib.h>
#include <string.h>

enum
{
  MAX_KEPT = 8192,
};

struct kept
{
  uint8_t at[MAX_KEPT];
  size_t len;
};

static const struct dtls_ticket_key keys[] = { { { 1 }, { 2 } },
                                               { { 3 }, { 4 } },
                                               { { 1 }, { 9 } } };

static void
set_up (struct pair *pair, enum dtls_version version, bool has_client)
{
  struct dtls_config *server = &pair->sides[DTLS_SERVER].config;

  pair_init (pair, pki_identity ("server-ecdsa"),
             has_client ? pki_identity ("client-ecdsa") : NULL);
  pair_set_versions (pair, version, version);
  server->ticket_keys = keys;
  server->n_ticket_keys = 1;
  if (has_client)
    server->client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  for (unsigned i = 0; i < 2; i++)
    pair->sides[i].config.alpn = TAP_STRING ("\1a\1b");
  pair->sides[DTLS_CLIENT].config.server_name = TAP_STRING ("one.example");
}

static void
keep (const struct pair *pair, struct kept *kept)
{
  const struct side *client = &pair->sides[DTLS_CLIENT];
  struct bytes session = dtls_conn_session (client->conn);

  kept->len = 0;
  if (!CHECK (session.left > 0 && session.left <= sizeof kept->at))
    return;
  memcpy (kept->at, session.at, session.left);
  kept->len = session.left;
}

static void
make_session (struct kept *kept, enum dtls_version version, bool has_client)
{
  struct pair pair;

  set_up (&pair, version, has_client);
  CHECK (pair_handshake (&pair));
  pair_run (&pair, DTLS_SECOND);
  keep (&pair, kept);
  CHECK (!dtls_conn_is_resumed (pair.sides[DTLS_CLIENT].conn));
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- what changed meanwhile */

/* A handshake after the one that made the session. */
struct again
{
  struct pair pair;
  struct kept kept;
};

static struct dtls_config *
client_of (struct again *again)
{
  return &again->pair.sides[DTLS_CLIENT].config;
}

static struct dtls_config *
server_of (struct again *again)
{
  return &again->pair.sides[DTLS_SERVER].config;
}

static void
nothing (struct again *again)
{
  (void) again;
}

static void
other_name (struct again *again)
{
  client_of (again)->server_name = TAP_STRING ("two.example");
}

static void
no_name (struct again *again)
{
  client_of (again)->server_name = (struct bytes){ NULL, 0 };
}

/* The client is deceived into offering a session of another name: the server holds it against its own record. */
static void
disguised_name (struct again *again)
{
  struct session session;

  if (!CHECK (session_read ((struct bytes){ again->kept.at, again->kept.len }, &session)))
    return;
  memcpy (again->kept.at + (session.server_name.at - again->kept.at), "two", 3);
  client_of (again)->server_name = TAP_STRING ("two.example");
}

static void
other_protocol (struct again *again)
{
  server_of (again)->alpn = TAP_STRING ("\1b");
}

static void
no_protocol (struct again *again)
{
  client_of (again)->alpn = (struct bytes){ NULL, 0 };
}

static void
asks_client (struct again *again)
{
  server_of (again)->client_auth = DTLS_CLIENT_AUTH_REQUESTED;
}

static void
asks_no_client (struct again *again)
{
  server_of (again)->client_auth = DTLS_CLIENT_AUTH_NONE;
}

static void
other_certificate (struct again *again)
{
  again->pair.sides[DTLS_SERVER].identity = pki_identity ("server-any-eku");
}

static void
is_late (struct again *again)
{
  again->pair.now += 25 * 3600 * DTLS_SECOND;
}

static void
is_almost_late (struct again *again)
{
  again->pair.now += 23 * 3600 * DTLS_SECOND;
}

static void
clock_went_back (struct again *again)
{
  again->pair.now -= 200 * DTLS_SECOND;
}

static void
garble (struct kept *kept, size_t at)
{
  struct session session;

  if (!CHECK (session_read ((struct bytes){ kept->at, kept->len }, &session))
      || !CHECK (session.ticket.left > 0))
    return;
  kept->at[(size_t) (session.ticket.at - kept->at) + at % session.ticket.left] ^= 0x10;
}

static void
garbled_ticket (struct again *again)
{
  garble (&again->kept, 40);
}

static void
renamed_ticket (struct again *again)
{
  garble (&again->kept, 0);
}

static void
no_session_at_all (struct again *again)
{
  again->kept.at[0] ^= 1;
}

static void
rotated_key (struct again *again)
{
  static const struct dtls_ticket_key rotated[] = { { { 3 }, { 4 } }, { { 1 }, { 2 } } };

  server_of (again)->ticket_keys = rotated;
  server_of (again)->n_ticket_keys = 2;
}

static void
key_rotated_away (struct again *again)
{
  server_of (again)->ticket_keys = keys + 1;
}

static void
key_of_that_name (struct again *again)
{
  server_of (again)->ticket_keys = keys + 2;
}

static void
no_tickets (struct again *again)
{
  server_of (again)->n_ticket_keys = 0;
}

/* Other suites than the session's, of whatever version. */
static const uint16_t other_suites[] = { SUITE_CHACHA20_POLY1305_SHA256,
                                         SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256 };

static void
suite_gone_at_client (struct again *again)
{
  client_of (again)->suites = other_suites;
  client_of (again)->n_suites = TAP_N (other_suites);
}

static void
suite_gone_at_server (struct again *again)
{
  server_of (again)->suites = other_suites;
  server_of (again)->n_suites = TAP_N (other_suites);
}

static void
both_versions (struct again *again)
{
  pair_set_versions (&again->pair, DTLS_1_2, DTLS_1_3);
}

static void
keeps_none (struct again *again)
{
  client_of (again)->keeps_sessions = false;
}

static void
other_group (struct again *again)
{
  static const uint16_t p384[] = { GROUP_SECP384R1 };

  server_of (again)->groups = p384;
  server_of (again)->n_groups = 1;
}

static void
has_cookies (struct again *again)
{
  again->pair.has_cookies = true;
}

static void
retry_and_cookie (struct again *again)
{
  other_group (again);
  has_cookies (again);
}

enum outcome
{
  WHOLE,
  RESUMED,
  RESUMED_IN_13, /* in 1.2 whole */
};

/* clang-format off */
static const struct
{
  const char *name;
  void (*change) (struct again *again);
  bool has_client;
  enum outcome outcome;
} rows[] = {
  { "nothing changed",                          nothing,              false, RESUMED },
  { "nothing changed, with a client's certificate", nothing,          true,  RESUMED },
  { "another server_name",                      other_name,           false, WHOLE },
  { "no server_name",                           no_name,              false, WHOLE },
  { "another server_name, and the client does not notice", disguised_name, false, WHOLE },
  { "another protocol",                         other_protocol,       false, WHOLE },
  { "no protocol",                              no_protocol,          false, WHOLE },
  { "the server asks for a certificate now",    asks_client,          false, WHOLE },
  { "the server asks less of a client",         asks_client,          true,  WHOLE },
  { "the server asks no client any more",       asks_no_client,       true,  WHOLE },
  { "another server certificate",               other_certificate,    false, WHOLE },
  { "too late",                                 is_late,              false, WHOLE },
  { "late, but not too late",                   is_almost_late,       false, RESUMED },
  { "the clock went back",                      clock_went_back,      false, WHOLE },
  { "a garbled ticket",                         garbled_ticket,       false, WHOLE },
  { "a ticket of another name",                 renamed_ticket,       false, WHOLE },
  { "no session of ours",                       no_session_at_all,    false, WHOLE },
  { "a new ticket key beside the old one",      rotated_key,          false, RESUMED },
  { "the ticket key is gone",                   key_rotated_away,     false, WHOLE },
  { "another ticket key of the same name",      key_of_that_name,     false, WHOLE },
  { "the server takes tickets no more",         no_tickets,           false, WHOLE },
  { "the client does without the suite",        suite_gone_at_client, false, WHOLE },
  { "the server does without the suite, but has its hash", suite_gone_at_server, false, RESUMED_IN_13 },
  { "both versions now",                        both_versions,        false, RESUMED_IN_13 },
  { "the client keeps no other session",        keeps_none,           false, RESUMED },
  { "another group",                            other_group,          false, RESUMED },
  { "cookies",                                  has_cookies,          false, RESUMED },
  { "a retry and a cookie",                     retry_and_cookie,     false, RESUMED },
};
/* clang-format on */

static bool
resumes (enum outcome outcome, enum dtls_version version)
{
  return outcome == RESUMED || (outcome == RESUMED_IN_13 && version == DTLS_1_3);
}

static void
check_row (size_t i, enum dtls_version version, const struct kept *session)
{
  bool is_resumed = resumes (rows[i].outcome, version);
  struct again again = { .kept = *session };
  struct pair *pair = &again.pair;

  tap_set_row (rows[i].name);
  set_up (pair, version, rows[i].has_client);
  pair->now += 100 * DTLS_SECOND;
  rows[i].change (&again);
  client_of (&again)->session = (struct bytes){ again.kept.at, again.kept.len };
  if (CHECK (pair_handshake (pair)))
    {
      for (unsigned side = 0; side < 2; side++)
        CHECK_UINT (dtls_conn_is_resumed (pair->sides[side].conn), is_resumed);
      CHECK (pair_talks (pair));
      /* Whom the session was made with is there again. */
      CHECK (dtls_conn_n_peer_certificates (pair->sides[DTLS_CLIENT].conn) > 0);
      if (rows[i].has_client && server_of (&again)->client_auth != DTLS_CLIENT_AUTH_NONE)
        CHECK (dtls_conn_n_peer_certificates (pair->sides[DTLS_SERVER].conn) > 0);
    }
  PAIR_END (pair);
  tap_set_row (NULL);
}

static void
check_all (enum dtls_version version)
{
  static struct kept without, with;

  make_session (&without, version, false);
  make_session (&with, version, true);
  for (size_t i = 0; i < TAP_N (rows); i++)
    check_row (i, version, rows[i].has_client ? &with : &without);
}

static void
test_12 (void)
{
  check_all (DTLS_1_2);
}

static void
test_13 (void)
{
  check_all (DTLS_1_3);
}

/* ---------------------------------------------------------------------------------- tickets */

/* Whatever byte of it is turned, it is nobody's: the handshake is a whole one. */
static void
test_any_byte (void)
{
  static const enum dtls_version versions[] = { DTLS_1_2, DTLS_1_3 };
  static struct kept session;

  for (unsigned v = 0; v < 2; v++)
    {
      make_session (&session, versions[v], false);
      for (size_t at = 0; at < 400; at += 7)
        {
          struct kept kept = session;
          struct pair pair;

          set_up (&pair, versions[v], false);
          pair.now += 100 * DTLS_SECOND;
          garble (&kept, at);
          pair.sides[DTLS_CLIENT].config.session = (struct bytes){ kept.at, kept.len };
          CHECK (pair_handshake (&pair));
          CHECK (!dtls_conn_is_resumed (pair.sides[DTLS_SERVER].conn));
          PAIR_END (&pair);
        }
    }
}

/* Whether the n-th handshake after the first resumes, 23 hours after the one before it. */
static bool
renews_for_a_week (unsigned n)
{
  return n != 8;
}

static bool
renews_for_a_day (unsigned n)
{
  return n % 2 == 1;
}

/* In 1.3 each handshake that resumes brings a session that resumes, up to seven days after the first (RFC 9846
 * §4.7.1); in 1.2, where all of them have one secret, for the lifetime of the first ticket. */
static void
test_chain (void)
{
  static const struct
  {
    enum dtls_version version;
    bool (*resumes) (unsigned n);
  } chains[] = { { DTLS_1_2, renews_for_a_day }, { DTLS_1_3, renews_for_a_week } };
  static struct kept session;

  for (unsigned i = 0; i < TAP_N (chains); i++)
    {
      dtls_time now = 1000 * DTLS_SECOND;

      make_session (&session, chains[i].version, false);
      for (unsigned n = 1; n < 10; n++)
        {
          struct pair pair;

          now += 23 * 3600 * DTLS_SECOND;
          set_up (&pair, chains[i].version, false);
          pair.now = now;
          pair.sides[DTLS_CLIENT].config.session = (struct bytes){ session.at, session.len };
          CHECK (pair_handshake (&pair));
          pair_run (&pair, DTLS_SECOND);
          CHECK_UINT (dtls_conn_is_resumed (pair.sides[DTLS_SERVER].conn), chains[i].resumes (n));
          if (dtls_conn_session (pair.sides[DTLS_CLIENT].conn).left > 0)
            keep (&pair, &session);
          PAIR_END (&pair);
        }
    }
}

/* What somebody does who got hold of a server's ticket key: the ticket in `kept` is as if it was made now. */
static void
make_young (struct kept *kept, dtls_time now)
{
  static const struct ticket_ring ring = { keys, 1 };
  uint8_t opened[MAX_KEPT], written[MAX_KEPT], sealed[MAX_KEPT], copy[MAX_KEPT];
  struct dtls_buffer inside = { opened, sizeof opened, 0 };
  struct dtls_buffer ticket = { sealed, sizeof sealed, 0 };
  struct writer w = writer_over (written, sizeof written);
  struct writer whole = writer_over (kept->at, sizeof kept->at);
  struct session ours, theirs;

  memcpy (copy, kept->at, kept->len);
  CHECK (session_read ((struct bytes){ copy, kept->len }, &ours));
  CHECK (ticket_open (pki_crypto (), &ring, ours.ticket, &inside));
  CHECK (session_read ((struct bytes){ opened, inside.used }, &theirs));
  theirs.made = theirs.received = now;
  session_write (&w, &theirs);
  CHECK (ticket_seal (pki_crypto (), &keys[0], writer_bytes (&w), &ticket));
  ours.ticket = (struct bytes){ sealed, ticket.used };
  session_write (&whole, &ours);
  kept->len = whole.used;
}

/* A client counts the seven days by itself: then its server has to sign again. */
static void
test_client_counts (void)
{
  static const enum dtls_version versions[] = { DTLS_1_2, DTLS_1_3 };
  static struct kept session;

  for (unsigned v = 0; v < 2; v++)
    {
      dtls_time now = 1000 * DTLS_SECOND;

      make_session (&session, versions[v], false);
      for (unsigned n = 1; n < 10; n++)
        {
          struct pair pair;

          now += 23 * 3600 * DTLS_SECOND;
          make_young (&session, now);
          set_up (&pair, versions[v], false);
          pair.now = now;
          pair.sides[DTLS_CLIENT].config.session = (struct bytes){ session.at, session.len };
          CHECK (pair_handshake (&pair));
          pair_run (&pair, DTLS_SECOND);
          CHECK_UINT (dtls_conn_is_resumed (pair.sides[DTLS_CLIENT].conn), n != 8);
          keep (&pair, &session);
          PAIR_END (&pair);
        }
    }
}

/* ---------------------------------------------------------------------------------- the verdict */

/* A side that verifies what resumes asks for a verdict on the chain that the session was made with. */
static void
check_verdict (enum dtls_version version, enum dtls_role role, bool verifies, bool accepts)
{
  enum dtls_role other = role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  static struct kept session;
  struct pair pair;

  make_session (&session, version, true);
  set_up (&pair, version, true);
  pair.now += 100 * DTLS_SECOND;
  pair.sides[DTLS_CLIENT].config.session = (struct bytes){ session.at, session.len };
  pair.sides[role].config.verifies_resumed = verifies;
  pair.sides[role].given_verdict = (struct dtls_verdict){ accepts, ALERT_CERTIFICATE_REVOKED };
  CHECK_UINT (pair_handshake (&pair), accepts || !verifies);
  CHECK_UINT (pair.sides[role].n_events[DTLS_EVENT_VERDICT_NEEDED], verifies);
  if (accepts || !verifies)
    {
      CHECK (dtls_conn_is_resumed (pair.sides[role].conn));
    }
  else
    {
      pair_run (&pair, DTLS_SECOND);
      CHECK_UINT (dtls_conn_error (pair.sides[role].conn), DTLS_ERROR_CERTIFICATE_REJECTED);
      CHECK_UINT (dtls_conn_error (pair.sides[other].conn), DTLS_ERROR_PEER_ALERT);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[other].conn),
                  ALERT_CERTIFICATE_REVOKED);
    }
  PAIR_END (&pair);
}

static void
test_verdict (void)
{
  static const enum dtls_version versions[] = { DTLS_1_2, DTLS_1_3 };

  for (unsigned v = 0; v < 2; v++)
    for (unsigned role = 0; role < 2; role++)
      {
        tap_set_row (v == 0 ? "1.2" : "1.3");
        check_verdict (versions[v], (enum dtls_role) role, true, true);
        check_verdict (versions[v], (enum dtls_role) role, true, false);
        check_verdict (versions[v], (enum dtls_role) role, false, false);
        tap_set_row (NULL);
      }
}

static const struct tap_test tests[] = {
  { "/resumption/1.2/only-what-fits-resumes", test_12 },
  { "/resumption/1.3/only-what-fits-resumes", test_13 },
  { "/resumption/tickets/any-byte-counts", test_any_byte },
  { "/resumption/tickets/renewal-ends", test_chain },
  { "/resumption/tickets/a-client-counts-the-week-by-itself", test_client_counts },
  { "/resumption/verdict/a-rejection-ends-it", test_verdict },
};

TAP_MAIN (tests)
