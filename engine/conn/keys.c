/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Epochs of a connection: keys installed as the handshake says, and which of the epochs a record is of.
 *
 *   1.2  reads and writes 0, then 1
 *   1.3  writes 0, 2, 3 and on; the one before stays while a flight has something of it
 *        reads 0, 2, then up to three at once: the current one, the next from the moment that the peer
 *        may use it, and the one before for 240 s */

#include "conn/conn.h"

#include "handshake/keylog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- secrets */

static struct epoch_keys
keys_of_block (const struct key_block *block, enum dtls_role sender)
{
  struct epoch_keys keys = { .form = RECORD_FORM_12, .algorithm = block->algorithm };

  memcpy (keys.key, sender == DTLS_CLIENT ? block->client_key : block->server_key,
          sizeof block->client_key);
  memcpy (keys.iv, sender == DTLS_CLIENT ? block->client_iv : block->server_iv,
          sizeof block->client_iv);
  return keys;
}

static const uint8_t *
traffic_secret (const struct dtls_conn *conn, uint16_t epoch, enum dtls_role sender)
{
  const struct schedule13 *schedule = &conn->handshake->schedule;

  if (epoch == 2)
    return sender == DTLS_CLIENT ? schedule->client_handshake : schedule->server_handshake;

  return sender == DTLS_CLIENT ? conn->known.client_traffic : conn->known.server_traffic;
}

static bool
keys_of (const struct dtls_conn *conn, uint16_t epoch, enum dtls_role sender,
         struct epoch_keys *out)
{
  struct traffic_keys traffic;

  if (epoch == 1)
    {
      *out = keys_of_block (&conn->handshake->key_block, sender);
      return true;
    }

  if (!schedule13_traffic_keys (conn->crypto, conn->handshake->suite,
                                traffic_secret (conn, epoch, sender), &traffic))
    return false;

  *out = (struct epoch_keys){ .form = RECORD_FORM_13, .algorithm = traffic.algorithm };
  memcpy (out->key, traffic.key, sizeof traffic.key);
  memcpy (out->number_key, traffic.number_key, sizeof traffic.number_key);
  memcpy (out->iv, traffic.iv, sizeof traffic.iv);
  wipe (&traffic, sizeof traffic);
  return true;
}

/* -------------------------------------------------------------------------------------- writing */

void
conn_drop_old_write (struct dtls_conn *conn)
{
  if (conn->old_write == NULL)
    return;

  epoch_write_clear (conn->old_write);
  free (conn->old_write);
  conn->old_write = NULL;
}

/* The epoch that we leave stays as long as the flight under way has something of it. */
static enum dtls_error
retire_write (struct dtls_conn *conn)
{
  struct epoch_write *current = &conn->write.epoch;

  if (current->number == 0 || !outbox_needs_epoch (conn->outbox, current->number))
    {
      epoch_write_clear (current);
      return DTLS_OK;
    }

  conn_drop_old_write (conn);
  conn->old_write = malloc (sizeof *conn->old_write);
  if (conn->old_write == NULL)
    return DTLS_ERROR_NO_MEMORY;

  *conn->old_write = *current;
  return DTLS_OK;
}

enum dtls_error
conn_install_write (struct dtls_conn *conn, uint16_t epoch)
{
  struct epoch_keys keys;
  struct epoch_write fresh;
  bool is_ready = keys_of (conn, epoch, conn->role, &keys)
                  && epoch_write_init (&fresh, conn->crypto, epoch, &keys);

  wipe (&keys, sizeof keys);
  if (!is_ready)
    return DTLS_ERROR_CRYPTO;

  if (retire_write (conn) != DTLS_OK)
    {
      epoch_write_clear (&fresh);
      return DTLS_ERROR_NO_MEMORY;
    }

  conn->write.epoch = fresh;
  conn->known.write_epoch = epoch;
  if (epoch == 1)
    keylog_secret (conn->config, "CLIENT_RANDOM", conn->known.randoms,
                   (struct bytes){ conn->known.master_secret, MASTER_SECRET_LEN });
  return DTLS_OK;
}

struct epoch_write *
conn_write_epoch (struct dtls_conn *conn, uint16_t number)
{
  if (number == 0)
    return &conn->plain;
  if (conn->old_write != NULL && conn->old_write->number == number)
    return conn->old_write;

  return &conn->write.epoch;
}

/* -------------------------------------------------------------------------------------- reading */

static void
drop_read (struct epoch_read **epoch)
{
  if (*epoch == NULL)
    return;

  epoch_read_clear (*epoch);
  free (*epoch);
  *epoch = NULL;
}

static enum dtls_error
init_read (struct dtls_conn *conn, uint16_t epoch, struct epoch_read *out)
{
  enum dtls_role peer = conn->role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  struct epoch_keys keys;
  bool is_ready =
      keys_of (conn, epoch, peer, &keys) && epoch_read_init (out, conn->crypto, epoch, &keys);

  wipe (&keys, sizeof keys);
  if (!is_ready)
    return DTLS_ERROR_CRYPTO;

  epoch_read_set_window (out, conn->config->replay_window);
  return DTLS_OK;
}

/* Keys change between messages: what there is of the next one would be believed under the new keys;
 * anything further ahead was never a message of this epoch's (RFC 6347 §4.1, RFC 9846 §5.1). */
static enum dtls_error
cut_messages (struct dtls_conn *conn)
{
  if (reassembly_has_begun_next (conn->reassembly))
    return DTLS_ERROR_EXCESS_HANDSHAKE_DATA;

  reassembly_restart (conn->reassembly, reassembly_next_seq (conn->reassembly));
  return DTLS_OK;
}

/* The peer may still repeat its last flight in the current epoch, or use it until it hears of our
 * ACK. */
static enum dtls_error
install_next (struct dtls_conn *conn, uint16_t epoch)
{
  struct epoch_read *next = malloc (sizeof *next);
  enum dtls_error error;

  if (next == NULL)
    return DTLS_ERROR_NO_MEMORY;

  error = init_read (conn, epoch, next);
  if (error != DTLS_OK)
    {
      free (next);
      return error;
    }

  drop_read (&conn->read.next);
  conn->read.next = next;
  return DTLS_OK;
}

enum dtls_error
conn_install_read (struct dtls_conn *conn, uint16_t epoch)
{
  TRY (cut_messages (conn));
  TRY (epoch <= 2 ? init_read (conn, epoch, &conn->read.epoch) : install_next (conn, epoch));

  conn->known.read_epoch = epoch;
  if (conn->held != NULL)
    conn->held->may_open = true;
  return DTLS_OK;
}

struct epoch_read *
conn_read_epoch (struct dtls_conn *conn, const struct record *record)
{
  struct read_half *read = &conn->read;

  if (read->next != NULL && record_is_of (record, read->next))
    return read->next;
  if (read->epoch.number > 0 && record_is_of (record, &read->epoch))
    return &read->epoch;
  if (read->previous != NULL && record_is_of (record, read->previous))
    return read->previous;

  return NULL;
}

void
conn_drop_previous_epoch (struct dtls_conn *conn)
{
  drop_read (&conn->read.previous);
  timers_epoch_dropped (&conn->timers);
}

void
conn_note_opened (struct dtls_conn *conn, const struct epoch_read *epoch)
{
  struct read_half *read = &conn->read;
  struct epoch_read current = read->epoch;

  conn->has_opened = true;
  if (epoch != read->next)
    return;

  drop_read (&read->previous);
  read->epoch = *read->next;
  read->previous = read->next;
  read->next = NULL;
  *read->previous = current;
  timers_epoch_changed (&conn->timers, conn->now);
}

void
conn_clear_read (struct dtls_conn *conn)
{
  epoch_read_clear (&conn->read.epoch);
  drop_read (&conn->read.next);
  drop_read (&conn->read.previous);
}
