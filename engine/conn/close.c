/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Closing our side. A client of 1.3 may seal data, and close, before its last flight has arrived; then
 * flight and data go on being sent for up to a second, or what it sent would be lost without a word. */

#include "conn/conn.h"

#include "wire/alert.h"

#include <string.h>

enum
{
  LENGTH_LEN = 2,
};

void
sent_data_keep (struct sent_data *sent, struct bytes record)
{
  if (record.left > UINT16_MAX || LENGTH_LEN + record.left > MAX_SENT_DATA - sent->used)
    return;

  sent->records[sent->used] = (uint8_t) (record.left >> 8);
  sent->records[sent->used + 1] = (uint8_t) record.left;
  memcpy (sent->records + sent->used + LENGTH_LEN, record.at, record.left);
  sent->used += LENGTH_LEN + record.left;
  sent->sending = sent->used;
}

bool
sent_data_next (struct sent_data *sent, size_t room, struct bytes *out_record)
{
  while (sent->sending < sent->used)
    {
      const uint8_t *at = sent->records + sent->sending;

      *out_record = (struct bytes){ at + LENGTH_LEN, (size_t) (at[0] << 8 | at[1]) };
      sent->sending += LENGTH_LEN + out_record->left;
      if (out_record->left <= room)
        return true;
    }

  return false;
}

bool
dtls_conn_is_lingering (const struct dtls_conn *conn)
{
  return conn->is_closed && conn->error == DTLS_OK && timers_is_lingering (&conn->timers);
}

void
conn_end_linger (struct dtls_conn *conn)
{
  timers_linger_done (&conn->timers);
  wipe_free (conn->write.sent, sizeof *conn->write.sent);
  conn->write.sent = NULL;
}

void
conn_let_go (struct dtls_conn *conn)
{
  if (conn->flight != FLIGHT_AWAITS_ACK)
    return;

  conn->key_update = KEY_UPDATE_NONE;
  conn_flight_acknowledged (conn);
}

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

  if (conn->write.sent != NULL)
    timers_linger (&conn->timers, now);
  else
    conn_let_go (conn); /* tickets, a KeyUpdate */
}

void
dtls_conn_abort (struct dtls_conn *conn, dtls_time now, uint8_t alert)
{
  conn->now = now;
  conn->is_closed = true;
  conn_fail_with (conn, DTLS_ERROR_CLOSED, alert);
}
