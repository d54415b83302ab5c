/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The bodies of ServerKeyExchange and ClientKeyExchange. */

#include "fuzz.h"

#include "wire/key_exchange.h"

static void
try_server (struct bytes message, struct writer writer)
{
  struct server_key_exchange exchange;
  struct writer params = writer;

  if (!server_key_exchange_read (message, &exchange))
    return;

  fuzz_check (exchange.point.left > 0);
  server_ecdh_params_write (&params, exchange.group, exchange.point);
  fuzz_check_same (&params, exchange.params);
  server_key_exchange_write (&writer, &exchange);
  fuzz_check_same (&writer, message);
}

static void
try_client (struct bytes message, struct writer writer)
{
  struct bytes point;

  if (!client_key_exchange_read (message, &point))
    return;

  fuzz_check (point.left > 0);
  client_key_exchange_write (&writer, point);
  fuzz_check_same (&writer, message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static void (*const codecs[]) (struct bytes, struct writer) = { try_server, try_client };

  return fuzz_codecs (codecs, sizeof codecs / sizeof codecs[0], (struct bytes){ data, size });
}
