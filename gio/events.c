/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the engine reports, and what it asks that can be answered at once. All of it under all locks. */

#include "gio/pump.h"

#include "gio/secret.h"

#include <string.h>

/* Called by the engine. */
static void
on_keylog_line (void *data, const char *line)
{
  MoatPump *self = data;

  g_ptr_array_add (self->keylog_lines, g_strdup (line));
  moat_pump_tell (self, MOAT_NEWS_KEYLOG);
}

void
moat_pump_hear_keylog (MoatPump *self)
{
  if (self->config->settings.keylog == NULL)
    return;

  self->config->engine.keylog = on_keylog_line;
  self->config->engine.keylog_data = self;
}

static void
on_credential_needed (MoatPump *self)
{
  if (self->credential != NULL)
    {
      self->shown = moat_credential_ref (self->credential);
      dtls_conn_answer_credential (self->conn, moat_pump_now (), moat_credential_get (self->shown));
      return;
    }

  self->failure.lacked_certificate = true;
  dtls_conn_answer_credential (self->conn, moat_pump_now (), NULL);
}

/* ------------------------------------------------------------------------------------- sessions */

/* Another thread may have set another certificate since the key was made. */
static bool
has_shown_what_key_says (const MoatPump *self)
{
  struct bytes named = moat_bytes_view (self->config->session_leaf);
  struct bytes shown = { NULL, 0 };

  if (!dtls_conn_was_asked_for_certificate (self->conn))
    return true;
  if (self->shown != NULL)
    shown = moat_credential_get (self->shown)->chain[0];

  return shown.left == named.left
         && (shown.left == 0 || memcmp (shown.at, named.at, shown.left) == 0);
}

/* A client's newest. It is for later connections only if its peer's chain was found good, without
 * anybody's having overlooked anything, under the conditions that its key names. */
static void
keep_session (MoatPump *self)
{
  struct bytes bytes = dtls_conn_session (self->conn);
  GBytes *key = self->config->session_key;
  g_autoptr (GBytes) session = NULL;

  if (bytes.left == 0 || self->phase != MOAT_PHASE_CONNECTED)
    return;

  session = moat_secret_new (bytes);
  if (self->session != NULL && g_bytes_equal (self->session, session))
    return;

  g_clear_pointer (&self->session, g_bytes_unref);
  self->session = g_bytes_ref (session);
  if (key != NULL && self->trust == MOAT_TRUST_EARNED && has_shown_what_key_says (self))
    moat_sessions_store (moat_context_get_sessions (self->config->context), key, session);
}

/* RFC 5246 §7.2.2: the session of a connection that ends with an error is not resumed. */
static void
drop_session (MoatPump *self)
{
  if (self->phase != MOAT_PHASE_CONNECTED)
    return;

  moat_config_drop_session (self->config, dtls_conn_is_resumed (self->conn));
  if (self->session != NULL)
    moat_sessions_drop (moat_context_get_sessions (self->config->context), self->session);
  g_clear_pointer (&self->session, g_bytes_unref);
}

/* --------------------------------------------------------------------------- beginning and end */

static void
on_connected (MoatPump *self)
{
  struct dtls_datagram nothing = { 0 };

  self->phase = MOAT_PHASE_CONNECTED;
  moat_config_wipe_ticket_keys (self->config);
  keep_session (self);
  moat_pump_tell (self, MOAT_NEWS_CONNECTED);

  /* Data that came before its time is there now. */
  moat_pump_feed (self, &nothing, MOAT_ROOM_FOR_ALL);
}

static void
on_failed (MoatPump *self)
{
  enum dtls_error error = dtls_conn_error (self->conn);

  drop_session (self);
  self->failure.peer_alert = dtls_conn_peer_alert (self->conn);
  if (error == DTLS_ERROR_CERTIFICATE_REJECTED)
    self->reason = g_steal_pointer (&self->verdict_reason);
  else if (error == DTLS_ERROR_NO_CREDENTIAL && self->credential_problem != NULL)
    self->reason = g_error_copy (self->credential_problem);

  moat_pump_become_over (self, error);
}

void
moat_pump_take_events (MoatPump *self)
{
  enum dtls_event event;

  while ((event = dtls_conn_next_event (self->conn)) != DTLS_EVENT_NONE)
    switch (event)
      {
      case DTLS_EVENT_CREDENTIAL_NEEDED:
        on_credential_needed (self);
        break;
      case DTLS_EVENT_SIGNATURE_NEEDED:
        /* Every credential of ours has its key, so this does not come; it must not hang if it
         * does. */
        dtls_conn_answer_signature (self->conn, moat_pump_now (), (struct bytes){ 0 });
        break;
      case DTLS_EVENT_VERDICT_NEEDED:
        moat_pump_tell (self, MOAT_NEWS_VERDICT_NEEDED);
        break;
      case DTLS_EVENT_PSK_NEEDED:
        moat_pump_tell (self, MOAT_NEWS_PSK_NEEDED);
        break;
      case DTLS_EVENT_CONNECTED:
        on_connected (self);
        break;
      case DTLS_EVENT_SESSION:
        keep_session (self);
        break;
      case DTLS_EVENT_PEER_CLOSED:
        self->has_peer_closed = true;
        break;
      case DTLS_EVENT_FAILED:
        on_failed (self);
        break;
      case DTLS_EVENT_NONE:
        break;
      }
}
