/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lines cut from a file descriptor as its bytes come, in bounded memory. */

#pragma once

#include <stdbool.h>
#include <stddef.h>

enum
{
  /* The longest message that one DTLS record holds (RFC 6347 §4.1); no longer line could be sent. */
  MAX_LINE = 16384,
};

struct lines
{
  int fd;
  bool is_at_end;   /* of the file: what the buffer still holds is the last line */
  bool is_skipping; /* the rest of a line that was too long */
  size_t start;
  size_t used;
  char buffer[MAX_LINE + 1]; /* and its newline */
};

enum line
{
  LINE_NONE, /* nothing whole is there: read more, or stop at the end */
  LINE_WHOLE,
  LINE_TOO_LONG, /* longer than MAX_LINE, and passed over */
};

void lines_init (struct lines *lines, int fd);
/* One read, which waits if nothing is there. An error counts as the end; its errno is returned. */
int lines_read (struct lines *lines);
/* The next line, without its newline; good until the next call. Call until LINE_NONE after a read. */
enum line lines_take (struct lines *lines, const char **out_line, size_t *out_len);
