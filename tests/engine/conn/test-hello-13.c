/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the pure function says to hellos of 1.3, and to those that can never be accepted. */

#include "handshake/cookie.h"
#include "handshake/crafted13.h"
#include "wire/alert.h"

enum
{
  HEADERS = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN,
};

static struct dtls_config config;
static struct dtls_cookie_keys keys;
static const dtls_time now = 1000 * DTLS_SECOND;

static void
set_up (void)
{
  static const uint16_t groups[] = { GROUP_SECP256R1, GROUP_X25519 };

  dtls_config_init (&config);
  config.groups = groups;
  config.n_groups = TAP_N (groups);
  keys = (struct dtls_cookie_keys){ .crypto = pki_crypto (), .config = &config };
  memset (keys.current, 0x5a, sizeof keys.current);
  memset (keys.previous, 0x11, sizeof keys.previous);
}

struct reply
{
  uint8_t at[512];
  struct dtls_buffer buffer;
  size_t hello_len; /* of the record that it answers */
};

struct asked
{
  const char *address; /* NULL: "here" */
  dtls_time later;
  uint16_t seq;
  uint64_t number;
};

static enum dtls_hello_answer
answer_of (const struct crafted *crafted, const struct asked *asked, struct reply *reply)
{
  static uint8_t memory[4096];
  const char *address = asked->address != NULL ? asked->address : "here";
  const struct dtls_hello hello = { crafted_write (crafted, memory, sizeof memory), asked->seq,
                                    asked->number };
  enum dtls_hello_answer answer;

  reply->buffer = (struct dtls_buffer){ reply->at, sizeof reply->at, 0 };
  reply->hello_len = HEADERS + hello.message.left;
  answer = dtls_hello_answer (&keys, now + asked->later,
                              (struct bytes){ (const uint8_t *) address, strlen (address) }, &hello,
                              &reply->buffer);
  CHECK (reply->buffer.used <= reply->hello_len);
  CHECK_UINT (reply->buffer.used > 0, answer == DTLS_HELLO_REPLY);
  return answer;
}

static const struct asked simply = { .address = NULL };

/* Whether the reply is this alert, in the clear. */
static void
check_alert (const struct reply *reply, uint8_t description)
{
  const uint8_t expected[] = { CONTENT_ALERT, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2,
                               description };

  CHECK_BYTES (((struct bytes){ reply->at, reply->buffer.used }), TAP_BYTES (expected));
}

/* The HelloRetryRequest of a reply. */
static bool
read_retry (const struct reply *reply, struct server_hello *hello, struct extensions *found)
{
  return CHECK (reply->buffer.used > HEADERS)
         && CHECK_UINT (reply->at[RECORD_HEADER_LEN], SERVER_HELLO)
         && CHECK (server_hello_read (
             (struct bytes){ reply->at + HEADERS, reply->buffer.used - HEADERS }, hello))
         && CHECK (server_hello_is_retry (hello))
         && CHECK_UINT (extensions_read (hello->extensions, IN_HELLO_RETRY_REQUEST, found),
                        EXTENSIONS_OK);
}

/* The second hello, with the cookie that the first one got; `extra` is for its extension. */
static struct crafted
make_second (const struct crafted *first, uint8_t *extra, size_t capacity)
{
  struct writer w = writer_over (extra, capacity);
  struct crafted second = *first;
  struct server_hello hello;
  struct extensions found;
  struct reply reply;
  size_t body;

  CHECK_UINT (answer_of (first, &simply, &reply), DTLS_HELLO_REPLY);
  if (!read_retry (&reply, &hello, &found))
    return second;

  body = extension_begin (&w, EXT_COOKIE);
  write_bytes (&w, found.body[FOUND_COOKIE].at, found.body[FOUND_COOKIE].left);
  extension_end (&w, body);
  second.extra = writer_bytes (&w);
  return second;
}

/* ------------------------------------------------------------------------- HelloRetryRequest */

static void
test_retry (void)
{
  const struct crafted without = { .version = 0 };
  const struct crafted with = { .changed = EXT_SUPPORTED_GROUPS + 1,
                                .body = LITERAL ("\0\2\0\x1d") };
  struct server_hello hello;
  struct extensions found;
  struct reply reply;
  uint16_t group;

  set_up ();
  CHECK_UINT (answer_of (&without, &simply, &reply), DTLS_HELLO_REPLY);
  if (read_retry (&reply, &hello, &found))
    {
      CHECK_UINT (hello.suite, SUITE_AES_128_GCM_SHA256);
      CHECK_UINT (hello.session_id.left, 0);
      CHECK (found.has[FOUND_COOKIE]);
      /* RFC 9846 §4.3.8: a share of our first group is missing. */
      if (CHECK (found.has[FOUND_KEY_SHARE])
          && CHECK (selected_read (found.body[FOUND_KEY_SHARE], &group)))
        CHECK_UINT (group, GROUP_SECP256R1);
    }

  /* The share is that of the best group in common: none is asked for. */
  CHECK_UINT (answer_of (&with, &simply, &reply), DTLS_HELLO_REPLY);
  if (read_retry (&reply, &hello, &found))
    CHECK (!found.has[FOUND_KEY_SHARE]);
}

static void
test_numbers_are_copied (void)
{
  static const struct asked asked[] = { { .seq = 0, .number = 0 },
                                        { .seq = 7, .number = 300 },
                                        { .seq = 0, .number = (UINT64_C (1) << 48) - 1 } };
  const struct crafted hello = { .version = 0 };

  set_up ();
  for (size_t i = 0; i < TAP_N (asked); i++)
    {
      uint8_t expected[8];
      struct writer w = writer_over (expected, sizeof expected);
      struct reply reply;

      write_u16 (&w, 0);
      write_u48 (&w, asked[i].number);
      CHECK_UINT (answer_of (&hello, &asked[i], &reply), DTLS_HELLO_REPLY);
      CHECK_BYTES (((struct bytes){ reply.at + 3, 8 }), TAP_BYTES (expected));
      CHECK_UINT (reply.at[RECORD_HEADER_LEN + 5], asked[i].seq);
    }
}

/* One without any share is the shortest that there is: its answer is shorter still, or none. */
static void
test_never_longer (void)
{
  const struct crafted hellos[] = {
    { .changed = EXT_KEY_SHARE + 1, .body = LITERAL ("\0\0") },
    { .changed = EXT_KEY_SHARE + 1,
      .body = LITERAL ("\0\0"),
      .extra = LITERAL ("\0\x15\0\x20"
                        "0123456789abcdef0123456789abcdef") },
  };
  struct reply reply;

  set_up ();
  CHECK_UINT (answer_of (&hellos[0], &simply, &reply), DTLS_HELLO_DROP);
  CHECK_UINT (answer_of (&hellos[1], &simply, &reply), DTLS_HELLO_REPLY);
}

/* ----------------------------------------------------------------------------- the second hello */

static const struct
{
  const char *name;
  struct asked asked;
  struct bytes session_id; /* not the first one's */
  enum dtls_hello_answer expected;
} second_rows[] = {
  { "at once", { .seq = 1 }, { NULL, 0 }, DTLS_HELLO_ACCEPT },
  { "a half-minute later", { .later = COOKIE_LIFETIME }, { NULL, 0 }, DTLS_HELLO_ACCEPT },
  { "too late", { .later = 2 * COOKIE_LIFETIME }, { NULL, 0 }, DTLS_HELLO_REPLY },
  { "from elsewhere", { .address = "there" }, { NULL, 0 }, DTLS_HELLO_REPLY },
  { "from nowhere", { .address = "" }, { NULL, 0 }, DTLS_HELLO_REPLY },
  { "with another session ID", { .seq = 1 }, LITERAL ("i"), DTLS_HELLO_REPLY },
};

/* RFC 9147 §5.1: an invalid cookie ends it, so that the client can begin again without one. */
static void
test_second_hello (void)
{
  set_up ();
  for (size_t i = 0; i < TAP_N (second_rows); i++)
    {
      uint8_t extra[256];
      struct crafted second = make_second (&(struct crafted){ .version = 0 }, extra, sizeof extra);
      struct reply reply;

      tap_set_row (second_rows[i].name);
      second.session_id = second_rows[i].session_id;
      CHECK_UINT (answer_of (&second, &second_rows[i].asked, &reply), second_rows[i].expected);
      if (second_rows[i].expected == DTLS_HELLO_REPLY)
        check_alert (&reply, ALERT_ILLEGAL_PARAMETER);
    }
  tap_set_row (NULL);
}

static void
test_keys_rotate (void)
{
  uint8_t extra[256];
  struct crafted second;
  struct reply reply;

  set_up ();
  second = make_second (&(struct crafted){ .version = 0 }, extra, sizeof extra);
  memcpy (keys.previous, keys.current, sizeof keys.previous);
  memset (keys.current, 0x77, sizeof keys.current);
  CHECK_UINT (answer_of (&second, &simply, &reply), DTLS_HELLO_ACCEPT);
  memset (keys.previous, 0x77, sizeof keys.previous);
  CHECK_UINT (answer_of (&second, &simply, &reply), DTLS_HELLO_REPLY);
  check_alert (&reply, ALERT_ILLEGAL_PARAMETER);
}

/* ---------------------------------------------------------------------- what can never be accepted */

/* clang-format off */
static const struct
{
  const char *name;
  struct crafted hello;
  int alert; /* -1: not a word */
} alert_rows[] = {
  { "a version below ours",   { .version = VERSION_DTLS_1_0, .omitted = { EXT_SUPPORTED_VERSIONS + 1 } }, ALERT_PROTOCOL_VERSION },
  { "a fallback",             { .suites = LITERAL ("\xc0\x2b\x56\0"), .omitted = { EXT_SUPPORTED_VERSIONS + 1 } }, ALERT_INAPPROPRIATE_FALLBACK },
  { "a legacy_cookie in 1.3", { .cookie = LITERAL ("cookie") }, ALERT_ILLEGAL_PARAMETER },
  { "a cookie of nobody's",   { .extra = LITERAL ("\0\x2c\0\3\0\1c") }, ALERT_ILLEGAL_PARAMETER },
  { "no suite in common",     { .suites = LITERAL ("\x13\5") }, ALERT_HANDSHAKE_FAILURE },
  { "no group in common",     { .changed = EXT_SUPPORTED_GROUPS + 1, .body = LITERAL ("\0\2\0\x1e") }, ALERT_HANDSHAKE_FAILURE },
  { "a share is missing",     { .omitted = { EXT_KEY_SHARE + 1 } }, ALERT_MISSING_EXTENSION },
  { "half an extension",      { .behind = LITERAL ("\x7a\x7a\0\2x") }, -1 },
  { "an empty list of versions", { .changed = EXT_SUPPORTED_VERSIONS + 1, .body = LITERAL ("\0") }, -1 },
};
/* clang-format on */

static void
test_alerts (void)
{
  set_up ();
  for (size_t i = 0; i < TAP_N (alert_rows); i++)
    {
      struct reply reply;
      enum dtls_hello_answer answer = answer_of (&alert_rows[i].hello, &simply, &reply);

      tap_set_row (alert_rows[i].name);
      CHECK_UINT (answer, alert_rows[i].alert >= 0 ? DTLS_HELLO_REPLY : DTLS_HELLO_DROP);
      if (alert_rows[i].alert >= 0)
        check_alert (&reply, (uint8_t) alert_rows[i].alert);
    }
  tap_set_row (NULL);
}

/* ------------------------------------------------------------------------------ both versions */

static const struct
{
  const char *name;
  enum dtls_version max, min; /* ours */
  struct crafted hello;
  uint8_t type; /* of the answer */
} version_rows[] = {
  { "1.3", DTLS_1_3, DTLS_1_2, { .version = 0 }, SERVER_HELLO },
  { "1.2, ours", DTLS_1_2, DTLS_1_2, { .version = 0 }, HELLO_VERIFY_REQUEST },
  { "1.2, theirs",
    DTLS_1_3,
    DTLS_1_2,
    { .omitted = { EXT_SUPPORTED_VERSIONS + 1 } },
    HELLO_VERIFY_REQUEST },
};

static void
test_each_version_has_its_answer (void)
{
  for (size_t i = 0; i < TAP_N (version_rows); i++)
    {
      struct reply reply;

      tap_set_row (version_rows[i].name);
      set_up ();
      config.max_version = version_rows[i].max;
      config.min_version = version_rows[i].min;
      CHECK_UINT (answer_of (&version_rows[i].hello, &simply, &reply), DTLS_HELLO_REPLY);
      CHECK_UINT (reply.at[RECORD_HEADER_LEN], version_rows[i].type);
    }
  tap_set_row (NULL);
}

static const struct tap_test tests[] = {
  { "/conn/hello/13/asks-for-the-best-share-once", test_retry },
  { "/conn/hello/13/copies-both-numbers", test_numbers_are_copied },
  { "/conn/hello/13/is-never-longer-than-the-hello", test_never_longer },
  { "/conn/hello/13/accepts-only-the-hello-that-it-asked", test_second_hello },
  { "/conn/hello/13/outlives-one-rotation-of-keys", test_keys_rotate },
  { "/conn/hello/13/tells-what-can-never-be-accepted", test_alerts },
  { "/conn/hello/13/each-version-has-its-answer", test_each_version_has_its_answer },
};

TAP_MAIN (tests)
