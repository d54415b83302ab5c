/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Deadlines as an array, and the back-off. Nothing here overflows: a time too far to be told is
 * never. */

#include "flight/timers.h"

#define MIN_RETRANSMIT DTLS_MILLISECOND
/* RFC 6347 §4.2.4.1: "up to no less than the RFC 6298 maximum of 60 seconds". */
#define MAX_RETRANSMIT (60 * DTLS_SECOND)
#define BURST_INTERVAL (10 * DTLS_MILLISECOND)
/* RFC 6347 §4.2.4, RFC 9147 §5.8.1: at least twice the default MSL of TCP, of two minutes. */
#define TWICE_MSL (240 * DTLS_SECOND)
#define LINGER (1 * DTLS_SECOND)
/* Whatever the start value: eight times in that second at most, and not never. */
#define MIN_LINGERING (LINGER / 8)
#define MAX_LINGERING (LINGER / 2)

enum
{
  MAX_RETRANSMISSIONS = 12,
  /* A second has room for two transmissions with the ordinary back-off, for five with this. */
  LINGERING_HASTE = 2,
  ACKS_PER_RETRANSMISSION = 4, /* RFC 9147 §7.1: a quarter of the current value */
};

static dtls_time
after (dtls_time now, dtls_duration duration)
{
  return duration < DTLS_NEVER - now ? now + duration : DTLS_NEVER;
}

static void
stop (struct timers *timers, enum timer timer)
{
  timers->due[timer] = DTLS_NEVER;
}

static dtls_duration
lingering_interval (const struct timers *timers)
{
  dtls_duration interval = timers->initial / LINGERING_HASTE;

  if (interval < MIN_LINGERING)
    return MIN_LINGERING;

  return interval < MAX_LINGERING ? interval : MAX_LINGERING;
}

/* `initial` is at most MAX_RETRANSMIT, so that a doubling cannot overflow. */
static dtls_duration
retransmit_interval (const struct timers *timers)
{
  dtls_duration interval = timers->initial;

  if (timers->due[TIMER_LINGER] != DTLS_NEVER)
    return lingering_interval (timers);

  for (unsigned i = 0; i < timers->n_expiries && interval < MAX_RETRANSMIT; i++)
    interval *= 2;

  return interval < MAX_RETRANSMIT ? interval : MAX_RETRANSMIT;
}

static dtls_duration
ack_interval (const struct timers *timers)
{
  return retransmit_interval (timers) / ACKS_PER_RETRANSMISSION;
}

static dtls_duration
bounded_initial (dtls_duration initial)
{
  if (initial < MIN_RETRANSMIT)
    return MIN_RETRANSMIT;

  return initial < MAX_RETRANSMIT ? initial : MAX_RETRANSMIT;
}

void
timers_init (struct timers *timers, dtls_duration initial)
{
  for (enum timer timer = 0; timer < N_TIMERS; timer++)
    stop (timers, timer);
  timers->ack_began = 0;
  timers->initial = bounded_initial (initial);
  timers->n_expiries = 0;
}

void
timers_set_initial (struct timers *timers, dtls_duration initial)
{
  dtls_time *due = &timers->due[TIMER_RETRANSMIT];
  dtls_time begun = *due != DTLS_NEVER ? *due - retransmit_interval (timers) : 0;

  timers->initial = bounded_initial (initial);
  if (*due != DTLS_NEVER)
    *due = after (begun, retransmit_interval (timers));
  /* Its beginning is remembered: the back-off may have changed while it ran. */
  if (timers_is_ack_owed (timers))
    timers->due[TIMER_ACK] = after (timers->ack_began, ack_interval (timers));
}

void
timers_handshake_started (struct timers *timers, dtls_time now, dtls_duration deadline)
{
  timers->due[TIMER_HANDSHAKE] = after (now, deadline);
}

void
timers_flight_begins (struct timers *timers)
{
  stop (timers, TIMER_RETRANSMIT);
  stop (timers, TIMER_BURST);
  timers->n_expiries = 0;
}

void
timers_flight_sent (struct timers *timers, dtls_time now)
{
  stop (timers, TIMER_BURST);
  timers->due[TIMER_RETRANSMIT] = after (now, retransmit_interval (timers));
}

void
timers_burst_sent (struct timers *timers, dtls_time now)
{
  stop (timers, TIMER_RETRANSMIT);
  timers->due[TIMER_BURST] = after (now, BURST_INTERVAL);
}

void
timers_flight_answered (struct timers *timers)
{
  stop (timers, TIMER_RETRANSMIT);
  stop (timers, TIMER_BURST);
}

void
timers_deadline_over (struct timers *timers)
{
  stop (timers, TIMER_HANDSHAKE);
}

void
timers_handshake_over (struct timers *timers)
{
  stop (timers, TIMER_ACK);
  stop (timers, TIMER_RETRANSMIT);
  stop (timers, TIMER_BURST);
  stop (timers, TIMER_HANDSHAKE);
}

void
timers_ack_owed (struct timers *timers, dtls_time now)
{
  if (timers_is_ack_owed (timers))
    return;

  timers->ack_began = now;
  timers->due[TIMER_ACK] = after (now, ack_interval (timers));
}

void
timers_ack_done (struct timers *timers)
{
  stop (timers, TIMER_ACK);
}

bool
timers_is_ack_owed (const struct timers *timers)
{
  return timers->due[TIMER_ACK] != DTLS_NEVER;
}

void
timers_linger (struct timers *timers, dtls_time now)
{
  dtls_time *due = &timers->due[TIMER_RETRANSMIT];

  timers->due[TIMER_LINGER] = after (now, LINGER);
  if (*due != DTLS_NEVER && *due > after (now, retransmit_interval (timers)))
    *due = after (now, retransmit_interval (timers));
}

bool
timers_is_lingering (const struct timers *timers)
{
  return timers->due[TIMER_LINGER] != DTLS_NEVER;
}

void
timers_linger_done (struct timers *timers)
{
  stop (timers, TIMER_LINGER);
}

void
timers_epoch_changed (struct timers *timers, dtls_time now)
{
  timers->due[TIMER_EPOCH] = after (now, TWICE_MSL);
}

bool
timers_is_epoch_over (const struct timers *timers, dtls_time now)
{
  return timers->due[TIMER_EPOCH] <= now;
}

void
timers_epoch_dropped (struct timers *timers)
{
  stop (timers, TIMER_EPOCH);
}

void
timers_last_flight_sent (struct timers *timers, dtls_time now)
{
  timers->due[TIMER_LAST_FLIGHT] = after (now, TWICE_MSL);
}

void
timers_last_flight_done (struct timers *timers)
{
  stop (timers, TIMER_LAST_FLIGHT);
}

dtls_time
timers_next (const struct timers *timers)
{
  dtls_time next = DTLS_NEVER;

  for (enum timer timer = 0; timer < N_TIMERS; timer++)
    if (timer != TIMER_EPOCH && timers->due[timer] < next)
      next = timers->due[timer];

  return next;
}

enum timer
timers_take_expired (struct timers *timers, dtls_time now)
{
  enum timer timer = 0;

  while (timer < N_TIMERS && (timers->due[timer] > now || timers->due[timer] == DTLS_NEVER))
    timer++;
  if (timer == N_TIMERS)
    return N_TIMERS;

  stop (timers, timer);
  if (timer == TIMER_RETRANSMIT)
    timers->n_expiries++;

  return timer;
}

bool
timers_gave_up (const struct timers *timers)
{
  return timers->n_expiries > MAX_RETRANSMISSIONS;
}

unsigned
timers_n_retransmissions (const struct timers *timers)
{
  return timers_gave_up (timers) ? MAX_RETRANSMISSIONS : timers->n_expiries;
}
