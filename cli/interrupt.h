/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* SIGINT and SIGTERM: the wish to end, so that peers hear of it. */

#pragma once

#include "cli/report.h"

#include <gio/gio.h>

struct interrupt
{
  GCancellable *cancellable; /* (owned): cancelled when one of them comes */
  int signal;                /* which; 0 before */
  guint sources[2];          /* in the default main context */
};

/* From here on until interrupt_clear the signals do no more than that. */
void interrupt_init (struct interrupt *interrupt);
void interrupt_clear (struct interrupt *interrupt);

/* `status`, or what tells of the signal if one came. */
enum status interrupt_status (const struct interrupt *interrupt, enum status status);
