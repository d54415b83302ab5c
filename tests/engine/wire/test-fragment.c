/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/fragment: RFC 6347 §4.2.2. */

#include "codec.h"
#include "wire/fragment.h"

static bool
rewrite_fragment (struct bytes message, struct writer *writer)
{
  struct reader reader = reader_over (message);
  struct fragment fragment;

  if (!fragment_read (&reader, &fragment) || !reader_done (&reader))
    return false;

  fragment_write_header (writer, &fragment);
  write_bytes (writer, fragment.body.at, fragment.body.left);
  return true;
}

static void
is_a_codec (void)
{
  codec_check (rewrite_fragment, TAP_STRING ("\x0b\0\1\0\0\2\0\0\x10\0\0\3abc"), CODEC_NO_PREFIX);
}

static void
fields_stand_in_order (void)
{
  struct reader reader =
      reader_over (TAP_STRING ("\x0b\x04\x05\x06\x07\x08\x01\x02\x03\0\0\3abcd"));
  struct fragment fragment;

  CHECK (fragment_read (&reader, &fragment));
  CHECK_UINT (fragment.type, 11);
  CHECK_UINT (fragment.message_len, 0x040506);
  CHECK_UINT (fragment.message_seq, 0x0708);
  CHECK_UINT (fragment.offset, 0x010203);
  CHECK_BYTES (fragment.body, TAP_STRING ("abc"));
  CHECK_BYTES (read_rest (&reader), TAP_STRING ("d"));
}

static void
lies_within_its_message (void)
{
  static const struct
  {
    const char *row;
    uint32_t message_len;
    uint32_t offset;
    uint32_t len;
    bool expected;
  } rows[] = {
    { "an empty message", 0, 0, 0, true },
    { "the whole message", 4, 0, 4, true },
    { "its beginning", 4, 0, 3, true },
    { "its middle", 4, 1, 2, true },
    { "its end", 4, 1, 3, true },
    { "nothing, at the beginning", 4, 0, 0, true },
    { "nothing, at the end", 4, 4, 0, true },
    { "nothing, beyond the end", 4, 5, 0, false },
    { "something of an empty message", 0, 0, 1, false },
    { "one beyond the end", 4, 0, 5, false },
    { "one beyond the end, from the middle", 4, 2, 3, false },
    { "something at the end", 4, 4, 1, false },
    { "the end of the longest", 0xffffff, 0xfffffb, 4, true },
    { "beyond the longest", 0xffffff, 0xfffffc, 4, false },
    { "at the last offset", 0xffffff, 0xffffff, 1, false },
    /* 0xffffff + 5 is 4 in 24 bits. */
    { "a sum that wraps in 24 bits", 4, 0xffffff, 5, false },
  };
  static const uint8_t body[8];

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct fragment fragment = { .message_len = rows[i].message_len,
                                   .offset = rows[i].offset,
                                   .body = { body, rows[i].len } };
      uint8_t out[FRAGMENT_HEADER_LEN + sizeof body];
      struct writer writer = writer_over (out, sizeof out);
      struct reader reader;

      tap_set_row (rows[i].row);
      fragment_write_header (&writer, &fragment);
      write_bytes (&writer, body, rows[i].len);
      reader = reader_over (writer_bytes (&writer));
      CHECK_UINT (fragment_read (&reader, &fragment), rows[i].expected);
    }
}

static void
body_cut_short_fails (void)
{
  struct reader reader = reader_over (TAP_STRING ("\x01\xff\xff\xff\0\0\0\0\0\xff\xff\xff"
                                                  "abc"));
  struct fragment fragment;

  CHECK (!fragment_read (&reader, &fragment));
}

static void
several_follow_in_one_record (void)
{
  struct reader reader =
      reader_over (TAP_STRING ("\x0e\0\0\0\0\5\0\0\0\0\0\0\x14\0\0\1\0\6\0\0\0\0\0\1z"));
  struct fragment fragment;

  CHECK (fragment_read (&reader, &fragment));
  CHECK_UINT (fragment.message_seq, 5);
  CHECK (fragment_read (&reader, &fragment));
  CHECK_UINT (fragment.message_seq, 6);
  CHECK (reader_done (&reader));
}

static const struct tap_test tests[] = {
  { "/wire/fragment/is-a-codec", is_a_codec },
  { "/wire/fragment/fields-stand-in-order", fields_stand_in_order },
  { "/wire/fragment/lies-within-its-message", lies_within_its_message },
  { "/wire/fragment/body-cut-short-fails", body_cut_short_fails },
  { "/wire/fragment/several-follow-in-one-record", several_follow_in_one_record },
};

TAP_MAIN (tests)
