/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The list of record numbers that are owed, sorted as it grows. A record number packed into 64 bits
 * sorts like the pair. */

#include "flight/acks.h"

#include <assert.h>
#include <string.h>

enum
{
  NUMBER_BITS = 48,
  LIST_PREFIX_LEN = 2, /* RFC 9147 §7: record_numbers<0..2^16-1> */
};

#define NUMBER_MASK ((UINT64_C (1) << NUMBER_BITS) - 1)

void
acks_add (struct acks *acks, uint16_t epoch, uint64_t number)
{
  uint64_t packed = (uint64_t) epoch << NUMBER_BITS | number;
  size_t place = acks->n;

  assert (number <= NUMBER_MASK);

  while (place > 0 && acks->owed[place - 1] > packed)
    place--;
  if (place > 0 && acks->owed[place - 1] == packed)
    return;

  if (acks->n == MAX_OWED_ACKS)
    {
      if (place == 0)
        return;
      place--;
      memmove (acks->owed, acks->owed + 1, place * sizeof acks->owed[0]);
    }
  else
    {
      memmove (acks->owed + place + 1, acks->owed + place,
               (acks->n - place) * sizeof acks->owed[0]);
      acks->n++;
    }
  acks->owed[place] = packed;
}

void
acks_clear (struct acks *acks)
{
  acks->n = 0;
}

bool
acks_write (const struct acks *acks, struct writer *writer, size_t room)
{
  struct record_number numbers[MAX_OWED_ACKS];
  size_t n_room = room > LIST_PREFIX_LEN ? (room - LIST_PREFIX_LEN) / RECORD_NUMBER_LEN : 0;
  size_t n = acks->n < n_room ? acks->n : n_room;

  if (n == 0)
    return false;

  for (size_t i = 0; i < n; i++)
    {
      uint64_t packed = acks->owed[acks->n - n + i];

      numbers[i] = (struct record_number){ packed >> NUMBER_BITS, packed & NUMBER_MASK };
    }
  ack_write (writer, numbers, n);
  return true;
}
