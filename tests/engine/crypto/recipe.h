/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Certificates of our own making, for what no tool would put into one, each held against libcrypto's parser
 * as it is read. */

#pragma once

#include "crypto/der-build.h"
#include "crypto/leaf-oracle.h"
#include "pki.h"
#include "tap.h"

/* What differs from case to case; what is left empty takes its usual value or is left out. */
struct recipe
{
  struct bytes whole_version;
  struct bytes signed_with; /* the contents of the AlgorithmIdentifier */
  struct bytes spki;
  struct bytes after_spki; /* identifiers and extensions, whole elements */
  struct bytes after_signature;
};

/* Object identifiers, whole elements. */
#define RSA_ENCRYPTION DER_RAW ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define RSASSA_PSS DER_RAW ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
#define MGF1 DER_RAW ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08")
#define ECDSA_SHA256 DER_RAW ("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")
#define EC_PUBLIC_KEY DER_RAW ("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01")
#define SECP256R1 DER_RAW ("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define SECP384R1 DER_RAW ("\x06\x05\x2b\x81\x04\x00\x22")
#define SECP521R1 DER_RAW ("\x06\x05\x2b\x81\x04\x00\x23")
#define ED25519_OID DER_RAW ("\x06\x03\x2b\x65\x70")
#define ED448_OID DER_RAW ("\x06\x03\x2b\x65\x71")
#define SHA256 DER_RAW ("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01")
#define NULL_ELEMENT DER_RAW ("\x05\x00")
#define KEY_USAGE DER_RAW ("\x06\x03\x55\x1d\x0f")
#define EXTENDED_KEY_USAGE_OID DER_RAW ("\x06\x03\x55\x1d\x25")
#define SUBJECT_ALT_NAME DER_RAW ("\x06\x03\x55\x1d\x11")
#define SERVER_AUTH DER_RAW ("\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01")
#define CLIENT_AUTH DER_RAW ("\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02")
#define CODE_SIGNING DER_RAW ("\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03")
#define ANY_PURPOSE DER_RAW ("\x06\x04\x55\x1d\x25\x00")

static inline struct bytes
make_certificate (const struct recipe *recipe)
{
  struct bytes name = DER_RAW ("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01m");
  struct bytes v3 = DER_RAW ("\xa0\x03\x02\x01\x02");
  struct bytes time = DER_RAW ("\x17\x0d"
                               "200101000000Z");
  struct bytes version = recipe->whole_version.left > 0 ? recipe->whole_version : v3;
  struct bytes signed_with =
      DER (0x30, recipe->signed_with.left > 0 ? recipe->signed_with : ECDSA_SHA256);
  struct bytes spki = recipe->spki.left > 0 ? recipe->spki
                                            : DER (0x30, DER (0x30, ED25519_OID),
                                                   DER_RAW ("\x03\x21\x00"
                                                            "0123456789abcdef0123456789abcdef"));
  struct bytes serial = DER_RAW ("\x02\x01\x01");
  struct bytes tbs = DER (0x30, version, serial, signed_with, name, DER (0x30, time, time), name,
                          spki, recipe->after_spki);

  return DER (0x30, tbs, signed_with, DER_RAW ("\x03\x02\x00s"), recipe->after_signature);
}

/* Whether the walk takes the certificate; and that libcrypto has no other opinion. */
static inline bool
reads (const struct recipe *recipe, struct leaf *leaf)
{
  struct bytes der = make_certificate (recipe);

  CHECK (oracle_agrees (pki_crypto (), der));
  return leaf_read (der, leaf);
}
