/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Extensions: a walk over a block that finds each once, the table of which may appear where, and a
 * codec for each body. Three bodies have theirs elsewhere: wire/key_share.h, wire/pre_shared_key.h,
 * and certificate_authorities in wire/certificates.h. */

#pragma once

#include "wire/codepoints.h"
#include "wire/reader.h"
#include "wire/writer.h"

/* The extensions we know, found in a block: those of 1.3 in the order of RFC 9846 §4.3's table,
 * then those of 1.2 only. `has` tells presence; bodies are borrowed and not yet read. */
enum extension_index
{
  FOUND_SERVER_NAME,
  FOUND_SUPPORTED_GROUPS,
  FOUND_SIGNATURE_ALGORITHMS,
  FOUND_USE_SRTP,
  FOUND_ALPN,
  FOUND_RECORD_SIZE_LIMIT,
  FOUND_PRE_SHARED_KEY,
  FOUND_EARLY_DATA,
  FOUND_SUPPORTED_VERSIONS,
  FOUND_COOKIE,
  FOUND_PSK_KEY_EXCHANGE_MODES,
  FOUND_CERTIFICATE_AUTHORITIES,
  FOUND_SIGNATURE_ALGORITHMS_CERT,
  FOUND_KEY_SHARE,
  FOUND_EC_POINT_FORMATS,
  FOUND_EXTENDED_MASTER_SECRET,
  FOUND_SESSION_TICKET,
  FOUND_RENEGOTIATION_INFO,
  N_EXTENSIONS
};

/* N_EXTENSIONS if we do not know the type. */
enum extension_index extension_index_of (uint16_t type);

struct extensions
{
  bool has[N_EXTENSIONS];
  struct bytes body[N_EXTENSIONS];
  /* One we have no codec for: harmless where something is asked or told (ClientHello,
   * CertificateRequest, NewSessionTicket), an error where it can only be an answer. */
  bool has_unknown;
};

/* Where a block stands, for the table of what may appear there: RFC 9846 §4.3, and for 1.2's
 * ServerHello RFC 5246 §7.4.1.4 and the RFC of each extension. */
enum extension_place
{
  IN_CLIENT_HELLO,
  IN_SERVER_HELLO_12,
  IN_SERVER_HELLO_13,
  IN_HELLO_RETRY_REQUEST,
  IN_ENCRYPTED_EXTENSIONS,
  IN_CERTIFICATE_REQUEST_13,
  IN_CERTIFICATE_13,
  IN_NEW_SESSION_TICKET_13,
};

enum extensions_result
{
  EXTENSIONS_OK,
  EXTENSIONS_MALFORMED, /* decode_error */
  EXTENSIONS_DUPLICATE, /* decode_error: any type twice, known or not */
  EXTENSIONS_MISPLACED, /* illegal_parameter: known, but not allowed in this place; or, in a
                           ClientHello, pre_shared_key is not the last (RFC 9846 §4.3.11) */
};

/* The gravest of these. `out` tells what stands in the block even if it is misplaced: a client
 * finds by supported_versions which of the two ServerHellos it reads. */
enum extensions_result extensions_read (struct bytes block, enum extension_place place,
                                        struct extensions *out) DTLS_MUST_CHECK;

/* Type and length prefix; the body follows, then extension_end with what begin returned. */
size_t extension_begin (struct writer *writer, uint16_t type);
void extension_end (struct writer *writer, size_t body);

/* A whole block with its length; its extensions stand between. */
size_t extension_block_begin (struct writer *writer);
void extension_block_end (struct writer *writer, size_t block);

/* EncryptedExtensions, RFC 9846 §4.4.1, is a block and nothing else; it is written as one. */
bool encrypted_extensions_read (struct bytes message, struct bytes *out_block) DTLS_MUST_CHECK;

/* One codec per body, each reading the whole body (trailing bytes fail). Three need none:
 * extended_master_secret is empty, and so is early_data but in a NewSessionTicket; session_ticket
 * is the ticket itself, or empty (RFC 5077 §3.2). */

/* RFC 6066 §3: the first host_name; the one in a ServerHello is empty. Rejects names that are
 * empty, hold a zero byte, or are longer than 255. */
bool server_name_read (struct bytes body, struct bytes *out_name) DTLS_MUST_CHECK;
void server_name_write (struct writer *writer, struct bytes name);

/* uint16 lists with a two-byte length: supported_groups (RFC 8422 §5.1.1),
 * signature_algorithms(_cert) (RFC 9846 §4.3.3). Not empty, whole pairs. `out_list` holds big-
 * endian pairs, borrowed. */
bool u16_list_read (struct bytes body, struct bytes *out_list) DTLS_MUST_CHECK;
void u16_list_write (struct writer *writer, const uint16_t *values, size_t n);
size_t u16_list_len (struct bytes list);
uint16_t u16_list_at (struct bytes list, size_t index);
bool u16_list_has (struct bytes list, uint16_t value);

/* supported_versions in a ClientHello (RFC 9846 §4.3.1): a one-byte length and pairs. */
bool supported_versions_read (struct bytes body, struct bytes *out_list) DTLS_MUST_CHECK;
void supported_versions_write (struct writer *writer, const uint16_t *versions, size_t n);

/* What a server chose of a list, as two bytes: selected_version in ServerHello and
 * HelloRetryRequest (RFC 9846 §4.3.1), selected_group of key_share in a HelloRetryRequest (§4.3.8),
 * selected_identity of pre_shared_key in a ServerHello (§4.3.11). */
bool selected_read (struct bytes body, uint16_t *out_selected) DTLS_MUST_CHECK;
void selected_write (struct writer *writer, uint16_t selected);

/* cookie, RFC 9846 §4.3.2: 1 to 2^16-1 bytes. */
bool cookie_read (struct bytes body, struct bytes *out_cookie) DTLS_MUST_CHECK;
void cookie_write (struct writer *writer, struct bytes cookie);

/* RFC 9846 §4.3.9: `modes` are bytes of enum psk_key_exchange_mode and others, at least one. */
bool psk_key_exchange_modes_read (struct bytes body, struct bytes *out_modes) DTLS_MUST_CHECK;
void psk_key_exchange_modes_write (struct writer *writer, struct bytes modes);

/* early_data in a NewSessionTicket, RFC 9846 §4.3.10. */
bool max_early_data_size_read (struct bytes body, uint32_t *out_size) DTLS_MUST_CHECK;
void max_early_data_size_write (struct writer *writer, uint32_t size);

/* use_srtp, RFC 5764 §4.1.1. That a server names one profile only is for the caller. */
struct use_srtp
{
  struct bytes profiles; /* pairs, at least one; see u16_list_at */
  struct bytes mki;      /* 0 to 255 bytes */
};

bool use_srtp_read (struct bytes body, struct use_srtp *srtp) DTLS_MUST_CHECK;
void use_srtp_write (struct writer *writer, const struct use_srtp *srtp);

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
