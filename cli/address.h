/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Where to go and where to listen: the addresses of the command line. */

#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* HOST:PORT or [V6]:PORT, or, with `may_lack_host`, PORT alone. `out_host` is NULL then. */
bool address_parse (const char *text, bool may_lack_host, char **out_host, guint16 *out_port,
                    GError **error);

/* Where `host` is: GSocketAddresses of that family, or of any for G_SOCKET_FAMILY_INVALID. NULL with an
 * error if there are none. Waits for the resolver. */
GList *address_resolve (const char *host, guint16 port, GSocketFamily family, GError **error);

/* "192.0.2.1:4433", "[2001:db8::1]:4433" */
char *address_to_string (GSocketAddress *address);
