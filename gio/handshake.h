/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a connection asks and tells the world, and in which thread: the verdict on the peer, the notifications
 * at the end of the handshake, the results of asynchronous calls. And who drives it when nobody calls. */

#pragma once

#include "dtls.h"
#include "moat/moat-connection.h"

/* All of it under the pump's control lock. */
typedef struct
{
  GMainContext
      *context;   /* (owned) (nullable): where signals belong; NULL while all calls were blocking */
  int priority;   /* of our sources there */
  bool is_asking; /* the verdict was asked for and has not come */
  GThread *asker; /* (unowned) (nullable): who is in a handler or a database now; atomic */
  guint n_running;       /* threads in a synchronous handshake */
  bool is_told;          /* notifications of the end were made */
  GCancellable *inquiry; /* (owned) (nullable): the asynchronous question */

  GTlsCertificate *peer; /* (owned) (nullable): shown when the handshake is over */
  GTlsCertificateFlags peer_errors;

  GQueue handshakes; /* (element-type GTask) of handshake_async */
  GQueue shutdowns;  /* (element-type GTask) of shutdown_async */

  GSource *errand; /* (owned) (nullable): brings news to `context` */
  GSource *driver; /* (owned) (nullable) */
} MoatHandshake;

typedef enum
{
  MOAT_CALLER_HANDSHAKES, /* a synchronous handshake */
  MOAT_CALLER_BLOCKS,     /* I/O that may wait */
  MOAT_CALLER_POLLS,      /* I/O that may not */
  MOAT_CALLER_STARTS, /* an asynchronous call, or a source being prepared: nothing may be called from it */
  MOAT_CALLER_DISPATCHES, /* a source of ours, in its context */
} MoatCaller;

void moat_handshake_clear (MoatHandshake *self);

/* Gives the news to whom it concerns: here, if signals belong here, or by an errand. */
void moat_handshake_attend (MoatConnection *connection, MoatCaller caller,
                            GCancellable *cancellable);
/* Remembers the context of an asynchronous or non-blocking call (NULL: the thread's default) and sees to it
 * that something drives the connection there. */
void moat_handshake_drive (MoatConnection *connection, GMainContext *context);
/* Whether the driver is still wanted; if not it is forgotten. For the driver itself. */
bool moat_handshake_keep_driver (MoatConnection *connection, GSource *driver);
/* Whether the calling thread is in a handler of ours. */
bool moat_handshake_is_inside (MoatConnection *connection);
/* The object is going: nobody will be told any more. */
void moat_handshake_abandon (MoatConnection *connection);

gboolean moat_handshake_run (MoatConnection *connection, GCancellable *cancellable, GError **error);
void moat_handshake_run_async (MoatConnection *connection, int io_priority,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
gboolean moat_handshake_shut (MoatConnection *connection, gboolean shuts_read, gboolean shuts_write,
                              GCancellable *cancellable, GError **error);
void moat_handshake_shut_async (MoatConnection *connection, gboolean shuts_read,
                                gboolean shuts_write, int io_priority, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
