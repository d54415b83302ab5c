/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A session's bytes are the library's, and secret; see session-file.h. They hold the server's certificate and
 * the secret that stands in for its key, so whoever can write the file can be every server that this client
 * trusts. Trouble with the file costs a whole handshake and nothing else, so it is a warning. */

#include "cli/session-file.h"

#include "cli/report.h"
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Every session begins with the same four bytes; a file that does not, or that cannot be looked at, holds
 * something else of somebody's. An empty one waits to be filled. */
static bool
may_replace (const char *file, GBytes *session)
{
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
  guint8 found[MAGIC_LEN];
  struct stat status;
  ssize_t n = -1;

  if (fd < 0)
    return errno == ENOENT;

  if (fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    n = read (fd, found, sizeof found);
  close (fd);

  return n == 0
         || (n == MAGIC_LEN && memcmp (found, g_bytes_get_data (session, NULL), MAGIC_LEN) == 0);
}

static bool
write_all (int fd, GBytes *bytes)
{
  gsize left;
  const guint8 *at = g_bytes_get_data (bytes, &left);

  while (left > 0)
    {
      ssize_t n = write (fd, at, left);

      if (n < 0 && errno != EINTR)
        return false;
      if (n > 0)
        {
          at += n;
          left -= (gsize) n;
        }
    }

  return true;
}

/* A file of our own from its first moment takes the other's place: whatever that allowed to whom, and
 * without an instant in which there is half of one. */
static bool
replace (const char *file, GBytes *session)
{
  g_autofree char *fresh = g_strconcat (file, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (fresh, O_WRONLY | O_CLOEXEC, 0600);
  bool is_written;
  int code;

  if (fd < 0)
    return false;

  is_written = write_all (fd, session);
  is_written = close (fd) == 0 && is_written;
  if (is_written && g_rename (fresh, file) == 0)
    return true;

  code = errno;
  g_unlink (fresh);
  errno = code;
  return false;
}

void
session_file_store (const char *file, MoatConnection *connection)
{
  g_autoptr (GBytes) session = moat_connection_dup_session (connection);

  if (session == NULL)
    return;

  if (!may_replace (file, session))
    report_warning ("the session was not kept: %s holds something else", file);
  else if (!replace (file, session))
    report_warning ("the session was not kept: cannot write %s: %s", file, g_strerror (errno));
}
