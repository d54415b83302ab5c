/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Programs as people write them, client and server in one thread or two, with each kind of timeout. These
 * are the cases of glib-networking's own DTLS tests, and those of its TLS tests that DTLS has too. */

#include "fixture.h"

#include <string.h>

#define GREETING "You win again, gravity!\n"

typedef enum
{
  BLOCKING,
  TIMED,
  NONBLOCKING,
} Style;

static const gint64 timeouts[] = {
  [BLOCKING] = -1,
  [TIMED] = 10 * G_USEC_PER_SEC,
  [NONBLOCKING] = 0,
};

static void
expect_would_block (GError **error)
{
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (error);
}

static void
send_greeting (GDtlsConnection *connection, gint64 timeout)
{
  g_autoptr (GError) error = NULL;

  while (send_bytes (connection, GREETING, strlen (GREETING), timeout, &error) < 0)
    {
      expect_would_block (&error);
      wait_for (connection, G_IO_OUT);
    }
}

/* Into two vectors. */
static void
receive_greeting (GDtlsConnection *connection, gint64 timeout)
{
  char first[10];
  char second[100];
  GInputVector vectors[] = { { first, sizeof first }, { second, sizeof second } };
  GInputMessage message = { .vectors = vectors, .num_vectors = G_N_ELEMENTS (vectors) };
  g_autoptr (GError) error = NULL;

  while (g_datagram_based_receive_messages (G_DATAGRAM_BASED (connection), &message, 1, 0, timeout,
                                            NULL, &error)
         < 0)
    {
      expect_would_block (&error);
      wait_for (connection, G_IO_IN);
    }

  g_assert_cmpuint (message.bytes_received, ==, strlen (GREETING));
  g_assert_cmpmem (first, sizeof first, GREETING, sizeof first);
  g_assert_cmpmem (second, strlen (GREETING) - sizeof first, &GREETING[sizeof first],
                   strlen (GREETING) - sizeof first);
}

/* ------------------------------------------------------------------------------------ in two threads */

typedef struct
{
  GDtlsConnection *server;
  gint64 timeout;
} Server;

static gpointer
serve (gpointer data)
{
  Server *self = data;
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  send_greeting (self->server, self->timeout);
  receive_greeting (self->server, self->timeout);
  g_assert_true (g_dtls_connection_close (self->server, NULL, NULL));
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
run_threaded (Fixture *f, Style style)
{
  Server server = { f->server, timeouts[style] };
  GThread *thread = g_thread_new ("server", serve, &server);

  receive_greeting (f->client, timeouts[style]);
  send_greeting (f->client, timeouts[style]);
  expect_end (f->client);
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  g_thread_join (thread);
}

static void
test_threaded_blocking (Fixture *f)
{
  run_threaded (f, BLOCKING);
}

static void
test_threaded_timed (Fixture *f)
{
  run_threaded (f, TIMED);
}

static void
test_threaded_nonblocking (Fixture *f)
{
  run_threaded (f, NONBLOCKING);
}

/* -------------------------------------------------------------------------------------- in one thread */

static void
test_one_thread (Fixture *f)
{
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  send_greeting (f->server, 0);
  receive_greeting (f->client, 0);
  send_greeting (f->client, 0);
  receive_greeting (f->server, 0);
}

/* The server's whole life is in one dispatch of the context that the client lives in, and the client is
 * not called meanwhile. The server does not even wait for anything: it lets the loop turn once and tries
 * again. */
static gboolean
serve_nested (gpointer data)
{
  Fixture *f = data;
  g_autoptr (GError) error = NULL;

  while (send_bytes (f->server, GREETING, strlen (GREETING), 0, &error) < 0)
    {
      expect_would_block (&error);
      g_main_context_iteration (NULL, TRUE);
    }

  return G_SOURCE_REMOVE;
}

static void
test_nested (Fixture *f)
{
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_idle_add (serve_nested, f);
  receive_greeting (f->client, 0);
}

/* The same inside a dispatch of a source of the client's own. */
static gboolean
serve_in_clients_source (GDatagramBased *based, GIOCondition condition, gpointer data)
{
  Fixture *f = data;

  send_greeting (f->client, 0);
  receive_greeting (f->server, 0);
  send_greeting (f->server, 0);

  return G_SOURCE_REMOVE;
}

static void
test_nested_in_the_clients_source (Fixture *f)
{
  g_autoptr (GSource) source =
      g_datagram_based_create_source (G_DATAGRAM_BASED (f->client), G_IO_OUT, NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (serve_in_clients_source), f, NULL);
  g_source_attach (source, NULL);
  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  receive_greeting (f->client, 0);
  until (g_source_is_destroyed (source));
}

/* And inside the callback of its handshake. */
static void
on_handshake (GObject *client, GAsyncResult *result, gpointer data)
{
  Fixture *f = data;

  g_assert_true (g_dtls_connection_handshake_finish (G_DTLS_CONNECTION (client), result, NULL));
  send_greeting (f->client, 0);
  receive_greeting (f->server, 0);
  send_greeting (f->server, 0);
}

static void
test_nested_in_a_callback (Fixture *f)
{
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, on_handshake, f);
  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  receive_greeting (f->client, 0);
}

/* ------------------------------------------------------------------------- a reader beside a writer */

static gpointer
read_greeting (gpointer connection)
{
  receive_greeting (connection, -1);

  return NULL;
}

/* Both start the handshake. */
static void
test_simultaneous_threads (Fixture *f)
{
  GThread *server_reader = g_thread_new ("reader", read_greeting, f->server);
  GThread *client_reader = g_thread_new ("reader", read_greeting, f->client);
  GThread *server = start_handshake (f->server, NULL);

  send_greeting (f->client, -1);
  g_assert_null (g_thread_join (server));
  send_greeting (f->server, -1);
  g_thread_join (server_reader);
  g_thread_join (client_reader);
}

static gboolean
on_condition (GDatagramBased *based, GIOCondition condition, gpointer n)
{
  ++*(guint *) n;

  return G_SOURCE_REMOVE;
}

static void
test_simultaneous_sources (Fixture *f)
{
  g_autoptr (GSource) reader =
      g_datagram_based_create_source (G_DATAGRAM_BASED (f->client), G_IO_IN, NULL);
  g_autoptr (GSource) writer =
      g_datagram_based_create_source (G_DATAGRAM_BASED (f->client), G_IO_OUT, NULL);
  guint n_read = 0;
  guint n_written = 0;

  g_source_set_callback (reader, G_SOURCE_FUNC (on_condition), &n_read, NULL);
  g_source_attach (reader, NULL);
  g_source_set_callback (writer, G_SOURCE_FUNC (on_condition), &n_written, NULL);
  g_source_attach (writer, NULL);
  send_greeting (f->server, 0);
  until (n_read == 1 && n_written == 1);
  receive_greeting (f->client, 0);
  send_greeting (f->client, 0);
  receive_greeting (f->server, 0);
}

/* ----------------------------------------------------------------------------- silence, and its end */

static void
test_read_times_out (Fixture *f)
{
  GThread *server = start_handshake (f->server, NULL);
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  g_assert_true (g_dtls_connection_handshake (f->client, NULL, NULL));
  g_assert_null (g_thread_join (server));
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, 2000, &len, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  send_greeting (f->client, -1);
  receive_greeting (f->server, -1);
}

static void
test_echo (Fixture *f)
{
  GThread *server = start_echo (f->server);

  for (guint i = 0; i < 100; i++)
    {
      send_greeting (f->client, -1);
      receive_greeting (f->client, -1);
    }
  g_assert_true (g_dtls_connection_shutdown (f->client, FALSE, TRUE, NULL, NULL));
  expect_end (f->client);
  g_thread_join (server);
}

static const TestCase cases[] = {
  { "two-threads-blocking", test_threaded_blocking, OVER_BOTH },
  { "two-threads-timed", test_threaded_timed, OVER_BOTH },
  { "two-threads-nonblocking", test_threaded_nonblocking, OVER_BOTH },
  { "one-thread-nonblocking", test_one_thread, OVER_BOTH },
  { "server-nested-in-a-dispatch", test_nested, OVER_BOTH },
  { "server-nested-in-the-clients-source", test_nested_in_the_clients_source, OVER_BOTH },
  { "server-nested-in-the-clients-callback", test_nested_in_a_callback, OVER_BOTH },
  { "reader-beside-writer-threads", test_simultaneous_threads, OVER_BOTH },
  { "reader-beside-writer-sources", test_simultaneous_sources, OVER_BOTH },
  { "read-times-out-then-writes", test_read_times_out, OVER_BOTH },
  { "echo-answers-a-hundred-times", test_echo, OVER_BOTH },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("loopback", cases);

  return g_test_run ();
}
