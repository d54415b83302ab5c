/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is put into a pump and taken out of it from outside, by whoever holds no lock of it. */

#include "gio/pump.h"

#include "gio/secret.h"

#include <string.h>

/* ------------------------------------------------------------------------------------ in and out */

static void
wipe_line (gpointer line)
{
  explicit_bzero (line, strlen (line));
  g_free (line);
}

GPtrArray *
moat_keylog_lines_new (void)
{
  return g_ptr_array_new_with_free_func (wipe_line);
}

GPtrArray *
moat_pump_take_keylog_lines (MoatPump *self)
{
  GPtrArray *fresh = moat_keylog_lines_new ();
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
moat_pump_answer_verdict (MoatPump *self, struct dtls_verdict verdict, MoatTrust trust,
                          GError *reason)
{
  g_autoptr (MoatScratch) scratch = moat_scratch_take ();

  moat_pump_lock_all (self);
  g_clear_error (&self->verdict_reason);
  self->verdict_reason = reason;
  self->trust = trust;
  dtls_conn_answer_verdict (self->conn, moat_pump_now (), verdict);
  moat_pump_unlock_all (self);

  moat_pump_process (self, scratch, NULL, 0);
}

GBytes *
moat_pump_dup_psk_question (MoatPump *self)
{
  GBytes *identity = NULL;

  moat_pump_lock_all (self);
  if (self->conn != NULL && dtls_conn_wait (self->conn) == DTLS_WAIT_PSK)
    {
      struct bytes name = dtls_conn_psk_identity (self->conn);

      identity = g_bytes_new (name.at, name.left);
    }
  moat_pump_unlock_all (self);

  return identity;
}

void
moat_pump_answer_psk (MoatPump *self, GBytes *key)
{
  g_autoptr (MoatScratch) scratch = moat_scratch_take ();
  struct dtls_psk psk = { .key = moat_bytes_view (key), .role = DTLS_SERVER };

  moat_pump_lock_all (self);
  dtls_conn_answer_psk (self->conn, moat_pump_now (), key != NULL ? &psk : NULL);
  moat_pump_unlock_all (self);

  moat_pump_process (self, scratch, NULL, 0);
}

/* ----------------------------------------------------------------------- what the owner asks for */

enum dtls_error
moat_pump_update_keys (MoatPump *self, enum dtls_key_update update)
{
  g_autoptr (MoatScratch) scratch = moat_scratch_take ();
  enum dtls_error error = DTLS_ERROR_NOT_CONNECTED;

  moat_pump_lock_all (self);
  if (self->conn != NULL)
    error = dtls_conn_update_keys (self->conn, moat_pump_now (), update);
  moat_pump_unlock_all (self);

  moat_pump_process (self, scratch, NULL, 0);

  return error;
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
    moat_pump_tell (self, MOAT_NEWS_CLOSED);
  moat_pump_unlock_all (self);

  moat_pump_process (self, scratch, NULL, 0);
  moat_wake_all (&self->wake);
}
