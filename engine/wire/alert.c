/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The two bytes of an alert, RFC 5246 §7.2. */

#include "wire/alert.h"

bool
alert_read (struct bytes record, struct alert *alert)
{
  struct reader reader = reader_over (record);

  alert->level = read_u8 (&reader);
  alert->description = read_u8 (&reader);

  return reader_done (&reader);
}

void
alert_write (struct writer *writer, const struct alert *alert)
{
  write_u8 (writer, alert->level);
  write_u8 (writer, alert->description);
}
