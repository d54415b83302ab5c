/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The bounded builder. Only claim () moves its end; write_vec_end () patches below it. */

#include "wire/writer.h"

#include <string.h>

struct writer
writer_over (uint8_t *at, size_t capacity)
{
  return (struct writer){ .at = at, .capacity = capacity };
}

bool
writer_ok (const struct writer *writer)
{
  return !writer->is_failed;
}

size_t
writer_room (const struct writer *writer)
{
  return writer->is_failed ? 0 : writer->capacity - writer->used;
}

struct bytes
writer_bytes (const struct writer *writer)
{
  if (writer->is_failed)
    return (struct bytes){ NULL, 0 };

  return (struct bytes){ writer->at, writer->used };
}

/* Room for `len` bytes; NULL if there is none, and for no bytes. */
static uint8_t *
claim (struct writer *writer, size_t len)
{
  uint8_t *claimed;

  if (len > writer_room (writer))
    writer->is_failed = true;
  if (writer->is_failed || len == 0)
    return NULL;

  claimed = writer->at + writer->used;
  writer->used += len;

  return claimed;
}

/* RFC 5246 §4.4: numbers are big-endian. */
static void
put_number (uint8_t *to, uint64_t value, size_t len)
{
  for (size_t i = len; i > 0; i--)
    {
      to[i - 1] = (uint8_t) value;
      value >>= 8;
    }
}

static bool
number_fits (uint64_t value, size_t len)
{
  return len >= sizeof value || value >> (8 * len) == 0;
}

/* A number too big for its bytes is a mistake of ours; what was meant must not go out cut short. */
static void
write_number (struct writer *writer, uint64_t value, size_t len)
{
  uint8_t *to = claim (writer, len);

  if (!number_fits (value, len))
    writer->is_failed = true;
  else if (to != NULL)
    put_number (to, value, len);
}

void
write_u8 (struct writer *writer, uint8_t value)
{
  write_number (writer, value, 1);
}

void
write_u16 (struct writer *writer, uint16_t value)
{
  write_number (writer, value, 2);
}

void
write_u24 (struct writer *writer, uint32_t value)
{
  write_number (writer, value, 3);
}

void
write_u32 (struct writer *writer, uint32_t value)
{
  write_number (writer, value, 4);
}

void
write_u48 (struct writer *writer, uint64_t value)
{
  write_number (writer, value, 6);
}

void
write_u64 (struct writer *writer, uint64_t value)
{
  write_number (writer, value, 8);
}

void
write_bytes (struct writer *writer, const uint8_t *at, size_t len)
{
  uint8_t *to = claim (writer, len);

  if (to != NULL)
    memcpy (to, at, len);
}

void
write_vec (struct writer *writer, struct bytes bytes, unsigned prefix_len)
{
  size_t body = write_vec_begin (writer, prefix_len);

  write_bytes (writer, bytes.at, bytes.left);
  write_vec_end (writer, body, prefix_len);
}

size_t
write_vec_begin (struct writer *writer, unsigned prefix_len)
{
  write_number (writer, 0, prefix_len);

  return writer->used;
}

void
write_vec_end (struct writer *writer, size_t body, unsigned prefix_len)
{
  size_t len = writer->used - body;

  if (!number_fits (len, prefix_len))
    writer->is_failed = true;
  if (!writer->is_failed)
    put_number (writer->at + body - prefix_len, len, prefix_len);
}
