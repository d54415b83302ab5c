/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Handshake records in: their fragments to reassembly, each held against the epoch that is due. In 1.2
 * one after the other, as each may change what the next one means; in 1.3, and until the version is
 * known, all of a record first, since the record is acknowledged as one. */

#include "conn/conn.h"

/* A server's handshake begins with the first piece of a hello, whole or not: one that stays a piece
 * must not hold the connection for good. */
static void
start_deadline (struct dtls_conn *conn)
{
  if (conn->role == DTLS_SERVER && !conn->has_begun)
    timers_handshake_started (&conn->timers, conn->now, conn->config->handshake_deadline);
  conn->has_begun = true;
}

/* False if it was left out as too far ahead. */
static bool
add_fragment (struct dtls_conn *conn, const struct fragment *fragment, uint16_t epoch,
              bool *out_is_new)
{
  size_t cap = handshake_message_cap (conn->handshake, fragment->type);

  *out_is_new = false;
  switch (reassembly_add (conn->reassembly, fragment, cap))
    {
    case REASSEMBLY_TAKEN:
      start_deadline (conn);
      *out_is_new = true;
      break;
    case REASSEMBLY_DUPLICATE:
    case REASSEMBLY_OLD:
      conn_count_drop (conn, DTLS_DROP_LATE);
      break;
    case REASSEMBLY_TOO_FAR:
      conn_count_drop (conn, DTLS_DROP_EARLY);
      return false;
    case REASSEMBLY_CONTRADICTS:
      conn_reject (conn, epoch, DTLS_ERROR_ILLEGAL_PARAMETER);
      return false;
    case REASSEMBLY_TOO_LONG:
      conn_fail (conn, DTLS_ERROR_MESSAGE_TOO_LONG);
      break;
    case REASSEMBLY_NO_MEMORY:
      conn_fail (conn, DTLS_ERROR_NO_MEMORY);
      break;
    }

  return true;
}

static uint32_t
next_seq (const struct dtls_conn *conn)
{
  return conn->reassembly != NULL ? reassembly_next_seq (conn->reassembly) : conn->next_message_seq;
}

/* ------------------------------------------------------------------------------------------ 1.2 */

/* A message of the other epoch than the one that is due: plaintext where the peer's Finished is
 * awaited. */
static void
take_stale_fragment (struct dtls_conn *conn, const struct fragment *fragment)
{
  bool is_whole = fragment->body.left == fragment->message_len;

  /* The peer repeats its flight; or it, or someone, sends the next message without the new keys. */
  if (is_whole && fragment->message_seq == next_seq (conn))
    conn_fail (conn, DTLS_ERROR_UNEXPECTED_MESSAGE);
  else
    conn_count_drop (conn, DTLS_DROP_LATE);
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

/* RFC 6347 §4.2.2: another handshake would begin again with number 0. Repeated hellos come
 * unprotected. */
static bool
is_renegotiation (const struct dtls_conn *conn, const struct fragment *fragment)
{
  return conn->is_connected && (fragment->type == HELLO_REQUEST || fragment->type == CLIENT_HELLO);
}

/* After the handshake: only its own end may come again. */
static void
take_late_fragment (struct dtls_conn *conn, const struct fragment *fragment)
{
  uint32_t next = next_seq (conn);

  if (fragment->message_seq < next)
    {
      conn_count_drop (conn, DTLS_DROP_LATE);
      if (fragment->type == FINISHED && fragment->message_seq == next - 1 && fragment->offset == 0)
        repeat_last_flight (conn);
      return;
    }

  conn_fail (conn, DTLS_ERROR_UNEXPECTED_MESSAGE);
}

static void
take_fragment_12 (struct dtls_conn *conn, const struct fragment *fragment, uint16_t epoch)
{
  bool is_new;

  if (is_renegotiation (conn, fragment))
    conn_fail (conn, DTLS_ERROR_RENEGOTIATION);
  else if (conn->is_connected)
    take_late_fragment (conn, fragment);
  else if (epoch != conn->read.epoch.number)
    take_stale_fragment (conn, fragment);
  else
    add_fragment (conn, fragment, epoch, &is_new);

  conn_advance (conn);
}

static void
take_12 (struct dtls_conn *conn, struct reader *reader, uint16_t epoch)
{
  bool was_connected = conn->is_connected;
  struct fragment fragment;

  while (reader->left > 0 && conn->error == DTLS_OK)
    {
      if (!fragment_read (reader, &fragment))
        conn_reject (conn, epoch, DTLS_ERROR_DECODE);
      else if (conn->is_connected && !was_connected)
        conn_fail (conn, DTLS_ERROR_EXCESS_HANDSHAKE_DATA); /* behind the Finished, in its record */
      else
        take_fragment_12 (conn, &fragment, epoch);
      if (!reader_ok (reader))
        return;
    }
}

/* --------------------------------------------------------------------------- 1.3, or not known yet */

enum place
{
  PLACE_NEW,   /* it brought something */
  PLACE_KNOWN, /* it was here, or came before */
  PLACE_NONE,  /* left out: the record is not acknowledged */
};

/* A new message in another epoch than the newest that the peer may use. */
static enum place
take_misplaced_fragment (struct dtls_conn *conn, const struct fragment *fragment, uint16_t epoch)
{
  bool is_whole = fragment->body.left == fragment->message_len;

  /* In the clear a whole message in its turn is believed, and then wrong; a piece is noise. */
  if (epoch > 0 || (is_whole && fragment->message_seq == next_seq (conn)))
    conn_fail (conn, DTLS_ERROR_EXCESS_HANDSHAKE_DATA);
  else
    conn_count_drop (conn, DTLS_DROP_EARLY);

  return PLACE_NONE;
}

static enum place
take_fragment_13 (struct dtls_conn *conn, const struct fragment *fragment, uint16_t epoch)
{
  uint16_t due = conn->read.next != NULL ? conn->read.next->number : conn->read.epoch.number;
  bool is_new;

  if (is_renegotiation (conn, fragment))
    {
      conn_fail (conn, DTLS_ERROR_RENEGOTIATION);
      return PLACE_NONE;
    }

  if (fragment->message_seq < next_seq (conn))
    {
      conn_count_drop (conn, DTLS_DROP_LATE);
      return PLACE_KNOWN;
    }

  if (epoch != due)
    return take_misplaced_fragment (conn, fragment, epoch);
  if (conn->handshake == NULL && !conn_begin_post (conn))
    return PLACE_NONE;
  if (!add_fragment (conn, fragment, epoch, &is_new))
    return PLACE_NONE;

  return is_new ? PLACE_NEW : PLACE_KNOWN;
}

/* RFC 9147 §7.1: the peer's next flight says that ours has arrived. Later only an ACK says so. What comes
 * before the version is known may be of 1.2: it is acknowledged with what follows. */
static void
note_arrival (struct dtls_conn *conn, const struct opened *opened, bool is_new)
{
  if (!conn_is_13 (conn))
    {
      acks_add (&conn->acks, opened->epoch, opened->number);
      return;
    }

  conn_owe_ack (conn, opened->epoch, opened->number);
  if (is_new && !conn->is_connected && conn->flight == FLIGHT_AWAITS_ANSWER)
    conn_flight_acknowledged (conn);
}

static void
take_13 (struct dtls_conn *conn, struct reader *reader, const struct opened *opened)
{
  bool is_new = false, is_left_out = false;
  struct fragment fragment;

  while (reader->left > 0 && conn->error == DTLS_OK)
    {
      enum place place = PLACE_NONE;

      if (!fragment_read (reader, &fragment))
        {
          conn_reject (conn, opened->epoch, DTLS_ERROR_DECODE);
          return;
        }

      place = take_fragment_13 (conn, &fragment, opened->epoch);
      is_new |= place == PLACE_NEW;
      is_left_out |= place == PLACE_NONE;
    }

  if (conn->error != DTLS_OK)
    return;
  if (!is_left_out)
    note_arrival (conn, opened, is_new);
  conn_advance (conn);
}

/* ------------------------------------------------------------------------------------- the door */

void
conn_take_handshake (struct dtls_conn *conn, const struct opened *opened)
{
  struct reader reader = reader_over ((struct bytes){ opened->at, opened->len });

  /* RFC 5246 §6.2.1, RFC 9846 §5.1: no empty fragments of a handshake message's type. */
  if (opened->len == 0)
    conn_reject (conn, opened->epoch, DTLS_ERROR_DECODE);
  else if (conn->known.version != VERSION_DTLS_1_2)
    take_13 (conn, &reader, opened);
  else
    take_12 (conn, &reader, opened->epoch);
}
