/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* DTLSPlaintext and DTLSCiphertext headers of DTLS 1.2, RFC 6347 §4.1. */

#pragma once

#include "wire/reader.h"
#include "wire/writer.h"

enum
{
  RECORD_HEADER_LEN = 13,
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
