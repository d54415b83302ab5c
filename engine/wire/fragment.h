/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The header that every handshake fragment carries, RFC 6347 §4.2.2, and its body. */

#pragma once

#include "wire/reader.h"
#include "wire/writer.h"

enum
{
  FRAGMENT_HEADER_LEN = 12,
};

struct fragment
{
  uint8_t type;
  uint32_t message_len; /* of the whole message's body */
  uint16_t message_seq;
  uint32_t offset;
  struct bytes body; /* borrowed */
};

/* One fragment; others may follow in the same record. False if it is cut short or does not lie
 * within its message. */
bool fragment_read (struct reader *reader, struct fragment *fragment) DTLS_MUST_CHECK;
/* The header only; `fragment->body.left` bytes must follow. */
void fragment_write_header (struct writer *writer, const struct fragment *fragment);
