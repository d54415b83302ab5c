/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Ending one half of a connection or both. */

#pragma once

#include "moat/moat-connection.h"

gboolean moat_shutdown_run (MoatConnection *connection, gboolean shuts_read, gboolean shuts_write,
                            GCancellable *cancellable, GError **error);
void moat_shutdown_run_async (MoatConnection *connection, gboolean shuts_read, gboolean shuts_write,
                              int io_priority, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
