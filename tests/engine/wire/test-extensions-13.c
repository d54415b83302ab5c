/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/extensions: the bodies that 1.3 brought, RFC 9846 §4.3, and use_srtp, RFC 5764 §4.1.1. */

#include "codec.h"
#include "wire/extensions.h"

static bool
rewrite_selected (struct bytes body, struct writer *writer)
{
  uint16_t selected;

  if (!selected_read (body, &selected))
    return false;

  selected_write (writer, selected);
  return true;
}

static void
selected_is_a_codec (void)
{
  uint16_t selected;

  codec_check (rewrite_selected, TAP_STRING ("\xfe\xfc"), CODEC_NO_PREFIX);
  CHECK (selected_read (TAP_STRING ("\xfe\xfc"), &selected));
  CHECK_UINT (selected, VERSION_DTLS_1_3);
}

static bool
rewrite_cookie (struct bytes body, struct writer *writer)
{
  struct bytes cookie;

  if (!cookie_read (body, &cookie))
    return false;

  cookie_write (writer, cookie);
  return true;
}

static void
cookie_is_a_codec (void)
{
  codec_check (rewrite_cookie, TAP_STRING ("\0\1c"), CODEC_NO_PREFIX);
  codec_check (rewrite_cookie, TAP_STRING ("\0\6cookie"), CODEC_NO_PREFIX);
}

static void
cookie_has_at_least_one_byte (void)
{
  struct bytes cookie;

  CHECK (!cookie_read (TAP_STRING ("\0\0"), &cookie));
  CHECK (cookie_read (TAP_STRING ("\0\1c"), &cookie));
  CHECK_BYTES (cookie, TAP_STRING ("c"));
}

static void
cookie_may_be_longer_than_8_bits (void)
{
  static const uint8_t large[UINT16_MAX];
  static uint8_t out[2 + sizeof large];
  struct writer writer = writer_over (out, sizeof out);
  struct bytes cookie;

  cookie_write (&writer, TAP_BYTES (large));
  CHECK (cookie_read (writer_bytes (&writer), &cookie));
  CHECK_UINT (cookie.left, sizeof large);
}

static bool
rewrite_modes (struct bytes body, struct writer *writer)
{
  struct bytes modes;

  if (!psk_key_exchange_modes_read (body, &modes))
    return false;

  psk_key_exchange_modes_write (writer, modes);
  return true;
}

static void
modes_is_a_codec (void)
{
  codec_check (rewrite_modes, TAP_STRING ("\1\1"), CODEC_NO_PREFIX);
  codec_check (rewrite_modes, TAP_STRING ("\3\1\0\x0b"), CODEC_NO_PREFIX);
}

static void
modes_are_at_least_one (void)
{
  struct bytes modes;

  CHECK (!psk_key_exchange_modes_read (TAP_STRING ("\0"), &modes));
  CHECK (psk_key_exchange_modes_read (TAP_STRING ("\2\x0b\1"), &modes));
  CHECK (bytes_have (modes, PSK_DHE_KE));
  CHECK (!bytes_have (modes, PSK_KE));
}

static bool
rewrite_max_early_data_size (struct bytes body, struct writer *writer)
{
  uint32_t size;

  if (!max_early_data_size_read (body, &size))
    return false;

  max_early_data_size_write (writer, size);
  return true;
}

static void
max_early_data_size_is_a_codec (void)
{
  uint32_t size;

  codec_check (rewrite_max_early_data_size, TAP_STRING ("\0\0\x40\0"), CODEC_NO_PREFIX);
  CHECK (max_early_data_size_read (TAP_STRING ("\1\2\3\4"), &size));
  CHECK_UINT (size, 0x01020304);
}

static bool
rewrite_use_srtp (struct bytes body, struct writer *writer)
{
  struct use_srtp srtp;

  if (!use_srtp_read (body, &srtp))
    return false;

  use_srtp_write (writer, &srtp);
  return true;
}

static void
use_srtp_is_a_codec (void)
{
  codec_check (rewrite_use_srtp, TAP_STRING ("\0\2\0\7\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_use_srtp, TAP_STRING ("\0\4\0\7\0\1\3mki"), CODEC_NO_PREFIX);
}

static void
use_srtp_is_judged (void)
{
  static const struct
  {
    const char *row;
    struct bytes body;
    bool expected;
  } rows[] = {
    { "one profile", TAP_STRING ("\0\2\0\7\0"), true },
    { "two profiles", TAP_STRING ("\0\4\0\7\0\1\0"), true },
    { "with an MKI", TAP_STRING ("\0\2\0\7\1m"), true },
    { "no body", { NULL, 0 }, false },
    { "no profile", TAP_STRING ("\0\0\0"), false },
    { "half a profile", TAP_STRING ("\0\1\0\0"), false },
    { "a profile and a half", TAP_STRING ("\0\3\0\7\0\0"), false },
    { "no MKI's length", TAP_STRING ("\0\2\0\7"), false },
    { "an MKI cut short", TAP_STRING ("\0\2\0\7\2m"), false },
    { "a byte left over", TAP_STRING ("\0\2\0\7\0m"), false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct use_srtp srtp;

      tap_set_row (rows[i].row);
      if (CHECK_UINT (use_srtp_read (rows[i].body, &srtp), rows[i].expected) && rows[i].expected)
        CHECK_UINT (u16_list_at (srtp.profiles, 0), 7);
    }
}

static void
use_srtp_mki_has_0_to_255_bytes (void)
{
  static const uint8_t mki[256];

  for (size_t len = 0; len <= sizeof mki; len++)
    {
      struct use_srtp srtp = { TAP_STRING ("\0\7"), { mki, len } };
      uint8_t out[512];
      struct writer writer = writer_over (out, sizeof out);

      use_srtp_write (&writer, &srtp);
      if (!CHECK_UINT (writer_ok (&writer), len <= 255) || !writer_ok (&writer))
        continue;
      CHECK (use_srtp_read (writer_bytes (&writer), &srtp));
      CHECK_UINT (srtp.mki.left, len);
    }
}

static const struct tap_test tests[] = {
  { "/wire/extensions/selected/is-a-codec", selected_is_a_codec },
  { "/wire/extensions/cookie/is-a-codec", cookie_is_a_codec },
  { "/wire/extensions/cookie/has-at-least-one-byte", cookie_has_at_least_one_byte },
  { "/wire/extensions/cookie/may-be-longer-than-8-bits", cookie_may_be_longer_than_8_bits },
  { "/wire/extensions/psk-key-exchange-modes/is-a-codec", modes_is_a_codec },
  { "/wire/extensions/psk-key-exchange-modes/are-at-least-one", modes_are_at_least_one },
  { "/wire/extensions/max-early-data-size/is-a-codec", max_early_data_size_is_a_codec },
  { "/wire/extensions/use-srtp/is-a-codec", use_srtp_is_a_codec },
  { "/wire/extensions/use-srtp/is-judged", use_srtp_is_judged },
  { "/wire/extensions/use-srtp/mki-has-0-to-255-bytes", use_srtp_mki_has_0_to_255_bytes },
};

TAP_MAIN (tests)
