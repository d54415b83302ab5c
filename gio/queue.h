/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Messages in order, in one block of memory that is kept while it is in use: received plaintext
 * that nobody has asked for yet, and datagrams that the base has no room for yet. */

#pragma once

#include "dtls.h"

#include <glib.h>

typedef struct
{
  uint8_t *block; /* (owned) each message behind its length */
  size_t capacity;
  size_t start;
  size_t end;
} MoatQueue;

void moat_queue_clear (MoatQueue *self);
bool moat_queue_is_empty (const MoatQueue *self);
/* The bytes held, lengths included. */
size_t moat_queue_size (const MoatQueue *self);
void moat_queue_push (MoatQueue *self, struct bytes message);
/* The oldest message, good until the queue changes. The queue is not empty. */
struct bytes moat_queue_peek (const MoatQueue *self);
void moat_queue_pop (MoatQueue *self);
