/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server of 1.3, or of both versions, against clients that keep every rule but one: ClientHello, the second one, and
 * pre-shared keys. What nobody knows is tolerated wherever there is a list. */

#include "handshake/hello_fields.h"
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
  VERSION = DTLS_ERROR_PROTOCOL_VERSION,
  HONEST = IS_CONSISTENT,
  AGAIN = IS_CONSISTENT | EVERY_TIME,
  EXT_PADDING = 21,
};

/* ---------------------------------------------------------------------------------- fields */

static const uint8_t one[] = { 1 };
static const uint8_t version_1_0[] = { 0xfe, 0xff };
static const uint8_t version_1_3[] = { 0xfe, 0xfc };
static const uint8_t version_tls[] = { 3, 3 };
static const uint8_t old_suites[] = { 0xc0, 0x2b };
static const uint8_t odd_suites[] = { 0x13, 1, 0x13 };
static const uint8_t grease_suites[] = { 0x0a, 0x0a, 0xfa, 0xfa };
static const uint8_t fallback[] = { 0x56, 0 };
static const uint8_t deflate[] = { 1 };
static const uint8_t deflate_and_null[] = { 1, 0 };
static const uint8_t null_and_deflate[] = { 0, 1 };
static const uint8_t some_bytes[33] = { 7 };
static const uint8_t versions_1_2[] = { 2, 0xfe, 0xfd };
static const uint8_t versions_grease[] = { 6, 0x0a, 0x0a, 0xfe, 0xfc, 0x2a, 0x2a };
static const uint8_t versions_to_come[] = { 4, 0xfe, 0xfb, 0xfe, 0xfc };
static const uint8_t versions_tls[] = { 2, 3, 4 };
static const uint8_t versions_odd[] = { 3, 0xfe, 0xfc, 0xfe };
static const uint8_t versions_none[] = { 0 };

/* clang-format off */
static const struct mischief field_rows[] = {
  { "legacy_version of 1.3",         play_patch,     CLIENT_HELLO, 0, TAP_BYTES (version_1_3), 0, VERSION },
  { "legacy_version of 1.0",         play_patch,     CLIENT_HELLO, 0, TAP_BYTES (version_1_0), 0, VERSION },
  { "legacy_version of TLS 1.2",     play_patch,     CLIENT_HELLO, 0, TAP_BYTES (version_tls), 0, VERSION },
  { "a session ID of 1 byte",        change_fields,  CLIENT_HELLO, HONEST, TAP_BYTES (one), SESSION_ID, CONNECTS },
  { "a session ID of 32 bytes",      change_fields,  CLIENT_HELLO, HONEST, { some_bytes, 32 }, SESSION_ID, CONNECTS },
  { "a session ID of 33 bytes",      change_fields,  CLIENT_HELLO, 0, { some_bytes, 33 }, SESSION_ID, DECODE },
  { "a session ID in both hellos",   change_fields,  CLIENT_HELLO, RETRIES | AGAIN, { some_bytes, 32 }, SESSION_ID, CONNECTS },
  { "a legacy_cookie",               change_fields,  CLIENT_HELLO, 0, TAP_BYTES (one), LEGACY_COOKIE, ILLEGAL },
  { "a legacy_cookie after a retry", change_fields,  CLIENT_HELLO, RETRIES | ON_SECOND, TAP_BYTES (one), LEGACY_COOKIE, ILLEGAL },
  { "compression",                   change_fields,  CLIENT_HELLO, 0, TAP_BYTES (deflate), COMPRESSION, ILLEGAL },
  { "compression or none",           change_fields,  CLIENT_HELLO, 0, TAP_BYTES (deflate_and_null), COMPRESSION, ILLEGAL },
  { "none or compression",           change_fields,  CLIENT_HELLO, 0, TAP_BYTES (null_and_deflate), COMPRESSION, ILLEGAL },
  { "no compression method",         change_fields,  CLIENT_HELLO, 0, NOTHING, COMPRESSION, DECODE },
  { "no suites",                     change_fields,  CLIENT_HELLO, 0, NOTHING, SUITES, DECODE },
  { "suites of odd length",          change_fields,  CLIENT_HELLO, 0, TAP_BYTES (odd_suites), SUITES, DECODE },
  { "only suites of 1.2",            change_fields,  CLIENT_HELLO, 0, TAP_BYTES (old_suites), SUITES, DTLS_ERROR_NO_SHARED_SUITE },
  { "only suites of 1.2, to a server of both", change_fields, CLIENT_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (old_suites), SUITES, DTLS_ERROR_NO_SHARED_SUITE },
  { "only suites that nobody knows", change_fields,  CLIENT_HELLO, 0, TAP_BYTES (grease_suites), SUITES, DTLS_ERROR_NO_SHARED_SUITE },
  { "suites that nobody knows behind", change_fields, CLIENT_HELLO, HONEST, TAP_BYTES (grease_suites), SUITES_AND_MORE, CONNECTS },
  { "suites that nobody knows ahead", change_fields, CLIENT_HELLO, HONEST, TAP_BYTES (grease_suites), SUITES_AFTER, CONNECTS },
  { "suites that nobody knows, with a key", change_fields, CLIENT_HELLO, HAS_KEY | HONEST, TAP_BYTES (grease_suites), SUITES_AFTER, CONNECTS },
  { "TLS_FALLBACK_SCSV at our best version", change_fields, CLIENT_HELLO, ENGINE_HAS_BOTH | HONEST, TAP_BYTES (fallback), SUITES_AND_MORE, CONNECTS },
  { "cut short",                     play_shorten,   CLIENT_HELLO, 0, NOTHING, 0, DECODE },
  { "a trailing byte",               play_lengthen,  CLIENT_HELLO, 0, NOTHING, 0, DECODE },
  { "empty",                         play_body,      CLIENT_HELLO, 0, NOTHING, 0, DECODE },
};

static const struct mischief version_rows[] = {
  { "no supported_versions, to a server of 1.3", play_no_extension, CLIENT_HELLO, 0, NOTHING, EXT_SUPPORTED_VERSIONS, VERSION },
  { "no supported_versions, and no suite of 1.2", play_no_extension, CLIENT_HELLO, ENGINE_HAS_BOTH, NOTHING, EXT_SUPPORTED_VERSIONS, DTLS_ERROR_NO_SHARED_SUITE },
  { "only 1.2, to a server of 1.3",  play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (versions_1_2), EXT_SUPPORTED_VERSIONS, VERSION },
  { "only TLS 1.3",                  play_other_extension, CLIENT_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (versions_tls), EXT_SUPPORTED_VERSIONS, VERSION },
  { "versions that nobody knows",    play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (versions_grease), EXT_SUPPORTED_VERSIONS, CONNECTS },
  { "a version to come",             play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (versions_to_come), EXT_SUPPORTED_VERSIONS, CONNECTS },
  { "versions of odd length",        play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (versions_odd), EXT_SUPPORTED_VERSIONS, DECODE },
  { "no version in the list",        play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (versions_none), EXT_SUPPORTED_VERSIONS, DECODE },
  { "supported_versions twice",      play_extension,       CLIENT_HELLO, 0, TAP_BYTES (versions_1_2), EXT_SUPPORTED_VERSIONS, DECODE },
  { "one version before a retry, another after it", play_other_extension, CLIENT_HELLO, RETRIES | ON_SECOND | ENGINE_HAS_BOTH, TAP_BYTES (versions_1_2), EXT_SUPPORTED_VERSIONS, ILLEGAL },
};
/* clang-format on */

static void
test_fields (void)
{
  check_rows_with (field_rows, TAP_N (field_rows), DTLS_CLIENT, IS_13);
}

static void
test_versions (void)
{
  check_rows_with (version_rows, TAP_N (version_rows), DTLS_CLIENT, IS_13);
}

/* Clients of 1.2 at a server of both. RFC 7507 §3. */
static void
test_old_clients (void)
{
  /* clang-format off */
  static const struct mischief rows[] = {
    { "1.2 to a server of both",      NULL,          0,            ENGINE_HAS_BOTH, NOTHING, 0, CONNECTS },
    { "a client that fell back",      change_fields, CLIENT_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (fallback), SUITES_AND_MORE, DTLS_ERROR_INAPPROPRIATE_FALLBACK },
    { "1.2 by supported_versions",    play_extension, CLIENT_HELLO, ENGINE_HAS_BOTH | HONEST, TAP_BYTES (versions_1_2), EXT_SUPPORTED_VERSIONS, CONNECTS },
    { "1.3 without what it needs",    play_extension, CLIENT_HELLO, ENGINE_HAS_BOTH, TAP_BYTES (versions_grease), EXT_SUPPORTED_VERSIONS, MISSING },
  };
  /* clang-format on */

  check_rows (rows, TAP_N (rows), DTLS_CLIENT);
}

/* RFC 9846 §4.2.3: a server of 1.3 that has to do with 1.2 says so in its random. */
static bool
has_sentinel (void *data, unsigned index, struct bytes datagram)
{
  static const uint8_t sentinel[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 1 };
  size_t at = 13 + 12 + 2 + RANDOM_LEN - sizeof sentinel;
  bool *was_found = data;

  if (index == 0 && datagram.left > at + sizeof sentinel)
    *was_found = memcmp (datagram.at + at, sentinel, sizeof sentinel) == 0;
  return true;
}

static void
test_sentinel (void)
{
  for (unsigned has_both = 0; has_both < 2; has_both++)
    {
      bool was_found = false;
      struct pair pair;

      mischief_set_up (&pair, has_both ? ENGINE_HAS_BOTH : 0, DTLS_SERVER);
      pair.links[DTLS_SERVER].lets_through = has_sentinel;
      pair.links[DTLS_SERVER].lets_through_data = &was_found;
      CHECK (pair_handshake (&pair));
      CHECK_UINT (dtls_conn_version (pair.sides[DTLS_CLIENT].conn), DTLS_1_2);
      CHECK_UINT (was_found, has_both);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- extensions */

static const uint8_t limit_63[] = { 0, 63 };
static const uint8_t limit_64[] = { 0, 64 };
static const uint8_t limit_wide[] = { 0xff, 0xff };
static const uint8_t groups_unknown[] = { 0, 2, 0x0a, 0x0a };
static const uint8_t groups_grease[] = { 0, 6, 0x0a, 0x0a, 0, 29, 0x2a, 0x2a };
static const uint8_t groups_odd[] = { 0, 3, 0, 29, 0 };
static const uint8_t groups_none[] = { 0, 0 };
static const uint8_t schemes_sha1[] = { 0, 2, 2, 3 };
static const uint8_t schemes_pkcs1[] = { 0, 6, 4, 1, 5, 1, 6, 1 };
static const uint8_t schemes_grease[] = { 0, 6, 0x0a, 0x0a, 4, 3, 0x2a, 0x2a };
static const uint8_t schemes_odd[] = { 0, 3, 4, 3, 0 };
static const uint8_t schemes_none[] = { 0, 0 };
static const uint8_t name_with_zero[] = { 0, 5, 0, 0, 2, 'x', 0 };
static const uint8_t alpn_empty_name[] = { 0, 1, 0 };
static const uint8_t alpn_others[] = { 0, 4, 1, 'z', 1, 'y' };
static const uint8_t alpn_grease[] = { 0, 5, 2, 0x0a, 0x0a, 1, 'b' };
static const uint8_t a_cookie[] = { 0, 1, 'c' };
static const uint8_t empty_cookie[] = { 0, 0 };
static const uint8_t authorities_none[] = { 0, 0 };
static const uint8_t srtp_none[] = { 0, 0, 0 };
static const uint8_t oid_filters[] = { 0, 0 };

/* clang-format off */
static const struct mischief extension_rows[] = {
  { "an unknown extension",          play_extension,       CLIENT_HELLO, HONEST, TAP_BYTES (one),        0x4a4a, CONNECTS },
  { "an unknown extension ahead",    play_first_extension, CLIENT_HELLO, HONEST, NOTHING,                0x0a0a, CONNECTS },
  { "an unknown extension and a key", play_first_extension, CLIENT_HELLO, HAS_KEY | HONEST, NOTHING,     0x0a0a, CONNECTS },
  { "an unknown extension in both hellos", play_first_extension, CLIENT_HELLO, RETRIES | AGAIN, TAP_BYTES (one), 0x4a4a, CONNECTS },
  { "an unknown extension in both hellos, behind a cookie", play_first_extension, CLIENT_HELLO, HAS_COOKIES | AGAIN, TAP_BYTES (one), 0x4a4a, CONNECTS },
  { "an unknown extension in both hellos, and a key", play_first_extension, CLIENT_HELLO, HAS_KEY | RETRIES | HAS_COOKIES | AGAIN, NOTHING, 0x0a0a, CONNECTS },
  { "an extension twice",            play_extension,       CLIENT_HELLO, 0, TAP_BYTES (limit_64),        EXT_RECORD_SIZE_LIMIT, DECODE },
  { "padding",                       play_extension,       CLIENT_HELLO, HONEST, TAP_BYTES (some_bytes), EXT_PADDING, CONNECTS },
  { "extended_master_secret",        play_extension,       CLIENT_HELLO, HONEST, NOTHING,                EXT_EXTENDED_MASTER_SECRET, CONNECTS },
  { "session_ticket",                play_extension,       CLIENT_HELLO, HONEST, TAP_BYTES (some_bytes), EXT_SESSION_TICKET, CONNECTS },
  { "only compressed points",        play_extension,       CLIENT_HELLO, HONEST, TAP_STRING ("\1\1"),    EXT_EC_POINT_FORMATS, CONNECTS },
  { "an answer's oid_filters",       play_extension,       CLIENT_HELLO, HONEST, TAP_BYTES (oid_filters), 48, CONNECTS },
  { "early_data without a key",      play_first_extension, CLIENT_HELLO, HONEST, NOTHING,                EXT_EARLY_DATA, CONNECTS },
  { "early_data with a key",         play_first_extension, CLIENT_HELLO, HAS_KEY | HONEST, NOTHING,      EXT_EARLY_DATA, CONNECTS },
  { "early_data with a body",        play_first_extension, CLIENT_HELLO, HAS_KEY, TAP_BYTES (one),       EXT_EARLY_DATA, DECODE },
  { "early_data before a retry",     play_first_extension, CLIENT_HELLO, RETRIES | HAS_KEY | HONEST, NOTHING, EXT_EARLY_DATA, CONNECTS },
  { "early_data after a retry",      play_first_extension, CLIENT_HELLO, RETRIES | HAS_KEY | ON_SECOND, NOTHING, EXT_EARLY_DATA, ILLEGAL },
  { "record_size_limit 63",          play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (limit_63),        EXT_RECORD_SIZE_LIMIT, ILLEGAL },
  { "record_size_limit 64",          play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (limit_64),   EXT_RECORD_SIZE_LIMIT, CONNECTS },
  { "record_size_limit 65535",       play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (limit_wide), EXT_RECORD_SIZE_LIMIT, CONNECTS },
  { "record_size_limit of one byte", play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (one),             EXT_RECORD_SIZE_LIMIT, DECODE },
  { "no record_size_limit",          play_no_extension,    CLIENT_HELLO, HONEST, NOTHING,                EXT_RECORD_SIZE_LIMIT, CONNECTS },
  { "no supported_groups",           play_no_extension,    CLIENT_HELLO, 0, NOTHING,                     EXT_SUPPORTED_GROUPS, MISSING },
  { "groups that nobody knows",      play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (groups_unknown),  EXT_SUPPORTED_GROUPS, DTLS_ERROR_NO_SHARED_GROUP },
  { "groups that nobody knows beside one of ours", play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (groups_grease), EXT_SUPPORTED_GROUPS, CONNECTS },
  { "groups of odd length",          play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (groups_odd),      EXT_SUPPORTED_GROUPS, DECODE },
  { "an empty list of groups",       play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (groups_none),     EXT_SUPPORTED_GROUPS, DECODE },
  { "no signature_algorithms",       play_no_extension,    CLIENT_HELLO, 0, NOTHING,                     EXT_SIGNATURE_ALGORITHMS, MISSING },
  { "no signature_algorithms beside a key", play_no_extension, CLIENT_HELLO, HAS_KEY | HONEST, NOTHING, EXT_SIGNATURE_ALGORITHMS, CONNECTS },
  { "only SHA-1",                    play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (schemes_sha1),    EXT_SIGNATURE_ALGORITHMS, DTLS_ERROR_NO_SHARED_SIGNATURE },
  { "only PKCS #1, and our key is RSA", play_other_extension, CLIENT_HELLO, HAS_RSA, TAP_BYTES (schemes_pkcs1), EXT_SIGNATURE_ALGORITHMS, DTLS_ERROR_NO_SHARED_SIGNATURE },
  { "schemes that nobody knows beside one of ours", play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (schemes_grease), EXT_SIGNATURE_ALGORITHMS, CONNECTS },
  { "signature_algorithms of odd length", play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (schemes_odd), EXT_SIGNATURE_ALGORITHMS, DECODE },
  { "an empty list of schemes",      play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (schemes_none),    EXT_SIGNATURE_ALGORITHMS, DECODE },
  { "signature_algorithms_cert of odd length", play_extension, CLIENT_HELLO, 0, TAP_BYTES (schemes_odd), EXT_SIGNATURE_ALGORITHMS_CERT, DECODE },
  { "signature_algorithms_cert",     play_extension,       CLIENT_HELLO, HONEST, TAP_BYTES (schemes_sha1), EXT_SIGNATURE_ALGORITHMS_CERT, CONNECTS },
  { "no authorities in the list",    play_extension,       CLIENT_HELLO, 0, TAP_BYTES (authorities_none), EXT_CERTIFICATE_AUTHORITIES, DECODE },
  { "use_srtp of no profile",        play_extension,       CLIENT_HELLO, 0, TAP_BYTES (srtp_none),       EXT_USE_SRTP, DECODE },
  { "a server_name with a zero byte", play_extension,      CLIENT_HELLO, 0, TAP_BYTES (name_with_zero),  EXT_SERVER_NAME, DECODE },
  { "ALPN with an empty name",       play_other_extension, CLIENT_HELLO, NAMES_PROTOCOLS, TAP_BYTES (alpn_empty_name), EXT_ALPN, DECODE },
  { "ALPN of nothing in common",     play_other_extension, CLIENT_HELLO, NAMES_PROTOCOLS | HONEST, TAP_BYTES (alpn_others), EXT_ALPN, CONNECTS },
  { "ALPN with a name that nobody knows", play_other_extension, CLIENT_HELLO, NAMES_PROTOCOLS | HONEST, TAP_BYTES (alpn_grease), EXT_ALPN, CONNECTS },
  { "a cookie that nobody gave",     play_extension,       CLIENT_HELLO, 0, TAP_BYTES (a_cookie),        EXT_COOKIE, ILLEGAL },
  { "an empty cookie",               play_extension,       CLIENT_HELLO, 0, TAP_BYTES (empty_cookie),    EXT_COOKIE, DECODE },
};
/* clang-format on */

static void
test_extensions (void)
{
  check_rows_with (extension_rows, TAP_N (extension_rows), DTLS_CLIENT, IS_13);
}

/* ---------------------------------------------------------------------------------- key_share */

static const uint8_t shares_none[] = { 0, 0 };
static const uint8_t shares_unknown[] = { 0, 5, 0x0a, 0x0a, 0, 1, 9 };
static const uint8_t shares_twice[] = { 0, 10, 0, 29, 0, 1, 8, 0, 29, 0, 1, 9 };
static const uint8_t share_cut[] = { 0, 5, 0, 29, 0, 2, 9 };
static const uint8_t share_empty[] = { 0, 4, 0, 29, 0, 0 };
static const uint8_t share_and_a_byte[] = { 0, 0, 9 };
static const uint8_t share_long[] = { 0, 37, 0, 29, 0, 33, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
                                      9, 9,  9, 9,  9, 9,  9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 };
static const uint8_t share_short[] = { 0, 35, 0, 29, 0, 31, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
                                       9, 9,  9, 9,  9, 9,  9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 };
static const uint8_t share_of_zeros[38] = { 0, 36, 0, 29, 0, 32 };
static const uint8_t off_curve[71] = { 0, 69, 0, 23, 0, 65, 4, 1, 2, 3 };
static const uint8_t infinity[] = { 0, 5, 0, 23, 0, 1, 0 };
static const uint8_t compressed[39] = { 0, 37, 0, 23, 0, 33, 2, 1 };

/* A share of a group that nobody knows, ahead of the genuine ones. */
static void
grease_share (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];
  struct mischief changed = *mischief;
  struct client_hello hello;
  struct extensions found;
  struct bytes shares;
  uint8_t memory[2048];
  struct writer w = writer_over (memory, sizeof memory);
  size_t list;

  if (!client_hello_read ((struct bytes){ piece->body, piece->len }, &hello)
      || extensions_read (hello.extensions, IN_CLIENT_HELLO, &found) != EXTENSIONS_OK
      || client_shares_read (found.body[FOUND_KEY_SHARE], &shares) != READ_OK)
    abort ();

  list = write_vec_begin (&w, 2);
  write_u16 (&w, 0x3a3a);
  write_vec (&w, mischief->bytes, 2);
  write_bytes (&w, shares.at, shares.left);
  write_vec_end (&w, list, 2);
  changed.bytes = writer_bytes (&w);
  changed.number = EXT_KEY_SHARE;
  play_other_extension (puppet, at, &changed);
}

/* clang-format off */
static const struct mischief share_rows[] = {
  { "none",                          play_no_extension,    CLIENT_HELLO, 0, NOTHING,                     EXT_KEY_SHARE, MISSING },
  { "an empty list: a retry",        play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (shares_none), EXT_KEY_SHARE, SILENCE },
  { "of groups that nobody knows: a retry", play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (shares_unknown), EXT_KEY_SHARE, SILENCE },
  { "one more, of a group that nobody knows", grease_share, CLIENT_HELLO, HONEST, TAP_BYTES (one),       0,             CONNECTS },
  { "two of a group",                play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (shares_twice),    EXT_KEY_SHARE, ILLEGAL },
  { "cut short",                     play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (share_cut),       EXT_KEY_SHARE, DECODE },
  { "empty",                         play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (share_empty),     EXT_KEY_SHARE, DECODE },
  { "a byte behind the list",        play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (share_and_a_byte), EXT_KEY_SHARE, DECODE },
  { "X25519: zero",                  play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (share_of_zeros),  EXT_KEY_SHARE, ILLEGAL },
  { "X25519: 31 bytes",              play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (share_short),     EXT_KEY_SHARE, ILLEGAL },
  { "X25519: 33 bytes",              play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (share_long),      EXT_KEY_SHARE, ILLEGAL },
  { "P-256: not on the curve",       play_other_extension, CLIENT_HELLO, ONLY_P256, TAP_BYTES (off_curve),  EXT_KEY_SHARE, ILLEGAL },
  { "P-256: at infinity",            play_other_extension, CLIENT_HELLO, ONLY_P256, TAP_BYTES (infinity),   EXT_KEY_SHARE, ILLEGAL },
  { "P-256: compressed",             play_other_extension, CLIENT_HELLO, ONLY_P256, TAP_BYTES (compressed), EXT_KEY_SHARE, ILLEGAL },
};
/* clang-format on */

static void
test_shares (void)
{
  check_rows_with (share_rows, TAP_N (share_rows), DTLS_CLIENT, IS_13);
}

static const struct tap_test tests[] = {
  { "/mischief/server13/client-hello/rejects-fields-that-may-not-be", test_fields },
  { "/mischief/server13/client-hello/rejects-malformed-and-tolerates-unknown-extensions",
    test_extensions },
  { "/mischief/server13/client-hello/rejects-shares-that-cannot-be", test_shares },
  { "/mischief/server13/versions/takes-the-best-in-common", test_versions },
  { "/mischief/server13/versions/tells-a-client-of-1.2-from-one-that-fell-back", test_old_clients },
  { "/mischief/server13/versions/marks-its-choice-of-1.2", test_sentinel },
};

TAP_MAIN (tests)
