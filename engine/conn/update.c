/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* KeyUpdate of ours (RFC 9147 §8), asked for by the application, by the peer, or by the limits of the
 * keys in use. One at a time, and none while another flight waits for its ACK. */

#include "conn/conn.h"

#include "handshake/post13.h"

bool
conn_begin_post (struct dtls_conn *conn)
{
  struct handshake_parts parts = {
    .config = conn->config,
    .crypto = conn->crypto,
    .role = conn->role,
    .known = &conn->known,
    .peer = &conn->peer,
  };

  if (conn->handshake != NULL)
    return true;

  conn->handshake = handshake_new_post (&parts, conn->next_send_seq);
  conn->reassembly = reassembly_new (conn->next_message_seq);
  conn->outbox = outbox_new ();
  if (conn->handshake != NULL && conn->reassembly != NULL && conn->outbox != NULL)
    return true;

  conn_fail (conn, DTLS_ERROR_NO_MEMORY);
  return false;
}

void
conn_send_key_update (struct dtls_conn *conn)
{
  enum key_update_request request = conn->key_update_asks ? UPDATE_REQUESTED : UPDATE_NOT_REQUESTED;
  struct effects effects;

  if (conn->key_update != KEY_UPDATE_DUE || conn->error != DTLS_OK || conn->is_closed
      || conn->is_peer_closed || !conn->is_connected || conn->flight != FLIGHT_NONE
      || !conn_begin_post (conn))
    return;

  effects_init (&effects);
  conn->key_update = KEY_UPDATE_SENT;
  conn->key_update_has_asked = conn->key_update_asks;
  conn->key_update_asks = false;
  conn_do_effects (conn, &effects, post13_send_key_update (conn->handshake, request, &effects));
}

/* One that was sent and not acknowledged yet does what is asked for, unless the peer is to be asked and
 * it did not: then another follows. */
void
conn_request_key_update (struct dtls_conn *conn, bool asks_peer)
{
  if (conn->key_update == KEY_UPDATE_SENT)
    {
      conn->key_update_asks |= asks_peer && !conn->key_update_has_asked;
      return;
    }

  conn->key_update = KEY_UPDATE_DUE;
  conn->key_update_asks |= asks_peer;
  conn_send_key_update (conn);
}

enum dtls_error
dtls_conn_update_keys (struct dtls_conn *conn, dtls_time now, enum dtls_key_update update)
{
  conn->now = now;
  if (conn->error != DTLS_OK)
    return conn->error;
  if (!conn->is_connected || !conn_is_13 (conn))
    return DTLS_ERROR_NOT_CONNECTED;
  /* A peer that has closed acknowledges nothing any more. */
  if (conn->is_closed || conn->is_peer_closed)
    return DTLS_ERROR_CLOSED;

  conn_request_key_update (conn, update == DTLS_KEY_UPDATE_BOTH);
  return conn->error;
}

void
conn_watch_limits (struct dtls_conn *conn)
{
  struct epoch_read *read = &conn->read.epoch;

  if (!conn->is_connected || !conn_is_13 (conn) || conn->error != DTLS_OK || conn->is_closed
      || conn->is_peer_closed)
    return;

  if (epoch_wants_update (&conn->write.epoch) && conn->key_update == KEY_UPDATE_NONE)
    conn_request_key_update (conn, false);

  /* RFC 9147 §4.5.3: the peer's keys wear out too; once is enough to tell it. */
  if (epoch_read_wants_update (read) && conn->key_update_asked != read->number)
    {
      conn->key_update_asked = read->number;
      conn_request_key_update (conn, true);
    }
}
