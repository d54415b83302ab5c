/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The content of an ACK. */

#include "fuzz.h"

#include "wire/ack.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct bytes record = { data, size };
  struct record_number *all = malloc (size + 1);
  uint8_t *out = malloc (size + 1);
  struct writer writer = writer_over (out, size);
  struct bytes numbers;
  size_t n = 0;

  fuzz_check (all != NULL && out != NULL);
  if (ack_read (record, &numbers))
    {
      fuzz_check (numbers.left + 2 == size && numbers.left % sizeof *all == 0);
      while (n < size / sizeof *all && ack_next (&numbers, &all[n]))
        n++;
      fuzz_check (numbers.left == 0);
      ack_write (&writer, all, n);
      fuzz_check_same (&writer, record);
    }
  free (out);
  free (all);

  return 0;
}
