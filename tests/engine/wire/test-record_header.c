/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/record_header: RFC 6347 §4.1. */

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

static const struct tap_test tests[] = {
  { "/wire/record-header/is-a-codec", is_a_codec },
  { "/wire/record-header/fields-stand-in-order", fields_stand_in_order },
  { "/wire/record-header/takes-only-the-header", takes_only_the_header },
  { "/wire/record-header/judges-version-and-length", judges_version_and_length },
  { "/wire/record-header/number-has-48-bits", number_has_48_bits },
};

TAP_MAIN (tests)
