/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Our flight: an immutable list of messages (and ChangeCipherSpecs), cut to the room there is anew
 * at every transmission. There is no partially written state to resume. In 1.3 it knows which bytes
 * the peer has acknowledged, and sends only the others. */

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
/* Whether the flight has anything of this epoch that is not acknowledged. */
bool outbox_needs_epoch (const struct outbox *outbox, uint16_t epoch);

/* Starts the transmission of the flight, or of what is not acknowledged of it, from its beginning.
 * Messages added later follow on. */
void outbox_rewind (struct outbox *outbox);
/* Whether something of this transmission is still to be sent, and in which epoch. */
bool outbox_has_more (const struct outbox *outbox, uint16_t *out_epoch);

struct outbox_piece
{
  uint16_t epoch;
  bool is_change_cipher_spec; /* else `fragment` */
  struct fragment fragment;   /* its body is borrowed until the flight changes */
  uint64_t begin, end;        /* where it lies in the flight, for outbox_note_sent */
};

/* Takes the next piece that fits `room` bytes of record payload: a ChangeCipherSpec needs 1, a
 * fragment its header and at least one byte of the body (an empty message only the header). False
 * if it does not fit, or there is none. */
bool outbox_next (struct outbox *outbox, size_t room, struct outbox_piece *out);

/* 1.3. */
enum
{
  MAX_SENT_RECORDS = 32, /* a flight of ten records, sent three times */
  /* The peer would choose it otherwise, by the holes it leaves. Enough for every second of 128
   * records, a flight of 150 kB. */
  MAX_ACKNOWLEDGED_RANGES = 64,
};

/* A record that went out, with pieces from `begin` of its first to `end` of its last: what lies
 * between them was acknowledged before. */
struct sent_record
{
  uint16_t epoch;
  uint64_t number;
  uint64_t begin, end;
};

/* The newest MAX_SENT_RECORDS are remembered. */
void outbox_note_sent (struct outbox *outbox, const struct sent_record *record);
/* The peer has this record. True if it told us something new; one of another flight, forgotten or
 * never sent tells nothing. A transmission under way goes on behind what it has acknowledged. What
 * would make more than MAX_ACKNOWLEDGED_RANGES is not taken in, and tells nothing: that costs
 * bandwidth only. */
bool outbox_acknowledge (struct outbox *outbox, uint16_t epoch, uint64_t number);
bool outbox_is_acknowledged (const struct outbox *outbox); /* all of it; an empty one is */
