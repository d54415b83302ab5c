/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The length that wiping needs stands before the bytes. */

#include "gio/secret.h"

#include <string.h>

typedef struct
{
  gsize size;
  uint8_t at[];
} Secret;

static void
secret_free (gpointer data)
{
  Secret *self = data;

  explicit_bzero (self->at, self->size);
  g_free (self);
}

GBytes *
moat_secret_new (struct bytes bytes)
{
  Secret *self = g_malloc (sizeof *self + bytes.left);

  self->size = bytes.left;
  if (bytes.left > 0)
    memcpy (self->at, bytes.at, bytes.left);

  return g_bytes_new_with_free_func (self->at, bytes.left, secret_free, self);
}
