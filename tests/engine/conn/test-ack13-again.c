/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3: what comes again is acknowledged again, as long as its keys are kept; what was left out is never acknowledged
 * (RFC 9147 §5.8.1, §7). */

#include "setup13.h"
#include "sealed.h"
#include "wiretap.h"

enum
{
  LINK = 10 * DTLS_MILLISECOND,
  DELAY = 100 * DTLS_MILLISECOND,
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

/* Another writer with the keys of `epoch`, whose numbers begin far above its own. */
static void
copy_writer (const struct epoch_write *epoch, struct epoch_write *out)
{
  CHECK (epoch_write_init (out, pki_crypto (), epoch->number, &epoch->keys));
  out->next = epoch->next + 50;
}

static void
send_with (struct pair *pair, enum dtls_role from, struct epoch_write *writer, uint8_t type,
           struct bytes content)
{
  uint8_t memory[2048];
  struct dtls_buffer out = { memory, sizeof memory, 0 };
  struct seal_input input = { type, VERSION_DTLS_1_2, &content, 1 };

  CHECK_UINT (record_seal (writer, &input, &out), DTLS_OK);
  pair_deliver (pair, other_role (from), (struct bytes){ memory, out.used });
}

/* ---------------------------------------------------------------------------------- the client's last flight */

/* Connects; `out` writes what the client wrote in epoch 2, `finished` is its last message. */
static void
connect_and_keep (struct pair *pair, struct wiretap *tap, struct epoch_write *out,
                  struct bytes *finished)
{
  begin (pair, tap, SHAPE_PLAIN);
  pair_start (pair);
  while (pair->sides[DTLS_CLIENT].conn->old_write == NULL && pair_step (pair, DTLS_NEVER))
    ;
  copy_writer (pair->sides[DTLS_CLIENT].conn->old_write, out);
  CHECK (pair_handshake (pair));
  CHECK (comes_to_rest (pair, DTLS_SECOND));
  *finished = wiretap_find_message (tap, 0, DTLS_CLIENT, FINISHED)->content;
}

/* RFC 9147 §5.8.1: for twice the MSL from its first data on the server acknowledges the client's last flight again. */
static void
test_finished_for_240_seconds (void)
{
  static const dtls_duration times[] = { 1, 100, 239, 241, 1000 };

  for (size_t i = 0; i < TAP_N (times); i++)
    {
      bool is_kept = times[i] <= 240;
      struct epoch_write writer;
      struct bytes finished;
      struct wiretap tap;
      struct pair pair;
      const struct heard *ack;
      size_t start;

      connect_and_keep (&pair, &tap, &writer, &finished);
      CHECK (pair_talks (&pair));
      pair_run (&pair, times[i] * DTLS_SECOND);
      /* The end of the old epoch wakes nobody; it is seen at the next call. */
      dtls_conn_tick (pair.sides[DTLS_SERVER].conn, pair.now);
      start = tap.n;
      for (unsigned n = 0; n < 5; n++)
        {
          send_with (&pair, DTLS_CLIENT, &writer, CONTENT_HANDSHAKE, finished);
          pair_run (&pair, 2 * DELAY);
          CHECK_UINT (wiretap_count (&tap, start, DTLS_SERVER, CONTENT_ACK), is_kept ? n + 1 : 0);
          CHECK_UINT (tap.n, start + (is_kept ? n + 1 : 0));
        }
      ack = wiretap_find (&tap, start, DTLS_SERVER, CONTENT_ACK);
      if (ack != NULL)
        CHECK_UINT (ack->epoch, 3);
      CHECK (pair_talks (&pair));
      epoch_write_clear (&writer);
      end (&pair, &tap);
    }
}

/* Without a tick the first record behind the time may still open, and ends the old epoch. */
static void
test_finished_behind_its_time_without_a_tick (void)
{
  struct epoch_write writer;
  struct bytes finished;
  struct wiretap tap;
  struct pair pair;
  size_t start;

  connect_and_keep (&pair, &tap, &writer, &finished);
  CHECK (pair_talks (&pair));
  pair_run (&pair, 241 * DTLS_SECOND);
  start = tap.n;
  for (unsigned n = 0; n < 5; n++)
    {
      send_with (&pair, DTLS_CLIENT, &writer, CONTENT_HANDSHAKE, finished);
      pair_run (&pair, 2 * DELAY);
    }
  CHECK (wiretap_count (&tap, start, DTLS_SERVER, CONTENT_ACK) <= 1);
  CHECK (pair.sides[DTLS_SERVER].conn->read.previous == NULL);
  CHECK (pair_talks (&pair));
  epoch_write_clear (&writer);
  end (&pair, &tap);
}

/* A client that says nothing may repeat its last flight for ever. */
static void
test_finished_before_any_data (void)
{
  struct epoch_write writer;
  struct bytes finished;
  struct wiretap tap;
  struct pair pair;
  struct side *server = &pair.sides[DTLS_SERVER];
  size_t start;

  connect_and_keep (&pair, &tap, &writer, &finished);
  /* Its ACK of the tickets was of the new epoch; here is a server that never saw it. */
  pair_run (&pair, 100 * DTLS_SECOND);
  start = tap.n;
  send_with (&pair, DTLS_CLIENT, &writer, CONTENT_HANDSHAKE, finished);
  pair_run (&pair, DTLS_SECOND);
  CHECK_UINT (wiretap_count (&tap, start, DTLS_SERVER, CONTENT_ACK), 1);
  CHECK (server->conn->handshake == NULL);
  epoch_write_clear (&writer);
  end (&pair, &tap);
}

/* Nothing but an old message may come in the old epoch: a new one there is a protocol violation, data is late. */
static void
test_old_epoch_brings_nothing_new (void)
{
  static const uint8_t update[] = { 24, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 1, 0 };
  struct epoch_write writer;
  struct bytes finished;
  struct wiretap tap;
  struct pair pair;

  connect_and_keep (&pair, &tap, &writer, &finished);
  CHECK (pair_talks (&pair));
  send_with (&pair, DTLS_CLIENT, &writer, CONTENT_HANDSHAKE, TAP_BYTES (update));
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_ERROR_EXCESS_HANDSHAKE_DATA);
  CHECK (wiretap_alert (&tap, DTLS_SERVER) == ALERT_UNEXPECTED_MESSAGE);
  epoch_write_clear (&writer);
  end (&pair, &tap);
}

/* ---------------------------------------------------------------------------------- post-handshake messages */

/* Tickets and a KeyUpdate in other records than the first time, and in the very same. */
static void
test_messages_after_the_handshake (void)
{
  static const uint8_t messages[] = { NEW_SESSION_TICKET, KEY_UPDATE };

  for (size_t i = 0; i < TAP_N (messages); i++)
    {
      struct epoch_write writer;
      struct wiretap tap;
      struct pair pair;
      const struct heard *message;
      uint64_t epoch;
      size_t start;

      begin (&pair, &tap, SHAPE_PLAIN);
      CHECK (pair_handshake (&pair));
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      copy_writer (&pair.sides[DTLS_SERVER].conn->write.epoch, &writer);
      update_keys (&pair, DTLS_SERVER, DTLS_KEY_UPDATE_OURS);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      epoch = pair.sides[DTLS_CLIENT].conn->known.read_epoch;
      message = wiretap_find_message (&tap, 0, DTLS_SERVER, messages[i]);

      /* Before the first record of the new epoch, and behind it. */
      for (unsigned behind = 0; behind < 2; behind++)
        {
          start = tap.n;
          send_with (&pair, DTLS_SERVER, &writer, CONTENT_HANDSHAKE,
                     wiretap_find_message (&tap, 0, DTLS_SERVER, messages[i])->content);
          pair_run (&pair, DTLS_SECOND);
          CHECK_UINT (wiretap_count (&tap, start, DTLS_CLIENT, CONTENT_ACK), 1);
          CHECK_UINT (tap.n, start + 1);
          CHECK_UINT (pair.sides[DTLS_CLIENT].conn->known.read_epoch, epoch);
          CHECK (pair_talks (&pair));
        }

      start = tap.n;
      message = wiretap_find_message (&tap, 0, DTLS_SERVER, messages[i]);
      pair_deliver (&pair, DTLS_CLIENT, message->record);
      pair_run (&pair, DTLS_SECOND);
      CHECK_UINT (tap.n, start);
      CHECK_UINT (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_FAILED], 0);
      epoch_write_clear (&writer);
      end (&pair, &tap);
    }
}

/* ---------------------------------------------------------------------------------- what is left out */

/* One fragment of a KeyUpdate with this number. */
static void
write_update (struct writer *w, uint16_t seq)
{
  struct fragment fragment = {
    .type = KEY_UPDATE, .message_len = 1, .message_seq = seq, .body = TAP_STRING ("")
  };

  fragment.body.left = 1;
  fragment_write_header (w, &fragment);
  write_u8 (w, 0);
}

/* clang-format off */
static const struct
{
  const char *name;
  int first, second; /* of the next message on; NONE: no second one */
  bool is_acknowledged;
} left_out[] = {
#define NONE 99
  { "a message a window ahead",                      7,  NONE, false },
  { "a message far ahead",                           1000, NONE, false },
  { "the last message of the window",                6,  NONE, true },
  { "one that may be held, and one a window ahead",  1,  7,    false },
  { "one a window ahead, and one that may be held",  7,  1,    false },
  { "an old one, and one a window ahead",            -1, 7,    false },
  { "an old one",                                    -1, NONE, true },
  { "an old one, and one that may be held",          -1, 3,    true },
};
/* clang-format on */

static void
test_left_out (void)
{
  for (size_t i = 0; i < TAP_N (left_out); i++)
    for (unsigned to = 0; to < 2; to++)
      {
        uint8_t memory[64];
        struct writer w = writer_over (memory, sizeof memory);
        struct wiretap tap;
        struct pair pair;
        uint16_t next;
        size_t start;

        tap_set_row (left_out[i].name);
        begin (&pair, &tap, SHAPE_PLAIN);
        CHECK (pair_handshake (&pair));
        CHECK (comes_to_rest (&pair, DTLS_SECOND));
        next = (uint16_t) pair.sides[to].conn->next_message_seq;
        write_update (&w, (uint16_t) (next + left_out[i].first));
        if (left_out[i].second != NONE)
          write_update (&w, (uint16_t) (next + left_out[i].second));
        start = tap.n;
        inject_sealed (&pair, other_role (to), CONTENT_HANDSHAKE, writer_bytes (&w));
        pair_run (&pair, 10 * DTLS_SECOND);
        CHECK_UINT (wiretap_count (&tap, start, to, CONTENT_ACK), left_out[i].is_acknowledged);
        CHECK_UINT (tap.n, start + left_out[i].is_acknowledged);
        CHECK_UINT (dtls_conn_error (pair.sides[to].conn), DTLS_OK);
        end (&pair, &tap);
      }
  tap_set_row (NULL);
}

/* RFC 9147 §7: nor is a record of any other content type. */
static void
test_only_handshake_records (void)
{
  static const uint8_t types[] = { CONTENT_APPLICATION_DATA, CONTENT_ACK, 24, 27, 255 };

  for (size_t i = 0; i < TAP_N (types); i++)
    {
      struct wiretap tap;
      struct pair pair;
      size_t start;

      begin (&pair, &tap, SHAPE_PLAIN);
      CHECK (pair_handshake (&pair));
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      start = tap.n;
      inject_sealed (&pair, DTLS_CLIENT, types[i], (struct bytes){ (const uint8_t *) "\0", 2 });
      pair_run (&pair, 10 * DTLS_SECOND);
      CHECK_UINT (tap.n, start);
      end (&pair, &tap);
    }
}

static const struct tap_test tests[] = {
  { "/conn/ack13/again/the-clients-last-flight-for-240-seconds", test_finished_for_240_seconds },
  { "/conn/ack13/again/an-old-epoch-ends-without-a-tick",
    test_finished_behind_its_time_without_a_tick },
  { "/conn/ack13/again/a-silent-clients-last-flight", test_finished_before_any_data },
  { "/conn/ack13/again/an-old-epoch-brings-no-new-message", test_old_epoch_brings_nothing_new },
  { "/conn/ack13/again/tickets-and-key-updates", test_messages_after_the_handshake },
  { "/conn/ack13/again/never-a-record-with-something-left-out", test_left_out },
  { "/conn/ack13/again/never-a-record-of-another-type", test_only_handshake_records },
};

TAP_MAIN (tests)
