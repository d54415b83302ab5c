/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A connection's life: made, advanced by what came, failed, freed. Effects of the handshake become
 * records, keys and events here. */

#include "conn/conn.h"

#include "conn/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------- events and the end */

void
conn_event (struct dtls_conn *conn, enum dtls_event event)
{
  /* A session that nobody took yet: the newest is what is there. */
  if (event == DTLS_EVENT_SESSION)
    for (unsigned i = 0; i < conn->n_events; i++)
      if (conn->events[i] == event)
        return;

  assert (conn->n_events < MAX_EVENTS);
  conn->events[conn->n_events++] = event;
}

enum dtls_event
dtls_conn_next_event (struct dtls_conn *conn)
{
  enum dtls_event event = DTLS_EVENT_NONE;

  if (conn->n_events > 0)
    {
      event = conn->events[0];
      conn->n_events--;
      memmove (conn->events, conn->events + 1, conn->n_events * sizeof conn->events[0]);
    }

  return event;
}

void
conn_forget_handshake (struct dtls_conn *conn)
{
  if (conn->reassembly != NULL)
    conn->next_message_seq = reassembly_next_seq (conn->reassembly);
  if (conn->handshake != NULL)
    conn->next_send_seq = conn->handshake->next_send_seq;

  handshake_free (conn->handshake);
  reassembly_free (conn->reassembly);
  outbox_free (conn->outbox);
  conn->handshake = NULL;
  conn->reassembly = NULL;
  conn->outbox = NULL;
  conn->flight = FLIGHT_NONE;
  epoch_write_clear (&conn->plain);
  conn_drop_old_write (conn);
  timers_last_flight_done (&conn->timers);

  if (conn->is_connected && conn->error == DTLS_OK && !conn->is_peer_closed)
    conn->read.is_open = true;
}

void
conn_fail_with (struct dtls_conn *conn, enum dtls_error error, int alert)
{
  if (conn->error != DTLS_OK)
    return;

  conn->error = error;
  conn->read.is_open = false;
  conn->write.is_open = false;
  conn->write.refusal = error;
  timers_handshake_over (&conn->timers);
  timers_last_flight_done (&conn->timers);
  conn_drop_previous_epoch (conn);
  conn_end_linger (conn);
  conn->has_ack = false;

  /* The flight is of no use any more; the handshake goes with the alert, which may need epoch 0. */
  if (conn->outbox != NULL)
    outbox_clear (conn->outbox);
  conn->flight = FLIGHT_NONE;

  conn->has_alert = alert >= 0;
  if (alert >= 0)
    {
      conn->alert_level = ALERT_LEVEL_FATAL;
      conn->alert_description = (uint8_t) alert;
    }

  conn->n_events = 0;
  conn_event (conn, DTLS_EVENT_FAILED);
}

void
conn_fail (struct dtls_conn *conn, enum dtls_error error)
{
  /* RFC 9846 §4.5.1: 1.3 has an alert of its own for it. */
  bool is_special = error == DTLS_ERROR_CERTIFICATE_REQUIRED && conn_is_13 (conn);

  conn_fail_with (conn, error, is_special ? ALERT_CERTIFICATE_REQUIRED : dtls_error_alert (error));
}

/* -------------------------------------------------------------------------------------- effects */

/* Without memory for it, data that is sent before an early close is not sent again. */
static void
begin_sent_data (struct dtls_conn *conn)
{
  if (conn->role == DTLS_CLIENT && conn->flight == FLIGHT_AWAITS_ACK)
    conn->write.sent = calloc (1, sizeof *conn->write.sent);
}

static void
connected (struct dtls_conn *conn)
{
  conn->is_connected = true;
  conn->write.is_open = !conn->is_closed;
  if (!conn_is_13 (conn))
    {
      timers_handshake_over (&conn->timers);
      return;
    }

  /* The last flight still waits for its ACK. */
  timers_deadline_over (&conn->timers);
  conn->read.is_open = true;
  begin_sent_data (conn);
}

void
conn_transmit (struct dtls_conn *conn)
{
  outbox_rewind (conn->outbox);
  conn->burst_left = BURST_RECORDS;
  if (conn->write.sent != NULL && conn->is_closed)
    conn->write.sent->sending = 0;
}

static void
begin_flight (struct dtls_conn *conn)
{
  outbox_clear (conn->outbox);
  conn->flight = FLIGHT_UNFINISHED;
  timers_flight_begins (&conn->timers);
  conn->flight_is_ack = conn->write.epoch.number <= 2;
}

/* RFC 9147 §7.1: a flight of the handshake says that the one that it answers has come; but only when it
 * goes out, and a signature may take its time. */
static void
end_flight (struct dtls_conn *conn, enum flight_kind kind)
{
  if (conn->flight_is_ack)
    {
      acks_clear (&conn->acks);
      timers_ack_done (&conn->timers);
      conn->has_ack = false;
    }

  conn->flight = kind;
  conn_transmit (conn);
}

static void
acknowledge_now (struct dtls_conn *conn)
{
  timers_ack_done (&conn->timers);
  conn->has_ack = true;
}

static enum dtls_error
do_effect (struct dtls_conn *conn, const struct effect *effect)
{
  uint16_t epoch = conn->write.epoch.number;

  switch (effect->kind)
    {
    case EFFECT_BEGIN_FLIGHT:
      begin_flight (conn);
      break;
    case EFFECT_SEND:
      return outbox_add_message (conn->outbox, epoch, &effect->message) ? DTLS_OK
                                                                        : DTLS_ERROR_NO_MEMORY;
    case EFFECT_SEND_CHANGE_CIPHER_SPEC:
      return outbox_add_change_cipher_spec (conn->outbox, epoch) ? DTLS_OK : DTLS_ERROR_NO_MEMORY;
    case EFFECT_WRITE_KEYS:
      return conn_install_write (conn, effect->epoch);
    case EFFECT_READ_KEYS:
      return conn_install_read (conn, effect->epoch);
    case EFFECT_ACK_NOW:
      acknowledge_now (conn);
      break;
    case EFFECT_END_FLIGHT:
      end_flight (conn, FLIGHT_AWAITS_ANSWER);
      break;
    case EFFECT_END_LAST_FLIGHT:
      end_flight (conn, FLIGHT_LAST);
      break;
    case EFFECT_END_ACKED_FLIGHT:
      end_flight (conn, FLIGHT_AWAITS_ACK);
      break;
    case EFFECT_UPDATE_KEYS:
      conn_request_key_update (conn, false);
      break;
    case EFFECT_EVENT:
      conn_event (conn, effect->event);
      if (effect->event == DTLS_EVENT_CONNECTED)
        connected (conn);
      break;
    }

  return DTLS_OK;
}

static enum dtls_error
do_effects (struct dtls_conn *conn, const struct effects *effects)
{
  for (size_t i = 0; i < effects->n; i++)
    TRY (do_effect (conn, &effects->list[i]));

  return DTLS_OK;
}

/* ------------------------------------------------------------------------------------ advancing */

static enum dtls_error
take_change_cipher_spec (struct dtls_conn *conn, struct effects *effects)
{
  conn->has_change_cipher_spec = false;
  return handshake_take_input (conn->handshake, INPUT_CHANGE_CIPHER_SPEC, effects);
}

static enum dtls_error
take_message (struct dtls_conn *conn, const struct message *message, struct effects *effects)
{
  TRY (handshake_take_message (conn->handshake, message, effects));

  reassembly_pop (conn->reassembly);
  /* Nothing follows a Finished. */
  if (message->type == FINISHED && !reassembly_is_empty (conn->reassembly))
    return DTLS_ERROR_EXCESS_HANDSHAKE_DATA;
  conn->has_heard_peer = true;
  return DTLS_OK;
}

enum step
{
  STEP_DONE,
  STEP_WAITS,
};

static enum step
advance_once (struct dtls_conn *conn, struct effects *effects, enum dtls_error *out_error)
{
  struct handshake *h = conn->handshake;
  struct message message;

  *out_error = DTLS_OK;
  if (h->wait != DTLS_WAIT_NONE || (h->state == CONNECTED && !conn_is_13 (conn)))
    return STEP_WAITS;

  if (handshake_takes (h, INPUT_OUR_TURN))
    *out_error = handshake_take_input (h, INPUT_OUR_TURN, effects);
  else if (handshake_takes (h, INPUT_CHANGE_CIPHER_SPEC) && conn->has_change_cipher_spec)
    *out_error = take_change_cipher_spec (conn, effects);
  else if (reassembly_peek (conn->reassembly, &message))
    *out_error = take_message (conn, &message, effects);
  else
    return STEP_WAITS;

  return STEP_DONE;
}

void
conn_do_effects (struct dtls_conn *conn, struct effects *effects, enum dtls_error error)
{
  if (error == DTLS_OK)
    error = do_effects (conn, effects);
  effects_clear (effects);
  if (error != DTLS_OK)
    conn_fail (conn, error);
}

/* In 1.2 the last flight may be asked for again; in 1.3 flights are kept until they are acknowledged,
 * and messages until they are whole. */
static bool
is_handshake_over (const struct dtls_conn *conn)
{
  if (!conn->is_connected)
    return false;

  return conn_is_13 (conn) ? conn->flight == FLIGHT_NONE && reassembly_is_empty (conn->reassembly)
                           : conn->flight != FLIGHT_LAST;
}

void
conn_advance (struct dtls_conn *conn)
{
  struct effects effects;
  enum dtls_error error;

  if (conn->handshake == NULL || conn->error != DTLS_OK)
    return;

  conn->handshake->wall_clock = conn->now + conn->config->wall_clock_offset;
  effects_init (&effects);
  while (conn->error == DTLS_OK && conn->handshake != NULL
         && advance_once (conn, &effects, &error) == STEP_DONE)
    conn_do_effects (conn, &effects, error);
  effects_clear (&effects);

  if (conn->error != DTLS_OK || conn->handshake == NULL)
    return;

  /* It is our turn as long as someone outside is asked: the peer has answered our flight. */
  if (conn->handshake->wait != DTLS_WAIT_NONE)
    timers_flight_answered (&conn->timers);
  if (is_handshake_over (conn))
    conn_forget_handshake (conn);
}

/* ------------------------------------------------------------------------------------- lifetime */

static struct dtls_conn *
conn_new (const struct dtls_config *config, struct dtls_crypto *crypto, enum dtls_role role,
          const struct dtls_hello *hello)
{
  struct dtls_conn *conn = calloc (1, sizeof *conn);
  struct handshake_parts parts = {
    .config = config, .crypto = crypto, .role = role, .is_hello_accepted = hello != NULL
  };

  if (conn == NULL)
    return NULL;

  conn->config = config;
  conn->crypto = crypto;
  conn->role = role;
  conn->mtu = config->mtu;
  conn->peer_alert = -1;
  conn->write.refusal = DTLS_ERROR_NOT_CONNECTED;
  conn->known.read_limit = MAX_PLAINTEXT_LEN;
  conn->known.write_limit = MAX_PLAINTEXT_LEN;
  epoch_write_init_plain (&conn->plain, 0);
  epoch_write_init_plain (&conn->write.epoch, 0);
  epoch_read_init_plain (&conn->read.epoch);
  timers_init (&conn->timers, config->retransmit_initial);

  parts.known = &conn->known;
  parts.peer = &conn->peer;
  conn->handshake = handshake_new (&parts);
  conn->reassembly = reassembly_new (hello != NULL ? hello->message_seq : 0);
  conn->outbox = outbox_new ();
  if (conn->handshake == NULL || conn->reassembly == NULL || conn->outbox == NULL)
    {
      dtls_conn_free (conn);
      return NULL;
    }

  return conn;
}

enum dtls_error
dtls_conn_new_client (const struct dtls_config *config, struct dtls_crypto *crypto, dtls_time now,
                      struct dtls_conn **out_conn)
{
  struct dtls_conn *conn;

  TRY (dtls_config_check (config, crypto));

  conn = conn_new (config, crypto, DTLS_CLIENT, NULL);
  if (conn == NULL)
    return DTLS_ERROR_NO_MEMORY;

  conn->now = now;
  timers_handshake_started (&conn->timers, now, config->handshake_deadline);
  conn_advance (conn);
  *out_conn = conn;
  return DTLS_OK;
}

/* The accepted hello takes the place of what a datagram brings. */
static enum dtls_error
take_hello (struct dtls_conn *conn, const struct dtls_hello *hello)
{
  struct fragment whole = {
    .type = CLIENT_HELLO,
    .message_len = (uint32_t) hello->message.left,
    .message_seq = hello->message_seq,
    .body = hello->message,
  };

  if (reassembly_add (conn->reassembly, &whole,
                      handshake_message_cap (conn->handshake, CLIENT_HELLO))
      != REASSEMBLY_TAKEN)
    return DTLS_ERROR_MESSAGE_TOO_LONG;

  conn->has_begun = true;
  timers_handshake_started (&conn->timers, conn->now, conn->config->handshake_deadline);

  /* RFC 6347 §4.2.1: the ServerHello has the record number of the ClientHello that it answers. */
  epoch_write_init_plain (&conn->plain, hello->record_number);
  conn_advance (conn);
  return DTLS_OK;
}

enum dtls_error
dtls_conn_new_server (const struct dtls_config *config, struct dtls_crypto *crypto, dtls_time now,
                      const struct dtls_hello *hello, struct dtls_conn **out_conn)
{
  struct dtls_conn *conn;
  enum dtls_error error = DTLS_OK;

  TRY (dtls_config_check (config, crypto));

  conn = conn_new (config, crypto, DTLS_SERVER, hello);
  if (conn == NULL)
    return DTLS_ERROR_NO_MEMORY;

  conn->now = now;
  if (hello != NULL)
    error = take_hello (conn, hello);
  if (error != DTLS_OK)
    {
      dtls_conn_free (conn);
      return error;
    }

  *out_conn = conn;
  return DTLS_OK;
}

bool
conn_is_13 (const struct dtls_conn *conn)
{
  return conn->known.version == VERSION_DTLS_1_3;
}

void
dtls_conn_free (struct dtls_conn *conn)
{
  if (conn == NULL)
    return;

  handshake_free (conn->handshake);
  reassembly_free (conn->reassembly);
  outbox_free (conn->outbox);
  free (conn->held);
  conn_end_linger (conn);
  conn_drop_old_write (conn);
  epoch_write_clear (&conn->plain);
  epoch_write_clear (&conn->write.epoch);
  conn_clear_read (conn);
  der_list_clear (&conn->peer.chain);
  der_list_clear (&conn->peer.authorities);
  bytes_release (&conn->peer.psk_identity);
  bytes_release (&conn->peer.session);
  wipe_free (conn, sizeof *conn);
}
