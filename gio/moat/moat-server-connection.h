/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* MoatServerConnection: the server's side of a connection, a GDtlsServerConnection.
 *
 * Properties of its own:
 *
 *   cookies   boolean; ask the client to prove its address before anything is kept of it
 *             (RFC 6347 §4.2.1). TRUE on a GSocket, FALSE on other bases. On a GSocket that is not
 *             connected it is always TRUE: the first address that proves itself is the peer from
 *             then on.
 */

#pragma once

#include <moat/moat-connection.h>

G_BEGIN_DECLS

#define MOAT_TYPE_SERVER_CONNECTION (moat_server_connection_get_type ())
MOAT_DECLARE_TYPE (MoatServerConnection, moat_server_connection, SERVER_CONNECTION)

/**
 * moat_server_connection_new:
 * @base: what datagrams travel over
 * @certificate: (nullable): the server's, with its private key; may be set later instead
 * @error: place for an error
 *
 * Does what g_dtls_server_connection_new() does, whatever TLS backend the process has.
 *
 * Returns: (transfer full): a connection, or %NULL: %G_TLS_ERROR_BAD_CERTIFICATE for a certificate
 *   without its key, %G_IO_ERROR_NOT_SUPPORTED for a #GSocket that is not a datagram socket
 */
MOAT_AVAILABLE
MoatServerConnection *moat_server_connection_new (GDatagramBased *base,
                                                  GTlsCertificate *certificate, GError **error);

G_END_DECLS
