/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Handshake fragments, RFC 6347 §4.2.2. Every number has at most 24 bits, and the body's length
 * is taken from the space that is left, so that no sum can overflow. */

#include "wire/fragment.h"

bool
fragment_read (struct reader *reader, struct fragment *fragment)
{
  fragment->type = read_u8 (reader);
  fragment->message_len = read_u24 (reader);
  fragment->message_seq = read_u16 (reader);
  fragment->offset = read_u24 (reader);
  fragment->body = read_vec (reader, 3);

  return reader_ok (reader) && fragment->offset <= fragment->message_len
         && fragment->body.left <= fragment->message_len - fragment->offset;
}

void
fragment_write_header (struct writer *writer, const struct fragment *fragment)
{
  write_u8 (writer, fragment->type);
  write_u24 (writer, fragment->message_len);
  write_u16 (writer, fragment->message_seq);
  write_u24 (writer, fragment->offset);
  write_u24 (writer, (uint32_t) fragment->body.left);
}
