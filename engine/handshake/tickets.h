/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Tickets: a session, sealed for whoever has the key. A name of 16 bytes, a random nonce of 12, then
 * AES-256-GCM over the session with all that as additional data. */

#pragma once

#include "dtls.h"

enum
{
  TICKET_OVERHEAD = 16 + 12 + 16,
};

/* Appends the ticket to `out`, which has room for `session.left` and TICKET_OVERHEAD. */
bool ticket_seal (struct dtls_crypto *crypto, const struct dtls_ticket_key *key,
                  struct bytes session, struct dtls_buffer *out) DTLS_MUST_CHECK;
/* Appends the session to `out`, which has room for `ticket.left`. False, and nothing appended, if none
 * of the keys opens it. */
struct ticket_ring
{
  const struct dtls_ticket_key *keys;
  size_t n;
};

bool ticket_open (struct dtls_crypto *crypto, const struct ticket_ring *ring, struct bytes ticket,
                  struct dtls_buffer *out) DTLS_MUST_CHECK;
