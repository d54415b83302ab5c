/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The database judges, synchronously or not as the handshake is; then the application may
 * overrule it; then the engine goes on, or tells the peer why not. */

#include "gio/verdict.h"

#include "gio/connection.h"
#include "gio/news.h"
#include "gio/verify.h"

static GError *
rejection (GTlsCertificateFlags errors, const GError *problem)
{
  static const struct
  {
    GTlsCertificateFlags flag;
    const char *text;
  } texts[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "its authority is unknown" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "it does not name the peer that was expected" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet" },
    { G_TLS_CERTIFICATE_EXPIRED, "it has expired" },
    { G_TLS_CERTIFICATE_REVOKED, "it was revoked" },
    { G_TLS_CERTIFICATE_INSECURE, "its algorithms are insecure" },
    { G_TLS_CERTIFICATE_GENERIC_ERROR, "it is not good for this" },
  };
  g_autoptr (GString) why = g_string_new ("The peer's certificate was not accepted");
  const char *separator = ": ";

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (errors & texts[i].flag)
      {
        g_string_append_printf (why, "%s%s", separator, texts[i].text);
        separator = ", ";
      }
  if (problem != NULL)
    g_string_append_printf (why, " (%s)", problem->message);

  return g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, why->str);
}

/* Whether later connections may resume with this one's session: nothing was found and nothing overlooked,
 * and what judged the peer is still what the session's key says. */
static MoatTrust
trust_of (MoatConnection *connection, GTlsCertificateFlags errors)
{
  g_autoptr (GBytes) leaf = NULL;
  g_autoptr (GBytes) now = NULL;
  GBytes *then;

  g_mutex_lock (&connection->pump.control);
  then = connection->pump.config->session_key;
  g_mutex_unlock (&connection->pump.control);

  if (errors != 0 || then == NULL)
    return MOAT_TRUST_NONE;

  now = MOAT_CONNECTION_GET_CLASS (connection)->make_session_key (connection, &leaf);

  return now != NULL && g_bytes_equal (now, then) ? MOAT_TRUST_EARNED : MOAT_TRUST_NONE;
}

/* The errors are final, so whoever must be asked is asked, and the engine goes on. */
static void
conclude (MoatConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags errors,
          const GError *problem)
{
  MoatHandshake *self = &connection->handshake;
  bool is_late = moat_pump_phase (&connection->pump) == MOAT_PHASE_OVER;
  struct dtls_verdict verdict = { .is_accepted = true };
  GError *reason = NULL;

  /* A database that could not tell has not said yes, whichever errors may be overlooked. */
  if (problem != NULL)
    errors |= G_TLS_CERTIFICATE_GENERIC_ERROR;

  if (certificate == NULL || is_late)
    verdict.is_accepted = false;
  else if (problem != NULL || MOAT_CONNECTION_GET_CLASS (connection)->must_ask (connection, errors))
    verdict.is_accepted = g_dtls_connection_emit_accept_certificate (G_DTLS_CONNECTION (connection),
                                                                     certificate, errors);

  if (!verdict.is_accepted)
    {
      verdict.alert = moat_verify_alert (errors);
      reason = rejection (errors, problem);
    }

  g_mutex_lock (&connection->pump.control);
  /* Too late to be shown if the handshake has ended meanwhile. */
  if (!self->is_told)
    {
      g_set_object (&self->peer, certificate);
      self->peer_errors = errors;
    }
  self->is_asking = false;
  g_atomic_pointer_set (&self->asker, NULL);
  g_mutex_unlock (&connection->pump.control);

  moat_pump_answer_verdict (&connection->pump, verdict, trust_of (connection, errors), reason);
  moat_wake_all (&connection->pump.wake);
}

/* Nobody could say, because the caller gave up: the next one asks again. */
static void
ask_again_later (MoatConnection *connection)
{
  g_mutex_lock (&connection->pump.control);
  connection->handshake.is_asking = false;
  g_atomic_pointer_set (&connection->handshake.asker, NULL);
  g_atomic_int_or ((guint *) &connection->pump.news, MOAT_NEWS_VERDICT_NEEDED);
  moat_news_send_errand (connection);
  g_mutex_unlock (&connection->pump.control);

  moat_wake_all (&connection->pump.wake);
}

typedef struct
{
  GWeakRef connection;
  MoatInquiry *inquiry; /* (owned) */
} Question;

/* In the handshake's context. */
static void
on_verified (G_GNUC_UNUSED GObject *database, GAsyncResult *result, gpointer data)
{
  Question *question = data;
  g_autoptr (MoatConnection) connection = g_weak_ref_get (&question->connection);
  g_autoptr (MoatInquiry) inquiry = g_steal_pointer (&question->inquiry);
  g_autoptr (GError) problem = NULL;
  GTlsCertificateFlags errors = moat_inquiry_ask_finish (inquiry, result, &problem);

  g_weak_ref_clear (&question->connection);
  g_free (question);
  if (connection == NULL)
    return;

  g_mutex_lock (&connection->pump.control);
  g_clear_object (&connection->handshake.inquiry);
  g_atomic_pointer_set (&connection->handshake.asker, g_thread_self ());
  g_mutex_unlock (&connection->pump.control);

  conclude (connection, inquiry->certificate, errors, problem);
  moat_news_attend (connection, MOAT_CALLER_DISPATCHES, NULL);
}

static void
ask_async (MoatConnection *connection, MoatInquiry *inquiry)
{
  Question *question = g_new0 (Question, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_weak_ref_init (&question->connection, connection);
  question->inquiry = inquiry;

  g_mutex_lock (&connection->pump.control);
  g_set_object (&connection->handshake.inquiry, cancellable);
  g_atomic_pointer_set (&connection->handshake.asker, NULL);
  g_mutex_unlock (&connection->pump.control);

  moat_inquiry_ask_async (inquiry, cancellable, on_verified, question);
}

static MoatInquiry *
make_inquiry (MoatConnection *connection, GError **error)
{
  MoatConnectionClass *class = MOAT_CONNECTION_GET_CLASS (connection);
  g_autoptr (GPtrArray) ders = moat_pump_dup_peer_chain (&connection->pump);
  g_autoptr (GTlsDatabase) database = moat_connection_dup_database (connection);
  g_autoptr (GSocketConnectable) identity = class->dup_identity (connection);
  g_autoptr (GTlsInteraction) interaction = moat_connection_dup_interaction (connection);
  MoatInquiry facts = {
    .peer_role = class->role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT,
    .ders = ders,
    .database = database,
    .identity = identity,
    .must_be_identified = class->role == DTLS_CLIENT,
    .interaction = interaction,
  };

  return moat_inquiry_new (&facts, error);
}

void
moat_verdict_ask (MoatConnection *connection, MoatCaller caller, GCancellable *cancellable)
{
  bool is_blocking = caller == MOAT_CALLER_HANDSHAKES || caller == MOAT_CALLER_BLOCKS;
  g_autoptr (GError) problem = NULL;
  g_autoptr (MoatInquiry) inquiry = make_inquiry (connection, &problem);
  GTlsCertificateFlags errors;

  if (inquiry == NULL)
    {
      conclude (connection, NULL, G_TLS_CERTIFICATE_GENERIC_ERROR, problem);
      return;
    }

  if (!is_blocking && moat_inquiry_can_ask_async (inquiry))
    {
      ask_async (connection, g_steal_pointer (&inquiry));
      return;
    }

  errors = moat_inquiry_ask (inquiry, is_blocking ? cancellable : NULL, &problem);
  if (problem != NULL && is_blocking && g_cancellable_is_cancelled (cancellable))
    ask_again_later (connection);
  else
    conclude (connection, inquiry->certificate, errors, problem);
}

bool
moat_verdict_is_inside (MoatConnection *connection)
{
  return g_atomic_pointer_get (&connection->handshake.asker) == g_thread_self ();
}
