/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/u16_set: every number is in it just once it was added. */

#include "tap.h"
#include "wire/u16_set.h"

static void
takes_every_number_once (void)
{
  struct u16_set set = { { 0 } };

  for (unsigned value = 0; value <= UINT16_MAX; value += 2)
    CHECK (u16_set_add (&set, (uint16_t) value));
  for (unsigned value = 0; value <= UINT16_MAX; value++)
    CHECK_UINT (u16_set_add (&set, (uint16_t) value), value % 2 == 1);
  for (unsigned value = 0; value <= UINT16_MAX; value++)
    CHECK (!u16_set_add (&set, (uint16_t) value));
}

static const struct tap_test tests[] = {
  { "/wire/u16-set/takes-every-number-once", takes_every_number_once },
};

TAP_MAIN (tests)
