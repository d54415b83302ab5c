/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* flight/outbox: pieces for any room, and transmissions that begin anew wherever the last one broke
 * off. */

#include "random.h"
#include "tap.h"
#include "flight/outbox.h"

#include <stdlib.h>

enum
{
  MIN_ROOM = FRAGMENT_HEADER_LEN + 1,
  MAX_ROOM = 2000,
  N_ENTRIES = 7,
};

/* A flight as long as a server's with a chain; a length of -1 is a ChangeCipherSpec. */
static const struct
{
  uint16_t epoch;
  uint8_t type;
  int len;
} entries[N_ENTRIES] = {
  { 0, 2, 90 }, { 0, 11, 3000 }, { 0, 12, 333 }, { 0, 14, 0 },
  { 0, 0, -1 }, { 1, 20, 12 },   { 1, 4, 1 },
};

enum
{
  FIRST_SEQ = 65530, /* the flight ends with the largest number */
};

static const uint8_t *
body_of (size_t entry)
{
  static uint8_t bodies[N_ENTRIES][3000];
  static bool is_filled;
  uint64_t seed = 0;

  for (size_t i = 0; !is_filled && i < N_ENTRIES; i++)
    for (size_t j = 0; j < sizeof bodies[i]; j++)
      bodies[i][j] = (uint8_t) random_next (&seed);
  is_filled = true;

  return bodies[entry];
}

static uint16_t
seq_of (size_t entry)
{
  return (uint16_t) (FIRST_SEQ + entry - (entry > 4));
}

static struct outbox *
empty_outbox (void)
{
  struct outbox *outbox = outbox_new ();

  if (outbox == NULL)
    abort ();
  return outbox;
}

static void
add_entry (struct outbox *outbox, size_t entry)
{
  uint8_t *copy;

  if (entries[entry].len < 0)
    {
      CHECK (outbox_add_change_cipher_spec (outbox, entries[entry].epoch));
      return;
    }

  /* The outbox must not need it any more. */
  copy = malloc (3000);
  if (copy == NULL)
    abort ();
  memcpy (copy, body_of (entry), 3000);
  CHECK (outbox_add_message (outbox, entries[entry].epoch,
                             &(struct message){ entries[entry].type,
                                                seq_of (entry),
                                                { copy, (size_t) entries[entry].len } }));
  memset (copy, 0, 3000);
  free (copy);
}

static struct outbox *
full_outbox (void)
{
  struct outbox *outbox = empty_outbox ();

  for (size_t i = 0; i < N_ENTRIES; i++)
    add_entry (outbox, i);
  return outbox;
}

/* Where a transmission is to be. */
struct place
{
  size_t entry;
  uint32_t offset;
};

/* Whether the piece is the one that must come at `place`, no longer than `room`, and moves on. */
static bool
piece_follows (const struct outbox_piece *piece, size_t room, struct place *place)
{
  size_t entry = place->entry;
  const struct fragment *fragment = &piece->fragment;
  uint32_t len = (uint32_t) entries[entry].len;
  size_t left;

  if (piece->epoch != entries[entry].epoch
      || piece->is_change_cipher_spec != (entries[entry].len < 0))
    return false;
  if (piece->is_change_cipher_spec)
    {
      place->entry++;
      return true;
    }

  left = len - place->offset;
  if (fragment->type != entries[entry].type || fragment->message_len != len
      || fragment->message_seq != seq_of (entry) || fragment->offset != place->offset
      || fragment->body.left
             != (left < room - FRAGMENT_HEADER_LEN ? left : room - FRAGMENT_HEADER_LEN)
      || !bytes_equal (fragment->body,
                       (struct bytes){ body_of (entry) + place->offset, fragment->body.left }))
    return false;

  place->offset += (uint32_t) fragment->body.left;
  if (place->offset == len)
    *place = (struct place){ entry + 1, 0 };
  return true;
}

/* Sends at most `n_pieces`; how many there were. */
static size_t
transmit (struct outbox *outbox, size_t room, size_t n_pieces)
{
  struct outbox_piece piece;
  struct place place = { 0, 0 };
  uint16_t epoch;
  size_t n = 0;

  while (n < n_pieces && outbox_has_more (outbox, &epoch))
    {
      if (!CHECK_UINT (epoch, entries[place.entry].epoch)
          || !CHECK (outbox_next (outbox, room, &piece))
          || !CHECK (piece_follows (&piece, room, &place)))
        break;
      n++;
    }
  if (n < n_pieces)
    CHECK_UINT (place.entry, N_ENTRIES);

  return n;
}

static void
flight_fits_any_room (void)
{
  struct outbox *outbox = full_outbox ();
  struct outbox_piece piece;

  for (size_t room = MIN_ROOM; room <= MAX_ROOM; room++)
    {
      outbox_rewind (outbox);
      transmit (outbox, room, SIZE_MAX);
      CHECK (!outbox_next (outbox, room, &piece));
    }

  outbox_rewind (outbox);
  CHECK_UINT (transmit (outbox, SIZE_MAX, SIZE_MAX), N_ENTRIES);
  outbox_free (outbox);
}

static void
transmission_begins_anew_wherever_the_last_broke_off (void)
{
  static const size_t rooms[] = { 13, 14, 100, 345, 346, 1200, 1400, 2000, 3012 };
  struct outbox *outbox = full_outbox ();

  for (size_t first = 0; first < TAP_N (rooms); first++)
    for (size_t second = 0; second < TAP_N (rooms); second++)
      for (size_t n = 0; n < 300; n++)
        {
          outbox_rewind (outbox);
          if (transmit (outbox, rooms[first], n) < n)
            break;
          outbox_rewind (outbox);
          transmit (outbox, rooms[second], SIZE_MAX);
        }

  outbox_free (outbox);
}

/* The room may change from piece to piece: the rest of a datagram, a new path MTU. */
static void
room_may_change_within_a_message (void)
{
  struct outbox *outbox = full_outbox ();

  for (uint64_t seed = 0; seed < 1000; seed++)
    {
      struct place place = { 0, 0 };
      uint64_t state = seed;

      outbox_rewind (outbox);
      while (place.entry < N_ENTRIES)
        {
          size_t room = 1 + random_below (&state, 800);
          struct outbox_piece piece;

          if (outbox_next (outbox, room, &piece) && !CHECK (piece_follows (&piece, room, &place)))
            break;
        }
    }

  outbox_free (outbox);
}

static void
too_little_room_takes_nothing (void)
{
  static const struct
  {
    const char *row;
    size_t entry;
    size_t room; /* not enough; one more is */
  } rows[] = {
    { "a message", 0, FRAGMENT_HEADER_LEN },
    { "an empty message", 3, FRAGMENT_HEADER_LEN - 1 },
    { "a ChangeCipherSpec", 4, 0 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct outbox *outbox = empty_outbox ();
      struct place place = { rows[i].entry, 0 };
      struct outbox_piece piece;
      uint16_t epoch;

      tap_set_row (rows[i].row);
      add_entry (outbox, rows[i].entry);
      for (size_t room = 0; room <= rows[i].room; room++)
        CHECK (!outbox_next (outbox, room, &piece));
      CHECK (outbox_has_more (outbox, &epoch));
      CHECK (outbox_next (outbox, rows[i].room + 1, &piece));
      CHECK (piece_follows (&piece, rows[i].room + 1, &place));
      outbox_free (outbox);
    }
}

static void
messages_added_later_follow_on (void)
{
  struct outbox *outbox = empty_outbox ();
  struct place place = { 0, 0 };
  struct outbox_piece piece;
  uint16_t epoch;

  for (size_t i = 0; i < N_ENTRIES; i++)
    {
      CHECK (!outbox_has_more (outbox, &epoch));
      add_entry (outbox, i);
      CHECK (outbox_has_more (outbox, &epoch));
      while (outbox_next (outbox, 200, &piece))
        if (!CHECK (piece_follows (&piece, 200, &place)))
          break;
      CHECK_UINT (place.entry, i + 1);
    }

  outbox_free (outbox);
}

static void
cleared_flight_is_gone (void)
{
  struct outbox *outbox = full_outbox ();
  struct outbox_piece piece;
  uint16_t epoch;

  CHECK (!outbox_is_empty (outbox));
  CHECK (outbox_needs_epoch (outbox, 0));
  CHECK (outbox_needs_epoch (outbox, 1));
  CHECK (!outbox_needs_epoch (outbox, 2));

  transmit (outbox, 100, 5);
  outbox_clear (outbox);
  CHECK (outbox_is_empty (outbox));
  CHECK (!outbox_needs_epoch (outbox, 0));
  CHECK (!outbox_has_more (outbox, &epoch));
  CHECK (!outbox_next (outbox, SIZE_MAX, &piece));

  /* The next flight starts from its beginning, wherever the last one was. */
  for (size_t i = 0; i < N_ENTRIES; i++)
    add_entry (outbox, i);
  transmit (outbox, 100, SIZE_MAX);
  outbox_free (outbox);
  outbox_free (NULL);
}

static void
message_longer_than_its_length_field_is_refused (void)
{
  struct outbox *outbox = empty_outbox ();
  struct message message = { 11, 0, { body_of (1), 1 << 24 } };

  CHECK (!outbox_add_message (outbox, 0, &message));
  CHECK (outbox_is_empty (outbox));
  outbox_free (outbox);
}

static const struct tap_test tests[] = {
  { "/flight/outbox/flight-fits-any-room", flight_fits_any_room },
  { "/flight/outbox/transmission-begins-anew-wherever-the-last-broke-off",
    transmission_begins_anew_wherever_the_last_broke_off },
  { "/flight/outbox/room-may-change-within-a-message", room_may_change_within_a_message },
  { "/flight/outbox/too-little-room-takes-nothing", too_little_room_takes_nothing },
  { "/flight/outbox/messages-added-later-follow-on", messages_added_later_follow_on },
  { "/flight/outbox/cleared-flight-is-gone", cleared_flight_is_gone },
  { "/flight/outbox/message-longer-than-its-length-field-is-refused",
    message_longer_than_its_length_field_is_refused },
};

TAP_MAIN (tests)
