/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The list of effects, and the draft of a message. */

#include "handshake/effects.h"
#include "tap.h"

static void
test_effects_keep_their_order (void)
{
  struct effects effects;
  struct message message;

  effects_init (&effects);
  effects_add (&effects, EFFECT_BEGIN_FLIGHT);
  write_u16 (effects_draft (&effects, 2), 0x0102);
  CHECK (effects_send (&effects, 16, 5, &message));
  effects_event (&effects, DTLS_EVENT_CONNECTED);
  effects_add (&effects, EFFECT_END_FLIGHT);

  CHECK_UINT (effects.n, 4);
  CHECK_UINT (effects.list[0].kind, EFFECT_BEGIN_FLIGHT);
  CHECK_UINT (effects.list[1].kind, EFFECT_SEND);
  CHECK_UINT (effects.list[1].message.type, 16);
  CHECK_UINT (effects.list[1].message.seq, 5);
  CHECK_BYTES (effects.list[1].message.body, TAP_STRING ("\1\2"));
  CHECK_BYTES (message.body, effects.list[1].message.body);
  CHECK_UINT (effects.list[2].event, DTLS_EVENT_CONNECTED);
  CHECK_UINT (effects.list[3].kind, EFFECT_END_FLIGHT);
  effects_clear (&effects);
  CHECK_UINT (effects.n, 0);
}

static void
test_draft_beyond_its_capacity_is_not_sent (void)
{
  struct effects effects;
  struct message message;

  effects_init (&effects);
  write_u32 (effects_draft (&effects, 3), 7);
  CHECK (!effects_send (&effects, 1, 0, &message));
  CHECK_UINT (effects.n, 0);
  effects_clear (&effects);
}

static void
test_empty_draft_is_a_message (void)
{
  struct effects effects;
  struct message message;

  effects_init (&effects);
  effects_draft (&effects, 0);
  CHECK (effects_send (&effects, 14, 3, &message));
  CHECK_UINT (message.body.left, 0);
  effects_clear (&effects);
}

static void
test_new_draft_takes_the_place_of_the_old (void)
{
  struct effects effects;
  struct message message;

  effects_init (&effects);
  write_u8 (effects_draft (&effects, 1), 1);
  write_u8 (effects_draft (&effects, 1), 2);
  CHECK (effects_send (&effects, 1, 0, &message));
  CHECK_BYTES (message.body, TAP_STRING ("\2"));
  /* A draft that nobody sends goes with the rest. */
  write_u8 (effects_draft (&effects, 100), 3);
  effects_clear (&effects);
  CHECK (effects.draft == NULL);
}

static const struct tap_test tests[] = {
  { "/handshake/effects/keep-their-order", test_effects_keep_their_order },
  { "/handshake/effects/draft-beyond-its-capacity-is-not-sent",
    test_draft_beyond_its_capacity_is_not_sent },
  { "/handshake/effects/empty-draft-is-a-message", test_empty_draft_is_a_message },
  { "/handshake/effects/new-draft-takes-the-place-of-the-old",
    test_new_draft_takes_the_place_of_the_old },
};

TAP_MAIN (tests)
