/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* record/replay: which numbers are new, at every window size. */

#include "random.h"
#include "tap.h"
#include "record/replay.h"

static const size_t sizes[] = { 64, 128, 192, 256, 1024, 4032, 4096 };

/* A number of records, as windows and records: WINDOWS (2, -1) is one below two windows. */
#define WINDOWS(n, offset) (n), (offset)

struct step
{
  const char *row;
  uint64_t windows;
  int64_t offset;
  bool expected; /* whether it is new; it is then marked */
};

static void
run_steps (struct replay *replay, const struct step *steps, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      uint64_t number = steps[i].windows * replay->size + (uint64_t) steps[i].offset;

      tap_set_row (steps[i].row);
      CHECK_UINT (replay_check (replay, number), steps[i].expected);
      if (steps[i].expected)
        replay_mark (replay, number);
    }
  tap_set_row (NULL);
}

static void
run_at_every_size (const struct step *steps, size_t n)
{
  for (size_t i = 0; i < TAP_N (sizes); i++)
    {
      struct replay replay;

      replay_init (&replay, sizes[i]);
      run_steps (&replay, steps, n);
    }
}

static void
rejects_duplicate (void)
{
  static const struct step steps[] = {
    { "the first number", WINDOWS (0, 0), true },
    { "again", WINDOWS (0, 0), false },
    { "the next", WINDOWS (0, 1), true },
    { "again", WINDOWS (0, 1), false },
    { "the first once more", WINDOWS (0, 0), false },
    { "a gap", WINDOWS (0, 9), true },
    { "behind the gap's end", WINDOWS (0, 8), true },
    { "in the gap", WINDOWS (0, 3), true },
    { "in the gap again", WINDOWS (0, 3), false },
    { "still in the gap", WINDOWS (0, 7), true },
    { "the newest again", WINDOWS (0, 9), false },
  };

  run_at_every_size (steps, TAP_N (steps));
}

static void
edges_are_exact (void)
{
  static const struct step steps[] = {
    { "a window's last number", WINDOWS (1, -1), true },
    { "its left edge", WINDOWS (0, 0), true },
    { "its left edge again", WINDOWS (0, 0), false },
    { "one on", WINDOWS (1, 0), true },
    { "now left of the edge", WINDOWS (0, 0), false },
    { "the new left edge", WINDOWS (0, 1), true },
    { "far on", WINDOWS (5, 17), true },
    { "its left edge", WINDOWS (4, 18), true },
    { "one further left", WINDOWS (4, 17), false },
    { "its left edge again", WINDOWS (4, 18), false },
    { "one right of its left edge", WINDOWS (4, 19), true },
    { "a whole window on", WINDOWS (6, 17), true },
    { "left of the edge", WINDOWS (5, 17), false },
    { "the left edge, of a word that was used before", WINDOWS (5, 18), true },
    { "a window and a word on", WINDOWS (7, 81), true },
    { "its left edge", WINDOWS (6, 82), true },
    { "left of it", WINDOWS (6, 81), false },
  };

  run_at_every_size (steps, TAP_N (steps));
}

static void
first_number_may_be_any (void)
{
  static const struct step steps[] = {
    { "far on", WINDOWS (1000, 3), true },       { "again", WINDOWS (1000, 3), false },
    { "the left edge", WINDOWS (999, 4), true }, { "left of it", WINDOWS (999, 3), false },
    { "zero", WINDOWS (0, 0), false },
  };

  run_at_every_size (steps, TAP_N (steps));
}

static void
largest_numbers_do_not_wrap (void)
{
  static const uint64_t last = (UINT64_C (1) << 48) - 1;
  static const struct step steps[] = {
    { "one below the last of 48 bits", 0, (int64_t) last - 1, true },
    { "the last of 48 bits", 0, (int64_t) last, true },
    { "again", 0, (int64_t) last, false },
    { "one below it again", 0, (int64_t) last - 1, false },
    { "zero", 0, 0, false },
    { "one below the last of 64 bits", 0, -2, true },
    { "again", 0, -2, false },
    { "the last of 64 bits has no successor", 0, -1, false },
    { "zero", 0, 0, false },
  };

  run_at_every_size (steps, TAP_N (steps));
}

static void
check_moves_nothing (void)
{
  struct replay replay;
  struct replay before;

  replay_init (&replay, 64);
  replay_mark (&replay, 70);
  before = replay;

  CHECK (replay_check (&replay, UINT64_C (1) << 47));
  CHECK (replay_check (&replay, 69));
  CHECK (!replay_check (&replay, 70));
  CHECK (!replay_check (&replay, 2));
  CHECK (memcmp (&replay, &before, sizeof replay) == 0);
}

static void
marking_what_is_old_changes_nothing (void)
{
  struct replay replay;
  struct replay before;

  replay_init (&replay, 64);
  replay_mark (&replay, 1000);
  before = replay;

  replay_mark (&replay, 1000);
  replay_mark (&replay, 1000 - 64);
  replay_mark (&replay, 0);
  replay_mark (&replay, UINT64_MAX);
  CHECK (memcmp (&replay, &before, sizeof replay) == 0);
}

static void
size_is_rounded_and_bounded (void)
{
  static const struct
  {
    const char *row;
    size_t asked;
    size_t expected;
  } rows[] = {
    { "none", 0, 64 },
    { "one", 1, 64 },
    { "the least", 64, 64 },
    { "one more", 65, 128 },
    { "100", 100, 128 },
    { "usual", 256, 256 },
    { "4033", 4033, 4096 },
    { "the most", 4096, 4096 },
    { "one too many", 4097, 4096 },
    { "far too many", SIZE_MAX, 4096 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct replay replay;

      tap_set_row (rows[i].row);
      replay_init (&replay, rows[i].asked);
      CHECK_UINT (replay.size, rows[i].expected);
    }
}

enum
{
  N_NUMBERS = 1 << 18,
  N_SEEDS = 200,
  N_STEPS = 2000,
};

/* What the window must be, said in the simplest way. */
static bool
naive_check (const bool *is_marked, uint64_t next, size_t size, uint64_t number)
{
  if (number >= next)
    return true;

  return next - number <= size && !is_marked[number];
}

static void
run_seed (uint64_t seed)
{
  static bool is_marked[N_NUMBERS];
  struct replay replay;
  uint64_t next = 0;

  memset (is_marked, 0, sizeof is_marked);
  replay_init (&replay, sizes[random_below (&seed, TAP_N (sizes))]);

  for (unsigned i = 0; i < N_STEPS; i++)
    {
      /* Mostly near the window, at times a leap. */
      uint32_t reach = random_below (&seed, 50) == 0 ? 3 * (uint32_t) replay.size : 40;
      uint64_t from = next > replay.size + 20 ? next - replay.size - 20 : 0;
      uint64_t number = random_below (&seed, 2) == 0
                            ? next + random_below (&seed, reach)
                            : from + random_below (&seed, (uint32_t) replay.size + 40);

      if (number >= N_NUMBERS)
        return;
      if (!CHECK_UINT (replay_check (&replay, number),
                       naive_check (is_marked, next, replay.size, number)))
        return;
      if (random_below (&seed, 8) == 0)
        continue;

      replay_mark (&replay, number);
      is_marked[number] = true;
      next = number >= next ? number + 1 : next;
    }
}

static void
agrees_with_a_naive_window (void)
{
  for (uint64_t seed = 0; seed < N_SEEDS; seed++)
    run_seed (seed);
}

static const struct tap_test tests[] = {
  { "/record/replay/rejects-duplicate", rejects_duplicate },
  { "/record/replay/edges-are-exact", edges_are_exact },
  { "/record/replay/first-number-may-be-any", first_number_may_be_any },
  { "/record/replay/largest-numbers-do-not-wrap", largest_numbers_do_not_wrap },
  { "/record/replay/check-moves-nothing", check_moves_nothing },
  { "/record/replay/marking-what-is-old-changes-nothing", marking_what_is_old_changes_nothing },
  { "/record/replay/size-is-rounded-and-bounded", size_is_rounded_and_bounded },
  { "/record/replay/agrees-with-a-naive-window", agrees_with_a_naive_window },
};

TAP_MAIN (tests)
