/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/hello: RFC 5246 §7.4.1.2 and §7.4.1.3, RFC 6347 §4.2.1, RFC 9846 §4.2.3. */

#include "codec.h"
#include "wire/hello.h"

#define RANDOM "0123456789abcdefghijklmnopqrstuv"

static bool
rewrite_client_hello (struct bytes message, struct writer *writer)
{
  struct client_hello hello;

  if (!client_hello_read (message, &hello))
    return false;

  client_hello_write (writer, &hello);
  return true;
}

static bool
rewrite_server_hello (struct bytes message, struct writer *writer)
{
  struct server_hello hello;

  if (!server_hello_read (message, &hello))
    return false;

  server_hello_write (writer, &hello);
  return true;
}

static bool
rewrite_hello_verify_request (struct bytes message, struct writer *writer)
{
  struct hello_verify_request request;

  if (!hello_verify_request_read (message, &request))
    return false;

  hello_verify_request_write (writer, &request);
  return true;
}

/* What every field but the one under test is. */
static struct client_hello
plain_client_hello (void)
{
  return (struct client_hello){
    .version = VERSION_DTLS_1_2,
    .random = TAP_STRING (RANDOM),
    .suites = TAP_STRING ("\xc0\x2b\xc0\x2f"),
    .compression = TAP_STRING ("\0"),
  };
}

/* Whether what `hello` is written as can be read, and reads as `hello` again. */
static bool
survives (const struct client_hello *hello)
{
  static uint8_t out[1 << 17];
  struct writer writer = writer_over (out, sizeof out);
  struct client_hello again;

  client_hello_write (&writer, hello);
  if (!client_hello_read (writer_bytes (&writer), &again))
    return false;

  CHECK_UINT (again.version, hello->version);
  CHECK_BYTES (again.random, hello->random);
  CHECK_BYTES (again.session_id, hello->session_id);
  CHECK_BYTES (again.cookie, hello->cookie);
  CHECK_BYTES (again.suites, hello->suites);
  CHECK_BYTES (again.compression, hello->compression);
  CHECK_BYTES (again.extensions, hello->extensions);
  return true;
}

static void
client_hello_is_a_codec (void)
{
  struct bytes bare = TAP_STRING ("\xfe\xfd" RANDOM "\2id\3abc\0\4\xc0\x2b\xc0\x2f\1\0");
  struct bytes full =
      TAP_STRING ("\xfe\xfd" RANDOM "\2id\3abc\0\4\xc0\x2b\xc0\x2f\1\0\0\5\0\x17\0\1x");

  codec_check (rewrite_client_hello, bare, CODEC_NO_PREFIX);
  codec_check (rewrite_client_hello, full, bare.left);
}

static void
client_hello_fields_stand_in_order (void)
{
  struct client_hello hello;

  CHECK (client_hello_read (
      TAP_STRING ("\xfe\xff" RANDOM "\2id\3abc\0\4\xc0\x2b\xc0\x2f\2\1\0\0\3xyz"), &hello));
  CHECK_UINT (hello.version, VERSION_DTLS_1_0);
  CHECK_BYTES (hello.random, TAP_STRING (RANDOM));
  CHECK_BYTES (hello.session_id, TAP_STRING ("id"));
  CHECK_BYTES (hello.cookie, TAP_STRING ("abc"));
  CHECK_BYTES (hello.suites, TAP_STRING ("\xc0\x2b\xc0\x2f"));
  CHECK_BYTES (hello.compression, TAP_STRING ("\1\0"));
  CHECK_BYTES (hello.extensions, TAP_STRING ("xyz"));
}

static void
client_hello_session_id_has_at_most_32_bytes (void)
{
  static const uint8_t id[255];

  for (size_t len = 0; len <= sizeof id; len++)
    {
      struct client_hello hello = plain_client_hello ();

      hello.session_id = (struct bytes){ id, len };
      CHECK_UINT (survives (&hello), len <= 32);
    }
}

static void
client_hello_cookie_has_0_to_255_bytes (void)
{
  static const uint8_t cookie[255];

  for (size_t len = 0; len <= sizeof cookie; len++)
    {
      struct client_hello hello = plain_client_hello ();

      hello.cookie = (struct bytes){ cookie, len };
      CHECK (survives (&hello));
    }
}

static void
client_hello_suites_are_pairs (void)
{
  static const struct
  {
    size_t len;
    bool expected;
  } rows[] = { { 0, false }, { 1, false },     { 2, true },     { 3, false },
               { 4, true },  { 65533, false }, { 65534, true }, { 65535, false } };
  static const uint8_t suites[65535];

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct client_hello hello = plain_client_hello ();

      hello.suites = (struct bytes){ suites, rows[i].len };
      CHECK_UINT (survives (&hello), rows[i].expected);
    }
}

static void
client_hello_wants_a_compression_method (void)
{
  struct client_hello hello = plain_client_hello ();

  hello.compression = (struct bytes){ NULL, 0 };
  CHECK (!survives (&hello));
}

/* A block of length 0 is a block; it reads as none. */
static void
client_hello_may_have_an_empty_block (void)
{
  struct client_hello hello;

  CHECK (client_hello_read (TAP_STRING ("\xfe\xfd" RANDOM "\0\0\0\2\xc0\x2b\1\0\0\0"), &hello));
  CHECK_UINT (hello.extensions.left, 0);
  CHECK (!client_hello_read (TAP_STRING ("\xfe\xfd" RANDOM "\0\0\0\2\xc0\x2b\1\0\0"), &hello));
}

static void
client_hello_finds_its_suites (void)
{
  struct client_hello hello = plain_client_hello ();

  CHECK (client_hello_has_suite (&hello, 0xc02b));
  CHECK (client_hello_has_suite (&hello, 0xc02f));
  /* These bytes stand there, but across two suites. */
  CHECK (!client_hello_has_suite (&hello, 0x2bc0));
  CHECK (!client_hello_has_suite (&hello, 0xc030));
}

static void
server_hello_is_a_codec (void)
{
  struct bytes bare = TAP_STRING ("\xfe\xfd" RANDOM "\2id\xc0\x2b\0");
  struct bytes full = TAP_STRING ("\xfe\xfd" RANDOM "\2id\xc0\x2b\0\0\5\0\x17\0\1x");

  codec_check (rewrite_server_hello, bare, CODEC_NO_PREFIX);
  codec_check (rewrite_server_hello, full, bare.left);
}

static void
server_hello_fields_stand_in_order (void)
{
  struct server_hello hello;

  CHECK (server_hello_read (TAP_STRING ("\xfe\xfd" RANDOM "\2id\xc0\x2b\1\0\3xyz"), &hello));
  CHECK_UINT (hello.version, VERSION_DTLS_1_2);
  CHECK_BYTES (hello.random, TAP_STRING (RANDOM));
  CHECK_BYTES (hello.session_id, TAP_STRING ("id"));
  CHECK_UINT (hello.suite, 0xc02b);
  CHECK_UINT (hello.compression, 1);
  CHECK_BYTES (hello.extensions, TAP_STRING ("xyz"));
}

static void
server_hello_session_id_has_at_most_32_bytes (void)
{
  static const uint8_t id[33];

  for (size_t len = 0; len <= sizeof id; len++)
    {
      struct server_hello hello = { .random = TAP_STRING (RANDOM), .session_id = { id, len } };
      uint8_t out[128];
      struct writer writer = writer_over (out, sizeof out);

      server_hello_write (&writer, &hello);
      CHECK (writer_ok (&writer));
      CHECK_UINT (server_hello_read (writer_bytes (&writer), &hello), len <= 32);
    }
}

/* SHA-256 of "HelloRetryRequest", spelled out here too. */
#define RETRY_RANDOM                                                                               \
  "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"                               \
  "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

static void
server_hello_is_a_retry_by_its_random (void)
{
  uint8_t random[RANDOM_LEN];
  struct server_hello hello;

  CHECK_BYTES (TAP_BYTES (hello_retry_random), TAP_STRING (RETRY_RANDOM));
  CHECK (server_hello_read (TAP_STRING ("\xfe\xfd" RETRY_RANDOM "\0\x13\1\0"), &hello));
  CHECK (server_hello_is_retry (&hello));
  CHECK (server_hello_read (TAP_STRING ("\xfe\xfd" RANDOM "\0\x13\1\0"), &hello));
  CHECK (!server_hello_is_retry (&hello));

  for (size_t bit = 0; bit < 8 * sizeof random; bit++)
    {
      memcpy (random, hello_retry_random, sizeof random);
      random[bit / 8] ^= (uint8_t) (1 << bit % 8);
      hello.random = TAP_BYTES (random);
      CHECK (!server_hello_is_retry (&hello));
    }
}

static void
hello_verify_request_is_a_codec (void)
{
  codec_check (rewrite_hello_verify_request, TAP_STRING ("\xfe\xff\4abcd"), CODEC_NO_PREFIX);
}

static void
hello_verify_request_cookie_has_0_to_255_bytes (void)
{
  static const uint8_t cookie[256];

  for (size_t len = 0; len <= sizeof cookie; len++)
    {
      struct hello_verify_request request = { .version = VERSION_DTLS_1_0,
                                              .cookie = { cookie, len } };
      uint8_t out[512];
      struct writer writer = writer_over (out, sizeof out);

      hello_verify_request_write (&writer, &request);
      if (!CHECK_UINT (writer_ok (&writer), len <= 255) || !writer_ok (&writer))
        continue;
      CHECK (hello_verify_request_read (writer_bytes (&writer), &request));
      CHECK_UINT (request.cookie.left, len);
    }
}

static const struct tap_test tests[] = {
  { "/wire/hello/client/is-a-codec", client_hello_is_a_codec },
  { "/wire/hello/client/fields-stand-in-order", client_hello_fields_stand_in_order },
  { "/wire/hello/client/session-id-has-at-most-32-bytes",
    client_hello_session_id_has_at_most_32_bytes },
  { "/wire/hello/client/cookie-has-0-to-255-bytes", client_hello_cookie_has_0_to_255_bytes },
  { "/wire/hello/client/suites-are-pairs", client_hello_suites_are_pairs },
  { "/wire/hello/client/wants-a-compression-method", client_hello_wants_a_compression_method },
  { "/wire/hello/client/may-have-an-empty-block", client_hello_may_have_an_empty_block },
  { "/wire/hello/client/finds-its-suites", client_hello_finds_its_suites },
  { "/wire/hello/server/is-a-codec", server_hello_is_a_codec },
  { "/wire/hello/server/fields-stand-in-order", server_hello_fields_stand_in_order },
  { "/wire/hello/server/session-id-has-at-most-32-bytes",
    server_hello_session_id_has_at_most_32_bytes },
  { "/wire/hello/server/is-a-retry-by-its-random", server_hello_is_a_retry_by_its_random },
  { "/wire/hello/verify-request/is-a-codec", hello_verify_request_is_a_codec },
  { "/wire/hello/verify-request/cookie-has-0-to-255-bytes",
    hello_verify_request_cookie_has_0_to_255_bytes },
};

TAP_MAIN (tests)
