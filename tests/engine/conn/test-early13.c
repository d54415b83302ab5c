/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3: what comes before its keys. Data of a client whose Finished is late, or whose certificate is still being
 * judged, is held and handed out behind DTLS_EVENT_CONNECTED; nothing of it is believed before it has opened, and
 * there is a bound to it. */

#include "setup13.h"
#include "random.h"
#include "sealed.h"
#include "wiretap.h"

enum
{
  LINK = 10 * DTLS_MILLISECOND,
};

/* ---------------------------------------------------------------------------------- in its order */

/* What the server has been handed, in order. */
struct tally
{
  size_t n;
  bool is_connected_first;
};

static void
note (struct pair *pair, struct tally *tally)
{
  const struct side *server = &pair->sides[DTLS_SERVER];

  if (server->n_messages == tally->n)
    return;

  tally->is_connected_first &= server->n_events[DTLS_EVENT_CONNECTED] > 0;
  tally->n = server->n_messages;
}

static void
run_and_note (struct pair *pair, struct tally *tally, dtls_time until)
{
  while (pair_step (pair, until))
    note (pair, tally);
}

static bool
is_first_finished (void *data, const struct heard *record)
{
  unsigned *left = data;

  return record->from == DTLS_CLIENT && heard_message (record, FINISHED, NULL) && *left > 0
         && (*left)-- > 0;
}

/* The client's last flight is lost so often; its data overtakes it. */
static void
test_data_ahead_of_finished (void)
{
  static const unsigned some[] = { SHAPE_PLAIN, SHAPE_CLIENT_AUTH, SHAPE_RETRY, SHAPE_RESUMED };

  for (size_t s = 0; s < TAP_N (some); s++)
    for (unsigned n_lost = 1; n_lost <= 3; n_lost++)
      {
        struct tally tally = { .is_connected_first = true };
        unsigned left = n_lost;
        struct wiretap tap;
        struct pair pair;

        setup (&pair, some[s]);
        wiretap_attach (&tap, &pair);
        tap.takes_away = is_first_finished;
        tap.takes_away_data = &left;
        pair_start (&pair);
        while (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_CONNECTED] == 0
               && pair_step (&pair, DTLS_NEVER))
          ;
        for (unsigned i = 0; i < 10; i++)
          CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("ahead")), DTLS_OK);
        run_and_note (&pair, &tally, pair.now + 2 * LINK);
        CHECK_UINT (tally.n, 0);
        run_and_note (&pair, &tally, pair.now + 10 * DTLS_SECOND);
        CHECK_UINT (tally.n, 10);
        CHECK (tally.is_connected_first);
        CHECK (pair_talks (&pair));
        wiretap_clear (&tap);
        PAIR_END (&pair);
      }
}

/* Data while the client's certificate is judged for three seconds: all of it on yes, nothing on no. */
static void
test_data_ahead_of_the_verdict (void)
{
  for (unsigned is_accepted = 0; is_accepted < 2; is_accepted++)
    for (unsigned is_small = 0; is_small < 2; is_small++)
      {
        struct tally tally = { .is_connected_first = true };
        struct pair pair;
        struct side *server = &pair.sides[DTLS_SERVER];

        setup (&pair, SHAPE_CLIENT_AUTH | (is_small ? SHAPE_SMALL : 0));
        server->verdict = ANSWERS_LATER;
        server->given_verdict = (struct dtls_verdict){ is_accepted, ALERT_BAD_CERTIFICATE };
        pair_start (&pair);
        while (server->due_answer == DTLS_EVENT_NONE && pair_step (&pair, DTLS_NEVER))
          ;
        for (unsigned i = 0; i < 20; i++)
          {
            CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("ahead")), DTLS_OK);
            run_and_note (&pair, &tally, pair.now + 100 * DTLS_MILLISECOND);
          }
        CHECK_UINT (tally.n, 0);
        run_and_note (&pair, &tally, pair.now + 5 * DTLS_SECOND);
        CHECK_UINT (tally.n, is_accepted ? 20 : 0);
        CHECK (tally.is_connected_first);
        if (is_accepted)
          CHECK (pair_talks (&pair));
        else
          CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[DTLS_CLIENT].conn),
                      ALERT_BAD_CERTIFICATE);
        PAIR_END (&pair);
      }
}

/* close_notify is held with the data that it follows. */
static void
test_close_ahead_of_the_verdict (void)
{
  struct pair pair;
  struct side *server = &pair.sides[DTLS_SERVER];

  setup (&pair, SHAPE_CLIENT_AUTH);
  server->verdict = ANSWERS_LATER;
  pair_start (&pair);
  while (server->due_answer == DTLS_EVENT_NONE && pair_step (&pair, DTLS_NEVER))
    ;
  CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("last words")), DTLS_OK);
  pair_close (&pair, DTLS_CLIENT);
  pair_run (&pair, 5 * DTLS_SECOND);
  CHECK_UINT (server->n_events[DTLS_EVENT_CONNECTED], 1);
  CHECK_UINT (server->n_messages, 1);
  CHECK_BYTES (((struct bytes){ server->message, server->message_len }), TAP_STRING ("last words"));
  CHECK_UINT (server->n_events[DTLS_EVENT_PEER_CLOSED], 1);
  CHECK_UINT (dtls_conn_error (server->conn), DTLS_OK);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- bounds */

/* A server that waits for a verdict, and holds this much of the client's data at most. */
static void
begin_judging (struct pair *pair)
{
  setup (pair, SHAPE_CLIENT_AUTH);
  pair->sides[DTLS_SERVER].verdict = ANSWERS_LATER;
  pair_start (pair);
  while (pair->sides[DTLS_SERVER].due_answer == DTLS_EVENT_NONE && pair_step (pair, DTLS_NEVER))
    ;
}

/* A flood is only dropped; what came first stays. */
static void
test_a_flood_is_dropped (void)
{
  static const uint8_t message[500];
  unsigned n_fit = MAX_HELD_LEN / (2 + 5 + sizeof message + 1 + 16);
  struct pair pair;
  struct side *server = &pair.sides[DTLS_SERVER];
  uint64_t n_dropped;

  begin_judging (&pair);
  n_dropped = pair_n_dropped (&pair, DTLS_SERVER);
  for (unsigned i = 0; i < 1000; i++)
    CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_BYTES (message)), DTLS_OK);
  pair_settle (&pair);
  CHECK (server->conn->held != NULL && server->conn->held->used <= MAX_HELD_LEN);
  CHECK_UINT (pair_n_dropped (&pair, DTLS_SERVER), n_dropped + 1000 - n_fit);
  pair_run (&pair, 5 * DTLS_SECOND);
  CHECK_UINT (server->n_events[DTLS_EVENT_CONNECTED], 1);
  CHECK_UINT (server->n_messages, n_fit);
  CHECK (server->conn->held == NULL);
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- nothing is believed */

/* Anybody's records of the epoch to come, of every length: none of them opens, and none is missed. */
static void
test_forgeries_are_not_believed (void)
{
  uint64_t seed = 5;
  struct pair pair;
  struct side *server = &pair.sides[DTLS_SERVER];

  begin_judging (&pair);
  for (size_t len = 0; len < 64; len++)
    {
      uint8_t forged[80];

      for (size_t i = 0; i < sizeof forged; i++)
        forged[i] = (uint8_t) random_next (&seed);
      forged[0] = (uint8_t) (0x2c | (len & 3));
      forged[3] = 0;
      forged[4] = (uint8_t) len;
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ forged, 5 + len });
    }
  CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("genuine")), DTLS_OK);
  pair_settle (&pair);
  CHECK_UINT (dtls_conn_error (server->conn), DTLS_OK);
  pair_run (&pair, 5 * DTLS_SECOND);
  CHECK_UINT (dtls_conn_error (server->conn), DTLS_OK);
  CHECK_UINT (server->n_events[DTLS_EVENT_CONNECTED], 1);
  CHECK_UINT (server->n_messages, 1);
  CHECK_BYTES (((struct bytes){ server->message, server->message_len }), TAP_STRING ("genuine"));
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

/* What is held and comes again is handed out once. */
static void
test_copies_are_handed_out_once (void)
{
  uint8_t record[64];
  struct pair pair;
  size_t len;

  begin_judging (&pair);
  len = make_sealed (&pair, DTLS_CLIENT, CONTENT_APPLICATION_DATA, TAP_STRING ("once"), record);
  for (unsigned i = 0; i < 5; i++)
    pair_deliver (&pair, DTLS_SERVER, (struct bytes){ record, len });
  pair_run (&pair, 5 * DTLS_SECOND);
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 1);
  pair_deliver (&pair, DTLS_SERVER, (struct bytes){ record, len });
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 1);
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

/* Content that is wrong is wrong when it opens, not before: it is then fatal, as ever. */
static void
test_wrong_content_waits_for_its_keys (void)
{
  static const struct
  {
    uint8_t type;
    struct bytes content;
    enum dtls_error error;
  } rows[] = {
    { CONTENT_CHANGE_CIPHER_SPEC, { (const uint8_t *) "\x01", 1 }, DTLS_ERROR_UNEXPECTED_MESSAGE },
    { CONTENT_ALERT, { (const uint8_t *) "\x02\x28", 2 }, DTLS_ERROR_PEER_ALERT },
    { CONTENT_ALERT, { (const uint8_t *) "\x02", 1 }, DTLS_ERROR_DECODE },
    { CONTENT_HANDSHAKE, { (const uint8_t *) "", 0 }, DTLS_ERROR_DECODE },
    { 99, { (const uint8_t *) "x", 1 }, DTLS_OK },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct pair pair;
      struct side *server = &pair.sides[DTLS_SERVER];

      begin_judging (&pair);
      CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("before")), DTLS_OK);
      pair_settle (&pair);
      inject_sealed (&pair, DTLS_CLIENT, rows[i].type, rows[i].content);
      CHECK_UINT (dtls_conn_error (server->conn), DTLS_OK);
      pair_run (&pair, 5 * DTLS_SECOND);
      CHECK_UINT (dtls_conn_error (server->conn), rows[i].error);
      CHECK_UINT (server->n_messages, 1);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- flights out of order */

/* Datagrams of each flight arrive in reverse, or each at a time of its own: nothing has to be sent again. */
static void
test_flights_in_any_order (void)
{
  for (uint64_t seed = 0; seed < 400; seed++)
    {
      struct pair pair;
      struct dtls_stats stats;

      setup (&pair, SHAPE_SMALL | (seed & 1 ? SHAPE_CLIENT_AUTH : 0));
      pair.seed = seed;
      /* Below the ACK's delay, so that only order is at stake. */
      pair.links[0].jitter = pair.links[1].jitter = 60 * DTLS_MILLISECOND;
      pair.links[0].delay = pair.links[1].delay = 1;
      if (CHECK (pair_handshake (&pair)))
        check_same_13 (&pair);
      for (unsigned i = 0; i < 2; i++)
        {
          dtls_conn_stats (pair.sides[i].conn, &stats);
          CHECK_UINT (stats.n_retransmissions, 0);
        }
      PAIR_END (&pair);
    }
}

static const struct tap_test tests[] = {
  { "/conn/early13/data-ahead-of-finished-is-held", test_data_ahead_of_finished },
  { "/conn/early13/data-ahead-of-the-verdict-is-held", test_data_ahead_of_the_verdict },
  { "/conn/early13/close-notify-ahead-of-the-verdict-is-held", test_close_ahead_of_the_verdict },
  { "/conn/early13/a-flood-is-dropped", test_a_flood_is_dropped },
  { "/conn/early13/forgeries-are-not-believed", test_forgeries_are_not_believed },
  { "/conn/early13/copies-are-handed-out-once", test_copies_are_handed_out_once },
  { "/conn/early13/wrong-content-waits-for-its-keys", test_wrong_content_waits_for_its_keys },
  { "/conn/early13/flights-in-any-order", test_flights_in_any_order },
};

TAP_MAIN (tests)
