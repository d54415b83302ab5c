/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Bytes written as hexadecimal digits, as test vectors are. */

#pragma once

#include <stdlib.h>

#include "types.h"

enum
{
  MAX_HEX_LEN = 256,
};

/* A place for hex_read. */
struct hex
{
  uint8_t at[MAX_HEX_LEN];
};

static inline unsigned
hex_digit (char digit)
{
  return digit <= '9' ? (unsigned) (digit - '0') : (unsigned) (digit - 'a' + 10);
}

/* Blanks between the bytes are skipped. Borrowed from `place`. */
static inline struct bytes
hex_read (struct hex *place, const char *text)
{
  size_t len = 0;

  while (*text != '\0')
    {
      if (*text == ' ')
        {
          text++;
          continue;
        }
      if (text[1] == '\0' || len == MAX_HEX_LEN)
        abort ();
      place->at[len++] = (uint8_t) (hex_digit (text[0]) << 4 | hex_digit (text[1]));
      text += 2;
    }

  return (struct bytes){ place->at, len };
}
