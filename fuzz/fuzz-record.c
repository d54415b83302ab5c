/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A datagram through split and open. The first byte picks the epoch: in the clear, or keyed with
 * one of the ciphers (known keys, so that the corpus holds records that open). */

#include "fuzz.h"

#include <string.h>

#include "dtls.h"
#include "record/open.h"
#include "wire/codepoints.h"

enum
{
  N_ALGORITHMS = AEAD_CHACHA20_POLY1305 + 1,
};

static void
init_epoch (struct epoch_read *epoch, struct dtls_crypto *crypto, uint8_t choice)
{
  struct epoch_keys keys = { .algorithm = choice % (N_ALGORITHMS + 1) };

  if (choice % (N_ALGORITHMS + 1) == N_ALGORITHMS)
    {
      epoch_read_init_plain (epoch);
      return;
    }

  memset (keys.key, 'k', aead_key_len (keys.algorithm));
  memset (keys.iv, 'i', aead_fixed_iv_len (keys.algorithm));
  fuzz_check (epoch_read_init (epoch, crypto, 1, &keys));
}

/* Opens one record; nothing but a record that opened may change the epoch. */
static bool
try_open (struct epoch_read *epoch, const struct record *record)
{
  struct epoch_read before = *epoch;
  struct opened opened;
  enum dtls_drop drop = record_open (epoch, record, &opened);

  fuzz_check (epoch->n_forged == before.n_forged + (drop == DTLS_DROP_AUTHENTICATION));
  if (drop != DTLS_DROP_NONE || !epoch->is_protected)
    fuzz_check (memcmp (&before.replay, &epoch->replay, sizeof before.replay) == 0);
  if (drop != DTLS_DROP_NONE)
    return false;

  fuzz_check (opened.epoch == epoch->number && opened.number == record->header.number);
  fuzz_check (opened.type == record->header.type);
  fuzz_check (opened.at >= record->body
              && opened.at + opened.len <= record->body + record->header.len);
  fuzz_check (!epoch->is_protected || !replay_check (&epoch->replay, opened.number));
  return true;
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
      fuzz_check (left == before - RECORD_HEADER_LEN - record.header.len);
      fuzz_check (record.header.len <= MAX_CIPHERTEXT_LEN);
      fuzz_check (at == record.body + record.header.len);
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
