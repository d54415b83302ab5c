/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Plays a table of mischief and holds each outcome against its row. */

#pragma once

#include "mischief.h"
#include "tap.h"

#define NOTHING ((struct bytes){ NULL, 0 })

static inline void
check_row (const struct mischief *row, enum dtls_role puppet)
{
  struct outcome outcome = mischief_run (row, puppet);
  bool is_error = row->expected != CONNECTS && row->expected != SILENCE;
  int alert = dtls_error_alert ((enum dtls_error) row->expected);

  /* RFC 9846 §4.5.1: 1.3 has an alert of its own for it. */
  if (row->expected == DTLS_ERROR_CERTIFICATE_REQUIRED && (row->setup & IS_13))
    alert = ALERT_CERTIFICATE_REQUIRED;

  tap_set_row (row->name);
  CHECK_TEXT (outcome.broken, NULL);
  CHECK (outcome.has_played);
  if (!CHECK_UINT (outcome.became, row->expected) && outcome.became < N_DTLS_ERRORS)
    printf ("#   it became: %s\n", dtls_error_text ((enum dtls_error) outcome.became));
  /* Each error tells the peer with its alert; silence and success tell nothing. */
  if (!outcome.is_deaf)
    CHECK_UINT ((unsigned) outcome.alert, is_error ? (unsigned) alert : UINT32_MAX);
  CHECK_UINT (outcome.n_messages, 0);
  tap_set_row (NULL);
}

static inline void
check_rows (const struct mischief *rows, size_t n, enum dtls_role puppet)
{
  for (size_t i = 0; i < n; i++)
    check_row (&rows[i], puppet);
}

/* All of them with a setup that they have in common. */
static inline void
check_rows_with (const struct mischief *rows, size_t n, enum dtls_role puppet, unsigned setup)
{
  for (size_t i = 0; i < n; i++)
    {
      struct mischief row = rows[i];

      row.setup |= setup;
      check_row (&row, puppet);
    }
}
