/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Signing and verifying by TLS SignatureScheme, and the private keys that sign. */

#pragma once

#include "crypto/public_key.h"

enum
{
  MAX_SIGNATURE_LEN = 1024, /* RSA of 8192 bits */
};

struct dtls_key; /* dtls.h: dtls_key_new, dtls_key_free, dtls_key_matches are implemented here */

/* Whether a key of `kind` can make signatures of `scheme` as (D)TLS 1.2 means it: there an ECDSA scheme
 * names only the hash, and any curve of ours goes with it (RFC 8446 §4.2.3). */
bool signature_fits (uint16_t scheme, enum key_kind kind);

/* The kind of a private key. */
enum key_kind key_kind_of (const struct dtls_key *key);

/* `input` is not yet hashed. `out` has MAX_SIGNATURE_LEN bytes. DTLS_ERROR_SIGNING_FAILED if the scheme does not
 * fit the key (an RSA key too short for the PSS salt included) or libcrypto fails. */
enum dtls_error signature_make (struct dtls_crypto *crypto, const struct dtls_key *key,
                                uint16_t scheme, struct bytes input,
                                struct dtls_buffer *out) DTLS_MUST_CHECK;
/* DTLS_ERROR_BAD_SIGNATURE if it does not verify, or the scheme does not fit the key. */
enum dtls_error signature_check (struct dtls_crypto *crypto, const struct public_key *key,
                                 uint16_t scheme, struct bytes input,
                                 struct bytes signature) DTLS_MUST_CHECK;
