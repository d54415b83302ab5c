/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Records with every header that a peer of DTLS 1.3 may send. */

#pragma once

#include "crypto/number_mask.h"
#include "keyed.h"

enum
{
  MAX_HEADER_LEN = 5,
  MAX_SHORT_LEN = 64,
  MAX_CIPHERTEXT_13_LEN = MAX_PLAINTEXT_LEN + 256, /* RFC 9846 §5.2 */
};

/* What a peer may send, RFC 9147 §4. */
struct shape
{
  const char *row;
  size_t number_len;
  bool has_length;
};

static const struct shape shapes[] = {
  { "16 bits and a length, as we send it", 2, true },
  { "8 bits and a length", 1, true },
  { "16 bits", 2, false },
  { "8 bits, the shortest", 1, false },
};

static uint8_t data[MAX_CIPHERTEXT_13_LEN + 64];
static uint8_t datagram[MAX_CIPHERTEXT_13_LEN + 64];

static inline size_t
write_shape (const struct shape *shape, uint16_t epoch, uint64_t number, size_t len, uint8_t *to)
{
  struct writer w = writer_over (to, MAX_HEADER_LEN);

  write_u8 (&w, (uint8_t) (0x20 | (shape->number_len == 2 ? 8 : 0) | (shape->has_length ? 4 : 0)
                           | (epoch & 3)));
  if (shape->number_len == 2)
    write_u16 (&w, (uint16_t) number);
  else
    write_u8 (&w, (uint8_t) number);
  if (shape->has_length)
    write_u16 (&w, (uint16_t) len);

  return w.used;
}

/* A record of any shape, with this inner plaintext, in `datagram`. Returns its length. */
static inline size_t
make_record (struct keyed *keyed, const struct shape *shape, uint64_t number, struct bytes inner)
{
  const struct epoch_keys *keys = &keyed->read.keys;
  size_t tag_len = aead_tag_len (keys->algorithm);
  struct number_mask *maker = number_mask_new (keyed->crypto, keys->algorithm, keys->number_key);
  size_t header_len =
      write_shape (shape, keyed->write.number, number, inner.left + tag_len, datagram);
  uint8_t *body = datagram + header_len;
  uint8_t nonce[AEAD_NONCE_LEN], mask[NUMBER_MASK_LEN];
  struct aead_input input = { nonce, { datagram, header_len } };

  memcpy (nonce, keys->iv, sizeof nonce);
  for (size_t i = 0; i < 8; i++)
    nonce[11 - i] ^= (uint8_t) (number >> 8 * i);

  CHECK (aead_seal (keyed->write.aead, &input, &inner, 1, body));
  CHECK (number_mask_make (maker, body, mask));
  for (size_t i = 0; i < shape->number_len; i++)
    datagram[1 + i] ^= mask[i];
  number_mask_free (maker);

  return header_len + inner.left + tag_len;
}

/* The same with 20 bytes of application data. */
static inline size_t
make_some (struct keyed *keyed, const struct shape *shape, uint64_t number)
{
  return make_record (keyed, shape, number, TAP_STRING ("twenty bytes of data\x17"));
}

static inline enum dtls_drop
open_copy (struct keyed *keyed, size_t len, struct opened *out)
{
  static uint8_t copy[sizeof datagram];

  memcpy (copy, datagram, len);
  return keyed_open (keyed, copy, len, out);
}
