/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Time that a test moves on. A program that uses this is linked with export_dynamic: its
 * g_get_monotonic_time and g_get_real_time stand in front of GLib's for everybody but GLib itself, whose
 * sources still wait in real time. So a test looks after its connections by calls that do not wait. */

#pragma once

#include <glib.h>

/* Both clocks go on by so many µs at once. */
void clock_advance (gint64 duration);
/* The wall's alone, as when a machine wakes up or somebody sets it; also backwards. */
void clock_step_wall (gint64 duration);
