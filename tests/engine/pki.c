/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* From PEM files to identities. What cannot be had ends the program: no test means anything without it. */

#include "pki.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
  MAX_IDENTITIES = 32,
};

__attribute__ ((noreturn)) static void
give_up (const char *what)
{
  printf ("Bail out! %s\n", what);
  exit (1);
}

struct dtls_crypto *
pki_crypto (void)
{
  static struct dtls_crypto *crypto;

  if (crypto == NULL)
    crypto = dtls_crypto_new ();
  if (crypto == NULL)
    give_up ("libcrypto lacks an algorithm");
  return crypto;
}

/* Every element of a PEM file as DER, at most `capacity`. Returns how many. */
static size_t
read_pem (const char *file, struct bytes *out, size_t capacity)
{
  const char *folder = getenv ("MOAT_TEST_CERTS");
  char path[4096];
  char *name, *header;
  unsigned char *der;
  BIO *bio;
  long len;
  size_t n = 0;

  snprintf (path, sizeof path, "%s/%s.pem", folder != NULL ? folder : ".", file);
  bio = BIO_new_file (path, "r");
  if (bio == NULL)
    give_up (path);

  while (n < capacity && PEM_read_bio (bio, &name, &header, &der, &len) == 1)
    {
      out[n++] = (struct bytes){ der, (size_t) len };
      OPENSSL_free (name);
      OPENSSL_free (header);
    }

  /* The end of the file is an error to libcrypto. */
  ERR_clear_error ();
  BIO_free (bio);
  return n;
}

void
identity_init (struct identity *identity, const struct bytes *chain, size_t n_chain,
               struct bytes key_der)
{
  for (size_t i = 0; i < n_chain; i++)
    identity->chain[i] = chain[i];
  identity->key_der = key_der;
  if (dtls_key_new (pki_crypto (), key_der, &identity->key) != DTLS_OK)
    give_up ("a key cannot be read");

  identity->keyless = (struct dtls_credential){ identity->chain, n_chain, NULL };
  identity->whole = (struct dtls_credential){ identity->chain, n_chain, identity->key };
}

static void
load (struct identity *identity, const char *name)
{
  struct bytes chain[MAX_CHAIN], key_der;
  char file[64];
  size_t n_chain;

  snprintf (identity->name, sizeof identity->name, "%s", name);
  snprintf (file, sizeof file, "%s-chain", name);
  n_chain = read_pem (file, chain, MAX_CHAIN);
  snprintf (file, sizeof file, "%s-key", name);
  if (n_chain == 0 || read_pem (file, &key_der, 1) != 1)
    give_up (name);

  identity_init (identity, chain, n_chain, key_der);
}

const struct identity *
pki_identity (const char *name)
{
  static struct identity identities[MAX_IDENTITIES];
  static size_t n;

  for (size_t i = 0; i < n; i++)
    if (strcmp (identities[i].name, name) == 0)
      return &identities[i];

  if (n == MAX_IDENTITIES)
    give_up ("too many identities");
  load (&identities[n], name);
  return &identities[n++];
}
