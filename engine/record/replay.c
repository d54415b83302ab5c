/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The window is a ring of words, one word longer than the records it remembers: the word that the
 * newest number is in may be partly filled, and moving on clears whole words, never shifts bits
 * (RFC 6479). */

#include "record/replay.h"

#include <string.h>

enum
{
  WORD_BITS = 64,
};

static size_t
n_words (const struct replay *replay)
{
  return replay->size / WORD_BITS + 1;
}

static size_t
word_of (const struct replay *replay, uint64_t number)
{
  return (size_t) (number / WORD_BITS % n_words (replay));
}

static uint64_t
bit_of (uint64_t number)
{
  return UINT64_C (1) << number % WORD_BITS;
}

void
replay_init (struct replay *replay, size_t size)
{
  if (size < MIN_REPLAY_WINDOW)
    size = MIN_REPLAY_WINDOW;
  if (size > MAX_REPLAY_WINDOW)
    size = MAX_REPLAY_WINDOW;

  memset (replay, 0, sizeof *replay);
  replay->size = (size + WORD_BITS - 1) / WORD_BITS * WORD_BITS;
}

bool
replay_check (const struct replay *replay, uint64_t number)
{
  /* One above the largest number would be 0 again, and the window would start over. */
  if (number == UINT64_MAX)
    return false;

  if (number >= replay->next)
    return true;

  /* RFC 6347 §4.1.2.6: what is left of the window's left edge is rejected. */
  if (replay->next - number > replay->size)
    return false;

  return (replay->bits[word_of (replay, number)] & bit_of (number)) == 0;
}

/* Empties the words between the newest one and the one that `number` is in. */
static void
move_on (struct replay *replay, uint64_t number)
{
  uint64_t first = replay->next > 0 ? (replay->next - 1) / WORD_BITS + 1 : 0;
  uint64_t last = number / WORD_BITS;

  /* A leap further than the ring is long empties each word once. */
  for (size_t i = 0; i < n_words (replay) && first + i <= last; i++)
    replay->bits[(first + i) % n_words (replay)] = 0;

  replay->next = number + 1;
}

void
replay_mark (struct replay *replay, uint64_t number)
{
  if (!replay_check (replay, number))
    return;

  if (number >= replay->next)
    move_on (replay, number);
  replay->bits[word_of (replay, number)] |= bit_of (number);
}
