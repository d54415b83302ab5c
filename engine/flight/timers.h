/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every deadline of a connection by name. Callers report what happened; the policy is in here:
 *
 *   retransmit  400 ms, doubling to 60 s, 12 times (RFC 6347 §4.2.4.1; the start value is the
 *               caller's); runs from the end of a flight's transmission to its answer; a new flight
 *               starts over. An overdue one counts as one expiry, however late it is seen.
 *   burst       the next ten records of a long flight, 10 ms after the last ten
 *   handshake   the whole handshake's deadline
 *   last flight 240 s for which the flight that nobody answers is kept (2 MSL, RFC 6347 §4.2.4) */

#pragma once

#include "types.h"

enum timer
{
  TIMER_RETRANSMIT,
  TIMER_BURST,
  TIMER_HANDSHAKE,
  TIMER_LAST_FLIGHT,
  N_TIMERS
};

struct timers
{
  dtls_time due[N_TIMERS]; /* DTLS_NEVER: not running */
  dtls_duration initial;
  unsigned n_expiries; /* of this flight's retransmission timer */
};

void timers_init (struct timers *timers, dtls_duration initial);
/* Another start value: a retransmission timer that runs keeps its beginning and the back-off so
 * far. */
void timers_set_initial (struct timers *timers, dtls_duration initial);
/* `deadline` from now on; DTLS_NEVER for none. */
void timers_handshake_started (struct timers *timers, dtls_time now, dtls_duration deadline);
void timers_flight_begins (
    struct timers *timers); /* a new flight: back-off starts over, nothing runs yet */
void timers_flight_sent (struct timers *timers,
                         dtls_time now); /* all of it, the first time or again */
void timers_burst_sent (struct timers *timers, dtls_time now); /* some of it: the rest follows */
void timers_flight_answered (struct timers *timers);
/* The handshake is over: retransmission, bursts and the deadline stop. */
void timers_handshake_over (struct timers *timers);
void timers_last_flight_sent (struct timers *timers, dtls_time now);
void timers_last_flight_done (struct timers *timers);

/* The earliest that runs; DTLS_NEVER for none. */
dtls_time timers_next (const struct timers *timers);
/* Takes the one that is due at `now`, in the enum's order, and stops it; N_TIMERS when none is. An
 * expired retransmission timer was counted. */
enum timer timers_take_expired (struct timers *timers, dtls_time now);
/* Whether the retransmission timer has expired once more than it may. */
bool timers_gave_up (const struct timers *timers);
unsigned timers_n_retransmissions (const struct timers *timers);
