/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client in every state of a handshake and after it, and what datagrams do to it. */

#include "conversation.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  conversation_run ((struct bytes){ data, size }, DTLS_CLIENT);
  return 0;
}
