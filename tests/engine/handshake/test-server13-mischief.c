/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server of 1.3 against clients that keep every rule but one: order, records, alerts, and what follows the hellos.
 * Hellos are in test-server13-hellos.c. */

#include "handshake/finished13.h"

#include <limits.h>

enum
{
  AUTH = ASKS_CERTIFICATE,
  CCS = CONTENT_CHANGE_CIPHER_SPEC,
  DATA = CONTENT_APPLICATION_DATA,
  UNEXPECTED = DTLS_ERROR_UNEXPECTED_MESSAGE,
  EXCESS = DTLS_ERROR_EXCESS_HANDSHAKE_DATA,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  DECODE = DTLS_ERROR_DECODE,
};

static const uint8_t one[] = { 1 };
static const uint8_t of_nobody[] = { 0, 0, 0, 0 };
static const uint8_t no_extensions[] = { 0, 0 };
static const uint8_t a_request[] = { 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3 };
static const uint8_t a_ticket[] = { 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 't', 0, 0 };
static const uint8_t a_verify[] = { 4, 3, 0, 4, 1, 2, 3, 4 };
static const uint8_t no_request[] = { 0 };

/* ---------------------------------------------------------------------------------- order */

/* clang-format off */
static const struct mischief order_rows[] = {
  /* name                                    play          of                  setup bytes                      number              expected */
  { "nothing",                               NULL,         0,                  0, NOTHING,                      0,                  CONNECTS },
  { "nothing, with a certificate",           NULL,         0,                  AUTH, NOTHING,                   0,                  CONNECTS },
  { "nothing, with a retry",                 NULL,         0,                  RETRIES, NOTHING,                0,                  CONNECTS },
  { "nothing, with a cookie",                NULL,         0,                  HAS_COOKIES, NOTHING,            0,                  CONNECTS },
  { "nothing, with a key",                   NULL,         0,                  HAS_KEY, NOTHING,                0,                  CONNECTS },
  { "nothing, with a key and a retry",       NULL,         0,                  HAS_KEY | RETRIES, NOTHING,      0,                  CONNECTS },
  { "nothing, with all that there is",       NULL,         0,                  AUTH | RETRIES | HAS_COOKIES | NAMES_PROTOCOLS | NAMES_SERVER | HAS_TICKET | ENGINE_HAS_BOTH, NOTHING, 0, CONNECTS },

  { "skips ClientHello",                     play_skip,    CLIENT_HELLO,       0, NOTHING,                      0,                  SILENCE },
  { "skips the second ClientHello",          play_skip,    CLIENT_HELLO,       RETRIES | ON_SECOND, NOTHING,    0,                  SILENCE },
  { "skips Certificate",                     play_skip,    CERTIFICATE,        AUTH, NOTHING,                   0,                  SILENCE },
  { "skips CertificateVerify",               play_skip,    CERTIFICATE_VERIFY, AUTH, NOTHING,                   0,                  SILENCE },
  { "skips Finished",                        play_skip,    FINISHED,           0, NOTHING,                      0,                  SILENCE },
  { "skips Finished of a key",               play_skip,    FINISHED,           HAS_KEY, NOTHING,                0,                  SILENCE },

  { "omits Certificate",                     play_omit,    CERTIFICATE,        AUTH, NOTHING,                   0,                  UNEXPECTED },
  { "omits Certificate and signs that",      play_omit,    CERTIFICATE,        AUTH | IS_CONSISTENT, NOTHING,   0,                  UNEXPECTED },
  { "a certificate without CertificateVerify", play_omit,  CERTIFICATE_VERIFY, AUTH, NOTHING,                   0,                  UNEXPECTED },
  { "omits Finished",                        play_omit,    FINISHED,           AUTH, NOTHING,                   0,                  SILENCE },

  { "repeats ClientHello",                   play_repeat,  CLIENT_HELLO,       0, NOTHING,                      0,                  CONNECTS },
  { "repeats the ClientHello before a retry", play_repeat, CLIENT_HELLO,       RETRIES, NOTHING,                0,                  CONNECTS },
  { "repeats the ClientHello after a retry", play_repeat,  CLIENT_HELLO,       RETRIES | ON_SECOND, NOTHING,    0,                  CONNECTS },
  { "repeats Certificate",                   play_repeat,  CERTIFICATE,        AUTH, NOTHING,                   0,                  CONNECTS },
  { "repeats CertificateVerify",             play_repeat,  CERTIFICATE_VERIFY, AUTH, NOTHING,                   0,                  CONNECTS },
  { "repeats Finished",                      play_repeat,  FINISHED,           0, NOTHING,                      0,                  CONNECTS },

  { "restarts the handshake",                play_twice,   CLIENT_HELLO,       0, NOTHING,                      0,                  EXCESS },
  { "restarts the handshake after a retry",  play_twice,   CLIENT_HELLO,       RETRIES | ON_SECOND, NOTHING,    0,                  EXCESS },
  { "answers a retry before it came",        play_twice,   CLIENT_HELLO,       RETRIES, NOTHING,                0,                  ILLEGAL },
  { "sends Certificate twice",               play_twice,   CERTIFICATE,        AUTH, NOTHING,                   0,                  UNEXPECTED },
  { "sends CertificateVerify twice",         play_twice,   CERTIFICATE_VERIFY, AUTH, NOTHING,                   0,                  UNEXPECTED },
  { "sends Finished twice",                  play_twice,   FINISHED,           0, NOTHING,                      0,                  EXCESS },

  { "Certificate overtaken",                 play_reorder, CERTIFICATE,        AUTH, NOTHING,                   0,                  CONNECTS },
  { "CertificateVerify overtaken by Finished", play_reorder, CERTIFICATE_VERIFY, AUTH, NOTHING,                 0,                  CONNECTS },
  { "CertificateVerify ahead of Certificate", play_swap,   CERTIFICATE,        AUTH, NOTHING,                   0,                  UNEXPECTED },
  { "Finished ahead of CertificateVerify",   play_swap,    CERTIFICATE_VERIFY, AUTH, NOTHING,                   0,                  UNEXPECTED },

  { "a certificate that was not asked for",  play_insert,  FINISHED,           0, TAP_BYTES (of_nobody),        CERTIFICATE,        UNEXPECTED },
  { "CertificateVerify without a certificate", play_insert, FINISHED,          0, TAP_BYTES (a_verify),         CERTIFICATE_VERIFY, UNEXPECTED },
  { "a certificate beside a key",            play_insert,  FINISHED,           HAS_KEY, TAP_BYTES (of_nobody),  CERTIFICATE,        UNEXPECTED },
  { "EndOfEarlyData",                        play_insert,  FINISHED,           0, NOTHING,                      END_OF_EARLY_DATA,  UNEXPECTED },
  { "HelloRequest from a client",            play_insert,  FINISHED,           0, NOTHING,                      HELLO_REQUEST,      UNEXPECTED },
  { "ServerHello from a client",             play_insert,  CLIENT_HELLO,       0, NOTHING,                      SERVER_HELLO,       UNEXPECTED },
  { "EncryptedExtensions from a client",     play_insert,  FINISHED,           0, TAP_BYTES (no_extensions),    ENCRYPTED_EXTENSIONS, UNEXPECTED },
  { "CertificateRequest from a client",      play_insert,  FINISHED,           0, TAP_BYTES (a_request),        CERTIFICATE_REQUEST, UNEXPECTED },
  { "ClientKeyExchange",                     play_insert,  FINISHED,           0, TAP_BYTES (a_verify),         CLIENT_KEY_EXCHANGE, UNEXPECTED },
  { "NewSessionTicket from a client",        play_insert,  FINISHED,           0, TAP_BYTES (a_ticket),         NEW_SESSION_TICKET, UNEXPECTED },
  { "KeyUpdate in the handshake",            play_insert,  FINISHED,           0, TAP_BYTES (no_request),       KEY_UPDATE,         UNEXPECTED },
  { "message_hash in place of a hello",      play_insert,  CLIENT_HELLO,       0, TAP_BYTES (finished_of_zeros), MESSAGE_HASH,      UNEXPECTED },
  { "a message of an unknown type",          play_insert,  FINISHED,           0, TAP_BYTES (one),              99,                 UNEXPECTED },
  { "a message of type 255, our number for our turn", play_insert, FINISHED,   0, NOTHING,                      255,                UNEXPECTED },
  { "Finished instead of Certificate",       play_insert,  CERTIFICATE,        AUTH, TAP_BYTES (finished_of_zeros), FINISHED,       UNEXPECTED },
  { "Finished instead of CertificateVerify", play_insert,  CERTIFICATE_VERIFY, AUTH, TAP_BYTES (finished_of_zeros), FINISHED,       UNEXPECTED },
  { "Finished instead of a second hello",    play_insert,  CLIENT_HELLO,       RETRIES | ON_SECOND, TAP_BYTES (finished_of_zeros), FINISHED, UNEXPECTED },

  { "message_seq of ClientHello too high",   play_renumber, CLIENT_HELLO,      0, NOTHING,                      1,                  SILENCE },
  { "message_seq of the second ClientHello too low", play_renumber, CLIENT_HELLO, RETRIES | ON_SECOND, NOTHING, 65535,              SILENCE },
  { "message_seq of the second flight too high", play_renumber, FINISHED,      0, NOTHING,                      1,                  SILENCE },
  { "message_seq of the second flight too low", play_renumber, FINISHED,       0, NOTHING,                      65535,              SILENCE },
};
/* clang-format on */

static void
test_order (void)
{
  check_rows_with (order_rows, TAP_N (order_rows), DTLS_CLIENT, IS_13);
}

/* ---------------------------------------------------------------------------------- epochs and records */

static const uint8_t two[] = { 2 };
static const uint8_t warning[] = { 1, 90 };
static const uint8_t odd_level[] = { 0, 40 };
static const uint8_t half_alert[] = { 2 };
static const uint8_t fatal[] = { 2, 40 };
static const uint8_t close_notify[] = { 1, 0 };
static const uint8_t cut_header[] = { 20, 0, 0, 32, 0, 1, 0, 0, 0, 0, 0 };
static const uint8_t huge[] = { 1, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 9 };
static const uint8_t huge_certificate[] = { 11, 1, 0x86, 0xa1, 0, 1, 0, 0, 0, 0, 0, 1, 9 };
static const uint8_t half_finished[] = { 20, 0, 0, 32, 0, 1, 0, 0, 0, 0, 0, 1, 0 };
static const uint8_t half_far_ahead[] = { 20, 0, 0, 32, 0, 3, 0, 0, 0, 0, 0, 1, 0 };
static const uint8_t behind_finished[] = { 24, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 1, 0 };
static const uint8_t odd_ack[] = { 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t ack_of_0[] = { 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t ack_of_2[] = { 0, 16, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t ack_of_3[] = { 0, 16, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t ack_of_the_future[] = { 0,    16, 0, 0, 0, 0, 0, 0, 0xff,
                                             0xff, 0,  0, 0, 0, 0, 0, 0, 0 };

/* clang-format off */
static const struct mischief epoch_rows[] = {
  { "Finished in the clear",                 play_plain,    FINISHED,     0, NOTHING,                     0, EXCESS },
  { "Certificate in the clear",              play_plain,    CERTIFICATE,  AUTH, NOTHING,                  0, EXCESS },
  { "Finished in the clear behind a protected record", play_plain, FINISHED, AUTH, NOTHING,               0, SILENCE },
  { "Finished in the epoch of data",         play_keys,     FINISHED,     0, NOTHING,                     3, SILENCE },
  { "Certificate in the epoch of data",      play_keys,     CERTIFICATE,  AUTH, NOTHING,                  3, SILENCE },
  { "half a message beyond a change of keys", play_trailing, CLIENT_HELLO, 0, TAP_BYTES (half_finished),  0, EXCESS },
  { "half a message beyond it, further on",  play_trailing, CLIENT_HELLO, 0, TAP_BYTES (half_far_ahead),  0, CONNECTS },
  { "half a message behind Finished",        play_trailing, FINISHED,     0, TAP_BYTES (behind_finished), 0, EXCESS },
};

static const struct mischief record_rows[] = {
  { "ChangeCipherSpec ahead of everything",  play_record,    CLIENT_HELLO, 0, TAP_BYTES (one),          CCS,               CONNECTS },
  { "ChangeCipherSpec ahead of Finished",    play_record,    FINISHED,     0, TAP_BYTES (one),          CCS,               CONNECTS },
  { "ChangeCipherSpec of value 2",           play_record,    FINISHED,     0, TAP_BYTES (two),          CCS,               CONNECTS },
  { "ChangeCipherSpec under the keys",       play_record_in, CERTIFICATE,  AUTH, TAP_BYTES (one),       IN_EPOCH (2, CCS), UNEXPECTED },
  { "application data in plaintext, first",  play_record,    CLIENT_HELLO, 0, TAP_BYTES (one),          DATA,              CONNECTS },
  { "application data in plaintext, later",  play_record,    FINISHED,     0, TAP_BYTES (one),          DATA,              CONNECTS },
  { "application data in the handshake's epoch", play_record_in, CERTIFICATE, AUTH, TAP_BYTES (one),    IN_EPOCH (2, DATA), UNEXPECTED },
  { "an unknown content type in plaintext",  play_record,    FINISHED,     0, TAP_BYTES (one),          99,                CONNECTS },
  { "an unknown content type under the keys", play_record_in, CERTIFICATE, AUTH, TAP_BYTES (one),       IN_EPOCH (2, 99),  CONNECTS },
  { "nothing but padding",                   play_record_in, CERTIFICATE,  AUTH, NOTHING,               IN_EPOCH (2, 0),   CONNECTS },
  { "an empty handshake record",             play_record,    CLIENT_HELLO, 0, NOTHING,                  CONTENT_HANDSHAKE, CONNECTS },
  { "an empty handshake record under the keys", play_record_in, CERTIFICATE, AUTH, NOTHING,             IN_EPOCH (2, CONTENT_HANDSHAKE), DECODE },
  { "half a fragment header under the keys", play_record_in, CERTIFICATE,  AUTH, TAP_BYTES (cut_header), IN_EPOCH (2, CONTENT_HANDSHAKE), DECODE },
  { "a fragment of a ClientHello of 2^24-1", play_record,    CLIENT_HELLO, 0, TAP_BYTES (huge),         CONTENT_HANDSHAKE, DTLS_ERROR_MESSAGE_TOO_LONG },
  { "a fragment of a Certificate of 100,001 in the clear", play_record, CERTIFICATE, AUTH, TAP_BYTES (huge_certificate), CONTENT_HANDSHAKE, CONNECTS },
  { "a warning",                             play_record,    CLIENT_HELLO, 0, TAP_BYTES (warning),      CONTENT_ALERT,     CONNECTS },
  { "an alert of no level",                  play_record,    CLIENT_HELLO, 0, TAP_BYTES (odd_level),    CONTENT_ALERT,     CONNECTS },
  { "an alert of no level under the keys",   play_record_in, CERTIFICATE,  AUTH, TAP_BYTES (odd_level), IN_EPOCH (2, CONTENT_ALERT), DTLS_ERROR_BAD_ALERT },
  { "half an alert under the keys",          play_record_in, CERTIFICATE,  AUTH, TAP_BYTES (half_alert), IN_EPOCH (2, CONTENT_ALERT), DECODE },
  { "an ACK before there is a version",      play_record,    CLIENT_HELLO, 0, TAP_BYTES (ack_of_2),     CONTENT_ACK,       CONNECTS },
  { "an ACK of ServerHello in the clear",    play_record,    CERTIFICATE,  AUTH, TAP_BYTES (ack_of_0),  CONTENT_ACK,       CONNECTS },
  { "an ACK in the clear of what is not",    play_record,    CERTIFICATE,  AUTH, TAP_BYTES (ack_of_2),  CONTENT_ACK,       ILLEGAL },
  { "an ACK of odd length in the clear",     play_record,    CERTIFICATE,  AUTH, TAP_BYTES (odd_ack),   CONTENT_ACK,       CONNECTS },
  { "an ACK of odd length",                  play_record_in, CERTIFICATE,  AUTH, TAP_BYTES (odd_ack),   IN_EPOCH (2, CONTENT_ACK), DECODE },
  { "an ACK of the flight",                  play_record_in, CERTIFICATE,  AUTH, TAP_BYTES (ack_of_2),  IN_EPOCH (2, CONTENT_ACK), CONNECTS },
  { "an ACK of an epoch above its own",      play_record_in, CERTIFICATE,  AUTH, TAP_BYTES (ack_of_3),  IN_EPOCH (2, CONTENT_ACK), ILLEGAL },
};

static const struct mischief end_rows[] = {
  { "goes on after a fatal alert",           play_record,    FINISHED,    0, TAP_BYTES (fatal),           CONTENT_ALERT,     DTLS_ERROR_PEER_ALERT },
  { "goes on after a fatal alert under the keys", play_record_in, CERTIFICATE, AUTH, TAP_BYTES (fatal),   IN_EPOCH (2, CONTENT_ALERT), DTLS_ERROR_PEER_ALERT },
  { "a fatal alert in the clear after the first protected record", play_record_in, CERTIFICATE, AUTH, TAP_BYTES (fatal), IN_EPOCH (0, CONTENT_ALERT), CONNECTS },
  { "goes on after close_notify",            play_record,    FINISHED,    0, TAP_BYTES (close_notify),    CONTENT_ALERT,     DTLS_ERROR_PEER_ALERT },
  { "goes on after close_notify under the keys", play_record_in, CERTIFICATE, AUTH, TAP_BYTES (close_notify), IN_EPOCH (2, CONTENT_ALERT), DTLS_ERROR_PEER_ALERT },
  { "a fatal alert after the handshake",     play_record_in, FINISHED,    0, TAP_BYTES (fatal),           IN_EPOCH (3, CONTENT_ALERT), DTLS_ERROR_PEER_ALERT },
};
/* clang-format on */

static void
test_epochs (void)
{
  check_rows_with (epoch_rows, TAP_N (epoch_rows), DTLS_CLIENT, IS_13);
}

static void
test_records (void)
{
  check_rows_with (record_rows, TAP_N (record_rows), DTLS_CLIENT, IS_13);
}

static void
test_end (void)
{
  check_rows_with (end_rows, TAP_N (end_rows), DTLS_CLIENT, IS_13);
}

/* ---------------------------------------------------------------------------------- the certificate, its proof, and Finished */

static const uint8_t context_of_nobody[] = { 1, 'c', 0, 0, 0 };
static const uint8_t empty_entry[] = { 0, 0, 0, 5, 0, 0, 0, 0, 0 };
static const uint8_t rubbish_entry[] = { 0, 0, 0, 7, 0, 0, 2, 0x30, 0, 0, 0 };
static const uint8_t scheme_sha1[] = { 2, 3 };
static const uint8_t scheme_rsa[] = { 8, 4 };
static const uint8_t server_context[] = "TLS 1.3, server CertificateVerify";

/* clang-format off */
static const struct mischief flight_rows[] = {
  { "no certificate where one is required", play_body,         CERTIFICATE, 0, TAP_BYTES (of_nobody),         0, DTLS_ERROR_CERTIFICATE_REQUIRED },
  { "a context",                       play_body,              CERTIFICATE, 0, TAP_BYTES (context_of_nobody), 0, ILLEGAL },
  { "an empty certificate",            play_body,              CERTIFICATE, 0, TAP_BYTES (empty_entry),       0, DECODE },
  { "no certificate at all",           play_body,              CERTIFICATE, 0, TAP_BYTES (rubbish_entry),     0, DTLS_ERROR_BAD_CERTIFICATE },
  { "Certificate cut short",           play_shorten,           CERTIFICATE, 0, NOTHING,                       0, DECODE },
  { "Certificate with a trailing byte", play_lengthen,         CERTIFICATE, 0, NOTHING,                       0, DECODE },
  { "the leaf alone",                  play_leaf,   CERTIFICATE, IS_CONSISTENT, NOTHING,           0, CONNECTS },
  { "an unknown extension",            play_leaf,   CERTIFICATE, IS_CONSISTENT, TAP_STRING ("\x4a\x4a\0\0"), 0, DTLS_ERROR_UNSUPPORTED_EXTENSION },
  { "an extension of another message", play_leaf,   CERTIFICATE, IS_CONSISTENT, TAP_STRING ("\0\0\0\0"), 0, ILLEGAL },
  { "a certificate of another",        play_certificate_of, CERTIFICATE, IS_CONSISTENT, TAP_STRING ("server-any-eku"),           0, DTLS_ERROR_BAD_SIGNATURE },
  { "a wrong signature",               play_flip,              CERTIFICATE_VERIFY, 0, NOTHING,                UINT_MAX, DTLS_ERROR_BAD_SIGNATURE },
  { "signed once more",                play_signature,         CERTIFICATE_VERIFY, 0, NOTHING,                SIG_ECDSA_SECP256R1_SHA256, DTLS_ERROR_BAD_FINISHED },
  { "over another transcript",         play_other_transcript,  CERTIFICATE_VERIFY, 0, NOTHING,                SIG_ECDSA_SECP256R1_SHA256, DTLS_ERROR_BAD_SIGNATURE },
  { "a server's context string",       play_signature,         CERTIFICATE_VERIFY, 0, { server_context, sizeof server_context - 1 }, SIG_ECDSA_SECP256R1_SHA256, DTLS_ERROR_BAD_SIGNATURE },
  { "the scheme of another curve",     play_signature,         CERTIFICATE_VERIFY, 0, NOTHING,                SIG_ECDSA_SECP384R1_SHA384, ILLEGAL },
  { "a scheme that nobody offers",     play_patch,             CERTIFICATE_VERIFY, 0, TAP_BYTES (scheme_sha1), 0, ILLEGAL },
  { "a scheme for another key",        play_patch,             CERTIFICATE_VERIFY, 0, TAP_BYTES (scheme_rsa), 0, ILLEGAL },
  { "CertificateVerify cut short",     play_shorten,           CERTIFICATE_VERIFY, 0, NOTHING,                0, DECODE },
  { "CertificateVerify with a trailing byte", play_lengthen,   CERTIFICATE_VERIFY, 0, NOTHING,                0, DECODE },
  { "a wrong Finished after a good certificate", play_flip,    FINISHED,    0, NOTHING,                       0, DTLS_ERROR_BAD_FINISHED },
};
/* clang-format on */

static void
test_flight (void)
{
  check_rows_with (flight_rows, TAP_N (flight_rows), DTLS_CLIENT, IS_13 | AUTH);
}

static void
test_finished (void)
{
  check_rows_with (finished_rows, TAP_N (finished_rows), DTLS_CLIENT, IS_13);
}

/* Where none is required, none is no error. */
static void
test_no_certificate (void)
{
  struct pair pair;

  mischief_set_up (&pair, IS_13, DTLS_SERVER);
  pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUESTED;
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_n_peer_certificates (pair.sides[DTLS_SERVER].conn), 0);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- after the handshake */

static const uint8_t update_requested[] = { 1 };
static const uint8_t no_such_update[] = { 2 };
static const uint8_t two_updates[] = { 0, 0 };

/* clang-format off */
static const struct mischief post_rows[] = {
  { "KeyUpdate",                       play_message_in, FINISHED, 0, TAP_BYTES (no_request),        IN_EPOCH (3, KEY_UPDATE), CONNECTS },
  { "KeyUpdate that asks for one",     play_message_in, FINISHED, 0, TAP_BYTES (update_requested),  IN_EPOCH (3, KEY_UPDATE), CONNECTS },
  { "KeyUpdate of another value",      play_message_in, FINISHED, 0, TAP_BYTES (no_such_update),    IN_EPOCH (3, KEY_UPDATE), ILLEGAL },
  { "KeyUpdate of no byte",            play_message_in, FINISHED, 0, NOTHING,                       IN_EPOCH (3, KEY_UPDATE), DECODE },
  { "KeyUpdate of two bytes",          play_message_in, FINISHED, 0, TAP_BYTES (two_updates),       IN_EPOCH (3, KEY_UPDATE), DECODE },
  { "KeyUpdate in the handshake's epoch", play_message_in, FINISHED, 0, TAP_BYTES (no_request),     IN_EPOCH (2, KEY_UPDATE), EXCESS },
  { "a ticket of the client's",        play_message_in, FINISHED, 0, TAP_BYTES (a_ticket),          IN_EPOCH (3, NEW_SESSION_TICKET), UNEXPECTED },
  { "asks for a certificate",          play_message_in, FINISHED, 0, TAP_BYTES (a_request),         IN_EPOCH (3, CERTIFICATE_REQUEST), UNEXPECTED },
  { "a certificate that nobody asked for", play_message_in, FINISHED, 0, TAP_BYTES (of_nobody),     IN_EPOCH (3, CERTIFICATE), UNEXPECTED },
  { "Finished once more",              play_message_in, FINISHED, 0, TAP_BYTES (finished_of_zeros), IN_EPOCH (3, FINISHED), UNEXPECTED },
  { "ClientHello",                     play_message_in, FINISHED, 0, NOTHING,                       IN_EPOCH (3, CLIENT_HELLO), DTLS_ERROR_RENEGOTIATION },
  { "ClientHello in the handshake's epoch", play_message_in, FINISHED, 0, NOTHING,                  IN_EPOCH (2, CLIENT_HELLO), DTLS_ERROR_RENEGOTIATION },
  { "ClientHello in the clear",        play_message_in, FINISHED, 0, NOTHING,                       IN_EPOCH (0, CLIENT_HELLO), CONNECTS },
  { "a message of an unknown type",    play_message_in, FINISHED, 0, TAP_BYTES (one),               IN_EPOCH (3, 99), UNEXPECTED },
  { "ChangeCipherSpec",                play_record_in,  FINISHED, 0, TAP_BYTES (one),               IN_EPOCH (3, CCS), UNEXPECTED },
  { "an empty handshake record",       play_record_in,  FINISHED, 0, NOTHING,                       IN_EPOCH (3, CONTENT_HANDSHAKE), DECODE },
  { "application data in the handshake's epoch", play_record_in, FINISHED, 0, TAP_BYTES (one),      IN_EPOCH (2, DATA), UNEXPECTED },
  { "an ACK of odd length",            play_record_in,  FINISHED, 0, TAP_BYTES (odd_ack),           IN_EPOCH (3, CONTENT_ACK), DECODE },
  { "an ACK of an epoch to come",      play_record_in,  FINISHED, 0, TAP_BYTES (ack_of_the_future), IN_EPOCH (3, CONTENT_ACK), CONNECTS },
};
/* clang-format on */

static void
test_post (void)
{
  check_rows_with (post_rows, TAP_N (post_rows), DTLS_CLIENT, IS_13);
}

/* Only a KeyUpdate that asks for one is answered with one. */
static void
test_key_update_answer (void)
{
  for (uint8_t asks = 0; asks < 2; asks++)
    {
      const struct mischief row = {
        "KeyUpdate",  play_message_in,          FINISHED, IS_13,
        { &asks, 1 }, IN_EPOCH (3, KEY_UPDATE), CONNECTS,
      };
      struct outcome outcome = mischief_run (&row, DTLS_CLIENT);

      CHECK_UINT (outcome.became, CONNECTS);
      CHECK_UINT (outcome.n_key_updates, asks);
    }
}

static const struct tap_test tests[] = {
  { "/mischief/server13/order/only-the-legal-messages-in-the-legal-order", test_order },
  { "/mischief/server13/epochs/keys-change-between-messages", test_epochs },
  { "/mischief/server13/records/noise-is-dropped-and-authenticated-nonsense-is-fatal",
    test_records },
  { "/mischief/server13/alerts/nothing-counts-after-a-fatal-alert-or-close-notify", test_end },
  { "/mischief/server13/certificate/needs-the-proof-of-its-key", test_flight },
  { "/mischief/server13/certificate/none-will-do-where-none-is-required", test_no_certificate },
  { "/mischief/server13/finished/rejects-any-other", test_finished },
  { "/mischief/server13/post-handshake/takes-key-updates-only", test_post },
  { "/mischief/server13/post-handshake/answers-a-key-update-that-asks", test_key_update_answer },
};

TAP_MAIN (tests)
