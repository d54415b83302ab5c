/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* MoatContext: settings that many connections share, and what they remember for each other: a client's
 * sessions, a server's ticket keys.
 *
 * Properties: min-version and max-version, strings, "1.2" or "1.3"; what is neither of them changes
 * nothing, and is warned about.
 */

#pragma once

#include <moat/moat-macros.h>

G_BEGIN_DECLS

#define MOAT_TYPE_CONTEXT (moat_context_get_type ())
MOAT_DECLARE_TYPE (MoatContext, moat_context, CONTEXT)

/**
 * MoatKeylogFunc:
 * @context: the context of the connection
 * @line: a line of the key log format (RFC 9850), without its newline
 * @user_data: as given to moat_context_set_keylog_func()
 *
 * Called in whatever thread drives a connection, possibly in several at once, with no lock held.
 */
typedef void (*MoatKeylogFunc) (MoatContext *context, const char *line, gpointer user_data);

/**
 * moat_context_new:
 *
 * A context may be used by any number of connections and threads. What is set in it counts for
 * connections that do their first I/O afterwards.
 *
 * Returns: (transfer full): a context with the defaults
 */
MOAT_AVAILABLE
MoatContext *moat_context_new (void);

/**
 * moat_context_get_default:
 *
 * Returns: (transfer none): the context of every connection that was given none
 */
MOAT_AVAILABLE
MoatContext *moat_context_get_default (void);

/**
 * moat_context_set_keylog_func:
 * @self: a context
 * @func: (nullable) (scope notified) (closure user_data): what gets every connection's secrets, or
 *   %NULL
 * @user_data: handed to @func
 * @destroy: (nullable): frees @user_data when it is no longer needed
 *
 * Whoever sees these lines can read the traffic. They are meant for tools such as Wireshark.
 */
MOAT_AVAILABLE
void moat_context_set_keylog_func (MoatContext *self, MoatKeylogFunc func, gpointer user_data,
                                   GDestroyNotify destroy);

/**
 * moat_context_set_min_version:
 * @self: a context
 * @version: "1.2" or "1.3"
 * @error: place for an error: %G_IO_ERROR_INVALID_ARGUMENT for any other version
 *
 * The oldest version that connections use; "1.2" unless set. One that is newer than the newest fails at its
 * first I/O with %G_IO_ERROR_INVALID_ARGUMENT.
 *
 * Returns: whether @version was taken
 */
MOAT_AVAILABLE
gboolean moat_context_set_min_version (MoatContext *self, const char *version, GError **error);

/**
 * moat_context_get_min_version:
 * @self: a context
 *
 * Returns: the oldest version that connections use; static
 */
MOAT_AVAILABLE
const char *moat_context_get_min_version (MoatContext *self);

/**
 * moat_context_set_max_version:
 * @self: a context
 * @version: "1.2" or "1.3"
 * @error: place for an error: %G_IO_ERROR_INVALID_ARGUMENT for any other version
 *
 * The newest version that connections use; "1.3" unless set.
 *
 * Returns: whether @version was taken
 */
MOAT_AVAILABLE
gboolean moat_context_set_max_version (MoatContext *self, const char *version, GError **error);

/**
 * moat_context_get_max_version:
 * @self: a context
 *
 * Returns: the newest version that connections use; static
 */
MOAT_AVAILABLE
const char *moat_context_get_max_version (MoatContext *self);

/**
 * moat_context_set_cipher_suites:
 * @self: a context
 * @names: (nullable) (array zero-terminated=1): suites in order of preference by their IANA names,
 *   such as `TLS_AES_128_GCM_SHA256` for DTLS 1.3 or `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256` for 1.2;
 *   %NULL for the defaults
 * @error: place for an error: %G_IO_ERROR_INVALID_ARGUMENT for a name that Moat does not speak
 *
 * Returns: whether @names was taken; nothing changed if not
 */
MOAT_AVAILABLE
gboolean moat_context_set_cipher_suites (MoatContext *self, const char *const *names,
                                         GError **error);

/**
 * moat_context_dup_cipher_suites:
 * @self: a context
 *
 * Returns: (transfer full) (nullable) (array zero-terminated=1): what was set, or %NULL for the
 *   defaults
 */
MOAT_AVAILABLE
char **moat_context_dup_cipher_suites (MoatContext *self);

/**
 * moat_context_set_groups:
 * @self: a context
 * @names: (nullable) (array zero-terminated=1): key exchange groups in order of preference by their IANA
 *   names: `X25519MLKEM768`, `x25519`, `secp256r1`, `secp384r1`; %NULL for the defaults
 * @error: place for an error: %G_IO_ERROR_INVALID_ARGUMENT for a name that Moat does not speak
 *
 * A group that this machine's libcrypto does not have is left out (`X25519MLKEM768` needs 3.5). If none is
 * left, or no suite for a version that is allowed, a connection's first I/O fails with
 * %G_IO_ERROR_INVALID_ARGUMENT. No names at all are the defaults, too.
 *
 * Returns: whether @names was taken; nothing changed if not
 */
MOAT_AVAILABLE
gboolean moat_context_set_groups (MoatContext *self, const char *const *names, GError **error);

/**
 * moat_context_dup_groups:
 * @self: a context
 *
 * Returns: (transfer full) (nullable) (array zero-terminated=1): what was set, or %NULL for the
 *   defaults
 */
MOAT_AVAILABLE
char **moat_context_dup_groups (MoatContext *self);

/**
 * moat_context_set_psk:
 * @self: a context
 * @identity: (nullable): what the server knows the key by, 1 to 1024 bytes; %NULL to have none
 * @key: (nullable): the key, 1 to 256 bytes: 16 random ones or more (RFC 9257 §6), never a password;
 *   %NULL exactly if @identity is
 * @error: place for an error: %G_IO_ERROR_INVALID_ARGUMENT for one that is too long or empty
 *
 * Clients offer this key, which they have in common with the server, and need no certificate of a server
 * that has it. The server may choose certificates all the same; they are verified as always.
 *
 * Two programs that are each a client and a server of the other need two keys. Whoever uses one for both
 * can be made to talk to itself (RFC 9257 §4.1), so a server refuses the key that its own context offers
 * as a client.
 *
 * Returns: whether they were taken; nothing changed if not
 */
MOAT_AVAILABLE
gboolean moat_context_set_psk (MoatContext *self, GBytes *identity, GBytes *key, GError **error);

/**
 * MoatPskFunc:
 * @context: the context of the connection
 * @identity: what the client calls the key; anyone can have sent it
 * @user_data: as given to moat_context_set_psk_func()
 *
 * Called in whatever thread drives a connection, possibly in several at once, with no lock held; the
 * handshake waits for it. The key must not be one that is also used as a client: see
 * moat_context_set_psk().
 *
 * Returns: (transfer full) (nullable): the key of that name, 1 to 256 bytes, or %NULL if there is none:
 *   then the handshake goes on with certificates in DTLS 1.3 and fails in 1.2
 */
typedef GBytes *(*MoatPskFunc) (MoatContext *context, GBytes *identity, gpointer user_data);

/**
 * moat_context_set_psk_func:
 * @self: a context
 * @func: (nullable) (scope notified) (closure user_data): what finds the keys of clients, or %NULL
 * @user_data: handed to @func
 * @destroy: (nullable): frees @user_data when it is no longer needed
 *
 * Servers take pre-shared keys. One that has no certificate takes nothing else.
 */
MOAT_AVAILABLE
void moat_context_set_psk_func (MoatContext *self, MoatPskFunc func, gpointer user_data,
                                GDestroyNotify destroy);

/**
 * moat_context_set_ticket_secret:
 * @self: a context
 * @secret: 32 random bytes or more
 * @error: place for an error: %G_IO_ERROR_INVALID_ARGUMENT if it is shorter
 *
 * Servers in several processes or machines with the same secret, and clocks that agree, take each other's
 * tickets. Their keys change every twelve hours, and with them the tickets that are taken; a ticket is good
 * for twelve hours. Without this a context has random keys of its own, new ones as often, and
 * forgets them with the first connection after their time.
 *
 * A secret makes all its keys again. Whoever gets it, however much later, opens every ticket that was made
 * with it. So there is no forward secrecy for clients of DTLS 1.2 that took a ticket: what was recorded of
 * their connections, the first ones and those that resumed, can then be read. (In 1.3 each connection has a
 * key exchange of its own.) And they can take the place of every client whose proof is a ticket. Keep it as
 * you keep a private key, and replace it from time to time; the tickets of the old one are then whole
 * handshakes.
 *
 * Returns: whether @secret was taken
 */
MOAT_AVAILABLE
gboolean moat_context_set_ticket_secret (MoatContext *self, GBytes *secret, GError **error);

/**
 * moat_context_set_keeps_sessions:
 * @self: a context
 * @keeps_sessions: whether clients keep sessions, which later connections resume; %TRUE unless set
 */
MOAT_AVAILABLE
void moat_context_set_keeps_sessions (MoatContext *self, gboolean keeps_sessions);

/**
 * moat_context_get_keeps_sessions:
 * @self: a context
 *
 * Returns: whether clients keep sessions
 */
MOAT_AVAILABLE
gboolean moat_context_get_keeps_sessions (MoatContext *self);

G_END_DECLS
