/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What both sides can do, and what they choose of it. */

#pragma once

#include "dtls.h"
#include "handshake/suites.h"
#include "wire/hello.h"

enum
{
  MAX_OFFERED_SUITES = 32,
  MAX_OFFERED_GROUPS = 32,
  MAX_OFFERED_SCHEMES = 64,
};

/* Lists in their owner's order of preference. What a peer names beyond the capacity, or what we do
 * not speak, is left out. */
struct offer
{
  uint16_t suites[MAX_OFFERED_SUITES];
  size_t n_suites;
  uint16_t groups[MAX_OFFERED_GROUPS];
  size_t n_groups;
  uint16_t schemes[MAX_OFFERED_SCHEMES];
  size_t n_schemes;
};

/* Our own offer: the configuration's lists or the defaults, less what libcrypto lacks and what no
 * version that is allowed has. Suites of 1.2 for pre-shared keys are in it only where there can be such
 * a key. False if no version then has all that it cannot do without. */
bool offer_from_config (struct offer *offer, const struct dtls_config *config,
                        const struct dtls_crypto *crypto) DTLS_MUST_CHECK;

/* From a peer's lists (big-endian pairs). */
void offer_take_suites (struct offer *offer, struct bytes list);
void offer_take_groups (struct offer *offer, struct bytes list);
void offer_take_schemes (struct offer *offer, struct bytes list);

/* Whether there is a suite of this version, with a group and a scheme if it needs them. A version that
 * is allowed but has none must be neither offered nor chosen. */
bool offer_has_version (const struct offer *offer, uint16_t version);
bool offer_has_suite (const struct offer *offer, uint16_t suite);
bool offer_has_group (const struct offer *offer, uint16_t group);
bool offer_has_scheme (const struct offer *offer, uint16_t scheme);

/* Whether a version has it: key encapsulation is 1.3's alone (RFC 10024). */
bool group_is_of (uint16_t group, uint16_t version);
/* Whether a key of this kind signs messages by this scheme: 1.3 has no PKCS #1 (RFC 9846 §4.3.3), and an
 * ECDSA scheme names its curve there. */
bool scheme_is_of (uint16_t scheme, enum key_kind kind, uint16_t version);

/* Ours in our order, as far as the peer and the version have it; 0 or NULL for none. */
uint16_t choose_group (const struct offer *ours, const struct offer *theirs, uint16_t version);
/* 1.2, with a certificate's key of this kind. */
const struct suite *choose_suite_12 (const struct offer *ours, const struct offer *theirs,
                                     enum key_kind kind);
/* 1.2, with a pre-shared key; those of ECDHE only if the two have a group in common. */
const struct suite *choose_psk_suite_12 (const struct offer *ours, const struct offer *theirs);
const struct suite *choose_suite_13 (const struct offer *ours, const struct offer *theirs);
/* The same, of those with this hash: a pre-shared key goes with one only. */
const struct suite *choose_suite_13_of (const struct offer *ours, const struct offer *theirs,
                                        enum hash hash);
/* A scheme for a key of ours: one that names the key's own curve before one that only fits. */
uint16_t choose_scheme (const struct offer *ours, const struct offer *theirs, enum key_kind kind,
                        uint16_t version);
/* RFC 8422 §5.3: whether the peer takes a certificate whose key is of this kind; a curve must be
 * among its groups. */
bool offer_takes_key_kind (const struct offer *theirs, enum key_kind kind);

/* RFC 7301 §3.2: the first of our names that the peer has too; empty for none. */
struct bytes choose_protocol (struct bytes ours, struct bytes theirs);
