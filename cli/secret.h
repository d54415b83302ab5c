/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Secrets in files: keys, and sessions. */

#pragma once

#include <glib.h>

enum
{
  /* No session is longer; a key is much shorter. */
  SECRET_MAX_LEN = 65535,
};

enum secret_source
{
  SECRET_FROM_ANYWHERE, /* also a pipe */
  /* A regular file that belongs to the effective user and that nobody else may write. */
  SECRET_FROM_OWN_FILE,
};

/* All that is in `file`, wiped when the last reference goes. */
GBytes *secret_read (const char *file, enum secret_source source, GError **error);

/* (nullable): the bytes that `text` writes as pairs of hexadecimal digits, with white space around them and
 * nothing else, wiped like it. NULL for other text, and for none. */
GBytes *secret_from_hex (GBytes *text);
