/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Deadlines as an array, and the back-off. Nothing here overflows: a time too far to be told is
 * never. */

#include "flight/timers.h"

#define MIN_RETRANSMIT DTLS_MILLISECOND
/* RFC 6347 §4.2.4.1: "up to no less than the RFC 6298 maximum of 60 seconds". */
#define MAX_RETRANSMIT (60 * DTLS_SECOND)
#define BURST_INTERVAL (10 * DTLS_MILLISECOND)
/* RFC 6347 §4.2.4: at least twice the default MSL of TCP, which is two minutes. */
#define LAST_FLIGHT_KEPT (240 * DTLS_SECOND)

enum
{
  MAX_RETRANSMISSIONS = 12,
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

/* `initial` is at most MAX_RETRANSMIT, so that a doubling cannot overflow. */
static dtls_duration
retransmit_interval (const struct timers *timers)
{
  dtls_duration interval = timers->initial;

  for (unsigned i = 0; i < timers->n_expiries && interval < MAX_RETRANSMIT; i++)
    interval *= 2;

  return interval < MAX_RETRANSMIT ? interval : MAX_RETRANSMIT;
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
timers_handshake_over (struct timers *timers)
{
  stop (timers, TIMER_RETRANSMIT);
  stop (timers, TIMER_BURST);
  stop (timers, TIMER_HANDSHAKE);
}

void
timers_last_flight_sent (struct timers *timers, dtls_time now)
{
  timers->due[TIMER_LAST_FLIGHT] = after (now, LAST_FLIGHT_KEPT);
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
    if (timers->due[timer] < next)
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
