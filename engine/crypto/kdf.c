/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The PRF of (D)TLS 1.2 over our HMAC. libcrypto's TLS1-PRF costs the same, but takes at most 1024 bytes of
 * label and seeds, and an exporter's context (RFC 5705 §4) may have 65535. */

#include "crypto/kdf.h"

#include <string.h>

/* RFC 5246 §5: P_hash (secret, seed) = HMAC (secret, A(1) + seed) + HMAC (secret, A(2) + seed) + ...
 * where A(0) = seed and A(i) = HMAC (secret, A(i - 1)); and here the seed is the label and the seeds. */
bool
prf (struct dtls_crypto *crypto, enum hash hash, const struct prf_input *input, uint8_t *out,
     size_t out_len)
{
  uint8_t a[MAX_HASH_LEN];
  uint8_t block[MAX_HASH_LEN];
  const size_t len = hash_len (hash);
  const struct bytes parts[] = {
    { a, len }, input->label, input->seeds[0], input->seeds[1], input->seeds[2]
  };
  const struct hmac_input first = { input->secret, parts + 1, 4 };
  const struct hmac_input next = { input->secret, parts, 1 };
  const struct hmac_input output = { input->secret, parts, 5 };
  bool is_ok = hmac_once (crypto, hash, &first, a);

  for (size_t done = 0; is_ok && done < out_len; done += len)
    {
      size_t n = out_len - done < len ? out_len - done : len;

      is_ok = hmac_once (crypto, hash, &output, block) && hmac_once (crypto, hash, &next, a);
      if (is_ok)
        memcpy (out + done, block, n);
    }

  if (!is_ok)
    wipe (out, out_len);
  wipe (a, sizeof a);
  wipe (block, sizeof block);

  return is_ok;
}
