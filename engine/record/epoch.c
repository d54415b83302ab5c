/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One epoch and direction: its keys, how a record's nonce and additional data are made of its
 * number, and when the keys are used up. A cleared epoch seals and opens nothing, not even in the
 * clear. */

#include "record/epoch.h"

#include "crypto/digest.h"
#include "wire/record_header.h"

#include <string.h>

/* RFC 9147 §4.5.3: at most 2^36 records that failed to authenticate, for each of the three AEADs.
 * In 1.2 the bound on what a forger may win is the same. */
#define MAX_FORGED (UINT64_C (1) << 36)

size_t
epoch_explicit_len (enum aead_algorithm algorithm)
{
  return AEAD_NONCE_LEN - aead_fixed_iv_len (algorithm);
}

void
epoch_write_init_plain (struct epoch_write *epoch, uint64_t next)
{
  memset (epoch, 0, sizeof *epoch);
  epoch->next = next;
}

void
epoch_read_init_plain (struct epoch_read *epoch)
{
  memset (epoch, 0, sizeof *epoch);
  replay_init (&epoch->replay, DEFAULT_REPLAY_WINDOW);
}

bool
epoch_write_init (struct epoch_write *epoch, struct dtls_crypto *crypto, uint16_t number,
                  const struct epoch_keys *keys)
{
  epoch->number = number;
  epoch->is_protected = true;
  epoch->next = 0;
  epoch->keys = *keys;
  epoch->aead = aead_new (crypto, keys->algorithm, AEAD_SEALS, keys->key);
  if (epoch->aead != NULL)
    return true;

  epoch_write_clear (epoch);
  return false;
}

bool
epoch_read_init (struct epoch_read *epoch, struct dtls_crypto *crypto, uint16_t number,
                 const struct epoch_keys *keys)
{
  epoch->number = number;
  epoch->is_protected = true;
  epoch->n_forged = 0;
  epoch->keys = *keys;
  replay_init (&epoch->replay, DEFAULT_REPLAY_WINDOW);
  epoch->aead = aead_new (crypto, keys->algorithm, AEAD_OPENS, keys->key);
  if (epoch->aead != NULL)
    return true;

  epoch_read_clear (epoch);
  return false;
}

void
epoch_read_set_window (struct epoch_read *epoch, size_t n_records)
{
  const struct replay *old = &epoch->replay;
  struct replay fresh;

  if (old->size == 0)
    return;

  /* What the old window rejects the new one rejects too. */
  replay_init (&fresh, n_records);
  for (uint64_t i = old->next > fresh.size ? old->next - fresh.size : 0; i < old->next; i++)
    if (!replay_check (old, i))
      replay_mark (&fresh, i);

  epoch->replay = fresh;
}

void
epoch_write_clear (struct epoch_write *epoch)
{
  aead_free (epoch->aead);
  wipe (epoch, sizeof *epoch);
  epoch->next = MAX_RECORD_NUMBER + 1;
}

void
epoch_read_clear (struct epoch_read *epoch)
{
  aead_free (epoch->aead);
  wipe (epoch, sizeof *epoch);
}

size_t
epoch_overhead (const struct epoch_write *epoch)
{
  if (!epoch->is_protected)
    return RECORD_HEADER_LEN;

  return RECORD_HEADER_LEN + epoch_explicit_len (epoch->keys.algorithm) + AEAD_TAG_LEN;
}

bool
epoch_is_at_forgery_limit (const struct epoch_read *epoch)
{
  return epoch->n_forged >= MAX_FORGED;
}

void
epoch_nonce (const struct epoch_keys *keys, uint16_t epoch, uint64_t number,
             uint8_t out[AEAD_NONCE_LEN])
{
  struct writer w = writer_over (out, AEAD_NONCE_LEN);

  /* RFC 6347 §4.1.2.1: epoch and number take the place of TLS's 64-bit number. */
  write_u32 (&w, 0);
  write_u16 (&w, epoch);
  write_u48 (&w, number);

  /* For AES-GCM it follows the salt (RFC 5288 §3); for ChaCha20 the IV covers it (RFC 7905 §2). */
  for (size_t i = 0; i < aead_fixed_iv_len (keys->algorithm); i++)
    out[i] ^= keys->iv[i];
}

void
epoch_additional (uint16_t epoch, const struct epoch_record *record, uint8_t out[ADDITIONAL_LEN])
{
  struct writer w = writer_over (out, ADDITIONAL_LEN);

  write_u16 (&w, epoch);
  write_u48 (&w, record->number);
  write_u8 (&w, record->type);
  write_u16 (&w, record->version);
  write_u16 (&w, (uint16_t) record->plaintext_len);
}
