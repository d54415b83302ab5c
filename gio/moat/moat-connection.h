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
 *   dtls-version            string, read-only; "1.2" or "1.3", or NULL while not connected;
 *                           GTlsProtocolVersion cannot name 1.3: GDtlsConnection's protocol-version is
 *                           G_TLS_PROTOCOL_VERSION_UNKNOWN then
 *   session-resumed         boolean, read-only; whether the handshake went on from an earlier
 *                           connection's session
 *   max-payload             uint, read-only; the longest message that fits a datagram; 0 while not
 *                           connected
 *
 * Signals, and the verdict on the peer with them, come in the context of the asynchronous handshake or,
 * without one, of the first call that did not wait, until the handshake is over. If nothing runs that
 * context any more, calls in other threads that wait for the handshake do so until their time is over;
 * g_dtls_connection_handshake() gives the verdict a place again.
 *
 * Sessions. A client resumes by itself what an earlier connection with the same context began, if the
 * server's identity and port, the database, the validation flags, our certificate and the protocols are the
 * same, and if the server's certificate was found good then with nothing overlooked: not by an
 * accept-certificate handler and not by validation flags. The certificate is verified again all the same,
 * and whoever is asked about a whole handshake is asked about this one. What a pre-shared key
 * authenticated it does not keep.
 *
 * Closing. A client that closes right after a handshake of 1.3 may have to send once more what the server
 * has not acknowledged: closing then takes as long as that, one second at most. A cancellable ends it at
 * once, and so does dropping the last reference.
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
 * Returns: (nullable): "1.2" or "1.3", or %NULL while not connected; static
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

/**
 * moat_connection_get_session_resumed:
 * @self: a connection
 *
 * Returns: whether it went on from an earlier connection's session; %FALSE while not connected
 */
MOAT_AVAILABLE
gboolean moat_connection_get_session_resumed (MoatConnection *self);

/**
 * moat_connection_dup_session:
 * @self: a client's connection
 *
 * What moat_connection_set_session() can resume, in this process or in another one. Servers send it at the
 * end of the handshake, in DTLS 1.3 a moment later. It holds secrets: whoever has it can take the client's
 * place in a resumed connection.
 *
 * Returns: (transfer full) (nullable): the newest session, or %NULL if there is none; in DTLS 1.3 there is
 *   never one with a pre-shared key
 */
MOAT_AVAILABLE
GBytes *moat_connection_dup_session (MoatConnection *self);

/**
 * moat_connection_set_session:
 * @self: a client's connection before its first I/O
 * @session: (nullable): what moat_connection_dup_session() gave, or %NULL for one of the context's own
 *
 * Offers this session to the server. One that is broken, too old or made for another name is not offered,
 * and the handshake is a whole one.
 *
 * The caller answers for where the bytes come from: the server's certificate is part of them. It is
 * verified like that of a whole handshake.
 */
MOAT_AVAILABLE
void moat_connection_set_session (MoatConnection *self, GBytes *session);

/**
 * moat_connection_dup_psk_identity:
 * @self: a connection
 *
 * A connection with a pre-shared key has no peer certificate, and accept-certificate is not emitted.
 *
 * Returns: (transfer full) (nullable): the identity of the pre-shared key that both sides proved to
 *   have, or %NULL if certificates were used, or while not connected
 */
MOAT_AVAILABLE
GBytes *moat_connection_dup_psk_identity (MoatConnection *self);

/**
 * moat_connection_update_keys:
 * @self: a connection
 * @request_peer: whether the peer is to change its keys too
 * @error: place for an error: %G_IO_ERROR_NOT_SUPPORTED in DTLS 1.2, %G_IO_ERROR_NOT_CONNECTED before
 *   the handshake is over
 *
 * Has the keys for sending changed (RFC 9147 §8), as soon as what is under way is acknowledged. Nobody has
 * to call this: it happens by itself long before keys wear out. Does not wait.
 *
 * Returns: whether it was begun
 */
MOAT_AVAILABLE
gboolean moat_connection_update_keys (MoatConnection *self, gboolean request_peer, GError **error);

G_END_DECLS
