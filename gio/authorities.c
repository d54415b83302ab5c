/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server asks the same database for each of its connections, so the list stays with it, until its
 * `anchors` name another file. The lock is the whole process's, so no file is read under it. */

#include "gio/authorities.h"

#include "dtls.h"

typedef struct
{
  char *path;
  GPtrArray *names;
} Cache;

static G_DEFINE_QUARK (moat - authorities, moat_authorities)

    static void cache_free (Cache *self)
{
  g_free (self->path);
  g_ptr_array_unref (self->names);
  g_free (self);
}

static void
add_subject (gpointer certificate, gpointer names)
{
  g_autoptr (GByteArray) der = NULL;
  struct bytes subject;

  g_object_get (certificate, "certificate", &der, NULL);
  if (der == NULL)
    return;

  subject = dtls_certificate_subject ((struct bytes){ der->data, der->len });
  if (subject.left > 0)
    g_ptr_array_add (names, g_bytes_new (subject.at, subject.left));
}

/* A file that cannot be read names nobody; the database itself tells of it when it is asked. */
static Cache *
cache_new (const char *path)
{
  Cache *self = g_new0 (Cache, 1);
  g_autolist (GTlsCertificate) certificates = g_tls_certificate_list_new_from_file (path, NULL);

  self->path = g_strdup (path);
  self->names = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_list_foreach (certificates, add_subject, self->names);

  return self;
}

static gpointer
copy_name (gconstpointer name, G_GNUC_UNUSED gpointer data)
{
  return g_bytes_ref ((GBytes *) (guintptr) name);
}

static GPtrArray *
copy_names (GPtrArray *names)
{
  GPtrArray *copy = g_ptr_array_copy (names, (GCopyFunc) copy_name, NULL);

  g_ptr_array_set_free_func (copy, (GDestroyNotify) g_bytes_unref);

  return copy;
}

static GMutex lock; /* of every database's cache */

/* (transfer full) (nullable): what is known of the file. */
static GPtrArray *
recall (GTlsDatabase *database, const char *path)
{
  GPtrArray *names = NULL;
  const Cache *cache;

  g_mutex_lock (&lock);
  cache = g_object_get_qdata (G_OBJECT (database), moat_authorities_quark ());
  if (cache != NULL && g_strcmp0 (cache->path, path) == 0)
    names = copy_names (cache->names);
  g_mutex_unlock (&lock);

  return names;
}

/* Two that come at once both read the file, and the later one's list stays. */
static GPtrArray *
learn (GTlsDatabase *database, const char *path)
{
  Cache *cache = cache_new (path);
  GPtrArray *names = copy_names (cache->names);

  g_mutex_lock (&lock);
  g_object_set_qdata_full (G_OBJECT (database), moat_authorities_quark (), cache,
                           (GDestroyNotify) cache_free);
  g_mutex_unlock (&lock);

  return names;
}

GPtrArray *
moat_authorities_of (GTlsDatabase *database)
{
  g_autofree char *path = NULL;
  GPtrArray *names;

  if (database != NULL && G_IS_TLS_FILE_DATABASE (database))
    g_object_get (database, "anchors", &path, NULL);
  if (path == NULL)
    return g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  names = recall (database, path);

  return names != NULL ? names : learn (database, path);
}
