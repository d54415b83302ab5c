/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/reader: bounds, stickiness, byte order, lists of vectors. */

#include "tap.h"
#include "wire/reader.h"

static const uint8_t counting[] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                                    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24 };

static void
reads_big_endian (void)
{
  struct reader reader = reader_over (TAP_BYTES (counting));

  CHECK_UINT (read_u8 (&reader), 0x01);
  CHECK_UINT (read_u16 (&reader), 0x0203);
  CHECK_UINT (read_u24 (&reader), 0x040506);
  CHECK_UINT (read_u32 (&reader), 0x0708090a);
  CHECK_UINT (read_u48 (&reader), 0x0b0c0d0e0f10);
  CHECK_UINT (read_u64 (&reader), 0x1112131415161718);
  CHECK (reader_done (&reader));
}

static void
reads_the_largest_numbers (void)
{
  static const uint8_t ones[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
  struct reader reader;

  reader = reader_over (TAP_BYTES (ones));
  CHECK_UINT (read_u32 (&reader), UINT32_MAX);
  CHECK_UINT (read_u24 (&reader), 0xffffff);
  CHECK_UINT (read_u8 (&reader), 0xff);

  reader = reader_over (TAP_BYTES (ones));
  CHECK_UINT (read_u48 (&reader), 0xffffffffffff);
  CHECK_UINT (read_u16 (&reader), 0xffff);

  reader = reader_over (TAP_BYTES (ones));
  CHECK_UINT (read_u64 (&reader), UINT64_MAX);
}

static uint64_t
read_of (unsigned size, struct reader *reader)
{
  switch (size)
    {
    case 1:
      return read_u8 (reader);
    case 2:
      return read_u16 (reader);
    case 3:
      return read_u24 (reader);
    case 4:
      return read_u32 (reader);
    case 6:
      return read_u48 (reader);
    default:
      return read_u64 (reader);
    }
}

static void
number_cut_short_fails (void)
{
  static const unsigned sizes[] = { 1, 2, 3, 4, 6, 8 };

  for (size_t i = 0; i < TAP_N (sizes); i++)
    for (size_t len = 0; len < sizes[i]; len++)
      {
        struct reader reader = reader_over ((struct bytes){ counting, len });

        CHECK_UINT (read_of (sizes[i], &reader), 0);
        CHECK (!reader_ok (&reader));
        CHECK (!reader_done (&reader));
      }
}

static void
failure_is_sticky (void)
{
  struct reader reader = reader_over ((struct bytes){ counting, 3 });

  CHECK_UINT (read_u32 (&reader), 0);
  CHECK (!reader_ok (&reader));

  /* Three bytes would have done, but the cursor is empty now. */
  CHECK_UINT (reader.left, 0);
  CHECK_UINT (read_u8 (&reader), 0);
  CHECK_UINT (read_vec (&reader, 1).left, 0);
  CHECK_UINT (read_bytes (&reader, 0).left, 0);
  CHECK_UINT (read_rest (&reader).left, 0);
  CHECK (!reader_ok (&reader));
  CHECK (!reader_done (&reader));
}

static void
fail_empties_the_cursor (void)
{
  struct reader reader = reader_over (TAP_BYTES (counting));

  reader_fail (&reader);
  CHECK (!reader_ok (&reader));
  CHECK_UINT (reader.left, 0);
  CHECK_UINT (read_u8 (&reader), 0);
}

static void
done_wants_every_byte_read (void)
{
  struct reader reader = reader_over ((struct bytes){ counting, 2 });

  CHECK_UINT (read_u8 (&reader), 1);
  CHECK (reader_ok (&reader));
  CHECK (!reader_done (&reader));
  CHECK_UINT (read_u8 (&reader), 2);
  CHECK (reader_done (&reader));
}

static void
empty_input_is_done_and_holds_nothing (void)
{
  struct reader reader = reader_over ((struct bytes){ NULL, 0 });

  CHECK (reader_done (&reader));
  CHECK_UINT (read_bytes (&reader, 0).left, 0);
  CHECK_UINT (read_rest (&reader).left, 0);
  CHECK (reader_done (&reader));
  CHECK_UINT (read_u8 (&reader), 0);
  CHECK (!reader_ok (&reader));
}

static void
bytes_are_borrowed_in_place (void)
{
  struct reader reader = reader_over (TAP_BYTES (counting));
  struct bytes first = read_bytes (&reader, 4);
  struct bytes rest = read_rest (&reader);

  CHECK (first.at == counting);
  CHECK_UINT (first.left, 4);
  CHECK (rest.at == counting + 4);
  CHECK_UINT (rest.left, sizeof counting - 4);
  CHECK (reader_done (&reader));
}

static void
bytes_beyond_the_end_fail (void)
{
  static const size_t lens[] = { sizeof counting + 1, SIZE_MAX / 2, SIZE_MAX };

  for (size_t i = 0; i < TAP_N (lens); i++)
    {
      struct reader reader = reader_over (TAP_BYTES (counting));
      struct bytes bytes = read_bytes (&reader, lens[i]);

      CHECK (bytes.at == NULL);
      CHECK_UINT (bytes.left, 0);
      CHECK (!reader_ok (&reader));
    }
}

/* A vector's bytes, the size of its prefix, and how long its body is; -1 where it must fail. */
static void
vectors_carry_their_length (void)
{
  static const struct
  {
    const char *row;
    struct bytes input;
    unsigned prefix_len;
    int expected;
  } rows[] = {
    { "empty, one byte", TAP_STRING ("\0"), 1, 0 },
    { "two, one byte", TAP_STRING ("\2ab"), 1, 2 },
    { "one short, one byte", TAP_STRING ("\3ab"), 1, -1 },
    { "no prefix, one byte", { NULL, 0 }, 1, -1 },
    { "empty, two bytes", TAP_STRING ("\0\0"), 2, 0 },
    { "two, two bytes", TAP_STRING ("\0\2ab"), 2, 2 },
    { "256 of 2, two bytes", TAP_STRING ("\1\0ab"), 2, -1 },
    { "half a prefix, two bytes", TAP_STRING ("\0"), 2, -1 },
    { "two, three bytes", TAP_STRING ("\0\0\2ab"), 3, 2 },
    { "most, three bytes", TAP_STRING ("\xff\xff\xff"), 3, -1 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct reader reader = reader_over (rows[i].input);
      struct bytes body = read_vec (&reader, rows[i].prefix_len);

      tap_set_row (rows[i].row);
      CHECK_UINT (reader_done (&reader), rows[i].expected >= 0);
      CHECK_UINT (body.left, rows[i].expected >= 0 ? (unsigned) rows[i].expected : 0);
    }
}

static void
list_gives_each_vector_once (void)
{
  struct bytes list = TAP_STRING ("\1a\2bc\1d");
  struct bytes vec;

  CHECK (vec_list_next (&list, 1, &vec));
  CHECK_BYTES (vec, TAP_STRING ("a"));
  CHECK (vec_list_next (&list, 1, &vec));
  CHECK_BYTES (vec, TAP_STRING ("bc"));
  CHECK (vec_list_next (&list, 1, &vec));
  CHECK_BYTES (vec, TAP_STRING ("d"));
  CHECK (!vec_list_next (&list, 1, &vec));
  CHECK_UINT (vec.left, 0);
}

static void
list_is_well_formed (void)
{
  static const struct
  {
    const char *row;
    struct bytes list;
    unsigned prefix_len;
    bool expected;
  } rows[] = {
    { "no vector", { NULL, 0 }, 1, true },
    { "one", TAP_STRING ("\1a"), 1, true },
    { "two", TAP_STRING ("\1a\2bc"), 1, true },
    { "an empty one first", TAP_STRING ("\0\1a"), 1, false },
    { "an empty one last", TAP_STRING ("\1a\0"), 1, false },
    { "the last cut short", TAP_STRING ("\1a\2b"), 1, false },
    { "half a prefix left over", TAP_STRING ("\0\1a\0"), 2, false },
    { "three-byte prefixes", TAP_STRING ("\0\0\1a\0\0\1b"), 3, true },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      tap_set_row (rows[i].row);
      CHECK_UINT (vec_list_is_well_formed (rows[i].list, rows[i].prefix_len), rows[i].expected);
    }
}

static void
equal_compares_length_and_bytes (void)
{
  struct bytes nothing = { NULL, 0 };

  CHECK (bytes_equal (TAP_STRING ("abc"), TAP_STRING ("abc")));
  CHECK (!bytes_equal (TAP_STRING ("abc"), TAP_STRING ("abd")));
  CHECK (!bytes_equal (TAP_STRING ("abc"), TAP_STRING ("ab")));
  CHECK (bytes_equal (nothing, TAP_STRING ("")));
  CHECK (!bytes_equal (nothing, TAP_STRING ("a")));
}

static const struct tap_test tests[] = {
  { "/wire/reader/reads-big-endian", reads_big_endian },
  { "/wire/reader/reads-the-largest-numbers", reads_the_largest_numbers },
  { "/wire/reader/number-cut-short-fails", number_cut_short_fails },
  { "/wire/reader/failure-is-sticky", failure_is_sticky },
  { "/wire/reader/fail-empties-the-cursor", fail_empties_the_cursor },
  { "/wire/reader/done-wants-every-byte-read", done_wants_every_byte_read },
  { "/wire/reader/empty-input-is-done", empty_input_is_done_and_holds_nothing },
  { "/wire/reader/bytes-are-borrowed-in-place", bytes_are_borrowed_in_place },
  { "/wire/reader/bytes-beyond-the-end-fail", bytes_beyond_the_end_fail },
  { "/wire/reader/vectors-carry-their-length", vectors_carry_their_length },
  { "/wire/reader/list-gives-each-vector-once", list_gives_each_vector_once },
  { "/wire/reader/list-is-well-formed", list_is_well_formed },
  { "/wire/reader/equal-compares-length-and-bytes", equal_compares_length_and_bytes },
};

TAP_MAIN (tests)
