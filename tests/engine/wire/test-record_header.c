/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/record_header: RFC 6347 §4.1 and RFC 9147 §4. */

#include "codec.h"
#include "wire/codepoints.h"
#include "wire/record_header.h"

/* A whole record, so that a fragment cut short counts as a truncation. */
static bool
rewrite_record (struct bytes message, struct writer *writer)
{
  struct reader reader = reader_over (message);
  struct record_header header;
  struct bytes body;

  if (!record_header_read (&reader, &header))
    return false;
  body = read_bytes (&reader, header.len);
  if (!reader_done (&reader))
    return false;

  record_header_write (writer, &header);
  write_bytes (writer, body.at, body.left);
  return true;
}

static void
is_a_codec (void)
{
  codec_check (rewrite_record,
               TAP_STRING ("\x17\xfe\xfd\x01\x02\x03\x04\x05\x06\x07\x08\x00\x05hello"),
               CODEC_NO_PREFIX);
}

static void
fields_stand_in_order (void)
{
  struct reader reader =
      reader_over (TAP_STRING ("\x17\xfe\xfd\x01\x02\x03\x04\x05\x06\x07\x08\x00\x02ok"));
  struct record_header header;

  CHECK (record_header_read (&reader, &header));
  CHECK_UINT (header.type, CONTENT_APPLICATION_DATA);
  CHECK_UINT (header.version, VERSION_DTLS_1_2);
  CHECK_UINT (header.epoch, 0x0102);
  CHECK_UINT (header.number, 0x030405060708);
  CHECK_UINT (header.len, 2);
  CHECK_BYTES (read_rest (&reader), TAP_STRING ("ok"));
}

static void
takes_only_the_header (void)
{
  static const uint8_t two[] = "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
                               "a"
                               "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01"
                               "b";
  struct reader reader = reader_over ((struct bytes){ two, sizeof two - 1 });
  struct record_header header;

  CHECK (record_header_read (&reader, &header));
  CHECK_UINT (reader.left, sizeof two - 1 - RECORD_HEADER_LEN);
  CHECK_BYTES (read_bytes (&reader, header.len), TAP_STRING ("a"));
  CHECK (record_header_read (&reader, &header));
  CHECK_UINT (header.number, 1);
  CHECK_BYTES (read_bytes (&reader, header.len), TAP_STRING ("b"));
  CHECK (reader_done (&reader));
}

static void
judges_version_and_length (void)
{
  static const struct
  {
    const char *row;
    struct bytes record;
    bool expected;
  } rows[] = {
    { "1.2", TAP_STRING ("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\0"), true },
    { "1.0", TAP_STRING ("\x16\xfe\xff\0\0\0\0\0\0\0\0\0\0"), true },
    { "a later one", TAP_STRING ("\x16\xfe\xfc\0\0\0\0\0\0\0\0\0\0"), true },
    { "TLS 1.2", TAP_STRING ("\x16\x03\x03\0\0\0\0\0\0\0\0\0\0"), false },
    { "OpenSSL's first", TAP_STRING ("\x16\x01\x00\0\0\0\0\0\0\0\0\0\0"), false },
    { "major 0xff", TAP_STRING ("\x16\xff\xfd\0\0\0\0\0\0\0\0\0\0"), false },
    { "as long as what is left", TAP_STRING ("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\1a"), true },
    { "shorter than what is left", TAP_STRING ("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\1ab"), true },
    { "longer than what is left", TAP_STRING ("\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\2a"), false },
    { "65535 of one",
      TAP_STRING ("\x16\xfe\xfd\0\0\0\0\0\0\0\0\xff\xff"
                  "a"),
      false },
    { "unknown type", TAP_STRING ("\xff\xfe\xfd\0\0\0\0\0\0\0\0\0\0"), true },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct reader reader = reader_over (rows[i].record);
      struct record_header header;

      tap_set_row (rows[i].row);
      CHECK_UINT (record_header_read (&reader, &header), rows[i].expected);
    }
}

static void
number_has_48_bits (void)
{
  uint8_t out[RECORD_HEADER_LEN];
  struct record_header header = { .number = 0xffffffffffff };
  struct writer writer = writer_over (out, sizeof out);

  record_header_write (&writer, &header);
  CHECK (writer_ok (&writer));
  CHECK_UINT (writer.used, RECORD_HEADER_LEN);

  header.number++;
  writer = writer_over (out, sizeof out);
  record_header_write (&writer, &header);
  CHECK (!writer_ok (&writer));
}

/* A record of the form that we send, with all that follows it. */
static bool
rewrite_unified (struct bytes message, struct writer *writer)
{
  struct reader reader = reader_over (message);
  struct unified_header header;
  struct bytes body;
  uint16_t number;

  if (!unified_header_read (&reader, 0, &header))
    return false;
  body = read_bytes (&reader, header.len);
  if (!reader_done (&reader))
    return false;

  number = (uint16_t) (message.at[header.number_at] << 8 | message.at[header.number_at + 1]);
  unified_header_write (writer, header.epoch_bits, number, (uint16_t) header.len);
  write_bytes (writer, body.at, body.left);
  return true;
}

static void
unified_is_a_codec (void)
{
  codec_check (rewrite_unified, TAP_STRING ("\x2c\1\2\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_unified, TAP_STRING ("\x2f\1\2\0\5hello"), CODEC_NO_PREFIX);
}

static void
unified_starts_with_001 (void)
{
  uint8_t record[] = { 0, 0, 0, 0, 0, 0, 0 };

  for (unsigned first = 0; first <= UINT8_MAX; first++)
    {
      struct reader reader = reader_over (TAP_BYTES (record));
      struct unified_header header;

      record[0] = (uint8_t) first;
      CHECK_UINT (is_unified_header ((uint8_t) first), first >= 32 && first < 64);
      CHECK_UINT (unified_header_read (&reader, first & 0x10 ? 2 : 0, &header),
                  first >= 32 && first < 64);
    }
}

/* Every form that RFC 9147 §4 has: a bit of the first byte for each part. `header_len` 0: none. */
static void
unified_has_a_bit_for_each_part (void)
{
  static const struct
  {
    const char *row;
    struct bytes record;
    size_t connection_id_len;
    size_t header_len, number_at, number_len, len;
  } rows[] = {
    { "smallest", TAP_STRING ("\x20nrecord"), 0, 2, 1, 1, 6 },
    { "16-bit number", TAP_STRING ("\x28nnrecord"), 0, 3, 1, 2, 6 },
    { "length", TAP_STRING ("\x24n\0\6recordmore"), 0, 4, 1, 1, 6 },
    { "16-bit number, length", TAP_STRING ("\x2cnn\0\6recordmore"), 0, 5, 1, 2, 6 },
    { "connection ID", TAP_STRING ("\x30idnrecord"), 2, 4, 3, 1, 6 },
    { "connection ID, 16-bit number", TAP_STRING ("\x38idnnrecord"), 2, 5, 3, 2, 6 },
    { "connection ID, length", TAP_STRING ("\x34idn\0\6recordmore"), 2, 6, 3, 1, 6 },
    { "all", TAP_STRING ("\x3cidnn\0\6recordmore"), 2, 7, 3, 2, 6 },
    { "connection ID of one byte", TAP_STRING ("\x3cinn\0\6record"), 1, 6, 2, 2, 6 },
    { "nothing after it", TAP_STRING ("\x20n"), 0, 2, 1, 1, 0 },
    { "length 0", TAP_STRING ("\x24n\0\0"), 0, 4, 1, 1, 0 },
    { "length longer than what is left", TAP_STRING ("\x24n\0\7record"), 0, 0, 0, 0, 0 },
    { "the largest length", TAP_STRING ("\x24n\xff\xffrecord"), 0, 0, 0, 0, 0 },
    { "a connection ID, none expected", TAP_STRING ("\x30idnrecord"), 0, 0, 0, 0, 0 },
    { "no connection ID, one expected", TAP_STRING ("\x20nrecord"), 2, 0, 0, 0, 0 },
    { "connection ID cut short", TAP_STRING ("\x30id"), 3, 0, 0, 0, 0 },
    { "number cut short", TAP_STRING ("\x28n"), 0, 0, 0, 0, 0 },
    { "length cut short", TAP_STRING ("\x2cnn\0"), 0, 0, 0, 0, 0 },
    { "empty", { NULL, 0 }, 0, 0, 0, 0, 0 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct reader reader = reader_over (rows[i].record);
      struct unified_header header;

      tap_set_row (rows[i].row);
      if (!CHECK_UINT (unified_header_read (&reader, rows[i].connection_id_len, &header),
                       rows[i].header_len > 0)
          || rows[i].header_len == 0)
        continue;
      CHECK_UINT (header.has_connection_id, rows[i].connection_id_len > 0);
      CHECK_UINT (header.has_length, (rows[i].record.at[0] & 4) != 0);
      CHECK_UINT (header.header_len, rows[i].header_len);
      CHECK_UINT (header.number_at, rows[i].number_at);
      CHECK_UINT (header.number_len, rows[i].number_len);
      CHECK_UINT (header.len, rows[i].len);
      CHECK_BYTES (read_bytes (&reader, header.len),
                   rows[i].len > 0 ? TAP_STRING ("record") : ((struct bytes){ NULL, 0 }));
      CHECK (reader_ok (&reader));
    }
}

static void
unified_epoch_is_its_lowest_two_bits (void)
{
  for (uint64_t epoch = 0; epoch <= 9; epoch++)
    {
      uint8_t out[UNIFIED_HEADER_LEN];
      struct writer writer = writer_over (out, sizeof out);
      struct unified_header header;
      struct reader reader;

      unified_header_write (&writer, epoch, 0, 0);
      reader = reader_over (writer_bytes (&writer));
      CHECK (unified_header_read (&reader, 0, &header));
      CHECK_UINT (header.epoch_bits, epoch % 4);
    }
}

static void
unified_is_sent_with_16_bits_and_a_length (void)
{
  uint8_t out[UNIFIED_HEADER_LEN];
  struct writer writer = writer_over (out, sizeof out);

  unified_header_write (&writer, 0xffffffffffff, 0x123456789abcdef0, 0x4011);
  CHECK_BYTES (writer_bytes (&writer), TAP_STRING ("\x2f\xde\xf0\x40\x11"));
}

static const struct tap_test tests[] = {
  { "/wire/record-header/is-a-codec", is_a_codec },
  { "/wire/record-header/fields-stand-in-order", fields_stand_in_order },
  { "/wire/record-header/takes-only-the-header", takes_only_the_header },
  { "/wire/record-header/judges-version-and-length", judges_version_and_length },
  { "/wire/record-header/number-has-48-bits", number_has_48_bits },
  { "/wire/record-header/unified/is-a-codec", unified_is_a_codec },
  { "/wire/record-header/unified/starts-with-001", unified_starts_with_001 },
  { "/wire/record-header/unified/has-a-bit-for-each-part", unified_has_a_bit_for_each_part },
  { "/wire/record-header/unified/epoch-is-its-lowest-two-bits",
    unified_epoch_is_its_lowest_two_bits },
  { "/wire/record-header/unified/is-sent-with-16-bits-and-a-length",
    unified_is_sent_with_16_bits_and_a_length },
};

TAP_MAIN (tests)
