/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What of a hello may not change, and the HelloRetryRequest. The rules of reading one stand
 * in test-server13-illegal. */

#include "handshake/crafted13.h"
#include "handshake/hello13.h"

static bool
read_crafted (const struct crafted *crafted, struct hello13 *out)
{
  static uint8_t memory[2][4096];
  static unsigned turn;
  uint8_t *at = memory[turn++ % 2];

  return CHECK_UINT (hello13_read (crafted_write (crafted, at, sizeof memory[0]), out), DTLS_OK);
}

/* The fixed parts one after the other. */
static struct bytes
fixed (const struct crafted *crafted, uint8_t *memory, size_t capacity)
{
  struct writer w = writer_over (memory, capacity);
  struct bytes parts[MAX_FIXED_PARTS];
  struct hello13 hello;
  size_t n;

  if (!read_crafted (crafted, &hello))
    return (struct bytes){ NULL, 0 };
  n = hello13_fixed_parts (&hello, parts);
  CHECK (n <= MAX_FIXED_PARTS);
  for (size_t i = 0; i < n; i++)
    {
      CHECK (parts[i].left > 0);
      write_bytes (&w, parts[i].at, parts[i].left);
    }
  return writer_bytes (&w);
}

static void
test_fixed_parts (void)
{
  static const uint8_t expected[] =
      "\xfe\xfd\1\2\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* random */
      "\0\0"                                                                     /* ID, cookie */
      "\0\6\x13\1\x13\2\xc0\x2b"
      "\1\0"
      "\x7a\x7a\0\1x"
      "\0\x0a\0\6\0\4\0\x1d\0\x17"
      "\0\x0d\0\6\0\4\4\3\x08\4"
      "\0\x2b\0\5\4\xfe\xfc\xfe\xfd"
      "\0\x2d\0\2\1\1";
  const struct crafted hello = { .extra = LITERAL ("\x7a\x7a\0\1x") };
  uint8_t memory[4096];

  CHECK_BYTES (fixed (&hello, memory, sizeof memory),
               ((struct bytes){ expected, sizeof expected - 1 }));
}

/* All that may change, in every place where it may stand. */
static const struct crafted same_rows[] = {
  { .version = 0 },
  { .has_psk = true },
  { .changed = EXT_KEY_SHARE + 1, .body = LITERAL ("\0\0") },
  { .extra = LITERAL ("\0\x15\0\3\0\0\0") },
  { .extra = LITERAL ("\0\x2c\0\3\0\1c") },
  { .extra = LITERAL ("\0\x2c\0\3\0\1c\0\x15\0\0\0\x2a\0\0"), .has_psk = true },
  { .omitted = { EXT_SUPPORTED_VERSIONS + 1 },
    .extra = LITERAL ("\0\x2b\0\5\4\xfe\xfc\xfe\xfd") }, /* it has moved */
};

static const struct crafted other_rows[] = {
  { .session_id = LITERAL ("i") },
  { .random_end = LITERAL ("r") },
  { .suites = LITERAL ("\x13\1\x13\2") },
  { .extra = LITERAL ("\x7a\x7a\0\0") },
  { .omitted = { EXT_SUPPORTED_VERSIONS + 1 }, .extra = LITERAL ("\0\x2b\0\3\2\xfe\xfc") },
  { .changed = EXT_SUPPORTED_GROUPS + 1, .body = LITERAL ("\0\4\0\x17\0\x1d") },
  { .omitted = { EXT_PSK_KEY_EXCHANGE_MODES + 1 } },
};

static void
test_what_may_change (void)
{
  uint8_t first_memory[4096], memory[4096];
  struct bytes first = fixed (&same_rows[0], first_memory, sizeof first_memory);

  for (size_t i = 0; i < TAP_N (same_rows); i++)
    CHECK_BYTES (fixed (&same_rows[i], memory, sizeof memory), first);
  for (size_t i = 0; i < TAP_N (other_rows); i++)
    CHECK (!bytes_equal (fixed (&other_rows[i], memory, sizeof memory), first));
}

/* ------------------------------------------------------------------------------------ the retry */

static void
test_retry_layout (void)
{
  static const uint8_t expected[] =
      "\xfe\xfd"
      "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
      "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"
      "\0"
      "\x13\2"
      "\0"
      "\0\x13"
      "\0\x2b\0\2\xfe\xfc"
      "\0\x33\0\2\0\x17"
      "\0\x2c\0\3\0\1c";
  const struct retry13 retry = { SUITE_AES_256_GCM_SHA384, GROUP_SECP256R1, TAP_STRING ("c") };
  uint8_t memory[128];
  struct writer w = writer_over (memory, sizeof memory);

  hello13_write_retry (&w, &retry);
  CHECK_UINT (w.used, RETRY13_LEN + 1);
  CHECK_BYTES (writer_bytes (&w), ((struct bytes){ expected, sizeof expected - 1 }));
}

/* Only what is asked for stands in it. */
static void
test_retry_reads_back (void)
{
  const struct retry13 retries[] = {
    { SUITE_AES_128_GCM_SHA256, 0, TAP_STRING ("cookie") },
    { SUITE_AES_128_GCM_SHA256, GROUP_X25519, { NULL, 0 } },
    { SUITE_CHACHA20_POLY1305_SHA256, GROUP_X25519, TAP_STRING ("cookie") },
  };

  for (size_t i = 0; i < TAP_N (retries); i++)
    {
      uint8_t memory[128];
      struct writer w = writer_over (memory, sizeof memory);
      struct server_hello hello;
      struct extensions found;
      struct bytes cookie;
      uint16_t value;

      hello13_write_retry (&w, &retries[i]);
      CHECK (server_hello_read (writer_bytes (&w), &hello));
      CHECK (server_hello_is_retry (&hello));
      CHECK_UINT (hello.suite, retries[i].suite);
      CHECK_UINT (hello.session_id.left, 0);
      CHECK_UINT (extensions_read (hello.extensions, IN_HELLO_RETRY_REQUEST, &found),
                  EXTENSIONS_OK);
      CHECK (selected_read (found.body[FOUND_SUPPORTED_VERSIONS], &value));
      CHECK_UINT (value, VERSION_DTLS_1_3);
      CHECK_UINT (found.has[FOUND_KEY_SHARE], retries[i].group != 0);
      if (found.has[FOUND_KEY_SHARE] && CHECK (selected_read (found.body[FOUND_KEY_SHARE], &value)))
        CHECK_UINT (value, retries[i].group);
      CHECK_UINT (found.has[FOUND_COOKIE], retries[i].cookie.left > 0);
      if (found.has[FOUND_COOKIE] && CHECK (cookie_read (found.body[FOUND_COOKIE], &cookie)))
        CHECK_BYTES (cookie, retries[i].cookie);
    }
}

/* ------------------------------------------------------------------------------------- the suite */

/* A key that is offered first pulls the suite to its hash, and does not otherwise matter. */
static void
test_suite_goes_with_the_key (void)
{
  static const uint8_t psk_384[] = "\0\x0d\0\7someone\0\0\0\0\0\x31\x30"
                                   "0123456789abcdef0123456789abcdef0123456789abcdef";
  struct crafted hello = { .has_psk = true,
                           .changed = EXT_PRE_SHARED_KEY + 1,
                           .body = { psk_384, sizeof psk_384 - 1 } };
  struct dtls_config config;
  struct offer ours, theirs;
  struct hello13 read;

  dtls_config_init (&config);
  CHECK (offer_from_config (&ours, &config, pki_crypto ()));
  CHECK (read_crafted (&hello, &read));
  hello13_offer (&read, &theirs);
  CHECK_UINT (hello13_choose_suite (&read, &ours, &theirs)->code, SUITE_AES_256_GCM_SHA384);

  hello.suites = TAP_STRING ("\x13\1");
  CHECK (read_crafted (&hello, &read));
  hello13_offer (&read, &theirs);
  CHECK_UINT (hello13_choose_suite (&read, &ours, &theirs)->code, SUITE_AES_128_GCM_SHA256);
}

static const struct tap_test tests[] = {
  { "/handshake/hello13/fixed-parts-in-their-order", test_fixed_parts },
  { "/handshake/hello13/what-may-change-is-no-part", test_what_may_change },
  { "/handshake/hello13/retry-layout", test_retry_layout },
  { "/handshake/hello13/retry-reads-back", test_retry_reads_back },
  { "/handshake/hello13/the-suite-goes-with-the-first-key", test_suite_goes_with_the_key },
};

TAP_MAIN (tests)
