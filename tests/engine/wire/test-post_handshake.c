/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/post_handshake: RFC 5077 §3.3, RFC 9846 §4.7.1 and §4.7.3. */

#include "codec.h"
#include "wire/post_handshake.h"

static bool
rewrite_ticket_12 (struct bytes message, struct writer *writer)
{
  struct new_session_ticket_12 ticket;

  if (!new_session_ticket_12_read (message, &ticket))
    return false;

  new_session_ticket_12_write (writer, &ticket);
  return true;
}

static bool
rewrite_ticket_13 (struct bytes message, struct writer *writer)
{
  struct new_session_ticket_13 ticket;

  if (!new_session_ticket_13_read (message, &ticket))
    return false;

  new_session_ticket_13_write (writer, &ticket);
  return true;
}

static bool
rewrite_key_update (struct bytes message, struct writer *writer)
{
  enum key_update_request request;

  if (key_update_read (message, &request) != READ_OK)
    return false;

  key_update_write (writer, request);
  return true;
}

static void
ticket_12_is_a_codec (void)
{
  codec_check (rewrite_ticket_12, TAP_STRING ("\0\0\x1c\x20\0\6ticket"), CODEC_NO_PREFIX);
}

/* RFC 5077 §3.3: a server that promised a ticket may think better of it. */
static void
ticket_12_may_be_empty (void)
{
  codec_check (rewrite_ticket_12, TAP_STRING ("\0\0\0\0\0\0"), CODEC_NO_PREFIX);
}

static void
ticket_12_fields_stand_in_order (void)
{
  struct new_session_ticket_12 ticket;

  CHECK (new_session_ticket_12_read (TAP_STRING ("\1\2\3\4\0\6ticket"), &ticket));
  CHECK_UINT (ticket.lifetime_hint, 0x01020304);
  CHECK_BYTES (ticket.ticket, TAP_STRING ("ticket"));
}

static void
ticket_13_is_a_codec (void)
{
  codec_check (rewrite_ticket_13, TAP_STRING ("\0\x09\x3a\x80\1\2\3\4\0\0\1t\0\0"),
               CODEC_NO_PREFIX);
  codec_check (rewrite_ticket_13,
               TAP_STRING ("\0\x09\x3a\x80\1\2\3\4\2no\0\6ticket\0\x08\0\x2a\0\4\0\0\x40\0"),
               CODEC_NO_PREFIX);
}

static void
ticket_13_fields_stand_in_order (void)
{
  struct new_session_ticket_13 ticket;

  CHECK (
      new_session_ticket_13_read (TAP_STRING ("\1\2\3\4\5\6\7\x08\2no\0\6ticket\0\3xyz"), &ticket));
  CHECK_UINT (ticket.lifetime, 0x01020304);
  CHECK_UINT (ticket.age_add, 0x05060708);
  CHECK_BYTES (ticket.nonce, TAP_STRING ("no"));
  CHECK_BYTES (ticket.ticket, TAP_STRING ("ticket"));
  CHECK_BYTES (ticket.extensions, TAP_STRING ("xyz"));
}

static void
ticket_13_has_at_least_one_byte (void)
{
  struct new_session_ticket_13 ticket;

  CHECK (new_session_ticket_13_read (TAP_STRING ("\0\0\0\0\0\0\0\0\0\0\1t\0\0"), &ticket));
  CHECK (!new_session_ticket_13_read (TAP_STRING ("\0\0\0\0\0\0\0\0\0\0\0\0\0"), &ticket));
}

static void
ticket_13_nonce_has_0_to_255_bytes (void)
{
  static const uint8_t nonce[256];

  for (size_t len = 0; len <= sizeof nonce; len++)
    {
      struct new_session_ticket_13 ticket = { .nonce = { nonce, len }, .ticket = TAP_STRING ("t") };
      uint8_t out[512];
      struct writer writer = writer_over (out, sizeof out);

      new_session_ticket_13_write (&writer, &ticket);
      if (!CHECK_UINT (writer_ok (&writer), len <= 255) || !writer_ok (&writer))
        continue;
      CHECK (new_session_ticket_13_read (writer_bytes (&writer), &ticket));
      CHECK_UINT (ticket.nonce.left, len);
    }
}

static void
key_update_is_a_codec (void)
{
  codec_check (rewrite_key_update, TAP_STRING ("\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_key_update, TAP_STRING ("\1"), CODEC_NO_PREFIX);
}

static void
key_update_is_one_of_two (void)
{
  enum key_update_request request;

  for (unsigned value = 0; value <= UINT8_MAX; value++)
    {
      uint8_t message[2] = { (uint8_t) value, 0 };

      CHECK_UINT (key_update_read ((struct bytes){ message, 1 }, &request),
                  value <= 1 ? READ_OK : READ_ILLEGAL);
      CHECK_UINT (key_update_read (TAP_BYTES (message), &request), READ_MALFORMED);
    }
  CHECK_UINT (key_update_read ((struct bytes){ NULL, 0 }, &request), READ_MALFORMED);

  CHECK_UINT (key_update_read (TAP_STRING ("\0"), &request), READ_OK);
  CHECK_UINT (request, UPDATE_NOT_REQUESTED);
  CHECK_UINT (key_update_read (TAP_STRING ("\1"), &request), READ_OK);
  CHECK_UINT (request, UPDATE_REQUESTED);
}

static const struct tap_test tests[] = {
  { "/wire/post-handshake/ticket-12/is-a-codec", ticket_12_is_a_codec },
  { "/wire/post-handshake/ticket-12/may-be-empty", ticket_12_may_be_empty },
  { "/wire/post-handshake/ticket-12/fields-stand-in-order", ticket_12_fields_stand_in_order },
  { "/wire/post-handshake/ticket-13/is-a-codec", ticket_13_is_a_codec },
  { "/wire/post-handshake/ticket-13/fields-stand-in-order", ticket_13_fields_stand_in_order },
  { "/wire/post-handshake/ticket-13/has-at-least-one-byte", ticket_13_has_at_least_one_byte },
  { "/wire/post-handshake/ticket-13/nonce-has-0-to-255-bytes", ticket_13_nonce_has_0_to_255_bytes },
  { "/wire/post-handshake/key-update/is-a-codec", key_update_is_a_codec },
  { "/wire/post-handshake/key-update/is-one-of-two", key_update_is_one_of_two },
};

TAP_MAIN (tests)
