/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* New keys on request (RFC 9147 §8), while both sides talk. */

#include "fixture.h"

#include <moat/moat.h>

static void
update (GDtlsConnection *connection, gboolean request_peer)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (moat_connection_update_keys (MOAT_CONNECTION (connection), request_peer, &error));
  g_assert_no_error (error);
}

static void
expect_update_error (GDtlsConnection *connection, gint code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (moat_connection_update_keys (MOAT_CONNECTION (connection), TRUE, &error));
  g_assert_error (error, G_IO_ERROR, code);
}

/* RFC 9147 §4: the low bits of a record's epoch stand in its first byte; a record of 1.3 begins 001. */
static gint
epoch_bits_of_last (GDatagramBased *base)
{
  guint n = pair_base_n_sent (PAIR_BASE (base));
  g_autoptr (GBytes) datagram = pair_base_dup_sent (PAIR_BASE (base), n - 1);
  const guint8 *at = g_bytes_get_data (datagram, NULL);

  return (at[0] & 0xe0) == 0x20 ? at[0] & 3 : -1;
}

static void
talk (Fixture *f)
{
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
  send_text (f->server, "pong");
  expect_text (f->client, "pong");
}

static void
test_both (Fixture *f)
{
  fixture_handshake (f);
  for (gint i = 1; i < 6; i++)
    {
      talk (f);
      update (i % 2 ? f->client : f->server, TRUE);
      /* The first application keys are those of epoch 3. */
      do
        talk (f);
      while (epoch_bits_of_last (f->client_base) != ((3 + i) & 3)
             || epoch_bits_of_last (f->server_base) != ((3 + i) & 3));
    }
}

static void
test_ours (Fixture *f)
{
  fixture_handshake (f);
  talk (f);
  update (f->client, FALSE);
  do
    talk (f);
  while (epoch_bits_of_last (f->client_base) != 0);
  g_assert_cmpint (epoch_bits_of_last (f->server_base), ==, 3);
}

/* It is answered, and acknowledged, by a program that never reads. */
static void
test_only_sends (Fixture *f)
{
  char byte;
  gsize len;

  fixture_handshake (f);
  talk (f);
  update (f->server, TRUE);
  while (epoch_bits_of_last (f->client_base) != 0)
    {
      g_assert_cmpint (send_bytes (f->client, "x", 1, 0, NULL), ==, 1);
      while (receive_bytes (f->server, &byte, 1, 0, &len, NULL) == 1)
        ;
    }
}

static gboolean
on_message (GDatagramBased *based, GIOCondition condition, gpointer data)
{
  g_assert_not_reached ();
}

/* And by one that only waits for messages. */
static void
test_only_waits (Fixture *f)
{
  g_autoptr (GSource) source =
      g_datagram_based_create_source (G_DATAGRAM_BASED (f->client), G_IO_IN, NULL);
  guint n_before;

  fixture_handshake (f);
  talk (f);
  n_before = pair_base_n_sent (PAIR_BASE (f->client_base));
  update (f->server, TRUE);
  g_source_set_callback (source, G_SOURCE_FUNC (on_message), NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  /* An ACK and the KeyUpdate; nothing else is left to be said then, under new keys or not. */
  until (pair_base_n_sent (PAIR_BASE (f->client_base)) == n_before + 2);
  g_source_destroy (source);
  do
    talk (f);
  while (epoch_bits_of_last (f->client_base) != 0);
}

static void
test_not_in_12 (Fixture *f)
{
  fixture_handshake (f);
  expect_update_error (f->client, G_IO_ERROR_NOT_SUPPORTED);
  talk (f);
}

static void
test_not_before (Fixture *f)
{
  expect_update_error (f->client, G_IO_ERROR_NOT_CONNECTED);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  expect_update_error (f->client, G_IO_ERROR_NOT_CONNECTED);
  fixture_handshake (f);
  update (f->client, TRUE);
}

static void
test_not_after (Fixture *f)
{
  fixture_handshake (f);
  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  expect_update_error (f->server, G_IO_ERROR_CLOSED);
}

static const TestCase cases[] = {
  { "both-sides-change", test_both, OVER_PAIR | IN_1_3 },
  { "one-side-changes", test_ours, OVER_PAIR | IN_1_3 },
  { "whoever-only-sends-answers", test_only_sends, OVER_PAIR | IN_1_3 },
  { "whoever-only-waits-answers", test_only_waits, OVER_PAIR | IN_1_3 },
  { "not-supported", test_not_in_12, OVER_PAIR | IN_1_2 },
  { "not-connected-before-the-handshake-is-over", test_not_before, OVER_PAIR | IN_1_3 },
  { "closed-afterwards", test_not_after, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("key-update", cases);

  return g_test_run ();
}
