/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3's ACKs as they come in (RFC 9147 §7.2): what of a flight is sent again after them, and which of them are
 * illegal, malformed or without meaning. */

#include "setup13.h"
#include "sealed.h"
#include "trace.h"
#include "wiretap.h"

enum
{
  LINK = 10 * DTLS_MILLISECOND,
  MAX_SEQ = 16,
  MAX_BODY = 8192,
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

/* ---------------------------------------------------------------------------------- what is sent again */

/* How often each byte of each message of a flight went out. */
struct map
{
  uint8_t n[MAX_SEQ][MAX_BODY];
};

static void
map_record (struct map *map, const struct heard *record)
{
  struct reader reader = reader_over (record->content);
  struct fragment fragment;

  while (reader.left > 0 && fragment_read (&reader, &fragment))
    for (size_t i = 0; i < fragment.body.left; i++)
      map->n[fragment.message_seq % MAX_SEQ][(fragment.offset + i) % MAX_BODY]++;
}

static bool
is_datagram (void *data, const struct heard *record)
{
  const unsigned *lost = data;

  return (record->from == DTLS_SERVER && record->datagram == *lost)
         || (record->from == DTLS_CLIENT && record->type == CONTENT_HANDSHAKE
             && record->epoch == 2);
}

/* What was lost of the server's flight, and what went out after that flight; the latter's time. */
static dtls_time
map_losses (const struct wiretap *tap, struct map *lost, struct map *again)
{
  dtls_time first = tap->heard[0].at + LINK, at = 0;

  *lost = *again = (struct map){ { { 0 } } };
  for (size_t i = 0; i < tap->n; i++)
    {
      const struct heard *record = &tap->heard[i];

      if (record->from != DTLS_SERVER || record->type != CONTENT_HANDSHAKE)
        continue;
      if (record->at == first && record->is_lost)
        map_record (lost, record);
      if (record->at > first)
        {
          map_record (again, record);
          at = record->at;
        }
    }
  return at;
}

static void
lose_datagram (unsigned index, bool answers, size_t new_mtu)
{
  static struct map lost, again;
  const struct heard *ack;
  struct wiretap tap;
  struct pair pair;
  dtls_time at, sent;
  char name[64];

  snprintf (name, sizeof name, "datagram %u, %s, then MTU %zu", index,
            answers ? "at once" : "by timer", new_mtu);
  tap_set_row (name);
  begin (&pair, &tap, SHAPE_SMALL);
  pair.sides[DTLS_SERVER].identity = pki_identity ("server-long-chain");
  pair.sides[DTLS_SERVER].config.answers_partial_acks = answers;
  pair.sides[DTLS_SERVER].config.paces_flights = false;
  pair.sides[DTLS_SERVER].config.mtu = 500;
  tap.takes_away = is_datagram;
  tap.takes_away_data = &index;
  pair_start (&pair);
  pair_run (&pair, 50 * DTLS_MILLISECOND);
  dtls_conn_set_mtu (pair.sides[DTLS_SERVER].conn, new_mtu);
  pair_run (&pair, 400 * DTLS_MILLISECOND);

  at = map_losses (&tap, &lost, &again);
  ack = wiretap_find (&tap, 0, DTLS_CLIENT, CONTENT_ACK);
  sent = tap.heard[0].at + LINK;
  if (CHECK (ack != NULL))
    CHECK_UINT (at, answers ? ack->at + LINK : sent + 400 * DTLS_MILLISECOND);
  CHECK (memcmp (&lost, &again, sizeof lost) == 0);
  end (&pair, &tap);
  tap_set_row (NULL);
}

/* Each byte that was lost, and no other, goes out once more, cut to the MTU that there is then. */
static void
test_what_is_missing_is_sent_again (void)
{
  static const size_t mtus[] = { 500, 256, 499 };

  for (unsigned index = 1; index < 6; index++)
    for (unsigned answers = 0; answers < 2; answers++)
      for (size_t i = 0; i < TAP_N (mtus); i++)
        lose_datagram (index, answers, mtus[i]);
}

/* RFC 9147 §7.1: the first record of the next flight says that all of ours has come. */
static bool
is_client_record_after_first (void *data, const struct heard *record)
{
  unsigned *n = data;

  return record->from == DTLS_CLIENT && record->epoch == 2 && record->type == CONTENT_HANDSHAKE
         && (*n)++ > 0;
}

static void
test_the_next_flight_acknowledges (void)
{
  struct wiretap tap;
  struct pair pair;
  unsigned n = 0;

  begin (&pair, &tap, SHAPE_SMALL | SHAPE_CLIENT_AUTH);
  pair.sides[DTLS_CLIENT].config.answers_partial_acks = false;
  tap.takes_away = is_client_record_after_first;
  tap.takes_away_data = &n;
  pair_start (&pair);
  pair_run (&pair, 300 * DTLS_MILLISECOND);
  CHECK (n > 1);
  CHECK (outbox_is_empty (pair.sides[DTLS_SERVER].conn->outbox));
  CHECK (pair.sides[DTLS_SERVER].conn->timers.due[TIMER_RETRANSMIT] == DTLS_NEVER);
  pair_run (&pair, 50 * DTLS_SECOND);
  CHECK_UINT (wiretap_count_messages (&tap, 0, DTLS_SERVER, SERVER_HELLO), 1);
  tap.takes_away = NULL;
  CHECK (pair_handshake (&pair));
  end (&pair, &tap);
}

/* Pieces of a ServerHello do not say which version it is of: the hello is repeated. */
static void
test_a_piece_of_server_hello_acknowledges_nothing (void)
{
  uint8_t datagram[MAX_DATAGRAM], cut[512];
  struct record_header header;
  struct fragment fragment;
  struct reader reader;
  struct writer w = writer_over (cut, sizeof cut);
  struct wiretap tap;
  struct pair pair;
  size_t len;

  begin (&pair, &tap, SHAPE_PLAIN);
  pair_start (&pair);
  pair_step (&pair, DTLS_NEVER);
  CHECK (pair_intercept (&pair, DTLS_CLIENT, datagram, &len));
  reader = reader_over ((struct bytes){ datagram, len });
  CHECK (record_header_read (&reader, &header) && fragment_read (&reader, &fragment));
  fragment.body.left--;
  fragment_write_header (&w, &fragment);
  write_bytes (&w, fragment.body.at, fragment.body.left);
  inject_plain (&pair, DTLS_CLIENT, CONTENT_HANDSHAKE, 0, writer_bytes (&w));
  pair.links[DTLS_SERVER].drop_percent = 100;
  pair_run (&pair, 3 * DTLS_SECOND);
  CHECK_UINT (wiretap_count_messages (&tap, 0, DTLS_CLIENT, CLIENT_HELLO), 4);
  pair.links[DTLS_SERVER].drop_percent = 0;
  CHECK (pair_handshake (&pair));
  end (&pair, &tap);
}

/* ---------------------------------------------------------------------------------- crafted ACKs */

static void
inject_ack (struct pair *pair, enum dtls_role from, bool is_plain, struct record_number number)
{
  uint8_t memory[64];
  struct writer w = writer_over (memory, sizeof memory);

  ack_write (&w, &number, 1);
  if (is_plain)
    inject_plain (pair, other_role (from), CONTENT_ACK, 0, writer_bytes (&w));
  else
    inject_sealed (pair, from, CONTENT_ACK, writer_bytes (&w));
}

static bool
is_server_finished (void *data, const struct heard *record)
{
  (void) data;
  return record->from == DTLS_SERVER && heard_message (record, FINISHED, NULL);
}

enum stage
{
  FIRST_HELLO,    /* nobody knows the version */
  AFTER_RETRY,    /* both do, without keys: the second hello is lost */
  HANDSHAKE_KEYS, /* the server's Finished is lost */
  TALKING,
};

static bool
is_client_hello (void *data, const struct heard *record)
{
  struct fragment fragment;

  (void) data;
  return record->from == DTLS_CLIENT && heard_message (record, CLIENT_HELLO, &fragment)
         && fragment.message_seq == 1;
}

static void
reach (struct pair *pair, struct wiretap *tap, enum stage stage)
{
  begin (pair, tap, stage == HANDSHAKE_KEYS ? SHAPE_SMALL : SHAPE_RETRY);
  if (stage == FIRST_HELLO)
    {
      pair->links[DTLS_CLIENT].drops = 1;
      pair_start (pair);
      return;
    }
  if (stage == TALKING)
    {
      CHECK (pair_handshake (pair));
      CHECK (comes_to_rest (pair, DTLS_SECOND));
      return;
    }

  tap->takes_away = stage == AFTER_RETRY ? is_client_hello : is_server_finished;
  pair_start (pair);
  pair_run (pair, 50 * DTLS_MILLISECOND);
}

/* clang-format off */
static const struct
{
  const char *name;
  enum stage stage;
  enum dtls_role from;
  bool is_plain;
  struct record_number number;
  enum dtls_error error;
} legality[] = {
  { "to a first hello",                           FIRST_HELLO,    DTLS_SERVER, true,  { 0, 0 },         DTLS_OK },
  { "to a first hello, of an epoch to come",      FIRST_HELLO,    DTLS_SERVER, true,  { 3, 0 },         DTLS_OK },
  { "to a first hello, of no epoch",              FIRST_HELLO,    DTLS_SERVER, true,  { UINT64_MAX, 0 }, DTLS_OK },
  { "to a server without a hello",                FIRST_HELLO,    DTLS_CLIENT, true,  { 0, 0 },         DTLS_OK },
  { "to a server without a hello, of epoch 2",    FIRST_HELLO,    DTLS_CLIENT, true,  { 2, 0 },         DTLS_OK },
  { "of the first hello, which was answered",     AFTER_RETRY,    DTLS_SERVER, true,  { 0, 0 },         DTLS_OK },
  { "in the clear of epoch 1, to a client",       AFTER_RETRY,    DTLS_SERVER, true,  { 1, 0 },         DTLS_ERROR_ILLEGAL_PARAMETER },
  { "in the clear of epoch 2, to a client",       AFTER_RETRY,    DTLS_SERVER, true,  { 2, 0 },         DTLS_ERROR_ILLEGAL_PARAMETER },
  { "in the clear of epoch 2, to a server",       AFTER_RETRY,    DTLS_CLIENT, true,  { 2, 0 },         DTLS_ERROR_ILLEGAL_PARAMETER },
  { "in the clear of epoch 2^64-1, to a server",  AFTER_RETRY,    DTLS_CLIENT, true,  { UINT64_MAX, 0 }, DTLS_ERROR_ILLEGAL_PARAMETER },
  { "in the clear of number 2^48, to a client",   AFTER_RETRY,    DTLS_SERVER, true,  { 0, UINT64_C (1) << 48 }, DTLS_ERROR_ILLEGAL_PARAMETER },
  { "in the clear of number 2^48-1, to a client", AFTER_RETRY,    DTLS_SERVER, true,  { 0, (UINT64_C (1) << 48) - 1 }, DTLS_OK },
  { "of the epoch above, to a server",            HANDSHAKE_KEYS, DTLS_CLIENT, false, { 3, 0 },         DTLS_ERROR_ILLEGAL_PARAMETER },
  { "of epoch 65538, to a server",                HANDSHAKE_KEYS, DTLS_CLIENT, false, { 65538, 0 },     DTLS_ERROR_ILLEGAL_PARAMETER },
  { "of number 2^48, to a server",                HANDSHAKE_KEYS, DTLS_CLIENT, false, { 2, UINT64_C (1) << 48 }, DTLS_ERROR_ILLEGAL_PARAMETER },
  { "of a number to come, to a server",           HANDSHAKE_KEYS, DTLS_CLIENT, false, { 2, 1000 },      DTLS_OK },
  { "of epoch 1, to a server",                    HANDSHAKE_KEYS, DTLS_CLIENT, false, { 1, 0 },         DTLS_OK },
  { "of a hello that was never ours, to a server", HANDSHAKE_KEYS, DTLS_CLIENT, false, { 0, 77 },       DTLS_OK },
  /* What the peer reads in the clear it believes no longer, once it has opened a record. */
  { "in the clear of epoch 2, to a client with keys", HANDSHAKE_KEYS, DTLS_SERVER, true, { 2, 0 },      DTLS_OK },
  /* RFC 9147bis: after it epochs of the two directions have nothing to do with each other. */
  { "of a higher epoch, after the handshake",     TALKING,        DTLS_CLIENT, false, { 4, 0 },         DTLS_OK },
  { "of epoch 65539, after the handshake",        TALKING,        DTLS_SERVER, false, { 65539, 0 },     DTLS_OK },
  { "of number 2^48, after the handshake",        TALKING,        DTLS_SERVER, false, { 3, UINT64_C (1) << 48 }, DTLS_ERROR_ILLEGAL_PARAMETER },
  { "in the clear, after the handshake",          TALKING,        DTLS_SERVER, true,  { 3, 0 },         DTLS_OK },
};
/* clang-format on */

static void
test_legality (void)
{
  for (size_t i = 0; i < TAP_N (legality); i++)
    {
      enum dtls_role to = other_role (legality[i].from);
      struct trace before;
      struct wiretap tap;
      struct pair pair;

      tap_set_row (legality[i].name);
      reach (&pair, &tap, legality[i].stage);
      before = trace_of (&pair, to);
      inject_ack (&pair, legality[i].from, legality[i].is_plain, legality[i].number);
      CHECK_UINT (dtls_conn_error (pair.sides[to].conn), legality[i].error);
      if (legality[i].error == DTLS_OK)
        {
          check_no_trace (&pair, to, &before);
          tap.takes_away = NULL;
          CHECK (pair_handshake (&pair));
          CHECK (pair_talks (&pair));
        }
      else
        {
          CHECK (wiretap_alert (&tap, to) == ALERT_ILLEGAL_PARAMETER);
        }
      end (&pair, &tap);
    }
  tap_set_row (NULL);
}

/* wolfSSL CVE-2026-5264 and -6679: lists of every length, whole or not. */
static void
test_lists_of_every_length (void)
{
  static uint8_t memory[2 + 16 * 1000];
  static const enum stage stages[] = { AFTER_RETRY, HANDSHAKE_KEYS, TALKING };

  for (size_t s = 0; s < TAP_N (stages); s++)
    for (size_t len = 0; len <= sizeof memory; len += len < 70 ? 1 : 997)
      for (unsigned lies = 0; lies < 2; lies++)
        {
          bool is_plain = stages[s] == AFTER_RETRY;
          size_t said = (len >= 2 ? len - 2 : 0) + lies;
          bool is_good = len >= 2 && said == len - 2 && said % 16 == 0;
          struct wiretap tap;
          struct pair pair;

          memory[0] = (uint8_t) (said >> 8);
          memory[1] = (uint8_t) said;
          reach (&pair, &tap, stages[s]);
          if (is_plain)
            inject_plain (&pair, DTLS_SERVER, CONTENT_ACK, 0, (struct bytes){ memory, len });
          else
            inject_sealed (&pair, DTLS_CLIENT, CONTENT_ACK, (struct bytes){ memory, len });
          CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn),
                      is_plain || is_good ? DTLS_OK : DTLS_ERROR_DECODE);
          end (&pair, &tap);
        }
}

/* ---------------------------------------------------------------------------------- memory of records */

static bool
is_client_ack_or_finished (void *data, const struct heard *record)
{
  return is_server_finished (data, record)
         || (record->from == DTLS_CLIENT && record->type == CONTENT_ACK);
}

/* Of the records of a flight the newest 32 are known: an ACK of an older one says nothing. */
static void
test_the_33rd_record_is_forgotten (void)
{
  for (unsigned is_new = 0; is_new < 2; is_new++)
    {
      const struct heard *record;
      struct record_number number;
      struct wiretap tap;
      struct pair pair;
      size_t n = 0;

      begin (&pair, &tap, SHAPE_SMALL);
      pair.sides[DTLS_SERVER].identity = pki_identity ("server-long-chain");
      pair.sides[DTLS_SERVER].config.answers_partial_acks = false;
      tap.takes_away = is_client_ack_or_finished;
      pair_start (&pair);
      pair_run (&pair, 2 * DTLS_SECOND);
      CHECK (wiretap_count (&tap, 0, DTLS_SERVER, CONTENT_HANDSHAKE) > 32 + 1);

      /* The 32nd from the end, or the one before it. */
      record = NULL;
      for (size_t i = tap.n; i > 0 && n < 32 + !is_new; i--)
        if (tap.heard[i - 1].from == DTLS_SERVER && tap.heard[i - 1].type == CONTENT_HANDSHAKE)
          {
            record = &tap.heard[i - 1];
            n++;
          }
      number = (struct record_number){ record->epoch, record->number };
      CHECK (outbox_needs_epoch (pair.sides[DTLS_SERVER].conn->outbox, number.epoch == 0 ? 0 : 2));
      CHECK_UINT (outbox_acknowledge (pair.sides[DTLS_SERVER].conn->outbox, (uint16_t) number.epoch,
                                      number.number),
                  is_new);
      end (&pair, &tap);
    }
}

/* ---------------------------------------------------------------------------------- both timers */

/* An ACK that is due together with a retransmission goes first. */
static void
test_ack_before_retransmission (void)
{
  struct wiretap tap;
  struct pair pair;
  size_t start;

  begin (&pair, &tap, SHAPE_PLAIN);
  CHECK (pair_handshake (&pair));
  /* The server's ACK and its tickets are under way; only the tickets arrive. */
  CHECK (pair_intercept (&pair, DTLS_CLIENT, (uint8_t[2048]){ 0 }, &(size_t){ 0 }));
  pair_settle (&pair);
  CHECK (timers_is_ack_owed (&pair.sides[DTLS_CLIENT].conn->timers));
  start = tap.n;
  pair.now += DTLS_SECOND;
  dtls_conn_tick (pair.sides[DTLS_CLIENT].conn, pair.now);
  pair_drain (&pair, DTLS_CLIENT);
  CHECK (tap.n >= start + 2);
  CHECK_UINT (tap.heard[start].type, CONTENT_ACK);
  CHECK_UINT (tap.heard[start].epoch, 3);
  CHECK_UINT (tap.heard[start + 1].type, CONTENT_HANDSHAKE);
  CHECK_UINT (tap.heard[start + 1].epoch, 2);
  CHECK (comes_to_rest (&pair, DTLS_SECOND));
  CHECK (pair_talks (&pair));
  end (&pair, &tap);
}

static const struct tap_test tests[] = {
  { "/conn/ack13/what-is-missing-is-sent-again-and-nothing-else",
    test_what_is_missing_is_sent_again },
  { "/conn/ack13/the-next-flight-acknowledges-ours", test_the_next_flight_acknowledges },
  { "/conn/ack13/a-piece-of-a-first-server-hello-acknowledges-nothing",
    test_a_piece_of_server_hello_acknowledges_nothing },
  { "/conn/ack13/legality-by-stage-and-epoch", test_legality },
  { "/conn/ack13/lists-of-every-length", test_lists_of_every_length },
  { "/conn/ack13/the-33rd-record-is-forgotten", test_the_33rd_record_is_forgotten },
  { "/conn/ack13/an-ack-goes-ahead-of-a-retransmission", test_ack_before_retransmission },
};

TAP_MAIN (tests)
