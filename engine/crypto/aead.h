/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sealing and opening with a suite's cipher: one keyed context per direction and epoch, of which
 * only the nonce changes from record to record. */

#pragma once

#include "types.h"

struct dtls_crypto;

enum aead_algorithm
{
  AEAD_AES_128_GCM,
  AEAD_AES_256_GCM,
  AEAD_CHACHA20_POLY1305,
  AEAD_AES_128_CCM,
  AEAD_AES_128_CCM_8, /* RFC 6655: a tag of 8 bytes */
};

enum
{
  AEAD_NONCE_LEN = 12,
  MAX_AEAD_TAG_LEN = 16,
  MAX_AEAD_KEY_LEN = 32,
};

size_t aead_key_len (enum aead_algorithm algorithm);
size_t aead_tag_len (enum aead_algorithm algorithm);
/* In (D)TLS 1.2, what of the nonce is derived with the keys: the salt of AES-GCM and AES-CCM (RFC
 * 5288 §3, RFC 6655 §3), all of it for ChaCha20-Poly1305 (RFC 7905 §2). */
size_t aead_fixed_iv_len (enum aead_algorithm algorithm);

enum aead_direction
{
  AEAD_SEALS,
  AEAD_OPENS,
};

/* A keyed context. Not to be used from two threads at once. */
struct aead;

/* `key` holds aead_key_len bytes. NULL if libcrypto fails. */
struct aead *aead_new (struct dtls_crypto *crypto, enum aead_algorithm algorithm,
                       enum aead_direction direction, const uint8_t *key);
void aead_free (struct aead *aead);

struct aead_input
{
  const uint8_t *nonce; /* AEAD_NONCE_LEN */
  struct bytes additional;
};

/* Encrypts the parts one after the other to `out`, which takes their sum and aead_tag_len bytes. A
 * part may be `out` itself at the same place (in place), but may not overlap it otherwise. No
 * allocation. */
bool aead_seal (struct aead *aead, const struct aead_input *input, const struct bytes *parts,
                size_t n_parts, uint8_t *out) DTLS_MUST_CHECK;
/* Opens `len` bytes, the tag last, in place: the plaintext has len - aead_tag_len bytes. False if
 * `len` is shorter than a tag or it does not authenticate; the bytes are then wiped or still
 * ciphertext, never unauthenticated plaintext. No allocation, but for the note that libcrypto makes
 * of an AES-CCM tag that does not fit, and which is taken back. */
bool aead_open (struct aead *aead, const struct aead_input *input, uint8_t *at,
                size_t len) DTLS_MUST_CHECK;
