/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the algorithms of keys and signatures are to us, as found in certificates. */

#include "crypto/identifiers.h"

#include "crypto/recipe.h"

#define VALUE(literal) literal, sizeof (literal) - 1

static void
check_key_algorithm (const char *what, struct bytes oid, struct bytes parameters,
                     enum key_kind kind)
{
  struct bytes spki =
      DER (0x30, DER (0x30, oid, parameters), DER (0x03, DER_RAW ("\x00no key of this kind")));
  struct recipe recipe = { .spki = spki };
  struct leaf leaf;

  tap_set_row (what);
  if (!CHECK (reads (&recipe, &leaf)))
    return;
  CHECK_UINT (leaf.kind, kind);
  CHECK_BYTES (leaf.spki, spki);
  CHECK (public_key_new (pki_crypto (), &leaf) == NULL);
}

static void
test_key_algorithms (void)
{
  struct bytes explicit_curve;

  der_reset ();
  explicit_curve = DER (0x30, DER_RAW ("\x02\x01\x01"), SECP256R1);
  check_key_algorithm ("RSA", RSA_ENCRYPTION, NULL_ELEMENT, KEY_RSA);
  check_key_algorithm ("RSA without its NULL", RSA_ENCRYPTION, DER_NOTHING, KEY_UNKNOWN);
  check_key_algorithm ("RSA with a curve", RSA_ENCRYPTION, SECP256R1, KEY_UNKNOWN);
  check_key_algorithm ("P-256", EC_PUBLIC_KEY, SECP256R1, KEY_P256);
  check_key_algorithm ("P-384", EC_PUBLIC_KEY, SECP384R1, KEY_P384);
  check_key_algorithm ("P-521", EC_PUBLIC_KEY, SECP521R1, KEY_UNKNOWN);
  check_key_algorithm ("EC without a curve", EC_PUBLIC_KEY, DER_NOTHING, KEY_UNKNOWN);
  check_key_algorithm ("EC with an explicit curve", EC_PUBLIC_KEY, explicit_curve, KEY_UNKNOWN);
  check_key_algorithm ("EC with NULL", EC_PUBLIC_KEY, NULL_ELEMENT, KEY_UNKNOWN);
  check_key_algorithm ("Ed25519", ED25519_OID, DER_NOTHING, KEY_ED25519);
  check_key_algorithm ("Ed25519 with NULL", ED25519_OID, NULL_ELEMENT, KEY_UNKNOWN);
  check_key_algorithm ("Ed448", ED448_OID, DER_NOTHING, KEY_UNKNOWN);
  check_key_algorithm ("a signature's", ECDSA_SHA256, DER_NOTHING, KEY_UNKNOWN);
}

/* RSASSA-PSS-params of these; what is empty is left out. */
static struct bytes
pss_parameters (struct bytes hash, struct bytes mask_hash, struct bytes salt, struct bytes trailer)
{
  struct bytes parts[4];
  size_t n = 0;

  if (hash.left > 0)
    parts[n++] = DER (0xa0, DER (0x30, hash, NULL_ELEMENT));
  if (mask_hash.left > 0)
    parts[n++] = DER (0xa1, DER (0x30, MGF1, DER (0x30, mask_hash, NULL_ELEMENT)));
  if (salt.left > 0)
    parts[n++] = DER (0xa2, DER (0x02, salt));
  if (trailer.left > 0)
    parts[n++] = DER (0xa3, DER (0x02, trailer));

  return der_element (0x30, parts, n);
}

struct pss_case
{
  const char *name;
  struct bytes hash;
  struct bytes mask_hash;
  struct bytes salt;
  struct bytes trailer;
  enum key_kind kind; /* of a key with these parameters */
  bool has_hash;      /* a signature with these parameters */
  enum hash pss_hash;
};

#define ONE_BYTE(literal)                                                                          \
  {                                                                                                \
    (const uint8_t *) (literal), 1                                                                 \
  }
#define TWO_BYTES(literal)                                                                         \
  {                                                                                                \
    (const uint8_t *) (literal), 2                                                                 \
  }
#define NONE                                                                                       \
  {                                                                                                \
    NULL, 0                                                                                        \
  }
#define OID_ELEMENT(literal)                                                                       \
  {                                                                                                \
    (const uint8_t *) (literal), sizeof (literal) - 1                                              \
  }
#define E_SHA1 OID_ELEMENT ("\x06\x05\x2b\x0e\x03\x02\x1a")
#define E_SHA224 OID_ELEMENT ("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04")
#define E_SHA256 OID_ELEMENT ("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01")
#define E_SHA384 OID_ELEMENT ("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02")
#define E_SHA512 OID_ELEMENT ("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03")

/* clang-format off */
static const struct pss_case pss_cases[] = {
  { "SHA-256",          E_SHA256, E_SHA256, ONE_BYTE ("\x20"), NONE,             KEY_RSA_PSS, true,  HASH_SHA256 },
  { "SHA-384",          E_SHA384, E_SHA384, ONE_BYTE ("\x30"), ONE_BYTE ("\x01"), KEY_RSA_PSS, true, HASH_SHA384 },
  { "SHA-512",          E_SHA512, E_SHA512, ONE_BYTE ("\x40"), NONE,             KEY_RSA_PSS, true,  HASH_SHA512 },
  { "shorter salt",     E_SHA256, E_SHA256, NONE,              NONE,             KEY_RSA_PSS, true,  HASH_SHA256 },
  { "no salt",          E_SHA256, E_SHA256, ONE_BYTE ("\x00"), NONE,             KEY_RSA_PSS, true,  HASH_SHA256 },
  { "longer salt",      E_SHA256, E_SHA256, ONE_BYTE ("\x21"), NONE,             KEY_UNKNOWN, true,  HASH_SHA256 },
  { "very long salt",   E_SHA256, E_SHA256, TWO_BYTES ("\x01\x00"), NONE,        KEY_UNKNOWN, false, HASH_SHA256 },
  { "negative salt",    E_SHA256, E_SHA256, ONE_BYTE ("\x80"), NONE,             KEY_UNKNOWN, false, HASH_SHA256 },
  { "two hashes",       E_SHA256, E_SHA384, ONE_BYTE ("\x20"), NONE,             KEY_UNKNOWN, false, HASH_SHA256 },
  { "MGF1 with SHA-1",  E_SHA256, NONE,     ONE_BYTE ("\x20"), NONE,             KEY_UNKNOWN, false, HASH_SHA256 },
  { "SHA-1, default",   NONE,     NONE,     NONE,              NONE,             KEY_UNKNOWN, true,  HASH_SHA256 },
  { "SHA-1, named",     E_SHA1,   E_SHA1,   NONE,              NONE,             KEY_UNKNOWN, true,  HASH_SHA256 },
  { "SHA-224",          E_SHA224, E_SHA224, NONE,              NONE,             KEY_UNKNOWN, false, HASH_SHA256 },
  { "another trailer",  E_SHA256, E_SHA256, ONE_BYTE ("\x20"), ONE_BYTE ("\x02"), KEY_UNKNOWN, false, HASH_SHA256 },
};
/* clang-format on */

static void
check_pss (const struct pss_case *c)
{
  struct bytes parameters = pss_parameters (c->hash, c->mask_hash, c->salt, c->trailer);
  struct recipe key = {
    .spki = DER (0x30, DER (0x30, RSASSA_PSS, parameters), DER_RAW ("\x03\x02\x00k")),
  };
  struct recipe signature = { .signed_with =
                                  der_join ((struct bytes[]){ RSASSA_PSS, parameters }, 2) };
  struct leaf leaf;

  if (CHECK (reads (&key, &leaf)))
    {
      CHECK_UINT (leaf.kind, c->kind);
      CHECK_UINT (leaf.has_pss_hash, c->kind == KEY_RSA_PSS);
      CHECK (!leaf.has_pss_hash || leaf.pss_hash == c->pss_hash);
    }
  if (CHECK (reads (&signature, &leaf)))
    {
      CHECK_UINT (leaf.has_end_point_hash, c->has_hash);
      CHECK (!c->has_hash || leaf.end_point_hash == c->pss_hash);
    }
}

static void
test_pss (void)
{
  for (size_t i = 0; i < TAP_N (pss_cases); i++)
    {
      der_reset ();
      tap_set_row (pss_cases[i].name);
      check_pss (&pss_cases[i]);
    }

  der_reset ();
  check_key_algorithm ("no parameters", RSASSA_PSS, DER_NOTHING, KEY_RSA_PSS);
  check_key_algorithm ("NULL", RSASSA_PSS, NULL_ELEMENT, KEY_UNKNOWN);
  check_key_algorithm ("more than parameters", RSASSA_PSS,
                       DER (0x30, DER (0xa2, DER_RAW ("\x02\x01\x20")), NULL_ELEMENT), KEY_UNKNOWN);
  check_key_algorithm ("a hash with a number", RSASSA_PSS,
                       DER (0x30, DER (0xa0, DER (0x30, SHA256, DER_RAW ("\x02\x01\x01"))),
                            DER (0xa1, DER (0x30, MGF1, DER (0x30, SHA256)))),
                       KEY_UNKNOWN);
  check_key_algorithm (
      "hashes without NULL", RSASSA_PSS,
      DER (0x30, DER (0xa0, DER (0x30, SHA256)), DER (0xa1, DER (0x30, MGF1, DER (0x30, SHA256)))),
      KEY_RSA_PSS);
  check_key_algorithm ("another mask", RSASSA_PSS,
                       DER (0x30, DER (0xa0, DER (0x30, SHA256)),
                            DER (0xa1, DER (0x30, SHA256, DER (0x30, SHA256)))),
                       KEY_UNKNOWN);
}

struct hash_case
{
  const char *oid; /* the contents of signatureAlgorithm */
  size_t len;
  bool has_hash;
  enum hash hash;
};

static const struct hash_case hash_cases[] = {
  { VALUE ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\x00"), true,
    HASH_SHA256 }, /* RSA, MD5 */
  { VALUE ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"), true, HASH_SHA256 }, /* SHA-1 */
  { VALUE ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"), true, HASH_SHA256 },
  { VALUE ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"), true, HASH_SHA384 },
  { VALUE ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"), true, HASH_SHA512 },
  { VALUE ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e\x05\x00"), false,
    HASH_SHA256 },                                                       /* SHA-224 */
  { VALUE ("\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"), true, HASH_SHA256 }, /* ECDSA, SHA-1 */
  { VALUE ("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"), true, HASH_SHA256 },
  { VALUE ("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"), true, HASH_SHA384 },
  { VALUE ("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"), true, HASH_SHA512 },
  { VALUE ("\x06\x03\x2b\x65\x70"), false, HASH_SHA256 }, /* Ed25519 */
  { VALUE ("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), false,
    HASH_SHA256 }, /* PSS of nothing */
};

/* RFC 5929 §4.1 */
static void
test_end_point_hash (void)
{
  for (size_t i = 0; i < TAP_N (hash_cases); i++)
    {
      const struct hash_case *c = &hash_cases[i];
      struct recipe recipe = { .signed_with = { (const uint8_t *) c->oid, c->len } };
      struct leaf leaf;

      der_reset ();
      if (!CHECK (reads (&recipe, &leaf)))
        continue;
      if (!CHECK_UINT (leaf.has_end_point_hash, c->has_hash))
        printf ("#   row %zu\n", i);
      CHECK (!c->has_hash || leaf.end_point_hash == c->hash);
    }
}

static const struct tap_test tests[] = {
  { "/crypto/identifiers/algorithm-decides-the-kind", test_key_algorithms },
  { "/crypto/identifiers/pss-parameters-have-one-hash", test_pss },
  { "/crypto/identifiers/end-point-hash-as-rfc-5929-says", test_end_point_hash },
};

TAP_MAIN (tests)
