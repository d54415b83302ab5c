/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* How threads learn that another one moved a connection on. Whoever is about to wait takes a
 * ticket first and then looks whether there is something to do: a change after the ticket ends
 * the wait at once. */

#pragma once

#include "gio/base.h"

/* Someone who can be woken: a thread in moat_wake_wait or a GSource. */
typedef struct _MoatSleeper MoatSleeper;

typedef struct
{
  GMutex lock; /* a leaf: nothing else is locked or called under it, but wake-ups */
  guint generation;
  GPtrArray *sleepers; /* (element-type MoatSleeper): who can be woken now */
  GPtrArray *spare;    /* (element-type MoatSleeper): of threads, kept for the next wait */
} MoatWake;

void moat_wake_init (MoatWake *self);
void moat_wake_clear (MoatWake *self);

guint moat_wake_ticket (MoatWake *self);
/* Wakes everyone, and lets every ticket expire. */
void moat_wake_all (MoatWake *self);

typedef enum
{
  MOAT_WAIT_OVER,               /* something happened, or may have */
  MOAT_WAIT_WITHOUT_BASE,       /* the base cannot be waited for */
  MOAT_WAIT_WITHOUT_DESCRIPTOR, /* the system gave none; it may later */
} MoatWait;

/* Waits until `base` fulfils `condition`, the ticket has expired, `until` (monotonic µs up to
 * G_MAXINT64, or DTLS_NEVER) is reached or `cancellable` is cancelled; it does not say which. */
MoatWait moat_wake_wait (MoatWake *self, guint ticket, const MoatBase *base, GIOCondition condition,
                         dtls_time until, GCancellable *cancellable);
/* Whether `base` fulfils `condition` right now. */
bool moat_wake_check (MoatWake *self, const MoatBase *base, GIOCondition condition);

/* For a GSource that is attached to no context yet: makes it ready, wherever it will be. It keeps
 * neither the source nor its context, and may outlive the wake. */
MoatSleeper *moat_sleeper_new (MoatWake *wake, GSource *source);
void moat_sleeper_unref (MoatSleeper *self);
/* Whether it was woken since it was last asked by the second of these. */
bool moat_sleeper_is_woken (MoatSleeper *self);
bool moat_sleeper_was_woken (MoatSleeper *self);
/* It will not be woken any more; when its source goes. `wake` (nullable) may have gone before. */
void moat_sleeper_retire (MoatSleeper *self, MoatWake *wake);
