/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Messages in and out of a connection: contract rows D2 to D13 and D19. The postconditions of D2 are
 * GLib's own, and criticals are fatal here. */

#include "fixture.h"

#include <string.h>
#include <sys/socket.h>

enum
{
  SLOTS = 4,
  SLOT_SIZE = 64,
};

typedef struct
{
  GInputMessage messages[SLOTS];
  GInputVector vectors[SLOTS];
  char bytes[SLOTS][SLOT_SIZE];
} Batch;

static gint
receive_batch (GDtlsConnection *connection, Batch *batch, guint n, gint64 timeout,
               GCancellable *cancellable, GError **error)
{
  memset (batch, 0, sizeof *batch);
  for (guint i = 0; i < SLOTS; i++)
    {
      batch->vectors[i] = (GInputVector){ batch->bytes[i], SLOT_SIZE };
      batch->messages[i].vectors = &batch->vectors[i];
      batch->messages[i].num_vectors = 1;
    }

  return g_datagram_based_receive_messages (G_DATAGRAM_BASED (connection), batch->messages, n, 0,
                                            timeout, cancellable, error);
}

static void
assert_slot (const Batch *batch, guint i, const char *text)
{
  g_assert_cmpmem (batch->bytes[i], batch->messages[i].bytes_received, text, strlen (text));
}

/* ------------------------------------------------------------------------ how long a receive waits */

static void
test_zero_would_block (Fixture *f)
{
  fixture_handshake (f);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

static void
test_zero_takes_what_is_there (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Batch batch;

  fixture_handshake (f);
  send_text (f->client, "one");
  send_text (f->client, "two");
  send_text (f->client, "three");
  wait_for (f->server, G_IO_IN);

  g_assert_cmpint (receive_batch (f->server, &batch, SLOTS, 0, NULL, &error), ==, 3);
  g_assert_no_error (error);
  assert_slot (&batch, 0, "one");
  assert_slot (&batch, 1, "two");
  assert_slot (&batch, 2, "three");
}

typedef struct
{
  GDtlsConnection *connection;
  GCancellable *cancellable; /* (nullable) */
  guint n;
  gint64 timeout;
  gint result;
  GError *error; /* (owned) */
  Batch batch;
} ReceiveCall;

static gpointer
run_receive (gpointer data)
{
  ReceiveCall *call = data;

  call->result = receive_batch (call->connection, &call->batch, call->n, call->timeout,
                                call->cancellable, &call->error);

  return NULL;
}

/* GDatagramBased: any negative timeout waits, not only -1. */
static void
test_negative_waits_for_all (Fixture *f)
{
  ReceiveCall call = { .connection = f->server, .n = 3, .timeout = -5000 };
  GThread *thread;

  fixture_handshake (f);
  thread = g_thread_new ("receive", run_receive, &call);
  send_text (f->client, "one");
  send_text (f->client, "two");
  send_text (f->client, "three");
  g_thread_join (thread);

  g_assert_no_error (call.error);
  g_assert_cmpint (call.result, ==, 3);
  assert_slot (&call.batch, 2, "three");
}

static void
test_negative_stops_at_the_end (Fixture *f)
{
  ReceiveCall call = { .connection = f->server, .n = 3, .timeout = -1 };
  GThread *thread;

  fixture_handshake (f);
  thread = g_thread_new ("receive", run_receive, &call);
  send_text (f->client, "one");
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  g_thread_join (thread);

  g_assert_no_error (call.error);
  g_assert_cmpint (call.result, ==, 1);
  expect_end (f->server);
}

static void
test_positive_times_out (Fixture *f)
{
  static const gint64 timeouts[] = { 1, 300, 3000 };
  g_autoptr (GError) error = NULL;
  Batch batch;

  fixture_handshake (f);
  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      gint64 start = g_get_monotonic_time ();

      g_assert_cmpint (receive_batch (f->client, &batch, 2, timeouts[i], NULL, &error), ==, -1);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_cmpint (g_get_monotonic_time () - start, >=, timeouts[i]);
      g_clear_error (&error);
    }

  send_text (f->server, "still here");
  expect_text (f->client, "still here");
  send_text (f->client, "both ways");
  expect_text (f->server, "both ways");
}

static void
test_positive_gives_the_count (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Batch batch;

  fixture_handshake (f);
  send_text (f->client, "one");
  g_assert_cmpint (receive_batch (f->server, &batch, 2, 5000, NULL, &error), ==, 1);
  g_assert_no_error (error);
  assert_slot (&batch, 0, "one");
}

/* ----------------------------------------------------------------------------------- cancellation */

static void
test_cancelled_with_nothing (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ReceiveCall call = { .connection = f->server, .cancellable = cancellable, .n = 2, .timeout = -1 };
  GThread *thread;

  fixture_handshake (f);
  thread = g_thread_new ("receive", run_receive, &call);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_error (call.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (call.result, ==, -1);
  g_error_free (call.error);

  send_text (f->client, "still here");
  expect_text (f->server, "still here");
}

/* D6: a message is in the count or still there, whenever the cancellation comes. */
static void
cancel_with_some (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  ReceiveCall call = { .connection = f->server, .cancellable = cancellable, .n = 2, .timeout = -1 };
  GThread *thread = g_thread_new ("receive", run_receive, &call);

  g_assert_cmpint (send_bytes (f->client, "one", 3, -1, NULL), ==, 1);
  while (pair_base_n_queued (PAIR_BASE (f->server_base)) > 0)
    g_thread_yield ();
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);

  if (call.error == NULL)
    {
      g_assert_cmpint (call.result, ==, 1);
      assert_slot (&call.batch, 0, "one");
    }
  else
    {
      g_assert_error (call.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_error_free (call.error);
      expect_text (f->server, "one");
    }
  g_assert_cmpint (receive_batch (f->server, &call.batch, 1, -1, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_cancelled_with_some (Fixture *f)
{
  fixture_handshake (f);
  for (guint round = 0; round < 20; round++)
    cancel_with_some (f);
}

/* ------------------------------------------------------------------------------- what is filled in */

static void
test_no_messages (Fixture *f)
{
  GDatagramBased *client = G_DATAGRAM_BASED (f->client);
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  g_assert_cmpint (g_datagram_based_receive_messages (client, NULL, 0, 0, -1, NULL, &error), ==, 0);
  g_assert_no_error (error);
  g_assert_cmpint (g_datagram_based_send_messages (client, NULL, 0, 0, -1, NULL, &error), ==, 0);
  g_assert_no_error (error);
}

static void
test_out_fields (Fixture *f)
{
  char bytes[SLOT_SIZE];
  GInputVector vector = { bytes, sizeof bytes };
  GSocketAddress *address = NULL;
  GSocketControlMessage **controls = (GSocketControlMessage **) &vector;
  guint n_controls = 77;
  GInputMessage message = {
    .address = &address,
    .vectors = &vector,
    .num_vectors = 1,
    .bytes_received = 99,
    .flags = 99,
    .control_messages = &controls,
    .num_control_messages = &n_controls,
  };

  fixture_handshake (f);
  send_text (f->client, "one");
  wait_for (f->server, G_IO_IN);
  g_assert_cmpint (g_datagram_based_receive_messages (G_DATAGRAM_BASED (f->server), &message, 1, 0,
                                                      0, NULL, NULL),
                   ==, 1);

  g_assert_cmpuint (message.bytes_received, ==, 3);
  g_assert_cmpint (message.flags, ==, 0);
  g_assert_true (message.num_control_messages == &n_controls);
  g_assert_cmpuint (n_controls, ==, 0);
  g_assert_null (controls);
  g_assert_true (address == NULL || G_IS_SOCKET_ADDRESS (address));
  g_clear_object (&address);
}

static void
test_scatter_and_gather (Fixture *f)
{
  char first[5];
  char second[40];
  GOutputVector out[] = { { "You win", 7 }, { "", 0 }, { " again, ", 8 }, { "gravity!\n", 9 } };
  GOutputMessage out_message = { .vectors = out, .num_vectors = G_N_ELEMENTS (out) };
  GInputVector in[] = { { first, sizeof first }, { second, sizeof second } };
  GInputMessage in_message = { .vectors = in, .num_vectors = G_N_ELEMENTS (in) };

  fixture_handshake (f);
  g_assert_cmpint (g_datagram_based_send_messages (G_DATAGRAM_BASED (f->client), &out_message, 1, 0,
                                                   -1, NULL, NULL),
                   ==, 1);
  g_assert_cmpuint (out_message.bytes_sent, ==, 24);

  wait_for (f->server, G_IO_IN);
  g_assert_cmpint (g_datagram_based_receive_messages (G_DATAGRAM_BASED (f->server), &in_message, 1,
                                                      0, 0, NULL, NULL),
                   ==, 1);
  g_assert_cmpuint (in_message.bytes_received, ==, 24);
  g_assert_cmpmem (first, sizeof first, "You w", 5);
  g_assert_cmpmem (second, 24 - sizeof first, "in again, gravity!\n", 19);
}

static void
test_truncation (Fixture *f)
{
  char bytes[4];
  GInputVector vector = { bytes, sizeof bytes };
  GInputMessage message = { .vectors = &vector, .num_vectors = 1 };
  GInputMessage nowhere = { .vectors = NULL, .num_vectors = 0 };
  GDatagramBased *server = G_DATAGRAM_BASED (f->server);

  fixture_handshake (f);
  send_text (f->client, "too long");
  send_text (f->client, "dropped");
  send_text (f->client, "fits");

  wait_for (f->server, G_IO_IN);
  g_assert_cmpint (g_datagram_based_receive_messages (server, &message, 1, 0, 0, NULL, NULL), ==,
                   1);
  g_assert_cmpmem (bytes, message.bytes_received, "too ", 4);
  g_assert_cmpint (message.flags & MSG_TRUNC, ==, MSG_TRUNC);

  wait_for (f->server, G_IO_IN);
  g_assert_cmpint (g_datagram_based_receive_messages (server, &nowhere, 1, 0, 0, NULL, NULL), ==,
                   1);
  g_assert_cmpuint (nowhere.bytes_received, ==, 0);
  g_assert_cmpint (nowhere.flags & MSG_TRUNC, ==, MSG_TRUNC);

  wait_for (f->server, G_IO_IN);
  g_assert_cmpint (g_datagram_based_receive_messages (server, &message, 1, 0, 0, NULL, NULL), ==,
                   1);
  g_assert_cmpmem (bytes, message.bytes_received, "fits", 4);
  g_assert_cmpint (message.flags & MSG_TRUNC, ==, 0);
}

static void
test_empty_message (Fixture *f)
{
  GOutputMessage no_vectors = { .vectors = NULL, .num_vectors = 0 };
  Batch batch;

  fixture_handshake (f);
  g_assert_cmpint (send_bytes (f->client, "", 0, -1, NULL), ==, 1);
  g_assert_cmpint (g_datagram_based_send_messages (G_DATAGRAM_BASED (f->client), &no_vectors, 1, 0,
                                                   -1, NULL, NULL),
                   ==, 1);
  send_text (f->client, "after");

  for (guint i = 0; i < 2; i++)
    {
      wait_for (f->server, G_IO_IN);
      g_assert_cmpint (receive_batch (f->server, &batch, 1, 0, NULL, NULL), ==, 1);
      g_assert_cmpuint (batch.messages[0].bytes_received, ==, 0);
      g_assert_cmpint (batch.messages[0].flags, ==, 0);
    }
  expect_text (f->server, "after");
}

static void
test_flags_are_refused (Fixture *f)
{
  GDatagramBased *client = G_DATAGRAM_BASED (f->client);
  GOutputVector vector = { "x", 1 };
  GOutputMessage out = { .vectors = &vector, .num_vectors = 1 };
  GInputMessage in = { .vectors = NULL, .num_vectors = 0 };
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  g_assert_cmpint (g_datagram_based_receive_messages (client, &in, 1, MSG_PEEK, 0, NULL, &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_cmpint (g_datagram_based_send_messages (client, &out, 1, MSG_DONTWAIT, 0, NULL, &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

/* -------------------------------------------------------------------------------------- the size */

static void
test_longest_message (Fixture *f)
{
  g_autofree char *bytes = g_malloc0 (65536);
  g_autofree char *in = g_malloc0 (65536);
  g_autoptr (GError) error = NULL;
  guint longest = 1;
  gsize len;

  g_object_get (f->client, "max-payload", &longest, NULL);
  g_assert_cmpuint (longest, ==, 0);
  fixture_handshake (f);
  g_object_get (f->client, "max-payload", &longest, NULL);
  /* Loopback's MTU is the machine's business; the other base has none. */
  g_assert_cmpuint (longest, >, f->transport == OVER_PAIR ? 1300 : 200);
  g_assert_cmpuint (longest, <, 1400);

  memset (bytes, 'm', longest + 1);
  g_assert_cmpint (send_bytes (f->client, bytes, longest + 1, -1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);
  g_assert_cmpint (send_bytes (f->client, bytes, 65536, 0, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);

  g_assert_cmpint (send_bytes (f->client, bytes, longest, -1, &error), ==, 1);
  g_assert_no_error (error);
  g_assert_cmpint (receive_bytes (f->server, in, 65536, -1, &len, &error), ==, 1);
  g_assert_cmpmem (in, len, bytes, longest);
}

static void
test_mtu_property (Fixture *f)
{
  g_autofree char *bytes = g_malloc0 (9000);
  g_autoptr (GBytes) datagram = NULL;
  guint longest;

  g_object_set (f->client, "mtu", 600, NULL);
  fixture_handshake (f);
  g_object_get (f->client, "max-payload", &longest, NULL);
  g_assert_cmpint (send_bytes (f->client, bytes, longest, -1, NULL), ==, 1);

  datagram = pair_base_dup_sent (PAIR_BASE (f->client_base),
                                 pair_base_n_sent (PAIR_BASE (f->client_base)) - 1);
  g_assert_cmpuint (g_bytes_get_size (datagram), ==, 600);
}

static void
test_too_large_in_the_middle (Fixture *f)
{
  g_autofree char *bytes = g_malloc0 (2000);
  GOutputVector vectors[] = { { "one", 3 }, { bytes, 2000 }, { "three", 5 } };
  GOutputMessage messages[] = {
    { .vectors = &vectors[0], .num_vectors = 1 },
    { .vectors = &vectors[1], .num_vectors = 1 },
    { .vectors = &vectors[2], .num_vectors = 1 },
  };
  GDatagramBased *client = G_DATAGRAM_BASED (f->client);
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  g_assert_cmpint (g_datagram_based_send_messages (client, messages, 3, 0, 0, NULL, &error), ==, 1);
  g_assert_no_error (error);
  g_assert_cmpint (g_datagram_based_send_messages (client, messages + 1, 2, 0, 0, NULL, &error), ==,
                   -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);
  g_assert_cmpint (g_datagram_based_send_messages (client, messages + 2, 1, 0, 0, NULL, &error), ==,
                   1);

  expect_text (f->server, "one");
  expect_text (f->server, "three");
}

/* ---------------------------------------------------------------------------------------- batches */

static void
test_batch_is_one_call (Fixture *f)
{
  GOutputVector vectors[] = { { "1", 1 }, { "2", 1 }, { "3", 1 }, { "4", 1 } };
  GOutputMessage messages[SLOTS];
  Batch batch;
  guint n_calls;

  fixture_handshake (f);
  send_text (f->client, "the handshake is over for both");
  expect_text (f->server, "the handshake is over for both");

  for (guint i = 0; i < SLOTS; i++)
    messages[i] = (GOutputMessage){ .vectors = &vectors[i], .num_vectors = 1 };
  g_assert_cmpint (g_datagram_based_send_messages (G_DATAGRAM_BASED (f->client), messages, SLOTS, 0,
                                                   -1, NULL, NULL),
                   ==, SLOTS);
  g_assert_cmpuint (pair_base_largest_batch (PAIR_BASE (f->client_base)), ==, SLOTS);

  n_calls = pair_base_n_receive_calls (PAIR_BASE (f->server_base));
  g_assert_cmpint (receive_batch (f->server, &batch, SLOTS, 0, NULL, NULL), ==, SLOTS);
  assert_slot (&batch, 3, "4");
  n_calls = pair_base_n_receive_calls (PAIR_BASE (f->server_base)) - n_calls;
  g_assert_cmpuint (n_calls, <, SLOTS);
}

static void
test_very_many (Fixture *f)
{
  enum
  {
    MANY = 3000, /* more than UIO_MAXIOV */
  };
  g_autofree GOutputMessage *out = g_new0 (GOutputMessage, MANY);
  g_autofree GInputMessage *in = g_new0 (GInputMessage, MANY);
  GOutputVector out_vector = { "x", 1 };
  char byte;
  GInputVector in_vector = { &byte, 1 };
  guint sent = 0;
  guint received = 0;

  fixture_handshake (f);
  for (guint i = 0; i < MANY; i++)
    {
      out[i] = (GOutputMessage){ .vectors = &out_vector, .num_vectors = 1 };
      in[i] = (GInputMessage){ .vectors = &in_vector, .num_vectors = 1 };
    }

  while (sent < MANY)
    {
      gint n = g_datagram_based_send_messages (G_DATAGRAM_BASED (f->client), out + sent,
                                               MANY - sent, 0, -1, NULL, NULL);

      g_assert_cmpint (n, >, 0);
      sent += (guint) n;
    }
  while (received < MANY)
    {
      gint n;

      wait_for (f->server, G_IO_IN);
      n = g_datagram_based_receive_messages (G_DATAGRAM_BASED (f->server), in, MANY, 0, 0, NULL,
                                             NULL);
      g_assert_cmpint (n, >, 0);
      received += (guint) n;
    }
  g_assert_cmpuint (received, ==, MANY);
}

/* -------------------------------------------------------------------------------- no room to send */

/* Sends until the base has no room any more. How many went in is the connection's business. */
static guint
fill (GDtlsConnection *connection)
{
  guint n = 0;

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strdup_printf ("%u", n);

      if (send_bytes (connection, text, strlen (text), 0, &error) == 1)
        {
          g_assert_cmpuint (++n, <, 10000);
          continue;
        }
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      return n;
    }
}

static void
expect_numbers (GDtlsConnection *connection, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);

      expect_text (connection, text);
    }
}

static void
test_no_room (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  guint n;

  fixture_handshake (f);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), 3);
  n = fill (f->client);
  g_assert_cmpuint (n, >=, 3);
  g_assert_cmpint (g_datagram_based_condition_check (G_DATAGRAM_BASED (f->client), G_IO_OUT), ==,
                   0);
  g_assert_cmpint (send_bytes (f->client, "late", 4, 2000, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  send_text (f->client, "room again");
  expect_numbers (f->server, n);
  expect_text (f->server, "room again");
}

typedef struct
{
  GDtlsConnection *connection;
  gint result;
  GError *error; /* (owned) */
} SendCall;

static gpointer
run_send (gpointer data)
{
  SendCall *call = data;

  call->result = send_bytes (call->connection, "patient", 7, -1, &call->error);

  return NULL;
}

static void
test_negative_waits_for_room (Fixture *f)
{
  SendCall call = { f->client, 0, NULL };
  GThread *thread;
  guint n;

  fixture_handshake (f);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), 0);
  n = fill (f->client);
  thread = g_thread_new ("send", run_send, &call);
  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  g_thread_join (thread);

  g_assert_no_error (call.error);
  g_assert_cmpint (call.result, ==, 1);
  expect_numbers (f->server, n);
  expect_text (f->server, "patient");
}

static void
test_partial_batch (Fixture *f)
{
  GOutputVector vectors[] = { { "0", 1 }, { "1", 1 }, { "2", 1 }, { "3", 1 } };
  GOutputMessage messages[SLOTS];
  g_autoptr (GError) error = NULL;
  gint n;

  fixture_handshake (f);
  drain_context ();
  for (guint i = 0; i < SLOTS; i++)
    messages[i] = (GOutputMessage){ .vectors = &vectors[i], .num_vectors = 1 };

  pair_base_set_send_room (PAIR_BASE (f->client_base), 2);
  n = g_datagram_based_send_messages (G_DATAGRAM_BASED (f->client), messages, SLOTS, 0, 0, NULL,
                                      &error);
  g_assert_no_error (error);
  g_assert_cmpint (n, >=, 2);

  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  send_text (f->client, "rest");
  expect_numbers (f->server, (guint) n);
  expect_text (f->server, "rest");
}

static const TestCase cases[] = {
  { "receive-0-would-block", test_zero_would_block, OVER_BOTH },
  { "receive-0-takes-what-is-there", test_zero_takes_what_is_there, OVER_BOTH },
  { "receive-negative-waits-for-all", test_negative_waits_for_all, OVER_BOTH },
  { "receive-negative-stops-at-the-end", test_negative_stops_at_the_end, OVER_BOTH },
  { "receive-positive-times-out-and-goes-on", test_positive_times_out, OVER_BOTH },
  { "receive-positive-gives-the-count", test_positive_gives_the_count, OVER_BOTH },
  { "cancelled-with-nothing-is-cancelled", test_cancelled_with_nothing, OVER_BOTH },
  { "cancelled-with-some-loses-nothing", test_cancelled_with_some, OVER_PAIR },
  { "no-messages-is-zero", test_no_messages, OVER_BOTH },
  { "receive-sets-every-out-field", test_out_fields, OVER_BOTH },
  { "vectors-are-one-message", test_scatter_and_gather, OVER_BOTH },
  { "truncation-sets-msg-trunc", test_truncation, OVER_BOTH },
  { "empty-message-is-no-end", test_empty_message, OVER_BOTH },
  { "flags-are-invalid-arguments", test_flags_are_refused, OVER_BOTH },
  { "longer-than-max-payload-is-too-large", test_longest_message, OVER_BOTH },
  { "mtu-is-the-largest-datagram", test_mtu_property, OVER_PAIR },
  { "too-large-in-the-middle-gives-the-count", test_too_large_in_the_middle, OVER_BOTH },
  { "batch-is-one-call-of-the-base", test_batch_is_one_call, OVER_PAIR },
  { "more-messages-than-iov-max", test_very_many, OVER_PAIR },
  { "would-block-means-not-sent", test_no_room, OVER_PAIR },
  { "send-negative-waits-for-room", test_negative_waits_for_room, OVER_PAIR },
  { "partial-batch-gives-the-count", test_partial_batch, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("transfer", cases);

  return g_test_run ();
}
