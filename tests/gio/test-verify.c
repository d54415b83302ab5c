/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The verdict on a server: flags, databases, accept-certificate and where it is emitted. Contract rows
 * S1 to S8 and H5, and the lists of glib-networking's own tests. */

#include "fixture.h"
#include "judge.h"

#include <string.h>

/* --------------------------------------------------------------------------- a row per certificate */

typedef enum
{
  NO_HANDLER,
  HANDLER_REJECTS,
  HANDLER_ACCEPTS,
} Handler;

typedef enum
{
  ROOT_KNOWN,
  NO_DATABASE,
} Database;

enum
{
  NOT_ASKED = -1,
  ALL = G_TLS_CERTIFICATE_VALIDATE_ALL,
  WRONG_NAME = G_TLS_CERTIFICATE_BAD_IDENTITY,
  UNKNOWN_CA = G_TLS_CERTIFICATE_UNKNOWN_CA,
  TOO_EARLY = G_TLS_CERTIFICATE_NOT_ACTIVATED,
  TOO_LATE = G_TLS_CERTIFICATE_EXPIRED,
  OTHER = G_TLS_CERTIFICATE_GENERIC_ERROR,
};

typedef struct
{
  const char *name;
  const char *certificate;
  const char *identity; /* (nullable) */
  Database database;
  gint validation_flags;
  Handler handler;
  gint asked_about; /* the flags that the handler sees */
  gint errors;      /* the property afterwards */
  gboolean succeeds;
} Row;

#define SERVER "server.example.com"

/* clang-format off */
static const Row rows[] = {
  { "ecdsa", "server-ecdsa", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, NOT_ASKED, 0, TRUE },
  { "rsa", "server-rsa", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, NOT_ASKED, 0, TRUE },
  { "p384", "server-p384", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, NOT_ASKED, 0, TRUE },
  { "ed25519", "server-ed25519", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, NOT_ASKED, 0, TRUE },
  { "rsapss", "server-rsapss", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, NOT_ASKED, 0, TRUE },
  { "no-handler-needed", "server-ecdsa", SERVER, ROOT_KNOWN, ALL, NO_HANDLER, NOT_ASKED, 0, TRUE },
  { "address-as-identity", "server-ecdsa", "127.0.0.1", ROOT_KNOWN, ALL, NO_HANDLER, NOT_ASKED, 0, TRUE },
  { "long-chain", "server-long-chain", SERVER, ROOT_KNOWN, ALL, NO_HANDLER, NOT_ASKED, 0, TRUE },

  { "wrong-name", "server-wrong-name", SERVER, ROOT_KNOWN, ALL, NO_HANDLER, NOT_ASKED, WRONG_NAME, FALSE },
  { "wrong-name-rejected", "server-wrong-name", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, WRONG_NAME, WRONG_NAME, FALSE },
  { "wrong-name-accepted", "server-wrong-name", SERVER, ROOT_KNOWN, ALL, HANDLER_ACCEPTS, WRONG_NAME, WRONG_NAME, TRUE },
  { "no-identity", "server-ecdsa", NULL, ROOT_KNOWN, ALL, HANDLER_REJECTS, WRONG_NAME, WRONG_NAME, FALSE },
  { "no-identity-masked", "server-ecdsa", NULL, ROOT_KNOWN, ALL & ~WRONG_NAME, HANDLER_REJECTS, NOT_ASKED, WRONG_NAME, TRUE },
  { "wrong-name-masked", "server-wrong-name", SERVER, ROOT_KNOWN, ALL & ~WRONG_NAME, HANDLER_REJECTS, NOT_ASKED, WRONG_NAME, TRUE },
  { "other-flag-masked", "server-wrong-name", SERVER, ROOT_KNOWN, ALL & ~TOO_LATE, HANDLER_REJECTS, WRONG_NAME, WRONG_NAME, FALSE },
  { "expired", "server-expired", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, TOO_LATE, TOO_LATE, FALSE },
  { "not-yet", "server-not-yet", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, TOO_EARLY, TOO_EARLY, FALSE },
  { "untrusted", "server-untrusted", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, UNKNOWN_CA, UNKNOWN_CA, FALSE },
  { "self-signed", "server-self-signed", SERVER, ROOT_KNOWN, ALL, HANDLER_ACCEPTS, UNKNOWN_CA, UNKNOWN_CA, TRUE },
  { "nothing-validated", "server-untrusted", NULL, ROOT_KNOWN, 0, HANDLER_REJECTS, NOT_ASKED, UNKNOWN_CA | WRONG_NAME, TRUE },

  { "no-database", "server-ecdsa", SERVER, NO_DATABASE, ALL, HANDLER_ACCEPTS, UNKNOWN_CA, UNKNOWN_CA, TRUE },
  { "no-database-rejected", "server-ecdsa", SERVER, NO_DATABASE, ALL, NO_HANDLER, NOT_ASKED, UNKNOWN_CA, FALSE },
  { "no-database-masked", "server-ecdsa", SERVER, NO_DATABASE, ALL & ~UNKNOWN_CA, NO_HANDLER, NOT_ASKED, UNKNOWN_CA, TRUE },
  { "no-database-no-identity", "server-ecdsa", NULL, NO_DATABASE, ALL, HANDLER_ACCEPTS, UNKNOWN_CA | WRONG_NAME, UNKNOWN_CA | WRONG_NAME, TRUE },

  { "clients-purpose", "server-client-eku", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, OTHER, OTHER, FALSE },
  { "clients-purpose-accepted", "server-client-eku", SERVER, ROOT_KNOWN, ALL, HANDLER_ACCEPTS, OTHER, OTHER, TRUE },
  { "any-purpose", "server-any-eku", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, NOT_ASKED, 0, TRUE },
  { "no-purpose-named", "server-no-eku", SERVER, ROOT_KNOWN, ALL, HANDLER_REJECTS, NOT_ASKED, 0, TRUE },
};
/* clang-format on */

typedef struct
{
  const Row *row;
  gint asked_about;
  guint n_notified;
} Watch;

static gboolean
on_accept (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
           gpointer data)
{
  Watch *watch = data;

  g_assert_cmpint (watch->asked_about, ==, NOT_ASKED);
  watch->asked_about = (gint) errors;

  /* S5: not before it is over. */
  g_assert_null (g_dtls_connection_get_peer_certificate (connection));
  g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (connection), ==, 0);
  g_assert_cmpuint (watch->n_notified, ==, 0);
  g_assert_nonnull (peer);

  return watch->row->handler == HANDLER_ACCEPTS;
}

static void
on_notify (GObject *connection, GParamSpec *property, gpointer data)
{
  Watch *watch = data;

  watch->n_notified++;
  g_assert_nonnull (g_dtls_connection_get_peer_certificate (G_DTLS_CONNECTION (connection)));
}

/* RFC 5246 §7.2.2: what the server is told, of several the first that applies. */
static const char *
alert_of (GTlsCertificateFlags errors)
{
  if (errors & UNKNOWN_CA)
    return "unknown_ca";
  if (errors & (TOO_LATE | TOO_EARLY))
    return "certificate_expired";
  if (errors & WRONG_NAME)
    return "bad_certificate";

  return "certificate_unknown";
}

static void
test_row (Fixture *f, gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;
  Watch watch = { row, NOT_ASKED, 0 };
  GTlsCertificate *seen;

  fixture_new_client (f, row->identity);
  fixture_new_server (f, row->certificate);
  g_object_set (f->client, "validation-flags", row->validation_flags, NULL);
  if (row->database == NO_DATABASE)
    g_dtls_connection_set_database (f->client, NULL);
  if (row->handler != NO_HANDLER)
    g_signal_connect (f->client, "accept-certificate", G_CALLBACK (on_accept), &watch);
  g_signal_connect (f->client, "notify::peer-certificate", G_CALLBACK (on_notify), &watch);

  fixture_try_handshake (f, &client_error, &server_error);
  if (row->succeeds)
    {
      g_assert_no_error (client_error);
      g_assert_no_error (server_error);
    }
  else
    {
      g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
      g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
      g_assert_nonnull (strstr (server_error->message, alert_of (row->errors)));
    }

  g_assert_cmpint (watch.asked_about, ==, row->asked_about);
  g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (f->client), ==, row->errors);
  g_assert_cmpuint (watch.n_notified, ==, 1);
  seen = g_dtls_connection_get_peer_certificate (f->client);
  certificate = load_certificate_without_key (row->certificate);
  g_assert_true (g_tls_certificate_is_same (seen, certificate));
}

/* --------------------------------------------------------------------------------------- the signal */

static void
test_rejection_stays (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  fixture_new_client (f, "someone.else.example.com");
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);

  for (guint i = 0; i < 2; i++)
    {
      g_clear_error (&client_error);
      g_assert_false (g_dtls_connection_handshake (f->client, NULL, &client_error));
      g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
    }
  expect_receive_error (f->client, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static gboolean
count_and_accept (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
                  gpointer n)
{
  ++*(guint *) n;

  return TRUE;
}

static gboolean
count_and_pass (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
                gpointer n)
{
  ++*(guint *) n;

  return FALSE;
}

static void
test_first_true_ends_it (Fixture *f)
{
  guint n_first = 0;
  guint n_second = 0;
  guint n_third = 0;

  g_dtls_connection_set_database (f->client, NULL);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (count_and_pass), &n_first);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (count_and_accept), &n_second);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (count_and_accept), &n_third);
  fixture_handshake (f);
  g_assert_cmpuint (n_first, ==, 1);
  g_assert_cmpuint (n_second, ==, 1);
  g_assert_cmpuint (n_third, ==, 0);
}

/* S8: what connects by name is reached by the documented way to emit. */
static void
test_emission_reaches_handlers (Fixture *f)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate ("server-ecdsa");
  guint n = 0;

  g_assert_false (g_dtls_connection_emit_accept_certificate (f->client, certificate, 0));
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (count_and_accept), &n);
  g_assert_true (g_dtls_connection_emit_accept_certificate (f->client, certificate, 0));
  g_assert_cmpuint (n, ==, 1);
}

static gboolean
walk_issuers (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
              gpointer n)
{
  GType type = g_tls_backend_get_certificate_type (g_tls_backend_get_default ());

  for (; peer != NULL; peer = g_tls_certificate_get_issuer (peer))
    {
      g_assert_true (G_TYPE_CHECK_INSTANCE_TYPE (peer, type));
      ++*(guint *) n;
    }

  return TRUE;
}

static void
test_handler_sees_the_chain (Fixture *f)
{
  guint n = 0;

  fixture_new_server (f, "server-long-chain");
  g_dtls_connection_set_database (f->client, NULL);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (walk_issuers), &n);
  fixture_handshake (f);
  g_assert_cmpuint (n, ==, 5);
}

/* ------------------------------------------------------------------------------- S6: where it is asked */

typedef struct
{
  GThread *thread;       /* (unowned) */
  GMainContext *context; /* (unowned) */
} Place;

static gboolean
note_place (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
            gpointer data)
{
  Place *place = data;

  place->thread = g_thread_self ();
  place->context = g_main_context_get_thread_default ();

  return TRUE;
}

typedef enum
{
  BY_HANDSHAKE,
  BY_HANDSHAKE_ASYNC,
  BY_BLOCKING_RECEIVE,
  BY_SOURCE,
} How;

typedef struct
{
  GDtlsConnection *client;
  GMainContext *context; /* (owned) */
  How how;
  Place place;
} Asking;

static gpointer
connect_in_own_context (gpointer data)
{
  Asking *self = data;
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };
  char byte;
  gsize len;

  g_main_context_push_thread_default (self->context);
  switch (self->how)
    {
    case BY_HANDSHAKE:
      g_assert_true (g_dtls_connection_handshake (self->client, NULL, &error));
      break;
    case BY_HANDSHAKE_ASYNC:
      g_dtls_connection_handshake_async (self->client, G_PRIORITY_DEFAULT, NULL, pending_done,
                                         &pending);
      g_assert_true (pending_handshake_finish (&pending, self->client, &error));
      break;
    case BY_BLOCKING_RECEIVE:
      g_assert_cmpint (receive_bytes (self->client, &byte, 1, -1, &len, &error), ==, 0);
      break;
    case BY_SOURCE:
      wait_for (self->client, G_IO_IN);
      break;
    }
  g_assert_no_error (error);
  g_main_context_pop_thread_default (self->context);

  return NULL;
}

static void
assert_asked_at_home (Fixture *f, How how)
{
  Asking asking = { f->client, g_main_context_new (), how, { NULL, NULL } };
  GThread *server = start_handshake (f->server, NULL);
  GThread *thread;

  g_dtls_connection_set_database (f->client, NULL);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (note_place), &asking.place);
  thread = g_thread_new ("client", connect_in_own_context, &asking);
  g_assert_null (g_thread_join (server));
  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  g_thread_join (thread);

  g_assert_true (asking.place.thread == thread);
  g_assert_true (asking.place.context == asking.context);
  g_main_context_unref (asking.context);
}

static void
test_asked_by_handshake (Fixture *f)
{
  assert_asked_at_home (f, BY_HANDSHAKE);
}

static void
test_asked_by_handshake_async (Fixture *f)
{
  assert_asked_at_home (f, BY_HANDSHAKE_ASYNC);
}

static void
test_asked_by_receive (Fixture *f)
{
  assert_asked_at_home (f, BY_BLOCKING_RECEIVE);
}

static void
test_asked_by_source (Fixture *f)
{
  assert_asked_at_home (f, BY_SOURCE);
}

/* The handshake is this thread's, asynchronous, but this thread does nothing until another one's blocking
 * receive has brought the server's flight in. It must leave the question to us. */
static gpointer
receive_until_closed (gpointer connection)
{
  char byte;
  gsize len;

  return GINT_TO_POINTER (receive_bytes (connection, &byte, 1, -1, &len, NULL));
}

static void
test_not_in_another_threads_receive (Fixture *f)
{
  Place place = { NULL, NULL };
  GThread *reader;
  GThread *server = start_handshake (f->server, NULL);
  Pending client = { NULL };
  g_autoptr (GError) error = NULL;

  g_dtls_connection_set_database (f->client, NULL);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (note_place), &place);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  reader = g_thread_new ("reader", receive_until_closed, f->client);
  while (pair_base_n_sent (PAIR_BASE (f->server_base)) == 0
         || pair_base_n_queued (PAIR_BASE (f->client_base)) > 0)
    g_thread_yield ();

  g_assert_true (pending_handshake_finish (&client, f->client, &error));
  g_assert_null (g_thread_join (server));
  g_assert_true (place.thread == g_thread_self ());
  g_assert_null (place.context);

  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (reader)), ==, 0);
}

/* -------------------------------------------------------------------------- S7: from inside the handler */

static gboolean
use_the_connection (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
                    gpointer n)
{
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  ++*(guint *) n;
  g_assert_cmpint (g_dtls_connection_get_protocol_version (connection), ==,
                   G_TLS_PROTOCOL_VERSION_UNKNOWN);
  g_assert_null (g_dtls_connection_get_negotiated_protocol (connection));
  g_assert_null (g_dtls_connection_get_database (connection));

  g_assert_false (g_dtls_connection_close (connection, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_false (g_dtls_connection_handshake (connection, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_cmpint (receive_bytes (connection, &byte, 1, -1, &len, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_cmpint (send_bytes (connection, "x", 1, -1, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&error);

  expect_receive_error (connection, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  expect_send_error (connection, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);

  return TRUE;
}

static void
test_blocking_inside_async (Fixture *f)
{
  guint n = 0;

  g_dtls_connection_set_database (f->client, NULL);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (use_the_connection), &n);
  fixture_handshake (f);
  g_assert_cmpuint (n, ==, 1);
}

static void
test_blocking_inside_sync (Fixture *f)
{
  GThread *server = start_handshake (f->server, NULL);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  g_dtls_connection_set_database (f->client, NULL);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (use_the_connection), &n);
  g_assert_true (g_dtls_connection_handshake (f->client, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (g_thread_join (server));
  g_assert_cmpuint (n, ==, 1);
}

static void
read_properties (GObject *connection, GParamSpec *property, gpointer n)
{
  g_autofree char *suite = g_dtls_connection_get_ciphersuite_name (G_DTLS_CONNECTION (connection));

  ++*(guint *) n;
  g_assert_nonnull (suite);
  g_assert_nonnull (g_dtls_connection_get_peer_certificate (G_DTLS_CONNECTION (connection)));
}

static void
test_reentrant_notify (Fixture *f)
{
  guint n = 0;

  g_signal_connect (f->client, "notify", G_CALLBACK (read_properties), &n);
  fixture_handshake (f);
  g_assert_cmpuint (n, >, 0);
}

/* -------------------------------------------------------------------------------- databases of others */

static void
test_asks_a_custom_database (Fixture *f)
{
  g_autoptr (JudgeDatabase) database = judge_database_new (0);
  const JudgeQuestion *question = judge_database_get_question (database);
  g_autoptr (GTlsCertificate) certificate = load_certificate_without_key ("server-untrusted");

  fixture_new_server (f, "server-untrusted");
  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (database));
  g_assert_true (g_dtls_connection_get_database (f->client) == G_TLS_DATABASE (database));
  fixture_handshake (f);

  g_assert_cmpuint (question->n_times, ==, 1);
  g_assert_cmpstr (question->purpose, ==, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER);
  g_assert_true (
      question->identity
      == g_dtls_client_connection_get_server_identity (G_DTLS_CLIENT_CONNECTION (f->client)));
  g_assert_true (g_tls_certificate_is_same (question->chain, certificate));
  g_assert_true (question->thread == g_thread_self ());
}

static void
test_obeys_a_custom_database (Fixture *f)
{
  g_autoptr (JudgeDatabase) database = judge_database_new (G_TLS_CERTIFICATE_REVOKED);
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (database));
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (f->client), ==,
                   G_TLS_CERTIFICATE_REVOKED);
}

static void
test_database_that_cannot_tell (Fixture *f)
{
  g_autoptr (JudgeDatabase) database = judge_database_new (0);
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  judge_database_set_error (database, G_IO_ERROR_PERMISSION_DENIED);
  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (database));
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_nonnull (client_error);
  g_assert_nonnull (server_error);
  g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (f->client)
                       & G_TLS_CERTIFICATE_GENERIC_ERROR,
                   ==, G_TLS_CERTIFICATE_GENERIC_ERROR);
}

static void
test_async_database (Fixture *f)
{
  g_autoptr (JudgeAsyncDatabase) database = judge_async_database_new (0);
  Pending client = { NULL };
  Pending server = { NULL };
  g_autoptr (GError) error = NULL;

  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (database));
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, &server);
  until (judge_async_database_is_asked (database));
  drain_context ();
  g_assert_null (client.result);
  g_assert_null (g_dtls_connection_get_peer_certificate (f->client));

  judge_async_database_answer (database);
  g_assert_true (pending_handshake_finish (&client, f->client, &error));
  g_assert_true (pending_handshake_finish (&server, f->server, &error));
  g_assert_cmpuint (judge_database_get_question (JUDGE_DATABASE (database))->n_times, ==, 1);
}

/* Closing does not wait for a database that takes its time. */
static void
test_close_while_judged (Fixture *f)
{
  g_autoptr (JudgeAsyncDatabase) database = judge_async_database_new (0);
  Pending client = { NULL };
  g_autoptr (GError) error = NULL;

  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (database));
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  until (judge_async_database_is_asked (database));
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  g_assert_false (pending_handshake_finish (&client, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);

  judge_async_database_answer (database);
  drain_context ();
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
test_cancel_while_judged (Fixture *f)
{
  g_autoptr (JudgeAsyncDatabase) database = judge_async_database_new (0);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Pending client = { NULL };
  g_autoptr (GError) error = NULL;

  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (database));
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, cancellable, pending_done,
                                     &client);
  until (judge_async_database_is_asked (database));
  g_cancellable_cancel (cancellable);
  judge_async_database_answer (database);
  g_assert_false (pending_handshake_finish (&client, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (database));
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  while (client.result == NULL)
    {
      g_main_context_iteration (NULL, TRUE);
      if (judge_async_database_is_asked (database))
        judge_async_database_answer (database);
    }
  g_clear_error (&error);
  g_assert_true (pending_handshake_finish (&client, f->client, &error));
  g_assert_no_error (error);
}

/* A question that a cancelled call has left is asked by the source that comes next, though nothing happens
 * that could wake it: nobody sends again before the handshake's time is over. */
static void
test_source_after_cancelled (Fixture *f)
{
  g_autoptr (JudgeDatabase) database = judge_database_new (0);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *server;

  g_object_set (f->client, "retransmission-timeout", 60000, NULL);
  g_object_set (f->server, "retransmission-timeout", 60000, NULL);
  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (database));
  judge_database_set_cancellable (database, cancellable);
  server = start_handshake (f->server, NULL);
  error = g_thread_join (start_handshake (f->client, cancellable));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  send_text (f->client, "unspoilt");
  g_assert_null (g_thread_join (server));
  expect_text (f->server, "unspoilt");
  g_assert_cmpuint (judge_database_get_question (database)->n_times, ==, 2);
}

static void
test_default_database (Fixture *f)
{
  g_autoptr (GSocketConnectable) identity = identity_of ("server.example.com");
  g_autoptr (JudgeDatabase) database = judge_database_new (0);
  GTlsBackend *backend = g_tls_backend_get_default ();

  g_tls_backend_set_default_database (backend, G_TLS_DATABASE (database));
  g_clear_object (&f->client);
  f->client = G_DTLS_CONNECTION (g_dtls_client_connection_new (f->client_base, identity, NULL));
  g_assert_true (g_dtls_connection_get_database (f->client) == G_TLS_DATABASE (database));
  fixture_handshake (f);
  g_assert_cmpuint (judge_database_get_question (database)->n_times, ==, 1);
  g_tls_backend_set_default_database (backend, NULL);
}

static const TestCase cases[] = {
  { "rejection-is-remembered", test_rejection_stays, OVER_BOTH },
  { "first-true-ends-the-emission", test_first_true_ends_it, OVER_PAIR },
  { "emission-reaches-handlers", test_emission_reaches_handlers, OVER_PAIR },
  { "handler-sees-the-chain", test_handler_sees_the_chain, OVER_BOTH },
  { "handshake-asks-in-its-thread", test_asked_by_handshake, OVER_BOTH },
  { "handshake-async-asks-in-its-context", test_asked_by_handshake_async, OVER_BOTH },
  { "blocking-receive-asks-in-its-thread", test_asked_by_receive, OVER_BOTH },
  { "source-asks-in-its-context", test_asked_by_source, OVER_BOTH },
  { "never-in-another-threads-receive", test_not_in_another_threads_receive, OVER_PAIR },
  { "blocking-in-the-handler-fails-async", test_blocking_inside_async, OVER_BOTH },
  { "blocking-in-the-handler-fails-sync", test_blocking_inside_sync, OVER_BOTH },
  { "notify-may-read-properties", test_reentrant_notify, OVER_PAIR },
  { "asks-a-custom-database", test_asks_a_custom_database, OVER_PAIR },
  { "obeys-a-custom-database", test_obeys_a_custom_database, OVER_PAIR },
  { "database-that-cannot-tell-is-an-error", test_database_that_cannot_tell, OVER_PAIR },
  { "async-database-is-asked-async", test_async_database, OVER_BOTH },
  { "close-while-a-database-judges", test_close_while_judged, OVER_PAIR },
  { "cancel-while-a-database-judges", test_cancel_while_judged, OVER_PAIR },
  { "source-asks-what-a-cancelled-call-left", test_source_after_cancelled, OVER_BOTH },
  { "unset-database-is-the-default-one", test_default_database, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row_test ("verify/server", rows[i].name, test_row, &rows[i]);
  ADD_TESTS ("verify", cases);

  return g_test_run ();
}
