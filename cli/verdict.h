/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A peer and what is wrong with it, in words. */

#pragma once

#include <gio/gio.h>

/* "it has expired and it names another host"; (transfer full). */
char *verdict_describe (GTlsCertificateFlags faults);

/* Reports what the handshake has agreed on, and with whom. */
void verdict_report_connection (GDtlsConnection *connection);
