/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Hashes, HMAC, comparison in constant time, and wiping. */

#pragma once

#include "types.h"

struct dtls_crypto;

enum hash
{
  HASH_SHA256,
  HASH_SHA384,
  HASH_SHA512,
};

enum
{
  MAX_HASH_LEN = 64,
};

size_t hash_len (enum hash hash);

/* `out` holds hash_len (hash) bytes. False if libcrypto fails. */
bool hash_once (struct dtls_crypto *crypto, enum hash hash, struct bytes input,
                uint8_t *out) DTLS_MUST_CHECK;

/* A running hash. */
struct digest;

struct digest *digest_new (struct dtls_crypto *crypto, enum hash hash);
void digest_free (struct digest *digest);
bool digest_update (struct digest *digest, struct bytes input) DTLS_MUST_CHECK;
/* The hash of what was put in so far; more may follow. */
bool digest_peek (struct digest *digest, uint8_t *out) DTLS_MUST_CHECK;

/* HMAC of the parts one after the other. */
struct hmac_input
{
  struct bytes key;
  const struct bytes *parts;
  size_t n_parts;
};

bool hmac_once (struct dtls_crypto *crypto, enum hash hash, const struct hmac_input *input,
                uint8_t *out) DTLS_MUST_CHECK;

bool equal_constant_time (const uint8_t *a, const uint8_t *b, size_t len);
/* Not optimised away. */
void wipe (void *at, size_t len);
/* Wipes and frees; NULL is fine. */
void wipe_free (void *at, size_t len);
