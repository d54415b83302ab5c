/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every call runs the same loop: enter, try, wait. A time-out or a cancellation ends the call
 * and leaves the connection as it is. */

#include "gio/call.h"

#include "gio/connection.h"
#include "gio/news.h"
#include "gio/verdict.h"

/* Beyond what GSource can be told there is no difference to waiting without end. */
static dtls_time
end_of (gint64 timeout)
{
  gint64 now = g_get_monotonic_time ();

  return timeout > 0 && timeout <= G_MAXINT64 - now ? (dtls_time) (now + timeout) : DTLS_NEVER;
}

void
moat_call_init (MoatCall *self, MoatConnection *connection, GIOCondition wanted, gint64 timeout,
                GCancellable *cancellable)
{
  *self = (MoatCall){
    .connection = connection,
    .caller = timeout == 0 ? MOAT_CALLER_POLLS : MOAT_CALLER_BLOCKS,
    .wanted = wanted,
    .timeout = timeout,
    .until = end_of (timeout),
    .cancellable = cancellable,
  };
}

bool
moat_call_is_allowed (const MoatCall *self, GError **error)
{
  if (!self->connection->is_initialized)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                           "The DTLS connection was never initialized");
      return false;
    }
  if (self->timeout != 0 && moat_verdict_is_inside (self->connection))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                           "A handler that the DTLS handshake waits for cannot wait for it");
      return false;
    }

  return !g_cancellable_set_error_if_cancelled (self->cancellable, error);
}

static bool
take_soft_error (MoatPump *pump, GError **error)
{
  GError *problem;

  g_mutex_lock (&pump->control);
  problem = g_steal_pointer (&pump->soft_error);
  g_mutex_unlock (&pump->control);

  if (problem == NULL)
    return false;

  g_propagate_error (error, problem);
  return true;
}

bool
moat_call_enter (MoatCall *self, GError **error)
{
  MoatPump *pump = &self->connection->pump;

  self->ticket = moat_wake_ticket (&pump->wake);

  /* Whatever ended the wait: what has come meanwhile goes before a cancellation. */
  if (!self->has_waited && !moat_call_is_allowed (self, error))
    return false;
  self->has_waited = false;

  if (self->wanted == G_IO_IN ? moat_pump_is_steady_for_reading (pump)
                              : moat_pump_is_steady_for_writing (pump))
    return true;

  moat_connection_begin (self->connection);
  if (self->wanted == G_IO_IN)
    moat_pump_attend (pump);
  moat_pump_step (pump);
  if (self->caller == MOAT_CALLER_POLLS)
    moat_handshake_drive (self->connection, NULL);
  moat_news_attend (self->connection, self->caller, self->cancellable);

  return !take_soft_error (pump, error);
}

bool
moat_call_has_time (const MoatCall *self, GError **error)
{
  if (self->timeout == 0)
    {
      moat_error_set_would_block (error);
      return false;
    }
  if ((dtls_time) g_get_monotonic_time () >= self->until)
    {
      moat_error_set_timed_out (error);
      return false;
    }

  return true;
}

bool
moat_call_wait (MoatCall *self, GError **error)
{
  MoatPump *pump = &self->connection->pump;
  dtls_time until = MIN (self->until, moat_pump_deadline (pump));

  if (g_cancellable_set_error_if_cancelled (self->cancellable, error)
      || !moat_call_has_time (self, error))
    return false;

  switch (moat_wake_wait (&pump->wake, self->ticket, &pump->base,
                          moat_pump_interest (pump, self->wanted), until, self->cancellable))
    {
    case MOAT_WAIT_OVER:
      break;
    case MOAT_WAIT_WITHOUT_BASE:
      moat_pump_lose_base (pump, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED,
                                                      "The base socket cannot be waited for"));
      break;
    case MOAT_WAIT_WITHOUT_DESCRIPTOR:
      /* That is the process's trouble and may pass: only this call fails. */
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES,
                           "There is no file descriptor to wait with");
      return false;
    }
  self->has_waited = true;

  return true;
}
