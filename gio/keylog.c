/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A function of the application's, with what it is handed. */

#include "gio/keylog.h"

struct _MoatKeylog
{
  MoatKeylogFunc func;
  gpointer data;
  GDestroyNotify destroy; /* (nullable) */
};

MoatKeylog *
moat_keylog_new (MoatKeylogFunc func, gpointer data, GDestroyNotify destroy)
{
  MoatKeylog *self;

  if (func == NULL)
    return NULL;

  self = g_atomic_rc_box_new (MoatKeylog);
  *self = (MoatKeylog){ func, data, destroy };

  return self;
}

MoatKeylog *
moat_keylog_ref (MoatKeylog *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
keylog_clear (MoatKeylog *self)
{
  if (self->destroy != NULL)
    self->destroy (self->data);
}

void
moat_keylog_unref (MoatKeylog *self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify) keylog_clear);
}

void
moat_keylog_write (MoatKeylog *self, MoatContext *context, const char *line)
{
  self->func (context, line, self->data);
}
