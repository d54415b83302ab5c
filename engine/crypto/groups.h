/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Ephemeral key exchange: generate and agree, or answer a value that came first. X25519 (RFC 7748),
 * P-256 and P-384 (uncompressed points, RFC 8422 §5.4.1); and for 1.3 alone X25519MLKEM768
 * (RFC 10024), of which the second side's value is made from the first side's. */

#pragma once

#include "types.h"

struct dtls_crypto;

enum
{
  MAX_ECDH_PUBLIC_LEN = 97, /* P-384, uncompressed: of what 1.2 can negotiate */
  MAX_PUBLIC_LEN = 1216, /* RFC 10024: ML-KEM-768's encapsulation key (1184), X25519's value (32) */
  MAX_SHARED_LEN = 64,   /* RFC 10024: ML-KEM's secret (32), X25519's (32) */
};

/* Our half of one exchange. */
struct key_share;

/* A fresh key; NULL if this libcrypto does not have the group or fails. */
struct key_share *key_share_new (struct dtls_crypto *crypto, uint16_t group);
void key_share_free (struct key_share *share);
uint16_t key_share_group (const struct key_share *share);
/* What goes to the peer; good as long as the share. */
struct bytes key_share_public (const struct key_share *share);

/* The shared secret (for the NIST curves the x-coordinate) to `out`, MAX_SHARED_LEN bytes. `share`
 * is one of key_share_new's. DTLS_ERROR_ILLEGAL_PARAMETER for a public value of wrong length or
 * form, one not on the curve, or an all-zero X25519 result (RFC 8422 §5.11). */
enum dtls_error key_share_agree (struct key_share *share, struct bytes peer_public, uint8_t *out,
                                 size_t *out_len) DTLS_MUST_CHECK;

/* The second side of an exchange at once: from what the peer has sent, our value to send back, for
 * the caller to free, and the shared secret, appended where there is room for MAX_SHARED_LEN bytes.
 * Nothing secret stays in the share, which key_share_agree does not take.
 * DTLS_ERROR_ILLEGAL_PARAMETER as above, and for an ML-KEM encapsulation key that fails FIPS 203's
 * check; on any error `*out_share` is NULL and nothing is appended. */
enum dtls_error key_share_answer (struct dtls_crypto *crypto, uint16_t group,
                                  struct bytes peer_public, struct key_share **out_share,
                                  struct dtls_buffer *out_secret) DTLS_MUST_CHECK;
