/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A connection joined to the standard streams; see session.h.
 *
 * What a session waits for is decided in one place, session_watch, before each wait: datagrams, unless an
 * echo still waits to go out; the socket's room for that echo or line; typed lines, while nothing waits. */

#include "cli/session.h"

#include "cli/verdict.h"

#include <errno.h>
#include <glib-unix.h>
#include <moat/moat.h>
#include <stdio.h>
#include <string.h>

enum
{
  /* How long an answer to the last line may take when nothing more is to be sent. */
  LINGER_US = G_USEC_PER_SEC,
  /* Datagrams taken before the other things that are waited for get their turn. */
  BATCH = 64,
};

static void
end (struct session *s, enum status status)
{
  s->is_over = true;
  s->status = status;
}

/* --- the handshake --- */

static gboolean
on_accept_certificate (GDtlsConnection *connection G_GNUC_UNUSED, GTlsCertificate *peer,
                       GTlsCertificateFlags faults, gpointer user_data)
{
  struct session *s = user_data;
  g_autofree char *words = verdict_describe (faults);
  g_autofree char *subject = g_tls_certificate_get_subject_name (peer);

  /* A server is asked about every certificate, also one without fault. */
  if (faults == 0)
    return TRUE;

  if (s->options->insecure)
    {
      report_warning ("the certificate of %s is not trusted (%s); going on as --insecure asks",
                      subject != NULL ? subject : "the peer", words);
      return TRUE;
    }

  s->refused = faults;
  report_error ("the certificate of %s is not trusted: %s", subject != NULL ? subject : "the peer",
                words);
  return FALSE;
}

void
session_init (struct session *s, GDatagramBased *connection, const struct options *options,
              GCancellable *interrupt)
{
  *s = (struct session){
    .connection = G_DTLS_CONNECTION (connection),
    .options = options,
    .interrupt = interrupt,
  };
  g_signal_connect (connection, "accept-certificate", G_CALLBACK (on_accept_certificate), s);
}

static bool
is_silence (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE);
}

/* Which alert answers a missing certificate is up to the server (RFC 5246 §7.4.6), and gnutls-serv just
 * falls silent, so whatever comes after the server has asked for one is taken to be about that. */
static bool
lacked_certificate (const struct session *s, const GError *error)
{
  GList *authorities = NULL;
  bool was_asked;

  if (!G_IS_DTLS_CLIENT_CONNECTION (s->connection) || s->options->cert != NULL)
    return false;
  if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED))
    return true;

  authorities =
      g_dtls_client_connection_get_accepted_cas (G_DTLS_CLIENT_CONNECTION (s->connection));
  was_asked = authorities != NULL;
  g_list_free_full (authorities, (GDestroyNotify) g_byte_array_unref);
  return was_asked && (error->domain == G_TLS_ERROR || is_silence (error));
}

static enum status
report_lacking (const GError *error)
{
  report_error ("the server wants a certificate; give one with --cert (%s)", error->message);
  return STATUS_NO_CREDENTIAL;
}

static enum status
report_failed_handshake (struct session *s, const GError *error)
{
  if (g_cancellable_is_cancelled (s->interrupt))
    return STATUS_RUNTIME;

  s->was_refused_port = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  if (s->was_refused_port)
    return STATUS_NO_ANSWER;

  if (s->refused != 0)
    return STATUS_NOT_TRUSTED;

  if (lacked_certificate (s, error))
    return report_lacking (error);

  if (is_silence (error))
    {
      report_error ("no answer within %g s: %s", s->options->timeout, error->message);
      return STATUS_NO_ANSWER;
    }

  report_error ("the handshake failed: %s", error->message);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT))
    return STATUS_USAGE;
  return error->domain == G_TLS_ERROR ? STATUS_HANDSHAKE : STATUS_RUNTIME;
}

static void
on_handshake_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  struct session *s = user_data;
  g_autoptr (GError) error = NULL;

  if (g_dtls_connection_handshake_finish (G_DTLS_CONNECTION (source), result, &error))
    end (s, STATUS_OK);
  else
    end (s, report_failed_handshake (s, error));
}

enum status
session_handshake (struct session *s)
{
  g_dtls_connection_handshake_async (s->connection, G_PRIORITY_DEFAULT, s->interrupt,
                                     on_handshake_done, s);
  while (!s->is_over)
    g_main_context_iteration (NULL, TRUE);

  s->is_over = false;
  if (s->status == STATUS_OK)
    verdict_report_connection (s->connection);
  return s->status;
}

/* --- what is sent --- */

/* True unless the message has to wait; one that can never be sent is reported and passed over. */
static bool
send_message (struct session *s, GBytes *message)
{
  gsize len;
  GOutputVector vector = { .buffer = g_bytes_get_data (message, &len), .size = len };
  GOutputMessage output = { .vectors = &vector, .num_vectors = 1 };
  g_autoptr (GError) error = NULL;

  vector.size = len;
  if (g_datagram_based_send_messages (G_DATAGRAM_BASED (s->connection), &output, 1, 0, 0, NULL,
                                      &error)
      == 1)
    {
      s->last_sent = g_get_monotonic_time ();
      return true;
    }

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return false;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    {
      report_error ("a message of %" G_GSIZE_FORMAT " bytes was not sent: the longest that fits a "
                    "datagram here is %u bytes",
                    len, moat_connection_get_max_payload (MOAT_CONNECTION (s->connection)));
      return true;
    }

  report_error ("cannot send: %s", error->message);
  end (s, error->domain == G_TLS_ERROR ? STATUS_ABORTED : STATUS_RUNTIME);
  return true;
}

/* Those that are asked for before the last ones were there are one. */
static void
update_keys (struct session *s)
{
  g_autoptr (GError) error = NULL;

  if (!s->options->key_update || s->has_no_update
      || moat_connection_update_keys (MOAT_CONNECTION (s->connection), TRUE, &error))
    return;

  report_warning ("keys are not changed: %s", error->message);
  s->has_no_update = true;
}

static void
send_or_wait (struct session *s, const char *data, size_t len)
{
  g_autoptr (GBytes) message = g_bytes_new (data, len);

  update_keys (s);
  if (!send_message (s, message))
    s->waiting = g_steal_pointer (&message);
}

static void
send_lines (struct session *s)
{
  enum line found = s->input != NULL ? LINE_WHOLE : LINE_NONE;

  while (s->waiting == NULL && !s->is_over && found != LINE_NONE)
    {
      const char *line = NULL;
      size_t len = 0;

      found = lines_take (s->input, &line, &len);
      if (found == LINE_WHOLE)
        send_or_wait (s, line, len);
      else if (found == LINE_TOO_LONG)
        report_error ("a line of more than %d bytes was not sent: no datagram can hold it",
                      MAX_LINE);
    }
}

static gboolean
on_room (GDatagramBased *connection G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
         gpointer user_data)
{
  struct session *s = user_data;

  if (!s->is_over && s->waiting != NULL && send_message (s, s->waiting))
    g_clear_pointer (&s->waiting, g_bytes_unref);
  send_lines (s);

  return G_SOURCE_CONTINUE;
}

static gboolean
on_typed (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  struct session *s = user_data;
  int code;

  /* Another source of the same turn may have found the socket full: lines are read when those before them
   * are gone. */
  if (s->waiting != NULL)
    return G_SOURCE_CONTINUE;

  code = lines_read (s->input);
  if (code != 0)
    report_warning ("cannot read standard input: %s", g_strerror (code));
  send_lines (s);

  return G_SOURCE_CONTINUE;
}

static gboolean
on_lingered (gpointer user_data)
{
  struct session *s = user_data;

  end (s, STATUS_OK);
  return G_SOURCE_CONTINUE;
}

/* --- what comes --- */

/* A datagram is a line: what was sent without a newline, as session lines are, gets one. */
static void
print_message (struct session *s, const char *data, size_t len)
{
  bool has_newline = len > 0 && data[len - 1] == '\n';

  if (fwrite (data, 1, len, stdout) == len && (has_newline || putchar ('\n') != EOF)
      && fflush (stdout) == 0)
    return;

  report_error ("cannot write to standard output: %s", g_strerror (errno));
  s->is_output_lost = true;
  end (s, STATUS_RUNTIME);
}

/* An echo that waits is not overtaken. */
static bool
may_receive (const struct session *s)
{
  return !s->is_over && !(s->options->echo && s->waiting != NULL);
}

/* In DTLS 1.3 a server finds out only when its client is connected already that a certificate is missing. */
static enum status
report_broken (const struct session *s, const GError *error)
{
  if (s->options->cert == NULL
      && g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED))
    return report_lacking (error);

  report_error ("the connection broke: %s", error->message);
  return error->domain == G_TLS_ERROR ? STATUS_ABORTED : STATUS_RUNTIME;
}

/* False when there is nothing more at the moment. */
static bool
receive_message (struct session *s)
{
  char buffer[MAX_LINE];
  GInputVector vector = { .buffer = buffer, .size = sizeof buffer };
  GInputMessage message = { .vectors = &vector, .num_vectors = 1 };
  g_autoptr (GError) error = NULL;
  gint n_messages = g_datagram_based_receive_messages (G_DATAGRAM_BASED (s->connection), &message,
                                                       1, 0, 0, NULL, &error);

  if (n_messages == 1)
    {
      if (s->options->echo)
        send_or_wait (s, buffer, message.bytes_received);
      else
        print_message (s, buffer, message.bytes_received);
    }
  else if (n_messages == 0)
    {
      report_status ("the peer has closed the connection");
      end (s, STATUS_OK);
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return false;
  else
    end (s, report_broken (s, error));

  return true;
}

static gboolean
on_datagram (GDatagramBased *connection G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
             gpointer user_data)
{
  struct session *s = user_data;

  for (int i = 0; i < BATCH && may_receive (s); i++)
    if (!receive_message (s))
      break;

  return G_SOURCE_CONTINUE;
}

/* --- what is waited for --- */

static GSource *
watch_connection (struct session *s, GIOCondition condition, GDatagramBasedSourceFunc func)
{
  GSource *source =
      g_datagram_based_create_source (G_DATAGRAM_BASED (s->connection), condition, NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (func), s, NULL);
  return source;
}

static GSource *
watch_incoming (struct session *s)
{
  return watch_connection (s, G_IO_IN, on_datagram);
}

static GSource *
watch_outgoing (struct session *s)
{
  return watch_connection (s, G_IO_OUT, on_room);
}

static GSource *
watch_typing (struct session *s)
{
  GSource *source = g_unix_fd_source_new (s->input->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);

  g_source_set_callback (source, G_SOURCE_FUNC (on_typed), s, NULL);
  return source;
}

/* Answers may take LINGER_US from the last message on, not from the end of the input. */
static GSource *
watch_lingering (struct session *s)
{
  GSource *source = g_timeout_source_new (0);

  g_source_set_ready_time (source, s->last_sent + LINGER_US);
  g_source_set_callback (source, on_lingered, s, NULL);
  return source;
}

static void
toggle (struct session *s, GSource **watch, bool is_wanted, GSource *(*make) (struct session *) )
{
  if (is_wanted == (*watch != NULL))
    return;

  if (is_wanted)
    {
      *watch = make (s);
      g_source_attach (*watch, NULL);
    }
  else
    {
      g_source_destroy (*watch);
      g_clear_pointer (watch, g_source_unref);
    }
}

static void
session_watch (struct session *s)
{
  bool is_blocked = s->waiting != NULL;
  bool has_typist = s->input != NULL && !s->input->is_at_end;
  bool is_done = s->ends_with_input && !has_typist && !is_blocked;

  toggle (s, &s->incoming, may_receive (s), watch_incoming);
  toggle (s, &s->outgoing, !s->is_over && is_blocked, watch_outgoing);
  toggle (s, &s->typing, !s->is_over && has_typist && !is_blocked, watch_typing);
  toggle (s, &s->lingering, !s->is_over && is_done, watch_lingering);
}

enum status
session_talk (struct session *s)
{
  /* A server's last peer may have left before it got all that was typed. */
  send_lines (s);

  while (!s->is_over && !g_cancellable_is_cancelled (s->interrupt))
    {
      session_watch (s);
      g_main_context_iteration (NULL, TRUE);
    }

  s->is_over = true;
  session_watch (s);
  return s->status;
}

void
session_clear (struct session *s)
{
  g_autoptr (GError) error = NULL;

  if (!g_dtls_connection_close (s->connection, NULL, &error))
    report_detail ("cannot say good-bye: %s", error->message);

  g_signal_handlers_disconnect_by_data (s->connection, s);
  g_clear_pointer (&s->waiting, g_bytes_unref);
  g_clear_object (&s->connection);
}
