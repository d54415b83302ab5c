/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The session that a client offers to resume, of either version. */

#pragma once

#include "handshake/machine.h"

/* Reads the configuration's, and keeps it if it may be offered: `has_session` tells. In 1.2 it also
 * makes the session ID that our hello has. */
enum dtls_error session_offer_choose (struct handshake *handshake) DTLS_MUST_CHECK;
/* The ticket of a session of 1.2; empty without. */
struct bytes session_offer_ticket_12 (const struct handshake *handshake);
