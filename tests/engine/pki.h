/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The test PKI of tools/make-test-certs as the engine wants it: DER chains and keys, read once from the
 * folder that the environment names as MOAT_TEST_CERTS, and kept until the program ends. */

#pragma once

#include "dtls.h"

enum
{
  MAX_CHAIN = 8,
};

struct identity
{
  char name[32];
  struct bytes chain[MAX_CHAIN];  /* (owned) */
  struct bytes key_der;           /* (owned) */
  struct dtls_key *key;           /* (owned) */
  struct dtls_credential whole;   /* chain and key */
  struct dtls_credential keyless; /* the chain alone: signatures are asked for */
};

/* The algorithms, fetched once. */
struct dtls_crypto *pki_crypto (void);
/* "server-rsa": its chain and its key. Ends the program if there is none. */
const struct identity *pki_identity (const char *name);
/* The same of DER that is handed over, for programs without a folder. */
void identity_init (struct identity *identity, const struct bytes *chain, size_t n_chain,
                    struct bytes key_der);
