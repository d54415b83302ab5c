/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A signature that somebody outside of the engine makes, with libcrypto. */

#include "shim.h"

#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

/* SignatureScheme, RFC 9846 §4.3.3: those that the runner's certificates lead to. */
enum
{
  ECDSA_SECP256R1_SHA256 = 0x0403,
  RSA_PSS_RSAE_SHA256 = 0x0804,
};

static size_t
sign (const struct dtls_signature_request *request, struct bytes key_der, uint8_t *out, size_t room)
{
  const unsigned char *der = key_der.at;
  EVP_PKEY *key = d2i_AutoPrivateKey (NULL, &der, (long) key_der.left);
  EVP_MD_CTX *md = EVP_MD_CTX_new ();
  EVP_PKEY_CTX *settings = NULL;
  size_t len = room;

  if (key == NULL || md == NULL
      || (request->scheme != ECDSA_SECP256R1_SHA256 && request->scheme != RSA_PSS_RSAE_SHA256)
      || EVP_DigestSignInit (md, &settings, EVP_sha256 (), NULL, key) != 1)
    abort ();
  if (request->scheme == RSA_PSS_RSAE_SHA256
      && (EVP_PKEY_CTX_set_rsa_padding (settings, RSA_PKCS1_PSS_PADDING) != 1
          || EVP_PKEY_CTX_set_rsa_pss_saltlen (settings, RSA_PSS_SALTLEN_DIGEST) != 1))
    abort ();
  if (EVP_DigestSign (md, out, &len, request->input.at, request->input.left) != 1)
    abort ();

  EVP_MD_CTX_free (md);
  EVP_PKEY_free (key);
  return len;
}

void
signing_answer (struct shim *shim)
{
  struct dtls_signature_request request;
  uint8_t signature[1024];
  size_t len;

  if (!dtls_conn_signature_request (shim->conn, &request))
    return;

  len = sign (&request, shim->options->key, signature, sizeof signature);
  dtls_conn_answer_signature (shim->conn, shim_now (shim), (struct bytes){ signature, len });
}
