/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* MoatConnection: a DTLS connection over any GDatagramBased. It implements GDtlsConnection and
 * GDatagramBased; here is what it has beyond them.
 *
 * Properties of its own. All but the read-only ones count until the connection's first I/O; later
 * changes are kept and have no effect on it.
 *
 *   context                 MoatContext; shared settings; the default one unless set
 *   mtu                     uint, 0; the largest datagram to make, 256 to 65507 bytes; 0 takes the
 *                           path's as far as it is known, but at most 1400
 *   handshake-timeout       uint, 60000; ms from the first datagram to the end; 0: no limit
 *   retransmission-timeout  uint, 400; ms until an unanswered flight is sent again, at first
 *   max-certificate-size    uint, 100000; bytes of a peer's certificate chain, at most
 *   replay-window           uint, 256; records that may come late, 64 to 4096
 *   require-extended-master-secret
 *                           boolean, FALSE; fail without it (RFC 7627, DTLS 1.2)
 *   dtls-version            string, read-only; "1.2", or NULL while not connected; it can name
 *                           versions that GTlsProtocolVersion cannot
 *   max-payload             uint, read-only; the longest message that fits a datagram; 0 while not
 *                           connected
 *
 * Signals, and the verdict on the peer with them, come in the context of the asynchronous handshake or,
 * without one, of the first call that did not wait, until the handshake is over. If nothing runs that
 * context any more, calls in other threads that wait for the handshake do so until their time is over;
 * g_dtls_connection_handshake() gives the verdict a place again.
 *
 * Close the connection, not its base: closing a GSocket wakes nobody who waits for it, here no more than
 * in GSocket itself.
 */

#pragma once

#include <moat/moat-context.h>
#include <moat/moat-macros.h>

G_BEGIN_DECLS

#define MOAT_TYPE_CONNECTION (moat_connection_get_type ())
MOAT_DECLARE_TYPE (MoatConnection, moat_connection, CONNECTION)

/**
 * moat_connection_get_context:
 * @self: a connection
 *
 * Returns: (transfer none): its context
 */
MOAT_AVAILABLE
MoatContext *moat_connection_get_context (MoatConnection *self);

/**
 * moat_connection_set_context:
 * @self: a connection before its first I/O
 * @context: (nullable): a context, or %NULL for the default one
 */
MOAT_AVAILABLE
void moat_connection_set_context (MoatConnection *self, MoatContext *context);

/**
 * moat_connection_get_dtls_version:
 * @self: a connection
 *
 * Returns: (nullable): "1.2", or %NULL while not connected; static
 */
MOAT_AVAILABLE
const char *moat_connection_get_dtls_version (MoatConnection *self);

/**
 * moat_connection_get_max_payload:
 * @self: a connection
 *
 * Longer messages give %G_IO_ERROR_MESSAGE_TOO_LARGE.
 *
 * Returns: the bytes of the longest message that can be sent; 0 while not connected
 */
MOAT_AVAILABLE
guint moat_connection_get_max_payload (MoatConnection *self);

G_END_DECLS
