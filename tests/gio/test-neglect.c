/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Programs that use one half of a connection and leave the rest alone: whoever never reads is there for the
 * peer all the same, and whoever only reads keeps no keys for good. */

#include "clock.h"
#include "fixture.h"

#include <moat/moat.h>

#include <string.h>

enum
{
  SIZE = 1000,
  TICK = G_USEC_PER_SEC / 10,
  /* Messages: what is queued for a reader is 64 kB and a batch. */
  FLOOD = 250,
  MIN_QUEUED = 64,
  MAX_QUEUED = 100,
  /* Ticks: a flight is sent again four times in the longer time, and given up after minutes. */
  SOON = 30,
  LATER = 70,
};

typedef struct
{
  guint number;
  char rest[SIZE - sizeof (guint)];
} Message;

static void
send_number (GDtlsConnection *connection, guint number)
{
  Message message = { .number = number };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (send_bytes (connection, &message, sizeof message, 0, &error), ==, 1);
  g_assert_no_error (error);
}

static void
flood (GDtlsConnection *connection)
{
  for (guint i = 0; i < FLOOD; i++)
    send_number (connection, i);
}

/* Whether a message with a number was there. */
static gboolean
receive_number (GDtlsConnection *connection, guint *out_number)
{
  Message message;
  gsize len;
  g_autoptr (GError) error = NULL;

  if (receive_bytes (connection, &message, sizeof message, 0, &len, &error) != 1)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      return FALSE;
    }

  *out_number = message.number;
  return len == sizeof message;
}

/* A moment later the server sends, which is all that it does, and the client reads. */
static void
tick (Fixture *f)
{
  char buffer[SIZE];
  gsize len;

  clock_advance (TICK);
  g_assert_cmpint (send_bytes (f->server, "tick", 4, 0, NULL), ==, 1);
  while (receive_bytes (f->client, buffer, sizeof buffer, 0, &len, NULL) == 1)
    ;
}

/* Connected, with nothing of the handshake under way any more. */
static void
settle (Fixture *f)
{
  fixture_handshake (f);
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
  for (guint i = 0; i < 20; i++)
    {
      guint number;

      tick (f);
      g_assert_false (receive_number (f->server, &number));
    }
}

/* RFC 9147 §4: the low bits of a record's epoch stand in its first byte. */
static guint
epoch_bits_of_last (GDatagramBased *base)
{
  guint n = pair_base_n_sent (PAIR_BASE (base));
  g_autoptr (GBytes) datagram = pair_base_dup_sent (PAIR_BASE (base), n - 1);
  const guint8 *at = g_bytes_get_data (datagram, NULL);

  return at[0] & 3;
}

/* ------------------------------------------------------------------------------- who never reads */

/* The new keys of this side are in use, which the other has to acknowledge, in so many ticks. The server
 * reads a message every `pause` ticks; 0 for never. */
static void
expect_update (Fixture *f, GDtlsConnection *connection, GDatagramBased *base, guint limit,
               guint pause)
{
  g_autoptr (GError) error = NULL;
  guint number;
  guint n = 0;

  g_assert_true (moat_connection_update_keys (MOAT_CONNECTION (connection), FALSE, &error));
  g_assert_no_error (error);
  do
    {
      tick (f);
      send_number (connection, FLOOD);
      if (pause > 0 && n % pause == 0)
        g_assert_true (receive_number (f->server, &number));
    }
  while (epoch_bits_of_last (base) == 3 && ++n < limit);

  g_assert_cmpuint (n, <, limit);
  g_assert_cmpuint (epoch_bits_of_last (base), ==, 0);
}

/* What was there first is kept, in its order, and then no more. */
static void
expect_queued (Fixture *f, guint first)
{
  guint number;
  guint n = first;

  while (receive_number (f->server, &number) && number == n)
    n++;
  g_assert_cmpuint (n, >=, MIN_QUEUED);
  g_assert_cmpuint (n, <, MAX_QUEUED);
}

static void
test_peers_update (Fixture *f)
{
  settle (f);
  flood (f->client);
  expect_update (f, f->client, f->client_base, SOON, 0);
  expect_queued (f, 0);
}

static void
test_own_update (Fixture *f)
{
  settle (f);
  flood (f->client);
  for (guint i = 0; i < 5; i++)
    tick (f);
  expect_update (f, f->server, f->server_base, SOON, 0);
  expect_queued (f, 0);
}

static void
test_own_update_and_slow_reader (Fixture *f)
{
  settle (f);
  flood (f->client);
  for (guint i = 0; i < 5; i++)
    tick (f);
  expect_update (f, f->server, f->server_base, LATER, 5);
}

/* A slow reader loses nothing, though it writes much more often: the base keeps what there is. */
static void
test_slow_reader (Fixture *f)
{
  settle (f);
  flood (f->client);
  for (guint i = 0; i < FLOOD; i++)
    {
      guint number;

      for (guint n = 0; n < 5; n++)
        tick (f);
      g_assert_true (receive_number (f->server, &number));
      g_assert_cmpuint (number, ==, i);
    }
}

/* Nor does one that was away for a while and comes back: it finds what is queued, and the base the rest. */
static void
test_reader_comes_back (Fixture *f)
{
  settle (f);
  flood (f->client);
  tick (f);
  clock_advance (11 * G_USEC_PER_SEC);
  for (guint i = 0; i < FLOOD; i++)
    {
      guint number;

      g_assert_true (receive_number (f->server, &number));
      g_assert_cmpuint (number, ==, i);
    }
}

/* -------------------------------------------------------------------------------- who only reads */

static PairFate
hold_first (guint index, const guint8 *at, gsize len, gpointer user_data)
{
  return index == 0 ? PAIR_HOLD : PAIR_DELIVER;
}

typedef struct
{
  const char *name;
  guint seconds;
  gboolean is_read;
} Age;

/* RFC 9147 §4.2.1: old keys are kept for the default MSL of TCP, here twice that. */
static const Age ages[] = {
  { "old-keys-stay-for-four-minutes", 230, TRUE },
  { "old-keys-go-while-a-program-only-reads", 260, FALSE },
};

static void
test_old_keys (Fixture *f, gconstpointer data)
{
  const Age *age = data;
  guint number;

  if (f->version == IN_1_2)
    return;

  settle (f);
  pair_base_set_script (PAIR_BASE (f->client_base), hold_first, NULL);
  send_number (f->client, 0);
  g_assert_true (moat_connection_update_keys (MOAT_CONNECTION (f->client), FALSE, NULL));
  for (guint i = 0; i < age->seconds; i++)
    {
      clock_advance (G_USEC_PER_SEC);
      send_number (f->client, 1);
      g_assert_true (receive_number (f->server, &number));
      g_assert_cmpuint (number, ==, 1);
      g_assert_false (receive_number (f->client, &number));
    }
  g_assert_cmpuint (epoch_bits_of_last (f->client_base), ==, 0);

  pair_base_release (PAIR_BASE (f->client_base));
  g_assert_cmpint (receive_number (f->server, &number), ==, age->is_read);
}

static const TestCase cases[] = {
  { "peers-keys-change-though-nobody-reads", test_peers_update, OVER_PAIR | IN_1_3 },
  { "own-keys-change-though-nobody-reads", test_own_update, OVER_PAIR | IN_1_3 },
  { "own-keys-change-though-a-reader-is-slow", test_own_update_and_slow_reader,
    OVER_PAIR | IN_1_3 },
  { "slow-reader-loses-nothing", test_slow_reader, OVER_PAIR },
  { "reader-that-comes-back-loses-nothing", test_reader_comes_back, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("neglect", cases);
  for (gsize i = 0; i < G_N_ELEMENTS (ages); i++)
    add_row_test ("neglect", ages[i].name, test_old_keys, &ages[i]);

  return g_test_run ();
}
