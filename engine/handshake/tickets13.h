/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server's tickets of 1.3, RFC 9846 §4.7.1: a session out of one that a client brings, and new ones
 * out of a handshake that is over. */

#pragma once

#include "handshake/machine.h"

/* Whether `identity` is a ticket of ours. If it is, and its session may resume here, `handshake->psk` is
 * its key and `handshake->session` what it says; nothing of that is proved before the binder is. May stop
 * to ask for the credential (then `handshake->wait` says so, and the call is to be repeated). */
enum dtls_error tickets13_open (struct handshake *handshake, struct bytes identity,
                                struct effects *effects, bool *out_is_ticket) DTLS_MUST_CHECK;
/* The key of `handshake->session` is proved: what it says of the client holds, and what is owed is paid. */
enum dtls_error tickets13_resume (struct handshake *handshake) DTLS_MUST_CHECK;
/* A flight of as many as are configured, for a client that can use them; or nothing. The resumption
 * secret is there. */
enum dtls_error tickets13_send (struct handshake *handshake,
                                struct effects *effects) DTLS_MUST_CHECK;
