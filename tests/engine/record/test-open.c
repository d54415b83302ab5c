/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* record/open: what is split and opened, and that whatever is not genuine changes nothing. */

#include "keyed.h"
#include "random.h"

static uint8_t data[MAX_CIPHERTEXT_LEN + 64];

static void
check_every_length (struct keyed *keyed, size_t overhead)
{
  static const size_t lens[] = { 0, 1, 2, 6, 7, 15, 16, 17, 63, 64, 1000, 1400, MAX_PLAINTEXT_LEN };
  bool is_13 = keyed->read.keys.form == RECORD_FORM_13;

  for (size_t i = 0; i < TAP_N (lens); i++)
    {
      struct opened opened = { 0 };
      struct bytes plaintext = { data, lens[i] };
      size_t len = keyed_record_len (keyed, overhead, lens[i]);

      keyed_seal_number (keyed, i, plaintext);
      CHECK_UINT (keyed->out.used, len);
      CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_NONE);
      CHECK_UINT (opened.type, CONTENT_APPLICATION_DATA);
      CHECK_UINT (opened.epoch, keyed->write.number);
      CHECK_UINT (opened.number, i);
      CHECK_BYTES (((struct bytes){ opened.at, opened.len }), plaintext);
      /* The type and the padding of 1.3 count. */
      CHECK_UINT (opened.inner_len, is_13 ? len - overhead + 1 : lens[i]);
    }
}

static void
sealed_record_opens (void)
{
  keyed_run (check_every_length);
}

static void
check_split (struct keyed *keyed, size_t overhead)
{
  uint8_t *at = keyed->room;
  size_t left;
  size_t n = 0;

  for (size_t i = 0; i < 20; i++)
    CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, i }), DTLS_OK);
  /* What follows is no record; it takes nothing with it. */
  memset (keyed->room + keyed->out.used, 0xff, 100);
  left = keyed->out.used + 100;

  while (left > 100)
    {
      struct record record;
      struct opened opened = { 0 };

      if (!CHECK_UINT (record_split (&at, &left, &record), DTLS_DROP_NONE))
        break;
      CHECK_UINT ((size_t) (record.body - record.at) + record.len,
                  keyed_record_len (keyed, overhead, n));
      CHECK (record.body + record.len == at);
      CHECK_UINT (record_open (&keyed->read, &record, &opened), DTLS_DROP_NONE);
      CHECK_UINT (opened.len, n);
      n++;
    }
  CHECK_UINT (n, 20);
  CHECK_UINT (record_split (&at, &left, &(struct record){ 0 }), DTLS_DROP_HEADER);
  CHECK_UINT (left, 0);
}

static void
datagram_holds_many_records (void)
{
  keyed_run (check_split);
}

/* The header's bytes, and how many follow it. */
static void
bad_header_ends_the_datagram (void)
{
  static const struct
  {
    const char *row;
    uint8_t header[RECORD_HEADER_LEN];
    size_t n_following;
    enum dtls_drop expected;
  } rows[] = {
    { "1.2", { 22, 0xfe, 0xfd, [12] = 4 }, 4, DTLS_DROP_NONE },
    { "1.0", { 22, 0xfe, 0xff, [12] = 4 }, 4, DTLS_DROP_NONE },
    { "more follows", { 22, 0xfe, 0xfd, [12] = 4 }, 5, DTLS_DROP_NONE },
    { "empty", { 23, 0xfe, 0xfd }, 0, DTLS_DROP_NONE },
    { "an unknown type is for others to judge", { 99, 0xfe, 0xfd, [12] = 4 }, 4, DTLS_DROP_NONE },
    { "one byte short", { 22, 0xfe, 0xfd, [12] = 4 }, 3, DTLS_DROP_LENGTH },
    { "nothing follows", { 22, 0xfe, 0xfd, [12] = 1 }, 0, DTLS_DROP_LENGTH },
    { "the longest", { 22, 0xfe, 0xfd, [11] = 0x48 }, 0x4800, DTLS_DROP_NONE },
    { "too long, and all there", { 22, 0xfe, 0xfd, [11] = 0x48, 1 }, 0x4801, DTLS_DROP_LENGTH },
    { "the longest a length can say", { 22, 0xfe, 0xfd, [11] = 0xff, 0xff }, 9, DTLS_DROP_LENGTH },
    { "TLS", { 22, 0x03, 0x03, [12] = 4 }, 4, DTLS_DROP_HEADER },
    { "TLS, one byte short", { 22, 0x03, 0x03, [12] = 4 }, 3, DTLS_DROP_HEADER },
    { "SSL 2", { 0x80, 0x2e, 0x01 }, 40, DTLS_DROP_HEADER },
    { "zeroes", { 0 }, 40, DTLS_DROP_HEADER },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      static uint8_t datagram[RECORD_HEADER_LEN + sizeof data];
      uint8_t *at = datagram;
      size_t left = RECORD_HEADER_LEN + rows[i].n_following;
      size_t taken;
      struct record record;

      tap_set_row (rows[i].row);
      memcpy (datagram, rows[i].header, RECORD_HEADER_LEN);
      CHECK_UINT (record_split (&at, &left, &record), rows[i].expected);
      if (rows[i].expected != DTLS_DROP_NONE)
        {
          CHECK_UINT (left, 0);
          continue;
        }
      taken = RECORD_HEADER_LEN + record.header.len;
      CHECK_UINT (record.form, RECORD_FORM_12);
      CHECK_UINT (record.len, record.header.len);
      CHECK (record.at == datagram);
      CHECK (record.body == datagram + RECORD_HEADER_LEN);
      CHECK (at == datagram + taken);
      CHECK_UINT (left, RECORD_HEADER_LEN + rows[i].n_following - taken);
    }
}

static void
header_cut_short_is_none (void)
{
  static uint8_t datagram[] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

  for (size_t len = 0; len < RECORD_HEADER_LEN; len++)
    {
      uint8_t *at = datagram;
      size_t left = len;
      struct record record;

      CHECK_UINT (record_split (&at, &left, &record), DTLS_DROP_HEADER);
      CHECK_UINT (left, 0);
    }
  CHECK_UINT (record_split (&(uint8_t *){ NULL }, &(size_t){ 0 }, &(struct record){ 0 }),
              DTLS_DROP_HEADER);
}

/* A record of any short length, of bytes that nobody sealed. */
static void
check_short (struct keyed *keyed, size_t overhead)
{
  size_t least = overhead - RECORD_HEADER_LEN;

  for (size_t len = 0; len <= 64; len++)
    for (uint64_t seed = 0; seed < 4; seed++)
      {
        uint8_t datagram[RECORD_HEADER_LEN + 64] = {
          CONTENT_APPLICATION_DATA, 0xfe, 0xfd, 0, KEYED_EPOCH, [10] = 5, [12] = (uint8_t) len
        };
        uint64_t state = seed;

        for (size_t i = 0; i < len; i++)
          datagram[RECORD_HEADER_LEN + i] = seed == 0 ? 0 : (uint8_t) random_next (&state);
        keyed_drops (keyed, datagram, RECORD_HEADER_LEN + len,
                     len < least ? DTLS_DROP_LENGTH : DTLS_DROP_AUTHENTICATION);
      }

  /* All of them were for a number that is still new. */
  keyed_seal_number (keyed, 5, TAP_STRING ("genuine"));
  CHECK_UINT (keyed_receive (keyed, &(struct opened){ 0 }), DTLS_DROP_NONE);
}

static void
every_short_length_drops_silently (void)
{
  keyed_run_form (RECORD_FORM_12, check_short);
}

/* A genuine record of every short length, cut short by every number of bytes. */
static void
check_cut (struct keyed *keyed, size_t overhead)
{
  for (size_t len = 0; len <= 64; len++)
    {
      keyed_seal_number (keyed, 7, (struct bytes){ data, len });
      for (size_t cut = 1; cut <= overhead - RECORD_HEADER_LEN + len; cut++)
        {
          uint8_t copy[RECORD_HEADER_LEN + 24 + 64];
          size_t left = keyed->out.used - cut;
          bool is_short = left < overhead;

          memcpy (copy, keyed->room, left);
          keyed_drops (keyed, copy, left, DTLS_DROP_LENGTH);
          copy[12] = (uint8_t) (left - RECORD_HEADER_LEN);
          keyed_drops (keyed, copy, left, is_short ? DTLS_DROP_LENGTH : DTLS_DROP_AUTHENTICATION);
        }
    }
}

static void
record_cut_short_drops_silently (void)
{
  keyed_run_form (RECORD_FORM_12, check_cut);
}

/* Each bit of a genuine record. */
static void
check_flips (struct keyed *keyed, size_t overhead)
{
  (void) overhead;
  keyed_seal_number (keyed, 100, TAP_STRING ("genuine"));

  for (size_t bit = 0; bit < 8 * keyed->out.used; bit++)
    {
      uint8_t copy[64];
      size_t at = bit / 8;
      enum dtls_drop expected = DTLS_DROP_AUTHENTICATION;

      memcpy (copy, keyed->room, keyed->out.used);
      copy[at] ^= (uint8_t) (1 << bit % 8);
      if (at == 1 || is_unified_header (copy[0]))
        expected = DTLS_DROP_HEADER;
      if (at == 3 || at == 4)
        expected = DTLS_DROP_EPOCH;
      /* The length: longer than what follows, or shorter than what was sealed. */
      if ((at == 11 || at == 12) && (copy[11] << 8 | copy[12]) > keyed->room[12])
        expected = DTLS_DROP_LENGTH;
      else if (at == 12 && copy[12] < epoch_overhead (&keyed->write) - RECORD_HEADER_LEN)
        expected = DTLS_DROP_LENGTH;
      keyed_drops (keyed, copy, keyed->out.used, expected);
    }

  CHECK_UINT (keyed_receive (keyed, &(struct opened){ 0 }), DTLS_DROP_NONE);
}

static void
every_bit_is_authenticated (void)
{
  keyed_run_form (RECORD_FORM_12, check_flips);
}

static void
check_forged_high (struct keyed *keyed, size_t overhead)
{
  static const uint64_t forged[] = { 1, 255, 256, 1000, MAX_RECORD_NUMBER };
  uint8_t copy[64];

  (void) overhead;
  for (size_t i = 0; i < TAP_N (forged); i++)
    {
      keyed_seal_number (keyed, forged[i], TAP_STRING ("forged"));
      memcpy (copy, keyed->room, keyed->out.used);
      copy[keyed->out.used - 1] ^= 1;
      keyed_drops (keyed, copy, keyed->out.used, DTLS_DROP_AUTHENTICATION);
    }
  CHECK_UINT (keyed->read.n_forged, TAP_N (forged));

  keyed_seal_number (keyed, 0, TAP_STRING ("genuine"));
  CHECK_UINT (keyed_receive (keyed, &(struct opened){ 0 }), DTLS_DROP_NONE);
}

static void
forged_high_number_moves_nothing (void)
{
  keyed_run_form (RECORD_FORM_12, check_forged_high);
}

static void
check_replay (struct keyed *keyed, size_t overhead)
{
  static const struct
  {
    const char *row;
    uint64_t number;
    enum dtls_drop expected;
  } steps[] = {
    { "the first", 0, DTLS_DROP_NONE },
    { "again", 0, DTLS_DROP_REPLAY },
    { "out of order", 5, DTLS_DROP_NONE },
    { "in between", 3, DTLS_DROP_NONE },
    { "in between again", 3, DTLS_DROP_REPLAY },
    { "a window on", 260, DTLS_DROP_NONE },
    { "its left edge was there", 5, DTLS_DROP_REPLAY },
    { "left of the edge, never there", 4, DTLS_DROP_REPLAY },
    { "right of the edge", 6, DTLS_DROP_NONE },
    { "the last there is", MAX_RECORD_NUMBER, DTLS_DROP_NONE },
    { "again", MAX_RECORD_NUMBER, DTLS_DROP_REPLAY },
    { "long gone", 261, DTLS_DROP_REPLAY },
  };

  (void) overhead;
  for (size_t i = 0; i < TAP_N (steps); i++)
    {
      tap_set_row (steps[i].row);
      keyed_seal_number (keyed, steps[i].number, TAP_STRING ("x"));
      if (steps[i].expected == DTLS_DROP_NONE)
        CHECK_UINT (keyed_receive (keyed, &(struct opened){ 0 }), DTLS_DROP_NONE);
      else
        keyed_drops (keyed, keyed->room, keyed->out.used, steps[i].expected);
    }
  /* A replay is no forgery. */
  CHECK_UINT (keyed->read.n_forged, 0);
}

static void
replay_drops_silently (void)
{
  keyed_run_form (RECORD_FORM_12, check_replay);
}

/* RFC 5288 §3: the number MAY be the explicit part; a peer's may be anything else that is
 * unique. */
static void
explicit_nonce_is_the_records (void)
{
  static const uint8_t header[RECORD_HEADER_LEN] = { 23, 0xfe, 0xfd, 0, KEYED_EPOCH, 0,         0,
                                                     0,  0,    0,    9, 0,           8 + 4 + 16 };
  struct keyed *keyed = keyed_new (RECORD_FORM_12, AEAD_AES_128_GCM);
  struct epoch_record sealed = { CONTENT_APPLICATION_DATA, VERSION_DTLS_1_2, 9, 4 };
  uint8_t nonce[AEAD_NONCE_LEN] = { 0xa0, 0xa1, 0xa2, 0xa3, 9, 8, 7, 6, 5, 4, 3, 2 };
  uint8_t additional[ADDITIONAL_LEN];
  struct aead_input input = { nonce, TAP_BYTES (additional) };
  struct bytes part = TAP_STRING ("ping");
  struct opened opened = { 0 };

  epoch_additional (KEYED_EPOCH, &sealed, additional);
  memcpy (keyed->room, header, sizeof header);
  memcpy (keyed->room + sizeof header, nonce + 4, 8);
  CHECK (aead_seal (keyed->write.aead, &input, &part, 1, keyed->room + sizeof header + 8));
  keyed->out.used = sizeof header + header[12];

  CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_NONE);
  CHECK_UINT (opened.number, 9);
  CHECK_BYTES (((struct bytes){ opened.at, opened.len }), part);
  keyed_free (keyed);
}

static void
check_other_epoch (struct keyed *keyed, size_t overhead)
{
  (void) overhead;
  keyed->write.number = 2;
  keyed_seal_number (keyed, 0, TAP_STRING ("x"));
  keyed_drops (keyed, keyed->room, keyed->out.used, DTLS_DROP_EPOCH);

  epoch_write_clear (&keyed->write);
  epoch_write_init_plain (&keyed->write, 0);
  keyed_seal_number (keyed, 0, TAP_STRING ("x"));
  keyed_drops (keyed, keyed->room, keyed->out.used, DTLS_DROP_EPOCH);
}

static void
other_epoch_is_dropped (void)
{
  keyed_run_form (RECORD_FORM_12, check_other_epoch);
}

/* Nothing vouches for a number in the clear: a forged one must not shut the genuine ones out. */
static void
plain_epoch_has_no_window (void)
{
  static const uint64_t numbers[] = { 0, MAX_RECORD_NUMBER, 0, 1, 1 };
  struct keyed *keyed = keyed_new (RECORD_FORM_12, AEAD_AES_128_GCM);

  epoch_read_clear (&keyed->read);
  epoch_read_init_plain (&keyed->read);
  epoch_write_clear (&keyed->write);
  epoch_write_init_plain (&keyed->write, 0);

  for (size_t i = 0; i < TAP_N (numbers); i++)
    {
      struct epoch_read before = keyed->read;
      struct opened opened = { 0 };

      keyed_seal_number (keyed, numbers[i], TAP_STRING ("plain"));
      CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_NONE);
      CHECK_UINT (opened.number, numbers[i]);
      CHECK_UINT (opened.epoch, 0);
      CHECK_BYTES (((struct bytes){ opened.at, opened.len }), TAP_STRING ("plain"));
      CHECK_UINT (opened.inner_len, opened.len);
      CHECK (memcmp (&keyed->read, &before, sizeof before) == 0);
    }
  keyed_free (keyed);
}

static void
plain_record_is_at_most_two_to_the_14 (void)
{
  struct epoch_read plain;
  struct opened opened;
  struct record record = {
    .form = RECORD_FORM_12,
    .header = { .type = CONTENT_HANDSHAKE, .version = VERSION_DTLS_1_2 },
    .body = data,
    .len = MAX_PLAINTEXT_LEN,
  };

  epoch_read_init_plain (&plain);
  CHECK_UINT (record_open (&plain, &record, &opened), DTLS_DROP_NONE);
  CHECK_UINT (opened.len, MAX_PLAINTEXT_LEN);
  record.len++;
  CHECK_UINT (record_open (&plain, &record, &opened), DTLS_DROP_LENGTH);
}

static const struct tap_test tests[] = {
  { "/record/open/sealed-record-opens", sealed_record_opens },
  { "/record/open/datagram-holds-many-records", datagram_holds_many_records },
  { "/record/open/bad-header-ends-the-datagram", bad_header_ends_the_datagram },
  { "/record/open/header-cut-short-is-none", header_cut_short_is_none },
  { "/record/open/every-short-length-drops-silently", every_short_length_drops_silently },
  { "/record/open/record-cut-short-drops-silently", record_cut_short_drops_silently },
  { "/record/open/every-bit-is-authenticated", every_bit_is_authenticated },
  { "/record/open/forged-high-number-moves-nothing", forged_high_number_moves_nothing },
  { "/record/open/replay-drops-silently", replay_drops_silently },
  { "/record/open/explicit-nonce-is-the-records", explicit_nonce_is_the_records },
  { "/record/open/other-epoch-is-dropped", other_epoch_is_dropped },
  { "/record/open/plain-epoch-has-no-window", plain_epoch_has_no_window },
  { "/record/open/plain-record-is-at-most-two-to-the-14", plain_record_is_at_most_two_to_the_14 },
};

TAP_MAIN (tests)
