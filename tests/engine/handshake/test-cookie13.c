/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a cookie of 1.3 covers, byte for byte, and what it brings back. */

#include "handshake/cookie.h"
#include "handshake/cookie_ages.h"
#include "handshake/crafted13.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static uint8_t hello_memory[4096];

static struct hello13
read_crafted (const struct crafted *crafted)
{
  struct hello13 hello;

  CHECK_UINT (hello13_read (crafted_write (crafted, hello_memory, sizeof hello_memory), &hello),
              DTLS_OK);
  return hello;
}

static struct cookie13
example (uint16_t suite)
{
  struct cookie13 cookie = { .suite = suite_find (suite), .group = GROUP_SECP256R1 };

  memset (cookie.first, 0xab, sizeof cookie.first);
  return cookie;
}

/* Of the plain hello, from "here". */
static struct bytes
make (const struct dtls_cookie_keys *keys, uint64_t half_minute, uint16_t suite, uint8_t *memory)
{
  const struct hello13 hello = read_crafted (&(struct crafted){ .version = 0 });
  const struct cookie13_subject subject = { half_minute * COOKIE_LIFETIME + 5, TAP_STRING ("here"),
                                            &hello };
  const struct cookie13 cookie = example (suite);
  struct writer w = writer_over (memory, MAX_COOKIE13_LEN);

  CHECK (cookie13_make (keys, &subject, &cookie, &w));
  return writer_bytes (&w);
}

static bool
check (const struct dtls_cookie_keys *keys, uint64_t half_minute, const char *address,
       const struct crafted *crafted, struct bytes cookie)
{
  struct hello13 hello = read_crafted (crafted);
  const struct cookie13_subject subject = { half_minute * COOKIE_LIFETIME,
                                            { (const uint8_t *) address, strlen (address) },
                                            &hello };

  hello.cookie = cookie;
  return cookie13_check (keys, &subject);
}

static void
test_layout (void)
{
  struct dtls_cookie_keys keys = keys_of (0x42, 0x42);
  uint8_t memory[MAX_COOKIE13_LEN], covered[512], mac[32];
  struct writer w = writer_over (covered, sizeof covered);
  struct bytes cookie = make (&keys, 258, SUITE_AES_128_GCM_SHA256, memory);
  struct hello13 hello = read_crafted (&(struct crafted){ .version = 0 });
  struct bytes parts[MAX_FIXED_PARTS];
  size_t n = hello13_fixed_parts (&hello, parts);

  CHECK_UINT (cookie.left, 1 + 2 + 2 + 32 + 16);
  CHECK_BYTES (((struct bytes){ cookie.at, 6 }), TAP_STRING ("\2\x13\1\0\x17\xab"));

  /* A label, the half-minute, the address, the cookie's own beginning; then the hello. */
  write_bytes (&w, (const uint8_t *) "DTLS 1.3", 8);
  write_u64 (&w, 258);
  write_vec (&w, TAP_STRING ("here"), 1);
  write_vec (&w, (struct bytes){ cookie.at, cookie.left - 16 }, 1);
  for (size_t i = 0; i < n; i++)
    write_bytes (&w, parts[i].at, parts[i].left);
  CHECK (EVP_Q_mac (NULL, "HMAC", NULL, "SHA256", NULL, keys.current, sizeof keys.current, covered,
                    w.used, mac, sizeof mac, NULL)
         != NULL);
  CHECK_BYTES (((struct bytes){ cookie.at + cookie.left - 16, 16 }), ((struct bytes){ mac, 16 }));
}

static void
test_reads_back (void)
{
  static const uint16_t suites[] = { SUITE_AES_128_GCM_SHA256, SUITE_AES_256_GCM_SHA384 };
  struct dtls_cookie_keys keys = keys_of (1, 1);

  for (size_t i = 0; i < TAP_N (suites); i++)
    {
      uint8_t memory[MAX_COOKIE13_LEN];
      struct bytes bytes = make (&keys, 0, suites[i], memory);
      const struct cookie13 expected = example (suites[i]);
      struct cookie13 cookie;

      CHECK (check (&keys, 0, "here", &(struct crafted){ .version = 0 }, bytes));
      if (!CHECK (cookie13_read (bytes, &cookie)))
        continue;
      CHECK_UINT (cookie.suite->code, suites[i]);
      CHECK_UINT (cookie.group, GROUP_SECP256R1);
      CHECK (memcmp (cookie.first, expected.first, hash_len (cookie.suite->hash)) == 0);
    }
}

static void
test_time_and_keys (void)
{
  for (size_t i = 0; i < TAP_N (cookie_ages); i++)
    {
      const struct cookie_age *row = &cookie_ages[i];
      struct dtls_cookie_keys maker = keys_of (1, 1);
      struct dtls_cookie_keys checker = keys_of (row->current, row->previous);
      uint8_t memory[MAX_COOKIE13_LEN];
      struct bytes cookie = make (&maker, row->made, SUITE_AES_128_GCM_SHA256, memory);

      tap_set_row (row->name);
      CHECK_UINT (check (&checker, row->checked, "here", &(struct crafted){ .version = 0 }, cookie),
                  row->is_good);
    }
  tap_set_row (NULL);
}

static const struct
{
  const char *name;
  const char *address;
  struct crafted hello;
  bool is_good;
} subject_rows[] = {
  { "the same", "here", { .version = 0 }, true },
  { "another share", "here", { .changed = EXT_KEY_SHARE + 1, .body = LITERAL ("\0\0") }, true },
  { "a key is new", "here", { .has_psk = true }, true },
  { "padding is new", "here", { .extra = LITERAL ("\0\x15\0\0") }, true },
  { "another address", "there", { .version = 0 }, false },
  { "a shorter address", "her", { .version = 0 }, false },
  { "another random", "here", { .random_end = LITERAL ("r") }, false },
  { "another session ID", "here", { .session_id = LITERAL ("i") }, false },
  { "other suites", "here", { .suites = LITERAL ("\x13\1") }, false },
  { "an extension is new", "here", { .extra = LITERAL ("\x7a\x7a\0\0") }, false },
  { "an extension is missing", "here", { .omitted = { EXT_PSK_KEY_EXCHANGE_MODES + 1 } }, false },
};

static void
test_subject (void)
{
  struct dtls_cookie_keys keys = keys_of (1, 1);
  uint8_t memory[MAX_COOKIE13_LEN];
  struct bytes cookie = make (&keys, 0, SUITE_AES_128_GCM_SHA256, memory);

  for (size_t i = 0; i < TAP_N (subject_rows); i++)
    {
      tap_set_row (subject_rows[i].name);
      CHECK_UINT (check (&keys, 0, subject_rows[i].address, &subject_rows[i].hello, cookie),
                  subject_rows[i].is_good);
    }
  tap_set_row (NULL);
}

static void
test_any_turned_bit_and_any_other_length (void)
{
  const struct crafted plain = { .version = 0 };
  struct dtls_cookie_keys keys = keys_of (1, 1);
  uint8_t memory[256] = { 0 };
  const size_t right = make (&keys, 0, SUITE_AES_256_GCM_SHA384, memory).left;

  for (size_t len = 0; len <= 255; len++)
    CHECK_UINT (check (&keys, 0, "here", &plain, (struct bytes){ memory, len }), len == right);
  for (size_t bit = 0; bit < 8 * right; bit++)
    {
      memory[bit / 8] ^= (uint8_t) (1 << bit % 8);
      CHECK (!check (&keys, 0, "here", &plain, (struct bytes){ memory, right }));
      memory[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/cookie13/layout", test_layout },
  { "/handshake/cookie13/reads-back", test_reads_back },
  { "/handshake/cookie13/time-and-keys", test_time_and_keys },
  { "/handshake/cookie13/covers-address-and-hello", test_subject },
  { "/handshake/cookie13/any-turned-bit-and-any-other-length",
    test_any_turned_bit_and_any_other_length },
};

TAP_MAIN (tests)
