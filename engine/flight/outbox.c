/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Our flight in the order it is sent. A transmission is a cursor over it, and outbox_rewind () is
 * the only way back: a transmission that was broken off leaves nothing behind that the next one
 * could go on from.
 *
 * Every byte of a body has a place: the bodies stand one behind the other on one line. What has no
 * body, an empty message or a ChangeCipherSpec, has one place too, so that it can be acknowledged.
 * Pieces, records and acknowledgements are ranges of that line. */

#include "flight/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum
{
  MAX_MESSAGE_LEN = (1 << 24) - 1, /* RFC 5246 §7.4: uint24 length */
  FIRST_CAPACITY = 8,
};

/* From `begin` to before `end`. */
struct range
{
  uint64_t begin;
  uint64_t end;
};

struct item
{
  struct range place;
  uint16_t epoch;
  bool is_change_cipher_spec; /* then it has nothing of what follows */
  uint8_t type;
  uint16_t seq;
  uint32_t len;
  uint8_t body[];
};

struct outbox
{
  struct item **items; /* (owned), each of them too */
  size_t n_items;
  size_t capacity;
  uint64_t end;  /* of the last item's place */
  uint64_t next; /* the transmission goes on with what is not acknowledged from here on */
  struct range acknowledged[MAX_ACKNOWLEDGED_RANGES]; /* rising, and something lies between them */
  size_t n_acknowledged;
  struct sent_record sent[MAX_SENT_RECORDS]; /* a ring */
  size_t n_sent;                             /* of this flight, the forgotten ones too */
};

struct outbox *
outbox_new (void)
{
  return calloc (1, sizeof (struct outbox));
}

void
outbox_free (struct outbox *outbox)
{
  if (outbox == NULL)
    return;

  outbox_clear (outbox);
  free (outbox->items);
  free (outbox);
}

void
outbox_clear (struct outbox *outbox)
{
  for (size_t i = 0; i < outbox->n_items; i++)
    {
      explicit_bzero (outbox->items[i], sizeof (struct item) + outbox->items[i]->len);
      free (outbox->items[i]);
    }

  outbox->n_items = 0;
  outbox->end = 0;
  outbox->n_acknowledged = 0;
  outbox->n_sent = 0;
  outbox_rewind (outbox);
}

static bool
make_room (struct outbox *outbox)
{
  size_t capacity = outbox->capacity > 0 ? 2 * outbox->capacity : FIRST_CAPACITY;
  struct item **items;

  if (outbox->n_items < outbox->capacity)
    return true;

  items = realloc (outbox->items, capacity * sizeof *items);
  if (items == NULL)
    return false;

  outbox->items = items;
  outbox->capacity = capacity;
  return true;
}

/* A new item at the end, with room for `len` bytes of body, at most MAX_MESSAGE_LEN; NULL without
 * memory. */
static struct item *
append (struct outbox *outbox, size_t len)
{
  struct item *item;

  if (!make_room (outbox))
    return NULL;

  item = calloc (1, sizeof *item + len);
  if (item == NULL)
    return NULL;

  item->len = (uint32_t) len;
  item->place = (struct range){ outbox->end, outbox->end + (len > 0 ? len : 1) };
  outbox->end = item->place.end;
  outbox->items[outbox->n_items++] = item;
  return item;
}

bool
outbox_add_message (struct outbox *outbox, uint16_t epoch, const struct message *message)
{
  struct item *item;

  if (message->body.left > MAX_MESSAGE_LEN)
    return false;

  item = append (outbox, message->body.left);
  if (item == NULL)
    return false;

  item->epoch = epoch;
  item->type = message->type;
  item->seq = message->seq;
  if (item->len > 0)
    memcpy (item->body, message->body.at, item->len);

  return true;
}

bool
outbox_add_change_cipher_spec (struct outbox *outbox, uint16_t epoch)
{
  struct item *item = append (outbox, 0);

  if (item == NULL)
    return false;

  item->epoch = epoch;
  item->is_change_cipher_spec = true;

  return true;
}

bool
outbox_is_empty (const struct outbox *outbox)
{
  return outbox->n_items == 0;
}

/* The first run of places from `from` on that are not acknowledged; empty at the flight's end. */
static struct range
next_hole (const struct outbox *outbox, uint64_t from)
{
  struct range hole = { from, outbox->end };

  for (size_t i = 0; i < outbox->n_acknowledged; i++)
    {
      const struct range *range = &outbox->acknowledged[i];

      if (range->begin > hole.begin)
        {
          hole.end = range->begin;
          break;
        }
      if (range->end > hole.begin)
        hole.begin = range->end;
    }

  return hole;
}

bool
outbox_needs_epoch (const struct outbox *outbox, uint16_t epoch)
{
  for (size_t i = 0; i < outbox->n_items; i++)
    {
      const struct item *item = outbox->items[i];

      if (item->epoch == epoch && next_hole (outbox, item->place.begin).begin < item->place.end)
        return true;
    }

  return false;
}

void
outbox_rewind (struct outbox *outbox)
{
  outbox->next = 0;
}

/* The item that the place is of; NULL at the flight's end. */
static const struct item *
item_at (const struct outbox *outbox, uint64_t place)
{
  for (size_t i = 0; i < outbox->n_items; i++)
    if (place < outbox->items[i]->place.end)
      return outbox->items[i];

  return NULL;
}

bool
outbox_has_more (const struct outbox *outbox, uint16_t *out_epoch)
{
  const struct item *item = item_at (outbox, next_hole (outbox, outbox->next).begin);

  if (item == NULL)
    return false;

  *out_epoch = item->epoch;
  return true;
}

/* RFC 6347 §4.2.3: the pieces are contiguous, do not overlap, and each says the whole message's
 * length. RFC 9147 §7.2: what is acknowledged is omitted. */
static bool
cut_fragment (const struct item *item, struct range hole, size_t room, struct fragment *out)
{
  uint64_t end = hole.end < item->place.end ? hole.end : item->place.end;
  size_t left = item->len > 0 ? (size_t) (end - hole.begin) : 0;
  size_t body_room = room > FRAGMENT_HEADER_LEN ? room - FRAGMENT_HEADER_LEN : 0;
  uint32_t offset = (uint32_t) (hole.begin - item->place.begin);

  if (room < FRAGMENT_HEADER_LEN || (left > 0 && body_room == 0))
    return false;

  *out = (struct fragment){
    .type = item->type,
    .message_len = item->len,
    .message_seq = item->seq,
    .offset = offset,
    .body = { item->body + offset, left < body_room ? left : body_room },
  };
  return true;
}

bool
outbox_next (struct outbox *outbox, size_t room, struct outbox_piece *out)
{
  struct range hole = next_hole (outbox, outbox->next);
  const struct item *item = item_at (outbox, hole.begin);
  struct outbox_piece piece = { .begin = hole.begin };

  if (item == NULL)
    return false;

  piece.epoch = item->epoch;
  piece.is_change_cipher_spec = item->is_change_cipher_spec;
  if (item->is_change_cipher_spec ? room == 0 : !cut_fragment (item, hole, room, &piece.fragment))
    return false;

  piece.end = item->len > 0 ? piece.begin + piece.fragment.body.left : item->place.end;
  outbox->next = piece.end;
  *out = piece;
  return true;
}

void
outbox_note_sent (struct outbox *outbox, const struct sent_record *record)
{
  assert (record->begin < record->end && record->end <= outbox->end);

  outbox->sent[outbox->n_sent++ % MAX_SENT_RECORDS] = *record;
}

/* Whether it changed anything. */
static bool
take_in (struct outbox *outbox, const struct range *range)
{
  struct range *ranges = outbox->acknowledged;
  size_t n = outbox->n_acknowledged;
  struct range whole = *range;
  size_t first = 0;
  size_t behind;

  /* Those from `first` to before `behind` overlap it or touch it, and become one with it. */
  while (first < n && ranges[first].end < range->begin)
    first++;
  for (behind = first; behind < n && ranges[behind].begin <= range->end; behind++)
    {
      if (ranges[behind].begin <= range->begin && ranges[behind].end >= range->end)
        return false;
      if (ranges[behind].begin < whole.begin)
        whole.begin = ranges[behind].begin;
      if (ranges[behind].end > whole.end)
        whole.end = ranges[behind].end;
    }
  if (first == behind && n == MAX_ACKNOWLEDGED_RANGES)
    return false;

  memmove (&ranges[first + 1], &ranges[behind], (n - behind) * sizeof *ranges);
  ranges[first] = whole;
  outbox->n_acknowledged = n - (behind - first) + 1;
  return true;
}

/* RFC 9147 §7.2: a record counts as acknowledged if any ACK names it. */
bool
outbox_acknowledge (struct outbox *outbox, uint16_t epoch, uint64_t number)
{
  size_t n = outbox->n_sent < MAX_SENT_RECORDS ? outbox->n_sent : MAX_SENT_RECORDS;

  for (size_t i = 0; i < n; i++)
    {
      const struct sent_record *sent = &outbox->sent[i];

      if (sent->epoch == epoch && sent->number == number)
        return take_in (outbox, &(struct range){ sent->begin, sent->end });
    }

  return false;
}

bool
outbox_is_acknowledged (const struct outbox *outbox)
{
  return next_hole (outbox, 0).begin == outbox->end;
}
