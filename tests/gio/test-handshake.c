/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* When a handshake starts, how it ends and what a caller is told: contract rows H1 to H4, H10 and H12. */

#include "fixture.h"

/* ----------------------------------------------------------------------------- H1: what starts it */

static void
start_by_send (GDtlsConnection *connection)
{
  expect_send_error (connection, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

static void
start_by_receive (GDtlsConnection *connection)
{
  expect_receive_error (connection, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

static void
start_by_check (GDtlsConnection *connection)
{
  g_assert_cmpint (
      g_datagram_based_condition_check (G_DATAGRAM_BASED (connection), G_IO_IN | G_IO_OUT), ==, 0);
}

static void
start_by_wait (GDtlsConnection *connection)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (
      g_datagram_based_condition_wait (G_DATAGRAM_BASED (connection), G_IO_IN, 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

static void
exchange_after (Fixture *f, void (*start) (GDtlsConnection *))
{
  start (f->server);
  start (f->client);

  send_text (f->client, "ping");
  expect_text (f->server, "ping");
  send_text (f->server, "pong");
  expect_text (f->client, "pong");
}

static void
test_by_send (Fixture *f)
{
  exchange_after (f, start_by_send);
}

static void
test_by_receive (Fixture *f)
{
  exchange_after (f, start_by_receive);
}

static void
test_by_check (Fixture *f)
{
  exchange_after (f, start_by_check);
}

/* Only one side: a call that waits leaves nothing behind that drives it in this thread. */
static void
test_by_wait (Fixture *f)
{
  start_by_receive (f->server);
  start_by_wait (f->client);
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
}

static gboolean
keep (GDatagramBased *based, GIOCondition condition, gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static GSource *
attach_source (GDtlsConnection *connection)
{
  GSource *source = g_datagram_based_create_source (G_DATAGRAM_BASED (connection), G_IO_IN, NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (keep), NULL, NULL);
  g_source_attach (source, NULL);

  return source;
}

static void
test_by_source (Fixture *f)
{
  GSource *client = attach_source (f->client);
  GSource *server = attach_source (f->server);

  send_text (f->client, "ping");
  expect_text (f->server, "ping");

  g_source_destroy (client);
  g_source_destroy (server);
  g_source_unref (client);
  g_source_unref (server);
}

/* ------------------------------------------------------------------------------ H2, H3: and again */

static void
test_again (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };
  guint n_sent;

  fixture_handshake (f);
  n_sent = pair_base_n_sent (PAIR_BASE (f->client_base));

  g_assert_true (g_dtls_connection_handshake (f->client, NULL, &error));
  g_assert_no_error (error);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_assert_true (pending_handshake_finish (&pending, f->client, &error));
  g_assert_no_error (error);
  drain_context ();

  g_assert_cmpuint (pair_base_n_sent (PAIR_BASE (f->client_base)), ==, n_sent);
}

static void
test_after_close (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  fixture_handshake (f);
  g_assert_true (g_dtls_connection_close (f->client, NULL, &error));

  g_assert_false (g_dtls_connection_handshake (f->client, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);

  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_assert_false (pending_handshake_finish (&pending, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* --------------------------------------------------------------------------- H4: cancellation */

static void
test_cancelled_first (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  g_cancellable_cancel (cancellable);
  g_assert_false (g_dtls_connection_handshake (f->client, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, cancellable, pending_done,
                                     &pending);
  g_assert_false (pending_handshake_finish (&pending, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  fixture_handshake (f);
}

static void
test_cancelled_midway (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, cancellable, pending_done,
                                     &pending);
  until (pair_base_n_queued (PAIR_BASE (f->server_base)) > 0);
  g_cancellable_cancel (cancellable);
  g_assert_false (pending_handshake_finish (&pending, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  fixture_handshake (f);
}

static void
test_cancelled_in_a_thread (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = start_handshake (f->client, cancellable);

  /* Its first flight is out: it waits for an answer, or is about to. */
  g_assert_true (g_socket_condition_wait (G_SOCKET (f->server_base), G_IO_IN, NULL, NULL));
  g_cancellable_cancel (cancellable);
  error = g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  fixture_handshake (f);
}

/* ------------------------------------------------------------------------------ H10: giving up */

static void
assert_gave_up (const GError *error, gint code)
{
  g_assert_error (error, G_IO_ERROR, code);
}

static void
make_impatient (Fixture *f)
{
  g_object_set (f->client, "handshake-timeout", 50, NULL);
}

static void
test_mute_handshake (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  make_impatient (f);
  g_assert_false (g_dtls_connection_handshake (f->client, NULL, &error));
  assert_gave_up (error, G_IO_ERROR_TIMED_OUT);
}

static void
test_mute_handshake_async (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  make_impatient (f);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_assert_false (pending_handshake_finish (&pending, f->client, &error));
  assert_gave_up (error, G_IO_ERROR_TIMED_OUT);
}

static void
test_mute_receive (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  make_impatient (f);
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, -1, &len, &error), ==, -1);
  assert_gave_up (error, G_IO_ERROR_HOST_UNREACHABLE);
  g_clear_error (&error);

  /* It is remembered, in the words that each call may use. */
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, G_USEC_PER_SEC, &len, &error), ==, -1);
  assert_gave_up (error, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_false (g_dtls_connection_handshake (f->client, NULL, &error));
  assert_gave_up (error, G_IO_ERROR_TIMED_OUT);
}

static void
test_mute_timed_receive (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  make_impatient (f);
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, G_TIME_SPAN_HOUR, &len, &error), ==, -1);
  assert_gave_up (error, G_IO_ERROR_TIMED_OUT);
}

static void
test_mute_send (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  make_impatient (f);
  g_assert_cmpint (send_bytes (f->client, "x", 1, -1, &error), ==, -1);
  assert_gave_up (error, G_IO_ERROR_HOST_UNREACHABLE);
}

static void
test_mute_nonblocking (Fixture *f)
{
  make_impatient (f);
  wait_for (f->client, G_IO_IN);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE);
  wait_for (f->client, G_IO_OUT);
  expect_send_error (f->client, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE);
}

static void
test_mute_wait (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  make_impatient (f);
  g_assert_true (
      g_datagram_based_condition_wait (G_DATAGRAM_BASED (f->client), G_IO_IN, -1, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_datagram_based_condition_check (G_DATAGRAM_BASED (f->client), G_IO_IN), ==,
                   G_IO_IN | G_IO_ERR);
}

static void
test_timeout_does_not_stick (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  g_assert_cmpint (receive_bytes (f->client, &byte, 1, 1000, &len, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_cmpint (send_bytes (f->client, "x", 1, 1000, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  fixture_handshake (f);
}

/* -------------------------------------------------------------------------- H12: several callers */

static void
test_three_at_once (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Pending pending[3] = { { NULL } };
  Pending server = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (pending); i++)
    g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done,
                                       &pending[i]);
  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, &server);

  for (guint i = 0; i < G_N_ELEMENTS (pending); i++)
    {
      g_assert_true (pending_handshake_finish (&pending[i], f->client, &error));
      g_assert_no_error (error);
    }
  g_assert_true (pending_handshake_finish (&server, f->server, &error));
}

static void
test_threads_at_once (Fixture *f)
{
  GThread *threads[] = {
    start_handshake (f->client, NULL),
    start_handshake (f->client, NULL),
    start_handshake (f->server, NULL),
    start_handshake (f->server, NULL),
  };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (GError) error = g_thread_join (threads[i]);

      g_assert_no_error (error);
    }
}

static void
test_one_cancelled_of_two (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Pending cancelled = { NULL };

  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, cancellable, pending_done,
                                     &cancelled);
  drain_context ();
  g_cancellable_cancel (cancellable);
  fixture_handshake (f);

  g_assert_false (pending_handshake_finish (&cancelled, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static guint
count_threads (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  guint n = 0;

  g_assert_nonnull (tasks);
  while (g_dir_read_name (tasks) != NULL)
    n++;

  return n;
}

/* It is the first to run: threads that others left behind would hide one. */
static void
test_makes_no_thread (Fixture *f)
{
  guint n_before;

  /* GLib makes its own worker thread for this class. */
  g_type_ensure (G_TYPE_TASK);
  n_before = count_threads ();

  fixture_handshake (f);

  g_assert_cmpuint (count_threads (), ==, n_before);
}

/* ------------------------------------------------------------------------------- its context */

typedef struct
{
  GDtlsConnection *connection;
  GMainContext *context; /* (owned) */
  GMainContext *told_in; /* (unowned) */
  GThread *told_by;      /* (unowned) */
  GError *error;         /* (owned) */
} OwnContext;

static void
on_handshake (GObject *connection, GAsyncResult *result, gpointer data)
{
  OwnContext *self = data;

  self->told_in = g_main_context_get_thread_default ();
  self->told_by = g_thread_self ();
  g_dtls_connection_handshake_finish (G_DTLS_CONNECTION (connection), result, &self->error);
}

static gpointer
handshake_in_own_context (gpointer data)
{
  OwnContext *self = data;

  g_main_context_push_thread_default (self->context);
  g_dtls_connection_handshake_async (self->connection, G_PRIORITY_DEFAULT, NULL, on_handshake,
                                     self);
  until (self->told_by != NULL);
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

static void
test_own_context (Fixture *f)
{
  OwnContext client = { f->client, g_main_context_new (), NULL, NULL, NULL };
  GThread *server = start_handshake (f->server, NULL);
  GThread *thread = g_thread_new ("own context", handshake_in_own_context, &client);

  g_assert_null (g_thread_join (server));
  g_thread_join (thread);
  g_assert_no_error (client.error);
  g_assert_true (client.told_in == client.context);
  g_assert_true (client.told_by == thread);

  g_main_context_unref (client.context);
}

/* ----------------------------------------------------------------------------- lost and late */

static PairFate
drop_one (guint index, const guint8 *at, gsize len, gpointer which)
{
  return index == GPOINTER_TO_UINT (which) ? PAIR_DROP : PAIR_DELIVER;
}

static PairFate
duplicate_all (guint index, const guint8 *at, gsize len, gpointer data)
{
  return PAIR_DUPLICATE;
}

static void
use_short_timers (Fixture *f)
{
  g_object_set (f->client, "retransmission-timeout", 20, NULL);
  g_object_set (f->server, "retransmission-timeout", 20, NULL);
}

static void
test_survives_each_loss (Fixture *f)
{
  for (guint which = 0; which < 12; which++)
    {
      GDatagramBased *sender;

      fixture_renew (f);
      use_short_timers (f);
      g_object_set (f->server, "mtu", 400, NULL);
      sender = which % 2 == 0 ? f->client_base : f->server_base;
      pair_base_set_script (PAIR_BASE (sender), drop_one, GUINT_TO_POINTER (which / 2));

      fixture_handshake (f);
      pair_base_set_script (PAIR_BASE (sender), NULL, NULL);
      send_text (f->client, "through");
      expect_text (f->server, "through");
    }
}

static void
test_survives_duplicates (Fixture *f)
{
  pair_base_set_script (PAIR_BASE (f->client_base), duplicate_all, NULL);
  pair_base_set_script (PAIR_BASE (f->server_base), duplicate_all, NULL);

  fixture_handshake (f);
  send_text (f->client, "once");
  send_text (f->client, "again");
  expect_text (f->server, "once");
  expect_text (f->server, "again");
  drain_context ();
  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

static PairFate
hold_all (guint index, const guint8 *at, gsize len, gpointer data)
{
  return PAIR_HOLD;
}

/* The first flight that takes several datagrams comes in with its end first. */
static void
test_survives_reordering (Fixture *f)
{
  Pending client = { NULL };
  Pending server = { NULL };
  g_autoptr (GError) error = NULL;

  g_object_set (f->server, "mtu", 300, NULL);
  pair_base_set_script (PAIR_BASE (f->server_base), hold_all, NULL);
  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, &server);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  until (pair_base_n_held (PAIR_BASE (f->server_base)) > 2);
  pair_base_set_script (PAIR_BASE (f->server_base), NULL, NULL);
  pair_base_release_backwards (PAIR_BASE (f->server_base));

  g_assert_true (pending_handshake_finish (&client, f->client, &error));
  g_assert_true (pending_handshake_finish (&server, f->server, &error));
}

/* The default start value must be small enough for nobody to notice: no property is set here. */
static void
test_survives_loss_over_default_timers (Fixture *f)
{
  pair_base_set_script (PAIR_BASE (f->client_base), drop_one, GUINT_TO_POINTER (0));
  pair_base_set_script (PAIR_BASE (f->server_base), drop_one, GUINT_TO_POINTER (0));
  fixture_handshake (f);
}

static const TestCase cases[] = {
  { "makes-no-thread", test_makes_no_thread, OVER_BOTH },
  { "starts-with-a-send", test_by_send, OVER_BOTH },
  { "starts-with-a-receive", test_by_receive, OVER_BOTH },
  { "starts-with-a-condition-check", test_by_check, OVER_BOTH },
  { "starts-with-a-condition-wait", test_by_wait, OVER_BOTH },
  { "starts-with-a-source", test_by_source, OVER_BOTH },
  { "second-one-does-nothing", test_again, OVER_PAIR },
  { "is-closed-after-close", test_after_close, OVER_BOTH },
  { "cancelled-first-goes-on-later", test_cancelled_first, OVER_BOTH },
  { "cancelled-midway-goes-on-later", test_cancelled_midway, OVER_PAIR },
  { "cancelling-wakes-a-blocked-thread", test_cancelled_in_a_thread, OVER_UDP },
  { "mute-peer-handshake-times-out", test_mute_handshake, OVER_BOTH },
  { "mute-peer-handshake-async-times-out", test_mute_handshake_async, OVER_BOTH },
  { "mute-peer-receive-is-host-unreachable", test_mute_receive, OVER_BOTH },
  { "mute-peer-timed-receive-times-out", test_mute_timed_receive, OVER_BOTH },
  { "mute-peer-send-is-host-unreachable", test_mute_send, OVER_BOTH },
  { "mute-peer-nonblocking-is-host-unreachable", test_mute_nonblocking, OVER_BOTH },
  { "mute-peer-ends-a-condition-wait", test_mute_wait, OVER_BOTH },
  { "timeout-of-a-call-does-not-stick", test_timeout_does_not_stick, OVER_BOTH },
  { "several-async-calls-all-succeed", test_three_at_once, OVER_BOTH },
  { "several-threads-all-succeed", test_threads_at_once, OVER_BOTH },
  { "one-cancelled-call-leaves-the-other", test_one_cancelled_of_two, OVER_BOTH },
  { "async-result-comes-in-the-callers-context", test_own_context, OVER_BOTH },
  { "survives-each-single-loss", test_survives_each_loss, OVER_PAIR },
  { "survives-duplicates", test_survives_duplicates, OVER_PAIR },
  { "survives-reordering", test_survives_reordering, OVER_PAIR },
  { "survives-loss-over-default-timers", test_survives_loss_over_default_timers, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("handshake", cases);

  return g_test_run ();
}
