/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client of 1.3 against servers that keep every rule but one: what follows ServerHello in their flight. */

#include "handshake/finished13.h"
#include "wire/certificates.h"
#include "wire/extensions.h"

#include <limits.h>
#include <stdlib.h>

enum
{
  EE = ENCRYPTED_EXTENSIONS,
  AUTH = ASKS_CERTIFICATE,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  UNSUPPORTED = DTLS_ERROR_UNSUPPORTED_EXTENSION,
  DECODE = DTLS_ERROR_DECODE,
};

static const uint8_t one[] = { 1 };
static const uint8_t no_extensions[] = { 0, 0 };
static const uint8_t zero_byte[] = { 0 };

/* ---------------------------------------------------------------------------------- EncryptedExtensions, CertificateRequest */

static const uint8_t alpn_a[] = { 0, 2, 1, 'a' };
static const uint8_t alpn_c[] = { 0, 2, 1, 'c' };
static const uint8_t alpn_both[] = { 0, 4, 1, 'a', 1, 'b' };
static const uint8_t alpn_nothing[] = { 0, 0 };
static const uint8_t some_groups[] = { 0, 2, 0, 29 };
static const uint8_t limit_63[] = { 0, 63 };
static const uint8_t limit_64[] = { 0, 64 };
static const uint8_t selected_1_3[] = { 0xfe, 0xfc };
static const uint8_t a_share[] = { 0, 29, 0, 1, 9 };
static const uint8_t a_cookie[] = { 0, 1, 'c' };
static const uint8_t first_psk[] = { 0, 0 };
static const uint8_t modes[] = { 1, 1 };
static const uint8_t srtp[] = { 0, 2, 0, 1, 0 };
static const uint8_t schemes_none[] = { 0, 0 };
static const uint8_t schemes_odd[] = { 0, 3, 4, 3, 8 };
static const uint8_t schemes_grease[] = { 0, 6, 0x0a, 0x0a, 4, 3, 0x2a, 0x2a };
static const uint8_t schemes_ed25519[] = { 0, 2, 8, 7 };
static const uint8_t authorities_none[] = { 0, 0 };
static const uint8_t with_context[] = { 1, 'c', 0, 8, 0, 13, 0, 4, 0, 2, 4, 3 };
static const uint8_t without_schemes[] = { 0, 0, 0 };

/* clang-format off */
static const struct mischief extension_rows[] = {
  { "cut short",                       play_shorten,         EE, 0, NOTHING,                      0, DECODE },
  { "a trailing byte",                 play_lengthen,        EE, 0, NOTHING,                      0, DECODE },
  { "empty",                           play_body,            EE, 0, NOTHING,                      0, DECODE },
  { "none at all",                     play_body,            EE, IS_CONSISTENT, TAP_BYTES (no_extensions), 0, CONNECTS },
  { "an unknown extension",            play_extension,       EE, 0, NOTHING,                      0x4a4a, UNSUPPORTED },
  { "one twice",                       play_extension,       EE, 0, TAP_BYTES (limit_64),         EXT_RECORD_SIZE_LIMIT, DECODE },
  { "an unknown one twice",            play_first_extension, EE, 0, NOTHING,                      0x4a4a, UNSUPPORTED },
  { "supported_versions",              play_extension,       EE, 0, TAP_BYTES (selected_1_3),     EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "key_share",                       play_extension,       EE, 0, TAP_BYTES (a_share),          EXT_KEY_SHARE, ILLEGAL },
  { "cookie",                          play_extension,       EE, 0, TAP_BYTES (a_cookie),         EXT_COOKIE, ILLEGAL },
  { "pre_shared_key",                  play_extension,       EE, 0, TAP_BYTES (first_psk),        EXT_PRE_SHARED_KEY, ILLEGAL },
  { "psk_key_exchange_modes",          play_extension,       EE, 0, TAP_BYTES (modes),            EXT_PSK_KEY_EXCHANGE_MODES, ILLEGAL },
  { "signature_algorithms",            play_extension,       EE, 0, TAP_BYTES (schemes_ed25519),  EXT_SIGNATURE_ALGORITHMS, ILLEGAL },
  { "extended_master_secret",          play_extension,       EE, ENGINE_HAS_BOTH, NOTHING,        EXT_EXTENDED_MASTER_SECRET, ILLEGAL },
  { "renegotiation_info",              play_extension,       EE, ENGINE_HAS_BOTH, TAP_BYTES (zero_byte), EXT_RENEGOTIATION_INFO, ILLEGAL },
  { "ec_point_formats",                play_extension,       EE, ENGINE_HAS_BOTH, TAP_BYTES (modes), EXT_EC_POINT_FORMATS, ILLEGAL },
  { "session_ticket",                  play_extension,       EE, ENGINE_HAS_BOTH, NOTHING,        EXT_SESSION_TICKET, ILLEGAL },
  { "early_data that was not offered", play_extension,       EE, 0, NOTHING,                      EXT_EARLY_DATA, UNSUPPORTED },
  { "supported_groups",                play_extension,       EE, IS_CONSISTENT, TAP_BYTES (some_groups), EXT_SUPPORTED_GROUPS, CONNECTS },
  { "server_name that was not sent",   play_extension,       EE, 0, NOTHING,                      EXT_SERVER_NAME, UNSUPPORTED },
  { "no word on the server_name that was sent", play_no_extension, EE, NAMES_SERVER | IS_CONSISTENT, NOTHING, EXT_SERVER_NAME, CONNECTS },
  { "server_name with a body",         play_other_extension, EE, NAMES_SERVER, TAP_BYTES (one),   EXT_SERVER_NAME, DECODE },
  { "use_srtp that was not offered",   play_extension,       EE, 0, TAP_BYTES (srtp),             EXT_USE_SRTP, UNSUPPORTED },
  { "record_size_limit 63",            play_other_extension, EE, 0, TAP_BYTES (limit_63),         EXT_RECORD_SIZE_LIMIT, ILLEGAL },
  { "record_size_limit 64",            play_other_extension, EE, IS_CONSISTENT, TAP_BYTES (limit_64), EXT_RECORD_SIZE_LIMIT, CONNECTS },
  { "record_size_limit of one byte",   play_other_extension, EE, 0, TAP_BYTES (one),              EXT_RECORD_SIZE_LIMIT, DECODE },
  { "ALPN that was not offered",       play_extension,       EE, 0, TAP_BYTES (alpn_a),           EXT_ALPN, UNSUPPORTED },
  { "ALPN: one of ours",               play_other_extension, EE, NAMES_PROTOCOLS | IS_CONSISTENT, TAP_BYTES (alpn_a), EXT_ALPN, CONNECTS },
  { "ALPN: none of ours",              play_other_extension, EE, NAMES_PROTOCOLS, TAP_BYTES (alpn_c), EXT_ALPN, ILLEGAL },
  { "ALPN: two",                       play_other_extension, EE, NAMES_PROTOCOLS, TAP_BYTES (alpn_both), EXT_ALPN, ILLEGAL },
  { "ALPN: an empty list",             play_other_extension, EE, NAMES_PROTOCOLS, TAP_BYTES (alpn_nothing), EXT_ALPN, DECODE },
  { "other extensions than were signed", play_no_extension,  EE, 0, NOTHING,                      EXT_RECORD_SIZE_LIMIT, DTLS_ERROR_BAD_SIGNATURE },
  { "other extensions than Finished covers", play_no_extension, EE, HAS_KEY, NOTHING,             EXT_RECORD_SIZE_LIMIT, DTLS_ERROR_BAD_FINISHED },
};

static const struct mischief request_rows[] = {
  { "cut short",                       play_shorten,         CERTIFICATE_REQUEST, AUTH, NOTHING,                    0, DECODE },
  { "a trailing byte",                 play_lengthen,        CERTIFICATE_REQUEST, AUTH, NOTHING,                    0, DECODE },
  { "empty",                           play_body,            CERTIFICATE_REQUEST, AUTH, NOTHING,                    0, DECODE },
  { "a context",                       play_body,            CERTIFICATE_REQUEST, AUTH, TAP_BYTES (with_context),   0, ILLEGAL },
  { "no extensions",                   play_body,            CERTIFICATE_REQUEST, AUTH, TAP_BYTES (without_schemes), 0, DTLS_ERROR_MISSING_EXTENSION },
  { "no signature_algorithms",         play_no_extension,    CERTIFICATE_REQUEST, AUTH, NOTHING,                    EXT_SIGNATURE_ALGORITHMS, DTLS_ERROR_MISSING_EXTENSION },
  { "signature_algorithms twice",      play_extension,       CERTIFICATE_REQUEST, AUTH, TAP_BYTES (schemes_ed25519), EXT_SIGNATURE_ALGORITHMS, DECODE },
  { "an empty list of schemes",        play_other_extension, CERTIFICATE_REQUEST, AUTH, TAP_BYTES (schemes_none),   EXT_SIGNATURE_ALGORITHMS, DECODE },
  { "half a scheme",                   play_other_extension, CERTIFICATE_REQUEST, AUTH, TAP_BYTES (schemes_odd),    EXT_SIGNATURE_ALGORITHMS, DECODE },
  { "schemes that nobody knows beside one of ours", play_other_extension, CERTIFICATE_REQUEST, AUTH | IS_CONSISTENT, TAP_BYTES (schemes_grease), EXT_SIGNATURE_ALGORITHMS, CONNECTS },
  { "an unknown extension",            play_extension,       CERTIFICATE_REQUEST, AUTH | IS_CONSISTENT, TAP_BYTES (one), 0x4a4a, CONNECTS },
  { "an unknown extension ahead",      play_first_extension, CERTIFICATE_REQUEST, AUTH | IS_CONSISTENT, TAP_BYTES (one), 0x4a4a, CONNECTS },
  { "no authorities in the list",      play_extension,       CERTIFICATE_REQUEST, AUTH, TAP_BYTES (authorities_none), EXT_CERTIFICATE_AUTHORITIES, DECODE },
  { "key_share",                       play_extension,       CERTIFICATE_REQUEST, AUTH, TAP_BYTES (a_share),        EXT_KEY_SHARE, ILLEGAL },
  { "supported_versions",              play_extension,       CERTIFICATE_REQUEST, AUTH, TAP_BYTES (selected_1_3),   EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "another request than was signed", play_other_extension, CERTIFICATE_REQUEST, AUTH, TAP_BYTES (schemes_ed25519), EXT_SIGNATURE_ALGORITHMS, DTLS_ERROR_BAD_SIGNATURE },
};
/* clang-format on */

static void
test_extensions (void)
{
  check_rows_with (extension_rows, TAP_N (extension_rows), DTLS_SERVER, IS_13);
}

static void
test_request (void)
{
  check_rows_with (request_rows, TAP_N (request_rows), DTLS_SERVER, IS_13);
}

/* ---------------------------------------------------------------------------------- the certificate, its proof, and Finished */

static const uint8_t of_nobody[] = { 0, 0, 0, 0 };
static const uint8_t context_of_nobody[] = { 1, 'c', 0, 0, 0 };
static const uint8_t empty_entry[] = { 0, 0, 0, 5, 0, 0, 0, 0, 0 };
static const uint8_t rubbish_entry[] = { 0, 0, 0, 7, 0, 0, 2, 0x30, 0, 0, 0 };
static const uint8_t overlong_list[] = { 0, 0, 0, 9, 0, 0, 2, 0x30, 0, 0, 0 };
static const uint8_t scheme_sha1[] = { 2, 3 };
static const uint8_t scheme_rsa[] = { 8, 4 };
static const uint8_t scheme_ed25519[] = { 8, 7 };
static const uint8_t empty_signature[] = { 4, 3, 0, 0 };
static const uint8_t client_context[] = "TLS 1.3, client CertificateVerify";
static const uint8_t old_context[] = "TLS 1.2, server CertificateVerify";

/* RFC 7250's form, the public key alone, without its extension: wolfSSL CVE-2026-55960. */
static void
raw_public_key (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  uint8_t memory[4096];
  struct writer w = writer_over (memory, sizeof memory);
  struct leaf leaf;

  (void) mischief;
  if (!leaf_read (puppet->config.credential->chain[0], &leaf))
    abort ();
  certificate_13_write (&w, (struct bytes){ NULL, 0 }, &leaf.spki, 1);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}

/* clang-format off */
static const struct mischief certificate_rows[] = {
  { "no certificate",                  play_body,              CERTIFICATE, 0, TAP_BYTES (of_nobody),         0, DECODE },
  { "a context",                       play_body,              CERTIFICATE, 0, TAP_BYTES (context_of_nobody), 0, ILLEGAL },
  { "an empty certificate",            play_body,              CERTIFICATE, 0, TAP_BYTES (empty_entry),       0, DECODE },
  { "no certificate at all",           play_body,              CERTIFICATE, 0, TAP_BYTES (rubbish_entry),     0, DTLS_ERROR_BAD_CERTIFICATE },
  { "a list longer than it is",        play_body,              CERTIFICATE, 0, TAP_BYTES (overlong_list),     0, DECODE },
  { "cut short",                       play_shorten,           CERTIFICATE, 0, NOTHING,                       0, DECODE },
  { "a trailing byte",                 play_lengthen,          CERTIFICATE, 0, NOTHING,                       0, DECODE },
  { "a raw public key",                raw_public_key,         CERTIFICATE, 0, NOTHING,                       0, DTLS_ERROR_BAD_CERTIFICATE },
  { "the leaf alone",                  play_leaf,   CERTIFICATE, IS_CONSISTENT, NOTHING,           0, CONNECTS },
  { "an unknown extension",            play_leaf,   CERTIFICATE, IS_CONSISTENT, TAP_STRING ("\x4a\x4a\0\0"), 0, UNSUPPORTED },
  { "a status that was not asked for", play_leaf,   CERTIFICATE, IS_CONSISTENT, TAP_STRING ("\0\5\0\0"), 0, UNSUPPORTED },
  { "an extension of another message", play_leaf,   CERTIFICATE, IS_CONSISTENT, TAP_STRING ("\0\0\0\0"), 0, ILLEGAL },
  { "an extension cut short",          play_leaf,   CERTIFICATE, IS_CONSISTENT, TAP_STRING ("\0\5\0\1"), 0, DECODE },
  { "a certificate of another",        play_certificate_of, CERTIFICATE, IS_CONSISTENT, TAP_STRING ("server-any-eku"),           0, DTLS_ERROR_BAD_SIGNATURE },
  { "a certificate for another scheme", play_certificate_of, CERTIFICATE, IS_CONSISTENT, TAP_STRING ("server-rsa"), 0, ILLEGAL },
};

static const struct mischief verify_rows[] = {
  { "signed once more",                play_signature,        CERTIFICATE_VERIFY, 0, NOTHING,                  SIG_ECDSA_SECP256R1_SHA256, DTLS_ERROR_BAD_FINISHED },
  { "a wrong signature",               play_flip,             CERTIFICATE_VERIFY, 0, NOTHING,                  UINT_MAX, DTLS_ERROR_BAD_SIGNATURE },
  { "a wrong RSA signature",           play_flip,             CERTIFICATE_VERIFY, HAS_RSA, NOTHING,            UINT_MAX, DTLS_ERROR_BAD_SIGNATURE },
  { "an empty signature",              play_body,             CERTIFICATE_VERIFY, 0, TAP_BYTES (empty_signature), 0, DTLS_ERROR_BAD_SIGNATURE },
  { "over another transcript",         play_other_transcript, CERTIFICATE_VERIFY, 0, NOTHING,                  SIG_ECDSA_SECP256R1_SHA256, DTLS_ERROR_BAD_SIGNATURE },
  { "a client's context string",       play_signature,        CERTIFICATE_VERIFY, 0, { client_context, sizeof client_context - 1 }, SIG_ECDSA_SECP256R1_SHA256, DTLS_ERROR_BAD_SIGNATURE },
  { "another version's context string", play_signature,       CERTIFICATE_VERIFY, 0, { old_context, sizeof old_context - 1 }, SIG_ECDSA_SECP256R1_SHA256, DTLS_ERROR_BAD_SIGNATURE },
  { "the scheme of another curve",     play_signature,        CERTIFICATE_VERIFY, 0, NOTHING,                  SIG_ECDSA_SECP384R1_SHA384, ILLEGAL },
  { "PKCS #1",                         play_signature,        CERTIFICATE_VERIFY, HAS_RSA, NOTHING,            SIG_RSA_PKCS1_SHA256, ILLEGAL },
  { "PKCS #1, of SHA-512",             play_signature,        CERTIFICATE_VERIFY, HAS_RSA, NOTHING,            SIG_RSA_PKCS1_SHA512, ILLEGAL },
  { "a scheme that was not offered",   play_signature,        CERTIFICATE_VERIFY, HAS_RSA | ONLY_PSS_SHA256, NOTHING, SIG_RSA_PSS_RSAE_SHA384, ILLEGAL },
  { "a scheme that nobody offers",     play_patch,            CERTIFICATE_VERIFY, 0, TAP_BYTES (scheme_sha1),  0, ILLEGAL },
  { "a scheme for another key",        play_patch,            CERTIFICATE_VERIFY, 0, TAP_BYTES (scheme_rsa),   0, ILLEGAL },
  { "a scheme for a third key",        play_patch,            CERTIFICATE_VERIFY, 0, TAP_BYTES (scheme_ed25519), 0, ILLEGAL },
  { "cut short",                       play_shorten,          CERTIFICATE_VERIFY, 0, NOTHING,                  0, DECODE },
  { "a trailing byte",                 play_lengthen,         CERTIFICATE_VERIFY, 0, NOTHING,                  0, DECODE },
  { "empty",                           play_body,             CERTIFICATE_VERIFY, 0, NOTHING,                  0, DECODE },
};
/* clang-format on */

static void
test_certificate (void)
{
  check_rows_with (certificate_rows, TAP_N (certificate_rows), DTLS_SERVER, IS_13);
}

static void
test_verify (void)
{
  check_rows_with (verify_rows, TAP_N (verify_rows), DTLS_SERVER, IS_13);
}

static void
test_finished (void)
{
  check_rows_with (finished_rows, TAP_N (finished_rows), DTLS_SERVER, IS_13);
}

static const struct tap_test tests[] = {
  { "/mischief/client13/encrypted-extensions/rejects-what-was-not-asked-for", test_extensions },
  { "/mischief/client13/certificate-request/needs-schemes-and-no-context", test_request },
  { "/mischief/client13/certificate/rejects-what-is-no-chain", test_certificate },
  { "/mischief/client13/certificate-verify/rejects-other-schemes-and-inputs", test_verify },
  { "/mischief/client13/finished/rejects-any-other", test_finished },
};

TAP_MAIN (tests)
