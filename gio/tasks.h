/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Asynchronous calls that wait for their end: each is a GTask in a queue, with a source that
 * takes it out when its cancellable is cancelled. */

#pragma once

#include "gio/error.h"
#include "moat/moat-connection.h"

GTask *moat_task_new (MoatConnection *connection, gpointer source_tag, int io_priority,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* Returns the task when nothing could come of it. */
bool moat_task_is_hopeless (GTask *task);
/* Takes it out of the connection's queues when its cancellable is cancelled. */
void moat_task_watch_cancellable (GTask *task);

/* (transfer full) (nullable): the first of a queue; each task is taken once. */
GTask *moat_task_take (MoatConnection *connection, GQueue *tasks);
/* Takes both. The callback comes from a source of its own, never inside another call. */
void moat_task_finish (GTask *task, GError *problem);
