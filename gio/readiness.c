/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a pump's state means for those who read, write, wait or drive; see the end of pump.h. */

#include "gio/pump.h"

enum
{
  /* Plaintext that is held for a slow reader; one more batch may come on top. What comes then stays in
   * the base, whose limit tells the peer to be slower, as long as nothing but data is to be expected. */
  PLAINTEXT_LIMIT = 64 * 1024,
};

/* While a flight may have to be repeated, a writer looks after it this often. */
#define WRITER_PATIENCE (10 * DTLS_MILLISECOND)
/* And always, for one that never reads: in 1.3 a peer may ask for new keys, or repeat its tickets, at any
 * time, and gives up if it is not answered. */
#define WRITER_NEGLIGENCE (100 * DTLS_MILLISECOND)
/* And a reader, so that the keys of an epoch that is over do not stay as long as it reads: they have no
 * deadline, for nobody is to be woken for them. RFC 9147 §4.2.1 keeps them four minutes. */
#define READER_NEGLIGENCE (10 * DTLS_SECOND)
/* Who leaves a full queue alone for that long is no slow reader but none. A peer that waits for an answer
 * waits for minutes. */
#define READER_ABSENCE (1 * DTLS_SECOND)
/* And however steady a slow one is, what has been sent for that long, about four times, may have its ACK
 * behind the data that is not taken. */
#define FLIGHT_PATIENCE (5 * DTLS_SECOND)

MoatRoom
moat_pump_room (const MoatPump *self)
{
  return moat_queue_size (&self->plaintext) < PLAINTEXT_LIMIT ? MOAT_ROOM_FOR_ALL
                                                              : MOAT_ROOM_FOR_CONTROL;
}

/* Under the read lock. Whether what else may be there cannot wait for a reader to make room, so that data
 * gets lost for it. In 1.2 nothing may. */
static bool
must_hear (const MoatPump *self)
{
  dtls_time now = moat_pump_now ();

  if (self->conn == NULL || dtls_conn_version (self->conn) != DTLS_1_3)
    return false;

  return now >= self->attended_at + READER_ABSENCE
         || (self->busy_since != DTLS_NEVER && now >= self->busy_since + FLIGHT_PATIENCE);
}

void
moat_pump_attend (MoatPump *self)
{
  g_mutex_lock (&self->read);
  self->attended_at = moat_pump_now ();
  g_mutex_unlock (&self->read);
}

bool
moat_pump_is_steady_for_reading (MoatPump *self)
{
  bool is_steady;

  if (g_atomic_int_get (&self->news) || g_atomic_int_get (&self->has_backlog))
    return false;

  g_mutex_lock (&self->read);
  is_steady = self->phase == MOAT_PHASE_CONNECTED
              && moat_pump_now () < MIN (self->deadline, self->visited_at + READER_NEGLIGENCE);
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
  else if (is_steady)
    is_steady = moat_pump_now () < self->visited_at + WRITER_NEGLIGENCE;
  g_mutex_unlock (&self->write);

  return is_steady;
}

bool
moat_pump_needs_driving (MoatPump *self)
{
  bool is_closed;
  bool is_needed;

  g_mutex_lock (&self->read);
  is_closed = self->is_read_shut && self->is_write_shut;
  is_needed = self->phase == MOAT_PHASE_LISTENING || self->phase == MOAT_PHASE_HANDSHAKING
              || (self->deadline != DTLS_NEVER && (!is_closed || self->is_lingering));
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

bool
moat_pump_is_flushed (MoatPump *self)
{
  bool is_lingering;

  g_mutex_lock (&self->read);
  is_lingering = self->is_lingering;
  g_mutex_unlock (&self->read);

  return !is_lingering && !g_atomic_int_get (&self->has_backlog);
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
      && (moat_pump_room (self) == MOAT_ROOM_FOR_ALL
          || (self->deadline != DTLS_NEVER && must_hear (self))))
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
              && !self->is_base_at_end
              && (moat_pump_room (self) == MOAT_ROOM_FOR_ALL || must_hear (self));
  g_mutex_unlock (&self->read);

  return is_wanted;
}
