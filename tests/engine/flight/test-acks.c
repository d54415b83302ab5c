/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* flight/acks: the list of record numbers that are owed. */

#include "random.h"
#include "tap.h"
#include "flight/acks.h"

#include <stdlib.h>

enum
{
  MAX_ADDED = 8,
  PREFIX_LEN = 2,
  MOST_ROOM = PREFIX_LEN + MAX_OWED_ACKS * RECORD_NUMBER_LEN,
};

#define LAST_NUMBER ((UINT64_C (1) << 48) - 1)

/* The numbers that an ACK of `room` bytes says; how many. */
static size_t
written (const struct acks *acks, size_t room, struct record_number out[MAX_OWED_ACKS])
{
  uint8_t memory[MOST_ROOM];
  struct writer writer = writer_over (memory, sizeof memory);
  struct bytes numbers;
  size_t n = 0;

  if (!acks_write (acks, &writer, room))
    {
      CHECK_UINT (writer.used, 0);
      return 0;
    }

  CHECK (writer_ok (&writer));
  CHECK (writer.used <= room);
  CHECK (ack_read (writer_bytes (&writer), &numbers));
  while (n < MAX_OWED_ACKS && ack_next (&numbers, &out[n]))
    n++;
  CHECK_UINT (numbers.left, 0);
  return n;
}

/* RFC 9147 §7: in numerically increasing order. */
static void
numbers_rise (void)
{
  static const struct
  {
    const char *row;
    struct record_number added[MAX_ADDED];
    size_t n_added;
    struct record_number expected[MAX_ADDED];
    size_t n_expected;
  } rows[] = {
    { "none", { { 0 } }, 0, { { 0 } }, 0 },
    { "the first record of all", { { 0, 0 } }, 1, { { 0, 0 } }, 1 },
    { "in order", { { 0, 1 }, { 0, 2 }, { 2, 0 } }, 3, { { 0, 1 }, { 0, 2 }, { 2, 0 } }, 3 },
    { "against it", { { 2, 0 }, { 0, 2 }, { 0, 1 } }, 3, { { 0, 1 }, { 0, 2 }, { 2, 0 } }, 3 },
    { "twice", { { 2, 5 }, { 2, 4 }, { 2, 5 }, { 2, 4 } }, 4, { { 2, 4 }, { 2, 5 } }, 2 },
    { "an epoch outweighs numbers",
      { { 3, 0 }, { 2, LAST_NUMBER } },
      2,
      { { 2, LAST_NUMBER }, { 3, 0 } },
      2 },
    { "the largest",
      { { 65535, LAST_NUMBER }, { 65535, 0 }, { 65534, LAST_NUMBER } },
      3,
      { { 65534, LAST_NUMBER }, { 65535, 0 }, { 65535, LAST_NUMBER } },
      3 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct acks acks = { 0 };
      struct record_number got[MAX_OWED_ACKS];

      tap_set_row (rows[i].row);
      for (size_t j = 0; j < rows[i].n_added; j++)
        acks_add (&acks, (uint16_t) rows[i].added[j].epoch, rows[i].added[j].number);

      if (!CHECK_UINT (written (&acks, MOST_ROOM, got), rows[i].n_expected))
        continue;
      for (size_t j = 0; j < rows[i].n_expected; j++)
        {
          CHECK_UINT (got[j].epoch, rows[i].expected[j].epoch);
          CHECK_UINT (got[j].number, rows[i].expected[j].number);
        }
    }
}

static void
newest_fit_the_room (void)
{
  static const struct
  {
    size_t room;
    size_t n; /* of the five that are owed */
  } rows[] = {
    { 0, 0 },  { 1, 0 },  { 2, 0 },  { 17, 0 }, { 18, 1 },   { 33, 1 },
    { 34, 2 }, { 81, 4 }, { 82, 5 }, { 98, 5 }, { 1400, 5 }, { SIZE_MAX, 5 },
  };
  struct acks acks = { 0 };

  for (uint64_t number = 0; number < 5; number++)
    acks_add (&acks, 2, number);

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct record_number got[MAX_OWED_ACKS];

      if (!CHECK_UINT (written (&acks, rows[i].room, got), rows[i].n))
        continue;
      for (size_t j = 0; j < rows[i].n; j++)
        CHECK_UINT (got[j].number, 5 - rows[i].n + j);
    }
}

static void
cleared_list_owes_nothing (void)
{
  struct acks acks = { 0 };
  struct record_number got[MAX_OWED_ACKS];

  acks_add (&acks, 2, 7);
  CHECK_UINT (written (&acks, MOST_ROOM, got), 1);
  CHECK_UINT (written (&acks, MOST_ROOM, got), 1); /* RFC 9147 §7: the first may have been lost */

  acks_clear (&acks);
  CHECK_UINT (written (&acks, MOST_ROOM, got), 0);
  acks_add (&acks, 2, 3);
  CHECK_UINT (written (&acks, MOST_ROOM, got), 1);
  CHECK_UINT (got[0].number, 3);
}

static int
by_value (const void *left, const void *right)
{
  uint64_t a = *(const uint64_t *) left;
  uint64_t b = *(const uint64_t *) right;

  return (a > b) - (a < b);
}

/* The largest of all that were ever added, without a number twice. */
static void
full_list_keeps_the_newest (void)
{
  enum
  {
    N_ADDED = 100,
    N_NUMBERS = 70, /* in each of two epochs: some come twice */
  };

  for (uint64_t seed = 0; seed < 500; seed++)
    {
      struct acks acks = { 0 };
      struct record_number got[MAX_OWED_ACKS];
      uint64_t all[N_ADDED];
      uint64_t state = seed;
      size_t n = 0;
      size_t n_got;

      for (size_t i = 0; i < N_ADDED; i++)
        {
          uint64_t epoch = 2 + random_below (&state, 2);
          uint64_t number = random_below (&state, N_NUMBERS);
          size_t j = 0;

          acks_add (&acks, (uint16_t) epoch, number);
          while (j < n && all[j] != epoch * N_NUMBERS + number)
            j++;
          if (j == n)
            all[n++] = epoch * N_NUMBERS + number;
          qsort (all, n, sizeof all[0], by_value);

          n_got = written (&acks, MOST_ROOM, got);
          if (!CHECK_UINT (n_got, n < MAX_OWED_ACKS ? n : MAX_OWED_ACKS))
            return;
          for (j = 0; j < n_got; j++)
            CHECK_UINT (got[j].epoch * N_NUMBERS + got[j].number, all[n - n_got + j]);
        }
    }
}

static const struct tap_test tests[] = {
  { "/flight/acks/numbers-rise", numbers_rise },
  { "/flight/acks/newest-fit-the-room", newest_fit_the_room },
  { "/flight/acks/cleared-list-owes-nothing", cleared_list_owes_nothing },
  { "/flight/acks/full-list-keeps-the-newest", full_list_keeps_the_newest },
};

TAP_MAIN (tests)
