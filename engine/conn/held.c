/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Records that came before their keys: held as they came, and opened when the keys are there. What is of
 * an epoch still to come stays; what does not open is dropped. */

#include "conn/conn.h"

#include <stdlib.h>
#include <string.h>

enum
{
  LENGTH_LEN = 2,
};

/* Whether keys that are to come could open it. */
static bool
may_open_later (const struct dtls_conn *conn, const struct record *record)
{
  if (conn->handshake == NULL || conn->is_connected || conn->read.next != NULL)
    return false;
  if (record->form == RECORD_FORM_13)
    return conn->known.version != VERSION_DTLS_1_2;

  return record->header.epoch == 1 && record->header.type == CONTENT_HANDSHAKE
         && conn->read.epoch.number == 0 && !conn_is_13 (conn);
}

bool
conn_hold (struct dtls_conn *conn, const struct record *record)
{
  size_t len = (size_t) (record->body + record->len - record->at);
  struct held *held;

  if (!may_open_later (conn, record))
    return false;
  if (conn->held == NULL)
    conn->held = calloc (1, sizeof *conn->held);

  held = conn->held;
  if (held == NULL || LENGTH_LEN + len > MAX_HELD_LEN - held->used)
    return false;

  held->records[held->used] = (uint8_t) (len >> 8);
  held->records[held->used + 1] = (uint8_t) len;
  memcpy (held->records + held->used + LENGTH_LEN, record->at, len);
  held->used += LENGTH_LEN + len;
  return true;
}

/* The record at `taken` goes back to the front, to wait on. */
static void
keep (struct held *held, size_t len)
{
  memmove (held->records + held->kept, held->records + held->taken, len);
  held->kept += len;
}

static void
end_pass (struct dtls_conn *conn, bool may_open)
{
  struct held *held = conn->held;

  held->used = held->kept;
  held->taken = 0;
  held->kept = 0;
  held->may_open = may_open;
  if (held->used == 0 || (conn->is_connected && !may_open))
    {
      free (held);
      conn->held = NULL;
    }
}

/* 1.3's data never comes in the handshake's epoch. */
static bool
may_be_data (const struct record *record)
{
  return record->form == RECORD_FORM_13 && record->unified.epoch_bits != 2;
}

/* False if it is to wait on. */
static bool
open_held (struct dtls_conn *conn, const struct record *record, struct opened *out,
           bool *out_is_open)
{
  struct epoch_read *epoch = conn_read_epoch (conn, record);
  enum dtls_drop drop;

  *out_is_open = false;
  if (epoch == NULL)
    return conn->is_connected;

  drop = record_open (epoch, record, out);
  if (drop == DTLS_DROP_NONE)
    conn_note_opened (conn, epoch);
  else
    conn_count_drop (conn, drop);
  *out_is_open = drop == DTLS_DROP_NONE;
  return true;
}

bool
conn_next_held (struct dtls_conn *conn, bool with_data, struct opened *out)
{
  struct held *held = conn->held;
  bool is_left = false, is_open;

  if (held == NULL || !held->may_open)
    return false;

  while (held->taken < held->used)
    {
      uint8_t *at = held->records + held->taken;
      size_t len = (size_t) (at[0] << 8 | at[1]);
      struct record record;

      at += LENGTH_LEN;
      is_open = false;
      if (record_split (&at, &len, &record) == DTLS_DROP_NONE)
        {
          size_t whole = (size_t) (record.body + record.len - held->records) - held->taken;
          bool is_put_off = !with_data && may_be_data (&record);

          is_left |= is_put_off;
          if (is_put_off || !open_held (conn, &record, out, &is_open))
            keep (held, whole);
          held->taken += whole;
        }
      else
        {
          held->taken = held->used;
        }
      if (is_open)
        return true;
    }

  end_pass (conn, is_left);
  return false;
}

void
conn_take_held (struct dtls_conn *conn)
{
  struct opened opened;

  while (conn->error == DTLS_OK && conn_next_held (conn, false, &opened))
    conn_take_opened (conn, &opened);
}
