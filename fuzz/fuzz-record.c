/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A datagram through split and open. The first byte picks the epoch: in the clear, or keyed with one of the ciphers, in
 * 1.3's form with its top bit (known keys, so that the corpus holds records that open). */

#include "fuzz.h"

#include <string.h>

#include "dtls.h"
#include "record/open.h"
#include "wire/codepoints.h"

enum
{
  IN_THE_CLEAR = AEAD_AES_128_CCM_8 + 1,
  IS_13 = 0x80,
  EPOCH_12 = 1,
  EPOCH_13 = 7, /* 3 in the unified header */
};

/* In the order in which the target came to know them. */
static const int choices[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305,
                               IN_THE_CLEAR,     AEAD_AES_128_CCM, AEAD_AES_128_CCM_8 };

static void
init_epoch (struct epoch_read *epoch, struct dtls_crypto *crypto, uint8_t choice)
{
  bool is_13 = (choice & IS_13) != 0;
  int algorithm = choices[(choice & ~(unsigned) IS_13) % (sizeof choices / sizeof choices[0])];
  struct epoch_keys keys = { .form = is_13 ? RECORD_FORM_13 : RECORD_FORM_12 };

  if (algorithm == IN_THE_CLEAR)
    {
      epoch_read_init_plain (epoch);
      return;
    }

  keys.algorithm = (enum aead_algorithm) algorithm;
  memset (keys.key, 'k', aead_key_len (keys.algorithm));
  memset (keys.iv, 'i', is_13 ? AEAD_NONCE_LEN : aead_fixed_iv_len (keys.algorithm));
  memset (keys.number_key, 'n', aead_key_len (keys.algorithm));
  fuzz_check (epoch_read_init (epoch, crypto, is_13 ? EPOCH_13 : EPOCH_12, &keys));
}

static void
check_opened (const struct epoch_read *epoch, const struct record *record,
              const struct opened *opened)
{
  fuzz_check (opened->epoch == epoch->number);
  fuzz_check (opened->at >= record->body && opened->len <= opened->inner_len
              && opened->at + opened->inner_len <= record->body + record->len);
  fuzz_check (!epoch->is_protected || !replay_check (&epoch->replay, opened->number));
  if (record->form == RECORD_FORM_13)
    fuzz_check (opened->type != 0 && opened->len < opened->inner_len);
  else
    fuzz_check (opened->type == record->header.type && opened->number == record->header.number);
}

/* Opens one record; nothing but a record that is authentic may change the epoch. */
static bool
try_open (struct epoch_read *epoch, const struct record *record)
{
  struct epoch_read before = *epoch;
  struct opened opened;
  enum dtls_drop drop = record_open (epoch, record, &opened);
  bool is_authentic = drop == DTLS_DROP_NONE || drop == DTLS_DROP_CONTENT;

  fuzz_check (epoch->n_forged == before.n_forged + (drop == DTLS_DROP_AUTHENTICATION));
  if (!is_authentic || !epoch->is_protected)
    fuzz_check (memcmp (&before.replay, &epoch->replay, sizeof before.replay) == 0);
  if (drop == DTLS_DROP_NONE)
    check_opened (epoch, record, &opened);

  return drop == DTLS_DROP_NONE;
}

/* How many records opened. */
static size_t
try_datagram (struct epoch_read *epoch, struct bytes datagram)
{
  uint8_t *copy = malloc (datagram.left > 0 ? datagram.left : 1);
  uint8_t *at = copy;
  size_t left = datagram.left;
  size_t n = 0;

  fuzz_check (copy != NULL);
  if (left > 0)
    memcpy (copy, datagram.at, left);

  while (left > 0)
    {
      size_t before = left;
      struct record record;

      if (record_split (&at, &left, &record) != DTLS_DROP_NONE)
        {
          fuzz_check (left == 0);
          break;
        }
      /* Each turn takes its header at least. */
      fuzz_check (record.body > record.at);
      fuzz_check (left == before - (size_t) (record.body - record.at) - record.len);
      fuzz_check (record.len <= MAX_CIPHERTEXT_LEN);
      fuzz_check (at == record.body + record.len);
      n += try_open (epoch, &record);
    }

  free (copy);
  return n;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static struct dtls_crypto *crypto;
  struct epoch_read epoch = { 0 };
  struct bytes datagram;
  size_t n;

  if (size == 0)
    return 0;
  if (crypto == NULL)
    crypto = dtls_crypto_new ();
  fuzz_check (crypto != NULL);

  init_epoch (&epoch, crypto, data[0]);
  datagram = (struct bytes){ data + 1, size - 1 };
  n = try_datagram (&epoch, datagram);
  /* The same once more is all replays; in the clear it is all the same. */
  fuzz_check (try_datagram (&epoch, datagram) == (epoch.is_protected ? 0 : n));
  epoch_read_clear (&epoch);
  fuzz_check (try_datagram (&epoch, datagram) == 0);

  return 0;
}
