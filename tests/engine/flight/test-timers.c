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

/* RFC 9147 §7.1. */
static void
ack_waits_a_quarter_of_the_retransmission_interval (void)
{
  static const struct
  {
    const char *row;
    dtls_duration initial;
    unsigned n_expiries;
    dtls_duration expected;
  } rows[] = {
    { "at first", 400 * MS, 0, 100 * MS },  { "after one expiry", 400 * MS, 1, 200 * MS },
    { "after two", 400 * MS, 2, 400 * MS }, { "as slow as can be", 400 * MS, 12, 15000 * MS },
    { "as fast as can be", 0, 0, 250 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct timers timers;

      tap_set_row (rows[i].row);
      timers_init (&timers, rows[i].initial);
      timers_flight_begins (&timers);
      for (unsigned n = 0; n < rows[i].n_expiries; n++)
        {
          timers_flight_sent (&timers, start);
          CHECK_UINT (timers_take_expired (&timers, timers_next (&timers)), TIMER_RETRANSMIT);
        }

      CHECK (!timers_is_ack_owed (&timers));
      timers_ack_owed (&timers, start);
      CHECK (timers_is_ack_owed (&timers));
      CHECK_UINT (timers_next (&timers), start + rows[i].expected);
      CHECK_UINT (timers_take_expired (&timers, start + rows[i].expected - 1), N_TIMERS);
      CHECK_UINT (timers_take_expired (&timers, start + rows[i].expected), TIMER_ACK);
      CHECK (!timers_is_ack_owed (&timers));
      CHECK_UINT (timers_n_retransmissions (&timers), rows[i].n_expiries);
    }
}

static void
more_to_acknowledge_does_not_delay_the_ack (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_ack_owed (&timers, start);
  timers_ack_owed (&timers, start + 99 * MS);
  CHECK_UINT (timers_next (&timers), start + 100 * MS);

  timers_ack_done (&timers);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);
  timers_ack_owed (&timers, start + 99 * MS);
  CHECK_UINT (timers_next (&timers), start + 199 * MS);
}

static void
flights_leave_the_ack_alone (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_ack_owed (&timers, start);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start);
  timers_burst_sent (&timers, start);
  timers_flight_answered (&timers);
  timers_deadline_over (&timers);
  CHECK_UINT (timers_next (&timers), start + 100 * MS);

  timers_handshake_over (&timers);
  CHECK (!timers_is_ack_owed (&timers));
}

static void
another_start_value_moves_what_runs (void)
{
  static const struct
  {
    const char *row;
    dtls_duration initial;
    unsigned n_expiries; /* before the timers run */
    dtls_duration retransmission;
    dtls_duration ack;
  } rows[] = {
    { "longer", 1000 * MS, 0, 1000 * MS, 250 * MS },
    { "shorter", 40 * MS, 0, 40 * MS, 10 * MS },
    { "the back-off is kept", 1000 * MS, 3, 8000 * MS, 2000 * MS },
    { "more than the most", DTLS_NEVER, 0, 60000 * MS, 15000 * MS },
    { "less than the least", 0, 0, 1 * MS, 250 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct timers timers;

      tap_set_row (rows[i].row);
      timers_init (&timers, 400 * MS);
      timers_flight_begins (&timers);
      for (unsigned n = 0; n < rows[i].n_expiries; n++)
        {
          timers_flight_sent (&timers, start);
          CHECK_UINT (timers_take_expired (&timers, timers_next (&timers)), TIMER_RETRANSMIT);
        }
      timers_flight_sent (&timers, start);
      timers_ack_owed (&timers, start + 7 * MS);

      timers_set_initial (&timers, rows[i].initial);
      CHECK_UINT (timers.due[TIMER_RETRANSMIT], start + rows[i].retransmission);
      CHECK_UINT (timers.due[TIMER_ACK], start + 7 * MS + rows[i].ack);
    }
}

static void
another_start_value_starts_nothing (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_set_initial (&timers, 1000 * MS);
  CHECK_UINT (timers_next (&timers), DTLS_NEVER);
  timers_ack_owed (&timers, start);
  CHECK_UINT (timers_next (&timers), start + 250 * MS);
}

/* The back-off may change while the ACK timer runs, also where the clock has hardly begun. */
static void
ack_keeps_its_beginning_through_back_off_and_new_flights (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, 0);
  timers_ack_owed (&timers, 350 * MS);
  CHECK_UINT (timers_take_expired (&timers, 400 * MS), TIMER_RETRANSMIT);
  timers_set_initial (&timers, 400 * MS);
  CHECK_UINT (timers.due[TIMER_ACK], 350 * MS + 200 * MS);

  timers_flight_begins (&timers);
  timers_set_initial (&timers, 4000 * MS);
  CHECK_UINT (timers.due[TIMER_ACK], 350 * MS + 1000 * MS);
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
deadline_ends_before_the_last_flight_is_acknowledged (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_handshake_started (&timers, start, 60 * DTLS_SECOND);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start);
  timers_deadline_over (&timers);
  CHECK_UINT (timers.due[TIMER_HANDSHAKE], DTLS_NEVER);
  CHECK_UINT (timers_next (&timers), start + 400 * MS);
}

/* What is kept for a while after something happened, whatever flights and the handshake do. */
static void
lasting_ones_run_until_they_are_over (void)
{
  static const struct
  {
    const char *row;
    enum timer timer;
    void (*begin) (struct timers *timers, dtls_time now);
    void (*end) (struct timers *timers);
    dtls_duration expected;
  } rows[] = {
    { "last flight", TIMER_LAST_FLIGHT, timers_last_flight_sent, timers_last_flight_done,
      240 * DTLS_SECOND },
    { "linger", TIMER_LINGER, timers_linger, timers_linger_done, 1 * DTLS_SECOND },
    { "epoch", TIMER_EPOCH, timers_epoch_changed, timers_epoch_dropped, 240 * DTLS_SECOND },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct timers timers;

      tap_set_row (rows[i].row);
      timers_init (&timers, 400 * MS);
      rows[i].begin (&timers, start - 1);
      rows[i].begin (&timers, start); /* again: from now on */
      timers_flight_begins (&timers);
      timers_flight_answered (&timers);
      timers_set_initial (&timers, 1000 * MS);
      timers_ack_done (&timers);
      timers_handshake_over (&timers);
      /* The epoch before is no reason to wake. */
      CHECK_UINT (timers_next (&timers),
                  rows[i].timer == TIMER_EPOCH ? DTLS_NEVER : start + rows[i].expected);
      CHECK_UINT (timers_take_expired (&timers, start + rows[i].expected - 1), N_TIMERS);
      CHECK_UINT (timers_take_expired (&timers, start + rows[i].expected), rows[i].timer);
      CHECK_UINT (timers_next (&timers), DTLS_NEVER);

      rows[i].begin (&timers, start);
      rows[i].end (&timers);
      CHECK_UINT (timers_next (&timers), DTLS_NEVER);
      rows[i].begin (&timers, DTLS_NEVER - rows[i].expected);
      CHECK_UINT (timers_next (&timers), DTLS_NEVER);
    }
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
  static const enum timer order[] = {
    TIMER_ACK, TIMER_RETRANSMIT, TIMER_HANDSHAKE, TIMER_LAST_FLIGHT, TIMER_EPOCH,
  };
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_epoch_changed (&timers, start);
  timers_last_flight_sent (&timers, start);
  timers_handshake_started (&timers, start, 60 * DTLS_SECOND);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start);
  timers_ack_owed (&timers, start + 300 * MS); /* at the same time as the retransmission */

  CHECK_UINT (timers_take_expired (&timers, start + 400 * MS - 1), N_TIMERS);
  for (size_t i = 0; i < TAP_N (order); i++)
    CHECK_UINT (timers_take_expired (&timers, start + 300 * DTLS_SECOND), order[i]);
  CHECK_UINT (timers_take_expired (&timers, start + 300 * DTLS_SECOND), N_TIMERS);
}

/* Half the start value, whatever the back-off was, until the second is over. */
static void
lingering_repeats_faster (void)
{
  struct timers timers;

  timers_init (&timers, 400 * MS);
  timers_flight_begins (&timers);
  timers_flight_sent (&timers, start);
  CHECK_UINT (timers_take_expired (&timers, start + 400 * MS), TIMER_RETRANSMIT);
  timers_flight_sent (&timers, start + 400 * MS);
  CHECK_UINT (timers_next (&timers), start + 1200 * MS);

  CHECK (!timers_is_lingering (&timers));
  timers_linger (&timers, start + 500 * MS);
  CHECK (timers_is_lingering (&timers));
  for (unsigned ms = 700; ms < 1500; ms += 200)
    {
      CHECK_UINT (timers_next (&timers), start + ms * MS);
      CHECK_UINT (timers_take_expired (&timers, start + ms * MS), TIMER_RETRANSMIT);
      timers_flight_sent (&timers, start + ms * MS);
    }
  CHECK_UINT (timers_take_expired (&timers, start + 1500 * MS), TIMER_RETRANSMIT);
  CHECK_UINT (timers_take_expired (&timers, start + 1500 * MS), TIMER_LINGER);
  CHECK (!timers_is_lingering (&timers));
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
      timers_ack_owed (&timers, now);
      CHECK (timers_next (&timers) >= now);
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
  { "/flight/timers/ack-waits-a-quarter-of-the-retransmission-interval",
    ack_waits_a_quarter_of_the_retransmission_interval },
  { "/flight/timers/more-to-acknowledge-does-not-delay-the-ack",
    more_to_acknowledge_does_not_delay_the_ack },
  { "/flight/timers/flights-leave-the-ack-alone", flights_leave_the_ack_alone },
  { "/flight/timers/another-start-value-moves-what-runs", another_start_value_moves_what_runs },
  { "/flight/timers/another-start-value-starts-nothing", another_start_value_starts_nothing },
  { "/flight/timers/ack-keeps-its-beginning-through-back-off-and-new-flights",
    ack_keeps_its_beginning_through_back_off_and_new_flights },
  { "/flight/timers/handshake-has-a-deadline", handshake_has_a_deadline },
  { "/flight/timers/deadline-ends-before-the-last-flight-is-acknowledged",
    deadline_ends_before_the_last_flight_is_acknowledged },
  { "/flight/timers/lasting-ones-run-until-they-are-over", lasting_ones_run_until_they_are_over },
  { "/flight/timers/end-of-handshake-stops-all-but-the-last-flight",
    end_of_handshake_stops_all_but_the_last_flight },
  { "/flight/timers/expired-ones-come-in-order", expired_ones_come_in_order },
  { "/flight/timers/lingering-repeats-faster", lingering_repeats_faster },
  { "/flight/timers/end-of-time-does-not-overflow", end_of_time_does_not_overflow },
};

TAP_MAIN (tests)
