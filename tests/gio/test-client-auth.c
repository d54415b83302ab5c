/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Clients that show a certificate, or do not: contract rows S3 and H6. */

#include "fixture.h"
#include "judge.h"

#include <string.h>

typedef enum
{
  NO_HANDLER,
  HANDLER_REJECTS,
  HANDLER_ACCEPTS,
} Handler;

typedef struct
{
  const char *name;
  gint mode;
  const char *certificate; /* (nullable) of the client */
  Handler handler;
  gint asked_about;  /* by the server's signal */
  gint client_error; /* of G_TLS_ERROR; -1 for success */
  gint server_error;
} Row;

enum
{
  NONE = (gint) G_TLS_AUTHENTICATION_NONE,
  REQUESTED = (gint) G_TLS_AUTHENTICATION_REQUESTED,
  REQUIRED = (gint) G_TLS_AUTHENTICATION_REQUIRED,
  NOT_ASKED = -1,
  FINE = -1,
  REFUSED = G_TLS_ERROR_MISC, /* what an alert is told as */
  BAD = G_TLS_ERROR_BAD_CERTIFICATE,
  MISSING = G_TLS_ERROR_CERTIFICATE_REQUIRED,
  OTHER = G_TLS_CERTIFICATE_GENERIC_ERROR,
};

/* clang-format off */
static const Row rows[] = {
  { "none-without", NONE, NULL, HANDLER_REJECTS, NOT_ASKED, FINE, FINE },
  { "none-with-is-not-sent", NONE, "client-ecdsa", HANDLER_REJECTS, NOT_ASKED, FINE, FINE },
  { "requested-without", REQUESTED, NULL, HANDLER_REJECTS, NOT_ASKED, FINE, FINE },
  { "requested-with", REQUESTED, "client-ecdsa", HANDLER_ACCEPTS, 0, FINE, FINE },
  { "requested-with-rejected", REQUESTED, "client-ecdsa", HANDLER_REJECTS, 0, REFUSED, BAD },
  { "requested-with-no-handler", REQUESTED, "client-ecdsa", NO_HANDLER, NOT_ASKED, REFUSED, BAD },
  { "required-without", REQUIRED, NULL, HANDLER_ACCEPTS, NOT_ASKED, MISSING, MISSING },
  { "required-with", REQUIRED, "client-ecdsa", HANDLER_ACCEPTS, 0, FINE, FINE },
  { "required-with-no-handler", REQUIRED, "client-ecdsa", NO_HANDLER, NOT_ASKED, REFUSED, BAD },
  { "rsa", REQUIRED, "client-rsa", HANDLER_ACCEPTS, 0, FINE, FINE },
  { "rsapss", REQUIRED, "client-rsapss", HANDLER_ACCEPTS, 0, FINE, FINE },
  { "p384", REQUIRED, "client-p384", HANDLER_ACCEPTS, 0, FINE, FINE },
  { "ed25519", REQUIRED, "client-ed25519", HANDLER_ACCEPTS, 0, FINE, FINE },
  { "servers-purpose", REQUIRED, "server-ecdsa", HANDLER_ACCEPTS, OTHER, FINE, FINE },
  { "no-purpose-named", REQUIRED, "server-no-eku", HANDLER_ACCEPTS, 0, FINE, FINE },
  { "untrusted", REQUIRED, "server-self-signed", HANDLER_REJECTS, OTHER | G_TLS_CERTIFICATE_UNKNOWN_CA, REFUSED, BAD },
};
/* clang-format on */

typedef struct
{
  Handler handler;
  gint asked_about;
} Watch;

static gboolean
on_accept (GDtlsConnection *server, GTlsCertificate *peer, GTlsCertificateFlags errors,
           gpointer data)
{
  Watch *watch = data;

  g_assert_cmpint (watch->asked_about, ==, NOT_ASKED);
  g_assert_null (g_dtls_connection_get_peer_certificate (server));
  watch->asked_about = (gint) errors;

  return watch->handler == HANDLER_ACCEPTS;
}

static void
watch_server (Fixture *f, Watch *watch, Handler handler)
{
  *watch = (Watch){ handler, NOT_ASKED };
  if (handler != NO_HANDLER)
    g_signal_connect (f->server, "accept-certificate", G_CALLBACK (on_accept), watch);
}

/* RFC 9846 §4.5.2: a client of 1.3 has long been connected when its certificate, or its having none, is
 * refused: it finds out when it reads. */
static void
refused_later (Fixture *f, GError **error)
{
  char byte;
  gsize len;

  if (f->version == IN_1_2)
    return;

  g_assert_no_error (*error);
  wait_for (f->client, G_IO_IN);
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, 0, &len, error), ==, -1);
}

static void
assert_outcome (const GError *error, gint code)
{
  if (code == FINE)
    g_assert_no_error (error);
  else
    g_assert_error (error, G_TLS_ERROR, code);
}

static void
set_client_certificate (Fixture *f, const char *name)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate (name);

  g_dtls_connection_set_certificate (f->client, certificate);
}

static void
test_row (Fixture *f, gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  GTlsCertificate *seen;
  Watch watch;

  g_object_set (f->server, "authentication-mode", row->mode, NULL);
  if (row->certificate != NULL)
    set_client_certificate (f, row->certificate);
  watch_server (f, &watch, row->handler);

  fixture_try_handshake (f, &client_error, &server_error);
  assert_outcome (server_error, row->server_error);
  if (row->client_error != FINE)
    refused_later (f, &client_error);
  assert_outcome (client_error, row->client_error);
  g_assert_cmpint (watch.asked_about, ==, row->asked_about);

  seen = g_dtls_connection_get_peer_certificate (f->server);
  g_assert_cmpint (seen != NULL, ==, row->certificate != NULL && row->mode != NONE);
  if (seen != NULL)
    g_assert_true (g_tls_certificate_is_same (seen, g_dtls_connection_get_certificate (f->client)));
  if (row->server_error == FINE && row->client_error == FINE)
    {
      send_text (f->client, "through");
      expect_text (f->server, "through");
    }
}

/* ------------------------------------------------------------------------------------- who is accepted */

static void
free_names (GList *names)
{
  g_list_free_full (names, (GDestroyNotify) g_byte_array_unref);
}

static void
count (GObject *object, GParamSpec *property, gpointer n)
{
  ++*(guint *) n;
}

/* The DER Name of the root's subject stands inside its certificate. */
static gboolean
is_inside (const GByteArray *name, GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;

  g_object_get (certificate, "certificate", &der, NULL);
  for (guint i = 0; i + name->len <= der->len; i++)
    if (memcmp (der->data + i, name->data, name->len) == 0)
      return TRUE;

  return FALSE;
}

static void
test_accepted_cas (Fixture *f)
{
  g_autoptr (GTlsCertificate) root = load_certificate_without_key ("ca");
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  guint n = 0;
  GList *names;

  g_object_set (f->server, "authentication-mode", REQUIRED, NULL);
  g_signal_connect (f->client, "notify::accepted-cas", G_CALLBACK (count), &n);
  fixture_try_handshake (f, &client_error, &server_error);
  refused_later (f, &client_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED);
  g_assert_cmpuint (n, ==, 1);

  names = g_dtls_client_connection_get_accepted_cas (G_DTLS_CLIENT_CONNECTION (f->client));
  g_assert_cmpuint (g_list_length (names), ==, 1);
  g_assert_true (is_inside (names->data, root));
  free_names (names);
}

static void
test_accepted_cas_of_others (Fixture *f)
{
  g_autoptr (JudgeDatabase) database = judge_database_new (0);

  g_object_set (f->server, "authentication-mode", REQUESTED, NULL);
  g_dtls_connection_set_database (f->server, G_TLS_DATABASE (database));
  fixture_handshake (f);
  g_assert_null (g_dtls_client_connection_get_accepted_cas (G_DTLS_CLIENT_CONNECTION (f->client)));
}

static void
test_not_asked (Fixture *f)
{
  fixture_handshake (f);
  g_assert_null (g_dtls_client_connection_get_accepted_cas (G_DTLS_CLIENT_CONNECTION (f->client)));
}

/* ---------------------------------------------------------------------------------- the server's view */

static void
test_asks_the_database (Fixture *f)
{
  g_autoptr (JudgeDatabase) database = judge_database_new (0);
  const JudgeQuestion *question = judge_database_get_question (database);
  Watch watch;

  g_object_set (f->server, "authentication-mode", REQUIRED, NULL);
  g_dtls_connection_set_database (f->server, G_TLS_DATABASE (database));
  set_client_certificate (f, "client-ecdsa");
  watch_server (f, &watch, HANDLER_ACCEPTS);
  fixture_handshake (f);

  g_assert_cmpuint (question->n_times, ==, 1);
  g_assert_cmpstr (question->purpose, ==, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_CLIENT);
  g_assert_null (question->identity);
}

/* The client never took part in what it is refused for: a keyless certificate counts as none. */
static void
test_client_without_key (Fixture *f)
{
  g_autoptr (GTlsCertificate) keyless = load_certificate_without_key ("client-ecdsa");
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  g_object_set (f->server, "authentication-mode", REQUIRED, NULL);
  g_dtls_connection_set_certificate (f->client, keyless);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED);
  refused_later (f, &client_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED);
}

static void
test_second_try (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  Watch watch;

  g_object_set (f->server, "authentication-mode", REQUIRED, NULL);
  fixture_try_handshake (f, &client_error, &server_error);
  refused_later (f, &client_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED);

  fixture_renew (f);
  g_object_set (f->server, "authentication-mode", REQUIRED, NULL);
  set_client_certificate (f, "client-ecdsa");
  watch_server (f, &watch, HANDLER_ACCEPTS);
  fixture_handshake (f);
}

/* ------------------------------------------------------------------------------ the server's certificate */

static void
test_server_without_key (Fixture *f)
{
  g_autoptr (GTlsCertificate) keyless = load_certificate_without_key ("server-ecdsa");
  g_autoptr (GError) error = NULL;

  g_assert_null (g_dtls_server_connection_new (f->server_base, keyless, &error));
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
test_server_without_certificate (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  fixture_new_server (f, NULL);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_nonnull (client_error);
  g_assert_nonnull (server_error);
  g_assert_cmpint (client_error->domain, ==, G_TLS_ERROR);
  g_assert_cmpint (server_error->domain, ==, G_TLS_ERROR);
}

static void
test_server_certificate_later (Fixture *f)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate ("server-rsa");

  fixture_new_server (f, NULL);
  g_assert_null (g_dtls_connection_get_certificate (f->server));
  g_dtls_connection_set_certificate (f->server, certificate);
  fixture_handshake (f);
  g_assert_true (
      g_tls_certificate_is_same (g_dtls_connection_get_peer_certificate (f->client), certificate));
}

static const TestCase cases[] = {
  { "accepted-cas-are-the-anchors", test_accepted_cas, OVER_BOTH },
  { "accepted-cas-of-other-databases-is-null", test_accepted_cas_of_others, OVER_PAIR },
  { "accepted-cas-not-asked-is-null", test_not_asked, OVER_PAIR },
  { "asks-the-database-for-a-client", test_asks_the_database, OVER_PAIR },
  { "client-without-key-has-no-certificate", test_client_without_key, OVER_BOTH },
  { "second-try-with-a-certificate", test_second_try, OVER_BOTH },
  { "server-without-key-is-bad-certificate", test_server_without_key, OVER_PAIR },
  { "server-without-certificate-fails", test_server_without_certificate, OVER_BOTH },
  { "server-certificate-may-come-later", test_server_certificate_later, OVER_BOTH },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row_test ("client-auth/mode", rows[i].name, test_row, &rows[i]);
  ADD_TESTS ("client-auth", cases);

  return g_test_run ();
}
