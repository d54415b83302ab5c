/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* flight/outbox: what the peer has acknowledged is not sent again, and all else is. */

#include "entries.h"

/* The flight of the tables: four messages and a ChangeCipherSpec. In records of one piece of at
 * most five bytes, these are record 0 "0:0+5", 1 "0:5+5", 2 "1:0+0", 3 "2:0+5", 4 "2:5+5",
 * 5 "2:10+3", 6 the ChangeCipherSpec, 7 "4:0+1". */
static struct outbox *
small_flight (void)
{
  struct outbox *outbox = empty_outbox ();

  add_entry (outbox, 0, 0, 10);
  add_entry (outbox, 1, 2, 0);
  add_entry (outbox, 2, 2, 13);
  add_entry (outbox, 3, 2, CHANGE_CIPHER_SPEC);
  add_entry (outbox, 4, 3, 1);
  return outbox;
}

static void
note_piece (struct outbox *outbox, const struct outbox_piece *piece, uint64_t number)
{
  outbox_note_sent (outbox,
                    &(struct sent_record){ piece->epoch, number, piece->begin, piece->end });
}

/* Sends at most `n_pieces` of at most `body_room` bytes in a record each, numbered from `number`
 * on; says which: message, offset and length, or "ccs". */
static const char *
transmit (struct outbox *outbox, size_t body_room, size_t n_pieces, uint64_t number)
{
  static char text[4096];
  struct outbox_piece piece;
  size_t used = 0;
  uint16_t epoch;

  text[0] = '\0';
  for (size_t i = 0; i < n_pieces && outbox_has_more (outbox, &epoch); i++)
    {
      const struct fragment *fragment = &piece.fragment;

      if (!CHECK (outbox_next (outbox, FRAGMENT_HEADER_LEN + body_room, &piece)))
        break;
      CHECK_UINT (piece.epoch, epoch);
      CHECK (piece.begin < piece.end);
      note_piece (outbox, &piece, number + i);

      used +=
          (size_t) (piece.is_change_cipher_spec
                        ? snprintf (text + used, sizeof text - used, "ccs ")
                        : snprintf (text + used, sizeof text - used, "%u:%u+%zu ",
                                    fragment->message_seq, fragment->offset, fragment->body.left));
      for (size_t j = 0; !piece.is_change_cipher_spec && j < fragment->body.left; j++)
        CHECK_UINT (fragment->body.at[j], body_byte (fragment->message_seq, fragment->offset + j));
    }

  return text;
}

/* The epoch of the small flight's record. */
static uint16_t
epoch_of (uint64_t number)
{
  static const uint16_t epochs[] = { 0, 0, 2, 2, 2, 2, 2, 3 };

  return epochs[number];
}

static void
only_holes_are_sent_again (void)
{
  static const struct
  {
    const char *row;
    unsigned acknowledged; /* a bit for each record */
    size_t body_room;
    const char *expected;
  } rows[] = {
    { "nothing", 0x00, 5, "0:0+5 0:5+5 1:0+0 2:0+5 2:5+5 2:10+3 ccs 4:0+1 " },
    { "nothing, in one piece each", 0x00, 100, "0:0+10 1:0+0 2:0+13 ccs 4:0+1 " },
    { "the first record", 0x01, 100, "0:5+5 1:0+0 2:0+13 ccs 4:0+1 " },
    { "the second", 0x02, 100, "0:0+5 1:0+0 2:0+13 ccs 4:0+1 " },
    { "a whole message", 0x03, 100, "1:0+0 2:0+13 ccs 4:0+1 " },
    { "an empty message", 0x04, 100, "0:0+10 2:0+13 ccs 4:0+1 " },
    { "a hole at a message's end and one at the next one's beginning", 0x35, 100,
      "0:5+5 2:0+5 ccs 4:0+1 " },
    { "a hole in the middle", 0x28, 100, "0:0+10 1:0+0 2:5+5 ccs 4:0+1 " },
    { "a hole larger than the room", 0x20, 4,
      "0:0+4 0:4+4 0:8+2 1:0+0 2:0+4 2:4+4 2:8+2 ccs 4:0+1 " },
    { "two holes in a message", 0x10, 100, "0:0+10 1:0+0 2:0+5 2:10+3 ccs 4:0+1 " },
    { "the ChangeCipherSpec", 0x40, 100, "0:0+10 1:0+0 2:0+13 4:0+1 " },
    { "the last", 0x80, 100, "0:0+10 1:0+0 2:0+13 ccs " },
    { "all but the empty message", 0xfb, 100, "1:0+0 " },
    { "all but the ChangeCipherSpec", 0xbf, 100, "ccs " },
    { "all but the last", 0x7f, 100, "4:0+1 " },
    { "all", 0xff, 100, "" },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    for (unsigned turn = 0; turn < 8; turn++)
      {
        struct outbox *outbox = small_flight ();

        tap_set_row (rows[i].row);
        transmit (outbox, 5, SIZE_MAX, 0);
        for (unsigned n = 0; n < 8; n++)
          {
            unsigned number = (turn & 1) != 0 ? 7 - n : (n * 3 + turn) % 8; /* in any order */

            if ((rows[i].acknowledged >> number & 1) != 0)
              CHECK (outbox_acknowledge (outbox, epoch_of (number), number));
          }

        CHECK_UINT (outbox_is_acknowledged (outbox), rows[i].acknowledged == 0xff);
        for (unsigned again = 0; again < 2; again++)
          {
            outbox_rewind (outbox);
            CHECK_TEXT (transmit (outbox, rows[i].body_room, SIZE_MAX, 100), rows[i].expected);
          }
        CHECK (!outbox_is_empty (outbox));
        outbox_free (outbox);
      }
}

static void
epochs_are_needed_for_what_is_not_acknowledged (void)
{
  static const struct
  {
    const char *row;
    unsigned acknowledged;
    bool needs_0, needs_2, needs_3;
  } rows[] = {
    { "nothing", 0x00, true, true, true },
    { "half of what is in epoch 0", 0x02, true, true, true },
    { "epoch 0", 0x03, false, true, true },
    { "epoch 2 but for the empty message", 0x78, true, true, true },
    { "epoch 2 but for the ChangeCipherSpec", 0x3c, true, true, true },
    { "epoch 2", 0x7c, true, false, true },
    { "epoch 3", 0x80, true, true, false },
    { "all", 0xff, false, false, false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct outbox *outbox = small_flight ();

      tap_set_row (rows[i].row);
      transmit (outbox, 5, SIZE_MAX, 0);
      for (unsigned number = 0; number < 8; number++)
        if ((rows[i].acknowledged >> number & 1) != 0)
          CHECK (outbox_acknowledge (outbox, epoch_of (number), number));

      CHECK_UINT (outbox_needs_epoch (outbox, 0), rows[i].needs_0);
      CHECK (!outbox_needs_epoch (outbox, 1));
      CHECK_UINT (outbox_needs_epoch (outbox, 2), rows[i].needs_2);
      CHECK_UINT (outbox_needs_epoch (outbox, 3), rows[i].needs_3);
      outbox_free (outbox);
    }
}

static void
what_is_known_is_no_news (void)
{
  struct outbox *outbox = small_flight ();

  CHECK (!outbox_acknowledge (outbox, 0, 0)); /* nothing was sent */
  transmit (outbox, 5, SIZE_MAX, 0);
  CHECK (!outbox_acknowledge (outbox, 0, 2));
  CHECK (!outbox_acknowledge (outbox, 2, 0));
  CHECK (!outbox_acknowledge (outbox, 2, 8));
  CHECK (!outbox_acknowledge (outbox, 65535, UINT64_MAX));

  CHECK (outbox_acknowledge (outbox, 0, 1));
  CHECK (!outbox_acknowledge (outbox, 0, 1));

  /* Record 101 says only what record 0 said. */
  outbox_rewind (outbox);
  CHECK_TEXT (transmit (outbox, 2, 3, 100), "0:0+2 0:2+2 0:4+1 ");
  CHECK (outbox_acknowledge (outbox, 0, 0));
  CHECK (!outbox_acknowledge (outbox, 0, 101));
  outbox_free (outbox);
}

/* Records of an earlier transmission count as those of the last one do. */
static void
records_of_every_transmission_count (void)
{
  struct outbox *outbox = small_flight ();

  transmit (outbox, 5, SIZE_MAX, 0);
  outbox_rewind (outbox);
  transmit (outbox, 3, SIZE_MAX, 100);
  CHECK (outbox_acknowledge (outbox, 0, 1));   /* 5 to 10 */
  CHECK (outbox_acknowledge (outbox, 0, 100)); /* 0 to 3 */
  outbox_rewind (outbox);
  CHECK_TEXT (transmit (outbox, 100, 1, 200), "0:3+2 ");
  CHECK (outbox_acknowledge (outbox, 0, 101)); /* 3 to 6 */
  CHECK (!outbox_acknowledge (outbox, 0, 200));
  outbox_free (outbox);
}

static void
record_with_several_pieces_counts_for_all_of_them (void)
{
  struct outbox *outbox = small_flight ();
  struct outbox_piece first;
  struct outbox_piece last = { 0 };
  uint16_t epoch;

  transmit (outbox, 5, SIZE_MAX, 0);
  CHECK (outbox_acknowledge (outbox, 2, 4));

  /* What is left of epoch 2, on both sides of what was acknowledged, in one record. */
  outbox_rewind (outbox);
  transmit (outbox, 100, 1, 100);
  CHECK (outbox_next (outbox, 100, &first));
  while (outbox_has_more (outbox, &epoch) && epoch == 2)
    CHECK (outbox_next (outbox, 100, &last));
  outbox_note_sent (outbox, &(struct sent_record){ 2, 0, first.begin, last.end });

  CHECK (outbox_acknowledge (outbox, 2, 0));
  outbox_rewind (outbox);
  CHECK_TEXT (transmit (outbox, 100, SIZE_MAX, 200), "0:0+10 4:0+1 ");
  outbox_free (outbox);
}

static void
transmission_goes_on_behind_what_is_acknowledged (void)
{
  static const struct
  {
    const char *row;
    size_t n_before; /* pieces sent again when the acknowledgement comes */
    unsigned acknowledged;
    const char *expected; /* of the transmission's rest */
  } rows[] = {
    { "nothing new", 2, 0x00, "0:8+2 1:0+0 2:0+4 2:4+4 2:8+4 2:12+1 ccs 4:0+1 " },
    { "what was sent", 2, 0x01, "0:8+2 1:0+0 2:0+4 2:4+4 2:8+4 2:12+1 ccs 4:0+1 " },
    { "what is next", 2, 0x02, "1:0+0 2:0+4 2:4+4 2:8+4 2:12+1 ccs 4:0+1 " },
    { "what is further on", 2, 0x10, "0:8+2 1:0+0 2:0+4 2:4+1 2:10+3 ccs 4:0+1 " },
    { "a message and the empty one behind it", 1, 0x07, "2:0+4 2:4+4 2:8+4 2:12+1 ccs 4:0+1 " },
    { "the rest", 2, 0xfe, "" },
    { "what came before", 8, 0x7f, "4:0+1 " },
    { "all when all is sent", 9, 0xff, "" },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct outbox *outbox = small_flight ();
      uint16_t epoch;

      tap_set_row (rows[i].row);
      transmit (outbox, 5, SIZE_MAX, 0);
      outbox_rewind (outbox);
      transmit (outbox, 4, rows[i].n_before, 100);
      for (unsigned number = 0; number < 8; number++)
        if ((rows[i].acknowledged >> number & 1) != 0)
          CHECK (outbox_acknowledge (outbox, epoch_of (number), number));
      CHECK_TEXT (transmit (outbox, 4, SIZE_MAX, 200), rows[i].expected);
      CHECK (!outbox_has_more (outbox, &epoch));
      outbox_free (outbox);
    }
}

static void
messages_added_to_an_acknowledged_flight_are_sent (void)
{
  struct outbox *outbox = empty_outbox ();
  uint16_t epoch;

  CHECK (outbox_is_acknowledged (outbox));
  add_entry (outbox, 0, 3, 10);
  CHECK (!outbox_is_acknowledged (outbox));
  transmit (outbox, 100, SIZE_MAX, 0);
  CHECK (!outbox_is_acknowledged (outbox));
  CHECK (outbox_acknowledge (outbox, 3, 0));
  CHECK (outbox_is_acknowledged (outbox));
  outbox_rewind (outbox);
  CHECK (!outbox_has_more (outbox, &epoch));

  add_entry (outbox, 1, 4, 10);
  CHECK (!outbox_is_acknowledged (outbox));
  CHECK (outbox_has_more (outbox, &epoch));
  CHECK_UINT (epoch, 4);
  CHECK_TEXT (transmit (outbox, 100, SIZE_MAX, 1), "1:0+10 ");
  CHECK (outbox_acknowledge (outbox, 4, 1));
  CHECK (outbox_is_acknowledged (outbox));
  outbox_free (outbox);
}

static void
newest_records_are_remembered (void)
{
  struct outbox *outbox = empty_outbox ();

  add_entry (outbox, 0, 2, MAX_SENT_RECORDS + 2);
  transmit (outbox, 1, SIZE_MAX, 0);

  CHECK (!outbox_acknowledge (outbox, 2, 0));
  CHECK (!outbox_acknowledge (outbox, 2, 1));
  for (uint64_t number = 2; number < MAX_SENT_RECORDS + 2; number++)
    CHECK (outbox_acknowledge (outbox, 2, number));
  outbox_rewind (outbox);
  CHECK_TEXT (transmit (outbox, 100, SIZE_MAX, 100), "0:0+2 ");
  outbox_free (outbox);
}

static void
cleared_flight_is_not_acknowledged (void)
{
  struct outbox *outbox = small_flight ();

  transmit (outbox, 5, SIZE_MAX, 0);
  CHECK (outbox_acknowledge (outbox, 0, 0));
  outbox_clear (outbox);
  CHECK (outbox_is_acknowledged (outbox));
  CHECK (!outbox_acknowledge (outbox, 0, 1));

  /* Neither what was acknowledged nor the records of the last flight are the next one's. */
  add_entry (outbox, 5, 2, 13);
  CHECK (!outbox_acknowledge (outbox, 0, 1));
  CHECK (!outbox_is_acknowledged (outbox));
  CHECK_TEXT (transmit (outbox, 100, SIZE_MAX, 100), "5:0+13 ");
  CHECK (outbox_acknowledge (outbox, 2, 100));
  CHECK (outbox_is_acknowledged (outbox));
  outbox_free (outbox);
}

/* A peer that acknowledges every other record of the smallest size. */
static void
holes_are_bounded (void)
{
  enum
  {
    LEN = 3 * MAX_ACKNOWLEDGED_RANGES,
  };

  struct outbox *outbox = empty_outbox ();
  struct outbox_piece piece;

  add_entry (outbox, 0, 2, LEN);
  for (uint64_t number = 0; outbox_next (outbox, FRAGMENT_HEADER_LEN + 1, &piece); number++)
    {
      note_piece (outbox, &piece, number);
      if (number % 2 == 0)
        CHECK_UINT (outbox_acknowledge (outbox, 2, number),
                    number < (uint64_t) 2 * MAX_ACKNOWLEDGED_RANGES);
    }

  /* What grows or joins a range has room: 126 is the last that was taken in. */
  CHECK (outbox_acknowledge (outbox, 2, LEN - 1) == false);
  outbox_rewind (outbox);
  CHECK_TEXT (transmit (outbox, 1, 2, LEN), "0:1+1 0:3+1 ");
  CHECK (outbox_acknowledge (outbox, 2, LEN));
  CHECK (outbox_acknowledge (outbox, 2, LEN - 1));
  CHECK (!outbox_acknowledge (outbox, 2, LEN - 3));
  CHECK (outbox_acknowledge (outbox, 2, LEN - 2));
  outbox_rewind (outbox);
  CHECK_TEXT (transmit (outbox, 1, 2, 2 * LEN), "0:3+1 0:5+1 ");
  outbox_free (outbox);
}

static const struct tap_test tests[] = {
  { "/flight/outbox/only-holes-are-sent-again", only_holes_are_sent_again },
  { "/flight/outbox/epochs-are-needed-for-what-is-not-acknowledged",
    epochs_are_needed_for_what_is_not_acknowledged },
  { "/flight/outbox/what-is-known-is-no-news", what_is_known_is_no_news },
  { "/flight/outbox/records-of-every-transmission-count", records_of_every_transmission_count },
  { "/flight/outbox/record-with-several-pieces-counts-for-all-of-them",
    record_with_several_pieces_counts_for_all_of_them },
  { "/flight/outbox/transmission-goes-on-behind-what-is-acknowledged",
    transmission_goes_on_behind_what_is_acknowledged },
  { "/flight/outbox/messages-added-to-an-acknowledged-flight-are-sent",
    messages_added_to_an_acknowledged_flight_are_sent },
  { "/flight/outbox/newest-records-are-remembered", newest_records_are_remembered },
  { "/flight/outbox/cleared-flight-is-not-acknowledged", cleared_flight_is_not_acknowledged },
  { "/flight/outbox/holes-are-bounded", holes_are_bounded },
};

TAP_MAIN (tests)
