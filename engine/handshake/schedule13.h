/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The key schedule of DTLS 1.3, RFC 9846 §7.1, from the top down: early, handshake, master secret, and
 * what is derived from each. Every hash is the suite's; every secret as long as it. */

#pragma once

#include "handshake/association.h"
#include "handshake/suites.h"

struct schedule13
{
  enum hash hash;
  uint8_t secret[MAX_SECRET_LEN];           /* early, then handshake, then master secret */
  uint8_t client_handshake[MAX_SECRET_LEN]; /* traffic secrets of epoch 2 */
  uint8_t server_handshake[MAX_SECRET_LEN];
};

/* What one direction of one epoch is protected with, RFC 9846 §7.3 and RFC 9147 §4.2.3. */
struct traffic_keys
{
  enum aead_algorithm algorithm;
  uint8_t key[MAX_AEAD_KEY_LEN];
  uint8_t number_key[MAX_AEAD_KEY_LEN];
  uint8_t iv[AEAD_NONCE_LEN];
};

/* All of these: false if libcrypto fails; secrets are then wiped. `transcript_hash` has hash_len
 * bytes. */

/* The early secret. `psk` empty: none. */
bool schedule13_begin (struct dtls_crypto *crypto, enum hash hash, struct bytes psk,
                       struct schedule13 *schedule) DTLS_MUST_CHECK;
/* RFC 9846 §4.3.11.2, from the early secret: the binder over a hello that is cut off before its
 * binders. */
struct binder_input
{
  bool is_external; /* an external key, not a ticket's */
  const uint8_t *transcript_hash;
};

bool schedule13_binder (struct dtls_crypto *crypto, const struct schedule13 *schedule,
                        const struct binder_input *input, uint8_t *out) DTLS_MUST_CHECK;
/* From `shared` and the transcript up to ServerHello: the handshake's traffic secrets. */
bool schedule13_handshake (struct dtls_crypto *crypto, struct schedule13 *schedule,
                           struct bytes shared, const uint8_t *transcript_hash) DTLS_MUST_CHECK;
/* With the transcript up to the server's Finished: the first traffic secrets of applications, and the
 * exporter secret. */
bool schedule13_master (struct dtls_crypto *crypto, struct schedule13 *schedule,
                        const uint8_t *transcript_hash, struct association *known) DTLS_MUST_CHECK;
/* With the transcript up to the client's Finished. */
bool schedule13_resumption (struct dtls_crypto *crypto, const struct schedule13 *schedule,
                            const uint8_t *transcript_hash,
                            struct association *known) DTLS_MUST_CHECK;
/* RFC 9846 §4.5.3: the verify_data of a Finished by whoever has this traffic secret. */
bool schedule13_finished (struct dtls_crypto *crypto, enum hash hash, const uint8_t *traffic_secret,
                          const uint8_t *transcript_hash, uint8_t *out) DTLS_MUST_CHECK;
/* RFC 9846 §7.2: the traffic secret of the next epoch in place of this one. */
bool schedule13_update (struct dtls_crypto *crypto, enum hash hash,
                        uint8_t *traffic_secret) DTLS_MUST_CHECK;
bool schedule13_traffic_keys (struct dtls_crypto *crypto, const struct suite *suite,
                              const uint8_t *traffic_secret,
                              struct traffic_keys *out) DTLS_MUST_CHECK;
/* RFC 9846 §4.7.1: the key that goes with a ticket of this nonce. */
bool schedule13_ticket_psk (struct dtls_crypto *crypto, enum hash hash,
                            const struct association *known, struct bytes nonce,
                            uint8_t *out) DTLS_MUST_CHECK;
/* RFC 9846 §7.5: fills the room that `out` has. False also for more than 255 hash lengths, or a label
 * that is empty or longer than MAX_EXPAND_LABEL_LEN. */
struct export_input
{
  struct bytes label;
  struct bytes context;
};

bool schedule13_export (struct dtls_crypto *crypto, enum hash hash, const struct association *known,
                        const struct export_input *input, struct dtls_buffer *out) DTLS_MUST_CHECK;
