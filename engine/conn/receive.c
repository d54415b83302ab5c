/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Datagrams in. What each record may do depends on whether it was protected, and is decided here
 * and nowhere else: what fails below the handshake is counted and dropped; what an authenticated
 * record does wrong is fatal. */

#include "conn/conn.h"

#include "wire/alert.h"

void
conn_count_drop (struct dtls_conn *conn, enum dtls_drop drop)
{
  conn->read.dropped[drop]++;
}

void
conn_reject (struct dtls_conn *conn, uint16_t epoch, enum dtls_error error)
{
  if (epoch > 0)
    conn_fail (conn, error);
  else
    conn_count_drop (conn, DTLS_DROP_CONTENT);
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

  /* 1.3: nor does an ACK. Whoever closes was connected, so our last flight has come. */
  conn_let_go (conn);
}

static void
take_alert (struct dtls_conn *conn, const struct opened *opened)
{
  struct alert alert;
  bool is_good = alert_read ((struct bytes){ opened->at, opened->len }, &alert);

  if (!is_good || (alert.level != ALERT_LEVEL_WARNING && alert.level != ALERT_LEVEL_FATAL))
    {
      conn_reject (conn, opened->epoch, is_good ? DTLS_ERROR_BAD_ALERT : DTLS_ERROR_DECODE);
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

/* Believed until, in 1.2, the peer's Finished has verified (its repeated flight then comes with a
 * Finished that is protected), and in 1.3, its first protected record has opened. */
static bool
is_plain_believed (const struct dtls_conn *conn)
{
  return !conn->is_connected && conn->handshake != NULL && conn->handshake->state != CONNECTED
         && !conn->has_opened;
}

/* 1.3: a flight that is repeated has its plain beginning again. It tells us nothing, but is
 * acknowledged, or it would come for ever. */
static void
acknowledge_repeated (struct dtls_conn *conn, const struct opened *opened)
{
  struct reader reader = reader_over ((struct bytes){ opened->at, opened->len });
  struct fragment fragment;
  bool is_old = opened->len > 0;

  while (is_old && reader.left > 0)
    is_old = fragment_read (&reader, &fragment)
             && fragment.message_seq < reassembly_next_seq (conn->reassembly);

  if (is_old)
    conn_owe_ack (conn, opened->epoch, opened->number);
}

static void
take_unbelieved (struct dtls_conn *conn, const struct opened *opened)
{
  conn_count_drop (conn, DTLS_DROP_LATE);
  if (conn_is_13 (conn) && !conn->is_connected && conn->reassembly != NULL
      && opened->type == CONTENT_HANDSHAKE)
    acknowledge_repeated (conn, opened);
}

/* 1.2 has none. RFC 9147bis §7: one that came before the version is known counts for nothing. */
static void
take_ack (struct dtls_conn *conn, const struct opened *opened)
{
  if (conn_is_13 (conn))
    conn_take_ack (conn, opened);
  else
    conn_count_drop (conn, DTLS_DROP_TYPE);
}

static void
take_plain (struct dtls_conn *conn, const struct opened *opened)
{
  if (!is_plain_believed (conn))
    {
      take_unbelieved (conn, opened);
      return;
    }

  switch (opened->type)
    {
    case CONTENT_HANDSHAKE:
      conn_take_handshake (conn, opened);
      break;
    case CONTENT_ALERT:
      take_alert (conn, opened);
      break;
    case CONTENT_CHANGE_CIPHER_SPEC:
      if (opened->len == 1 && opened->at[0] == 1)
        conn->has_change_cipher_spec = true;
      else
        conn_count_drop (conn, DTLS_DROP_CONTENT);
      conn_advance (conn);
      break;
    case CONTENT_ACK:
      take_ack (conn, opened);
      break;
    default:
      conn_count_drop (conn, DTLS_DROP_TYPE);
      break;
    }
}

/* RFC 8449 §4: in 1.3 the type counts, and padding; so does RFC 9846 §5.2's 2^14 + 1. */
static bool
is_too_long (const struct dtls_conn *conn, const struct opened *opened)
{
  size_t limit = conn->known.read_limit;

  return opened->inner_len > (conn_is_13 (conn) ? limit + 1 : limit);
}

/* True when it is for the caller. */
static bool
take_data (struct dtls_conn *conn, const struct opened *opened)
{
  /* RFC 9147 §4.2.1: the handshake's epoch has none. */
  if (conn_is_13 (conn) && opened->epoch <= 2)
    conn_fail (conn, DTLS_ERROR_UNEXPECTED_MESSAGE);
  else if (!conn->is_connected)
    conn_count_drop (conn, DTLS_DROP_EARLY);
  else
    return true;

  return false;
}

static bool
take_protected (struct dtls_conn *conn, const struct opened *opened)
{
  if (is_too_long (conn, opened))
    {
      conn_fail (conn, DTLS_ERROR_RECORD_OVERFLOW);
      return false;
    }

  switch (opened->type)
    {
    case CONTENT_APPLICATION_DATA:
      return take_data (conn, opened);
    case CONTENT_HANDSHAKE:
      conn_take_handshake (conn, opened);
      break;
    case CONTENT_ALERT:
      take_alert (conn, opened);
      break;
    case CONTENT_CHANGE_CIPHER_SPEC:
      conn_fail (conn, DTLS_ERROR_UNEXPECTED_MESSAGE);
      break;
    case CONTENT_ACK:
      take_ack (conn, opened);
      break;
    default:
      conn_count_drop (conn, DTLS_DROP_TYPE);
      break;
    }

  return false;
}

bool
conn_take_opened (struct dtls_conn *conn, const struct opened *opened)
{
  if (opened->epoch > 0)
    return take_protected (conn, opened);

  take_plain (conn, opened);
  return false;
}

static bool
is_plain (const struct record *record)
{
  return record->form == RECORD_FORM_12 && record->header.epoch == 0;
}

static enum dtls_drop
open_any (struct dtls_conn *conn, const struct record *record, struct opened *out)
{
  struct epoch_read plain, *epoch;
  enum dtls_drop drop;

  if (is_plain (record))
    {
      epoch_read_init_plain (&plain);
      return record_open (&plain, record, out);
    }

  epoch = conn_read_epoch (conn, record);
  if (epoch == NULL)
    return DTLS_DROP_EPOCH;

  drop = record_open (epoch, record, out);
  if (drop == DTLS_DROP_NONE)
    conn_note_opened (conn, epoch);
  return drop;
}

static bool
is_at_forgery_limit (const struct read_half *read)
{
  return epoch_is_at_forgery_limit (&read->epoch)
         || (read->previous != NULL && epoch_is_at_forgery_limit (read->previous))
         || (read->next != NULL && epoch_is_at_forgery_limit (read->next));
}

/* ------------------------------------------------------------------------------ the read half */

/* The epochs that dtls_conn_read opens alone: a first record of the next one changes more than the
 * read half. */
static struct epoch_read *
epoch_to_read (struct read_half *read, const struct record *record)
{
  if (read->next != NULL && record_is_of (record, read->next))
    return NULL;
  if (record_is_of (record, &read->epoch))
    return &read->epoch;
  if (read->previous != NULL && record_is_of (record, read->previous))
    return read->previous;

  return NULL;
}

/* Opens the next record. False: it is left where it is, for dtls_conn_receive. */
static bool
open_in_read_half (struct read_half *read, struct dtls_datagram *datagram, struct opened *out,
                   enum dtls_drop *out_drop)
{
  uint8_t *at = datagram->at;
  size_t left = datagram->left;
  struct epoch_read *epoch = NULL;
  struct record record;

  *out_drop = record_split (&at, &left, &record);
  if (*out_drop == DTLS_DROP_NONE)
    {
      epoch = epoch_to_read (read, &record);
      if (epoch == NULL)
        return false;
      *out_drop = record_open (epoch, &record, out);
    }

  datagram->at = at;
  datagram->left = left;
  if (*out_drop != DTLS_DROP_NONE)
    {
      read->dropped[*out_drop]++;
      if (*out_drop == DTLS_DROP_AUTHENTICATION && epoch_is_at_forgery_limit (epoch))
        read->is_open = false;
    }

  return true;
}

static void
set_found (struct dtls_datagram *datagram, const struct opened *opened)
{
  datagram->found.is_set = true;
  datagram->found.type = opened->type;
  datagram->found.epoch = opened->epoch;
  datagram->found.number = opened->number;
  datagram->found.at = opened->at;
  datagram->found.len = opened->len;
  datagram->found.inner_len = opened->inner_len;
}

enum dtls_read
dtls_conn_read (struct dtls_conn *conn, struct dtls_datagram *datagram, struct bytes *out_data)
{
  struct read_half *read = &conn->read;
  struct opened opened;
  enum dtls_drop drop;

  while (read->is_open && !datagram->found.is_set && datagram->left > 0
         && open_in_read_half (read, datagram, &opened, &drop))
    {
      if (drop != DTLS_DROP_NONE)
        continue;

      if (opened.type == CONTENT_APPLICATION_DATA && !is_too_long (conn, &opened)
          && opened.epoch != 2)
        {
          read->n_opened++;
          *out_data = (struct bytes){ opened.at, opened.len };
          return DTLS_READ_DATA;
        }

      set_found (datagram, &opened);
    }

  return datagram->found.is_set || datagram->left > 0 ? DTLS_READ_CONTROL : DTLS_READ_END;
}

/* -------------------------------------------------------------------------------- all of it */

static void
fail_at_forgery_limit (struct dtls_conn *conn)
{
  if (is_at_forgery_limit (&conn->read))
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
      *out =
          (struct opened){ datagram->found.type, datagram->found.epoch, datagram->found.number,
                           datagram->found.at,   datagram->found.len,   datagram->found.inner_len };
      return true;
    }

  while (datagram->left > 0 && conn->error == DTLS_OK)
    {
      enum dtls_drop drop = record_split (&datagram->at, &datagram->left, &record);

      if (drop == DTLS_DROP_NONE)
        drop = open_any (conn, &record, out);
      if (drop == DTLS_DROP_NONE)
        return true;
      if (drop == DTLS_DROP_EPOCH && conn_hold (conn, &record))
        continue;

      conn_count_drop (conn, drop);
      fail_at_forgery_limit (conn);
    }

  return false;
}

enum dtls_read
dtls_conn_receive (struct dtls_conn *conn, dtls_time now, struct dtls_datagram *datagram,
                   struct bytes *out_data)
{
  struct opened opened;

  conn->now = now;
  if (timers_is_epoch_over (&conn->timers, now))
    conn_drop_previous_epoch (conn);
  fail_at_forgery_limit (conn);
  while (conn->error == DTLS_OK && !conn->is_peer_closed
         && (next_opened (conn, datagram, &opened) || conn_next_held (conn, true, &opened)))
    {
      if (!conn_take_opened (conn, &opened))
        continue;

      conn->read.n_opened++;
      if (conn->flight == FLIGHT_LAST) /* 1.2: the peer has it */
        conn_forget_handshake (conn);
      *out_data = (struct bytes){ opened.at, opened.len };
      return DTLS_READ_DATA;
    }

  conn_watch_limits (conn);
  datagram->left = 0;
  datagram->found.is_set = false;
  return DTLS_READ_END;
}
