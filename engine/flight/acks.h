/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which record numbers we owe the peer an ACK of, RFC 9147 §7: the newest of those that brought
 * handshake messages since our last flight of the handshake. It stays when it was sent: the next
 * ACK says it all again, as the last one may have been lost. */

#pragma once

#include "types.h"
#include "wire/ack.h"

enum
{
  MAX_OWED_ACKS = 32, /* RFC 9147 §7 asks for no number; more than a flight of ten kB has */
};

struct acks
{
  uint64_t owed[MAX_OWED_ACKS]; /* epoch in the top 16 bits, number below: in rising order */
  size_t n;
};

/* `epoch` at most 65535, `number` below 2^48. One that is there already is there once; the lowest
 * goes when it is full. */
void acks_add (struct acks *acks, uint16_t epoch, uint64_t number);
void acks_clear (struct acks *acks);
/* The body of an ACK of at most `room` bytes: the newest numbers that fit, in rising order. False,
 * and nothing written, if not even one fits, or nothing is owed. */
bool acks_write (const struct acks *acks, struct writer *writer, size_t room) DTLS_MUST_CHECK;
