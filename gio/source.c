/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A source watches the base through a child source, the engine's deadline through its ready
 * time, and other threads through a sleeper. Whatever fires, it steps the connection and then
 * looks at the connection's own state: a datagram that is no message makes nobody's callback
 * run. */

#include "gio/source.h"

#include "gio/connection.h"
#include "gio/news.h"

typedef struct
{
  GSource source;

  MoatConnection *connection; /* (owned) (nullable): an application's source keeps it */
  GWeakRef weak;              /* the driver does not */
  bool is_driver;
  GIOCondition wanted;
  GCancellable *cancellable; /* (owned) (nullable) */
  MoatSleeper *sleeper;      /* (owned) */

  GSource *child; /* (owned) (nullable): on the base, for `child_condition` */
  GIOCondition child_condition;
  GIOCondition base_ready; /* what the child reported in this iteration */
} MoatSource;

static MoatConnection *
dup_connection (MoatSource *self)
{
  if (self->is_driver)
    return g_weak_ref_get (&self->weak);

  return g_object_ref (self->connection);
}

static gboolean
on_child_ready (G_GNUC_UNUSED gpointer base, GIOCondition condition, gpointer data)
{
  MoatSource *self = data;

  self->base_ready |= condition;

  return G_SOURCE_CONTINUE;
}

static void
drop_child (MoatSource *self)
{
  if (self->child == NULL)
    return;

  g_source_destroy (self->child);
  g_clear_pointer (&self->child, g_source_unref);
  self->child_condition = 0;
}

/* True if there is a new child. GLib has passed its turn in this iteration. */
static bool
watch_base (MoatSource *self, MoatConnection *connection)
{
  GIOCondition interest = moat_pump_interest (&connection->pump, self->wanted);

  if (self->child != NULL && g_source_is_destroyed (self->child))
    drop_child (self);
  if (interest == self->child_condition)
    return false;

  drop_child (self);
  if (interest == 0)
    return false;

  /* A child is destroyed with its parent, and lets go of it then. */
  self->child =
      moat_base_create_source (&connection->pump.base, interest, on_child_ready,
                               g_source_ref (&self->source), (GDestroyNotify) g_source_unref);
  if (self->child == NULL)
    {
      moat_pump_lose_base (&connection->pump,
                           g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED,
                                                "The base socket cannot be waited for"));
      return false;
    }

  self->child_condition = interest;
  g_source_add_child_source (&self->source, self->child);

  /* Another thread may have destroyed the parent before it had this child. */
  if (!g_source_is_destroyed (&self->source))
    return true;

  drop_child (self);
  return false;
}

static void
watch_deadline (MoatSource *self, MoatConnection *connection)
{
  dtls_time deadline = moat_pump_deadline (&connection->pump);

  g_source_set_ready_time (&self->source, deadline == DTLS_NEVER ? -1 : (gint64) deadline);
}

static bool
is_ready (MoatSource *self, MoatConnection *connection)
{
  GIOCondition ready = moat_pump_ready (&connection->pump, 0);

  return !self->is_driver && (ready & (self->wanted | G_IO_ERR | G_IO_HUP)) != 0;
}

/* Attaching a source is I/O: the handshake starts. */
static void
start (MoatSource *self, MoatConnection *connection)
{
  if (moat_pump_phase (&connection->pump) != MOAT_PHASE_FRESH)
    return;

  moat_connection_begin (connection);
  moat_pump_step (&connection->pump);
  moat_handshake_drive (connection, g_source_get_context (&self->source));
  moat_news_attend (connection, MOAT_CALLER_STARTS, NULL);
}

static gboolean
moat_source_prepare (GSource *source, gint *timeout)
{
  MoatSource *self = (MoatSource *) source;
  g_autoptr (MoatConnection) connection = dup_connection (self);

  *timeout = -1;
  if (connection == NULL || !connection->is_initialized)
    return TRUE;

  start (self, connection);
  if (is_ready (self, connection))
    return TRUE;

  if (watch_base (self, connection))
    *timeout = 0;
  watch_deadline (self, connection);

  /* Whoever wakes us says so before he rings, so what comes after this ends the poll. */
  return moat_sleeper_is_woken (self->sleeper) || is_ready (self, connection)
         || moat_news_waits_here (connection);
}

/* Children and the ready time are GLib's to check. */
static gboolean
moat_source_check (GSource *source)
{
  MoatSource *self = (MoatSource *) source;
  g_autoptr (MoatConnection) connection = dup_connection (self);

  if (connection == NULL || !connection->is_initialized)
    return TRUE;

  return moat_sleeper_is_woken (self->sleeper) || is_ready (self, connection);
}

/* After a dispatch: a child that is always ready, as one for OUT can be, keeps GLib from ever
 * preparing its parent again. */
static void
watch_anew (MoatSource *self, MoatConnection *connection)
{
  if (g_source_is_destroyed (&self->source) || !connection->is_initialized)
    return;

  (void) watch_base (self, connection);
  watch_deadline (self, connection);
}

static gboolean
dispatch_driver (MoatSource *self, MoatConnection *connection)
{
  moat_pump_step (&connection->pump);
  moat_news_attend (connection, MOAT_CALLER_DISPATCHES, NULL);
  if (!moat_handshake_keep_driver (connection, &self->source))
    return G_SOURCE_REMOVE;

  watch_anew (self, connection);

  return G_SOURCE_CONTINUE;
}

static GIOCondition
look (MoatSource *self, MoatConnection *connection, GIOCondition base_ready)
{
  GIOCondition mask = self->wanted | G_IO_ERR | G_IO_HUP;

  if (!connection->is_initialized)
    return G_IO_ERR;

  if ((base_ready & G_IO_IN) || !(moat_pump_ready (&connection->pump, base_ready) & mask)
      || !moat_pump_is_steady_for_reading (&connection->pump))
    {
      if (self->wanted & G_IO_IN)
        moat_pump_attend (&connection->pump);
      moat_pump_step (&connection->pump);
      moat_news_attend (connection, MOAT_CALLER_DISPATCHES, NULL);
    }

  return moat_pump_ready (&connection->pump, base_ready) & mask;
}

static gboolean
dispatch_application (MoatSource *self, MoatConnection *connection, GIOCondition base_ready,
                      GDatagramBasedSourceFunc func, gpointer data)
{
  GIOCondition ready = look (self, connection, base_ready);

  if (func == NULL)
    return G_SOURCE_REMOVE;
  if ((ready != 0 || g_cancellable_is_cancelled (self->cancellable))
      && !func (G_DATAGRAM_BASED (connection), ready, data))
    return G_SOURCE_REMOVE;

  watch_anew (self, connection);

  return G_SOURCE_CONTINUE;
}

static gboolean
moat_source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  MoatSource *self = (MoatSource *) source;
  GDatagramBasedSourceFunc func = (GDatagramBasedSourceFunc) G_CALLBACK (callback);
  g_autoptr (MoatConnection) connection = dup_connection (self);
  GIOCondition base_ready = self->base_ready;

  self->base_ready = 0;
  (void) moat_sleeper_was_woken (self->sleeper);
  if (connection == NULL)
    return G_SOURCE_REMOVE;
  if (self->is_driver)
    return dispatch_driver (self, connection);

  return dispatch_application (self, connection, base_ready, func, data);
}

static void
moat_source_finalize (GSource *source)
{
  MoatSource *self = (MoatSource *) source;
  MoatConnection *connection = dup_connection (self);

  g_clear_pointer (&self->child, g_source_unref);
  moat_sleeper_retire (self->sleeper, connection != NULL ? &connection->pump.wake : NULL);
  moat_sleeper_unref (self->sleeper);

  g_clear_object (&connection);
  g_clear_object (&self->connection);
  g_clear_object (&self->cancellable);
  g_weak_ref_clear (&self->weak);
}

/* For bindings: a closure in place of a GDatagramBasedSourceFunc. */
static gboolean
call_closure (GDatagramBased *object, GIOCondition condition, gpointer data)
{
  GValue result = G_VALUE_INIT;
  GValue params[2] = { G_VALUE_INIT, G_VALUE_INIT };
  gboolean goes_on;

  g_value_init (&result, G_TYPE_BOOLEAN);
  g_value_init (&params[0], G_TYPE_DATAGRAM_BASED);
  g_value_set_object (&params[0], object);
  g_value_init (&params[1], G_TYPE_IO_CONDITION);
  g_value_set_flags (&params[1], condition);

  g_closure_invoke (data, &result, G_N_ELEMENTS (params), params, NULL);

  goes_on = g_value_get_boolean (&result);
  g_value_unset (&result);
  g_value_unset (&params[0]);
  g_value_unset (&params[1]);

  return goes_on;
}

static GSourceFuncs moat_source_funcs = {
  .prepare = moat_source_prepare,
  .check = moat_source_check,
  .dispatch = moat_source_dispatch,
  .finalize = moat_source_finalize,
  .closure_callback = G_SOURCE_FUNC (call_closure),
  .closure_marshal = (GSourceDummyMarshal) G_CALLBACK (g_cclosure_marshal_generic),
};

static MoatSource *
source_new (MoatConnection *connection, const char *name)
{
  GSource *source = g_source_new (&moat_source_funcs, sizeof (MoatSource));
  MoatSource *self = (MoatSource *) source;

  g_source_set_static_name (source, name);
  self->sleeper = moat_sleeper_new (&connection->pump.wake, source);

  return self;
}

static gboolean
on_cancelled (G_GNUC_UNUSED GCancellable *cancellable, G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_CONTINUE;
}

GSource *
moat_source_new (MoatConnection *connection, GIOCondition condition, GCancellable *cancellable)
{
  MoatSource *self = source_new (connection, "MoatConnection");

  g_weak_ref_init (&self->weak, NULL);
  self->connection = g_object_ref (connection);
  self->wanted = condition & (G_IO_IN | G_IO_OUT);

  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

      self->cancellable = g_object_ref (cancellable);
      g_source_set_callback (cancelled, G_SOURCE_FUNC (on_cancelled), NULL, NULL);
      g_source_add_child_source (&self->source, cancelled);
    }

  return &self->source;
}

GSource *
moat_source_new_driver (MoatConnection *connection)
{
  MoatSource *self = source_new (connection, "MoatConnection driver");

  self->is_driver = true;
  g_weak_ref_init (&self->weak, connection);

  return &self->source;
}
