/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Who the peer is: its chain kept, the leaf's key imported, its signatures checked, and the
 * end-point hash. Chains are judged outside (DTLS_WAIT_VERDICT). */

#pragma once

#include "handshake/machine.h"

enum
{
  MAX_PEER_CHAIN = 100, /* certificates; nobody has ten */
};

/* Keeps the chain of a Certificate message. An empty one leaves `handshake->peer->chain` empty. A
 * leaf that may not sign as its role, or whose key is none of ours, is refused here. */
enum dtls_error authenticate_take_chain (struct handshake *handshake,
                                         struct bytes message) DTLS_MUST_CHECK;
/* The second half of it, for a chain that is in `handshake->peer->chain` and not empty. */
enum dtls_error authenticate_take_leaf (struct handshake *handshake) DTLS_MUST_CHECK;
/* Whether the peer's signature of `input` verifies with its leaf's key, by a scheme that we
 * offered. */
struct peer_signature
{
  uint16_t scheme;
  struct bytes signature;
};

enum dtls_error authenticate_check (struct handshake *handshake, struct bytes input,
                                    const struct peer_signature *signature) DTLS_MUST_CHECK;
/* RFC 5929 §4.1, of the server's leaf. */
enum dtls_error authenticate_end_point (struct handshake *handshake,
                                        struct bytes server_leaf) DTLS_MUST_CHECK;
/* Certificate: our chain, or an empty list without a credential. */
enum dtls_error authenticate_send_chain (struct handshake *handshake,
                                         struct effects *effects) DTLS_MUST_CHECK;

/* What a server's ServerKeyExchange signs, RFC 8422 §5.4: both randoms and the parameters. */
enum
{
  MAX_SIGNED_PARAMS_LEN = 2 * RANDOM_LEN + 4 + 255,
};

struct bytes authenticate_signed_params (const struct handshake *handshake, struct bytes params,
                                         uint8_t out[MAX_SIGNED_PARAMS_LEN]);
