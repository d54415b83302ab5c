/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Settings change by replacing counted, immutable values, so a connection that has taken one
 * keeps it. Sessions and ticket keys are shared by all connections. */

#include "gio/context.h"

#include "gio/names.h"

struct _MoatContextClass
{
  GObjectClass parent_class;
};

struct _MoatContext
{
  GObject parent_instance;

  GMutex lock;
  MoatSettings settings; /* under the lock */

  MoatSessions sessions;
  MoatTickets tickets;
};

typedef enum
{
  PROP_MIN_VERSION = 1,
  PROP_MAX_VERSION,
  N_PROPS,
} MoatContextProperty;

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (MoatContext, moat_context, G_TYPE_OBJECT)

/* ---------------------------------------------------------------------------- for connections */

void
moat_context_get_settings (MoatContext *self, MoatSettings *out)
{
  g_mutex_lock (&self->lock);
  *out = self->settings;
  if (out->keylog != NULL)
    moat_keylog_ref (out->keylog);
  if (out->suites != NULL)
    g_bytes_ref (out->suites);
  if (out->groups != NULL)
    g_bytes_ref (out->groups);
  if (out->psk != NULL)
    moat_psk_ref (out->psk);
  if (out->psk_lookup != NULL)
    moat_psk_lookup_ref (out->psk_lookup);
  g_mutex_unlock (&self->lock);
}

void
moat_settings_clear (MoatSettings *self)
{
  g_clear_pointer (&self->keylog, moat_keylog_unref);
  g_clear_pointer (&self->suites, g_bytes_unref);
  g_clear_pointer (&self->groups, g_bytes_unref);
  g_clear_pointer (&self->psk, moat_psk_unref);
  g_clear_pointer (&self->psk_lookup, moat_psk_lookup_unref);
}

MoatSessions *
moat_context_get_sessions (MoatContext *self)
{
  return &self->sessions;
}

MoatTickets *
moat_context_get_tickets (MoatContext *self)
{
  return &self->tickets;
}

/* Puts `fresh` in the place of a setting. What was there is the caller's to free: functions of the
 * application's may run then, so nothing is locked. */
static gpointer
exchange (MoatContext *self, gpointer *place, gpointer fresh)
{
  gpointer old;

  g_mutex_lock (&self->lock);
  old = *place;
  *place = fresh;
  g_mutex_unlock (&self->lock);

  return old;
}

/* ------------------------------------------------------------------------------------- versions */

static const struct
{
  const char *name;
  enum dtls_version version;
} versions[] = {
  { "1.2", DTLS_1_2 },
  { "1.3", DTLS_1_3 },
};

static const char *
version_name (enum dtls_version version)
{
  for (gsize i = 0; i < G_N_ELEMENTS (versions); i++)
    if (versions[i].version == version)
      return versions[i].name;

  return NULL;
}

static gboolean
set_version (MoatContext *self, enum dtls_version *place, const char *name, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (versions); i++)
    if (g_strcmp0 (versions[i].name, name) == 0)
      {
        g_mutex_lock (&self->lock);
        *place = versions[i].version;
        g_mutex_unlock (&self->lock);
        return TRUE;
      }

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "There is no DTLS version “%s” here, but 1.2 and 1.3", name != NULL ? name : "");
  return FALSE;
}

static const char *
get_version (MoatContext *self, const enum dtls_version *place)
{
  enum dtls_version version;

  g_mutex_lock (&self->lock);
  version = *place;
  g_mutex_unlock (&self->lock);

  return version_name (version);
}

gboolean
moat_context_set_min_version (MoatContext *self, const char *version, GError **error)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), FALSE);

  if (!set_version (self, &self->settings.min_version, version, error))
    return FALSE;

  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MIN_VERSION]);
  return TRUE;
}

gboolean
moat_context_set_max_version (MoatContext *self, const char *version, GError **error)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), FALSE);

  if (!set_version (self, &self->settings.max_version, version, error))
    return FALSE;

  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MAX_VERSION]);
  return TRUE;
}

const char *
moat_context_get_min_version (MoatContext *self)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), NULL);

  return get_version (self, &self->settings.min_version);
}

const char *
moat_context_get_max_version (MoatContext *self)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), NULL);

  return get_version (self, &self->settings.max_version);
}

/* ---------------------------------------------------------------------------- suites and groups */

static gboolean
set_names (MoatContext *self, const MoatNames *known, GBytes **place, const char *const *names,
           GError **error)
{
  g_autoptr (GBytes) codes = NULL;

  if (!moat_names_parse (known, names, &codes, error))
    return FALSE;

  codes = exchange (self, (gpointer *) place, codes);

  return TRUE;
}

static char **
dup_names (MoatContext *self, const MoatNames *known, GBytes **place)
{
  g_autoptr (GBytes) codes = NULL;

  g_mutex_lock (&self->lock);
  codes = *place != NULL ? g_bytes_ref (*place) : NULL;
  g_mutex_unlock (&self->lock);

  return moat_names_print (known, codes);
}

gboolean
moat_context_set_cipher_suites (MoatContext *self, const char *const *names, GError **error)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), FALSE);

  return set_names (self, &moat_suite_names, &self->settings.suites, names, error);
}

char **
moat_context_dup_cipher_suites (MoatContext *self)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), NULL);

  return dup_names (self, &moat_suite_names, &self->settings.suites);
}

gboolean
moat_context_set_groups (MoatContext *self, const char *const *names, GError **error)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), FALSE);

  return set_names (self, &moat_group_names, &self->settings.groups, names, error);
}

char **
moat_context_dup_groups (MoatContext *self)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), NULL);

  return dup_names (self, &moat_group_names, &self->settings.groups);
}

/* ------------------------------------------------------------------------- functions and secrets */

void
moat_context_set_keylog_func (MoatContext *self, MoatKeylogFunc func, gpointer user_data,
                              GDestroyNotify destroy)
{
  MoatKeylog *old;

  g_return_if_fail (MOAT_IS_CONTEXT (self));

  old = exchange (self, (gpointer *) &self->settings.keylog,
                  moat_keylog_new (func, user_data, destroy));
  g_clear_pointer (&old, moat_keylog_unref);
}

gboolean
moat_context_set_psk (MoatContext *self, GBytes *identity, GBytes *key, GError **error)
{
  MoatPsk *psk = NULL;
  MoatPsk *old;

  g_return_val_if_fail (MOAT_IS_CONTEXT (self), FALSE);
  g_return_val_if_fail ((identity == NULL) == (key == NULL), FALSE);

  if (identity != NULL)
    psk = moat_psk_new (identity, key, error);
  if (identity != NULL && psk == NULL)
    return FALSE;

  old = exchange (self, (gpointer *) &self->settings.psk, psk);
  g_clear_pointer (&old, moat_psk_unref);
  return TRUE;
}

void
moat_context_set_psk_func (MoatContext *self, MoatPskFunc func, gpointer user_data,
                           GDestroyNotify destroy)
{
  MoatPskLookup *old;

  g_return_if_fail (MOAT_IS_CONTEXT (self));

  old = exchange (self, (gpointer *) &self->settings.psk_lookup,
                  moat_psk_lookup_new (func, user_data, destroy));
  g_clear_pointer (&old, moat_psk_lookup_unref);
}

gboolean
moat_context_set_ticket_secret (MoatContext *self, GBytes *secret, GError **error)
{
  g_return_val_if_fail (MOAT_IS_CONTEXT (self), FALSE);
  g_return_val_if_fail (secret != NULL, FALSE);

  if (g_bytes_get_size (secret) < MOAT_TICKET_SECRET_LEN)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "The secret for tickets must have %d bytes or more", MOAT_TICKET_SECRET_LEN);
      return FALSE;
    }

  moat_tickets_set_secret (&self->tickets, secret);
  return TRUE;
}

void
moat_context_set_keeps_sessions (MoatContext *self, gboolean keeps_sessions)
{
  g_return_if_fail (MOAT_IS_CONTEXT (self));

  g_mutex_lock (&self->lock);
  self->settings.keeps_sessions = keeps_sessions;
  g_mutex_unlock (&self->lock);
}

gboolean
moat_context_get_keeps_sessions (MoatContext *self)
{
  gboolean keeps_sessions;

  g_return_val_if_fail (MOAT_IS_CONTEXT (self), FALSE);

  g_mutex_lock (&self->lock);
  keeps_sessions = self->settings.keeps_sessions;
  g_mutex_unlock (&self->lock);

  return keeps_sessions;
}

/* ----------------------------------------------------------------------------------- the object */

static void
moat_context_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  MoatContext *self = MOAT_CONTEXT (object);

  switch ((MoatContextProperty) id)
    {
    case PROP_MIN_VERSION:
      g_value_set_static_string (value, moat_context_get_min_version (self));
      break;
    case PROP_MAX_VERSION:
      g_value_set_static_string (value, moat_context_get_max_version (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

/* A property has nowhere to put an error. */
static void
moat_context_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  MoatContext *self = MOAT_CONTEXT (object);
  g_autoptr (GError) error = NULL;

  switch ((MoatContextProperty) id)
    {
    case PROP_MIN_VERSION:
      moat_context_set_min_version (self, g_value_get_string (value), &error);
      break;
    case PROP_MAX_VERSION:
      moat_context_set_max_version (self, g_value_get_string (value), &error);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }

  if (error != NULL)
    g_warning ("%s", error->message);
}

static void
moat_context_finalize (GObject *object)
{
  MoatContext *self = MOAT_CONTEXT (object);

  moat_settings_clear (&self->settings);
  moat_sessions_clear (&self->sessions);
  moat_tickets_clear (&self->tickets);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (moat_context_parent_class)->finalize (object);
}

static void
moat_context_class_init (MoatContextClass *class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = moat_context_get_property;
  object_class->set_property = moat_context_set_property;
  object_class->finalize = moat_context_finalize;

  props[PROP_MIN_VERSION] = g_param_spec_string ("min-version", NULL, NULL, "1.2", flags);
  props[PROP_MAX_VERSION] = g_param_spec_string ("max-version", NULL, NULL, "1.3", flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
moat_context_init (MoatContext *self)
{
  g_mutex_init (&self->lock);
  moat_sessions_init (&self->sessions);
  moat_tickets_init (&self->tickets);

  self->settings.min_version = DTLS_1_2;
  self->settings.max_version = DTLS_1_3;
  self->settings.keeps_sessions = true;
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
