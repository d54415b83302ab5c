/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Signing and verifying by SignatureScheme (RFC 8446 §4.2.3). One table says what each scheme is made of,
 * and one function sets libcrypto up for either direction. */

#include "crypto/signature.h"

#include "crypto/fetched.h"
#include "crypto/keys.h"
#include "wire/codepoints.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

enum family
{
  RSA_PKCS1,    /* RSASSA-PKCS1-v1_5 with rsaEncryption keys */
  RSA_PSS_RSAE, /* RSASSA-PSS with rsaEncryption keys */
  RSA_PSS_PSS,  /* RSASSA-PSS with id-RSASSA-PSS keys */
  ECDSA,
  ED25519,
};

struct scheme
{
  uint16_t code;
  enum family family;
  enum hash hash; /* Ed25519 has none of its own */
};

/* clang-format off */
static const struct scheme schemes[] = {
  { SIG_RSA_PKCS1_SHA256,       RSA_PKCS1,    HASH_SHA256 },
  { SIG_RSA_PKCS1_SHA384,       RSA_PKCS1,    HASH_SHA384 },
  { SIG_RSA_PKCS1_SHA512,       RSA_PKCS1,    HASH_SHA512 },
  { SIG_ECDSA_SECP256R1_SHA256, ECDSA,        HASH_SHA256 },
  { SIG_ECDSA_SECP384R1_SHA384, ECDSA,        HASH_SHA384 },
  { SIG_RSA_PSS_RSAE_SHA256,    RSA_PSS_RSAE, HASH_SHA256 },
  { SIG_RSA_PSS_RSAE_SHA384,    RSA_PSS_RSAE, HASH_SHA384 },
  { SIG_RSA_PSS_RSAE_SHA512,    RSA_PSS_RSAE, HASH_SHA512 },
  { SIG_ED25519,                ED25519,      HASH_SHA512 },
  { SIG_RSA_PSS_PSS_SHA256,     RSA_PSS_PSS,  HASH_SHA256 },
  { SIG_RSA_PSS_PSS_SHA384,     RSA_PSS_PSS,  HASH_SHA384 },
  { SIG_RSA_PSS_PSS_SHA512,     RSA_PSS_PSS,  HASH_SHA512 },
};
/* clang-format on */

static const struct scheme *
find_scheme (uint16_t code)
{
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
    if (schemes[i].code == code)
      return &schemes[i];

  return NULL;
}

static bool
family_fits (enum family family, enum key_kind kind)
{
  switch (family)
    {
    case RSA_PKCS1:
    case RSA_PSS_RSAE:
      return kind == KEY_RSA;
    case RSA_PSS_PSS:
      return kind == KEY_RSA_PSS;
    case ECDSA:
      return kind == KEY_P256 || kind == KEY_P384;
    case ED25519:
      return kind == KEY_ED25519;
    }

  return false;
}

bool
signature_fits (uint16_t scheme, enum key_kind kind)
{
  const struct scheme *found = find_scheme (scheme);

  return found != NULL && family_fits (found->family, kind);
}

enum direction
{
  SIGNS,
  VERIFIES,
};

static bool
set_padding (EVP_PKEY_CTX *ctx, const struct scheme *scheme)
{
  switch (scheme->family)
    {
    case RSA_PKCS1:
      return EVP_PKEY_CTX_set_rsa_padding (ctx, RSA_PKCS1_PADDING) == 1;
    case RSA_PSS_RSAE:
    case RSA_PSS_PSS:
      /* RFC 8446 §4.2.3: MGF1 with the same hash, and a salt as long as its output; when verifying, a salt
       * of any other length is refused. */
      return EVP_PKEY_CTX_set_rsa_padding (ctx, RSA_PKCS1_PSS_PADDING) == 1
             && EVP_PKEY_CTX_set_rsa_mgf1_md_name (ctx, crypto_hash_name (scheme->hash), NULL) == 1
             && EVP_PKEY_CTX_set_rsa_pss_saltlen (ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    case ECDSA:
    case ED25519:
      return true;
    }

  return false;
}

/* `ctx` is new. */
static bool
set_up (EVP_MD_CTX *ctx, enum direction direction, const struct scheme *scheme, EVP_PKEY *pkey)
{
  const char *hash = scheme->family == ED25519 ? NULL : crypto_hash_name (scheme->hash);
  EVP_PKEY_CTX *pkey_ctx; /* (unowned) */
  int is_ready = direction == SIGNS
                     ? EVP_DigestSignInit_ex (ctx, &pkey_ctx, hash, NULL, NULL, pkey, NULL)
                     : EVP_DigestVerifyInit_ex (ctx, &pkey_ctx, hash, NULL, NULL, pkey, NULL);

  return is_ready == 1 && set_padding (pkey_ctx, scheme);
}

enum dtls_error
signature_make (struct dtls_crypto *crypto, const struct dtls_key *key, uint16_t scheme,
                struct bytes input, struct dtls_buffer *out)
{
  const struct scheme *found = find_scheme (scheme);
  size_t len = out->capacity - out->used;
  EVP_MD_CTX *ctx;
  bool is_signed;

  (void) crypto;
  if (found == NULL || !family_fits (found->family, key->kind))
    return DTLS_ERROR_SIGNING_FAILED;

  ERR_set_mark ();
  ctx = EVP_MD_CTX_new ();
  is_signed = ctx != NULL && set_up (ctx, SIGNS, found, key->pkey)
              && EVP_DigestSign (ctx, out->at + out->used, &len, input.at, input.left) == 1;
  EVP_MD_CTX_free (ctx);
  ERR_pop_to_mark ();
  if (!is_signed)
    return DTLS_ERROR_SIGNING_FAILED;

  out->used += len;
  return DTLS_OK;
}

enum dtls_error
signature_check (struct dtls_crypto *crypto, const struct public_key *key, uint16_t scheme,
                 struct bytes input, struct bytes signature)
{
  const struct scheme *found = find_scheme (scheme);
  EVP_MD_CTX *ctx;
  bool is_good;

  (void) crypto;
  if (found == NULL || !family_fits (found->family, key->kind))
    return DTLS_ERROR_BAD_SIGNATURE;
  if (key->has_pss_hash && key->pss_hash != found->hash)
    return DTLS_ERROR_BAD_SIGNATURE;

  ERR_set_mark ();
  ctx = EVP_MD_CTX_new ();
  is_good = ctx != NULL && set_up (ctx, VERIFIES, found, key->pkey)
            && EVP_DigestVerify (ctx, signature.at, signature.left, input.at, input.left) == 1;
  EVP_MD_CTX_free (ctx);
  ERR_pop_to_mark ();

  return is_good ? DTLS_OK : DTLS_ERROR_BAD_SIGNATURE;
}
