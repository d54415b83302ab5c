/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Closing in 1.3. A client that sends and closes at once keeps sending its last flight, with the data, for up to a
 * second; nobody else repeats anything after closing. */

#include "setup13.h"
#include "sealed.h"
#include "wiretap.h"

enum
{
  LINK = 10 * DTLS_MILLISECOND,
  N_DATA = 3,
};

/* Loses the first `n_finished` transmissions of the client's last flight, and what is behind them if `with_data`. */
struct thief
{
  unsigned n_finished;
  bool with_data;
  unsigned n_seen;
};

static bool
steals (void *data, const struct heard *record)
{
  struct thief *thief = data;

  if (record->from != DTLS_CLIENT)
    return false;
  if (heard_message (record, FINISHED, NULL))
    return thief->n_seen++ < thief->n_finished;

  return thief->with_data && record->epoch == 3 && thief->n_seen <= thief->n_finished;
}

/* Connects the client, which sends N_DATA messages of `len` bytes and closes at once. */
static void
send_and_close (struct pair *pair, struct wiretap *tap, unsigned shape, struct thief *thief,
                size_t len)
{
  static uint8_t message[2048];

  setup (pair, shape);
  wiretap_attach (tap, pair);
  tap->takes_away = steals;
  tap->takes_away_data = thief;
  pair_start (pair);
  while (pair->sides[DTLS_CLIENT].n_events[DTLS_EVENT_CONNECTED] == 0
         && pair_step (pair, DTLS_NEVER))
    ;
  for (unsigned i = 0; i < N_DATA; i++)
    {
      memset (message, (int) i, len);
      CHECK_UINT (pair_send (pair, DTLS_CLIENT, (struct bytes){ message, len }), DTLS_OK);
    }
  pair_close (pair, DTLS_CLIENT);
}

static void
end (struct pair *pair, struct wiretap *tap)
{
  wiretap_clear (tap);
  PAIR_END (pair);
}

/* ---------------------------------------------------------------------------------- lingering */

/* How often each of the client's records of epoch 3 went over the link; the wiretap sees to it that one number is
 * one record. */
static unsigned
count_copies (const struct wiretap *tap, uint64_t number)
{
  unsigned n = 0;

  for (size_t i = 0; i < tap->n; i++)
    n += tap->heard[i].from == DTLS_CLIENT && tap->heard[i].epoch == 3
         && tap->heard[i].number == number;
  return n;
}

static void
close_despite (unsigned shape, unsigned n_lost, bool with_data, size_t len)
{
  struct thief thief = { n_lost, with_data, 0 };
  struct wiretap tap;
  struct pair pair;
  struct side *client = &pair.sides[DTLS_CLIENT], *server = &pair.sides[DTLS_SERVER];
  dtls_time closed;
  char row[96];

  snprintf (row, sizeof row, "shape %u, %u lost, %s, %zu bytes", shape, n_lost,
            with_data ? "with data" : "without data", len);
  tap_set_row (row);
  send_and_close (&pair, &tap, shape, &thief, len);
  closed = pair.now;
  CHECK (dtls_conn_is_lingering (client->conn));
  while (dtls_conn_is_lingering (client->conn) && pair_step (&pair, DTLS_NEVER))
    ;
  /* Half the start value between transmissions; the ACK comes back after one round. */
  CHECK_UINT (pair.now, closed + n_lost * 200 * DTLS_MILLISECOND + 2 * LINK);
  pair_settle (&pair);

  CHECK_UINT (server->n_events[DTLS_EVENT_CONNECTED], 1);
  CHECK_UINT (server->n_messages, N_DATA);
  CHECK_UINT (server->n_events[DTLS_EVENT_PEER_CLOSED], 1);
  CHECK (server->message_len == len && (len == 0 || server->message[0] == N_DATA - 1));
  /* The data and close_notify behind each transmission of the flight. */
  for (unsigned i = 0; i <= N_DATA; i++)
    CHECK_UINT (count_copies (&tap, i), n_lost + 1);
  CHECK_UINT (dtls_conn_error (client->conn), DTLS_OK);
  CHECK_UINT (dtls_conn_error (server->conn), DTLS_OK);
  CHECK (comes_to_rest (&pair, 2 * DTLS_SECOND));
  end (&pair, &tap);
  tap_set_row (NULL);
}

static void
test_data_arrives (void)
{
  static const unsigned some[] = { SHAPE_PLAIN, SHAPE_CLIENT_AUTH, SHAPE_RESUMED, SHAPE_COOKIE };

  for (size_t s = 0; s < TAP_N (some); s++)
    for (unsigned n_lost = 0; n_lost <= 4; n_lost++)
      for (unsigned with_data = 0; with_data < 2; with_data++)
        close_despite (some[s], n_lost, with_data, 100);
}

/* Flights fall back to 1200 bytes after two losses; data does not. */
static void
test_large_data_arrives (void)
{
  for (unsigned n_lost = 0; n_lost <= 4; n_lost++)
    close_despite (SHAPE_PLAIN, n_lost, true, 1370);
}

static void
test_lingers_for_a_second (void)
{
  struct thief thief = { 100, true, 0 };
  struct wiretap tap;
  struct pair pair;
  struct dtls_conn *client;
  dtls_time closed;
  size_t n;

  send_and_close (&pair, &tap, SHAPE_PLAIN, &thief, 100);
  client = pair.sides[DTLS_CLIENT].conn;
  closed = pair.now;
  pair_run (&pair, DTLS_SECOND - 1);
  CHECK (dtls_conn_is_lingering (client));
  pair_run (&pair, 1);
  CHECK (!dtls_conn_is_lingering (client));
  CHECK_UINT (pair.now, closed + DTLS_SECOND);
  CHECK_UINT (wiretap_count_messages (&tap, 0, DTLS_CLIENT, FINISHED), 5);
  CHECK (client->handshake == NULL && client->write.sent == NULL);
  n = wiretap_count (&tap, 0, DTLS_CLIENT, CONTENT_APPLICATION_DATA);
  CHECK_UINT (n, 5 * N_DATA);
  pair_run (&pair, 300 * DTLS_SECOND);
  CHECK_UINT (wiretap_count (&tap, 0, DTLS_CLIENT, CONTENT_APPLICATION_DATA), n);
  CHECK_UINT (wiretap_count_messages (&tap, 0, DTLS_CLIENT, FINISHED), 5);
  CHECK_UINT (dtls_conn_error (client), DTLS_OK);
  CHECK (dtls_conn_deadline (client) == DTLS_NEVER);
  end (&pair, &tap);
}

/* Whatever the start value: a short one must not use up its transmissions, a long one not wait for its turn. */
static void
test_lingering_with_other_start_values (void)
{
  static const dtls_duration initials[] = { 1, 20, 50, 400, 1000, 1999, 3000, 60000 };

  for (size_t i = 0; i < TAP_N (initials); i++)
    {
      struct thief thief = { UINT32_MAX, true, 0 };
      struct wiretap tap;
      struct pair pair;
      struct dtls_conn *client;
      dtls_time closed;

      send_and_close (&pair, &tap, SHAPE_PLAIN, &thief, 10);
      closed = pair.now;
      client = pair.sides[DTLS_CLIENT].conn;
      dtls_conn_set_retransmit_initial (client, initials[i] * DTLS_MILLISECOND);
      while (dtls_conn_is_lingering (client) && pair_step (&pair, closed + 2 * DTLS_SECOND))
        ;
      CHECK_UINT (pair.now, closed + DTLS_SECOND);
      CHECK_UINT (dtls_conn_error (client), DTLS_OK);
      CHECK_UINT (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_FAILED], 0);
      CHECK (wiretap_count_messages (&tap, 0, DTLS_CLIENT, FINISHED) <= 14);
      end (&pair, &tap);
    }
}

/* Nor does it matter how often the flight went out before. */
static void
test_lingering_after_twelve_losses (void)
{
  struct thief thief = { UINT32_MAX, true, 0 };
  struct wiretap tap;
  struct pair pair;
  struct side *client = &pair.sides[DTLS_CLIENT];

  setup (&pair, SHAPE_PLAIN);
  wiretap_attach (&tap, &pair);
  tap.takes_away = steals;
  tap.takes_away_data = &thief;
  pair_start (&pair);
  while (wiretap_count_messages (&tap, 0, DTLS_CLIENT, FINISHED) < 13
         && pair_step (&pair, DTLS_NEVER))
    ;
  pair_close (&pair, DTLS_CLIENT);
  pair_run (&pair, 300 * DTLS_SECOND);
  CHECK_UINT (dtls_conn_error (client->conn), DTLS_OK);
  CHECK_UINT (client->n_events[DTLS_EVENT_FAILED], 0);
  CHECK (is_quiet (client->conn));
  end (&pair, &tap);
}

/* What is sealed beyond 16 kB is sent once. */
static void
test_much_data (void)
{
  static const uint8_t message[1000];
  struct thief thief = { 1, false, 0 };
  struct wiretap tap;
  struct pair pair;
  unsigned n_once = 0, n_twice = 0;

  setup (&pair, SHAPE_PLAIN);
  wiretap_attach (&tap, &pair);
  tap.takes_away = steals;
  tap.takes_away_data = &thief;
  pair_start (&pair);
  while (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_CONNECTED] == 0
         && pair_step (&pair, DTLS_NEVER))
    ;
  for (unsigned i = 0; i < 40; i++)
    CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_BYTES (message)), DTLS_OK);
  pair_close (&pair, DTLS_CLIENT);
  CHECK (comes_to_rest (&pair, 2 * DTLS_SECOND));
  for (unsigned i = 0; i < 40; i++)
    {
      n_once += count_copies (&tap, i) == 1;
      n_twice += count_copies (&tap, i) == 2;
    }
  CHECK_UINT (n_twice, MAX_SENT_DATA / (sizeof message + 5 + 1 + 16 + 2));
  CHECK_UINT (n_once + n_twice, 40);
  CHECK (pair.sides[DTLS_SERVER].n_messages >= n_twice);
  end (&pair, &tap);
}

/* It goes on reading, acknowledges tickets, and may be freed at any time. */
static void
test_reads_while_lingering (void)
{
  struct thief thief = { 2, true, 0 };
  struct wiretap tap;
  struct pair pair;
  struct side *client = &pair.sides[DTLS_CLIENT];

  send_and_close (&pair, &tap, SHAPE_PLAIN, &thief, 10);
  CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("x")), DTLS_ERROR_CLOSED);
  inject_sealed (&pair, DTLS_SERVER, CONTENT_APPLICATION_DATA, TAP_STRING ("early"));
  CHECK_UINT (client->n_messages, 1);
  CHECK (dtls_conn_is_lingering (client->conn));
  end (&pair, &tap);
}

/* A client without data: its close_notify is what must arrive. */
static void
test_without_data (void)
{
  for (unsigned n_lost = 0; n_lost < 4; n_lost++)
    {
      struct thief thief = { n_lost, true, 0 };
      struct wiretap tap;
      struct pair pair;

      setup (&pair, SHAPE_PLAIN);
      wiretap_attach (&tap, &pair);
      tap.takes_away = steals;
      tap.takes_away_data = &thief;
      pair_start (&pair);
      while (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_CONNECTED] == 0
             && pair_step (&pair, DTLS_NEVER))
        ;
      pair_close (&pair, DTLS_CLIENT);
      pair_run (&pair, DTLS_SECOND);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_events[DTLS_EVENT_CONNECTED], 1);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_events[DTLS_EVENT_PEER_CLOSED], 1);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      end (&pair, &tap);
    }
}

/* ---------------------------------------------------------------------------------- letting go */

static bool
is_from_client (void *data, const struct heard *record)
{
  (void) data;
  return record->from == DTLS_CLIENT;
}

/* Tickets or a KeyUpdate that are not acknowledged are let go by whoever closes, and by whose peer has closed. */
static void
let_go (bool is_update, enum dtls_role closer)
{
  struct wiretap tap;
  struct pair pair;
  struct side *server = &pair.sides[DTLS_SERVER];
  size_t n;

  setup (&pair, SHAPE_PLAIN);
  wiretap_attach (&tap, &pair);
  CHECK (pair_handshake (&pair));
  if (is_update)
    {
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      update_keys (&pair, DTLS_SERVER, DTLS_KEY_UPDATE_BOTH);
    }
  CHECK (server->conn->flight == FLIGHT_AWAITS_ACK);
  if (closer == DTLS_SERVER)
    tap.takes_away = is_from_client;
  pair_close (&pair, closer);
  pair_run (&pair, closer == DTLS_CLIENT ? 4 * LINK : 0);
  CHECK (server->conn->flight == FLIGHT_NONE);
  n = wiretap_count (&tap, 0, DTLS_SERVER, CONTENT_HANDSHAKE);
  pair_run (&pair, 1000 * DTLS_SECOND);
  CHECK_UINT (wiretap_count (&tap, 0, DTLS_SERVER, CONTENT_HANDSHAKE), n);
  CHECK_UINT (dtls_conn_error (server->conn), DTLS_OK);
  CHECK (is_quiet (server->conn));

  /* Half a close: the side that has not closed goes on sending. */
  if (closer == DTLS_CLIENT)
    {
      CHECK_UINT (pair_send (&pair, DTLS_SERVER, TAP_STRING ("still here")), DTLS_OK);
      pair_settle (&pair);
      CHECK_BYTES (((struct bytes){ pair.sides[0].message, pair.sides[0].message_len }),
                   TAP_STRING ("still here"));
      CHECK (is_quiet (pair.sides[DTLS_CLIENT].conn));
    }
  end (&pair, &tap);
}

static void
test_letting_go (void)
{
  for (unsigned is_update = 0; is_update < 2; is_update++)
    for (unsigned closer = 0; closer < 2; closer++)
      let_go (is_update, closer);
}

/* Both close at any moment of the handshake's end. */
static void
test_closing_at_any_time (void)
{
  for (dtls_duration when = 0; when < 400; when += 5)
    for (unsigned who = 1; who < 4; who++)
      {
        struct pair pair;

        setup (&pair, SHAPE_CLIENT_AUTH);
        pair.seed = when + who;
        pair.links[0].drop_percent = pair.links[1].drop_percent = 20;
        pair_start (&pair);
        pair_run (&pair, when * DTLS_MILLISECOND);
        for (unsigned i = 0; i < 2; i++)
          if (who & 1 << i)
            pair_close (&pair, i);
        pair_run (&pair, 1000 * DTLS_SECOND);
        for (unsigned i = 0; i < 2; i++)
          CHECK ((who & 1 << i) == 0 || is_quiet (pair.sides[i].conn));
        PAIR_END (&pair);
      }
}

/* ---------------------------------------------------------------------------------- what comes behind */

static void
test_nothing_counts_after_close_notify (void)
{
  struct wiretap tap;
  struct pair pair;
  struct side *server = &pair.sides[DTLS_SERVER];
  unsigned n;

  setup (&pair, SHAPE_PLAIN);
  wiretap_attach (&tap, &pair);
  CHECK (pair_handshake (&pair));
  CHECK (comes_to_rest (&pair, DTLS_SECOND));
  pair_close (&pair, DTLS_CLIENT);
  pair_settle (&pair);
  CHECK_UINT (server->n_events[DTLS_EVENT_PEER_CLOSED], 1);
  n = pair.links[DTLS_SERVER].n_datagrams;
  inject_sealed (&pair, DTLS_CLIENT, CONTENT_APPLICATION_DATA, TAP_STRING ("behind"));
  inject_sealed_message (&pair, DTLS_CLIENT, KEY_UPDATE, (uint16_t) server->conn->next_message_seq,
                         TAP_STRING ("\x01"));
  inject_sealed (&pair, DTLS_CLIENT, CONTENT_ALERT, TAP_STRING ("\x02\x28"));
  pair_run (&pair, 10 * DTLS_SECOND);
  CHECK_UINT (server->n_messages, 0);
  CHECK_UINT (pair.links[DTLS_SERVER].n_datagrams, n);
  CHECK_UINT (dtls_conn_error (server->conn), DTLS_OK);
  end (&pair, &tap);
}

static const struct tap_test tests[] = {
  { "/conn/close13/data-sent-before-closing-arrives", test_data_arrives },
  { "/conn/close13/data-above-the-fall-backs-size-arrives", test_large_data_arrives },
  { "/conn/close13/lingers-for-a-second-at-most", test_lingers_for_a_second },
  { "/conn/close13/lingers-with-any-start-value", test_lingering_with_other_start_values },
  { "/conn/close13/lingers-after-twelve-losses", test_lingering_after_twelve_losses },
  { "/conn/close13/data-beyond-16-kb-is-sent-once", test_much_data },
  { "/conn/close13/reads-while-it-lingers", test_reads_while_lingering },
  { "/conn/close13/close-notify-alone-arrives", test_without_data },
  { "/conn/close13/tickets-and-key-updates-are-let-go", test_letting_go },
  { "/conn/close13/at-any-time-over-a-bad-link", test_closing_at_any_time },
  { "/conn/close13/nothing-counts-after-close-notify", test_nothing_counts_after_close_notify },
};

TAP_MAIN (tests)
