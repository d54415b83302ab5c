/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What ends in 1.3: epochs, message numbers, keys that sealed too much or failed to open too often (RFC 9147 §4.5.3,
 * §5.2, §8). Counters are set by hand near their ends. */

#include "setup13.h"
#include "sealed.h"
#include "wiretap.h"

enum
{
  LAST_EPOCH = UINT16_MAX,
};

static const uint16_t suites[] = { SUITE_AES_128_GCM_SHA256, SUITE_AES_256_GCM_SHA384,
                                   SUITE_CHACHA20_POLY1305_SHA256, SUITE_AES_128_CCM_SHA256 };
static const uint64_t wants_update[] = { 23726566 / 2, 23726566 / 2, UINT64_C (1) << 47, 1 << 22 };
static const uint64_t forgery_limits[] = { UINT64_C (1) << 36, UINT64_C (1) << 36,
                                           UINT64_C (1) << 36, 11863283 };

static void
begin_with (struct pair *pair, struct wiretap *tap, const uint16_t *suite)
{
  setup (pair, SHAPE_PLAIN);
  for (unsigned i = 0; i < 2 && suite != NULL; i++)
    {
      pair->sides[i].config.suites = suite;
      pair->sides[i].config.n_suites = 1;
    }
  wiretap_attach (tap, pair);
  CHECK (pair_handshake (pair));
  CHECK (comes_to_rest (pair, DTLS_SECOND));
  CHECK (pair_talks (pair));
}

static void
end (struct pair *pair, struct wiretap *tap)
{
  wiretap_clear (tap);
  PAIR_END (pair);
}

/* ---------------------------------------------------------------------------------- epochs */

/* What `from` writes is in this epoch from now on, and the other side knows. */
static void
set_epoch (struct pair *pair, enum dtls_role from, uint16_t epoch)
{
  struct dtls_conn *writer = pair->sides[from].conn, *reader = pair->sides[!from].conn;

  conn_drop_previous_epoch (reader);
  writer->write.epoch.number = writer->known.write_epoch = epoch;
  reader->read.epoch.number = reader->known.read_epoch = epoch;
}

static void
test_last_epoch_of_writing (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      struct wiretap tap;
      struct pair pair;

      begin_with (&pair, &tap, NULL);
      set_epoch (&pair, role, LAST_EPOCH - 1);
      update_keys (&pair, role, DTLS_KEY_UPDATE_OURS);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      CHECK_UINT (pair.sides[role].conn->write.epoch.number, LAST_EPOCH);
      CHECK (pair_talks (&pair));
      CHECK_UINT (dtls_conn_update_keys (pair.sides[role].conn, pair.now, DTLS_KEY_UPDATE_OURS),
                  DTLS_ERROR_KEY_UPDATE_LIMIT);
      pair_drain (&pair, role);
      pair_settle (&pair);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[!role].conn),
                  ALERT_UNEXPECTED_MESSAGE);
      CHECK_UINT (pair_send (&pair, role, TAP_STRING ("x")), DTLS_ERROR_KEY_UPDATE_LIMIT);
      end (&pair, &tap);
    }
}

static void
test_last_epoch_of_reading (void)
{
  static const uint8_t update[] = { 0 };

  for (unsigned to = 0; to < 2; to++)
    for (unsigned is_last = 0; is_last < 2; is_last++)
      {
        struct wiretap tap;
        struct pair pair;

        begin_with (&pair, &tap, NULL);
        set_epoch (&pair, !to, (uint16_t) (LAST_EPOCH - 1 + is_last));
        inject_sealed_message (&pair, other_role (to), KEY_UPDATE,
                               (uint16_t) pair.sides[to].conn->next_message_seq,
                               TAP_BYTES (update));
        CHECK_UINT (dtls_conn_error (pair.sides[to].conn),
                    is_last ? DTLS_ERROR_KEY_UPDATE_LIMIT : DTLS_OK);
        if (is_last)
          CHECK (wiretap_alert (&tap, to) == ALERT_UNEXPECTED_MESSAGE);
        end (&pair, &tap);
      }
}

/* Epochs are told apart by two bits: all sixteen steps around a wrap of those. */
static void
test_epochs_around_every_value_of_their_bits (void)
{
  struct wiretap tap;
  struct pair pair;

  begin_with (&pair, &tap, NULL);
  for (unsigned i = 1; i <= 16; i++)
    {
      uint8_t late[64];
      size_t len =
          make_sealed (&pair, DTLS_CLIENT, CONTENT_APPLICATION_DATA, TAP_STRING ("late"), late);

      update_keys (&pair, DTLS_CLIENT, DTLS_KEY_UPDATE_OURS);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      CHECK (pair_talks (&pair));
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ late, len });
      CHECK_BYTES (((struct bytes){ pair.sides[1].message, pair.sides[1].message_len }),
                   TAP_STRING ("late"));
      CHECK_UINT (pair.sides[DTLS_SERVER].conn->read.epoch.number, 3 + i);
    }
  end (&pair, &tap);
}

/* ---------------------------------------------------------------------------------- message numbers */

/* `from` has sent so many messages, and the other side has taken them. */
static void
set_message_seq (struct pair *pair, enum dtls_role from, uint16_t next)
{
  pair->sides[from].conn->next_send_seq = next;
  pair->sides[!from].conn->next_message_seq = next;
}

static void
test_last_message (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      struct wiretap tap;
      struct pair pair;

      begin_with (&pair, &tap, NULL);
      set_message_seq (&pair, role, UINT16_MAX);
      update_keys (&pair, role, DTLS_KEY_UPDATE_OURS);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      CHECK_UINT (pair.sides[role].conn->write.epoch.number, 4);
      CHECK (pair_talks (&pair));
      CHECK_UINT (dtls_conn_update_keys (pair.sides[role].conn, pair.now, DTLS_KEY_UPDATE_OURS),
                  DTLS_ERROR_MESSAGE_LIMIT);
      end (&pair, &tap);
    }
}

static bool
is_ack (void *data, const struct heard *record)
{
  unsigned *left = data;

  return record->type == CONTENT_ACK && (*left)-- > 0;
}

/* The last message has come: that it comes again is as with any other, and one behind it there is not. */
static void
test_last_message_again (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      struct wiretap tap;
      struct pair pair;
      unsigned left = 2;

      begin_with (&pair, &tap, NULL);
      set_message_seq (&pair, role, UINT16_MAX);
      tap.takes_away = is_ack;
      tap.takes_away_data = &left;
      update_keys (&pair, role, DTLS_KEY_UPDATE_OURS);
      CHECK (comes_to_rest (&pair, 5 * DTLS_SECOND));
      CHECK_UINT (pair.sides[role].conn->write.epoch.number, 4);
      CHECK_UINT (pair.sides[!role].conn->known.read_epoch, 4);
      CHECK_UINT (dtls_conn_error (pair.sides[!role].conn), DTLS_OK);
      CHECK (pair_talks (&pair));
      /* Under the new keys: a number that was there. */
      inject_sealed_message (&pair, role, KEY_UPDATE, UINT16_MAX, TAP_STRING (""));
      CHECK_UINT (dtls_conn_error (pair.sides[!role].conn), DTLS_OK);
      CHECK_UINT (pair.sides[!role].conn->known.read_epoch, 4);
      CHECK (pair_talks (&pair));
      end (&pair, &tap);
    }
}

/* ---------------------------------------------------------------------------------- records of a key */

/* As if `from` had sealed so many records, and the other side had opened them. */
static void
set_record_number (struct pair *pair, enum dtls_role from, uint64_t next)
{
  pair->sides[from].conn->write.epoch.next = next;
  pair->sides[!from].conn->read.epoch.replay.next = next;
}

static enum key_update_request
request_of (const struct heard *update)
{
  return update->content.at[FRAGMENT_HEADER_LEN];
}

/* Half of what the keys may seal is time for others. */
static void
test_worn_keys_are_changed (void)
{
  for (size_t s = 0; s < TAP_N (suites); s++)
    for (unsigned from = 0; from < 2; from++)
      {
        const struct heard *update;
        struct wiretap tap;
        struct pair pair;
        size_t start;

        begin_with (&pair, &tap, &suites[s]);
        start = tap.n;
        set_record_number (&pair, from, wants_update[s] - 2);
        CHECK_UINT (pair_send (&pair, from, TAP_STRING ("x")), DTLS_OK);
        dtls_conn_tick (pair.sides[from].conn, pair.now);
        pair_drain (&pair, from);
        CHECK (wiretap_find_message (&tap, start, from, KEY_UPDATE) == NULL);
        CHECK_UINT (pair_send (&pair, from, TAP_STRING ("y")), DTLS_OK);
        dtls_conn_tick (pair.sides[from].conn, pair.now);
        pair_drain (&pair, from);
        update = wiretap_find_message (&tap, start, from, KEY_UPDATE);
        if (CHECK (update != NULL))
          CHECK_UINT (request_of (update), UPDATE_NOT_REQUESTED);
        CHECK (comes_to_rest (&pair, DTLS_SECOND));
        CHECK_UINT (pair.sides[from].conn->write.epoch.number, 4);
        CHECK_UINT (pair.sides[from].conn->write.epoch.next <= 1, true);
        CHECK (pair_talks (&pair));
        end (&pair, &tap);
      }
}

/* The peer's keys wear out too. A peer that does not mind is asked, once for each of its epochs. */
static void
test_the_peers_worn_keys (void)
{
  for (size_t s = 0; s < TAP_N (suites); s++)
    for (unsigned behind = 0; behind < 2; behind++)
      {
        struct wiretap tap;
        struct pair pair;
        const struct heard *update;
        struct dtls_conn *client, *server;
        size_t start;

        begin_with (&pair, &tap, &suites[s]);
        start = tap.n;
        client = pair.sides[DTLS_CLIENT].conn;
        server = pair.sides[DTLS_SERVER].conn;
        set_record_number (&pair, DTLS_CLIENT, wants_update[s] - 1);
        /* Also while one of the server's own, which does not ask, is under way. */
        pair.links[DTLS_SERVER].delay = 50 * DTLS_MILLISECOND;
        if (behind)
          update_keys (&pair, DTLS_SERVER, DTLS_KEY_UPDATE_OURS);
        CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("x")), DTLS_OK);
        pair_run (&pair, 20 * DTLS_MILLISECOND);
        dtls_conn_tick (server, pair.now);
        pair_drain (&pair, DTLS_SERVER);
        CHECK (comes_to_rest (&pair, 2 * DTLS_SECOND));

        CHECK_UINT (wiretap_count_messages (&tap, start, DTLS_SERVER, KEY_UPDATE), 1 + behind);
        update = NULL;
        for (size_t i = start; i < tap.n; i++)
          if (tap.heard[i].from == DTLS_SERVER && heard_message (&tap.heard[i], KEY_UPDATE, NULL))
            update = &tap.heard[i];
        if (CHECK (update != NULL))
          CHECK_UINT (request_of (update), UPDATE_REQUESTED);
        CHECK (client->write.epoch.number > 3);
        CHECK_UINT (server->write.epoch.number, 4 + behind);
        CHECK (pair_talks (&pair));
        end (&pair, &tap);
      }
}

/* Where there is no way to other keys, sealing stops: nothing goes out with a number that must not be. */
static void
test_sealing_stops (void)
{
  for (size_t s = 0; s < TAP_N (suites); s++)
    {
      struct wiretap tap;
      struct pair pair;
      struct dtls_conn *client;
      unsigned n;

      begin_with (&pair, &tap, &suites[s]);
      client = pair.sides[DTLS_CLIENT].conn;
      set_record_number (&pair, DTLS_CLIENT, 2 * wants_update[s] - 1);
      CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("x")), DTLS_OK);
      n = pair.links[DTLS_CLIENT].n_datagrams;
      CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("y")), DTLS_ERROR_RECORD_LIMIT);
      dtls_conn_tick (client, pair.now);
      pair_drain (&pair, DTLS_CLIENT);
      CHECK_UINT (dtls_conn_error (client), DTLS_ERROR_RECORD_LIMIT);
      CHECK_UINT (pair.links[DTLS_CLIENT].n_datagrams, n);
      CHECK_UINT (client->write.epoch.next, 2 * wants_update[s]);
      end (&pair, &tap);
    }
}

/* ---------------------------------------------------------------------------------- forgeries */

static void
deliver_forgery (struct pair *pair, enum dtls_role to, uint16_t epoch)
{
  uint8_t forged[40] = { 0 };

  forged[0] = (uint8_t) (0x2c | (epoch & 3));
  forged[4] = sizeof forged - 5;
  forged[3] = 0;
  pair_deliver (pair, to, (struct bytes){ forged, sizeof forged });
}

/* RFC 9147 §4.5.3, for the current epoch and for the one before. */
static void
test_forgery_limit (void)
{
  for (size_t s = 0; s < TAP_N (suites); s++)
    for (unsigned to = 0; to < 2; to++)
      for (unsigned is_old = 0; is_old < 2; is_old++)
        {
          struct epoch_read *epoch;
          struct wiretap tap;
          struct pair pair;
          struct dtls_conn *conn;
          unsigned n;

          begin_with (&pair, &tap, &suites[s]);
          update_keys (&pair, !to, DTLS_KEY_UPDATE_OURS);
          CHECK (comes_to_rest (&pair, DTLS_SECOND));
          CHECK (pair_talks (&pair));
          conn = pair.sides[to].conn;
          epoch = is_old ? conn->read.previous : &conn->read.epoch;
          epoch->n_forged = forgery_limits[s] - 2;
          deliver_forgery (&pair, to, epoch->number);
          CHECK_UINT (dtls_conn_error (conn), DTLS_OK);
          CHECK (pair_talks (&pair));
          deliver_forgery (&pair, to, epoch->number);
          /* The read half opens nothing more; the next call that holds the whole connection ends it. */
          n = pair.sides[to].n_messages;
          CHECK_UINT (pair_send (&pair, !to, TAP_STRING ("too late")), DTLS_OK);
          pair_settle (&pair);
          CHECK_UINT (pair.sides[to].n_messages, n);
          CHECK_UINT (dtls_conn_error (conn), DTLS_ERROR_FORGERY_LIMIT);
          CHECK (wiretap_alert (&tap, to) == ALERT_BAD_RECORD_MAC);
          end (&pair, &tap);
        }
}

static const struct tap_test tests[] = {
  { "/conn/update13/limits/last-epoch-of-writing-is-65535", test_last_epoch_of_writing },
  { "/conn/update13/limits/last-epoch-of-reading-is-65535", test_last_epoch_of_reading },
  { "/conn/update13/limits/epochs-around-every-value-of-their-bits",
    test_epochs_around_every_value_of_their_bits },
  { "/conn/update13/limits/last-message-is-65535", test_last_message },
  { "/conn/update13/limits/the-last-message-again", test_last_message_again },
  { "/conn/update13/limits/worn-keys-are-changed", test_worn_keys_are_changed },
  { "/conn/update13/limits/the-peer-is-asked-for-other-keys", test_the_peers_worn_keys },
  { "/conn/update13/limits/sealing-stops", test_sealing_stops },
  { "/conn/update13/limits/forgeries-end-the-connection", test_forgery_limit },
};

TAP_MAIN (tests)
