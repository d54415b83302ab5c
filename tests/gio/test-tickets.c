/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions at a server: with which clients, certificates, secrets and clocks its tickets are good. */

#include "clock.h"
#include "resume.h"

#include <string.h>

/* -------------------------------------------------------------------------------------- the server */

static void
require_client (Fixture *f, const Conditions *conditions, guint *n_asked)
{
  prepare (f, conditions);
  g_object_set (f->server, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
  g_signal_connect (f->server, "accept-certificate", G_CALLBACK (accept_all), n_asked);
}

static void
test_client_is_asked_about_again (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsCertificate) certificate = load_certificate ("client-ecdsa");
  Conditions conditions = usual;
  guint n_asked = 0;

  conditions.database = database;
  conditions.client_certificate = certificate;
  for (guint i = 0; i < 3; i++)
    {
      GTlsCertificate *seen;

      require_client (f, &conditions, &n_asked);
      connect_and_expect (f, i > 0);
      g_assert_cmpuint (n_asked, ==, i + 1);
      seen = g_dtls_connection_get_peer_certificate (f->server);
      g_assert_true (g_tls_certificate_is_same (seen, certificate));
    }
}

static gboolean
refuse (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
        gpointer data)
{
  return FALSE;
}

static void
test_client_may_be_refused_later (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsCertificate) certificate = load_certificate ("client-ecdsa");
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  Conditions conditions = usual;

  conditions.database = database;
  conditions.client_certificate = certificate;
  require_client (f, &conditions, NULL);
  connect_and_expect (f, FALSE);
  prepare (f, &conditions);
  g_object_set (f->server, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
  g_signal_connect (f->server, "accept-certificate", G_CALLBACK (refuse), NULL);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
test_other_policy (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsCertificate) certificate = load_certificate ("client-ecdsa");
  Conditions conditions = usual;

  conditions.database = database;
  conditions.client_certificate = certificate;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  require_client (f, &conditions, NULL);
  connect_and_expect (f, FALSE);
  g_assert_nonnull (g_dtls_connection_get_peer_certificate (f->server));
}

static void
test_other_server_certificate (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  Conditions conditions = usual;

  conditions.database = database;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  prepare (f, &conditions);
  fixture_new_server (f, "server-rsa");
  connect_and_expect (f, FALSE);
}

static GBytes *
new_secret (guint8 fill, gsize size)
{
  g_autofree guint8 *bytes = g_malloc (size);

  memset (bytes, fill, size);

  return g_bytes_new (bytes, size);
}

/* A second process with the same secret, and one with another. */
static void
test_shared_secret (Fixture *f)
{
  static const struct
  {
    guint8 fill;
    gsize size;
    gboolean resumes;
  } others[] = { { 7, 32, TRUE }, { 8, 32, FALSE }, { 7, 33, FALSE } };
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GBytes) secret = new_secret (7, 32);
  Conditions conditions = usual;

  conditions.database = database;
  moat_context_set_ticket_secret (MOAT_CONTEXT (f->server_context), secret, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (GBytes) other_secret = new_secret (others[i].fill, others[i].size);
      g_autoptr (GObject) other = NULL;

      prepare (f, &conditions);
      fixture_handshake (f);
      let_tickets_come (f);
      other = fixture_new_context (f, f->server);

      g_assert_true (moat_context_set_ticket_secret (MOAT_CONTEXT (other), other_secret, NULL));
      prepare (f, &conditions);
      g_object_set (f->server, "context", other, NULL);
      connect_and_expect (f, others[i].resumes);
      g_clear_object (&f->server);
    }
}

static void
test_short_secret (void)
{
  g_autoptr (MoatContext) context = moat_context_new ();
  g_autoptr (GBytes) secret = new_secret (7, 31);
  g_autoptr (GError) error = NULL;

  g_assert_false (moat_context_set_ticket_secret (context, secret, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

/* ------------------------------------------------------------------------------------------- time */

#define HOUR (3600 * G_TIME_SPAN_SECOND)
/* Ticket keys are of the halves of days since 1970. */
#define PERIOD (12 * HOUR)

typedef struct
{
  const char *name;
  gint hours;          /* from the first connection, which is in the last hour of its period, */
  gint hours_back;     /* and back again after another client's */
  gboolean has_secret; /* that was set */
  gboolean resumes;
} Wait;

static const Wait waits[] = {
  { "ticket-is-good-in-the-next-period", 2, 0, FALSE, TRUE },
  { "ticket-key-is-gone-after-the-next-period", 24, -23, FALSE, FALSE },
  { "ticket-key-comes-again-from-a-secret", 24, -23, TRUE, TRUE },
  { "ticket-keys-stay-within-their-period", 0, 0, FALSE, TRUE },
};

static void
connect_stranger (Fixture *f, const Conditions *conditions)
{
  g_autoptr (GObject) context = NULL;

  prepare (f, conditions);
  context = fixture_new_context (f, f->client);
  g_object_set (f->client, "context", context, NULL);
  connect_and_expect (f, FALSE);
  g_clear_object (&f->client);
}

static void
test_wait (Fixture *f, gconstpointer data)
{
  const Wait *wait = data;
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GBytes) secret = new_secret (7, 32);
  Conditions conditions = usual;

  conditions.database = database;
  if (wait->has_secret)
    moat_context_set_ticket_secret (MOAT_CONTEXT (f->server_context), secret, NULL);
  clock_advance (2 * PERIOD - HOUR / 2 - g_get_real_time () % PERIOD);
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);

  clock_advance (wait->hours * HOUR);
  if (wait->hours_back != 0)
    connect_stranger (f, &conditions);
  clock_step_wall (wait->hours_back * HOUR);
  prepare (f, &conditions);
  connect_and_expect (f, wait->resumes);
}

/* A server that waits for its client meanwhile; the session is of another one with the same keys. */
static void
test_wall_clock_steps (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GBytes) session = NULL;
  Conditions conditions = usual;
  Fixture waiting;

  conditions.database = database;
  add_connections (f, &waiting, &conditions);
  expect_receive_error (waiting.server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);

  clock_step_wall (HOUR);
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  session = moat_connection_dup_session (MOAT_CONNECTION (f->client));
  moat_connection_set_session (MOAT_CONNECTION (waiting.client), session);
  connect_and_expect (&waiting, TRUE);
  remove_connections (&waiting);
}

static const TestCase cases[] = {
  { "server-asks-about-the-client-again", test_client_is_asked_about_again, OVER_PAIR },
  { "server-may-refuse-the-client-later", test_client_may_be_refused_later, OVER_PAIR },
  { "not-under-another-client-policy", test_other_policy, OVER_PAIR },
  { "not-with-another-server-certificate", test_other_server_certificate, OVER_PAIR },
  { "processes-share-a-ticket-secret", test_shared_secret, OVER_PAIR },
  { "wall-clock-may-step-while-a-server-waits", test_wall_clock_steps, OVER_UDP },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("tickets", cases);
  for (gsize i = 0; i < G_N_ELEMENTS (waits); i++)
    add_row_test ("tickets", waits[i].name, test_wait, &waits[i]);
  g_test_add_func ("/gio/tickets/short-secret-is-an-invalid-argument", test_short_secret);

  return g_test_run ();
}
