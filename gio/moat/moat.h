/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Everything that Moat adds to GIO. What GIO has itself (GDtlsConnection, GDatagramBased) is used as
 * GIO documents it; a connection made through g_dtls_client_connection_new() is a MoatConnection
 * when Moat is the TLS backend of the process. */

#pragma once

#include <moat/moat-backend.h>
#include <moat/moat-client-connection.h>
#include <moat/moat-connection.h>
#include <moat/moat-context.h>
#include <moat/moat-macros.h>
#include <moat/moat-server-connection.h>
