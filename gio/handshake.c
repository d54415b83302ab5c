/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A handshake that somebody waits for, and the driver of one that nobody waits for. */

#include "gio/handshake.h"

#include "gio/call.h"
#include "gio/connection.h"
#include "gio/news.h"
#include "gio/source.h"
#include "gio/tasks.h"

/* ----------------------------------------------------------------------------------- the driver */

static void
destroy_source (GSource *source)
{
  if (source == NULL)
    return;

  g_source_destroy (source);
  g_source_unref (source);
}

/* Under the control lock. */
static void
set_context (MoatHandshake *self, GMainContext *context)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->home, g_thread_unref);
  self->context = g_main_context_ref (context);
  self->home = g_thread_ref (g_thread_self ());
}

/* Under the control lock. The context of a task that waits will run; a poller's may never. */
static GMainContext *
place_of_driver (MoatHandshake *self, GMainContext *caller)
{
  GTask *task = g_queue_peek_head (&self->shutdowns);

  if (task == NULL)
    task = g_queue_peek_head (&self->handshakes);

  return task != NULL ? g_task_get_context (task) : caller;
}

/* Under the control lock. */
static void
attach_driver (MoatConnection *connection, GMainContext *place)
{
  MoatHandshake *self = &connection->handshake;

  self->driver = moat_source_new_driver (connection);
  self->driver_place = place;
  g_source_set_priority (self->driver, self->priority);
  g_source_attach (self->driver, place);
}

void
moat_handshake_drive (MoatConnection *connection, GMainContext *context)
{
  MoatHandshake *self = &connection->handshake;
  g_autoptr (GMainContext) where =
      context != NULL ? g_main_context_ref (context) : g_main_context_ref_thread_default ();
  GMainContext *place;
  GSource *old = NULL;

  g_mutex_lock (&connection->pump.control);
  if (self->context == NULL && !self->is_told)
    set_context (self, where);
  place = place_of_driver (self, where);
  /* Contexts end, with what is attached there, and another one may have the same address. */
  if (self->driver != NULL && (self->driver_place != place || g_source_is_destroyed (self->driver)))
    old = g_steal_pointer (&self->driver);
  if (self->driver == NULL && moat_pump_needs_driving (&connection->pump))
    attach_driver (connection, place);
  g_mutex_unlock (&connection->pump.control);

  /* It may be running in its thread this moment, for the last time. */
  destroy_source (old);
}

bool
moat_handshake_keep_driver (MoatConnection *connection, GSource *driver)
{
  bool is_wanted;

  g_mutex_lock (&connection->pump.control);
  is_wanted = connection->handshake.driver == driver && moat_pump_needs_driving (&connection->pump);
  if (!is_wanted && connection->handshake.driver == driver)
    g_clear_pointer (&connection->handshake.driver, g_source_unref);
  g_mutex_unlock (&connection->pump.control);

  return is_wanted;
}

void
moat_handshake_abandon (MoatConnection *connection)
{
  MoatHandshake *self = &connection->handshake;
  g_autoptr (GCancellable) inquiry = NULL;
  GSource *driver;
  GSource *errand;

  g_mutex_lock (&connection->pump.control);
  driver = g_steal_pointer (&self->driver);
  errand = g_steal_pointer (&self->errand);
  inquiry = g_steal_pointer (&self->inquiry);
  g_mutex_unlock (&connection->pump.control);

  destroy_source (driver);
  destroy_source (errand);
  g_cancellable_cancel (inquiry);
}

void
moat_handshake_clear (MoatHandshake *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->home, g_thread_unref);
  g_clear_object (&self->inquiry);
  g_clear_object (&self->peer);
}

/* -------------------------------------------------------------------------------- the handshake */

GError *
moat_handshake_dup_error (MoatConnection *connection, MoatTimeoutClass timeout_class)
{
  MoatPump *pump = &connection->pump;
  GError *error;

  g_mutex_lock (&pump->read);
  error = moat_pump_error_locked (pump, timeout_class);
  if (error == NULL && pump->is_read_shut && pump->is_write_shut)
    moat_error_set_closed (&error);
  g_mutex_unlock (&pump->read);

  return error;
}

static bool
is_decided (MoatConnection *connection, GError **out_error)
{
  *out_error = moat_handshake_dup_error (connection, MOAT_MAY_TIME_OUT);

  return *out_error != NULL || moat_pump_phase (&connection->pump) == MOAT_PHASE_CONNECTED;
}

static gboolean
run (MoatCall *call, GError **error)
{
  GError *problem = NULL;

  do
    {
      if (!moat_call_enter (call, error))
        return FALSE;
      if (is_decided (call->connection, &problem))
        {
          if (problem != NULL)
            g_propagate_error (error, problem);
          return problem == NULL;
        }
    }
  while (moat_call_wait (call, error));

  return FALSE;
}

static void
count_runners (MoatConnection *connection, int change)
{
  g_mutex_lock (&connection->pump.control);
  connection->handshake.n_running += change;
  g_mutex_unlock (&connection->pump.control);
}

gboolean
moat_handshake_run (MoatConnection *connection, GCancellable *cancellable, GError **error)
{
  MoatCall call;
  gboolean is_done;

  moat_call_init (&call, connection, 0, -1, cancellable);
  call.caller = MOAT_CALLER_HANDSHAKES;

  count_runners (connection, 1);
  is_done = run (&call, error);
  count_runners (connection, -1);

  /* What was left for us is for somebody else now. */
  if (g_atomic_int_get (&connection->pump.news) != 0)
    {
      moat_news_attend (connection, MOAT_CALLER_STARTS, NULL);
      moat_wake_all (&connection->pump.wake);
    }

  return is_done;
}

/* Signals of this handshake belong to the caller's context, unless another one was there before. */
static void
queue_handshake (MoatConnection *connection, GTask *task)
{
  MoatHandshake *self = &connection->handshake;

  g_mutex_lock (&connection->pump.control);
  if (g_queue_is_empty (&self->handshakes) && !self->is_asking)
    {
      set_context (self, g_task_get_context (task));
      self->priority = g_task_get_priority (task);
    }
  g_queue_push_tail (&self->handshakes, g_object_ref (task));
  g_mutex_unlock (&connection->pump.control);
}

void
moat_handshake_run_async (MoatConnection *connection, int io_priority, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = moat_task_new (connection, moat_handshake_run_async, io_priority,
                                          cancellable, callback, user_data);
  GError *problem = NULL;

  if (moat_task_is_hopeless (task))
    return;
  if (is_decided (connection, &problem))
    {
      moat_task_finish (g_steal_pointer (&task), problem);
      return;
    }

  moat_task_watch_cancellable (task);
  queue_handshake (connection, task);

  moat_connection_begin (connection);
  moat_pump_step (&connection->pump);
  moat_handshake_drive (connection, g_task_get_context (task));
  /* It may have ended before the task was in the queue. */
  if (is_decided (connection, &problem))
    g_atomic_int_or ((guint *) &connection->pump.news, MOAT_NEWS_CONNECTED);
  g_clear_error (&problem);
  moat_news_attend (connection, MOAT_CALLER_STARTS, NULL);
}
