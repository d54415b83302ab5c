/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lines from a file descriptor; see lines.h. */

#include "cli/lines.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

void
lines_init (struct lines *lines, int fd)
{
  lines->fd = fd;
  lines->is_at_end = false;
  lines->is_skipping = false;
  lines->start = 0;
  lines->used = 0;
}

int
lines_read (struct lines *lines)
{
  ssize_t n_read;

  memmove (lines->buffer, lines->buffer + lines->start, lines->used - lines->start);
  lines->used -= lines->start;
  lines->start = 0;
  /* lines_take leaves no buffer full. */
  assert (lines->used < sizeof lines->buffer);

  n_read = read (lines->fd, lines->buffer + lines->used, sizeof lines->buffer - lines->used);
  if (n_read > 0)
    lines->used += (size_t) n_read;
  else if (n_read == 0)
    lines->is_at_end = true;
  else if (errno != EINTR && errno != EAGAIN)
    {
      lines->is_at_end = true;
      return errno;
    }

  return 0;
}

/* What is there has no newline. */
static enum line
take_unended (struct lines *lines, const char **out_line, size_t *out_len)
{
  size_t len = lines->used - lines->start;
  bool is_too_long = len > MAX_LINE;

  if (len == 0 || (!lines->is_skipping && !is_too_long && !lines->is_at_end))
    return LINE_NONE;

  *out_line = lines->buffer + lines->start;
  *out_len = len;
  lines->start = 0;
  lines->used = 0;

  if (lines->is_skipping)
    return LINE_NONE;

  lines->is_skipping = is_too_long;
  return is_too_long ? LINE_TOO_LONG : LINE_WHOLE;
}

enum line
lines_take (struct lines *lines, const char **out_line, size_t *out_len)
{
  while (true)
    {
      const char *from = lines->buffer + lines->start;
      const char *newline = memchr (from, '\n', lines->used - lines->start);

      if (newline == NULL)
        return take_unended (lines, out_line, out_len);

      lines->start += (size_t) (newline - from) + 1;
      if (!lines->is_skipping)
        {
          *out_line = from;
          *out_len = (size_t) (newline - from);
          return LINE_WHOLE;
        }
      lines->is_skipping = false;
    }
}
