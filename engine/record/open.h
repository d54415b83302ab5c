/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* From a datagram to opened records: split, recover the number, decrypt in place. */

#pragma once

#include "record/epoch.h"
#include "wire/record_header.h"

/* One record where it lies in the datagram. */
struct record
{
  enum record_form form;         /* RECORD_FORM_12 for what is in the clear, too */
  struct record_header header;   /* RECORD_FORM_12 */
  struct unified_header unified; /* RECORD_FORM_13 */
  uint8_t *at;                   /* the header; the ciphertext follows it */
  uint8_t *body;
  size_t len; /* of the body */
};

/* Whether the record claims to be of this epoch: by its number, or, in the unified header, by the
 * two bits of it that there are (RFC 9147 §4.2.2); with those none is of an unprotected epoch, and
 * none at all is of a cleared one. Of several read epochs the caller tries the newest first; no two
 * may be four apart. */
bool record_is_of (const struct record *record, const struct epoch_read *epoch);

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
  size_t inner_len; /* RFC 8449 §4, what a record_size_limit counts: in 1.3 type and padding, too */
};

/* Opens a record of this epoch (the caller has compared the numbers). In an unprotected epoch the
 * window is neither asked nor marked: nothing vouches for a number there.
 * DTLS_DROP_CONTENT: authentic and marked in the window, as with DTLS_DROP_NONE, but it has no
 * content type, which stands for an error of the peer's. Everything else marked nothing:
 * DTLS_DROP_HEADER, the header is of the other form; DTLS_DROP_LENGTH, an unprotected record longer
 * than 2^14, or a protected one too short for nonce and tag, or to unmask its number;
 * DTLS_DROP_AUTHENTICATION counts a forgery. The header's bytes stay as they came. */
enum dtls_drop record_open (struct epoch_read *epoch, const struct record *record,
                            struct opened *out) DTLS_MUST_CHECK;
