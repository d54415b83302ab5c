/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Numbers, encrypts and appends records. */

#pragma once

#include "record/epoch.h"

struct seal_input
{
  uint8_t type;
  uint16_t version; /* of a header in the clear */
  const struct bytes *parts;
  size_t n_parts;
};

/* Appends one record to `out`. DTLS_ERROR_TOO_LARGE: more than 2^14 bytes or than the room;
 * DTLS_ERROR_RECORD_LIMIT: no number is left, or in 1.3 the keys are used up
 * (epoch_is_at_seal_limit). On an error nothing was appended and no number used. */
enum dtls_error record_seal (struct epoch_write *epoch, const struct seal_input *input,
                             struct dtls_buffer *out) DTLS_MUST_CHECK;
