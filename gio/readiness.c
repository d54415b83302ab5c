/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a pump's state means for those who read, write, wait or drive; see the end of pump.h. */

#include "gio/pump.h"

enum
{
  /* Plaintext that is held for a slow reader before we stop receiving; one more batch may come
   * on top. */
  PLAINTEXT_LIMIT = 64 * 1024,
};

/* While a flight may have to be repeated, a writer looks after it this often. */
#define WRITER_PATIENCE (10 * DTLS_MILLISECOND)

bool
moat_pump_is_steady_for_reading (MoatPump *self)
{
  bool is_steady;

  if (g_atomic_int_get (&self->news) || g_atomic_int_get (&self->has_backlog))
    return false;

  g_mutex_lock (&self->read);
  is_steady = self->phase == MOAT_PHASE_CONNECTED
              && (self->deadline == DTLS_NEVER || moat_pump_now () < self->deadline);
  g_mutex_unlock (&self->read);

  return is_steady;
}

bool
moat_pump_is_steady_for_writing (MoatPump *self)
{
  bool is_steady;

  if (g_atomic_int_get (&self->news) || g_atomic_int_get (&self->has_backlog))
    return false;

  g_mutex_lock (&self->write);
  is_steady = self->phase == MOAT_PHASE_CONNECTED;
  if (is_steady && self->deadline != DTLS_NEVER)
    is_steady = moat_pump_now () < MIN (self->deadline, self->visited_at + WRITER_PATIENCE);
  g_mutex_unlock (&self->write);

  return is_steady;
}

bool
moat_pump_needs_driving (MoatPump *self)
{
  bool is_needed;

  g_mutex_lock (&self->read);
  is_needed = self->phase == MOAT_PHASE_LISTENING || self->phase == MOAT_PHASE_HANDSHAKING
              || self->deadline != DTLS_NEVER;
  g_mutex_unlock (&self->read);

  return is_needed || g_atomic_int_get (&self->has_backlog);
}

MoatPhase
moat_pump_phase (MoatPump *self)
{
  MoatPhase phase;

  g_mutex_lock (&self->read);
  phase = self->phase;
  g_mutex_unlock (&self->read);

  return phase;
}

dtls_time
moat_pump_deadline (MoatPump *self)
{
  dtls_time deadline;

  g_mutex_lock (&self->read);
  deadline = self->deadline;
  g_mutex_unlock (&self->read);

  return deadline;
}

bool
moat_pump_is_closed (MoatPump *self)
{
  bool is_closed;

  g_mutex_lock (&self->read);
  is_closed = self->is_read_shut && self->is_write_shut;
  g_mutex_unlock (&self->read);

  return is_closed;
}

GError *
moat_pump_error_locked (const MoatPump *self, MoatTimeoutClass timeout_class)
{
  if (self->phase != MOAT_PHASE_OVER)
    return NULL;
  if (self->reason != NULL)
    return g_error_copy (self->reason);

  return moat_error_new (&self->failure, timeout_class);
}

GIOCondition
moat_pump_interest (MoatPump *self, GIOCondition wanted)
{
  GIOCondition interest = 0;
  bool is_shaking;

  g_mutex_lock (&self->read);
  is_shaking = self->phase == MOAT_PHASE_LISTENING || self->phase == MOAT_PHASE_HANDSHAKING;
  if ((is_shaking || (wanted & G_IO_IN) || self->deadline != DTLS_NEVER)
      && self->phase != MOAT_PHASE_OVER && !self->is_base_at_end
      && moat_queue_size (&self->plaintext) < PLAINTEXT_LIMIT)
    interest |= G_IO_IN;
  if ((wanted & G_IO_OUT) && self->phase == MOAT_PHASE_CONNECTED)
    interest |= G_IO_OUT;
  g_mutex_unlock (&self->read);

  if (g_atomic_int_get (&self->has_backlog))
    interest |= G_IO_OUT;

  return interest;
}

GIOCondition
moat_pump_ready (MoatPump *self, GIOCondition base_ready)
{
  GIOCondition ready = 0;

  g_mutex_lock (&self->read);
  if (self->is_read_shut && self->is_write_shut)
    ready = G_IO_HUP;
  else if (self->phase == MOAT_PHASE_OVER)
    ready = G_IO_IN | G_IO_OUT | G_IO_ERR;
  else
    {
      /* After half a shutdown that half's calls do not wait: they say that it is closed. */
      if (self->is_read_shut || self->has_peer_closed || self->is_base_at_end
          || !moat_queue_is_empty (&self->plaintext))
        ready |= G_IO_IN;
      if (self->is_write_shut
          || (self->phase == MOAT_PHASE_CONNECTED && (base_ready & G_IO_OUT)
              && !g_atomic_int_get (&self->has_backlog)))
        ready |= G_IO_OUT;
    }
  g_mutex_unlock (&self->read);

  return ready;
}

bool
moat_pump_wants_input (MoatPump *self)
{
  bool is_wanted;

  g_mutex_lock (&self->read);
  is_wanted = self->phase != MOAT_PHASE_FRESH && self->phase != MOAT_PHASE_OVER
              && !self->is_base_at_end && moat_queue_size (&self->plaintext) < PLAINTEXT_LIMIT;
  g_mutex_unlock (&self->read);

  return is_wanted;
}
