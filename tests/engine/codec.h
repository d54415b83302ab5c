/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What every codec must do, whatever it codes: give back what it read, refuse every truncation
 * and any trailing byte, and write nothing into a buffer that is too small. */

#pragma once

#include <stdlib.h>

#include "tap.h"
#include "wire/writer.h"

/* Reads the whole `message` and writes what it read; false if the reader refuses. */
typedef bool (*codec_rewrite) (struct bytes message, struct writer *writer);

/* For codec_check: no proper prefix of the message is a message too. */
#define CODEC_NO_PREFIX SIZE_MAX

enum
{
  /* Enough for the longest message of the tests, a certificate list of 2^16 bytes and more. */
  CODEC_MAX_LEN = 1 << 17,
};

/* A copy that ends where its allocation ends: the address sanitiser sees a read beyond it. */
static inline bool
codec_rewrite_copy (codec_rewrite rewrite, struct bytes message, size_t len, struct writer *writer)
{
  uint8_t *copy = malloc (len > 0 ? len : 1);
  bool is_read;

  if (copy == NULL)
    abort ();
  /* One byte more than the message, for the trailing byte, is made up here. */
  for (size_t i = 0; i < len; i++)
    copy[i] = i < message.left ? message.at[i] : 0;
  is_read = rewrite ((struct bytes){ copy, len }, writer);
  free (copy);

  return is_read;
}

static inline void
codec_check_lengths (codec_rewrite rewrite, struct bytes message, size_t prefix, uint8_t *out)
{
  for (size_t len = 0; len <= message.left + 1; len++)
    {
      struct writer writer = writer_over (out, CODEC_MAX_LEN);
      bool may_read = len == message.left || len == prefix;

      if (!CHECK_UINT (codec_rewrite_copy (rewrite, message, len, &writer), may_read))
        printf ("#   with %zu of %zu bytes\n", len, message.left);
    }
}

static inline void
codec_check_capacities (codec_rewrite rewrite, struct bytes message, uint8_t *out)
{
  for (size_t capacity = 0; capacity < message.left; capacity++)
    {
      struct writer writer = writer_over (out, capacity);

      out[capacity] = 0xa5;
      CHECK (rewrite (message, &writer));
      CHECK (!writer_ok (&writer));
      CHECK_UINT (writer_bytes (&writer).left, 0);
      CHECK_UINT (out[capacity], 0xa5);
    }
}

/* `prefix` is the length of a prefix that is a message too, such as a hello without its
 * extensions. */
static inline void
codec_check (codec_rewrite rewrite, struct bytes message, size_t prefix)
{
  uint8_t *out = malloc (CODEC_MAX_LEN);
  struct writer writer = writer_over (out, CODEC_MAX_LEN);

  if (out == NULL)
    abort ();

  if (CHECK (rewrite (message, &writer)))
    CHECK_BYTES (writer_bytes (&writer), message);
  codec_check_lengths (rewrite, message, prefix, out);
  codec_check_capacities (rewrite, message, out);

  free (out);
}
