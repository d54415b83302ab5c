/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Extensions of the hellos: a walk over the block that finds each once, one codec for each body,
 * and the table of which may appear where. */

#pragma once

#include "wire/codepoints.h"
#include "wire/reader.h"
#include "wire/writer.h"

/* The extensions we know, found in a block. `has_` tells presence; bodies are borrowed and not
 * yet read. */
enum extension_index
{
  FOUND_SERVER_NAME,
  FOUND_SUPPORTED_GROUPS,
  FOUND_EC_POINT_FORMATS,
  FOUND_SIGNATURE_ALGORITHMS,
  FOUND_ALPN,
  FOUND_EXTENDED_MASTER_SECRET,
  FOUND_RECORD_SIZE_LIMIT,
  FOUND_SUPPORTED_VERSIONS,
  FOUND_SIGNATURE_ALGORITHMS_CERT,
  FOUND_RENEGOTIATION_INFO,
  N_EXTENSIONS
};

struct extensions
{
  bool has[N_EXTENSIONS];
  struct bytes body[N_EXTENSIONS];
  /* One we have no codec for: harmless in a ClientHello, an error in a ServerHello. */
  bool has_unknown;
};

/* Where a block stands, for the table of what may appear there (RFC 5246 §7.4.1.4 and the RFC of
 * each extension). */
enum extension_place
{
  IN_CLIENT_HELLO,
  IN_SERVER_HELLO_12,
};

enum extensions_result
{
  EXTENSIONS_OK,
  EXTENSIONS_MALFORMED, /* decode_error */
  EXTENSIONS_DUPLICATE, /* decode_error: any type twice, known or not */
  EXTENSIONS_MISPLACED, /* illegal_parameter: known, but not allowed in this place */
};

enum extensions_result extensions_read (struct bytes block, enum extension_place place,
                                        struct extensions *out) DTLS_MUST_CHECK;

/* Type and length prefix; the body follows, then extension_end with what begin returned. */
size_t extension_begin (struct writer *writer, uint16_t type);
void extension_end (struct writer *writer, size_t body);

/* One codec per body, each reading the whole body (trailing bytes fail). */

/* RFC 6066 §3: the first host_name; the one in a ServerHello is empty. Rejects names that are
 * empty, hold a zero byte, or are longer than 255. */
bool server_name_read (struct bytes body, struct bytes *out_name) DTLS_MUST_CHECK;
void server_name_write (struct writer *writer, struct bytes name);

/* uint16 lists with a two-byte length: supported_groups (RFC 8422 §5.1.1),
 * signature_algorithms(_cert) (RFC 8446 §4.2.3). Not empty, whole pairs. `out_list` holds big-
 * endian pairs, borrowed. */
bool u16_list_read (struct bytes body, struct bytes *out_list) DTLS_MUST_CHECK;
void u16_list_write (struct writer *writer, const uint16_t *values, size_t n);
size_t u16_list_len (struct bytes list);
uint16_t u16_list_at (struct bytes list, size_t index);
bool u16_list_has (struct bytes list, uint16_t value);

/* supported_versions in a ClientHello (RFC 8446 §4.2.1): a one-byte length and pairs. */
bool supported_versions_read (struct bytes body, struct bytes *out_list) DTLS_MUST_CHECK;

/* RFC 8422 §5.1.2: false for a malformed list; *out_has_uncompressed for one without format 0. */
bool ec_point_formats_read (struct bytes body, bool *out_has_uncompressed) DTLS_MUST_CHECK;
void ec_point_formats_write (struct writer *writer);

/* RFC 7301 §3.1: a two-byte length, then names of 1 to 255 bytes, at least one. `out_names`: the
 * names with their length bytes, borrowed. */
bool alpn_read (struct bytes body, struct bytes *out_names) DTLS_MUST_CHECK;
void alpn_write (struct writer *writer, struct bytes names);
/* Takes the next name off `names`; false at the end. `names` must be well-formed, as alpn_read
 * gives. */
bool alpn_next (struct bytes *names, struct bytes *out_name);
bool alpn_is_well_formed (struct bytes names);

/* RFC 8449 §4: at least 64. */
bool record_size_limit_read (struct bytes body, uint16_t *out_limit) DTLS_MUST_CHECK;
void record_size_limit_write (struct writer *writer, uint16_t limit);

/* RFC 5746 §3.2: renegotiated_connection. */
bool renegotiation_info_read (struct bytes body, struct bytes *out_verify_data) DTLS_MUST_CHECK;
void renegotiation_info_write (struct writer *writer, struct bytes verify_data);
