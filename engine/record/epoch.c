/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One epoch and direction: its keys, how a record's nonce and additional data are made of its
 * number, and when the keys are used up. A cleared epoch seals and opens nothing, not even in the
 * clear. */

#include "record/epoch.h"

#include "crypto/digest.h"
#include "crypto/number_mask.h"
#include "wire/record_header.h"

#include <string.h>

/* How many records one key may seal and fail to open. In 1.2 the bound on what a forger may win is
 * the same. */
struct limits
{
  uint64_t max_sealed;
  uint64_t max_forged;
};

/* RFC 9846 §5.5: 2^24.5 records for AES-GCM; ChaCha20's numbers end first. RFC 9147 §4.5.3: the
 * rest. For AES-CCM-8 with its short tag RFC 9147 §B.3 has only 2^7: that leaves a forger no more of a
 * chance than the others do, and lets anyone who can send that many records end the connection. We
 * keep to it, as the suite is off unless asked for, and a connection lost can be made again. */
static const struct limits limits[] = {
  [AEAD_AES_128_GCM] = { 23726566, UINT64_C (1) << 36 },
  [AEAD_AES_256_GCM] = { 23726566, UINT64_C (1) << 36 },
  [AEAD_CHACHA20_POLY1305] = { MAX_RECORD_NUMBER + 1, UINT64_C (1) << 36 },
  [AEAD_AES_128_CCM] = { 1 << 23, 11863283 }, /* 2^23.5 */
  [AEAD_AES_128_CCM_8] = { 1 << 23, 1 << 7 },
};

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

/* The caches of the keys. False if one could not be made; the caller then clears. */
static bool
make_ciphers (struct dtls_crypto *crypto, const struct epoch_keys *keys,
              enum aead_direction direction, struct aead **out_aead, struct number_mask **out_mask)
{
  *out_aead = aead_new (crypto, keys->algorithm, direction, keys->key);
  *out_mask = NULL;
  if (keys->form == RECORD_FORM_12)
    return *out_aead != NULL;

  *out_mask = number_mask_new (crypto, keys->algorithm, keys->number_key);
  return *out_aead != NULL && *out_mask != NULL;
}

bool
epoch_write_init (struct epoch_write *epoch, struct dtls_crypto *crypto, uint16_t number,
                  const struct epoch_keys *keys)
{
  epoch->number = number;
  epoch->is_protected = true;
  epoch->next = 0;
  epoch->keys = *keys;
  if (make_ciphers (crypto, keys, AEAD_SEALS, &epoch->aead, &epoch->mask))
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
  if (make_ciphers (crypto, keys, AEAD_OPENS, &epoch->aead, &epoch->mask))
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
  number_mask_free (epoch->mask);
  wipe (epoch, sizeof *epoch);
  epoch->next = MAX_RECORD_NUMBER + 1;
}

void
epoch_read_clear (struct epoch_read *epoch)
{
  aead_free (epoch->aead);
  number_mask_free (epoch->mask);
  wipe (epoch, sizeof *epoch);
}

size_t
epoch_overhead (const struct epoch_write *epoch)
{
  enum aead_algorithm algorithm = epoch->keys.algorithm;

  if (!epoch->is_protected)
    return RECORD_HEADER_LEN;
  if (epoch->keys.form == RECORD_FORM_13)
    return UNIFIED_HEADER_LEN + 1 + aead_tag_len (algorithm);

  return RECORD_HEADER_LEN + epoch_explicit_len (algorithm) + aead_tag_len (algorithm);
}

bool
epoch_wants_update (const struct epoch_write *epoch)
{
  return epoch->next >= limits[epoch->keys.algorithm].max_sealed / 2;
}

bool
epoch_read_wants_update (const struct epoch_read *epoch)
{
  return epoch->replay.next >= limits[epoch->keys.algorithm].max_sealed / 2;
}

bool
epoch_is_at_seal_limit (const struct epoch_write *epoch)
{
  bool is_13 = epoch->is_protected && epoch->keys.form == RECORD_FORM_13;

  return epoch->next > MAX_RECORD_NUMBER
         || (is_13 && epoch->next >= limits[epoch->keys.algorithm].max_sealed);
}

bool
epoch_is_at_forgery_limit (const struct epoch_read *epoch)
{
  return epoch->n_forged >= limits[epoch->keys.algorithm].max_forged;
}

void
epoch_nonce (const struct epoch_keys *keys, uint16_t epoch, uint64_t number,
             uint8_t out[AEAD_NONCE_LEN])
{
  bool is_13 = keys->form == RECORD_FORM_13;
  size_t iv_len = is_13 ? AEAD_NONCE_LEN : aead_fixed_iv_len (keys->algorithm);
  struct writer w = writer_over (out, AEAD_NONCE_LEN);

  /* RFC 6347 §4.1.2.1: epoch and number take the place of TLS's 64-bit number. RFC 9147 §4: the
   * number alone, of which we use 48 bits. */
  write_u32 (&w, 0);
  write_u16 (&w, is_13 ? 0 : epoch);
  write_u48 (&w, number);

  /* In 1.2 it follows the salt for AES-GCM and AES-CCM (RFC 5288 §3, RFC 6655 §3). For ChaCha20 (RFC
   * 7905 §2) and in 1.3 (RFC 9846 §5.3) the IV covers it. */
  for (size_t i = 0; i < iv_len; i++)
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
