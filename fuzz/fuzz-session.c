/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A session as bytes: what a client was given to keep, and what a ticket has inside. */

#include "fuzz.h"

#include "handshake/session.h"

static void
try_chain (struct bytes chain)
{
  struct der_list list = { .n = 0 };

  fuzz_check (session_chain_read (chain, &list));
  fuzz_check (session_chain_len (&list) == chain.left);
  for (size_t i = 0; i < list.n; i++)
    fuzz_check (list.items[i].left > 0);
  der_list_clear (&list);
}

static void
try_session (struct bytes bytes, struct writer writer)
{
  struct session session;

  if (!session_read (bytes, &session))
    return;

  fuzz_check (session.secret_len > 0 && session.secret_len <= sizeof session.secret);
  fuzz_check (session_len (&session) == bytes.left);
  session_write (&writer, &session);
  fuzz_check_same (&writer, bytes);
  try_chain (session.chain);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static void (*const codecs[]) (struct bytes, struct writer) = { try_session };

  return fuzz_codecs (codecs, 1, (struct bytes){ data, size });
}
