/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A walk over a leaf certificate that picks up what we need and judges nothing, and public keys imported
 * from it:
 *
 *   1. leaf_read goes down Certificate, TBSCertificate and the extensions (RFC 5280 §4.1), and fails where
 *      one of these is not the DER it should be. Names, times and what it does not know it steps over.
 *   2. public_key_new takes the SubjectPublicKeyInfo apart once more and hands the point or the numbers to
 *      libcrypto: 4 µs, where d2i_X509_PUBKEY takes 130. */

#include "crypto/public_key.h"

#include "crypto/der.h"
#include "crypto/fetched.h"
#include "crypto/identifiers.h"
#include "crypto/keys.h"
#include "dtls.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

/* RFC 5280 §4.2.1.3, §4.2.1.12 */
static const struct bytes oid_key_usage = OID ("\x55\x1d\x0f");
static const struct bytes oid_extended_key_usage = OID ("\x55\x1d\x25");
static const struct bytes oid_any_purpose = OID ("\x55\x1d\x25\x00");
static const struct bytes oid_server_auth = OID ("\x2b\x06\x01\x05\x05\x07\x03\x01");
static const struct bytes oid_client_auth = OID ("\x2b\x06\x01\x05\x05\x07\x03\x02");

/* ------------------------------------------------------------------------------------- the walk */

static bool
read_spki (struct bytes spki, struct algorithm *algorithm, struct bytes *key)
{
  struct reader outer = reader_over (spki);
  struct reader body = reader_over (der_read (&outer, DER_SEQUENCE));

  *algorithm = algorithm_read (&body);
  *key = der_read (&body, DER_BIT_STRING);

  return reader_done (&outer) && reader_done (&body);
}

/* RFC 5280 §4.2.1.3: a BIT STRING of named bits; X.690 §8.6.2: its first byte counts the unused ones. */
static bool
read_key_usage (struct bytes value, struct leaf *leaf)
{
  struct reader reader = reader_over (value);
  struct reader bits = reader_over (der_read (&reader, DER_BIT_STRING));
  uint8_t n_unused = read_u8 (&bits);

  if (!reader_done (&reader) || !reader_ok (&bits) || n_unused > 7 || leaf->has_key_usage)
    return false;
  if (bits.left == 0 && n_unused > 0)
    return false;

  leaf->has_key_usage = true;
  /* The first bit is the highest one of the first byte; there is a reader's zero if there is no byte. */
  leaf->may_sign = (read_u8 (&bits) & 0x80) != 0;
  return true;
}

/* RFC 5280 §4.2.1.12: a SEQUENCE of KeyPurposeIds. */
static bool
read_extended_key_usage (struct bytes value, struct leaf *leaf)
{
  struct reader reader = reader_over (value);
  struct reader purposes = reader_over (der_read (&reader, DER_SEQUENCE));

  if (!reader_done (&reader) || leaf->has_extended_key_usage)
    return false;

  leaf->has_extended_key_usage = true;
  while (purposes.left > 0)
    {
      struct bytes purpose = der_read (&purposes, DER_OID);
      bool is_any = bytes_equal (purpose, oid_any_purpose);

      leaf->is_server_purpose |= is_any || bytes_equal (purpose, oid_server_auth);
      leaf->is_client_purpose |= is_any || bytes_equal (purpose, oid_client_auth);
    }

  return reader_done (&purposes);
}

/* RFC 5280 §4.1: Extension. §4.2: no extension comes twice, which we see to for the two that we read. */
static bool
read_extension (struct bytes extension, struct leaf *leaf)
{
  struct reader reader = reader_over (extension);
  struct bytes oid = der_read (&reader, DER_OID);
  struct bytes value;

  der_skip_optional (&reader, DER_BOOLEAN);
  value = der_read (&reader, DER_OCTET_STRING);
  if (!reader_done (&reader))
    return false;

  if (bytes_equal (oid, oid_key_usage))
    return read_key_usage (value, leaf);
  if (bytes_equal (oid, oid_extended_key_usage))
    return read_extended_key_usage (value, leaf);

  return true;
}

/* `wrapped` is what stands in TBSCertificate's [3]. */
static bool
read_extensions (struct bytes wrapped, struct leaf *leaf)
{
  struct reader outer = reader_over (wrapped);
  struct reader list = reader_over (der_read (&outer, DER_SEQUENCE));

  if (!reader_done (&outer))
    return false;

  while (list.left > 0)
    {
      struct bytes extension = der_read (&list, DER_SEQUENCE);

      if (!reader_ok (&list) || !read_extension (extension, leaf))
        return false;
    }

  return reader_done (&list);
}

/* RFC 5280 §4.1: TBSCertificate, in its order. */
static bool
read_tbs (struct bytes tbs, struct leaf *leaf)
{
  struct reader reader = reader_over (tbs);
  bool has_extensions;
  struct bytes extensions = { NULL, 0 };

  der_skip_optional (&reader, DER_EXPLICIT (0)); /* version */
  (void) der_read (&reader, DER_INTEGER);        /* serialNumber */
  (void) der_read (&reader, DER_SEQUENCE);       /* signature */
  (void) der_read (&reader, DER_SEQUENCE);       /* issuer */
  (void) der_read (&reader, DER_SEQUENCE);       /* validity */
  leaf->subject = der_read_whole (&reader, DER_SEQUENCE);
  leaf->spki = der_read_whole (&reader, DER_SEQUENCE);
  der_skip_optional (&reader, DER_IMPLICIT (1)); /* issuerUniqueID */
  der_skip_optional (&reader, DER_IMPLICIT (2)); /* subjectUniqueID */
  has_extensions = der_is_next (&reader, DER_EXPLICIT (3));
  if (has_extensions)
    extensions = der_read (&reader, DER_EXPLICIT (3));

  return reader_done (&reader) && (!has_extensions || read_extensions (extensions, leaf));
}

bool
leaf_read (struct bytes der, struct leaf *leaf)
{
  struct leaf found = { .may_sign = true };
  struct reader outer = reader_over (der);
  struct reader certificate = reader_over (der_read (&outer, DER_SEQUENCE));
  struct bytes tbs = der_read (&certificate, DER_SEQUENCE);
  struct algorithm signed_with = algorithm_read (&certificate);
  struct algorithm algorithm;
  struct key_algorithm key_algorithm;
  struct bytes key;

  (void) der_read (&certificate, DER_BIT_STRING); /* signatureValue */
  if (!reader_done (&outer) || !reader_done (&certificate))
    return false;
  if (!read_tbs (tbs, &found) || !read_spki (found.spki, &algorithm, &key))
    return false;

  key_algorithm = algorithm_of_key (&algorithm);
  found.kind = key_algorithm.kind;
  found.has_pss_hash = key_algorithm.has_pss_hash;
  found.pss_hash = key_algorithm.pss_hash;
  found.has_end_point_hash = algorithm_end_point_hash (&signed_with, &found.end_point_hash);

  *leaf = found;
  return true;
}

bool
dtls_certificate_may_be (struct bytes der, enum dtls_role role)
{
  struct leaf leaf;

  if (!leaf_read (der, &leaf))
    return false;
  if (!leaf.has_extended_key_usage)
    return true;

  return role == DTLS_SERVER ? leaf.is_server_purpose : leaf.is_client_purpose;
}

struct bytes
dtls_certificate_subject (struct bytes der)
{
  struct leaf leaf;

  return leaf_read (der, &leaf) ? leaf.subject : (struct bytes){ NULL, 0 };
}

/* -------------------------------------------------------------------------------------- the key */

/* A positive INTEGER in its shortest form, at most `max_len` bytes; NULL if it is none. */
static BIGNUM *
read_number (struct reader *reader, size_t max_len)
{
  struct bytes digits = der_read (reader, DER_INTEGER);
  bool has_sign_byte = digits.left > 1 && digits.at[0] == 0;

  if (digits.left == 0 || digits.at[0] >= 0x80 || (has_sign_byte && digits.at[1] < 0x80)
      || digits.left - has_sign_byte > max_len)
    return NULL;

  return BN_bin2bn (digits.at, (int) digits.left, NULL);
}

static EVP_PKEY *
rsa_from_numbers (const char *type, const BIGNUM *modulus, const BIGNUM *exponent)
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name (NULL, type, NULL);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new ();
  OSSL_PARAM *params = NULL;
  EVP_PKEY *pkey = NULL;

  if (builder != NULL && OSSL_PARAM_BLD_push_BN (builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1
      && OSSL_PARAM_BLD_push_BN (builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
    params = OSSL_PARAM_BLD_to_param (builder);
  /* On failure `pkey` stays NULL. */
  if (ctx != NULL && params != NULL && EVP_PKEY_fromdata_init (ctx) == 1)
    (void) EVP_PKEY_fromdata (ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);

  OSSL_PARAM_free (params);
  OSSL_PARAM_BLD_free (builder);
  EVP_PKEY_CTX_free (ctx);
  return pkey;
}

/* The longest modulus and exponent are seen to where they are read. */
static bool
is_rsa_acceptable (const BIGNUM *modulus, const BIGNUM *exponent)
{
  return BN_num_bits (modulus) >= MIN_RSA_BITS && BN_is_odd (modulus) && BN_is_odd (exponent)
         && !BN_is_one (exponent);
}

/* RFC 8017 appendix A.1.1: RSAPublicKey. */
static EVP_PKEY *
import_rsa (const char *type, struct bytes key)
{
  const size_t max_exponent_len = 8; /* a longer one would only cost us time */
  struct reader outer = reader_over (key);
  struct reader body = reader_over (der_read (&outer, DER_SEQUENCE));
  BIGNUM *modulus = read_number (&body, MAX_RSA_BITS / 8);
  BIGNUM *exponent = read_number (&body, max_exponent_len);
  EVP_PKEY *pkey = NULL;

  if (reader_done (&outer) && reader_done (&body) && modulus != NULL && exponent != NULL
      && is_rsa_acceptable (modulus, exponent))
    pkey = rsa_from_numbers (type, modulus, exponent);

  BN_free (modulus);
  BN_free (exponent);
  return pkey;
}

static EVP_PKEY *
import_point (const EVP_PKEY *curve, struct bytes point)
{
  return curve != NULL ? crypto_import_point (curve, point) : NULL;
}

static EVP_PKEY *
import_key (const struct dtls_crypto *crypto, enum key_kind kind, struct bytes key)
{
  switch (kind)
    {
    case KEY_RSA:
      return import_rsa ("RSA", key);
    case KEY_RSA_PSS:
      return import_rsa ("RSA-PSS", key);
    case KEY_P256:
      return import_point (crypto->p256, key);
    case KEY_P384:
      return import_point (crypto->p384, key);
    case KEY_ED25519:
      return EVP_PKEY_new_raw_public_key_ex (NULL, "ED25519", NULL, key.at, key.left);
    case KEY_UNKNOWN:
      break;
    }

  return NULL;
}

struct public_key *
public_key_new (struct dtls_crypto *crypto, const struct leaf *leaf)
{
  struct public_key *key;
  struct algorithm algorithm;
  struct bytes contents;
  struct reader bits;

  if (!read_spki (leaf->spki, &algorithm, &contents))
    return NULL;
  /* X.690 §8.6.2: the first byte of a BIT STRING counts the unused bits, of which a key has none. */
  bits = reader_over (contents);
  if (read_u8 (&bits) != 0 || !reader_ok (&bits))
    return NULL;
  key = calloc (1, sizeof *key);
  if (key == NULL)
    return NULL;

  ERR_set_mark ();
  key->pkey = import_key (crypto, leaf->kind, read_rest (&bits));
  ERR_pop_to_mark ();
  key->kind = leaf->kind;
  key->has_pss_hash = leaf->has_pss_hash;
  key->pss_hash = leaf->pss_hash;

  if (key->pkey != NULL)
    return key;

  public_key_free (key);
  return NULL;
}

void
public_key_free (struct public_key *key)
{
  if (key == NULL)
    return;

  EVP_PKEY_free (key->pkey);
  free (key);
}
