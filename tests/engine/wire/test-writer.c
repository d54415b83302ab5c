/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/writer: capacity, stickiness, byte order, prefixes. */

#include "tap.h"
#include "wire/writer.h"

static void
writes_big_endian (void)
{
  static const uint8_t expected[] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                      13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };
  uint8_t out[sizeof expected];
  struct writer writer = writer_over (out, sizeof out);

  write_u8 (&writer, 0x01);
  write_u16 (&writer, 0x0203);
  write_u24 (&writer, 0x040506);
  write_u32 (&writer, 0x0708090a);
  write_u48 (&writer, 0x0b0c0d0e0f10);
  write_u64 (&writer, 0x1112131415161718);

  CHECK (writer_ok (&writer));
  CHECK_UINT (writer_room (&writer), 0);
  CHECK_BYTES (writer_bytes (&writer), TAP_BYTES (expected));
}

static void
room_counts_down (void)
{
  uint8_t out[4];
  struct writer writer = writer_over (out, sizeof out);

  CHECK_UINT (writer_room (&writer), 4);
  write_u24 (&writer, 1);
  CHECK_UINT (writer_room (&writer), 1);
  write_u8 (&writer, 1);
  CHECK_UINT (writer_room (&writer), 0);
  CHECK (writer_ok (&writer));
}

static void
overflow_writes_nothing (void)
{
  uint8_t out[4] = { 0xa5, 0xa5, 0xa5, 0xa5 };
  struct writer writer = writer_over (out, 3);

  write_u8 (&writer, 1);
  write_u24 (&writer, 0x020304);

  CHECK (!writer_ok (&writer));
  CHECK_BYTES (TAP_BYTES (out), TAP_STRING ("\x01\xa5\xa5\xa5"));
}

static void
failure_is_sticky (void)
{
  uint8_t out[4] = { 0 };
  struct writer writer = writer_over (out, sizeof out);

  write_u64 (&writer, 1);
  CHECK (!writer_ok (&writer));

  /* It would have fitted, but the message has a hole now. */
  write_u8 (&writer, 0xff);
  write_bytes (&writer, (const uint8_t *) "x", 1);
  write_vec (&writer, TAP_STRING ("x"), 1);
  CHECK (!writer_ok (&writer));
  CHECK_UINT (writer_room (&writer), 0);
  CHECK_UINT (writer_bytes (&writer).left, 0);
  CHECK_BYTES (TAP_BYTES (out), TAP_STRING ("\0\0\0\0"));
}

static void
lengths_do_not_wrap (void)
{
  uint8_t out[4] = { 0 };
  struct writer writer = writer_over (out, sizeof out);

  write_u8 (&writer, 1);
  write_bytes (&writer, out, SIZE_MAX);
  CHECK (!writer_ok (&writer));
}

static void
number_too_big_for_its_bytes_fails (void)
{
  uint8_t out[8];
  struct writer writer;

  writer = writer_over (out, sizeof out);
  write_u24 (&writer, 0xffffff);
  CHECK (writer_ok (&writer));
  write_u24 (&writer, 0x1000000);
  CHECK (!writer_ok (&writer));

  writer = writer_over (out, sizeof out);
  write_u48 (&writer, (uint64_t) 1 << 48);
  CHECK (!writer_ok (&writer));
}

static void
no_bytes_need_no_buffer (void)
{
  struct writer writer = writer_over (NULL, 0);

  write_bytes (&writer, NULL, 0);
  CHECK (writer_ok (&writer));
  CHECK_UINT (writer_bytes (&writer).left, 0);
  write_u8 (&writer, 0);
  CHECK (!writer_ok (&writer));
}

static void
vectors_carry_their_length (void)
{
  uint8_t out[32];
  struct writer writer = writer_over (out, sizeof out);

  write_vec (&writer, TAP_STRING ("a"), 1);
  write_vec (&writer, TAP_STRING ("bc"), 2);
  write_vec (&writer, TAP_STRING ("def"), 3);
  write_vec (&writer, (struct bytes){ NULL, 0 }, 2);

  CHECK_BYTES (writer_bytes (&writer), TAP_STRING ("\1a\0\2bc\0\0\3def\0\0"));
}

static void
prefixes_nest (void)
{
  uint8_t out[32];
  struct writer writer = writer_over (out, sizeof out);
  size_t outer = write_vec_begin (&writer, 3);
  size_t inner = write_vec_begin (&writer, 2);

  write_bytes (&writer, (const uint8_t *) "abc", 3);
  write_vec_end (&writer, inner, 2);
  write_u8 (&writer, 'd');
  write_vec_end (&writer, outer, 3);

  CHECK_BYTES (writer_bytes (&writer), TAP_STRING ("\0\0\6\0\3abcd"));
}

static void
body_too_long_for_its_prefix_fails (void)
{
  static const struct
  {
    const char *row;
    size_t len;
    unsigned prefix_len;
    bool expected;
  } rows[] = {
    { "one byte, most", 255, 1, true },    { "one byte, too long", 256, 1, false },
    { "two bytes, most", 65535, 2, true }, { "two bytes, too long", 65536, 2, false },
    { "three bytes", 65536, 3, true },
  };
  static const uint8_t body[65536];
  static uint8_t out[65536 + 3];

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct writer writer = writer_over (out, sizeof out);

      tap_set_row (rows[i].row);
      write_vec (&writer, (struct bytes){ body, rows[i].len }, rows[i].prefix_len);
      CHECK_UINT (writer_ok (&writer), rows[i].expected);
    }
}

static void
prefix_that_does_not_fit_fails (void)
{
  uint8_t out[2] = { 0xa5, 0xa5 };
  struct writer writer = writer_over (out, 1);
  size_t body = write_vec_begin (&writer, 2);

  write_vec_end (&writer, body, 2);
  CHECK (!writer_ok (&writer));
  CHECK_BYTES (TAP_BYTES (out), TAP_STRING ("\xa5\xa5"));
}

static const struct tap_test tests[] = {
  { "/wire/writer/writes-big-endian", writes_big_endian },
  { "/wire/writer/room-counts-down", room_counts_down },
  { "/wire/writer/overflow-writes-nothing", overflow_writes_nothing },
  { "/wire/writer/failure-is-sticky", failure_is_sticky },
  { "/wire/writer/lengths-do-not-wrap", lengths_do_not_wrap },
  { "/wire/writer/number-too-big-for-its-bytes-fails", number_too_big_for_its_bytes_fails },
  { "/wire/writer/no-bytes-need-no-buffer", no_bytes_need_no_buffer },
  { "/wire/writer/vectors-carry-their-length", vectors_carry_their_length },
  { "/wire/writer/prefixes-nest", prefixes_nest },
  { "/wire/writer/body-too-long-for-its-prefix-fails", body_too_long_for_its_prefix_fails },
  { "/wire/writer/prefix-that-does-not-fit-fails", prefix_that_does_not_fit_fails },
};

TAP_MAIN (tests)
