/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The walk of a certificate held against libcrypto's parser. d2i_X509 takes BER too, so the two must agree
 * on what is DER: every element in its shortest form, and the same bytes when encoded again. */

#pragma once

#include <string.h>

#include "crypto/keys.h"
#include "crypto/public_key.h"
#include "wire/reader.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum
{
  ORACLE_MAX_DEPTH = 32,
};

/* Whether these are elements with tags of one byte and definite, shortest lengths, all the way down. Written
 * without the reader and without crypto/der, which are on trial here. */
static inline bool
oracle_is_der (const uint8_t *at, size_t left, unsigned depth)
{
  while (left > 0)
    {
      size_t head = 2, len, n;

      if (depth > ORACLE_MAX_DEPTH || left < 2 || (at[0] & 0x1f) == 0x1f)
        return false;
      /* SEQUENCE and SET without the bit that says that there are elements within. */
      if (at[0] == 0x10 || at[0] == 0x11)
        return false;
      len = at[1];
      if (len >= 0x80)
        {
          n = len & 0x7f;
          if (n == 0 || n > 3 || left < 2 + n || at[2] == 0)
            return false;
          len = 0;
          for (size_t i = 0; i < n; i++)
            len = len << 8 | at[2 + i];
          if (len < 0x80)
            return false;
          head += n;
        }
      if (len > left - head)
        return false;
      if ((at[0] & 0x20) != 0 && !oracle_is_der (at + head, len, depth + 1))
        return false;
      at += head + len;
      left -= head + len;
    }

  return true;
}

/* Consumes `encoded`, which is what i2d_... made, and its return value. */
static inline bool
oracle_is_same (unsigned char *encoded, int len, struct bytes expected)
{
  bool is_same = len >= 0 && bytes_equal ((struct bytes){ encoded, (size_t) len }, expected);

  OPENSSL_free (encoded);
  return is_same;
}

/* All but names, whose encoding libcrypto keeps as it came. */
static inline bool
oracle_encodes_again (X509 *certificate, struct bytes der)
{
  unsigned char *encoded = NULL;
  int len;

  /* Without this the TBSCertificate would be copied as it was read. */
  if (i2d_re_X509_tbs (certificate, &encoded) < 0)
    return false;
  OPENSSL_free (encoded);
  encoded = NULL;
  len = i2d_X509 (certificate, &encoded);
  return oracle_is_same (encoded, len, der);
}

struct oracle_extension
{
  int n;               /* how many there are */
  bool is_well_formed; /* the only one is what it should be, and encodes again as it came */
  void *value;         /* (owned) of libcrypto's type for it */
};

static inline struct oracle_extension
oracle_find (X509 *certificate, int nid, const ASN1_ITEM *item)
{
  struct oracle_extension found = { 0 };
  int place = -1, last = -1;
  const ASN1_OCTET_STRING *data;
  const unsigned char *at;
  unsigned char *encoded = NULL;
  struct bytes contents;
  int len;

  while ((place = X509_get_ext_by_NID (certificate, nid, place)) >= 0)
    {
      found.n++;
      last = place;
    }
  if (found.n != 1)
    return found;

  data = X509_EXTENSION_get_data (X509_get_ext (certificate, last));
  at = ASN1_STRING_get0_data (data);
  contents = (struct bytes){ at, (size_t) ASN1_STRING_length (data) };
  found.value = (void *) ASN1_item_d2i (NULL, &at, ASN1_STRING_length (data), item);
  if (found.value == NULL)
    return found;
  len = ASN1_item_i2d (found.value, &encoded, item);
  found.is_well_formed =
      oracle_is_same (encoded, len, contents) && oracle_is_der (contents.at, contents.left, 0);
  return found;
}

static inline bool
oracle_has_purpose (const EXTENDED_KEY_USAGE *purposes, int nid)
{
  for (int i = 0; i < sk_ASN1_OBJECT_num (purposes); i++)
    {
      int found = OBJ_obj2nid (sk_ASN1_OBJECT_value (purposes, i));

      if (found == nid || found == NID_anyExtendedKeyUsage)
        return true;
    }

  return false;
}

static inline bool
oracle_agrees_on_usage (X509 *certificate, bool is_read, const struct leaf *leaf)
{
  struct oracle_extension usage =
      oracle_find (certificate, NID_key_usage, ASN1_ITEM_rptr (ASN1_BIT_STRING));
  struct oracle_extension purposes =
      oracle_find (certificate, NID_ext_key_usage, ASN1_ITEM_rptr (EXTENDED_KEY_USAGE));
  bool agrees = true;

  if (usage.n > 1 || purposes.n > 1)
    agrees = !is_read;
  else if ((usage.n == 0 || usage.is_well_formed) && (purposes.n == 0 || purposes.is_well_formed))
    agrees = is_read && leaf->has_key_usage == (usage.n == 1)
             && leaf->may_sign == (usage.n == 0 || ASN1_BIT_STRING_get_bit (usage.value, 0) == 1)
             && leaf->has_extended_key_usage == (purposes.n == 1)
             && leaf->is_server_purpose == oracle_has_purpose (purposes.value, NID_server_auth)
             && leaf->is_client_purpose == oracle_has_purpose (purposes.value, NID_client_auth);

  ASN1_BIT_STRING_free (usage.value);
  EXTENDED_KEY_USAGE_free (purposes.value);
  return agrees;
}

static inline bool
oracle_agrees_on_key (struct dtls_crypto *crypto, X509 *certificate, const struct leaf *leaf)
{
  struct public_key *key = public_key_new (crypto, leaf);
  EVP_PKEY *theirs = X509_get0_pubkey (certificate);
  /* That we refuse a key of theirs is our right: its size, its form. */
  bool agrees = key == NULL || (theirs != NULL && EVP_PKEY_eq (key->pkey, theirs) == 1);

  public_key_free (key);
  return agrees;
}

static inline bool
oracle_agrees_on_hash (X509 *certificate, const struct leaf *leaf)
{
  static const int nids[][2] = {
    { NID_md5, HASH_SHA256 },    { NID_sha1, HASH_SHA256 },   { NID_sha256, HASH_SHA256 },
    { NID_sha384, HASH_SHA384 }, { NID_sha512, HASH_SHA512 },
  };
  int nid;

  if (!leaf->has_end_point_hash)
    return true;
  if (X509_get_signature_info (certificate, &nid, NULL, NULL, NULL) != 1)
    return false;
  for (size_t i = 0; i < sizeof nids / sizeof nids[0]; i++)
    if (nids[i][0] == nid)
      return nids[i][1] == (int) leaf->end_point_hash;

  return false;
}

static inline bool
oracle_compare (struct dtls_crypto *crypto, X509 *certificate, struct bytes der)
{
  struct leaf leaf;
  bool is_read = leaf_read (der, &leaf);
  unsigned char *subject = NULL, *spki = NULL;
  int subject_len = i2d_X509_NAME (X509_get_subject_name (certificate), &subject);
  int spki_len = i2d_X509_PUBKEY (X509_get_X509_PUBKEY (certificate), &spki);
  bool is_same_subject = is_read && oracle_is_same (subject, subject_len, leaf.subject);
  bool is_same_spki = is_read && oracle_is_same (spki, spki_len, leaf.spki);

  if (!is_read)
    {
      OPENSSL_free (subject);
      OPENSSL_free (spki);
      return oracle_agrees_on_usage (certificate, false, NULL);
    }

  return is_same_subject && is_same_spki && oracle_agrees_on_usage (certificate, true, &leaf)
         && oracle_agrees_on_key (crypto, certificate, &leaf)
         && oracle_agrees_on_hash (certificate, &leaf);
}

/* True where libcrypto has nothing to say: what it does not take, or would not write. */
static inline bool
oracle_agrees (struct dtls_crypto *crypto, struct bytes der)
{
  const unsigned char *at = der.at;
  X509 *certificate = d2i_X509 (NULL, &at, (long) der.left);
  bool agrees = true;

  if (certificate != NULL && at == der.at + der.left && oracle_is_der (der.at, der.left, 0)
      && oracle_encodes_again (certificate, der))
    agrees = oracle_compare (crypto, certificate, der);

  X509_free (certificate);
  ERR_clear_error ();
  return agrees;
}
