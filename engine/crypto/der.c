/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* DER elements off a cursor. Only read_element () takes anything from it. */

#include "crypto/der.h"

enum
{
  TAG_NUMBER = 0x1f,     /* X.690 §8.1.2.4: all ones means that the tag goes on in the next byte */
  LENGTH_IS_LONG = 0x80, /* X.690 §8.1.3.5: the other bits are the number of bytes of the length */
  MAX_LENGTH_LEN = 3,    /* as much as a certificate may have in a TLS message, RFC 5246 §7.4.2 */
};

static size_t
read_length (struct reader *reader)
{
  uint8_t first = read_u8 (reader);
  size_t n = first & ~LENGTH_IS_LONG;
  size_t len = 0;

  if (first < LENGTH_IS_LONG)
    return first;

  /* X.690 §10.1: definite, which no bytes at all are not. */
  if (n == 0 || n > MAX_LENGTH_LEN)
    {
      reader_fail (reader);
      return 0;
    }
  for (size_t i = 0; i < n; i++)
    len = len << 8 | read_u8 (reader);

  /* X.690 §10.1: in as few bytes as possible. */
  if (len < LENGTH_IS_LONG || len >> 8 * (n - 1) == 0)
    reader_fail (reader);

  return len;
}

struct element
{
  uint8_t tag;
  struct bytes whole;
  struct bytes contents;
};

static struct element
read_element (struct reader *reader)
{
  struct element element = { .whole.at = reader->at };
  size_t before = reader->left;

  element.tag = read_u8 (reader);
  if ((element.tag & TAG_NUMBER) == TAG_NUMBER)
    reader_fail (reader);
  element.contents = read_bytes (reader, read_length (reader));
  element.whole.left = before - reader->left;

  return reader_ok (reader) ? element : (struct element){ 0 };
}

static struct element
read_expected (struct reader *reader, uint8_t tag)
{
  struct element element = read_element (reader);

  if (element.tag == tag)
    return element;

  reader_fail (reader);
  return (struct element){ 0 };
}

struct bytes
der_read (struct reader *reader, uint8_t tag)
{
  return read_expected (reader, tag).contents;
}

struct bytes
der_read_whole (struct reader *reader, uint8_t tag)
{
  return read_expected (reader, tag).whole;
}

struct bytes
der_read_any (struct reader *reader)
{
  return read_element (reader).whole;
}

bool
der_is_next (const struct reader *reader, uint8_t tag)
{
  return reader->left > 0 && reader->at[0] == tag;
}

void
der_skip_optional (struct reader *reader, uint8_t tag)
{
  if (der_is_next (reader, tag))
    (void) der_read (reader, tag);
}
