/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* News from the pump waits until someone attends to it in the right place:
 *
 *   a synchronous handshake          in the thread that runs it
 *   blocking I/O, nothing else yet   in the thread that does it
 *   otherwise                        in the context of the asynchronous handshake or, without one, of the first
 *                                    non-blocking call; by an errand there if another thread has the news
 *
 * No lock is held while anything is asked or told. */

#include "gio/handshake.h"

#include "gio/call.h"
#include "gio/connection.h"
#include "gio/source.h"
#include "gio/verify.h"

enum
{
  /* Everything else can be told in any thread. */
  NEWS_WITH_A_PLACE = MOAT_NEWS_VERDICT_NEEDED | MOAT_NEWS_CONNECTED | MOAT_NEWS_OVER,
  NEWS_OF_THE_END = MOAT_NEWS_CONNECTED | MOAT_NEWS_OVER,
};

/* ---------------------------------------------------------------------------------------------- the right place */

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

/* Under the control lock. The rule of g_main_context_invoke(): in the context's own thread, or, if it has
 * none at the moment, in one whose default it is. */
static Place
place_of (MoatHandshake *self, MoatCaller caller)
{
  if (caller == MOAT_CALLER_STARTS)
    return NOT_HERE;
  if (belongs_to_runner (self))
    return caller == MOAT_CALLER_HANDSHAKES ? HERE : NOT_HERE;
  if (self->context == NULL || g_main_context_is_owner (self->context))
    return HERE;
  if (is_thread_default (self->context) && g_main_context_acquire (self->context))
    return HERE_ACQUIRED;

  return NOT_HERE;
}

/* -------------------------------------------------------------------------------------------------- the errand */

static void
weak_ref_free (GWeakRef *ref)
{
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

  moat_handshake_attend (connection, MOAT_CALLER_DISPATCHES, NULL);

  return G_SOURCE_REMOVE;
}

/* Under the control lock. Has someone attend to the news where it belongs. */
static void
send_errand (MoatConnection *connection)
{
  MoatHandshake *self = &connection->handshake;

  if (belongs_to_runner (self))
    moat_wake_all (&connection->pump.wake);
  if (belongs_to_runner (self) || self->errand != NULL || self->context == NULL)
    return;

  self->errand = g_idle_source_new ();
  g_source_set_priority (self->errand, self->priority);
  g_source_set_callback (self->errand, on_errand, weak_ref_new (connection),
                         (GDestroyNotify) weak_ref_free);
  g_source_attach (self->errand, self->context);
}

/* ------------------------------------------------------------------------------------------------- the verdict */

static GError *
rejection (GTlsCertificateFlags errors, const GError *problem)
{
  static const struct
  {
    GTlsCertificateFlags flag;
    const char *text;
  } texts[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "its authority is unknown" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "it does not name the peer that was expected" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet" },
    { G_TLS_CERTIFICATE_EXPIRED, "it has expired" },
    { G_TLS_CERTIFICATE_REVOKED, "it was revoked" },
    { G_TLS_CERTIFICATE_INSECURE, "its algorithms are insecure" },
    { G_TLS_CERTIFICATE_GENERIC_ERROR, "it is not good for this" },
  };
  g_autoptr (GString) why = g_string_new ("The peer's certificate was not accepted");
  const char *separator = ": ";

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (errors & texts[i].flag)
      {
        g_string_append_printf (why, "%s%s", separator, texts[i].text);
        separator = ", ";
      }
  if (problem != NULL)
    g_string_append_printf (why, " (%s)", problem->message);

  return g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, why->str);
}

/* The errors are final, so whoever must be asked is asked, and the engine goes on. */
static void
conclude (MoatConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags errors,
          const GError *problem)
{
  MoatHandshake *self = &connection->handshake;
  struct dtls_verdict verdict = { .is_accepted = true };
  GError *reason = NULL;

  if (certificate == NULL)
    verdict.is_accepted = false;
  else if (MOAT_CONNECTION_GET_CLASS (connection)->must_ask (connection, errors))
    verdict.is_accepted = g_dtls_connection_emit_accept_certificate (G_DTLS_CONNECTION (connection),
                                                                     certificate, errors);

  if (!verdict.is_accepted)
    {
      verdict.alert = moat_verify_alert (errors);
      reason = rejection (errors, problem);
    }

  g_mutex_lock (&connection->pump.control);
  g_set_object (&self->peer, certificate);
  self->peer_errors = errors;
  self->is_asking = false;
  g_atomic_pointer_set (&self->asker, NULL);
  g_mutex_unlock (&connection->pump.control);

  moat_pump_answer_verdict (&connection->pump, verdict, reason);
  moat_wake_all (&connection->pump.wake);
}

/* Nobody could say, because the caller gave up: the next one asks again. */
static void
ask_again_later (MoatConnection *connection)
{
  g_mutex_lock (&connection->pump.control);
  connection->handshake.is_asking = false;
  g_atomic_pointer_set (&connection->handshake.asker, NULL);
  g_atomic_int_or ((guint *) &connection->pump.news, MOAT_NEWS_VERDICT_NEEDED);
  send_errand (connection);
  g_mutex_unlock (&connection->pump.control);

  moat_wake_all (&connection->pump.wake);
}

typedef struct
{
  GWeakRef connection;
  MoatInquiry *inquiry; /* (owned) */
} Question;

/* In the handshake's context. */
static void
on_verified (G_GNUC_UNUSED GObject *database, GAsyncResult *result, gpointer data)
{
  Question *question = data;
  g_autoptr (MoatConnection) connection = g_weak_ref_get (&question->connection);
  g_autoptr (MoatInquiry) inquiry = g_steal_pointer (&question->inquiry);
  g_autoptr (GError) problem = NULL;
  GTlsCertificateFlags errors = moat_inquiry_ask_finish (inquiry, result, &problem);

  g_weak_ref_clear (&question->connection);
  g_free (question);
  if (connection == NULL)
    return;

  g_mutex_lock (&connection->pump.control);
  g_clear_object (&connection->handshake.inquiry);
  g_atomic_pointer_set (&connection->handshake.asker, g_thread_self ());
  g_mutex_unlock (&connection->pump.control);

  conclude (connection, inquiry->certificate, errors, problem);
  moat_handshake_attend (connection, MOAT_CALLER_DISPATCHES, NULL);
}

static void
ask_async (MoatConnection *connection, MoatInquiry *inquiry)
{
  Question *question = g_new0 (Question, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_weak_ref_init (&question->connection, connection);
  question->inquiry = inquiry;

  g_mutex_lock (&connection->pump.control);
  g_set_object (&connection->handshake.inquiry, cancellable);
  g_atomic_pointer_set (&connection->handshake.asker, NULL);
  g_mutex_unlock (&connection->pump.control);

  moat_inquiry_ask_async (inquiry, cancellable, on_verified, question);
}

static MoatInquiry *
make_inquiry (MoatConnection *connection, GError **error)
{
  MoatConnectionClass *class = MOAT_CONNECTION_GET_CLASS (connection);
  g_autoptr (GPtrArray) ders = moat_pump_dup_peer_chain (&connection->pump);
  g_autoptr (GTlsDatabase) database = moat_connection_dup_database (connection);
  g_autoptr (GSocketConnectable) identity = class->dup_identity (connection);
  g_autoptr (GTlsInteraction) interaction = moat_connection_dup_interaction (connection);
  MoatInquiry facts = {
    .peer_role = class->role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT,
    .ders = ders,
    .database = database,
    .identity = identity,
    .must_be_identified = class->role == DTLS_CLIENT,
    .interaction = interaction,
  };

  return moat_inquiry_new (&facts, error);
}

static void
ask (MoatConnection *connection, MoatCaller caller, GCancellable *cancellable)
{
  bool is_blocking = caller == MOAT_CALLER_HANDSHAKES || caller == MOAT_CALLER_BLOCKS;
  g_autoptr (GError) problem = NULL;
  g_autoptr (MoatInquiry) inquiry = make_inquiry (connection, &problem);
  GTlsCertificateFlags errors;

  if (inquiry == NULL)
    {
      conclude (connection, NULL, G_TLS_CERTIFICATE_GENERIC_ERROR, problem);
      return;
    }

  if (!is_blocking && moat_inquiry_can_ask_async (inquiry))
    {
      ask_async (connection, g_steal_pointer (&inquiry));
      return;
    }

  errors = moat_inquiry_ask (inquiry, is_blocking ? cancellable : NULL, &problem);
  if (problem != NULL && is_blocking && g_cancellable_is_cancelled (cancellable))
    ask_again_later (connection);
  else
    conclude (connection, inquiry->certificate, errors, problem);
}

/* -------------------------------------------------------------------------------------------- what is told */

static void
write_keylog (MoatConnection *connection)
{
  g_autoptr (GPtrArray) lines = NULL;
  MoatConfig *config;

  g_mutex_lock (&connection->pump.control);
  config = connection->pump.config;
  lines = connection->pump.keylog_lines;
  connection->pump.keylog_lines = g_ptr_array_new_with_free_func (g_free);
  g_mutex_unlock (&connection->pump.control);

  for (guint i = 0; i < lines->len; i++)
    moat_keylog_write (config->keylog, config->context, lines->pdata[i]);
}

static GTask *
take_task (MoatConnection *connection, GQueue *tasks)
{
  GTask *task;

  g_mutex_lock (&connection->pump.control);
  task = g_queue_pop_head (tasks);
  g_mutex_unlock (&connection->pump.control);

  return task;
}

/* Takes `problem`. */
static void
finish_task (GTask *task, GError *problem)
{
  GSource *cancelled = g_task_get_task_data (task);

  if (cancelled != NULL)
    g_source_destroy (cancelled);

  if (problem != NULL)
    g_task_return_error (task, problem);
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static GError *
dup_error (MoatPump *pump, MoatTimeoutClass timeout_class)
{
  GError *error;

  g_mutex_lock (&pump->read);
  error = moat_pump_error_locked (pump, timeout_class);
  if (error == NULL && pump->is_read_shut && pump->is_write_shut)
    moat_error_set_closed (&error);
  g_mutex_unlock (&pump->read);

  return error;
}

static void
tell_of_the_end (MoatConnection *connection)
{
  MoatHandshake *self = &connection->handshake;
  bool was_told;
  GTask *task;

  g_mutex_lock (&connection->pump.control);
  was_told = self->is_told;
  self->is_told = true;
  g_mutex_unlock (&connection->pump.control);

  if (!was_told)
    {
      moat_connection_notify_peer (connection);
      MOAT_CONNECTION_GET_CLASS (connection)->handshake_over (connection);
    }
  moat_connection_notify_state (connection);

  while ((task = take_task (connection, &self->handshakes)) != NULL)
    finish_task (task, dup_error (&connection->pump, MOAT_MAY_TIME_OUT));
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

  while ((task = take_task (connection, &connection->handshake.handshakes)) != NULL)
    finish_task (task, g_error_copy (problem));
}

static void
finish_shutdowns (MoatConnection *connection)
{
  GTask *task;

  while (!g_atomic_int_get (&connection->pump.has_backlog)
         && (task = take_task (connection, &connection->handshake.shutdowns)) != NULL)
    finish_task (task, NULL);
}

/* -------------------------------------------------------------------------------------------------- attending */

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
        send_errand (connection);
      return 0;
    }

  /* The end is told after the question, even if it came before the answer. */
  if (self->is_asking)
    news &= ~(guint) NEWS_WITH_A_PLACE;

  if (news & NEWS_WITH_A_PLACE)
    {
      *out_place = place_of (self, caller);
      if (*out_place == NOT_HERE)
        {
          send_errand (connection);
          news &= ~(guint) NEWS_WITH_A_PLACE;
        }
    }

  g_atomic_int_and ((guint *) &connection->pump.news, ~news);

  /* Nobody waits for the verdict any more. */
  if (news & NEWS_OF_THE_END)
    news &= ~(guint) MOAT_NEWS_VERDICT_NEEDED;
  if (news & MOAT_NEWS_VERDICT_NEEDED)
    {
      self->is_asking = true;
      g_atomic_pointer_set (&self->asker, g_thread_self ());
    }

  return news;
}

static void
deal_with (MoatConnection *connection, guint news, MoatCaller caller, GCancellable *cancellable)
{
  if (news & MOAT_NEWS_KEYLOG)
    write_keylog (connection);
  if (news & MOAT_NEWS_SOFT_ERROR)
    tell_of_refusal (connection);
  if (news & MOAT_NEWS_VERDICT_NEEDED)
    ask (connection, caller, cancellable);
  if (news & NEWS_OF_THE_END)
    tell_of_the_end (connection);
  else if (news & MOAT_NEWS_CLOSED)
    moat_connection_notify_state (connection);
  if (news & MOAT_NEWS_FLUSHED)
    finish_shutdowns (connection);
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
moat_handshake_attend (MoatConnection *connection, MoatCaller caller, GCancellable *cancellable)
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

bool
moat_handshake_is_inside (MoatConnection *connection)
{
  return g_atomic_pointer_get (&connection->handshake.asker) == g_thread_self ();
}

/* --------------------------------------------------------------------------------------------------- the driver */

/* Under the control lock. */
static void
forget_driver (MoatHandshake *self)
{
  if (self->driver == NULL)
    return;

  g_source_destroy (self->driver);
  g_clear_pointer (&self->driver, g_source_unref);
}

void
moat_handshake_drive (MoatConnection *connection, GMainContext *context)
{
  MoatHandshake *self = &connection->handshake;
  g_autoptr (GMainContext) where =
      context != NULL ? g_main_context_ref (context) : g_main_context_ref_thread_default ();

  g_mutex_lock (&connection->pump.control);
  if (self->context == NULL)
    self->context = g_main_context_ref (where);
  if (self->driver != NULL && g_source_get_context (self->driver) != where)
    forget_driver (self);
  if (self->driver == NULL && moat_pump_needs_driving (&connection->pump))
    {
      self->driver = moat_source_new_driver (connection);
      g_source_set_priority (self->driver, self->priority);
      g_source_attach (self->driver, where);
    }
  g_mutex_unlock (&connection->pump.control);
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

  g_mutex_lock (&connection->pump.control);
  forget_driver (self);
  if (self->errand != NULL)
    g_source_destroy (self->errand);
  g_clear_pointer (&self->errand, g_source_unref);
  inquiry = g_steal_pointer (&self->inquiry);
  g_mutex_unlock (&connection->pump.control);

  g_cancellable_cancel (inquiry);
}

void
moat_handshake_clear (MoatHandshake *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_object (&self->inquiry);
  g_clear_object (&self->peer);
}

/* ------------------------------------------------------------------------------------------------ the handshake */

static bool
is_decided (MoatPump *pump, GError **out_error)
{
  *out_error = dup_error (pump, MOAT_MAY_TIME_OUT);

  return *out_error != NULL || moat_pump_phase (pump) == MOAT_PHASE_CONNECTED;
}

static gboolean
run (MoatCall *call, GError **error)
{
  MoatPump *pump = &call->connection->pump;
  GError *problem = NULL;

  do
    {
      if (!moat_call_enter (call, error))
        return FALSE;
      if (is_decided (pump, &problem))
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
      moat_handshake_attend (connection, MOAT_CALLER_STARTS, NULL);
      moat_wake_all (&connection->pump.wake);
    }

  return is_done;
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

/* The source holds the task until it is destroyed, which finish_task does. */
static void
watch_cancellable (GTask *task)
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

/* Signals of this handshake belong to the caller's context, unless another one was there before. */
static void
queue_handshake (MoatConnection *connection, GTask *task)
{
  MoatHandshake *self = &connection->handshake;

  g_mutex_lock (&connection->pump.control);
  if (g_queue_is_empty (&self->handshakes) && !self->is_asking)
    {
      g_clear_pointer (&self->context, g_main_context_unref);
      self->context = g_main_context_ref (g_task_get_context (task));
      self->priority = g_task_get_priority (task);
    }
  g_queue_push_tail (&self->handshakes, g_object_ref (task));
  g_mutex_unlock (&connection->pump.control);
}

/* Returns the task when nothing could come of it. */
static bool
return_if_hopeless (GTask *task)
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

static GTask *
new_task (MoatConnection *connection, int io_priority, GCancellable *cancellable,
          GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (connection, cancellable, callback, user_data);

  g_task_set_priority (task, io_priority);

  return task;
}

void
moat_handshake_run_async (MoatConnection *connection, int io_priority, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = new_task (connection, io_priority, cancellable, callback, user_data);
  GError *problem = NULL;

  g_task_set_source_tag (task, moat_handshake_run_async);
  if (return_if_hopeless (task))
    return;
  if (is_decided (&connection->pump, &problem))
    {
      finish_task (g_steal_pointer (&task), problem);
      return;
    }

  watch_cancellable (task);
  queue_handshake (connection, task);

  moat_connection_begin (connection);
  moat_pump_step (&connection->pump);
  moat_handshake_drive (connection, g_task_get_context (task));
  /* It may have ended before the task was in the queue. */
  if (is_decided (&connection->pump, &problem))
    g_atomic_int_or ((guint *) &connection->pump.news, MOAT_NEWS_CONNECTED);
  g_clear_error (&problem);
  moat_handshake_attend (connection, MOAT_CALLER_STARTS, NULL);
}

/* ------------------------------------------------------------------------------------------------- shutting down */

static MoatShut
halves_of (gboolean shuts_read, gboolean shuts_write)
{
  return (shuts_read ? MOAT_SHUT_READ : 0) | (shuts_write ? MOAT_SHUT_WRITE : 0);
}

gboolean
moat_handshake_shut (MoatConnection *connection, gboolean shuts_read, gboolean shuts_write,
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
  moat_handshake_attend (connection, MOAT_CALLER_BLOCKS, cancellable);

  for (;;)
    {
      call.ticket = moat_wake_ticket (&pump->wake);
      if (!g_atomic_int_get (&pump->has_backlog))
        return TRUE;
      if (!moat_call_wait (&call, error) || !moat_call_is_allowed (&call, error))
        return FALSE;
      moat_pump_step (pump);
    }
}

void
moat_handshake_shut_async (MoatConnection *connection, gboolean shuts_read, gboolean shuts_write,
                           int io_priority, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = new_task (connection, io_priority, cancellable, callback, user_data);
  MoatPump *pump = &connection->pump;

  g_task_set_source_tag (task, moat_handshake_shut_async);
  if (!connection->is_initialized)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (return_if_hopeless (task))
    return;

  watch_cancellable (task);
  g_mutex_lock (&pump->control);
  g_queue_push_tail (&connection->handshake.shutdowns, g_object_ref (task));
  g_mutex_unlock (&pump->control);

  moat_pump_shut (pump, halves_of (shuts_read, shuts_write));
  g_atomic_int_or ((guint *) &pump->news, MOAT_NEWS_FLUSHED);
  moat_handshake_drive (connection, g_task_get_context (task));
  moat_handshake_attend (connection, MOAT_CALLER_STARTS, NULL);
}
