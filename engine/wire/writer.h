/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Builds bytes in a buffer of fixed capacity. Sticky like the reader: the first write that does
 * not fit fails it for good and writes nothing. Length prefixes are patched when their body is
 * known. */

#pragma once

#include "types.h"

struct writer
{
  uint8_t *at;
  size_t capacity;
  size_t used;
  bool is_failed;
};

struct writer writer_over (uint8_t *at, size_t capacity);
bool writer_ok (const struct writer *writer) DTLS_MUST_CHECK;
size_t writer_room (const struct writer *writer);        /* 0 once failed */
struct bytes writer_bytes (const struct writer *writer); /* what was written; empty once failed */

void write_u8 (struct writer *writer, uint8_t value);
void write_u16 (struct writer *writer, uint16_t value);
void write_u24 (struct writer *writer, uint32_t value);
void write_u32 (struct writer *writer, uint32_t value);
void write_u48 (struct writer *writer, uint64_t value);
void write_u64 (struct writer *writer, uint64_t value);
void write_bytes (struct writer *writer, const uint8_t *at, size_t len);
/* A whole vector: its length in `prefix_len` (1 to 3) bytes, and the bytes. */
void write_vec (struct writer *writer, struct bytes bytes, unsigned prefix_len);
/* Reserves the prefix, and returns where the body begins, for write_vec_end. */
size_t write_vec_begin (struct writer *writer, unsigned prefix_len);
/* Patches the prefix; fails if the body is too long for it. */
void write_vec_end (struct writer *writer, size_t body, unsigned prefix_len);
