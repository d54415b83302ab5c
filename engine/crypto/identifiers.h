/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The AlgorithmIdentifiers of certificates (RFC 5280 §4.1.1.2) that we know, as what they mean to us. For
 * crypto/ only. */

#pragma once

#include "crypto/digest.h"
#include "crypto/public_key.h"
#include "wire/reader.h"

/* An object identifier's contents, as the initialiser of a struct bytes. */
#define OID(literal)                                                                               \
  {                                                                                                \
    (const uint8_t *) (literal), sizeof (literal) - 1                                              \
  }

/* Borrowed from the certificate. */
struct algorithm
{
  struct bytes oid;
  struct bytes parameters; /* the whole element; empty if there is none */
};

/* Fails the cursor if the next element is no AlgorithmIdentifier. */
struct algorithm algorithm_read (struct reader *reader);

/* What a SubjectPublicKeyInfo's algorithm is to us. */
struct key_algorithm
{
  enum key_kind kind;
  bool has_pss_hash; /* of KEY_RSA_PSS only */
  enum hash pss_hash;
};

struct key_algorithm algorithm_of_key (const struct algorithm *algorithm);

/* The hash for RFC 5929 §4.1's end-point binding of a certificate signed with `algorithm`; false if it has
 * none that we know, or more than one. */
bool algorithm_end_point_hash (const struct algorithm *algorithm, enum hash *out_hash);
