/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The facts one after the other, each with its length, so that no two sets of them look the same. */

#include "gio/session-key.h"

#include <string.h>

/* A database stays what it was when its memory belongs to another one: each gets a number of its own,
 * which no object had before. */
static guint
number_of (gpointer object)
{
  static GMutex lock;
  static guint last; /* under the lock */
  const GQuark quark = g_quark_from_static_string ("moat-number");
  guint number;

  if (object == NULL)
    return 0;

  g_mutex_lock (&lock);
  number = GPOINTER_TO_UINT (g_object_get_qdata (object, quark));
  if (number == 0)
    {
      number = ++last;
      g_object_set_qdata (object, quark, GUINT_TO_POINTER (number));
    }
  g_mutex_unlock (&lock);

  return number;
}

static void
add (GByteArray *key, gconstpointer at, gsize len)
{
  guint32 prefix = (guint32) len;

  g_byte_array_append (key, (const guint8 *) &prefix, sizeof prefix);
  if (len > 0)
    g_byte_array_append (key, at, (guint) len);
}

/* What a subclass calls itself may say less than what it means. */
bool
moat_session_key_may_be (const MoatSessionFacts *facts)
{
  GType type = facts->identity != NULL ? G_OBJECT_TYPE (facts->identity) : G_TYPE_NONE;

  return (facts->flags & G_TLS_CERTIFICATE_VALIDATE_ALL) == G_TLS_CERTIFICATE_VALIDATE_ALL
         && (type == G_TYPE_NETWORK_ADDRESS || type == G_TYPE_NETWORK_SERVICE
             || type == G_TYPE_INET_SOCKET_ADDRESS);
}

static void
add_identity (GByteArray *key, GSocketConnectable *identity)
{
  g_autofree char *text = g_socket_connectable_to_string (identity);
  const char *type = G_OBJECT_TYPE_NAME (identity);

  add (key, type, strlen (type));
  add (key, text, strlen (text));
}

static void
add_leaf (GByteArray *key, GBytes *leaf)
{
  g_autofree char *digest = NULL;

  if (leaf != NULL)
    digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, leaf);

  add (key, digest, digest != NULL ? strlen (digest) : 0);
}

GBytes *
moat_session_key_new (const MoatSessionFacts *facts)
{
  g_autoptr (GByteArray) key = g_byte_array_new ();
  guint database = number_of (facts->database);
  guint32 flags = facts->flags;

  if (!moat_session_key_may_be (facts))
    return NULL;

  add_identity (key, facts->identity);
  add (key, &facts->port, sizeof facts->port);
  add (key, &database, sizeof database);
  add (key, &flags, sizeof flags);
  add_leaf (key, facts->leaf);
  for (gsize i = 0; facts->protocols != NULL && facts->protocols[i] != NULL; i++)
    add (key, facts->protocols[i], strlen (facts->protocols[i]));

  return g_byte_array_free_to_bytes (g_steal_pointer (&key));
}
