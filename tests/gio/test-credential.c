/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a server can be given as its certificate: chains in every state that servers have them, and objects
 * of a class that no backend knows. */

#include "fixture.h"
#include "foreign-certificate.h"

/* ------------------------------------------------------------------------------------------ chains */

static GTlsCertificate *
link_to (const char *name, GTlsCertificate *issuer)
{
  g_autoptr (GTlsCertificate) plain = load_certificate_without_key (name);
  g_autoptr (GByteArray) der = NULL;
  g_autoptr (GError) error = NULL;
  GTlsCertificate *linked;

  g_object_get (plain, "certificate", &der, NULL);
  linked = g_initable_new (G_OBJECT_TYPE (plain), NULL, &error, "certificate", der, "issuer",
                           issuer, NULL);
  g_assert_no_error (error);

  return linked;
}

static GTlsCertificate *
leaf_with (GTlsCertificate *issuer)
{
  g_autoptr (GTlsCertificate) leaf = load_certificate ("server-ecdsa");
  g_autoptr (GByteArray) der = NULL;
  g_autoptr (GByteArray) key = NULL;
  g_autoptr (GError) error = NULL;
  GTlsCertificate *linked;

  g_object_get (leaf, "certificate", &der, "private-key", &key, NULL);
  linked = g_initable_new (G_OBJECT_TYPE (leaf), NULL, &error, "certificate", der, "private-key",
                           key, "issuer", issuer, NULL);
  g_assert_no_error (error);

  return linked;
}

typedef struct
{
  const char *name;
  const char *above[4]; /* the leaf, from below */
  GTlsCertificateFlags errors;
} Chain;

static const Chain chains[] = {
  { "with-intermediate", { "intermediate" }, 0 },
  { "with-redundant-root", { "intermediate", "ca" }, 0 },
  { "with-duplicate-leaf", { "server-ecdsa", "intermediate" }, 0 },
  { "unordered", { "ca", "intermediate" }, 0 },
  { "with-a-stranger", { "intermediate", "other-ca" }, 0 },
  { "without-intermediate", { NULL }, G_TLS_CERTIFICATE_UNKNOWN_CA },
};

static void
test_chain (Fixture *f, gconstpointer data)
{
  const Chain *chain = data;
  g_autoptr (GTlsCertificate) above = NULL;
  g_autoptr (GTlsCertificate) leaf = NULL;
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  for (guint i = G_N_ELEMENTS (chain->above); i > 0; i--)
    if (chain->above[i - 1] != NULL)
      {
        g_autoptr (GTlsCertificate) issuer = g_steal_pointer (&above);

        above = link_to (chain->above[i - 1], issuer);
      }
  leaf = leaf_with (above);

  g_clear_object (&f->server);
  f->server = G_DTLS_CONNECTION (g_dtls_server_connection_new (f->server_base, leaf, NULL));
  fixture_try_handshake (f, &client_error, &server_error);
  if (chain->errors == 0)
    g_assert_no_error (client_error);
  else
    g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (f->client), ==, chain->errors);
}

/* --------------------------------------------------------------------------- a class of an application's */

static void
use_server_certificate (Fixture *f, GTlsCertificate *certificate)
{
  g_autoptr (GError) error = NULL;

  g_clear_object (&f->server);
  f->server =
      G_DTLS_CONNECTION (g_dtls_server_connection_new (f->server_base, certificate, &error));
  g_assert_no_error (error);
}

static void
test_foreign (Fixture *f)
{
  g_autoptr (GTlsCertificate) original = load_certificate ("server-rsa");
  g_autoptr (GTlsCertificate) foreign = foreign_certificate_new (original, FALSE);

  use_server_certificate (f, foreign);
  fixture_handshake (f);
  g_assert_true (g_dtls_connection_get_certificate (f->server) == foreign);
  g_assert_true (
      g_tls_certificate_is_same (g_dtls_connection_get_peer_certificate (f->client), original));
}

static void
test_foreign_client (Fixture *f)
{
  g_autoptr (GTlsCertificate) original = load_certificate ("client-ed25519");
  g_autoptr (GTlsCertificate) foreign = foreign_certificate_new (original, FALSE);
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  g_object_set (f->server, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
  g_dtls_connection_set_certificate (f->client, foreign);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_true (
      g_tls_certificate_is_same (g_dtls_connection_get_peer_certificate (f->server), original));
}

/* Whatever the chain then is, walking it ends. */
static void
test_cyclic (Fixture *f)
{
  g_autoptr (GTlsCertificate) original = load_certificate ("server-ecdsa");
  g_autoptr (GTlsCertificate) foreign = foreign_certificate_new (original, TRUE);
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  use_server_certificate (f, foreign);
  fixture_try_handshake (f, &client_error, &server_error);
}

static void
test_key_of_another (Fixture *f)
{
  g_autoptr (GTlsCertificate) one = load_certificate_without_key ("server-ecdsa");
  g_autoptr (GTlsCertificate) other = load_certificate ("server-p384");
  g_autoptr (GTlsCertificate) mixed = NULL;
  g_autoptr (GByteArray) der = NULL;
  g_autoptr (GByteArray) key = NULL;
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  GDatagramBased *server;

  g_object_get (one, "certificate", &der, NULL);
  g_object_get (other, "private-key", &key, NULL);
  mixed = g_initable_new (G_OBJECT_TYPE (one), NULL, NULL, "certificate", der, "private-key", key,
                          NULL);
  g_assert_nonnull (mixed);
  g_clear_object (&f->server);
  server = g_dtls_server_connection_new (f->server_base, mixed, &server_error);
  if (server == NULL)
    {
      g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
      return;
    }
  f->server = G_DTLS_CONNECTION (server);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_nonnull (client_error);
}

/* ----------------------------------------------------------------------------------- unreadable databases */

static void
test_garbage_database (void)
{
  g_autofree char *garbage = certificate_path ("server-ecdsa", "-key.pem");
  g_autofree char *missing = certificate_path ("no-such", ".pem");
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GError) error = NULL;

  database = g_tls_file_database_new (garbage, &error);
  g_assert_null (database);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_MISC);
  g_clear_error (&error);
  database = g_tls_file_database_new (missing, &error);
  g_assert_null (database);
  g_assert_nonnull (error);
}

static const TestCase cases[] = {
  { "foreign-class-serves", test_foreign, OVER_BOTH },
  { "foreign-class-authenticates-a-client", test_foreign_client, OVER_PAIR },
  { "cyclic-chain-ends", test_cyclic, OVER_PAIR },
  { "key-of-another-is-bad-certificate", test_key_of_another, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (chains); i++)
    add_row_test ("credential/chain", chains[i].name, test_chain, &chains[i]);
  ADD_TESTS ("credential", cases);
  g_test_add_func ("/gio/credential/unreadable-database-is-an-error", test_garbage_database);

  return g_test_run ();
}
