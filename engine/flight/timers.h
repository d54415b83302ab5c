/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every deadline of a connection by name. Callers report what happened; the policy is in here:
 *
 *   retransmit  400 ms, doubling to 60 s, 12 times (RFC 6347 §4.2.4.1; the start value is the
 *               caller's); runs from the end of a flight's transmission to its answer; a new flight
 *               starts over. An overdue one counts as one expiry, however late it is seen.
 *   burst       the next ten records of a long flight, 10 ms after the last ten
 *   ack         1.3: what came without completing a flight is acknowledged a quarter of the current
 *               retransmission interval later (RFC 9147 §7.1)
 *   linger      1.3: a client that closed keeps repeating its last flight for a second, at half the
 *               start value, but every 125 to 500 ms
 *   epoch       1.3: 240 s for which the epoch before the current one is still read (2 MSL, RFC
 *               9147 §5.8.1: the client's last flight may come again, and is acknowledged again). It
 *               wakes nobody: it is looked at when something else happens
 *   handshake   the whole handshake's deadline
 *   last flight 240 s for which the flight that nobody answers is kept (2 MSL, RFC 6347 §4.2.4) */

#pragma once

#include "types.h"

enum timer
{
  TIMER_ACK, /* first: an ACK goes out ahead of a retransmission that is due with it */
  TIMER_RETRANSMIT,
  TIMER_BURST,
  TIMER_HANDSHAKE,
  TIMER_LAST_FLIGHT,
  TIMER_LINGER,
  TIMER_EPOCH,
  N_TIMERS
};

struct timers
{
  dtls_time due[N_TIMERS]; /* DTLS_NEVER: not running */
  dtls_time ack_began;     /* while the ACK timer runs */
  dtls_duration initial;
  unsigned n_expiries; /* of this flight's retransmission timer */
};

void timers_init (struct timers *timers, dtls_duration initial);
/* Another start value: a retransmission timer that runs keeps its beginning and the back-off so
 * far, and an ACK timer its beginning. */
void timers_set_initial (struct timers *timers, dtls_duration initial);
/* `deadline` from now on; DTLS_NEVER for none. */
void timers_handshake_started (struct timers *timers, dtls_time now, dtls_duration deadline);
void timers_flight_begins (
    struct timers *timers); /* a new flight: back-off starts over, nothing runs yet */
void timers_flight_sent (struct timers *timers,
                         dtls_time now); /* all of it, the first time or again */
void timers_burst_sent (struct timers *timers, dtls_time now); /* some of it: the rest follows */
void timers_flight_answered (struct timers *timers);
/* The handshake's deadline stops, and nothing else: in 1.3 the last flight still waits for its
 * ACK. */
void timers_deadline_over (struct timers *timers);
/* The handshake is over: retransmission, bursts, ACKs and the deadline stop. */
void timers_handshake_over (struct timers *timers);
/* A handshake record came that no flight of ours has answered yet. Nothing if the timer runs
 * already. */
void timers_ack_owed (struct timers *timers, dtls_time now);
void timers_ack_done (struct timers *timers); /* sent, or made needless by a flight of ours */
bool timers_is_ack_owed (const struct timers *timers);
/* A client closed with its last flight not acknowledged. */
void timers_linger (struct timers *timers, dtls_time now);
bool timers_is_lingering (const struct timers *timers);
void timers_linger_done (struct timers *timers);
/* Another epoch is read; the one before it is kept for a while. */
void timers_epoch_changed (struct timers *timers, dtls_time now);
bool timers_is_epoch_over (const struct timers *timers, dtls_time now);
void timers_epoch_dropped (struct timers *timers);
void timers_last_flight_sent (struct timers *timers, dtls_time now);
void timers_last_flight_done (struct timers *timers);

/* The earliest that runs and wakes; DTLS_NEVER for none. */
dtls_time timers_next (const struct timers *timers);
/* Takes the one that is due at `now`, in the enum's order, and stops it; N_TIMERS when none is. An
 * expired retransmission timer was counted. */
enum timer timers_take_expired (struct timers *timers, dtls_time now);
/* Whether the retransmission timer has expired once more than it may. */
bool timers_gave_up (const struct timers *timers);
unsigned timers_n_retransmissions (const struct timers *timers);
