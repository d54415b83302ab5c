/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One table: what each error is called, and the alert that tells the peer of it. */

#include "dtls.h"
#include "handshake/suites.h"
#include "wire/codepoints.h"

struct error_row
{
  const char *text;
  int alert; /* -1: none is sent */
};

/* clang-format off */
static const struct error_row rows[N_DTLS_ERRORS] = {
  [DTLS_OK]                                     = { "no error", -1 },
  [DTLS_ERROR_DECODE]                           = { "a message could not be decoded", ALERT_DECODE_ERROR },
  [DTLS_ERROR_ILLEGAL_PARAMETER]                = { "a message has a value that may not be", ALERT_ILLEGAL_PARAMETER },
  [DTLS_ERROR_UNEXPECTED_MESSAGE]               = { "a message came that may not come now", ALERT_UNEXPECTED_MESSAGE },
  [DTLS_ERROR_EXCESS_HANDSHAKE_DATA]            = { "handshake data came beyond a change of keys", ALERT_UNEXPECTED_MESSAGE },
  [DTLS_ERROR_MESSAGE_TOO_LONG]                 = { "a handshake message is too long", ALERT_ILLEGAL_PARAMETER },
  [DTLS_ERROR_RECORD_OVERFLOW]                  = { "a record is too long", ALERT_RECORD_OVERFLOW },
  [DTLS_ERROR_BAD_ALERT]                        = { "an alert is malformed", ALERT_ILLEGAL_PARAMETER },
  [DTLS_ERROR_UNSUPPORTED_EXTENSION]            = { "an extension came that was not asked for", ALERT_UNSUPPORTED_EXTENSION },
  [DTLS_ERROR_MISSING_EXTENSION]                = { "an extension is missing", ALERT_MISSING_EXTENSION },
  [DTLS_ERROR_DOWNGRADE]                        = { "the version was forced down", ALERT_ILLEGAL_PARAMETER },
  [DTLS_ERROR_RENEGOTIATION]                    = { "the peer tried to renegotiate", ALERT_UNEXPECTED_MESSAGE },
  [DTLS_ERROR_RENEGOTIATION_INFO]               = { "renegotiation_info is missing, or does not fit a first handshake", ALERT_HANDSHAKE_FAILURE },
  [DTLS_ERROR_BAD_SIGNATURE]                    = { "a signature does not verify", ALERT_DECRYPT_ERROR },
  [DTLS_ERROR_BAD_FINISHED]                     = { "the peer's Finished does not verify", ALERT_DECRYPT_ERROR },
  [DTLS_ERROR_PROTOCOL_VERSION]                 = { "no protocol version in common", ALERT_PROTOCOL_VERSION },
  [DTLS_ERROR_INAPPROPRIATE_FALLBACK]           = { "the client fell back to a version below the best in common", ALERT_INAPPROPRIATE_FALLBACK },
  [DTLS_ERROR_NO_SHARED_SUITE]                  = { "no cipher suite in common", ALERT_HANDSHAKE_FAILURE },
  [DTLS_ERROR_NO_SHARED_GROUP]                  = { "no key exchange group in common", ALERT_HANDSHAKE_FAILURE },
  [DTLS_ERROR_NO_SHARED_SIGNATURE]              = { "no signature algorithm in common", ALERT_HANDSHAKE_FAILURE },
  [DTLS_ERROR_NO_SHARED_PROTOCOL]               = { "no application protocol in common", ALERT_NO_APPLICATION_PROTOCOL },
  [DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED]  = { "the peer has no extended master secret, which is required", ALERT_HANDSHAKE_FAILURE },
  [DTLS_ERROR_BAD_CERTIFICATE]                  = { "a certificate could not be read", ALERT_BAD_CERTIFICATE },
  [DTLS_ERROR_UNSUPPORTED_CERTIFICATE]          = { "a certificate's key is of no use here", ALERT_UNSUPPORTED_CERTIFICATE },
  [DTLS_ERROR_CERTIFICATE_REJECTED]             = { "the peer's certificate was not accepted", ALERT_BAD_CERTIFICATE },
  [DTLS_ERROR_CERTIFICATE_REQUIRED]             = { "the client sent no certificate, which is required", ALERT_HANDSHAKE_FAILURE },
  [DTLS_ERROR_UNKNOWN_PSK]                      = { "there is no pre-shared key of that identity", ALERT_UNKNOWN_PSK_IDENTITY },
  [DTLS_ERROR_PSK_REQUIRED]                     = { "the peer uses no pre-shared key, which is required", ALERT_HANDSHAKE_FAILURE },
  [DTLS_ERROR_NO_CREDENTIAL]                    = { "there is no certificate to present", ALERT_HANDSHAKE_FAILURE },
  [DTLS_ERROR_SIGNING_FAILED]                   = { "the private key could not sign", ALERT_INTERNAL_ERROR },
  [DTLS_ERROR_PEER_ALERT]                       = { "the peer ended the connection with an alert", -1 },
  [DTLS_ERROR_TIMED_OUT]                        = { "the peer did not answer in time", -1 },
  [DTLS_ERROR_RECORD_LIMIT]                     = { "no more records can be sent with these keys", ALERT_INTERNAL_ERROR },
  [DTLS_ERROR_FORGERY_LIMIT]                    = { "too many forged records for these keys", ALERT_BAD_RECORD_MAC },
  [DTLS_ERROR_KEY_UPDATE_LIMIT]                 = { "no epoch is left for other keys", ALERT_UNEXPECTED_MESSAGE },
  [DTLS_ERROR_MESSAGE_LIMIT]                    = { "no number is left for another handshake message", ALERT_INTERNAL_ERROR },
  [DTLS_ERROR_CLOSED]                           = { "the connection is closed", -1 },
  [DTLS_ERROR_NOT_CONNECTED]                    = { "the connection is not connected yet", -1 },
  [DTLS_ERROR_TOO_LARGE]                        = { "the message is too large for a record", -1 },
  [DTLS_ERROR_CONFIG]                           = { "the configuration is not usable, or leaves no version, suite or group", ALERT_INTERNAL_ERROR },
  [DTLS_ERROR_KEY]                              = { "the private key is of no kind that can sign", ALERT_INTERNAL_ERROR },
  [DTLS_ERROR_CRYPTO]                           = { "libcrypto failed", ALERT_INTERNAL_ERROR },
  [DTLS_ERROR_NO_MEMORY]                        = { "out of memory", ALERT_INTERNAL_ERROR },
};
/* clang-format on */

int
dtls_error_alert (enum dtls_error error)
{
  return (unsigned) error < N_DTLS_ERRORS ? rows[error].alert : -1;
}

const char *
dtls_error_text (enum dtls_error error)
{
  return (unsigned) error < N_DTLS_ERRORS ? rows[error].text : "unknown error";
}

const char *
dtls_alert_name (uint8_t description)
{
  return alert_name (description);
}

const char *
dtls_suite_name (uint16_t suite)
{
  return suite_find (suite) != NULL ? suite_name (suite) : NULL;
}

const char *
dtls_group_name (uint16_t group)
{
  return group_name (group);
}
