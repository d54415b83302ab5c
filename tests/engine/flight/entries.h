/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Flights for the tests of the outbox: messages whose every byte tells where it belongs. */

#pragma once

#include "tap.h"
#include "flight/outbox.h"

#include <stdlib.h>

enum
{
  MAX_LEN = 400,
  CHANGE_CIPHER_SPEC = -1, /* an entry's length */
};

static inline uint8_t
body_byte (size_t entry, size_t offset)
{
  return (uint8_t) (offset * 7 + offset / 256 + entry * 31);
}

static inline struct outbox *
empty_outbox (void)
{
  struct outbox *outbox = outbox_new ();

  if (outbox == NULL)
    abort ();
  return outbox;
}

static inline void
add_entry (struct outbox *outbox, size_t entry, uint16_t epoch, int len)
{
  uint8_t body[MAX_LEN];

  if (len == CHANGE_CIPHER_SPEC)
    {
      CHECK (outbox_add_change_cipher_spec (outbox, epoch));
      return;
    }

  for (size_t i = 0; i < (size_t) len; i++)
    body[i] = body_byte (entry, i);
  CHECK (outbox_add_message (
      outbox, epoch,
      &(struct message){ (uint8_t) (entry + 1), (uint16_t) entry, { body, (size_t) len } }));
}
