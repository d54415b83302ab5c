/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client's sessions, each under a key that says all that a connection must have in common with the one
 * that made it: see gio/session-key.h. */

#pragma once

#include "dtls.h"

#include <glib.h>

/* Its lock is a leaf. */
typedef struct
{
  GMutex lock;
  GQueue entries; /* the newest first */
  gsize size;     /* bytes of all keys and sessions */
} MoatSessions;

void moat_sessions_init (MoatSessions *self);
void moat_sessions_clear (MoatSessions *self);

/* What there is too much of goes, the oldest first: of the same key, and of all. */
void moat_sessions_store (MoatSessions *self, GBytes *key, GBytes *session);
/* (transfer full) (nullable): the newest, which is kept no longer: a ticket that is used twice tells
 * whoever watches that it is the same client (RFC 9846 §C.4). */
GBytes *moat_sessions_take (MoatSessions *self, GBytes *key);
void moat_sessions_drop (MoatSessions *self, GBytes *session);
