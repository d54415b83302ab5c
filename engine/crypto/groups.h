/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Ephemeral key exchange behind one pair of calls: generate, agree. X25519 (RFC 7748), P-256 and P-384
 * (uncompressed points, RFC 8422 §5.4.1). */

#pragma once

#include "types.h"

struct dtls_crypto;

enum
{
  MAX_PUBLIC_LEN = 97, /* P-384, uncompressed */
  MAX_SHARED_LEN = 48,
};

/* Our half of one exchange. */
struct key_share;

/* A fresh key; NULL if the group is none of ours or libcrypto fails. */
struct key_share *key_share_new (struct dtls_crypto *crypto, uint16_t group);
void key_share_free (struct key_share *share);
uint16_t key_share_group (const struct key_share *share);
/* What goes to the peer; good as long as the share. */
struct bytes key_share_public (const struct key_share *share);

/* The shared secret (for the NIST curves the x-coordinate) to `out`, MAX_SHARED_LEN bytes.
 * DTLS_ERROR_ILLEGAL_PARAMETER for a public value of wrong length or form, one not on the curve, or an
 * all-zero X25519 result (RFC 8422 §5.11). */
enum dtls_error key_share_agree (struct key_share *share, struct bytes peer_public, uint8_t *out,
                                 size_t *out_len) DTLS_MUST_CHECK;
