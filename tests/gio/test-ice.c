/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* DTLS over an ICE path as Frida does it: a base that is no socket and lives in one main context, no
 * identity and no database but the fingerprint from the signalling channel, sources in a context of their
 * own with one read per dispatch, and objects that are dropped without being closed. */

#include "fixture.h"

#include <string.h>

typedef struct
{
  char *expected; /* (owned) the SHA-256 of the peer's certificate */
  guint n_seen;
} Fingerprint;

static char *
fingerprint_of (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;

  g_object_get (certificate, "certificate", &der, NULL);

  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, der->data, der->len);
}

static gboolean
on_accept (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
           gpointer data)
{
  Fingerprint *fingerprint = data;
  g_autofree char *seen = fingerprint_of (peer);

  fingerprint->n_seen++;
  g_assert_cmpint (errors & G_TLS_CERTIFICATE_UNKNOWN_CA, ==, G_TLS_CERTIFICATE_UNKNOWN_CA);

  return strcmp (seen, fingerprint->expected) == 0;
}

static void
pin (GDtlsConnection *connection, Fingerprint *fingerprint, const char *peer)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate (peer);

  *fingerprint = (Fingerprint){ fingerprint_of (certificate), 0 };
  g_dtls_connection_set_database (connection, NULL);
  g_signal_connect (connection, "accept-certificate", G_CALLBACK (on_accept), fingerprint);
}

typedef struct
{
  Fingerprint of_server;
  Fingerprint of_client;
} Pins;

/* Self-signed on both sides, as WebRTC has it. */
static void
prepare (Fixture *f, Pins *pins)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate ("client-ecdsa");

  fixture_new_client (f, NULL);
  fixture_new_server (f, "server-self-signed");
  g_dtls_connection_set_certificate (f->client, certificate);
  g_object_set (f->server, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
  pin (f->client, &pins->of_server, "server-self-signed");
  pin (f->server, &pins->of_client, "client-ecdsa");
}

static void
clear_pins (Pins *pins)
{
  g_free (pins->of_server.expected);
  g_free (pins->of_client.expected);
}

/* The way is open in neither direction when both begin, and opens for one before the other. */
static void
test_opens_late (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Pending client = { NULL };
  Pending server = { NULL };
  Pins pins;

  prepare (f, &pins);
  pair_base_set_send_room (PAIR_BASE (f->client_base), 0);
  pair_base_set_receive_blocked (PAIR_BASE (f->client_base), TRUE);
  pair_base_set_send_room (PAIR_BASE (f->server_base), 0);
  pair_base_set_receive_blocked (PAIR_BASE (f->server_base), TRUE);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, cancellable, pending_done,
                                     &client);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  pair_base_set_receive_blocked (PAIR_BASE (f->client_base), FALSE);
  until (pair_base_n_sent (PAIR_BASE (f->client_base)) > 0);

  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, cancellable, pending_done,
                                     &server);
  drain_context ();
  pair_base_set_receive_blocked (PAIR_BASE (f->server_base), FALSE);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->server_base), G_MAXUINT);
  g_assert_true (pending_handshake_finish (&client, f->client, &error));
  g_assert_true (pending_handshake_finish (&server, f->server, &error));
  g_assert_cmpuint (pins.of_server.n_seen, ==, 1);
  g_assert_cmpuint (pins.of_client.n_seen, ==, 1);
  clear_pins (&pins);
}

static void
test_wrong_fingerprint (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  Pins pins;

  prepare (f, &pins);
  g_free (pins.of_server.expected);
  pins.of_server.expected = g_strdup ("no such fingerprint");
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
  clear_pins (&pins);
}

static void
test_cancelled (Fixture *f)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Pending client = { NULL };
  Pins pins;

  prepare (f, &pins);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, cancellable, pending_done,
                                     &client);
  drain_context ();
  g_cancellable_cancel (cancellable);
  g_assert_false (pending_handshake_finish (&client, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_finalize_object (g_steal_pointer (&f->client));
  clear_pins (&pins);
}

/* --------------------------------------------------------------------------------- after the handshake */

typedef struct
{
  GDtlsConnection *connection;
  GMainContext *context;
  GCancellable *cancellable;
  guint n_messages;
  guint n_expected;
  gsize n_bytes;
} Sctp;

static gboolean
on_readable (GDatagramBased *based, GIOCondition condition, gpointer data)
{
  Sctp *self = data;
  g_autofree char *buffer = g_malloc (65536);
  GInputVector vector = { buffer, 65536 };
  GInputMessage message = { .vectors = &vector, .num_vectors = 1 };
  g_autoptr (GError) error = NULL;

  if (g_cancellable_is_cancelled (self->cancellable))
    return G_SOURCE_REMOVE;

  /* Any error, WOULD_BLOCK too, removes the source: what comes then is lost. */
  g_datagram_based_receive_messages (based, &message, 1, 0, 0, NULL, &error);
  g_assert_no_error (error);
  self->n_messages++;
  self->n_bytes += message.bytes_received;

  return G_SOURCE_CONTINUE;
}

static gpointer
run_sctp (gpointer data)
{
  Sctp *self = data;
  GSource *source;

  g_main_context_push_thread_default (self->context);
  source = g_datagram_based_create_source (G_DATAGRAM_BASED (self->connection), G_IO_IN,
                                           self->cancellable);
  g_source_set_callback (source, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (source, self->context);
  until (self->n_messages == self->n_expected);
  g_cancellable_cancel (self->cancellable);
  until (g_source_is_destroyed (source));
  g_source_unref (source);
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

static void
test_one_read_per_dispatch (Fixture *f)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Sctp sctp = { NULL, context, cancellable, 0, 200, 0 };
  char payload[1200];
  GThread *thread;
  Pins pins;

  prepare (f, &pins);
  fixture_handshake (f);
  memset (payload, 's', sizeof payload);
  sctp.connection = f->server;
  thread = g_thread_new ("sctp", run_sctp, &sctp);
  for (guint i = 0; i < sctp.n_expected; i++)
    g_assert_cmpint (send_bytes (f->client, payload, sizeof payload, 0, NULL), ==, 1);
  g_thread_join (thread);
  g_assert_cmpuint (sctp.n_bytes, ==, sctp.n_expected * sizeof payload);
  clear_pins (&pins);
}

static void
test_dropped_without_close (Fixture *f)
{
  Pins pins;

  prepare (f, &pins);
  fixture_handshake (f);
  g_assert_finalize_object (g_steal_pointer (&f->client));
  g_assert_finalize_object (g_steal_pointer (&f->server));
  clear_pins (&pins);
}

static const TestCase cases[] = {
  { "way-opens-late", test_opens_late, OVER_PAIR },
  { "wrong-fingerprint-is-refused", test_wrong_fingerprint, OVER_PAIR },
  { "failed-way-cancels-and-frees", test_cancelled, OVER_PAIR },
  { "one-read-per-dispatch-gets-all", test_one_read_per_dispatch, OVER_PAIR },
  { "dropped-without-close-frees", test_dropped_without_close, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("ice", cases);

  return g_test_run ();
}
