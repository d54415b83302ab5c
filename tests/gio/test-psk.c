/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Pre-shared keys: who asks whom for them, and who is authenticated by what. */

#include "fixture.h"

#include <moat/moat.h>

#include <string.h>

static GBytes *
bytes_of (const char *text)
{
  return g_bytes_new (text, strlen (text));
}

#define KEY "sixteen bytes it is"
#define OTHER_KEY "seventeen other ones"

/* ------------------------------------------------------------------------------- the server's keys */

typedef struct
{
  const char *identity;
  const char *key;
  GDtlsConnection *connection; /* (nullable): that it tries to use */
  gint n_asked;                /* atomic */
} Keys;

/* Whoever waits for the handshake in here would wait for himself. */
static void
try_to_wait (GDtlsConnection *connection)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (g_dtls_connection_handshake (connection, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static GBytes *
find_key (MoatContext *context, GBytes *identity, gpointer data)
{
  Keys *keys = data;
  g_autoptr (GBytes) known = bytes_of (keys->identity);

  g_assert_true (MOAT_IS_CONTEXT (context));
  g_atomic_int_inc (&keys->n_asked);
  if (keys->connection != NULL)
    try_to_wait (keys->connection);

  return g_bytes_equal (identity, known) ? bytes_of (keys->key) : NULL;
}

static void
give_client (GObject *context, const char *identity, const char *key)
{
  g_autoptr (GBytes) identity_bytes = bytes_of (identity);
  g_autoptr (GBytes) key_bytes = bytes_of (key);
  g_autoptr (GError) error = NULL;

  g_assert_true (moat_context_set_psk (MOAT_CONTEXT (context), identity_bytes, key_bytes, &error));
  g_assert_no_error (error);
}

static void
give_server (Fixture *f, Keys *keys)
{
  moat_context_set_psk_func (MOAT_CONTEXT (f->server_context), find_key, keys, NULL);
}

static void
expect_identity (GDtlsConnection *connection, const char *identity)
{
  g_autoptr (GBytes) bytes = moat_connection_dup_psk_identity (MOAT_CONNECTION (connection));

  if (identity == NULL)
    {
      g_assert_null (bytes);
      return;
    }

  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), identity,
                   strlen (identity));
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
expect_failure (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_nonnull (server_error);
  g_assert_cmpint (server_error->domain, ==, G_TLS_ERROR);
  g_assert_nonnull (client_error);
  g_assert_cmpint (client_error->domain, ==, G_TLS_ERROR);
  expect_identity (f->client, NULL);
  expect_identity (f->server, NULL);
}

/* ------------------------------------------------------------------------------------------ tests */

static gboolean
on_accept (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
           gpointer data)
{
  g_assert_not_reached ();
}

static void
test_without_certificates (Fixture *f)
{
  Keys keys = { "sensor 4", KEY, NULL, 0 };

  fixture_new_server (f, NULL);
  give_client (f->client_context, "sensor 4", KEY);
  give_server (f, &keys);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (on_accept), NULL);
  g_signal_connect (f->server, "accept-certificate", G_CALLBACK (on_accept), NULL);
  expect_identity (f->client, NULL);

  fixture_handshake (f);
  g_assert_cmpint (keys.n_asked, ==, 1);
  expect_identity (f->client, "sensor 4");
  expect_identity (f->server, "sensor 4");
  g_assert_null (g_dtls_connection_get_peer_certificate (f->client));
  g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (f->client), ==, 0);
  talk (f);
}

/* A key is preferred to certificates. */
static void
test_with_certificates (Fixture *f)
{
  Keys keys = { "sensor 4", KEY, NULL, 0 };

  give_client (f->client_context, "sensor 4", KEY);
  give_server (f, &keys);
  fixture_handshake (f);
  expect_identity (f->client, "sensor 4");
  g_assert_null (g_dtls_connection_get_peer_certificate (f->client));
  talk (f);
}

static void
test_server_has_none (Fixture *f)
{
  give_client (f->client_context, "sensor 4", KEY);
  fixture_handshake (f);
  expect_identity (f->client, NULL);
  g_assert_nonnull (g_dtls_connection_get_peer_certificate (f->client));
}

static void
test_client_has_none (Fixture *f)
{
  Keys keys = { "sensor 4", KEY, NULL, 0 };

  give_server (f, &keys);
  fixture_handshake (f);
  g_assert_cmpint (keys.n_asked, ==, 0);
  expect_identity (f->server, NULL);
  g_assert_nonnull (g_dtls_connection_get_peer_certificate (f->client));
}

static void
test_unknown (Fixture *f)
{
  Keys keys = { "sensor 4", KEY, NULL, 0 };

  fixture_new_server (f, NULL);
  give_client (f->client_context, "sensor 5", KEY);
  give_server (f, &keys);
  expect_failure (f);
  g_assert_cmpint (keys.n_asked, ==, 1);
}

/* RFC 9846 §4.3.11; RFC 4279 §2 has no such thing. */
static void
test_unknown_goes_on (Fixture *f)
{
  Keys keys = { "sensor 4", KEY, NULL, 0 };

  give_client (f->client_context, "sensor 5", KEY);
  give_server (f, &keys);
  fixture_handshake (f);
  expect_identity (f->server, NULL);
  g_assert_nonnull (g_dtls_connection_get_peer_certificate (f->client));
}

/* In 1.2 it is a record that does not open, so nobody is told before the time is over. */
static void
test_wrong_key (Fixture *f)
{
  Keys keys = { "sensor 4", OTHER_KEY, NULL, 0 };

  fixture_new_server (f, NULL);
  give_client (f->client_context, "sensor 4", KEY);
  give_server (f, &keys);
  expect_failure (f);
}

/* RFC 9257 §4.1: what this context offers as a client may be its own hello, sent back. */
static void
test_reflection (Fixture *f)
{
  Keys keys = { "sensor 4", KEY, NULL, 0 };

  fixture_new_server (f, NULL);
  give_client (f->client_context, "sensor 4", KEY);
  give_client (f->server_context, "sensor 4", KEY);
  give_server (f, &keys);
  expect_failure (f);
  g_assert_cmpint (keys.n_asked, ==, 0);
}

static void
test_waits_for_itself (Fixture *f)
{
  Keys keys = { "sensor 4", KEY, NULL, 0 };

  fixture_new_server (f, NULL);
  give_client (f->client_context, "sensor 4", KEY);
  give_server (f, &keys);
  keys.connection = f->server;
  fixture_handshake (f);
  g_assert_cmpint (keys.n_asked, ==, 1);
}

static void
test_blocking (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  Keys keys = { "sensor 4", KEY, NULL, 0 };
  GThread *client;
  GThread *server;

  fixture_new_server (f, NULL);
  give_client (f->client_context, "sensor 4", KEY);
  give_server (f, &keys);
  server = start_handshake (f->server, NULL);
  client = start_handshake (f->client, NULL);
  client_error = g_thread_join (client);
  server_error = g_thread_join (server);
  g_assert_no_error (client_error);
  g_assert_no_error (server_error);
  expect_identity (f->server, "sensor 4");
}

/* The certificate is verified as always when the server chooses it. */
static void
test_certificates_still_count (Fixture *f)
{
  g_autoptr (GTlsDatabase) stranger = load_database ("other-ca");
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  give_client (f->client_context, "sensor 4", KEY);
  g_dtls_connection_set_database (f->client, stranger);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

/* What a key authenticated is not kept for connections that may have another key, or none. */
static void
test_is_not_resumed (Fixture *f)
{
  Keys keys = { "sensor 4", KEY, NULL, 0 };

  give_client (f->client_context, "sensor 4", KEY);
  give_server (f, &keys);
  for (gint i = 0; i < 2; i++)
    {
      fixture_renew_connections (f);
      fixture_handshake (f);
      g_assert_false (moat_connection_get_session_resumed (MOAT_CONNECTION (f->client)));
      g_assert_cmpint (keys.n_asked, ==, i + 1);
      talk (f);
      if (f->version == IN_1_3)
        g_assert_null (moat_connection_dup_session (MOAT_CONNECTION (f->client)));
    }
}

static void
test_limits (void)
{
  static const struct
  {
    gsize identity_len, key_len;
    gboolean is_good;
  } rows[] = {
    { 1, 1, TRUE },      { 1024, 256, TRUE }, { 0, 16, FALSE },
    { 1025, 16, FALSE }, { 4, 0, FALSE },     { 4, 257, FALSE },
  };
  g_autoptr (MoatContext) context = moat_context_new ();
  guint8 bytes[1025] = { 1 };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GBytes) identity = g_bytes_new (bytes, rows[i].identity_len);
      g_autoptr (GBytes) key = g_bytes_new (bytes, rows[i].key_len);
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (moat_context_set_psk (context, identity, key, &error), ==, rows[i].is_good);
      if (!rows[i].is_good)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }

  g_assert_true (moat_context_set_psk (context, NULL, NULL, NULL));
}

static void
note_destroyed (gpointer is_destroyed)
{
  *(gboolean *) is_destroyed = TRUE;
}

static void
test_destroy (void)
{
  g_autoptr (MoatContext) context = moat_context_new ();
  gboolean is_destroyed = FALSE;

  moat_context_set_psk_func (context, find_key, &is_destroyed, note_destroyed);
  g_assert_false (is_destroyed);
  moat_context_set_psk_func (context, NULL, NULL, NULL);
  g_assert_true (is_destroyed);
}

static const TestCase cases[] = {
  { "needs-no-certificate", test_without_certificates, OVER_BOTH },
  { "is-preferred-to-certificates", test_with_certificates, OVER_PAIR },
  { "server-without-keys-uses-certificates", test_server_has_none, OVER_PAIR },
  { "client-without-key-uses-certificates", test_client_has_none, OVER_PAIR },
  { "unknown-identity-fails", test_unknown, OVER_PAIR },
  { "unknown-identity-goes-on-with-certificates", test_unknown_goes_on, OVER_PAIR | IN_1_3 },
  { "wrong-key-fails", test_wrong_key, OVER_PAIR | IN_1_3 },
  { "own-identity-is-refused", test_reflection, OVER_PAIR },
  { "function-cannot-wait-for-itself", test_waits_for_itself, OVER_PAIR },
  { "function-is-called-in-a-blocking-handshake", test_blocking, OVER_BOTH },
  { "certificates-are-verified-all-the-same", test_certificates_still_count, OVER_PAIR },
  { "session-is-not-kept", test_is_not_resumed, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("psk", cases);
  g_test_add_func ("/gio/psk/limits-are-invalid-arguments", test_limits);
  g_test_add_func ("/gio/psk/function-is-let-go", test_destroy);

  return g_test_run ();
}
