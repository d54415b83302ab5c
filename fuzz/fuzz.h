/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What every fuzz target is made of: the entry that the fuzzer or driver.c calls, and a check
 * that stays in every build. */

#pragma once

#include <stdbool.h>
#include <stdlib.h>

#include "wire/reader.h"
#include "wire/writer.h"

/* libFuzzer's name and contract. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Not assert (): that one may be compiled out. */
static inline void
fuzz_check (bool fact)
{
  if (!fact)
    abort ();
}

/* What was written is just what was read. */
static inline void
fuzz_check_same (const struct writer *writer, struct bytes read)
{
  fuzz_check (writer_ok (writer) && bytes_equal (writer_bytes (writer), read));
}

/* The input to each codec, which reads it and, if that goes well, writes it again and compares; with
 * room to write as much as was read. */
static inline int
fuzz_codecs (void (*const *codecs) (struct bytes, struct writer), size_t n_codecs,
             struct bytes message)
{
  uint8_t *out = malloc (message.left + 1);

  fuzz_check (out != NULL);
  for (size_t i = 0; i < n_codecs; i++)
    codecs[i](message, writer_over (out, message.left));
  free (out);

  return 0;
}
