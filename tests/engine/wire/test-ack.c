/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/ack: RFC 9147 §7. */

#include "codec.h"
#include "wire/ack.h"

#define NUMBER_0 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define NUMBER_1 "\1\2\3\4\5\6\7\x08\x11\x12\x13\x14\x15\x16\x17\x18"

enum
{
  MAX_NUMBERS = 8,
};

static bool
rewrite_ack (struct bytes record, struct writer *writer)
{
  struct record_number got[MAX_NUMBERS];
  struct bytes numbers;
  size_t n = 0;

  if (!ack_read (record, &numbers))
    return false;

  while (n < MAX_NUMBERS && ack_next (&numbers, &got[n]))
    n++;
  CHECK_UINT (numbers.left, 0);

  ack_write (writer, got, n);
  return true;
}

static void
is_a_codec (void)
{
  codec_check (rewrite_ack, TAP_STRING ("\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_ack, TAP_STRING ("\0\x10" NUMBER_1), CODEC_NO_PREFIX);
  codec_check (rewrite_ack, TAP_STRING ("\0\x30" NUMBER_0 NUMBER_1 NUMBER_1), CODEC_NO_PREFIX);
}

static void
numbers_are_whole (void)
{
  static uint8_t record[2 + UINT16_MAX];

  for (size_t len = 0; len <= UINT16_MAX; len++)
    {
      struct bytes numbers;

      record[0] = (uint8_t) (len >> 8);
      record[1] = (uint8_t) len;
      CHECK_UINT (ack_read ((struct bytes){ record, 2 + len }, &numbers), len % 16 == 0);
      CHECK_UINT (numbers.left, len);
    }
}

static void
fields_stand_in_order (void)
{
  struct record_number number;
  struct bytes numbers;

  CHECK (ack_read (TAP_STRING ("\0\x20" NUMBER_1 NUMBER_0), &numbers));
  CHECK (ack_next (&numbers, &number));
  CHECK_UINT (number.epoch, 0x0102030405060708);
  CHECK_UINT (number.number, 0x1112131415161718);
  CHECK (ack_next (&numbers, &number));
  CHECK_UINT (number.epoch, 0);
  CHECK_UINT (number.number, 0);
  CHECK (!ack_next (&numbers, &number));
  CHECK (!ack_next (&numbers, &number));
}

static void
holds_at_most_4095 (void)
{
  static struct record_number numbers[4096];
  static uint8_t out[2 + sizeof numbers];
  struct writer writer = writer_over (out, sizeof out);

  ack_write (&writer, numbers, 4095);
  CHECK_UINT (writer_bytes (&writer).left, 2 + 4095 * RECORD_NUMBER_LEN);

  writer = writer_over (out, sizeof out);
  ack_write (&writer, numbers, 4096);
  CHECK (!writer_ok (&writer));
}

static const struct tap_test tests[] = {
  { "/wire/ack/is-a-codec", is_a_codec },
  { "/wire/ack/numbers-are-whole", numbers_are_whole },
  { "/wire/ack/fields-stand-in-order", fields_stand_in_order },
  { "/wire/ack/holds-at-most-4095", holds_at_most_4095 },
};

TAP_MAIN (tests)
