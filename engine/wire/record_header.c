/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The 13 bytes before every record of DTLS 1.2, RFC 6347 §4.1. */

#include "wire/record_header.h"

/* RFC 6347 §4.1: versions are one's complements, so 1.x is 0xfe and the complement of x. */
enum
{
  DTLS_MAJOR = 0xfe,
};

bool
record_header_read (struct reader *reader, struct record_header *header)
{
  header->type = read_u8 (reader);
  header->version = read_u16 (reader);
  header->epoch = read_u16 (reader);
  header->number = read_u48 (reader);
  header->len = read_u16 (reader);

  return reader_ok (reader) && header->version >> 8 == DTLS_MAJOR && header->len <= reader->left;
}

void
record_header_write (struct writer *writer, const struct record_header *header)
{
  write_u8 (writer, header->type);
  write_u16 (writer, header->version);
  write_u16 (writer, header->epoch);
  write_u48 (writer, header->number);
  write_u16 (writer, header->len);
}
