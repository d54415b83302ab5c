/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Private keys: every encoding of every kind, what is none, and which certificate one belongs to. */

#include "crypto/signature.h"
#include "dtls.h"
#include "pki.h"
#include "tap.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

struct identity_case
{
  const char *name;
  enum key_kind kind;
};

static const struct identity_case identities[] = {
  { "server-rsa", KEY_RSA },         { "client-rsa", KEY_RSA },
  { "server-rsapss", KEY_RSA_PSS },  { "client-rsapss", KEY_RSA_PSS },
  { "server-ecdsa", KEY_P256 },      { "client-ecdsa", KEY_P256 },
  { "server-p384", KEY_P384 },       { "client-p384", KEY_P384 },
  { "server-ed25519", KEY_ED25519 }, { "client-ed25519", KEY_ED25519 },
};

static void
check_der (struct bytes der, enum key_kind kind)
{
  struct dtls_key *key = NULL;
  enum dtls_error error = dtls_key_new (pki_crypto (), der, &key);

  CHECK_UINT (error, kind == KEY_UNKNOWN ? DTLS_ERROR_KEY : DTLS_OK);
  if (kind == KEY_UNKNOWN)
    CHECK (key == NULL);
  else if (CHECK (key != NULL))
    CHECK_UINT (key_kind_of (key), kind);
  dtls_key_free (key);
}

/* PKCS#8 as it comes; and, where there is such a thing, PKCS#1 or SEC 1. */
static void
test_encodings (void)
{
  for (size_t i = 0; i < TAP_N (identities); i++)
    {
      struct bytes der = pki_identity (identities[i].name)->key_der;
      const unsigned char *at = der.at;
      EVP_PKEY *pkey = d2i_AutoPrivateKey (NULL, &at, (long) der.left);
      unsigned char *old_der = NULL;
      int old_len = i2d_PrivateKey (pkey, &old_der);

      tap_set_row (identities[i].name);
      check_der (der, identities[i].kind);
      if (identities[i].kind != KEY_ED25519 && identities[i].kind != KEY_RSA_PSS)
        {
          CHECK (old_len > 0 && (size_t) old_len != der.left);
          check_der ((struct bytes){ old_der, (size_t) old_len }, identities[i].kind);
        }
      OPENSSL_free (old_der);
      EVP_PKEY_free (pkey);
    }
  dtls_key_free (NULL);
}

static void
test_truncations (void)
{
  for (size_t i = 0; i < TAP_N (identities); i += 2)
    {
      struct bytes der = pki_identity (identities[i].name)->key_der;
      uint8_t *longer = malloc (der.left + 1);

      tap_set_row (identities[i].name);
      for (size_t len = 0; len < der.left; len += len < 40 ? 1 : 37)
        check_der ((struct bytes){ der.at, len }, KEY_UNKNOWN);
      memcpy (longer, der.at, der.left);
      longer[der.left] = 0;
      check_der ((struct bytes){ longer, der.left + 1 }, KEY_UNKNOWN);
      free (longer);
    }
  check_der ((struct bytes){ NULL, 0 }, KEY_UNKNOWN);
}

/* A key of libcrypto's that we do not sign with. Consumes `pkey`. */
static void
check_stranger (const char *name, EVP_PKEY *pkey)
{
  PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8 (pkey);
  unsigned char *der = NULL;
  int len = i2d_PKCS8_PRIV_KEY_INFO (info, &der);

  tap_set_row (name);
  if (CHECK (len > 0))
    check_der ((struct bytes){ der, (size_t) len }, KEY_UNKNOWN);
  OPENSSL_free (der);
  PKCS8_PRIV_KEY_INFO_free (info);
  EVP_PKEY_free (pkey);
}

static void
test_strangers (void)
{
  check_stranger ("RSA of 1024 bits", EVP_PKEY_Q_keygen (NULL, NULL, "RSA", (size_t) 1024));
  check_stranger ("P-521", EVP_PKEY_Q_keygen (NULL, NULL, "EC", "P-521"));
  check_stranger ("secp256k1", EVP_PKEY_Q_keygen (NULL, NULL, "EC", "secp256k1"));
  check_stranger ("Ed448", EVP_PKEY_Q_keygen (NULL, NULL, "ED448"));
  check_stranger ("X25519", EVP_PKEY_Q_keygen (NULL, NULL, "X25519"));
}

/* What is no private key: a certificate, its public key, and an encrypted key (without asking anyone for a
 * password). */
static void
test_others (void)
{
  const struct identity *identity = pki_identity ("server-ecdsa");
  const unsigned char *at = identity->key_der.at;
  PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO (NULL, &at, (long) identity->key_der.left);
  X509_SIG *locked = PKCS8_encrypt (-1, EVP_aes_128_cbc (), "secret", 6, NULL, 0, 1, info);
  unsigned char *der = NULL;
  int len = i2d_X509_SIG (locked, &der);
  struct leaf leaf;

  CHECK (len > 0);
  check_der ((struct bytes){ der, (size_t) len }, KEY_UNKNOWN);
  check_der (identity->chain[0], KEY_UNKNOWN);
  CHECK (leaf_read (identity->chain[0], &leaf));
  check_der (leaf.spki, KEY_UNKNOWN);

  OPENSSL_free (der);
  X509_SIG_free (locked);
  PKCS8_PRIV_KEY_INFO_free (info);
}

static void
test_matches (void)
{
  for (size_t i = 0; i < TAP_N (identities); i++)
    for (size_t j = 0; j < TAP_N (identities); j++)
      {
        const struct identity *a = pki_identity (identities[i].name);
        const struct identity *b = pki_identity (identities[j].name);

        tap_set_row (a->name);
        CHECK_UINT (dtls_key_matches (pki_crypto (), a->key, b->chain[0]), i == j);
      }
}

static void
test_matches_nothing (void)
{
  const struct identity *identity = pki_identity ("server-rsa");
  struct bytes cut = { identity->chain[0].at, identity->chain[0].left - 1 };

  CHECK (!dtls_key_matches (pki_crypto (), identity->key, (struct bytes){ NULL, 0 }));
  CHECK (!dtls_key_matches (pki_crypto (), identity->key, cut));
  CHECK (!dtls_key_matches (pki_crypto (), identity->key, identity->key_der));
}

static void
test_errors_left (void)
{
  const struct identity *identity = pki_identity ("server-rsa");

  ERR_clear_error ();
  check_der (identity->chain[0], KEY_UNKNOWN);
  CHECK (!dtls_key_matches (pki_crypto (), identity->key, pki_identity ("client-rsa")->chain[0]));
  CHECK_UINT (ERR_peek_error (), 0);
}

static const struct tap_test tests[] = {
  { "/crypto/key/reads-every-encoding-of-every-kind", test_encodings },
  { "/crypto/key/refuses-truncations-and-trailing-bytes", test_truncations },
  { "/crypto/key/refuses-what-we-do-not-sign-with", test_strangers },
  { "/crypto/key/refuses-what-is-no-private-key", test_others },
  { "/crypto/key/matches-its-own-certificate-only", test_matches },
  { "/crypto/key/matches-no-broken-certificate", test_matches_nothing },
  { "/crypto/key/leaves-no-errors-behind", test_errors_left },
};

TAP_MAIN (tests)
