/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A thread that waits for a GSocket sleeps in ppoll, which knows microseconds, and is woken by
 * an eventfd. One that waits for another base sleeps in a private GMainContext, where the base's
 * own source works. Both are made at the first wait of their kind and kept.
 *
 * A GSource has a bell, a child that becomes ready when it is rung. A reference to its context would do
 * too, but the context holds the source and the source the connection, so none of them would ever go. */

#include "gio/wake.h"

#include <glib-unix.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Counted: the wake's and its owner's. */
struct _MoatSleeper
{
  int fd;                /* -1 for none */
  GMainContext *context; /* (owned) (nullable): a private one */
  int was_woken;         /* atomic */

  GMutex lock;   /* over the bell while it is rung */
  GSource *bell; /* (owned) (nullable): none for a thread, nor when the source is destroyed */
};

/* ------------------------------------------------------------------------------------- sleepers */

static void
sleeper_clear (MoatSleeper *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_mutex_clear (&self->lock);
}

void
moat_sleeper_unref (MoatSleeper *self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify) sleeper_clear);
}

static MoatSleeper *
sleeper_new_bare (void)
{
  MoatSleeper *self = g_atomic_rc_box_new0 (MoatSleeper);

  self->fd = -1;
  g_mutex_init (&self->lock);

  return self;
}

static void
sleeper_wake (MoatSleeper *self)
{
  const uint64_t one = 1;

  g_atomic_int_set (&self->was_woken, 1);
  /* It can fail only when the counter is full, and then it is readable as it should be. */
  if (self->fd >= 0)
    (void) !write (self->fd, &one, sizeof one);
  if (self->context != NULL)
    g_main_context_wakeup (self->context);

  g_mutex_lock (&self->lock);
  if (self->bell != NULL)
    g_source_set_ready_time (self->bell, 0);
  g_mutex_unlock (&self->lock);
}

/* Whatever destroys the bell, its context's end too, passes here first: while it is rung, its
 * context is there. */
static void
silence (gpointer data)
{
  MoatSleeper *self = data;
  GSource *bell;

  g_mutex_lock (&self->lock);
  bell = g_steal_pointer (&self->bell);
  g_mutex_unlock (&self->lock);

  g_clear_pointer (&bell, g_source_unref);
}

static void
on_bell_destroyed (gpointer data)
{
  silence (data);
  moat_sleeper_unref (data);
}

static gboolean
on_bell_unused (G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* GLib dispatches its parent as well. */
static gboolean
dispatch_bell (GSource *bell, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer data)
{
  g_source_set_ready_time (bell, -1);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs bell_funcs = { .dispatch = dispatch_bell };

MoatSleeper *
moat_sleeper_new (MoatWake *wake, GSource *source)
{
  MoatSleeper *self = sleeper_new_bare ();

  self->bell = g_source_new (&bell_funcs, sizeof (GSource));
  g_source_set_static_name (self->bell, "MoatConnection bell");
  g_source_set_callback (self->bell, on_bell_unused, g_atomic_rc_box_acquire (self),
                         on_bell_destroyed);
  g_source_add_child_source (source, self->bell);

  g_mutex_lock (&wake->lock);
  g_ptr_array_add (wake->sleepers, g_atomic_rc_box_acquire (self));
  g_mutex_unlock (&wake->lock);

  return self;
}

bool
moat_sleeper_is_woken (MoatSleeper *self)
{
  return g_atomic_int_get (&self->was_woken) != 0;
}

bool
moat_sleeper_was_woken (MoatSleeper *self)
{
  return g_atomic_int_compare_and_exchange (&self->was_woken, 1, 0);
}

void
moat_sleeper_retire (MoatSleeper *self, MoatWake *wake)
{
  if (wake != NULL)
    {
      g_mutex_lock (&wake->lock);
      g_ptr_array_remove_fast (wake->sleepers, self);
      g_mutex_unlock (&wake->lock);
    }

  silence (self);
}

/* ------------------------------------------------------------------------------------- the wake */

void
moat_wake_init (MoatWake *self)
{
  g_mutex_init (&self->lock);
  self->sleepers = g_ptr_array_new_with_free_func ((GDestroyNotify) moat_sleeper_unref);
  self->spare = g_ptr_array_new_with_free_func ((GDestroyNotify) moat_sleeper_unref);
}

void
moat_wake_clear (MoatWake *self)
{
  g_ptr_array_unref (self->sleepers);
  g_ptr_array_unref (self->spare);
  g_mutex_clear (&self->lock);
}

guint
moat_wake_ticket (MoatWake *self)
{
  return (guint) g_atomic_int_get (&self->generation);
}

void
moat_wake_all (MoatWake *self)
{
  g_mutex_lock (&self->lock);
  g_atomic_int_inc (&self->generation);
  for (guint i = 0; i < self->sleepers->len; i++)
    sleeper_wake (self->sleepers->pdata[i]);
  g_mutex_unlock (&self->lock);
}

/* (nullable): there is nothing to wait for when the ticket has expired already. */
static MoatSleeper *
begin_sleep (MoatWake *self, guint ticket)
{
  MoatSleeper *sleeper = NULL;

  g_mutex_lock (&self->lock);
  if (ticket == (guint) g_atomic_int_get (&self->generation))
    {
      if (self->spare->len > 0)
        sleeper = g_ptr_array_steal_index_fast (self->spare, self->spare->len - 1);
      else
        sleeper = sleeper_new_bare ();
      g_ptr_array_add (self->sleepers, g_atomic_rc_box_acquire (sleeper));
    }
  g_mutex_unlock (&self->lock);

  return sleeper;
}

static void
end_sleep (MoatWake *self, MoatSleeper *sleeper)
{
  uint64_t count;

  g_mutex_lock (&self->lock);
  g_ptr_array_remove_fast (self->sleepers, sleeper);
  if (moat_sleeper_was_woken (sleeper) && sleeper->fd >= 0)
    (void) !read (sleeper->fd, &count, sizeof count);
  g_ptr_array_add (self->spare, sleeper);
  g_mutex_unlock (&self->lock);
}

/* --------------------------------------------------------------------------------- on a GSocket */

static short
poll_events (GIOCondition condition)
{
  return (short) (((condition & G_IO_IN) ? POLLIN : 0) | ((condition & G_IO_OUT) ? POLLOUT : 0));
}

static void
sleep_in_ppoll (MoatSleeper *sleeper, int fd, GIOCondition condition, dtls_time until,
                GCancellable *cancellable)
{
  struct pollfd fds[3] = {
    { .fd = condition != 0 ? fd : -1, .events = poll_events (condition) },
    { .fd = sleeper->fd, .events = POLLIN },
    { .fd = g_cancellable_get_fd (cancellable), .events = POLLIN },
  };
  dtls_time now = (dtls_time) g_get_monotonic_time ();
  dtls_duration left = until > now ? until - now : 0;
  struct timespec timeout = {
    .tv_sec = (time_t) (left / DTLS_SECOND),
    .tv_nsec = (long) (left % DTLS_SECOND) * 1000,
  };

  /* Errors and interruptions end the wait early, which the caller takes as a reason to look
   * again. */
  (void) !ppoll (fds, G_N_ELEMENTS (fds), until == DTLS_NEVER ? NULL : &timeout, NULL);

  if (fds[2].fd >= 0)
    g_cancellable_release_fd (cancellable);
}

static MoatWait
wait_for_socket (MoatWake *self, guint ticket, GSocket *socket, GIOCondition condition,
                 dtls_time until, GCancellable *cancellable)
{
  MoatSleeper *sleeper;
  bool can_wait;

  if (g_socket_is_closed (socket))
    return MOAT_WAIT_WITHOUT_BASE;

  sleeper = begin_sleep (self, ticket);
  if (sleeper == NULL)
    return MOAT_WAIT_OVER;

  if (sleeper->fd < 0)
    {
      /* A wake-up that came before the descriptor counts too. */
      g_mutex_lock (&self->lock);
      sleeper->fd =
          eventfd (g_atomic_int_get (&sleeper->was_woken) ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
      g_mutex_unlock (&self->lock);
    }

  can_wait = sleeper->fd >= 0;
  if (can_wait)
    sleep_in_ppoll (sleeper, g_socket_get_fd (socket), condition, until, cancellable);
  end_sleep (self, sleeper);

  return can_wait ? MOAT_WAIT_OVER : MOAT_WAIT_WITHOUT_DESCRIPTOR;
}

/* ------------------------------------------------------------------------------ on another base */

static gboolean
on_base_ready (G_GNUC_UNUSED gpointer base, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  bool *is_ready = data;

  *is_ready = true;

  return G_SOURCE_REMOVE;
}

static gboolean
on_nothing (G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition,
              G_GNUC_UNUSED gpointer data)
{
  return G_SOURCE_REMOVE;
}

static void
attach (GSource *source, GMainContext *context)
{
  if (source != NULL)
    g_source_attach (source, context);
}

/* Each of the sources below is destroyed by its dispatch. */
static bool
was_dispatched (GSource *source)
{
  return source != NULL && g_source_is_destroyed (source);
}

static void
detach (GSource **source)
{
  if (*source == NULL)
    return;

  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* The time-out as a source of its own, so that it is seen like the others. */
static GSource *
timeout_source (dtls_time until)
{
  GSource *source;

  if (until == DTLS_NEVER)
    return NULL;

  source = g_timeout_source_new (0);
  g_source_set_ready_time (source, (gint64) until);
  g_source_set_callback (source, on_nothing, NULL, NULL);

  return source;
}

/* GLib wakes a context for every descriptor that it has to watch or not to watch any more, so the
 * sources stay until there is a reason to end. False if the base has no source. */
static bool
iterate (MoatSleeper *sleeper, const MoatBase *base, GIOCondition condition, dtls_time until,
         GCancellable *cancellable, bool *out_is_ready)
{
  GSource *ready = NULL;
  GSource *timeout = timeout_source (until);
  GSource *cancelled = NULL;
  int cancelled_fd = g_cancellable_get_fd (cancellable);
  bool can_wait = true;

  if (condition != 0)
    {
      ready = moat_base_create_source (base, condition, on_base_ready, out_is_ready, NULL);
      can_wait = ready != NULL;
    }
  /* Not a g_cancellable_source_new(): GLib leaks one that goes while its cancellable is being
   * cancelled. */
  if (cancelled_fd >= 0)
    {
      cancelled = g_unix_fd_source_new (cancelled_fd, G_IO_IN);
      g_source_set_callback (cancelled, G_SOURCE_FUNC (on_cancelled), NULL, NULL);
    }

  attach (ready, sleeper->context);
  attach (timeout, sleeper->context);
  attach (cancelled, sleeper->context);
  if (can_wait)
    do
      g_main_context_iteration (sleeper->context, TRUE);
    while (!was_dispatched (ready) && !was_dispatched (timeout) && !was_dispatched (cancelled)
           && !moat_sleeper_is_woken (sleeper));
  detach (&ready);
  detach (&timeout);
  detach (&cancelled);
  if (cancelled_fd >= 0)
    g_cancellable_release_fd (cancellable);

  return can_wait;
}

/* A wake-up that came before the context counts too. */
static void
give_context (MoatWake *self, MoatSleeper *sleeper)
{
  GMainContext *context;

  if (sleeper->context != NULL)
    return;

  context = g_main_context_new ();
  g_mutex_lock (&self->lock);
  sleeper->context = context;
  if (g_atomic_int_get (&sleeper->was_woken))
    g_main_context_wakeup (context);
  g_mutex_unlock (&self->lock);
}

static MoatWait
wait_for_other (MoatWake *self, guint ticket, const MoatBase *base, GIOCondition condition,
                dtls_time until, GCancellable *cancellable)
{
  bool is_ready = false;
  bool can_wait;
  MoatSleeper *sleeper = begin_sleep (self, ticket);

  if (sleeper == NULL)
    return MOAT_WAIT_OVER;

  give_context (self, sleeper);
  can_wait = iterate (sleeper, base, condition, until, cancellable, &is_ready);
  end_sleep (self, sleeper);

  return can_wait ? MOAT_WAIT_OVER : MOAT_WAIT_WITHOUT_BASE;
}

/* ------------------------------------------------------------------------------------ on either */

MoatWait
moat_wake_wait (MoatWake *self, guint ticket, const MoatBase *base, GIOCondition condition,
                dtls_time until, GCancellable *cancellable)
{
  if (base->socket != NULL)
    return wait_for_socket (self, ticket, base->socket, condition, until, cancellable);

  return wait_for_other (self, ticket, base, condition, until, cancellable);
}

bool
moat_wake_check (MoatWake *self, const MoatBase *base, GIOCondition condition)
{
  MoatSleeper *sleeper;
  bool is_ready = false;

  if (base->socket != NULL)
    {
      struct pollfd fd = { .events = poll_events (condition) };

      if (g_socket_is_closed (base->socket))
        return false;

      fd.fd = g_socket_get_fd (base->socket);
      return poll (&fd, 1, 0) == 1 && (fd.revents & fd.events) != 0;
    }

  do
    sleeper = begin_sleep (self, moat_wake_ticket (self));
  while (sleeper == NULL);

  give_context (self, sleeper);
  (void) iterate (sleeper, base, condition, 0, NULL, &is_ready);
  end_sleep (self, sleeper);

  return is_ready;
}
