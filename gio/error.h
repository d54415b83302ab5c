/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Why a connection is over, and what GIO calls that. */

#pragma once

#include "dtls.h"

#include <gio/gio.h>

typedef struct
{
  enum dtls_error error;
  int peer_alert;          /* with DTLS_ERROR_PEER_ALERT; -1 for none */
  bool lacked_certificate; /* a client that was asked for a certificate and had none */
} MoatFailure;

/* GDatagramBased allows G_IO_ERROR_TIMED_OUT only to calls that were given a time. */
typedef enum
{
  MOAT_MAY_NOT_TIME_OUT,
  MOAT_MAY_TIME_OUT,
} MoatTimeoutClass;

static inline MoatTimeoutClass
moat_timeout_class (gint64 timeout)
{
  return timeout > 0 ? MOAT_MAY_TIME_OUT : MOAT_MAY_NOT_TIME_OUT;
}

GError *moat_error_new (const MoatFailure *failure, MoatTimeoutClass timeout_class);

void moat_error_set_closed (GError **error);
void moat_error_set_timed_out (GError **error);
void moat_error_set_would_block (GError **error);
