/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is sent right after a handshake of 1.3 arrives, though its server has not heard the client's last
 * flight yet: out of order, and also if the client closes at once and everything is lost once. */

#include "fixture.h"

enum
{
  FIRST_AFTER_HELLO = 1, /* of what a client sends; bases that are no sockets have no cookies */
};

/* ------------------------------------------------------------------------------ ahead of its time */

/* However often it goes out. RFC 9147 §4: the low bits of a protected record's first byte are its epoch's, and the
 * handshake's is 2. */
static PairFate
hold_last_flight (guint index, const guint8 *at, gsize len, gpointer user_data)
{
  return (at[0] & 0xe3) == 0x22 ? PAIR_HOLD : PAIR_DELIVER;
}

static void
connect_client (Fixture *f, Pending *server)
{
  g_autoptr (GError) error = NULL;
  Pending client = { NULL };

  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, server);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  g_assert_true (pending_handshake_finish (&client, f->client, &error));
  g_assert_no_error (error);
}

static void
test_early_data (Fixture *f)
{
  Pending server = { NULL };

  pair_base_set_script (PAIR_BASE (f->client_base), hold_last_flight, NULL);
  connect_client (f, &server);
  send_text (f->client, "one");
  send_text (f->client, "two");
  drain_context ();
  g_assert_null (server.result);

  pair_base_release (PAIR_BASE (f->client_base));
  g_assert_true (pending_handshake_finish (&server, f->server, NULL));
  expect_text (f->server, "one");
  expect_text (f->server, "two");
  send_text (f->client, "three");
  expect_text (f->server, "three");
}

/* The reader that started the handshake gets it too. */
static void
test_early_data_wakes_a_reader (Fixture *f)
{
  Pending server = { NULL };

  pair_base_set_script (PAIR_BASE (f->client_base), hold_last_flight, NULL);
  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  connect_client (f, &server);
  send_text (f->client, "early");
  drain_context ();
  pair_base_release (PAIR_BASE (f->client_base));
  expect_text (f->server, "early");
  g_assert_true (pending_handshake_finish (&server, f->server, NULL));
}

/* -------------------------------------------------------------------------------------- closing */

static gint is_lost; /* atomic: everything that clients send after their hello, to the last */

static PairFate
lose (guint index, const guint8 *at, gsize len, gpointer data)
{
  return index >= FIRST_AFTER_HELLO && g_atomic_int_get (&is_lost) ? PAIR_DROP : PAIR_DELIVER;
}

/* A client that is connected and has sent two messages, of which nothing has arrived. */
static void
send_into_the_void (Fixture *f, Pending *server)
{
  g_atomic_int_set (&is_lost, TRUE);
  pair_base_set_script (PAIR_BASE (f->client_base), lose, NULL);
  connect_client (f, server);
  send_text (f->client, "last");
  send_text (f->client, "words");
}

static void
expect_last_words (Fixture *f, Pending *server)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (pending_handshake_finish (server, f->server, &error));
  g_assert_no_error (error);
  expect_text (f->server, "last");
  expect_text (f->server, "words");
  expect_end (f->server);
}

static void
test_close_async (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending server = { NULL };
  Pending closing = { NULL };

  send_into_the_void (f, &server);
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &closing);
  g_atomic_int_set (&is_lost, FALSE);
  g_assert_true (pending_shutdown_finish (&closing, f->client, &error));
  g_assert_no_error (error);
  expect_last_words (f, &server);
}

typedef struct
{
  GDtlsConnection *connection;
  GCancellable *cancellable; /* (nullable) */
} Closing;

static gpointer
run_close (gpointer data)
{
  Closing *closing = data;
  GError *error = NULL;

  g_assert_cmpint (g_dtls_connection_close (closing->connection, closing->cancellable, &error), ==,
                   error == NULL);

  return error;
}

static void
test_close_waits (Fixture *f)
{
  Closing closing = { f->client, NULL };
  Pending server = { NULL };
  GThread *thread;
  guint n_sent;

  send_into_the_void (f, &server);
  n_sent = pair_base_n_sent (PAIR_BASE (f->client_base));
  thread = g_thread_new ("close", run_close, &closing);
  /* Its close_notify is lost too. */
  while (pair_base_n_sent (PAIR_BASE (f->client_base)) == n_sent)
    g_thread_yield ();
  g_atomic_int_set (&is_lost, FALSE);
  expect_last_words (f, &server);
  g_assert_null (g_thread_join (thread));
}

static void
test_shut_write (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending server = { NULL };
  Pending closing = { NULL };

  send_into_the_void (f, &server);
  G_DTLS_CONNECTION_GET_INTERFACE (f->client)->shutdown_async (
      f->client, FALSE, TRUE, G_PRIORITY_DEFAULT, NULL, pending_done, &closing);
  g_atomic_int_set (&is_lost, FALSE);
  g_assert_true (pending_shutdown_finish (&closing, f->client, &error));
  g_assert_no_error (error);
  expect_last_words (f, &server);

  /* The other half goes on. */
  send_text (f->server, "answer");
  expect_text (f->client, "answer");
}

/* Whoever does not want to wait does not have to, and may come back. */
static void
test_cancelled (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Pending server = { NULL };
  Pending closing = { NULL };

  send_into_the_void (f, &server);
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, cancellable, pending_done,
                                 &closing);
  g_cancellable_cancel (cancellable);
  g_assert_false (pending_shutdown_finish (&closing, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  expect_send_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);

  g_atomic_int_set (&is_lost, FALSE);
  g_clear_error (&error);
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &closing);
  g_assert_true (pending_shutdown_finish (&closing, f->client, &error));
  g_assert_no_error (error);
  expect_last_words (f, &server);
}

static void
test_cancelled_wait (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Closing closing = { f->client, cancellable };
  g_autoptr (GError) error = NULL;
  Pending server = { NULL };
  GThread *thread;

  send_into_the_void (f, &server);
  thread = g_thread_new ("close", run_close, &closing);
  g_cancellable_cancel (cancellable);
  error = g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  g_assert_false (pending_handshake_finish (&server, f->server, NULL));
}

/* A second, whoever is not there. */
static void
test_nobody_there (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending server = { NULL };
  gint64 begun;

  send_into_the_void (f, &server);
  begun = g_get_monotonic_time ();
  g_assert_true (g_dtls_connection_close (f->client, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, G_USEC_PER_SEC);

  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  g_assert_false (pending_handshake_finish (&server, f->server, NULL));
}

/* One transmission is all that it tries. */
static void
test_unref (Fixture *f)
{
  Pending server = { NULL };

  send_into_the_void (f, &server);
  g_assert_finalize_object (g_steal_pointer (&f->client));
  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  g_assert_false (pending_handshake_finish (&server, f->server, NULL));
}

static void
test_lost_base (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending server = { NULL };
  Pending closing = { NULL };

  send_into_the_void (f, &server);
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &closing);
  pair_base_end (PAIR_BASE (f->client_base));
  g_assert_true (pending_shutdown_finish (&closing, f->client, &error));
  g_assert_no_error (error);

  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  g_assert_false (pending_handshake_finish (&server, f->server, NULL));
}

/* There is nothing to wait for when the server has said that it has everything. */
static void
test_acknowledged (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending closing = { NULL };
  gint64 begun;

  fixture_handshake (f);
  send_text (f->server, "after its ACK");
  expect_text (f->client, "after its ACK");
  begun = g_get_monotonic_time ();
  g_dtls_connection_close_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &closing);
  g_assert_true (pending_shutdown_finish (&closing, f->client, &error));
  g_assert_cmpint (g_get_monotonic_time () - begun, <, G_USEC_PER_SEC);
  expect_end (f->server);
}

static const TestCase cases[] = {
  { "early-data-waits-for-the-handshake", test_early_data, OVER_PAIR | IN_1_3 },
  { "early-data-wakes-a-reader", test_early_data_wakes_a_reader, OVER_PAIR | IN_1_3 },
  { "close-async-loses-nothing", test_close_async, OVER_PAIR | IN_1_3 },
  { "close-loses-nothing", test_close_waits, OVER_PAIR | IN_1_3 },
  { "shutdown-of-writing-loses-nothing", test_shut_write, OVER_PAIR | IN_1_3 },
  { "cancelled-close-async-goes-on-later", test_cancelled, OVER_PAIR | IN_1_3 },
  { "cancelled-close-does-not-wait", test_cancelled_wait, OVER_PAIR | IN_1_3 },
  { "close-gives-up-after-a-second", test_nobody_there, OVER_PAIR | IN_1_3 },
  { "unref-does-not-wait", test_unref, OVER_PAIR | IN_1_3 },
  { "close-does-not-wait-for-a-lost-base", test_lost_base, OVER_PAIR | IN_1_3 },
  { "close-does-not-wait-when-all-is-acknowledged", test_acknowledged, OVER_BOTH | IN_1_3 },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("linger", cases);

  return g_test_run ();
}
