/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* DER built from the inside out, for certificates that no tool would make. */

#pragma once

#include <stdlib.h>
#include <string.h>

#include "types.h"

enum
{
  MAX_BUILT_LEN = 1 << 16,
};

/* Where one test's elements are built; none is freed before the next der_reset (). */
static struct
{
  uint8_t at[MAX_BUILT_LEN];
  size_t used;
} built;

static inline void
der_reset (void)
{
  built.used = 0;
}

static inline uint8_t *
der_place (size_t len)
{
  uint8_t *at = built.at + built.used;

  if (len > MAX_BUILT_LEN - built.used)
    abort ();
  built.used += len;
  return at;
}

static inline struct bytes
der_join (const struct bytes *parts, size_t n_parts)
{
  struct bytes whole = { built.at + built.used, 0 };

  for (size_t i = 0; i < n_parts; i++)
    {
      if (parts[i].left > 0)
        memcpy (der_place (parts[i].left), parts[i].at, parts[i].left);
      whole.left += parts[i].left;
    }

  return whole;
}

/* A tag, the shortest length, and the parts one after the other. */
static inline struct bytes
der_element (uint8_t tag, const struct bytes *parts, size_t n_parts)
{
  uint8_t head[4] = { tag };
  size_t head_len = 1;
  struct bytes contents = der_join (parts, n_parts);

  if (contents.left >= 0x100)
    {
      head[head_len++] = 0x82;
      head[head_len++] = (uint8_t) (contents.left >> 8);
    }
  else if (contents.left >= 0x80)
    head[head_len++] = 0x81;
  head[head_len++] = (uint8_t) contents.left;

  return der_join ((const struct bytes[]){ { head, head_len }, contents }, 2);
}

#define DER(tag, ...)                                                                              \
  der_element ((tag), (const struct bytes[]){ __VA_ARGS__ },                                       \
               sizeof ((const struct bytes[]){ __VA_ARGS__ }) / sizeof (struct bytes))
#define DER_RAW(literal) ((struct bytes){ (const uint8_t *) (literal), sizeof (literal) - 1 })
#define DER_NOTHING ((struct bytes){ NULL, 0 })
