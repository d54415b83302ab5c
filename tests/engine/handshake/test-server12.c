/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server against clients that keep every rule but one. */

#include "conn/conn.h"
#include "handshake/hello_fields.h"
#include "wire/certificates.h"
#include "wire/extensions.h"
#include "wire/hello.h"

#include <limits.h>
#include <stdlib.h>

enum
{
  CCS = INPUT_CHANGE_CIPHER_SPEC,
  AUTH = ASKS_CERTIFICATE,
  UNEXPECTED = DTLS_ERROR_UNEXPECTED_MESSAGE,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  DECODE = DTLS_ERROR_DECODE,
};

static const uint8_t one[] = { 1 };
static const uint8_t no_certificate[] = { 0, 0, 0 };
static const uint8_t finished_of_zeros[12];
static const uint8_t thirteen_zeros[13];
static const uint8_t a_verify[] = { 4, 3, 0, 4, 1, 2, 3, 4 };

/* ---------------------------------------------------------------------------------- order */

/* clang-format off */
static const struct mischief order_rows[] = {
  /* name                                    play          of                   setup bytes                      number               expected */
  { "nothing",                               NULL,         0,                   0, NOTHING,                      0,                   CONNECTS },
  { "nothing, with a certificate",           NULL,         0,                   AUTH, NOTHING,                   0,                   CONNECTS },

  { "skips ClientHello",                     play_skip,    CLIENT_HELLO,        0, NOTHING,                      0,                   SILENCE },
  { "skips Certificate",                     play_skip,    CERTIFICATE,         AUTH, NOTHING,                   0,                   SILENCE },
  { "skips ClientKeyExchange",               play_skip,    CLIENT_KEY_EXCHANGE, 0, NOTHING,                      0,                   SILENCE },
  { "skips CertificateVerify",               play_skip,    CERTIFICATE_VERIFY,  AUTH, NOTHING,                   0,                   SILENCE },
  { "skips ChangeCipherSpec",                play_skip,    CCS,                 0, NOTHING,                      0,                   SILENCE },
  { "skips Finished",                        play_skip,    FINISHED,            0, NOTHING,                      0,                   SILENCE },

  { "omits Certificate",                     play_omit,    CERTIFICATE,         AUTH, NOTHING,                   0,                   UNEXPECTED },
  { "omits ClientKeyExchange",               play_omit,    CLIENT_KEY_EXCHANGE, 0, NOTHING,                      0,                   SILENCE },
  { "omits ClientKeyExchange before CertificateVerify", play_omit, CLIENT_KEY_EXCHANGE, AUTH, NOTHING,           0,                   UNEXPECTED },
  { "a certificate without CertificateVerify", play_omit,  CERTIFICATE_VERIFY,  AUTH, NOTHING,                   0,                   SILENCE },

  { "repeats ClientHello",                   play_repeat,  CLIENT_HELLO,        0, NOTHING,                      0,                   CONNECTS },
  { "repeats Certificate",                   play_repeat,  CERTIFICATE,         AUTH, NOTHING,                   0,                   CONNECTS },
  { "repeats ClientKeyExchange",             play_repeat,  CLIENT_KEY_EXCHANGE, 0, NOTHING,                      0,                   CONNECTS },
  { "repeats CertificateVerify",             play_repeat,  CERTIFICATE_VERIFY,  AUTH, NOTHING,                   0,                   CONNECTS },
  { "repeats ChangeCipherSpec",              play_repeat,  CCS,                 0, NOTHING,                      0,                   CONNECTS },
  { "repeats Finished",                      play_repeat,  FINISHED,            0, NOTHING,                      0,                   CONNECTS },

  { "restarts the handshake",                play_twice,   CLIENT_HELLO,        0, NOTHING,                      0,                   UNEXPECTED },
  { "sends Certificate twice",               play_twice,   CERTIFICATE,         AUTH, NOTHING,                   0,                   UNEXPECTED },
  { "sends ClientKeyExchange twice",         play_twice,   CLIENT_KEY_EXCHANGE, 0, NOTHING,                      0,                   UNEXPECTED },
  { "sends CertificateVerify twice",         play_twice,   CERTIFICATE_VERIFY,  AUTH, NOTHING,                   0,                   UNEXPECTED },
  { "sends Finished twice",                  play_twice,   FINISHED,            0, NOTHING,                      0,                   UNEXPECTED },

  { "Certificate overtaken",                 play_reorder, CERTIFICATE,         AUTH, NOTHING,                   0,                   CONNECTS },
  { "ClientKeyExchange overtaken",           play_reorder, CLIENT_KEY_EXCHANGE, 0, NOTHING,                      0,                   CONNECTS },
  { "CertificateVerify overtaken by ChangeCipherSpec", play_reorder, CERTIFICATE_VERIFY, AUTH, NOTHING,          0,                   CONNECTS },
  { "ChangeCipherSpec overtaken by Finished", play_reorder, CCS,                0, NOTHING,                      0,                   CONNECTS },

  { "ClientKeyExchange ahead of Certificate", play_swap,   CERTIFICATE,         AUTH, NOTHING,                   0,                   UNEXPECTED },
  { "CertificateVerify ahead of ClientKeyExchange", play_swap, CLIENT_KEY_EXCHANGE, AUTH, NOTHING,               0,                   UNEXPECTED },

  { "a certificate that was not requested",  play_insert,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (no_certificate),   CERTIFICATE,         UNEXPECTED },
  { "CertificateVerify without a certificate", play_append, CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (a_verify),        CERTIFICATE_VERIFY,  UNEXPECTED },
  { "HelloRequest from a client",            play_insert,  CLIENT_KEY_EXCHANGE, 0, NOTHING,                      HELLO_REQUEST,       UNEXPECTED },
  { "ServerHello from a client",             play_insert,  CLIENT_HELLO,        0, NOTHING,                      SERVER_HELLO,        UNEXPECTED },
  { "a message of an unknown type",          play_insert,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (one),              99,                  UNEXPECTED },
  { "a message of type 254, our number for ChangeCipherSpec", play_insert, CCS, 0, NOTHING,                      254,                 UNEXPECTED },
  { "a message of type 255, our number for our turn", play_append, CLIENT_KEY_EXCHANGE, 0, NOTHING,              255,                 UNEXPECTED },

  { "Finished instead of ClientKeyExchange", play_insert,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (finished_of_zeros), FINISHED,           UNEXPECTED },
  { "Finished instead of CertificateVerify", play_insert,  CERTIFICATE_VERIFY,  AUTH, TAP_BYTES (finished_of_zeros), FINISHED,        UNEXPECTED },
  { "Finished instead of ChangeCipherSpec",  play_insert,  CCS,                 0, TAP_BYTES (finished_of_zeros), FINISHED,           UNEXPECTED },
  { "Finished in plaintext",                 play_plain,   FINISHED,            0, NOTHING,                      0,                   UNEXPECTED },
  { "ClientHello in a protected epoch",      play_epoch,   CLIENT_HELLO,        0, NOTHING,                      1,                   SILENCE },
  { "ClientKeyExchange in a protected epoch", play_epoch,  CLIENT_KEY_EXCHANGE, 0, NOTHING,                      1,                   SILENCE },
  { "Finished in an epoch to come",          play_epoch,   FINISHED,            0, NOTHING,                      2,                   SILENCE },

  { "message_seq of ClientHello too high",   play_renumber, CLIENT_HELLO,       0, NOTHING,                      1,                   SILENCE },
  { "message_seq of ClientHello 65535",      play_renumber, CLIENT_HELLO,       0, NOTHING,                      65535,               SILENCE },
  { "message_seq of the second flight too high", play_renumber, CLIENT_KEY_EXCHANGE, 0, NOTHING,                 1,                   SILENCE },
  { "message_seq of the second flight too low", play_renumber, CLIENT_KEY_EXCHANGE, 0, NOTHING,                  65535,               SILENCE },
};
/* clang-format on */

static void
test_order (void)
{
  check_rows (order_rows, TAP_N (order_rows), DTLS_CLIENT);
}

/* ---------------------------------------------------------------------------------- records */

static const uint8_t two[] = { 2 };
static const uint8_t warning[] = { 1, 90 };
static const uint8_t odd_level[] = { 0, 40 };
static const uint8_t fatal[] = { 2, 40 };
static const uint8_t close_notify[] = { 1, 0 };
static const uint8_t huge[] = { 1, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 9 };
static const uint8_t huge_certificate[] = { 11, 1, 0x86, 0xa1, 0, 1, 0, 0, 0, 0, 0, 1, 9 };
static const uint8_t leftover[] = { 20, 0, 0, 12, 0, 3, 0, 0, 0, 0, 0, 1, 9 };

/* clang-format off */
static const struct mischief record_rows[] = {
  { "ChangeCipherSpec ahead of everything",  play_record,  CLIENT_HELLO,        0, TAP_BYTES (one),         CONTENT_CHANGE_CIPHER_SPEC, CONNECTS },
  { "ChangeCipherSpec ahead of ClientKeyExchange", play_record, CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (one),    CONTENT_CHANGE_CIPHER_SPEC, CONNECTS },
  { "ChangeCipherSpec of value 2",           play_record,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (two),         CONTENT_CHANGE_CIPHER_SPEC, CONNECTS },
  { "a malformed one in place of the genuine", play_body,  CCS,                 0, TAP_BYTES (two),         0,                          SILENCE },
  { "ChangeCipherSpec under the new keys",   play_sealed_record, CCS,           0, TAP_BYTES (one),         CONTENT_CHANGE_CIPHER_SPEC, UNEXPECTED },
  { "application data in plaintext, first",  play_record,  CLIENT_HELLO,        0, TAP_BYTES (one),         CONTENT_APPLICATION_DATA,   CONNECTS },
  { "application data in plaintext, later",  play_record,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (one),         CONTENT_APPLICATION_DATA,   CONNECTS },
  { "application data ahead of Finished",    play_sealed_record, CCS,           0, TAP_BYTES (one),         CONTENT_APPLICATION_DATA,   CONNECTS },
  { "an unknown content type in plaintext",  play_record,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (one),         99,                         CONNECTS },
  { "an unknown content type under the keys", play_sealed_record, CCS,          0, TAP_BYTES (one),         99,                         CONNECTS },
  { "an empty handshake record",             play_record,  CLIENT_HELLO,        0, NOTHING,                 CONTENT_HANDSHAKE,          CONNECTS },
  { "an empty handshake record under the keys", play_sealed_record, CCS,        0, NOTHING,                 CONTENT_HANDSHAKE,          DECODE },
  { "a fragment of a ClientHello of 2^24-1", play_record,  CLIENT_HELLO,        0, TAP_BYTES (huge),        CONTENT_HANDSHAKE,          DTLS_ERROR_MESSAGE_TOO_LONG },
  { "a fragment of a Certificate of 100,001", play_record, CERTIFICATE,         AUTH, TAP_BYTES (huge_certificate), CONTENT_HANDSHAKE, DTLS_ERROR_MESSAGE_TOO_LONG },
  { "half a message beyond a change of keys", play_trailing, CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (((const uint8_t[]){ 20, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 1, 9 })), 0, DTLS_ERROR_EXCESS_HANDSHAKE_DATA },
  { "half a message further on",             play_trailing, CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (leftover),   0,                          CONNECTS },
  { "a warning",                             play_record,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (warning),     CONTENT_ALERT,              CONNECTS },
  { "an alert of no level",                  play_record,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (odd_level),   CONTENT_ALERT,              CONNECTS },
  { "an alert of no level under the keys",   play_sealed_record, CCS,           0, TAP_BYTES (odd_level),   CONTENT_ALERT,              DTLS_ERROR_BAD_ALERT },
};

static const struct mischief end_rows[] = {
  { "goes on after a fatal alert",           play_record,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (fatal),        CONTENT_ALERT,             DTLS_ERROR_PEER_ALERT },
  { "goes on after a fatal alert, late",     play_record,  CCS,                 0, TAP_BYTES (fatal),        CONTENT_ALERT,             DTLS_ERROR_PEER_ALERT },
  { "a fatal alert under the keys",          play_sealed_record, CCS,           0, TAP_BYTES (fatal),        CONTENT_ALERT,             DTLS_ERROR_PEER_ALERT },
  { "goes on after close_notify",            play_record,  CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (close_notify), CONTENT_ALERT,             DTLS_ERROR_PEER_ALERT },
  { "goes on after close_notify, late",      play_record,  CCS,                 0, TAP_BYTES (close_notify), CONTENT_ALERT,             DTLS_ERROR_PEER_ALERT },
};
/* clang-format on */

static void
test_records (void)
{
  check_rows (record_rows, TAP_N (record_rows), DTLS_CLIENT);
}

static void
test_end (void)
{
  check_rows (end_rows, TAP_N (end_rows), DTLS_CLIENT);
}

/* ---------------------------------------------------------------------------------- ClientHello */

static void
no_extensions_at_all (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];
  uint8_t memory[1024];
  struct writer w = writer_over (memory, sizeof memory);
  struct client_hello hello;

  (void) mischief;
  if (!client_hello_read ((struct bytes){ piece->body, piece->len }, &hello))
    abort ();
  hello.extensions = NOTHING;
  client_hello_write (&w, &hello);
  piece_set_body (piece, writer_bytes (&w));
}

static const uint8_t version_1_0[] = { 0xfe, 0xff };
static const uint8_t version_1_3[] = { 0xfe, 0xfc };
static const uint8_t version_tls[] = { 3, 3 };
static const uint8_t cbc_suite[] = { 0xc0, 0x13 };
static const uint8_t odd_suites[] = { 0xc0, 0x2b, 0xc0 };
static const uint8_t fallback[] = { 0x56, 0 };
static const uint8_t scsv[] = { 0, 0xff };
static const uint8_t grease_suites[] = { 0x0a, 0x0a, 0x13, 0x01 };
static const uint8_t deflate[] = { 1 };
static const uint8_t deflate_and_null[] = { 1, 0 };
static const uint8_t session_id[32] = { 7 };
static const uint8_t long_session_id[33] = { 7 };
static const uint8_t versions_1_3[] = { 2, 0xfe, 0xfc };
static const uint8_t versions_both[] = { 4, 0xfe, 0xfc, 0xfe, 0xfd };
static const uint8_t versions_odd[] = { 3, 0xfe, 0xfd, 0xfe };
static const uint8_t info_of_others[] = { 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const uint8_t limit_63[] = { 0, 63 };
static const uint8_t limit_64[] = { 0, 64 };
static const uint8_t limit_wide[] = { 0xff, 0xff };
static const uint8_t three_bytes[] = { 0, 64, 0 };
static const uint8_t compressed_points[] = { 1, 1 };
static const uint8_t groups_unknown[] = { 0, 2, 0x0a, 0x0a };
static const uint8_t groups_more[] = { 0, 6, 0x0a, 0x0a, 0, 23, 0, 30 };
static const uint8_t groups_odd[] = { 0, 3, 0, 23, 0 };
static const uint8_t groups_none[] = { 0, 0 };
static const uint8_t schemes_sha1[] = { 0, 2, 2, 3 };
static const uint8_t schemes_odd[] = { 0, 3, 4, 3, 0 };
static const uint8_t name_with_zero[] = { 0, 5, 0, 0, 2, 'x', 0 };
static const uint8_t name_empty[] = { 0, 3, 0, 0, 0 };
static const uint8_t name_list_empty[] = { 0, 0 };
static const uint8_t alpn_empty_name[] = { 0, 1, 0 };
static const uint8_t alpn_others[] = { 0, 2, 1, 'z' };

/* clang-format off */
static const struct mischief hello_rows[] = {
  { "version DTLS 1.0",              play_patch,     CLIENT_HELLO, 0, TAP_BYTES (version_1_0), 0, DTLS_ERROR_PROTOCOL_VERSION },
  { "version TLS 1.2",               play_patch,     CLIENT_HELLO, 0, TAP_BYTES (version_tls), 0, DTLS_ERROR_PROTOCOL_VERSION },
  { "a version to come",             play_patch,     CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (version_1_3), 0, CONNECTS },
  { "supported_versions without 1.2", play_extension, CLIENT_HELLO, 0, TAP_BYTES (versions_1_3), EXT_SUPPORTED_VERSIONS, DTLS_ERROR_PROTOCOL_VERSION },
  { "supported_versions with 1.2",   play_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (versions_both), EXT_SUPPORTED_VERSIONS, CONNECTS },
  { "supported_versions of odd length", play_extension, CLIENT_HELLO, 0, TAP_BYTES (versions_odd), EXT_SUPPORTED_VERSIONS, DECODE },
  { "TLS_FALLBACK_SCSV at our best version", change_fields, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (fallback), SUITES_AND_MORE, CONNECTS },
  { "no suite that we speak",        change_fields,  CLIENT_HELLO, 0, TAP_BYTES (cbc_suite), SUITES, DTLS_ERROR_NO_SHARED_SUITE },
  { "no suites",                     change_fields,  CLIENT_HELLO, 0, NOTHING, SUITES, DECODE },
  { "suites of odd length",          change_fields,  CLIENT_HELLO, 0, TAP_BYTES (odd_suites), SUITES, DECODE },
  { "suites of the future",          change_fields,  CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (grease_suites), SUITES_AND_MORE, CONNECTS },
  { "compression without null",      change_fields,  CLIENT_HELLO, 0, TAP_BYTES (deflate), COMPRESSION, ILLEGAL },
  { "no compression method",         change_fields,  CLIENT_HELLO, 0, NOTHING, COMPRESSION, DECODE },
  { "compression with null",         change_fields,  CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (deflate_and_null), COMPRESSION, CONNECTS },
  { "a session to resume",           change_fields,  CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (session_id), SESSION_ID, CONNECTS },
  { "a session_id of 33 bytes",      change_fields,  CLIENT_HELLO, 0, TAP_BYTES (long_session_id), SESSION_ID, DECODE },
  { "cut short",                     play_shorten,   CLIENT_HELLO, 0, NOTHING, 0, DECODE },
  { "a trailing byte",               play_lengthen,  CLIENT_HELLO, 0, NOTHING, 0, DECODE },
  { "empty",                         play_body,      CLIENT_HELLO, 0, NOTHING, 0, DECODE },
  { "an extension twice",            play_extension, CLIENT_HELLO, 0, NOTHING, EXT_EXTENDED_MASTER_SECRET, DECODE },
  { "an unknown extension",          play_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (one), 0x4a4a, CONNECTS },
  { "renegotiation_info of another handshake", play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (info_of_others), EXT_RENEGOTIATION_INFO, DTLS_ERROR_RENEGOTIATION_INFO },
  { "renegotiation_info of no length", play_other_extension, CLIENT_HELLO, 0, NOTHING, EXT_RENEGOTIATION_INFO, DECODE },
  { "no renegotiation_info",         play_no_extension, CLIENT_HELLO, IS_CONSISTENT, NOTHING, EXT_RENEGOTIATION_INFO, SILENCE },
  { "the SCSV beside renegotiation_info", change_fields, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (scsv), SUITES_AND_MORE, CONNECTS },
  { "extended_master_secret with a body", play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (one), EXT_EXTENDED_MASTER_SECRET, DECODE },
  { "no extended_master_secret where it is needed", play_no_extension, CLIENT_HELLO, NEEDS_EMS, NOTHING, EXT_EXTENDED_MASTER_SECRET, DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED },
  { "record_size_limit 63",          play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (limit_63), EXT_RECORD_SIZE_LIMIT, ILLEGAL },
  { "record_size_limit 64",          play_other_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (limit_64), EXT_RECORD_SIZE_LIMIT, CONNECTS },
  { "record_size_limit 65535",       play_other_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (limit_wide), EXT_RECORD_SIZE_LIMIT, CONNECTS },
  { "record_size_limit of three bytes", play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (three_bytes), EXT_RECORD_SIZE_LIMIT, DECODE },
  { "only compressed points",        play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (compressed_points), EXT_EC_POINT_FORMATS, ILLEGAL },
  { "no group that we speak",        play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (groups_unknown), EXT_SUPPORTED_GROUPS, DTLS_ERROR_NO_SHARED_GROUP },
  { "one group that we speak",       play_other_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (groups_more), EXT_SUPPORTED_GROUPS, CONNECTS },
  { "groups of odd length",          play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (groups_odd), EXT_SUPPORTED_GROUPS, DECODE },
  { "an empty list of groups",       play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (groups_none), EXT_SUPPORTED_GROUPS, DECODE },
  { "no supported_groups: P-256",    play_no_extension, CLIENT_HELLO, IS_CONSISTENT, NOTHING, EXT_SUPPORTED_GROUPS, CONNECTS },
  { "no signature_algorithms: SHA-1, which we do not do", play_no_extension, CLIENT_HELLO, 0, NOTHING, EXT_SIGNATURE_ALGORITHMS, DTLS_ERROR_NO_SHARED_SIGNATURE },
  { "only SHA-1",                    play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (schemes_sha1), EXT_SIGNATURE_ALGORITHMS, DTLS_ERROR_NO_SHARED_SIGNATURE },
  { "signature_algorithms of odd length", play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (schemes_odd), EXT_SIGNATURE_ALGORITHMS, DECODE },
  { "signature_algorithms_cert of odd length", play_extension, CLIENT_HELLO, 0, TAP_BYTES (schemes_odd), EXT_SIGNATURE_ALGORITHMS_CERT, DECODE },
  { "a server_name with a zero byte", play_extension, CLIENT_HELLO, 0, TAP_BYTES (name_with_zero), EXT_SERVER_NAME, DECODE },
  { "an empty server_name",          play_extension, CLIENT_HELLO, 0, TAP_BYTES (name_empty), EXT_SERVER_NAME, DECODE },
  { "an empty list of server_names", play_extension, CLIENT_HELLO, 0, TAP_BYTES (name_list_empty), EXT_SERVER_NAME, DECODE },
  { "ALPN with an empty name",       play_other_extension, CLIENT_HELLO, NAMES_PROTOCOLS, TAP_BYTES (alpn_empty_name), EXT_ALPN, DECODE },
  { "ALPN of nothing in common",     play_other_extension, CLIENT_HELLO, NAMES_PROTOCOLS | IS_CONSISTENT, TAP_BYTES (alpn_others), EXT_ALPN, CONNECTS },
  { "no extensions at all",          no_extensions_at_all, CLIENT_HELLO, 0, NOTHING, 0, DTLS_ERROR_NO_SHARED_SIGNATURE },
};
/* clang-format on */

static void
test_client_hello (void)
{
  check_rows (hello_rows, TAP_N (hello_rows), DTLS_CLIENT);
}

/* RFC 7507 §3. */
static void
fall_back (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  change_fields (puppet, at, mischief);
  puppet->pieces[at].body[0] = 0xfe;
  puppet->pieces[at].body[1] = 0xff;
}

static void
test_inappropriate_fallback (void)
{
  static const struct mischief row = {
    "TLS_FALLBACK_SCSV with DTLS 1.0",
    fall_back,
    CLIENT_HELLO,
    0,
    TAP_BYTES (fallback),
    SUITES_AND_MORE,
    DTLS_ERROR_INAPPROPRIATE_FALLBACK,
  };

  check_row (&row, DTLS_CLIENT);
}

static void
test_no_extended_master_secret (void)
{
  static const struct mischief row = {
    "no extended master secret", play_no_extension, CLIENT_HELLO, IS_CONSISTENT, NOTHING,
    EXT_EXTENDED_MASTER_SECRET,  CONNECTS,
  };
  struct outcome outcome = mischief_run (&row, DTLS_CLIENT);

  CHECK_UINT (outcome.became, CONNECTS);
  CHECK (!outcome.has_extended_master_secret);
}

/* ---------------------------------------------------------------------------------- the second flight */

/* Signed as it should be, by the scheme that is the row's number. */
static void
other_scheme (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  uint8_t signature[MAX_SIGNATURE_LEN], memory[2048];
  struct writer w = writer_over (memory, sizeof memory);
  struct dtls_buffer out = { signature, sizeof signature, 0 };
  struct bytes input = { puppet->handshake->transcript.at, puppet->n_transcript };
  struct certificate_verify verify = { .scheme = (uint16_t) mischief->number };

  /* It covers what came before it: all up to our flight, and the flight so far. */
  for (size_t i = 0; i < at; i++)
    input.left += FRAGMENT_HEADER_LEN + puppet->pieces[i].len;
  if (signature_make (pki_crypto (), puppet->config.credential->key, verify.scheme, input, &out)
      != DTLS_OK)
    abort ();

  verify.signature = (struct bytes){ signature, out.used };
  certificate_verify_write (&w, &verify);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}

static const uint8_t scheme_sha1[] = { 2, 3 };
static const uint8_t scheme_rsa[] = { 8, 4 };
static const uint8_t empty_certificate[] = { 0, 0, 3, 0, 0, 0 };
static const uint8_t rubbish_certificate[] = { 0, 0, 5, 0, 0, 2, 0x30, 0 };
static const uint8_t zero_point[33] = { 32 };
static const uint8_t short_point[] = { 1, 9 };
static const uint8_t off_curve[66] = { 65, 4, 1, 2, 3 };
static const uint8_t empty_point[] = { 0 };
static const uint8_t beyond_end[] = { 32, 9 };

/* clang-format off */
static const struct mischief flight_rows[] = {
  { "an empty certificate",            play_body,     CERTIFICATE,         AUTH, TAP_BYTES (empty_certificate),   0, DECODE },
  { "no certificate at all",           play_body,     CERTIFICATE,         AUTH, TAP_BYTES (rubbish_certificate), 0, DTLS_ERROR_BAD_CERTIFICATE },
  { "no certificate where one is required", play_body, CERTIFICATE,        AUTH, TAP_BYTES (no_certificate),      0, DTLS_ERROR_CERTIFICATE_REQUIRED },
  { "Certificate cut short",           play_shorten,  CERTIFICATE,         AUTH, NOTHING,                         0, DECODE },
  { "X25519: zero",                    play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (zero_point),             0, ILLEGAL },
  { "X25519: one byte",                play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (short_point),            0, ILLEGAL },
  { "P-256: not on the curve",         play_body,     CLIENT_KEY_EXCHANGE, ONLY_P256, TAP_BYTES (off_curve),      0, ILLEGAL },
  { "an empty point",                  play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (empty_point),            0, DECODE },
  { "a point beyond its end",          play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (beyond_end),             0, DECODE },
  { "ClientKeyExchange of no byte",    play_body,     CLIENT_KEY_EXCHANGE, 0, NOTHING,                            0, DECODE },
  { "ClientKeyExchange with a trailing byte", play_lengthen, CLIENT_KEY_EXCHANGE, 0, NOTHING,                     0, DECODE },
  { "another point than that of the keys", play_flip, CLIENT_KEY_EXCHANGE, 0, NOTHING,                            9, SILENCE },
  { "a wrong signature",               play_flip,     CERTIFICATE_VERIFY,  AUTH, NOTHING,                  UINT_MAX, DTLS_ERROR_BAD_SIGNATURE },
  { "a scheme that was not offered",   play_patch,    CERTIFICATE_VERIFY,  AUTH, TAP_BYTES (scheme_sha1),         0, ILLEGAL },
  { "a scheme that fits but was not offered", other_scheme, CERTIFICATE_VERIFY, AUTH | ONLY_SHA256, NOTHING, SIG_ECDSA_SECP384R1_SHA384, ILLEGAL },
  { "another signature, but not the one Finished covers", other_scheme, CERTIFICATE_VERIFY, AUTH, NOTHING, SIG_ECDSA_SECP384R1_SHA384, DTLS_ERROR_BAD_FINISHED },
  { "a scheme for another key",        play_patch,    CERTIFICATE_VERIFY,  AUTH, TAP_BYTES (scheme_rsa),          0, ILLEGAL },
  { "CertificateVerify cut short",     play_shorten,  CERTIFICATE_VERIFY,  AUTH, NOTHING,                         0, DECODE },
  { "a wrong Finished",                play_flip,     FINISHED,            0, NOTHING,                            0, DTLS_ERROR_BAD_FINISHED },
  { "a wrong end of Finished",         play_flip,     FINISHED,            0, NOTHING,                     UINT_MAX, DTLS_ERROR_BAD_FINISHED },
  { "a wrong Finished after a good certificate", play_flip, FINISHED,      AUTH, NOTHING,                         0, DTLS_ERROR_BAD_FINISHED },
  { "Finished of 11 bytes",            play_shorten,  FINISHED,            0, NOTHING,                            0, DTLS_ERROR_BAD_FINISHED },
  { "Finished of 13 bytes",            play_body,     FINISHED,            0, TAP_BYTES (thirteen_zeros),         0, DTLS_ERROR_BAD_FINISHED },
};
/* clang-format on */

static void
test_second_flight (void)
{
  check_rows (flight_rows, TAP_N (flight_rows), DTLS_CLIENT);
}

/* A certificate that someone else has the key of: JSSE CVE-2020-2655 and its kin. */
static void
certificate_of_another (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  const struct identity *identity = pki_identity ("server-any-eku");
  uint8_t memory[4096];
  struct writer w = writer_over (memory, sizeof memory);

  (void) mischief;
  certificate_write (&w, identity->chain, identity->whole.n_chain);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}

static void
test_certificate_of_another (void)
{
  static const struct mischief row = {
    "a certificate that someone else has the key of",
    certificate_of_another,
    CERTIFICATE,
    AUTH,
    NOTHING,
    0,
    DTLS_ERROR_BAD_SIGNATURE,
  };

  check_row (&row, DTLS_CLIENT);
}

/* Also one that was only requested: from the moment it is there, until it is proved and judged. */
static void
test_obligations_of_a_certificate (void)
{
  const unsigned both = OWES_CERTIFICATE_VERIFY | OWES_VERDICT;
  struct pair pair;
  struct handshake *h;

  pair_init (&pair, pki_identity ("server-ecdsa"), pki_identity ("client-ecdsa"));
  pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUESTED;
  pair.sides[DTLS_SERVER].verdict = ANSWERS_NEVER;
  pair.sides[DTLS_CLIENT].config.mtu = 256;
  pair_start (&pair);
  h = pair.sides[DTLS_SERVER].conn->handshake;
  CHECK_UINT (h->owed & both, 0);
  while (h->state != WAIT_CERTIFICATE_VERIFY && pair_step (&pair, DTLS_NEVER))
    ;
  CHECK_UINT (h->owed & both, both);
  pair_run (&pair, DTLS_SECOND);
  CHECK_UINT (dtls_conn_wait (pair.sides[DTLS_SERVER].conn), DTLS_WAIT_VERDICT);
  CHECK_UINT (h->owed & both, OWES_VERDICT);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/handshake/server12/order/only-the-legal-messages-in-the-legal-order", test_order },
  { "/handshake/server12/records/noise-is-dropped-and-authenticated-nonsense-is-fatal",
    test_records },
  { "/handshake/server12/alerts/nothing-counts-after-a-fatal-alert-or-close-notify", test_end },
  { "/handshake/server12/client-hello/takes-what-is-legal-and-rejects-the-rest",
    test_client_hello },
  { "/handshake/server12/client-hello/rejects-an-inappropriate-fallback",
    test_inappropriate_fallback },
  { "/handshake/server12/client-hello/goes-without-extended-master-secret-unless-required",
    test_no_extended_master_secret },
  { "/handshake/server12/second-flight/rejects-what-is-malformed-or-wrong", test_second_flight },
  { "/handshake/server12/second-flight/no-certificate-without-proof-of-its-key",
    test_certificate_of_another },
  { "/handshake/server12/obligations/a-certificate-owes-its-proof-and-a-verdict",
    test_obligations_of_a_certificate },
};

TAP_MAIN (tests)
