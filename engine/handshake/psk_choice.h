/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which of the pre-shared keys that a client of 1.3 offers its server takes, RFC 9846 §4.3.11. */

#pragma once

#include "handshake/hello13.h"
#include "handshake/machine.h"

/* Looks at the keys in the client's order, from where it stopped before, and takes the first that fits:
 * then `handshake->psk` is it, `handshake->suite` goes with it, the early secret is derived, and its
 * identity is number `handshake->n_psks_seen - 1`. May stop to ask someone outside (then
 * `handshake->wait` says so). The transcript ends with the hello. */
enum dtls_error psk_choice_go_on (struct handshake *handshake, const struct hello13 *hello,
                                  struct effects *effects) DTLS_MUST_CHECK;
