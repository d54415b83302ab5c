/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* How connections end, by either side or below them: contract rows C1 to C8 and E1 to E4. */

#include "fixture.h"

#include <string.h>

static void
close_now (GDtlsConnection *connection)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_dtls_connection_close (connection, NULL, &error));
  g_assert_no_error (error);
}

static void
expect_closed (GDtlsConnection *connection)
{
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  expect_receive_error (connection, G_IO_ERROR, G_IO_ERROR_CLOSED);
  expect_send_error (connection, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpint (receive_bytes (connection, &byte, 1, -1, &len, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (send_bytes (connection, "x", 1, 1000, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (g_dtls_connection_handshake (connection, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
shut (GDtlsConnection *connection, gboolean read, gboolean write)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_dtls_connection_shutdown (connection, read, write, NULL, &error));
  g_assert_no_error (error);
}

/* ------------------------------------------------------------------------------------ C1: one half */

static void
test_shut_write (Fixture *f)
{
  fixture_handshake (f);
  send_text (f->client, "last words");
  shut (f->client, FALSE, TRUE);
  shut (f->client, FALSE, TRUE);
  expect_send_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);

  expect_text (f->server, "last words");
  expect_end (f->server);
  close_now (f->client);
  expect_closed (f->client);
}

/* RFC 5246 §7.2.1 wants the peer to close at once; one that goes on is still read. */
static void
test_shut_write_goes_on_reading (Fixture *f)
{
  fixture_handshake (f);
  send_text (f->server, "sent before");
  shut (f->client, FALSE, TRUE);
  expect_text (f->client, "sent before");
  send_text (f->server, "sent after");
  expect_text (f->client, "sent after");
  close_now (f->server);
  expect_end (f->client);
}

static void
test_shut_write_sends_one_close_notify (Fixture *f)
{
  PairBase *base = PAIR_BASE (f->client_base);
  guint n_sent;

  fixture_handshake (f);
  drain_context ();
  n_sent = pair_base_n_sent (base);
  shut (f->client, FALSE, TRUE);
  g_assert_cmpuint (pair_base_n_sent (base), ==, n_sent + 1);
  shut (f->client, FALSE, TRUE);
  close_now (f->client);
  g_clear_object (&f->client);
  g_assert_cmpuint (pair_base_n_sent (base), ==, n_sent + 1);
}

static void
test_shut_read (Fixture *f)
{
  fixture_handshake (f);
  send_text (f->server, "unheard");
  shut (f->client, TRUE, FALSE);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
  send_text (f->client, "still sending");
  expect_text (f->server, "still sending");
  shut (f->client, FALSE, TRUE);
  expect_end (f->server);
  expect_closed (f->client);
}

static void
test_shut_nothing (Fixture *f)
{
  fixture_handshake (f);
  shut (f->client, FALSE, FALSE);
  send_text (f->client, "still here");
  expect_text (f->server, "still here");
  send_text (f->server, "still here");
  expect_text (f->client, "still here");
}

static void
test_shut_both (Fixture *f)
{
  fixture_handshake (f);
  shut (f->client, TRUE, TRUE);
  expect_closed (f->client);
  expect_end (f->server);
}

/* g_dtls_connection_shutdown_async () always asks for both; the interface itself may ask for one. */
static void
test_shut_half_async (Fixture *f)
{
  GDtlsConnectionInterface *iface = G_DTLS_CONNECTION_GET_INTERFACE (f->client);
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  fixture_handshake (f);
  iface->shutdown_async (f->client, FALSE, TRUE, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_assert_true (pending_shutdown_finish (&pending, f->client, &error));
  g_assert_no_error (error);
  expect_send_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
  send_text (f->server, "still read");
  expect_text (f->client, "still read");
  expect_end (f->server);
}

/* -------------------------------------------------------------------------------------- C2 to C7 */

static void
test_close_leaves_the_base (Fixture *f)
{
  fixture_handshake (f);
  close_now (f->client);
  if (f->transport == OVER_UDP)
    {
      g_assert_false (g_socket_is_closed (G_SOCKET (f->client_base)));
      g_assert_cmpint (g_socket_send (G_SOCKET (f->client_base), "raw", 3, NULL, NULL), ==, 3);
    }
  expect_end (f->server);
}

static void
test_close_twice (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  fixture_handshake (f);
  close_now (f->client);
  expect_closed (f->client);
  close_now (f->client);
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_assert_true (pending_shutdown_finish (&pending, f->client, &error));
  shut (f->client, FALSE, TRUE);
  shut (f->client, TRUE, FALSE);

  expect_end (f->server);
  close_now (f->server);
  expect_closed (f->server);
}

static void
test_close_async (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  fixture_handshake (f);
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_assert_null (pending.result);
  g_assert_true (pending_shutdown_finish (&pending, f->client, &error));
  g_assert_no_error (error);
  expect_closed (f->client);
  expect_end (f->server);
}

/* Sends until the base has no room; returns how many messages the connection took. */
static guint
fill (GDtlsConnection *connection)
{
  guint n = 0;

  while (send_bytes (connection, "x", 1, 0, NULL) == 1)
    g_assert_cmpuint (++n, <, 10000);

  return n;
}

static void
test_close_flushes (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };
  guint n;

  fixture_handshake (f);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), 2);
  n = fill (f->client);
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  g_assert_true (pending_shutdown_finish (&pending, f->client, &error));
  g_assert_no_error (error);

  while (n-- > 0)
    expect_text (f->server, "x");
  expect_end (f->server);
}

static void
test_cancelled_close_goes_on (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), 0);
  fill (f->client);
  g_cancellable_cancel (cancellable);
  g_assert_false (g_dtls_connection_close (f->client, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  close_now (f->client);
  expect_closed (f->client);
  for (;;)
    {
      char byte;
      gsize len;
      gint n = receive_bytes (f->server, &byte, 1, -1, &len, NULL);

      g_assert_cmpint (n, >=, 0);
      if (n == 0)
        break;
    }
}

static void
test_unref_closes (Fixture *f)
{
  fixture_handshake (f);
  send_text (f->client, "last words");
  g_assert_finalize_object (g_steal_pointer (&f->client));
  expect_text (f->server, "last words");
  expect_end (f->server);
}

static void
test_unref_never_blocks (Fixture *f)
{
  fixture_handshake (f);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), 0);
  fill (f->client);
  g_assert_finalize_object (g_steal_pointer (&f->client));
}

static void
test_unref_half_handshaken (Fixture *f)
{
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_finalize_object (g_steal_pointer (&f->server));
  g_assert_finalize_object (g_steal_pointer (&f->client));
  drain_context ();
}

/* The same in the middle of every step: the n-th datagram of either side is the last that is seen. */
static PairFate
drop_from (guint index, const guint8 *at, gsize len, gpointer first)
{
  return index >= GPOINTER_TO_UINT (first) ? PAIR_DROP : PAIR_DELIVER;
}

static void
test_unref_at_each_step (Fixture *f)
{
  for (guint step = 0; step < 4; step++)
    {
      fixture_renew (f);
      pair_base_set_script (PAIR_BASE (f->client_base), drop_from, GUINT_TO_POINTER (step));
      expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      drain_context ();
      g_assert_finalize_object (g_steal_pointer (&f->client));
      g_assert_finalize_object (g_steal_pointer (&f->server));
    }
}

static void
test_close_notify_whatever_is_required (Fixture *f)
{
  g_dtls_connection_set_require_close_notify (f->client, FALSE);
  fixture_handshake (f);
  close_now (f->client);
  expect_end (f->server);
}

static void
test_closed_base (Fixture *f)
{
  fixture_handshake (f);
  g_assert_true (g_socket_close (G_SOCKET (f->client_base), NULL));
  expect_send_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
  wait_for (f->client, G_IO_IN);
  close_now (f->client);
}

/* ---------------------------------------------------------------------------- C8 and other threads */

static void
test_close_first (Fixture *f)
{
  close_now (f->client);
  expect_closed (f->client);
  g_assert_cmpint (g_datagram_based_condition_check (G_DATAGRAM_BASED (f->client), G_IO_IN), ==,
                   G_IO_HUP);
  drain_context ();
  if (f->transport == OVER_PAIR)
    g_assert_cmpuint (pair_base_n_sent (PAIR_BASE (f->client_base)), ==, 0);
}

static void
test_shut_write_first (Fixture *f)
{
  shut (f->client, FALSE, TRUE);
  expect_send_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
  drain_context ();
  close_now (f->client);
  expect_closed (f->client);
}

static void
test_close_ends_async_handshake (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  drain_context ();
  close_now (f->client);
  g_assert_false (pending_handshake_finish (&pending, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_close_ends_handshake_in_thread (Fixture *f)
{
  GThread *thread = start_handshake (f->client, NULL);
  g_autoptr (GError) error = NULL;

  if (f->transport == OVER_PAIR)
    while (pair_base_n_queued (PAIR_BASE (f->server_base)) == 0)
      g_thread_yield ();
  close_now (f->client);
  error = g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

typedef struct
{
  GDtlsConnection *connection;
  gint result;
  GError *error; /* (owned) */
} Call;

static gpointer
run_receive (gpointer data)
{
  Call *call = data;
  char byte;
  gsize len;

  call->result = receive_bytes (call->connection, &byte, 1, -1, &len, &call->error);

  return NULL;
}

static gpointer
run_send (gpointer data)
{
  Call *call = data;

  do
    call->result = send_bytes (call->connection, "x", 1, -1, &call->error);
  while (call->result == 1);

  return NULL;
}

static void
expect_woken (Fixture *f, GThreadFunc func, gboolean read, gboolean write)
{
  Call call = { f->client, 0, NULL };
  GThread *thread = g_thread_new ("blocked", func, &call);

  shut (f->client, read, write);
  g_thread_join (thread);
  g_assert_cmpint (call.result, ==, -1);
  g_assert_error (call.error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_error_free (call.error);
}

static void
test_close_wakes_reader (Fixture *f)
{
  fixture_handshake (f);
  expect_woken (f, run_receive, TRUE, TRUE);
  expect_end (f->server);
}

static void
test_shut_read_wakes_reader (Fixture *f)
{
  fixture_handshake (f);
  expect_woken (f, run_receive, TRUE, FALSE);
  send_text (f->client, "still sending");
  expect_text (f->server, "still sending");
}

/* The writer waits for room that never comes; the close, that the close_notify has gone. */
static void
test_close_wakes_writer (Fixture *f)
{
  Call call = { f->client, 0, NULL };
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };
  GThread *thread;

  fixture_handshake (f);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), 0);
  thread = g_thread_new ("blocked", run_send, &call);
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_thread_join (thread);
  g_assert_cmpint (call.result, ==, -1);
  g_assert_error (call.error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_error_free (call.error);

  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  g_assert_true (pending_shutdown_finish (&pending, f->client, &error));
}

/* -------------------------------------------------------------------------------- E1 to E4: the end */

static void
test_end_after_what_was_sent (Fixture *f)
{
  static const gint64 timeouts[] = { 0, -1, 1000, 0 };

  fixture_handshake (f);
  send_text (f->server, "one");
  send_text (f->server, "two");
  close_now (f->server);
  expect_text (f->client, "one");
  expect_text (f->client, "two");

  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      g_autoptr (GError) error = NULL;
      char byte;
      gsize len;

      g_assert_cmpint (receive_bytes (f->client, &byte, 1, timeouts[i], &len, &error), ==, 0);
      g_assert_no_error (error);
    }
}

static void
test_truncated_stream (Fixture *f)
{
  fixture_handshake (f);
  send_text (f->server, "one");
  pair_base_end (PAIR_BASE (f->client_base));
  expect_text (f->client, "one");
  wait_for (f->client, G_IO_IN);
  expect_receive_error (f->client, G_TLS_ERROR, G_TLS_ERROR_EOF);
  expect_receive_error (f->client, G_TLS_ERROR, G_TLS_ERROR_EOF);
  close_now (f->client);
}

static void
test_truncated_stream_allowed (Fixture *f)
{
  g_dtls_connection_set_require_close_notify (f->client, FALSE);
  fixture_handshake (f);
  send_text (f->server, "one");
  pair_base_end (PAIR_BASE (f->client_base));
  expect_text (f->client, "one");
  expect_end (f->client);
  expect_end (f->client);
  close_now (f->client);
}

static void
test_end_after_close_notify (Fixture *f)
{
  fixture_handshake (f);
  close_now (f->server);
  pair_base_end (PAIR_BASE (f->client_base));
  expect_end (f->client);
  expect_end (f->client);
}

static void
test_end_in_handshake (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  pair_base_end (PAIR_BASE (f->client_base));
  g_assert_false (g_dtls_connection_handshake (f->client, NULL, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_EOF);
}

static void
test_empty_datagram_is_no_end (Fixture *f)
{
  fixture_handshake (f);
  if (f->transport == OVER_PAIR)
    pair_base_inject (PAIR_BASE (f->client_base), "", 0);
  else
    g_assert_cmpint (g_socket_send (G_SOCKET (f->server_base), "", 0, NULL, NULL), ==, 0);

  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  send_text (f->server, "still here");
  expect_text (f->client, "still here");
}

static const TestCase cases[] = {
  { "write-half-closes-sending", test_shut_write, OVER_BOTH },
  { "write-half-goes-on-reading", test_shut_write_goes_on_reading, OVER_BOTH },
  { "write-half-sends-one-close-notify", test_shut_write_sends_one_close_notify, OVER_PAIR },
  { "read-half-closes-receiving", test_shut_read, OVER_BOTH },
  { "no-half-does-nothing", test_shut_nothing, OVER_BOTH },
  { "both-halves-are-close", test_shut_both, OVER_BOTH },
  { "async-half-honours-its-flags", test_shut_half_async, OVER_BOTH },
  { "close-leaves-the-base-open", test_close_leaves_the_base, OVER_BOTH },
  { "close-again-succeeds-all-else-is-closed", test_close_twice, OVER_BOTH },
  { "close-async-is-close", test_close_async, OVER_BOTH },
  { "close-flushes-first", test_close_flushes, OVER_PAIR },
  { "cancelled-close-goes-on-later", test_cancelled_close_goes_on, OVER_PAIR },
  { "last-unref-closes", test_unref_closes, OVER_BOTH },
  { "last-unref-never-blocks", test_unref_never_blocks, OVER_PAIR },
  { "last-unref-half-handshaken-frees", test_unref_half_handshaken, OVER_BOTH },
  { "last-unref-at-each-step-frees", test_unref_at_each_step, OVER_PAIR },
  { "close-notify-whatever-is-required", test_close_notify_whatever_is_required, OVER_BOTH },
  { "closed-base-is-closed", test_closed_base, OVER_UDP },
  { "close-first-sends-nothing", test_close_first, OVER_BOTH },
  { "write-half-first-closes-sending", test_shut_write_first, OVER_BOTH },
  { "close-ends-an-async-handshake", test_close_ends_async_handshake, OVER_BOTH },
  { "close-ends-a-threads-handshake", test_close_ends_handshake_in_thread, OVER_BOTH },
  { "close-wakes-a-reader", test_close_wakes_reader, OVER_BOTH },
  { "read-half-wakes-a-reader", test_shut_read_wakes_reader, OVER_BOTH },
  { "close-wakes-a-writer", test_close_wakes_writer, OVER_PAIR },
  { "end-comes-after-what-was-sent", test_end_after_what_was_sent, OVER_BOTH },
  { "base-end-is-eof", test_truncated_stream, OVER_PAIR },
  { "base-end-is-end-if-allowed", test_truncated_stream_allowed, OVER_PAIR },
  { "base-end-after-close-notify-is-end", test_end_after_close_notify, OVER_PAIR },
  { "base-end-in-handshake-is-eof", test_end_in_handshake, OVER_PAIR },
  { "empty-datagram-is-no-end", test_empty_datagram_is_no_end, OVER_BOTH },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("shutdown", cases);

  return g_test_run ();
}
