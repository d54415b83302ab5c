/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* MoatClientConnection: the client's side of a connection, a GDtlsClientConnection. */

#pragma once

#include <moat/moat-connection.h>

G_BEGIN_DECLS

#define MOAT_TYPE_CLIENT_CONNECTION (moat_client_connection_get_type ())
MOAT_DECLARE_TYPE (MoatClientConnection, moat_client_connection, CLIENT_CONNECTION)

/**
 * moat_client_connection_new:
 * @base: what datagrams travel over; a #GSocket must be connected
 * @identity: (nullable): whom the server's certificate must name
 * @error: place for an error
 *
 * Does what g_dtls_client_connection_new() does, whatever TLS backend the process has.
 *
 * Returns: (transfer full): a connection, or %NULL: %G_IO_ERROR_NOT_CONNECTED for an unconnected
 *   #GSocket, %G_IO_ERROR_NOT_SUPPORTED for one that is not a datagram socket
 */
MOAT_AVAILABLE
MoatClientConnection *moat_client_connection_new (GDatagramBased *base,
                                                  GSocketConnectable *identity, GError **error);

G_END_DECLS
