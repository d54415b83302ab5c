/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* flight/timers: the schedule of retransmissions, and that no time overflows. */

#include "tap.h"
#include "flight/timers.h"

#define MS DTLS_MILLISECOND

enum
{
  N_WAITS = 13, /* the first transmission's, and twelve retransmissions' */
};

static const dtls_time start = 1000 * DTLS_SECOND;

static void
retransmission_backs_off (void)
{
  static const struct
  {
    const char *row;
    dtls_duration initial;
    dtls_duration waits[N_WAITS];
  } rows[] = {
    { "400 ms",
      400 * MS,
      { 400 * MS, 800 * MS, 1600 * MS, 3200 * MS, 6400 * MS, 12800 * MS, 25600 * MS, 51200 * MS,
        60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS } },
    { "1 s",
      1000 * MS,
      { 1000 * MS, 2000 * MS, 4000 * MS, 8000 * MS, 16000 * MS, 32000 * MS, 60000 * MS, 60000 * MS,
        60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS } },
    { "none is one millisecond",
      0,
      { 1 * MS, 2 * MS, 4 * MS, 8 * MS, 16 * MS, 32 * MS, 64 * MS, 128 * MS, 256 * MS, 512 * MS,
        1024 * MS, 2048 * MS, 4096 * MS } },
    { "more than the most",
      DTLS_NEVER,
      { 60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS,
        60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS, 60000 * MS } },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct timers timers;
      dtls_time now = start;

      tap_set_row (rows[i].row);
      timers_init (&timers, rows[i].initial);
      timers_flight_begins (&timers);
      for (unsigned wait = 0; wait < N_WAITS; wait++)
        {
          CHECK (!timers_gave_up (&timers));
          CHECK_UINT (timers_n_retransmissions (&timers), wait);
          timers_flight_sent (&timers, now);
          CHECK_UINT (timers_next (&timers) - now, rows[i].waits[wait]);
          now = timers_next (&timers);
          CHECK_UINT (timers_take_expired (&timers, now - 1), N_TIMERS);
          CHECK_UINT (timers_take_expired (&timers, now), TIMER_RETRANSMIT);
        }
      CHECK (timers_gave_up (&timers));
      CHECK_UINT (timers_n_retransmissions (&timers), N_WAITS - 1);
    }
}

/* Should anybody go on after giving up. */
static void
back_off_does_not_overflow (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_flight_begins (&timers);
  for (unsigned i = 0; i < 200; i++)
    {
      timers_flight_sent (&timers, start);
      CHECK_UINT (timers_take_expired (&timers, start + 60 * DTLS_SECOND), TIMER_RETRANSMIT);
    }
  timers_flight_sent (&timers, start);
  CHECK_UINT (timers_next (&timers), start + 60 * DTLS_SECOND);
  CHECK_UINT (timers_n_retransmissions (&timers), N_WAITS - 1);
}

static void
overdue_counts_once (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start);

  CHECK_UINT (timers_take_expired (&timers, start + 3600 * DTLS_SECOND), TIMER_RETRANSMIT);
  CHECK_UINT (timers_take_expired (&timers, start + 3600 * DTLS_SECOND), N_TIMERS);
  CHECK_UINT (timers_n_retransmissions (&timers), 1);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);

  timers_flight_sent (&timers, start + 3600 * DTLS_SECOND);
  CHECK_UINT (timers_next (&timers), start + 3600 * DTLS_SECOND + 800 * MS);
}

static void
new_flight_starts_over (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start);
  CHECK_UINT (timers_take_expired (&timers, start + 400 * MS), TIMER_RETRANSMIT);
  timers_flight_sent (&timers, start + 400 * MS);

  timers_flight_answered (&timers);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);
  timers_flight_begins (&timers);
  CHECK_UINT (timers_n_retransmissions (&timers), 0);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);
  timers_flight_sent (&timers, start + 500 * MS);
  CHECK_UINT (timers_next (&timers), start + 900 * MS);
}

static void
bursts_come_before_the_retransmission_timer (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_flight_begins (&timers);

  timers_burst_sent (&timers, start);
  CHECK_UINT (timers_next (&timers), start + 10 * MS);
  CHECK_UINT (timers_take_expired (&timers, start + 10 * MS), TIMER_BURST);
  timers_burst_sent (&timers, start + 10 * MS);
  CHECK_UINT (timers_next (&timers), start + 20 * MS);
  CHECK_UINT (timers_take_expired (&timers, start + 20 * MS), TIMER_BURST);
  timers_flight_sent (&timers, start + 20 * MS);
  CHECK_UINT (timers_next (&timers), start + 420 * MS);

  /* The same when it goes out again. */
  CHECK_UINT (timers_take_expired (&timers, start + 420 * MS), TIMER_RETRANSMIT);
  timers_burst_sent (&timers, start + 420 * MS);
  CHECK_UINT (timers.due[TIMER_RETRANSMIT], DTLS_NEVER);
  timers_flight_answered (&timers);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);
}

static void
handshake_has_a_deadline (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_handshake_started (&timers, start, 60 * DTLS_SECOND);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start + 59800 * MS);
  timers_flight_answered (&timers);
  CHECK_UINT (timers_next (&timers), start + 60 * DTLS_SECOND);
  CHECK_UINT (timers_take_expired (&timers, start + 60 * DTLS_SECOND), TIMER_HANDSHAKE);

  timers_handshake_started (&timers, start, DTLS_NEVER);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);
  CHECK_UINT (timers_take_expired (&timers, DTLS_NEVER), N_TIMERS);
}

static void
end_of_handshake_stops_all_but_the_last_flight (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_handshake_started (&timers, start, 60 * DTLS_SECOND);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start);
  timers_last_flight_sent (&timers, start);
  timers_handshake_over (&timers);
  CHECK_UINT (timers_next (&timers), start + 240 * DTLS_SECOND);
  CHECK_UINT (timers_take_expired (&timers, start + 240 * DTLS_SECOND - 1), N_TIMERS);
  CHECK_UINT (timers_take_expired (&timers, start + 240 * DTLS_SECOND), TIMER_LAST_FLIGHT);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);

  timers_last_flight_sent (&timers, start);
  timers_last_flight_done (&timers);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);
}

static void
expired_ones_come_in_order (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_last_flight_sent (&timers, start);
  timers_handshake_started (&timers, start, 60 * DTLS_SECOND);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start);

  CHECK_UINT (timers_take_expired (&timers, start + 300 * DTLS_SECOND), TIMER_RETRANSMIT);
  CHECK_UINT (timers_take_expired (&timers, start + 300 * DTLS_SECOND), TIMER_HANDSHAKE);
  CHECK_UINT (timers_take_expired (&timers, start + 300 * DTLS_SECOND), TIMER_LAST_FLIGHT);
  CHECK_UINT (timers_take_expired (&timers, start + 300 * DTLS_SECOND), N_TIMERS);
}

static void
end_of_time_does_not_overflow (void)
{
  static const struct
  {
    const char *row;
    dtls_duration before_the_end;
    dtls_time expected; /* of a flight sent then, with 400 ms */
  } rows[] = {
    { "a second before", DTLS_SECOND, DTLS_NEVER - 600 * MS },
    { "just enough", 400 * MS + 1, DTLS_NEVER - 1 },
    { "not enough", 400 * MS, DTLS_NEVER },
    { "the end", 0, DTLS_NEVER },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct timers timers;
      dtls_time now = DTLS_NEVER - rows[i].before_the_end;

      tap_set_row (rows[i].row);
      timers_init (&timers, 400 * MS);
      timers_handshake_started (&timers, now, 60 * DTLS_SECOND);
      timers_flight_begins (&timers);
      timers_flight_sent (&timers, now);
      timers_last_flight_sent (&timers, now);
      CHECK_UINT (timers_next (&timers), rows[i].expected);
      timers_burst_sent (&timers, now);
      CHECK (timers_next (&timers) >= now);
    }
}

static const struct tap_test tests[] = {
  { "/flight/timers/retransmission-backs-off", retransmission_backs_off },
  { "/flight/timers/back-off-does-not-overflow", back_off_does_not_overflow },
  { "/flight/timers/overdue-counts-once", overdue_counts_once },
  { "/flight/timers/new-flight-starts-over", new_flight_starts_over },
  { "/flight/timers/bursts-come-before-the-retransmission-timer",
    bursts_come_before_the_retransmission_timer },
  { "/flight/timers/handshake-has-a-deadline", handshake_has_a_deadline },
  { "/flight/timers/end-of-handshake-stops-all-but-the-last-flight",
    end_of_handshake_stops_all_but_the_last_flight },
  { "/flight/timers/expired-ones-come-in-order", expired_ones_come_in_order },
  { "/flight/timers/end-of-time-does-not-overflow", end_of_time_does_not_overflow },
};

TAP_MAIN (tests)
