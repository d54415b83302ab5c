/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Either side's Finished of 1.3, and what may be wrong with it. */

#pragma once

#include "handshake/rows.h"

#include <limits.h>

static const uint8_t finished_of_zeros[32];
static const uint8_t thirty_three_zeros[33];

/* clang-format off */
static const struct mischief finished_rows[] = {
  { "a wrong Finished",                play_flip,     FINISHED, 0, NOTHING,                        0, DTLS_ERROR_BAD_FINISHED },
  { "a wrong end of Finished",         play_flip,     FINISHED, 0, NOTHING,                 UINT_MAX, DTLS_ERROR_BAD_FINISHED },
  { "a wrong Finished of a key",       play_flip,     FINISHED, HAS_KEY, NOTHING,                  0, DTLS_ERROR_BAD_FINISHED },
  { "Finished of zeros",               play_body,     FINISHED, 0, TAP_BYTES (finished_of_zeros),  0, DTLS_ERROR_BAD_FINISHED },
  { "Finished of 31 bytes",            play_shorten,  FINISHED, 0, NOTHING,                        0, DTLS_ERROR_BAD_FINISHED },
  { "Finished of 33 bytes",            play_body,     FINISHED, 0, TAP_BYTES (thirty_three_zeros), 0, DTLS_ERROR_BAD_FINISHED },
  { "Finished and a byte",             play_lengthen, FINISHED, 0, NOTHING,                        0, DTLS_ERROR_BAD_FINISHED },
  { "Finished of no byte",             play_body,     FINISHED, 0, NOTHING,                        0, DTLS_ERROR_BAD_FINISHED },
};
/* clang-format on */
