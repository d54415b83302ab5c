/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Our flight in the order it is sent. A transmission is a cursor over it, and outbox_rewind () is
 * the only way back: a transmission that was broken off leaves nothing behind that the next one
 * could go on from. */

#include "flight/outbox.h"

#include <stdlib.h>
#include <string.h>

enum
{
  MAX_MESSAGE_LEN = (1 << 24) - 1, /* RFC 5246 §7.4: uint24 length */
  FIRST_CAPACITY = 8,
};

struct item
{
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
  size_t sending;  /* the item that the next piece is of; n_items at the end */
  uint32_t offset; /* of that piece in the item's body */
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

/* A new item at the end, with room for `len` bytes of body; NULL without memory. */
static struct item *
append (struct outbox *outbox, size_t len)
{
  struct item *item;

  if (!make_room (outbox))
    return NULL;

  item = calloc (1, sizeof *item + len);
  if (item != NULL)
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
  item->len = (uint32_t) message->body.left;
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

bool
outbox_needs_epoch (const struct outbox *outbox, uint16_t epoch)
{
  for (size_t i = 0; i < outbox->n_items; i++)
    if (outbox->items[i]->epoch == epoch)
      return true;

  return false;
}

void
outbox_rewind (struct outbox *outbox)
{
  outbox->sending = 0;
  outbox->offset = 0;
}

bool
outbox_has_more (const struct outbox *outbox, uint16_t *out_epoch)
{
  if (outbox->sending == outbox->n_items)
    return false;

  *out_epoch = outbox->items[outbox->sending]->epoch;
  return true;
}

/* RFC 6347 §4.2.3: the pieces are contiguous, do not overlap, and each says the whole message's
 * length. */
static bool
cut_fragment (const struct item *item, uint32_t offset, size_t room, struct fragment *out)
{
  size_t left = item->len - offset;
  size_t body_room = room > FRAGMENT_HEADER_LEN ? room - FRAGMENT_HEADER_LEN : 0;

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
  struct outbox_piece piece = { 0 };
  const struct item *item;

  if (!outbox_has_more (outbox, &piece.epoch))
    return false;

  item = outbox->items[outbox->sending];
  piece.is_change_cipher_spec = item->is_change_cipher_spec;
  if (item->is_change_cipher_spec ? room == 0
                                  : !cut_fragment (item, outbox->offset, room, &piece.fragment))
    return false;

  *out = piece;
  outbox->offset += (uint32_t) piece.fragment.body.left;
  if (outbox->offset == item->len)
    {
      outbox->sending++;
      outbox->offset = 0;
    }

  return true;
}
