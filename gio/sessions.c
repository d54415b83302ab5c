/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One list, newest first: a few hundred keys are compared faster than a handshake is made. */

#include "gio/sessions.h"

enum
{
  MAX_SESSIONS = 256,
  MAX_SESSIONS_OF_KEY = 4, /* connections that can resume at the same time */
  MAX_SIZE = 1024 * 1024,
};

typedef struct
{
  GBytes *key;     /* (owned) */
  GBytes *session; /* (owned) */
} Entry;

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_bytes_unref (entry->key);
  g_bytes_unref (entry->session);
  g_free (entry);
}

static gsize
entry_size (const Entry *entry)
{
  return g_bytes_get_size (entry->key) + g_bytes_get_size (entry->session);
}

void
moat_sessions_init (MoatSessions *self)
{
  g_mutex_init (&self->lock);
}

void
moat_sessions_clear (MoatSessions *self)
{
  g_queue_clear_full (&self->entries, entry_free);
  self->size = 0;
  g_mutex_clear (&self->lock);
}

static void
delete_link (MoatSessions *self, GList *link)
{
  self->size -= entry_size (link->data);
  entry_free (link->data);
  g_queue_delete_link (&self->entries, link);
}

static void
shrink (MoatSessions *self, GBytes *key)
{
  guint n_of_key = 0;

  for (GList *link = self->entries.head, *next; link != NULL; link = next)
    {
      next = link->next;
      if (g_bytes_equal (((Entry *) link->data)->key, key) && ++n_of_key > MAX_SESSIONS_OF_KEY)
        delete_link (self, link);
    }

  while (self->entries.length > MAX_SESSIONS || self->size > MAX_SIZE)
    delete_link (self, self->entries.tail);
}

void
moat_sessions_store (MoatSessions *self, GBytes *key, GBytes *session)
{
  Entry *entry = g_new (Entry, 1);

  *entry = (Entry){ g_bytes_ref (key), g_bytes_ref (session) };

  g_mutex_lock (&self->lock);
  g_queue_push_head (&self->entries, entry);
  self->size += entry_size (entry);
  shrink (self, key);
  g_mutex_unlock (&self->lock);
}

GBytes *
moat_sessions_take (MoatSessions *self, GBytes *key)
{
  GBytes *session = NULL;

  g_mutex_lock (&self->lock);
  for (GList *link = self->entries.head; link != NULL; link = link->next)
    if (g_bytes_equal (((Entry *) link->data)->key, key))
      {
        session = g_bytes_ref (((Entry *) link->data)->session);
        delete_link (self, link);
        break;
      }
  g_mutex_unlock (&self->lock);

  return session;
}

void
moat_sessions_drop (MoatSessions *self, GBytes *session)
{
  g_mutex_lock (&self->lock);
  for (GList *link = self->entries.head, *next; link != NULL; link = next)
    {
      next = link->next;
      if (g_bytes_equal (((Entry *) link->data)->session, session))
        delete_link (self, link);
    }
  g_mutex_unlock (&self->lock);
}
