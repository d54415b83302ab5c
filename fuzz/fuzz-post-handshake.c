/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The bodies of NewSessionTicket, in both versions, and KeyUpdate. */

#include "fuzz.h"

#include "wire/extensions.h"
#include "wire/post_handshake.h"

static void
try_ticket_12 (struct bytes message, struct writer writer)
{
  struct new_session_ticket_12 ticket;

  if (!new_session_ticket_12_read (message, &ticket))
    return;

  new_session_ticket_12_write (&writer, &ticket);
  fuzz_check_same (&writer, message);
}

static void
try_ticket_13 (struct bytes message, struct writer writer)
{
  struct new_session_ticket_13 ticket;
  struct extensions found;
  uint32_t size;

  if (!new_session_ticket_13_read (message, &ticket))
    return;

  fuzz_check (ticket.ticket.left > 0 && ticket.nonce.left <= 255);
  new_session_ticket_13_write (&writer, &ticket);
  fuzz_check_same (&writer, message);

  if (extensions_read (ticket.extensions, IN_NEW_SESSION_TICKET_13, &found) != EXTENSIONS_OK)
    return;
  for (unsigned i = 0; i < N_EXTENSIONS; i++)
    fuzz_check (!found.has[i] || i == FOUND_EARLY_DATA);
  if (found.has[FOUND_EARLY_DATA])
    fuzz_check (max_early_data_size_read (found.body[FOUND_EARLY_DATA], &size)
                == (found.body[FOUND_EARLY_DATA].left == 4));
}

static void
try_key_update (struct bytes message, struct writer writer)
{
  enum key_update_request request;
  enum read_result result = key_update_read (message, &request);

  fuzz_check ((result == READ_MALFORMED) == (message.left != 1));
  if (result != READ_OK)
    return;

  key_update_write (&writer, request);
  fuzz_check_same (&writer, message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static void (*const codecs[]) (struct bytes, struct writer) = { try_ticket_12, try_ticket_13,
                                                                  try_key_update };

  return fuzz_codecs (codecs, sizeof codecs / sizeof codecs[0], (struct bytes){ data, size });
}
