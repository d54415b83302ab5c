/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* record/open with what is no genuine record of DTLS 1.3: it is dropped, and changes nothing. */

#include "random.h"
#include "unified.h"

/* The header's bytes, and how many follow it. */
static void
bad_header_ends_the_datagram (void)
{
  static const struct
  {
    const char *row;
    uint8_t header[MAX_HEADER_LEN];
    size_t header_len;
    size_t n_following;
    enum dtls_drop expected;
  } rows[] = {
    { "all of it", { 0x2c, 0, 0, 0, 20 }, 5, 20, DTLS_DROP_NONE },
    { "more follows", { 0x2c, 0, 0, 0, 20 }, 5, 21, DTLS_DROP_NONE },
    { "one byte short", { 0x2c, 0, 0, 0, 20 }, 5, 19, DTLS_DROP_LENGTH },
    { "too short to open, but all there", { 0x2c, 0, 0, 0, 1 }, 5, 1, DTLS_DROP_NONE },
    { "empty", { 0x2c, 0, 0, 0, 0 }, 5, 0, DTLS_DROP_NONE },
    { "empty, without a length", { 0x20, 0 }, 2, 0, DTLS_DROP_NONE },
    { "the longest", { 0x2c, 0, 0, 0x41, 0 }, 5, 0x4100, DTLS_DROP_NONE },
    { "too long, and all there", { 0x2c, 0, 0, 0x41, 1 }, 5, 0x4101, DTLS_DROP_LENGTH },
    { "the longest without a length", { 0x28, 0, 0 }, 3, 0x4100, DTLS_DROP_NONE },
    { "too long without a length", { 0x28, 0, 0 }, 3, 0x4101, DTLS_DROP_LENGTH },
    { "the longest a length can say", { 0x24, 0, 0xff, 0xff }, 4, 9, DTLS_DROP_LENGTH },
    { "no number", { 0x20 }, 1, 0, DTLS_DROP_HEADER },
    { "half a number", { 0x28, 0 }, 2, 0, DTLS_DROP_HEADER },
    { "no length", { 0x2c, 0, 0 }, 3, 0, DTLS_DROP_HEADER },
    { "half a length", { 0x24, 0, 0 }, 3, 0, DTLS_DROP_HEADER },
    { "a connection ID", { 0x3c, 0, 0, 0, 20 }, 5, 40, DTLS_DROP_HEADER },
    { "a connection ID, cut short", { 0x30 }, 1, 0, DTLS_DROP_HEADER },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      uint8_t *at = datagram;
      size_t left = rows[i].header_len + rows[i].n_following;
      struct record record;

      tap_set_row (rows[i].row);
      memset (datagram, 0, sizeof datagram);
      memcpy (datagram, rows[i].header, rows[i].header_len);
      CHECK_UINT (record_split (&at, &left, &record), rows[i].expected);
      if (rows[i].expected != DTLS_DROP_NONE)
        CHECK_UINT (left, 0);
      else
        CHECK (at + left == datagram + rows[i].header_len + rows[i].n_following);
    }
}

/* What follows a record without a length is taken for its own. */
static void
check_rest (struct keyed *keyed, size_t overhead)
{
  size_t len = make_some (keyed, &shapes[2], 0);

  (void) overhead;
  datagram[len] = 0x2f;
  keyed_drops (keyed, datagram, len + 1, DTLS_DROP_AUTHENTICATION);
}

static void
record_without_a_length_takes_the_rest (void)
{
  keyed_run_form (RECORD_FORM_13, check_rest);
}

/* A record of any short length, of bytes that nobody sealed. */
static void
check_short (struct keyed *keyed, size_t overhead)
{
  (void) overhead;
  for (size_t i = 0; i < TAP_N (shapes); i++)
    for (size_t len = 0; len <= MAX_SHORT_LEN; len++)
      for (uint64_t seed = 0; seed < 4; seed++)
        {
          uint8_t bytes[MAX_HEADER_LEN + MAX_SHORT_LEN];
          size_t header_len = write_shape (&shapes[i], KEYED_EPOCH_13, 5, len, bytes);
          uint64_t state = seed;

          for (size_t j = 0; j < len; j++)
            bytes[header_len + j] = seed == 0 ? 0 : (uint8_t) random_next (&state);
          keyed_drops (keyed, bytes, header_len + len,
                       len < 16 ? DTLS_DROP_LENGTH : DTLS_DROP_AUTHENTICATION);
        }

  CHECK_UINT (open_copy (keyed, make_some (keyed, &shapes[0], 5), &(struct opened){ 0 }),
              DTLS_DROP_NONE);
}

static void
every_short_length_drops_silently (void)
{
  keyed_run_form (RECORD_FORM_13, check_short);
}

/* A genuine record of every short length, cut short by every number of bytes, as the datagram's end
 * would and, where it has a length, as a forger would. */
static void
check_cut_shape (struct keyed *keyed, const struct shape *shape, size_t inner_len)
{
  size_t len = make_record (keyed, shape, 7, (struct bytes){ data, inner_len });
  size_t header_len = 1 + shape->number_len + (shape->has_length ? 2 : 0);

  for (size_t cut = 1; cut <= len - header_len; cut++)
    {
      uint8_t copy[MAX_HEADER_LEN + MAX_SHORT_LEN + MAX_AEAD_TAG_LEN];
      size_t left = len - cut - header_len;

      memcpy (copy, datagram, len);
      if (shape->has_length)
        {
          keyed_drops (keyed, copy, len - cut, DTLS_DROP_LENGTH);
          copy[header_len - 1] = (uint8_t) left;
        }
      keyed_drops (keyed, copy, len - cut, left < 16 ? DTLS_DROP_LENGTH : DTLS_DROP_AUTHENTICATION);
    }
}

static void
check_cut (struct keyed *keyed, size_t overhead)
{
  size_t least = keyed_record_len (keyed, overhead, 0) - overhead + 1;

  memset (data, 'x', MAX_SHORT_LEN);
  for (size_t i = 0; i < TAP_N (shapes); i++)
    for (size_t inner_len = least; inner_len <= MAX_SHORT_LEN; inner_len++)
      check_cut_shape (keyed, &shapes[i], inner_len);
}

static void
record_cut_short_drops_silently (void)
{
  keyed_run_form (RECORD_FORM_13, check_cut);
}

/* Each bit of a genuine record. What the header becomes decides how it fails. */
static void
check_flips (struct keyed *keyed, size_t overhead)
{
  (void) overhead;
  for (size_t i = 0; i < TAP_N (shapes); i++)
    {
      size_t len = make_some (keyed, &shapes[i], 100);

      tap_set_row (shapes[i].row);
      for (size_t bit = 0; bit < 8 * len; bit++)
        {
          struct epoch_read before = keyed->read;
          uint8_t copy[MAX_SHORT_LEN];
          enum dtls_drop drop;

          memcpy (copy, datagram, len);
          copy[bit / 8] ^= (uint8_t) (1 << bit % 8);
          drop = keyed_open (keyed, copy, len, &(struct opened){ 0 });
          CHECK (drop != DTLS_DROP_NONE && drop != DTLS_DROP_CONTENT);
          /* The header's first byte and its length decide what is opened at all. */
          CHECK (bit / 8 == 0 || drop == DTLS_DROP_AUTHENTICATION
                 || (shapes[i].has_length && drop == DTLS_DROP_LENGTH));
          CHECK_UINT (keyed->read.n_forged, before.n_forged + (drop == DTLS_DROP_AUTHENTICATION));
          before.n_forged = keyed->read.n_forged;
          CHECK (memcmp (&keyed->read, &before, sizeof before) == 0);
        }
    }

  CHECK_UINT (open_copy (keyed, make_some (keyed, &shapes[0], 100), &(struct opened){ 0 }),
              DTLS_DROP_NONE);
}

static void
every_bit_is_authenticated (void)
{
  keyed_run_form (RECORD_FORM_13, check_flips);
}

static void
check_replay (struct keyed *keyed, size_t overhead)
{
  static const struct
  {
    const char *row;
    size_t shape;
    uint64_t number;
    enum dtls_drop expected;
  } steps[] = {
    { "the first", 0, 0, DTLS_DROP_NONE },
    { "again", 0, 0, DTLS_DROP_REPLAY },
    { "again, with another header", 3, 0, DTLS_DROP_REPLAY },
    { "out of order", 1, 5, DTLS_DROP_NONE },
    { "in between", 2, 3, DTLS_DROP_NONE },
    { "in between again", 0, 3, DTLS_DROP_REPLAY },
    { "a window on", 0, 260, DTLS_DROP_NONE },
    { "its left edge was there", 0, 5, DTLS_DROP_REPLAY },
    { "left of the edge, never there", 0, 4, DTLS_DROP_REPLAY },
    { "right of the edge", 0, 6, DTLS_DROP_NONE },
    { "far on", 2, 30000, DTLS_DROP_NONE },
    { "again", 3, 30000, DTLS_DROP_REPLAY },
    { "long gone", 0, 261, DTLS_DROP_REPLAY },
  };

  (void) overhead;
  for (size_t i = 0; i < TAP_N (steps); i++)
    {
      size_t len = make_some (keyed, &shapes[steps[i].shape], steps[i].number);

      tap_set_row (steps[i].row);
      if (steps[i].expected == DTLS_DROP_NONE)
        CHECK_UINT (keyed_open (keyed, datagram, len, &(struct opened){ 0 }), DTLS_DROP_NONE);
      else
        keyed_drops (keyed, datagram, len, steps[i].expected);
    }
  /* A replay is no forgery. */
  CHECK_UINT (keyed->read.n_forged, 0);
}

static void
replay_drops_silently (void)
{
  keyed_run_form (RECORD_FORM_13, check_replay);
}

static void
check_forged_high (struct keyed *keyed, size_t overhead)
{
  static const uint64_t forged[] = { 1, 255, 256, 1000, 65535 };

  (void) overhead;
  for (size_t i = 0; i < TAP_N (forged); i++)
    {
      size_t len = make_some (keyed, &shapes[0], forged[i]);

      datagram[len - 1] ^= 1;
      keyed_drops (keyed, datagram, len, DTLS_DROP_AUTHENTICATION);
    }
  CHECK_UINT (keyed->read.n_forged, TAP_N (forged));

  CHECK_UINT (keyed_open (keyed, datagram, make_some (keyed, &shapes[3], 0), &(struct opened){ 0 }),
              DTLS_DROP_NONE);
}

static void
forged_high_number_moves_nothing (void)
{
  keyed_run_form (RECORD_FORM_13, check_forged_high);
}

/* Also when its epoch is the right one. */
static void
other_form_is_no_forgery (void)
{
  struct keyed *old = keyed_new (RECORD_FORM_12, AEAD_AES_128_GCM);
  struct keyed *new = keyed_new (RECORD_FORM_13, AEAD_AES_128_GCM);
  struct epoch_read plain;
  struct record record;
  uint8_t *at = new->room;
  size_t left;

  old->write.number = new->read.number;
  keyed_seal_number (old, 0, TAP_STRING ("1.2"));
  keyed_drops (new, old->room, old->out.used, DTLS_DROP_HEADER);

  new->write.number = old->read.number;
  keyed_seal_number (new, 0, TAP_STRING ("1.3"));
  keyed_drops (old, new->room, new->out.used, DTLS_DROP_HEADER);

  epoch_read_init_plain (&plain);
  left = new->out.used;
  CHECK_UINT (record_split (&at, &left, &record), DTLS_DROP_NONE);
  CHECK_UINT (record_open (&plain, &record, &(struct opened){ 0 }), DTLS_DROP_HEADER);

  /* In the clear, too. */
  epoch_write_clear (&old->write);
  epoch_write_init_plain (&old->write, 0);
  keyed_seal_number (old, 0, TAP_STRING ("clear"));
  keyed_drops (new, old->room, old->out.used, DTLS_DROP_HEADER);
  keyed_free (old);
  keyed_free (new);
}

/* An epoch whose keys are others, and whose two bits are the same, leaves the header alone. */
static void
check_second_attempt (struct keyed *keyed, size_t overhead)
{
  struct epoch_keys other_keys = keyed->read.keys;
  struct epoch_read other;
  uint8_t ciphertext[MAX_SHORT_LEN];
  struct record record;
  struct opened opened = { 0 };
  uint8_t *at = datagram;
  size_t left = make_some (keyed, &shapes[0], 9);

  (void) overhead;
  other_keys.key[0] ^= 1;
  other_keys.number_key[0] ^= 1;
  if (!CHECK (epoch_read_init (&other, keyed->crypto, KEYED_EPOCH_13 + 4, &other_keys)))
    return;
  CHECK_UINT (record_split (&at, &left, &record), DTLS_DROP_NONE);
  memcpy (ciphertext, record.body, record.len);
  CHECK_UINT (record_open (&other, &record, &opened), DTLS_DROP_AUTHENTICATION);
  memcpy (record.body, ciphertext, record.len);
  CHECK_UINT (record_open (&keyed->read, &record, &opened), DTLS_DROP_NONE);
  CHECK_UINT (opened.number, 9);
  epoch_read_clear (&other);
}

static void
header_stays_as_it_came (void)
{
  keyed_run_form (RECORD_FORM_13, check_second_attempt);
}

static const struct tap_test tests[] = {
  { "/record/open-13-drops/bad-header-ends-the-datagram", bad_header_ends_the_datagram },
  { "/record/open-13-drops/record-without-a-length-takes-the-rest",
    record_without_a_length_takes_the_rest },
  { "/record/open-13-drops/every-short-length-drops-silently", every_short_length_drops_silently },
  { "/record/open-13-drops/record-cut-short-drops-silently", record_cut_short_drops_silently },
  { "/record/open-13-drops/every-bit-is-authenticated", every_bit_is_authenticated },
  { "/record/open-13-drops/replay-drops-silently", replay_drops_silently },
  { "/record/open-13-drops/forged-high-number-moves-nothing", forged_high_number_moves_nothing },
  { "/record/open-13-drops/other-form-is-no-forgery", other_form_is_no_forgery },
  { "/record/open-13-drops/header-stays-as-it-came", header_stays_as_it_came },
};

TAP_MAIN (tests)
