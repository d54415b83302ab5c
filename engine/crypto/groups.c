/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Ephemeral keys and what two of them agree on. The hybrid group is libcrypto's own KEM of that
 * name, whose values and secret are the ones of RFC 10024, ML-KEM's part first. */

#include "crypto/groups.h"

#include "crypto/digest.h"
#include "crypto/fetched.h"
#include "wire/codepoints.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

enum
{
  X25519_LEN = 32, /* RFC 7748 §5: of a public value and of the result */
};

enum exchange
{
  ON_CURVE,
  X25519,
  HYBRID,
};

struct group
{
  uint16_t code;
  enum exchange exchange;
  const char *name;  /* (nullable) that libcrypto makes and imports keys by, but for curves */
  size_t public_len; /* of the value that comes first */
  size_t answer_len; /* of the other */
};

/* clang-format off */
static const struct group groups[] = {
  { GROUP_SECP256R1,      ON_CURVE, NULL,             65,             65 },
  { GROUP_SECP384R1,      ON_CURVE, NULL,             97,             97 },
  { GROUP_X25519,         X25519,   "X25519",         X25519_LEN,     X25519_LEN },
  { GROUP_X25519MLKEM768, HYBRID,   "X25519MLKEM768", MAX_PUBLIC_LEN, 1088 + X25519_LEN },
};
/* clang-format on */

struct key_share
{
  const struct group *group;
  EVP_PKEY *key; /* (owned) (nullable): an answer has none */
  size_t public_len;
  uint8_t public_value[]; /* group->public_len, of which an answer may need less */
};

static const struct group *
find_group (const struct dtls_crypto *crypto, uint16_t code)
{
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
    if (groups[i].code == code && crypto_has_group (crypto, code))
      return &groups[i];

  return NULL;
}

static EVP_PKEY_CTX *
new_generator (struct dtls_crypto *crypto, const struct group *group)
{
  switch (group->code)
    {
    case GROUP_SECP256R1:
      return EVP_PKEY_CTX_new_from_pkey (NULL, crypto->p256, NULL);
    case GROUP_SECP384R1:
      return EVP_PKEY_CTX_new_from_pkey (NULL, crypto->p384, NULL);
    default:
      return EVP_PKEY_CTX_new_from_name (NULL, group->name, NULL);
    }
}

static EVP_PKEY *
generate (struct dtls_crypto *crypto, const struct group *group)
{
  EVP_PKEY_CTX *ctx = new_generator (crypto, group);
  EVP_PKEY *key = NULL;

  /* On failure `key` stays NULL. */
  if (ctx != NULL && EVP_PKEY_keygen_init (ctx) == 1)
    (void) EVP_PKEY_keygen (ctx, &key);

  EVP_PKEY_CTX_free (ctx);
  return key;
}

static struct key_share *
key_share_for (const struct group *group)
{
  struct key_share *share = calloc (1, sizeof *share + group->public_len);

  if (share != NULL)
    share->group = group;
  return share;
}

static struct key_share *
key_share_make (struct dtls_crypto *crypto, const struct group *group)
{
  struct key_share *share = key_share_for (group);

  if (share == NULL)
    return NULL;

  share->key = generate (crypto, group);
  if (share->key != NULL
      && EVP_PKEY_get_octet_string_param (share->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                          share->public_value, group->public_len,
                                          &share->public_len)
             == 1
      && share->public_len == group->public_len)
    return share;

  key_share_free (share);
  return NULL;
}

struct key_share *
key_share_new (struct dtls_crypto *crypto, uint16_t group)
{
  const struct group *found = find_group (crypto, group);
  struct key_share *share;

  if (found == NULL)
    return NULL;

  ERR_set_mark ();
  share = key_share_make (crypto, found);
  ERR_pop_to_mark ();

  return share;
}

void
key_share_free (struct key_share *share)
{
  if (share == NULL)
    return;

  EVP_PKEY_free (share->key);
  free (share);
}

uint16_t
key_share_group (const struct key_share *share)
{
  return share->group->code;
}

struct bytes
key_share_public (const struct key_share *share)
{
  return (struct bytes){ share->public_value, share->public_len };
}

/* FIPS 203 §7.2: of an encapsulation key libcrypto checks the coefficients as it imports it. */
static EVP_PKEY *
import_by_name (const struct group *group, struct bytes peer_public)
{
  return EVP_PKEY_new_raw_public_key_ex (NULL, group->name, NULL, peer_public.at, peer_public.left);
}

static bool
derive_with (EVP_PKEY *ours, EVP_PKEY *theirs, uint8_t *out, size_t *out_len)
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey (NULL, ours, NULL);
  bool is_done;

  /* 0: without checking the peer's key once more. crypto_import_point did, and multiplying it with
   * the order of the group would double the cost. */
  is_done = ctx != NULL && EVP_PKEY_derive_init (ctx) == 1
            && EVP_PKEY_derive_set_peer_ex (ctx, theirs, 0) == 1
            && EVP_PKEY_derive (ctx, out, out_len) == 1;
  EVP_PKEY_CTX_free (ctx);

  return is_done;
}

static enum dtls_error
derive (struct key_share *share, struct bytes peer_public, uint8_t *out, size_t *out_len)
{
  bool is_x25519 = share->group->exchange == X25519;
  EVP_PKEY *peer = is_x25519 ? import_by_name (share->group, peer_public)
                             : crypto_import_point (share->key, peer_public);
  enum dtls_error error = DTLS_OK;

  /* RFC 8422 §5.11: with X25519 the handshake ends if the result is all zero. libcrypto fails then,
   * which it has no other reason for. */
  if (peer == NULL)
    error = DTLS_ERROR_ILLEGAL_PARAMETER;
  else if (!derive_with (share->key, peer, out, out_len))
    error = is_x25519 ? DTLS_ERROR_ILLEGAL_PARAMETER : DTLS_ERROR_CRYPTO;

  EVP_PKEY_free (peer);
  return error;
}

/* FIPS 203 §6.3: any ciphertext of the right length decapsulates to something, so what fails is
 * X25519's part, as above. */
static enum dtls_error
decapsulate (struct key_share *share, struct bytes ciphertext, uint8_t *out, size_t *out_len)
{
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey (NULL, share->key, NULL);
  bool is_done = ctx != NULL && EVP_PKEY_decapsulate_init (ctx, NULL) == 1
                 && EVP_PKEY_decapsulate (ctx, out, out_len, ciphertext.at, ciphertext.left) == 1;

  EVP_PKEY_CTX_free (ctx);
  return is_done ? DTLS_OK : DTLS_ERROR_ILLEGAL_PARAMETER;
}

static enum dtls_error
encapsulate (struct key_share *share, struct bytes peer_public, uint8_t *out, size_t *out_len)
{
  EVP_PKEY *peer = import_by_name (share->group, peer_public);
  EVP_PKEY_CTX *ctx = peer != NULL ? EVP_PKEY_CTX_new_from_pkey (NULL, peer, NULL) : NULL;
  bool is_done;

  share->public_len = share->group->answer_len;
  is_done =
      ctx != NULL && EVP_PKEY_encapsulate_init (ctx, NULL) == 1
      && EVP_PKEY_encapsulate (ctx, share->public_value, &share->public_len, out, out_len) == 1
      && share->public_len == share->group->answer_len;

  EVP_PKEY_CTX_free (ctx);
  EVP_PKEY_free (peer);
  return is_done ? DTLS_OK : DTLS_ERROR_ILLEGAL_PARAMETER;
}

/* X25519's result is the whole secret, or the end of it. */
static bool
is_secret_good (const struct group *group, const uint8_t *secret, size_t len)
{
  static const uint8_t zeros[X25519_LEN];

  return group->exchange == ON_CURVE
         || (len >= X25519_LEN
             && !equal_constant_time (secret + len - X25519_LEN, zeros, X25519_LEN));
}

/* The last word on a secret, which is wiped if there is none or it is no good. */
static enum dtls_error
settle (const struct group *group, enum dtls_error error, uint8_t *out, size_t *out_len)
{
  if (error == DTLS_OK && is_secret_good (group, out, *out_len))
    return DTLS_OK;

  wipe (out, MAX_SHARED_LEN);
  *out_len = 0;
  return error != DTLS_OK ? error : DTLS_ERROR_ILLEGAL_PARAMETER;
}

enum dtls_error
key_share_agree (struct key_share *share, struct bytes peer_public, uint8_t *out, size_t *out_len)
{
  const struct group *group = share->group;
  enum dtls_error error = DTLS_ERROR_ILLEGAL_PARAMETER;

  assert (share->key != NULL);
  *out_len = MAX_SHARED_LEN;

  ERR_set_mark ();
  if (peer_public.left == group->answer_len)
    error = group->exchange == HYBRID ? decapsulate (share, peer_public, out, out_len)
                                      : derive (share, peer_public, out, out_len);
  ERR_pop_to_mark ();

  return settle (group, error, out, out_len);
}

/* An answer's share has served when the secret is there, and only its public value is kept. */
static enum dtls_error
derive_and_drop (struct key_share *share, struct bytes peer_public, uint8_t *out, size_t *out_len)
{
  enum dtls_error error = derive (share, peer_public, out, out_len);

  EVP_PKEY_free (share->key);
  share->key = NULL;
  return error;
}

enum dtls_error
key_share_answer (struct dtls_crypto *crypto, uint16_t group, struct bytes peer_public,
                  struct key_share **out_share, struct dtls_buffer *out_secret)
{
  const struct group *found = find_group (crypto, group);
  uint8_t *out = out_secret->at + out_secret->used;
  size_t len = MAX_SHARED_LEN;
  struct key_share *share;
  enum dtls_error error = DTLS_ERROR_CRYPTO;

  *out_share = NULL;
  if (found == NULL || out_secret->capacity - out_secret->used < len)
    return DTLS_ERROR_CRYPTO;
  if (peer_public.left != found->public_len)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  ERR_set_mark ();
  share = found->exchange == HYBRID ? key_share_for (found) : key_share_make (crypto, found);
  if (share != NULL)
    error = found->exchange == HYBRID ? encapsulate (share, peer_public, out, &len)
                                      : derive_and_drop (share, peer_public, out, &len);
  ERR_pop_to_mark ();

  error = settle (found, error, out, &len);
  if (error != DTLS_OK)
    {
      key_share_free (share);
      return error;
    }

  out_secret->used += len;
  *out_share = share;
  return DTLS_OK;
}
