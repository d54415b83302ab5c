/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A set of 16-bit numbers with a bit for each, for lists that may name nothing twice. Comparing all
 * pairs of a list instead would let a hello of 64 kB cost 134 million steps. */

#pragma once

#include "types.h"

struct u16_set
{
  uint8_t bits[(1 << 16) / 8];
};

/* False if `value` is in the set already. */
static inline bool
u16_set_add (struct u16_set *set, uint16_t value)
{
  uint8_t bit = (uint8_t) (1 << value % 8);
  bool is_new = !(set->bits[value / 8] & bit);

  set->bits[value / 8] |= bit;
  return is_new;
}
