/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* ACK. Which records it speaks of is not known here. */

#include "wire/ack.h"

bool
ack_read (struct bytes record, struct bytes *out_numbers)
{
  struct reader reader = reader_over (record);

  *out_numbers = read_vec (&reader, 2);

  return reader_done (&reader) && out_numbers->left % RECORD_NUMBER_LEN == 0;
}

bool
ack_next (struct bytes *numbers, struct record_number *out_number)
{
  struct reader reader = reader_over (*numbers);

  out_number->epoch = read_u64 (&reader);
  out_number->number = read_u64 (&reader);
  if (!reader_ok (&reader))
    return false;

  *numbers = read_rest (&reader);
  return true;
}

void
ack_write (struct writer *writer, const struct record_number *numbers, size_t n)
{
  size_t list = write_vec_begin (writer, 2);

  for (size_t i = 0; i < n; i++)
    {
      write_u64 (writer, numbers[i].epoch);
      write_u64 (writer, numbers[i].number);
    }
  write_vec_end (writer, list, 2);
}
