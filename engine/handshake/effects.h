/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a handler asks for, in order: send this, use these keys, raise this event. Handlers never
 * seal, send or wait; conn does what stands here. */

#pragma once

#include "dtls.h"
#include "flight/reassembly.h"
#include "wire/writer.h"

enum effect_kind
{
  EFFECT_BEGIN_FLIGHT, /* the peer's flight is complete: ours before it is forgotten */
  EFFECT_SEND,         /* `message`, in the current write epoch */
  EFFECT_SEND_CHANGE_CIPHER_SPEC,
  /* From here on `epoch`: 1 with 1.2's key block; in 1.3 2 with the handshake's traffic secrets, and
   * any later one with the association's. Reading, the peer's next message must not have begun. */
  EFFECT_WRITE_KEYS,
  EFFECT_READ_KEYS,
  EFFECT_ACK_NOW,          /* 1.3: acknowledge what came, without waiting for more */
  EFFECT_END_FLIGHT,       /* transmit it, again and again until the peer's next flight is here */
  EFFECT_END_LAST_FLIGHT,  /* 1.2: transmit it, and again whenever the peer's last one recurs */
  EFFECT_END_ACKED_FLIGHT, /* 1.3: transmit it, again and again until it is acknowledged */
  EFFECT_UPDATE_KEYS,      /* 1.3: a KeyUpdate of ours is due */
  EFFECT_EVENT,
};

struct effect
{
  enum effect_kind kind;
  struct message message; /* (owned) body */
  enum dtls_event event;
  uint16_t epoch;
};

enum
{
  MAX_EFFECTS =
      24, /* a server's flight: six messages, four keys and its two ends; tickets, events */
};

struct effects
{
  struct effect list[MAX_EFFECTS];
  size_t n;
  uint8_t *draft; /* (owned) (nullable) the message under way */
  size_t draft_capacity;
  struct writer writer;
};

void effects_init (struct effects *effects);
/* Wipes and frees what nobody took. */
void effects_clear (struct effects *effects);

void effects_add (struct effects *effects, enum effect_kind kind);
void effects_keys (struct effects *effects, enum effect_kind kind, uint16_t epoch);
void effects_event (struct effects *effects, enum dtls_event event);

/* A writer for the next message's body, at most `capacity` bytes. Never NULL: without memory it has
 * failed. */
struct writer *effects_draft (struct effects *effects, size_t capacity);
/* The draft becomes a message to send, lent to the caller until the effects are cleared. False if
 * the writer has failed. */
bool effects_send (struct effects *effects, uint8_t type, uint16_t seq,
                   struct message *out) DTLS_MUST_CHECK;
