/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A script of fragments, played to the reassembly and to a naive model of it. The first byte says
 * where the numbers start; each step is STEP_LEN bytes. */

#include "fuzz.h"

#include "../tests/engine/naive_reassembly.h"

enum
{
  STEP_LEN = 8,
  N_TYPES = 3,
};

/* Near both ends of the numbers. */
static uint16_t
start_of (uint8_t choice)
{
  return choice < 128 ? choice : (uint16_t) (UINT16_MAX - (choice - 128));
}

/* Lengths are mostly those that the message's number says, so that messages become whole. */
static struct fragment
fragment_of (struct reader *step, uint32_t first, const uint8_t *bodies)
{
  static const uint16_t lens[] = { 0, 1, 12, 255, 256, 257, 700, NAIVE_MAX_LEN };
  struct fragment fragment = { 0 };
  uint8_t place = read_u8 (step);
  uint8_t kind = read_u8 (step);
  uint16_t offset = read_u16 (step);
  uint16_t len = read_u16 (step);

  fragment.message_seq = (uint16_t) (first + place % NAIVE_MESSAGES);
  fragment.type = kind < 224 ? 1 : (uint8_t) (kind % N_TYPES);
  fragment.message_len = kind < 224 ? lens[place % 8] : kind * UINT32_C (7) % (NAIVE_MAX_LEN + 1);
  fragment.offset = offset % (fragment.message_len + 1);
  fragment.body.left = len % (fragment.message_len - fragment.offset + 1);
  /* Every fragment has other bytes: which ones stay can be told. */
  fragment.body.at = bodies + read_u8 (step);

  return fragment;
}

static void
play_step (struct reader *step, struct reassembly *reassembly, struct naive_reassembly *naive)
{
  static uint8_t bodies[NAIVE_MAX_LEN + 256];
  static bool is_filled;
  struct fragment fragment = fragment_of (step, naive->first, bodies);
  size_t cap = fragment.type == 0 ? 600 : NAIVE_MAX_LEN;

  for (size_t i = 0; !is_filled && i < sizeof bodies; i++)
    bodies[i] = (uint8_t) (i * i / 3);
  is_filled = true;

  fuzz_check (reassembly_add (reassembly, &fragment, cap) == naive_add (naive, &fragment, cap));
  fuzz_check (naive_agrees (naive, reassembly));
  if (read_u8 (step) % 2 == 0)
    while (naive_pop (naive, reassembly))
      fuzz_check (naive_agrees (naive, reassembly));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static struct naive_reassembly naive;
  struct reader reader = reader_over ((struct bytes){ data, size });
  uint16_t first = start_of (read_u8 (&reader));
  struct reassembly *reassembly = reassembly_new (first);

  fuzz_check (reassembly != NULL);
  naive_init (&naive, first);
  while (reader.left >= STEP_LEN)
    {
      struct reader step = reader_over (read_bytes (&reader, STEP_LEN));

      play_step (&step, reassembly, &naive);
    }
  reassembly_free (reassembly);

  return 0;
}
