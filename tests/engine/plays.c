/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The plays that rows of mischief are made of. */

#include "mischief.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------- order */

static void
move_numbers (struct puppet *puppet, size_t from, int by)
{
  for (size_t i = from; i < puppet->n_pieces; i++)
    if (puppet->pieces[i].content_type == CONTENT_HANDSHAKE)
      puppet->pieces[i].seq = (uint16_t) (puppet->pieces[i].seq + by);
  puppet->handshake->next_send_seq = (uint16_t) (puppet->handshake->next_send_seq + by);
}

static struct piece *
copy_behind (struct puppet *puppet, size_t at)
{
  struct piece *copy = puppet_add (puppet, at + 1);
  struct bytes body = { puppet->pieces[at].body, puppet->pieces[at].len };

  *copy = puppet->pieces[at];
  copy->body = NULL;
  piece_set_body (copy, body);
  return copy;
}

void
play_skip (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  (void) mischief;
  free (puppet->pieces[at].body);
  puppet->n_pieces--;
  memmove (&puppet->pieces[at], &puppet->pieces[at + 1],
           (puppet->n_pieces - at) * sizeof puppet->pieces[0]);
}

void
play_omit (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  play_skip (puppet, at, mischief);
  move_numbers (puppet, at, -1);
}

void
play_repeat (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  (void) mischief;
  copy_behind (puppet, at);
}

void
play_twice (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  (void) mischief;
  copy_behind (puppet, at);
  move_numbers (puppet, at + 1, 1);
}

void
play_reorder (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece first = puppet->pieces[at];

  (void) mischief;
  if (at + 1 == puppet->n_pieces)
    abort ();
  puppet->pieces[at] = puppet->pieces[at + 1];
  puppet->pieces[at + 1] = first;
}

void
play_swap (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  uint16_t seq = puppet->pieces[at].seq;

  play_reorder (puppet, at, mischief);
  puppet->pieces[at + 1].seq = puppet->pieces[at].seq;
  puppet->pieces[at].seq = seq;
}

void
play_renumber (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  move_numbers (puppet, at, (int) mischief->number);
}

/* ---------------------------------------------------------------------------------- more than there should be */

static void
insert_message (struct puppet *puppet, size_t at, const struct piece *like,
                const struct mischief *mischief)
{
  uint16_t seq = like->seq;
  uint16_t epoch = like->epoch;
  struct piece *piece;

  /* A ChangeCipherSpec has no number: the next message behind it has the one that is due. */
  for (size_t i = at; like->content_type != CONTENT_HANDSHAKE && i < puppet->n_pieces; i++)
    if (puppet->pieces[i].content_type == CONTENT_HANDSHAKE)
      {
        seq = puppet->pieces[i].seq;
        break;
      }

  piece = puppet_add (puppet, at);
  piece->type = (uint8_t) mischief->number;
  piece->seq = seq;
  piece->epoch = epoch;
  piece_set_body (piece, mischief->bytes);
  move_numbers (puppet, at + 1, 1);
}

void
play_insert (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece like = puppet->pieces[at];

  insert_message (puppet, at, &like, mischief);
}

void
play_append (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece like = puppet->pieces[at];

  like.seq++;
  insert_message (puppet, at + 1, &like, mischief);
}

static void
add_record (struct puppet *puppet, size_t at, uint16_t epoch, const struct mischief *mischief)
{
  struct piece *piece = puppet_add (puppet, at);

  piece->content_type = (uint8_t) mischief->number;
  piece->type = INPUT_OUR_TURN; /* no message */
  piece->is_raw = true;
  piece->epoch = epoch;
  piece_set_body (piece, mischief->bytes);
}

void
play_record (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  add_record (puppet, at, 0, mischief);
}

void
play_sealed_record (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  add_record (puppet, at + 1, 1, mischief);
}

void
play_trailing (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = puppet_add (puppet, at + 1);

  piece->type = INPUT_OUR_TURN;
  piece->is_raw = true;
  piece->shares_record = true;
  piece->epoch = puppet->pieces[at].epoch;
  piece_set_body (piece, mischief->bytes);
}

/* ---------------------------------------------------------------------------------- epochs */

void
play_epoch (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  puppet->pieces[at].announced_epoch = (uint16_t) mischief->number;
}

void
play_plain (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  (void) mischief;
  puppet->pieces[at].epoch = 0;
}

/* ---------------------------------------------------------------------------------- bodies */

void
play_body (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  piece_set_body (&puppet->pieces[at], mischief->bytes);
}

void
play_flip (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];
  size_t place = mischief->number == UINT_MAX ? piece->len - 1 : mischief->number;

  if (place >= piece->len)
    abort ();
  piece->body[place] ^= 1;
}

void
play_shorten (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  (void) mischief;
  puppet->pieces[at].len--;
}

void
play_lengthen (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];

  (void) mischief;
  piece_set_body (piece, (struct bytes){ piece->body, piece->len });
  piece->body[piece->len++] = 0; /* piece_set_body leaves a byte of room */
}

void
play_patch (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];

  if (mischief->number + mischief->bytes.left > piece->len)
    abort ();
  memcpy (piece->body + mischief->number, mischief->bytes.at, mischief->bytes.left);
}
