/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One call of an application's that may wait: for how long, and what ends it early. */

#pragma once

#include "gio/handshake.h"

typedef struct
{
  MoatConnection *connection;
  MoatCaller caller;
  GIOCondition wanted; /* what of the connection it waits for */
  gint64 timeout;      /* µs; 0: may not wait; negative: without end */
  dtls_time until;
  GCancellable *cancellable; /* (nullable) */
  guint ticket;
  bool has_waited;
} MoatCall;

void moat_call_init (MoatCall *self, MoatConnection *connection, GIOCondition wanted,
                     gint64 timeout, GCancellable *cancellable);

/* Whether it makes sense at all: not in an object that was never initialised, not if it would
 * wait for itself, not when it is cancelled. */
bool moat_call_is_allowed (const MoatCall *self, GError **error);
/* Before each attempt: whether it may be made. Starts the handshake, and moves the connection on
 * unless nothing but application data is going on. */
bool moat_call_enter (MoatCall *self, GError **error);
/* Whether there is time for another attempt. */
bool moat_call_has_time (const MoatCall *self, GError **error);
/* After an attempt that came to nothing: true when the next one may be made. */
bool moat_call_wait (MoatCall *self, GError **error);
