/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The halves are shut and the close_notify is made at once. What may take time is a base that has no room
 * for it, and in 1.3 a server that has not got the client's last flight yet: that is repeated for up to a
 * second, with what was sent behind it. A call that was cancelled meanwhile is completed by the next one.
 */

#include "gio/shutdown.h"

#include "gio/call.h"
#include "gio/connection.h"
#include "gio/news.h"
#include "gio/tasks.h"

static MoatShut
halves_of (gboolean shuts_read, gboolean shuts_write)
{
  return (shuts_read ? MOAT_SHUT_READ : 0) | (shuts_write ? MOAT_SHUT_WRITE : 0);
}

gboolean
moat_shutdown_run (MoatConnection *connection, gboolean shuts_read, gboolean shuts_write,
                   GCancellable *cancellable, GError **error)
{
  MoatPump *pump = &connection->pump;
  MoatCall call;

  if (!connection->is_initialized)
    return TRUE;

  moat_call_init (&call, connection, 0, -1, cancellable);
  if (!moat_call_is_allowed (&call, error))
    return FALSE;

  moat_pump_shut (pump, halves_of (shuts_read, shuts_write));
  moat_news_attend (connection, MOAT_CALLER_BLOCKS, cancellable);

  for (;;)
    {
      call.ticket = moat_wake_ticket (&pump->wake);
      if (moat_pump_is_flushed (pump))
        return TRUE;
      if (!moat_call_wait (&call, error) || !moat_call_is_allowed (&call, error))
        return FALSE;
      moat_pump_step (pump);
    }
}

void
moat_shutdown_run_async (MoatConnection *connection, gboolean shuts_read, gboolean shuts_write,
                         int io_priority, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = moat_task_new (connection, moat_shutdown_run_async, io_priority,
                                          cancellable, callback, user_data);
  MoatPump *pump = &connection->pump;

  if (!connection->is_initialized)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (moat_task_is_hopeless (task))
    return;

  moat_task_watch_cancellable (task);
  g_mutex_lock (&pump->control);
  g_queue_push_tail (&connection->handshake.shutdowns, g_object_ref (task));
  g_mutex_unlock (&pump->control);

  /* Most often that was all. It waits for no news: they go to the handshake's context, which may not
   * run any more. */
  moat_pump_shut (pump, halves_of (shuts_read, shuts_write));
  moat_news_finish_shutdowns (connection);
  moat_handshake_drive (connection, g_task_get_context (task));
  moat_news_attend (connection, MOAT_CALLER_STARTS, NULL);
}
