/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A fuzzer's input as a conversation: two engines shake hands on the harness of tests/engine/pair.h, and the input
 * says how far they get and what happens to one of them on the way. So every state is reached, also those behind keys
 * that no input could guess. The first byte chooses the setting (with 64 in it, another byte of settings follows), then
 * come commands, each with its arguments:
 *
 *   0             the next delivery or deadline
 *   1 n           so many of them
 *   2             the next datagram on its way is lost
 *   3 hi lo x     the byte at that offset of it is turned by x, and it arrives
 *   4 n bytes     a datagram comes out of the blue
 *   5 t e n bytes a record of type t in epoch e, in the clear
 *   6 t n bytes   a record of type t under the peer's keys, if it has any
 *   7             what came last comes again
 *   8 n           n tenths of a second pass
 *   9 n           the other end sends n bytes
 *   10            the other end closes
 *   11            this end closes
 *   12 b          this end wants new keys, with b odd of the other end too
 *   13 b          the other end does
 *   14 e n        an ACK of record n of epoch e under the peer's keys
 *   15 t n bytes  a whole handshake message of type t, with the number that is due, under the peer's keys
 */

#pragma once

#include "dtls.h"

/* Plays it against an engine in that role, and checks what must hold whatever happens. */
void conversation_run (struct bytes input, enum dtls_role role);

/* A server's and a client's identity, made up when the program starts. */
const struct identity *conversation_identity (void);
