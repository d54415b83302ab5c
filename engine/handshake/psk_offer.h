/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The pre-shared keys that a client of 1.3 offers, RFC 9846 §4.3.11: the ticket of a session, then an
 * external key. */

#pragma once

#include "handshake/machine.h"

enum
{
  MAX_PSK_OFFERS = 2,
};

/* Borrowed from the session and the configuration. */
struct psk_offer
{
  enum psk_kind kind;
  enum hash hash;
  struct bytes identity;
  struct bytes key;
  uint32_t obfuscated_age;
};

/* Whether a client may have this key, which both versions offer; NULL for none is fine. */
bool psk_offers_allow (const struct dtls_psk *psk);
/* Those of our newest hello, in its order; of one that answers a HelloRetryRequest only what fits its
 * suite. */
size_t psk_offers (const struct handshake *handshake, struct psk_offer out[MAX_PSK_OFFERS]);
/* The most bytes that psk_offers_write writes. */
size_t psk_offers_len (const struct handshake *handshake);
/* The body of pre_shared_key, without binders yet; returns where they begin. */
size_t psk_offers_write (const struct handshake *handshake, struct writer *writer);
/* The binders of a whole hello of which `writer` holds nothing else; `binders` as psk_offers_write
 * returned it. The transcript ends before that hello. */
enum dtls_error psk_offers_bind (const struct handshake *handshake, struct writer *writer,
                                 size_t binders) DTLS_MUST_CHECK;
