/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What stands before a record: the 13 bytes of DTLS 1.2, RFC 6347 §4.1, which are DTLS 1.3's
 * DTLSPlaintext too, and the unified header of DTLS 1.3's DTLSCiphertext, RFC 9147 §4. */

#pragma once

#include "wire/reader.h"
#include "wire/writer.h"

enum
{
  RECORD_HEADER_LEN = 13,
  UNIFIED_HEADER_LEN = 5, /* of the one that we send */
};

struct record_header
{
  uint8_t type;
  uint16_t version;
  uint16_t epoch;
  uint64_t number; /* 48 bits */
  uint16_t len;    /* of the fragment that follows */
};

/* Reads the header only. False if it is cut short, if the version's major byte is not DTLS's
 * 0xfe, or if the fragment is longer than what is left. The caller takes `len` bytes next. */
bool record_header_read (struct reader *reader, struct record_header *header) DTLS_MUST_CHECK;
void record_header_write (struct writer *writer, const struct record_header *header);

/* RFC 9147 §4: every part but the first byte may have more than one length. The number is masked:
 * whoever unmasks it finds it `number_at` bytes into the header. */
struct unified_header
{
  uint8_t epoch_bits; /* the epoch's lowest two */
  bool has_connection_id;
  uint8_t number_len; /* 1 or 2 */
  bool has_length;
  size_t header_len;
  size_t number_at;
  size_t len; /* of the ciphertext that follows */
};

/* RFC 9147 §4.1: whether a record that begins with `first` has a unified header. */
bool is_unified_header (uint8_t first);
/* Reads the header only, like record_header_read. A connection ID is there just when
 * `connection_id_len` is not 0; it stands after the first byte. Without a length the ciphertext is
 * all that is left. False if the header is cut short, is none or has a connection ID against that
 * rule, or if the ciphertext is longer than what is left.
 * RFC 9147 §4.2.3: a ciphertext under 16 bytes fails like one that does not open. As that concerns
 * its record only, and not what follows, the caller does it. */
bool unified_header_read (struct reader *reader, size_t connection_id_len,
                          struct unified_header *header) DTLS_MUST_CHECK;
/* A number of 16 bits, a length, no connection ID. Takes the low bits of `epoch` and `number`. */
void unified_header_write (struct writer *writer, uint64_t epoch, uint64_t number, uint16_t len);
