/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a connection of 1.3 costs: an idle one, one that works, one that is lied to, and one that ended. */

#include "heap.h"
#include "sealed.h"
#include "setup13.h"

#include <openssl/err.h>

enum
{
  MAX_IDLE = 7000, /* bytes of heap */
};

static void
run_shape (unsigned shape)
{
  struct pair pair;

  setup (&pair, shape);
  CHECK (pair_handshake (&pair));
  pair_run (&pair, DTLS_SECOND);
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

/* libcrypto and the test's own caches take their memory once. */
static bool
warm_up (void)
{
  if (!heap_is_counted ())
    return false;

  for (size_t i = 0; i < TAP_N (shapes); i++)
    run_shape (shapes[i].shape);
  return true;
}

/* What freeing the connection gives back. */
static size_t
cost_of (struct pair *pair, enum dtls_role role)
{
  size_t before = heap_reset ();

  dtls_conn_free (pair->sides[role].conn);
  pair->sides[role].conn = NULL;
  return before - heap_reset ();
}

/* ---------------------------------------------------------------------------------- idle */

/* What a peer is made to bring is its own weight: its chain, and a client's session. */
static size_t
weight_of_peer (const struct side *side)
{
  size_t n = side->session_len;

  for (size_t i = 0; i < dtls_conn_n_peer_certificates (side->conn); i++)
    n += dtls_conn_peer_certificate (side->conn, i).left;
  return n > 0 ? n + 64 : 0;
}

/* Once it has talked, and the epoch before is forgotten. */
static void
test_idle_connection (void)
{
  static const struct shape_row some[] = { { "plain", SHAPE_PLAIN },
                                           { "client authentication", SHAPE_CLIENT_AUTH },
                                           { "resumed", SHAPE_RESUMED } };

  for (size_t i = 0; warm_up () && i < TAP_N (some); i++)
    {
      struct pair pair;

      setup (&pair, some[i].shape);
      CHECK (pair_handshake (&pair));
      pair_run (&pair, DTLS_SECOND);
      CHECK (pair_talks (&pair));
      pair_run (&pair, 300 * DTLS_SECOND);
      for (unsigned role = 0; role < 2; role++)
        {
          struct side *side = &pair.sides[role];
          size_t weight, cost;

          dtls_conn_tick (side->conn, pair.now);
          weight = weight_of_peer (side);
          cost = cost_of (&pair, role);
          printf ("# %s: an idle %s %zu bytes, of that %zu brought by its peer\n", some[i].name,
                  role == DTLS_CLIENT ? "client" : "server", cost, weight);
          CHECK (cost > 1000);
          CHECK (cost - weight <= MAX_IDLE);
        }
      PAIR_END (&pair);
    }
}

/* Key updates leave nothing behind. */
static void
test_key_updates_leave_nothing (void)
{
  struct pair pair;
  size_t before[2], after[2];

  if (!warm_up ())
    return;
  for (unsigned round = 0; round < 2; round++)
    {
      size_t used = heap_reset ();

      setup (&pair, SHAPE_PLAIN);
      CHECK (pair_handshake (&pair));
      pair_run (&pair, DTLS_SECOND);
      for (unsigned i = 0; i < 20 * round; i++)
        {
          update_keys (&pair, i & 1, DTLS_KEY_UPDATE_BOTH);
          pair_run (&pair, DTLS_SECOND);
        }
      CHECK (pair_talks (&pair));
      for (unsigned i = 0; i < 2; i++)
        (round == 0 ? before : after)[i] = cost_of (&pair, i);
      PAIR_END (&pair);
      CHECK_UINT (heap_reset (), used);
    }
  for (unsigned i = 0; i < 2; i++)
    /* Blocks of the heap are not all cut alike. */
    if (!CHECK (after[i] <= before[i] + 64))
      printf ("#   %zu bytes, and %zu without them\n", after[i], before[i]);
}

/* ---------------------------------------------------------------------------------- steady state */

static void
exchange (struct pair *pair, unsigned n)
{
  static uint8_t memory[MAX_DATAGRAM];
  struct bytes parts[3] = { TAP_STRING ("a message"), TAP_STRING (" in"), TAP_STRING (" parts") };
  struct bytes data = { NULL, 0 };

  for (unsigned i = 0; i < n; i++)
    {
      struct dtls_buffer out = { memory, sizeof memory, 0 };
      struct dtls_datagram datagram = { .at = memory };
      struct dtls_conn *from = pair->sides[i & 1].conn, *to = pair->sides[~i & 1].conn;

      if (dtls_conn_seal (from, parts, TAP_N (parts), &out) != DTLS_OK)
        break;
      datagram.left = out.used;
      /* Both ways of reading. */
      if ((i & 2 ? dtls_conn_read (to, &datagram, &data)
                 : dtls_conn_receive (to, pair->now, &datagram, &data))
          != DTLS_READ_DATA)
        break;
    }
  CHECK_UINT (data.left, 18);
}

static void
test_sealing_and_reading_allocate_nothing (void)
{
  static const uint16_t suites[] = { SUITE_AES_128_GCM_SHA256, SUITE_AES_256_GCM_SHA384,
                                     SUITE_CHACHA20_POLY1305_SHA256 };

  for (size_t s = 0; warm_up () && s < TAP_N (suites); s++)
    {
      struct pair pair;

      setup (&pair, SHAPE_PLAIN);
      pair.sides[DTLS_SERVER].config.suites = &suites[s];
      pair.sides[DTLS_SERVER].config.n_suites = 1;
      CHECK (pair_handshake (&pair));
      /* A client whose last flight is not acknowledged keeps what it sends in memory that is there. */
      CHECK (pair.sides[DTLS_CLIENT].conn->write.sent != NULL);
      exchange (&pair, 4);
      heap_reset ();
      exchange (&pair, 500);
      CHECK_UINT (heap.n_allocations, 0);
      pair_run (&pair, DTLS_SECOND);
      heap_reset ();
      exchange (&pair, 1000);
      CHECK_UINT (heap.n_allocations, 0);
      PAIR_END (&pair);
    }
}

static void
test_dropping_allocates_nothing (void)
{
  static uint8_t memory[64];
  struct pair pair;
  struct bytes data;

  if (!warm_up ())
    return;
  setup (&pair, SHAPE_PLAIN);
  CHECK (pair_handshake (&pair));
  pair_run (&pair, DTLS_SECOND);
  CHECK (pair_talks (&pair));
  heap_reset ();
  for (unsigned i = 0; i < 10000; i++)
    {
      struct dtls_datagram datagram = { .at = memory, .left = sizeof memory };

      memset (memory, (int) i, sizeof memory);
      memory[0] = (uint8_t) (0x2c | (i & 3));
      memory[3] = 0;
      memory[4] = sizeof memory - 5;
      if (dtls_conn_receive (pair.sides[DTLS_SERVER].conn, pair.now, &datagram, &data)
          != DTLS_READ_END)
        break;
    }
  CHECK_UINT (heap.n_allocations, 0);
  CHECK (pair_n_dropped (&pair, DTLS_SERVER) >= 10000);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- lies */

/* Records of epochs to come, in any form, at every stage: one buffer of fixed size is all they get. */
static void
test_flood_of_early_records (void)
{
  static uint8_t record[1005];

  for (unsigned to = 0; warm_up () && to < 2; to++)
    {
      struct pair pair;
      size_t before;

      setup (&pair, SHAPE_CLIENT_AUTH);
      pair.links[DTLS_SERVER].drop_percent = 100;
      pair_start (&pair);
      pair_run (&pair, 20 * DTLS_MILLISECOND);
      before = heap_reset ();
      for (unsigned i = 0; i < 10000; i++)
        {
          size_t len = i % 1000;

          record[0] = (uint8_t) (0x2c | (i & 3));
          record[3] = (uint8_t) (len >> 8);
          record[4] = (uint8_t) len;
          pair_deliver (&pair, to, (struct bytes){ record, 5 + len });
        }
      CHECK (pair.sides[to].conn->held != NULL);
      CHECK (heap.used < before + sizeof (struct held) + 1024);
      CHECK_UINT (dtls_conn_error (pair.sides[to].conn), DTLS_OK);
      PAIR_END (&pair);
    }
}

/* A peer with keys that announces long messages behind the handshake, or sends pieces of many. */
static void
test_pieces_behind_the_handshake (void)
{
  for (unsigned to = 0; warm_up () && to < 2; to++)
    {
      struct pair pair;
      size_t before;

      setup (&pair, SHAPE_PLAIN);
      CHECK (pair_handshake (&pair));
      pair_run (&pair, DTLS_SECOND);
      before = heap_reset ();
      for (unsigned i = 0; i < 3000; i++)
        {
          uint8_t memory[64];
          struct writer w = writer_over (memory, sizeof memory);
          struct fragment fragment = {
            .type = NEW_SESSION_TICKET,
            .message_len = 60000,
            .message_seq = (uint16_t) (pair.sides[to].conn->next_message_seq + 1 + i % 10),
            .offset = i * 17,
            .body = { (const uint8_t *) "x", 1 },
          };

          fragment_write_header (&w, &fragment);
          write_u8 (&w, 'x');
          inject_sealed (&pair, other_role (to), CONTENT_HANDSHAKE, writer_bytes (&w));
        }
      printf ("# %zu bytes held\n", heap.used - before);
      /* A server gets no tickets, so it holds nothing of them. */
      CHECK (to == DTLS_CLIENT ? heap.used > before + 1024 : heap.used == before);
      CHECK (heap.used < before + REASSEMBLY_AHEAD + 16 * 1024);
      CHECK_UINT (dtls_conn_error (pair.sides[to].conn), DTLS_OK);
      PAIR_END (&pair);
    }
}

static void
fail_handshakes (uint64_t first_seed, uint64_t last_seed)
{
  for (uint64_t seed = first_seed; seed <= last_seed; seed++)
    {
      struct pair pair;

      setup (&pair, shapes[seed % TAP_N (shapes)].shape);
      pair.seed = seed;
      for (unsigned i = 0; i < 2; i++)
        {
          pair.sides[i].config.handshake_deadline = 20 * DTLS_SECOND;
          pair.links[i].corrupt_percent = 40;
        }
      pair_handshake (&pair);
      PAIR_END (&pair);
    }
}

/* Californium CVE-2022-39368: failed handshakes leave nothing behind, nor an error in libcrypto's queue. */
static void
test_failed_handshakes_leave_nothing (void)
{
  size_t before;

  if (!warm_up ())
    return;
  /* The queue keeps the memory of its texts for the next ones. */
  fail_handshakes (1, 500);
  before = heap_reset ();
  fail_handshakes (501, 1500);
  CHECK_UINT (heap_reset (), before);
  CHECK_UINT (ERR_peek_error (), 0);
}

/* ---------------------------------------------------------------------------------- the end */

/* A handshake that is over holds none of its memory any more, whichever way it ended. */
static void
test_the_end_frees_the_handshake (void)
{
  for (unsigned role = 0; role < 2; role++)
    for (dtls_duration when = 5; when < 60; when += 10)
      {
        struct pair pair;
        struct dtls_conn *conn;

        setup (&pair, SHAPE_CLIENT_AUTH);
        pair_start (&pair);
        pair_run (&pair, when * DTLS_MILLISECOND);
        conn = pair.sides[role].conn;
        dtls_conn_abort (conn, pair.now, ALERT_INTERNAL_ERROR);
        pair_drain (&pair, role);
        CHECK (conn->handshake == NULL && conn->reassembly == NULL && conn->outbox == NULL);
        CHECK (conn->write.sent == NULL && conn->old_write == NULL && conn->read.previous == NULL);
        CHECK (dtls_conn_deadline (conn) == DTLS_NEVER);
        PAIR_END (&pair);
      }
}

/* A connection that failed keeps no key it could still use for anything but its alert. */
static void
test_secrets_of_the_handshake_are_gone (void)
{
  struct pair pair;

  setup (&pair, SHAPE_CLIENT_AUTH);
  CHECK (pair_handshake (&pair));
  pair_run (&pair, DTLS_SECOND);
  for (unsigned i = 0; i < 2; i++)
    {
      const struct dtls_conn *conn = pair.sides[i].conn;

      CHECK (conn->handshake == NULL && conn->old_write == NULL && conn->held == NULL);
      CHECK (conn->write.sent == NULL);
      CHECK (conn->read.next == NULL);
    }
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/memory13/an-idle-connection-takes-at-most-7000-bytes", test_idle_connection },
  { "/conn/memory13/key-updates-leave-nothing-behind", test_key_updates_leave_nothing },
  { "/conn/memory13/sealing-and-reading-allocate-nothing",
    test_sealing_and_reading_allocate_nothing },
  { "/conn/memory13/dropping-allocates-nothing", test_dropping_allocates_nothing },
  { "/conn/memory13/a-flood-of-early-records-stays-under-its-ceiling",
    test_flood_of_early_records },
  { "/conn/memory13/pieces-behind-the-handshake-stay-under-their-ceiling",
    test_pieces_behind_the_handshake },
  { "/conn/memory13/failed-handshakes-leave-nothing-behind", test_failed_handshakes_leave_nothing },
  { "/conn/memory13/the-end-frees-the-handshake", test_the_end_frees_the_handshake },
  { "/conn/memory13/secrets-of-the-handshake-are-gone", test_secrets_of_the_handshake_are_gone },
};

TAP_MAIN (tests)
