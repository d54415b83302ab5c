/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Datagrams and records out, and what time brings: transmission, retransmission, the deadline. */

#include "conn/conn.h"

#include "conn/config.h"
#include "record/seal.h"
#include "wire/alert.h"
#include "wire/record_header.h"

#include <string.h>

enum
{
  LOST_FLIGHTS_BEFORE_FALLBACK = 2,
};

/* ----------------------------------------------------------------------------- application data */

enum dtls_error
dtls_conn_seal (struct dtls_conn *conn, const struct bytes *parts, size_t n_parts,
                struct dtls_buffer *out)
{
  struct write_half *write = &conn->write;
  struct seal_input input = { CONTENT_APPLICATION_DATA, VERSION_DTLS_1_2, parts, n_parts };
  size_t start = out->used;
  size_t len = 0;

  if (!write->is_open)
    return write->refusal;

  for (size_t i = 0; i < n_parts; i++)
    {
      if (parts[i].left > conn->known.write_limit - len)
        return DTLS_ERROR_TOO_LARGE;
      len += parts[i].left;
    }

  TRY (record_seal (&write->epoch, &input, out));
  write->n_sealed++;
  if (write->sent != NULL)
    sent_data_keep (write->sent, (struct bytes){ out->at + start, out->used - start });
  return DTLS_OK;
}

size_t
dtls_conn_max_payload (const struct dtls_conn *conn)
{
  return conn->write.is_open ? conn->known.write_limit : 0;
}

size_t
dtls_conn_overhead (const struct dtls_conn *conn)
{
  return conn->write.is_open ? epoch_overhead (&conn->write.epoch) : 0;
}

/* -------------------------------------------------------------------------------------- flights */

/* RFC 6347 §4.1: until the version is agreed, a ClientHello's record says DTLS 1.0, which every
 * server takes. */
static uint16_t
record_version (const struct dtls_conn *conn)
{
  return conn->known.version != 0 || conn->role == DTLS_SERVER ? VERSION_DTLS_1_2
                                                               : VERSION_DTLS_1_0;
}

static size_t
flight_mtu (const struct dtls_conn *conn)
{
  bool is_lossy = timers_n_retransmissions (&conn->timers) >= LOST_FLIGHTS_BEFORE_FALLBACK;

  return is_lossy && conn->config->fallback_mtu < conn->mtu ? conn->config->fallback_mtu
                                                            : conn->mtu;
}

void
dtls_conn_set_mtu (struct dtls_conn *conn, size_t mtu)
{
  if (mtu < MIN_MTU)
    mtu = MIN_MTU;

  conn->mtu = mtu < MAX_MTU ? mtu : MAX_MTU;
}

enum
{
  MAX_FRAGMENTS = 16, /* in one record; a server's flight has six messages */
};

/* A record of the flight under way. */
struct plan
{
  uint16_t epoch;
  uint8_t type;
  uint64_t begin, end; /* in the outbox's space */
  struct bytes parts[2 * MAX_FRAGMENTS];
  size_t n_parts;
  size_t len;
  uint8_t headers[MAX_FRAGMENTS][FRAGMENT_HEADER_LEN];
};

static void
add_piece (struct plan *plan, const struct outbox_piece *piece)
{
  static const uint8_t change_cipher_spec[] = { 1 };
  uint8_t *header = plan->headers[plan->n_parts / 2];
  struct writer w = writer_over (header, FRAGMENT_HEADER_LEN);

  if (plan->n_parts == 0)
    plan->begin = piece->begin;
  plan->end = piece->end;
  plan->epoch = piece->epoch;
  plan->type = piece->is_change_cipher_spec ? CONTENT_CHANGE_CIPHER_SPEC : CONTENT_HANDSHAKE;
  if (piece->is_change_cipher_spec)
    {
      plan->parts[plan->n_parts++] =
          (struct bytes){ change_cipher_spec, sizeof change_cipher_spec };
      plan->len++;
      return;
    }

  fragment_write_header (&w, &piece->fragment);
  plan->parts[plan->n_parts++] = writer_bytes (&w);
  plan->parts[plan->n_parts++] = piece->fragment.body;
  plan->len += FRAGMENT_HEADER_LEN + piece->fragment.body.left;
}

/* What of the flight goes into one record with `room` for its content. In a protected epoch messages
 * share a record; in the clear each has its own, which every peer takes. False if nothing fits. */
static bool
plan_record (struct dtls_conn *conn, size_t room, struct plan *plan)
{
  struct outbox_piece piece;
  uint16_t epoch;

  *plan = (struct plan){ .n_parts = 0 };
  while (plan->n_parts < 2 * MAX_FRAGMENTS && outbox_has_more (conn->outbox, &epoch)
         && (plan->n_parts == 0 || (epoch == plan->epoch && epoch > 0))
         && outbox_next (conn->outbox, room - plan->len, &piece))
    add_piece (plan, &piece);

  return plan->n_parts > 0;
}

static bool
seal_plan (struct dtls_conn *conn, const struct plan *plan, struct dtls_buffer *out)
{
  struct epoch_write *epoch = conn_write_epoch (conn, plan->epoch);
  struct seal_input input = { plan->type, record_version (conn), plan->parts, plan->n_parts };
  struct sent_record sent = { plan->epoch, epoch->next, plan->begin, plan->end };
  enum dtls_error error = record_seal (epoch, &input, out);

  if (error != DTLS_OK)
    conn_fail (conn, error);
  else if (conn_is_13 (conn))
    outbox_note_sent (conn->outbox, &sent);
  return error == DTLS_OK;
}

/* Packs records of the flight until the datagram, the burst or the flight is full. `out->capacity`
 * is the end of the datagram. */
static void
pack_flight (struct dtls_conn *conn, struct dtls_buffer *out)
{
  struct plan plan;
  uint16_t epoch;

  while (conn->burst_left > 0 && outbox_has_more (conn->outbox, &epoch))
    {
      size_t overhead = epoch_overhead (conn_write_epoch (conn, epoch));
      size_t room = out->capacity - out->used;
      size_t limit = epoch > 0 ? conn->known.write_limit : MAX_PLAINTEXT_LEN;

      if (room < overhead)
        return;
      room -= overhead;
      if (!plan_record (conn, room < limit ? room : limit, &plan) || !seal_plan (conn, &plan, out))
        return;
      if (conn->config->paces_flights)
        conn->burst_left--;
    }
}

/* What the end of a burst or of the transmission means for the clocks. */
static void
note_transmission (struct dtls_conn *conn)
{
  uint16_t epoch;

  if (conn->error != DTLS_OK)
    return;

  if (outbox_has_more (conn->outbox, &epoch))
    {
      if (conn->burst_left == 0)
        timers_burst_sent (&conn->timers, conn->now);
    }
  else if (conn->flight == FLIGHT_AWAITS_ANSWER || conn->flight == FLIGHT_AWAITS_ACK)
    {
      timers_flight_sent (&conn->timers, conn->now);
    }
  else
    {
      timers_last_flight_sent (&conn->timers, conn->now);
    }
}

static bool
flight_is_due (const struct dtls_conn *conn)
{
  uint16_t epoch;

  return conn->flight >= FLIGHT_AWAITS_ANSWER && conn->burst_left > 0
         && outbox_has_more (conn->outbox, &epoch);
}

static void
pack_alert (struct dtls_conn *conn, struct dtls_buffer *out)
{
  uint8_t memory[ALERT_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  struct alert alert = { conn->alert_level, conn->alert_description };
  struct bytes part;
  struct seal_input input = { CONTENT_ALERT, record_version (conn), &part, 1 };
  size_t start = out->used;
  enum dtls_error error;

  alert_write (&w, &alert);
  part = writer_bytes (&w);
  /* One that has no number left stays unsaid. */
  error = record_seal (conn_write_epoch (conn, conn->write.epoch.number), &input, out);
  conn->has_alert = error == DTLS_ERROR_TOO_LARGE;
  if (error == DTLS_OK && conn->write.sent != NULL)
    sent_data_keep (conn->write.sent, (struct bytes){ out->at + start, out->used - start });
}

/* RFC 9147 §7: the newest that we write; but a client cannot read the keys that a ServerHello brings which
 * is still waiting for the rest of its flight to be made. */
static struct epoch_write *
ack_epoch (struct dtls_conn *conn)
{
  bool is_unknown =
      conn->role == DTLS_SERVER && !conn->is_connected && conn->flight == FLIGHT_UNFINISHED;

  return is_unknown ? &conn->plain : conn_write_epoch (conn, conn->write.epoch.number);
}

static void
pack_ack (struct dtls_conn *conn, struct dtls_buffer *out)
{
  uint8_t memory[2 + MAX_OWED_ACKS * RECORD_NUMBER_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  struct epoch_write *epoch = ack_epoch (conn);
  size_t overhead = epoch_overhead (epoch), room = out->capacity - out->used;
  struct bytes part;
  struct seal_input input = { CONTENT_ACK, record_version (conn), &part, 1 };

  conn->has_ack = false;
  room = room > overhead ? room - overhead : 0;
  if (room > conn->known.write_limit)
    room = conn->known.write_limit;
  if (!acks_write (&conn->acks, &w, room))
    return;

  part = writer_bytes (&w);
  /* One that cannot be sealed is not sent: the peer repeats its flight, as if it were lost. */
  (void) !record_seal (epoch, &input, out);
}

/* The data behind a flight that is repeated after we closed, a record a datagram, as it was. */
static void
pack_sent_data (struct dtls_conn *conn, struct dtls_buffer *out)
{
  struct bytes record;

  if (conn->write.sent == NULL
      || !sent_data_next (conn->write.sent, out->capacity - out->used, &record))
    return;

  memcpy (out->at + out->used, record.at, record.left);
  out->used += record.left;
}

bool
dtls_conn_next_datagram (struct dtls_conn *conn, struct dtls_buffer *out)
{
  size_t start = out->used;
  size_t room = out->capacity - start;
  size_t mtu = flight_mtu (conn);
  struct dtls_buffer datagram = { out->at, start + (room < mtu ? room : mtu), start };

  if (conn->has_ack)
    pack_ack (conn, &datagram);
  if (flight_is_due (conn) && datagram.used == start)
    {
      pack_flight (conn, &datagram);
      note_transmission (conn);
    }
  if (conn->is_closed && datagram.used == start && !flight_is_due (conn))
    {
      /* The application chose its size, not the flight's MTU. */
      datagram.capacity = out->capacity;
      pack_sent_data (conn, &datagram);
    }
  if (conn->has_alert && !flight_is_due (conn))
    pack_alert (conn, &datagram);
  if (conn->error != DTLS_OK && !conn->has_alert && conn->handshake != NULL)
    conn_forget_handshake (conn);

  out->used = datagram.used;
  return out->used > start;
}

/* ----------------------------------------------------------------------------------------- time */

dtls_time
dtls_conn_deadline (const struct dtls_conn *conn)
{
  return timers_next (&conn->timers);
}

void
dtls_conn_set_retransmit_initial (struct dtls_conn *conn, dtls_duration initial)
{
  timers_set_initial (&conn->timers, initial);
}

static void
retransmit (struct dtls_conn *conn)
{
  /* A client that lingers ends in its own time. */
  if (timers_gave_up (&conn->timers) && !timers_is_lingering (&conn->timers))
    {
      conn_fail (conn, DTLS_ERROR_TIMED_OUT);
      return;
    }

  conn->n_retransmissions++;
  conn_transmit (conn);
}

void
dtls_conn_tick (struct dtls_conn *conn, dtls_time now)
{
  enum timer timer;

  conn->now = now;
  while (conn->error == DTLS_OK && (timer = timers_take_expired (&conn->timers, now)) != N_TIMERS)
    {
      switch (timer)
        {
        case TIMER_RETRANSMIT:
          retransmit (conn);
          break;
        case TIMER_BURST:
          conn->burst_left = BURST_RECORDS;
          break;
        case TIMER_HANDSHAKE:
          conn_fail (conn, DTLS_ERROR_TIMED_OUT);
          break;
        case TIMER_LAST_FLIGHT:
          conn_forget_handshake (conn);
          break;
        case TIMER_ACK:
          conn->has_ack = true;
          break;
        case TIMER_EPOCH:
          conn_drop_previous_epoch (conn);
          break;
        case TIMER_LINGER:
          conn_flight_acknowledged (conn); /* or so we must suppose */
          conn_advance (conn);
          break;
        case N_TIMERS:
          break;
        }
    }

  conn_watch_limits (conn);
}
