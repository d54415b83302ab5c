/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/codepoints: the numbers and names of IANA's registries. */

#include "tap.h"
#include "wire/codepoints.h"

struct row
{
  unsigned value;
  const char *name; /* NULL: it has none */
};

/* Numbers are spelled out here, so that a slip in the enum shows. */
static void
alerts_are_named_as_registered (void)
{
  static const struct row rows[] = {
    { 0, "close_notify" },
    { 10, "unexpected_message" },
    { 20, "bad_record_mac" },
    { 21, "decryption_failed" },
    { 22, "record_overflow" },
    { 30, "decompression_failure" },
    { 40, "handshake_failure" },
    { 41, "no_certificate" },
    { 42, "bad_certificate" },
    { 43, "unsupported_certificate" },
    { 44, "certificate_revoked" },
    { 45, "certificate_expired" },
    { 46, "certificate_unknown" },
    { 47, "illegal_parameter" },
    { 48, "unknown_ca" },
    { 49, "access_denied" },
    { 50, "decode_error" },
    { 51, "decrypt_error" },
    { 52, "too_many_cids_requested" },
    { 60, "export_restriction" },
    { 70, "protocol_version" },
    { 71, "insufficient_security" },
    { 80, "internal_error" },
    { 86, "inappropriate_fallback" },
    { 90, "user_canceled" },
    { 100, "no_renegotiation" },
    { 109, "missing_extension" },
    { 110, "unsupported_extension" },
    { 111, "certificate_unobtainable" },
    { 112, "unrecognized_name" },
    { 113, "bad_certificate_status_response" },
    { 114, "bad_certificate_hash_value" },
    { 115, "unknown_psk_identity" },
    { 116, "certificate_required" },
    { 117, "general_error" },
    { 120, "no_application_protocol" },
    { 121, "ech_required" },
  };
  size_t n_named = 0;

  for (size_t i = 0; i < TAP_N (rows); i++)
    CHECK_TEXT (alert_name ((uint8_t) rows[i].value), rows[i].name);

  for (unsigned value = 0; value <= UINT8_MAX; value++)
    n_named += alert_name ((uint8_t) value) != NULL;
  CHECK_UINT (n_named, TAP_N (rows));
}

static void
check_names (const struct row *rows, size_t n, const char *(*name) (uint16_t))
{
  size_t n_named = 0;

  for (size_t i = 0; i < n; i++)
    CHECK_TEXT (name ((uint16_t) rows[i].value), rows[i].name);

  for (unsigned value = 0; value <= UINT16_MAX; value++)
    n_named += name ((uint16_t) value) != NULL;
  CHECK_UINT (n_named, n);
}

static void
suites_are_named_as_registered (void)
{
  static const struct row rows[] = {
    { 0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256" },
    { 0x00a9, "TLS_PSK_WITH_AES_256_GCM_SHA384" },
    { 0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" },
    { 0x1301, "TLS_AES_128_GCM_SHA256" },
    { 0x1302, "TLS_AES_256_GCM_SHA384" },
    { 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
    { 0x1304, "TLS_AES_128_CCM_SHA256" },
    { 0x5600, "TLS_FALLBACK_SCSV" },
    { 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
    { 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
    { 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    { 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
    { 0xc0a4, "TLS_PSK_WITH_AES_128_CCM" },
    { 0xc0a8, "TLS_PSK_WITH_AES_128_CCM_8" },
    { 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
    { 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
    { 0xccab, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256" },
    { 0xccac, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256" },
    { 0xd001, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256" },
    { 0xd002, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384" },
    { 0xd003, "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256" },
    { 0xd005, "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256" },
  };

  check_names (rows, TAP_N (rows), suite_name);
}

static void
groups_are_named_as_registered (void)
{
  static const struct row rows[] = {
    { 23, "secp256r1" }, { 24, "secp384r1" }, { 29, "x25519" }, { 0x11ec, "X25519MLKEM768" }
  };

  check_names (rows, TAP_N (rows), group_name);
}

static void
signatures_are_named_as_registered (void)
{
  static const struct row rows[] = {
    { 0x0401, "rsa_pkcs1_sha256" },
    { 0x0501, "rsa_pkcs1_sha384" },
    { 0x0601, "rsa_pkcs1_sha512" },
    { 0x0403, "ecdsa_secp256r1_sha256" },
    { 0x0503, "ecdsa_secp384r1_sha384" },
    { 0x0804, "rsa_pss_rsae_sha256" },
    { 0x0805, "rsa_pss_rsae_sha384" },
    { 0x0806, "rsa_pss_rsae_sha512" },
    { 0x0807, "ed25519" },
    { 0x0809, "rsa_pss_pss_sha256" },
    { 0x080a, "rsa_pss_pss_sha384" },
    { 0x080b, "rsa_pss_pss_sha512" },
  };

  check_names (rows, TAP_N (rows), signature_name);
}

static void
handshake_types_are_named_as_registered (void)
{
  static const struct row rows[] = {
    { 0, "hello_request" },        { 1, "client_hello" },       { 2, "server_hello" },
    { 3, "hello_verify_request" }, { 4, "new_session_ticket" }, { 5, "end_of_early_data" },
    { 8, "encrypted_extensions" }, { 11, "certificate" },       { 12, "server_key_exchange" },
    { 13, "certificate_request" }, { 14, "server_hello_done" }, { 15, "certificate_verify" },
    { 16, "client_key_exchange" }, { 20, "finished" },          { 24, "key_update" },
    { 254, "message_hash" },
  };
  size_t n_named = 0;

  for (size_t i = 0; i < TAP_N (rows); i++)
    CHECK_TEXT (handshake_type_name ((uint8_t) rows[i].value), rows[i].name);

  for (unsigned value = 0; value <= UINT8_MAX; value++)
    n_named += handshake_type_name ((uint8_t) value) != NULL;
  CHECK_UINT (n_named, TAP_N (rows));
}

static const struct tap_test tests[] = {
  { "/wire/codepoints/alerts-are-named-as-registered", alerts_are_named_as_registered },
  { "/wire/codepoints/suites-are-named-as-registered", suites_are_named_as_registered },
  { "/wire/codepoints/groups-are-named-as-registered", groups_are_named_as_registered },
  { "/wire/codepoints/signatures-are-named-as-registered", signatures_are_named_as_registered },
  { "/wire/codepoints/handshake-types-are-named-as-registered",
    handshake_types_are_named_as_registered },
};

TAP_MAIN (tests)
