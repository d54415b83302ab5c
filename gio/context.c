/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Settings change by replacing counted, immutable values, so a connection that has taken one
 * keeps it. */

#include "gio/context.h"

#include "dtls.h"

struct _MoatContextClass
{
  GObjectClass parent_class;
};

struct _MoatContext
{
  GObject parent_instance;

  GMutex lock;
  MoatKeylog *keylog; /* (owned) (nullable) */
  GBytes *suites;     /* (owned) (nullable): code points, guint16 */
};

G_DEFINE_FINAL_TYPE (MoatContext, moat_context, G_TYPE_OBJECT)

/* ---------------------------------------------------------------------------------- the key log */

struct _MoatKeylog
{
  MoatKeylogFunc func;
  gpointer data;
  GDestroyNotify destroy; /* (nullable) */
};

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

void
moat_context_set_keylog_func (MoatContext *self, MoatKeylogFunc func, gpointer user_data,
                              GDestroyNotify destroy)
{
  g_autoptr (MoatKeylog) keylog = NULL;
  MoatKeylog *old;

  g_return_if_fail (MOAT_IS_CONTEXT (self));

  if (func != NULL)
    {
      keylog = g_atomic_rc_box_new0 (MoatKeylog);
      *keylog = (MoatKeylog){ func, user_data, destroy };
    }

  g_mutex_lock (&self->lock);
  old = self->keylog;
  self->keylog = g_steal_pointer (&keylog);
  g_mutex_unlock (&self->lock);

  g_clear_pointer (&old, moat_keylog_unref);
}

MoatKeylog *
moat_context_dup_keylog (MoatContext *self)
{
  MoatKeylog *keylog = NULL;

  g_mutex_lock (&self->lock);
  if (self->keylog != NULL)
    keylog = g_atomic_rc_box_acquire (self->keylog);
  g_mutex_unlock (&self->lock);

  return keylog;
}

/* --------------------------------------------------------------------------------------- suites */

/* The engine knows names by number only, and this is asked once in a program's life. 0 for
 * unknown. */
static guint16
suite_by_name (const char *name)
{
  for (guint suite = 1; suite <= G_MAXUINT16; suite++)
    if (g_strcmp0 (dtls_suite_name ((guint16) suite), name) == 0)
      return (guint16) suite;

  return 0;
}

gboolean
moat_context_set_cipher_suites (MoatContext *self, const char *const *names, GError **error)
{
  g_autoptr (GArray) suites = g_array_new (FALSE, FALSE, sizeof (guint16));
  GBytes *old;
  GBytes *fresh = NULL;

  g_return_val_if_fail (MOAT_IS_CONTEXT (self), FALSE);

  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    {
      guint16 suite = suite_by_name (names[i]);

      if (suite == 0)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "There is no cipher suite “%s”", names[i]);
          return FALSE;
        }
      g_array_append_val (suites, suite);
    }

  if (suites->len > 0)
    fresh = g_bytes_new (suites->data, suites->len * sizeof (guint16));

  g_mutex_lock (&self->lock);
  old = self->suites;
  self->suites = fresh;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&old, g_bytes_unref);

  return TRUE;
}

GBytes *
moat_context_dup_suites (MoatContext *self)
{
  GBytes *suites = NULL;

  g_mutex_lock (&self->lock);
  if (self->suites != NULL)
    suites = g_bytes_ref (self->suites);
  g_mutex_unlock (&self->lock);

  return suites;
}

char **
moat_context_dup_cipher_suites (MoatContext *self)
{
  g_autoptr (GStrvBuilder) names = NULL;
  g_autoptr (GBytes) suites = NULL;
  const guint16 *at;
  gsize size;

  g_return_val_if_fail (MOAT_IS_CONTEXT (self), NULL);

  suites = moat_context_dup_suites (self);
  if (suites == NULL)
    return NULL;

  names = g_strv_builder_new ();
  at = g_bytes_get_data (suites, &size);
  for (gsize i = 0; i < size / sizeof *at; i++)
    g_strv_builder_add (names, dtls_suite_name (at[i]));

  return g_strv_builder_end (names);
}

/* ----------------------------------------------------------------------------------- the object */

static void
moat_context_finalize (GObject *object)
{
  MoatContext *self = MOAT_CONTEXT (object);

  g_clear_pointer (&self->keylog, moat_keylog_unref);
  g_clear_pointer (&self->suites, g_bytes_unref);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (moat_context_parent_class)->finalize (object);
}

static void
moat_context_class_init (MoatContextClass *class)
{
  G_OBJECT_CLASS (class)->finalize = moat_context_finalize;
}

static void
moat_context_init (MoatContext *self)
{
  g_mutex_init (&self->lock);
}

MoatContext *
moat_context_new (void)
{
  return g_object_new (MOAT_TYPE_CONTEXT, NULL);
}

MoatContext *
moat_context_get_default (void)
{
  static MoatContext *context;

  if (g_once_init_enter (&context))
    g_once_init_leave (&context, moat_context_new ());

  return context;
}
