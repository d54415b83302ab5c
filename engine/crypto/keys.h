/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The insides of public and private keys, for crypto/ only. */

#pragma once

#include "crypto/public_key.h"

#include <openssl/evp.h>

struct public_key
{
  EVP_PKEY *pkey; /* (owned) */
  enum key_kind kind;
  bool has_pss_hash; /* then it verifies signatures with `pss_hash` only */
  enum hash pss_hash;
};

struct dtls_key
{
  EVP_PKEY *pkey; /* (owned) libcrypto keeps a private KEY_RSA_PSS to its own parameters */
  enum key_kind kind;
};

/* RSA keys that we use, public and private ones. */
enum
{
  MIN_RSA_BITS = 2048, /* RFC 9325 §4.5 */
  MAX_RSA_BITS = 8192, /* 8 * MAX_SIGNATURE_LEN */
};
