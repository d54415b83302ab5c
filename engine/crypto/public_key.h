/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What we need of a leaf certificate, by a bounded walk of its DER that judges no chain, and the public key
 * imported from it (libcrypto's own certificate parser costs more than verifying a signature). */

#pragma once

#include "crypto/digest.h"
#include "types.h"

enum key_kind
{
  KEY_RSA,     /* rsaEncryption */
  KEY_RSA_PSS, /* id-RSASSA-PSS */
  KEY_P256,
  KEY_P384,
  KEY_ED25519,
  KEY_UNKNOWN, /* any other: the walk succeeds, but no signature of ours can be verified with it */
};

enum key_usage_bit
{
  KEY_USAGE_DIGITAL_SIGNATURE = 1 << 0,
};

/* Borrowed from the certificate. */
struct leaf
{
  struct bytes subject; /* Name, the whole DER element */
  struct bytes spki;    /* SubjectPublicKeyInfo, the whole DER element */
  enum key_kind kind;
  bool has_pss_hash; /* a KEY_RSA_PSS that may be used with one hash only */
  enum hash pss_hash;
  bool
      has_end_point_hash; /* RFC 5929 §4.1: the signature algorithm has exactly one hash that we know */
  enum hash end_point_hash; /* MD5 and SHA-1 already replaced with SHA-256 */
  bool has_key_usage;
  bool may_sign; /* keyUsage absent, or with digitalSignature */
  bool has_extended_key_usage;
  bool is_server_purpose; /* names id-kp-serverAuth or anyExtendedKeyUsage */
  bool is_client_purpose;
};

/* False for what is not a DER certificate (RFC 5280 §4.1) as far as the walk goes: definite minimal lengths,
 * elements within their parents, nothing after the certificate. */
bool leaf_read (struct bytes der, struct leaf *leaf) DTLS_MUST_CHECK;

struct public_key;

/* NULL if libcrypto refuses it or `leaf->kind` is KEY_UNKNOWN. RSA below 2048 bits and above 8192 is refused. */
struct public_key *public_key_new (struct dtls_crypto *crypto, const struct leaf *leaf);
void public_key_free (struct public_key *key);
