/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Engine errors become GErrors here and nowhere else: one table for errors, one for the peer's
 * alerts. */

#include "gio/error.h"

typedef enum
{
  DOMAIN_TLS,
  DOMAIN_IO,
} Domain;

typedef struct
{
  Domain domain;
  int code;
} Code;

/* Engine errors that are not named here are G_TLS_ERROR_MISC. */
/* clang-format off */
static const Code codes[N_DTLS_ERRORS] = {
  [DTLS_ERROR_INAPPROPRIATE_FALLBACK]  = { DOMAIN_TLS, G_TLS_ERROR_INAPPROPRIATE_FALLBACK },
  [DTLS_ERROR_BAD_CERTIFICATE]         = { DOMAIN_TLS, G_TLS_ERROR_BAD_CERTIFICATE },
  [DTLS_ERROR_UNSUPPORTED_CERTIFICATE] = { DOMAIN_TLS, G_TLS_ERROR_BAD_CERTIFICATE },
  [DTLS_ERROR_CERTIFICATE_REJECTED]    = { DOMAIN_TLS, G_TLS_ERROR_BAD_CERTIFICATE },
  [DTLS_ERROR_CERTIFICATE_REQUIRED]    = { DOMAIN_TLS, G_TLS_ERROR_CERTIFICATE_REQUIRED },
  [DTLS_ERROR_KEY]                     = { DOMAIN_TLS, G_TLS_ERROR_BAD_CERTIFICATE },
  [DTLS_ERROR_TIMED_OUT]               = { DOMAIN_IO, G_IO_ERROR_TIMED_OUT },
  [DTLS_ERROR_CLOSED]                  = { DOMAIN_IO, G_IO_ERROR_CLOSED },
  [DTLS_ERROR_NOT_CONNECTED]           = { DOMAIN_IO, G_IO_ERROR_NOT_CONNECTED },
  [DTLS_ERROR_TOO_LARGE]               = { DOMAIN_IO, G_IO_ERROR_MESSAGE_TOO_LARGE },
  [DTLS_ERROR_CONFIG]                  = { DOMAIN_IO, G_IO_ERROR_INVALID_ARGUMENT },
};
/* clang-format on */

/* RFC 5246 §7.2.2, RFC 7507 §4 and RFC 8446 §6.2. */
enum
{
  ALERT_HANDSHAKE_FAILURE = 40,
  ALERT_INAPPROPRIATE_FALLBACK = 86,
  ALERT_CERTIFICATE_REQUIRED = 116,
};

static int
code_of_alert (const MoatFailure *failure)
{
  if (failure->peer_alert == ALERT_INAPPROPRIATE_FALLBACK)
    return G_TLS_ERROR_INAPPROPRIATE_FALLBACK;
  if (failure->peer_alert == ALERT_CERTIFICATE_REQUIRED)
    return G_TLS_ERROR_CERTIFICATE_REQUIRED;
  /* RFC 5246 §7.4.6: a server that misses the client's certificate may answer with this alert;
   * there is no other sign of it in DTLS 1.2. */
  if (failure->peer_alert == ALERT_HANDSHAKE_FAILURE && failure->lacked_certificate)
    return G_TLS_ERROR_CERTIFICATE_REQUIRED;

  return G_TLS_ERROR_MISC;
}

static GError *
error_of_alert (const MoatFailure *failure)
{
  const char *name = NULL;

  if (failure->peer_alert >= 0)
    name = dtls_alert_name ((uint8_t) failure->peer_alert);

  if (name == NULL)
    return g_error_new (G_TLS_ERROR, code_of_alert (failure),
                        "The peer ended the DTLS connection with alert %d", failure->peer_alert);

  return g_error_new (G_TLS_ERROR, code_of_alert (failure),
                      "The peer ended the DTLS connection: %s", name);
}

GError *
moat_error_new (const MoatFailure *failure, MoatTimeoutClass timeout_class)
{
  Code code = codes[failure->error];

  if (failure->error == DTLS_ERROR_PEER_ALERT)
    return error_of_alert (failure);

  if (failure->error == DTLS_ERROR_TIMED_OUT && timeout_class == MOAT_MAY_NOT_TIME_OUT)
    code.code = G_IO_ERROR_HOST_UNREACHABLE;
  if (code.domain == DOMAIN_TLS && code.code == 0)
    code.code = G_TLS_ERROR_MISC;

  return g_error_new (code.domain == DOMAIN_TLS ? G_TLS_ERROR : G_IO_ERROR, code.code, "DTLS: %s",
                      dtls_error_text (failure->error));
}

void
moat_error_set_closed (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The DTLS connection is closed");
}

void
moat_error_set_timed_out (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                       "The time for a DTLS operation ran out");
}

void
moat_error_set_would_block (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
                       "A DTLS operation would have to wait");
}
