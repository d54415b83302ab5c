/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The ClientHello: what a client offers. */

#pragma once

#include "handshake/machine.h"

/* Sends it, with the cookie that the handshake keeps. The first one makes the random; the second is
 * the same but for its cookie (RFC 6347 §4.2.1). */
enum dtls_error opening_send (struct handshake *handshake, struct effects *effects) DTLS_MUST_CHECK;
/* Whether our ClientHello has this extension: a server may answer no other. */
bool opening_has_extension (const struct handshake *handshake, unsigned extension_index);
