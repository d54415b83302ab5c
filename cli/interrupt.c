/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Signals that end the program in good order; see interrupt.h. */

#include "cli/interrupt.h"

#include <glib-unix.h>
#include <signal.h>

static void
note (struct interrupt *interrupt, int number)
{
  interrupt->signal = number;
  g_cancellable_cancel (interrupt->cancellable);
}

static gboolean
on_interrupt (gpointer user_data)
{
  note (user_data, SIGINT);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_terminate (gpointer user_data)
{
  note (user_data, SIGTERM);
  return G_SOURCE_CONTINUE;
}

void
interrupt_init (struct interrupt *interrupt)
{
  interrupt->cancellable = g_cancellable_new ();
  interrupt->signal = 0;
  interrupt->sources[0] = g_unix_signal_add (SIGINT, on_interrupt, interrupt);
  interrupt->sources[1] = g_unix_signal_add (SIGTERM, on_terminate, interrupt);
}

void
interrupt_clear (struct interrupt *interrupt)
{
  for (size_t i = 0; i < G_N_ELEMENTS (interrupt->sources); i++)
    g_source_remove (interrupt->sources[i]);
  g_clear_object (&interrupt->cancellable);
}

enum status
interrupt_status (const struct interrupt *interrupt, enum status status)
{
  return interrupt->signal == 0 ? status : (enum status) (STATUS_SIGNAL + interrupt->signal);
}
