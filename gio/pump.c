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

static void
wipe_line (gpointer line)
{
  explicit_bzero (line, strlen (line));
  g_free (line);
}

static GPtrArray *
new_keylog_lines (void)
{
  return g_ptr_array_new_with_free_func (wipe_line);
}

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
  self->failure.peer_alert = -1;
  self->keylog_lines = new_keylog_lines ();
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

static void
tell (MoatPump *self, MoatNews news)
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
  tell (self, MOAT_NEWS_OVER);
}

/* -------------------------------------------------------------------------- the engine's events */

/* Called by the engine, so under all locks. */
static void
on_keylog_line (void *data, const char *line)
{
  MoatPump *self = data;

  g_ptr_array_add (self->keylog_lines, g_strdup (line));
  tell (self, MOAT_NEWS_KEYLOG);
}

static void
on_credential_needed (MoatPump *self)
{
  if (self->credential != NULL)
    {
      self->shown = moat_credential_ref (self->credential);
      dtls_conn_answer_credential (self->conn, moat_pump_now (), moat_credential_get (self->shown));
      return;
    }

  self->failure.lacked_certificate = true;
  dtls_conn_answer_credential (self->conn, moat_pump_now (), NULL);
}

static void
on_failed (MoatPump *self)
{
  enum dtls_error error = dtls_conn_error (self->conn);

  self->failure.peer_alert = dtls_conn_peer_alert (self->conn);
  if (error == DTLS_ERROR_CERTIFICATE_REJECTED)
    self->reason = g_steal_pointer (&self->verdict_reason);
  else if (error == DTLS_ERROR_NO_CREDENTIAL && self->credential_problem != NULL)
    self->reason = g_error_copy (self->credential_problem);

  moat_pump_become_over (self, error);
}

static void
take_events (MoatPump *self)
{
  enum dtls_event event;

  while ((event = dtls_conn_next_event (self->conn)) != DTLS_EVENT_NONE)
    switch (event)
      {
      case DTLS_EVENT_CREDENTIAL_NEEDED:
        on_credential_needed (self);
        break;
      case DTLS_EVENT_SIGNATURE_NEEDED:
        /* Every credential of ours has its key, so this does not come; it must not hang if it
         * does. */
        dtls_conn_answer_signature (self->conn, moat_pump_now (), (struct bytes){ 0 });
        break;
      case DTLS_EVENT_VERDICT_NEEDED:
        tell (self, MOAT_NEWS_VERDICT_NEEDED);
        break;
      case DTLS_EVENT_CONNECTED:
        self->phase = MOAT_PHASE_CONNECTED;
        tell (self, MOAT_NEWS_CONNECTED);
        break;
      case DTLS_EVENT_PEER_CLOSED:
        self->has_peer_closed = true;
        break;
      case DTLS_EVENT_FAILED:
        on_failed (self);
        break;
      case DTLS_EVENT_PSK_NEEDED: /* not asked for: config.c */
      case DTLS_EVENT_SESSION:
      case DTLS_EVENT_NONE:
        break;
      }
}

/* -------------------------------------------------------------------------- visiting the engine */

static void
feed (MoatPump *self, struct dtls_datagram *datagram)
{
  struct bytes data;

  while (dtls_conn_receive (self->conn, moat_pump_now (), datagram, &data) == DTLS_READ_DATA)
    if (!self->is_read_shut)
      moat_queue_push (&self->plaintext, data);
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
  self->visited_at = moat_pump_now ();
  self->has_heard_peer = dtls_conn_has_heard_peer (self->conn);
  self->deadline = dtls_conn_deadline (self->conn);
  self->overhead = dtls_conn_overhead (self->conn);
}

typedef struct
{
  MoatPhase phase;
  bool has_peer_closed;
  size_t plaintext;
  dtls_time deadline;
} Outlook;

static Outlook
outlook (const MoatPump *self)
{
  return (Outlook){ self->phase, self->has_peer_closed, moat_queue_size (&self->plaintext),
                    self->deadline };
}

/* Whether somebody who waits, by what was known `before`, must look again. */
static bool
is_brighter (const MoatPump *self, const Outlook *before)
{
  Outlook after = outlook (self);

  return after.phase != before->phase || after.has_peer_closed != before->has_peer_closed
         || after.plaintext > before->plaintext || after.deadline < before->deadline;
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

      if (begun != NULL)
        feed (self, begun);
      for (guint i = first; i < scratch->n_in; i++)
        {
          struct dtls_datagram datagram = { .at = scratch->in[i].at, .left = scratch->in[i].len };

          if (moat_base_is_from_peer (&self->base, &scratch->in[i]))
            feed (self, &datagram);
        }
      dtls_conn_tick (self->conn, moat_pump_now ());
      take_events (self);
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

  tell (self, MOAT_NEWS_FLUSHED);
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

  if (self->config->keylog != NULL)
    {
      engine->keylog = on_keylog_line;
      engine->keylog_data = self;
    }
  self->mtu = engine->mtu;

  if (self->role == DTLS_SERVER && rule == MOAT_ADDRESS_MUST_BE_PROVED)
    {
      begin_listening (self);
      return;
    }

  if (self->role == DTLS_SERVER)
    error = dtls_conn_new_server (engine, moat_crypto_get (), moat_pump_now (), NULL, &self->conn);
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

  g_clear_pointer (&config, moat_config_free);
}

GPtrArray *
moat_pump_take_keylog_lines (MoatPump *self)
{
  GPtrArray *fresh = new_keylog_lines ();
  GPtrArray *lines;

  g_mutex_lock (&self->control);
  lines = self->keylog_lines;
  self->keylog_lines = fresh;
  g_mutex_unlock (&self->control);

  return lines;
}

void
moat_pump_take_credential (MoatPump *self, MoatCredential *credential, GError *problem)
{
  MoatCredential *old;

  g_mutex_lock (&self->control);
  old = self->credential;
  self->credential = credential;
  g_clear_error (&self->credential_problem);
  self->credential_problem = problem;
  g_mutex_unlock (&self->control);

  g_clear_pointer (&old, moat_credential_unref);
}

GPtrArray *
moat_pump_dup_peer_chain (MoatPump *self)
{
  GPtrArray *ders = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  moat_pump_lock_all (self);
  for (size_t i = 0; self->conn != NULL && i < dtls_conn_n_peer_certificates (self->conn); i++)
    {
      struct bytes der = dtls_conn_peer_certificate (self->conn, i);

      g_ptr_array_add (ders, g_bytes_new (der.at, der.left));
    }
  moat_pump_unlock_all (self);

  return ders;
}

void
moat_pump_answer_verdict (MoatPump *self, struct dtls_verdict verdict, GError *reason)
{
  g_autoptr (MoatScratch) scratch = moat_scratch_take ();

  moat_pump_lock_all (self);
  g_clear_error (&self->verdict_reason);
  self->verdict_reason = reason;
  dtls_conn_answer_verdict (self->conn, moat_pump_now (), verdict);
  moat_pump_unlock_all (self);

  moat_pump_process (self, scratch, NULL, 0);
}

void
moat_pump_shut (MoatPump *self, MoatShut halves)
{
  g_autoptr (MoatScratch) scratch = moat_scratch_take ();
  bool was_closed;

  moat_pump_lock_all (self);
  was_closed = self->is_read_shut && self->is_write_shut;
  if (halves & MOAT_SHUT_READ)
    {
      self->is_read_shut = true;
      moat_queue_clear (&self->plaintext);
    }
  if ((halves & MOAT_SHUT_WRITE) && !self->is_write_shut)
    {
      self->is_write_shut = true;
      if (self->conn != NULL)
        dtls_conn_close (self->conn, moat_pump_now ());
      else
        moat_pump_become_over (self, DTLS_ERROR_CLOSED);
    }
  if (!was_closed && self->is_read_shut && self->is_write_shut)
    tell (self, MOAT_NEWS_CLOSED);
  moat_pump_unlock_all (self);

  moat_pump_process (self, scratch, NULL, 0);
  moat_wake_all (&self->wake);
}

void
moat_pump_lose_base (MoatPump *self, GError *problem)
{
  moat_pump_lock_all (self);
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
      tell (self, MOAT_NEWS_FLUSHED);
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
      tell (self, MOAT_NEWS_SOFT_ERROR);
    }
  g_mutex_unlock (&self->control);

  g_clear_error (&problem);
}
