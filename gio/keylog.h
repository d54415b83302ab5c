/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Who gets the key log; immutable and counted, so that it can be called while another one is set. */

#pragma once

#include "moat/moat-context.h"

typedef struct _MoatKeylog MoatKeylog;

/* (transfer full) (nullable): NULL for no `func`. */
MoatKeylog *moat_keylog_new (MoatKeylogFunc func, gpointer data, GDestroyNotify destroy);
MoatKeylog *moat_keylog_ref (MoatKeylog *self);
void moat_keylog_unref (MoatKeylog *self);
void moat_keylog_write (MoatKeylog *self, MoatContext *context, const char *line);
