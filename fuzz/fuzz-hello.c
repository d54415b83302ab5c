/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The bodies of ClientHello, ServerHello (a HelloRetryRequest too) and HelloVerifyRequest. */

#include "fuzz.h"

#include "wire/hello.h"

/* An empty extensions block reads as none, so its length may be missing from what was written. */
static void
check_rewritten (const struct writer *writer, struct bytes message)
{
  struct bytes written = writer_bytes (writer);

  if (written.left + 2 == message.left)
    {
      fuzz_check (message.at[written.left] == 0 && message.at[written.left + 1] == 0);
      message.left -= 2;
    }
  fuzz_check_same (writer, message);
}

static void
try_client_hello (struct bytes message, struct writer writer)
{
  struct client_hello hello;

  if (!client_hello_read (message, &hello))
    return;

  fuzz_check (hello.random.left == RANDOM_LEN);
  fuzz_check (hello.session_id.left <= MAX_SESSION_ID_LEN);
  fuzz_check (hello.cookie.left <= MAX_COOKIE_LEN);
  fuzz_check (
      client_hello_has_suite (&hello, (uint16_t) (hello.suites.at[0] << 8 | hello.suites.at[1])));
  client_hello_write (&writer, &hello);
  check_rewritten (&writer, message);
}

static void
try_server_hello (struct bytes message, struct writer writer)
{
  struct server_hello hello;

  if (!server_hello_read (message, &hello))
    return;

  fuzz_check (hello.random.left == RANDOM_LEN);
  fuzz_check (hello.session_id.left <= MAX_SESSION_ID_LEN);
  (void) server_hello_is_retry (&hello);
  server_hello_write (&writer, &hello);
  check_rewritten (&writer, message);
}

static void
try_hello_verify_request (struct bytes message, struct writer writer)
{
  struct hello_verify_request request;

  if (!hello_verify_request_read (message, &request))
    return;

  hello_verify_request_write (&writer, &request);
  fuzz_check_same (&writer, message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static void (*const codecs[]) (struct bytes, struct writer) = { try_client_hello,
                                                                  try_server_hello,
                                                                  try_hello_verify_request };

  return fuzz_codecs (codecs, sizeof codecs / sizeof codecs[0], (struct bytes){ data, size });
}
