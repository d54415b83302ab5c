/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The walk of a peer's certificate: it agrees with libcrypto's parser wherever that one takes DER. */

#include "fuzz.h"

#include "../tests/engine/crypto/leaf-oracle.h"
#include "dtls.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static struct dtls_crypto *crypto;
  struct bytes der = { data, size };
  struct bytes subject = dtls_certificate_subject (der);

  if (crypto == NULL)
    crypto = dtls_crypto_new ();
  fuzz_check (crypto != NULL);

  fuzz_check (subject.left == 0 || (subject.at > data && subject.left < size));
  fuzz_check (!dtls_certificate_may_be (der, DTLS_SERVER) || subject.left > 0);
  fuzz_check (oracle_agrees (crypto, der));

  return 0;
}
