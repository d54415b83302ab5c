/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Messages go in at the end and out at the start; when the end is reached they move to the
 * front, and an empty queue lets go of a block that a burst has made large. */

#include "gio/queue.h"

#include <string.h>

enum
{
  HEADER = sizeof (uint32_t),
  FIRST_CAPACITY = 2048,
  /* What an idle connection may keep. */
  KEPT_CAPACITY = 16 * 1024,
};

void
moat_queue_clear (MoatQueue *self)
{
  g_clear_pointer (&self->block, g_free);
  *self = (MoatQueue){ 0 };
}

bool
moat_queue_is_empty (const MoatQueue *self)
{
  return self->start == self->end;
}

size_t
moat_queue_size (const MoatQueue *self)
{
  return self->end - self->start;
}

static void
make_room (MoatQueue *self, size_t len)
{
  size_t size = moat_queue_size (self);
  size_t capacity = MAX (self->capacity, FIRST_CAPACITY);

  if (self->capacity - self->end >= len)
    return;

  /* Moving more than a half costs more than it gains. */
  while (capacity < 2 * size || capacity - size < len)
    capacity *= 2;

  if (size > 0 && self->start > 0)
    memmove (self->block, self->block + self->start, size);
  if (capacity != self->capacity)
    self->block = g_realloc (self->block, capacity);

  self->capacity = capacity;
  self->start = 0;
  self->end = size;
}

void
moat_queue_push (MoatQueue *self, struct bytes message)
{
  uint32_t len = (uint32_t) message.left;

  make_room (self, HEADER + message.left);

  memcpy (self->block + self->end, &len, HEADER);
  if (message.left > 0)
    memcpy (self->block + self->end + HEADER, message.at, message.left);
  self->end += HEADER + message.left;
}

struct bytes
moat_queue_peek (const MoatQueue *self)
{
  uint32_t len;

  memcpy (&len, self->block + self->start, HEADER);

  return (struct bytes){ self->block + self->start + HEADER, len };
}

void
moat_queue_pop (MoatQueue *self)
{
  self->start += HEADER + moat_queue_peek (self).left;
  if (self->start < self->end)
    return;

  if (self->capacity > KEPT_CAPACITY)
    moat_queue_clear (self);
  self->start = 0;
  self->end = 0;
}
