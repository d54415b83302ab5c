/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Leaves that may not sign, or whose keys are none of ours, made up here; and what a server signs. */

#include "handshake/authenticate.h"
#include "tap.h"
#include "pki.h"
#include "wire/certificates.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

static void
add_usage (X509 *certificate, const char *usage)
{
  X509_EXTENSION *extension = X509V3_EXT_conf_nid (NULL, NULL, NID_key_usage, usage);

  CHECK (X509_add_ext (certificate, extension, -1) == 1);
  X509_EXTENSION_free (extension);
}

/* A self-signed leaf as DER, to be freed with OPENSSL_free. */
static struct bytes
make_leaf (EVP_PKEY *key, const EVP_MD *md, const char *usage)
{
  X509 *certificate = X509_new ();
  unsigned char *der = NULL;
  int len;

  X509_set_version (certificate, X509_VERSION_3);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), 1);
  X509_gmtime_adj (X509_getm_notBefore (certificate), 0);
  X509_gmtime_adj (X509_getm_notAfter (certificate), 3600);
  X509_set_pubkey (certificate, key);
  if (usage != NULL)
    add_usage (certificate, usage);
  CHECK (X509_sign (certificate, key, md) > 0);
  len = i2d_X509 (certificate, &der);
  X509_free (certificate);
  EVP_PKEY_free (key);
  return (struct bytes){ der, (size_t) len };
}

/* What becomes of a Certificate message with this leaf. */
static enum dtls_error
take (struct bytes leaf)
{
  static uint8_t memory[8192];
  struct writer w = writer_over (memory, sizeof memory);
  struct association known = { .version = 0 };
  struct peer peer = { .chain = { NULL, 0 } };
  struct dtls_config config;
  struct handshake_parts parts = { &config, pki_crypto (), DTLS_CLIENT, &known, &peer, false };
  struct handshake *h;
  enum dtls_error error;

  dtls_config_init (&config);
  h = handshake_new (&parts);
  certificate_write (&w, &leaf, 1);
  error = authenticate_take_chain (h, writer_bytes (&w));
  CHECK_UINT (h->peer_key != NULL, error == DTLS_OK);
  /* A chain that could be read is there for whoever asks why it was refused. */
  CHECK_UINT (peer.chain.n, 1);
  handshake_free (h);
  der_list_clear (&peer.chain);
  OPENSSL_free ((void *) (uintptr_t) leaf.at);
  return error;
}

/* RFC 5246 §7.4.2: "the digitalSignature bit MUST be set if the key usage extension is present". */
static void
test_key_usage (void)
{
  CHECK_UINT (take (make_leaf (EVP_EC_gen ("P-256"), EVP_sha256 (), NULL)), DTLS_OK);
  CHECK_UINT (take (make_leaf (EVP_EC_gen ("P-256"), EVP_sha256 (), "digitalSignature")), DTLS_OK);
  CHECK_UINT (
      take (make_leaf (EVP_EC_gen ("P-256"), EVP_sha256 (), "keyAgreement,digitalSignature")),
      DTLS_OK);
  CHECK_UINT (take (make_leaf (EVP_EC_gen ("P-256"), EVP_sha256 (), "keyAgreement")),
              DTLS_ERROR_UNSUPPORTED_CERTIFICATE);
  CHECK_UINT (take (make_leaf (EVP_RSA_gen (2048), EVP_sha256 (), "keyEncipherment")),
              DTLS_ERROR_UNSUPPORTED_CERTIFICATE);
}

static void
test_keys_that_are_none_of_ours (void)
{
  CHECK_UINT (take (make_leaf (EVP_EC_gen ("P-384"), EVP_sha256 (), NULL)), DTLS_OK);
  CHECK_UINT (take (make_leaf (EVP_PKEY_Q_keygen (NULL, NULL, "ED25519"), NULL, NULL)), DTLS_OK);
  CHECK_UINT (take (make_leaf (EVP_EC_gen ("P-521"), EVP_sha256 (), NULL)),
              DTLS_ERROR_UNSUPPORTED_CERTIFICATE);
  CHECK_UINT (take (make_leaf (EVP_EC_gen ("secp256k1"), EVP_sha256 (), NULL)),
              DTLS_ERROR_UNSUPPORTED_CERTIFICATE);
  CHECK_UINT (take (make_leaf (EVP_PKEY_Q_keygen (NULL, NULL, "ED448"), NULL, NULL)),
              DTLS_ERROR_UNSUPPORTED_CERTIFICATE);
  CHECK_UINT (take (make_leaf (EVP_RSA_gen (1024), EVP_sha256 (), NULL)),
              DTLS_ERROR_UNSUPPORTED_CERTIFICATE);
}

/* RFC 8422 §5.4: client random, server random, parameters. */
static void
test_signed_params (void)
{
  static const uint8_t params[] = { 3, 0, 29, 1, 9 };
  struct association known = { .version = 0 };
  struct handshake h = { .known = &known };
  uint8_t memory[MAX_SIGNED_PARAMS_LEN];
  struct bytes input;

  memset (known.randoms, 'c', RANDOM_LEN);
  memset (known.randoms + RANDOM_LEN, 's', RANDOM_LEN);
  input = authenticate_signed_params (&h, TAP_BYTES (params), memory);
  CHECK_BYTES (input, TAP_STRING ("cccccccccccccccccccccccccccccccc"
                                  "ssssssssssssssssssssssssssssssss\3\0\35\1\11"));
}

static const struct tap_test tests[] = {
  { "/handshake/authenticate/key-usage-must-allow-signing", test_key_usage },
  { "/handshake/authenticate/refuses-keys-that-are-none-of-ours", test_keys_that_are_none_of_ours },
  { "/handshake/authenticate/a-server-signs-both-randoms-and-its-parameters", test_signed_params },
};

TAP_MAIN (tests)
