/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* ACK, RFC 9147 §7: the numbers of records that came. */

#pragma once

#include "wire/reader.h"
#include "wire/writer.h"

enum
{
  RECORD_NUMBER_LEN = 16,
};

/* RFC 9147 §4. */
struct record_number
{
  uint64_t epoch;
  uint64_t number;
};

/* Whole numbers, none also. `out_numbers` is for ack_next. That no epoch is above the ACK's own,
 * and how many are looked at, is for the caller. */
bool ack_read (struct bytes record, struct bytes *out_numbers) DTLS_MUST_CHECK;
/* Takes the next number off a list that ack_read has checked; false at its end. */
bool ack_next (struct bytes *numbers, struct record_number *out_number);
/* RFC 9147 §7: `numbers` rise. */
void ack_write (struct writer *writer, const struct record_number *numbers, size_t n);
