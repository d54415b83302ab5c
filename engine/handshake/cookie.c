/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Making and checking cookies. One of 1.2 is the number of the half-minute modulo 256, then HMAC-SHA-256
 * less its last byte. One of 1.3 has, between these two, suite, group and the first hello's hash, and half
 * of an HMAC. */

#include "handshake/cookie.h"

#include "crypto/digest.h"
#include "handshake/suites.h"

#include <string.h>

enum
{
  MAC_LEN = COOKIE_LEN - 1,
  KEY_LEN = sizeof ((struct dtls_cookie_keys *) 0)->current,
};

/* From a cookie's first byte the half-minute that it was made in: this one or the one before. Any other
 * is not worth a MAC. */
static bool
find_period (uint8_t byte, dtls_time now, uint64_t *out_period)
{
  *out_period = now / COOKIE_LIFETIME;
  if (byte != (uint8_t) *out_period)
    --*out_period;

  return byte == (uint8_t) *out_period;
}

/* ----------------------------------------------------------------------------------------- 1.2's */

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
  struct hmac_input input = { { key, KEY_LEN }, parts, 2 };

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
  struct claim claim = { 0, address, hello };
  uint8_t expected[MAC_LEN];
  bool is_ours = false;

  if (hello->cookie.left != COOKIE_LEN || !find_period (hello->cookie.at[0], now, &claim.period))
    return false;

  if (claim_mac (keys->crypto, keys->current, &claim, expected))
    is_ours = equal_constant_time (expected, hello->cookie.at + 1, MAC_LEN);
  if (!is_ours && claim_mac (keys->crypto, keys->previous, &claim, expected))
    is_ours = equal_constant_time (expected, hello->cookie.at + 1, MAC_LEN);

  wipe (expected, sizeof expected);
  return is_ours;
}

/* ----------------------------------------------------------------------------------------- 1.3's */

struct claim13
{
  uint64_t period;
  struct bytes address;
  struct bytes head; /* of the cookie: all before its MAC */
  const struct hello13 *hello;
};

static bool
claim13_mac (struct dtls_crypto *crypto, const uint8_t *key, const struct claim13 *claim,
             uint8_t out[COOKIE13_MAC_LEN])
{
  static const uint8_t label[] = { 'D', 'T', 'L', 'S', ' ', '1', '.', '3' };
  uint8_t mac[MAX_HASH_LEN];
  uint8_t memory[sizeof label + 8 + 2 * 256];
  struct writer w = writer_over (memory, sizeof memory);
  struct bytes parts[1 + MAX_FIXED_PARTS];
  struct hmac_input input = { { key, KEY_LEN }, parts, 1 };

  /* Where 1.2's claim has the period's eight bytes: no MAC of the one is one of the other. */
  write_bytes (&w, label, sizeof label);
  write_u64 (&w, claim->period);
  write_vec (&w, claim->address, 1);
  write_vec (&w, claim->head, 1);
  if (!writer_ok (&w))
    return false;

  parts[0] = writer_bytes (&w);
  input.n_parts += hello13_fixed_parts (claim->hello, parts + 1);
  if (!hmac_once (crypto, HASH_SHA256, &input, mac))
    return false;

  memcpy (out, mac, COOKIE13_MAC_LEN);
  wipe (mac, sizeof mac);
  return true;
}

bool
cookie13_make (const struct dtls_cookie_keys *keys, const struct cookie13_subject *subject,
               const struct cookie13 *cookie, struct writer *out)
{
  struct claim13 claim = {
    subject->now / COOKIE_LIFETIME, subject->address, { NULL, 0 }, subject->hello
  };
  const size_t begin = out->used;
  uint8_t mac[COOKIE13_MAC_LEN];

  write_u8 (out, (uint8_t) claim.period);
  write_u16 (out, cookie->suite->code);
  write_u16 (out, cookie->group);
  write_bytes (out, cookie->first, hash_len (cookie->suite->hash));
  if (!writer_ok (out))
    return false;

  claim.head = (struct bytes){ out->at + begin, out->used - begin };
  if (!claim13_mac (keys->crypto, keys->current, &claim, mac))
    return false;

  write_bytes (out, mac, sizeof mac);
  return writer_ok (out);
}

bool
cookie13_read (struct bytes bytes, struct cookie13 *out)
{
  struct reader r = reader_over (bytes);
  struct bytes first;

  (void) read_u8 (&r); /* its period */
  out->suite = suite_find (read_u16 (&r));
  out->group = read_u16 (&r);
  if (out->suite == NULL || out->suite->version != VERSION_DTLS_1_3)
    return false;

  first = read_bytes (&r, hash_len (out->suite->hash));
  (void) read_bytes (&r, COOKIE13_MAC_LEN);
  if (!reader_done (&r))
    return false;

  memcpy (out->first, first.at, first.left);
  return true;
}

bool
cookie13_check (const struct dtls_cookie_keys *keys, const struct cookie13_subject *subject)
{
  struct bytes bytes = subject->hello->cookie;
  struct claim13 claim = { 0, subject->address, { NULL, 0 }, subject->hello };
  uint8_t expected[COOKIE13_MAC_LEN];
  struct cookie13 cookie;
  const uint8_t *mac;
  bool is_ours = false;

  if (!cookie13_read (bytes, &cookie) || !find_period (bytes.at[0], subject->now, &claim.period))
    return false;

  claim.head = (struct bytes){ bytes.at, bytes.left - COOKIE13_MAC_LEN };
  mac = bytes.at + claim.head.left;
  if (claim13_mac (keys->crypto, keys->current, &claim, expected))
    is_ours = equal_constant_time (expected, mac, sizeof expected);
  if (!is_ours && claim13_mac (keys->crypto, keys->previous, &claim, expected))
    is_ours = equal_constant_time (expected, mac, sizeof expected);

  wipe (expected, sizeof expected);
  return is_ours;
}
