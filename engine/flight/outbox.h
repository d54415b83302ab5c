/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Our flight: an immutable list of messages (and ChangeCipherSpecs), cut to the room there is anew
 * at every transmission. There is no partially written state to resume. */

#pragma once

#include "flight/reassembly.h"

struct outbox; /* one heap object */

struct outbox *outbox_new (void);
/* Wipes the bodies. */
void outbox_free (struct outbox *outbox);

/* Copies the message to the end of the flight. False without memory. */
bool outbox_add_message (struct outbox *outbox, uint16_t epoch,
                         const struct message *message) DTLS_MUST_CHECK;
bool outbox_add_change_cipher_spec (struct outbox *outbox, uint16_t epoch) DTLS_MUST_CHECK;
/* Forgets the flight: it was answered. */
void outbox_clear (struct outbox *outbox);
bool outbox_is_empty (const struct outbox *outbox);
/* Whether the flight has anything of this epoch. */
bool outbox_needs_epoch (const struct outbox *outbox, uint16_t epoch);

/* Starts the transmission of the whole flight from its beginning. Messages added later follow
 * on. */
void outbox_rewind (struct outbox *outbox);
/* Whether something of this transmission is still to be sent, and in which epoch. */
bool outbox_has_more (const struct outbox *outbox, uint16_t *out_epoch);

struct outbox_piece
{
  uint16_t epoch;
  bool is_change_cipher_spec; /* else `fragment` */
  struct fragment fragment;   /* its body is borrowed until the flight changes */
};

/* Takes the next piece that fits `room` bytes of record payload: a ChangeCipherSpec needs 1, a
 * fragment its header and at least one byte of the body (an empty message only the header). False
 * if it does not fit, or there is none. */
bool outbox_next (struct outbox *outbox, size_t room, struct outbox_piece *out);
