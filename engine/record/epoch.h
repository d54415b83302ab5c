/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Keys, next number and usage limits of one epoch and direction. */

#pragma once

#include "crypto/aead.h"
#include "record/replay.h"

#define MAX_RECORD_NUMBER ((UINT64_C (1) << 48) - 1) /* RFC 6347 §4.1 */

enum
{
  MAX_IV_LEN = 12,
};

/* Flat: an epoch can be rebuilt from it. The IV is the salt of 4 bytes for AES-GCM (RFC 5288 §3),
 * 12 bytes for ChaCha20-Poly1305 (RFC 7905 §2). */
struct epoch_keys
{
  enum aead_algorithm algorithm;
  uint8_t key[MAX_AEAD_KEY_LEN];
  uint8_t iv[MAX_IV_LEN];
};

/* What of the nonce each record carries itself: 8 bytes for AES-GCM, nothing for
 * ChaCha20-Poly1305. */
size_t epoch_explicit_len (enum aead_algorithm algorithm);

struct epoch_write
{
  uint16_t number;
  bool is_protected;
  uint64_t next; /* of the next record; above MAX_RECORD_NUMBER nothing can be sealed any more */
  struct epoch_keys keys;
  struct aead *aead; /* (owned) (nullable) a cache of keys */
};

struct epoch_read
{
  uint16_t number;
  bool is_protected;
  struct epoch_keys keys;
  struct aead *aead; /* (owned) (nullable) a cache of keys */
  struct replay replay;
  uint64_t n_forged; /* records that did not authenticate */
};

/* The unprotected epoch 0. */
void epoch_write_init_plain (struct epoch_write *epoch, uint64_t next);
void epoch_read_init_plain (struct epoch_read *epoch);
/* False if libcrypto fails; the epoch is then cleared. */
bool epoch_write_init (struct epoch_write *epoch, struct dtls_crypto *crypto, uint16_t number,
                       const struct epoch_keys *keys) DTLS_MUST_CHECK;
bool epoch_read_init (struct epoch_read *epoch, struct dtls_crypto *crypto, uint16_t number,
                      const struct epoch_keys *keys) DTLS_MUST_CHECK;
/* The window has 256 records until then; what it rejected it rejects for ever. */
void epoch_read_set_window (struct epoch_read *epoch, size_t n_records);
/* Wipes and frees. A cleared epoch seals and opens nothing: DTLS_ERROR_RECORD_LIMIT,
 * DTLS_DROP_EPOCH. */
void epoch_write_clear (struct epoch_write *epoch);
void epoch_read_clear (struct epoch_read *epoch);

/* Header, explicit nonce and tag: what a record of this epoch is longer than its plaintext. */
size_t epoch_overhead (const struct epoch_write *epoch);
/* Whether so many records failed to authenticate that the keys are no longer safe (RFC 9147
 * §4.5.3's figures: 2^36 for the three AEADs). */
bool epoch_is_at_forgery_limit (const struct epoch_read *epoch);

/* The AEAD nonce and additional data of a record in DTLS 1.2. Nonces come from counters only. */
struct epoch_record
{
  uint8_t type;
  uint16_t version;
  uint64_t number;
  size_t plaintext_len;
};

enum
{
  ADDITIONAL_LEN = 13, /* RFC 5246 §6.2.3.3 */
};

void epoch_nonce (const struct epoch_keys *keys, uint16_t epoch, uint64_t number,
                  uint8_t out[AEAD_NONCE_LEN]);
void epoch_additional (uint16_t epoch, const struct epoch_record *record,
                       uint8_t out[ADDITIONAL_LEN]);
