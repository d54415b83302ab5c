/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* DER elements (X.690) off a bounded cursor: definite lengths in their shortest form, tags of one byte, each
 * element within its parent. For crypto/ only. */

#pragma once

#include "wire/reader.h"

enum der_tag
{
  DER_BOOLEAN = 0x01,
  DER_INTEGER = 0x02,
  DER_BIT_STRING = 0x03,
  DER_OCTET_STRING = 0x04,
  DER_OID = 0x06,
  DER_SEQUENCE = 0x30,
};

/* [n] as ASN.1 writes it: a tag of the context, around a whole element or in place of a primitive one's. */
#define DER_EXPLICIT(n) (0xa0 | (n))
#define DER_IMPLICIT(n) (0x80 | (n))

/* The contents of the next element, which must have `tag`. Fails the cursor if it has not. */
struct bytes der_read (struct reader *reader, uint8_t tag);
/* The next element whole, with its tag and length; it must have `tag`. */
struct bytes der_read_whole (struct reader *reader, uint8_t tag);
/* The next element whole, whatever it is. */
struct bytes der_read_any (struct reader *reader);
/* Whether the next element has `tag`; false at the end. */
bool der_is_next (const struct reader *reader, uint8_t tag);
/* Skips the next element if it has `tag`. */
void der_skip_optional (struct reader *reader, uint8_t tag);
