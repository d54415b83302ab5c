/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The walk of a certificate: what it finds, what it refuses, and that it agrees with libcrypto; and which
 * public keys are imported. */

#include "crypto/public_key.h"

#include "crypto/recipe.h"
#include "dtls.h"

/* ------------------------------------------------------------------------------- certificates from tools */

struct pki_case
{
  const char *name;
  enum key_kind kind;
  bool may_be_server;
  bool may_be_client;
};

static const struct pki_case pki_cases[] = {
  { "server-rsa", KEY_RSA, true, false },         { "client-rsa", KEY_RSA, false, true },
  { "server-rsapss", KEY_RSA_PSS, true, false },  { "client-rsapss", KEY_RSA_PSS, false, true },
  { "server-ecdsa", KEY_P256, true, false },      { "client-ecdsa", KEY_P256, false, true },
  { "server-p384", KEY_P384, true, false },       { "client-p384", KEY_P384, false, true },
  { "server-ed25519", KEY_ED25519, true, false }, { "client-ed25519", KEY_ED25519, false, true },
  { "server-client-eku", KEY_P256, false, true }, { "server-any-eku", KEY_P256, true, true },
  { "server-no-eku", KEY_P256, true, true },      { "server-expired", KEY_P256, true, false },
};

static void
test_pki (void)
{
  for (size_t i = 0; i < TAP_N (pki_cases); i++)
    {
      const struct pki_case *c = &pki_cases[i];
      struct bytes der = pki_identity (c->name)->chain[0];
      struct public_key *key;
      struct leaf leaf;

      tap_set_row (c->name);
      if (!CHECK (leaf_read (der, &leaf)))
        continue;
      CHECK_UINT (leaf.kind, c->kind);
      CHECK (!leaf.has_pss_hash);
      CHECK (leaf.has_key_usage && leaf.may_sign);
      /* Signed by a P-256 key with SHA-256. */
      CHECK (leaf.has_end_point_hash && leaf.end_point_hash == HASH_SHA256);
      CHECK_UINT (dtls_certificate_may_be (der, DTLS_SERVER), c->may_be_server);
      CHECK_UINT (dtls_certificate_may_be (der, DTLS_CLIENT), c->may_be_client);
      CHECK_BYTES (dtls_certificate_subject (der), leaf.subject);
      CHECK (oracle_agrees (pki_crypto (), der));
      key = public_key_new (pki_crypto (), &leaf);
      CHECK (key != NULL);
      public_key_free (key);
    }
  public_key_free (NULL);
}

/* In an allocation of its own length: the address sanitiser sees a read beyond it. */
static bool
reads_copy (struct bytes der, size_t len)
{
  uint8_t *copy = malloc (len > 0 ? len : 1);
  struct leaf leaf;
  bool is_read;

  memcpy (copy, der.at, len);
  is_read = leaf_read ((struct bytes){ copy, len }, &leaf);
  free (copy);
  return is_read;
}

static void
test_truncations (void)
{
  struct leaf leaf;

  CHECK (!leaf_read ((struct bytes){ NULL, 0 }, &leaf));
  for (size_t i = 0; i < TAP_N (pki_cases); i++)
    {
      struct bytes der = pki_identity (pki_cases[i].name)->chain[0];
      uint8_t *longer = malloc (der.left + 1);

      tap_set_row (pki_cases[i].name);
      for (size_t len = 0; len < der.left; len++)
        CHECK (!reads_copy (der, len));
      memcpy (longer, der.at, der.left);
      longer[der.left] = 0;
      CHECK (!leaf_read ((struct bytes){ longer, der.left + 1 }, &leaf));
      CHECK (reads_copy (der, der.left));
      free (longer);
    }
}

/* Each byte changed in two ways. Most of the results are certificates to neither or to both. */
static void
test_changed_bytes (void)
{
  for (size_t i = 0; i < TAP_N (pki_cases); i += 2)
    {
      struct bytes der = pki_identity (pki_cases[i].name)->chain[0];

      tap_set_row (pki_cases[i].name);
      for (size_t at = 0; at < 2 * der.left; at++)
        {
          uint8_t *copy = malloc (der.left);

          memcpy (copy, der.at, der.left);
          copy[at / 2] ^= at % 2 == 0 ? (uint8_t) (1 << at / 2 % 8) : 0x83;
          if (!CHECK (oracle_agrees (pki_crypto (), (struct bytes){ copy, der.left })))
            printf ("#   byte %zu is 0x%02x\n", at / 2, copy[at / 2]);
          free (copy);
        }
    }
}

/* ------------------------------------------------------------------------------- certificates of our own */

static struct bytes
extensions (struct bytes list)
{
  return DER (0xa3, DER (0x30, list));
}

static struct bytes
extension (struct bytes oid, struct bytes value)
{
  return DER (0x30, oid, DER (0x04, value));
}

static void
test_bare (void)
{
  struct recipe v1 = { .after_spki = DER_NOTHING };
  struct leaf leaf;

  der_reset ();
  CHECK (reads (&v1, &leaf));
  CHECK (!leaf.has_key_usage && leaf.may_sign);
  CHECK (!leaf.has_extended_key_usage && !leaf.is_server_purpose && !leaf.is_client_purpose);
  CHECK_UINT (leaf.kind, KEY_ED25519);
  CHECK_UINT (leaf.spki.left, 44);
  CHECK_UINT (leaf.subject.left, 14);
  CHECK (dtls_certificate_may_be (make_certificate (&v1), DTLS_SERVER));
  CHECK (dtls_certificate_may_be (make_certificate (&v1), DTLS_CLIENT));
  CHECK (!dtls_certificate_may_be (DER_NOTHING, DTLS_CLIENT));
  CHECK_UINT (dtls_certificate_subject (DER_NOTHING).left, 0);
}

struct usage_case
{
  const char *value; /* the extension's contents */
  size_t len;
  bool is_read;
  bool may_sign;
};

#define VALUE(literal) literal, sizeof (literal) - 1

static const struct usage_case usage_cases[] = {
  { VALUE ("\x03\x02\x07\x80"), true, true },       /* digitalSignature */
  { VALUE ("\x03\x02\x05\xa0"), true, true },       /* and keyEncipherment */
  { VALUE ("\x03\x02\x05\x20"), true, false },      /* keyEncipherment */
  { VALUE ("\x03\x02\x06\x40"), true, false },      /* nonRepudiation */
  { VALUE ("\x03\x03\x07\x00\x80"), true, false },  /* decipherOnly */
  { VALUE ("\x03\x03\x07\x80\x80"), true, true },   /* and digitalSignature */
  { VALUE ("\x03\x01\x00"), true, false },          /* no bit at all */
  { VALUE ("\x03\x01\x01"), false, false },         /* one of no bits unused */
  { VALUE ("\x03\x02\x08\x80"), false, false },     /* eight bits unused */
  { VALUE ("\x03\x00"), false, false },             /* not even their count */
  { VALUE ("\x03\x02\x07\x80\x00"), false, false }, /* a byte more */
  { VALUE ("\x04\x02\x07\x80"), false, false },     /* an OCTET STRING */
  { VALUE ("\x03\x03\x07\x80"), false, false },     /* cut short */
  { VALUE (""), false, false },
};

static void
test_key_usage (void)
{
  for (size_t i = 0; i < TAP_N (usage_cases); i++)
    {
      const struct usage_case *c = &usage_cases[i];
      struct bytes value = { (const uint8_t *) c->value, c->len };
      struct recipe recipe;
      struct leaf leaf;

      der_reset ();
      recipe = (struct recipe){ .after_spki = extensions (extension (KEY_USAGE, value)) };
      if (!CHECK_UINT (reads (&recipe, &leaf), c->is_read))
        printf ("#   row %zu\n", i);
      if (c->is_read)
        CHECK (leaf.has_key_usage && leaf.may_sign == c->may_sign);
    }
}

static void
check_purposes (struct bytes value, bool is_read, bool is_server, bool is_client)
{
  struct recipe recipe = { .after_spki = extensions (extension (EXTENDED_KEY_USAGE_OID, value)) };
  struct leaf leaf;

  if (!CHECK_UINT (reads (&recipe, &leaf), is_read) || !is_read)
    return;
  CHECK (leaf.has_extended_key_usage);
  CHECK_UINT (leaf.is_server_purpose, is_server);
  CHECK_UINT (leaf.is_client_purpose, is_client);
}

static void
test_purposes (void)
{
  der_reset ();
  check_purposes (DER (0x30, SERVER_AUTH), true, true, false);
  check_purposes (DER (0x30, CLIENT_AUTH), true, false, true);
  check_purposes (DER (0x30, CODE_SIGNING), true, false, false);
  check_purposes (DER (0x30, CODE_SIGNING, CLIENT_AUTH, SERVER_AUTH), true, true, true);
  check_purposes (DER (0x30, CODE_SIGNING, ANY_PURPOSE), true, true, true);
  check_purposes (DER (0x30, DER_NOTHING), true, false, false);
  check_purposes (DER_NOTHING, false, false, false);
  check_purposes (DER (0x31, SERVER_AUTH), false, false, false);
  check_purposes (DER (0x30, SERVER_AUTH, NULL_ELEMENT), false, false, false);
  check_purposes (DER (0x30, SERVER_AUTH, DER_RAW ("\x06\x08\x2b")), false, false, false);
  check_purposes (SERVER_AUTH, false, false, false);
  check_purposes (DER_RAW ("\x30\x00\x00"), false, false, false);
}

/* The contents of [3], or what stands in its place, and whether the walk takes it. */
static void
check_after_spki (const char *what, struct bytes after_spki, bool is_read)
{
  struct recipe recipe = { .after_spki = after_spki };
  struct leaf leaf;

  tap_set_row (what);
  CHECK_UINT (reads (&recipe, &leaf), is_read);
}

static void
test_extensions (void)
{
  struct bytes usage, purposes, other, critical;

  der_reset ();
  usage = extension (KEY_USAGE, DER_RAW ("\x03\x02\x07\x80"));
  purposes = extension (EXTENDED_KEY_USAGE_OID, DER (0x30, SERVER_AUTH));
  other = extension (SUBJECT_ALT_NAME, DER_RAW ("not read"));
  critical =
      DER (0x30, KEY_USAGE, DER_RAW ("\x01\x01\xff"), DER (0x04, DER_RAW ("\x03\x02\x07\x80")));

  check_after_spki ("none in the list", extensions (DER_NOTHING), true);
  check_after_spki ("all kinds",
                    extensions (der_join ((struct bytes[]){ other, usage, purposes }, 3)), true);
  check_after_spki ("critical", extensions (critical), true);
  check_after_spki ("another one twice",
                    extensions (der_join ((struct bytes[]){ other, other }, 2)), true);
  check_after_spki ("usage twice", extensions (der_join ((struct bytes[]){ usage, critical }, 2)),
                    false);
  check_after_spki ("purposes twice",
                    extensions (der_join ((struct bytes[]){ purposes, purposes }, 2)), false);
  check_after_spki ("no list", DER (0xa3, DER_NOTHING), false);
  check_after_spki ("two lists", DER (0xa3, DER (0x30, usage), DER (0x30, purposes)), false);
  check_after_spki ("not wrapped", DER (0x30, usage), false);
  check_after_spki (
      "twice", der_join ((struct bytes[]){ extensions (usage), extensions (other) }, 2), false);
  check_after_spki ("a list of no extension", extensions (NULL_ELEMENT), false);
  check_after_spki ("an empty extension", extensions (DER (0x30, DER_NOTHING)), false);
  check_after_spki ("no value", extensions (DER (0x30, KEY_USAGE)), false);
  check_after_spki (
      "a value too many",
      extensions (DER (0x30, SUBJECT_ALT_NAME, DER (0x04, DER_NOTHING), NULL_ELEMENT)), false);
  check_after_spki ("both identifiers", DER_RAW ("\x81\x02\x00u\x82\x02\x00U"), true);
  check_after_spki ("identifiers and extensions",
                    der_join ((struct bytes[]){ DER_RAW ("\x82\x02\x00U"), extensions (usage) }, 2),
                    true);
  check_after_spki ("identifiers out of order", DER_RAW ("\x82\x02\x00U\x81\x02\x00u"), false);
  check_after_spki ("an element too many", NULL_ELEMENT, false);
}

static void
test_versions (void)
{
  static const struct bytes versions[] = { { (const uint8_t *) "\xa0\x03\x02\x01\x00", 5 },
                                           { (const uint8_t *) "\xa0\x03\x02\x01\x01", 5 },
                                           { (const uint8_t *) "\xa0\x03\x02\x01\x02", 5 } };

  for (size_t i = 0; i < TAP_N (versions); i++)
    {
      struct recipe recipe = { .whole_version = versions[i] };
      struct leaf leaf;

      der_reset ();
      CHECK (reads (&recipe, &leaf));
    }
}

static void
test_too_much (void)
{
  struct recipe signature = { .after_signature = NULL_ELEMENT };
  struct recipe algorithm = { 0 }, key_algorithm = { 0 }, key = { 0 };
  struct leaf leaf;

  der_reset ();
  algorithm.signed_with = der_join ((struct bytes[]){ ECDSA_SHA256, NULL_ELEMENT }, 2);
  CHECK (reads (&algorithm, &leaf));
  algorithm.signed_with =
      der_join ((struct bytes[]){ ECDSA_SHA256, NULL_ELEMENT, NULL_ELEMENT }, 3);
  CHECK (!reads (&algorithm, &leaf));
  key_algorithm.spki =
      DER (0x30, DER (0x30, ED25519_OID, NULL_ELEMENT, NULL_ELEMENT), DER_RAW ("\x03\x02\x00k"));
  CHECK (!reads (&key_algorithm, &leaf));
  key.spki = DER (0x30, DER (0x30, ED25519_OID), DER_RAW ("\x03\x02\x00k"), NULL_ELEMENT);
  CHECK (!reads (&key, &leaf));
  CHECK (!reads (&signature, &leaf));
}

/* ------------------------------------------------------------------------------- keys */

/* What stands in the BIT STRING, and whether it is imported. `algorithm` is the AlgorithmIdentifier. */
static void
check_key (const char *what, struct bytes algorithm, struct bytes bits, bool is_imported)
{
  struct recipe recipe = { .spki = DER (0x30, algorithm, DER (0x03, bits)) };
  struct public_key *key = NULL;
  struct leaf leaf;

  tap_set_row (what);
  if (CHECK (reads (&recipe, &leaf)))
    key = public_key_new (pki_crypto (), &leaf);
  CHECK_UINT (key != NULL, is_imported);
  public_key_free (key);
}

/* The BIT STRING's contents of a certificate that is good: 0 unused bits and the key. */
static struct bytes
good_bits (const char *name, struct bytes *out_algorithm)
{
  X509 *certificate;
  struct bytes der = pki_identity (name)->chain[0];
  X509_ALGOR *algorithm;
  const unsigned char *key;
  unsigned char *encoded = NULL;
  struct bytes bits;
  int len;

  certificate = d2i_X509 (NULL, &der.at, (long) der.left);
  X509_PUBKEY_get0_param (NULL, &key, &len, &algorithm, X509_get_X509_PUBKEY (certificate));
  bits = der_join ((struct bytes[]){ DER_RAW ("\x00"), { key, (size_t) len } }, 2);
  len = i2d_X509_ALGOR (algorithm, &encoded);
  *out_algorithm = der_join (&(struct bytes){ encoded, (size_t) len }, 1);

  OPENSSL_free (encoded);
  X509_free (certificate);
  return bits;
}

/* Shorter, longer, and with bits unused. */
static void
check_key_lengths (const char *name)
{
  struct bytes algorithm;
  struct bytes bits = good_bits (name, &algorithm);
  struct bytes unused = der_join (&bits, 1);

  built.at[unused.at - built.at] = 1;
  check_key (name, algorithm, bits, true);
  check_key (name, algorithm, unused, false);
  check_key (name, algorithm, der_join ((struct bytes[]){ bits, DER_RAW ("\x00") }, 2), false);
  check_key (name, algorithm, (struct bytes){ bits.at, bits.left - 1 }, false);
  check_key (name, algorithm, (struct bytes){ bits.at, 1 }, false);
}

static void
test_key_lengths (void)
{
  static const char *const names[] = { "server-rsa", "server-rsapss", "server-ecdsa", "server-p384",
                                       "server-ed25519" };

  for (size_t i = 0; i < TAP_N (names); i++)
    {
      der_reset ();
      check_key_lengths (names[i]);
    }
}

static void
test_key_points (void)
{
  struct bytes algorithm, bits, changed;
  uint8_t *point;

  der_reset ();
  bits = good_bits ("server-ecdsa", &algorithm);
  changed = der_join (&bits, 1);
  point = built.at + (changed.at - built.at) + 1;

  point[64] ^= 1;
  check_key ("off the curve", algorithm, changed, false);
  point[64] ^= 1;
  point[0] = (uint8_t) (6 + point[64] % 2);
  check_key ("hybrid", algorithm, changed, false);
  point[0] = (uint8_t) (2 + point[64] % 2);
  check_key ("compressed", algorithm, (struct bytes){ changed.at, 1 + 33 }, false);
  check_key ("infinity", algorithm, DER_RAW ("\x00\x00"), false);
}

/* A modulus of `n_bits`, all ones, with an exponent. */
static struct bytes
rsa_key (unsigned n_bits, struct bytes exponent)
{
  static uint8_t ones[1 + 8448 / 8];
  size_t len = 1 + (n_bits + 7) / 8;

  memset (ones, 0xff, sizeof ones);
  ones[0] = 0;
  if (n_bits % 8 != 0)
    ones[1] = (uint8_t) ((1 << n_bits % 8) - 1);

  /* The first byte is only there where the next one would make the number negative. */
  if (n_bits % 8 != 0)
    return DER (0x30, DER (0x02, { ones + 1, len - 1 }), DER (0x02, exponent));
  return DER (0x30, DER (0x02, { ones, len }), DER (0x02, exponent));
}

static void
check_rsa (const char *what, struct bytes key, bool is_imported)
{
  struct bytes algorithm = DER (0x30, RSA_ENCRYPTION, NULL_ELEMENT);

  check_key (what, algorithm, der_join ((struct bytes[]){ DER_RAW ("\x00"), key }, 2), is_imported);
}

static void
test_rsa_numbers (void)
{
  struct bytes f4 = DER_RAW ("\x01\x00\x01"), odd = DER_RAW ("\x02\x01\x03"), good;
  uint8_t even[258];

  der_reset ();
  good = rsa_key (2048, f4);
  check_rsa ("2047 bits", rsa_key (2047, f4), false);
  check_rsa ("2048 bits", good, true);
  check_rsa ("8192 bits", rsa_key (8192, f4), true);
  check_rsa ("8193 bits", rsa_key (8193, f4), false);
  check_rsa ("8448 bits", rsa_key (8448, f4), false);
  der_reset ();
  check_rsa ("exponent 1", rsa_key (2048, DER_RAW ("\x01")), false);
  check_rsa ("exponent 3", rsa_key (2048, DER_RAW ("\x03")), true);
  check_rsa ("exponent 4", rsa_key (2048, DER_RAW ("\x04")), false);
  check_rsa ("exponent 0", rsa_key (2048, DER_RAW ("\x00")), false);
  check_rsa ("negative exponent", rsa_key (2048, DER_RAW ("\x81")), false);
  check_rsa ("exponent with a zero too many", rsa_key (2048, DER_RAW ("\x00\x03")), false);
  check_rsa ("exponent of 64 bits",
             rsa_key (2048, DER_RAW ("\x00\xff\xff\xff\xff\xff\xff\xff\xff")), true);
  check_rsa ("exponent of 65 bits",
             rsa_key (2048, DER_RAW ("\x01\xff\xff\xff\xff\xff\xff\xff\xff")), false);
  check_rsa ("no exponent", rsa_key (2048, DER_NOTHING), false);
  der_reset ();
  memset (even, 0xfe, sizeof even);
  even[0] = 0;
  check_rsa ("even modulus", DER (0x30, DER (0x02, { even, 257 }), DER (0x02, f4)), false);
  even[0] = 0x80;
  even[256] = 1;
  check_rsa ("negative modulus", DER (0x30, DER (0x02, { even, 257 }), DER (0x02, f4)), false);
  check_rsa ("a number alone", odd, false);
  check_rsa ("three numbers", DER (0x30, DER (0x02, { even + 1, 256 }), odd, odd), false);
  check_rsa ("nothing", DER_NOTHING, false);
}

static void
test_errors_left (void)
{
  struct bytes der = pki_identity ("server-ecdsa")->chain[0];
  struct public_key *key;
  struct leaf leaf;

  ERR_clear_error ();
  CHECK (leaf_read (der, &leaf));
  leaf.kind = KEY_RSA;
  CHECK (public_key_new (pki_crypto (), &leaf) == NULL);
  leaf.kind = KEY_P384;
  CHECK (public_key_new (pki_crypto (), &leaf) == NULL);
  leaf.kind = KEY_ED25519;
  CHECK (public_key_new (pki_crypto (), &leaf) == NULL);
  leaf.kind = KEY_P256;
  key = public_key_new (pki_crypto (), &leaf);
  CHECK (key != NULL);
  public_key_free (key);
  CHECK_UINT (ERR_peek_error (), 0);
}

static const struct tap_test tests[] = {
  { "/crypto/public_key/finds-what-the-tools-put-in", test_pki },
  { "/crypto/public_key/refuses-truncations-and-trailing-bytes", test_truncations },
  { "/crypto/public_key/agrees-with-libcrypto-on-changed-bytes", test_changed_bytes },
  { "/crypto/public_key/takes-a-bare-certificate", test_bare },
  { "/crypto/public_key/takes-every-version", test_versions },
  { "/crypto/public_key/refuses-an-element-too-many", test_too_much },
  { "/crypto/public_key/key-usage-may-sign", test_key_usage },
  { "/crypto/public_key/extended-key-usage-names-purposes", test_purposes },
  { "/crypto/public_key/extensions-are-a-list-of-their-own", test_extensions },
  { "/crypto/public_key/imports-keys-of-the-right-length", test_key_lengths },
  { "/crypto/public_key/imports-points-on-the-curve", test_key_points },
  { "/crypto/public_key/imports-rsa-within-bounds", test_rsa_numbers },
  { "/crypto/public_key/leaves-no-errors-behind", test_errors_left },
};

TAP_MAIN (tests)
