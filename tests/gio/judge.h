/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Databases of an application's own, whose verdict a test sets. One has only the synchronous question, the
 * other a way of its own to be asked asynchronously, and answers when the test says so. */

#pragma once

#include <gio/gio.h>

#define JUDGE_TYPE_DATABASE (judge_database_get_type ())
G_DECLARE_DERIVABLE_TYPE (JudgeDatabase, judge_database, JUDGE, DATABASE, GTlsDatabase)

struct _JudgeDatabaseClass
{
  GTlsDatabaseClass parent_class;
};

#define JUDGE_TYPE_ASYNC_DATABASE (judge_async_database_get_type ())
G_DECLARE_FINAL_TYPE (JudgeAsyncDatabase, judge_async_database, JUDGE, ASYNC_DATABASE,
                      JudgeDatabase)

/* What it was asked last. */
typedef struct
{
  guint n_times;
  char *purpose;                /* (owned) */
  GSocketConnectable *identity; /* (owned) (nullable) */
  GTlsCertificate *chain;       /* (owned) */
  GThread *thread;              /* (unowned) */
} JudgeQuestion;

JudgeDatabase *judge_database_new (GTlsCertificateFlags verdict);
/* From now on. */
void judge_database_set_verdict (JudgeDatabase *self, GTlsCertificateFlags verdict);
/* It fails with this error instead. */
void judge_database_set_error (JudgeDatabase *self, GIOErrorEnum code);
/* Somebody cancels this the next time that it is asked, and it does not say. */
void judge_database_set_cancellable (JudgeDatabase *self, GCancellable *cancellable);
const JudgeQuestion *judge_database_get_question (JudgeDatabase *self);

JudgeAsyncDatabase *judge_async_database_new (GTlsCertificateFlags verdict);
gboolean judge_async_database_is_asked (JudgeAsyncDatabase *self);
void judge_async_database_answer (JudgeAsyncDatabase *self);
