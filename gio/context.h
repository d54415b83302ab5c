/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What connections take out of a MoatContext. */

#pragma once

#include "moat/moat-context.h"

/* Who gets the key log; immutable and counted, so that it can be called while another one is
 * set. */
typedef struct _MoatKeylog MoatKeylog;

void moat_keylog_unref (MoatKeylog *self);
void moat_keylog_write (MoatKeylog *self, MoatContext *context, const char *line);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MoatKeylog, moat_keylog_unref)

/* Returns: (transfer full) (nullable) */
MoatKeylog *moat_context_dup_keylog (MoatContext *self);
/* Returns: (transfer full) (nullable): code points, an array of guint16; NULL for the defaults */
GBytes *moat_context_dup_suites (MoatContext *self);
