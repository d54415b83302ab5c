/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client of 1.3 against servers that keep every rule but one: order, records, alerts, and what comes after
 * the handshake. Its messages are in test-client13-hellos.c and test-client13-flight.c. */

#include "handshake/rows.h"
#include "wire/extensions.h"

enum
{
  EE = ENCRYPTED_EXTENSIONS,
  AUTH = ASKS_CERTIFICATE,
  UNEXPECTED = DTLS_ERROR_UNEXPECTED_MESSAGE,
  EXCESS = DTLS_ERROR_EXCESS_HANDSHAKE_DATA,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  UNSUPPORTED = DTLS_ERROR_UNSUPPORTED_EXTENSION,
  DECODE = DTLS_ERROR_DECODE,
};

static const uint8_t one[] = { 1 };
/* No context, ecdsa_secp256r1_sha256. */
static const uint8_t a_request[] = { 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3 };
static const uint8_t a_verify_request[] = { 0xfe, 0xfd, 4, 1, 2, 3, 4 };
static const uint8_t no_extensions[] = { 0, 0 };
static const uint8_t no_certificate[] = { 0, 0, 0, 0 };
static const uint8_t a_ticket[] = { 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 't', 0, 0 };
static const uint8_t a_verify[] = { 4, 3, 0, 4, 1, 2, 3, 4 };
static const uint8_t finished_of_zeros[32];
static const uint8_t no_request[] = { 0 };

/* ---------------------------------------------------------------------------------- order */

/* clang-format off */
static const struct mischief order_rows[] = {
  /* name                                    play          of                   setup bytes                      number               expected */
  { "nothing",                               NULL,         0,                   0, NOTHING,                      0,                   CONNECTS },
  { "nothing, with client authentication",   NULL,         0,                   AUTH, NOTHING,                   0,                   CONNECTS },
  { "nothing, with a retry",                 NULL,         0,                   RETRIES, NOTHING,                0,                   CONNECTS },
  { "nothing, with a key",                   NULL,         0,                   HAS_KEY, NOTHING,                0,                   CONNECTS },
  { "nothing, with a key and a retry",       NULL,         0,                   HAS_KEY | RETRIES, NOTHING,      0,                   CONNECTS },
  { "nothing, with a ticket",                NULL,         0,                   HAS_TICKET, NOTHING,             0,                   CONNECTS },
  { "nothing, with all that there is",       NULL,         0,                   AUTH | RETRIES | NAMES_PROTOCOLS | NAMES_SERVER | HAS_TICKET | ENGINE_HAS_BOTH, NOTHING, 0, CONNECTS },

  { "skips HelloRetryRequest",               play_skip,    SERVER_HELLO,        RETRIES, NOTHING,                0,                   SILENCE },
  { "skips ServerHello",                     play_skip,    SERVER_HELLO,        0, NOTHING,                      0,                   SILENCE },
  { "skips EncryptedExtensions",             play_skip,    EE,                  0, NOTHING,                      0,                   SILENCE },
  { "skips CertificateRequest",              play_skip,    CERTIFICATE_REQUEST, AUTH, NOTHING,                   0,                   SILENCE },
  { "skips Certificate",                     play_skip,    CERTIFICATE,         0, NOTHING,                      0,                   SILENCE },
  { "skips CertificateVerify",               play_skip,    CERTIFICATE_VERIFY,  0, NOTHING,                      0,                   SILENCE },
  { "skips Finished",                        play_skip,    FINISHED,            0, NOTHING,                      0,                   SILENCE },
  { "skips Finished of a key",               play_skip,    FINISHED,            HAS_KEY, NOTHING,                0,                   SILENCE },

  { "omits ServerHello",                     play_omit,    SERVER_HELLO,        0, NOTHING,                      0,                   SILENCE },
  { "omits EncryptedExtensions",             play_omit,    EE,                  0, NOTHING,                      0,                   UNEXPECTED },
  { "omits EncryptedExtensions and says so", play_omit,    EE,                  IS_CONSISTENT, NOTHING,          0,                   UNEXPECTED },
  { "omits CertificateRequest",              play_omit,    CERTIFICATE_REQUEST, AUTH, NOTHING,                   0,                   DTLS_ERROR_BAD_SIGNATURE },
  { "omits Certificate",                     play_omit,    CERTIFICATE,         0, NOTHING,                      0,                   UNEXPECTED },
  { "omits Certificate and signs that",      play_omit,    CERTIFICATE,         IS_CONSISTENT, NOTHING,          0,                   UNEXPECTED },
  { "omits CertificateVerify",               play_omit,    CERTIFICATE_VERIFY,  0, NOTHING,                      0,                   UNEXPECTED },
  { "omits Finished",                        play_omit,    FINISHED,            0, NOTHING,                      0,                   SILENCE },

  { "repeats HelloRetryRequest",             play_repeat,  SERVER_HELLO,        RETRIES, NOTHING,                0,                   CONNECTS },
  { "repeats ServerHello",                   play_repeat,  SERVER_HELLO,        0, NOTHING,                      0,                   CONNECTS },
  { "repeats EncryptedExtensions",           play_repeat,  EE,                  0, NOTHING,                      0,                   CONNECTS },
  { "repeats CertificateRequest",            play_repeat,  CERTIFICATE_REQUEST, AUTH, NOTHING,                   0,                   CONNECTS },
  { "repeats Certificate",                   play_repeat,  CERTIFICATE,         0, NOTHING,                      0,                   CONNECTS },
  { "repeats CertificateVerify",             play_repeat,  CERTIFICATE_VERIFY,  0, NOTHING,                      0,                   CONNECTS },
  { "repeats Finished",                      play_repeat,  FINISHED,            0, NOTHING,                      0,                   CONNECTS },
  { "repeats NewSessionTicket",              play_repeat,  NEW_SESSION_TICKET,  HAS_TICKET, NOTHING,             0,                   CONNECTS },

  { "sends HelloRetryRequest twice",         play_twice,   SERVER_HELLO,        RETRIES, NOTHING,                0,                   UNEXPECTED },
  { "sends ServerHello twice",               play_twice,   SERVER_HELLO,        0, NOTHING,                      0,                   EXCESS },
  { "sends EncryptedExtensions twice",       play_twice,   EE,                  0, NOTHING,                      0,                   UNEXPECTED },
  { "sends CertificateRequest twice",        play_twice,   CERTIFICATE_REQUEST, AUTH, NOTHING,                   0,                   UNEXPECTED },
  { "sends Certificate twice",               play_twice,   CERTIFICATE,         0, NOTHING,                      0,                   UNEXPECTED },
  { "sends CertificateVerify twice",         play_twice,   CERTIFICATE_VERIFY,  0, NOTHING,                      0,                   UNEXPECTED },
  { "sends Finished twice",                  play_twice,   FINISHED,            0, NOTHING,                      0,                   EXCESS },
  { "sends NewSessionTicket twice",          play_twice,   NEW_SESSION_TICKET,  HAS_TICKET, NOTHING,             0,                   CONNECTS },

  { "ServerHello overtaken",                 play_reorder, SERVER_HELLO,        0, NOTHING,                      0,                   CONNECTS },
  { "EncryptedExtensions overtaken",         play_reorder, EE,                  0, NOTHING,                      0,                   CONNECTS },
  { "CertificateRequest overtaken",          play_reorder, CERTIFICATE_REQUEST, AUTH, NOTHING,                   0,                   CONNECTS },
  { "Certificate overtaken",                 play_reorder, CERTIFICATE,         0, NOTHING,                      0,                   CONNECTS },
  { "CertificateVerify overtaken",           play_reorder, CERTIFICATE_VERIFY,  0, NOTHING,                      0,                   CONNECTS },

  { "EncryptedExtensions ahead of ServerHello", play_swap, SERVER_HELLO,        0, NOTHING,                      0,                   SILENCE },
  { "Certificate ahead of EncryptedExtensions", play_swap, EE,                  0, NOTHING,                      0,                   UNEXPECTED },
  { "CertificateVerify ahead of Certificate", play_swap,   CERTIFICATE,         0, NOTHING,                      0,                   UNEXPECTED },
  { "Certificate ahead of CertificateRequest", play_swap,  CERTIFICATE_REQUEST, AUTH, NOTHING,                   0,                   UNEXPECTED },
  { "Finished ahead of CertificateVerify",   play_swap,    CERTIFICATE_VERIFY,  0, NOTHING,                      0,                   UNEXPECTED },

  { "HelloRequest in the handshake",         play_insert,  EE,                  0, NOTHING,                      HELLO_REQUEST,       UNEXPECTED },
  { "HelloVerifyRequest to a client of 1.3", play_insert,  SERVER_HELLO,        0, TAP_BYTES (a_verify_request), HELLO_VERIFY_REQUEST, DTLS_ERROR_PROTOCOL_VERSION },
  { "HelloVerifyRequest, then ServerHello",  play_insert,  SERVER_HELLO,        ENGINE_HAS_BOTH, TAP_BYTES (a_verify_request), HELLO_VERIFY_REQUEST, ILLEGAL },
  { "HelloVerifyRequest after a retry",      play_insert,  SERVER_HELLO,        RETRIES | ON_SECOND | ENGINE_HAS_BOTH, TAP_BYTES (a_verify_request), HELLO_VERIFY_REQUEST, UNEXPECTED },
  { "ClientHello from a server",             play_insert,  SERVER_HELLO,        0, NOTHING,                      CLIENT_HELLO,        UNEXPECTED },
  { "ClientHello from a server, later",      play_insert,  CERTIFICATE,         0, NOTHING,                      CLIENT_HELLO,        UNEXPECTED },
  { "EndOfEarlyData",                        play_insert,  FINISHED,            0, NOTHING,                      END_OF_EARLY_DATA,   UNEXPECTED },
  { "ServerKeyExchange",                     play_insert,  CERTIFICATE_VERIFY,  0, TAP_BYTES (a_verify),         SERVER_KEY_EXCHANGE, UNEXPECTED },
  { "ServerHelloDone",                       play_insert,  FINISHED,            0, NOTHING,                      SERVER_HELLO_DONE,   UNEXPECTED },
  { "ClientKeyExchange from a server",       play_insert,  CERTIFICATE,         0, TAP_BYTES (a_verify),         CLIENT_KEY_EXCHANGE, UNEXPECTED },
  { "CertificateRequest behind Certificate", play_append,  CERTIFICATE,         0, TAP_BYTES (a_request),        CERTIFICATE_REQUEST, UNEXPECTED },
  { "CertificateRequest beside a key",       play_append,  EE,                  HAS_KEY, TAP_BYTES (a_request),  CERTIFICATE_REQUEST, UNEXPECTED },
  { "Certificate beside a key",              play_append,  EE,                  HAS_KEY, TAP_BYTES (no_certificate), CERTIFICATE,     UNEXPECTED },
  { "CertificateVerify beside a key",        play_append,  EE,                  HAS_KEY, TAP_BYTES (a_verify),   CERTIFICATE_VERIFY,  UNEXPECTED },
  { "NewSessionTicket in the handshake",     play_insert,  FINISHED,            0, TAP_BYTES (a_ticket),         NEW_SESSION_TICKET,  UNEXPECTED },
  { "KeyUpdate in the handshake",            play_insert,  FINISHED,            0, TAP_BYTES (no_request),       KEY_UPDATE,          UNEXPECTED },
  { "message_hash",                          play_insert,  EE,                  0, TAP_BYTES (finished_of_zeros), MESSAGE_HASH,       UNEXPECTED },
  { "a message of an unknown type",          play_insert,  CERTIFICATE,         0, TAP_BYTES (a_ticket),         99,                  UNEXPECTED },
  { "a message of type 255, our number for our turn", play_insert, CERTIFICATE, 0, NOTHING,                      255,                 UNEXPECTED },
  { "Finished right after ServerHello",      play_insert,  EE,                  0, TAP_BYTES (finished_of_zeros), FINISHED,           UNEXPECTED },
  { "Finished right after EncryptedExtensions", play_append, EE,                0, TAP_BYTES (finished_of_zeros), FINISHED,           UNEXPECTED },
  { "Finished right after Certificate",      play_append,  CERTIFICATE,         0, TAP_BYTES (finished_of_zeros), FINISHED,           UNEXPECTED },

  { "message_seq one too high",              play_renumber, SERVER_HELLO,       0, NOTHING,                      1,                   SILENCE },
  { "message_seq a window too high",         play_renumber, SERVER_HELLO,       0, NOTHING,                      7,                   SILENCE },
  { "message_seq of EncryptedExtensions one too high", play_renumber, EE,       0, NOTHING,                      1,                   SILENCE },
  { "message_seq of EncryptedExtensions one too low", play_renumber, EE,        0, NOTHING,                      65535,               UNEXPECTED },
  { "message_seq begins again after a retry", play_renumber, SERVER_HELLO,      RETRIES | ON_SECOND, NOTHING,    65535,               SILENCE },
};
/* clang-format on */

static void
test_order (void)
{
  check_rows_with (order_rows, TAP_N (order_rows), DTLS_SERVER, IS_13);
}

/* ---------------------------------------------------------------------------------- epochs and records */

static const uint8_t two[] = { 2 };
static const uint8_t warning[] = { 1, 112 };
static const uint8_t odd_level[] = { 3, 40 };
static const uint8_t half_alert[] = { 2 };
static const uint8_t fatal[] = { 2, 40 };
static const uint8_t close_notify[] = { 1, 0 };
static const uint8_t cut_header[] = { 8, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0 };
static const uint8_t huge[] = { 2, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 9 };
static const uint8_t half_extensions[] = { 8, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 1, 0 };
static const uint8_t whole_extensions[] = { 8, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0 };
static const uint8_t half_far_ahead[] = { 8, 0, 0, 2, 0, 3, 0, 0, 0, 0, 0, 1, 0 };
static const uint8_t behind_finished[] = { 4, 0, 0, 14, 0, 5, 0, 0, 0, 0, 0, 1, 0 };
static const uint8_t empty_ack[] = { 0, 0 };
static const uint8_t odd_ack[] = { 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t ack_of_hello[] = { 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t ack_of_2[] = { 0, 16, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t ack_of_3[] = { 0, 16, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0 };

enum
{
  CCS = CONTENT_CHANGE_CIPHER_SPEC,
  DATA = CONTENT_APPLICATION_DATA,
};

/* clang-format off */
static const struct mischief epoch_rows[] = {
  { "EncryptedExtensions in the clear",      play_plain,    EE,           0, NOTHING,                      0, EXCESS },
  { "Finished in the clear",                 play_plain,    FINISHED,     0, NOTHING,                      0, SILENCE },
  { "ServerHello under the keys that it brings", play_keys, SERVER_HELLO, 0, NOTHING,                      2, SILENCE },
  { "EncryptedExtensions in the epoch of data", play_keys,  EE,           0, NOTHING,                      3, SILENCE },
  { "Finished in the epoch of data",         play_keys,     FINISHED,     0, NOTHING,                      3, SILENCE },
  { "NewSessionTicket in the handshake's epoch", play_keys, NEW_SESSION_TICKET, HAS_TICKET, NOTHING,       2, EXCESS },
  { "half a message beyond a change of keys", play_trailing, SERVER_HELLO, 0, TAP_BYTES (half_extensions), 0, EXCESS },
  { "a message beyond a change of keys",     play_trailing, SERVER_HELLO, 0, TAP_BYTES (whole_extensions), 0, EXCESS },
  { "half a message further on",             play_trailing, SERVER_HELLO, 0, TAP_BYTES (half_far_ahead),   0, CONNECTS },
  { "half a message behind Finished",        play_trailing, FINISHED,     0, TAP_BYTES (behind_finished),  0, EXCESS },
};

static const struct mischief record_rows[] = {
  { "ChangeCipherSpec in the clear",         play_record,    SERVER_HELLO, 0, TAP_BYTES (one),          CCS,               CONNECTS },
  { "ChangeCipherSpec after ServerHello",    play_record,    EE,           0, TAP_BYTES (one),          CCS,               CONNECTS },
  { "ChangeCipherSpec of value 2",           play_record,    SERVER_HELLO, 0, TAP_BYTES (two),          CCS,               CONNECTS },
  { "ChangeCipherSpec under the keys",       play_record_in, EE,           0, TAP_BYTES (one),          IN_EPOCH (2, CCS), UNEXPECTED },
  { "application data in plaintext",         play_record,    SERVER_HELLO, 0, TAP_BYTES (one),          DATA,              CONNECTS },
  { "application data in the handshake's epoch", play_record_in, EE,       0, TAP_BYTES (one),          IN_EPOCH (2, DATA), UNEXPECTED },
  { "application data in plaintext, later",  play_record,    FINISHED,     0, TAP_BYTES (one),          DATA,              CONNECTS },
  { "an unknown content type in plaintext",  play_record,    SERVER_HELLO, 0, TAP_BYTES (one),          99,                CONNECTS },
  { "an unknown content type under the keys", play_record_in, EE,          0, TAP_BYTES (one),          IN_EPOCH (2, 99),  CONNECTS },
  { "heartbeat under the keys",              play_record_in, EE,           0, TAP_BYTES (one),          IN_EPOCH (2, 24),  CONNECTS },
  { "nothing but padding",                   play_record_in, EE,           0, NOTHING,                  IN_EPOCH (2, 0),   CONNECTS },
  { "an empty handshake record",             play_record,    SERVER_HELLO, 0, NOTHING,                  CONTENT_HANDSHAKE, CONNECTS },
  { "an empty handshake record under the keys", play_record_in, EE,        0, NOTHING,                  IN_EPOCH (2, CONTENT_HANDSHAKE), DECODE },
  { "half a fragment header",                play_record,    SERVER_HELLO, 0, TAP_BYTES (cut_header),   CONTENT_HANDSHAKE, CONNECTS },
  { "half a fragment header under the keys", play_record_in, EE,           0, TAP_BYTES (cut_header),   IN_EPOCH (2, CONTENT_HANDSHAKE), DECODE },
  { "a fragment of a message of 2^24-1",     play_record,    SERVER_HELLO, 0, TAP_BYTES (huge),         CONTENT_HANDSHAKE, DTLS_ERROR_MESSAGE_TOO_LONG },
  { "a warning",                             play_record,    SERVER_HELLO, 0, TAP_BYTES (warning),      CONTENT_ALERT,     CONNECTS },
  { "an alert of no level",                  play_record,    SERVER_HELLO, 0, TAP_BYTES (odd_level),    CONTENT_ALERT,     CONNECTS },
  { "an alert of no level under the keys",   play_record_in, EE,           0, TAP_BYTES (odd_level),    IN_EPOCH (2, CONTENT_ALERT), DTLS_ERROR_BAD_ALERT },
  { "half an alert under the keys",          play_record_in, EE,           0, TAP_BYTES (half_alert),   IN_EPOCH (2, CONTENT_ALERT), DECODE },
  { "an empty alert under the keys",         play_record_in, EE,           0, NOTHING,                  IN_EPOCH (2, CONTENT_ALERT), DECODE },
  { "an ACK before the version is known",    play_record,    SERVER_HELLO, 0, TAP_BYTES (ack_of_2),     CONTENT_ACK,       CONNECTS },
  { "an ACK of the hello, then no more",     play_record,    SERVER_HELLO, 0, TAP_BYTES (ack_of_hello), CONTENT_ACK,       CONNECTS },
  { "an empty ACK",                          play_record_in, EE,           0, TAP_BYTES (empty_ack),    IN_EPOCH (2, CONTENT_ACK), CONNECTS },
  { "an ACK of odd length in the clear",     play_record_in, SERVER_HELLO, 0, TAP_BYTES (odd_ack),      IN_EPOCH (0, CONTENT_ACK), CONNECTS },
  { "an ACK of odd length",                  play_record_in, EE,           0, TAP_BYTES (odd_ack),      IN_EPOCH (2, CONTENT_ACK), DECODE },
  { "an ACK of no byte",                     play_record_in, EE,           0, NOTHING,                  IN_EPOCH (2, CONTENT_ACK), DECODE },
  { "an ACK of what was not sent",           play_record_in, EE,           0, TAP_BYTES (ack_of_2),     IN_EPOCH (2, CONTENT_ACK), CONNECTS },
  { "an ACK of an epoch above its own",      play_record_in, EE,           0, TAP_BYTES (ack_of_3),     IN_EPOCH (2, CONTENT_ACK), ILLEGAL },
  { "the same in the clear",                 play_record_in, SERVER_HELLO, 0, TAP_BYTES (ack_of_2),     IN_EPOCH (0, CONTENT_ACK), ILLEGAL },
};

static const struct mischief end_rows[] = {
  { "goes on after a fatal alert",           play_record,    SERVER_HELLO, 0, TAP_BYTES (fatal),        CONTENT_ALERT,     DTLS_ERROR_PEER_ALERT },
  { "goes on after a fatal alert behind ServerHello", play_record_in, SERVER_HELLO, 0, TAP_BYTES (fatal), IN_EPOCH (0, CONTENT_ALERT), DTLS_ERROR_PEER_ALERT },
  { "a fatal alert in the clear after the first protected record", play_record_in, EE, 0, TAP_BYTES (fatal), IN_EPOCH (0, CONTENT_ALERT), CONNECTS },
  { "goes on after a fatal alert under the keys", play_record_in, EE,      0, TAP_BYTES (fatal),        IN_EPOCH (2, CONTENT_ALERT), DTLS_ERROR_PEER_ALERT },
  { "goes on after close_notify",            play_record,    SERVER_HELLO, 0, TAP_BYTES (close_notify), CONTENT_ALERT,     DTLS_ERROR_PEER_ALERT },
  { "goes on after close_notify under the keys", play_record_in, EE,       0, TAP_BYTES (close_notify), IN_EPOCH (2, CONTENT_ALERT), DTLS_ERROR_PEER_ALERT },
  { "a fatal alert after the handshake",     play_record_in, NEW_SESSION_TICKET, HAS_TICKET, TAP_BYTES (fatal), IN_EPOCH (3, CONTENT_ALERT), DTLS_ERROR_PEER_ALERT },
};
/* clang-format on */

static void
test_epochs (void)
{
  check_rows_with (epoch_rows, TAP_N (epoch_rows), DTLS_SERVER, IS_13);
}

static void
test_records (void)
{
  check_rows_with (record_rows, TAP_N (record_rows), DTLS_SERVER, IS_13);
}

static void
test_end (void)
{
  check_rows_with (end_rows, TAP_N (end_rows), DTLS_SERVER, IS_13);
}

/* ---------------------------------------------------------------------------------- after the handshake */

static const uint8_t a_share[] = { 0, 29, 0, 1, 9 };
static const uint8_t update_requested[] = { 1 };
static const uint8_t no_such_update[] = { 2 };
static const uint8_t two_updates[] = { 0, 0 };
static const uint8_t no_lifetime[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 't', 0, 0 };
static const uint8_t long_lifetime[] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 1, 't', 0, 0 };
static const uint8_t without_ticket[] = { 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0 };
static const uint8_t early_data_size[] = { 0, 0, 0xff, 0xff };

/* clang-format off */
static const struct mischief ticket_rows[] = {
  { "cut short",                       play_shorten,         NEW_SESSION_TICKET, 0, NOTHING,                     0, DECODE },
  { "a trailing byte",                 play_lengthen,        NEW_SESSION_TICKET, 0, NOTHING,                     0, DECODE },
  { "empty",                           play_body,            NEW_SESSION_TICKET, 0, NOTHING,                     0, DECODE },
  { "without a ticket",                play_body,            NEW_SESSION_TICKET, 0, TAP_BYTES (without_ticket),  0, DECODE },
  { "a lifetime of zero",              play_body,            NEW_SESSION_TICKET, 0, TAP_BYTES (no_lifetime),     0, CONNECTS },
  { "a lifetime of 136 years",         play_body,            NEW_SESSION_TICKET, 0, TAP_BYTES (long_lifetime),   0, CONNECTS },
  { "an empty nonce",                  play_body,            NEW_SESSION_TICKET, 0, TAP_BYTES (a_ticket),        0, CONNECTS },
  { "early data",                      play_extension,       NEW_SESSION_TICKET, 0, TAP_BYTES (early_data_size), EXT_EARLY_DATA, CONNECTS },
  { "an unknown extension",            play_extension,       NEW_SESSION_TICKET, 0, TAP_BYTES (one),             0x4a4a, CONNECTS },
  { "an extension of another message", play_extension,       NEW_SESSION_TICKET, 0, TAP_BYTES (a_share),         EXT_KEY_SHARE, ILLEGAL },
};

static const struct mischief post_rows[] = {
  { "KeyUpdate",                       play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (no_request),        KEY_UPDATE, CONNECTS },
  { "KeyUpdate that asks for one",     play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (update_requested),  KEY_UPDATE, CONNECTS },
  { "KeyUpdate of another value",      play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (no_such_update),    KEY_UPDATE, ILLEGAL },
  { "KeyUpdate of no byte",            play_append,     NEW_SESSION_TICKET, 0, NOTHING,                       KEY_UPDATE, DECODE },
  { "KeyUpdate of two bytes",          play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (two_updates),       KEY_UPDATE, DECODE },
  { "goes on in the epoch that KeyUpdate ends", play_insert, NEW_SESSION_TICKET, 0, TAP_BYTES (no_request),   KEY_UPDATE, EXCESS },
  { "KeyUpdate in the handshake's epoch", play_message_in, NEW_SESSION_TICKET, 0, TAP_BYTES (no_request),     IN_EPOCH (2, KEY_UPDATE), EXCESS },
  { "asks for a certificate",          play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (a_request),         CERTIFICATE_REQUEST, UNEXPECTED },
  { "Certificate",                     play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (no_certificate),    CERTIFICATE, UNEXPECTED },
  { "Finished",                        play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (finished_of_zeros), FINISHED, UNEXPECTED },
  { "HelloRequest",                    play_append,     NEW_SESSION_TICKET, 0, NOTHING,                       HELLO_REQUEST, DTLS_ERROR_RENEGOTIATION },
  { "ClientHello",                     play_append,     NEW_SESSION_TICKET, 0, NOTHING,                       CLIENT_HELLO, DTLS_ERROR_RENEGOTIATION },
  { "ServerHello",                     play_append,     NEW_SESSION_TICKET, 0, NOTHING,                       SERVER_HELLO, UNEXPECTED },
  { "EncryptedExtensions",             play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (no_extensions),     ENCRYPTED_EXTENSIONS, UNEXPECTED },
  { "a message of an unknown type",    play_append,     NEW_SESSION_TICKET, 0, TAP_BYTES (one),               99, UNEXPECTED },
  { "ChangeCipherSpec",                play_record_in,  NEW_SESSION_TICKET, 0, TAP_BYTES (one),               IN_EPOCH (3, CCS), UNEXPECTED },
  { "an empty handshake record",       play_record_in,  NEW_SESSION_TICKET, 0, NOTHING,                       IN_EPOCH (3, CONTENT_HANDSHAKE), DECODE },
  { "application data in the handshake's epoch", play_record_in, NEW_SESSION_TICKET, 0, TAP_BYTES (one),      IN_EPOCH (2, DATA), UNEXPECTED },
};
/* clang-format on */

static void
test_tickets (void)
{
  check_rows_with (ticket_rows, TAP_N (ticket_rows), DTLS_SERVER, IS_13 | HAS_TICKET);
}

static void
test_post (void)
{
  check_rows_with (post_rows, TAP_N (post_rows), DTLS_SERVER, IS_13 | HAS_TICKET);
}

/* Only a KeyUpdate that asks for one is answered with one. */
static void
test_key_update_answer (void)
{
  for (uint8_t asks = 0; asks < 2; asks++)
    {
      const struct mischief row = {
        "KeyUpdate",  play_append, NEW_SESSION_TICKET, IS_13 | HAS_TICKET,
        { &asks, 1 }, KEY_UPDATE,  CONNECTS,
      };
      struct outcome outcome = mischief_run (&row, DTLS_SERVER);

      CHECK_UINT (outcome.became, CONNECTS);
      CHECK_UINT (outcome.n_key_updates, asks);
    }
}

static const struct tap_test tests[] = {
  { "/mischief/client13/order/only-the-legal-messages-in-the-legal-order", test_order },
  { "/mischief/client13/epochs/keys-change-between-messages", test_epochs },
  { "/mischief/client13/records/noise-is-dropped-and-authenticated-nonsense-is-fatal",
    test_records },
  { "/mischief/client13/alerts/nothing-counts-after-a-fatal-alert-or-close-notify", test_end },
  { "/mischief/client13/tickets/rejects-malformed-and-ignores-unknown", test_tickets },
  { "/mischief/client13/post-handshake/takes-tickets-and-key-updates-only", test_post },
  { "/mischief/client13/post-handshake/answers-a-key-update-that-asks", test_key_update_answer },
};

TAP_MAIN (tests)
