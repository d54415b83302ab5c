/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The name in a GSocketConnectable that a client tells the server. */

#pragma once

#include <gio/gio.h>

/* Returns: (transfer full) (nullable): a host name in ASCII, fit for server_name (RFC 6066 §3) */
char *moat_identity_server_name (GSocketConnectable *identity);
