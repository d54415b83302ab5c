/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A ClientHello with other fields, for rows of mischief in both versions. */

#pragma once

#include "handshake/rows.h"
#include "wire/hello.h"

#include <stdlib.h>

/* What change_fields changes. */
enum
{
  SUITES,
  SUITES_AND_MORE,
  SUITES_AFTER,
  COMPRESSION,
  SESSION_ID,
  LEGACY_COOKIE,
  RANDOM,
};

/* The hello read, changed by the row, and written again; binders are as they should be. */
static inline void
change_fields (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];
  uint8_t memory[4096], suites[256];
  struct writer w = writer_over (memory, sizeof memory);
  struct writer list = writer_over (suites, sizeof suites);
  struct client_hello hello;

  if (!client_hello_read ((struct bytes){ piece->body, piece->len }, &hello))
    abort ();
  if (mischief->number == SUITES_AFTER)
    write_bytes (&list, mischief->bytes.at, mischief->bytes.left);
  write_bytes (&list, hello.suites.at, hello.suites.left);
  if (mischief->number == SUITES_AND_MORE)
    write_bytes (&list, mischief->bytes.at, mischief->bytes.left);

  if (mischief->number == SUITES)
    hello.suites = mischief->bytes;
  else if (mischief->number == SUITES_AND_MORE || mischief->number == SUITES_AFTER)
    hello.suites = writer_bytes (&list);
  else if (mischief->number == COMPRESSION)
    hello.compression = mischief->bytes;
  else if (mischief->number == SESSION_ID)
    hello.session_id = mischief->bytes;
  else if (mischief->number == LEGACY_COOKIE)
    hello.cookie = mischief->bytes;
  else
    hello.random = mischief->bytes;

  client_hello_write (&w, &hello);
  piece_set_body (piece, writer_bytes (&w));
  puppet_bind (puppet, piece);
}
