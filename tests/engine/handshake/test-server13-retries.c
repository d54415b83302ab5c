/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server of 1.3 against clients that keep every rule but one: what may not change in a second ClientHello, and the
 * cookies of a HelloRetryRequest. */

#include "handshake/rows.h"
#include "wire/extensions.h"
#include "wire/hello.h"
#include "wire/key_share.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum
{
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  MISSING = DTLS_ERROR_MISSING_EXTENSION,
  DECODE = DTLS_ERROR_DECODE,
  HONEST = IS_CONSISTENT,
  EXT_PADDING = 21,
};

static struct client_hello
read_hello (const struct piece *piece, struct extensions *found)
{
  struct client_hello hello;

  if (!client_hello_read ((struct bytes){ piece->body, piece->len }, &hello)
      || extensions_read (hello.extensions, IN_CLIENT_HELLO, found) != EXTENSIONS_OK)
    abort ();
  return hello;
}

/* ---------------------------------------------------------------------------------- the second hello */

enum field
{
  RANDOM,
  SESSION_ID,
  SUITES_LESS,
  SUITES_MORE,
  SUITES_TURNED,
};

static void
change_field (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];
  uint8_t memory[4096], list[256];
  struct writer w = writer_over (memory, sizeof memory);
  struct extensions found;
  struct client_hello hello = read_hello (piece, &found);
  struct bytes suites = hello.suites;

  if (suites.left < 4 || suites.left + 2 > sizeof list)
    abort ();
  memcpy (list, suites.at, suites.left);
  switch ((enum field) mischief->number)
    {
    case RANDOM:
      hello.random = mischief->bytes;
      break;
    case SESSION_ID:
      hello.session_id = mischief->bytes;
      break;
    case SUITES_LESS:
      hello.suites.left -= 2;
      break;
    case SUITES_MORE:
      memcpy (list + suites.left, mischief->bytes.at, 2);
      hello.suites = (struct bytes){ list, suites.left + 2 };
      break;
    case SUITES_TURNED:
      memcpy (list, suites.at + 2, 2);
      memcpy (list + 2, suites.at, 2);
      hello.suites = (struct bytes){ list, suites.left };
      break;
    }

  client_hello_write (&w, &hello);
  piece_set_body (piece, writer_bytes (&w));
  puppet_bind (puppet, piece);
}

/* The last extension that is not pre_shared_key ahead of the others. */
static void
turn_extensions (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];
  struct extensions found;
  struct client_hello hello = read_hello (piece, &found);
  struct mischief moved = *mischief;
  uint8_t body[64];

  (void) hello;
  if (!found.has[FOUND_RECORD_SIZE_LIMIT])
    abort ();
  memcpy (body, found.body[FOUND_RECORD_SIZE_LIMIT].at, 2);
  moved.number = EXT_RECORD_SIZE_LIMIT;
  moved.bytes = (struct bytes){ body, 2 };
  play_no_extension (puppet, at, &moved);
  play_first_extension (puppet, at, &moved);
}

/* The share that was asked for, and one more. */
static void
add_share (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct mischief changed = *mischief;
  uint8_t memory[2048];
  struct writer w = writer_over (memory, sizeof memory);
  struct extensions found;
  struct bytes shares;
  size_t list;

  read_hello (&puppet->pieces[at], &found);
  if (client_shares_read (found.body[FOUND_KEY_SHARE], &shares) != READ_OK)
    abort ();
  list = write_vec_begin (&w, 2);
  write_bytes (&w, shares.at, shares.left);
  write_bytes (&w, mischief->bytes.at, mischief->bytes.left);
  write_vec_end (&w, list, 2);
  changed.number = EXT_KEY_SHARE;
  changed.bytes = writer_bytes (&w);
  play_other_extension (puppet, at, &changed);
}

static const uint8_t one[] = { 1 };
static const uint8_t other_random[RANDOM_LEN] = { 9 };
static const uint8_t a_suite[] = { 0x13, 4 };
static const uint8_t version_1_0[] = { 0xfe, 0xff };
static const uint8_t other_groups[] = { 0, 4, 0, 23, 0, 29 };
static const uint8_t other_schemes[] = { 0, 2, 4, 3 };
static const uint8_t other_limit[] = { 0x20, 0 };
static const uint8_t other_versions[] = { 4, 0xfe, 0xfc, 0xfe, 0xfd };
static const uint8_t other_protocols[] = { 0, 2, 1, 'b' };
static const uint8_t other_name[] = { 0, 4, 0, 0, 1, 'x' };
static const uint8_t modes_both[] = { 2, 1, 0 };
static const uint8_t no_shares[] = { 0, 0 };
static const uint8_t x25519_again[] = { 0, 5, 0, 29, 0, 1, 9 };
static const uint8_t third_share[] = { 0, 5, 0, 24, 0, 1, 9 };
static const uint8_t one_more_share[] = { 0, 29, 0, 1, 9 };
static const uint8_t a_cookie[] = { 0, 1, 'c' };

/* clang-format off */
static const struct mischief second_rows[] = {
  { "as it should be",               NULL,                 0,            0, NOTHING,                     0, CONNECTS },
  { "padding is new",                play_extension,       CLIENT_HELLO, HONEST, TAP_BYTES (other_random), EXT_PADDING, CONNECTS },
  { "another random",                change_field,         CLIENT_HELLO, 0, TAP_BYTES (other_random),    RANDOM, ILLEGAL },
  { "another session ID",            change_field,         CLIENT_HELLO, 0, TAP_BYTES (one),             SESSION_ID, ILLEGAL },
  { "one suite less",                change_field,         CLIENT_HELLO, 0, NOTHING,                     SUITES_LESS, ILLEGAL },
  { "one suite more",                change_field,         CLIENT_HELLO, 0, TAP_BYTES (a_suite),         SUITES_MORE, ILLEGAL },
  { "suites in another order",       change_field,         CLIENT_HELLO, 0, NOTHING,                     SUITES_TURNED, ILLEGAL },
  { "extensions in another order",   turn_extensions,      CLIENT_HELLO, HONEST, NOTHING,                0, CONNECTS },
  { "an extension is new",           play_first_extension, CLIENT_HELLO, 0, NOTHING,                     0x4a4a, ILLEGAL },
  { "an extension is missing",       play_no_extension,    CLIENT_HELLO, 0, NOTHING,                     EXT_RECORD_SIZE_LIMIT, ILLEGAL },
  { "other supported_groups",        play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (other_groups),    EXT_SUPPORTED_GROUPS, ILLEGAL },
  { "other signature_algorithms",    play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (other_schemes),   EXT_SIGNATURE_ALGORITHMS, ILLEGAL },
  { "another record_size_limit",     play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (other_limit),     EXT_RECORD_SIZE_LIMIT, ILLEGAL },
  { "other supported_versions",      play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (other_versions),  EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "other protocols",               play_other_extension, CLIENT_HELLO, NAMES_PROTOCOLS, TAP_BYTES (other_protocols), EXT_ALPN, ILLEGAL },
  { "another server_name",           play_other_extension, CLIENT_HELLO, NAMES_SERVER, TAP_BYTES (other_name), EXT_SERVER_NAME, ILLEGAL },
  { "other modes",                   play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (modes_both),      EXT_PSK_KEY_EXCHANGE_MODES, ILLEGAL },
  { "no share",                      play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (no_shares),       EXT_KEY_SHARE, ILLEGAL },
  { "no key_share",                  play_no_extension,    CLIENT_HELLO, 0, NOTHING,                     EXT_KEY_SHARE, MISSING },
  { "a share of the group before",   play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (x25519_again),    EXT_KEY_SHARE, ILLEGAL },
  { "a share of a third group",      play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (third_share),     EXT_KEY_SHARE, ILLEGAL },
  { "one more share",                add_share,            CLIENT_HELLO, 0, TAP_BYTES (one_more_share),  0, ILLEGAL },
  { "another legacy_version",        play_patch,           CLIENT_HELLO, 0, TAP_BYTES (version_1_0),     0, ILLEGAL },
  { "a cookie that nobody gave",     play_first_extension, CLIENT_HELLO, 0, TAP_BYTES (a_cookie),        EXT_COOKIE, ILLEGAL },
};
/* clang-format on */

static void
test_second_hello (void)
{
  check_rows_with (second_rows, TAP_N (second_rows), DTLS_CLIENT, IS_13 | RETRIES | ON_SECOND);
}

/* ---------------------------------------------------------------------------------- cookies */

/* Who kept nothing of the first hello tells what is wrong with the second one. What is wrong with its shares only the
 * connection tells that is made with it; otherwise there is none. */
static void
check_answer (const struct mischief *row)
{
  struct outcome outcome = mischief_run (row, DTLS_CLIENT);
  bool tells = row->expected != CONNECTS && row->expected != SILENCE;

  tap_set_row (row->name);
  CHECK_TEXT (outcome.broken, NULL);
  CHECK (outcome.has_played);
  CHECK (outcome.became == row->expected
         || (tells && outcome.became == SILENCE && outcome.version == DTLS_VERSION_UNKNOWN));
  CHECK_UINT ((unsigned) outcome.alert,
              tells ? (unsigned) dtls_error_alert ((enum dtls_error) row->expected) : UINT32_MAX);
  tap_set_row (NULL);
}

/* The cookie brings back what the second hello must have in common with the first. The last two rows say something else
 * of a hello by itself. */
static void
test_second_hello_with_cookie (void)
{
  for (size_t i = 0; i + 2 < TAP_N (second_rows); i++)
    {
      struct mischief row = second_rows[i];

      row.setup |= IS_13 | RETRIES | ON_SECOND | HAS_COOKIES;
      row.play = row.play != NULL ? row.play : play_repeat;
      row.type = CLIENT_HELLO;
      check_answer (&row);
    }
}

enum spoiling
{
  FLIPPED, /* each of its bytes */
  SHORTENED,
  LENGTHENED,
};

static void
spoil_cookie (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct mischief changed = *mischief;
  uint8_t memory[512];
  struct writer w = writer_over (memory, sizeof memory);
  struct extensions found;
  struct bytes cookie;

  read_hello (&puppet->pieces[at], &found);
  if (!found.has[FOUND_COOKIE] || !cookie_read (found.body[FOUND_COOKIE], &cookie))
    abort ();
  write_bytes (&w, cookie.at, cookie.left);
  if (mischief->number == SHORTENED)
    w.used--;
  else if (mischief->number == LENGTHENED)
    write_u8 (&w, 0);
  else
    memory[mischief->bytes.left % cookie.left] ^= 1;

  changed.number = EXT_COOKIE;
  changed.bytes = writer_bytes (&w);
  memmove (memory + 2, memory, w.used);
  memory[0] = (uint8_t) (w.used >> 8);
  memory[1] = (uint8_t) w.used;
  changed.bytes.left += 2;
  play_other_extension (puppet, at, &changed);
}

static const uint8_t empty_cookie[] = { 0, 0 };
static const uint8_t long_cookie[] = { 0, 1, 'c', 'c' };

/* clang-format off */
static const struct mischief cookie_rows[] = {
  { "as it should be",               play_repeat,          CLIENT_HELLO, 0, NOTHING,                  0,          CONNECTS },
  { "shortened",                     spoil_cookie,         CLIENT_HELLO, 0, NOTHING,                  SHORTENED,  ILLEGAL },
  { "lengthened",                    spoil_cookie,         CLIENT_HELLO, 0, NOTHING,                  LENGTHENED, ILLEGAL },
  { "someone else's",                play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (a_cookie),     EXT_COOKIE, ILLEGAL },
  { "empty",                         play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (empty_cookie), EXT_COOKIE, SILENCE },
  { "with a byte behind it",         play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (long_cookie),  EXT_COOKIE, SILENCE },
  { "left out: another retry",       play_no_extension,    CLIENT_HELLO, 0, NOTHING,                  EXT_COOKIE, SILENCE },
};
/* clang-format on */

static void
test_cookies (void)
{
  for (unsigned retries = 0; retries < 2; retries++)
    for (size_t i = 0; i < TAP_N (cookie_rows); i++)
      {
        struct mischief row = cookie_rows[i];

        row.setup |= IS_13 | ON_SECOND | HAS_COOKIES | (retries ? RETRIES : 0);
        check_answer (&row);
      }
}

static void
test_every_byte (void)
{
  static const uint8_t places[255];

  for (size_t place = 0; place < sizeof places; place++)
    {
      const struct mischief row = {
        "a byte of it turned", spoil_cookie, CLIENT_HELLO, IS_13 | ON_SECOND | HAS_COOKIES,
        { places, place },     FLIPPED,      ILLEGAL,
      };

      check_answer (&row);
    }
}

static const struct tap_test tests[] = {
  { "/mischief/server13/second-hello/only-what-may-change-changes", test_second_hello },
  { "/mischief/server13/second-hello/a-cookie-holds-the-client-to-the-first",
    test_second_hello_with_cookie },
  { "/mischief/server13/cookies/comes-back-as-it-was", test_cookies },
  { "/mischief/server13/cookies/any-byte-counts", test_every_byte },
};

TAP_MAIN (tests)
