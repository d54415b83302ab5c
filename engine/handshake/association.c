/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lists of DER elements that outlive the message they came in. */

#include "handshake/association.h"

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
