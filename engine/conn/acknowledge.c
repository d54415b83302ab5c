/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* ACKs of DTLS 1.3, RFC 9147 §7, both ways: what the peer has of our flight, and what we have of
 * its. */

#include "conn/conn.h"

#include "handshake/post13.h"
#include "wire/ack.h"

void
conn_owe_ack (struct dtls_conn *conn, uint16_t epoch, uint64_t number)
{
  acks_add (&conn->acks, epoch, number);
  if (!conn->has_ack)
    timers_ack_owed (&conn->timers, conn->now);
}

/* RFC 9147bis §7: during a handshake nobody can know of records of an epoch above the ACK's own. After
 * it epochs of the two directions have nothing to do with each other. */
static bool
is_legal (const struct dtls_conn *conn, struct bytes numbers, uint16_t epoch)
{
  struct record_number number;

  while (ack_next (&numbers, &number))
    if (number.number > MAX_RECORD_NUMBER || (!conn->is_connected && number.epoch > epoch))
      return false;

  return true;
}

void
conn_flight_acknowledged (struct dtls_conn *conn)
{
  struct effects effects;

  timers_flight_answered (&conn->timers);
  outbox_clear (conn->outbox);
  conn->flight = FLIGHT_NONE;
  conn_drop_old_write (conn);
  conn_end_linger (conn);

  if (conn->key_update == KEY_UPDATE_SENT)
    {
      effects_init (&effects);
      conn->key_update = conn->key_update_asks ? KEY_UPDATE_DUE : KEY_UPDATE_NONE;
      conn_do_effects (conn, &effects,
                       post13_on_key_update_acknowledged (conn->handshake, &effects));
    }

  conn_send_key_update (conn);
}

/* RFC 9147 §7.2: what an ACK leaves out was probably lost. */
static void
send_the_rest (struct dtls_conn *conn)
{
  uint16_t epoch;

  if (!conn->config->answers_partial_acks || outbox_has_more (conn->outbox, &epoch))
    return;

  conn->n_retransmissions++;
  conn_transmit (conn);
}

void
conn_take_ack (struct dtls_conn *conn, const struct opened *opened)
{
  struct record_number number;
  struct bytes numbers;
  bool is_news = false;

  if (!ack_read ((struct bytes){ opened->at, opened->len }, &numbers))
    {
      conn_reject (conn, opened->epoch, DTLS_ERROR_DECODE);
      return;
    }
  if (!is_legal (conn, numbers, opened->epoch))
    {
      conn_fail (conn, DTLS_ERROR_ILLEGAL_PARAMETER);
      return;
    }
  if (conn->outbox == NULL || conn->flight < FLIGHT_AWAITS_ANSWER)
    return;

  while (ack_next (&numbers, &number))
    if (number.epoch <= UINT16_MAX)
      is_news |= outbox_acknowledge (conn->outbox, (uint16_t) number.epoch, number.number);

  if (is_news && outbox_is_acknowledged (conn->outbox))
    conn_flight_acknowledged (conn);
  else if (is_news)
    send_the_rest (conn);
  conn_advance (conn);
}
