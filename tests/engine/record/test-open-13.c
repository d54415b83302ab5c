/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* record/open with DTLS 1.3's records: every legal header, numbers found again from their last bits, and
 * padding. */

#include "unified.h"

#define LAST MAX_RECORD_NUMBER

static void
check_shapes (struct keyed *keyed, size_t overhead)
{
  (void) overhead;
  for (size_t i = 0; i < TAP_N (shapes); i++)
    {
      size_t len = make_some (keyed, &shapes[i], 100 + i);
      uint8_t header[MAX_HEADER_LEN];
      struct opened opened = { 0 };

      tap_set_row (shapes[i].row);
      memcpy (header, datagram, sizeof header);
      CHECK_UINT (keyed_open (keyed, datagram, len, &opened), DTLS_DROP_NONE);
      CHECK_UINT (opened.type, CONTENT_APPLICATION_DATA);
      CHECK_UINT (opened.epoch, KEYED_EPOCH_13);
      CHECK_UINT (opened.number, 100 + i);
      CHECK_BYTES (((struct bytes){ opened.at, opened.len }), TAP_STRING ("twenty bytes of data"));
      CHECK_UINT (opened.inner_len, 21);
      CHECK (memcmp (datagram, header, 1 + shapes[i].number_len) == 0);
    }
}

static void
every_header_form_opens (void)
{
  keyed_run_form (RECORD_FORM_13, check_shapes);
}

/* For each first byte: how long the header is, or 0 if it is none. */
static size_t
header_len_of (unsigned first)
{
  if (first >> 5 != 1 || (first & 0x10) != 0)
    return 0;

  return 1 + (first & 8 ? 2 : 1) + (first & 4 ? 2 : 0);
}

static void
first_byte_tells_the_form (void)
{
  for (unsigned first = 0; first < 256; first++)
    {
      /* As the other form this is a record of 4 bytes, as this one with a length of 16 bytes. */
      uint8_t bytes[40] = { (uint8_t) first, 0xfe, 0xfd, 0, 16, [12] = 4 };
      size_t header_len = header_len_of (first);
      struct record record;
      uint8_t *at = bytes;
      size_t left = sizeof bytes;
      enum dtls_drop drop;

      if (header_len == 4)
        memcpy (bytes + 2, "\x00\x10", 2);
      drop = record_split (&at, &left, &record);
      if (header_len == 0 && first >> 5 == 1)
        {
          /* A connection ID that nobody asked for: what follows it cannot be found. */
          CHECK_UINT (drop, DTLS_DROP_HEADER);
          CHECK_UINT (left, 0);
          continue;
        }

      CHECK_UINT (drop, DTLS_DROP_NONE);
      CHECK_UINT (record.form, header_len > 0 ? RECORD_FORM_13 : RECORD_FORM_12);
      CHECK (record.at == bytes);
      CHECK (record.body == bytes + (header_len > 0 ? header_len : RECORD_HEADER_LEN));
      CHECK (at == record.body + record.len);
      CHECK_UINT (left, (size_t) (bytes + sizeof bytes - at));
      if (header_len == 0)
        CHECK_UINT (record.len, 4);
      else
        CHECK_UINT (record.len, first & 4 ? 16 : sizeof bytes - header_len);
    }
}

/* One datagram: with lengths, of the other form, and one without a length, which takes the rest. */
static void
check_mixed (struct keyed *keyed, size_t overhead)
{
  static const uint8_t plain[] = { 22, 0xfe, 0xfd, [10] = 9, [12] = 2, 'h', 'i' };
  static const enum dtls_drop expected[] = { DTLS_DROP_NONE, DTLS_DROP_NONE, DTLS_DROP_HEADER,
                                             DTLS_DROP_NONE };
  uint8_t whole[256];
  size_t len = 0;
  uint8_t *at = whole;
  size_t n = 0;

  (void) overhead;
  for (size_t i = 0; i < 3; i++)
    {
      size_t record_len = make_some (keyed, &shapes[i], i);

      if (i == 2)
        {
          memcpy (whole + len, plain, sizeof plain);
          len += sizeof plain;
        }
      memcpy (whole + len, datagram, record_len);
      len += record_len;
    }

  for (; len > 0 && n < TAP_N (expected); n++)
    {
      struct record record;
      struct opened opened = { 0 };

      CHECK_UINT (record_split (&at, &len, &record), DTLS_DROP_NONE);
      CHECK_UINT (record_open (&keyed->read, &record, &opened), expected[n]);
    }
  CHECK_UINT (n, TAP_N (expected));
  CHECK_UINT (len, 0);
  CHECK_UINT (keyed->read.n_forged, 0);
}

static void
forms_mix_in_a_datagram (void)
{
  keyed_run_form (RECORD_FORM_13, check_mixed);
}

/* `next` is one above the highest that opened, `number` is sealed: it opens if its last bits are taken
 * for itself. */
static void
number_is_the_closest_to_the_next (void)
{
  /* clang-format off */
  static const struct
  {
    const char *row;
    size_t number_len;
    uint64_t next;
    uint64_t number;
    enum dtls_drop expected;
  } rows[] = {
    { "8 bits, the first",                    1, 0,        0,        DTLS_DROP_NONE },
    { "8 bits, far ahead of the first",       1, 0,        255,      DTLS_DROP_NONE },
    { "8 bits, too far ahead of the first",   1, 0,        256,      DTLS_DROP_AUTHENTICATION },
    { "8 bits, the next",                     1, 1000,     1000,     DTLS_DROP_NONE },
    { "8 bits, the newest again",             1, 1000,     999,      DTLS_DROP_REPLAY },
    { "8 bits, half ahead",                   1, 1000,     1128,     DTLS_DROP_NONE },
    { "8 bits, more than half ahead",         1, 1000,     1129,     DTLS_DROP_AUTHENTICATION },
    { "8 bits, less than half behind",        1, 1000,     873,      DTLS_DROP_NONE },
    { "8 bits, half behind",                  1, 1000,     872,      DTLS_DROP_AUTHENTICATION },
    { "8 bits, at the wrap",                  1, 256,      256,      DTLS_DROP_NONE },
    { "8 bits, over the wrap",                1, 250,      260,      DTLS_DROP_NONE },
    { "8 bits, back over the wrap",           1, 260,      250,      DTLS_DROP_NONE },
    { "8 bits, half ahead at the wrap",       1, 128,      256,      DTLS_DROP_NONE },
    { "8 bits, half behind at the wrap",      1, 128,      0,        DTLS_DROP_AUTHENTICATION },
    { "8 bits, less than half from it",       1, 127,      0,        DTLS_DROP_NONE },
    { "8 bits, the last",                     1, LAST,     LAST,     DTLS_DROP_NONE },
    { "8 bits, the last but one, and late",   1, LAST + 1, LAST - 1, DTLS_DROP_NONE },
    { "8 bits, nothing is above the last",    1, LAST,     LAST - 255, DTLS_DROP_NONE },
    { "8 bits, nor above all of them",        1, LAST + 1, LAST - 255, DTLS_DROP_NONE },
    { "8 bits, the last again",               1, LAST + 1, LAST,     DTLS_DROP_REPLAY },
    { "16 bits, the first",                   2, 0,        0,        DTLS_DROP_NONE },
    { "16 bits, far ahead of the first",      2, 0,        65535,    DTLS_DROP_NONE },
    { "16 bits, too far ahead of the first",  2, 0,        65536,    DTLS_DROP_AUTHENTICATION },
    { "16 bits, the next",                    2, 0x123456, 0x123456, DTLS_DROP_NONE },
    { "16 bits, half ahead",                  2, 0x120000, 0x128000, DTLS_DROP_NONE },
    { "16 bits, half ahead at the wrap",      2, 0x128000, 0x130000, DTLS_DROP_NONE },
    { "16 bits, more: a very old one",        2, 0x120000, 0x128001, DTLS_DROP_REPLAY },
    { "16 bits, behind",                      2, 0x123456, 0x122fff, DTLS_DROP_NONE },
    { "16 bits, half behind: one to come",    2, 0x128000, 0x120000, DTLS_DROP_AUTHENTICATION },
    { "16 bits, over the wrap",               2, 65000,    65636,    DTLS_DROP_NONE },
    { "16 bits, back over the wrap",          2, 65600,    65500,    DTLS_DROP_NONE },
    { "16 bits, the last",                    2, LAST,     LAST,     DTLS_DROP_NONE },
    { "16 bits, the last, after a loss",      2, LAST - 30000, LAST, DTLS_DROP_NONE },
    { "16 bits, the last again",              2, LAST + 1, LAST,     DTLS_DROP_REPLAY },
  };
  /* clang-format on */

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      const struct shape shape = { "", rows[i].number_len, true };
      struct keyed *keyed = keyed_new (RECORD_FORM_13, AEAD_AES_128_GCM);
      size_t len = make_some (keyed, &shape, rows[i].number);
      struct opened opened = { 0 };

      tap_set_row (rows[i].row);
      epoch_read_set_window (&keyed->read, MAX_REPLAY_WINDOW);
      if (rows[i].next > 0)
        replay_mark (&keyed->read.replay, rows[i].next - 1);
      if (rows[i].expected != DTLS_DROP_NONE)
        keyed_drops (keyed, datagram, len, rows[i].expected);
      else if (CHECK_UINT (open_copy (keyed, len, &opened), DTLS_DROP_NONE))
        CHECK_UINT (opened.number, rows[i].number);
      keyed_free (keyed);
    }
}

/* Content of any length, and any number of zeros behind its type. */
static void
check_padding (struct keyed *keyed, size_t overhead)
{
  static const size_t lens[] = { 0, 1, 6, 7, 8, 100, MAX_PLAINTEXT_LEN };
  static const size_t paddings[] = { 0, 1, 7, 15, 16, 200 };
  size_t tag_len = aead_tag_len (keyed->read.keys.algorithm);
  uint64_t number = 0;

  (void) overhead;
  for (size_t i = 0; i < TAP_N (lens); i++)
    for (size_t j = 0; j < TAP_N (paddings); j++)
      {
        size_t inner_len = lens[i] + 1 + paddings[j];
        struct opened opened = { 0 };

        /* A sender must pad more than that. */
        if (inner_len + tag_len < 16)
          continue;
        memset (data, 0, sizeof data); /* zeros at the content's end belong to it */
        data[lens[i]] = CONTENT_ACK;
        CHECK_UINT (
            open_copy (keyed,
                       make_record (keyed, &shapes[0], number, (struct bytes){ data, inner_len }),
                       &opened),
            DTLS_DROP_NONE);
        CHECK_UINT (opened.type, CONTENT_ACK);
        CHECK_BYTES (((struct bytes){ opened.at, opened.len }), ((struct bytes){ data, lens[i] }));
        CHECK_UINT (opened.inner_len, inner_len);
        number++;
      }
}

static void
padding_is_cut_off (void)
{
  keyed_run_form (RECORD_FORM_13, check_padding);
}

/* No type at all: it is the peer's, so it counts as come, but there is nothing in it. */
static void
check_only_padding (struct keyed *keyed, size_t overhead)
{
  static const size_t lens[] = { 0, 1, 8, 100, MAX_PLAINTEXT_LEN + 1 };
  size_t tag_len = aead_tag_len (keyed->read.keys.algorithm);
  uint64_t number = 0;

  (void) overhead;
  memset (data, 0, sizeof data);
  for (size_t i = 0; i < TAP_N (lens); i++)
    {
      size_t len = make_record (keyed, &shapes[i % 4], number, (struct bytes){ data, lens[i] });

      if (lens[i] + tag_len < 16)
        continue;
      CHECK_UINT (open_copy (keyed, len, &(struct opened){ 0 }), DTLS_DROP_CONTENT);
      CHECK_UINT (keyed->read.replay.next, number + 1);
      keyed_drops (keyed, datagram, len, DTLS_DROP_REPLAY);
      number++;
    }
  CHECK_UINT (keyed->read.n_forged, 0);
}

static void
nothing_but_padding_is_no_content (void)
{
  keyed_run_form (RECORD_FORM_13, check_only_padding);
}

/* The longest ciphertext there is opens: what it says is for the caller to judge. */
static void
check_longest (struct keyed *keyed, size_t overhead)
{
  size_t inner_len = MAX_CIPHERTEXT_13_LEN - aead_tag_len (keyed->read.keys.algorithm);
  struct opened opened = { 0 };
  size_t len;

  (void) overhead;
  memset (data, 23, sizeof data);
  len = make_record (keyed, &shapes[0], 0, (struct bytes){ data, inner_len + 1 });
  keyed_drops (keyed, datagram, len, DTLS_DROP_LENGTH);

  len = make_record (keyed, &shapes[0], 0, (struct bytes){ data, inner_len });
  CHECK_UINT (open_copy (keyed, len, &opened), DTLS_DROP_NONE);
  CHECK_UINT (opened.len, inner_len - 1);
  CHECK_UINT (opened.inner_len, inner_len);
}

static void
longest_ciphertext_opens (void)
{
  keyed_run_form (RECORD_FORM_13, check_longest);
}

static void
record_is_of_the_epoch_it_names (void)
{
  static const struct
  {
    const char *row;
    struct record record;
    uint16_t epoch; /* 0 in the clear */
    bool expected;
  } rows[] = {
    { "1.2, in the clear", { .header.epoch = 0 }, 0, true },
    { "1.2, the same", { .header.epoch = 7 }, 7, true },
    { "1.2, the same two bits", { .header.epoch = 3 }, 7, false },
    { "1.2, protected or not", { .header.epoch = 0 }, 7, false },
    { "1.2, ahead", { .header.epoch = 1 }, 0, false },
    { "1.3, the same two bits", { .form = RECORD_FORM_13, .unified.epoch_bits = 3 }, 7, true },
    { "1.3, all bits", { .form = RECORD_FORM_13, .unified.epoch_bits = 3 }, 3, true },
    { "1.3, one before", { .form = RECORD_FORM_13, .unified.epoch_bits = 2 }, 3, false },
    { "1.3, one after", { .form = RECORD_FORM_13, .unified.epoch_bits = 0 }, 3, false },
    { "1.3, four is like none", { .form = RECORD_FORM_13, .unified.epoch_bits = 0 }, 4, true },
    { "1.3, but not in the clear", { .form = RECORD_FORM_13, .unified.epoch_bits = 0 }, 0, false },
    { "1.3, the last", { .form = RECORD_FORM_13, .unified.epoch_bits = 3 }, 65535, true },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct keyed *keyed = keyed_new (RECORD_FORM_13, AEAD_AES_128_GCM);
      struct epoch_read plain;
      struct epoch_read *epoch = rows[i].epoch > 0 ? &keyed->read : &plain;

      tap_set_row (rows[i].row);
      epoch_read_init_plain (&plain);
      keyed->read.number = rows[i].epoch;
      CHECK_UINT (record_is_of (&rows[i].record, epoch), rows[i].expected);
      if (!rows[i].expected)
        CHECK (record_open (epoch, &rows[i].record, &(struct opened){ 0 }) != DTLS_DROP_NONE);
      epoch_read_clear (epoch);
      CHECK (!record_is_of (&rows[i].record, epoch));
      keyed_free (keyed);
    }
}

static const struct tap_test tests[] = {
  { "/record/open-13/every-header-form-opens", every_header_form_opens },
  { "/record/open-13/first-byte-tells-the-form", first_byte_tells_the_form },
  { "/record/open-13/forms-mix-in-a-datagram", forms_mix_in_a_datagram },
  { "/record/open-13/number-is-the-closest-to-the-next", number_is_the_closest_to_the_next },
  { "/record/open-13/padding-is-cut-off", padding_is_cut_off },
  { "/record/open-13/nothing-but-padding-is-no-content", nothing_but_padding_is_no_content },
  { "/record/open-13/longest-ciphertext-opens", longest_ciphertext_opens },
  { "/record/open-13/record-is-of-the-epoch-it-names", record_is_of_the_epoch_it_names },
};

TAP_MAIN (tests)
