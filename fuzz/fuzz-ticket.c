/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The input as a ticket, which nobody has sealed; and as what is sealed in one, which then opens, unless it was
 * touched. */

#include "fuzz.h"

#include <string.h>

#include "handshake/tickets.h"

static const struct dtls_ticket_key keys[] = { { .name = "the newest", .secret = { 1 } },
                                               { .name = "the one before", .secret = { 2 } } };
static const struct ticket_ring ring = { keys, 2 };

static bool
opens (struct dtls_crypto *crypto, struct bytes ticket, struct bytes expected)
{
  uint8_t *memory = malloc (ticket.left + 1);
  struct dtls_buffer out = { memory, ticket.left, 0 };
  bool is_open;

  fuzz_check (memory != NULL);
  is_open = ticket_open (crypto, &ring, ticket, &out);
  fuzz_check (is_open || out.used == 0);
  if (is_open)
    fuzz_check (bytes_equal ((struct bytes){ memory, out.used }, expected));
  free (memory);
  return is_open;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static struct dtls_crypto *crypto;
  struct bytes input = { data, size };
  uint8_t *memory = malloc (size + TICKET_OVERHEAD);
  struct dtls_buffer ticket = { memory, size + TICKET_OVERHEAD, 0 };
  uint8_t choice = size > 0 ? data[0] : 0;

  if (crypto == NULL)
    crypto = dtls_crypto_new ();
  fuzz_check (crypto != NULL && memory != NULL);
  fuzz_check (!opens (crypto, input, (struct bytes){ NULL, 0 }));

  fuzz_check (ticket_seal (crypto, &keys[choice % 2], input, &ticket));
  fuzz_check (opens (crypto, (struct bytes){ memory, ticket.used }, input));
  memory[choice % ticket.used] ^= 1;
  fuzz_check (!opens (crypto, (struct bytes){ memory, ticket.used }, input));
  free (memory);

  return 0;
}
