/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Numbers that look random and are the same on every machine: a test names its seed and can be run
 * again. */

#pragma once

#include <stdint.h>

/* Knuth's linear congruential generator for MMIX; its low bits are the weak ones. */
static inline uint32_t
random_next (uint64_t *seed)
{
  *seed = *seed * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
  return (uint32_t) (*seed >> 32);
}

/* From 0 to `n` - 1. */
static inline uint32_t
random_below (uint64_t *seed, uint32_t n)
{
  return (uint32_t) ((uint64_t) random_next (seed) * n >> 32);
}
