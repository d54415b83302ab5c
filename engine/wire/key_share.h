/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The bodies of the extension key_share, RFC 9846 §4.3.8. The one in a HelloRetryRequest is a group
 * alone: see selected_read in wire/extensions.h. */

#pragma once

#include "wire/reader.h"
#include "wire/writer.h"

/* KeyShareEntry. Whether the bytes are a public value of the group is not known here. */
struct key_share_entry
{
  uint16_t group;
  struct bytes key_exchange; /* 1 to 2^16-1 bytes */
};

/* client_shares in a ClientHello, for client_share_next; may be empty. READ_ILLEGAL if a group
 * comes twice. That each is among the hello's supported_groups is for the caller. */
enum read_result client_shares_read (struct bytes body, struct bytes *out_shares) DTLS_MUST_CHECK;
/* Takes the next share off a list that client_shares_read has checked; false at its end. */
bool client_share_next (struct bytes *shares, struct key_share_entry *out_share);
void client_shares_write (struct writer *writer, const struct key_share_entry *shares, size_t n);

/* server_share in a ServerHello. */
bool server_share_read (struct bytes body, struct key_share_entry *out_share) DTLS_MUST_CHECK;
void server_share_write (struct writer *writer, const struct key_share_entry *share);
