/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A session's bytes are the library's, and secret; see session-file.h. They hold the server's certificate and
 * the secret that stands in for its key, so whoever can write the file can be every server that this client
 * trusts. Trouble with the file costs a whole handshake and nothing else, so it is a warning. */

#include "cli/session-file.h"

#include "cli/report.h"
#include "cli/secret.h"

#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>

enum
{
  MAGIC_LEN = 4,
};

void
session_file_offer (const char *file, MoatConnection *connection)
{
  g_autoptr (GBytes) session = NULL;
  g_autoptr (GError) error = NULL;

  session = secret_read (file, SECRET_FROM_OWN_FILE, &error);
  if (session != NULL)
    moat_connection_set_session (connection, session);
  else if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    report_warning ("there is no session to offer: %s", error->message);
}

/* Every session begins with the same four bytes; a file that does not holds something else of somebody's. */
static bool
may_replace (const char *file, GBytes *session)
{
  g_autoptr (GBytes) old = NULL;
  const guint8 *at;
  gsize size;

  if (g_file_test (file, G_FILE_TEST_IS_REGULAR))
    old = secret_read (file, SECRET_FROM_ANYWHERE, NULL);
  if (old == NULL)
    return true;

  at = g_bytes_get_data (old, &size);
  return size == 0
         || (size >= MAGIC_LEN && memcmp (at, g_bytes_get_data (session, NULL), MAGIC_LEN) == 0);
}

void
session_file_store (const char *file, MoatConnection *connection)
{
  g_autoptr (GBytes) session = moat_connection_dup_session (connection);
  g_autoptr (GError) error = NULL;
  gconstpointer at;
  gsize size;

  if (session == NULL)
    return;
  if (!may_replace (file, session))
    {
      report_warning ("the session was not kept: %s holds something else", file);
      return;
    }

  /* Newer GLibs leave a file that is there the permissions it has. */
  g_unlink (file);
  at = g_bytes_get_data (session, &size);
  if (!g_file_set_contents_full (file, at, (gssize) size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                 &error))
    report_warning ("the session was not kept: %s", error->message);
}
