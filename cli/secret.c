/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Memory for a secret is allocated once, as large as it may have to be: what grows leaves copies behind. */

#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- memory --- */

struct secret
{
  gsize size;
  guint8 at[];
};

static struct secret *
secret_new (gsize size)
{
  struct secret *secret = g_malloc (sizeof *secret + size);

  secret->size = size;
  return secret;
}

static void
secret_free (gpointer data)
{
  struct secret *secret = data;

  explicit_bzero (secret->at, secret->size);
  g_free (secret);
}

/* The first `len` bytes of `secret`, which it takes. */
static GBytes *
secret_to_bytes (struct secret *secret, gsize len)
{
  return g_bytes_new_with_free_func (secret->at, len, secret_free, secret);
}

/* --- files --- */

static bool
set_error (const char *file, int code, GError **error)
{
  g_set_error (error, G_FILE_ERROR, (gint) g_file_error_from_errno (code), "cannot read %s: %s",
               file, g_strerror (code));
  return false;
}

/* What is asked about is what was opened, whatever the name stands for a moment later. */
static bool
is_ours_alone (const char *file, int fd, GError **error)
{
  const char *fault = NULL;
  struct stat status;

  if (fstat (fd, &status) != 0)
    return set_error (file, errno, error);

  if (!S_ISREG (status.st_mode))
    fault = "is not a regular file";
  else if (status.st_uid != geteuid ())
    fault = "belongs to another user";
  else if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    fault = "can be written by other users";

  if (fault != NULL)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_PERM, "%s %s", file, fault);
  return fault == NULL;
}

/* Fills `secret` as far as there is something. */
static bool
read_all (const char *file, int fd, struct secret *secret, gsize *out_len, GError **error)
{
  gsize len = 0;
  ssize_t n;

  do
    {
      n = read (fd, secret->at + len, secret->size - len);
      if (n > 0)
        len += (gsize) n;
    }
  while ((n > 0 && len < secret->size) || (n < 0 && errno == EINTR));

  *out_len = len;
  return n >= 0 ? true : set_error (file, errno, error);
}

static GBytes *
read_file (const char *file, int fd, GError **error)
{
  struct secret *secret = secret_new (SECRET_MAX_LEN + 1);
  gsize len;

  if (!read_all (file, fd, secret, &len, error))
    {
      secret_free (secret);
      return NULL;
    }
  if (len > SECRET_MAX_LEN)
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s is too long to be a secret", file);
      secret_free (secret);
      return NULL;
    }

  return secret_to_bytes (secret, len);
}

GBytes *
secret_read (const char *file, enum secret_source source, GError **error)
{
  /* Opening a pipe that nobody writes to would wait. */
  const int flags = source == SECRET_FROM_OWN_FILE ? O_NONBLOCK : 0;
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
  GBytes *secret = NULL;

  if (fd < 0)
    {
      set_error (file, errno, error);
      return NULL;
    }

  if (source == SECRET_FROM_ANYWHERE || is_ours_alone (file, fd, error))
    secret = read_file (file, fd, error);

  close (fd);
  return secret;
}

/* --- digits --- */

GBytes *
secret_from_hex (GBytes *text)
{
  gsize len;
  const char *at = g_bytes_get_data (text, &len);
  struct secret *secret;

  while (len > 0 && g_ascii_isspace (at[0]))
    {
      at++;
      len--;
    }
  while (len > 0 && g_ascii_isspace (at[len - 1]))
    len--;

  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isxdigit (at[i]))
      return NULL;
  if (len == 0 || len % 2 != 0)
    return NULL;

  secret = secret_new (len / 2);
  for (gsize i = 0; i < secret->size; i++)
    secret->at[i] =
        (guint8) (g_ascii_xdigit_value (at[2 * i]) << 4 | g_ascii_xdigit_value (at[2 * i + 1]));

  return secret_to_bytes (secret, secret->size);
}
