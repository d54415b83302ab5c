/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A keyed epoch in both directions, for each cipher, and records made with it. */

#pragma once

#include <stdlib.h>

#include "dtls.h"
#include "record/open.h"
#include "record/seal.h"
#include "tap.h"
#include "wire/codepoints.h"

enum
{
  KEYED_EPOCH = 1,
  KEYED_ROOM = 1 << 15,
};

static const struct
{
  const char *row;
  enum aead_algorithm algorithm;
  size_t overhead; /* header, explicit nonce, tag */
} keyed_algorithms[] = {
  { "AES-128-GCM", AEAD_AES_128_GCM, 13 + 8 + 16 },
  { "AES-256-GCM", AEAD_AES_256_GCM, 13 + 8 + 16 },
  { "ChaCha20-Poly1305", AEAD_CHACHA20_POLY1305, 13 + 16 },
};

struct keyed
{
  struct dtls_crypto *crypto;
  struct epoch_write write;
  struct epoch_read read;
  uint8_t room[KEYED_ROOM];
  struct dtls_buffer out; /* in room */
};

static inline struct epoch_keys
keyed_keys (enum aead_algorithm algorithm)
{
  struct epoch_keys keys = { .algorithm = algorithm };

  for (size_t i = 0; i < aead_key_len (algorithm); i++)
    keys.key[i] = (uint8_t) (0x40 + i);
  for (size_t i = 0; i < aead_fixed_iv_len (algorithm); i++)
    keys.iv[i] = (uint8_t) (0xa0 + i);

  return keys;
}

static inline struct keyed *
keyed_new (enum aead_algorithm algorithm)
{
  struct keyed *keyed = calloc (1, sizeof *keyed);
  struct epoch_keys keys = keyed_keys (algorithm);

  if (keyed == NULL)
    abort ();
  keyed->crypto = dtls_crypto_new ();
  if (keyed->crypto == NULL || !epoch_write_init (&keyed->write, keyed->crypto, KEYED_EPOCH, &keys)
      || !epoch_read_init (&keyed->read, keyed->crypto, KEYED_EPOCH, &keys))
    abort ();
  keyed->out = (struct dtls_buffer){ keyed->room, sizeof keyed->room, 0 };

  return keyed;
}

static inline void
keyed_free (struct keyed *keyed)
{
  epoch_write_clear (&keyed->write);
  epoch_read_clear (&keyed->read);
  dtls_crypto_free (keyed->crypto);
  free (keyed);
}

/* Appends a record of application data to `out`. */
static inline enum dtls_error
keyed_seal (struct keyed *keyed, struct bytes plaintext)
{
  struct seal_input input = { CONTENT_APPLICATION_DATA, VERSION_DTLS_1_2, &plaintext, 1 };

  return record_seal (&keyed->write, &input, &keyed->out);
}

/* A record of this number alone in `out`. */
static inline void
keyed_seal_number (struct keyed *keyed, uint64_t number, struct bytes plaintext)
{
  keyed->write.next = number;
  keyed->out.used = 0;
  CHECK_UINT (keyed_seal (keyed, plaintext), DTLS_OK);
}

/* Splits and opens the first record of `at`, in place. */
static inline enum dtls_drop
keyed_open (struct keyed *keyed, uint8_t *at, size_t len, struct opened *out)
{
  struct record record;
  enum dtls_drop drop = record_split (&at, &len, &record);

  return drop != DTLS_DROP_NONE ? drop : record_open (&keyed->read, &record, out);
}

/* The same of a copy of `out`, as if that had come over the network. */
static inline enum dtls_drop
keyed_receive (struct keyed *keyed, struct opened *out)
{
  static uint8_t copy[KEYED_ROOM];

  memcpy (copy, keyed->room, keyed->out.used);
  return keyed_open (keyed, copy, keyed->out.used, out);
}

/* Runs `test` for each cipher. */
static inline void
keyed_run (void (*test) (struct keyed *keyed, size_t overhead))
{
  for (size_t i = 0; i < TAP_N (keyed_algorithms); i++)
    {
      struct keyed *keyed = keyed_new (keyed_algorithms[i].algorithm);

      tap_set_row (keyed_algorithms[i].row);
      test (keyed, keyed_algorithms[i].overhead);
      keyed_free (keyed);
    }
  tap_set_row (NULL);
}
