/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* record/epoch: nonces and additional data to the byte, limits, and what is left of a cleared
 * epoch. */

#include "keyed.h"

static void
nonce_is_made_of_epoch_and_number (void)
{
  static const struct
  {
    const char *row;
    enum aead_algorithm algorithm;
    uint16_t epoch;
    uint64_t number;
    uint8_t expected[AEAD_NONCE_LEN];
  } rows[] = {
    { "GCM: the salt, then both",
      AEAD_AES_128_GCM,
      1,
      0,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0x00, 0x01, 0, 0, 0, 0, 0, 0 } },
    { "GCM, 256 bits",
      AEAD_AES_256_GCM,
      0x0203,
      0x040506070809,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09 } },
    { "GCM, the largest",
      AEAD_AES_128_GCM,
      0xffff,
      0xffffffffffff,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
    { "ChaCha20: the IV over both",
      AEAD_CHACHA20_POLY1305,
      1,
      0,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa4, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab } },
    { "ChaCha20, the largest",
      AEAD_CHACHA20_POLY1305,
      0xffff,
      0xffffffffffff,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0x5b, 0x5a, 0x59, 0x58, 0x57, 0x56, 0x55, 0x54 } },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct epoch_keys keys = keyed_keys (rows[i].algorithm);
      uint8_t nonce[AEAD_NONCE_LEN];

      tap_set_row (rows[i].row);
      epoch_nonce (&keys, rows[i].epoch, rows[i].number, nonce);
      CHECK_BYTES (TAP_BYTES (nonce), TAP_BYTES (rows[i].expected));
    }
}

static void
additional_data_names_the_plaintext_length (void)
{
  static const uint8_t expected[ADDITIONAL_LEN] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
                                                    0x07, 23,   0xfe, 0xfd, 0x40, 0x00 };
  struct epoch_record record = { CONTENT_APPLICATION_DATA, VERSION_DTLS_1_2, 0x020304050607,
                                 MAX_PLAINTEXT_LEN };
  uint8_t additional[ADDITIONAL_LEN];

  epoch_additional (1, &record, additional);
  CHECK_BYTES (TAP_BYTES (additional), TAP_BYTES (expected));
}

static void
lengths_are_the_ciphers (void)
{
  CHECK_UINT (aead_fixed_iv_len (AEAD_AES_128_GCM), 4);
  CHECK_UINT (aead_fixed_iv_len (AEAD_AES_256_GCM), 4);
  CHECK_UINT (aead_fixed_iv_len (AEAD_CHACHA20_POLY1305), 12);
  CHECK_UINT (epoch_explicit_len (AEAD_AES_128_GCM), 8);
  CHECK_UINT (epoch_explicit_len (AEAD_AES_256_GCM), 8);
  CHECK_UINT (epoch_explicit_len (AEAD_CHACHA20_POLY1305), 0);
}

static void
check_overhead (struct keyed *keyed, size_t overhead)
{
  CHECK_UINT (epoch_overhead (&keyed->write), overhead);
  CHECK_UINT (keyed_seal (keyed, TAP_STRING ("four")), DTLS_OK);
  CHECK_UINT (keyed->out.used, overhead + 4);
}

static void
overhead_is_what_a_record_grows_by (void)
{
  struct epoch_write plain;

  keyed_run (check_overhead);
  epoch_write_init_plain (&plain, 0);
  CHECK_UINT (epoch_overhead (&plain), RECORD_HEADER_LEN);
}

static void
plain_epoch_starts_where_it_is_told (void)
{
  struct epoch_write write;
  struct epoch_read read;

  epoch_write_init_plain (&write, 7);
  CHECK_UINT (write.number, 0);
  CHECK_UINT (write.next, 7);
  CHECK (!write.is_protected);

  epoch_read_init_plain (&read);
  CHECK_UINT (read.number, 0);
  CHECK (!read.is_protected);
}

static void
forgery_limit_is_two_to_the_36 (void)
{
  struct epoch_read read;

  epoch_read_init_plain (&read);
  CHECK (!epoch_is_at_forgery_limit (&read));
  read.n_forged = (UINT64_C (1) << 36) - 1;
  CHECK (!epoch_is_at_forgery_limit (&read));
  read.n_forged++;
  CHECK (epoch_is_at_forgery_limit (&read));
}

/* What a window of `from` rejects, one of `to` rejects. */
static void
check_resize (size_t from, size_t to)
{
  struct epoch_read read;
  struct replay before;

  epoch_read_init_plain (&read);
  epoch_read_set_window (&read, from);
  CHECK_UINT (read.replay.size, from);
  for (uint64_t number = 0; number < 10000; number += number % 7 + 1)
    replay_mark (&read.replay, number);
  before = read.replay;

  epoch_read_set_window (&read, to);
  CHECK_UINT (read.replay.size, to);
  CHECK_UINT (read.replay.next, before.next);
  for (uint64_t number = 0; number < before.next + 100; number++)
    if (!CHECK_UINT (replay_check (&read.replay, number),
                     replay_check (&before, number)
                         && (number >= before.next || before.next - number <= to)))
      return;
}

static void
new_window_forgets_nothing (void)
{
  static const size_t sizes[] = { 64, 128, 256, 1024, 4096 };

  for (size_t i = 0; i < TAP_N (sizes); i++)
    for (size_t j = 0; j < TAP_N (sizes); j++)
      check_resize (sizes[i], sizes[j]);
}

static bool
has_keys (const struct epoch_keys *keys)
{
  const uint8_t *at = (const uint8_t *) keys;
  uint8_t all = 0;

  for (size_t i = 0; i < sizeof *keys; i++)
    all |= at[i];

  return all != 0;
}

static void
check_cleared (struct keyed *keyed, size_t overhead)
{
  struct opened opened;

  CHECK_UINT (keyed_seal (keyed, TAP_STRING ("before")), DTLS_OK);
  CHECK_UINT (keyed->out.used, overhead + 6);
  epoch_write_clear (&keyed->write);
  epoch_read_clear (&keyed->read);
  CHECK (!has_keys (&keyed->write.keys));
  CHECK (!has_keys (&keyed->read.keys));
  CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_EPOCH);

  /* It did not become one that seals and opens in the clear. */
  keyed->out.used = 0;
  CHECK_UINT (keyed_seal (keyed, TAP_STRING ("after")), DTLS_ERROR_RECORD_LIMIT);
  CHECK_UINT (keyed->out.used, 0);
  epoch_write_init_plain (&keyed->write, 0);
  CHECK_UINT (keyed_seal (keyed, TAP_STRING ("plain")), DTLS_OK);
  CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_EPOCH);
  epoch_read_set_window (&keyed->read, 64);
  CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_EPOCH);

  /* Once more does no harm. */
  epoch_write_clear (&keyed->write);
  epoch_read_clear (&keyed->read);
}

static void
cleared_epoch_seals_and_opens_nothing (void)
{
  keyed_run (check_cleared);
}

static const struct tap_test tests[] = {
  { "/record/epoch/nonce-is-made-of-epoch-and-number", nonce_is_made_of_epoch_and_number },
  { "/record/epoch/additional-data-names-the-plaintext-length",
    additional_data_names_the_plaintext_length },
  { "/record/epoch/lengths-are-the-ciphers", lengths_are_the_ciphers },
  { "/record/epoch/overhead-is-what-a-record-grows-by", overhead_is_what_a_record_grows_by },
  { "/record/epoch/plain-epoch-starts-where-it-is-told", plain_epoch_starts_where_it_is_told },
  { "/record/epoch/forgery-limit-is-two-to-the-36", forgery_limit_is_two_to_the_36 },
  { "/record/epoch/new-window-forgets-nothing", new_window_forgets_nothing },
  { "/record/epoch/cleared-epoch-seals-and-opens-nothing", cleared_epoch_seals_and_opens_nothing },
};

TAP_MAIN (tests)
