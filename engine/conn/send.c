/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Datagrams and records out, and what time brings: transmission, retransmission, the deadline,
 * closing. */

#include "conn/conn.h"

#include "conn/config.h"
#include "record/seal.h"
#include "wire/alert.h"
#include "wire/record_header.h"

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

static struct epoch_write *
write_epoch (struct dtls_conn *conn, uint16_t number)
{
  return number == 0 ? &conn->plain : &conn->write.epoch;
}

/* RFC 6347 §4.1: until the version is agreed, a ClientHello's record says DTLS 1.0, which every
 * server takes. */
static uint16_t
record_version (const struct dtls_conn *conn)
{
  bool is_agreed = conn->handshake == NULL || conn->handshake->suite != NULL;

  return is_agreed || conn->role == DTLS_SERVER ? VERSION_DTLS_1_2 : VERSION_DTLS_1_0;
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

static bool
seal_piece (struct dtls_conn *conn, const struct outbox_piece *piece, struct dtls_buffer *out)
{
  static const uint8_t change_cipher_spec[] = { 1 };
  uint8_t header[FRAGMENT_HEADER_LEN];
  struct writer w = writer_over (header, sizeof header);
  struct bytes parts[2];
  struct seal_input input = { CONTENT_HANDSHAKE, record_version (conn), parts, 2 };
  enum dtls_error error;

  if (piece->is_change_cipher_spec)
    {
      input.type = CONTENT_CHANGE_CIPHER_SPEC;
      parts[0] = (struct bytes){ change_cipher_spec, sizeof change_cipher_spec };
      input.n_parts = 1;
    }
  else
    {
      fragment_write_header (&w, &piece->fragment);
      parts[0] = writer_bytes (&w);
      parts[1] = piece->fragment.body;
    }

  error = record_seal (write_epoch (conn, piece->epoch), &input, out);
  if (error != DTLS_OK)
    conn_fail (conn, error);
  return error == DTLS_OK;
}

/* Packs records of the flight until the datagram, the burst or the flight is full. `out->capacity`
 * is the end of the datagram. */
static void
pack_flight (struct dtls_conn *conn, struct dtls_buffer *out)
{
  struct outbox_piece piece;
  uint16_t epoch;

  while (conn->burst_left > 0 && outbox_has_more (conn->outbox, &epoch))
    {
      size_t overhead = epoch_overhead (write_epoch (conn, epoch));
      size_t room = out->capacity - out->used;

      if (room < overhead || !outbox_next (conn->outbox, room - overhead, &piece)
          || !seal_piece (conn, &piece, out))
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
  else if (conn->flight == FLIGHT_AWAITS_ANSWER)
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

  return (conn->flight == FLIGHT_AWAITS_ANSWER || conn->flight == FLIGHT_LAST)
         && conn->burst_left > 0 && outbox_has_more (conn->outbox, &epoch);
}

static void
pack_alert (struct dtls_conn *conn, struct dtls_buffer *out)
{
  uint8_t memory[ALERT_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  struct alert alert = { conn->alert_level, conn->alert_description };
  struct bytes part;
  struct seal_input input = { CONTENT_ALERT, record_version (conn), &part, 1 };

  alert_write (&w, &alert);
  part = writer_bytes (&w);
  /* One that has no number left stays unsaid. */
  if (record_seal (write_epoch (conn, conn->write.epoch.number), &input, out)
      != DTLS_ERROR_TOO_LARGE)
    conn->has_alert = false;
}

bool
dtls_conn_next_datagram (struct dtls_conn *conn, struct dtls_buffer *out)
{
  size_t start = out->used;
  size_t room = out->capacity - start;
  size_t mtu = flight_mtu (conn);
  struct dtls_buffer datagram = { out->at, start + (room < mtu ? room : mtu), start };

  if (flight_is_due (conn))
    {
      pack_flight (conn, &datagram);
      note_transmission (conn);
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
  if (timers_gave_up (&conn->timers))
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
        case N_TIMERS:
          break;
        }
    }
}

/* -------------------------------------------------------------------------------------- closing */

void
dtls_conn_close (struct dtls_conn *conn, dtls_time now)
{
  conn->now = now;
  if (conn->is_closed || conn->error != DTLS_OK)
    return;

  conn->is_closed = true;
  if (!conn->is_connected)
    conn_fail (conn, DTLS_ERROR_CLOSED);

  conn->write.is_open = false;
  conn->write.refusal = DTLS_ERROR_CLOSED;
  conn->has_alert = true;
  conn->alert_level = ALERT_LEVEL_WARNING;
  conn->alert_description = ALERT_CLOSE_NOTIFY;
}
