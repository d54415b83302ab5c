/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One lock for both ends. Two eventfds of each say what it is ready for, and sources poll those: GLib has
 * no call for another thread to make a source ready that may not be attached yet. */

#include "pair-base.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  guint times;
  GIOErrorEnum code;
} Fault;

struct _PairBase
{
  GObject parent_instance;

  GMutex *lock;    /* (owned) shared; over everything below in both ends */
  PairBase *other; /* (unowned) (nullable): gone */

  int in;          /* readable while we are */
  int out;         /* readable while we are writable */
  GQueue incoming; /* of GBytes */
  GQueue held;     /* of GBytes */
  GPtrArray *sent; /* of GBytes */

  PairScript script; /* (nullable) */
  gpointer script_data;
  guint script_index;

  guint send_room;
  gboolean is_receive_blocked;
  gboolean is_at_end;
  Fault send_fault;
  Fault receive_fault;
  guint n_receive_calls;
  guint largest_batch;
};

typedef struct
{
  GSource source;
  PairBase *base; /* (owned) */
  GIOCondition condition;
} PairSource;

static void datagram_based_iface_init (GDatagramBasedInterface *iface);

G_DEFINE_TYPE_WITH_CODE (PairBase, pair_base, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_DATAGRAM_BASED, datagram_based_iface_init))

/* ------------------------------------------------------------------------------------- readiness */

static GIOCondition
readiness (PairBase *self)
{
  GIOCondition condition = 0;

  if (!self->is_receive_blocked
      && (self->incoming.length > 0 || self->is_at_end || self->receive_fault.times > 0))
    condition |= G_IO_IN;
  if (self->send_room > 0 || self->send_fault.times > 0)
    condition |= G_IO_OUT;

  return condition;
}

static void
show (int fd, gboolean is_ready)
{
  guint64 count = 1;

  if (is_ready)
    g_assert_cmpint (write (fd, &count, sizeof count), ==, sizeof count);
  else
    (void) !read (fd, &count, sizeof count);
}

/* Ends every change of the state. */
static void
show_and_unlock (PairBase *self)
{
  PairBase *ends[] = { self, self->other };

  for (guint i = 0; i < G_N_ELEMENTS (ends) && ends[i] != NULL; i++)
    {
      show (ends[i]->in, (readiness (ends[i]) & G_IO_IN) != 0);
      show (ends[i]->out, (readiness (ends[i]) & G_IO_OUT) != 0);
    }
  g_mutex_unlock (self->lock);
}

static gboolean
pair_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  PairSource *self = (PairSource *) source;
  GDatagramBasedSourceFunc func = (GDatagramBasedSourceFunc) G_CALLBACK (callback);
  GIOCondition ready;

  g_mutex_lock (self->base->lock);
  ready = readiness (self->base) & self->condition;
  g_mutex_unlock (self->base->lock);

  if (ready == 0 || func == NULL)
    return G_SOURCE_CONTINUE;

  return func (G_DATAGRAM_BASED (self->base), ready, user_data);
}

static void
pair_source_finalize (GSource *source)
{
  PairSource *self = (PairSource *) source;

  g_object_unref (self->base);
}

static GSourceFuncs pair_source_funcs = {
  .dispatch = pair_source_dispatch,
  .finalize = pair_source_finalize,
};

static GSource *
pair_base_create_source (GDatagramBased *based, GIOCondition condition, GCancellable *cancellable)
{
  PairBase *self = PAIR_BASE (based);
  GSource *source = g_source_new (&pair_source_funcs, sizeof (PairSource));
  PairSource *pair_source = (PairSource *) source;

  g_source_set_static_name (source, "PairBase");
  pair_source->base = g_object_ref (self);
  pair_source->condition = condition;
  if (cancellable != NULL)
    {
      g_autoptr (GSource) child = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (child);
      g_source_add_child_source (source, child);
    }

  if (condition & G_IO_IN)
    g_source_add_unix_fd (source, self->in, G_IO_IN);
  if (condition & G_IO_OUT)
    g_source_add_unix_fd (source, self->out, G_IO_IN);

  return source;
}

static GIOCondition
pair_base_condition_check (GDatagramBased *based, GIOCondition condition)
{
  g_assert_not_reached ();
}

static gboolean
pair_base_condition_wait (GDatagramBased *based, GIOCondition condition, gint64 timeout,
                          GCancellable *cancellable, GError **error)
{
  g_assert_not_reached ();
}

/* ------------------------------------------------------------------------------- in and out */

static gboolean
fault_strikes (Fault *fault, GError **error)
{
  if (fault->times == 0)
    return FALSE;

  fault->times--;
  g_set_error_literal (error, G_IO_ERROR, (gint) fault->code, "What the script wanted");

  return TRUE;
}

static void
set_would_block (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "Not now");
}

static void
scatter (GBytes *datagram, GInputMessage *message)
{
  gsize len;
  const guint8 *at = g_bytes_get_data (datagram, &len);
  gsize done = 0;

  for (guint i = 0; i < message->num_vectors && done < len; i++)
    {
      gsize part = MIN (message->vectors[i].size, len - done);

      memcpy (message->vectors[i].buffer, at + done, part);
      done += part;
    }

  message->bytes_received = done;
  message->flags = done < len ? MSG_TRUNC : 0;
  if (message->address != NULL)
    *message->address = NULL;
  if (message->control_messages != NULL)
    *message->control_messages = NULL;
  if (message->num_control_messages != NULL)
    *message->num_control_messages = 0;
}

static gint
pair_base_receive_messages (GDatagramBased *based, GInputMessage *messages, guint num_messages,
                            gint flags, gint64 timeout, GCancellable *cancellable, GError **error)
{
  PairBase *self = PAIR_BASE (based);
  guint n = 0;

  g_assert_cmpint (flags, ==, 0);
  g_assert_cmpint (timeout, ==, 0);

  g_mutex_lock (self->lock);
  self->n_receive_calls++;
  if (fault_strikes (&self->receive_fault, error))
    {
      show_and_unlock (self);
      return -1;
    }

  while (!self->is_receive_blocked && n < num_messages && self->incoming.length > 0)
    {
      g_autoptr (GBytes) datagram = g_queue_pop_head (&self->incoming);

      scatter (datagram, &messages[n++]);
    }
  if (n == 0 && num_messages > 0 && (!self->is_at_end || self->is_receive_blocked))
    {
      show_and_unlock (self);
      set_would_block (error);
      return -1;
    }
  show_and_unlock (self);

  return (gint) n;
}

static GBytes *
gather (const GOutputMessage *message)
{
  GByteArray *bytes = g_byte_array_new ();

  for (guint i = 0; i < message->num_vectors; i++)
    g_byte_array_append (bytes, message->vectors[i].buffer, (guint) message->vectors[i].size);

  return g_byte_array_free_to_bytes (bytes);
}

static void
deliver (PairBase *self, GBytes *datagram)
{
  if (self->other == NULL)
    return;

  g_queue_push_tail (&self->other->incoming, g_bytes_ref (datagram));
}

static PairFate
fate_of (PairBase *self, GBytes *datagram)
{
  gsize len;
  const guint8 *at = g_bytes_get_data (datagram, &len);

  if (self->script == NULL)
    return PAIR_DELIVER;

  return self->script (self->script_index++, at, len, self->script_data);
}

static void
send_one (PairBase *self, GBytes *datagram)
{
  g_ptr_array_add (self->sent, g_bytes_ref (datagram));

  switch (fate_of (self, datagram))
    {
    case PAIR_DUPLICATE:
      deliver (self, datagram);
      deliver (self, datagram);
      break;
    case PAIR_DELIVER:
      deliver (self, datagram);
      break;
    case PAIR_HOLD:
      g_queue_push_tail (&self->held, g_bytes_ref (datagram));
      break;
    case PAIR_DROP:
      break;
    }
}

static gint
pair_base_send_messages (GDatagramBased *based, GOutputMessage *messages, guint num_messages,
                         gint flags, gint64 timeout, GCancellable *cancellable, GError **error)
{
  PairBase *self = PAIR_BASE (based);
  guint n;

  g_assert_cmpint (flags, ==, 0);
  g_assert_cmpint (timeout, ==, 0);

  g_mutex_lock (self->lock);
  if (fault_strikes (&self->send_fault, error))
    {
      show_and_unlock (self);
      return -1;
    }
  n = MIN (num_messages, self->send_room);
  if (n == 0 && num_messages > 0)
    {
      show_and_unlock (self);
      set_would_block (error);
      return -1;
    }

  self->largest_batch = MAX (self->largest_batch, num_messages);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GBytes) datagram = gather (&messages[i]);

      send_one (self, datagram);
      messages[i].bytes_sent = (guint) g_bytes_get_size (datagram);
    }
  if (self->send_room != G_MAXUINT)
    self->send_room -= n;
  show_and_unlock (self);

  return (gint) n;
}

static void
datagram_based_iface_init (GDatagramBasedInterface *iface)
{
  iface->receive_messages = pair_base_receive_messages;
  iface->send_messages = pair_base_send_messages;
  iface->create_source = pair_base_create_source;
  iface->condition_check = pair_base_condition_check;
  iface->condition_wait = pair_base_condition_wait;
}

/* -------------------------------------------------------------------------- what tests look at */

static guint
get_locked (PairBase *self, const guint *field)
{
  guint value;

  g_mutex_lock (self->lock);
  value = *field;
  show_and_unlock (self);

  return value;
}

guint
pair_base_n_held (PairBase *self)
{
  return get_locked (self, &self->held.length);
}

guint
pair_base_n_queued (PairBase *self)
{
  return get_locked (self, &self->incoming.length);
}

guint
pair_base_n_sent (PairBase *self)
{
  return get_locked (self, &self->sent->len);
}

guint
pair_base_n_receive_calls (PairBase *self)
{
  return get_locked (self, &self->n_receive_calls);
}

guint
pair_base_largest_batch (PairBase *self)
{
  return get_locked (self, &self->largest_batch);
}

GBytes *
pair_base_dup_sent (PairBase *self, guint index)
{
  GBytes *bytes;

  g_mutex_lock (self->lock);
  g_assert_cmpuint (index, <, self->sent->len);
  bytes = g_bytes_ref (self->sent->pdata[index]);
  show_and_unlock (self);

  return bytes;
}

/* -------------------------------------------------------------------------- what tests change */

void
pair_base_set_script (PairBase *self, PairScript script, gpointer user_data)
{
  g_mutex_lock (self->lock);
  self->script = script;
  self->script_data = user_data;
  self->script_index = 0;
  show_and_unlock (self);
}

static void
release (PairBase *self, GBytes *(*pop) (GQueue *) )
{
  g_mutex_lock (self->lock);
  while (self->held.length > 0)
    {
      g_autoptr (GBytes) datagram = pop (&self->held);

      deliver (self, datagram);
    }
  show_and_unlock (self);
}

static GBytes *
pop_oldest (GQueue *queue)
{
  return g_queue_pop_head (queue);
}

static GBytes *
pop_newest (GQueue *queue)
{
  return g_queue_pop_tail (queue);
}

void
pair_base_release (PairBase *self)
{
  release (self, pop_oldest);
}

void
pair_base_release_backwards (PairBase *self)
{
  release (self, pop_newest);
}

void
pair_base_release_joined (PairBase *self)
{
  GByteArray *all = g_byte_array_new ();
  g_autoptr (GBytes) datagram = NULL;

  g_mutex_lock (self->lock);
  while (self->held.length > 0)
    {
      g_autoptr (GBytes) part = g_queue_pop_head (&self->held);
      gsize len;
      const guint8 *at = g_bytes_get_data (part, &len);

      g_byte_array_append (all, at, (guint) len);
    }

  datagram = g_byte_array_free_to_bytes (all);
  deliver (self, datagram);
  show_and_unlock (self);
}

void
pair_base_inject (PairBase *self, gconstpointer at, gsize len)
{
  g_mutex_lock (self->lock);
  g_queue_push_tail (&self->incoming, g_bytes_new (at, len));
  show_and_unlock (self);
}

void
pair_base_end (PairBase *self)
{
  g_mutex_lock (self->lock);
  self->is_at_end = TRUE;
  show_and_unlock (self);
}

void
pair_base_set_send_room (PairBase *self, guint n)
{
  g_mutex_lock (self->lock);
  self->send_room = n;
  show_and_unlock (self);
}

void
pair_base_set_receive_blocked (PairBase *self, gboolean is_blocked)
{
  g_mutex_lock (self->lock);
  self->is_receive_blocked = is_blocked;
  show_and_unlock (self);
}

static void
set_fault (PairBase *self, Fault *fault, guint times, GIOErrorEnum code)
{
  g_mutex_lock (self->lock);
  *fault = (Fault){ times, code };
  show_and_unlock (self);
}

void
pair_base_fail_sends (PairBase *self, guint times, GIOErrorEnum code)
{
  set_fault (self, &self->send_fault, times, code);
}

void
pair_base_fail_receives (PairBase *self, guint times, GIOErrorEnum code)
{
  set_fault (self, &self->receive_fault, times, code);
}

/* -------------------------------------------------------------------------------- the objects */

static void
clear_lock (gpointer lock)
{
  g_mutex_clear (lock);
}

static void
clear_queue (GQueue *queue)
{
  g_queue_clear_full (queue, (GDestroyNotify) g_bytes_unref);
}

static void
pair_base_finalize (GObject *object)
{
  PairBase *self = PAIR_BASE (object);

  g_mutex_lock (self->lock);
  if (self->other != NULL)
    self->other->other = NULL;
  g_mutex_unlock (self->lock);

  close (self->in);
  close (self->out);
  g_ptr_array_unref (self->sent);
  clear_queue (&self->incoming);
  clear_queue (&self->held);
  g_atomic_rc_box_release_full (self->lock, clear_lock);

  G_OBJECT_CLASS (pair_base_parent_class)->finalize (object);
}

static void
pair_base_class_init (PairBaseClass *class)
{
  G_OBJECT_CLASS (class)->finalize = pair_base_finalize;
}

static void
pair_base_init (PairBase *self)
{
  self->send_room = G_MAXUINT;
  self->in = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->out = eventfd (1, EFD_CLOEXEC | EFD_NONBLOCK);
  self->sent = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
}

void
pair_base_new (PairBase **out_one, PairBase **out_other)
{
  PairBase *one = g_object_new (PAIR_TYPE_BASE, NULL);
  PairBase *other = g_object_new (PAIR_TYPE_BASE, NULL);

  one->lock = g_atomic_rc_box_new0 (GMutex);
  g_mutex_init (one->lock);
  other->lock = g_atomic_rc_box_acquire (one->lock);
  one->other = other;
  other->other = one;

  *out_one = one;
  *out_other = other;
}
