/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a cookie covers, byte for byte. */

#include "handshake/cookie.h"
#include "handshake/cookie_ages.h"
#include "pki.h"
#include "tap.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static const uint8_t random_bytes[RANDOM_LEN] = { 1, 2, 3 };
static const uint8_t suites[] = { 0xc0, 0x2b, 0xc0, 0x2f };
static const uint8_t session_id[] = { 7, 7 };
static const uint8_t compression[] = { 0 };

static struct client_hello
example (void)
{
  return (struct client_hello){
    .version = VERSION_DTLS_1_2,
    .random = TAP_BYTES (random_bytes),
    .session_id = TAP_BYTES (session_id),
    .suites = TAP_BYTES (suites),
    .compression = TAP_BYTES (compression),
  };
}

/* The half-minute's number, then HMAC-SHA-256 less its last byte over it, the address and the fields that may not change. */
static void
test_layout (void)
{
  static const uint8_t covered[] = {
    0,    0,    0,    0,   0,   0, 1, 2,                                  /* half-minute 258 */
    4,    'h',  'e',  'r', 'e',                                           /* address */
    0xfe, 0xfd,                                                           /* version */
    32,   1,    2,    3,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,       /* random */
    0,    0,    0,    0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 7, 7, /* session_id */
    1,    0,                                                              /* compression */
    0xc0, 0x2b, 0xc0, 0x2f                                                /* suites */
  };
  struct dtls_cookie_keys keys = keys_of (0x42, 0x42);
  struct client_hello hello = example ();
  uint8_t cookie[COOKIE_LEN], mac[32];

  CHECK (cookie_make (&keys, 258 * COOKIE_LIFETIME + 5, TAP_STRING ("here"), &hello, cookie));
  CHECK (EVP_Q_mac (NULL, "HMAC", NULL, "SHA256", NULL, keys.current, sizeof keys.current, covered,
                    sizeof covered, mac, sizeof mac, NULL)
         != NULL);
  CHECK_UINT (cookie[0], 2);
  CHECK_BYTES (((struct bytes){ cookie + 1, COOKIE_LEN - 1 }), ((struct bytes){ mac, 31 }));
}

/* Bytes that move from one field to the next make another cookie. */
static void
test_fields_do_not_run_into_each_other (void)
{
  static const uint8_t moved[] = { 7, 7, 0 };
  struct dtls_cookie_keys keys = keys_of (1, 1);
  struct client_hello hello = example (), other = example ();
  uint8_t cookies[3][COOKIE_LEN];

  other.session_id = TAP_BYTES (moved);
  other.compression = (struct bytes){ suites, 1 };
  other.suites = (struct bytes){ suites + 1, 3 };
  CHECK (cookie_make (&keys, 0, TAP_STRING ("here"), &hello, cookies[0]));
  CHECK (cookie_make (&keys, 0, TAP_STRING ("here"), &other, cookies[1]));
  CHECK (cookie_make (&keys, 0, TAP_STRING ("her"), &hello, cookies[2]));
  CHECK (memcmp (cookies[0], cookies[1], COOKIE_LEN) != 0);
  CHECK (memcmp (cookies[0], cookies[2], COOKIE_LEN) != 0);
}

static void
test_time_and_keys (void)
{
  for (size_t i = 0; i < TAP_N (cookie_ages); i++)
    {
      const struct cookie_age *row = &cookie_ages[i];
      struct dtls_cookie_keys maker = keys_of (1, 1);
      struct dtls_cookie_keys checker = keys_of (row->current, row->previous);
      struct client_hello hello = example ();
      uint8_t cookie[COOKIE_LEN];

      tap_set_row (row->name);
      CHECK (
          cookie_make (&maker, row->made * COOKIE_LIFETIME, TAP_STRING ("here"), &hello, cookie));
      hello.cookie = TAP_BYTES (cookie);
      CHECK_UINT (
          cookie_check (&checker, row->checked * COOKIE_LIFETIME, TAP_STRING ("here"), &hello),
          row->is_good);
    }
  tap_set_row (NULL);
}

/* RFC 4347 §4.2.1 allowed no more, and there are clients that still do not. */
static void
test_length (void)
{
  CHECK_UINT (COOKIE_LEN, 32);
}

static void
test_any_turned_bit_and_any_other_length (void)
{
  struct dtls_cookie_keys keys = keys_of (1, 1);
  struct client_hello hello = example ();
  uint8_t cookie[256] = { 0 };

  CHECK (cookie_make (&keys, 0, TAP_STRING ("here"), &hello, cookie));
  for (size_t len = 0; len <= 255; len++)
    {
      hello.cookie = (struct bytes){ cookie, len };
      CHECK_UINT (cookie_check (&keys, 0, TAP_STRING ("here"), &hello), len == COOKIE_LEN);
    }
  hello.cookie = (struct bytes){ cookie, COOKIE_LEN };
  for (size_t bit = 0; bit < 8 * COOKIE_LEN; bit++)
    {
      cookie[bit / 8] ^= (uint8_t) (1 << bit % 8);
      CHECK (!cookie_check (&keys, 0, TAP_STRING ("here"), &hello));
      cookie[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
}

/* An address too long to be one makes none, rather than one that covers a part of it. */
static void
test_overlong_address (void)
{
  static const uint8_t address[300];
  struct dtls_cookie_keys keys = keys_of (1, 1);
  struct client_hello hello = example ();
  uint8_t cookie[COOKIE_LEN] = { 0 };

  CHECK (!cookie_make (&keys, 0, TAP_BYTES (address), &hello, cookie));
  hello.cookie = TAP_BYTES (cookie);
  CHECK (!cookie_check (&keys, 0, TAP_BYTES (address), &hello));
}

static const struct tap_test tests[] = {
  { "/handshake/cookie/layout", test_layout },
  { "/handshake/cookie/has-32-bytes-for-clients-of-dtls-1.0", test_length },
  { "/handshake/cookie/fields-do-not-run-into-each-other", test_fields_do_not_run_into_each_other },
  { "/handshake/cookie/good-for-this-half-minute-and-the-next", test_time_and_keys },
  { "/handshake/cookie/rejects-any-turned-bit-and-any-other-length",
    test_any_turned_bit_and_any_other_length },
  { "/handshake/cookie/overlong-address-makes-none", test_overlong_address },
};

TAP_MAIN (tests)
