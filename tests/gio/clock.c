/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The system's clocks, and what was added to them. */

#include "clock.h"

#include <gmodule.h>
#include <time.h>

static GMutex lock;
static gint64 monotonic_offset; /* under the lock */
static gint64 wall_offset;      /* under the lock */

void
clock_advance (gint64 duration)
{
  g_mutex_lock (&lock);
  monotonic_offset += duration;
  wall_offset += duration;
  g_mutex_unlock (&lock);
}

void
clock_step_wall (gint64 duration)
{
  g_mutex_lock (&lock);
  wall_offset += duration;
  g_mutex_unlock (&lock);
}

static gint64
now (clockid_t id, const gint64 *offset)
{
  struct timespec system;
  gint64 sum;

  clock_gettime (id, &system);
  g_mutex_lock (&lock);
  sum = (gint64) system.tv_sec * G_USEC_PER_SEC + system.tv_nsec / 1000 + *offset;
  g_mutex_unlock (&lock);

  return sum;
}

G_MODULE_EXPORT gint64
g_get_monotonic_time (void)
{
  return now (CLOCK_MONOTONIC, &monotonic_offset);
}

G_MODULE_EXPORT gint64
g_get_real_time (void)
{
  return now (CLOCK_REALTIME, &wall_offset);
}
