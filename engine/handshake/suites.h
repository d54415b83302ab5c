/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The cipher suites we speak, what each is made of, and their default order. */

#pragma once

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"
#include "wire/codepoints.h"

enum suite_authentication
{
  SUITE_SIGNS_ECDSA, /* also EdDSA, RFC 8422 §5.1.3 */
  SUITE_SIGNS_RSA,
};

struct suite
{
  uint16_t code;
  enum suite_authentication authentication;
  enum aead_algorithm aead;
  enum hash hash; /* of the PRF and the transcript */
};

/* NULL for one that we do not speak. */
const struct suite *suite_find (uint16_t code);
/* Whether a server with a key of `kind` can use it. */
bool suite_fits_key (const struct suite *suite, enum key_kind kind);
/* AES first where the processor has instructions for it, ChaCha20 first elsewhere. */
const uint16_t *suite_defaults (size_t *out_n);
