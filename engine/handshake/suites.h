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
  SUITE_ECDHE_PSK, /* 1.2, RFC 8442, RFC 7905 */
  SUITE_PSK,       /* 1.2, RFC 5487, RFC 6655: no forward secrecy */
  SUITE_ANY,       /* 1.3, where it says nothing of that */
};

struct suite
{
  uint16_t code;
  uint16_t version; /* the only one that it is for */
  enum suite_authentication authentication;
  enum aead_algorithm aead;
  enum hash hash; /* of the PRF and the transcript */
};

/* NULL for one that we do not speak. */
const struct suite *suite_find (uint16_t code);
bool suite_is_psk (const struct suite *suite); /* 1.2's two kinds */
/* Whether a server with a key of `kind` can use it. Never for a suite of pre-shared keys. */
bool suite_fits_key (const struct suite *suite, enum key_kind kind);
/* Of both versions, 1.3's first; AES first, but on an x86 processor without instructions for it
 * ChaCha20. Those of pre-shared keys (of them only with forward secrecy), which count only where there
 * is such a key, before those of certificates. */
const uint16_t *suite_defaults (size_t *out_n);
