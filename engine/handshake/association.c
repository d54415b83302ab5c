/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Copies of what outlives the message it came in: lists of DER elements, and bytes. */

#include "handshake/association.h"

#include "crypto/digest.h"

#include <stdlib.h>
#include <string.h>

bool
der_list_copy (struct der_list *list, const struct bytes *items, size_t n)
{
  size_t total = n * sizeof (struct bytes);
  struct bytes *copy;
  uint8_t *at;

  for (size_t i = 0; i < n; i++)
    total += items[i].left;

  copy = malloc (total > 0 ? total : 1);
  if (copy == NULL)
    return false;

  at = (uint8_t *) (copy + n);
  for (size_t i = 0; i < n; i++)
    {
      copy[i] = (struct bytes){ at, items[i].left };
      if (items[i].left > 0)
        memcpy (at, items[i].at, items[i].left);
      at += items[i].left;
    }

  der_list_clear (list);
  list->items = copy;
  list->n = n;
  return true;
}

void
der_list_clear (struct der_list *list)
{
  free (list->items);
  *list = (struct der_list){ NULL, 0 };
}

bool
bytes_keep (struct bytes *at, struct bytes from)
{
  uint8_t *copy = malloc (from.left > 0 ? from.left : 1);

  if (copy == NULL)
    return false;

  if (from.left > 0)
    memcpy (copy, from.at, from.left);
  bytes_release (at);
  *at = (struct bytes){ copy, from.left };
  return true;
}

void
bytes_release (struct bytes *at)
{
  /* The bytes are ours: `struct bytes` only borrows elsewhere. */
  wipe_free ((void *) (uintptr_t) at->at, at->left);
  *at = (struct bytes){ NULL, 0 };
}
