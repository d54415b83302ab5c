/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* condition_wait, contract row D16. Whether it spins is seen from how often the process polls, which does
 * not depend on the machine's speed: this program's poll and ppoll stand in front of libc's. */

#include "fixture.h"

#include <dlfcn.h>
#include <poll.h>
#include <signal.h>

static gint n_polls; /* atomic */

G_MODULE_EXPORT int poll (struct pollfd *fds, nfds_t n, int timeout);
G_MODULE_EXPORT int ppoll (struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                           const sigset_t *mask);

int
poll (struct pollfd *fds, nfds_t n, int timeout)
{
  int (*next) (struct pollfd *, nfds_t, int);

  g_atomic_int_inc (&n_polls);
  *(void **) &next = dlsym (RTLD_NEXT, "poll");

  return next (fds, n, timeout);
}

int
ppoll (struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
  int (*next) (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

  g_atomic_int_inc (&n_polls);
  *(void **) &next = dlsym (RTLD_NEXT, "ppoll");

  return next (fds, n, timeout, mask);
}

static gboolean
wait_until (GDtlsConnection *connection, GIOCondition condition, gint64 timeout, GError **error)
{
  return g_datagram_based_condition_wait (G_DATAGRAM_BASED (connection), condition, timeout, NULL,
                                          error);
}

/* -------------------------------------------------------------------------------- how it ends */

static void
test_met (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  g_assert_true (wait_until (f->client, G_IO_OUT, 0, &error));
  g_assert_true (wait_until (f->client, G_IO_OUT, 1000, &error));
  g_assert_true (wait_until (f->client, G_IO_OUT, -1, &error));
  g_assert_true (wait_until (f->client, G_IO_IN | G_IO_OUT, -7, &error));
  g_assert_no_error (error);
}

static void
test_times_out (Fixture *f)
{
  static const gint64 timeouts[] = { 0, 1, 400, 4000 };

  fixture_handshake (f);
  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 start = g_get_monotonic_time ();

      g_assert_false (wait_until (f->client, G_IO_IN, timeouts[i], &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_cmpint (g_get_monotonic_time () - start, >=, timeouts[i]);
    }

  send_text (f->server, "not stuck");
  g_assert_true (wait_until (f->client, G_IO_IN, -1, NULL));
  expect_text (f->client, "not stuck");
}

typedef struct
{
  GDtlsConnection *connection;
  GCancellable *cancellable; /* (nullable) */
  gboolean result;
  GError *error; /* (owned) */
} WaitCall;

static gpointer
run_wait (gpointer data)
{
  WaitCall *call = data;

  call->result = g_datagram_based_condition_wait (G_DATAGRAM_BASED (call->connection), G_IO_IN, -1,
                                                  call->cancellable, &call->error);

  return NULL;
}

static void
test_cancelled (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  WaitCall call = { f->client, cancellable, FALSE, NULL };
  GThread *thread;

  fixture_handshake (f);
  thread = g_thread_new ("wait", run_wait, &call);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_false (call.result);
  g_assert_error (call.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_error_free (call.error);
}

static void
wait_in_thread (Fixture *f, void (*end) (Fixture *))
{
  WaitCall call = { f->client, NULL, FALSE, NULL };
  GThread *thread;

  fixture_handshake (f);
  thread = g_thread_new ("wait", run_wait, &call);
  end (f);
  g_thread_join (thread);
  g_assert_true (call.result);
  g_assert_no_error (call.error);
}

static void
end_by_message (Fixture *f)
{
  send_text (f->server, "message");
}

static void
end_by_peer (Fixture *f)
{
  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
}

static void
end_by_close (Fixture *f)
{
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
}

static void
test_message (Fixture *f)
{
  wait_in_thread (f, end_by_message);
  expect_text (f->client, "message");
}

static void
test_peer_close (Fixture *f)
{
  wait_in_thread (f, end_by_peer);
  expect_end (f->client);
}

static void
test_own_close (Fixture *f)
{
  wait_in_thread (f, end_by_close);
  g_assert_true (wait_until (f->client, G_IO_IN, 0, NULL));
  g_assert_true (wait_until (f->client, G_IO_OUT, -1, NULL));
}

/* --------------------------------------------------------------------------------- while it waits */

static void
test_does_not_spin (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  gint before;

  fixture_handshake (f);
  send_text (f->server, "one");
  expect_text (f->client, "one");

  before = g_atomic_int_get (&n_polls);
  g_assert_false (wait_until (f->client, G_IO_IN, 50000, &error));
  g_assert_cmpint (g_atomic_int_get (&n_polls) - before, <, 8);
}

/* Receiving waits the same way; garbage wakes it, once each. */
static void
test_garbage_does_not_spin (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  gint before;
  char byte;
  gsize len;

  fixture_handshake (f);
  for (guint i = 0; i < 3; i++)
    {
      if (f->transport == OVER_PAIR)
        pair_base_inject (PAIR_BASE (f->client_base), "noise", 5);
      else
        g_socket_send (G_SOCKET (f->server_base), "noise", 5, NULL, NULL);
    }

  before = g_atomic_int_get (&n_polls);
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, 50000, &len, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpint (g_atomic_int_get (&n_polls) - before, <, 16);
}

/* A context with nothing to do polls once and waits, also with the connection's own source in it. */
static gboolean
quit (gpointer is_over)
{
  *(gboolean *) is_over = TRUE;

  return G_SOURCE_REMOVE;
}

static void
test_idle_context_does_not_spin (Fixture *f)
{
  gboolean is_over = FALSE;
  gint before;

  fixture_handshake (f);
  send_text (f->client, "one");
  expect_text (f->server, "one");
  drain_context ();

  before = g_atomic_int_get (&n_polls);
  g_timeout_add (50, quit, &is_over);
  until (is_over);
  g_assert_cmpint (g_atomic_int_get (&n_polls) - before, <, 8);
}

static const TestCase cases[] = {
  { "met-is-true-at-once", test_met, OVER_BOTH },
  { "unmet-times-out", test_times_out, OVER_BOTH },
  { "cancelled-is-cancelled", test_cancelled, OVER_BOTH },
  { "ends-with-a-message", test_message, OVER_BOTH },
  { "ends-with-the-peers-close", test_peer_close, OVER_BOTH },
  { "ends-with-our-close", test_own_close, OVER_BOTH },
  { "does-not-spin", test_does_not_spin, OVER_BOTH },
  { "garbage-does-not-spin", test_garbage_does_not_spin, OVER_BOTH },
  { "idle-context-does-not-spin", test_idle_context_does_not_spin, OVER_BOTH },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("wait", cases);

  return g_test_run ();
}
