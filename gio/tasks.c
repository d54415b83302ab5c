/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Whoever takes a task out of its queue returns it: the end of what it waits for, or its
 * cancellable. */

#include "gio/tasks.h"

#include "gio/connection.h"

GTask *
moat_task_new (MoatConnection *connection, gpointer source_tag, int io_priority,
               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (connection, cancellable, callback, user_data);

  g_task_set_source_tag (task, source_tag);
  g_task_set_priority (task, io_priority);

  return task;
}

bool
moat_task_is_hopeless (GTask *task)
{
  MoatConnection *connection = g_task_get_source_object (task);

  if (!connection->is_initialized)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
                               "The DTLS connection was never initialized");
      return true;
    }

  return g_task_return_error_if_cancelled (task);
}

/* In the task's context. The handshake itself goes on. */
static gboolean
on_task_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer data)
{
  GTask *task = data;
  MoatConnection *connection = g_task_get_source_object (task);
  bool was_waiting;

  g_mutex_lock (&connection->pump.control);
  was_waiting = g_queue_remove (&connection->handshake.handshakes, task)
                || g_queue_remove (&connection->handshake.shutdowns, task);
  g_mutex_unlock (&connection->pump.control);

  if (was_waiting)
    {
      g_task_return_error_if_cancelled (task);
      g_object_unref (task);
    }

  return G_SOURCE_REMOVE;
}

static void
destroy_source (gpointer source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

/* The source holds the task until it is destroyed, which moat_task_finish does. */
void
moat_task_watch_cancellable (GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  GSource *source;

  if (cancellable == NULL)
    return;

  source = g_cancellable_source_new (cancellable);
  g_source_set_callback (source, G_SOURCE_FUNC (on_task_cancelled), g_object_ref (task),
                         g_object_unref);
  g_task_set_task_data (task, source, destroy_source);
  g_source_attach (source, g_task_get_context (task));
}

GTask *
moat_task_take (MoatConnection *connection, GQueue *tasks)
{
  GTask *task;

  g_mutex_lock (&connection->pump.control);
  task = g_queue_pop_head (tasks);
  g_mutex_unlock (&connection->pump.control);

  return task;
}

typedef struct
{
  GTask *task;
  GError *problem; /* (nullable) */
} Ending;

static void
ending_free (gpointer data)
{
  Ending *self = data;

  g_clear_error (&self->problem);
  g_object_unref (self->task);
  g_free (self);
}

/* In the task's context. */
static gboolean
on_ending (gpointer data)
{
  Ending *self = data;

  if (self->problem != NULL)
    g_task_return_error (self->task, g_steal_pointer (&self->problem));
  else
    g_task_return_boolean (self->task, TRUE);

  return G_SOURCE_REMOVE;
}

/* Takes `problem`. GTask alone would call back at once in the middle of an application's close() or
 * receive, if that is called in the task's context. */
void
moat_task_finish (GTask *task, GError *problem)
{
  GSource *cancelled = g_task_get_task_data (task);
  g_autoptr (GSource) source = g_idle_source_new ();
  Ending *ending = g_new (Ending, 1);

  if (cancelled != NULL)
    g_source_destroy (cancelled);

  *ending = (Ending){ task, problem };
  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_callback (source, on_ending, ending, ending_free);
  g_source_attach (source, g_task_get_context (task));
}
