/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Secrets to a file; see keylog.h. */

#include "cli/keylog.h"

#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

struct keylog
{
  int fd;
  char *path;
  bool has_failed;
};

static void
keylog_free (gpointer data)
{
  struct keylog *keylog = data;

  close (keylog->fd);
  g_free (keylog->path);
  g_free (keylog);
}

/* The context calls this in whatever thread drives the connection; ours are all driven by the main one.
 * One write per line: other processes may be appending to the same file. */
static void
on_secret (MoatContext *context G_GNUC_UNUSED, const char *line, gpointer user_data)
{
  struct keylog *keylog = user_data;
  size_t len = strlen (line);
  g_autofree char *ended = g_strconcat (line, "\n", NULL);
  ssize_t n_written = write (keylog->fd, ended, len + 1);

  if (n_written != (ssize_t) len + 1 && !keylog->has_failed)
    {
      keylog->has_failed = true;
      report_warning ("cannot write to %s: %s", keylog->path,
                      n_written < 0 ? g_strerror (errno) : "no room for a whole line");
    }

  explicit_bzero (ended, len);
}

bool
keylog_open (MoatContext *context, const char *file, GError **error)
{
  const char *path = file != NULL ? file : g_getenv ("SSLKEYLOGFILE");
  struct keylog *keylog;
  int fd;

  if (path == NULL || *path == '\0')
    return true;

  /* Set-user-ID, set-group-ID or with capabilities: whoever started us must neither choose a file for
   * those rights to write to nor read what they were given for. */
  if (getauxval (AT_SECURE) != 0)
    {
      report_warning ("no secrets are written: this process has more rights than its user");
      return true;
    }

  fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0)
    {
      int code = errno;

      g_set_error (error, G_FILE_ERROR, (gint) g_file_error_from_errno (code),
                   "Cannot open %s to write secrets to: %s", path, g_strerror (code));
      return false;
    }

  report_warning ("the secrets of this connection go to %s; whoever reads it can read the traffic",
                  path);
  keylog = g_new0 (struct keylog, 1);
  keylog->fd = fd;
  keylog->path = g_strdup (path);
  moat_context_set_keylog_func (context, on_secret, keylog, keylog_free);
  return true;
}
