/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server's first ClientHello: which version it leads to. */

#pragma once

#include "handshake/machine.h"
#include "wire/extensions.h"
#include "wire/hello.h"

extern const struct table opening_server_table;

/* A hello and its extensions, by the rules that hold in both versions. */
enum dtls_error welcome_read (struct bytes message, struct client_hello *out_hello,
                              struct extensions *out_found) DTLS_MUST_CHECK;
/* The best version that the hello and what we can do have in common; an error if there is none. A pure
 * function: the stateless answer to a hello uses it too. */
enum dtls_error welcome_choose_version (const struct offer *ours, const struct client_hello *hello,
                                        const struct extensions *found,
                                        uint16_t *out_version) DTLS_MUST_CHECK;
