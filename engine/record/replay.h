/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The sliding window against replayed records, RFC 6347 §4.1.2.6: checked before a record is
 * opened, marked after it was, so that a forged number moves nothing. */

#pragma once

#include "types.h"

enum
{
  MIN_REPLAY_WINDOW = 64,
  DEFAULT_REPLAY_WINDOW = 256,
  MAX_REPLAY_WINDOW = 4096,
};

struct replay
{
  uint64_t next; /* one above the highest number marked; 0 before the first */
  uint64_t bits[MAX_REPLAY_WINDOW / 64 + 1];
  size_t size; /* records, a multiple of 64 */
};

/* `size` is rounded up to a multiple of 64 and kept within the limits above. */
void replay_init (struct replay *replay, size_t size);
/* Whether `number` is new: not marked, and not older than the window. */
bool replay_check (const struct replay *replay, uint64_t number);
void replay_mark (struct replay *replay, uint64_t number);
