/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions: what a client resumes, and above all what it must not: a session is offered only where everything
 * that made the verdict on its peer is the same, and the verdict is asked for again. */

#include "foreign-certificate.h"
#include "judge.h"
#include "resume.h"

#include <string.h>

/* ------------------------------------------------------------------------------------- what resumes */

static void
count (GObject *object, GParamSpec *property, gpointer n)
{
  ++*(guint *) n;
}

static void
test_resumes (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  Conditions conditions = usual;

  conditions.database = database;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  for (guint i = 0; i < 3; i++)
    {
      GTlsCertificate *peer;
      guint n = 0;

      close_both (f);
      prepare (f, &conditions);
      n = 0;
      g_signal_connect (f->client, "notify::session-resumed", G_CALLBACK (count), &n);
      connect_and_expect (f, TRUE);
      peer = g_dtls_connection_get_peer_certificate (f->client);
      g_assert_nonnull (peer);
      g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (f->client), ==, 0);
      g_assert_cmpuint (n, ==, 1);
    }
}

/* Each session is used once in 1.3; in 1.2 it is there again when the connection stands. */
static void
test_survives_unclosed (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  Conditions conditions = usual;

  conditions.database = database;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  prepare (f, &conditions);
  connect_and_expect (f, TRUE);
}

static void
test_asks_the_database_again (Fixture *f)
{
  g_autoptr (JudgeDatabase) judge = judge_database_new (0);
  Conditions conditions = usual;

  conditions.database = G_TLS_DATABASE (judge);
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  prepare (f, &conditions);
  connect_and_expect (f, TRUE);
  g_assert_cmpuint (judge_database_get_question (judge)->n_times, ==, 2);
}

/* The verdict of today counts. */
static void
test_second_verdict_counts (Fixture *f)
{
  g_autoptr (JudgeDatabase) judge = judge_database_new (0);
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  Conditions conditions = usual;

  conditions.database = G_TLS_DATABASE (judge);
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  prepare (f, &conditions);
  judge_database_set_verdict (judge, G_TLS_CERTIFICATE_REVOKED);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (f->client), ==,
                   G_TLS_CERTIFICATE_REVOKED);
}

static void
test_can_be_switched_off (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  MoatContext *context = MOAT_CONTEXT (f->client_context);
  Conditions conditions = usual;

  g_assert_true (moat_context_get_keeps_sessions (context));
  moat_context_set_keeps_sessions (context, FALSE);
  g_assert_false (moat_context_get_keeps_sessions (context));
  conditions.database = database;
  for (guint i = 0; i < 2; i++)
    {
      prepare (f, &conditions);
      connect_and_expect (f, FALSE);
      g_assert_null (moat_connection_dup_session (MOAT_CONNECTION (f->client)));
    }
}

/* ------------------------------------------------------------------------------- other conditions */

/* After a connection under the usual conditions one under others must not resume, nor may the first be
 * resumed after one under the others was there. */
static void
expect_apart (Fixture *f, const Conditions *one, const Conditions *other)
{
  prepare (f, one);
  connect_and_expect (f, FALSE);
  prepare (f, other);
  connect_and_expect (f, FALSE);
  prepare (f, one);
  connect_and_expect (f, TRUE);
}

static void
test_other_identity (Fixture *f)
{
  g_autoptr (JudgeDatabase) judge = judge_database_new (0);
  Conditions one = usual;
  Conditions other;

  one.database = G_TLS_DATABASE (judge);
  other = one;
  other.identity = "other.example.com";
  expect_apart (f, &one, &other);
}

static void
test_other_database (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsDatabase) other_database = load_database ("ca");
  Conditions one = usual;
  Conditions other;

  one.database = database;
  other = one;
  other.database = other_database;
  expect_apart (f, &one, &other);
}

static void
test_other_certificate (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsCertificate) certificate = load_certificate ("client-ecdsa");
  Conditions one = usual;
  Conditions other;

  one.database = database;
  other = one;
  other.client_certificate = certificate;
  expect_apart (f, &one, &other);
}

static void
test_other_protocol (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  Conditions one = usual;
  Conditions other;

  one.database = database;
  one.protocol = "coap";
  other = one;
  other.protocol = "other";
  expect_apart (f, &one, &other);
}

static void
test_other_context (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GObject) other = NULL;
  Conditions conditions = usual;

  conditions.database = database;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  prepare (f, &conditions);
  other = fixture_new_context (f, f->client);
  g_object_set (f->client, "context", other, NULL);
  connect_and_expect (f, FALSE);
  g_clear_object (&f->client);
}

/* ------------------------------------------------------------------------------------------- trust */

/* A first connection that overlooks something must not help a strict one, whose verdict is a no. */
static void
expect_refusal (Fixture *f, const Conditions *conditions)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  prepare (f, conditions);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
test_handlers_yes_is_not_kept (Fixture *f)
{
  g_autoptr (GTlsDatabase) stranger = load_database ("other-ca");
  Conditions conditions = usual;
  guint n = 0;

  conditions.database = stranger;
  for (guint i = 0; i < 2; i++)
    {
      prepare (f, &conditions);
      g_signal_connect (f->client, "accept-certificate", G_CALLBACK (accept_all), &n);
      connect_and_expect (f, FALSE);
      g_assert_cmpuint (n, ==, i + 1);
    }

  expect_refusal (f, &conditions);
}

static void
test_weak_flags_are_not_kept (Fixture *f)
{
  static const GTlsCertificateFlags weak[] = {
    0,
    G_TLS_CERTIFICATE_VALIDATE_ALL & ~G_TLS_CERTIFICATE_UNKNOWN_CA,
  };
  g_autoptr (GTlsDatabase) stranger = load_database ("other-ca");
  Conditions conditions = usual;

  conditions.database = stranger;
  for (guint i = 0; i < G_N_ELEMENTS (weak); i++)
    {
      conditions.validation_flags = weak[i];
      prepare (f, &conditions);
      connect_and_expect (f, FALSE);
      prepare (f, &conditions);
      connect_and_expect (f, FALSE);

      conditions.validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL;
      expect_refusal (f, &conditions);
    }
}

/* Also a peer without fault is none of the strict connection's, if nobody would have minded a fault. */
static void
test_weak_flags_without_fault (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  Conditions conditions = usual;

  conditions.database = database;
  conditions.validation_flags = 0;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  conditions.validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
}

/* What judges the peer is not what the session's key says, if it is changed during the handshake. */
static void
test_changed_meanwhile (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (JudgeDatabase) lenient = judge_database_new (0);
  Conditions conditions = usual;

  conditions.database = database;
  prepare (f, &conditions);
  /* The first I/O, with the database of the key. */
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (lenient));
  connect_and_expect (f, FALSE);
  g_assert_cmpuint (judge_database_get_question (lenient)->n_times, ==, 1);

  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
}

static void
test_no_identity (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  Conditions conditions = usual;

  conditions.database = database;
  conditions.identity = NULL;
  for (guint i = 0; i < 2; i++)
    {
      prepare (f, &conditions);
      g_signal_connect (f->client, "accept-certificate", G_CALLBACK (accept_all), NULL);
      connect_and_expect (f, FALSE);
    }
}

/* ------------------------------------------------------------------------------------ in between */

/* What another thread may do at the worst moment, a certificate that is being read does here. */

typedef struct
{
  GDtlsConnection *client;
  GTlsCertificate *other;
} Intruder;

static void
set_other_certificate (gpointer data)
{
  Intruder *intruder = data;

  g_dtls_connection_set_certificate (intruder->client, intruder->other);
}

static void
request_client (Fixture *f, const Conditions *conditions)
{
  prepare (f, conditions);
  g_object_set (f->server, "authentication-mode", G_TLS_AUTHENTICATION_REQUESTED, NULL);
  g_signal_connect (f->server, "accept-certificate", G_CALLBACK (accept_all), NULL);
}

/* It comes between the verdict, which finds the certificate of the session's key still there, and the
 * moment when ours is shown. */
static void
test_other_certificate_was_shown (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsCertificate) original = load_certificate ("client-ecdsa");
  g_autoptr (GTlsCertificate) certificate = foreign_certificate_new (original, FALSE);
  g_autoptr (GTlsCertificate) other = load_certificate ("client-ed25519");
  Conditions conditions = usual;
  Intruder intruder = { .other = other };

  conditions.database = database;
  conditions.client_certificate = certificate;
  request_client (f, &conditions);
  /* The first I/O, with the certificate of the key. */
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  intruder.client = f->client;
  foreign_certificate_set_hook (certificate, set_other_certificate, &intruder);
  connect_and_expect (f, FALSE);
  g_assert_true (
      g_tls_certificate_is_same (g_dtls_connection_get_peer_certificate (f->server), other));

  for (guint i = 0; i < 2; i++)
    {
      request_client (f, &conditions);
      connect_and_expect (f, i > 0);
      g_assert_true (
          g_tls_certificate_is_same (g_dtls_connection_get_peer_certificate (f->server), original));
    }
}

static void
begin (gpointer data)
{
  expect_receive_error (data, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
}

/* Of the two sessions one is there for the third connection, since the second took only one. */
static void
test_loser_gives_back (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsCertificate) original = load_certificate ("client-ecdsa");
  g_autoptr (GTlsCertificate) certificate = foreign_certificate_new (original, FALSE);
  Conditions conditions = usual;
  Fixture other;

  conditions.database = database;
  conditions.client_certificate = certificate;
  prepare (f, &conditions);
  add_connections (f, &other, &conditions);
  begin (f->client);
  connect_and_expect (&other, FALSE);
  connect_and_expect (f, FALSE);
  remove_connections (&other);

  prepare (f, &conditions);
  foreign_certificate_set_hook (certificate, begin, f->client);
  begin (f->client);
  prepare (f, &conditions);
  connect_and_expect (f, TRUE);
}

/* ---------------------------------------------------------------------------- across processes */

static void
test_as_bytes (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GBytes) session = NULL;
  g_autoptr (GObject) other = NULL;
  Conditions conditions = usual;

  conditions.database = database;
  prepare (f, &conditions);
  g_assert_null (moat_connection_dup_session (MOAT_CONNECTION (f->client)));
  connect_and_expect (f, FALSE);
  session = moat_connection_dup_session (MOAT_CONNECTION (f->client));
  g_assert_nonnull (session);
  g_assert_null (moat_connection_dup_session (MOAT_CONNECTION (f->server)));

  prepare (f, &conditions);
  other = fixture_new_context (f, f->client);
  g_object_set (f->client, "context", other, NULL);
  moat_connection_set_session (MOAT_CONNECTION (f->client), session);
  connect_and_expect (f, TRUE);
  g_clear_object (&f->client);
}

/* The bytes may be anybody's: what they brought is not kept for others. */
static void
test_bytes_are_not_kept (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GBytes) session = NULL;
  g_autoptr (GObject) other = NULL;
  Conditions conditions = usual;

  conditions.database = database;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  session = moat_connection_dup_session (MOAT_CONNECTION (f->client));
  other = fixture_new_context (f, f->client);
  for (guint i = 0; i < 2; i++)
    {
      prepare (f, &conditions);
      g_object_set (f->client, "context", other, NULL);
      if (i == 0)
        moat_connection_set_session (MOAT_CONNECTION (f->client), session);
      connect_and_expect (f, i == 0);
      g_clear_object (&f->client);
    }
}

static void
test_bytes_are_verified (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsDatabase) stranger = load_database ("other-ca");
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;
  g_autoptr (GBytes) session = NULL;
  Conditions conditions = usual;

  conditions.database = database;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  session = moat_connection_dup_session (MOAT_CONNECTION (f->client));
  conditions.database = stranger;
  prepare (f, &conditions);
  moat_connection_set_session (MOAT_CONNECTION (f->client), session);
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
test_broken_bytes (Fixture *f)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GBytes) session = NULL;
  Conditions conditions = usual;
  gsize size;

  conditions.database = database;
  prepare (f, &conditions);
  connect_and_expect (f, FALSE);
  session = moat_connection_dup_session (MOAT_CONNECTION (f->client));
  size = g_bytes_get_size (session);
  for (gsize len = 0; len < size; len += 1 + len / 8)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (session, 0, len);

      prepare (f, &conditions);
      moat_connection_set_session (MOAT_CONNECTION (f->client), part);
      connect_and_expect (f, FALSE);
    }
}

static const TestCase cases[] = {
  { "resumes-again-and-again", test_resumes, OVER_PAIR },
  { "resumes-what-was-not-closed", test_survives_unclosed, OVER_PAIR },
  { "asks-the-database-again", test_asks_the_database_again, OVER_PAIR },
  { "verdict-of-today-counts", test_second_verdict_counts, OVER_PAIR },
  { "can-be-switched-off", test_can_be_switched_off, OVER_PAIR },
  { "not-for-another-identity", test_other_identity, OVER_PAIR },
  { "not-for-another-database", test_other_database, OVER_PAIR },
  { "not-for-another-client-certificate", test_other_certificate, OVER_PAIR },
  { "not-for-another-protocol", test_other_protocol, OVER_PAIR },
  { "not-in-another-context", test_other_context, OVER_PAIR },
  { "handlers-yes-is-not-kept", test_handlers_yes_is_not_kept, OVER_PAIR },
  { "weak-flags-are-not-kept", test_weak_flags_are_not_kept, OVER_PAIR },
  { "weak-flags-without-fault-are-not-kept", test_weak_flags_without_fault, OVER_PAIR },
  { "not-if-the-judge-changed-meanwhile", test_changed_meanwhile, OVER_PAIR },
  { "not-without-an-identity", test_no_identity, OVER_PAIR },
  { "not-if-another-certificate-was-shown", test_other_certificate_was_shown, OVER_PAIR },
  { "session-that-was-not-offered-stays", test_loser_gives_back, OVER_PAIR },
  { "session-goes-as-bytes", test_as_bytes, OVER_PAIR },
  { "bytes-from-outside-are-not-kept", test_bytes_are_not_kept, OVER_PAIR },
  { "bytes-from-outside-are-verified", test_bytes_are_verified, OVER_PAIR },
  { "broken-bytes-are-a-whole-handshake", test_broken_bytes, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("resume", cases);

  return g_test_run ();
}
