/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* News from the pump waits until someone attends to it in the right place:
 *
 *   a synchronous handshake          in the thread that runs it
 *   blocking I/O, nothing else yet   in the thread that does it
 *   otherwise                        in the context of the asynchronous handshake or, without one,
 *                                    of the first non-blocking call; by an errand there if another
 *                                    thread has the news
 *   later, when the end was told     in whichever thread finds it out
 *
 * No lock is held while anything is asked or told. */

#include "gio/news.h"

#include "gio/connection.h"
#include "gio/tasks.h"
#include "gio/verdict.h"

enum
{
  /* Everything else can be told in any thread. */
  NEWS_WITH_A_PLACE = MOAT_NEWS_VERDICT_NEEDED | MOAT_NEWS_CONNECTED | MOAT_NEWS_OVER,
  NEWS_OF_THE_END = MOAT_NEWS_CONNECTED | MOAT_NEWS_OVER,
};

/* ------------------------------------------------------------------------------ the right place */

typedef enum
{
  NOT_HERE,
  HERE,
  HERE_ACQUIRED, /* the context must be given back */
} Place;

static bool
is_thread_default (GMainContext *context)
{
  g_autoptr (GMainContext) own = g_main_context_ref_thread_default ();

  return own == context;
}

/* Under the control lock. Whether it is for a thread that waits in a synchronous handshake. */
static bool
belongs_to_runner (const MoatHandshake *self)
{
  return self->n_running > 0 && self->handshakes.length == 0;
}

/* Under the control lock. Whoever runs the context is right. So is the thread that gave it to
 * us, while nobody does: its program may poll without ever running it. */
static Place
place_of (MoatHandshake *self, MoatCaller caller)
{
  if (caller == MOAT_CALLER_STARTS)
    return NOT_HERE;
  if (belongs_to_runner (self))
    return caller == MOAT_CALLER_HANDSHAKES ? HERE : NOT_HERE;
  if (self->context == NULL || g_main_context_is_owner (self->context))
    return HERE;
  if (self->home == g_thread_self () && g_main_context_acquire (self->context))
    return HERE_ACQUIRED;

  return NOT_HERE;
}

/* ----------------------------------------------------------------------------------- the errand */

/* The source is gone, also when nobody was there to dispatch it. Only its own context may ask GLib for
 * that. An errand that came later at most has another one sent beside it. */
static void
errand_free (GWeakRef *ref)
{
  MoatConnection *connection = g_weak_ref_get (ref);

  if (connection != NULL)
    {
      g_atomic_int_set (&connection->handshake.has_lost_errand, TRUE);
      g_object_unref (connection);
    }
  g_weak_ref_clear (ref);
  g_free (ref);
}

static GWeakRef *
weak_ref_new (MoatConnection *connection)
{
  GWeakRef *ref = g_new0 (GWeakRef, 1);

  g_weak_ref_init (ref, connection);

  return ref;
}

/* In the handshake's context. */
static gboolean
on_errand (gpointer data)
{
  g_autoptr (MoatConnection) connection = g_weak_ref_get (data);

  if (connection == NULL)
    return G_SOURCE_REMOVE;

  g_mutex_lock (&connection->pump.control);
  g_clear_pointer (&connection->handshake.errand, g_source_unref);
  g_mutex_unlock (&connection->pump.control);

  moat_news_attend (connection, MOAT_CALLER_DISPATCHES, NULL);

  return G_SOURCE_REMOVE;
}

void
moat_news_send_errand (MoatConnection *connection)
{
  MoatHandshake *self = &connection->handshake;

  if (belongs_to_runner (self))
    moat_wake_all (&connection->pump.wake);
  /* Its context may have ended with it. */
  if (self->errand != NULL && g_atomic_int_get (&self->has_lost_errand))
    g_clear_pointer (&self->errand, g_source_unref);
  if (belongs_to_runner (self) || self->errand != NULL || self->context == NULL)
    return;

  g_atomic_int_set (&self->has_lost_errand, FALSE);
  self->errand = g_idle_source_new ();
  g_source_set_priority (self->errand, self->priority);
  g_source_set_callback (self->errand, on_errand, weak_ref_new (connection),
                         (GDestroyNotify) errand_free);
  g_source_attach (self->errand, self->context);
}

/* --------------------------------------------------------------------------------- what is told */

/* It was set when the first I/O began, and stays. */
static const MoatConfig *
config_of (MoatConnection *connection)
{
  const MoatConfig *config;

  g_mutex_lock (&connection->pump.control);
  config = connection->pump.config;
  g_mutex_unlock (&connection->pump.control);

  return config;
}

static void
write_keylog (MoatConnection *connection)
{
  g_autoptr (GPtrArray) lines = moat_pump_take_keylog_lines (&connection->pump);
  const MoatConfig *config = config_of (connection);

  for (guint i = 0; i < lines->len; i++)
    moat_keylog_write (config->settings.keylog, config->context, lines->pdata[i]);
}

/* A handler that would wait for the connection is told that it cannot. RFC 9257 §4.1: a key that goes by
 * the name of the one that we have as a client is that one, coming back. */
static void
ask_for_psk (MoatConnection *connection)
{
  const MoatSettings *settings = &config_of (connection)->settings;
  g_autoptr (GBytes) identity = moat_pump_dup_psk_question (&connection->pump);
  g_autoptr (GBytes) key = NULL;

  if (identity != NULL && (settings->psk == NULL || !moat_psk_is_named (settings->psk, identity)))
    key = moat_psk_lookup_find (settings->psk_lookup, config_of (connection)->context, identity);

  g_atomic_pointer_set (&connection->handshake.asker, NULL);
  if (identity != NULL)
    moat_pump_answer_psk (&connection->pump, key);
  moat_wake_all (&connection->pump.wake);
}

/* Nothing more belongs there. */
static void
leave_context (MoatConnection *connection)
{
  MoatHandshake *self = &connection->handshake;
  g_autoptr (GMainContext) context = NULL;

  g_mutex_lock (&connection->pump.control);
  context = g_steal_pointer (&self->context);
  g_clear_pointer (&self->home, g_thread_unref);
  g_mutex_unlock (&connection->pump.control);
}

static void
tell_of_the_end (MoatConnection *connection)
{
  MoatHandshake *self = &connection->handshake;
  g_autoptr (GCancellable) inquiry = NULL;
  bool was_told;
  GTask *task;

  g_mutex_lock (&connection->pump.control);
  was_told = self->is_told;
  self->is_told = true;
  inquiry = g_steal_pointer (&self->inquiry);
  g_mutex_unlock (&connection->pump.control);

  /* Nobody waits for the answer any more. */
  g_cancellable_cancel (inquiry);

  if (!was_told)
    {
      moat_connection_notify_peer (connection);
      MOAT_CONNECTION_GET_CLASS (connection)->handshake_over (connection);
    }
  moat_connection_notify_state (connection);

  while ((task = moat_task_take (connection, &self->handshakes)) != NULL)
    moat_task_finish (task, moat_handshake_dup_error (connection, MOAT_MAY_TIME_OUT));

  leave_context (connection);
}

/* An asynchronous handshake is the call that a refusal is told to; without one the next call is. */
static void
tell_of_refusal (MoatConnection *connection)
{
  g_autoptr (GError) problem = NULL;
  GTask *task;

  g_mutex_lock (&connection->pump.control);
  if (!g_queue_is_empty (&connection->handshake.handshakes))
    problem = g_steal_pointer (&connection->pump.soft_error);
  g_mutex_unlock (&connection->pump.control);

  if (problem == NULL)
    return;

  while ((task = moat_task_take (connection, &connection->handshake.handshakes)) != NULL)
    moat_task_finish (task, g_error_copy (problem));
}

void
moat_news_finish_shutdowns (MoatConnection *connection)
{
  GTask *task;

  while (moat_pump_is_flushed (&connection->pump)
         && (task = moat_task_take (connection, &connection->handshake.shutdowns)) != NULL)
    moat_task_finish (task, NULL);
}

/* ------------------------------------------------------------------------------------ attending */

bool
moat_news_waits_here (MoatConnection *connection)
{
  MoatHandshake *self = &connection->handshake;
  bool is_here;

  if ((g_atomic_int_get (&connection->pump.news) & NEWS_WITH_A_PLACE) == 0
      || g_atomic_pointer_get (&self->asker) != NULL)
    return false;

  g_mutex_lock (&connection->pump.control);
  is_here = !belongs_to_runner (self)
            && (self->context == NULL || g_main_context_is_owner (self->context));
  g_mutex_unlock (&connection->pump.control);

  return is_here;
}

/* Takes what can be dealt with here and now; under the control lock. */
static guint
take_news (MoatConnection *connection, MoatCaller caller, Place *out_place)
{
  MoatHandshake *self = &connection->handshake;
  guint news = (guint) g_atomic_int_get (&connection->pump.news);

  *out_place = NOT_HERE;
  if (caller == MOAT_CALLER_STARTS)
    {
      if (news != 0)
        moat_news_send_errand (connection);
      return 0;
    }

  /* While a handler is running the end is not told, even if it came before the answer. */
  if (g_atomic_pointer_get (&self->asker) != NULL)
    news &= ~(guint) NEWS_WITH_A_PLACE;

  if (news & NEWS_WITH_A_PLACE)
    {
      *out_place = place_of (self, caller);
      if (*out_place == NOT_HERE)
        {
          moat_news_send_errand (connection);
          news &= ~(guint) NEWS_WITH_A_PLACE;
        }
    }

  g_atomic_int_and ((guint *) &connection->pump.news, ~news);

  /* Nobody waits for the verdict any more. */
  if (news & NEWS_OF_THE_END)
    news &= ~(guint) MOAT_NEWS_VERDICT_NEEDED;
  if (news & MOAT_NEWS_VERDICT_NEEDED)
    self->is_asking = true;
  if (news & (MOAT_NEWS_VERDICT_NEEDED | MOAT_NEWS_PSK_NEEDED))
    g_atomic_pointer_set (&self->asker, g_thread_self ());

  return news;
}

static void
deal_with (MoatConnection *connection, guint news, MoatCaller caller, GCancellable *cancellable)
{
  if (news & MOAT_NEWS_KEYLOG)
    write_keylog (connection);
  if (news & MOAT_NEWS_PSK_NEEDED)
    ask_for_psk (connection);
  if (news & MOAT_NEWS_SOFT_ERROR)
    tell_of_refusal (connection);
  if (news & MOAT_NEWS_VERDICT_NEEDED)
    moat_verdict_ask (connection, caller, cancellable);
  if (news & NEWS_OF_THE_END)
    tell_of_the_end (connection);
  else if (news & MOAT_NEWS_CLOSED)
    moat_connection_notify_state (connection);
  if (news & MOAT_NEWS_FLUSHED)
    moat_news_finish_shutdowns (connection);
}

/* Signals come with the handshake's context as the thread's default one. */
static void
deal_in_context (MoatConnection *connection, guint news, MoatCaller caller,
                 GCancellable *cancellable)
{
  g_autoptr (GMainContext) context = NULL;

  g_mutex_lock (&connection->pump.control);
  if (caller != MOAT_CALLER_HANDSHAKES && connection->handshake.context != NULL
      && g_main_context_is_owner (connection->handshake.context)
      && !is_thread_default (connection->handshake.context))
    context = g_main_context_ref (connection->handshake.context);
  g_mutex_unlock (&connection->pump.control);

  if (context != NULL)
    g_main_context_push_thread_default (context);
  deal_with (connection, news, caller, cancellable);
  if (context != NULL)
    g_main_context_pop_thread_default (context);
}

void
moat_news_attend (MoatConnection *connection, MoatCaller caller, GCancellable *cancellable)
{
  bool goes_on = true;

  while (goes_on && g_atomic_int_get (&connection->pump.news) != 0)
    {
      g_autoptr (GMainContext) acquired = NULL;
      guint news;
      Place place;

      g_mutex_lock (&connection->pump.control);
      news = take_news (connection, caller, &place);
      if (place == HERE_ACQUIRED)
        acquired = g_main_context_ref (connection->handshake.context);
      g_mutex_unlock (&connection->pump.control);

      if (news != 0)
        deal_in_context (connection, news, caller, cancellable);
      if (acquired != NULL)
        g_main_context_release (acquired);

      /* A question that could not be asked would be taken up again at once. */
      goes_on = news != 0 && !g_cancellable_is_cancelled (cancellable);
    }
}
