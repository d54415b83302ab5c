/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client against servers that keep every rule but one. */

#include "handshake/authenticate.h"
#include "handshake/talk12.h"
#include "wire/certificates.h"
#include "wire/extensions.h"
#include "wire/key_exchange.h"

#include <limits.h>

enum
{
  CCS = INPUT_CHANGE_CIPHER_SPEC,
  UNEXPECTED = DTLS_ERROR_UNEXPECTED_MESSAGE,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  DECODE = DTLS_ERROR_DECODE,
};

/* A request that a client may get: types, schemes, no authorities. */
static const uint8_t a_request[] = { 1, 64, 0, 2, 4, 3, 0, 0 };
static const uint8_t a_ticket[] = { 0, 0, 0, 0, 0, 1, 7 };
static const uint8_t a_verify_request[] = { 0xfe, 0xff, 4, 1, 2, 3, 4 };
static const uint8_t finished_of_zeros[12];
static const uint8_t thirteen_zeros[13];

/* ---------------------------------------------------------------------------------- order */

/* clang-format off */
static const struct mischief order_rows[] = {
  /* name                                    play          of                   setup bytes                      number               expected */
  { "nothing",                               NULL,         0,                   0, NOTHING,                      0,                   CONNECTS },
  { "nothing, with client authentication",   NULL,         0,                   ASKS_CERTIFICATE, NOTHING,       0,                   CONNECTS },

  { "skips ServerHello",                     play_skip,    SERVER_HELLO,        0, NOTHING,                      0,                   SILENCE },
  { "skips Certificate",                     play_skip,    CERTIFICATE,         0, NOTHING,                      0,                   SILENCE },
  { "skips ServerKeyExchange",               play_skip,    SERVER_KEY_EXCHANGE, 0, NOTHING,                      0,                   SILENCE },
  { "skips ServerHelloDone",                 play_skip,    SERVER_HELLO_DONE,   0, NOTHING,                      0,                   SILENCE },
  { "skips ChangeCipherSpec",                play_skip,    CCS,                 0, NOTHING,                      0,                   SILENCE },
  { "skips Finished",                        play_skip,    FINISHED,            0, NOTHING,                      0,                   SILENCE },

  { "omits ServerHello",                     play_omit,    SERVER_HELLO,        0, NOTHING,                      0,                   UNEXPECTED },
  { "omits Certificate",                     play_omit,    CERTIFICATE,         0, NOTHING,                      0,                   UNEXPECTED },
  { "omits ServerKeyExchange",               play_omit,    SERVER_KEY_EXCHANGE, 0, NOTHING,                      0,                   UNEXPECTED },
  { "omits ServerHelloDone",                 play_omit,    SERVER_HELLO_DONE,   0, NOTHING,                      0,                   SILENCE },

  { "repeats ServerHello",                   play_repeat,  SERVER_HELLO,        0, NOTHING,                      0,                   CONNECTS },
  { "repeats Certificate",                   play_repeat,  CERTIFICATE,         0, NOTHING,                      0,                   CONNECTS },
  { "repeats ServerKeyExchange",             play_repeat,  SERVER_KEY_EXCHANGE, 0, NOTHING,                      0,                   CONNECTS },
  { "repeats ServerHelloDone",               play_repeat,  SERVER_HELLO_DONE,   0, NOTHING,                      0,                   CONNECTS },
  { "repeats ChangeCipherSpec",              play_repeat,  CCS,                 0, NOTHING,                      0,                   CONNECTS },
  { "repeats Finished",                      play_repeat,  FINISHED,            0, NOTHING,                      0,                   CONNECTS },

  { "sends ServerHello twice",               play_twice,   SERVER_HELLO,        0, NOTHING,                      0,                   UNEXPECTED },
  { "sends Certificate twice",               play_twice,   CERTIFICATE,         0, NOTHING,                      0,                   UNEXPECTED },
  { "sends ServerKeyExchange twice",         play_twice,   SERVER_KEY_EXCHANGE, 0, NOTHING,                      0,                   UNEXPECTED },
  { "sends CertificateRequest twice",        play_twice,   CERTIFICATE_REQUEST, ASKS_CERTIFICATE, NOTHING,       0,                   UNEXPECTED },
  { "sends ServerHelloDone twice",           play_twice,   SERVER_HELLO_DONE,   0, NOTHING,                      0,                   UNEXPECTED },
  { "sends Finished twice",                  play_twice,   FINISHED,            0, NOTHING,                      0,                   UNEXPECTED },

  { "ServerHello overtaken",                 play_reorder, SERVER_HELLO,        0, NOTHING,                      0,                   CONNECTS },
  { "Certificate overtaken",                 play_reorder, CERTIFICATE,         0, NOTHING,                      0,                   CONNECTS },
  { "ServerKeyExchange overtaken",           play_reorder, SERVER_KEY_EXCHANGE, 0, NOTHING,                      0,                   CONNECTS },
  { "ChangeCipherSpec overtaken by Finished", play_reorder, CCS,                0, NOTHING,                      0,                   CONNECTS },

  { "Certificate ahead of ServerHello",      play_swap,    SERVER_HELLO,        0, NOTHING,                      0,                   UNEXPECTED },
  { "ServerKeyExchange ahead of Certificate", play_swap,   CERTIFICATE,         0, NOTHING,                      0,                   UNEXPECTED },
  { "ServerHelloDone ahead of ServerKeyExchange", play_swap, SERVER_KEY_EXCHANGE, 0, NOTHING,                    0,                   UNEXPECTED },
  { "ServerHelloDone ahead of CertificateRequest", play_swap, CERTIFICATE_REQUEST, ASKS_CERTIFICATE, NOTHING,    0,                   UNEXPECTED },
  { "CertificateRequest ahead of ServerKeyExchange", play_insert, SERVER_KEY_EXCHANGE, 0, TAP_BYTES (a_request), CERTIFICATE_REQUEST, UNEXPECTED },

  { "HelloRequest in the handshake",         play_insert,  SERVER_HELLO_DONE,   0, NOTHING,                      HELLO_REQUEST,       UNEXPECTED },
  { "HelloVerifyRequest after ServerHello",  play_append,  SERVER_HELLO,        0, TAP_BYTES (a_verify_request), HELLO_VERIFY_REQUEST, UNEXPECTED },
  { "ClientHello from a server",             play_insert,  SERVER_HELLO,        0, NOTHING,                      CLIENT_HELLO,        UNEXPECTED },
  { "CertificateVerify from a server",       play_insert,  SERVER_HELLO_DONE,   0, TAP_BYTES (a_request),        CERTIFICATE_VERIFY,  UNEXPECTED },
  { "ClientKeyExchange from a server",       play_insert,  SERVER_HELLO_DONE,   0, TAP_BYTES (a_request),        CLIENT_KEY_EXCHANGE, UNEXPECTED },
  { "NewSessionTicket that was not offered", play_insert,  CCS,                 0, TAP_BYTES (a_ticket),         NEW_SESSION_TICKET,  UNEXPECTED },
  { "a message of an unknown type",          play_insert,  CERTIFICATE,         0, TAP_BYTES (a_ticket),         99,                  UNEXPECTED },
  { "a message of type 254, our number for ChangeCipherSpec", play_insert, CCS, 0, NOTHING,                      254,                 UNEXPECTED },
  { "a message of type 255, our number for our turn", play_insert, CERTIFICATE, 0, NOTHING,                      255,                 UNEXPECTED },

  { "Finished right after ServerHello",      play_append,  SERVER_HELLO,        0, TAP_BYTES (finished_of_zeros), FINISHED,           UNEXPECTED },
  { "Finished instead of ChangeCipherSpec",  play_insert,  CCS,                 0, TAP_BYTES (finished_of_zeros), FINISHED,           UNEXPECTED },
  { "Finished in plaintext",                 play_plain,   FINISHED,            0, NOTHING,                      0,                   UNEXPECTED },
  { "ServerHello in a protected epoch",      play_epoch,   SERVER_HELLO,        0, NOTHING,                      1,                   SILENCE },
  { "Finished in an epoch to come",          play_epoch,   FINISHED,            0, NOTHING,                      2,                   SILENCE },

  { "message_seq one too high",              play_renumber, SERVER_HELLO,       0, NOTHING,                      1,                   SILENCE },
  { "message_seq a window too high",         play_renumber, SERVER_HELLO,       0, NOTHING,                      7,                   SILENCE },
  { "message_seq one too low",               play_renumber, SERVER_HELLO,       0, NOTHING,                      65535,               UNEXPECTED },
  { "message_seq of Finished too high",      play_renumber, FINISHED,           0, NOTHING,                      1,                   SILENCE },
};
/* clang-format on */

static void
test_order (void)
{
  check_rows (order_rows, TAP_N (order_rows), DTLS_SERVER);
}

/* ---------------------------------------------------------------------------------- records */

static const uint8_t two[] = { 2 };
static const uint8_t one_one[] = { 1, 1 };
static const uint8_t one[] = { 1 };
static const uint8_t warning[] = { 1, 112 };
static const uint8_t odd_level[] = { 3, 40 };
static const uint8_t half_alert[] = { 2 };
static const uint8_t long_alert[] = { 2, 40, 0 };
static const uint8_t fatal[] = { 2, 40 };
static const uint8_t close_notify[] = { 1, 0 };
static const uint8_t cut_header[] = { 2, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t beyond_message[] = { 2, 0, 0, 4, 0, 0, 0, 0, 3, 0, 0, 2, 9, 9 };
static const uint8_t huge[] = { 2, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 9 };
static const uint8_t huge_later[] = { 2, 0xff, 0xff, 0xff, 0, 5, 0, 0, 0, 0, 0, 1, 9 };
/* One byte of a message behind ServerHelloDone: number 4 without a CertificateRequest. */
static const uint8_t leftover[] = { 20, 0, 0, 12, 0, 4, 0, 0, 0, 0, 0, 1, 9 };
/* A whole message behind Finished. */
static const uint8_t beyond_finished[] = { 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0 };

/* clang-format off */
static const struct mischief record_rows[] = {
  { "ChangeCipherSpec ahead of everything",  play_record,  SERVER_HELLO,     0, TAP_BYTES (one),          CONTENT_CHANGE_CIPHER_SPEC, CONNECTS },
  { "ChangeCipherSpec ahead of ServerHelloDone", play_record, SERVER_HELLO_DONE, 0, TAP_BYTES (one),      CONTENT_CHANGE_CIPHER_SPEC, CONNECTS },
  { "ChangeCipherSpec of value 2",           play_record,  SERVER_HELLO,     0, TAP_BYTES (two),          CONTENT_CHANGE_CIPHER_SPEC, CONNECTS },
  { "ChangeCipherSpec of two bytes",         play_record,  SERVER_HELLO,     0, TAP_BYTES (one_one),      CONTENT_CHANGE_CIPHER_SPEC, CONNECTS },
  { "ChangeCipherSpec of no byte",           play_record,  SERVER_HELLO,     0, NOTHING,                  CONTENT_CHANGE_CIPHER_SPEC, CONNECTS },
  { "a malformed one in place of the genuine", play_body,  CCS,              0, TAP_BYTES (two),          0,                          SILENCE },
  { "ChangeCipherSpec under the new keys",   play_sealed_record, CCS,        0, TAP_BYTES (one),          CONTENT_CHANGE_CIPHER_SPEC, UNEXPECTED },
  { "application data in plaintext",         play_record,  SERVER_HELLO,     0, TAP_BYTES (one),          CONTENT_APPLICATION_DATA,   CONNECTS },
  { "application data ahead of Finished",    play_sealed_record, CCS,        0, TAP_BYTES (one),          CONTENT_APPLICATION_DATA,   CONNECTS },
  { "application data ahead of ChangeCipherSpec", play_record, CCS,          0, TAP_BYTES (one),          CONTENT_APPLICATION_DATA,   CONNECTS },
  { "an unknown content type in plaintext",  play_record,  CERTIFICATE,      0, TAP_BYTES (one),          99,                         CONNECTS },
  { "heartbeat in plaintext",                play_record,  CERTIFICATE,      0, TAP_BYTES (one),          24,                         CONNECTS },
  { "an unknown content type under the keys", play_sealed_record, CCS,       0, TAP_BYTES (one),          99,                         CONNECTS },
  { "an empty handshake record",             play_record,  CERTIFICATE,      0, NOTHING,                  CONTENT_HANDSHAKE,          CONNECTS },
  { "an empty handshake record under the keys", play_sealed_record, CCS,     0, NOTHING,                  CONTENT_HANDSHAKE,          DECODE },
  { "half a fragment header",                play_record,  CERTIFICATE,      0, TAP_BYTES (cut_header),   CONTENT_HANDSHAKE,          CONNECTS },
  { "half a fragment header under the keys", play_sealed_record, CCS,        0, TAP_BYTES (cut_header),   CONTENT_HANDSHAKE,          DECODE },
  { "a fragment beyond its message",         play_record,  SERVER_HELLO,     0, TAP_BYTES (beyond_message), CONTENT_HANDSHAKE,        CONNECTS },
  { "a fragment of a message of 2^24-1",     play_record,  SERVER_HELLO,     0, TAP_BYTES (huge),         CONTENT_HANDSHAKE,          DTLS_ERROR_MESSAGE_TOO_LONG },
  { "the same of a message to come",         play_record,  SERVER_HELLO,     0, TAP_BYTES (huge_later),   CONTENT_HANDSHAKE,          CONNECTS },
  { "half a message beyond a change of keys", play_trailing, SERVER_HELLO_DONE, 0, TAP_BYTES (leftover),  0,                          DTLS_ERROR_EXCESS_HANDSHAKE_DATA },
  { "a message beyond Finished",             play_trailing, FINISHED,        0, TAP_BYTES (beyond_finished), 0,                       DTLS_ERROR_EXCESS_HANDSHAKE_DATA },
  { "a warning",                             play_record,  SERVER_HELLO,     0, TAP_BYTES (warning),      CONTENT_ALERT,              CONNECTS },
  { "an alert of no level",                  play_record,  SERVER_HELLO,     0, TAP_BYTES (odd_level),    CONTENT_ALERT,              CONNECTS },
  { "half an alert",                         play_record,  SERVER_HELLO,     0, TAP_BYTES (half_alert),   CONTENT_ALERT,              CONNECTS },
  { "an alert and a half",                   play_record,  SERVER_HELLO,     0, TAP_BYTES (long_alert),   CONTENT_ALERT,              CONNECTS },
  { "an empty alert",                        play_record,  SERVER_HELLO,     0, NOTHING,                  CONTENT_ALERT,              CONNECTS },
  { "an alert of no level under the keys",   play_sealed_record, CCS,        0, TAP_BYTES (odd_level),    CONTENT_ALERT,              DTLS_ERROR_BAD_ALERT },
  { "half an alert under the keys",          play_sealed_record, CCS,        0, TAP_BYTES (half_alert),   CONTENT_ALERT,              DECODE },
};

static const struct mischief end_rows[] = {
  { "goes on after a fatal alert",           play_record,  SERVER_HELLO,     0, TAP_BYTES (fatal),        CONTENT_ALERT,              DTLS_ERROR_PEER_ALERT },
  { "goes on after a fatal alert, late",     play_record,  CCS,              0, TAP_BYTES (fatal),        CONTENT_ALERT,              DTLS_ERROR_PEER_ALERT },
  { "a fatal alert under the keys",          play_sealed_record, CCS,        0, TAP_BYTES (fatal),        CONTENT_ALERT,              DTLS_ERROR_PEER_ALERT },
  { "goes on after close_notify",            play_record,  SERVER_HELLO,     0, TAP_BYTES (close_notify), CONTENT_ALERT,              DTLS_ERROR_PEER_ALERT },
  { "goes on after close_notify, late",      play_record,  CCS,              0, TAP_BYTES (close_notify), CONTENT_ALERT,              DTLS_ERROR_PEER_ALERT },
};
/* clang-format on */

static void
test_records (void)
{
  check_rows (record_rows, TAP_N (record_rows), DTLS_SERVER);
}

static void
test_end (void)
{
  check_rows (end_rows, TAP_N (end_rows), DTLS_SERVER);
}

/* ---------------------------------------------------------------------------------- ServerHello */

static const uint8_t version_1_0[] = { 0xfe, 0xff };
static const uint8_t version_1_3[] = { 0xfe, 0xfc };
static const uint8_t version_tls[] = { 3, 3 };
static const uint8_t suite_cbc[] = { 0xc0, 0x13 };
static const uint8_t suite_rsa[] = { 0xc0, 0x2f };
static const uint8_t suite_none[] = { 0, 0 };
static const uint8_t downgrade_mark[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 0 };
static const uint8_t downgrade_mark_13[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 1 };
static const uint8_t long_session_id[] = { 33 };
static const uint8_t info_of_others[] = { 1, 7 };
static const uint8_t limit_63[] = { 0, 63 };
static const uint8_t limit_64[] = { 0, 64 };
static const uint8_t compressed_points[] = { 1, 1 };
static const uint8_t name_list[] = { 0, 4, 0, 0, 1, 'x' };
static const uint8_t alpn_a[] = { 0, 2, 1, 'a' };
static const uint8_t alpn_c[] = { 0, 2, 1, 'c' };
static const uint8_t alpn_both[] = { 0, 4, 1, 'a', 1, 'b' };
static const uint8_t alpn_nothing[] = { 0, 0 };
static const uint8_t selected_1_3[] = { 0xfe, 0xfc };
static const uint8_t a_scheme[] = { 0, 2, 4, 3 };

/* clang-format off */
static const struct mischief hello_rows[] = {
  { "version DTLS 1.0",                play_patch,     SERVER_HELLO, 0, TAP_BYTES (version_1_0),       0,  DTLS_ERROR_PROTOCOL_VERSION },
  { "version DTLS 1.3",                play_patch,     SERVER_HELLO, 0, TAP_BYTES (version_1_3),       0,  DTLS_ERROR_PROTOCOL_VERSION },
  { "version TLS 1.2",                 play_patch,     SERVER_HELLO, 0, TAP_BYTES (version_tls),       0,  DTLS_ERROR_PROTOCOL_VERSION },
  { "the mark of a downgrade to 1.1",  play_patch,     SERVER_HELLO, 0, TAP_BYTES (downgrade_mark),    26, DTLS_ERROR_DOWNGRADE },
  { "the mark of a 1.3 server",        play_patch,     SERVER_HELLO, IS_CONSISTENT, TAP_BYTES (downgrade_mark_13), 26, DTLS_ERROR_BAD_SIGNATURE },
  { "a suite that was not offered",    play_patch,     SERVER_HELLO, 0, TAP_BYTES (suite_cbc),         35, ILLEGAL },
  { "no suite",                        play_patch,     SERVER_HELLO, 0, TAP_BYTES (suite_none),        35, ILLEGAL },
  { "a suite for another key",         play_patch,     SERVER_HELLO, 0, TAP_BYTES (suite_rsa),         35, DTLS_ERROR_UNSUPPORTED_CERTIFICATE },
  { "compression",                     play_patch,     SERVER_HELLO, 0, TAP_BYTES (one),               37, ILLEGAL },
  { "a session_id of 33 bytes",        play_patch,     SERVER_HELLO, 0, TAP_BYTES (long_session_id),   34, DECODE },
  { "cut short",                       play_shorten,   SERVER_HELLO, 0, NOTHING,                       0,  DECODE },
  { "a trailing byte",                 play_lengthen,  SERVER_HELLO, 0, NOTHING,                       0,  DECODE },
  { "empty",                           play_body,      SERVER_HELLO, 0, NOTHING,                       0,  DECODE },
  { "an extension twice",              play_extension, SERVER_HELLO, 0, NOTHING, EXT_EXTENDED_MASTER_SECRET, DECODE },
  { "an unknown extension",            play_extension, SERVER_HELLO, 0, TAP_BYTES (one),               4711, DTLS_ERROR_UNSUPPORTED_EXTENSION },
  { "a server_name that was not offered", play_extension, SERVER_HELLO, 0, NOTHING, EXT_SERVER_NAME,        DTLS_ERROR_UNSUPPORTED_EXTENSION },
  { "an ALPN that was not offered",    play_extension, SERVER_HELLO, 0, TAP_BYTES (alpn_a), EXT_ALPN,       DTLS_ERROR_UNSUPPORTED_EXTENSION },
  { "signature_algorithms in a ServerHello", play_extension, SERVER_HELLO, 0, TAP_BYTES (a_scheme), EXT_SIGNATURE_ALGORITHMS, ILLEGAL },
  { "a server_name with a name",       play_other_extension, SERVER_HELLO, NAMES_SERVER, TAP_BYTES (name_list), EXT_SERVER_NAME, DECODE },
  { "a server_name as it should be",   NULL,           0,            NAMES_SERVER, NOTHING,            0,  CONNECTS },
  { "no server_name",                  play_no_extension, SERVER_HELLO, NAMES_SERVER | IS_CONSISTENT, NOTHING, EXT_SERVER_NAME, CONNECTS },
  { "extended_master_secret with a body", play_other_extension, SERVER_HELLO, 0, TAP_BYTES (one), EXT_EXTENDED_MASTER_SECRET, DECODE },
  { "no extended_master_secret where it is needed", play_no_extension, SERVER_HELLO, NEEDS_EMS, NOTHING, EXT_EXTENDED_MASTER_SECRET, DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED },
  { "renegotiation_info of another handshake", play_other_extension, SERVER_HELLO, 0, TAP_BYTES (info_of_others), EXT_RENEGOTIATION_INFO, DTLS_ERROR_RENEGOTIATION_INFO },
  { "renegotiation_info of no length", play_other_extension, SERVER_HELLO, 0, NOTHING, EXT_RENEGOTIATION_INFO, DECODE },
  { "no renegotiation_info",           play_no_extension, SERVER_HELLO, 0, NOTHING, EXT_RENEGOTIATION_INFO, DTLS_ERROR_RENEGOTIATION_INFO },
  { "record_size_limit 63",            play_other_extension, SERVER_HELLO, 0, TAP_BYTES (limit_63), EXT_RECORD_SIZE_LIMIT, ILLEGAL },
  { "record_size_limit 64",            play_other_extension, SERVER_HELLO, IS_CONSISTENT, TAP_BYTES (limit_64), EXT_RECORD_SIZE_LIMIT, CONNECTS },
  { "record_size_limit of one byte",   play_other_extension, SERVER_HELLO, 0, TAP_BYTES (one), EXT_RECORD_SIZE_LIMIT, DECODE },
  { "only compressed points",          play_extension, SERVER_HELLO, 0, TAP_BYTES (compressed_points), EXT_EC_POINT_FORMATS, ILLEGAL },
  { "ALPN: one of ours",               play_other_extension, SERVER_HELLO, NAMES_PROTOCOLS | IS_CONSISTENT, TAP_BYTES (alpn_a), EXT_ALPN, CONNECTS },
  { "ALPN: none of ours",              play_other_extension, SERVER_HELLO, NAMES_PROTOCOLS, TAP_BYTES (alpn_c), EXT_ALPN, ILLEGAL },
  { "ALPN: two",                       play_other_extension, SERVER_HELLO, NAMES_PROTOCOLS, TAP_BYTES (alpn_both), EXT_ALPN, ILLEGAL },
  { "ALPN: an empty list",             play_other_extension, SERVER_HELLO, NAMES_PROTOCOLS, TAP_BYTES (alpn_nothing), EXT_ALPN, DECODE },
};
/* clang-format on */

static void
test_server_hello (void)
{
  check_rows (hello_rows, TAP_N (hello_rows), DTLS_SERVER);
}

/* NSS bug 2033783: what a server says of 1.3 in a hello of 1.2 is an answer to nothing that was asked. */
static void
test_selected_version_of_another_protocol (void)
{
  static const struct mischief row = {
    "supported_versions 1.3", play_extension,         SERVER_HELLO, 0,
    TAP_BYTES (selected_1_3), EXT_SUPPORTED_VERSIONS, ILLEGAL,
  };

  check_row (&row, DTLS_SERVER);
}

static void
without_extended_master_secret (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  play_no_extension (puppet, at, mischief);
  puppet->known.has_extended_master_secret = false;
}

static void
test_no_extended_master_secret (void)
{
  static const struct mischief row = {
    "no extended master secret",
    without_extended_master_secret,
    SERVER_HELLO,
    IS_CONSISTENT,
    NOTHING,
    EXT_EXTENDED_MASTER_SECRET,
    CONNECTS,
  };
  struct outcome outcome = mischief_run (&row, DTLS_SERVER);

  CHECK_UINT (outcome.became, CONNECTS);
  CHECK (!outcome.has_extended_master_secret);
}

/* ---------------------------------------------------------------------------------- Certificate */

static const uint8_t no_certificate[] = { 0, 0, 0 };
static const uint8_t empty_certificate[] = { 0, 0, 3, 0, 0, 0 };
static const uint8_t rubbish_certificate[] = { 0, 0, 5, 0, 0, 2, 0x30, 0 };
static const uint8_t overlong_list[] = { 0, 0, 9, 0, 0, 2, 0x30, 0 };

/* RFC 7250's form, the public key alone, without its extension: wolfSSL CVE-2026-55960. */
static void
raw_public_key (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct leaf leaf;
  uint8_t memory[512];
  struct writer w = writer_over (memory, sizeof memory);

  (void) mischief;
  if (!leaf_read (puppet->config.credential->chain[0], &leaf))
    abort ();
  certificate_write (&w, &leaf.spki, 1);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}

static void
certificate_of_rsa (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  const struct identity *identity = pki_identity ("server-rsa");
  uint8_t memory[4096];
  struct writer w = writer_over (memory, sizeof memory);

  (void) mischief;
  certificate_write (&w, identity->chain, identity->whole.n_chain);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}

/* clang-format off */
static const struct mischief certificate_rows[] = {
  { "no certificate",             play_body,          CERTIFICATE, 0, TAP_BYTES (no_certificate),      0, DECODE },
  { "an empty certificate",       play_body,          CERTIFICATE, 0, TAP_BYTES (empty_certificate),   0, DECODE },
  { "no certificate at all",      play_body,          CERTIFICATE, 0, TAP_BYTES (rubbish_certificate), 0, DTLS_ERROR_BAD_CERTIFICATE },
  { "a list longer than it is",   play_body,          CERTIFICATE, 0, TAP_BYTES (overlong_list),       0, DECODE },
  { "cut short",                  play_shorten,       CERTIFICATE, 0, NOTHING,                         0, DECODE },
  { "a trailing byte",            play_lengthen,      CERTIFICATE, 0, NOTHING,                         0, DECODE },
  { "a raw public key",           raw_public_key,     CERTIFICATE, 0, NOTHING,                         0, DTLS_ERROR_BAD_CERTIFICATE },
  { "a key that is not the suite's", certificate_of_rsa, CERTIFICATE, 0, NOTHING,                      0, DTLS_ERROR_UNSUPPORTED_CERTIFICATE },
};
/* clang-format on */

static void
test_certificate (void)
{
  check_rows (certificate_rows, TAP_N (certificate_rows), DTLS_SERVER);
}

/* ---------------------------------------------------------------------------------- ServerKeyExchange */

/* The point is the row's bytes, the scheme its number, the signature as it should be. */
static void
other_point (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  uint8_t params_memory[300], signed_memory[MAX_SIGNED_PARAMS_LEN], signature[MAX_SIGNATURE_LEN];
  uint8_t memory[4096];
  struct writer params = writer_over (params_memory, sizeof params_memory);
  struct writer w = writer_over (memory, sizeof memory);
  struct dtls_buffer out = { signature, sizeof signature, 0 };
  struct server_key_exchange exchange = { .scheme = SIG_ECDSA_SECP256R1_SHA256 };

  server_ecdh_params_write (&params, (uint16_t) mischief->number, mischief->bytes);
  exchange.params = writer_bytes (&params);
  if (signature_make (
          pki_crypto (), puppet->config.credential->key, exchange.scheme,
          authenticate_signed_params (puppet->handshake, exchange.params, signed_memory), &out)
      != DTLS_OK)
    abort ();

  exchange.signature = (struct bytes){ signature, out.used };
  server_key_exchange_write (&w, &exchange);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}

/* Signed as it should be, by the scheme that is the row's number. */
static void
other_scheme (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  uint8_t signed_memory[MAX_SIGNED_PARAMS_LEN], signature[MAX_SIGNATURE_LEN], memory[4096];
  struct writer w = writer_over (memory, sizeof memory);
  struct dtls_buffer out = { signature, sizeof signature, 0 };
  struct piece *piece = &puppet->pieces[at];
  struct server_key_exchange exchange;

  if (!server_key_exchange_read ((struct bytes){ piece->body, piece->len }, &exchange))
    abort ();
  exchange.scheme = (uint16_t) mischief->number;
  if (signature_make (
          pki_crypto (), puppet->config.credential->key, exchange.scheme,
          authenticate_signed_params (puppet->handshake, exchange.params, signed_memory), &out)
      != DTLS_OK)
    abort ();

  exchange.signature = (struct bytes){ signature, out.used };
  server_key_exchange_write (&w, &exchange);
  piece_set_body (piece, writer_bytes (&w));
}

static const uint8_t explicit_prime[] = { 1 };
static const uint8_t group_x448[] = { 0, 30 };
static const uint8_t scheme_sha1[] = { 2, 3 };
static const uint8_t scheme_rsa[] = { 8, 4 };
static const uint8_t scheme_ed25519[] = { 8, 7 };
static const uint8_t zero_point[32];
static const uint8_t short_point[31] = { 9 };
static const uint8_t long_point[33] = { 9 };
static const uint8_t order_8_point[32] = { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
                                           0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
                                           0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
                                           0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 };
static const uint8_t off_curve[65] = { 4, 1, 2, 3 };
static const uint8_t infinity[] = { 0 };
static const uint8_t compressed[33] = { 2, 1 };

/* clang-format off */
static const struct mischief exchange_rows[] = {
  { "explicit parameters",            play_patch,    SERVER_KEY_EXCHANGE, 0, TAP_BYTES (explicit_prime), 0,  DECODE },
  { "a group that was not offered",   play_patch,    SERVER_KEY_EXCHANGE, 0, TAP_BYTES (group_x448),     1,  ILLEGAL },
  { "another offered group for the point", play_patch, SERVER_KEY_EXCHANGE, 0, TAP_BYTES (((const uint8_t[]){ 0, 23 })), 1, DTLS_ERROR_BAD_SIGNATURE },
  { "a scheme that was not offered",  play_patch,    SERVER_KEY_EXCHANGE, 0, TAP_BYTES (scheme_sha1),    36, ILLEGAL },
  { "a scheme that fits but was not offered", other_scheme, SERVER_KEY_EXCHANGE, ONLY_SHA256, NOTHING, SIG_ECDSA_SECP384R1_SHA384, ILLEGAL },
  { "another scheme that was offered", other_scheme, SERVER_KEY_EXCHANGE, IS_CONSISTENT, NOTHING, SIG_ECDSA_SECP384R1_SHA384, CONNECTS },
  { "a scheme for another key",       play_patch,    SERVER_KEY_EXCHANGE, 0, TAP_BYTES (scheme_rsa),     36, ILLEGAL },
  { "a scheme for another curve",     play_patch,    SERVER_KEY_EXCHANGE, 0, TAP_BYTES (scheme_ed25519), 36, ILLEGAL },
  { "another point than was signed",  play_flip,     SERVER_KEY_EXCHANGE, 0, NOTHING,                    7,  DTLS_ERROR_BAD_SIGNATURE },
  { "a wrong signature",              play_flip,     SERVER_KEY_EXCHANGE, 0, NOTHING,             UINT_MAX,  DTLS_ERROR_BAD_SIGNATURE },
  { "a wrong RSA signature",          play_flip,     SERVER_KEY_EXCHANGE, HAS_RSA, NOTHING,       UINT_MAX,  DTLS_ERROR_BAD_SIGNATURE },
  { "cut short",                      play_shorten,  SERVER_KEY_EXCHANGE, 0, NOTHING,                    0,  DECODE },
  { "a trailing byte",                play_lengthen, SERVER_KEY_EXCHANGE, 0, NOTHING,                    0,  DECODE },
  { "empty",                          play_body,     SERVER_KEY_EXCHANGE, 0, NOTHING,                    0,  DECODE },
  { "X25519: zero",                   other_point,   SERVER_KEY_EXCHANGE, 0, TAP_BYTES (zero_point),     GROUP_X25519,    ILLEGAL },
  { "X25519: of small order",         other_point,   SERVER_KEY_EXCHANGE, 0, TAP_BYTES (order_8_point),  GROUP_X25519,    ILLEGAL },
  { "X25519: 31 bytes",               other_point,   SERVER_KEY_EXCHANGE, 0, TAP_BYTES (short_point),    GROUP_X25519,    ILLEGAL },
  { "X25519: 33 bytes",               other_point,   SERVER_KEY_EXCHANGE, 0, TAP_BYTES (long_point),     GROUP_X25519,    ILLEGAL },
  { "P-256: not on the curve",        other_point,   SERVER_KEY_EXCHANGE, ONLY_P256, TAP_BYTES (off_curve),  GROUP_SECP256R1, ILLEGAL },
  { "P-256: at infinity",             other_point,   SERVER_KEY_EXCHANGE, ONLY_P256, TAP_BYTES (infinity),   GROUP_SECP256R1, ILLEGAL },
  { "P-256: compressed",              other_point,   SERVER_KEY_EXCHANGE, ONLY_P256, TAP_BYTES (compressed), GROUP_SECP256R1, ILLEGAL },
};

static const struct mischief rest_rows[] = {
  { "CertificateRequest of no types", play_body,     CERTIFICATE_REQUEST, ASKS_CERTIFICATE, TAP_BYTES (((const uint8_t[]){ 0, 0, 2, 4, 3, 0, 0 })), 0, DECODE },
  { "CertificateRequest cut short",   play_shorten,  CERTIFICATE_REQUEST, ASKS_CERTIFICATE, NOTHING, 0,   DECODE },
  { "CertificateRequest too long",    play_lengthen, CERTIFICATE_REQUEST, ASKS_CERTIFICATE, NOTHING, 0,   DECODE },
  { "ServerHelloDone with a body",    play_lengthen, SERVER_HELLO_DONE,   0, NOTHING, 0,                  DECODE },
  { "HelloVerifyRequest cut short",   play_insert,   SERVER_HELLO,        0, TAP_BYTES (((const uint8_t[]){ 0xfe, 0xff, 4, 1 })), HELLO_VERIFY_REQUEST, DECODE },
  { "a wrong Finished",               play_flip,     FINISHED,            0, NOTHING, 0,                  DTLS_ERROR_BAD_FINISHED },
  { "a wrong end of Finished",        play_flip,     FINISHED,            0, NOTHING, UINT_MAX,           DTLS_ERROR_BAD_FINISHED },
  { "Finished of 11 bytes",           play_shorten,  FINISHED,            0, NOTHING, 0,                  DTLS_ERROR_BAD_FINISHED },
  { "Finished of 13 bytes",           play_body,     FINISHED,            0, TAP_BYTES (thirteen_zeros), 0, DTLS_ERROR_BAD_FINISHED },
  { "Finished of no byte",            play_body,     FINISHED,            0, NOTHING, 0,                  DTLS_ERROR_BAD_FINISHED },
};
/* clang-format on */

static void
test_server_key_exchange (void)
{
  check_rows (exchange_rows, TAP_N (exchange_rows), DTLS_SERVER);
}

static void
test_rest (void)
{
  check_rows (rest_rows, TAP_N (rest_rows), DTLS_SERVER);
}

/* What a client offers for 1.3 is nothing for a server of 1.2 to choose. */
static void
test_other_version (void)
{
  static const uint8_t suite_13[] = { 0x13, 1 };
  static const uint8_t group_13[] = { 0x11, 0xec };
  /* clang-format off */
  static const struct mischief rows[] = {
    { "nothing",          NULL,       0,                   0, NOTHING,              0,  CONNECTS },
    { "a suite of 1.3",   play_patch, SERVER_HELLO,        0, TAP_BYTES (suite_13), 35, ILLEGAL },
    { "a group of 1.3",   play_patch, SERVER_KEY_EXCHANGE, 0, TAP_BYTES (group_13), 1,  ILLEGAL },
  };
  /* clang-format on */

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct pair pair;
      struct talk12 talk = { .pair = &pair };

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair.sides[DTLS_CLIENT].config.max_version = DTLS_1_3;
      talk12_run (&talk, DTLS_SERVER, &rows[i]);
      talk12_check (&talk, &rows[i]);
      talk12_end (&talk);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/client12/order/only-the-legal-messages-in-the-legal-order", test_order },
  { "/handshake/client12/records/noise-is-dropped-and-authenticated-nonsense-is-fatal",
    test_records },
  { "/handshake/client12/alerts/nothing-counts-after-a-fatal-alert-or-close-notify", test_end },
  { "/handshake/client12/server-hello/rejects-what-was-not-offered", test_server_hello },
  { "/handshake/client12/server-hello/rejects-a-version-selected-beside-1.2",
    test_selected_version_of_another_protocol },
  { "/handshake/client12/server-hello/goes-without-extended-master-secret-unless-required",
    test_no_extended_master_secret },
  { "/handshake/client12/other-version/rejects-what-only-1.3-has", test_other_version },
  { "/handshake/client12/certificate/rejects-what-is-no-chain-for-the-suite", test_certificate },
  { "/handshake/client12/server-key-exchange/rejects-unsigned-unoffered-and-invalid-points",
    test_server_key_exchange },
  { "/handshake/client12/rest/rejects-malformed-messages-and-a-wrong-finished", test_rest },
};

TAP_MAIN (tests)
