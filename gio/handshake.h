/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a connection asks and tells the world, and in which thread: the verdict on the peer, the
 * notifications at the end of the handshake, the results of asynchronous calls. And who drives
 * it when nobody calls. */

#pragma once

#include "gio/error.h"
#include "moat/moat-connection.h"

/* All of it under the pump's control lock. */
typedef struct
{
  /* (owned) (nullable): where signals belong. NULL while all calls were blocking, and once the end was
   * told: sources that are attached there may hold the connection. */
  GMainContext *context;
  GThread *home;         /* (owned) (nullable): the thread that gave it */
  int priority;          /* of our sources there */
  bool is_asking;        /* the verdict was asked for and has not come */
  GThread *asker;        /* (unowned) (nullable): who is in a handler or a database now; atomic */
  guint n_running;       /* threads in a synchronous handshake */
  bool is_told;          /* notifications of the end were made */
  GCancellable *inquiry; /* (owned) (nullable): the asynchronous question */

  GTlsCertificate *peer; /* (owned) (nullable): shown when the handshake is over */
  GTlsCertificateFlags peer_errors;

  GQueue handshakes; /* (element-type GTask) of handshake_async */
  GQueue shutdowns;  /* (element-type GTask) of shutdown_async */

  GSource *errand;                  /* (owned) (nullable): brings news to `context` */
  gint has_lost_errand;             /* atomic: it was destroyed, so it brings nothing */
  GSource *driver;                  /* (owned) (nullable) */
  const GMainContext *driver_place; /* (unowned): to compare with; it may be gone */
} MoatHandshake;

typedef enum
{
  MOAT_CALLER_HANDSHAKES, /* a synchronous handshake */
  MOAT_CALLER_BLOCKS,     /* I/O that may wait */
  MOAT_CALLER_POLLS,      /* I/O that may not */
  MOAT_CALLER_STARTS,     /* asynchronous, or a source in preparation: may call nobody */
  MOAT_CALLER_DISPATCHES, /* a source of ours, in its context */
} MoatCaller;

void moat_handshake_clear (MoatHandshake *self);

/* Remembers the context of an asynchronous or non-blocking call (NULL: the thread's default) and
 * sees to it that something drives the connection there, or where an asynchronous call waits. */
void moat_handshake_drive (MoatConnection *connection, GMainContext *context);
/* Whether the driver is still wanted; if not it is forgotten. For the driver itself. */
bool moat_handshake_keep_driver (MoatConnection *connection, GSource *driver);
/* The object is going: nobody will be told any more. */
void moat_handshake_abandon (MoatConnection *connection);

/* (transfer full) (nullable): why nothing can be done with the connection any more. */
GError *moat_handshake_dup_error (MoatConnection *connection, MoatTimeoutClass timeout_class);

gboolean moat_handshake_run (MoatConnection *connection, GCancellable *cancellable, GError **error);
void moat_handshake_run_async (MoatConnection *connection, int io_priority,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
