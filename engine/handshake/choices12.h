/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What kind of handshake a server of DTLS 1.2 answers a ClientHello with. */

#pragma once

#include "handshake/machine.h"

/* The suite, and what goes with it: our random, key share and session ID, the scheme that we sign by; or
 * the keys of the session that is resumed (`known->is_resumed`). Stops to ask for the credential if that
 * is looked at: then `handshake->suite` is still NULL, and this is to be called again. */
enum dtls_error choices12_make (struct handshake *handshake,
                                struct effects *effects) DTLS_MUST_CHECK;
