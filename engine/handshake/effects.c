/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The list of effects. */

#include "handshake/effects.h"

#include "crypto/digest.h"

#include <assert.h>
#include <stdlib.h>

void
effects_init (struct effects *effects)
{
  *effects = (struct effects){ .n = 0 };
}

void
effects_clear (struct effects *effects)
{
  for (size_t i = 0; i < effects->n; i++)
    {
      struct bytes body = effects->list[i].message.body;

      /* The body is ours: `struct message` only borrows elsewhere. */
      wipe_free ((void *) (uintptr_t) body.at, body.left);
    }

  wipe_free (effects->draft, effects->draft_capacity);
  effects_init (effects);
}

static struct effect *
append (struct effects *effects, enum effect_kind kind)
{
  assert (effects->n < MAX_EFFECTS);

  effects->list[effects->n] = (struct effect){ .kind = kind };
  return &effects->list[effects->n++];
}

void
effects_add (struct effects *effects, enum effect_kind kind)
{
  append (effects, kind);
}

void
effects_keys (struct effects *effects, enum effect_kind kind, uint16_t epoch)
{
  append (effects, kind)->epoch = epoch;
}

void
effects_event (struct effects *effects, enum dtls_event event)
{
  append (effects, EFFECT_EVENT)->event = event;
}

struct writer *
effects_draft (struct effects *effects, size_t capacity)
{
  wipe_free (effects->draft, effects->draft_capacity);
  effects->draft = malloc (capacity > 0 ? capacity : 1);
  effects->draft_capacity = effects->draft != NULL ? capacity : 0;
  effects->writer = writer_over (effects->draft, effects->draft_capacity);
  if (effects->draft == NULL)
    effects->writer.is_failed = true;

  return &effects->writer;
}

bool
effects_send (struct effects *effects, uint8_t type, uint16_t seq, struct message *out)
{
  struct effect *effect;

  if (!writer_ok (&effects->writer))
    return false;

  effect = append (effects, EFFECT_SEND);
  effect->message = (struct message){ type, seq, { effects->draft, effects->writer.used } };
  *out = effect->message;
  effects->draft = NULL;
  effects->draft_capacity = 0;
  return true;
}
