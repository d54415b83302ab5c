/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A reader, a writer and a third thread on one connection at once; contract row D18. It is meant to run
 * under the thread sanitizer too. */

#include "fixture.h"

#include <string.h>

enum
{
  /* They fit a socket's usual receive buffer even if nobody reads; UDP drops what does not. */
  N_MESSAGES = 60,
  N_ROUNDS = 8,
};

typedef struct
{
  GDtlsConnection *connection;
  guint n_sent;
  guint n_received;
  gint is_over;             /* atomic */
  gboolean is_left_by_peer; /* maybe in the middle of the handshake */
} Traffic;

static gpointer
write_all (gpointer data)
{
  Traffic *self = data;
  char text[32];

  for (guint i = 0; i < N_MESSAGES; i++)
    {
      g_autoptr (GError) error = NULL;

      g_snprintf (text, sizeof text, "%u", i);
      if (send_bytes (self->connection, text, strlen (text), -1, &error) != 1)
        {
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
          break;
        }
      self->n_sent++;
    }

  return NULL;
}

static gpointer
read_all (gpointer data)
{
  Traffic *self = data;

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      char text[32];
      gsize len;
      gint n = receive_bytes (self->connection, text, sizeof text, -1, &len, &error);

      if (n < 0 && !(self->is_left_by_peer && error->domain == G_TLS_ERROR))
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
      if (n <= 0)
        break;
      self->n_received++;
    }

  return NULL;
}

/* Nothing can be said about the values: they change all the time. */
static void
look_at (GDtlsConnection *connection)
{
  g_autofree char *suite = NULL;
  g_autofree char *version = NULL;
  g_autoptr (GTlsCertificate) peer = NULL;
  guint max_payload;

  g_dtls_connection_get_protocol_version (connection);
  g_object_get (connection, "ciphersuite-name", &suite, "peer-certificate", &peer, "dtls-version",
                &version, "max-payload", &max_payload, NULL);
  g_datagram_based_condition_check (G_DATAGRAM_BASED (connection), G_IO_IN | G_IO_OUT);
}

static gpointer
look_all_the_time (gpointer data)
{
  Traffic *self = data;

  while (!g_atomic_int_get (&self->is_over))
    look_at (self->connection);

  return NULL;
}

/* All at once from before the first datagram: the handshake is whoever's. Over a base that loses nothing
 * and keeps the order nothing is lost, whichever thread happens to receive or send. */
static void
run_traffic (Fixture *f)
{
  Traffic client = { .connection = f->client };
  Traffic server = { .connection = f->server };
  GThread *client_reader = g_thread_new ("client reader", read_all, &client);
  GThread *server_reader = g_thread_new ("server reader", read_all, &server);
  GThread *client_writer = g_thread_new ("client writer", write_all, &client);
  GThread *server_writer = g_thread_new ("server writer", write_all, &server);
  GThread *client_watcher = g_thread_new ("client watcher", look_all_the_time, &client);
  GThread *server_watcher = g_thread_new ("server watcher", look_all_the_time, &server);

  g_thread_join (client_writer);
  g_thread_join (server_writer);
  g_assert_true (g_dtls_connection_shutdown (f->client, FALSE, TRUE, NULL, NULL));
  g_assert_true (g_dtls_connection_shutdown (f->server, FALSE, TRUE, NULL, NULL));
  g_thread_join (client_reader);
  g_thread_join (server_reader);
  g_atomic_int_set (&client.is_over, 1);
  g_atomic_int_set (&server.is_over, 1);
  g_thread_join (client_watcher);
  g_thread_join (server_watcher);

  g_assert_cmpuint (client.n_sent, ==, N_MESSAGES);
  g_assert_cmpuint (server.n_sent, ==, N_MESSAGES);
  if (f->transport == OVER_PAIR)
    {
      g_assert_cmpuint (client.n_received, ==, N_MESSAGES);
      g_assert_cmpuint (server.n_received, ==, N_MESSAGES);
    }
}

static void
test_traffic (Fixture *f)
{
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      fixture_renew (f);
      run_traffic (f);
    }
}

/* The third thread closes while the others are at it, sooner or later. */
static void
close_in_the_midst (Fixture *f, guint round)
{
  Traffic client = { .connection = f->client };
  Traffic server = { .connection = f->server, .is_left_by_peer = TRUE };
  GThread *server_reader = g_thread_new ("server reader", read_all, &server);
  GThread *reader = g_thread_new ("client reader", read_all, &client);
  GThread *writer = g_thread_new ("client writer", write_all, &client);

  for (guint i = 0; i < round * 10; i++)
    look_at (f->client);
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  g_thread_join (reader);
  g_thread_join (writer);
  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  g_thread_join (server_reader);
  g_assert_cmpuint (server.n_received, <=, client.n_sent);
}

static void
test_close (Fixture *f)
{
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      fixture_renew (f);
      close_in_the_midst (f, round);
    }
}

/* Each half by its own thread, and both at once. */
static gpointer
shut_write (gpointer connection)
{
  g_assert_true (g_dtls_connection_shutdown (connection, FALSE, TRUE, NULL, NULL));

  return NULL;
}

static gpointer
shut_read (gpointer connection)
{
  g_assert_true (g_dtls_connection_shutdown (connection, TRUE, FALSE, NULL, NULL));

  return NULL;
}

static void
test_shut_halves (Fixture *f)
{
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      GThread *threads[3];

      fixture_renew (f);
      fixture_handshake (f);
      threads[0] = g_thread_new ("shut read", shut_read, f->client);
      threads[1] = g_thread_new ("shut write", shut_write, f->client);
      threads[2] = start_handshake (f->client, NULL);
      g_thread_join (threads[0]);
      g_thread_join (threads[1]);
      {
        g_autoptr (GError) error = g_thread_join (threads[2]);

        if (error != NULL)
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
      }
      expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
      expect_send_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
      expect_end (f->server);
    }
}

/* Cancelling comes from another thread, at any time, and spoils nothing. */
typedef struct
{
  GDtlsConnection *connection;
  GCancellable *cancellable;
} Cancelled;

static gpointer
receive_cancellably (gpointer data)
{
  Cancelled *self = data;
  char byte;
  GInputVector vector = { &byte, 1 };
  GInputMessage message = { .vectors = &vector, .num_vectors = 1 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_datagram_based_receive_messages (G_DATAGRAM_BASED (self->connection), &message,
                                                      1, 0, -1, self->cancellable, &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  return NULL;
}

static void
test_cancel (Fixture *f)
{
  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Cancelled cancelled = { f->client, cancellable };
      GThread *thread = g_thread_new ("cancelled", receive_cancellably, &cancelled);

      for (guint i = 0; i < round; i++)
        g_main_context_iteration (NULL, FALSE);
      g_cancellable_cancel (cancellable);
      g_thread_join (thread);
    }

  send_text (f->client, "unspoilt");
  expect_text (f->server, "unspoilt");
}

static const TestCase cases[] = {
  { "reader-writer-and-watcher", test_traffic, OVER_BOTH },
  { "close-in-the-midst", test_close, OVER_BOTH },
  { "halves-shut-at-once", test_shut_halves, OVER_BOTH },
  { "cancelled-from-outside", test_cancel, OVER_BOTH },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("threads", cases);

  return g_test_run ();
}
