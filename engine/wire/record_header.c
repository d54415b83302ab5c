/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The 13 bytes before every record of DTLS 1.2 and every plaintext one of DTLS 1.3, RFC 6347 §4.1,
 * and the 2 bytes or more before the others, RFC 9147 §4. */

#include "wire/record_header.h"

/* RFC 6347 §4.1: versions are one's complements, so 1.x is 0xfe and the complement of x. */
enum
{
  DTLS_MAJOR = 0xfe,
};

/* RFC 9147 §4: the bits 001CSLEE of the unified header's first byte. */
enum
{
  UNIFIED_MASK = 0xe0,
  UNIFIED_MARK = 0x20,
  UNIFIED_CONNECTION_ID = 0x10,
  UNIFIED_16_BIT_NUMBER = 0x08,
  UNIFIED_LENGTH = 0x04,
  UNIFIED_EPOCH = 0x03,
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

bool
is_unified_header (uint8_t first)
{
  return (first & UNIFIED_MASK) == UNIFIED_MARK;
}

bool
unified_header_read (struct reader *reader, size_t connection_id_len, struct unified_header *header)
{
  size_t whole = reader->left;
  uint8_t first = read_u8 (reader);

  header->epoch_bits = first & UNIFIED_EPOCH;
  header->has_connection_id = (first & UNIFIED_CONNECTION_ID) != 0;
  header->number_len = first & UNIFIED_16_BIT_NUMBER ? 2 : 1;
  header->has_length = (first & UNIFIED_LENGTH) != 0;

  read_bytes (reader, connection_id_len);
  header->number_at = 1 + connection_id_len;
  read_bytes (reader, header->number_len);
  header->len = header->has_length ? read_u16 (reader) : reader->left;
  header->header_len = whole - reader->left;

  return reader_ok (reader) && is_unified_header (first)
         && header->has_connection_id == (connection_id_len > 0) && header->len <= reader->left;
}

void
unified_header_write (struct writer *writer, uint64_t epoch, uint64_t number, uint16_t len)
{
  write_u8 (writer, (uint8_t) (UNIFIED_MARK | UNIFIED_16_BIT_NUMBER | UNIFIED_LENGTH
                               | (epoch & UNIFIED_EPOCH)));
  write_u16 (writer, (uint16_t) number);
  write_u16 (writer, len);
}
