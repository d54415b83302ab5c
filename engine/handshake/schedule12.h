/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The key schedule of (D)TLS 1.2: master secret, key block, Finished. */

#pragma once

#include "handshake/association.h"
#include "handshake/suites.h"

/* RFC 5246 §6.3, for AEADs: no MAC keys. IVs of 4 or 12 bytes, see record/epoch.h. */
struct key_block
{
  enum aead_algorithm algorithm;
  uint8_t client_key[MAX_AEAD_KEY_LEN];
  uint8_t server_key[MAX_AEAD_KEY_LEN];
  uint8_t client_iv[12];
  uint8_t server_iv[12];
};

/* RFC 7627 §4: the extended master secret, from the hash of the messages up to ClientKeyExchange.
 */
bool schedule12_extended_master (struct dtls_crypto *crypto, const struct suite *suite,
                                 struct bytes premaster, const uint8_t *session_hash,
                                 struct association *known) DTLS_MUST_CHECK;
/* RFC 5246 §8.1, from both randoms. */
bool schedule12_master (struct dtls_crypto *crypto, const struct suite *suite,
                        struct bytes premaster, struct association *known) DTLS_MUST_CHECK;
bool schedule12_key_block (struct dtls_crypto *crypto, const struct suite *suite,
                           const struct association *known, struct key_block *out) DTLS_MUST_CHECK;
/* RFC 5246 §7.4.9: `from` is who sends it. */
struct finished_input
{
  enum dtls_role from;
  const uint8_t *transcript_hash;
};

bool schedule12_finished (struct dtls_crypto *crypto, const struct suite *suite,
                          const struct association *known, const struct finished_input *input,
                          uint8_t out[VERIFY_DATA_LEN]) DTLS_MUST_CHECK;
