/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/extensions: the walk over a block, what may appear where, and every body. */

#include "codec.h"
#include "wire/extensions.h"

static void
block_is_judged (void)
{
  static const struct
  {
    const char *row;
    struct bytes block;
    enum extension_place place;
    enum extensions_result expected;
  } rows[] = {
    { "none", { NULL, 0 }, IN_CLIENT_HELLO, EXTENSIONS_OK },
    { "one with an empty body", TAP_STRING ("\0\x17\0\0"), IN_CLIENT_HELLO, EXTENSIONS_OK },
    { "two", TAP_STRING ("\0\x17\0\0\xff\1\0\1\0"), IN_CLIENT_HELLO, EXTENSIONS_OK },
    { "half a type", TAP_STRING ("\0"), IN_CLIENT_HELLO, EXTENSIONS_MALFORMED },
    { "no length", TAP_STRING ("\0\x17"), IN_CLIENT_HELLO, EXTENSIONS_MALFORMED },
    { "half a length", TAP_STRING ("\0\x17\0"), IN_CLIENT_HELLO, EXTENSIONS_MALFORMED },
    { "a body cut short", TAP_STRING ("\0\x17\0\2a"), IN_CLIENT_HELLO, EXTENSIONS_MALFORMED },
    { "the second cut short", TAP_STRING ("\0\x17\0\0\0\x10\0\1"), IN_CLIENT_HELLO,
      EXTENSIONS_MALFORMED },
    { "a byte left over", TAP_STRING ("\0\x17\0\0\0"), IN_CLIENT_HELLO, EXTENSIONS_MALFORMED },
    { "a known one twice", TAP_STRING ("\0\x17\0\0\0\x17\0\0"), IN_CLIENT_HELLO,
      EXTENSIONS_DUPLICATE },
    { "a known one twice, apart", TAP_STRING ("\0\x17\0\0\0\x10\0\0\0\x17\0\0"), IN_CLIENT_HELLO,
      EXTENSIONS_DUPLICATE },
    { "a known one twice, the bodies differing", TAP_STRING ("\0\x10\0\1a\0\x10\0\1b"),
      IN_CLIENT_HELLO, EXTENSIONS_DUPLICATE },
    { "an unknown one twice", TAP_STRING ("\x0a\x0a\0\0\x0a\x0a\0\0"), IN_CLIENT_HELLO,
      EXTENSIONS_DUPLICATE },
    { "two unknown ones", TAP_STRING ("\x0a\x0a\0\0\x1a\x1a\0\0"), IN_CLIENT_HELLO, EXTENSIONS_OK },
    { "two unknown ones, one bit apart", TAP_STRING ("\x0a\x0a\0\0\x0a\x0b\0\0"), IN_CLIENT_HELLO,
      EXTENSIONS_OK },
    { "the last type twice", TAP_STRING ("\xff\xff\0\0\xff\xff\0\0"), IN_CLIENT_HELLO,
      EXTENSIONS_DUPLICATE },
    { "twice in a ServerHello", TAP_STRING ("\0\x17\0\0\0\x17\0\0"), IN_SERVER_HELLO_12,
      EXTENSIONS_DUPLICATE },
    { "misplaced", TAP_STRING ("\0\x0a\0\0"), IN_SERVER_HELLO_12, EXTENSIONS_MISPLACED },
    { "misplaced after a good one", TAP_STRING ("\0\x17\0\0\0\x2b\0\0"), IN_SERVER_HELLO_12,
      EXTENSIONS_MISPLACED },
    { "misplaced before a good one", TAP_STRING ("\0\x2b\0\0\0\x17\0\0"), IN_SERVER_HELLO_12,
      EXTENSIONS_MISPLACED },
    { "misplaced, and twice", TAP_STRING ("\0\x2b\0\0\0\x2b\0\0"), IN_SERVER_HELLO_12,
      EXTENSIONS_DUPLICATE },
    { "misplaced, then one cut short", TAP_STRING ("\0\x2b\0\0\0\x17\0\1"), IN_SERVER_HELLO_12,
      EXTENSIONS_MALFORMED },
    { "twice, then one cut short", TAP_STRING ("\0\x17\0\0\0\x17\0\0\0\x10\0\1"), IN_CLIENT_HELLO,
      EXTENSIONS_MALFORMED },
    { "pre_shared_key alone", TAP_STRING ("\0\x29\0\0"), IN_CLIENT_HELLO, EXTENSIONS_OK },
    { "pre_shared_key last", TAP_STRING ("\0\x2a\0\0\0\x29\0\0"), IN_CLIENT_HELLO, EXTENSIONS_OK },
    { "pre_shared_key before a known one", TAP_STRING ("\0\x29\0\0\0\x2a\0\0"), IN_CLIENT_HELLO,
      EXTENSIONS_MISPLACED },
    { "pre_shared_key before an unknown one", TAP_STRING ("\0\x29\0\0\x0a\x0a\0\0"),
      IN_CLIENT_HELLO, EXTENSIONS_MISPLACED },
    { "pre_shared_key between others", TAP_STRING ("\0\x2a\0\0\0\x29\0\0\0\x2b\0\0"),
      IN_CLIENT_HELLO, EXTENSIONS_MISPLACED },
    { "pre_shared_key twice, the last time last", TAP_STRING ("\0\x29\0\0\0\x29\0\0"),
      IN_CLIENT_HELLO, EXTENSIONS_DUPLICATE },
    { "pre_shared_key first in a ServerHello", TAP_STRING ("\0\x29\0\0\0\x2b\0\0"),
      IN_SERVER_HELLO_13, EXTENSIONS_OK },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct extensions found;

      tap_set_row (rows[i].row);
      CHECK_UINT (extensions_read (rows[i].block, rows[i].place, &found), rows[i].expected);
    }
}

/* In the order of RFC 9846 §4.3's table, as the one in the code; then those of 1.2 only. Where each
 * may appear is spelled as there, with SH12 for 1.2's ServerHello. */
static const struct
{
  const char *row;
  uint16_t type;
  enum extension_index index;
  const char *places;
} places[] = {
  { "server_name", 0, FOUND_SERVER_NAME, "CH EE CR SH12" },
  { "supported_groups", 10, FOUND_SUPPORTED_GROUPS, "CH EE" },
  { "signature_algorithms", 13, FOUND_SIGNATURE_ALGORITHMS, "CH CR" },
  { "use_srtp", 14, FOUND_USE_SRTP, "CH EE SH12" },
  { "application_layer_protocol_negotiation", 16, FOUND_ALPN, "CH EE SH12" },
  { "record_size_limit", 28, FOUND_RECORD_SIZE_LIMIT, "CH EE SH12" },
  { "pre_shared_key", 41, FOUND_PRE_SHARED_KEY, "CH SH" },
  { "early_data", 42, FOUND_EARLY_DATA, "CH EE NST" },
  { "supported_versions", 43, FOUND_SUPPORTED_VERSIONS, "CH SH HRR" },
  { "cookie", 44, FOUND_COOKIE, "CH HRR" },
  { "psk_key_exchange_modes", 45, FOUND_PSK_KEY_EXCHANGE_MODES, "CH" },
  { "certificate_authorities", 47, FOUND_CERTIFICATE_AUTHORITIES, "CH CR" },
  { "signature_algorithms_cert", 50, FOUND_SIGNATURE_ALGORITHMS_CERT, "CH CR" },
  { "key_share", 51, FOUND_KEY_SHARE, "CH SH HRR" },
  { "ec_point_formats", 11, FOUND_EC_POINT_FORMATS, "CH SH12" },
  { "extended_master_secret", 23, FOUND_EXTENDED_MASTER_SECRET, "CH SH12" },
  { "session_ticket", 35, FOUND_SESSION_TICKET, "CH SH12" },
  { "renegotiation_info", 0xff01, FOUND_RENEGOTIATION_INFO, "CH SH12" },
};

static void
block_gives_each_known_body (void)
{
  for (size_t i = 0; i < TAP_N (places); i++)
    {
      uint8_t out[16];
      struct writer writer = writer_over (out, sizeof out);
      struct extensions found;
      size_t body;

      tap_set_row (places[i].row);
      body = extension_begin (&writer, places[i].type);
      write_bytes (&writer, (const uint8_t *) "body", 4);
      extension_end (&writer, body);

      CHECK_UINT (extensions_read (writer_bytes (&writer), IN_CLIENT_HELLO, &found), EXTENSIONS_OK);
      CHECK (!found.has_unknown);
      for (size_t index = 0; index < N_EXTENSIONS; index++)
        CHECK_UINT (found.has[index], index == places[i].index);
      CHECK_BYTES (found.body[places[i].index], TAP_STRING ("body"));
    }

  CHECK_UINT (TAP_N (places), N_EXTENSIONS);
}

/* Whether `word` is one of the words of `text`. */
static bool
has_word (const char *text, const char *word)
{
  size_t len = strlen (word);

  for (; *text != 0; text += strcspn (text, " ") + (strchr (text, ' ') != NULL))
    if (strcspn (text, " ") == len && strncmp (text, word, len) == 0)
      return true;

  return false;
}

static void
block_keeps_to_the_places (void)
{
  static const char *const names[] = {
    [IN_CLIENT_HELLO] = "CH",         [IN_SERVER_HELLO_12] = "SH12",
    [IN_SERVER_HELLO_13] = "SH",      [IN_HELLO_RETRY_REQUEST] = "HRR",
    [IN_ENCRYPTED_EXTENSIONS] = "EE", [IN_CERTIFICATE_REQUEST_13] = "CR",
    [IN_CERTIFICATE_13] = "CT",       [IN_NEW_SESSION_TICKET_13] = "NST",
  };

  for (size_t i = 0; i < TAP_N (places); i++)
    for (size_t place = 0; place < TAP_N (names); place++)
      {
        uint8_t out[8];
        struct writer writer = writer_over (out, sizeof out);
        struct extensions found;

        tap_set_row (places[i].row);
        extension_end (&writer, extension_begin (&writer, places[i].type));
        if (!CHECK_UINT (
                extensions_read (writer_bytes (&writer), (enum extension_place) place, &found),
                has_word (places[i].places, names[place]) ? EXTENSIONS_OK : EXTENSIONS_MISPLACED))
          printf ("#   in %s\n", names[place]);
      }
}

/* A client learns only from the block which of the two ServerHellos it is in. */
static void
block_tells_what_is_misplaced (void)
{
  static const struct
  {
    const char *row;
    struct bytes block;
  } rows[] = {
    { "first", TAP_STRING ("\0\x2b\0\2\xfe\xfc\0\x17\0\0") },
    { "last", TAP_STRING ("\0\x17\0\0\0\x2b\0\2\xfe\xfc") },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct extensions found;

      tap_set_row (rows[i].row);
      CHECK_UINT (extensions_read (rows[i].block, IN_SERVER_HELLO_12, &found),
                  EXTENSIONS_MISPLACED);
      CHECK (found.has[FOUND_EXTENDED_MASTER_SECRET]);
      CHECK (found.has[FOUND_SUPPORTED_VERSIONS]);
      CHECK_BYTES (found.body[FOUND_SUPPORTED_VERSIONS], TAP_STRING ("\xfe\xfc"));
    }
}

static bool
rewrite_encrypted_extensions (struct bytes message, struct writer *writer)
{
  struct bytes inside;
  size_t block;

  if (!encrypted_extensions_read (message, &inside))
    return false;

  block = extension_block_begin (writer);
  write_bytes (writer, inside.at, inside.left);
  extension_block_end (writer, block);
  return true;
}

static void
encrypted_extensions_is_a_codec (void)
{
  codec_check (rewrite_encrypted_extensions, TAP_STRING ("\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_encrypted_extensions, TAP_STRING ("\0\6\0\x1c\0\2\x40\0"), CODEC_NO_PREFIX);
}

static void
block_tells_of_unknown_types (void)
{
  struct extensions found;

  CHECK_UINT (extensions_read (TAP_STRING ("\0\x17\0\0"), IN_CLIENT_HELLO, &found), EXTENSIONS_OK);
  CHECK (!found.has_unknown);
  CHECK_UINT (extensions_read (TAP_STRING ("\x7a\x7a\0\1x\0\x17\0\0"), IN_CLIENT_HELLO, &found),
              EXTENSIONS_OK);
  CHECK (found.has_unknown);
  CHECK (found.has[FOUND_EXTENDED_MASTER_SECRET]);
  CHECK_UINT (extensions_read (TAP_STRING ("\x7a\x7a\0\0"), IN_SERVER_HELLO_12, &found),
              EXTENSIONS_OK);
  CHECK (found.has_unknown);
}

/* As many types as fit: each of them once is fine, and the last of them again is seen. */
static void
block_of_64_kb_is_judged (void)
{
  static uint8_t out[65536];
  struct writer writer = writer_over (out, sizeof out);
  struct extensions found;

  for (uint16_t type = 100; writer_room (&writer) > 4; type++)
    extension_end (&writer, extension_begin (&writer, type));
  CHECK_UINT (extensions_read (writer_bytes (&writer), IN_CLIENT_HELLO, &found), EXTENSIONS_OK);

  extension_end (&writer, extension_begin (&writer, 100));
  CHECK (writer_ok (&writer));
  CHECK_UINT (writer.used, sizeof out);
  CHECK_UINT (extensions_read (writer_bytes (&writer), IN_CLIENT_HELLO, &found),
              EXTENSIONS_DUPLICATE);
}

static bool
rewrite_server_name (struct bytes body, struct writer *writer)
{
  struct bytes name;

  if (!server_name_read (body, &name))
    return false;

  server_name_write (writer, name);
  return true;
}

static void
server_name_is_a_codec (void)
{
  codec_check (rewrite_server_name,
               TAP_STRING ("\0\x0b\0\0\x08"
                           "moat.org"),
               CODEC_NO_PREFIX);
}

static void
server_name_is_judged (void)
{
  static const struct
  {
    const char *row;
    struct bytes body;
    bool expected;
  } rows[] = {
    { "one name", TAP_STRING ("\0\4\0\0\1a"), true },
    { "no body", { NULL, 0 }, false },
    { "an empty list", TAP_STRING ("\0\0"), false },
    { "an empty name", TAP_STRING ("\0\3\0\0\0"), false },
    { "a zero byte first", TAP_STRING ("\0\5\0\0\2\0a"), false },
    { "a zero byte in the middle", TAP_STRING ("\0\6\0\0\3a\0b"), false },
    { "a zero byte last", TAP_STRING ("\0\5\0\0\2a\0"), false },
    { "a name longer than the list", TAP_STRING ("\0\4\0\0\2a"), false },
    { "a name reaching out of the list", TAP_STRING ("\0\4\0\0\2ab"), false },
    { "two names", TAP_STRING ("\0\x08\0\0\1a\0\0\1b"), false },
    { "another type before it", TAP_STRING ("\0\x08\1\0\1b\0\0\1a"), true },
    { "another type after it", TAP_STRING ("\0\x08\0\0\1a\1\0\1b"), true },
    { "half a name after it", TAP_STRING ("\0\5\0\0\1a\0"), false },
    { "half a length after it", TAP_STRING ("\0\6\0\0\1a\0\0"), false },
    { "another type after it, cut short", TAP_STRING ("\0\6\0\0\1a\1\0"), false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct bytes name;

      tap_set_row (rows[i].row);
      if (CHECK_UINT (server_name_read (rows[i].body, &name), rows[i].expected) && rows[i].expected)
        CHECK_BYTES (name, TAP_STRING ("a"));
    }
}

static void
server_name_has_at_most_255_bytes (void)
{
  uint8_t name[257];
  uint8_t out[512];

  memset (name, 'a', sizeof name);
  for (size_t len = 0; len <= sizeof name; len++)
    {
      struct writer writer = writer_over (out, sizeof out);
      struct bytes got;

      server_name_write (&writer, (struct bytes){ name, len });
      CHECK_UINT (server_name_read (writer_bytes (&writer), &got), len >= 1 && len <= 255);
    }
}

static void
server_name_of_other_types_only_is_empty (void)
{
  struct bytes name;

  CHECK (server_name_read (TAP_STRING ("\0\4\1\0\1b"), &name));
  CHECK_UINT (name.left, 0);
}

static bool
rewrite_u16_list (struct bytes body, struct writer *writer)
{
  uint16_t values[8];
  struct bytes list;
  size_t n;

  if (!u16_list_read (body, &list))
    return false;

  for (n = 0; n < u16_list_len (list) && n < TAP_N (values); n++)
    values[n] = u16_list_at (list, n);
  u16_list_write (writer, values, n);
  return true;
}

static void
u16_list_is_a_codec (void)
{
  codec_check (rewrite_u16_list, TAP_STRING ("\0\2\0\x1d"), CODEC_NO_PREFIX);
  codec_check (rewrite_u16_list, TAP_STRING ("\0\6\0\x1d\0\x17\xff\xff"), CODEC_NO_PREFIX);
}

static void
u16_list_holds_whole_pairs (void)
{
  struct bytes list;

  CHECK (!u16_list_read (TAP_STRING ("\0\0"), &list));
  CHECK (!u16_list_read (TAP_STRING ("\0\1a"), &list));
  CHECK (u16_list_read (TAP_STRING ("\0\2ab"), &list));
  CHECK (!u16_list_read (TAP_STRING ("\0\3abc"), &list));
  CHECK (u16_list_read (TAP_STRING ("\0\4abcd"), &list));
  CHECK_UINT (u16_list_len (list), 2);
}

/* The prefixes of lists and extensions have two bytes that count. */
static void
u16_list_may_be_longer_than_8_bits (void)
{
  uint16_t values[300];
  uint8_t out[1024];
  struct writer writer = writer_over (out, sizeof out);
  struct extensions found;
  struct bytes list;
  size_t body;

  for (uint16_t i = 0; i < TAP_N (values); i++)
    values[i] = i;
  body = extension_begin (&writer, EXT_SUPPORTED_GROUPS);
  u16_list_write (&writer, values, TAP_N (values));
  extension_end (&writer, body);

  CHECK_UINT (extensions_read (writer_bytes (&writer), IN_CLIENT_HELLO, &found), EXTENSIONS_OK);
  CHECK (u16_list_read (found.body[FOUND_SUPPORTED_GROUPS], &list));
  CHECK_UINT (u16_list_len (list), TAP_N (values));
  CHECK (u16_list_has (list, 299));
}

static void
u16_list_finds_values_on_pairs (void)
{
  struct bytes list;

  CHECK (u16_list_read (TAP_STRING ("\0\6\4\3\x08\7\4\1"), &list));
  CHECK_UINT (u16_list_at (list, 0), 0x0403);
  CHECK_UINT (u16_list_at (list, 1), 0x0807);
  CHECK_UINT (u16_list_at (list, 2), 0x0401);
  CHECK (u16_list_has (list, 0x0403));
  CHECK (u16_list_has (list, 0x0401));
  CHECK (!u16_list_has (list, 0x0308));
  CHECK (!u16_list_has ((struct bytes){ NULL, 0 }, 0));
}

static bool
rewrite_supported_versions (struct bytes body, struct writer *writer)
{
  uint16_t versions[8];
  struct bytes list;
  size_t n;

  if (!supported_versions_read (body, &list))
    return false;

  for (n = 0; n < u16_list_len (list) && n < TAP_N (versions); n++)
    versions[n] = u16_list_at (list, n);
  supported_versions_write (writer, versions, n);
  return true;
}

static void
supported_versions_is_a_codec (void)
{
  codec_check (rewrite_supported_versions, TAP_STRING ("\2\xfe\xfc"), CODEC_NO_PREFIX);
  codec_check (rewrite_supported_versions, TAP_STRING ("\4\xfe\xfc\xfe\xfd"), CODEC_NO_PREFIX);
}

static void
supported_versions_are_pairs (void)
{
  static const struct
  {
    const char *row;
    struct bytes body;
    bool expected;
  } rows[] = {
    { "one", TAP_STRING ("\2\xfe\xfd"), true },
    { "two", TAP_STRING ("\4\xfe\xfc\xfe\xfd"), true },
    { "none", TAP_STRING ("\0"), false },
    { "no length", { NULL, 0 }, false },
    { "half", TAP_STRING ("\1\xfe"), false },
    { "one and a half", TAP_STRING ("\3\xfe\xfd\xfe"), false },
    { "cut short", TAP_STRING ("\4\xfe\xfd"), false },
    { "a byte left over", TAP_STRING ("\2\xfe\xfd\0"), false },
    { "a ServerHello's", TAP_STRING ("\xfe\xfc"), false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct bytes list;

      tap_set_row (rows[i].row);
      if (CHECK_UINT (supported_versions_read (rows[i].body, &list), rows[i].expected)
          && rows[i].expected)
        CHECK (u16_list_has (list, VERSION_DTLS_1_2));
    }
}

static bool
rewrite_ec_point_formats (struct bytes body, struct writer *writer)
{
  bool has_uncompressed;

  if (!ec_point_formats_read (body, &has_uncompressed))
    return false;

  ec_point_formats_write (writer);
  return true;
}

static void
ec_point_formats_is_a_codec (void)
{
  codec_check (rewrite_ec_point_formats, TAP_STRING ("\1\0"), CODEC_NO_PREFIX);
}

static void
ec_point_formats_tells_of_uncompressed (void)
{
  bool has_uncompressed;

  CHECK (ec_point_formats_read (TAP_STRING ("\3\2\1\0"), &has_uncompressed));
  CHECK (has_uncompressed);
  CHECK (ec_point_formats_read (TAP_STRING ("\2\1\2"), &has_uncompressed));
  CHECK (!has_uncompressed);
  CHECK (!ec_point_formats_read (TAP_STRING ("\0"), &has_uncompressed));
}

static bool
rewrite_alpn (struct bytes body, struct writer *writer)
{
  struct bytes names;

  if (!alpn_read (body, &names))
    return false;

  alpn_write (writer, names);
  return true;
}

static void
alpn_is_a_codec (void)
{
  codec_check (rewrite_alpn,
               TAP_STRING ("\0\x0b\4coap\5"
                           "ab\0cd"),
               CODEC_NO_PREFIX);
}

static void
alpn_names_are_judged (void)
{
  static const struct
  {
    const char *row;
    struct bytes body;
    bool expected;
  } rows[] = {
    { "one name", TAP_STRING ("\0\2\1a"), true },
    { "two names", TAP_STRING ("\0\5\1a\2bc"), true },
    { "no body", { NULL, 0 }, false },
    { "no name", TAP_STRING ("\0\0"), false },
    { "an empty name", TAP_STRING ("\0\1\0"), false },
    { "an empty name after a good one", TAP_STRING ("\0\3\1a\0"), false },
    { "a name longer than the list", TAP_STRING ("\0\3\1a\1"), false },
    { "a name reaching out of the list", TAP_STRING ("\0\2\2ab"), false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct bytes names;

      tap_set_row (rows[i].row);
      CHECK_UINT (alpn_read (rows[i].body, &names), rows[i].expected);
    }
}

static void
alpn_next_gives_each_name_once (void)
{
  struct bytes names;
  struct bytes name;

  CHECK (alpn_read (TAP_STRING ("\0\x08\4coap\2h3"), &names));
  CHECK (alpn_next (&names, &name));
  CHECK_BYTES (name, TAP_STRING ("coap"));
  CHECK (alpn_next (&names, &name));
  CHECK_BYTES (name, TAP_STRING ("h3"));
  CHECK (!alpn_next (&names, &name));
}

static void
alpn_name_has_at_most_255_bytes (void)
{
  uint8_t names[1 + 255] = { 255 };

  memset (names + 1, 'a', 255);
  CHECK (alpn_is_well_formed (TAP_BYTES (names)));
  names[0] = 254;
  CHECK (!alpn_is_well_formed (TAP_BYTES (names)));
}

static bool
rewrite_record_size_limit (struct bytes body, struct writer *writer)
{
  uint16_t limit;

  if (!record_size_limit_read (body, &limit))
    return false;

  record_size_limit_write (writer, limit);
  return true;
}

static void
record_size_limit_is_a_codec (void)
{
  codec_check (rewrite_record_size_limit, TAP_STRING ("\x40\0"), CODEC_NO_PREFIX);
}

static void
record_size_limit_is_at_least_64 (void)
{
  uint16_t limit;

  CHECK (!record_size_limit_read (TAP_STRING ("\0\0"), &limit));
  CHECK (!record_size_limit_read (TAP_STRING ("\0\x3f"), &limit));
  CHECK (record_size_limit_read (TAP_STRING ("\0\x40"), &limit));
  CHECK_UINT (limit, 64);
  CHECK (record_size_limit_read (TAP_STRING ("\xff\xff"), &limit));
  CHECK_UINT (limit, 65535);
}

static bool
rewrite_renegotiation_info (struct bytes body, struct writer *writer)
{
  struct bytes verify_data;

  if (!renegotiation_info_read (body, &verify_data))
    return false;

  renegotiation_info_write (writer, verify_data);
  return true;
}

static void
renegotiation_info_is_a_codec (void)
{
  codec_check (rewrite_renegotiation_info, TAP_STRING ("\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_renegotiation_info,
               TAP_STRING ("\x0c"
                           "0123456789ab"),
               CODEC_NO_PREFIX);
}

static const struct tap_test tests[] = {
  { "/wire/extensions/block/is-judged", block_is_judged },
  { "/wire/extensions/block/gives-each-known-body", block_gives_each_known_body },
  { "/wire/extensions/block/keeps-to-the-places", block_keeps_to_the_places },
  { "/wire/extensions/block/tells-what-is-misplaced", block_tells_what_is_misplaced },
  { "/wire/extensions/block/tells-of-unknown-types", block_tells_of_unknown_types },
  { "/wire/extensions/block/of-64-kb-is-judged", block_of_64_kb_is_judged },
  { "/wire/extensions/encrypted-extensions/is-a-codec", encrypted_extensions_is_a_codec },
  { "/wire/extensions/server-name/is-a-codec", server_name_is_a_codec },
  { "/wire/extensions/server-name/is-judged", server_name_is_judged },
  { "/wire/extensions/server-name/has-at-most-255-bytes", server_name_has_at_most_255_bytes },
  { "/wire/extensions/server-name/of-other-types-only-is-empty",
    server_name_of_other_types_only_is_empty },
  { "/wire/extensions/u16-list/is-a-codec", u16_list_is_a_codec },
  { "/wire/extensions/u16-list/holds-whole-pairs", u16_list_holds_whole_pairs },
  { "/wire/extensions/u16-list/may-be-longer-than-8-bits", u16_list_may_be_longer_than_8_bits },
  { "/wire/extensions/u16-list/finds-values-on-pairs", u16_list_finds_values_on_pairs },
  { "/wire/extensions/supported-versions/is-a-codec", supported_versions_is_a_codec },
  { "/wire/extensions/supported-versions/are-pairs", supported_versions_are_pairs },
  { "/wire/extensions/ec-point-formats/is-a-codec", ec_point_formats_is_a_codec },
  { "/wire/extensions/ec-point-formats/tells-of-uncompressed",
    ec_point_formats_tells_of_uncompressed },
  { "/wire/extensions/alpn/is-a-codec", alpn_is_a_codec },
  { "/wire/extensions/alpn/names-are-judged", alpn_names_are_judged },
  { "/wire/extensions/alpn/next-gives-each-name-once", alpn_next_gives_each_name_once },
  { "/wire/extensions/alpn/name-has-at-most-255-bytes", alpn_name_has_at_most_255_bytes },
  { "/wire/extensions/record-size-limit/is-a-codec", record_size_limit_is_a_codec },
  { "/wire/extensions/record-size-limit/is-at-least-64", record_size_limit_is_at_least_64 },
  { "/wire/extensions/renegotiation-info/is-a-codec", renegotiation_info_is_a_codec },
};

TAP_MAIN (tests)
