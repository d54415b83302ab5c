/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The asynchronous one keeps its question as a task until the test has it answered. */

#include "judge.h"

typedef struct
{
  GTlsCertificateFlags verdict;
  GIOErrorEnum error;
  gboolean fails;
  GCancellable *cancellable; /* (owned) (nullable) */
  JudgeQuestion question;
} JudgeDatabasePrivate;

struct _JudgeAsyncDatabase
{
  JudgeDatabase parent_instance;

  GTask *task; /* (owned) (nullable): the question that waits */
};

G_DEFINE_TYPE_WITH_PRIVATE (JudgeDatabase, judge_database, G_TYPE_TLS_DATABASE)
G_DEFINE_TYPE (JudgeAsyncDatabase, judge_async_database, JUDGE_TYPE_DATABASE)

static void
question_clear (JudgeQuestion *question)
{
  g_clear_pointer (&question->purpose, g_free);
  g_clear_object (&question->identity);
  g_clear_object (&question->chain);
}

static void
note_question (JudgeDatabase *self, GTlsCertificate *chain, const gchar *purpose,
               GSocketConnectable *identity)
{
  JudgeQuestion *question =
      &((JudgeDatabasePrivate *) judge_database_get_instance_private (self))->question;

  question_clear (question);
  question->n_times++;
  question->purpose = g_strdup (purpose);
  question->chain = g_object_ref (chain);
  question->thread = g_thread_self ();
  g_set_object (&question->identity, identity);
}

static GTlsCertificateFlags
judge_database_verify_chain (GTlsDatabase *database, GTlsCertificate *chain, const gchar *purpose,
                             GSocketConnectable *identity, GTlsInteraction *interaction,
                             GTlsDatabaseVerifyFlags flags, GCancellable *cancellable,
                             GError **error)
{
  JudgeDatabase *self = JUDGE_DATABASE (database);
  JudgeDatabasePrivate *private = judge_database_get_instance_private (self);

  note_question (self, chain, purpose, identity);
  g_cancellable_cancel (private->cancellable);
  g_clear_object (&private->cancellable);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return G_TLS_CERTIFICATE_GENERIC_ERROR;
  if (!private->fails)
    return private->verdict;

  g_set_error_literal (error, G_IO_ERROR, (gint) private->error, "The judge is out");
  return G_TLS_CERTIFICATE_GENERIC_ERROR;
}

static void
judge_database_finalize (GObject *object)
{
  JudgeDatabasePrivate *private = judge_database_get_instance_private (JUDGE_DATABASE (object));

  question_clear (&private->question);
  g_clear_object (&private->cancellable);

  G_OBJECT_CLASS (judge_database_parent_class)->finalize (object);
}

static void
judge_database_class_init (JudgeDatabaseClass *class)
{
  G_OBJECT_CLASS (class)->finalize = judge_database_finalize;
  G_TLS_DATABASE_CLASS (class)->verify_chain = judge_database_verify_chain;
}

static void
judge_database_init (JudgeDatabase *self)
{
}

void
judge_database_set_verdict (JudgeDatabase *self, GTlsCertificateFlags verdict)
{
  ((JudgeDatabasePrivate *) judge_database_get_instance_private (self))->verdict = verdict;
}

JudgeDatabase *
judge_database_new (GTlsCertificateFlags verdict)
{
  JudgeDatabase *self = g_object_new (JUDGE_TYPE_DATABASE, NULL);

  judge_database_set_verdict (self, verdict);

  return self;
}

void
judge_database_set_error (JudgeDatabase *self, GIOErrorEnum code)
{
  JudgeDatabasePrivate *private = judge_database_get_instance_private (self);

  private->fails = TRUE;
  private->error = code;
}

void
judge_database_set_cancellable (JudgeDatabase *self, GCancellable *cancellable)
{
  JudgeDatabasePrivate *private = judge_database_get_instance_private (self);

  g_set_object (&private->cancellable, cancellable);
}

const JudgeQuestion *
judge_database_get_question (JudgeDatabase *self)
{
  return &((JudgeDatabasePrivate *) judge_database_get_instance_private (self))->question;
}

/* -------------------------------------------------------------------------------- asynchronously */

static void
judge_async_database_verify_chain_async (GTlsDatabase *database, GTlsCertificate *chain,
                                         const gchar *purpose, GSocketConnectable *identity,
                                         GTlsInteraction *interaction,
                                         GTlsDatabaseVerifyFlags flags, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data)
{
  JudgeAsyncDatabase *self = JUDGE_ASYNC_DATABASE (database);

  g_assert_null (self->task);
  note_question (JUDGE_DATABASE (self), chain, purpose, identity);
  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, judge_async_database_verify_chain_async);
}

static GTlsCertificateFlags
judge_async_database_verify_chain_finish (GTlsDatabase *database, GAsyncResult *result,
                                          GError **error)
{
  gssize flags = g_task_propagate_int (G_TASK (result), error);

  return flags < 0 ? G_TLS_CERTIFICATE_GENERIC_ERROR : (GTlsCertificateFlags) flags;
}

static void
judge_async_database_class_init (JudgeAsyncDatabaseClass *class)
{
  GTlsDatabaseClass *database_class = G_TLS_DATABASE_CLASS (class);

  database_class->verify_chain_async = judge_async_database_verify_chain_async;
  database_class->verify_chain_finish = judge_async_database_verify_chain_finish;
}

static void
judge_async_database_init (JudgeAsyncDatabase *self)
{
}

JudgeAsyncDatabase *
judge_async_database_new (GTlsCertificateFlags verdict)
{
  JudgeAsyncDatabase *self = g_object_new (JUDGE_TYPE_ASYNC_DATABASE, NULL);

  judge_database_set_verdict (JUDGE_DATABASE (self), verdict);

  return self;
}

gboolean
judge_async_database_is_asked (JudgeAsyncDatabase *self)
{
  return self->task != NULL;
}

void
judge_async_database_answer (JudgeAsyncDatabase *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  JudgeDatabasePrivate *private = judge_database_get_instance_private (JUDGE_DATABASE (self));

  g_task_return_int (task, (gssize) private->verdict);
}
