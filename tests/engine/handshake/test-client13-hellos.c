/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client of 1.3, or of both versions, against servers that keep every rule but one: ServerHello, HelloRetryRequest,
 * and the version that they choose. */

#include "handshake/rows.h"
#include "wire/extensions.h"
#include "wire/hello.h"
#include "wire/key_share.h"

#include <stdlib.h>
#include <string.h>

enum
{
  UNEXPECTED = DTLS_ERROR_UNEXPECTED_MESSAGE,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  UNSUPPORTED = DTLS_ERROR_UNSUPPORTED_EXTENSION,
  MISSING = DTLS_ERROR_MISSING_EXTENSION,
  DECODE = DTLS_ERROR_DECODE,
  VERSION = DTLS_ERROR_PROTOCOL_VERSION,

  /* In a ServerHello of 1.3, whose session ID is empty. */
  VERSION_AT = 0,
  RANDOM_END_AT = 2 + RANDOM_LEN - 8,
  SUITE_AT = 2 + RANDOM_LEN + 1,
  COMPRESSION_AT = SUITE_AT + 2,
};

static const uint8_t one[] = { 1 };
static const uint8_t version_1_0[] = { 0xfe, 0xff };
static const uint8_t version_1_2[] = { 0xfe, 0xfd };
static const uint8_t version_1_3[] = { 0xfe, 0xfc };
static const uint8_t version_1_4[] = { 0xfe, 0xfb };
static const uint8_t version_tls_1_3[] = { 3, 4 };
static const uint8_t three_versions[] = { 0xfe, 0xfc, 0 };
static const uint8_t suite_of_1_2[] = { 0xc0, 0x2b };
static const uint8_t suite_not_offered[] = { 0x13, 4 };
static const uint8_t suite_unknown[] = { 0x0a, 0x0a };
static const uint8_t suite_256[] = { 0x13, 2 };
static const uint8_t a_cookie[] = { 'c', 'o', 'o' };
static const uint8_t cookie_body[] = { 0, 1, 'c' };
static const uint8_t empty_cookie[] = { 0, 0 };
static const uint8_t long_cookie[] = { 0, 1, 'c', 'c' };
static const uint8_t short_cookie[] = { 0, 2, 'c' };
static const uint8_t first_psk[] = { 0, 0 };
static const uint8_t second_psk[] = { 0, 1 };
static const uint8_t last_psk[] = { 0xff, 0xff };
static const uint8_t wide_psk[] = { 0, 0, 0 };
static const uint8_t sentinel_1_2[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 1 };
static const uint8_t sentinel_1_1[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 0 };
static const uint8_t sentinel_2[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 2 };

/* ---------------------------------------------------------------------------------- ServerHello */

/* X25519's shares. */
static const uint8_t zero_share[36] = { 0, 29, 0, 32 };
static const uint8_t short_share[35] = { 0, 29, 0, 31, 9 };
static const uint8_t long_share[37] = { 0, 29, 0, 33, 9 };
static const uint8_t order_8_share[36] = { 0,    29,   0,    32,   0xe0, 0xeb, 0x7a, 0x7c, 0x3b,
                                           0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
                                           0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1,
                                           0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 };
static const uint8_t share_not_sent[5] = { 0, 23, 0, 1, 9 };
static const uint8_t share_not_offered[5] = { 0, 30, 0, 1, 9 };
static const uint8_t empty_share[] = { 0, 29, 0, 0 };
static const uint8_t share_of_a_retry[] = { 0, 29 };
static const uint8_t share_and_a_byte[] = { 0, 29, 0, 1, 9, 9 };
/* P-256's. */
static const uint8_t off_curve[69] = { 0, 23, 0, 65, 4, 1, 2, 3 };
static const uint8_t infinity[] = { 0, 23, 0, 1, 0 };
static const uint8_t compressed[37] = { 0, 23, 0, 33, 2, 1 };

/* With a session ID: 1.3 over DTLS has no echo of it (RFC 9147 §5). */
static void
session_id (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];
  uint8_t memory[1024];
  struct writer w = writer_over (memory, sizeof memory);
  struct server_hello hello;

  if (!server_hello_read ((struct bytes){ piece->body, piece->len }, &hello))
    abort ();
  hello.session_id = mischief->bytes;
  server_hello_write (&w, &hello);
  piece_set_body (piece, writer_bytes (&w));
}

/* clang-format off */
static const struct mischief hello_rows[] = {
  { "legacy_version of 1.3",           play_patch,        SERVER_HELLO, 0, TAP_BYTES (version_1_3),       VERSION_AT, VERSION },
  { "legacy_version of 1.0",           play_patch,        SERVER_HELLO, 0, TAP_BYTES (version_1_0),       VERSION_AT, VERSION },
  { "a session ID",                    session_id,        SERVER_HELLO, 0, TAP_BYTES (one),               0, ILLEGAL },
  { "a session ID of 32 bytes",        session_id,        SERVER_HELLO, 0, { zero_share, 32 },            0, ILLEGAL },
  { "a session ID of 33 bytes",        session_id,        SERVER_HELLO, 0, { zero_share, 33 },            0, DECODE },
  { "compression",                     play_patch,        SERVER_HELLO, 0, TAP_BYTES (one),               COMPRESSION_AT, ILLEGAL },
  { "a suite of 1.2",                  play_patch,        SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (suite_of_1_2), SUITE_AT, ILLEGAL },
  { "a suite that was not offered",    play_patch,        SERVER_HELLO, 0, TAP_BYTES (suite_not_offered), SUITE_AT, ILLEGAL },
  { "a suite that nobody knows",       play_patch,        SERVER_HELLO, 0, TAP_BYTES (suite_unknown),     SUITE_AT, ILLEGAL },
  { "another suite than that of the keys", play_patch,    SERVER_HELLO, 0, TAP_BYTES (suite_256),         SUITE_AT, SILENCE },
  { "another random than that of the keys", play_flip,    SERVER_HELLO, 0, NOTHING,                       2, SILENCE },
  { "cut short",                       play_shorten,      SERVER_HELLO, 0, NOTHING,                       0, DECODE },
  { "a trailing byte",                 play_lengthen,     SERVER_HELLO, 0, NOTHING,                       0, DECODE },
  { "empty",                           play_body,         SERVER_HELLO, 0, NOTHING,                       0, DECODE },
  { "an unknown extension",            play_extension,    SERVER_HELLO, 0, NOTHING,                       0x4a4a, UNSUPPORTED },
  { "an extension twice",              play_extension,    SERVER_HELLO, 0, TAP_BYTES (version_1_3),       EXT_SUPPORTED_VERSIONS, DECODE },
  { "an unknown extension twice",      play_first_extension, SERVER_HELLO, 0, NOTHING,                    0x4a4a, UNSUPPORTED },
  { "server_name",                     play_extension,    SERVER_HELLO, NAMES_SERVER, NOTHING,            EXT_SERVER_NAME, ILLEGAL },
  { "ALPN",                            play_extension,    SERVER_HELLO, NAMES_PROTOCOLS, TAP_STRING ("\0\2\1a"), EXT_ALPN, ILLEGAL },
  { "record_size_limit",               play_extension,    SERVER_HELLO, 0, TAP_STRING ("\0\x40"),         EXT_RECORD_SIZE_LIMIT, ILLEGAL },
  { "supported_groups",                play_extension,    SERVER_HELLO, 0, TAP_STRING ("\0\2\0\x1d"),     EXT_SUPPORTED_GROUPS, ILLEGAL },
  { "extended_master_secret",          play_extension,    SERVER_HELLO, ENGINE_HAS_BOTH, NOTHING,         EXT_EXTENDED_MASTER_SECRET, ILLEGAL },
  { "renegotiation_info",              play_extension,    SERVER_HELLO, ENGINE_HAS_BOTH, TAP_STRING ("\0"), EXT_RENEGOTIATION_INFO, ILLEGAL },
  { "ec_point_formats",                play_extension,    SERVER_HELLO, ENGINE_HAS_BOTH, TAP_STRING ("\1\0"), EXT_EC_POINT_FORMATS, ILLEGAL },
  { "session_ticket",                  play_extension,    SERVER_HELLO, ENGINE_HAS_BOTH, NOTHING,         EXT_SESSION_TICKET, ILLEGAL },
  { "early_data",                      play_extension,    SERVER_HELLO, 0, NOTHING,                       EXT_EARLY_DATA, ILLEGAL },
  { "a cookie",                        play_extension,    SERVER_HELLO, 0, TAP_BYTES (cookie_body),       EXT_COOKIE, ILLEGAL },
};

static const struct mischief share_rows[] = {
  { "none",                            play_no_extension,    SERVER_HELLO, 0, NOTHING,                       EXT_KEY_SHARE, MISSING },
  { "none beside a key",               play_no_extension,    SERVER_HELLO, HAS_KEY, NOTHING,                 EXT_KEY_SHARE, ILLEGAL },
  { "of a group that we sent none of", play_other_extension, SERVER_HELLO, 0, TAP_BYTES (share_not_sent),    EXT_KEY_SHARE, ILLEGAL },
  { "of a group that we do not have",  play_other_extension, SERVER_HELLO, 0, TAP_BYTES (share_not_offered), EXT_KEY_SHARE, ILLEGAL },
  { "empty",                           play_other_extension, SERVER_HELLO, 0, TAP_BYTES (empty_share),       EXT_KEY_SHARE, DECODE },
  { "a group alone",                   play_other_extension, SERVER_HELLO, 0, TAP_BYTES (share_of_a_retry),  EXT_KEY_SHARE, DECODE },
  { "and a byte",                      play_other_extension, SERVER_HELLO, 0, TAP_BYTES (share_and_a_byte),  EXT_KEY_SHARE, DECODE },
  { "X25519: zero",                    play_other_extension, SERVER_HELLO, 0, TAP_BYTES (zero_share),        EXT_KEY_SHARE, ILLEGAL },
  { "X25519: of small order",          play_other_extension, SERVER_HELLO, 0, TAP_BYTES (order_8_share),     EXT_KEY_SHARE, ILLEGAL },
  { "X25519: 31 bytes",                play_other_extension, SERVER_HELLO, 0, TAP_BYTES (short_share),       EXT_KEY_SHARE, ILLEGAL },
  { "X25519: 33 bytes",                play_other_extension, SERVER_HELLO, 0, TAP_BYTES (long_share),        EXT_KEY_SHARE, ILLEGAL },
  { "P-256: not on the curve",         play_other_extension, SERVER_HELLO, ONLY_P256, TAP_BYTES (off_curve),  EXT_KEY_SHARE, ILLEGAL },
  { "P-256: at infinity",              play_other_extension, SERVER_HELLO, ONLY_P256, TAP_BYTES (infinity),   EXT_KEY_SHARE, ILLEGAL },
  { "P-256: compressed",               play_other_extension, SERVER_HELLO, ONLY_P256, TAP_BYTES (compressed), EXT_KEY_SHARE, ILLEGAL },
  { "P-256: X25519's after a retry",   play_other_extension, SERVER_HELLO, RETRIES | ON_SECOND, TAP_BYTES (order_8_share), EXT_KEY_SHARE, ILLEGAL },
};

static const struct mischief key_rows[] = {
  { "none was offered",                play_extension,       SERVER_HELLO, 0, TAP_BYTES (first_psk),        EXT_PRE_SHARED_KEY, UNSUPPORTED },
  { "the second of one",               play_other_extension, SERVER_HELLO, HAS_KEY, TAP_BYTES (second_psk), EXT_PRE_SHARED_KEY, ILLEGAL },
  { "the last of one",                 play_other_extension, SERVER_HELLO, HAS_KEY, TAP_BYTES (last_psk),   EXT_PRE_SHARED_KEY, ILLEGAL },
  { "in three bytes",                  play_other_extension, SERVER_HELLO, HAS_KEY, TAP_BYTES (wide_psk),   EXT_PRE_SHARED_KEY, DECODE },
  { "with a suite of another hash",    play_patch,           SERVER_HELLO, HAS_KEY, TAP_BYTES (suite_256),  SUITE_AT, ILLEGAL },
  { "used and not named",              play_no_extension,    SERVER_HELLO, HAS_KEY, NOTHING,                EXT_PRE_SHARED_KEY, SILENCE },
};
/* clang-format on */

static void
test_hello (void)
{
  check_rows_with (hello_rows, TAP_N (hello_rows), DTLS_SERVER, IS_13);
}

static void
test_share (void)
{
  check_rows_with (share_rows, TAP_N (share_rows), DTLS_SERVER, IS_13);
}

static void
test_key (void)
{
  check_rows_with (key_rows, TAP_N (key_rows), DTLS_SERVER, IS_13);
}

/* ---------------------------------------------------------------------------------- HelloRetryRequest */

/* clang-format off */
static const struct mischief retry_rows[] = {
  { "asks for nothing",                play_retry,        SERVER_HELLO, 0, NOTHING,                        0,                    ILLEGAL },
  { "for a share that it has",         play_retry,        SERVER_HELLO, 0, NOTHING,                        GROUP_X25519,         ILLEGAL },
  { "the same, with a cookie",         play_retry,        SERVER_HELLO, 0, TAP_BYTES (a_cookie),           GROUP_X25519,         ILLEGAL },
  { "for a group that was not offered", play_retry,       SERVER_HELLO, 0, NOTHING,                        30,                   ILLEGAL },
  { "for a group that nobody knows",   play_retry,        SERVER_HELLO, 0, NOTHING,                        0x0a0a,               ILLEGAL },
  { "a second time, in place of ServerHello", play_retry, SERVER_HELLO, RETRIES | ON_SECOND, NOTHING,      GROUP_SECP384R1,      UNEXPECTED },
  { "a second time, for the same group", play_retry,      SERVER_HELLO, RETRIES | ON_SECOND, NOTHING,      GROUP_SECP256R1,      UNEXPECTED },
  { "a second time, with a cookie",    play_retry,        SERVER_HELLO, RETRIES | ON_SECOND, TAP_BYTES (a_cookie), 0,            UNEXPECTED },
  { "legacy_version of 1.3",           play_patch,        SERVER_HELLO, RETRIES, TAP_BYTES (version_1_3),  VERSION_AT,           VERSION },
  { "a session ID",                    session_id,        SERVER_HELLO, RETRIES, TAP_BYTES (one),          0,                    ILLEGAL },
  { "compression",                     play_patch,        SERVER_HELLO, RETRIES, TAP_BYTES (one),          COMPRESSION_AT,       ILLEGAL },
  { "a suite of 1.2",                  play_patch,        SERVER_HELLO, RETRIES | ENGINE_HAS_BOTH, TAP_BYTES (suite_of_1_2), SUITE_AT, ILLEGAL },
  { "a suite that was not offered",    play_patch,        SERVER_HELLO, RETRIES, TAP_BYTES (suite_not_offered), SUITE_AT,        ILLEGAL },
  { "another suite than ServerHello's", play_patch,       SERVER_HELLO, RETRIES, TAP_BYTES (suite_256),    SUITE_AT,             ILLEGAL },
  { "ServerHello's suite is another",  play_patch,        SERVER_HELLO, RETRIES | ON_SECOND, TAP_BYTES (suite_256), SUITE_AT,    ILLEGAL },
  { "no supported_versions",           play_no_extension, SERVER_HELLO, RETRIES, NOTHING,                  EXT_SUPPORTED_VERSIONS, MISSING },
  { "supported_versions of 1.2",       play_other_extension, SERVER_HELLO, RETRIES | ENGINE_HAS_BOTH, TAP_BYTES (version_1_2), EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "ServerHello is of 1.2 then",      play_other_extension, SERVER_HELLO, RETRIES | ON_SECOND | ENGINE_HAS_BOTH, TAP_BYTES (version_1_2), EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "ServerHello has no version then", play_no_extension, SERVER_HELLO, RETRIES | ON_SECOND | ENGINE_HAS_BOTH, NOTHING, EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "an unknown extension",            play_extension,    SERVER_HELLO, RETRIES, NOTHING,                  0x4a4a,               UNSUPPORTED },
  { "an extension twice",              play_extension,    SERVER_HELLO, RETRIES, TAP_BYTES (version_1_3),  EXT_SUPPORTED_VERSIONS, DECODE },
  { "pre_shared_key",                  play_extension,    SERVER_HELLO, RETRIES | HAS_KEY, TAP_BYTES (first_psk), EXT_PRE_SHARED_KEY, ILLEGAL },
  { "an empty cookie",                 play_extension,    SERVER_HELLO, RETRIES, TAP_BYTES (empty_cookie), EXT_COOKIE,           DECODE },
  { "a cookie with a byte behind it",  play_extension,    SERVER_HELLO, RETRIES, TAP_BYTES (long_cookie),  EXT_COOKIE,           DECODE },
  { "a cookie cut short",              play_extension,    SERVER_HELLO, RETRIES, TAP_BYTES (short_cookie), EXT_COOKIE,           DECODE },
  { "cut short",                       play_shorten,      SERVER_HELLO, RETRIES, NOTHING,                  0,                    DECODE },
  { "a trailing byte",                 play_lengthen,     SERVER_HELLO, RETRIES, NOTHING,                  0,                    DECODE },
};
/* clang-format on */

static void
test_retry (void)
{
  check_rows_with (retry_rows, TAP_N (retry_rows), DTLS_SERVER, IS_13);
}

/* A cookie of any length that a hello has room for comes back as it was. */
struct cookie_hunt
{
  size_t len;
  bool was_found;
};

static bool
look_for_cookie (void *data, unsigned index, struct bytes datagram)
{
  struct cookie_hunt *hunt = data;

  (void) index;
  if (datagram.left > hunt->len + 4)
    for (size_t at = 0; at + 4 + hunt->len <= datagram.left; at++)
      {
        const uint8_t *p = datagram.at + at;
        const uint8_t head[] = { 0, EXT_COOKIE, (uint8_t) ((hunt->len + 2) >> 8),
                                 (uint8_t) (hunt->len + 2) };

        if (memcmp (p, head, sizeof head) == 0 && p[6] == 'k' && p[5 + hunt->len] == 'k')
          hunt->was_found = true;
      }
  return true;
}

static void
test_cookies (void)
{
  static const size_t lens[] = { 1, 2, 32, 255, 256, 800 };
  uint8_t cookie[800];

  memset (cookie, 'k', sizeof cookie);
  for (size_t i = 0; i < TAP_N (lens); i++)
    {
      struct mischief row = {
        "a cookie", play_retry, SERVER_HELLO, IS_13, { cookie, lens[i] }, GROUP_SECP384R1, SILENCE,
      };
      struct cookie_hunt hunt = { .len = lens[i] };
      struct puppet puppet;
      struct pair pair;

      mischief_set_up (&pair, IS_13, DTLS_CLIENT);
      pair.links[DTLS_CLIENT].lets_through = look_for_cookie;
      pair.links[DTLS_CLIENT].lets_through_data = &hunt;
      puppet_init (&puppet, &pair, DTLS_SERVER, &row);
      pair_start (&pair);
      pair_run (&pair, DTLS_SECOND / 10);
      CHECK (puppet.has_played && hunt.was_found);
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_OK);
      puppet_clear (&puppet);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- versions */

/* Servers of 1.3. */
/* clang-format off */
static const struct mischief version_rows[] = {
  { "1.3 to a client of both",         NULL,                 0,            ENGINE_HAS_BOTH, NOTHING,                      0, CONNECTS },
  { "a choice of 1.2 by supported_versions", play_other_extension, SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (version_1_2), EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "a choice of 1.0",                 play_other_extension, SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (version_1_0),      EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "a choice of a version to come",   play_other_extension, SERVER_HELLO, 0,               TAP_BYTES (version_1_4),      EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "a choice of TLS 1.3",             play_other_extension, SERVER_HELLO, 0,               TAP_BYTES (version_tls_1_3),  EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "a choice in three bytes",         play_other_extension, SERVER_HELLO, 0,               TAP_BYTES (three_versions),   EXT_SUPPORTED_VERSIONS, DECODE },
  { "a choice of nothing",             play_other_extension, SERVER_HELLO, 0,               NOTHING,                      EXT_SUPPORTED_VERSIONS, DECODE },
  { "no choice, to a client of 1.3",   play_no_extension,    SERVER_HELLO, 0,               NOTHING,                      EXT_SUPPORTED_VERSIONS, VERSION },
  { "no choice, and a suite of 1.3",   play_no_extension,    SERVER_HELLO, ENGINE_HAS_BOTH, NOTHING,                      EXT_SUPPORTED_VERSIONS, ILLEGAL },
};

/* Servers of 1.2: their session_id may be there. */
static const struct mischief old_rows[] = {
  { "1.2 to a client of both",         NULL,           0,            ENGINE_HAS_BOTH, NOTHING,                 0,                      CONNECTS },
  { "1.2's sentinel, to a client of both", play_patch, SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (sentinel_1_2), RANDOM_END_AT,         DTLS_ERROR_DOWNGRADE },
  { "1.1's sentinel, to a client of both", play_patch, SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (sentinel_1_1), RANDOM_END_AT,         DTLS_ERROR_DOWNGRADE },
  { "no sentinel that there is",       play_patch,     SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (sentinel_2),  RANDOM_END_AT,          DTLS_ERROR_BAD_SIGNATURE },
  { "1.1's sentinel, to a client of 1.2", play_patch,  SERVER_HELLO, 0,               TAP_BYTES (sentinel_1_1), RANDOM_END_AT,         DTLS_ERROR_DOWNGRADE },
  { "1.2's sentinel, to a client of 1.2", play_patch,  SERVER_HELLO, 0,               TAP_BYTES (sentinel_1_2), RANDOM_END_AT,         DTLS_ERROR_BAD_SIGNATURE },
  { "1.0 to a client of both",         play_patch,     SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (version_1_0), VERSION_AT,             VERSION },
  { "legacy_version of 1.3",           play_patch,     SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (version_1_3), VERSION_AT,             VERSION },
  { "supported_versions of 1.3 in a hello of 1.2", play_extension, SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (version_1_3), EXT_SUPPORTED_VERSIONS, ILLEGAL },
  { "key_share in a hello of 1.2",     play_extension, SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (zero_share),  EXT_KEY_SHARE,          ILLEGAL },
  { "pre_shared_key in a hello of 1.2", play_extension, SERVER_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (first_psk),  EXT_PRE_SHARED_KEY,     ILLEGAL },
};
/* clang-format on */

static void
test_versions (void)
{
  check_rows_with (version_rows, TAP_N (version_rows), DTLS_SERVER, IS_13);
}

static void
test_old_servers (void)
{
  check_rows_with (old_rows, TAP_N (old_rows), DTLS_SERVER, 0);
}

static void
end_with_a_sentinel (void *data, uint8_t *out, size_t len)
{
  (void) data;
  memset (out, 7, len);
  if (len == RANDOM_LEN)
    memcpy (out + RANDOM_LEN - sizeof sentinel_1_2, sentinel_1_2, sizeof sentinel_1_2);
}

/* RFC 9846 §4.2.3: in a ServerHello of 1.3 itself it means nothing. */
static void
test_sentinel_in_13 (void)
{
  struct pair pair;

  mischief_set_up (&pair, IS_13 | BOTH_ENDS_HAVE_BOTH, DTLS_CLIENT);
  pair.sides[DTLS_SERVER].config.random = end_with_a_sentinel;
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_version (pair.sides[DTLS_CLIENT].conn), DTLS_1_3);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/mischief/client13/server-hello/rejects-what-was-not-offered", test_hello },
  { "/mischief/client13/server-hello/rejects-shares-that-cannot-be", test_share },
  { "/mischief/client13/server-hello/rejects-keys-that-cannot-be", test_key },
  { "/mischief/client13/retry/is-one-and-changes-something", test_retry },
  { "/mischief/client13/retry/brings-cookies-of-any-length-back", test_cookies },
  { "/mischief/client13/versions/takes-the-choice-of-a-server-of-1.3", test_versions },
  { "/mischief/client13/versions/tells-a-server-of-1.2-from-a-downgrade", test_old_servers },
  { "/mischief/client13/versions/a-sentinel-means-nothing-in-1.3", test_sentinel_in_13 },
};

TAP_MAIN (tests)
