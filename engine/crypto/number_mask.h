/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The mask that hides a DTLS 1.3 record's number (RFC 9147 §4.2.3), from a sample of its
 * ciphertext: one keyed context per direction and epoch. */

#pragma once

#include "crypto/aead.h"

enum
{
  NUMBER_SAMPLE_LEN = 16, /* RFC 9147 §4.2.3 */
  NUMBER_MASK_LEN = 2,    /* RFC 9147 §4: no record number on the wire is longer */
};

/* A keyed context. Not to be used from two threads at once. */
struct number_mask;

/* The cipher is the one inside the AEAD. `key` holds aead_key_len bytes. NULL if libcrypto fails.
 */
struct number_mask *number_mask_new (struct dtls_crypto *crypto, enum aead_algorithm algorithm,
                                     const uint8_t *key);
void number_mask_free (struct number_mask *mask);

/* Masking and unmasking are the same XOR, the caller's. False if libcrypto fails. No allocation. */
bool number_mask_make (struct number_mask *mask, const uint8_t sample[NUMBER_SAMPLE_LEN],
                       uint8_t out[NUMBER_MASK_LEN]) DTLS_MUST_CHECK;
