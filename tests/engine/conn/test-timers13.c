/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3's deadlines (RFC 9147 §5.8.2, §7.1): the back-off of every flight to its bitter end, other start values while a
 * timer runs, other MTUs, and what goes on while someone outside is asked. */

#include "setup13.h"
#include "wiretap.h"

enum
{
  LINK = 10 * DTLS_MILLISECOND,
  N_TRANSMISSIONS = 13,
};

static void
begin (struct pair *pair, struct wiretap *tap, unsigned shape)
{
  setup (pair, shape);
  wiretap_attach (tap, pair);
}

static void
end (struct pair *pair, struct wiretap *tap)
{
  wiretap_clear (tap);
  PAIR_END (pair);
}

/* ---------------------------------------------------------------------------------- back-off */

static bool
is_from_client (void *data, const struct heard *record)
{
  (void) data;
  return record->from == DTLS_CLIENT;
}

static bool
is_from_server (void *data, const struct heard *record)
{
  (void) data;
  return record->from == DTLS_SERVER;
}

static bool
is_ack (void *data, const struct heard *record)
{
  (void) data;
  return record->type == CONTENT_ACK;
}

static bool
is_server_keyed (void *data, const struct heard *record)
{
  (void) data;
  return record->from == DTLS_SERVER && record->epoch == 3;
}

struct flight_row
{
  const char *name;
  unsigned shape;
  bool (*loses) (void *data, const struct heard *record);       /* from the beginning on */
  bool (*loses_later) (void *data, const struct heard *record); /* once connected */
  enum dtls_role who;
  uint8_t message;
};

/* clang-format off */
static const struct flight_row flights[] = {
  { "the first hello",         SHAPE_PLAIN,       is_from_client,  NULL,           DTLS_CLIENT, CLIENT_HELLO },
  { "the first hello, unanswered", SHAPE_PLAIN,   is_from_server,  NULL,           DTLS_CLIENT, CLIENT_HELLO },
  { "the server's flight",     SHAPE_PLAIN,       is_from_server,  NULL,           DTLS_SERVER, SERVER_HELLO },
  { "the client's last flight", SHAPE_PLAIN,      is_server_keyed, NULL,           DTLS_CLIENT, FINISHED },
  { "the client's last flight, with a certificate", SHAPE_CLIENT_AUTH, is_server_keyed, NULL, DTLS_CLIENT, FINISHED },
  { "the client's last flight, tickets come", SHAPE_PLAIN, is_ack, NULL,           DTLS_CLIENT, FINISHED },
  { "tickets",                 SHAPE_PLAIN,       NULL,            is_from_client, DTLS_SERVER, NEW_SESSION_TICKET },
  { "tickets, resumed",        SHAPE_RESUMED,     NULL,            is_from_client, DTLS_SERVER, NEW_SESSION_TICKET },
  { "the client's KeyUpdate",  SHAPE_PLAIN,       NULL,            is_ack,         DTLS_CLIENT, KEY_UPDATE },
  { "the server's KeyUpdate",  SHAPE_PLAIN,       NULL,            is_ack,         DTLS_SERVER, KEY_UPDATE },
};

static const struct
{
  dtls_duration initial; /* milliseconds */
  dtls_duration intervals[N_TRANSMISSIONS];
} backoffs[] = {
  { 400,  { 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000, 60000, 60000, 60000 } },
  { 250,  { 250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000, 60000 } },
  { 1000, { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000, 60000, 60000, 60000 } },
};
/* clang-format on */

/* From its first transmission on; the thirteenth expiry ends the connection, without an alert. */
static void
check_transmissions (const struct wiretap *tap, const struct flight_row *row,
                     const dtls_duration *intervals, const struct dtls_conn *conn)
{
  dtls_time expected = 0;
  unsigned n = 0;

  for (size_t i = 0; i < tap->n; i++)
    {
      if (tap->heard[i].from != row->who || !heard_message (&tap->heard[i], row->message, NULL))
        continue;
      if (n > 0)
        CHECK_UINT (tap->heard[i].at, expected);
      expected = tap->heard[i].at + intervals[n < N_TRANSMISSIONS ? n : 0] * DTLS_MILLISECOND;
      n++;
    }

  CHECK_UINT (n, N_TRANSMISSIONS);
  CHECK_UINT (conn->now, expected);
  CHECK_UINT (dtls_conn_error (conn), DTLS_ERROR_TIMED_OUT);
  CHECK_UINT (wiretap_count (tap, 0, row->who, CONTENT_ALERT), 0);
}

static void
back_off (const struct flight_row *row, size_t b)
{
  struct wiretap tap;
  struct pair pair;
  struct side *side = &pair.sides[row->who];

  tap_set_row (row->name);
  begin (&pair, &tap, row->shape);
  for (unsigned i = 0; i < 2; i++)
    pair.sides[i].config.retransmit_initial = backoffs[b].initial * DTLS_MILLISECOND;
  tap.takes_away = row->loses;
  if (row->loses_later != NULL)
    {
      CHECK (pair_handshake (&pair));
      if (row->message == KEY_UPDATE)
        CHECK (comes_to_rest (&pair, 2 * DTLS_SECOND));
      tap.takes_away = row->loses_later;
      if (row->message == KEY_UPDATE)
        update_keys (&pair, row->who, DTLS_KEY_UPDATE_OURS);
    }
  else
    {
      pair_start (&pair);
    }
  while (dtls_conn_error (side->conn) == DTLS_OK && pair_step (&pair, 2000 * DTLS_SECOND))
    ;
  check_transmissions (&tap, row, backoffs[b].intervals, side->conn);
  CHECK (dtls_conn_deadline (side->conn) == DTLS_NEVER);
  CHECK (side->conn->handshake == NULL);
  end (&pair, &tap);
  tap_set_row (NULL);
}

static void
test_back_off (void)
{
  for (size_t i = 0; i < TAP_N (flights); i++)
    for (size_t b = 0; b < TAP_N (backoffs); b++)
      back_off (&flights[i], b);
}

/* Each flight begins anew with the start value. */
static void
test_each_flight_starts_over (void)
{
  struct wiretap tap;
  struct pair pair;
  const struct heard *first;
  size_t start;

  begin (&pair, &tap, SHAPE_RETRY);
  pair.links[DTLS_CLIENT].drops = 7;
  tap.takes_away = is_server_keyed;
  pair_start (&pair);
  pair_run (&pair, 8 * DTLS_SECOND);
  CHECK (wiretap_count_messages (&tap, 0, DTLS_CLIENT, CLIENT_HELLO) == 5);
  first = wiretap_find_message (&tap, 0, DTLS_CLIENT, FINISHED);
  if (CHECK (first != NULL))
    {
      start = (size_t) (first - tap.heard) + 1;
      CHECK_UINT (wiretap_find_message (&tap, start, DTLS_CLIENT, FINISHED)->at,
                  first->at + 400 * DTLS_MILLISECOND);
    }
  end (&pair, &tap);
}

/* ---------------------------------------------------------------------------------- another start value */

static void
test_start_value_while_running (void)
{
  /* clang-format off */
  static const struct
  {
    unsigned n_lost;       /* transmissions so far, from 400 ms on */
    dtls_duration elapsed; /* ms since the latest */
    dtls_duration initial, expected; /* ms from the latest on */
  } rows[] = {
    { 1, 100, 250,   250 },
    { 1, 300, 250,   300 }, /* overdue: now */
    { 1, 0,   1000,  1000 },
    { 2, 100, 250,   500 },
    { 3, 100, 1000,  4000 },
    { 3, 100, 40000, 60000 },
    { 5, 100, 100,   1600 },
    { 2, 10,  0,     10 },
  };
  /* clang-format on */

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct wiretap tap;
      struct pair pair;
      struct dtls_conn *client;
      dtls_time latest;
      size_t n;

      begin (&pair, &tap, SHAPE_PLAIN);
      tap.takes_away = is_from_client;
      pair_start (&pair);
      while (wiretap_count_messages (&tap, 0, DTLS_CLIENT, CLIENT_HELLO) < rows[i].n_lost)
        pair_step (&pair, DTLS_NEVER);
      latest = pair.now;
      pair_run (&pair, rows[i].elapsed * DTLS_MILLISECOND);
      n = tap.n;
      client = pair.sides[DTLS_CLIENT].conn;
      dtls_conn_set_retransmit_initial (client, rows[i].initial * DTLS_MILLISECOND);
      /* Nothing goes out from inside the setter. */
      pair_drain (&pair, DTLS_CLIENT);
      CHECK_UINT (tap.n, n);
      while (tap.n == n && pair_step (&pair, DTLS_NEVER))
        ;
      CHECK_UINT (tap.heard[n].at - latest, rows[i].expected * DTLS_MILLISECOND);
      end (&pair, &tap);
    }
}

static bool
is_server_finished (void *data, const struct heard *record)
{
  (void) data;
  return record->from == DTLS_SERVER && heard_message (record, FINISHED, NULL);
}

/* A quarter of it, for an ACK that is owed. */
static void
test_start_value_moves_the_ack (void)
{
  static const dtls_duration initials[] = { 200, 400, 1000, 8000 };

  for (size_t i = 0; i < TAP_N (initials); i++)
    {
      struct wiretap tap;
      struct pair pair;
      dtls_time arrival;

      begin (&pair, &tap, SHAPE_SMALL);
      tap.takes_away = is_server_finished;
      pair.sides[DTLS_SERVER].config.retransmit_initial = 60 * DTLS_SECOND;
      pair_start (&pair);
      pair_run (&pair, 2 * LINK);
      arrival = wiretap_find_message (&tap, 0, DTLS_SERVER, SERVER_HELLO)->at + LINK;
      dtls_conn_set_retransmit_initial (pair.sides[DTLS_CLIENT].conn,
                                        initials[i] * DTLS_MILLISECOND);
      pair_run (&pair, 10 * DTLS_SECOND);
      CHECK_UINT (wiretap_find (&tap, 0, DTLS_CLIENT, CONTENT_ACK)->at - arrival,
                  initials[i] * DTLS_MILLISECOND / 4);
      end (&pair, &tap);
    }
}

/* ---------------------------------------------------------------------------------- another MTU */

/* The transmission that begins at `at`: its bytes of each message, all of them once, in datagrams of at most `mtu`. */
static void
check_transmission (const struct wiretap *tap, dtls_time at, size_t mtu, uint32_t *out_total)
{
  size_t len[64] = { 0 };
  uint32_t next[16] = { 0 };

  *out_total = 0;
  for (size_t i = 0; i < tap->n; i++)
    {
      const struct heard *record = &tap->heard[i];
      struct reader reader = reader_over (record->content);
      struct fragment fragment;

      if (record->from != DTLS_SERVER || record->at < at || record->at > at + 50 * DTLS_MILLISECOND)
        continue;
      len[record->datagram % 64] += record->record.left;
      CHECK (len[record->datagram % 64] <= mtu);
      while (reader.left > 0 && fragment_read (&reader, &fragment))
        {
          CHECK_UINT (fragment.offset, next[fragment.message_seq % 16]);
          next[fragment.message_seq % 16] += (uint32_t) fragment.body.left;
          *out_total += (uint32_t) fragment.body.left;
        }
    }
}

static void
test_flights_are_cut_anew (void)
{
  static const size_t mtus[] = { 1400, 256, 1000, 300, 257 };
  uint32_t total, first_total;
  struct wiretap tap;
  struct pair pair;
  dtls_time at;

  begin (&pair, &tap, SHAPE_CLIENT_AUTH);
  pair.sides[DTLS_SERVER].identity = pki_identity ("server-long-chain");
  tap.takes_away = is_from_server;
  pair_start (&pair);
  pair_run (&pair, LINK);
  at = pair.now;
  check_transmission (&tap, at, 1400, &first_total);
  CHECK (first_total > 2000);
  for (size_t i = 1; i < TAP_N (mtus); i++)
    {
      /* A flight of more than ten records goes out in bursts; its interval begins with the last. */
      pair_run (&pair, 50 * DTLS_MILLISECOND);
      dtls_conn_set_mtu (pair.sides[DTLS_SERVER].conn, mtus[i]);
      at = pair.sides[DTLS_SERVER].conn->timers.due[TIMER_RETRANSMIT];
      pair_run (&pair, at - pair.now);
      pair_run (&pair, 50 * DTLS_MILLISECOND);
      check_transmission (&tap, at, mtus[i], &total);
      CHECK_UINT (total, first_total);
    }
  tap.takes_away = NULL;
  CHECK (pair_handshake (&pair));
  end (&pair, &tap);
}

/* ---------------------------------------------------------------------------------- slow answers */

/* clang-format off */
static const struct
{
  const char *name;
  unsigned shape;
  enum dtls_role who;
  enum dtls_event question;
  uint16_t epoch; /* of the ACK that it sends meanwhile */
  uint8_t message;     /* of the other side's flight */
  unsigned n_messages; /* how often that goes out */
} slow_answers[] = {
  { "the client's signature",    SHAPE_CLIENT_AUTH, DTLS_CLIENT, DTLS_EVENT_SIGNATURE_NEEDED,  2, SERVER_HELLO, 1 },
  { "the client's credential",   SHAPE_CLIENT_AUTH, DTLS_CLIENT, DTLS_EVENT_CREDENTIAL_NEEDED, 2, SERVER_HELLO, 1 },
  { "the client's verdict",      SHAPE_PLAIN,       DTLS_CLIENT, DTLS_EVENT_VERDICT_NEEDED,    2, SERVER_HELLO, 1 },
  { "the server's verdict",      SHAPE_CLIENT_AUTH, DTLS_SERVER, DTLS_EVENT_VERDICT_NEEDED,    3, FINISHED,     1 },
  /* Both know the version, and nothing else: the second hello is acknowledged in the clear. */
  { "the server's signature, retried", SHAPE_RETRY, DTLS_SERVER, DTLS_EVENT_SIGNATURE_NEEDED,  0, CLIENT_HELLO, 2 },
  { "the server's verdict, retried", SHAPE_RETRY | SHAPE_CLIENT_AUTH, DTLS_SERVER, DTLS_EVENT_VERDICT_NEEDED, 3, FINISHED, 1 },
  /* The client does not know it yet: at 0, 0.4, 1.2 and 2.8 seconds. */
  { "the server's signature",    SHAPE_PLAIN,       DTLS_SERVER, DTLS_EVENT_SIGNATURE_NEEDED,  0, CLIENT_HELLO, 4 },
  { "the server's credential",   SHAPE_PLAIN,       DTLS_SERVER, DTLS_EVENT_CREDENTIAL_NEEDED, 0, CLIENT_HELLO, 4 },
};
/* clang-format on */

static void
ask_late (struct side *side, enum dtls_event question)
{
  side->credential = question == DTLS_EVENT_CREDENTIAL_NEEDED  ? ANSWERS_LATER
                     : question == DTLS_EVENT_SIGNATURE_NEEDED ? ANSWERS_AT_ONCE
                                                               : ANSWERS_BEFORE;
  side->signature = question == DTLS_EVENT_SIGNATURE_NEEDED ? ANSWERS_LATER : ANSWERS_BEFORE;
  side->verdict = question == DTLS_EVENT_VERDICT_NEEDED ? ANSWERS_LATER : ANSWERS_BEFORE;
}

static void
test_slow_answers (void)
{
  for (size_t i = 0; i < TAP_N (slow_answers); i++)
    {
      const struct heard *ack;
      struct wiretap tap;
      struct pair pair;
      enum dtls_role who = slow_answers[i].who;

      tap_set_row (slow_answers[i].name);
      begin (&pair, &tap, slow_answers[i].shape);
      ask_late (&pair.sides[who], slow_answers[i].question);
      pair_start (&pair);
      while (pair.sides[who].due_answer == DTLS_EVENT_NONE && pair_step (&pair, DTLS_NEVER))
        ;
      CHECK_UINT (pair.sides[who].n_events[slow_answers[i].question], 1);
      ack = wiretap_find (&tap, 0, who, CONTENT_ACK);
      CHECK (ack == NULL);
      pair_run (&pair, 2900 * DTLS_MILLISECOND);
      ack = wiretap_find (&tap, 0, who, CONTENT_ACK);
      if (CHECK (ack != NULL))
        CHECK_UINT (ack->epoch, slow_answers[i].epoch);
      CHECK (!dtls_conn_is_connected (pair.sides[who].conn));
      if (CHECK (pair_handshake (&pair)))
        check_same_13 (&pair);
      CHECK_UINT (wiretap_count_messages (&tap, 0, !who, slow_answers[i].message),
                  slow_answers[i].n_messages);
      check_at_rest (&pair, DTLS_SECOND);
      end (&pair, &tap);
    }
  tap_set_row (NULL);
}

/* Everybody asks, takes ten seconds for each answer, and a fifth of the datagrams is lost. */
static void
test_slow_answers_over_a_bad_link (void)
{
  for (uint64_t seed = 1; seed <= 300; seed++)
    {
      struct pair pair;

      setup (&pair, shapes[seed % TAP_N (shapes)].shape);
      pair.seed = seed;
      for (unsigned i = 0; i < 2; i++)
        {
          struct side *side = &pair.sides[i];

          side->credential = side->signature = side->verdict = ANSWERS_LATER;
          side->answer_delay = 10 * DTLS_SECOND;
          pair.links[i].drop_percent = 20;
          pair.links[i].duplicate_percent = 10;
        }
      if (CHECK (pair_handshake (&pair)))
        check_same_13 (&pair);
      else
        tell_sides (&pair);
      check_at_rest (&pair, 411 * DTLS_SECOND);
      PAIR_END (&pair);
    }
}

static const struct tap_test tests[] = {
  { "/conn/timers13/every-flight-backs-off-and-gives-up-at-the-13th-expiry", test_back_off },
  { "/conn/timers13/each-flight-starts-over", test_each_flight_starts_over },
  { "/conn/timers13/another-start-value-moves-a-running-timer", test_start_value_while_running },
  { "/conn/timers13/another-start-value-moves-an-ack", test_start_value_moves_the_ack },
  { "/conn/timers13/flights-are-cut-anew-to-another-mtu", test_flights_are_cut_anew },
  { "/conn/timers13/acks-go-out-while-someone-is-asked", test_slow_answers },
  { "/conn/timers13/slow-answers-over-a-bad-link", test_slow_answers_over_a_bad_link },
};

TAP_MAIN (tests)
