/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What Moat has beyond GIO: contexts, and connections that are made without asking the TLS backend. */

#include "fixture.h"

#include <moat/moat.h>

#include <string.h>

static void
test_made_directly (Fixture *f)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate ("server-ecdsa");
  g_autoptr (GSocketConnectable) identity = identity_of ("server.example.com");
  g_autoptr (GTlsDatabase) database = load_database ("ca");

  g_clear_object (&f->client);
  g_clear_object (&f->server);
  f->client = G_DTLS_CONNECTION (moat_client_connection_new (f->client_base, identity, NULL));
  f->server = G_DTLS_CONNECTION (moat_server_connection_new (f->server_base, certificate, NULL));
  g_dtls_connection_set_database (f->client, database);
  g_assert_null (moat_connection_get_dtls_version (MOAT_CONNECTION (f->client)));
  fixture_handshake (f);
  g_assert_cmpstr (moat_connection_get_dtls_version (MOAT_CONNECTION (f->client)), ==, "1.3");
  g_assert_cmpuint (moat_connection_get_max_payload (MOAT_CONNECTION (f->client)), >, 200);
}

static void
test_registering_again (Fixture *f)
{
  moat_backend_register ();
  moat_backend_register ();
  g_assert_true (MOAT_IS_CLIENT_CONNECTION (f->client));
  g_assert_true (MOAT_IS_SERVER_CONNECTION (f->server));
}

static void
test_default_context (Fixture *f)
{
  g_autoptr (MoatContext) context = moat_context_new ();

  fixture_new_client (f, "server.example.com");
  moat_connection_set_context (MOAT_CONNECTION (f->client), NULL);
  g_assert_true (moat_connection_get_context (MOAT_CONNECTION (f->client))
                 == moat_context_get_default ());
  moat_connection_set_context (MOAT_CONNECTION (f->client), context);
  g_assert_true (moat_connection_get_context (MOAT_CONNECTION (f->client)) == context);
  moat_connection_set_context (MOAT_CONNECTION (f->client), NULL);
  g_assert_true (moat_connection_get_context (MOAT_CONNECTION (f->client))
                 == moat_context_get_default ());
}

/* ------------------------------------------------------------------------------------ cipher suites */

static const char *const suites[][3] = {
  {
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  },
  {
      "TLS_AES_128_GCM_SHA256",
      "TLS_AES_256_GCM_SHA384",
      "TLS_CHACHA20_POLY1305_SHA256",
  },
};

static const char *
suite_name (const Fixture *f, guint i)
{
  return suites[f->version == IN_1_2 ? 0 : 1][i];
}

static void
use_suite (GObject *context, const char *name)
{
  const char *names[] = { name, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_true (moat_context_set_cipher_suites (MOAT_CONTEXT (context), names, &error));
  g_assert_no_error (error);
}

static void
test_suites (Fixture *f)
{
  for (guint i = 0; i < G_N_ELEMENTS (suites[0]); i++)
    {
      g_autofree char *name = NULL;

      fixture_renew (f);
      use_suite (f->client_context, suite_name (f, i));
      fixture_handshake (f);
      name = g_dtls_connection_get_ciphersuite_name (f->server);
      g_assert_cmpstr (name, ==, suite_name (f, i));
      send_text (f->client, "ping");
      expect_text (f->server, "ping");
    }
}

/* H9. */
static void
test_no_common_suite (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  use_suite (f->client_context, suite_name (f, 0));
  use_suite (f->server_context, suite_name (f, 1));
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
}

static void
test_suite_setter (void)
{
  const char *unknown[] = { suites[0][0], "TLS_RSA_WITH_RC4_128_MD5", NULL };
  const char *known[] = { suites[0][1], suites[1][0], NULL };
  g_autoptr (MoatContext) context = moat_context_new ();
  g_auto (GStrv) got = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (moat_context_dup_cipher_suites (context));
  g_assert_true (moat_context_set_cipher_suites (context, known, &error));
  g_assert_false (moat_context_set_cipher_suites (context, unknown, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  got = moat_context_dup_cipher_suites (context);
  g_assert_true (g_strv_equal ((const char *const *) got, known));
  g_assert_true (moat_context_set_cipher_suites (context, NULL, NULL));
  g_assert_null (moat_context_dup_cipher_suites (context));
}

/* -------------------------------------------------------------------------------------- key log */

static void
note_line (MoatContext *context, const char *line, gpointer lines)
{
  g_ptr_array_add (lines, g_strdup (line));
}

/* RFC 9850: in 1.2 CLIENT_RANDOM, the client's random and the master secret; in 1.3 a line for each
 * traffic secret. */
static void
test_keylog (Fixture *f)
{
  static const char *const labels_12[] = { "CLIENT_RANDOM", NULL };
  static const char *const labels_13[] = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
    NULL,
  };
  const char *const *labels = f->version == IN_1_2 ? labels_12 : labels_13;
  MoatContext *context = MOAT_CONTEXT (f->client_context);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);

  moat_context_set_keylog_func (context, note_line, g_ptr_array_ref (lines),
                                (GDestroyNotify) g_ptr_array_unref);
  fixture_handshake (f);
  g_assert_cmpuint (lines->len, ==, g_strv_length ((char **) (guintptr) labels));
  for (guint i = 0; i < lines->len; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines->pdata[i], " ", -1);

      g_assert_cmpuint (g_strv_length (words), ==, 3);
      g_assert_true (g_strv_contains (labels, words[0]));
      g_assert_cmpuint (strlen (words[1]), ==, 64);
      g_assert_cmpuint (strlen (words[2]), >=, 64);
    }
  moat_context_set_keylog_func (context, NULL, NULL, NULL);
}

/* RFC 7627: both of ours have it. */
static void
test_extended_master_secret (Fixture *f)
{
  g_object_set (f->client, "require-extended-master-secret", TRUE, NULL);
  g_object_set (f->server, "require-extended-master-secret", TRUE, NULL);
  fixture_handshake (f);
}

static void
test_certificate_size (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  fixture_new_server (f, "server-long-chain");
  g_object_set (f->client, "max-certificate-size", 1000, NULL);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
}

static const TestCase cases[] = {
  { "connections-are-made-directly", test_made_directly, OVER_BOTH },
  { "registering-again-does-nothing", test_registering_again, OVER_PAIR },
  { "default-one-unless-set", test_default_context, OVER_PAIR },
  { "each-suite-connects", test_suites, OVER_PAIR },
  { "no-common-suite-fails-both", test_no_common_suite, OVER_PAIR },
  { "key-log-has-a-line", test_keylog, OVER_PAIR },
  { "extended-master-secret-can-be-required", test_extended_master_secret, OVER_PAIR },
  { "certificate-size-is-limited", test_certificate_size, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("context", cases);
  g_test_add_func ("/gio/context/unknown-suite-is-an-invalid-argument", test_suite_setter);

  return g_test_run ();
}
