/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What connections take out of a MoatContext. */

#pragma once

#include "gio/keylog.h"
#include "gio/psk.h"
#include "gio/sessions.h"
#include "gio/tickets.h"

/* What was set, with a reference to each: a connection that has taken it keeps it. */
typedef struct
{
  MoatKeylog *keylog; /* (owned) (nullable) */
  GBytes *suites;     /* (owned) (nullable): code points, guint16; NULL: the defaults */
  GBytes *groups;     /* (owned) (nullable): the same */
  enum dtls_version min_version;
  enum dtls_version max_version;
  bool keeps_sessions;
  MoatPsk *psk;              /* (owned) (nullable): a client's */
  MoatPskLookup *psk_lookup; /* (owned) (nullable): a server's */
} MoatSettings;

void moat_context_get_settings (MoatContext *self, MoatSettings *out);
void moat_settings_clear (MoatSettings *self);

/* Both (transfer none); they have locks of their own. */
MoatSessions *moat_context_get_sessions (MoatContext *self);
MoatTickets *moat_context_get_tickets (MoatContext *self);
