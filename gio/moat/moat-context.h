/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* MoatContext: settings that many connections share. */

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
 * moat_context_set_cipher_suites:
 * @self: a context
 * @names: (nullable) (array zero-terminated=1): suites in order of preference by their IANA names,
 *   such as `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`; %NULL for the defaults
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

G_END_DECLS
