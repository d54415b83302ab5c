/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The private half of crypto/algorithms.h: what dtls_crypto_new fetched. For this folder only. Never changed
 * after creation: libcrypto's objects may then be used from many threads. */

#pragma once

#include "crypto/aead.h"
#include "crypto/algorithms.h"
#include "crypto/digest.h"

#include <openssl/evp.h>

enum
{
  N_HASHES = HASH_SHA512 + 1,
  N_AEADS = AEAD_AES_128_CCM_8 + 1,
};

struct dtls_crypto
{
  EVP_MD *hashes[N_HASHES];     /* (owned) */
  EVP_MAC_CTX *hmacs[N_HASHES]; /* (owned) to be copied, and the copy given its key */
  EVP_CIPHER *aeads[N_AEADS];   /* (owned) (nullable), but for AES-128-GCM */
  EVP_CIPHER *masks[N_AEADS]; /* (owned) (nullable) each AEAD's cipher alone, for record numbers */
  EVP_PKEY *p256;             /* (owned) (nullable) the curve's parameters, without a key */
  EVP_PKEY *p384;             /* (owned) (nullable) */
  bool has_x25519;
  bool has_x25519_ml_kem_768;
};

/* The name that libcrypto knows a hash by. */
const char *crypto_hash_name (enum hash hash);

/* A public key on the curve of `model` from an uncompressed point, for the caller to free; NULL if it is not
 * such a point, or not on the curve. */
EVP_PKEY *crypto_import_point (const EVP_PKEY *model, struct bytes point);
