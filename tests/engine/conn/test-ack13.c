/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3's ACKs as we send them (RFC 9147 §7): what is in them, when they go out, and in which epoch. */

#include "setup13.h"
#include "sealed.h"
#include "wiretap.h"

enum
{
  INITIAL = 400 * DTLS_MILLISECOND,
  DELAY = INITIAL / 4,
  LINK = 10 * DTLS_MILLISECOND, /* the harness's */
  MAX_NUMBERS = 64,
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

static bool
comes_before (const struct record_number *a, const struct record_number *b)
{
  return a->epoch != b->epoch ? a->epoch < b->epoch : a->number < b->number;
}

/* ---------------------------------------------------------------------------------- contents */

/* The numbers of what came over the link before the ACK was made: the newest `max`, in rising order. */
static size_t
expected_numbers (const struct wiretap *tap, const struct heard *ack, size_t max,
                  struct record_number *out)
{
  size_t n = 0;

  for (size_t i = 0; i < tap->n; i++)
    {
      const struct heard *record = &tap->heard[i];
      struct record_number number = { record->epoch, record->number };
      size_t place = n;

      if (record->from == ack->from || record->type != CONTENT_HANDSHAKE || record->is_lost
          || record->at + LINK > ack->at)
        continue;
      while (place > 0 && comes_before (&number, &out[place - 1]))
        {
          out[place] = out[place - 1];
          place--;
        }
      out[place] = number;
      n++;
    }

  if (n > max)
    memmove (out, out + n - max, max * sizeof *out);
  return n < max ? n : max;
}

static void
check_ack (const struct wiretap *tap, const struct heard *ack, size_t max)
{
  struct record_number got[MAX_NUMBERS], expected[512];
  size_t n = expected_numbers (tap, ack, max, expected);

  if (!CHECK_UINT (heard_numbers (ack, got, MAX_NUMBERS), n))
    return;
  for (size_t i = 0; i < n; i++)
    {
      CHECK_UINT (got[i].epoch, expected[i].epoch);
      CHECK_UINT (got[i].number, expected[i].number);
      CHECK (i == 0 || comes_before (&got[i - 1], &got[i]));
    }
}

static bool
is_server_finished (void *data, const struct heard *record)
{
  (void) data;
  return record->from == DTLS_SERVER && heard_message (record, FINISHED, NULL);
}

/* The server's Finished never comes, and its ACKs neither: the flight comes again and again. */
static bool
is_finished_or_client_ack (void *data, const struct heard *record)
{
  return is_server_finished (data, record)
         || (record->from == DTLS_CLIENT && record->type == CONTENT_ACK);
}

static void
test_names_the_newest_records (void)
{
  static const struct
  {
    size_t mtu, max;
  } rows[] = { { 256, (256 - 22 - 2) / 16 }, { 300, 17 }, { 600, 32 }, { 1200, 32 } };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct wiretap tap;
      struct pair pair;
      size_t n_acks = 0, n_most = 0;

      begin (&pair, &tap, SHAPE_PLAIN);
      pair.sides[DTLS_SERVER].identity = pki_identity ("server-long-chain");
      for (unsigned side = 0; side < 2; side++)
        pair.sides[side].config.mtu = rows[i].mtu;
      tap.takes_away = is_finished_or_client_ack;
      pair_start (&pair);
      pair_run (&pair, 200 * DTLS_SECOND);
      for (size_t at = 0; at < tap.n; at++)
        if (tap.heard[at].type == CONTENT_ACK && tap.heard[at].from == DTLS_CLIENT)
          {
            size_t n = heard_numbers (&tap.heard[at], NULL, 0);

            check_ack (&tap, &tap.heard[at], rows[i].max);
            CHECK_UINT (tap.heard[at].epoch, 2);
            n_most = n > n_most ? n : n_most;
            n_acks++;
          }
      CHECK (n_acks > 5);
      CHECK_UINT (n_most, rows[i].max);
      end (&pair, &tap);
    }
}

/* The flight that we answer is not named: our next one says that it came. */
static void
test_names_nothing_of_an_answered_flight (void)
{
  for (size_t s = 0; s < TAP_N (shapes); s++)
    {
      struct wiretap tap;
      struct pair pair;

      tap_set_row (shapes[s].name);
      begin (&pair, &tap, shapes[s].shape);
      CHECK (pair_handshake (&pair));
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      for (size_t i = 0; i < tap.n; i++)
        {
          struct record_number numbers[MAX_NUMBERS];
          size_t n = heard_numbers (&tap.heard[i], numbers, MAX_NUMBERS);
          uint16_t flight_epoch = tap.heard[i].from == DTLS_CLIENT ? 3 : 2;

          for (size_t at = 0; at < n; at++)
            CHECK_UINT (numbers[at].epoch, flight_epoch);
        }
      CHECK (wiretap_count (&tap, 0, DTLS_CLIENT, CONTENT_ACK) > 0);
      CHECK (wiretap_count (&tap, 0, DTLS_SERVER, CONTENT_ACK) > 0);
      end (&pair, &tap);
    }
  tap_set_row (NULL);
}

/* ---------------------------------------------------------------------------------- timing */

/* RFC 9147 §7.1: a quarter of the current retransmission interval after the first record. */
static void
test_after_a_quarter_of_the_interval (void)
{
  static const struct
  {
    dtls_duration initial;
    uint64_t client_drops; /* each doubles the client's interval */
    dtls_duration expected;
  } rows[] = {
    { INITIAL, 0, DELAY },
    { DTLS_SECOND, 0, 250 * DTLS_MILLISECOND },
    { 50 * DTLS_MILLISECOND, 0, 12500 },
    { INITIAL, 1, 2 * DELAY },
    { INITIAL, 7, 8 * DELAY },
    { DTLS_SECOND, 3, DTLS_SECOND },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      const struct heard *ack, *hello;
      struct wiretap tap;
      struct pair pair;

      begin (&pair, &tap, SHAPE_SMALL);
      /* The record with Finished is lost; what came before it is acknowledged. */
      tap.takes_away = is_server_finished;
      pair.sides[DTLS_CLIENT].config.retransmit_initial = rows[i].initial;
      pair.sides[DTLS_CLIENT].config.mtu = 1400;
      pair.sides[DTLS_SERVER].config.retransmit_initial = 60 * DTLS_SECOND;
      pair.links[DTLS_CLIENT].drops = rows[i].client_drops;
      pair_start (&pair);
      pair_run (&pair, 20 * DTLS_SECOND);
      hello = wiretap_find_message (&tap, 0, DTLS_SERVER, SERVER_HELLO);
      ack = wiretap_find (&tap, 0, DTLS_CLIENT, CONTENT_ACK);
      if (CHECK (hello != NULL && ack != NULL))
        {
          CHECK_UINT (ack->at - (hello->at + LINK), rows[i].expected);
          check_ack (&tap, ack, 14);
        }
      end (&pair, &tap);
    }
}

/* The client's last flight is acknowledged at once, ahead of the tickets; tickets and key updates by the timer. */
static void
test_at_once_only_for_the_last_flight (void)
{
  static const unsigned some[] = {
    SHAPE_PLAIN,   SHAPE_CLIENT_AUTH, SHAPE_COOKIE,
    SHAPE_RESUMED, SHAPE_SMALL,       SHAPE_SMALL | SHAPE_CLIENT_AUTH
  };

  for (size_t s = 0; s < TAP_N (some); s++)
    {
      const struct heard *finished, *ack, *tickets;
      struct wiretap tap;
      struct pair pair;
      size_t start;

      begin (&pair, &tap, some[s]);
      CHECK (pair_handshake (&pair));
      CHECK (comes_to_rest (&pair, DTLS_SECOND));

      finished = wiretap_find_message (&tap, 0, DTLS_CLIENT, FINISHED);
      ack = wiretap_find (&tap, 0, DTLS_SERVER, CONTENT_ACK);
      tickets = wiretap_find_message (&tap, 0, DTLS_SERVER, NEW_SESSION_TICKET);
      CHECK_UINT (ack->at, finished->at + LINK);
      CHECK_UINT (ack->epoch, 3);
      CHECK (ack < tickets);
      CHECK_UINT (wiretap_count (&tap, 0, DTLS_SERVER, CONTENT_ACK), 1);
      ack = wiretap_find (&tap, 0, DTLS_CLIENT, CONTENT_ACK);
      CHECK_UINT (ack->at, tickets->at + LINK + DELAY);
      CHECK_UINT (ack->epoch, 3);
      CHECK_UINT (wiretap_count (&tap, 0, DTLS_CLIENT, CONTENT_ACK), 1);

      start = tap.n;
      update_keys (&pair, DTLS_CLIENT, DTLS_KEY_UPDATE_OURS);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      ack = wiretap_find (&tap, start, DTLS_SERVER, CONTENT_ACK);
      CHECK_UINT (ack->at, tap.heard[start].at + LINK + DELAY);
      end (&pair, &tap);
    }
}

/* What is owed stays owed: each ACK says again what the one before said. */
static void
test_cumulative (void)
{
  struct record_number numbers[MAX_NUMBERS];
  const struct heard *first, *second;
  struct wiretap tap;
  struct pair pair;

  begin (&pair, &tap, SHAPE_PLAIN);
  CHECK (pair_handshake (&pair));
  CHECK (comes_to_rest (&pair, DTLS_SECOND));
  first = wiretap_latest (&tap, DTLS_CLIENT, CONTENT_ACK);
  CHECK_UINT (heard_numbers (first, numbers, MAX_NUMBERS), 1);
  update_keys (&pair, DTLS_SERVER, DTLS_KEY_UPDATE_OURS);
  CHECK (comes_to_rest (&pair, DTLS_SECOND));
  first = wiretap_find (&tap, 0, DTLS_CLIENT, CONTENT_ACK);
  second = wiretap_latest (&tap, DTLS_CLIENT, CONTENT_ACK);
  CHECK (second > first);
  CHECK_UINT (heard_numbers (second, numbers, MAX_NUMBERS), 2);
  CHECK (
      heard_acknowledges (second, wiretap_find_message (&tap, 0, DTLS_SERVER, NEW_SESSION_TICKET)));
  CHECK (heard_acknowledges (second, wiretap_find_message (&tap, 0, DTLS_SERVER, KEY_UPDATE)));
  end (&pair, &tap);
}

/* ---------------------------------------------------------------------------------- epochs */

/* Makes a ClientHello of two small datagrams. */
static void
lengthen_hello (struct pair *pair)
{
  static uint8_t protocol[200];

  memset (protocol, 'a', sizeof protocol);
  protocol[0] = sizeof protocol - 1;
  pair->sides[DTLS_CLIENT].config.alpn = TAP_BYTES (protocol);
}

/* RFC 9147 §7: nobody acknowledges before it knows that 1.3 is spoken. */
static bool
has_server_hello (void *data, const struct heard *record)
{
  (void) data;
  return record->from == DTLS_SERVER && heard_message (record, SERVER_HELLO, NULL);
}

static bool
is_second_piece (void *data, const struct heard *record)
{
  struct fragment fragment;

  (void) data;
  return record->from == DTLS_CLIENT && heard_message (record, CLIENT_HELLO, &fragment)
         && fragment.offset > 0;
}

static void
test_none_before_the_version_is_known (void)
{
  for (unsigned to = 0; to < 2; to++)
    {
      struct wiretap tap;
      struct pair pair;

      begin (&pair, &tap, SHAPE_SMALL);
      lengthen_hello (&pair);
      tap.takes_away = to == DTLS_CLIENT ? has_server_hello : is_second_piece;
      pair_start (&pair);
      pair_run (&pair, 20 * DTLS_SECOND);
      CHECK_UINT (wiretap_count (&tap, 0, to, CONTENT_ACK), 0);
      CHECK (wiretap_count (&tap, 0, DTLS_CLIENT, CONTENT_HANDSHAKE) > 5);
      tap.takes_away = NULL;
      CHECK (pair_handshake (&pair));
      end (&pair, &tap);
    }
}

/* The second piece of the hello that answers a HelloRetryRequest. */
static bool
is_second_piece_of_second (void *data, const struct heard *record)
{
  struct fragment fragment;

  (void) data;
  return record->from == DTLS_CLIENT && heard_message (record, CLIENT_HELLO, &fragment)
         && fragment.message_seq == 1 && fragment.offset > 0;
}

/* After HelloRetryRequest both know; without keys ACKs go in the clear. */
static void
test_in_the_clear_while_there_are_no_keys (void)
{
  const struct heard *ack, *piece;
  struct wiretap tap;
  struct pair pair;

  begin (&pair, &tap, SHAPE_SMALL | SHAPE_RETRY);
  lengthen_hello (&pair);
  tap.takes_away = is_second_piece_of_second;
  pair_start (&pair);
  pair_run (&pair, 300 * DTLS_MILLISECOND);
  ack = wiretap_find (&tap, 0, DTLS_SERVER, CONTENT_ACK);
  if (CHECK (ack != NULL))
    {
      piece = wiretap_find_message (
          &tap, (size_t) (wiretap_find_message (&tap, 0, DTLS_SERVER, SERVER_HELLO) - tap.heard),
          DTLS_CLIENT, CLIENT_HELLO);
      CHECK_UINT (ack->epoch, 0);
      CHECK_UINT (heard_numbers (ack, NULL, 0), 1);
      CHECK (heard_acknowledges (ack, piece));
      CHECK_UINT (ack->at, piece->at + LINK + DELAY);
    }
  tap.takes_away = NULL;
  CHECK (pair_handshake (&pair));
  end (&pair, &tap);
}

/* A client that has a piece of the ServerHello behind a HelloRetryRequest: the same. */
static void
test_a_client_in_the_clear (void)
{
  uint8_t datagram[MAX_DATAGRAM], cut[512];
  struct reader reader;
  struct record_header header;
  struct fragment fragment;
  struct wiretap tap;
  struct pair pair;
  const struct heard *ack;
  struct writer w = writer_over (cut, sizeof cut);
  size_t len;

  begin (&pair, &tap, SHAPE_RETRY);
  pair_start (&pair);
  while (wiretap_count_messages (&tap, 0, DTLS_SERVER, SERVER_HELLO) < 2
         && pair_step (&pair, DTLS_NEVER))
    ;
  CHECK (pair_intercept (&pair, DTLS_CLIENT, datagram, &len));
  reader = reader_over ((struct bytes){ datagram, len });
  CHECK (record_header_read (&reader, &header) && fragment_read (&reader, &fragment));
  fragment.body.left /= 2;
  fragment_write_header (&w, &fragment);
  write_bytes (&w, fragment.body.at, fragment.body.left);
  inject_plain (&pair, DTLS_CLIENT, CONTENT_HANDSHAKE, 0, writer_bytes (&w));
  pair_run (&pair, DELAY);
  ack = wiretap_find (&tap, 0, DTLS_CLIENT, CONTENT_ACK);
  if (CHECK (ack != NULL))
    {
      struct record_number number;

      CHECK_UINT (ack->epoch, 0);
      CHECK_UINT (heard_numbers (ack, &number, 1), 1);
      CHECK_UINT (number.epoch, 0);
      CHECK_UINT (number.number, 1000);
    }
  CHECK (pair_handshake (&pair));
  end (&pair, &tap);
}

static const struct tap_test tests[] = {
  { "/conn/ack13/names-the-newest-records-that-came-in-rising-order",
    test_names_the_newest_records },
  { "/conn/ack13/names-nothing-of-a-flight-that-was-answered",
    test_names_nothing_of_an_answered_flight },
  { "/conn/ack13/says-again-what-it-said-before", test_cumulative },
  { "/conn/ack13/goes-out-after-a-quarter-of-the-interval", test_after_a_quarter_of_the_interval },
  { "/conn/ack13/goes-out-at-once-only-for-the-last-flight",
    test_at_once_only_for_the_last_flight },
  { "/conn/ack13/none-before-the-version-is-known", test_none_before_the_version_is_known },
  { "/conn/ack13/a-server-acknowledges-in-the-clear-while-there-are-no-keys",
    test_in_the_clear_while_there_are_no_keys },
  { "/conn/ack13/a-client-acknowledges-in-the-clear-while-there-are-no-keys",
    test_a_client_in_the_clear },
};

TAP_MAIN (tests)
