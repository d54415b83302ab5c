/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Readiness as sources and condition_check tell it: contract rows D14, D15 and D17. A caller that reads
 * one message per dispatch and takes WOULD_BLOCK for the end of the world must get everything. */

#include "fixture.h"

#include <string.h>

static GIOCondition
check (GDtlsConnection *connection, GIOCondition condition)
{
  return g_datagram_based_condition_check (G_DATAGRAM_BASED (connection), condition);
}

static PairFate
hold_all (guint index, const guint8 *at, gsize len, gpointer data)
{
  return PAIR_HOLD;
}

/* Reads once per dispatch, as Frida does, and notes what it is told. */
typedef struct
{
  GDtlsConnection *connection;
  GSource *source;
  guint n_dispatches;
  GIOCondition conditions; /* all that were ever reported */
  GString *text;           /* messages, each behind a bar */
} Reader;

static gboolean
read_one (GDatagramBased *based, GIOCondition condition, gpointer data)
{
  Reader *self = data;
  char buffer[256];
  gsize len;
  g_autoptr (GError) error = NULL;

  g_assert_true (based == G_DATAGRAM_BASED (self->connection));
  self->n_dispatches++;
  self->conditions |= condition;

  g_assert_cmpint (receive_bytes (self->connection, buffer, sizeof buffer, 0, &len, &error), ==, 1);
  g_assert_no_error (error);
  g_string_append_c (self->text, '|');
  g_string_append_len (self->text, buffer, (gssize) len);

  return G_SOURCE_CONTINUE;
}

static void
reader_start (Reader *self, GDtlsConnection *connection, GMainContext *context)
{
  *self = (Reader){ .connection = connection, .text = g_string_new (NULL) };
  self->source = g_datagram_based_create_source (G_DATAGRAM_BASED (connection), G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (read_one), self, NULL);
  g_source_attach (self->source, context);
}

static void
reader_stop (Reader *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_string_free (self->text, TRUE);
}

/* -------------------------------------------------------------------------------- what is reported */

static void
test_check (Fixture *f)
{
  g_assert_cmpint (check (f->client, G_IO_IN | G_IO_OUT), ==, 0);
  fixture_handshake (f);
  g_assert_cmpint (check (f->client, G_IO_IN | G_IO_OUT), ==, G_IO_OUT);
  g_assert_cmpint (check (f->client, G_IO_IN), ==, 0);

  send_text (f->server, "one");
  g_assert_cmpint (check (f->client, G_IO_IN | G_IO_OUT), ==, G_IO_IN | G_IO_OUT);
  g_assert_cmpint (check (f->client, G_IO_IN), ==, G_IO_IN);
  expect_text (f->client, "one");
  g_assert_cmpint (check (f->client, G_IO_IN), ==, 0);
}

static void
test_check_at_the_end (Fixture *f)
{
  fixture_handshake (f);
  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  g_assert_cmpint (check (f->client, G_IO_IN), ==, G_IO_IN);
  expect_end (f->client);
  g_assert_cmpint (check (f->client, G_IO_IN), ==, G_IO_IN);

  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  g_assert_cmpint (check (f->client, G_IO_IN | G_IO_OUT), ==, G_IO_HUP);
  g_assert_cmpint (check (f->client, 0), ==, G_IO_HUP);
}

static void
test_check_after_failure (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  fixture_new_client (f, "someone.else.example.com");
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (server_error);

  g_assert_cmpint (check (f->client, G_IO_IN | G_IO_OUT), ==, G_IO_IN | G_IO_OUT | G_IO_ERR);
  g_assert_cmpint (check (f->client, 0), ==, G_IO_ERR);
  wait_for (f->client, G_IO_IN);
  wait_for (f->client, 0);
  expect_receive_error (f->client, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  expect_send_error (f->client, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

typedef struct
{
  guint n;
  GIOCondition condition;
} Seen;

static gboolean
note_condition (GDatagramBased *based, GIOCondition condition, gpointer data)
{
  Seen *seen = data;

  seen->n++;
  seen->condition = condition;

  return G_SOURCE_CONTINUE;
}

static GSource *
attach_note (GDtlsConnection *connection, GIOCondition condition, GCancellable *cancellable,
             Seen *seen)
{
  GSource *source =
      g_datagram_based_create_source (G_DATAGRAM_BASED (connection), condition, cancellable);

  g_source_set_callback (source, G_SOURCE_FUNC (note_condition), seen, NULL);
  g_source_attach (source, NULL);

  return source;
}

static void
detach (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

static void
test_reports_what_is (Fixture *f)
{
  Seen seen = { 0, 0 };
  GSource *source;

  fixture_handshake (f);
  source = attach_note (f->client, G_IO_IN | G_IO_OUT, NULL, &seen);
  until (seen.n > 0);
  g_assert_cmpint (seen.condition, ==, G_IO_OUT);

  send_text (f->server, "one");
  seen.n = 0;
  until (seen.n > 0);
  g_assert_cmpint (seen.condition, ==, G_IO_IN | G_IO_OUT);
  detach (source);
}

/* It stays ready for as long as the message is there, and without the base's help. */
static void
test_is_level_triggered (Fixture *f)
{
  Seen seen = { 0, 0 };
  GSource *source;

  fixture_handshake (f);
  source = attach_note (f->client, G_IO_IN, NULL, &seen);
  send_text (f->server, "one");
  until (seen.n == 3);
  g_assert_cmpint (seen.condition, ==, G_IO_IN);

  expect_text (f->client, "one");
  drain_context ();
  seen.n = 0;
  drain_context ();
  g_assert_cmpuint (seen.n, ==, 0);
  detach (source);
}

static void
test_cancelled (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Seen seen = { 0, G_IO_NVAL };
  GSource *source;

  fixture_handshake (f);
  source = attach_note (f->client, G_IO_IN, cancellable, &seen);
  drain_context ();
  g_assert_cmpuint (seen.n, ==, 0);
  g_cancellable_cancel (cancellable);
  until (seen.n > 0);
  g_assert_cmpint (seen.condition, ==, 0);
  detach (source);
}

static void
test_close_is_hup (Fixture *f)
{
  Seen seen = { 0, 0 };
  GSource *source;

  fixture_handshake (f);
  source = attach_note (f->client, G_IO_IN, NULL, &seen);
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  until (seen.n > 0);
  g_assert_cmpint (seen.condition, ==, G_IO_HUP);
  detach (source);
}

static void
test_end_is_in (Fixture *f)
{
  Seen seen = { 0, 0 };
  GSource *source;

  fixture_handshake (f);
  source = attach_note (f->client, G_IO_IN, NULL, &seen);
  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  until (seen.n > 0);
  g_assert_cmpint (seen.condition, ==, G_IO_IN);
  expect_end (f->client);
  seen.n = 0;
  until (seen.n > 0);
  g_assert_cmpint (seen.condition, ==, G_IO_IN);
  detach (source);
}

/* ------------------------------------------------------------------------------- nothing gets stuck */

static void
test_two_in_one_datagram (Fixture *f)
{
  Reader reader;

  fixture_handshake (f);
  send_text (f->server, "first");
  expect_text (f->client, "first");

  reader_start (&reader, f->client, NULL);
  pair_base_set_script (PAIR_BASE (f->server_base), hold_all, NULL);
  send_text (f->server, "a");
  send_text (f->server, "b");
  send_text (f->server, "c");
  pair_base_release_joined (PAIR_BASE (f->server_base));
  until (reader.n_dispatches == 3);
  g_assert_cmpstr (reader.text->str, ==, "|a|b|c");
  g_assert_cmpint (reader.conditions, ==, G_IO_IN);

  pair_base_release_joined (PAIR_BASE (f->server_base));
  drain_context ();
  g_assert_cmpuint (reader.n_dispatches, ==, 3);
  reader_stop (&reader);
}

static void
test_check_sees_the_second (Fixture *f)
{
  char byte;
  gsize len;

  fixture_handshake (f);
  pair_base_set_script (PAIR_BASE (f->server_base), hold_all, NULL);
  send_text (f->server, "a");
  send_text (f->server, "b");
  pair_base_release_joined (PAIR_BASE (f->server_base));

  g_assert_cmpint (receive_bytes (f->client, &byte, 1, -1, &len, NULL), ==, 1);
  g_assert_cmpint (check (f->client, G_IO_IN), ==, G_IO_IN);
  g_assert_true (
      g_datagram_based_condition_wait (G_DATAGRAM_BASED (f->client), G_IO_IN, 0, NULL, NULL));
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, 0, &len, NULL), ==, 1);
  g_assert_cmpint (byte, ==, 'b');
}

/* --------------------------------------------------------------------- what is no message is nothing */

static void
send_garbage (Fixture *f, gconstpointer at, gsize len)
{
  if (f->transport == OVER_PAIR)
    pair_base_inject (PAIR_BASE (f->client_base), at, len);
  else
    g_assert_cmpint (g_socket_send (G_SOCKET (f->server_base), at, len, NULL, NULL), ==, len);
}

static void
test_garbage (Fixture *f)
{
  static const guint8 data_in_the_clear[] = { 23, 0xfe, 0xfd, 0, 0, 0,   0,   0,
                                              0,  0,    9,    0, 3, 'e', 'v', 'e' };
  static const guint8 forged_data[32] = { 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 1, 0, 0, 19, 'f' };
  static const guint8 alert_in_the_clear[] = {
    21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40
  };
  static const guint8 close_in_the_clear[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0 };
  Reader reader;

  fixture_handshake (f);
  reader_start (&reader, f->client, NULL);
  send_garbage (f, "", 0);
  send_garbage (f, "noise", 5);
  send_garbage (f, data_in_the_clear, sizeof data_in_the_clear);
  send_garbage (f, forged_data, sizeof forged_data);
  send_garbage (f, forged_data, 13);
  send_garbage (f, alert_in_the_clear, sizeof alert_in_the_clear);
  send_garbage (f, close_in_the_clear, sizeof close_in_the_clear);
  send_garbage (f, "", 0);
  drain_context ();
  g_assert_cmpuint (reader.n_dispatches, ==, 0);
  g_assert_cmpint (check (f->client, G_IO_IN), ==, 0);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);

  send_text (f->server, "real");
  until (reader.n_dispatches > 0);
  g_assert_cmpstr (reader.text->str, ==, "|real");
  reader_stop (&reader);
}

static void
test_replay (Fixture *f)
{
  Reader reader;
  g_autoptr (GBytes) datagram = NULL;
  gsize len;
  const guint8 *at;

  fixture_handshake (f);
  reader_start (&reader, f->client, NULL);
  send_text (f->server, "once");
  datagram = pair_base_dup_sent (PAIR_BASE (f->server_base),
                                 pair_base_n_sent (PAIR_BASE (f->server_base)) - 1);
  at = g_bytes_get_data (datagram, &len);
  until (reader.n_dispatches == 1);

  pair_base_inject (PAIR_BASE (f->client_base), at, len);
  pair_base_inject (PAIR_BASE (f->client_base), at, len);
  drain_context ();
  g_assert_cmpuint (pair_base_n_queued (PAIR_BASE (f->client_base)), ==, 0);
  g_assert_cmpuint (reader.n_dispatches, ==, 1);
  reader_stop (&reader);
}

static void
test_handshake (Fixture *f)
{
  Reader client;
  Reader server;

  reader_start (&client, f->client, NULL);
  reader_start (&server, f->server, NULL);
  fixture_handshake (f);
  drain_context ();
  g_assert_cmpuint (client.n_dispatches, ==, 0);
  g_assert_cmpuint (server.n_dispatches, ==, 0);

  send_text (f->client, "data");
  until (server.n_dispatches == 1);
  g_assert_cmpstr (server.text->str, ==, "|data");
  reader_stop (&client);
  reader_stop (&server);
}

/* ------------------------------------------------------------------------------------ as a GSource */

static void
test_holds_a_reference (Fixture *f)
{
  g_autoptr (GSource) source = NULL;
  gpointer weak;

  fixture_handshake (f);
  source = g_datagram_based_create_source (G_DATAGRAM_BASED (f->client), G_IO_IN, NULL);
  weak = f->client;
  g_object_add_weak_pointer (weak, &weak);
  g_clear_object (&f->client);
  g_assert_nonnull (weak);

  g_source_destroy (source);
  g_clear_pointer (&source, g_source_unref);
  g_assert_null (weak);
}

static gboolean
via_closure (GDatagramBased *based, GIOCondition condition, gpointer data)
{
  Reader *self = data;

  g_assert_true (based == G_DATAGRAM_BASED (self->connection));
  self->conditions = condition;

  return G_SOURCE_REMOVE;
}

/* What language bindings use. */
static void
test_closure (Fixture *f)
{
  Reader seen = { .connection = f->client };
  g_autoptr (GSource) source = NULL;

  fixture_handshake (f);
  source = g_datagram_based_create_source (G_DATAGRAM_BASED (f->client), G_IO_OUT, NULL);
  g_source_set_closure (source, g_cclosure_new (G_CALLBACK (via_closure), &seen, NULL));
  g_source_attach (source, NULL);
  until (g_source_is_destroyed (source));
  g_assert_cmpint (seen.conditions, ==, G_IO_OUT);
}

typedef struct
{
  GDtlsConnection *connection;
  GMainContext *context;
  guint n;
  char *text; /* (owned) */
} OtherThread;

static gpointer
read_in_other_context (gpointer data)
{
  OtherThread *self = data;
  Reader reader;

  g_main_context_push_thread_default (self->context);
  reader_start (&reader, self->connection, self->context);
  until (reader.n_dispatches == self->n);
  self->text = g_strdup (reader.text->str);
  reader_stop (&reader);
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

static void
test_other_context (Fixture *f)
{
  OtherThread other = { f->server, g_main_context_new (), 3, NULL };
  GThread *thread;

  fixture_handshake (f);
  thread = g_thread_new ("reader", read_in_other_context, &other);
  send_text (f->client, "a");
  send_text (f->client, "b");
  send_text (f->client, "c");
  g_thread_join (thread);
  g_assert_cmpstr (other.text, ==, "|a|b|c");

  g_free (other.text);
  g_main_context_unref (other.context);
}

static PairFate
drop_first (guint index, const guint8 *at, gsize len, gpointer data)
{
  return index == 0 ? PAIR_DROP : PAIR_DELIVER;
}

/* The client's first hello is lost, and nobody drives the client but a source in another thread. */
static void
test_carries_the_deadline (Fixture *f)
{
  OtherThread other = { f->client, g_main_context_new (), 1, NULL };
  g_autoptr (GError) error = NULL;
  Pending server = { NULL };
  GThread *thread;

  g_object_set (f->client, "retransmission-timeout", 20, NULL);
  pair_base_set_script (PAIR_BASE (f->client_base), drop_first, NULL);
  g_assert_false (
      g_datagram_based_condition_wait (G_DATAGRAM_BASED (f->client), G_IO_IN, 1, NULL, &error));
  g_clear_error (&error);

  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, &server);
  thread = g_thread_new ("reader", read_in_other_context, &other);
  g_assert_true (pending_handshake_finish (&server, f->server, &error));
  send_text (f->server, "hello");
  g_thread_join (thread);
  g_assert_cmpstr (other.text, ==, "|hello");

  g_free (other.text);
  g_main_context_unref (other.context);
}

static const TestCase cases[] = {
  { "check-tells-each-condition", test_check, OVER_BOTH },
  { "check-at-the-end-is-in-then-hup", test_check_at_the_end, OVER_BOTH },
  { "after-a-failure-all-is-ready-with-err", test_check_after_failure, OVER_BOTH },
  { "reports-only-what-is", test_reports_what_is, OVER_BOTH },
  { "is-level-triggered", test_is_level_triggered, OVER_BOTH },
  { "cancelled-reports-the-current-condition", test_cancelled, OVER_BOTH },
  { "close-is-hup", test_close_is_hup, OVER_BOTH },
  { "end-is-in", test_end_is_in, OVER_BOTH },
  { "records-in-one-datagram-one-per-dispatch", test_two_in_one_datagram, OVER_PAIR },
  { "check-sees-the-second-record", test_check_sees_the_second, OVER_PAIR },
  { "garbage-is-not-readiness", test_garbage, OVER_BOTH },
  { "replay-is-not-readiness", test_replay, OVER_PAIR },
  { "handshake-is-not-readiness", test_handshake, OVER_BOTH },
  { "holds-a-reference", test_holds_a_reference, OVER_BOTH },
  { "takes-a-closure", test_closure, OVER_BOTH },
  { "works-in-another-context", test_other_context, OVER_BOTH },
  { "carries-the-deadline", test_carries_the_deadline, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("source", cases);

  return g_test_run ();
}
