/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a connection costs: an idle one, one that works, and one that is lied to. */

#include "heap.h"
#include "random.h"
#include "same.h"
#include "sealed.h"

#include <openssl/err.h>

enum
{
  MAX_IDLE = 6000, /* bytes of heap, for a connection of 1.2 */
};

static void
set_up (struct pair *pair)
{
  pair_init (pair, pki_identity ("server-ecdsa"), pki_identity ("client-ecdsa"));
}

/* libcrypto and the test's own caches take their memory once. */
static void
warm_up (void)
{
  struct pair pair;

  set_up (&pair);
  pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  CHECK (pair_handshake (&pair));
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
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

static void
test_idle_connection (void)
{
  if (!heap_is_counted ())
    return;
  warm_up ();

  for (unsigned asks = 0; asks < 2; asks++)
    {
      struct pair pair;
      size_t client, server;

      set_up (&pair);
      if (asks)
        pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
      CHECK (pair_handshake (&pair));
      CHECK (pair_talks (&pair));
      /* A peer's chain is its own weight, kept for whoever asks: about 1,100 bytes here. */
      client = cost_of (&pair, DTLS_CLIENT);
      server = cost_of (&pair, DTLS_SERVER);
      printf ("# an idle client %zu bytes, an idle server %zu bytes%s\n", client, server,
              asks ? " with the client's chain" : "");
      CHECK (client > 1000);
      CHECK (server > 1000);
      CHECK (client <= MAX_IDLE);
      CHECK (server <= MAX_IDLE);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- steady state */

static void
test_sealing_and_reading_allocate_nothing (void)
{
  static const uint16_t suites[] = { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
                                     SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,
                                     SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256 };
  static uint8_t memory[MAX_DATAGRAM];

  for (size_t s = 0; heap_is_counted () && s < TAP_N (suites); s++)
    {
      struct pair pair;
      struct bytes parts[3] = { TAP_STRING ("a message"), TAP_STRING (" in"),
                                TAP_STRING (" parts") };
      struct bytes data;

      set_up (&pair);
      pair.sides[DTLS_SERVER].config.suites = &suites[s];
      pair.sides[DTLS_SERVER].config.n_suites = 1;
      CHECK (pair_handshake (&pair));
      CHECK (pair_talks (&pair));

      heap_reset ();
      for (unsigned i = 0; i < 1000; i++)
        {
          struct dtls_buffer out = { memory, sizeof memory, 0 };
          struct dtls_datagram datagram = { .at = memory };
          struct dtls_conn *from = pair.sides[i & 1].conn, *to = pair.sides[~i & 1].conn;

          if (dtls_conn_seal (from, parts, TAP_N (parts), &out) != DTLS_OK)
            break;
          datagram.left = out.used;
          /* Both ways of reading. */
          if ((i & 2 ? dtls_conn_read (to, &datagram, &data)
                     : dtls_conn_receive (to, pair.now, &datagram, &data))
              != DTLS_READ_DATA)
            break;
        }
      CHECK_UINT (heap.n_allocations, 0);
      CHECK_UINT (data.left, 18);
      PAIR_END (&pair);
    }
}

static void
test_dropping_allocates_nothing (void)
{
  static uint8_t memory[64];
  struct pair pair;
  struct bytes data;

  if (!heap_is_counted ())
    return;
  set_up (&pair);
  CHECK (pair_handshake (&pair));
  CHECK (pair_talks (&pair));
  heap_reset ();
  for (unsigned i = 0; i < 10000; i++)
    {
      struct dtls_datagram datagram = { .at = memory, .left = sizeof memory };

      memset (memory, (int) i, sizeof memory);
      memcpy (memory, ((const uint8_t[]){ (uint8_t) (20 + i % 4), 0xfe, 0xfd, 0, i & 1 }), 5);
      memory[11] = 0;
      memory[12] = sizeof memory - RECORD_HEADER_LEN;
      if (dtls_conn_receive (pair.sides[DTLS_SERVER].conn, pair.now, &datagram, &data)
          != DTLS_READ_END)
        break;
    }
  CHECK_UINT (heap.n_allocations, 0);
  CHECK_UINT (pair_n_dropped (&pair, DTLS_SERVER), 10000);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- lies */

/* A fragment's content of one byte, of a message that says it is so long. */
static struct bytes
one_byte_of (uint8_t *memory, uint8_t type, uint16_t seq, uint32_t message_len)
{
  struct writer w = writer_over (memory, 64);
  struct fragment fragment = { .type = type, .message_len = message_len, .message_seq = seq };

  fragment.body = (struct bytes){ (const uint8_t *) "x", 1 };
  fragment_write_header (&w, &fragment);
  write_u8 (&w, 'x');
  return writer_bytes (&w);
}

/* BouncyCastle CVE-2026-59646, OpenSSL CVE-2016-6308: memory by an announced length. */
static void
test_announced_length_takes_no_memory (void)
{
  static const uint32_t lengths[] = { (1 << 24) - 1, 100000, 1 << 14 };

  if (!heap_is_counted ())
    return;
  warm_up ();
  for (unsigned to = 0; to < 2; to++)
    for (size_t i = 0; i < TAP_N (lengths); i++)
      for (uint16_t seq = 0; seq < 8; seq++)
        {
          uint8_t memory[64];
          struct pair pair;
          size_t before;

          set_up (&pair);
          pair.links[DTLS_CLIENT].drops = ~UINT64_C (0);
          pair_start (&pair);
          before = heap_reset ();
          inject_plain (&pair, to, CONTENT_HANDSHAKE, 0,
                        one_byte_of (memory, CERTIFICATE, seq, lengths[i]));
          /* The harness's own copies are gone by now; its largest lay beside the engine's. */
          CHECK (heap.used < before + 4096);
          PAIR_END (&pair);
        }
}

/* pion CVE-2022-29189 and its kin: fragments of messages to come pile up. */
static void
test_flood_of_fragments_stays_under_its_ceiling (void)
{
  enum
  {
    /* What may be ahead, what the next message may be, and its copy when it becomes whole. */
    CEILING = REASSEMBLY_AHEAD + 100000 * 12 / 10 + 32 * 1024
  };

  if (!heap_is_counted ())
    return;
  warm_up ();
  for (unsigned to = 0; to < 2; to++)
    {
      uint64_t seed = 11;
      struct pair pair;
      size_t before;

      set_up (&pair);
      /* A server takes long Certificates only where it asks for one. */
      pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUESTED;
      pair.links[DTLS_CLIENT].drops = ~UINT64_C (0);
      pair_start (&pair);
      before = heap_reset ();
      for (unsigned i = 0; i < 20000; i++)
        {
          uint8_t memory[1200] = { 0 };
          struct writer w = writer_over (memory, sizeof memory);
          struct fragment fragment = {
            .type = CERTIFICATE,
            .message_len = 90000,
            .message_seq = (uint16_t) (1 + random_below (&seed, 9)),
            .offset = random_below (&seed, 89000),
            .body = { memory, 1 + random_below (&seed, 1000) },
          };

          fragment_write_header (&w, &fragment);
          inject_plain (&pair, to, CONTENT_HANDSHAKE, 0,
                        (struct bytes){ memory, FRAGMENT_HEADER_LEN + fragment.body.left });
        }
      printf ("# %zu bytes held\n", heap.used - before);
      CHECK (heap.used > before + 32 * 1024);
      CHECK (heap.used < before + CEILING);
      PAIR_END (&pair);
    }
}

static void
test_flood_of_early_records_stays_under_its_ceiling (void)
{
  static const uint8_t content[1000];
  struct pair pair;
  size_t before;

  if (!heap_is_counted ())
    return;
  set_up (&pair);
  pair.links[DTLS_SERVER].drops = ~UINT64_C (0);
  pair_start (&pair);
  pair_run (&pair, 20 * DTLS_MILLISECOND);
  before = heap_reset ();
  for (unsigned i = 0; i < 10000; i++)
    inject_plain (&pair, i & 1, (uint8_t) (20 + i % 4), 1,
                  (struct bytes){ content, i % sizeof content });
  CHECK (heap.used < before + sizeof (struct held) + 1024);
  PAIR_END (&pair);
}

static void
fail_handshakes (uint64_t first_seed, uint64_t last_seed)
{
  for (uint64_t seed = first_seed; seed <= last_seed; seed++)
    {
      struct pair pair;

      set_up (&pair);
      pair.seed = seed;
      pair.has_cookies = seed & 1;
      pair.links[DTLS_CLIENT].corrupt_percent = 40;
      pair.links[DTLS_SERVER].corrupt_percent = 40;
      pair_handshake (&pair);
      PAIR_END (&pair);
    }
}

/* Californium CVE-2022-39368: failed handshakes leave nothing behind. Nor do they leave an error in libcrypto's queue,
 * which others who use it in this thread would take for theirs. */
static void
test_failed_handshakes_leave_nothing (void)
{
  size_t before;

  if (!heap_is_counted ())
    return;
  /* The queue keeps the memory of its texts for the next ones. */
  fail_handshakes (1, 500);
  before = heap_reset ();
  fail_handshakes (501, 1500);
  CHECK_UINT (heap_reset (), before);
  CHECK_UINT (ERR_peek_error (), 0);
}

/* A handshake that is over holds none of its memory any more, whichever way it ended. */
static void
test_the_end_frees_the_handshake (void)
{
  static const uint8_t fatal[] = { 2, 40 };

  for (unsigned role = 0; role < 2; role++)
    {
      struct pair pair;
      struct dtls_conn *conn;

      set_up (&pair);
      pair_start (&pair);
      pair_run (&pair, 15 * DTLS_MILLISECOND);
      conn = pair.sides[role].conn;
      CHECK (conn->handshake != NULL);
      inject_plain (&pair, role, CONTENT_ALERT, 0, TAP_BYTES (fatal));
      CHECK_UINT (dtls_conn_error (conn), DTLS_ERROR_PEER_ALERT);
      CHECK (conn->handshake == NULL && conn->reassembly == NULL && conn->outbox == NULL);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- secrets */

static bool
is_wiped (const void *at, size_t len)
{
  const uint8_t *bytes = at;

  for (size_t i = 0; i < len; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

/* What the connection keeps of the handshake: the master secret for exporters, and nothing of the key exchange. */
static void
test_secrets_of_the_handshake_are_gone (void)
{
  struct pair pair;

  set_up (&pair);
  pair_start (&pair);
  /* The ephemeral key is gone as soon as it has been used. */
  for (unsigned i = 0; i < 2; i++)
    while (pair.sides[i].conn->write.epoch.number == 0 && pair_step (&pair, DTLS_NEVER))
      ;
  for (unsigned i = 0; i < 2; i++)
    CHECK (pair.sides[i].conn->handshake == NULL || pair.sides[i].conn->handshake->share == NULL);
  CHECK (pair_handshake (&pair));
  CHECK (pair_talks (&pair));
  for (unsigned i = 0; i < 2; i++)
    CHECK (pair.sides[i].conn->handshake == NULL);
  PAIR_END (&pair);
}

/* A cleared epoch has no keys left, and seals nothing. */
static void
test_cleared_epochs_hold_no_keys (void)
{
  struct epoch_write *epoch;
  struct pair pair;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  epoch = &pair.sides[DTLS_CLIENT].conn->write.epoch;
  CHECK (!is_wiped (&epoch->keys, sizeof epoch->keys));
  epoch_write_clear (epoch);
  CHECK (is_wiped (&epoch->keys, sizeof epoch->keys));
  CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_STRING ("x")), DTLS_ERROR_RECORD_LIMIT);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/memory/an-idle-connection-takes-at-most-6000-bytes", test_idle_connection },
  { "/conn/memory/sealing-and-reading-allocate-nothing",
    test_sealing_and_reading_allocate_nothing },
  { "/conn/memory/dropping-allocates-nothing", test_dropping_allocates_nothing },
  { "/conn/memory/an-announced-length-takes-no-memory", test_announced_length_takes_no_memory },
  { "/conn/memory/a-flood-of-fragments-stays-under-its-ceiling",
    test_flood_of_fragments_stays_under_its_ceiling },
  { "/conn/memory/a-flood-of-early-records-stays-under-its-ceiling",
    test_flood_of_early_records_stays_under_its_ceiling },
  { "/conn/memory/failed-handshakes-leave-nothing-behind", test_failed_handshakes_leave_nothing },
  { "/conn/memory/the-end-frees-the-handshake", test_the_end_frees_the_handshake },
  { "/conn/memory/secrets-of-the-handshake-are-gone", test_secrets_of_the_handshake_are_gone },
  { "/conn/memory/cleared-epochs-hold-no-keys", test_cleared_epochs_hold_no_keys },
};

TAP_MAIN (tests)
