/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The bounded cursor. Only take () moves it, so only take () has to be right about bounds. */

#include "wire/reader.h"

#include <string.h>

struct reader
reader_over (struct bytes bytes)
{
  return (struct reader){ .at = bytes.at, .left = bytes.left };
}

bool
reader_ok (const struct reader *reader)
{
  return !reader->is_failed;
}

bool
reader_done (const struct reader *reader)
{
  return !reader->is_failed && reader->left == 0;
}

void
reader_fail (struct reader *reader)
{
  *reader = (struct reader){ .is_failed = true };
}

static struct bytes
take (struct reader *reader, size_t len)
{
  struct bytes taken = { reader->at, len };

  if (len > reader->left)
    {
      reader_fail (reader);
      return (struct bytes){ NULL, 0 };
    }

  /* Even adding 0 to the null pointer of an empty reader is undefined. */
  if (len > 0)
    reader->at += len;
  reader->left -= len;

  return taken;
}

/* RFC 5246 §4.4: numbers are big-endian. */
static uint64_t
read_number (struct reader *reader, size_t len)
{
  struct bytes digits = take (reader, len);
  uint64_t value = 0;

  for (size_t i = 0; i < digits.left; i++)
    value = value << 8 | digits.at[i];

  return value;
}

uint8_t
read_u8 (struct reader *reader)
{
  return (uint8_t) read_number (reader, 1);
}

uint16_t
read_u16 (struct reader *reader)
{
  return (uint16_t) read_number (reader, 2);
}

uint32_t
read_u24 (struct reader *reader)
{
  return (uint32_t) read_number (reader, 3);
}

uint32_t
read_u32 (struct reader *reader)
{
  return (uint32_t) read_number (reader, 4);
}

uint64_t
read_u48 (struct reader *reader)
{
  return read_number (reader, 6);
}

uint64_t
read_u64 (struct reader *reader)
{
  return read_number (reader, 8);
}

struct bytes
read_bytes (struct reader *reader, size_t len)
{
  return take (reader, len);
}

struct bytes
read_vec (struct reader *reader, unsigned prefix_len)
{
  size_t len = (size_t) read_number (reader, prefix_len);

  return take (reader, len);
}

struct bytes
read_rest (struct reader *reader)
{
  return take (reader, reader->left);
}

bool
vec_list_next (struct bytes *list, unsigned prefix_len, struct bytes *out_vec)
{
  struct reader reader = reader_over (*list);

  *out_vec = read_vec (&reader, prefix_len);
  if (!reader_ok (&reader))
    return false;

  *list = read_rest (&reader);
  return true;
}

bool
vec_list_is_well_formed (struct bytes list, unsigned prefix_len)
{
  struct bytes vec;

  while (vec_list_next (&list, prefix_len, &vec))
    if (vec.left == 0)
      return false;

  return list.left == 0;
}

bool
bytes_have (struct bytes bytes, uint8_t value)
{
  return bytes.left > 0 && memchr (bytes.at, value, bytes.left) != NULL;
}

bool
bytes_equal (struct bytes a, struct bytes b)
{
  return a.left == b.left && (a.left == 0 || memcmp (a.at, b.at, a.left) == 0);
}
