/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* flight/reassembly: what is taken and what is refused, any order of overlapping fragments, and the
 * memory that a peer can make us hold. */

#include "heap.h"
#include "naive_reassembly.h"
#include "random.h"
#include "tap.h"
#include "flight/reassembly.h"

enum
{
  CAP = 1000,
  LARGE = 100 * 1000, /* the default cap of a certificate message */
  LARGEST = (1 << 24) - 1,
};

static uint8_t zeroes[1 << 15];

static struct reassembly *
start_at (uint16_t next_seq)
{
  struct reassembly *reassembly = reassembly_new (next_seq);

  if (reassembly == NULL)
    abort ();
  return reassembly;
}

struct add
{
  const char *row;
  struct fragment fragment;
  enum reassembly_outcome expected;
};

#define SEQ(seq) (seq)
#define TYPE(type) (type)
/* `text` from `offset` on, of a body of `len`. */
#define PART(len, offset, text) (len), (offset), (text)
#define ADD_(row, seq, type, len, offset, text, expected)                                          \
  {                                                                                                \
    row, { (type), (len), (seq), (offset), { (const uint8_t *) (text), sizeof (text) - 1 } },      \
        (expected)                                                                                 \
  }
#define ADD(...) ADD_ (__VA_ARGS__)

static void
run_adds (struct reassembly *reassembly, const struct add *adds, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      tap_set_row (adds[i].row);
      CHECK_UINT (reassembly_add (reassembly, &adds[i].fragment, CAP), adds[i].expected);
    }
  tap_set_row (NULL);
}

static void
check_next (struct reassembly *reassembly, uint16_t seq, uint8_t type, struct bytes body)
{
  struct message message;

  if (!CHECK (reassembly_peek (reassembly, &message)))
    return;

  CHECK_UINT (message.seq, seq);
  CHECK_UINT (message.type, type);
  CHECK_BYTES (message.body, body);
  reassembly_pop (reassembly);
}

static void
messages_come_out_in_order (void)
{
  static const struct add adds[] = {
    ADD ("the last first", SEQ (7), TYPE (3), PART (3, 0, "end"), REASSEMBLY_TAKEN),
    ADD ("the second's tail", SEQ (6), TYPE (2), PART (6, 3, "456"), REASSEMBLY_TAKEN),
    ADD ("an empty one", SEQ (5), TYPE (1), PART (0, 0, ""), REASSEMBLY_TAKEN),
    ADD ("the second's head", SEQ (6), TYPE (2), PART (6, 0, "123"), REASSEMBLY_TAKEN),
  };
  struct reassembly *reassembly = start_at (5);
  struct message message;

  CHECK (reassembly_is_empty (reassembly));
  CHECK (!reassembly_peek (reassembly, &message));
  run_adds (reassembly, adds, TAP_N (adds));
  CHECK (!reassembly_is_empty (reassembly));
  CHECK_UINT (reassembly_next_seq (reassembly), 5);

  check_next (reassembly, 5, 1, TAP_STRING (""));
  check_next (reassembly, 6, 2, TAP_STRING ("123456"));
  check_next (reassembly, 7, 3, TAP_STRING ("end"));
  CHECK (reassembly_is_empty (reassembly));
  CHECK_UINT (reassembly_next_seq (reassembly), 8);
  CHECK (!reassembly_peek (reassembly, &message));

  reassembly_free (reassembly);
}

static void
first_fragment_fixes_type_and_length (void)
{
  static const struct add adds[] = {
    ADD ("the first", SEQ (0), TYPE (1), PART (6, 2, "34"), REASSEMBLY_TAKEN),
    ADD ("longer", SEQ (0), TYPE (1), PART (7, 0, "12"), REASSEMBLY_CONTRADICTS),
    ADD ("shorter", SEQ (0), TYPE (1), PART (5, 0, "12"), REASSEMBLY_CONTRADICTS),
    ADD ("empty", SEQ (0), TYPE (1), PART (0, 0, ""), REASSEMBLY_CONTRADICTS),
    ADD ("the longest there is", SEQ (0), TYPE (1), PART (LARGEST, 0, "12"),
         REASSEMBLY_CONTRADICTS),
    ADD ("another type", SEQ (0), TYPE (2), PART (6, 0, "12"), REASSEMBLY_CONTRADICTS),
    ADD ("another type, nothing new", SEQ (0), TYPE (2), PART (6, 2, "34"), REASSEMBLY_CONTRADICTS),
    ADD ("agrees", SEQ (0), TYPE (1), PART (6, 0, "12"), REASSEMBLY_TAKEN),
    ADD ("agrees", SEQ (0), TYPE (1), PART (6, 4, "56"), REASSEMBLY_TAKEN),
    ADD ("whole, another type", SEQ (0), TYPE (2), PART (6, 0, "12"), REASSEMBLY_CONTRADICTS),
    ADD ("whole, another length", SEQ (0), TYPE (1), PART (8, 0, "12"), REASSEMBLY_CONTRADICTS),
    ADD ("ahead", SEQ (3), TYPE (9), PART (4, 0, "a"), REASSEMBLY_TAKEN),
    ADD ("ahead, another type", SEQ (3), TYPE (8), PART (4, 0, "a"), REASSEMBLY_CONTRADICTS),
    ADD ("ahead, another length", SEQ (3), TYPE (9), PART (3, 0, "a"), REASSEMBLY_CONTRADICTS),
  };
  struct reassembly *reassembly = start_at (0);

  run_adds (reassembly, adds, TAP_N (adds));
  check_next (reassembly, 0, 1, TAP_STRING ("123456"));
  reassembly_free (reassembly);
}

static void
bytes_that_came_first_stay (void)
{
  static const struct add adds[] = {
    ADD ("the middle", SEQ (0), TYPE (1), PART (8, 2, "cdef"), REASSEMBLY_TAKEN),
    ADD ("the same", SEQ (0), TYPE (1), PART (8, 2, "cdef"), REASSEMBLY_DUPLICATE),
    ADD ("the same place, other bytes", SEQ (0), TYPE (1), PART (8, 2, "XXXX"),
         REASSEMBLY_DUPLICATE),
    ADD ("within it", SEQ (0), TYPE (1), PART (8, 3, "XX"), REASSEMBLY_DUPLICATE),
    ADD ("over its head", SEQ (0), TYPE (1), PART (8, 0, "abXX"), REASSEMBLY_TAKEN),
    ADD ("over its tail", SEQ (0), TYPE (1), PART (8, 5, "Xg"), REASSEMBLY_TAKEN),
    ADD ("over all of it", SEQ (0), TYPE (1), PART (8, 0, "XXXXXXXh"), REASSEMBLY_TAKEN),
    ADD ("when it is whole", SEQ (0), TYPE (1), PART (8, 0, "XXXXXXXX"), REASSEMBLY_DUPLICATE),
  };
  struct reassembly *reassembly = start_at (0);

  run_adds (reassembly, adds, TAP_N (adds));
  check_next (reassembly, 0, 1, TAP_STRING ("abcdefgh"));
  reassembly_free (reassembly);
}

static void
empty_fragment_of_a_message_that_is_not_brings_nothing (void)
{
  static const struct add adds[] = {
    ADD ("at its start", SEQ (0), TYPE (1), PART (4, 0, ""), REASSEMBLY_DUPLICATE),
    ADD ("at its end", SEQ (0), TYPE (1), PART (4, 4, ""), REASSEMBLY_DUPLICATE),
    ADD ("ahead", SEQ (2), TYPE (1), PART (4, 1, ""), REASSEMBLY_DUPLICATE),
    ADD ("too long", SEQ (0), TYPE (1), PART (CAP + 1, 0, ""), REASSEMBLY_TOO_LONG),
  };
  static const struct add other[] = {
    ADD ("another type and length", SEQ (0), TYPE (2), PART (2, 0, "ab"), REASSEMBLY_TAKEN),
  };
  struct reassembly *reassembly = start_at (0);

  run_adds (reassembly, adds, TAP_N (adds));
  CHECK (reassembly_is_empty (reassembly));

  /* It did not fix anything either. */
  run_adds (reassembly, other, TAP_N (other));
  check_next (reassembly, 0, 2, TAP_STRING ("ab"));
  reassembly_free (reassembly);
}

static void
window_has_edges (void)
{
  static const struct add adds[] = {
    ADD ("popped long ago", SEQ (0), TYPE (1), PART (1, 0, "a"), REASSEMBLY_OLD),
    ADD ("just popped", SEQ (99), TYPE (1), PART (1, 0, "a"), REASSEMBLY_OLD),
    ADD ("just popped, too long", SEQ (99), TYPE (1), PART (LARGEST, 0, "a"), REASSEMBLY_OLD),
    ADD ("the last of the window", SEQ (106), TYPE (1), PART (1, 0, "a"), REASSEMBLY_TAKEN),
    ADD ("the last again", SEQ (106), TYPE (1), PART (1, 0, "a"), REASSEMBLY_DUPLICATE),
    ADD ("one too far", SEQ (107), TYPE (1), PART (1, 0, "a"), REASSEMBLY_TOO_FAR),
    ADD ("the largest number", SEQ (65535), TYPE (1), PART (1, 0, "a"), REASSEMBLY_TOO_FAR),
    ADD ("the next", SEQ (100), TYPE (1), PART (1, 0, "a"), REASSEMBLY_TAKEN),
  };
  static const struct add later[] = {
    ADD ("in the window now", SEQ (107), TYPE (1), PART (1, 0, "b"), REASSEMBLY_TAKEN),
    ADD ("one too far now", SEQ (108), TYPE (1), PART (1, 0, "b"), REASSEMBLY_TOO_FAR),
    ADD ("just popped now", SEQ (100), TYPE (1), PART (1, 0, "b"), REASSEMBLY_OLD),
  };
  struct reassembly *reassembly = start_at (100);

  run_adds (reassembly, adds, TAP_N (adds));
  check_next (reassembly, 100, 1, TAP_STRING ("a"));
  run_adds (reassembly, later, TAP_N (later));
  reassembly_free (reassembly);
}

static void
last_number_does_not_wrap (void)
{
  static const struct add adds[] = {
    ADD ("the last", SEQ (65535), TYPE (1), PART (2, 0, "ab"), REASSEMBLY_TAKEN),
    ADD ("zero", SEQ (0), TYPE (1), PART (2, 0, "ab"), REASSEMBLY_OLD),
    ADD ("four, which would be in a window that wraps", SEQ (4), TYPE (1), PART (2, 0, "ab"),
         REASSEMBLY_OLD),
    ADD ("the next", SEQ (65534), TYPE (1), PART (2, 0, "cd"), REASSEMBLY_TAKEN),
  };
  static const struct add later[] = {
    ADD ("the last", SEQ (65535), TYPE (1), PART (2, 0, "ab"), REASSEMBLY_OLD),
    ADD ("zero", SEQ (0), TYPE (1), PART (2, 0, "ab"), REASSEMBLY_OLD),
    ADD ("one", SEQ (1), TYPE (1), PART (2, 0, "ab"), REASSEMBLY_OLD),
  };
  struct reassembly *reassembly = start_at (65534);
  struct message message;

  run_adds (reassembly, adds, TAP_N (adds));
  check_next (reassembly, 65534, 1, TAP_STRING ("cd"));
  check_next (reassembly, 65535, 1, TAP_STRING ("ab"));
  run_adds (reassembly, later, TAP_N (later));
  CHECK (!reassembly_peek (reassembly, &message));
  CHECK (reassembly_is_empty (reassembly));
  CHECK_UINT (reassembly_next_seq (reassembly), 65536);
  reassembly_free (reassembly);
}

static void
cap_is_known_from_the_first_fragment (void)
{
  static const struct add adds[] = {
    ADD ("ahead, over", SEQ (1), TYPE (1), PART (CAP + 1, 0, "a"), REASSEMBLY_TOO_FAR),
    ADD ("ahead, just", SEQ (1), TYPE (1), PART (CAP, CAP - 1, "a"), REASSEMBLY_TAKEN),
    ADD ("next, over", SEQ (0), TYPE (1), PART (CAP + 1, 0, "a"), REASSEMBLY_TOO_LONG),
    ADD ("next, far over", SEQ (0), TYPE (1), PART (LARGEST, LARGEST - 1, "a"),
         REASSEMBLY_TOO_LONG),
    ADD ("next, just: nothing was kept of the others", SEQ (0), TYPE (2), PART (CAP, CAP - 1, "a"),
         REASSEMBLY_TAKEN),
  };
  struct reassembly *reassembly = start_at (0);

  run_adds (reassembly, adds, TAP_N (adds));
  reassembly_free (reassembly);
}

static void
restart_forgets (void)
{
  static const struct add before[] = {
    ADD ("a part", SEQ (1), TYPE (1), PART (4, 0, "ab"), REASSEMBLY_TAKEN),
    ADD ("a whole one", SEQ (0), TYPE (1), PART (2, 0, "ab"), REASSEMBLY_TAKEN),
  };
  static const struct add after[] = {
    ADD ("another type", SEQ (1), TYPE (2), PART (2, 0, "cd"), REASSEMBLY_TAKEN),
    ADD ("before the new start", SEQ (0), TYPE (1), PART (2, 0, "ab"), REASSEMBLY_OLD),
  };
  struct reassembly *reassembly = start_at (0);

  run_adds (reassembly, before, TAP_N (before));
  reassembly_restart (reassembly, 1);
  CHECK (reassembly_is_empty (reassembly));
  CHECK_UINT (reassembly_next_seq (reassembly), 1);
  run_adds (reassembly, after, TAP_N (after));
  check_next (reassembly, 1, 2, TAP_STRING ("cd"));

  reassembly_free (reassembly);
  reassembly_free (NULL);
}

enum
{
  N_SEEDS = 4000,
  N_STEPS = 400,
};

/* Mostly what the message's own sender would have sent. */
static struct fragment
random_fragment (uint64_t *seed, uint32_t next, uint8_t *body)
{
  uint32_t seq = next + random_below (seed, random_below (seed, 8) == 0 ? 12 : 4);
  bool is_odd = random_below (seed, 60) == 0;
  struct fragment fragment = { .message_seq = (uint16_t) (seq - random_below (seed, 5) / 4) };
  uint32_t most;
  size_t len;

  fragment.type = (uint8_t) (fragment.message_seq % 5 + (is_odd ? random_below (seed, 2) : 0));
  fragment.message_len = fragment.message_seq * UINT32_C (2654435761) % (NAIVE_MAX_LEN + 1);
  if (fragment.message_seq % 6 == 0)
    fragment.message_len = 0;
  if (is_odd)
    fragment.message_len = random_below (seed, NAIVE_MAX_LEN + 1);

  fragment.offset = random_below (seed, fragment.message_len + 1);
  if (random_below (seed, 4) == 0)
    fragment.offset = 0;
  most = fragment.message_len - fragment.offset;
  len = random_below (seed, 3) == 0 ? most : random_below (seed, most + 1);
  for (size_t i = 0; i < len; i++)
    body[i] = (uint8_t) random_next (seed);
  fragment.body = (struct bytes){ body, len };

  return fragment;
}

/* False where the two part ways. `n_popped` grows. */
static bool
run_seed (uint64_t seed, size_t *n_popped)
{
  static struct naive_reassembly naive;
  static const uint16_t starts[] = { 0, 1, 1000, 65520, 65533 };
  uint16_t first = starts[random_below (&seed, TAP_N (starts))];
  struct reassembly *reassembly = start_at (first);
  bool agrees = true;

  naive_init (&naive, first);
  for (unsigned i = 0; agrees && i < N_STEPS && naive_next (&naive) != NULL; i++)
    {
      uint8_t body[NAIVE_MAX_LEN];
      struct fragment fragment = random_fragment (&seed, naive.next, body);
      size_t cap = fragment.type == 0 ? 1300 : NAIVE_MAX_LEN;

      /* Beyond what the model knows of. */
      if (fragment.message_seq >= first + NAIVE_MESSAGES)
        continue;
      agrees = CHECK_UINT (reassembly_add (reassembly, &fragment, cap),
                           naive_add (&naive, &fragment, cap))
               && CHECK (naive_agrees (&naive, reassembly));
      if (agrees && random_below (&seed, 3) > 0 && naive_pop (&naive, reassembly))
        (*n_popped)++;
    }

  reassembly_free (reassembly);
  return agrees;
}

static void
agrees_with_a_naive_model (void)
{
  size_t n_popped = 0;

  for (uint64_t seed = 0; seed < N_SEEDS; seed++)
    if (!run_seed (seed, &n_popped))
      {
        printf ("#   with seed %llu\n", (unsigned long long) seed);
        return;
      }

  /* The model would agree with one that takes nothing, too, if messages never became whole. */
  CHECK (n_popped > 5 * N_SEEDS);
}

/* Every byte on its own, in an order that visits each once if `stride` has no factor in common with
 * the length. */
static void
add_single_bytes (struct reassembly *reassembly, uint32_t len, uint32_t stride)
{
  for (uint32_t i = 0; i < len; i++)
    {
      uint32_t offset = (uint32_t) ((uint64_t) i * stride % len);
      uint8_t byte = (uint8_t) (offset * 7 + offset / 256);
      struct fragment fragment = { 11, len, 0, offset, { &byte, 1 } };

      if (!CHECK_UINT (reassembly_add (reassembly, &fragment, LARGE), REASSEMBLY_TAKEN))
        return;
    }
}

static void
single_bytes_become_a_large_message (void)
{
  static const struct
  {
    const char *row;
    uint32_t stride; /* 99,989 is prime */
  } rows[] = {
    { "in order", 1 },         { "backwards", 99988 },
    { "every other byte", 2 }, { "a page and a byte apart", 257 },
    { "far apart", 61803 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct reassembly *reassembly = start_at (0);
      struct message message = { 0 };
      size_t n_wrong = 0;
      size_t before = heap_reset ();

      tap_set_row (rows[i].row);
      add_single_bytes (reassembly, 99989, rows[i].stride);
      if (heap_is_counted ())
        {
          /* 1.2 times in pages; and the message itself for a moment; then the message alone. */
          CHECK (heap.peak - before < 2.3 * 99989);
          CHECK (heap.used - before < 1.01 * 99989);
        }
      CHECK (reassembly_peek (reassembly, &message));
      for (size_t offset = 0; offset < message.body.left; offset++)
        n_wrong += message.body.at[offset] != (uint8_t) (offset * 7 + offset / 256);
      CHECK_UINT (message.body.left, 99989);
      CHECK_UINT (n_wrong, 0);
      reassembly_free (reassembly);
    }
}

static void
announced_length_allocates_nothing (void)
{
  static const uint32_t offsets[] = { 0, 1, 255, 256, LARGEST / 2, LARGEST - 1 };

  for (size_t i = 0; i < TAP_N (offsets); i++)
    for (uint16_t seq = 0; seq < REASSEMBLY_WINDOW; seq++)
      {
        struct reassembly *reassembly = start_at (0);
        struct fragment fragment = { 11, LARGEST, seq, offsets[i], { zeroes, 1 } };
        size_t before = heap_reset ();

        CHECK_UINT (reassembly_add (reassembly, &fragment, LARGEST), REASSEMBLY_TAKEN);
        if (heap_is_counted ())
          CHECK (heap.peak - before > 0 && heap.peak - before < 4096);
        reassembly_free (reassembly);
      }
}

/* One byte of each page of each message of the window, as a flooder would. */
static void
flood (struct reassembly *reassembly, size_t body_len)
{
  for (uint32_t offset = 0; offset + body_len <= LARGE; offset += 256)
    for (uint16_t seq = 0; seq < 2 * REASSEMBLY_WINDOW; seq++)
      {
        struct fragment fragment = { 11, LARGE, seq, offset, { zeroes, body_len } };
        enum reassembly_outcome outcome = reassembly_add (reassembly, &fragment, LARGE);

        CHECK (outcome == REASSEMBLY_TAKEN || outcome == REASSEMBLY_TOO_FAR
               || outcome == REASSEMBLY_DUPLICATE);
      }
}

static void
flood_has_a_ceiling (void)
{
  static const size_t body_lens[] = { 1, 200, 256, 257, 1400, 16000 };

  for (size_t i = 0; i < TAP_N (body_lens); i++)
    {
      size_t at_first = heap_reset ();
      struct reassembly *reassembly = start_at (0);

      flood (reassembly, body_lens[i]);
      if (heap_is_counted ())
        CHECK (heap.peak - at_first < 2.2 * LARGE + REASSEMBLY_AHEAD + 8192);

      reassembly_free (reassembly);
      if (heap_is_counted ())
        CHECK_UINT (heap.used, at_first);
    }
}

/* Whatever is held ahead, the next message gets through. */
static void
flood_does_not_keep_the_next_message_out (void)
{
  struct reassembly *reassembly = start_at (0);
  struct message message;

  for (uint32_t offset = 0; offset < LARGE; offset += 256)
    for (uint16_t seq = 1; seq < REASSEMBLY_WINDOW; seq++)
      {
        struct fragment fragment = { 11, LARGE, seq, offset, { zeroes, 1 } };

        if (reassembly_add (reassembly, &fragment, LARGE) == REASSEMBLY_NO_MEMORY)
          CHECK (false);
      }

  for (uint32_t offset = 0; offset < LARGE; offset += 1000)
    {
      struct fragment fragment = { 11, LARGE, 0, offset, { zeroes, 1000 } };

      CHECK_UINT (reassembly_add (reassembly, &fragment, LARGE), REASSEMBLY_TAKEN);
    }
  CHECK (reassembly_peek (reassembly, &message));
  reassembly_free (reassembly);
}

static void
next_message_leaves_the_budget_to_those_ahead (void)
{
  struct reassembly *reassembly = start_at (0);

  for (uint16_t seq = 0; seq < REASSEMBLY_WINDOW; seq++)
    for (uint32_t offset = 0; offset < LARGE; offset += 1000)
      {
        /* Most of the next one, and all of six small ones. */
        struct fragment fragment = { 11, LARGE, seq, offset, { zeroes, seq == 0 ? 999 : 1000 } };

        if (seq > 0)
          fragment.message_len = 8000;
        if (offset < fragment.message_len)
          CHECK_UINT (reassembly_add (reassembly, &fragment, LARGE), REASSEMBLY_TAKEN);
      }
  reassembly_free (reassembly);
}

/* What was refused for its memory is taken when its turn has come. */
static void
message_over_the_budget_comes_in_its_turn (void)
{
  struct fragment first = { 2, 4, 0, 0, { zeroes, 4 } };
  struct reassembly *reassembly = start_at (0);
  struct message message;
  size_t n_refused = 0;

  for (uint32_t offset = 0; offset < LARGE; offset += 1000)
    {
      struct fragment fragment = { 11, LARGE, 1, offset, { zeroes, 1000 } };

      n_refused += reassembly_add (reassembly, &fragment, LARGE) == REASSEMBLY_TOO_FAR;
    }
  CHECK (n_refused > 0 && n_refused < 100);

  CHECK_UINT (reassembly_add (reassembly, &first, CAP), REASSEMBLY_TAKEN);
  reassembly_pop (reassembly);
  for (uint32_t offset = 0; offset < LARGE; offset += 1000)
    {
      struct fragment fragment = { 11, LARGE, 1, offset, { zeroes, 1000 } };

      CHECK (reassembly_add (reassembly, &fragment, LARGE) != REASSEMBLY_TOO_FAR);
    }
  CHECK (reassembly_peek (reassembly, &message));
  reassembly_free (reassembly);
}

static void
holds_nothing_when_nothing_is_under_way (void)
{
  struct reassembly *reassembly = start_at (0);
  size_t before = heap_reset ();

  CHECK_UINT (reassembly_add (reassembly, &(struct fragment){ 1, 300, 0, 0, { zeroes, 150 } }, CAP),
              REASSEMBLY_TAKEN);
  CHECK_UINT (
      reassembly_add (reassembly, &(struct fragment){ 1, 300, 0, 150, { zeroes, 150 } }, CAP),
      REASSEMBLY_TAKEN);
  if (heap_is_counted ())
    CHECK (heap.used > before);
  reassembly_pop (reassembly);
  if (heap_is_counted ())
    CHECK_UINT (heap.used, before);

  reassembly_free (reassembly);
}

static const struct tap_test tests[] = {
  { "/flight/reassembly/messages-come-out-in-order", messages_come_out_in_order },
  { "/flight/reassembly/first-fragment-fixes-type-and-length",
    first_fragment_fixes_type_and_length },
  { "/flight/reassembly/bytes-that-came-first-stay", bytes_that_came_first_stay },
  { "/flight/reassembly/empty-fragment-of-a-message-that-is-not-brings-nothing",
    empty_fragment_of_a_message_that_is_not_brings_nothing },
  { "/flight/reassembly/window-has-edges", window_has_edges },
  { "/flight/reassembly/last-number-does-not-wrap", last_number_does_not_wrap },
  { "/flight/reassembly/cap-is-known-from-the-first-fragment",
    cap_is_known_from_the_first_fragment },
  { "/flight/reassembly/restart-forgets", restart_forgets },
  { "/flight/reassembly/agrees-with-a-naive-model", agrees_with_a_naive_model },
  { "/flight/reassembly/single-bytes-become-a-large-message", single_bytes_become_a_large_message },
  { "/flight/reassembly/announced-length-allocates-nothing", announced_length_allocates_nothing },
  { "/flight/reassembly/flood-has-a-ceiling", flood_has_a_ceiling },
  { "/flight/reassembly/flood-does-not-keep-the-next-message-out",
    flood_does_not_keep_the_next_message_out },
  { "/flight/reassembly/next-message-leaves-the-budget-to-those-ahead",
    next_message_leaves_the_budget_to_those_ahead },
  { "/flight/reassembly/message-over-the-budget-comes-in-its-turn",
    message_over_the_budget_comes_in_its_turn },
  { "/flight/reassembly/holds-nothing-when-nothing-is-under-way",
    holds_nothing_when_nothing_is_under_way },
};

TAP_MAIN (tests)
