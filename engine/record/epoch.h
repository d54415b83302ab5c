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

/* How a protected record looks. */
enum record_form
{
  RECORD_FORM_12, /* the header of the clear, RFC 6347 §4.1; the nonce partly explicit */
  RECORD_FORM_13, /* the unified header, RFC 9147 §4; number and type are hidden */
};

/* Flat: an epoch can be rebuilt from it. In 1.2 the IV is the salt of 4 bytes for AES-GCM and
 * AES-CCM (RFC 5288 §3, RFC 6655 §3), 12 bytes for ChaCha20-Poly1305 (RFC 7905 §2); in 1.3 always
 * 12. */
struct epoch_keys
{
  enum record_form form;
  enum aead_algorithm algorithm;
  uint8_t key[MAX_AEAD_KEY_LEN];
  uint8_t iv[MAX_IV_LEN];
  uint8_t number_key[MAX_AEAD_KEY_LEN]; /* 1.3, RFC 9147 §4.2.3 */
};

/* What of the nonce each record carries itself in 1.2: 8 bytes for AES-GCM and AES-CCM, nothing for
 * ChaCha20-Poly1305. In 1.3 no record does. */
size_t epoch_explicit_len (enum aead_algorithm algorithm);

struct epoch_write
{
  uint16_t number;
  bool is_protected;
  uint64_t next; /* of the next record; above MAX_RECORD_NUMBER nothing can be sealed any more */
  struct epoch_keys keys;
  struct aead *aead;        /* (owned) (nullable) a cache of keys */
  struct number_mask *mask; /* (owned) (nullable) 1.3: another */
};

struct epoch_read
{
  uint16_t number;
  bool is_protected;
  struct epoch_keys keys;
  struct aead *aead;        /* (owned) (nullable) a cache of keys */
  struct number_mask *mask; /* (owned) (nullable) 1.3: another */
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

/* Header, explicit nonce, in 1.3 the hidden type, and tag: what a record of this epoch is longer than
 * its plaintext. In 1.3 a record of AES-CCM-8 with less than 7 bytes of it is padded to that size. */
size_t epoch_overhead (const struct epoch_write *epoch);
/* Whether so many records were sealed that it is time for new keys, RFC 9147 §4.5.3: half of what
 * the keys may seal (2^24.5 for AES-GCM, 2^23 for AES-CCM), or of the numbers there are. In 1.2,
 * where there are no new keys, never asked. */
bool epoch_wants_update (const struct epoch_write *epoch);
/* The same of the peer's keys, by the highest number that opened. */
bool epoch_read_wants_update (const struct epoch_read *epoch);
/* Whether no number is left, or, in 1.3, the keys may seal no more. */
bool epoch_is_at_seal_limit (const struct epoch_write *epoch);
/* Whether so many records failed to authenticate that the keys are no longer safe: RFC 9147 §4.5.3's
 * figures for both versions, 2^36 for AES-GCM and ChaCha20-Poly1305, 2^23.5 for AES-CCM, 2^7 for
 * AES-CCM-8. */
bool epoch_is_at_forgery_limit (const struct epoch_read *epoch);

/* The AEAD nonce of a record, and its additional data in 1.2. Nonces come from counters only. */
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

/* Of either form. */
void epoch_nonce (const struct epoch_keys *keys, uint16_t epoch, uint64_t number,
                  uint8_t out[AEAD_NONCE_LEN]);
/* 1.2; in 1.3 it is the record's header. */
void epoch_additional (uint16_t epoch, const struct epoch_record *record,
                       uint8_t out[ADDITIONAL_LEN]);
