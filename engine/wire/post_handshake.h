/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* NewSessionTicket of (D)TLS 1.2, RFC 5077 §3.3 (there still within the handshake), and of 1.3,
 * RFC 9846 §4.7.1; KeyUpdate, RFC 9846 §4.7.3. */

#pragma once

#include "wire/codepoints.h"
#include "wire/reader.h"
#include "wire/writer.h"

/* RFC 5077 §3.3. */
struct new_session_ticket_12
{
  uint32_t lifetime_hint; /* seconds; 0: not told */
  struct bytes ticket;    /* 0 to 2^16-1 bytes; none if the server thought better of it */
};

bool new_session_ticket_12_read (struct bytes message,
                                 struct new_session_ticket_12 *ticket) DTLS_MUST_CHECK;
void new_session_ticket_12_write (struct writer *writer,
                                  const struct new_session_ticket_12 *ticket);

/* RFC 9846 §4.7.1. */
struct new_session_ticket_13
{
  uint32_t
      lifetime; /* seconds; 0: to be discarded at once. Any value: above a week counts as one */
  uint32_t age_add;
  struct bytes nonce;      /* 0 to 255 bytes */
  struct bytes ticket;     /* 1 to 2^16-1 bytes */
  struct bytes extensions; /* a block, see extensions_read; may be empty */
};

bool new_session_ticket_13_read (struct bytes message,
                                 struct new_session_ticket_13 *ticket) DTLS_MUST_CHECK;
void new_session_ticket_13_write (struct writer *writer,
                                  const struct new_session_ticket_13 *ticket);

/* RFC 9846 §4.7.3: READ_ILLEGAL for a value that is neither of the two. */
enum read_result key_update_read (struct bytes message,
                                  enum key_update_request *out_request) DTLS_MUST_CHECK;
void key_update_write (struct writer *writer, enum key_update_request request);
