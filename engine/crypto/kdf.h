/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Keys from secrets: the pseudo-random function of (D)TLS 1.2 (RFC 5246 §5), and HKDF (RFC 5869) as
 * DTLS 1.3 uses it. */

#pragma once

#include "crypto/digest.h"

struct prf_input
{
  struct bytes secret;
  struct bytes label;    /* ASCII, without a terminator */
  struct bytes seeds[3]; /* one after the other; empty ones add nothing */
};

/* False if libcrypto fails; `out` is then wiped. */
bool prf (struct dtls_crypto *crypto, enum hash hash, const struct prf_input *input, uint8_t *out,
          size_t out_len) DTLS_MUST_CHECK;

/* HKDF-Extract to `out`, hash_len (hash) bytes. RFC 9846 §7.1: an empty salt or secret stands for
 * "0", that many zeros. False if libcrypto fails; `out` is then wiped. */
bool hkdf_extract (struct dtls_crypto *crypto, enum hash hash, struct bytes salt,
                   struct bytes secret, uint8_t *out) DTLS_MUST_CHECK;

struct hkdf_input
{
  struct bytes secret;
  struct bytes info;
};

/* HKDF-Expand. False, with `out` wiped, if libcrypto fails or `out_len` is more than 255 hash
 * lengths. */
bool hkdf_expand (struct dtls_crypto *crypto, enum hash hash, const struct hkdf_input *input,
                  uint8_t *out, size_t out_len) DTLS_MUST_CHECK;

struct expand_input
{
  struct bytes secret;
  struct bytes
      label; /* at most MAX_EXPAND_LABEL_LEN, without the prefix; only an exporter's is empty */
  struct bytes context; /* at most MAX_EXPAND_CONTEXT_LEN */
};

enum
{
  MAX_EXPAND_LABEL_LEN = 249,   /* RFC 9846 §7.1: 255, less the prefix */
  MAX_EXPAND_CONTEXT_LEN = 255, /* RFC 9846 §7.1 */
};

/* RFC 9846 §7.1: HKDF-Expand-Label, with the prefix of DTLS 1.3. False, with `out` wiped, where
 * hkdf_expand is, or if label or context are not of such a length. */
bool hkdf_expand_label (struct dtls_crypto *crypto, enum hash hash,
                        const struct expand_input *input, uint8_t *out,
                        size_t out_len) DTLS_MUST_CHECK;
