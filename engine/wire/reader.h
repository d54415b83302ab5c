/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A bounded cursor over bytes from the network. Sticky: the first read beyond the end makes it
 * fail for good; it is then empty and every read gives zero. One check at the end is enough. */

#pragma once

#include "types.h"

struct reader
{
  const uint8_t *at;
  size_t left;
  bool is_failed;
};

/* What a codec says whose rules end in two different alerts. */
enum read_result
{
  READ_OK,
  READ_MALFORMED, /* decode_error */
  READ_ILLEGAL, /* illegal_parameter: well-formed, but its fields contradict each other or a rule */
};

struct reader reader_over (struct bytes bytes);

/* Nothing failed so far. */
bool reader_ok (const struct reader *reader);
/* Nothing failed, and every byte was read. */
bool reader_done (const struct reader *reader) DTLS_MUST_CHECK;

uint8_t read_u8 (struct reader *reader);
uint16_t read_u16 (struct reader *reader);
uint32_t read_u24 (struct reader *reader);
uint32_t read_u32 (struct reader *reader);
uint64_t read_u48 (struct reader *reader);
uint64_t read_u64 (struct reader *reader);
/* Exactly `len` bytes. */
struct bytes read_bytes (struct reader *reader, size_t len);
/* A vector whose length comes first in `prefix_len` (1 to 3) bytes. */
struct bytes read_vec (struct reader *reader, unsigned prefix_len);
/* All that is left. */
struct bytes read_rest (struct reader *reader);
/* Fails the cursor: the caller found a value that may not be. */
void reader_fail (struct reader *reader);

/* A list of vectors, each after its length in `prefix_len` bytes: no vector is empty, none is
 * cut short. */
bool vec_list_is_well_formed (struct bytes list, unsigned prefix_len);
/* Takes the next vector off a list; false at its end, and where it is cut short. */
bool vec_list_next (struct bytes *list, unsigned prefix_len, struct bytes *out_vec);

bool bytes_have (struct bytes bytes, uint8_t value);
bool bytes_equal (struct bytes a,
                  struct bytes b); /* not in constant time: for public values only */
