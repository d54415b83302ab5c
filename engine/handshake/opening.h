/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client's beginning: its ClientHello, and finding out which version the server answers with. */

#pragma once

#include "handshake/machine.h"

/* Sends a ClientHello with the cookies, shares and keys that the handshake keeps: whatever does not
 * come of those is the same in every one (RFC 6347 §4.2.1, RFC 9846 §4.2.2). */
enum dtls_error opening_send (struct handshake *handshake, struct effects *effects) DTLS_MUST_CHECK;
/* Whether our ClientHello has this extension: a server may answer no other. */
bool opening_has_extension (const struct handshake *handshake, unsigned extension_index);
/* What it says as record_size_limit. */
uint16_t opening_record_size_limit (const struct handshake *handshake);

extern const struct table opening_client_table;
