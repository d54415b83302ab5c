/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/key_share: RFC 9846 §4.3.8. */

#include "codec.h"
#include "wire/codepoints.h"
#include "wire/key_share.h"

enum
{
  MAX_SHARES = 8,
};

static bool
rewrite_client_shares (struct bytes body, struct writer *writer)
{
  struct key_share_entry got[MAX_SHARES];
  struct bytes shares;
  size_t n = 0;

  if (client_shares_read (body, &shares) != READ_OK)
    return false;

  while (n < MAX_SHARES && client_share_next (&shares, &got[n]))
    n++;
  CHECK_UINT (shares.left, 0);

  client_shares_write (writer, got, n);
  return true;
}

static bool
rewrite_server_share (struct bytes body, struct writer *writer)
{
  struct key_share_entry share;

  if (!server_share_read (body, &share))
    return false;

  server_share_write (writer, &share);
  return true;
}

static void
client_is_a_codec (void)
{
  codec_check (rewrite_client_shares, TAP_STRING ("\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_client_shares, TAP_STRING ("\0\x09\0\x1d\0\5point"), CODEC_NO_PREFIX);
  codec_check (rewrite_client_shares, TAP_STRING ("\0\x10\x11\xec\0\3kem\0\x1d\0\5point"),
               CODEC_NO_PREFIX);
}

static void
client_list_is_judged (void)
{
  static const struct
  {
    const char *row;
    struct bytes body;
    enum read_result expected;
  } rows[] = {
    { "none", TAP_STRING ("\0\0"), READ_OK },
    { "one", TAP_STRING ("\0\5\0\x1d\0\1a"), READ_OK },
    { "two groups", TAP_STRING ("\0\x0a\0\x1d\0\1a\0\x17\0\1b"), READ_OK },
    { "two groups, one bit apart", TAP_STRING ("\0\x0a\0\x1d\0\1a\0\x1c\0\1b"), READ_OK },
    { "a group twice", TAP_STRING ("\0\x0a\0\x1d\0\1a\0\x1d\0\1a"), READ_ILLEGAL },
    { "a group twice, the shares differing", TAP_STRING ("\0\x0b\0\x1d\0\1a\0\x1d\0\2bc"),
      READ_ILLEGAL },
    { "a group twice, apart", TAP_STRING ("\0\x0f\0\x1d\0\1a\0\x17\0\1b\0\x1d\0\1c"),
      READ_ILLEGAL },
    { "an unknown group twice", TAP_STRING ("\0\x0a\x0a\x0a\0\1a\x0a\x0a\0\1b"), READ_ILLEGAL },
    { "a group twice, then one cut short", TAP_STRING ("\0\x0f\0\x1d\0\1a\0\x1d\0\1b\0\x17\0\2c"),
      READ_MALFORMED },
    { "no body", { NULL, 0 }, READ_MALFORMED },
    { "an empty share", TAP_STRING ("\0\4\0\x1d\0\0"), READ_MALFORMED },
    { "an empty share after a good one", TAP_STRING ("\0\x09\0\x17\0\1a\0\x1d\0\0"),
      READ_MALFORMED },
    { "a share longer than the list", TAP_STRING ("\0\5\0\x1d\0\2a"), READ_MALFORMED },
    { "a share reaching out of the list", TAP_STRING ("\0\5\0\x1d\0\2ab"), READ_MALFORMED },
    { "half a group", TAP_STRING ("\0\1\0"), READ_MALFORMED },
    { "half a length", TAP_STRING ("\0\3\0\x1d\0"), READ_MALFORMED },
    { "half a group after a good one", TAP_STRING ("\0\6\0\x1d\0\1a\0"), READ_MALFORMED },
    { "a byte left over", TAP_STRING ("\0\5\0\x1d\0\1ab"), READ_MALFORMED },
    { "a ServerHello's", TAP_STRING ("\0\x1d\0\1a"), READ_MALFORMED },
    { "a HelloRetryRequest's", TAP_STRING ("\0\x1d"), READ_MALFORMED },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct bytes shares;

      tap_set_row (rows[i].row);
      CHECK_UINT (client_shares_read (rows[i].body, &shares), rows[i].expected);
    }
}

static void
client_next_gives_each_once (void)
{
  struct key_share_entry share;
  struct bytes shares;

  CHECK_UINT (client_shares_read (TAP_STRING ("\0\x10\x11\xec\0\3kem\0\x1d\0\5point"), &shares),
              READ_OK);
  CHECK (client_share_next (&shares, &share));
  CHECK_UINT (share.group, GROUP_X25519MLKEM768);
  CHECK_BYTES (share.key_exchange, TAP_STRING ("kem"));
  CHECK (client_share_next (&shares, &share));
  CHECK_UINT (share.group, GROUP_X25519);
  CHECK_BYTES (share.key_exchange, TAP_STRING ("point"));
  CHECK (!client_share_next (&shares, &share));
  CHECK (!client_share_next (&shares, &share));
}

/* As many as fit: each group once is fine, and the first of them again at the end is seen. */
static void
client_list_of_64_kb_is_judged (void)
{
  static struct key_share_entry shares[UINT16_MAX / 5];
  static uint8_t out[2 + UINT16_MAX];
  struct writer writer = writer_over (out, sizeof out);
  struct bytes list;

  for (size_t i = 0; i < TAP_N (shares); i++)
    shares[i] = (struct key_share_entry){ (uint16_t) i, TAP_STRING ("k") };
  client_shares_write (&writer, shares, TAP_N (shares));
  CHECK_UINT (writer_bytes (&writer).left, sizeof out);
  CHECK_UINT (client_shares_read (writer_bytes (&writer), &list), READ_OK);

  writer = writer_over (out, sizeof out);
  shares[TAP_N (shares) - 1].group = 0;
  client_shares_write (&writer, shares, TAP_N (shares));
  CHECK_UINT (client_shares_read (writer_bytes (&writer), &list), READ_ILLEGAL);
}

static void
server_is_a_codec (void)
{
  codec_check (rewrite_server_share, TAP_STRING ("\0\x1d\0\5point"), CODEC_NO_PREFIX);
}

static void
server_share_is_one_and_not_empty (void)
{
  struct key_share_entry share;

  CHECK (server_share_read (TAP_STRING ("\x11\xec\0\3kem"), &share));
  CHECK_UINT (share.group, GROUP_X25519MLKEM768);
  CHECK_BYTES (share.key_exchange, TAP_STRING ("kem"));
  CHECK (!server_share_read (TAP_STRING ("\0\x1d\0\0"), &share));
  CHECK (!server_share_read (TAP_STRING ("\0\x1d\0\1a\0\x17\0\1b"), &share));
}

/* The one of X25519MLKEM768: ML-KEM-768 makes 1088 bytes of ciphertext, X25519 32. */
static void
server_share_may_be_longer_than_8_bits (void)
{
  static const uint8_t ciphertext[1120];
  struct key_share_entry share = { GROUP_X25519MLKEM768, TAP_BYTES (ciphertext) };
  uint8_t out[1200];
  struct writer writer = writer_over (out, sizeof out);

  server_share_write (&writer, &share);
  CHECK (server_share_read (writer_bytes (&writer), &share));
  CHECK_UINT (share.key_exchange.left, sizeof ciphertext);
}

static const struct tap_test tests[] = {
  { "/wire/key-share/client/is-a-codec", client_is_a_codec },
  { "/wire/key-share/client/list-is-judged", client_list_is_judged },
  { "/wire/key-share/client/next-gives-each-once", client_next_gives_each_once },
  { "/wire/key-share/client/list-of-64-kb-is-judged", client_list_of_64_kb_is_judged },
  { "/wire/key-share/server/is-a-codec", server_is_a_codec },
  { "/wire/key-share/server/is-one-and-not-empty", server_share_is_one_and_not_empty },
  { "/wire/key-share/server/may-be-longer-than-8-bits", server_share_may_be_longer_than_8_bits },
};

TAP_MAIN (tests)
