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
    enum record_form form;
    enum aead_algorithm algorithm;
    uint16_t epoch;
    uint64_t number;
    uint8_t expected[AEAD_NONCE_LEN];
  } rows[] = {
    { "GCM: the salt, then both",
      RECORD_FORM_12,
      AEAD_AES_128_GCM,
      1,
      0,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0x00, 0x01, 0, 0, 0, 0, 0, 0 } },
    { "GCM, 256 bits",
      RECORD_FORM_12,
      AEAD_AES_256_GCM,
      0x0203,
      0x040506070809,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09 } },
    { "GCM, the largest",
      RECORD_FORM_12,
      AEAD_AES_128_GCM,
      0xffff,
      0xffffffffffff,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
    { "CCM, as GCM",
      RECORD_FORM_12,
      AEAD_AES_128_CCM_8,
      0x0203,
      0x040506070809,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09 } },
    { "ChaCha20: the IV over both",
      RECORD_FORM_12,
      AEAD_CHACHA20_POLY1305,
      1,
      0,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa4, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab } },
    { "ChaCha20, the largest",
      RECORD_FORM_12,
      AEAD_CHACHA20_POLY1305,
      0xffff,
      0xffffffffffff,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0x5b, 0x5a, 0x59, 0x58, 0x57, 0x56, 0x55, 0x54 } },
    { "1.3: the IV over the number alone",
      RECORD_FORM_13,
      AEAD_AES_128_GCM,
      0xffff,
      1,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xaa } },
    { "1.3, the largest",
      RECORD_FORM_13,
      AEAD_AES_128_CCM,
      3,
      0xffffffffffff,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0x59, 0x58, 0x57, 0x56, 0x55, 0x54 } },
    { "1.3, ChaCha20",
      RECORD_FORM_13,
      AEAD_CHACHA20_POLY1305,
      3,
      0x040506070809,
      { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa2, 0xa2, 0xae, 0xae, 0xa2, 0xa2 } },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct epoch_keys keys = keyed_keys (rows[i].form, rows[i].algorithm);
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
  CHECK_UINT (aead_fixed_iv_len (AEAD_AES_128_CCM), 4);
  CHECK_UINT (aead_fixed_iv_len (AEAD_AES_128_CCM_8), 4);
  CHECK_UINT (epoch_explicit_len (AEAD_AES_128_GCM), 8);
  CHECK_UINT (epoch_explicit_len (AEAD_AES_256_GCM), 8);
  CHECK_UINT (epoch_explicit_len (AEAD_CHACHA20_POLY1305), 0);
  CHECK_UINT (epoch_explicit_len (AEAD_AES_128_CCM), 8);
  CHECK_UINT (epoch_explicit_len (AEAD_AES_128_CCM_8), 8);
}

static void
check_overhead (struct keyed *keyed, size_t overhead)
{
  CHECK_UINT (epoch_overhead (&keyed->write), overhead);
  CHECK_UINT (keyed_seal (keyed, TAP_STRING ("a few bytes")), DTLS_OK);
  CHECK_UINT (keyed->out.used, overhead + 11);
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

/* clang-format off */
static const struct
{
  const char *row;
  enum aead_algorithm algorithm;
  uint64_t max_forged;
  uint64_t max_sealed; /* in 1.3 */
} limits[] = {
  { "AES-128-GCM",       AEAD_AES_128_GCM,       UINT64_C (1) << 36, 23726566 }, /* 2^24.5 */
  { "AES-256-GCM",       AEAD_AES_256_GCM,       UINT64_C (1) << 36, 23726566 },
  { "ChaCha20-Poly1305", AEAD_CHACHA20_POLY1305, UINT64_C (1) << 36, UINT64_C (1) << 48 },
  { "AES-128-CCM",       AEAD_AES_128_CCM,       11863283,           1 << 23 }, /* 2^23.5 */
  { "AES-128-CCM-8",     AEAD_AES_128_CCM_8,     1 << 7,             1 << 23 },
};
/* clang-format on */

static void
forgery_limit_is_the_ciphers (void)
{
  for (size_t i = 0; i < TAP_N (limits); i++)
    for (unsigned form = RECORD_FORM_12; form <= RECORD_FORM_13; form++)
      {
        struct keyed *keyed = keyed_new (form, limits[i].algorithm);

        tap_set_row (limits[i].row);
        CHECK (!epoch_is_at_forgery_limit (&keyed->read));
        keyed->read.n_forged = limits[i].max_forged - 1;
        CHECK (!epoch_is_at_forgery_limit (&keyed->read));
        keyed->read.n_forged++;
        CHECK (epoch_is_at_forgery_limit (&keyed->read));
        keyed_free (keyed);
      }
}

static void
new_keys_are_wanted_half_way (void)
{
  for (size_t i = 0; i < TAP_N (limits); i++)
    {
      struct keyed *keyed = keyed_new (RECORD_FORM_13, limits[i].algorithm);

      tap_set_row (limits[i].row);
      CHECK (!epoch_wants_update (&keyed->write));
      keyed->write.next = limits[i].max_sealed / 2 - 1;
      CHECK (!epoch_wants_update (&keyed->write));
      keyed->write.next++;
      CHECK (epoch_wants_update (&keyed->write));
      CHECK (!epoch_is_at_seal_limit (&keyed->write));
      keyed_free (keyed);
    }
}

/* In 1.2, where there are no new keys, and in the clear only the numbers end. */
static void
seal_limit_is_the_ciphers (void)
{
  struct epoch_write plain;

  for (size_t i = 0; i < TAP_N (limits); i++)
    for (unsigned form = RECORD_FORM_12; form <= RECORD_FORM_13; form++)
      {
        struct keyed *keyed = keyed_new (form, limits[i].algorithm);
        uint64_t limit = form == RECORD_FORM_13 ? limits[i].max_sealed : MAX_RECORD_NUMBER + 1;

        tap_set_row (limits[i].row);
        keyed->write.next = limit - 1;
        CHECK (!epoch_is_at_seal_limit (&keyed->write));
        keyed->write.next++;
        CHECK (epoch_is_at_seal_limit (&keyed->write));
        keyed_free (keyed);
      }

  tap_set_row ("in the clear");
  epoch_write_init_plain (&plain, MAX_RECORD_NUMBER);
  CHECK (!epoch_is_at_seal_limit (&plain));
  plain.next++;
  CHECK (epoch_is_at_seal_limit (&plain));
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
  CHECK_UINT (keyed->out.used, keyed_record_len (keyed, overhead, 6));
  epoch_write_clear (&keyed->write);
  epoch_read_clear (&keyed->read);
  CHECK (!has_keys (&keyed->write.keys));
  CHECK (!has_keys (&keyed->read.keys));
  CHECK (keyed->write.mask == NULL && keyed->read.mask == NULL);
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
  { "/record/epoch/forgery-limit-is-the-ciphers", forgery_limit_is_the_ciphers },
  { "/record/epoch/new-keys-are-wanted-half-way", new_keys_are_wanted_half_way },
  { "/record/epoch/seal-limit-is-the-ciphers", seal_limit_is_the_ciphers },
  { "/record/epoch/new-window-forgets-nothing", new_window_forgets_nothing },
  { "/record/epoch/cleared-epoch-seals-and-opens-nothing", cleared_epoch_seals_and_opens_nothing },
};

TAP_MAIN (tests)
