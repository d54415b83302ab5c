/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* From a datagram to opened records: split, recover the number, decrypt in place. */

#pragma once

#include "record/epoch.h"
#include "wire/record_header.h"

/* One record where it lies in the datagram. */
struct record
{
  struct record_header header;
  uint8_t *body; /* header.len bytes */
};

/* Takes the next record off the datagram at `*at`. Anything but DTLS_DROP_NONE: nothing more of
 * this datagram can be read, and it is now empty. */
enum dtls_drop record_split (uint8_t **at, size_t *left, struct record *out) DTLS_MUST_CHECK;

struct opened
{
  uint8_t type;
  uint16_t epoch;
  uint64_t number;
  uint8_t *at; /* in the datagram */
  /* For a protected record up to MAX_CIPHERTEXT_LEN: the caller holds it against its limit. */
  size_t len;
};

/* Opens a record of this epoch (the caller has compared the numbers). Only on DTLS_DROP_NONE was
 * anything marked in the window; DTLS_DROP_AUTHENTICATION counts a forgery. An unprotected record
 * longer than 2^14 is DTLS_DROP_LENGTH, and so is a protected one too short for nonce and tag. In
 * an unprotected epoch the window is neither asked nor marked: nothing vouches for a number
 * there. */
enum dtls_drop record_open (struct epoch_read *epoch, const struct record *record,
                            struct opened *out) DTLS_MUST_CHECK;
