/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The names by which the runner knows errors. Where one of ours is several of BoringSSL's, all of them
 * are told; config.json says which names mean the same there. */

#include "options.h"

#include <stdio.h>

static const char *
token (enum dtls_error error)
{
  /* clang-format off */
  static const char *const tokens[N_DTLS_ERRORS] = {
    [DTLS_ERROR_DECODE]                    = "DECODE_ERROR",
    [DTLS_ERROR_ILLEGAL_PARAMETER]         = "ILLEGAL_PARAMETER",
    [DTLS_ERROR_UNEXPECTED_MESSAGE]        = "UNEXPECTED_MESSAGE",
    [DTLS_ERROR_EXCESS_HANDSHAKE_DATA]     = "EXCESS_HANDSHAKE_DATA",
    [DTLS_ERROR_MESSAGE_TOO_LONG]          = "EXCESSIVE_MESSAGE_SIZE",
    [DTLS_ERROR_RECORD_OVERFLOW]           = "DATA_LENGTH_TOO_LONG",
    [DTLS_ERROR_BAD_ALERT]                 = "UNKNOWN_ALERT_TYPE",
    [DTLS_ERROR_UNSUPPORTED_EXTENSION]     = "UNEXPECTED_EXTENSION",
    [DTLS_ERROR_MISSING_EXTENSION]         = "MISSING_EXTENSION",
    [DTLS_ERROR_DOWNGRADE]                 = "TLS13_DOWNGRADE",
    [DTLS_ERROR_RENEGOTIATION]             = "UNEXPECTED_RECORD",
    [DTLS_ERROR_BAD_SIGNATURE]             = "BAD_SIGNATURE",
    [DTLS_ERROR_BAD_FINISHED]              = "DIGEST_CHECK_FAILED",
    [DTLS_ERROR_PROTOCOL_VERSION]          = "UNSUPPORTED_PROTOCOL",
    [DTLS_ERROR_NO_SHARED_SUITE]           = "NO_SHARED_CIPHER",
    [DTLS_ERROR_NO_SHARED_PROTOCOL]        = "NO_APPLICATION_PROTOCOL",
    [DTLS_ERROR_CERTIFICATE_REJECTED]      = "CERTIFICATE_VERIFY_FAILED",
    [DTLS_ERROR_CERTIFICATE_REQUIRED]      = "PEER_DID_NOT_RETURN_A_CERTIFICATE",
    [DTLS_ERROR_UNKNOWN_PSK]               = "PSK_IDENTITY_NOT_FOUND",
    [DTLS_ERROR_TIMED_OUT]                 = "READ_TIMEOUT_EXPIRED",
    [DTLS_ERROR_KEY_UPDATE_LIMIT]          = "TOO_MANY_KEY_UPDATES",
    [DTLS_ERROR_MESSAGE_LIMIT]             = "overflow",
  };
  /* clang-format on */

  return (unsigned) error < N_DTLS_ERRORS && tokens[error] != NULL ? tokens[error] : "OTHER_ERROR";
}

/* The runner's tokens are in capitals. */
static void
tell_alert (const char *name)
{
  fprintf (stderr, ":TLSV1_ALERT_");
  for (; name != NULL && *name != '\0'; name++)
    fputc (*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, stderr);
  fprintf (stderr, ":\n");
}

void
errors_tell (const struct dtls_conn *conn)
{
  enum dtls_error error = dtls_conn_error (conn);

  if (error == DTLS_ERROR_PEER_ALERT)
    tell_alert (dtls_alert_name ((uint8_t) dtls_conn_peer_alert (conn)));
  errors_tell_refusal (error);
}

void
errors_tell_refusal (enum dtls_error error)
{
  fprintf (stderr, ":%s:\n%s\n", token (error), dtls_error_text (error));
}
