/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Datagrams in. What each record may do depends on whether it was protected, and is decided here
 * and nowhere else: what fails below the handshake is counted and dropped; what an authenticated
 * record does wrong is fatal. */

#include "conn/conn.h"

#include "wire/alert.h"

#include <stdlib.h>
#include <string.h>

static void
count_drop (struct dtls_conn *conn, enum dtls_drop drop)
{
  conn->read.dropped[drop]++;
}

/* Content that is wrong: from an authenticated record it ends the connection, from any other it is
 * noise. */
static void
reject (struct dtls_conn *conn, uint16_t epoch, enum dtls_error error)
{
  if (epoch > 0)
    conn_fail (conn, error);
  else
    count_drop (conn, DTLS_DROP_CONTENT);
}

/* ---------------------------------------------------------------------------- handshake records */

/* A message of the other epoch than the one that is due: plaintext where the peer's Finished is
 * awaited. */
static void
take_stale_fragment (struct dtls_conn *conn, const struct fragment *fragment)
{
  bool is_whole = fragment->body.left == fragment->message_len;

  /* The peer repeats its flight; or it, or someone, sends the next message without the new keys. */
  if (is_whole && fragment->message_seq == reassembly_next_seq (conn->reassembly))
    conn_fail (conn, DTLS_ERROR_UNEXPECTED_MESSAGE);
  else
    count_drop (conn, DTLS_DROP_LATE);
}

/* A server's handshake begins with the first piece of a hello, whole or not: one that stays a piece
 * must not hold the connection for good. */
static void
start_deadline (struct dtls_conn *conn)
{
  if (conn->role == DTLS_SERVER && !conn->has_begun)
    timers_handshake_started (&conn->timers, conn->now, conn->config->handshake_deadline);
  conn->has_begun = true;
}

static void
take_fragment (struct dtls_conn *conn, const struct fragment *fragment, uint16_t epoch)
{
  size_t cap = handshake_message_cap (conn->handshake, fragment->type);

  switch (reassembly_add (conn->reassembly, fragment, cap))
    {
    case REASSEMBLY_TAKEN:
      start_deadline (conn);
      break;
    case REASSEMBLY_DUPLICATE:
    case REASSEMBLY_OLD:
      count_drop (conn, DTLS_DROP_LATE);
      break;
    case REASSEMBLY_TOO_FAR:
      count_drop (conn, DTLS_DROP_EARLY);
      break;
    case REASSEMBLY_CONTRADICTS:
      reject (conn, epoch, DTLS_ERROR_ILLEGAL_PARAMETER);
      break;
    case REASSEMBLY_TOO_LONG:
      conn_fail (conn, DTLS_ERROR_MESSAGE_TOO_LONG);
      break;
    case REASSEMBLY_NO_MEMORY:
      conn_fail (conn, DTLS_ERROR_NO_MEMORY);
      break;
    }
}

/* The peer repeats its last flight: it has not seen ours (RFC 6347 §4.2.4). */
static void
repeat_last_flight (struct dtls_conn *conn)
{
  uint16_t epoch;

  if (conn->flight != FLIGHT_LAST || outbox_has_more (conn->outbox, &epoch))
    return;

  conn->n_retransmissions++;
  conn_transmit (conn);
}

/* After the handshake: only its own end may come again. */
static void
take_late_fragment (struct dtls_conn *conn, const struct fragment *fragment)
{
  uint16_t next =
      conn->reassembly != NULL ? reassembly_next_seq (conn->reassembly) : conn->next_message_seq;

  /* RFC 6347 §4.2.2: another handshake would begin again with number 0. Repeated hellos come
   * unprotected. */
  if (fragment->type == HELLO_REQUEST || fragment->type == CLIENT_HELLO)
    {
      conn_fail (conn, DTLS_ERROR_RENEGOTIATION);
      return;
    }

  if (fragment->message_seq < next)
    {
      count_drop (conn, DTLS_DROP_LATE);
      if (fragment->type == FINISHED && fragment->message_seq == next - 1 && fragment->offset == 0)
        repeat_last_flight (conn);
      return;
    }

  conn_fail (conn, DTLS_ERROR_UNEXPECTED_MESSAGE);
}

static void
take_handshake (struct dtls_conn *conn, const struct opened *opened)
{
  struct reader reader = reader_over ((struct bytes){ opened->at, opened->len });
  bool was_connected = conn->is_connected;
  struct fragment fragment;

  /* RFC 5246 §6.2.1: no empty fragments of a handshake message's type. */
  if (opened->len == 0)
    reject (conn, opened->epoch, DTLS_ERROR_DECODE);

  while (reader.left > 0 && conn->error == DTLS_OK)
    {
      if (!fragment_read (&reader, &fragment))
        {
          reject (conn, opened->epoch, DTLS_ERROR_DECODE);
          return;
        }

      if (conn->is_connected && !was_connected)
        conn_fail (conn, DTLS_ERROR_EXCESS_HANDSHAKE_DATA); /* behind the Finished, in its record */
      else if (conn->is_connected)
        take_late_fragment (conn, &fragment);
      else if (opened->epoch != conn->read.epoch.number)
        take_stale_fragment (conn, &fragment);
      else
        take_fragment (conn, &fragment, opened->epoch);

      conn_advance (conn);
    }
}

/* --------------------------------------------------------------------------------------- alerts */

static void
take_peer_close (struct dtls_conn *conn)
{
  if (!conn->is_connected)
    {
      conn->peer_alert = ALERT_CLOSE_NOTIFY;
      conn_fail (conn, DTLS_ERROR_PEER_ALERT);
      return;
    }

  /* RFC 5246 §7.2.1: nothing after it counts. */
  conn->read.is_open = false;
  if (!conn->is_peer_closed)
    conn_event (conn, DTLS_EVENT_PEER_CLOSED);
  conn->is_peer_closed = true;
}

static void
take_alert (struct dtls_conn *conn, const struct opened *opened)
{
  struct alert alert;
  bool is_good = alert_read ((struct bytes){ opened->at, opened->len }, &alert);

  if (!is_good || (alert.level != ALERT_LEVEL_WARNING && alert.level != ALERT_LEVEL_FATAL))
    {
      reject (conn, opened->epoch, is_good ? DTLS_ERROR_BAD_ALERT : DTLS_ERROR_DECODE);
      return;
    }

  if (alert.description == ALERT_CLOSE_NOTIFY)
    {
      take_peer_close (conn);
    }
  else if (alert.level == ALERT_LEVEL_FATAL)
    {
      conn->peer_alert = alert.description;
      conn_fail (conn, DTLS_ERROR_PEER_ALERT);
    }
}

/* -------------------------------------------------------------------------------------- records */

static void
take_plain (struct dtls_conn *conn, const struct opened *opened)
{
  /* Believed until the peer's Finished has verified; its repeated flight then comes with a Finished
   * that is protected. */
  if (conn->is_connected || conn->handshake == NULL || conn->handshake->state == CONNECTED)
    {
      count_drop (conn, DTLS_DROP_LATE);
      return;
    }

  switch (opened->type)
    {
    case CONTENT_HANDSHAKE:
      take_handshake (conn, opened);
      break;
    case CONTENT_ALERT:
      take_alert (conn, opened);
      break;
    case CONTENT_CHANGE_CIPHER_SPEC:
      if (opened->len == 1 && opened->at[0] == 1)
        conn->has_change_cipher_spec = true;
      else
        count_drop (conn, DTLS_DROP_CONTENT);
      conn_advance (conn);
      break;
    default:
      count_drop (conn, DTLS_DROP_TYPE);
      break;
    }
}

/* True when it was application data for the caller. */
static bool
take_protected (struct dtls_conn *conn, const struct opened *opened)
{
  if (opened->len > conn->known.read_limit)
    {
      conn_fail (conn, DTLS_ERROR_RECORD_OVERFLOW);
      return false;
    }

  switch (opened->type)
    {
    case CONTENT_APPLICATION_DATA:
      if (conn->is_connected)
        return true;
      count_drop (conn, DTLS_DROP_EARLY);
      break;
    case CONTENT_HANDSHAKE:
      take_handshake (conn, opened);
      break;
    case CONTENT_ALERT:
      take_alert (conn, opened);
      break;
    case CONTENT_CHANGE_CIPHER_SPEC:
      conn_fail (conn, DTLS_ERROR_UNEXPECTED_MESSAGE);
      break;
    default:
      count_drop (conn, DTLS_DROP_TYPE);
      break;
    }

  return false;
}

/* False if there is no reason or no room to hold it. */
static bool
hold_record (struct dtls_conn *conn, const struct record *record)
{
  size_t len = RECORD_HEADER_LEN + record->header.len;

  if (conn->handshake == NULL || conn->read.epoch.number != 0 || record->header.epoch != 1
      || record->header.type != CONTENT_HANDSHAKE)
    return false;

  if (conn->held == NULL)
    conn->held = calloc (1, sizeof *conn->held);
  if (conn->held == NULL || len > MAX_HELD_LEN - conn->held->used)
    return false;

  memcpy (conn->held->records + conn->held->used, record->body - RECORD_HEADER_LEN, len);
  conn->held->used += len;
  return true;
}

static enum dtls_drop
open_any (struct dtls_conn *conn, const struct record *record, struct opened *out)
{
  struct epoch_read plain;

  if (record->header.epoch != 0)
    return record_open (&conn->read.epoch, record, out);

  epoch_read_init_plain (&plain);
  return record_open (&plain, record, out);
}

enum dtls_read
dtls_conn_read (struct dtls_conn *conn, struct dtls_datagram *datagram, struct bytes *out_data)
{
  struct read_half *read = &conn->read;
  struct record record;
  struct opened opened;

  while (read->is_open && !datagram->found.is_set && datagram->left > 0)
    {
      enum dtls_drop drop = record_split (&datagram->at, &datagram->left, &record);

      if (drop == DTLS_DROP_NONE)
        drop = record_open (&read->epoch, &record, &opened);
      if (drop != DTLS_DROP_NONE)
        {
          read->dropped[drop]++;
          if (drop == DTLS_DROP_AUTHENTICATION && epoch_is_at_forgery_limit (&read->epoch))
            read->is_open = false;
          continue;
        }

      if (opened.type == CONTENT_APPLICATION_DATA && opened.len <= conn->known.read_limit)
        {
          read->n_opened++;
          *out_data = (struct bytes){ opened.at, opened.len };
          return DTLS_READ_DATA;
        }

      datagram->found.is_set = true;
      datagram->found.type = opened.type;
      datagram->found.epoch = opened.epoch;
      datagram->found.number = opened.number;
      datagram->found.at = opened.at;
      datagram->found.len = opened.len;
    }

  return datagram->found.is_set || datagram->left > 0 ? DTLS_READ_CONTROL : DTLS_READ_END;
}

static void
fail_at_forgery_limit (struct dtls_conn *conn)
{
  if (epoch_is_at_forgery_limit (&conn->read.epoch))
    conn_fail (conn, DTLS_ERROR_FORGERY_LIMIT);
}

/* The next record, opened: the one that dtls_conn_read found, or one of the datagram. False at its
 * end. */
static bool
next_opened (struct dtls_conn *conn, struct dtls_datagram *datagram, struct opened *out)
{
  struct record record;

  if (datagram->found.is_set)
    {
      datagram->found.is_set = false;
      *out = (struct opened){ datagram->found.type, datagram->found.epoch, datagram->found.number,
                              datagram->found.at, datagram->found.len };
      return true;
    }

  while (datagram->left > 0 && conn->error == DTLS_OK)
    {
      enum dtls_drop drop = record_split (&datagram->at, &datagram->left, &record);

      if (drop == DTLS_DROP_NONE)
        drop = open_any (conn, &record, out);
      if (drop == DTLS_DROP_NONE)
        return true;
      if (drop == DTLS_DROP_EPOCH && hold_record (conn, &record))
        continue;

      count_drop (conn, drop);
      fail_at_forgery_limit (conn);
    }

  return false;
}

void
conn_take_held (struct dtls_conn *conn)
{
  struct held *held = conn->held;
  struct dtls_datagram datagram;
  struct opened opened;

  if (held == NULL || conn->read.epoch.number == 0)
    return;

  /* Off the connection first: what a record does may end the handshake, and nothing is held from
   * here on. */
  conn->held = NULL;
  datagram = (struct dtls_datagram){ .at = held->records, .left = held->used };
  while (next_opened (conn, &datagram, &opened))
    take_protected (conn, &opened);
  free (held);
}

enum dtls_read
dtls_conn_receive (struct dtls_conn *conn, dtls_time now, struct dtls_datagram *datagram,
                   struct bytes *out_data)
{
  struct opened opened;

  conn->now = now;
  fail_at_forgery_limit (conn);
  while (conn->error == DTLS_OK && !conn->is_peer_closed && next_opened (conn, datagram, &opened))
    {
      if (opened.epoch == 0)
        {
          take_plain (conn, &opened);
          conn_take_held (conn);
        }
      else if (take_protected (conn, &opened))
        {
          conn->read.n_opened++;
          if (conn->handshake != NULL) /* the peer has our last flight */
            conn_forget_handshake (conn);
          *out_data = (struct bytes){ opened.at, opened.len };
          return DTLS_READ_DATA;
        }
    }

  datagram->left = 0;
  datagram->found.is_set = false;
  return DTLS_READ_END;
}
