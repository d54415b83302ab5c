/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Making and checking cookies: the number of the half-minute modulo 256, then HMAC-SHA-256 less its last byte. */

#include "handshake/cookie.h"

#include "crypto/digest.h"

#include <string.h>

enum
{
  MAC_LEN = COOKIE_LEN - 1,
};

/* What a cookie covers. */
struct claim
{
  uint64_t period; /* half-minutes */
  struct bytes address;
  const struct client_hello *hello;
};

/* RFC 6347 §4.2.1: version, random, session_id, cipher_suites and compression_method stay the same.
 * Each part has its length in front, so that no two hellos have the same bytes. */
static void
write_claim (struct writer *w, const struct claim *claim)
{
  write_u64 (w, claim->period);
  write_vec (w, claim->address, 1);
  write_u16 (w, claim->hello->version);
  write_vec (w, claim->hello->random, 1);
  write_vec (w, claim->hello->session_id, 1);
  write_vec (w, claim->hello->compression, 1);
}

static bool
claim_mac (struct dtls_crypto *crypto, const uint8_t *key, const struct claim *claim,
           uint8_t out[MAC_LEN])
{
  uint8_t mac[MAX_HASH_LEN];
  uint8_t memory[8 + 2 + 4 * 256];
  struct writer w = writer_over (memory, sizeof memory);
  struct bytes parts[2];
  struct hmac_input input = { { key, sizeof ((struct dtls_cookie_keys *) 0)->current }, parts, 2 };

  write_claim (&w, claim);
  if (!writer_ok (&w))
    return false;

  parts[0] = writer_bytes (&w);
  parts[1] = claim->hello->suites;
  if (!hmac_once (crypto, HASH_SHA256, &input, mac))
    return false;

  memcpy (out, mac, MAC_LEN);
  wipe (mac, sizeof mac);
  return true;
}

bool
cookie_make (const struct dtls_cookie_keys *keys, dtls_time now, struct bytes address,
             const struct client_hello *hello, uint8_t out[COOKIE_LEN])
{
  struct claim claim = { now / COOKIE_LIFETIME, address, hello };

  out[0] = (uint8_t) claim.period;
  return claim_mac (keys->crypto, keys->current, &claim, out + 1);
}

bool
cookie_check (const struct dtls_cookie_keys *keys, dtls_time now, struct bytes address,
              const struct client_hello *hello)
{
  struct claim claim = { now / COOKIE_LIFETIME, address, hello };
  uint8_t expected[MAC_LEN];
  bool is_ours = false;

  if (hello->cookie.left != COOKIE_LEN)
    return false;

  /* This half-minute's or the one before; any other first byte is not worth a MAC. */
  if (hello->cookie.at[0] != (uint8_t) claim.period)
    claim.period--;
  if (hello->cookie.at[0] != (uint8_t) claim.period)
    return false;

  if (claim_mac (keys->crypto, keys->current, &claim, expected))
    is_ours = equal_constant_time (expected, hello->cookie.at + 1, MAC_LEN);
  if (!is_ours && claim_mac (keys->crypto, keys->previous, &claim, expected))
    is_ours = equal_constant_time (expected, hello->cookie.at + 1, MAC_LEN);

  wipe (expected, sizeof expected);
  return is_ours;
}
