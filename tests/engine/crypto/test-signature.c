/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every scheme with every kind of key: what fits makes signatures that verify, what does not is refused, and
 * so is every change of a byte. */

#include "crypto/signature.h"

#include "crypto/hex.h"
#include "dtls.h"
#include "pki.h"
#include "tap.h"
#include "wire/codepoints.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static const char *const names[KEY_UNKNOWN] = {
  [KEY_RSA] = "server-rsa",   [KEY_RSA_PSS] = "server-rsapss",  [KEY_P256] = "server-ecdsa",
  [KEY_P384] = "server-p384", [KEY_ED25519] = "server-ed25519",
};

struct fit
{
  uint16_t scheme;
  uint8_t fits[KEY_UNKNOWN + 1]; /* by enum key_kind */
};

/* clang-format off */
static const struct fit fit_table[] = {
  /*                              RSA PSS P256 P384 Ed  unknown */
  { SIG_RSA_PKCS1_SHA256,       { 1,  0,  0,   0,   0,  0 } },
  { SIG_RSA_PKCS1_SHA384,       { 1,  0,  0,   0,   0,  0 } },
  { SIG_RSA_PKCS1_SHA512,       { 1,  0,  0,   0,   0,  0 } },
  { SIG_ECDSA_SECP256R1_SHA256, { 0,  0,  1,   1,   0,  0 } },
  { SIG_ECDSA_SECP384R1_SHA384, { 0,  0,  1,   1,   0,  0 } },
  { SIG_RSA_PSS_RSAE_SHA256,    { 1,  0,  0,   0,   0,  0 } },
  { SIG_RSA_PSS_RSAE_SHA384,    { 1,  0,  0,   0,   0,  0 } },
  { SIG_RSA_PSS_RSAE_SHA512,    { 1,  0,  0,   0,   0,  0 } },
  { SIG_ED25519,                { 0,  0,  0,   0,   1,  0 } },
  { SIG_RSA_PSS_PSS_SHA256,     { 0,  1,  0,   0,   0,  0 } },
  { SIG_RSA_PSS_PSS_SHA384,     { 0,  1,  0,   0,   0,  0 } },
  { SIG_RSA_PSS_PSS_SHA512,     { 0,  1,  0,   0,   0,  0 } },
  { 0x0201,                     { 0,  0,  0,   0,   0,  0 } }, /* rsa_pkcs1_sha1 */
  { 0x0203,                     { 0,  0,  0,   0,   0,  0 } }, /* ecdsa_sha1 */
  { 0x0603,                     { 0,  0,  0,   0,   0,  0 } }, /* ecdsa_secp521r1_sha512 */
  { 0x0808,                     { 0,  0,  0,   0,   0,  0 } }, /* ed448 */
  { 0x0000,                     { 0,  0,  0,   0,   0,  0 } },
  { 0xffff,                     { 0,  0,  0,   0,   0,  0 } },
};
/* clang-format on */

static const struct bytes message = TAP_STRING ("what both sides have said so far");

static struct public_key *
public_key_of (enum key_kind kind)
{
  struct public_key *key = NULL;
  struct leaf leaf;

  if (CHECK (leaf_read (pki_identity (names[kind])->chain[0], &leaf)))
    key = public_key_new (pki_crypto (), &leaf);
  if (!CHECK (key != NULL))
    exit (EXIT_FAILURE);

  return key;
}

static enum dtls_error
check (const struct public_key *key, uint16_t scheme, struct bytes signature)
{
  return signature_check (pki_crypto (), key, scheme, message, signature);
}

static void
test_table (void)
{
  for (size_t i = 0; i < TAP_N (fit_table); i++)
    for (enum key_kind kind = KEY_RSA; kind <= KEY_UNKNOWN; kind++)
      CHECK_UINT (signature_fits (fit_table[i].scheme, kind), fit_table[i].fits[kind]);
}

/* Made with one scheme, it verifies with that one and with no other. */
static void
check_only (const struct public_key *key, uint16_t made_with, struct bytes signature)
{
  for (size_t i = 0; i < TAP_N (fit_table); i++)
    CHECK_UINT (check (key, fit_table[i].scheme, signature),
                fit_table[i].scheme == made_with ? DTLS_OK : DTLS_ERROR_BAD_SIGNATURE);
}

static void
check_pair (enum key_kind kind, const struct fit *fit)
{
  const struct dtls_key *key = pki_identity (names[kind])->key;
  struct public_key *public_key = public_key_of (kind);
  uint8_t signature[3 + MAX_SIGNATURE_LEN] = { 1, 2, 3 };
  struct dtls_buffer out = { signature, sizeof signature, 3 };
  enum dtls_error error = signature_make (pki_crypto (), key, fit->scheme, message, &out);

  if (fit->fits[kind])
    {
      CHECK_UINT (error, DTLS_OK);
      CHECK (out.used > 3);
      check_only (public_key, fit->scheme, (struct bytes){ signature + 3, out.used - 3 });
    }
  else
    {
      CHECK_UINT (error, DTLS_ERROR_SIGNING_FAILED);
      CHECK_UINT (out.used, 3);
    }
  CHECK (signature[0] == 1 && signature[1] == 2 && signature[2] == 3);
  public_key_free (public_key);
}

static void
test_pairs (void)
{
  for (enum key_kind kind = KEY_RSA; kind < KEY_UNKNOWN; kind++)
    {
      tap_set_row (names[kind]);
      CHECK_UINT (key_kind_of (pki_identity (names[kind])->key), kind);
      for (size_t i = 0; i < TAP_N (fit_table); i++)
        check_pair (kind, &fit_table[i]);
    }
}

/* Each byte changed, each truncation and a byte too many; and each byte of the message changed. */
static void
check_tampering (enum key_kind kind, uint16_t scheme)
{
  struct public_key *key = public_key_of (kind);
  uint8_t signature[MAX_SIGNATURE_LEN + 1] = { 0 }, changed[64];
  struct dtls_buffer out = { signature, MAX_SIGNATURE_LEN, 0 };

  CHECK_UINT (
      signature_make (pki_crypto (), pki_identity (names[kind])->key, scheme, message, &out),
      DTLS_OK);
  for (size_t i = 0; i < out.used; i++)
    {
      signature[i] ^= 0x10;
      CHECK_UINT (check (key, scheme, (struct bytes){ signature, out.used }),
                  DTLS_ERROR_BAD_SIGNATURE);
      signature[i] ^= 0x10;
      CHECK_UINT (check (key, scheme, (struct bytes){ signature, i }), DTLS_ERROR_BAD_SIGNATURE);
    }
  CHECK_UINT (check (key, scheme, (struct bytes){ NULL, 0 }), DTLS_ERROR_BAD_SIGNATURE);
  CHECK_UINT (check (key, scheme, (struct bytes){ signature, out.used + 1 }),
              DTLS_ERROR_BAD_SIGNATURE);

  for (size_t i = 0; i < message.left; i++)
    {
      memcpy (changed, message.at, message.left);
      changed[i] ^= 1;
      CHECK_UINT (signature_check (pki_crypto (), key, scheme,
                                   (struct bytes){ changed, message.left },
                                   (struct bytes){ signature, out.used }),
                  DTLS_ERROR_BAD_SIGNATURE);
    }
  CHECK_UINT (check (key, scheme, (struct bytes){ signature, out.used }), DTLS_OK);
  public_key_free (key);
}

static void
test_tampering (void)
{
  check_tampering (KEY_RSA, SIG_RSA_PKCS1_SHA256);
  check_tampering (KEY_RSA, SIG_RSA_PSS_RSAE_SHA256);
  check_tampering (KEY_RSA_PSS, SIG_RSA_PSS_PSS_SHA384);
  check_tampering (KEY_P256, SIG_ECDSA_SECP256R1_SHA256);
  check_tampering (KEY_P384, SIG_ECDSA_SECP384R1_SHA384);
  check_tampering (KEY_ED25519, SIG_ED25519);
}

/* Another key of the same kind. */
static void
test_other_key (void)
{
  struct public_key *key = public_key_of (KEY_P256);
  uint8_t signature[MAX_SIGNATURE_LEN];
  struct dtls_buffer out = { signature, sizeof signature, 0 };

  CHECK_UINT (signature_make (pki_crypto (), pki_identity ("client-ecdsa")->key,
                              SIG_ECDSA_SECP256R1_SHA256, message, &out),
              DTLS_OK);
  CHECK_UINT (check (key, SIG_ECDSA_SECP256R1_SHA256, (struct bytes){ signature, out.used }),
              DTLS_ERROR_BAD_SIGNATURE);
  public_key_free (key);
}

/* RSASSA-PSS by libcrypto alone, with a salt and a hash for MGF1 of our choice. Returns its length. */
static size_t
sign_pss (int salt_len, const EVP_MD *mask_hash, uint8_t *out)
{
  struct bytes der = pki_identity ("server-rsa")->key_der;
  EVP_PKEY *pkey = d2i_AutoPrivateKey (NULL, &der.at, (long) der.left);
  EVP_MD_CTX *ctx = EVP_MD_CTX_new ();
  EVP_PKEY_CTX *pkey_ctx;
  size_t len = MAX_SIGNATURE_LEN;
  bool is_done = EVP_DigestSignInit (ctx, &pkey_ctx, EVP_sha256 (), NULL, pkey) == 1
                 && EVP_PKEY_CTX_set_rsa_padding (pkey_ctx, RSA_PKCS1_PSS_PADDING) == 1
                 && EVP_PKEY_CTX_set_rsa_pss_saltlen (pkey_ctx, salt_len) == 1
                 && EVP_PKEY_CTX_set_rsa_mgf1_md (pkey_ctx, mask_hash) == 1
                 && EVP_DigestSign (ctx, out, &len, message.at, message.left) == 1;

  EVP_MD_CTX_free (ctx);
  EVP_PKEY_free (pkey);
  return is_done ? len : 0;
}

/* RFC 8446 §4.2.3: the salt is as long as the hash, and MGF1's hash is the same. */
static void
test_pss_salt (void)
{
  static const int salt_lens[] = { 0, 1, 20, 31, 32, 33, 48, 64, 222 /* the longest */ };
  struct public_key *key = public_key_of (KEY_RSA);
  uint8_t signature[MAX_SIGNATURE_LEN];

  for (size_t i = 0; i < TAP_N (salt_lens); i++)
    {
      size_t len = sign_pss (salt_lens[i], EVP_sha256 (), signature);

      CHECK_UINT (len, 256);
      CHECK_UINT (check (key, SIG_RSA_PSS_RSAE_SHA256, (struct bytes){ signature, len }),
                  salt_lens[i] == 32 ? DTLS_OK : DTLS_ERROR_BAD_SIGNATURE);
    }

  CHECK_UINT (sign_pss (32, EVP_sha1 (), signature), 256);
  CHECK_UINT (check (key, SIG_RSA_PSS_RSAE_SHA256, (struct bytes){ signature, 256 }),
              DTLS_ERROR_BAD_SIGNATURE);
  public_key_free (key);
}

/* A key whose certificate names one hash verifies with no other. */
static void
test_pss_restriction (void)
{
  const struct identity *identity = pki_identity ("server-rsapss");
  static const uint16_t made_with[] = { SIG_RSA_PSS_PSS_SHA256, SIG_RSA_PSS_PSS_SHA384,
                                        SIG_RSA_PSS_PSS_SHA512 };
  struct public_key *key;
  struct leaf leaf;

  CHECK (leaf_read (identity->chain[0], &leaf) && !leaf.has_pss_hash);
  leaf.has_pss_hash = true;
  leaf.pss_hash = HASH_SHA384;
  key = public_key_new (pki_crypto (), &leaf);
  if (!CHECK (key != NULL))
    return;

  for (size_t i = 0; i < TAP_N (made_with); i++)
    {
      uint8_t signature[MAX_SIGNATURE_LEN];
      struct dtls_buffer out = { signature, sizeof signature, 0 };

      CHECK_UINT (signature_make (pki_crypto (), identity->key, made_with[i], message, &out),
                  DTLS_OK);
      CHECK_UINT (check (key, made_with[i], (struct bytes){ signature, out.used }),
                  made_with[i] == SIG_RSA_PSS_PSS_SHA384 ? DTLS_OK : DTLS_ERROR_BAD_SIGNATURE);
    }
  public_key_free (key);
}

/* No room for a signature is a failure, not an overrun. */
static void
test_no_room (void)
{
  for (enum key_kind kind = KEY_RSA; kind < KEY_UNKNOWN; kind++)
    for (size_t i = 0; i < TAP_N (fit_table); i++)
      for (size_t capacity = 0; capacity <= 32 && fit_table[i].fits[kind]; capacity += 16)
        {
          uint8_t *place = malloc (capacity > 0 ? capacity : 1);
          struct dtls_buffer out = { place, capacity, 0 };

          CHECK_UINT (signature_make (pki_crypto (), pki_identity (names[kind])->key,
                                      fit_table[i].scheme, message, &out),
                      DTLS_ERROR_SIGNING_FAILED);
          CHECK_UINT (out.used, 0);
          free (place);
        }
}

struct ed25519_case
{
  const char *secret;
  const char *public_value;
  const char *message;
  const char *signature;
};

/* RFC 8032 §7.1, tests 1 to 3 */
static const struct ed25519_case ed25519_cases[] = {
  { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
  { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
  { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

/* RFC 8410: PKCS#8 and SubjectPublicKeyInfo around a key of Ed25519 */
#define ED25519_PKCS8 "302e020100300506032b657004220420"
#define ED25519_SPKI "302a300506032b6570032100"

static void
check_ed25519 (const struct ed25519_case *c)
{
  struct hex key_place, spki_place, message_place, expected;
  char key_text[160], spki_text[160];
  struct bytes input = hex_read (&message_place, c->message);
  uint8_t signature[MAX_SIGNATURE_LEN];
  struct dtls_buffer out = { signature, sizeof signature, 0 };
  struct dtls_key *key;
  struct public_key *public_key;
  struct leaf leaf = { .kind = KEY_ED25519 };

  snprintf (key_text, sizeof key_text, "%s%s", ED25519_PKCS8, c->secret);
  snprintf (spki_text, sizeof spki_text, "%s%s", ED25519_SPKI, c->public_value);
  leaf.spki = hex_read (&spki_place, spki_text);
  public_key = public_key_new (pki_crypto (), &leaf);
  if (!CHECK (public_key != NULL)
      || !CHECK_UINT (dtls_key_new (pki_crypto (), hex_read (&key_place, key_text), &key), DTLS_OK))
    return;

  CHECK_UINT (signature_make (pki_crypto (), key, SIG_ED25519, input, &out), DTLS_OK);
  CHECK_BYTES (((struct bytes){ signature, out.used }), hex_read (&expected, c->signature));
  CHECK_UINT (signature_check (pki_crypto (), public_key, SIG_ED25519, input,
                               (struct bytes){ signature, out.used }),
              DTLS_OK);
  public_key_free (public_key);
  dtls_key_free (key);
}

static void
test_ed25519 (void)
{
  for (size_t i = 0; i < TAP_N (ed25519_cases); i++)
    {
      tap_set_row (ed25519_cases[i].public_value);
      check_ed25519 (&ed25519_cases[i]);
    }
}

static void
test_errors_left (void)
{
  CHECK_UINT (ERR_peek_error (), 0);
}

static const struct tap_test tests[] = {
  { "/crypto/signature/schemes-fit-kinds-as-in-the-table", test_table },
  { "/crypto/signature/verifies-with-its-own-scheme-only", test_pairs },
  { "/crypto/signature/refuses-every-changed-byte", test_tampering },
  { "/crypto/signature/refuses-another-key", test_other_key },
  { "/crypto/signature/pss-salt-is-as-long-as-the-hash", test_pss_salt },
  { "/crypto/signature/pss-key-keeps-to-its-hash", test_pss_restriction },
  { "/crypto/signature/fails-without-room", test_no_room },
  { "/crypto/signature/ed25519-as-rfc-8032-says", test_ed25519 },
  { "/crypto/signature/leaves-no-errors-behind", test_errors_left },
};

int
main (void)
{
  /* Reading PEM files leaves an error at their ends. */
  for (enum key_kind kind = KEY_RSA; kind < KEY_UNKNOWN; kind++)
    (void) pki_identity (names[kind]);
  (void) pki_identity ("client-ecdsa");
  ERR_clear_error ();

  return tap_run (tests, TAP_N (tests));
}
