/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* DER elements: which headers are elements and which are not. */

#include "crypto/der.h"

#include "tap.h"

struct element_case
{
  const char *name;
  struct bytes header;
  size_t contents_len; /* what follows the header */
  bool is_element;
};

#define HEADER(literal)                                                                            \
  {                                                                                                \
    (const uint8_t *) (literal), sizeof (literal) - 1                                              \
  }

static const struct element_case cases[] = {
  { "no contents", HEADER ("\x30\x00"), 0, true },
  { "short length", HEADER ("\x30\x7f"), 0x7f, true },
  { "two bytes of length", HEADER ("\x30\x81\x80"), 0x80, true },
  { "two bytes of length, the most", HEADER ("\x30\x81\xff"), 0xff, true },
  { "three bytes of length", HEADER ("\x30\x82\x01\x00"), 0x100, true },
  { "three bytes of length, the most", HEADER ("\x30\x82\xff\xff"), 0xffff, true },
  { "four bytes of length", HEADER ("\x30\x83\x01\x00\x00"), 0x10000, true },
  { "five bytes of length", HEADER ("\x30\x84\x01\x00\x00\x00"), 0x1000000, false },
  { "contents cut short", HEADER ("\x30\x02"), 1, false },
  { "long contents cut short", HEADER ("\x30\x82\x01\x00"), 0xff, false },
  { "all the memory there is", HEADER ("\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff"), 16, false },
  { "indefinite length", HEADER ("\x30\x80\x00"), 1, false },
  { "reserved length", HEADER ("\x30\xff"), 0x100, false },
  { "not the shortest: 0", HEADER ("\x30\x81\x00"), 0, false },
  { "not the shortest: 127", HEADER ("\x30\x81\x7f"), 0x7f, false },
  { "not the shortest: 255", HEADER ("\x30\x82\x00\xff"), 0xff, false },
  { "not the shortest: 65535", HEADER ("\x30\x83\x00\xff\xff"), 0xffff, false },
  { "another tag", HEADER ("\x31\x00"), 0, false },
  { "a tag of two bytes", HEADER ("\x3f\x10\x00"), 0, false },
  { "no length", HEADER ("\x30"), 0, false },
  { "length cut short", HEADER ("\x30\x82\x01"), 0, false },
  { "nothing", HEADER (""), 0, false },
};

static uint8_t input[16 + 0x1000000];

static void
check_case (const struct element_case *c)
{
  size_t len = c->header.left + c->contents_len;
  struct reader reader = reader_over ((struct bytes){ input, len });
  struct reader whole_reader = reader;
  struct bytes contents, whole;

  memset (input, 0, 16);
  if (c->header.left > 0)
    memcpy (input, c->header.at, c->header.left);
  contents = der_read (&reader, DER_SEQUENCE);
  whole = der_read_whole (&whole_reader, DER_SEQUENCE);

  CHECK_UINT (reader_done (&reader), c->is_element);
  CHECK_UINT (reader_done (&whole_reader), c->is_element);
  CHECK_UINT (contents.left, c->is_element ? c->contents_len : 0);
  CHECK_UINT (whole.left, c->is_element ? len : 0);
  if (c->is_element)
    CHECK (contents.at == input + c->header.left && whole.at == input);
}

static void
test_headers (void)
{
  for (size_t i = 0; i < TAP_N (cases); i++)
    {
      tap_set_row (cases[i].name);
      check_case (&cases[i]);
    }
}

static void
test_sequence (void)
{
  static const uint8_t list[] = { DER_INTEGER, 1, 7, DER_OID, 2, 0x55, 0x1d, DER_BOOLEAN, 1, 0xff };
  struct reader reader = reader_over (TAP_BYTES (list));

  der_skip_optional (&reader, DER_OCTET_STRING);
  CHECK_UINT (reader.left, sizeof list);
  CHECK (der_is_next (&reader, DER_INTEGER));
  der_skip_optional (&reader, DER_INTEGER);
  CHECK (der_is_next (&reader, DER_OID));
  CHECK_BYTES (der_read_any (&reader), ((struct bytes){ list + 3, 4 }));
  CHECK_BYTES (der_read (&reader, DER_BOOLEAN), ((struct bytes){ list + 9, 1 }));
  CHECK (reader_done (&reader));
  CHECK (!der_is_next (&reader, DER_BOOLEAN));
  der_skip_optional (&reader, DER_BOOLEAN);
  CHECK (reader_done (&reader));
}

static void
test_any (void)
{
  static const uint8_t good[] = { 0x31, 0 }, long_tag[] = { 0x1f, 2, 0, 0 }, cut[] = { 0x31, 1 };
  struct reader reader = reader_over (TAP_BYTES (good));

  CHECK_UINT (der_read_any (&reader).left, 2);
  CHECK (reader_done (&reader));
  reader = reader_over (TAP_BYTES (long_tag));
  CHECK_UINT (der_read_any (&reader).left, 0);
  CHECK (!reader_ok (&reader));
  reader = reader_over (TAP_BYTES (cut));
  CHECK_UINT (der_read_any (&reader).left, 0);
  CHECK (!reader_ok (&reader));
}

/* A failure stays, whatever comes next. */
static void
test_sticky (void)
{
  static const uint8_t list[] = { DER_INTEGER, 1, 7, DER_INTEGER, 1, 8 };
  struct reader reader = reader_over (TAP_BYTES (list));

  (void) der_read (&reader, DER_OID);
  CHECK (!reader_ok (&reader));
  CHECK_UINT (der_read (&reader, DER_INTEGER).left, 0);
  CHECK_UINT (der_read_any (&reader).left, 0);
  CHECK (!der_is_next (&reader, DER_INTEGER));
  CHECK (!reader_done (&reader));
}

static const struct tap_test tests[] = {
  { "/crypto/der/takes-definite-shortest-lengths-only", test_headers },
  { "/crypto/der/any-element-has-a-tag-of-one-byte", test_any },
  { "/crypto/der/reads-one-after-the-other", test_sequence },
  { "/crypto/der/stays-failed", test_sticky },
};

TAP_MAIN (tests)
