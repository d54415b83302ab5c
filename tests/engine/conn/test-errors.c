/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every error has its own text, and the alert that its RFC names. */

#include "dtls.h"
#include "tap.h"
#include "wire/codepoints.h"

static void
test_every_error_has_a_text_of_its_own (void)
{
  for (unsigned i = 0; i < N_DTLS_ERRORS; i++)
    {
      CHECK (dtls_error_text ((enum dtls_error) i) != NULL);
      for (unsigned j = 0; j < i; j++)
        CHECK (strcmp (dtls_error_text ((enum dtls_error) i), dtls_error_text ((enum dtls_error) j))
               != 0);
    }
}

static void
test_every_alert_that_is_sent_has_a_name (void)
{
  for (unsigned i = 0; i < N_DTLS_ERRORS; i++)
    {
      int alert = dtls_error_alert ((enum dtls_error) i);

      CHECK (alert >= -1 && alert < 256);
      CHECK (alert == -1 || dtls_alert_name ((uint8_t) alert) != NULL);
      /* It closes nothing: a fatal alert is an error's. */
      CHECK (alert != ALERT_CLOSE_NOTIFY);
    }
}

struct alert_row
{
  enum dtls_error error;
  int alert;
};

/* clang-format off */
static const struct alert_row alert_rows[] = {
  { DTLS_OK,                                    -1 },
  { DTLS_ERROR_DECODE,                          50 },
  { DTLS_ERROR_ILLEGAL_PARAMETER,               47 },
  { DTLS_ERROR_UNEXPECTED_MESSAGE,              10 },
  { DTLS_ERROR_EXCESS_HANDSHAKE_DATA,           10 },
  { DTLS_ERROR_RECORD_OVERFLOW,                 22 },
  { DTLS_ERROR_UNSUPPORTED_EXTENSION,          110 },
  { DTLS_ERROR_DOWNGRADE,                       47 },
  { DTLS_ERROR_RENEGOTIATION,                   10 },
  { DTLS_ERROR_RENEGOTIATION_INFO,              40 },
  { DTLS_ERROR_BAD_SIGNATURE,                   51 },
  { DTLS_ERROR_BAD_FINISHED,                    51 },
  { DTLS_ERROR_PROTOCOL_VERSION,                70 },
  { DTLS_ERROR_INAPPROPRIATE_FALLBACK,          86 },
  { DTLS_ERROR_NO_SHARED_SUITE,                 40 },
  { DTLS_ERROR_NO_SHARED_GROUP,                 40 },
  { DTLS_ERROR_NO_SHARED_SIGNATURE,             40 },
  { DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED, 40 },
  { DTLS_ERROR_BAD_CERTIFICATE,                 42 },
  { DTLS_ERROR_UNSUPPORTED_CERTIFICATE,         43 },
  { DTLS_ERROR_CERTIFICATE_REQUIRED,            40 },
  { DTLS_ERROR_NO_CREDENTIAL,                   40 },
  { DTLS_ERROR_SIGNING_FAILED,                  80 },
  { DTLS_ERROR_PEER_ALERT,                      -1 },
  { DTLS_ERROR_TIMED_OUT,                       -1 },
  { DTLS_ERROR_FORGERY_LIMIT,                   20 },
  { DTLS_ERROR_CLOSED,                          -1 },
  { N_DTLS_ERRORS,                              -1 },
};
/* clang-format on */

static void
test_alerts (void)
{
  for (size_t i = 0; i < TAP_N (alert_rows); i++)
    CHECK_UINT ((unsigned) dtls_error_alert (alert_rows[i].error), (unsigned) alert_rows[i].alert);
}

static const struct tap_test tests[] = {
  { "/conn/errors/every-error-has-a-text-of-its-own", test_every_error_has_a_text_of_its_own },
  { "/conn/errors/every-alert-that-is-sent-has-a-name", test_every_alert_that_is_sent_has_a_name },
  { "/conn/errors/alerts-are-those-of-the-rfcs", test_alerts },
};

TAP_MAIN (tests)
