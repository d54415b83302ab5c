/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* KeyUpdate (RFC 9147 §8): both ways, crossing, lost, ten in a row, asked for by everybody at once; data that is late
 * or early; and messages that come where the epoch has ended. */

#include "setup13.h"
#include "sealed.h"
#include "wiretap.h"

static void
begin (struct pair *pair, struct wiretap *tap)
{
  setup (pair, SHAPE_PLAIN);
  wiretap_attach (tap, pair);
  CHECK (pair_handshake (pair));
  CHECK (comes_to_rest (pair, DTLS_SECOND));
}

static void
check_epochs (const struct pair *pair, unsigned client, unsigned server)
{
  CHECK_UINT (pair->sides[DTLS_CLIENT].conn->write.epoch.number, client);
  CHECK_UINT (pair->sides[DTLS_SERVER].conn->known.read_epoch, client);
  CHECK_UINT (pair->sides[DTLS_SERVER].conn->write.epoch.number, server);
  CHECK_UINT (pair->sides[DTLS_CLIENT].conn->known.read_epoch, server);
}

static void
finish (struct pair *pair, struct wiretap *tap)
{
  check_at_rest (pair, 60 * DTLS_SECOND);
  if (check_same_13 (pair))
    CHECK (pair_talks (pair));
  wiretap_clear (tap);
  PAIR_END (pair);
}

/* ---------------------------------------------------------------------------------- who asks */

/* Who asks for what, and the epochs that come of it. */
static void
test_requests (void)
{
  /* clang-format off */
  static const struct
  {
    const char *name;
    bool client, client_both, server, server_both; /* asks, and for the peer's too */
    unsigned client_epoch, server_epoch;
  } rows[] = {
    { "the client",                  true,  false, false, false, 4, 3 },
    { "the client, for both",        true,  true,  false, false, 4, 4 },
    { "the server",                  false, false, true,  false, 3, 4 },
    { "the server, for both",        false, false, true,  true,  4, 4 },
    { "crossing",                    true,  false, true,  false, 4, 4 },
    { "crossing, the client for both", true, true, true,  false, 4, 4 },
    { "crossing, the server for both", true, false, true, true,  4, 4 },
    { "crossing, each for both",     true,  true,  true,  true,  4, 4 },
  };
  /* clang-format on */

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct wiretap tap;
      struct pair pair;

      tap_set_row (rows[i].name);
      begin (&pair, &tap);
      if (rows[i].client)
        update_keys (&pair, DTLS_CLIENT, rows[i].client_both);
      if (rows[i].server)
        update_keys (&pair, DTLS_SERVER, rows[i].server_both);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      check_epochs (&pair, rows[i].client_epoch, rows[i].server_epoch);
      finish (&pair, &tap);
    }
  tap_set_row (NULL);
}

/* RFC 9147 §8: one at a time; what is asked for while one is under way is one more at most. */
static void
test_requests_are_gathered (void)
{
  for (unsigned role = 0; role < 2; role++)
    for (unsigned both = 0; both < 2; both++)
      {
        struct wiretap tap;
        struct pair pair;
        size_t start;

        begin (&pair, &tap);
        start = tap.n;
        for (unsigned n = 0; n < 10; n++)
          update_keys (&pair, role, both);
        CHECK_UINT (wiretap_count_messages (&tap, start, role, KEY_UPDATE), 1);
        CHECK (comes_to_rest (&pair, DTLS_SECOND));
        CHECK_UINT (wiretap_count_messages (&tap, start, role, KEY_UPDATE), 1);
        check_epochs (&pair, role == DTLS_CLIENT || both ? 4 : 3,
                      role == DTLS_SERVER || both ? 4 : 3);
        finish (&pair, &tap);
      }
}

/* The one that is under way does not ask the peer: a request for both is not lost. */
static void
test_a_request_for_both_behind_one_for_ours (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      struct wiretap tap;
      struct pair pair;

      begin (&pair, &tap);
      update_keys (&pair, role, DTLS_KEY_UPDATE_OURS);
      update_keys (&pair, role, DTLS_KEY_UPDATE_BOTH);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      CHECK_UINT (pair.sides[!role].conn->known.write_epoch, 4);
      CHECK_UINT (pair.sides[role].conn->known.read_epoch, 4);
      finish (&pair, &tap);
    }
}

static void
test_ten_in_a_row (void)
{
  for (unsigned both = 0; both < 2; both++)
    {
      struct wiretap tap;
      struct pair pair;

      begin (&pair, &tap);
      for (unsigned n = 1; n <= 10; n++)
        {
          update_keys (&pair, n & 1, both);
          CHECK (comes_to_rest (&pair, DTLS_SECOND));
          if (both)
            check_epochs (&pair, 3 + n, 3 + n);
          else
            check_epochs (&pair, 3 + n / 2, 3 + (n + 1) / 2);
        }
      finish (&pair, &tap);
    }
}

static void
test_not_before_the_end_nor_behind_it (void)
{
  struct pair pair;

  setup (&pair, SHAPE_PLAIN);
  pair_start (&pair);
  for (unsigned i = 0; i < 2; i++)
    CHECK_UINT (dtls_conn_update_keys (pair.sides[i].conn, pair.now, DTLS_KEY_UPDATE_BOTH),
                DTLS_ERROR_NOT_CONNECTED);
  CHECK (pair_handshake (&pair));
  pair_close (&pair, DTLS_SERVER);
  CHECK_UINT (dtls_conn_update_keys (pair.sides[DTLS_SERVER].conn, pair.now, DTLS_KEY_UPDATE_OURS),
              DTLS_ERROR_CLOSED);
  PAIR_END (&pair);
}

/* A peer that has closed acknowledges nothing any more, but may still listen: nobody asks it, and nobody waits for
 * its answer. */
static void
test_not_when_the_peer_has_closed (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      struct wiretap tap;
      struct pair pair;
      struct dtls_conn *conn;

      begin (&pair, &tap);
      conn = pair.sides[role].conn;
      pair_close (&pair, other_role (role));
      pair_settle (&pair);
      CHECK_UINT (dtls_conn_update_keys (conn, pair.now, DTLS_KEY_UPDATE_OURS), DTLS_ERROR_CLOSED);
      /* Worn out keys do not make it begin by itself either. */
      conn->write.epoch.next = UINT64_C (1) << 24;
      dtls_conn_tick (conn, pair.now);
      pair_run (&pair, 1000 * DTLS_SECOND);
      CHECK_UINT (dtls_conn_error (conn), DTLS_OK);
      CHECK_UINT (conn->write.epoch.number, 3);
      wiretap_clear (&tap);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- lost */

enum
{
  N_MESSAGES = 40,
};

/* Both send all the time while the keys change; `drops` counts from the first datagram of it. */
static void
update_despite (enum dtls_role role, bool both, uint64_t drops[2])
{
  struct wiretap tap;
  struct pair pair;
  unsigned n[2];
  uint8_t message[] = { 1, 2, 3 };
  char row[96];

  snprintf (row, sizeof row, "%s%s; lost of the client's %llx, of the server's %llx",
            role == DTLS_CLIENT ? "client" : "server", both ? ", both" : "",
            (unsigned long long) drops[0], (unsigned long long) drops[1]);
  tap_set_row (row);
  begin (&pair, &tap);
  for (unsigned i = 0; i < 2; i++)
    {
      n[i] = pair.sides[i].n_messages;
      pair.links[i].drops = drops[i] << pair.links[i].n_datagrams;
    }
  update_keys (&pair, role, both);
  for (unsigned i = 0; i < N_MESSAGES; i++)
    {
      pair_run (&pair, 30 * DTLS_MILLISECOND);
      for (unsigned side = 0; side < 2; side++)
        CHECK_UINT (pair_send (&pair, side, TAP_BYTES (message)), DTLS_OK);
    }
  CHECK (comes_to_rest (&pair, 5 * DTLS_SECOND));
  for (unsigned i = 0; i < 2; i++)
    CHECK (pair.sides[i].n_messages >= n[i] + N_MESSAGES - 2);
  check_epochs (&pair, role == DTLS_CLIENT || both ? 4 : 3, role == DTLS_SERVER || both ? 4 : 3);
  finish (&pair, &tap);
  tap_set_row (NULL);
}

static void
test_any_datagram_lost (void)
{
  for (unsigned role = 0; role < 2; role++)
    for (unsigned both = 0; both < 2; both++)
      for (unsigned i = 0; i < 20; i++)
        {
          update_despite (role, both, (uint64_t[2]){ UINT64_C (1) << i, 0 });
          update_despite (role, both, (uint64_t[2]){ 0, UINT64_C (1) << i });
          update_despite (role, both, (uint64_t[2]){ UINT64_C (1) << i, UINT64_C (1) << i });
        }
}

/* ---------------------------------------------------------------------------------- data out of turn */

static size_t
seal (struct pair *pair, enum dtls_role from, const char *text, uint8_t *out)
{
  return make_sealed (pair, from, CONTENT_APPLICATION_DATA,
                      (struct bytes){ (const uint8_t *) text, strlen (text) }, out);
}

/* Data of the epoch before is taken for 240 seconds, of one before that no more. */
static void
test_late_data (void)
{
  static const struct
  {
    unsigned n_updates;
    dtls_duration wait; /* seconds */
    bool is_taken;
  } rows[] = {
    { 1, 0, true }, { 1, 239, true }, { 1, 241, false }, { 2, 0, false }, { 4, 0, false }
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    for (unsigned from = 0; from < 2; from++)
      {
        uint8_t record[256];
        struct side *to;
        struct wiretap tap;
        struct pair pair;
        unsigned n;
        size_t len;

        begin (&pair, &tap);
        to = &pair.sides[!from];
        len = seal (&pair, from, "late", record);
        for (unsigned update = 0; update < rows[i].n_updates; update++)
          {
            update_keys (&pair, from, DTLS_KEY_UPDATE_OURS);
            CHECK (comes_to_rest (&pair, DTLS_SECOND));
            CHECK (pair_talks (&pair));
          }
        pair_run (&pair, rows[i].wait * DTLS_SECOND);
        dtls_conn_tick (to->conn, pair.now);
        n = to->n_messages;
        pair_deliver (&pair, !from, (struct bytes){ record, len });
        CHECK_UINT (to->n_messages, n + rows[i].is_taken);
        /* Once is enough. */
        pair_deliver (&pair, !from, (struct bytes){ record, len });
        CHECK_UINT (to->n_messages, n + rows[i].is_taken);
        finish (&pair, &tap);
      }
}

/* The next epoch's data may be the first sign that our ACK has arrived; the old one's comes behind it. */
static void
test_data_of_both_epochs_mixed (void)
{
  for (unsigned from = 0; from < 2; from++)
    {
      uint8_t old[3][256], fresh[3][256];
      size_t old_len[3], fresh_len[3];
      struct side *to;
      struct wiretap tap;
      struct pair pair;
      unsigned n;

      begin (&pair, &tap);
      to = &pair.sides[!from];
      for (unsigned i = 0; i < 3; i++)
        old_len[i] = seal (&pair, from, "old", old[i]);
      update_keys (&pair, from, DTLS_KEY_UPDATE_OURS);
      CHECK (comes_to_rest (&pair, DTLS_SECOND));
      for (unsigned i = 0; i < 3; i++)
        fresh_len[i] = seal (&pair, from, "new", fresh[i]);
      n = to->n_messages;
      for (unsigned i = 0; i < 3; i++)
        {
          pair_deliver (&pair, !from, (struct bytes){ fresh[2 - i], fresh_len[2 - i] });
          CHECK_BYTES (((struct bytes){ to->message, to->message_len }), TAP_STRING ("new"));
          pair_deliver (&pair, !from, (struct bytes){ old[i], old_len[i] });
          CHECK_BYTES (((struct bytes){ to->message, to->message_len }), TAP_STRING ("old"));
        }
      CHECK_UINT (to->n_messages, n + 6);
      finish (&pair, &tap);
    }
}

/* ---------------------------------------------------------------------------------- the end of an epoch */

enum place
{
  SAME_RECORD,    /* behind the KeyUpdate in its record */
  NEXT_RECORD,    /* in another record of its epoch */
  AHEAD_OF_IT,    /* in a record that came before it */
  AFTER_NEW_KEYS, /* in the old epoch, when the new one is used already */
  N_PLACES
};

static void
write_message (struct writer *w, uint8_t type, uint16_t seq, struct bytes body)
{
  struct fragment fragment = {
    .type = type, .message_len = (uint32_t) body.left, .message_seq = seq, .body = body
  };

  fragment_write_header (w, &fragment);
  write_bytes (w, body.at, body.left);
}

/* RFC 9147 §8: after a KeyUpdate no message comes in its epoch. */
static void
test_message_after_key_update (void)
{
  static const uint8_t body[] = { 0 };

  for (unsigned to = 0; to < 2; to++)
    for (enum place place = 0; place < N_PLACES; place++)
      {
        enum dtls_role from = other_role (to);
        uint8_t memory[2][64];
        struct writer update = writer_over (memory[0], 64), next = writer_over (memory[1], 64);
        struct wiretap tap;
        struct pair pair;
        uint16_t seq;

        begin (&pair, &tap);
        seq = (uint16_t) pair.sides[to].conn->next_message_seq;
        write_message (&update, KEY_UPDATE, seq, TAP_BYTES (body));
        write_message (place == SAME_RECORD ? &update : &next, KEY_UPDATE, (uint16_t) (seq + 1),
                       TAP_BYTES (body));
        if (place == AHEAD_OF_IT)
          inject_sealed (&pair, from, CONTENT_HANDSHAKE, writer_bytes (&next));
        inject_sealed (&pair, from, CONTENT_HANDSHAKE, writer_bytes (&update));
        if (place == NEXT_RECORD || place == AFTER_NEW_KEYS)
          {
            CHECK_UINT (dtls_conn_error (pair.sides[to].conn), DTLS_OK);
            inject_sealed (&pair, from, CONTENT_HANDSHAKE, writer_bytes (&next));
          }
        CHECK_UINT (dtls_conn_error (pair.sides[to].conn), DTLS_ERROR_EXCESS_HANDSHAKE_DATA);
        CHECK (wiretap_alert (&tap, to) == ALERT_UNEXPECTED_MESSAGE);
        wiretap_clear (&tap);
        PAIR_END (&pair);
      }
}

/* clang-format off */
static const struct
{
  const char *name;
  uint8_t type;
  struct bytes body;
  enum dtls_error to_client, to_server;
} bodies[] = {
  { "KeyUpdate of value 2",   KEY_UPDATE,         { (const uint8_t *) "\x02", 1 },     DTLS_ERROR_ILLEGAL_PARAMETER,  DTLS_ERROR_ILLEGAL_PARAMETER },
  { "KeyUpdate of value 255", KEY_UPDATE,         { (const uint8_t *) "\xff", 1 },     DTLS_ERROR_ILLEGAL_PARAMETER,  DTLS_ERROR_ILLEGAL_PARAMETER },
  { "KeyUpdate of no byte",   KEY_UPDATE,         { (const uint8_t *) "", 0 },         DTLS_ERROR_DECODE,             DTLS_ERROR_DECODE },
  { "KeyUpdate of two bytes", KEY_UPDATE,         { (const uint8_t *) "\0", 2 },       DTLS_ERROR_DECODE,             DTLS_ERROR_DECODE },
  { "half a ticket",          NEW_SESSION_TICKET, { (const uint8_t *) "\0\0\0\0", 4 }, DTLS_ERROR_DECODE,             DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "Finished",               FINISHED,           { (const uint8_t *) "\0\0\0\0", 4 }, DTLS_ERROR_UNEXPECTED_MESSAGE, DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "CertificateRequest",     CERTIFICATE_REQUEST, { (const uint8_t *) "\0\0\0\0", 4 }, DTLS_ERROR_UNEXPECTED_MESSAGE, DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "a message hash",         254,                { (const uint8_t *) "\0\0\0\0", 4 }, DTLS_ERROR_UNEXPECTED_MESSAGE, DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "ClientHello",            CLIENT_HELLO,       { (const uint8_t *) "\0\0\0\0", 4 }, DTLS_ERROR_RENEGOTIATION,      DTLS_ERROR_RENEGOTIATION },
  { "HelloRequest",           HELLO_REQUEST,      { (const uint8_t *) "", 0 },         DTLS_ERROR_RENEGOTIATION,      DTLS_ERROR_RENEGOTIATION },
};
/* clang-format on */

static void
test_messages_after_the_handshake (void)
{
  for (size_t i = 0; i < TAP_N (bodies); i++)
    for (unsigned to = 0; to < 2; to++)
      {
        enum dtls_error error = to == DTLS_CLIENT ? bodies[i].to_client : bodies[i].to_server;
        struct wiretap tap;
        struct pair pair;

        tap_set_row (bodies[i].name);
        begin (&pair, &tap);
        inject_sealed_message (&pair, other_role (to), bodies[i].type,
                               (uint16_t) pair.sides[to].conn->next_message_seq, bodies[i].body);
        CHECK_UINT (dtls_conn_error (pair.sides[to].conn), error);
        pair_settle (&pair);
        CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[!to].conn),
                    (unsigned) dtls_error_alert (error));
        wiretap_clear (&tap);
        PAIR_END (&pair);
      }
  tap_set_row (NULL);
}

static const struct tap_test tests[] = {
  { "/conn/update13/by-who-asks-for-what", test_requests },
  { "/conn/update13/requests-are-gathered", test_requests_are_gathered },
  { "/conn/update13/a-request-for-both-behind-one-for-ours-is-kept",
    test_a_request_for_both_behind_one_for_ours },
  { "/conn/update13/ten-in-a-row", test_ten_in_a_row },
  { "/conn/update13/not-before-the-handshakes-end-nor-after-closing",
    test_not_before_the_end_nor_behind_it },
  { "/conn/update13/not-when-the-peer-has-closed", test_not_when_the_peer_has_closed },
  { "/conn/update13/any-datagram-may-be-lost-amid-data", test_any_datagram_lost },
  { "/conn/update13/data-of-the-epoch-before-for-240-seconds", test_late_data },
  { "/conn/update13/data-of-both-epochs-mixed", test_data_of_both_epochs_mixed },
  { "/conn/update13/no-message-behind-key-update-in-its-epoch", test_message_after_key_update },
  { "/conn/update13/messages-after-the-handshake-by-role", test_messages_after_the_handshake },
};

TAP_MAIN (tests)
