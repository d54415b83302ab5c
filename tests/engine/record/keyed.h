/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A keyed epoch in both directions, for each cipher and form of record, and records made with it. */

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
  KEYED_EPOCH_13 = 7, /* 3 in the unified header */
  KEYED_ROOM = 1 << 15,
};

/* clang-format off */
static const struct keyed_kind
{
  const char *row;
  enum record_form form;
  enum aead_algorithm algorithm;
  size_t overhead; /* 1.2: header, explicit nonce, tag; 1.3: header, type, tag */
} keyed_kinds[] = {
  { "AES-128-GCM",            RECORD_FORM_12, AEAD_AES_128_GCM,       13 + 8 + 16 },
  { "AES-256-GCM",            RECORD_FORM_12, AEAD_AES_256_GCM,       13 + 8 + 16 },
  { "ChaCha20-Poly1305",      RECORD_FORM_12, AEAD_CHACHA20_POLY1305, 13 + 16 },
  { "AES-128-CCM",            RECORD_FORM_12, AEAD_AES_128_CCM,       13 + 8 + 16 },
  { "AES-128-CCM-8",          RECORD_FORM_12, AEAD_AES_128_CCM_8,     13 + 8 + 8 },
  { "1.3, AES-128-GCM",       RECORD_FORM_13, AEAD_AES_128_GCM,       5 + 1 + 16 },
  { "1.3, AES-256-GCM",       RECORD_FORM_13, AEAD_AES_256_GCM,       5 + 1 + 16 },
  { "1.3, ChaCha20-Poly1305", RECORD_FORM_13, AEAD_CHACHA20_POLY1305, 5 + 1 + 16 },
  { "1.3, AES-128-CCM",       RECORD_FORM_13, AEAD_AES_128_CCM,       5 + 1 + 16 },
  { "1.3, AES-128-CCM-8",     RECORD_FORM_13, AEAD_AES_128_CCM_8,     5 + 1 + 8 },
};
/* clang-format on */

struct keyed
{
  struct dtls_crypto *crypto;
  struct epoch_write write;
  struct epoch_read read;
  uint8_t room[KEYED_ROOM];
  struct dtls_buffer out; /* in room */
};

static inline struct epoch_keys
keyed_keys (enum record_form form, enum aead_algorithm algorithm)
{
  struct epoch_keys keys = { .form = form, .algorithm = algorithm };
  size_t iv_len = form == RECORD_FORM_13 ? AEAD_NONCE_LEN : aead_fixed_iv_len (algorithm);

  for (size_t i = 0; i < aead_key_len (algorithm); i++)
    keys.key[i] = (uint8_t) (0x40 + i);
  for (size_t i = 0; i < iv_len; i++)
    keys.iv[i] = (uint8_t) (0xa0 + i);
  for (size_t i = 0; form == RECORD_FORM_13 && i < aead_key_len (algorithm); i++)
    keys.number_key[i] = (uint8_t) (0xc0 + i);

  return keys;
}

static inline struct keyed *
keyed_new (enum record_form form, enum aead_algorithm algorithm)
{
  struct keyed *keyed = calloc (1, sizeof *keyed);
  struct epoch_keys keys = keyed_keys (form, algorithm);
  uint16_t epoch = form == RECORD_FORM_13 ? KEYED_EPOCH_13 : KEYED_EPOCH;

  if (keyed == NULL)
    abort ();
  keyed->crypto = dtls_crypto_new ();
  if (keyed->crypto == NULL || !epoch_write_init (&keyed->write, keyed->crypto, epoch, &keys)
      || !epoch_read_init (&keyed->read, keyed->crypto, epoch, &keys))
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

/* How long a record of `len` bytes is to be: in 1.3 its ciphertext has 16 bytes or more. */
static inline size_t
keyed_record_len (const struct keyed *keyed, size_t overhead, size_t len)
{
  bool is_13 = keyed->read.keys.form == RECORD_FORM_13;

  return is_13 && overhead + len < 5 + 16 ? 5 + 16 : overhead + len;
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

/* Opens, in place, what must not open, and compares all that must stay; forgeries are counted. */
static inline bool
keyed_drops (struct keyed *keyed, uint8_t *at, size_t len, enum dtls_drop expected)
{
  struct epoch_read before = keyed->read;
  struct opened opened;
  bool is_good = CHECK_UINT (keyed_open (keyed, at, len, &opened), expected);

  before.n_forged += expected == DTLS_DROP_AUTHENTICATION;
  is_good &= CHECK_UINT (keyed->read.n_forged, before.n_forged);
  return CHECK (memcmp (&keyed->read, &before, sizeof before) == 0) && is_good;
}

/* Runs `test` for each cipher with records of this form. */
static inline void
keyed_run_form (enum record_form form, void (*test) (struct keyed *keyed, size_t overhead))
{
  for (size_t i = 0; i < TAP_N (keyed_kinds); i++)
    {
      const struct keyed_kind *kind = &keyed_kinds[i];
      struct keyed *keyed;

      if (kind->form != form)
        continue;
      keyed = keyed_new (kind->form, kind->algorithm);
      tap_set_row (kind->row);
      test (keyed, kind->overhead);
      keyed_free (keyed);
    }
  tap_set_row (NULL);
}

/* Of both forms. */
static inline void
keyed_run (void (*test) (struct keyed *keyed, size_t overhead))
{
  keyed_run_form (RECORD_FORM_12, test);
  keyed_run_form (RECORD_FORM_13, test);
}
