/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What time brings: the schedule of retransmissions, bursts, the deadline, and the last
 * flight. */

#include "same.h"
#include "sealed.h"

static void
set_up (struct pair *pair)
{
  pair_init (pair, pki_identity ("server-ecdsa"), NULL);
}

static bool
lets_nothing_through (void *data, unsigned index, struct bytes datagram)
{
  (void) data;
  (void) index;
  (void) datagram;
  return false;
}

/* When each datagram of a link was sent. */
struct schedule
{
  const struct pair *pair;
  dtls_time at[64];
  size_t len[64];
  unsigned n;
};

static bool
notes_and_loses (void *data, unsigned index, struct bytes datagram)
{
  struct schedule *schedule = data;

  if (index < TAP_N (schedule->at))
    {
      schedule->at[index] = schedule->pair->now;
      schedule->len[index] = datagram.left;
    }
  schedule->n++;
  return false;
}

/* A client whose datagrams all get lost, for so long. */
static void
run_alone (struct pair *pair, struct schedule *schedule, dtls_duration duration)
{
  *schedule = (struct schedule){ .pair = pair };
  pair->links[DTLS_CLIENT].lets_through = notes_and_loses;
  pair->links[DTLS_CLIENT].lets_through_data = schedule;
  pair_start (pair);
  pair_run (pair, duration);
}

/* ---------------------------------------------------------------------------------- retransmission */

static void
test_back_off_doubles_to_a_minute (void)
{
  static const unsigned seconds_10[] = { 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600 };
  struct schedule schedule;
  struct pair pair;
  dtls_time expected;

  set_up (&pair);
  pair.sides[DTLS_CLIENT].config.handshake_deadline = DTLS_NEVER;
  expected = pair.now;
  run_alone (&pair, &schedule, 3600 * DTLS_SECOND);

  /* RFC 6347 §4.2.4.1 leaves the count open; 12 is ours. */
  CHECK_UINT (schedule.n, 13);
  for (size_t i = 0; i < TAP_N (seconds_10); i++)
    {
      CHECK_UINT (schedule.at[i], expected);
      expected += seconds_10[i] * (DTLS_SECOND / 10);
    }
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_ERROR_TIMED_OUT);
  PAIR_END (&pair);
}

static void
test_start_value_is_the_callers (void)
{
  struct schedule schedule;
  struct pair pair;
  dtls_time begun;

  set_up (&pair);
  pair.sides[DTLS_CLIENT].config.retransmit_initial = 50 * DTLS_MILLISECOND;
  begun = pair.now;
  run_alone (&pair, &schedule, DTLS_SECOND);
  CHECK_UINT (schedule.n, 5);
  CHECK_UINT (schedule.at[1] - begun, 50 * DTLS_MILLISECOND);
  CHECK_UINT (schedule.at[4] - begun, 750 * DTLS_MILLISECOND);
  PAIR_END (&pair);
}

/* An overdue deadline is one expiry, however late it is seen. */
static void
test_overdue_is_one_expiry (void)
{
  struct schedule schedule;
  struct dtls_stats stats;
  struct pair pair;

  set_up (&pair);
  pair.sides[DTLS_CLIENT].config.handshake_deadline = DTLS_NEVER;
  run_alone (&pair, &schedule, 0);
  pair.now += 500 * DTLS_SECOND;
  dtls_conn_tick (pair.sides[DTLS_CLIENT].conn, pair.now);
  pair_drain (&pair, DTLS_CLIENT);
  dtls_conn_stats (pair.sides[DTLS_CLIENT].conn, &stats);
  CHECK_UINT (stats.n_retransmissions, 1);
  CHECK_UINT (dtls_conn_deadline (pair.sides[DTLS_CLIENT].conn) - pair.now, 800 * DTLS_MILLISECOND);
  PAIR_END (&pair);
}

static void
test_early_tick_is_harmless (void)
{
  struct schedule schedule;
  struct pair pair;

  set_up (&pair);
  run_alone (&pair, &schedule, 0);
  for (unsigned i = 0; i < 1000; i++)
    {
      dtls_conn_tick (pair.sides[DTLS_CLIENT].conn, pair.now + i);
      pair_drain (&pair, DTLS_CLIENT);
    }
  CHECK_UINT (schedule.n, 1);
  PAIR_END (&pair);
}

/* A new flight starts over at the start value. */
static void
test_new_flight_starts_over (void)
{
  struct pair pair;
  struct side *client = &pair.sides[DTLS_CLIENT];

  set_up (&pair);
  /* The server's first flight is lost three times, then all of the client's second. */
  pair.links[DTLS_SERVER].lets_through = lets_nothing_through;
  pair_start (&pair);
  pair_run (&pair, 4 * DTLS_SECOND);
  pair.links[DTLS_SERVER].lets_through = NULL;
  while (client->conn->handshake->state != WAIT_CHANGE_CIPHER_SPEC && pair_step (&pair, DTLS_NEVER))
    pair.links[DTLS_CLIENT].drops = ~UINT64_C (0);
  CHECK_UINT (dtls_conn_deadline (client->conn) - pair.now, 400 * DTLS_MILLISECOND);
  PAIR_END (&pair);
}

/* What is sent again is cut anew: the MTU falls back after two lost flights. */
static void
test_mtu_falls_back_after_two_lost_flights (void)
{
  struct schedule schedule = { .n = 0 };
  struct pair pair;

  pair_init (&pair, pki_identity ("server-long-chain"), NULL);
  schedule.pair = &pair;
  pair.links[DTLS_SERVER].lets_through = notes_and_loses;
  pair.links[DTLS_SERVER].lets_through_data = &schedule;
  pair_start (&pair);
  pair_run (&pair, 5 * DTLS_SECOND);

  for (unsigned i = 0; i < schedule.n && i < TAP_N (schedule.at); i++)
    {
      /* Two transmissions within the first 400 ms and the doubled time, the third falls back. */
      bool is_fallen_back = schedule.at[i] - schedule.at[0] > DTLS_SECOND;

      CHECK (schedule.len[i] <= (is_fallen_back ? 1200 : 1400));
    }
  CHECK (schedule.len[0] > 1200);
  CHECK (schedule.n >= 12);
  PAIR_END (&pair);
}

/* The MTU may change at any moment, also within a transmission: every one begins anew and nothing is left of a broken
 * one (OpenSSL CVE-2026-84782). */
static void
test_mtu_changes_in_the_middle (void)
{
  for (size_t small = 256; small < 1400; small += 37)
    {
      static uint8_t memory[MAX_DATAGRAM];
      struct dtls_buffer out = { memory, sizeof memory, 0 };
      struct pair pair;
      struct dtls_conn *server;

      pair_init (&pair, pki_identity ("server-long-chain"), NULL);
      pair.links[DTLS_SERVER].lets_through = lets_nothing_through;
      pair_start (&pair);
      pair_run (&pair, 100 * DTLS_MILLISECOND);
      pair.links[DTLS_SERVER].lets_through = NULL;

      /* One datagram of the retransmission goes out; then the way has become narrow, and time passes. */
      server = pair.sides[DTLS_SERVER].conn;
      dtls_conn_tick (server, pair.now + DTLS_SECOND);
      CHECK (dtls_conn_next_datagram (server, &out));
      dtls_conn_set_mtu (server, small);
      pair.sides[DTLS_SERVER].config.mtu = small;
      pair_put (&pair, DTLS_SERVER, (struct bytes){ memory, out.used });
      if (CHECK (pair_handshake (&pair)))
        check_same (&pair);
      PAIR_END (&pair);
    }
}

static void
test_long_flights_go_out_ten_records_at_a_time (void)
{
  struct schedule schedule;
  struct pair pair;

  pair_init (&pair, pki_identity ("server-long-chain"), NULL);
  pair.sides[DTLS_SERVER].config.mtu = 256;
  schedule = (struct schedule){ .pair = &pair };
  pair.links[DTLS_SERVER].lets_through = notes_and_loses;
  pair.links[DTLS_SERVER].lets_through_data = &schedule;
  pair_start (&pair);
  pair_run (&pair, 200 * DTLS_MILLISECOND);

  /* At this MTU nearly every datagram is one record. */
  CHECK (schedule.n > 15);
  for (unsigned i = 10; i < schedule.n && i < TAP_N (schedule.at); i++)
    CHECK (schedule.at[i] - schedule.at[i - 10] >= 10 * DTLS_MILLISECOND);
  PAIR_END (&pair);
}

static void
test_unpaced_flights_go_out_at_once (void)
{
  struct schedule schedule;
  struct pair pair;

  pair_init (&pair, pki_identity ("server-long-chain"), NULL);
  pair.sides[DTLS_SERVER].config.mtu = 256;
  pair.sides[DTLS_SERVER].config.paces_flights = false;
  schedule = (struct schedule){ .pair = &pair };
  pair.links[DTLS_SERVER].lets_through = notes_and_loses;
  pair.links[DTLS_SERVER].lets_through_data = &schedule;
  pair_start (&pair);
  pair_run (&pair, 200 * DTLS_MILLISECOND);
  CHECK (schedule.n > 15);
  for (unsigned i = 1; i < schedule.n && i < TAP_N (schedule.at); i++)
    CHECK_UINT (schedule.at[i], schedule.at[0]);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- the deadline */

static void
test_deadline_ends_the_handshake (void)
{
  struct schedule schedule;
  struct pair pair;
  dtls_time begun;
  struct dtls_conn *client;

  set_up (&pair);
  begun = pair.now;
  run_alone (&pair, &schedule, 59 * DTLS_SECOND);
  client = pair.sides[DTLS_CLIENT].conn;
  CHECK_UINT (dtls_conn_error (client), DTLS_OK);
  while (dtls_conn_error (client) == DTLS_OK && pair_step (&pair, DTLS_NEVER))
    ;
  CHECK_UINT (dtls_conn_error (client), DTLS_ERROR_TIMED_OUT);
  CHECK_UINT (pair.now - begun, 60 * DTLS_SECOND);
  CHECK_UINT (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_FAILED], 1);
  CHECK (!dtls_conn_has_heard_peer (client));
  CHECK (client->handshake == NULL);
  PAIR_END (&pair);
}

/* A server counts from the first hello: it may wait for one for ever. */
static void
test_server_counts_from_the_first_hello (void)
{
  struct pair pair;
  dtls_time begun;
  struct dtls_conn *server;

  set_up (&pair);
  pair.links[DTLS_SERVER].lets_through = lets_nothing_through;
  pair.links[DTLS_CLIENT].delay = 3600 * DTLS_SECOND;
  pair_start (&pair);
  server = pair.sides[DTLS_SERVER].conn;
  CHECK_UINT (dtls_conn_deadline (server), DTLS_NEVER);
  while (!dtls_conn_has_heard_peer (server) && pair_step (&pair, DTLS_NEVER))
    ;
  begun = pair.now;
  while (dtls_conn_error (server) == DTLS_OK && pair_step (&pair, DTLS_NEVER))
    ;
  CHECK_UINT (dtls_conn_error (server), DTLS_ERROR_TIMED_OUT);
  CHECK_UINT (pair.now - begun, 60 * DTLS_SECOND);
  CHECK (server->handshake == NULL);
  PAIR_END (&pair);
}

static void
test_nothing_is_due_once_connected (void)
{
  struct pair pair;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_deadline (pair.sides[DTLS_CLIENT].conn), DTLS_NEVER);
  /* The server keeps its last flight until data comes. */
  CHECK (dtls_conn_deadline (pair.sides[DTLS_SERVER].conn) < DTLS_NEVER);
  CHECK (pair_talks (&pair));
  CHECK_UINT (dtls_conn_deadline (pair.sides[DTLS_SERVER].conn), DTLS_NEVER);
  CHECK (pair.sides[DTLS_CLIENT].conn->handshake == NULL);
  CHECK (pair.sides[DTLS_SERVER].conn->handshake == NULL);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- the last flight */

static void
test_last_flight_recurs_with_the_peers_finished (void)
{
  static uint8_t memory[MAX_DATAGRAM];
  size_t len;
  struct pair pair;
  struct side *server = &pair.sides[DTLS_SERVER];
  struct dtls_stats stats;

  set_up (&pair);
  pair_start (&pair);
  while (!dtls_conn_is_connected (server->conn) && pair_step (&pair, DTLS_NEVER))
    ;
  /* It has gone, but never arrives, five times over. */
  pair.links[DTLS_SERVER].lets_through = lets_nothing_through;
  while (pair_intercept (&pair, DTLS_CLIENT, memory, &len))
    ;
  pair_run (&pair, 7 * DTLS_SECOND);
  CHECK (!dtls_conn_is_connected (pair.sides[DTLS_CLIENT].conn));
  dtls_conn_stats (server->conn, &stats);
  CHECK_UINT (stats.n_retransmissions, 4);

  pair.links[DTLS_SERVER].lets_through = NULL;
  if (CHECK (pair_handshake (&pair)))
    check_same (&pair);
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

static void
test_last_flight_is_kept_for_240_seconds (void)
{
  struct pair pair;
  struct side *server = &pair.sides[DTLS_SERVER];

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  pair_run (&pair, 239 * DTLS_SECOND);
  CHECK (server->conn->handshake != NULL);
  pair_run (&pair, 2 * DTLS_SECOND);
  CHECK (server->conn->handshake == NULL);
  CHECK_UINT (dtls_conn_deadline (server->conn), DTLS_NEVER);
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

/* A server may talk before the client's first record: its data does not depend on it. */
static void
test_server_may_talk_first (void)
{
  struct pair pair;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  CHECK_UINT (pair_send (&pair, DTLS_SERVER, TAP_STRING ("hello")), DTLS_OK);
  pair_settle (&pair);
  CHECK_UINT (pair.sides[DTLS_CLIENT].n_messages, 1);
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/send/back-off-doubles-to-a-minute-twelve-times", test_back_off_doubles_to_a_minute },
  { "/conn/send/start-value-is-the-callers", test_start_value_is_the_callers },
  { "/conn/send/an-overdue-deadline-is-one-expiry", test_overdue_is_one_expiry },
  { "/conn/send/an-early-tick-is-harmless", test_early_tick_is_harmless },
  { "/conn/send/a-new-flight-starts-over", test_new_flight_starts_over },
  { "/conn/send/mtu-falls-back-after-two-lost-flights",
    test_mtu_falls_back_after_two_lost_flights },
  { "/conn/send/a-broken-transmission-leaves-nothing-behind", test_mtu_changes_in_the_middle },
  { "/conn/send/long-flights-go-out-ten-records-at-a-time",
    test_long_flights_go_out_ten_records_at_a_time },
  { "/conn/send/unpaced-flights-go-out-at-once", test_unpaced_flights_go_out_at_once },
  { "/conn/send/the-deadline-ends-the-handshake-and-frees-it", test_deadline_ends_the_handshake },
  { "/conn/send/a-server-counts-from-the-first-hello", test_server_counts_from_the_first_hello },
  { "/conn/send/nothing-is-due-once-connected", test_nothing_is_due_once_connected },
  { "/conn/send/last-flight-recurs-with-the-peers-finished",
    test_last_flight_recurs_with_the_peers_finished },
  { "/conn/send/last-flight-is-kept-for-240-seconds", test_last_flight_is_kept_for_240_seconds },
  { "/conn/send/a-server-may-talk-first", test_server_may_talk_first },
};

TAP_MAIN (tests)
