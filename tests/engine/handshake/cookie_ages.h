/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* How old a cookie may be, in either version, and which keys check it. */

#pragma once

#include "handshake/cookie.h"
#include "pki.h"
#include "tap.h"

static inline struct dtls_cookie_keys
keys_of (uint8_t current, uint8_t previous)
{
  struct dtls_cookie_keys keys = { .crypto = pki_crypto () };

  memset (keys.current, current, sizeof keys.current);
  memset (keys.previous, previous, sizeof keys.previous);
  return keys;
}

struct cookie_age
{
  const char *name;
  unsigned made, checked;    /* half-minutes */
  uint8_t current, previous; /* keys when it is checked; made with 1 */
  bool is_good;
};

/* clang-format off */
static const struct cookie_age cookie_ages[] = {
  { "at once",                          5, 5,   1, 1, true },
  { "a half-minute later",              5, 6,   1, 1, true },
  { "two half-minutes later",           5, 7,   1, 1, false },
  { "before it was made",               5, 4,   1, 1, false },
  { "when the number's byte recurs",    5, 261, 1, 1, false },
  { "over the wrap of the number",      255, 256, 1, 1, true },
  { "in the first half-minute",         0, 0,   1, 1, true },
  { "after a rotation",                 5, 5,   2, 1, true },
  { "after two rotations",              5, 5,   3, 2, false },
};
/* clang-format on */
