/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Tables of object identifiers, and the parameters of RSASSA-PSS (RFC 4055 §3.1). */

#include "crypto/identifiers.h"

#include "crypto/der.h"

/* RFC 4055 §2.1, RFC 3279 §2.2.1 */
#define OID_SHA1 OID ("\x2b\x0e\x03\x02\x1a")
#define OID_SHA256 OID ("\x60\x86\x48\x01\x65\x03\x04\x02\x01")
#define OID_SHA384 OID ("\x60\x86\x48\x01\x65\x03\x04\x02\x02")
#define OID_SHA512 OID ("\x60\x86\x48\x01\x65\x03\x04\x02\x03")
/* RFC 8017 appendix A: pkcs-1 */
#define OID_RSA_ENCRYPTION OID ("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_MD5_WITH_RSA OID ("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04")
#define OID_SHA1_WITH_RSA OID ("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05")
#define OID_MGF1 OID ("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08")
#define OID_RSASSA_PSS OID ("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
#define OID_SHA256_WITH_RSA OID ("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define OID_SHA384_WITH_RSA OID ("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c")
#define OID_SHA512_WITH_RSA OID ("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d")
/* RFC 5480 §2.1.1, RFC 5758 §3.2: ansi-X9-62, and certicom's curves */
#define OID_EC_PUBLIC_KEY OID ("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_ECDSA_WITH_SHA1 OID ("\x2a\x86\x48\xce\x3d\x04\x01")
#define OID_ECDSA_WITH_SHA256 OID ("\x2a\x86\x48\xce\x3d\x04\x03\x02")
#define OID_ECDSA_WITH_SHA384 OID ("\x2a\x86\x48\xce\x3d\x04\x03\x03")
#define OID_ECDSA_WITH_SHA512 OID ("\x2a\x86\x48\xce\x3d\x04\x03\x04")
#define OID_SECP256R1 OID ("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define OID_SECP384R1 OID ("\x2b\x81\x04\x00\x22")
/* RFC 8410 §3 */
#define OID_ED25519 OID ("\x2b\x65\x70")

struct hash_name
{
  struct bytes oid;
  bool is_weak; /* RFC 5929 §4.1: SHA-256 takes its place */
  enum hash hash;
};

/* clang-format off */
static const struct hash_name hashes[] = {
  { OID_SHA1,   true,  HASH_SHA256 },
  { OID_SHA256, false, HASH_SHA256 },
  { OID_SHA384, false, HASH_SHA384 },
  { OID_SHA512, false, HASH_SHA512 },
};

static const struct hash_name signatures[] = {
  { OID_MD5_WITH_RSA,      true,  HASH_SHA256 },
  { OID_SHA1_WITH_RSA,     true,  HASH_SHA256 },
  { OID_SHA256_WITH_RSA,   false, HASH_SHA256 },
  { OID_SHA384_WITH_RSA,   false, HASH_SHA384 },
  { OID_SHA512_WITH_RSA,   false, HASH_SHA512 },
  { OID_ECDSA_WITH_SHA1,   true,  HASH_SHA256 },
  { OID_ECDSA_WITH_SHA256, false, HASH_SHA256 },
  { OID_ECDSA_WITH_SHA384, false, HASH_SHA384 },
  { OID_ECDSA_WITH_SHA512, false, HASH_SHA512 },
};
/* clang-format on */

static const struct bytes oid_sha1 = OID_SHA1;
static const struct bytes oid_mgf1 = OID_MGF1;
static const struct bytes oid_rsa_encryption = OID_RSA_ENCRYPTION;
static const struct bytes oid_rsassa_pss = OID_RSASSA_PSS;
static const struct bytes oid_ec_public_key = OID_EC_PUBLIC_KEY;
static const struct bytes oid_secp256r1 = OID_SECP256R1;
static const struct bytes oid_secp384r1 = OID_SECP384R1;
static const struct bytes oid_ed25519 = OID_ED25519;

static const struct hash_name *
find_hash (const struct hash_name *names, size_t n, struct bytes oid)
{
  for (size_t i = 0; i < n; i++)
    if (bytes_equal (names[i].oid, oid))
      return &names[i];

  return NULL;
}

struct algorithm
algorithm_read (struct reader *reader)
{
  struct reader body = reader_over (der_read (reader, DER_SEQUENCE));
  struct algorithm algorithm = { .oid = der_read (&body, DER_OID) };

  if (body.left > 0)
    algorithm.parameters = der_read_any (&body);
  if (reader_done (&body) && algorithm.oid.left > 0)
    return algorithm;

  reader_fail (reader);
  return (struct algorithm){ 0 };
}

/* RSASSA-PSS-params with one hash that we know, for the message and for MGF1. */
struct pss
{
  const struct hash_name *hash;
  unsigned min_salt_len;
};

/* [n] EXPLICIT INTEGER DEFAULT default_value, of one byte. */
static unsigned
read_small_integer (struct reader *reader, unsigned n, unsigned default_value)
{
  struct reader wrapped;
  struct bytes digits;

  if (!der_is_next (reader, DER_EXPLICIT (n)))
    return default_value;

  wrapped = reader_over (der_read (reader, DER_EXPLICIT (n)));
  digits = der_read (&wrapped, DER_INTEGER);
  if (reader_done (&wrapped) && digits.left == 1 && digits.at[0] < 0x80)
    return digits.at[0];

  reader_fail (reader);
  return 0;
}

/* [n] EXPLICIT AlgorithmIdentifier; empty if it is left out. */
static struct algorithm
read_wrapped_algorithm (struct reader *reader, unsigned n)
{
  struct reader wrapped;
  struct algorithm algorithm;

  if (!der_is_next (reader, DER_EXPLICIT (n)))
    return (struct algorithm){ 0 };

  wrapped = reader_over (der_read (reader, DER_EXPLICIT (n)));
  algorithm = algorithm_read (&wrapped);
  if (!reader_done (&wrapped))
    reader_fail (reader);

  return algorithm;
}

static const struct bytes null_element = { (const uint8_t *) "\x05\x00", 2 };

/* RFC 4055 §2.1: a hash's parameters are NULL or absent. NULL for a hash that we do not know. */
static const struct hash_name *
hash_of (const struct algorithm *algorithm)
{
  struct bytes oid = algorithm->oid.left > 0 ? algorithm->oid : oid_sha1;

  if (algorithm->parameters.left > 0 && !bytes_equal (algorithm->parameters, null_element))
    return NULL;

  return find_hash (hashes, sizeof hashes / sizeof hashes[0], oid);
}

/* RFC 4055 §2.2: the parameters of MGF1 are its hash. NULL for another mask or hash. */
static const struct hash_name *
mask_hash_of (const struct algorithm *algorithm)
{
  struct reader reader = reader_over (algorithm->parameters);
  struct algorithm hash = { 0 };

  if (algorithm->oid.left > 0)
    {
      hash = algorithm_read (&reader);
      if (!reader_done (&reader) || !bytes_equal (algorithm->oid, oid_mgf1))
        return NULL;
    }

  return hash_of (&hash);
}

/* RFC 4055 §3.1. The defaults are SHA-1, MGF1 with SHA-1, 20 bytes of salt and trailer 1. */
static bool
pss_read (struct bytes parameters, struct pss *pss)
{
  struct reader outer = reader_over (parameters);
  struct reader reader = reader_over (der_read (&outer, DER_SEQUENCE));
  struct algorithm hash = read_wrapped_algorithm (&reader, 0);
  struct algorithm mask = read_wrapped_algorithm (&reader, 1);
  unsigned trailer;

  pss->min_salt_len = read_small_integer (&reader, 2, 20);
  trailer = read_small_integer (&reader, 3, 1);
  if (!reader_done (&outer) || !reader_done (&reader) || trailer != 1)
    return false;

  pss->hash = hash_of (&hash);
  return pss->hash != NULL && pss->hash == mask_hash_of (&mask);
}

/* Keys with parameters that our signatures cannot keep to are unknown to us. RFC 4055 §3.3: the hashes of
 * signature and key are the same, and the signature's salt, with us as long as the hash, is no shorter. */
static struct key_algorithm
pss_key (struct bytes parameters)
{
  struct key_algorithm unknown = { .kind = KEY_UNKNOWN };
  struct pss pss;

  if (parameters.left == 0)
    return (struct key_algorithm){ .kind = KEY_RSA_PSS };
  if (!pss_read (parameters, &pss) || pss.hash->is_weak
      || pss.min_salt_len > hash_len (pss.hash->hash))
    return unknown;

  return (struct key_algorithm){ KEY_RSA_PSS, true, pss.hash->hash };
}

/* RFC 5480 §2.1.1: named curves only. */
static enum key_kind
curve_kind (struct bytes parameters)
{
  struct reader reader = reader_over (parameters);
  struct bytes curve = der_read (&reader, DER_OID);

  if (!reader_done (&reader))
    return KEY_UNKNOWN;
  if (bytes_equal (curve, oid_secp256r1))
    return KEY_P256;
  if (bytes_equal (curve, oid_secp384r1))
    return KEY_P384;

  return KEY_UNKNOWN;
}

struct key_algorithm
algorithm_of_key (const struct algorithm *algorithm)
{
  struct key_algorithm key = { .kind = KEY_UNKNOWN };

  /* RFC 3279 §2.3.1: the parameters are NULL. */
  if (bytes_equal (algorithm->oid, oid_rsa_encryption)
      && bytes_equal (algorithm->parameters, null_element))
    key.kind = KEY_RSA;
  else if (bytes_equal (algorithm->oid, oid_rsassa_pss))
    key = pss_key (algorithm->parameters);
  else if (bytes_equal (algorithm->oid, oid_ec_public_key))
    key.kind = curve_kind (algorithm->parameters);
  /* RFC 8410 §3: there are no parameters. */
  else if (bytes_equal (algorithm->oid, oid_ed25519) && algorithm->parameters.left == 0)
    key.kind = KEY_ED25519;

  return key;
}

bool
algorithm_end_point_hash (const struct algorithm *algorithm, enum hash *out_hash)
{
  const struct hash_name *found =
      find_hash (signatures, sizeof signatures / sizeof signatures[0], algorithm->oid);
  struct pss pss;

  if (bytes_equal (algorithm->oid, oid_rsassa_pss) && pss_read (algorithm->parameters, &pss))
    found = pss.hash;
  if (found == NULL)
    return false;

  *out_hash = found->hash;
  return true;
}
