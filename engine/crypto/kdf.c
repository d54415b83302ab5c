/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The PRF and HKDF over our HMAC. libcrypto's TLS1-PRF costs the same, but takes at most 1024 bytes
 * of label and seeds, and an exporter's context (RFC 5705 §4) may have 65535; its HKDF would be
 * looked for by name, with its hash, at each use. */

#include "crypto/kdf.h"

#include "wire/writer.h"

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

bool
hkdf_extract (struct dtls_crypto *crypto, enum hash hash, struct bytes salt, struct bytes secret,
              uint8_t *out)
{
  static const uint8_t zeros[MAX_HASH_LEN];
  const struct bytes zero = { zeros, hash_len (hash) };
  const struct bytes part = secret.left > 0 ? secret : zero;
  const struct hmac_input input = { salt.left > 0 ? salt : zero, &part, 1 };

  if (hmac_once (crypto, hash, &input, out))
    return true;

  wipe (out, hash_len (hash));
  return false;
}

/* RFC 5869 §2.3: T(1) + T(2) + ... where T(0) is empty and
 * T(i) = HMAC (secret, T(i - 1) + info + i), i being one byte. */
bool
hkdf_expand (struct dtls_crypto *crypto, enum hash hash, const struct hkdf_input *input,
             uint8_t *out, size_t out_len)
{
  const size_t len = hash_len (hash);
  uint8_t block[MAX_HASH_LEN];
  uint8_t counter = 1;
  struct bytes parts[] = { { block, 0 }, input->info, { &counter, 1 } };
  const struct hmac_input hmac = { input->secret, parts, 3 };
  bool is_ok = out_len <= UINT8_MAX * len;

  for (size_t done = 0; is_ok && done < out_len; done += len, counter++)
    {
      size_t n = out_len - done < len ? out_len - done : len;

      is_ok = hmac_once (crypto, hash, &hmac, block);
      if (is_ok)
        memcpy (out + done, block, n);
      parts[0].left = len;
    }

  if (!is_ok)
    wipe (out, out_len);
  wipe (block, sizeof block);

  return is_ok;
}

/* RFC 9846 §7.1: HkdfLabel, in wire order. */
static void
write_hkdf_label (struct writer *w, const struct expand_input *input, uint16_t out_len)
{
  /* RFC 9147 §5.9: this prefix, and no space after it. */
  static const uint8_t prefix[] = { 'd', 't', 'l', 's', '1', '3' };
  size_t label;

  write_u16 (w, out_len);
  label = write_vec_begin (w, 1);
  write_bytes (w, prefix, sizeof prefix);
  write_bytes (w, input->label.at, input->label.left);
  write_vec_end (w, label, 1);
  write_vec (w, input->context, 1);
}

bool
hkdf_expand_label (struct dtls_crypto *crypto, enum hash hash, const struct expand_input *input,
                   uint8_t *out, size_t out_len)
{
  uint8_t memory[2 + 1 + UINT8_MAX + 1 + UINT8_MAX];
  struct writer info = writer_over (memory, sizeof memory);
  bool is_ok = out_len <= UINT16_MAX;

  if (is_ok)
    write_hkdf_label (&info, input, (uint16_t) out_len);
  if (is_ok && writer_ok (&info))
    {
      const struct hkdf_input expand = { input->secret, writer_bytes (&info) };

      return hkdf_expand (crypto, hash, &expand, out, out_len);
    }

  wipe (out, out_len);
  return false;
}
