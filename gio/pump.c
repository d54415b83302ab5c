/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A step: receive a batch (no lock), visit the engine with it (all locks): feed, tick, take
 * events, collect output; then send the output (no lock). What the base has no room for goes to
 * the backlog. */

#include "gio/pump.h"

#include "gio/crypto.h"
#include "gio/first-hello.h"

#include <string.h>

enum
{
  /* Batches per step, so that a flood cannot hold a call that must not wait. */
  MAX_ROUNDS = 4,
  /* Beyond this, output is dropped: flights are repeated anyway. */
  BACKLOG_LIMIT = 64 * 1024,
};

/* --------------------------------------------------------------------------------------- basics */

void
moat_pump_init (MoatPump *self)
{
  g_mutex_init (&self->control);
  g_mutex_init (&self->read);
  g_mutex_init (&self->write);
  g_rec_mutex_init (&self->intake);
  g_rec_mutex_init (&self->output);
  moat_wake_init (&self->wake);
  self->deadline = DTLS_NEVER;
  self->busy_since = DTLS_NEVER;
  self->failure.peer_alert = -1;
  self->keylog_lines = moat_keylog_lines_new ();
}

void
moat_pump_clear (MoatPump *self)
{
  g_clear_pointer (&self->conn, dtls_conn_free);
  g_clear_pointer (&self->gather, dtls_hello_gather_free);
  g_clear_pointer (&self->config, moat_config_free);
  g_clear_pointer (&self->credential, moat_credential_unref);
  g_clear_pointer (&self->shown, moat_credential_unref);
  g_clear_error (&self->credential_problem);
  g_clear_error (&self->verdict_reason);
  g_clear_error (&self->soft_error);
  g_clear_error (&self->reason);
  g_clear_pointer (&self->session, g_bytes_unref);
  g_clear_pointer (&self->keylog_lines, g_ptr_array_unref);
  moat_queue_clear (&self->plaintext);
  moat_queue_clear (&self->backlog);
  moat_base_clear (&self->base);
  moat_wake_clear (&self->wake);
  g_mutex_clear (&self->control);
  g_mutex_clear (&self->read);
  g_mutex_clear (&self->write);
  g_rec_mutex_clear (&self->intake);
  g_rec_mutex_clear (&self->output);
}

void
moat_pump_lock_all (MoatPump *self)
{
  g_mutex_lock (&self->control);
  g_mutex_lock (&self->read);
  g_mutex_lock (&self->write);
}

void
moat_pump_unlock_all (MoatPump *self)
{
  g_mutex_unlock (&self->write);
  g_mutex_unlock (&self->read);
  g_mutex_unlock (&self->control);
}

void
moat_pump_tell (MoatPump *self, MoatNews news)
{
  g_atomic_int_or ((guint *) &self->news, news);
}

void
moat_pump_become_over (MoatPump *self, enum dtls_error error)
{
  if (self->phase == MOAT_PHASE_OVER)
    return;

  self->phase = MOAT_PHASE_OVER;
  self->failure.error = error;
  self->deadline = DTLS_NEVER;
  if (self->config != NULL)
    moat_config_wipe_ticket_keys (self->config);
  moat_pump_tell (self, MOAT_NEWS_OVER);
}

/* -------------------------------------------------------------------------- visiting the engine */

void
moat_pump_queue (MoatPump *self, struct bytes message)
{
  if (moat_queue_is_empty (&self->plaintext))
    self->attended_at = moat_pump_now ();
  moat_queue_push (&self->plaintext, message);
}

void
moat_pump_feed (MoatPump *self, struct dtls_datagram *datagram, MoatRoom room)
{
  struct bytes data;

  while (dtls_conn_receive (self->conn, moat_pump_now (), datagram, &data) == DTLS_READ_DATA)
    if (room == MOAT_ROOM_FOR_ALL && !self->is_read_shut)
      moat_pump_queue (self, data);
}

/* Whether everything was collected. */
static bool
collect_output (MoatPump *self, MoatScratch *scratch)
{
  struct dtls_buffer buffer = { scratch->out_bytes, SCRATCH_OUT_SIZE, 0 };

  scratch->n_out = 0;
  for (;;)
    {
      size_t start = buffer.used;

      if (scratch->n_out == SCRATCH_MAX_OUT
          || buffer.capacity - buffer.used < self->config->engine.mtu)
        return false;
      if (!dtls_conn_next_datagram (self->conn, &buffer))
        return true;

      scratch->out[scratch->n_out++] =
          (struct iovec){ scratch->out_bytes + start, buffer.used - start };
    }
}

/* What the others look at without the control lock. */
static void
settle (MoatPump *self)
{
  bool was_lingering = self->is_lingering;

  self->is_lingering = dtls_conn_is_lingering (self->conn) && !self->is_base_at_end;
  if (was_lingering && !self->is_lingering)
    moat_pump_tell (self, MOAT_NEWS_FLUSHED);

  self->visited_at = moat_pump_now ();
  self->has_heard_peer = dtls_conn_has_heard_peer (self->conn);
  self->deadline = dtls_conn_deadline (self->conn);
  if (self->deadline == DTLS_NEVER)
    self->busy_since = DTLS_NEVER;
  else if (self->busy_since == DTLS_NEVER)
    self->busy_since = self->visited_at;
  self->overhead = dtls_conn_overhead (self->conn);
}

typedef struct
{
  MoatPhase phase;
  bool has_peer_closed;
  bool is_lingering;
  size_t plaintext;
  dtls_time deadline;
} Outlook;

static Outlook
outlook (const MoatPump *self)
{
  return (Outlook){ self->phase, self->has_peer_closed, self->is_lingering,
                    moat_queue_size (&self->plaintext), self->deadline };
}

/* Whether somebody who waits, by what was known `before`, must look again. */
static bool
is_brighter (const MoatPump *self, const Outlook *before)
{
  Outlook after = outlook (self);

  return after.phase != before->phase || after.has_peer_closed != before->has_peer_closed
         || after.is_lingering != before->is_lingering || after.plaintext > before->plaintext
         || after.deadline < before->deadline;
}

/* Whether all output was collected. */
static bool
visit (MoatPump *self, MoatScratch *scratch, struct dtls_datagram *begun, guint first)
{
  bool is_drained = true;
  bool must_wake = false;

  scratch->n_out = 0;

  moat_pump_lock_all (self);
  if (self->conn != NULL && !self->is_base_lost)
    {
      Outlook before = outlook (self);
      /* What a reader of ours received goes in as a whole. */
      MoatRoom room = begun != NULL ? MOAT_ROOM_FOR_ALL : moat_pump_room (self);

      /* Its client may come days after it began. */
      if (self->role == DTLS_SERVER && self->phase == MOAT_PHASE_HANDSHAKING
          && !self->has_heard_peer && scratch->n_in > first)
        moat_config_take_ticket_keys (self->config);
      if (begun != NULL)
        moat_pump_feed (self, begun, room);
      for (guint i = first; i < scratch->n_in; i++)
        {
          struct dtls_datagram datagram = { .at = scratch->in[i].at, .left = scratch->in[i].len };

          if (moat_base_is_from_peer (&self->base, &scratch->in[i]))
            moat_pump_feed (self, &datagram, room);
        }
      dtls_conn_tick (self->conn, moat_pump_now ());
      moat_pump_take_events (self);
      is_drained = collect_output (self, scratch);
      settle (self);
      must_wake = is_brighter (self, &before);
    }
  moat_pump_unlock_all (self);

  if (must_wake)
    moat_wake_all (&self->wake);

  return is_drained;
}

/* --------------------------------------------------------------------------------------- output */

static void
keep_rest (MoatPump *self, MoatScratch *scratch, guint done)
{
  g_mutex_lock (&self->write);
  for (guint i = done; i < scratch->n_out; i++)
    {
      struct bytes datagram = { scratch->out[i].iov_base, scratch->out[i].iov_len };

      if (moat_queue_size (&self->backlog) < BACKLOG_LIMIT)
        moat_queue_push (&self->backlog, datagram);
    }
  g_atomic_int_set (&self->has_backlog, 1);
  g_mutex_unlock (&self->write);
}

static void
send_out (MoatPump *self, MoatScratch *scratch)
{
  guint done = 0;

  while (done < scratch->n_out)
    {
      GError *problem = NULL;

      switch (moat_base_send (&self->base, scratch, &done, &problem))
        {
        case MOAT_BASE_TOO_LARGE:
          /* The engine makes its flights smaller when they get lost. */
          g_clear_error (&problem);
          done++;
          break;
        case MOAT_BASE_SOFT:
          moat_pump_note_soft_error (self, problem);
          break;
        case MOAT_BASE_BLOCKED:
          keep_rest (self, scratch, done);
          return;
        case MOAT_BASE_GONE:
          moat_pump_lose_base (self, problem);
          return;
        case MOAT_BASE_DONE:
        case MOAT_BASE_END:
          break;
        }
    }
}

/* Moves some of the backlog to `scratch`. */
static void
take_backlog (MoatPump *self, MoatScratch *scratch)
{
  size_t used = 0;

  scratch->n_out = 0;

  g_mutex_lock (&self->write);
  while (!moat_queue_is_empty (&self->backlog) && scratch->n_out < SCRATCH_MAX_OUT)
    {
      struct bytes datagram = moat_queue_peek (&self->backlog);

      if (SCRATCH_OUT_SIZE - used < datagram.left)
        break;
      memcpy (scratch->out_bytes + used, datagram.at, datagram.left);
      scratch->out[scratch->n_out++] = (struct iovec){ scratch->out_bytes + used, datagram.left };
      used += datagram.left;
      moat_queue_pop (&self->backlog);
    }
  g_atomic_int_set (&self->has_backlog, !moat_queue_is_empty (&self->backlog));
  g_mutex_unlock (&self->write);
}

static void
flush_backlog (MoatPump *self, MoatScratch *scratch)
{
  G_GNUC_UNUSED g_autoptr (GRecMutexLocker) turn = NULL;

  if (!g_atomic_int_get (&self->has_backlog))
    return;

  turn = g_rec_mutex_locker_new (&self->output);
  take_backlog (self, scratch);
  send_out (self, scratch);
  if (g_atomic_int_get (&self->has_backlog))
    return;

  moat_pump_tell (self, MOAT_NEWS_FLUSHED);
  moat_wake_all (&self->wake);
}

/* ---------------------------------------------------------------------------------------- steps */

/* Fills the batch. A refusal comes in place of datagrams, so it is asked again. */
static void
receive_batch (MoatPump *self, MoatScratch *scratch)
{
  MoatBaseResult result = MOAT_BASE_SOFT;

  scratch->n_in = 0;
  if (!moat_pump_wants_input (self))
    return;

  for (guint tries = 0; result == MOAT_BASE_SOFT && tries < MAX_ROUNDS; tries++)
    {
      GError *problem = NULL;

      result = moat_base_receive (&self->base, scratch, SCRATCH_MAX_IN, &problem);
      if (result == MOAT_BASE_GONE || result == MOAT_BASE_END)
        moat_pump_lose_base (self, problem);
      else if (problem != NULL)
        moat_pump_note_soft_error (self, problem);
    }
}

void
moat_pump_process (MoatPump *self, MoatScratch *scratch, struct dtls_datagram *begun, guint first)
{
  G_GNUC_UNUSED g_autoptr (GRecMutexLocker) turn = g_rec_mutex_locker_new (&self->output);
  bool is_drained;

  do
    {
      is_drained = visit (self, scratch, begun, first);
      send_out (self, scratch);
      begun = NULL;
      first = scratch->n_in;
    }
  while (!is_drained);
}

void
moat_pump_step (MoatPump *self)
{
  g_autoptr (MoatScratch) scratch = moat_scratch_take ();
  G_GNUC_UNUSED g_autoptr (GRecMutexLocker) turn = g_rec_mutex_locker_new (&self->intake);

  flush_backlog (self, scratch);
  for (guint round = 0; round < MAX_ROUNDS; round++)
    {
      guint first = 0;

      receive_batch (self, scratch);
      if (moat_pump_phase (self) == MOAT_PHASE_LISTENING)
        first = moat_first_hello_answer (self, scratch);
      moat_pump_process (self, scratch, NULL, first);

      if (scratch->n_in < SCRATCH_MAX_IN)
        break;
    }
}

/* -------------------------------------------------------------------------------- what is asked */

static void
begin_listening (MoatPump *self)
{
  self->base.wants_addresses |= self->base.socket == NULL;
  self->gather = dtls_hello_gather_new ();
  self->phase = MOAT_PHASE_LISTENING;

  if (self->gather == NULL)
    moat_pump_become_over (self, DTLS_ERROR_NO_MEMORY);
  else if (!dtls_crypto_random (moat_crypto_get (), self->peer_name, sizeof self->peer_name))
    moat_pump_become_over (self, DTLS_ERROR_CRYPTO);
}

/* A handshake that was not started yet begins in this moment. */
static void
begin_locked (MoatPump *self, MoatAddressRule rule)
{
  struct dtls_config *engine = &self->config->engine;
  enum dtls_error error;

  moat_pump_hear_keylog (self);
  self->mtu = engine->mtu;

  if (self->role == DTLS_SERVER && rule == MOAT_ADDRESS_MUST_BE_PROVED)
    {
      error = dtls_config_check (engine, moat_crypto_get ());
      if (error != DTLS_OK)
        moat_pump_become_over (self, error);
      else
        begin_listening (self);
      return;
    }

  if (self->role == DTLS_SERVER)
    {
      moat_config_take_ticket_keys (self->config);
      error =
          dtls_conn_new_server (engine, moat_crypto_get (), moat_pump_now (), NULL, &self->conn);
    }
  else
    error = dtls_conn_new_client (engine, moat_crypto_get (), moat_pump_now (), &self->conn);

  if (error != DTLS_OK)
    moat_pump_become_over (self, error);
  else
    self->phase = MOAT_PHASE_HANDSHAKING;
}

void
moat_pump_begin (MoatPump *self, MoatConfig *config, MoatAddressRule rule)
{
  moat_pump_lock_all (self);
  if (self->phase == MOAT_PHASE_FRESH)
    {
      self->config = g_steal_pointer (&config);
      begin_locked (self, rule);
    }
  moat_pump_unlock_all (self);

  /* Another thread was faster. */
  if (config != NULL)
    moat_config_give_session_back (config);
  g_clear_pointer (&config, moat_config_free);
}

void
moat_pump_lose_base (MoatPump *self, GError *problem)
{
  moat_pump_lock_all (self);
  if (self->is_lingering)
    moat_pump_tell (self, MOAT_NEWS_FLUSHED);
  self->is_lingering = false;
  if (problem == NULL && self->phase == MOAT_PHASE_CONNECTED)
    self->is_base_at_end = true;
  else if (self->phase != MOAT_PHASE_OVER)
    {
      self->reason = problem != NULL ? g_steal_pointer (&problem)
                                     : g_error_new_literal (G_TLS_ERROR, G_TLS_ERROR_EOF,
                                                            "The base socket ended during the "
                                                            "DTLS handshake");
      self->is_base_lost = true;
      moat_queue_clear (&self->backlog);
      g_atomic_int_set (&self->has_backlog, 0);
      moat_pump_tell (self, MOAT_NEWS_FLUSHED);
      moat_pump_become_over (self, DTLS_ERROR_NOT_CONNECTED);
    }
  moat_pump_unlock_all (self);

  g_clear_error (&problem);
  moat_wake_all (&self->wake);
}

void
moat_pump_note_soft_error (MoatPump *self, GError *problem)
{
  g_mutex_lock (&self->control);
  if (self->phase == MOAT_PHASE_HANDSHAKING && !self->has_heard_peer && self->soft_error == NULL)
    {
      self->soft_error = g_steal_pointer (&problem);
      moat_pump_tell (self, MOAT_NEWS_SOFT_ERROR);
    }
  g_mutex_unlock (&self->control);

  g_clear_error (&problem);
}
