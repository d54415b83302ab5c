/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The names that IANA's registries give to our code points, in the registries' order. */

#include "wire/codepoints.h"

struct name
{
  uint16_t value;
  const char *text;
};

static const char *
find_name (const struct name *names, size_t n, uint16_t value)
{
  for (size_t i = 0; i < n; i++)
    if (names[i].value == value)
      return names[i].text;

  return NULL;
}

#define FIND_NAME(names, value) find_name (names, sizeof names / sizeof names[0], value)

/* clang-format off */

/* TLS Alerts */
static const struct name alerts[] = {
  { ALERT_CLOSE_NOTIFY,                    "close_notify" },
  { ALERT_UNEXPECTED_MESSAGE,              "unexpected_message" },
  { ALERT_BAD_RECORD_MAC,                  "bad_record_mac" },
  { ALERT_DECRYPTION_FAILED,               "decryption_failed" },
  { ALERT_RECORD_OVERFLOW,                 "record_overflow" },
  { ALERT_DECOMPRESSION_FAILURE,           "decompression_failure" },
  { ALERT_HANDSHAKE_FAILURE,               "handshake_failure" },
  { ALERT_NO_CERTIFICATE,                  "no_certificate" },
  { ALERT_BAD_CERTIFICATE,                 "bad_certificate" },
  { ALERT_UNSUPPORTED_CERTIFICATE,         "unsupported_certificate" },
  { ALERT_CERTIFICATE_REVOKED,             "certificate_revoked" },
  { ALERT_CERTIFICATE_EXPIRED,             "certificate_expired" },
  { ALERT_CERTIFICATE_UNKNOWN,             "certificate_unknown" },
  { ALERT_ILLEGAL_PARAMETER,               "illegal_parameter" },
  { ALERT_UNKNOWN_CA,                      "unknown_ca" },
  { ALERT_ACCESS_DENIED,                   "access_denied" },
  { ALERT_DECODE_ERROR,                    "decode_error" },
  { ALERT_DECRYPT_ERROR,                   "decrypt_error" },
  { ALERT_TOO_MANY_CIDS_REQUESTED,         "too_many_cids_requested" },
  { ALERT_EXPORT_RESTRICTION,              "export_restriction" },
  { ALERT_PROTOCOL_VERSION,                "protocol_version" },
  { ALERT_INSUFFICIENT_SECURITY,           "insufficient_security" },
  { ALERT_INTERNAL_ERROR,                  "internal_error" },
  { ALERT_INAPPROPRIATE_FALLBACK,          "inappropriate_fallback" },
  { ALERT_USER_CANCELED,                   "user_canceled" },
  { ALERT_NO_RENEGOTIATION,                "no_renegotiation" },
  { ALERT_MISSING_EXTENSION,               "missing_extension" },
  { ALERT_UNSUPPORTED_EXTENSION,           "unsupported_extension" },
  { ALERT_CERTIFICATE_UNOBTAINABLE,        "certificate_unobtainable" },
  { ALERT_UNRECOGNIZED_NAME,               "unrecognized_name" },
  { ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, "bad_certificate_status_response" },
  { ALERT_BAD_CERTIFICATE_HASH_VALUE,      "bad_certificate_hash_value" },
  { ALERT_UNKNOWN_PSK_IDENTITY,            "unknown_psk_identity" },
  { ALERT_CERTIFICATE_REQUIRED,            "certificate_required" },
  { ALERT_GENERAL_ERROR,                   "general_error" },
  { ALERT_NO_APPLICATION_PROTOCOL,         "no_application_protocol" },
  { ALERT_ECH_REQUIRED,                    "ech_required" },
};

/* TLS Cipher Suites */
static const struct name suites[] = {
  { SUITE_PSK_AES_128_GCM_SHA256,               "TLS_PSK_WITH_AES_128_GCM_SHA256" },
  { SUITE_PSK_AES_256_GCM_SHA384,               "TLS_PSK_WITH_AES_256_GCM_SHA384" },
  { SUITE_EMPTY_RENEGOTIATION_INFO_SCSV,        "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" },
  { SUITE_AES_128_GCM_SHA256,                   "TLS_AES_128_GCM_SHA256" },
  { SUITE_AES_256_GCM_SHA384,                   "TLS_AES_256_GCM_SHA384" },
  { SUITE_CHACHA20_POLY1305_SHA256,             "TLS_CHACHA20_POLY1305_SHA256" },
  { SUITE_AES_128_CCM_SHA256,                   "TLS_AES_128_CCM_SHA256" },
  { SUITE_FALLBACK_SCSV,                        "TLS_FALLBACK_SCSV" },
  { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,       "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
  { SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,       "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
  { SUITE_ECDHE_RSA_AES_128_GCM_SHA256,         "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
  { SUITE_ECDHE_RSA_AES_256_GCM_SHA384,         "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
  { SUITE_PSK_AES_128_CCM,                      "TLS_PSK_WITH_AES_128_CCM" },
  { SUITE_PSK_AES_128_CCM_8,                    "TLS_PSK_WITH_AES_128_CCM_8" },
  { SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256,   "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
  { SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
  { SUITE_PSK_CHACHA20_POLY1305_SHA256,         "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256" },
  { SUITE_ECDHE_PSK_CHACHA20_POLY1305_SHA256,   "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256" },
  { SUITE_ECDHE_PSK_AES_128_GCM_SHA256,         "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256" },
  { SUITE_ECDHE_PSK_AES_256_GCM_SHA384,         "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384" },
  { SUITE_ECDHE_PSK_AES_128_CCM_8_SHA256,       "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256" },
  { SUITE_ECDHE_PSK_AES_128_CCM_SHA256,         "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256" },
};

/* TLS Supported Groups */
static const struct name groups[] = {
  { GROUP_SECP256R1,      "secp256r1" },
  { GROUP_SECP384R1,      "secp384r1" },
  { GROUP_X25519,         "x25519" },
  { GROUP_X25519MLKEM768, "X25519MLKEM768" },
};

/* TLS SignatureScheme */
static const struct name signatures[] = {
  { SIG_RSA_PKCS1_SHA256,       "rsa_pkcs1_sha256" },
  { SIG_RSA_PKCS1_SHA384,       "rsa_pkcs1_sha384" },
  { SIG_RSA_PKCS1_SHA512,       "rsa_pkcs1_sha512" },
  { SIG_ECDSA_SECP256R1_SHA256, "ecdsa_secp256r1_sha256" },
  { SIG_ECDSA_SECP384R1_SHA384, "ecdsa_secp384r1_sha384" },
  { SIG_RSA_PSS_RSAE_SHA256,    "rsa_pss_rsae_sha256" },
  { SIG_RSA_PSS_RSAE_SHA384,    "rsa_pss_rsae_sha384" },
  { SIG_RSA_PSS_RSAE_SHA512,    "rsa_pss_rsae_sha512" },
  { SIG_ED25519,                "ed25519" },
  { SIG_RSA_PSS_PSS_SHA256,     "rsa_pss_pss_sha256" },
  { SIG_RSA_PSS_PSS_SHA384,     "rsa_pss_pss_sha384" },
  { SIG_RSA_PSS_PSS_SHA512,     "rsa_pss_pss_sha512" },
};

/* TLS HandshakeType */
static const struct name handshake_types[] = {
  { HELLO_REQUEST,        "hello_request" },
  { CLIENT_HELLO,         "client_hello" },
  { SERVER_HELLO,         "server_hello" },
  { HELLO_VERIFY_REQUEST, "hello_verify_request" },
  { NEW_SESSION_TICKET,   "new_session_ticket" },
  { END_OF_EARLY_DATA,    "end_of_early_data" },
  { ENCRYPTED_EXTENSIONS, "encrypted_extensions" },
  { CERTIFICATE,          "certificate" },
  { SERVER_KEY_EXCHANGE,  "server_key_exchange" },
  { CERTIFICATE_REQUEST,  "certificate_request" },
  { SERVER_HELLO_DONE,    "server_hello_done" },
  { CERTIFICATE_VERIFY,   "certificate_verify" },
  { CLIENT_KEY_EXCHANGE,  "client_key_exchange" },
  { FINISHED,             "finished" },
  { KEY_UPDATE,           "key_update" },
  { MESSAGE_HASH,         "message_hash" },
};

/* clang-format on */

const char *
alert_name (uint8_t description)
{
  return FIND_NAME (alerts, description);
}

const char *
suite_name (uint16_t suite)
{
  return FIND_NAME (suites, suite);
}

const char *
group_name (uint16_t group)
{
  return FIND_NAME (groups, group);
}

const char *
signature_name (uint16_t scheme)
{
  return FIND_NAME (signatures, scheme);
}

const char *
handshake_type_name (uint8_t type)
{
  return FIND_NAME (handshake_types, type);
}
