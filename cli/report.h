/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What moat(1) says, all of it on standard error, and the status it ends with. Standard output belongs to
 * what the peer sends. */

#pragma once

#include <glib.h>
#include <stdbool.h>

/* moat(1), EXIT STATUS. */
enum status
{
  STATUS_OK = 0,
  STATUS_RUNTIME = 1,
  STATUS_USAGE = 2,
  STATUS_NO_ANSWER = 3,
  STATUS_HANDSHAKE = 4,
  STATUS_NOT_TRUSTED = 5,
  STATUS_NO_CREDENTIAL = 6, /* the peer asked for a certificate that we lack */
  STATUS_UNREADABLE = 7,    /* a certificate or key of ours */
  STATUS_ABORTED = 8,       /* by the peer, after the handshake */
  STATUS_SIGNAL = 128,      /* and the signal's number: 130 for SIGINT */
};

enum verbosity
{
  QUIET, /* errors and warnings */
  NORMAL,
  VERBOSE,
};

void report_set_verbosity (enum verbosity verbosity);

/* One line each, whatever the arguments hold: control characters, which a peer could send to play with
 * the terminal, are shown as question marks. */
void report_error (const char *format, ...) G_GNUC_PRINTF (1, 2);
void report_warning (const char *format, ...) G_GNUC_PRINTF (1, 2);
void report_status (const char *format, ...) G_GNUC_PRINTF (1, 2); /* not when quiet */
void report_detail (const char *format, ...) G_GNUC_PRINTF (1, 2); /* only when verbose */
