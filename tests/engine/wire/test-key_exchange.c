/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/key_exchange: RFC 8422 §5.4 and §5.7, RFC 4279 §2, RFC 5489 §2. */

#include "codec.h"
#include "wire/key_exchange.h"

static bool
rewrite_server (struct bytes message, struct writer *writer)
{
  struct server_key_exchange exchange;

  if (!server_key_exchange_read (message, &exchange))
    return false;

  server_key_exchange_write (writer, &exchange);
  return true;
}

static bool
rewrite_client (struct bytes message, struct writer *writer)
{
  struct bytes point;

  if (!client_key_exchange_read (message, &point))
    return false;

  client_key_exchange_write (writer, point);
  return true;
}

static void
server_is_a_codec (void)
{
  codec_check (rewrite_server, TAP_STRING ("\3\0\x1d\5point\4\3\0\3sig"), CODEC_NO_PREFIX);
}

static void
server_fields_stand_in_order (void)
{
  struct server_key_exchange exchange;

  CHECK (server_key_exchange_read (TAP_STRING ("\3\0\x1d\5point\4\3\0\3sig"), &exchange));
  CHECK_UINT (exchange.group, GROUP_X25519);
  CHECK_BYTES (exchange.point, TAP_STRING ("point"));
  CHECK_BYTES (exchange.params, TAP_STRING ("\3\0\x1d\5point"));
  CHECK_UINT (exchange.scheme, SIG_ECDSA_SECP256R1_SHA256);
  CHECK_BYTES (exchange.signature, TAP_STRING ("sig"));
}

static void
server_curve_is_named (void)
{
  uint8_t message[] = { 3, 0, 29, 1, 'p', 4, 3, 0, 1, 's' };
  struct server_key_exchange exchange;

  for (unsigned curve_type = 0; curve_type <= UINT8_MAX; curve_type++)
    {
      message[0] = (uint8_t) curve_type;
      CHECK_UINT (server_key_exchange_read (TAP_BYTES (message), &exchange), curve_type == 3);
    }
}

static void
server_point_has_1_to_255_bytes (void)
{
  static const uint8_t point[256];

  for (size_t len = 0; len <= sizeof point; len++)
    {
      uint8_t params[512];
      uint8_t message[512];
      struct writer params_writer = writer_over (params, sizeof params);
      struct writer writer = writer_over (message, sizeof message);
      struct server_key_exchange exchange = { .scheme = SIG_ED25519 };

      server_ecdh_params_write (&params_writer, GROUP_SECP384R1, (struct bytes){ point, len });
      CHECK_UINT (writer_ok (&params_writer), len <= 255);
      exchange.params = writer_bytes (&params_writer);
      server_key_exchange_write (&writer, &exchange);
      CHECK_UINT (server_key_exchange_read (writer_bytes (&writer), &exchange),
                  len >= 1 && len <= 255);
    }
}

static void
server_params_are_what_is_signed (void)
{
  uint8_t out[16];
  struct writer writer = writer_over (out, sizeof out);

  server_ecdh_params_write (&writer, GROUP_X25519, TAP_STRING ("point"));
  CHECK_BYTES (writer_bytes (&writer), TAP_STRING ("\3\0\x1d\5point"));
}

static void
client_is_a_codec (void)
{
  codec_check (rewrite_client, TAP_STRING ("\5point"), CODEC_NO_PREFIX);
}

static void
client_point_has_1_to_255_bytes (void)
{
  static const uint8_t point[256];

  for (size_t len = 0; len <= sizeof point; len++)
    {
      uint8_t out[512];
      struct writer writer = writer_over (out, sizeof out);
      struct bytes got;

      client_key_exchange_write (&writer, (struct bytes){ point, len });
      CHECK_UINT (client_key_exchange_read (writer_bytes (&writer), &got), len >= 1 && len <= 255);
    }
}

/* ---------------------------------------------------------------------------------- pre-shared keys */

static bool
rewrite_hint (struct bytes message, struct writer *writer)
{
  struct bytes hint;

  if (!psk_hint_read (message, &hint))
    return false;

  psk_hint_write (writer, hint);
  return true;
}

static bool
rewrite_identity (struct bytes message, struct writer *writer)
{
  struct bytes identity;

  if (!psk_identity_read (message, &identity))
    return false;

  psk_identity_write (writer, identity);
  return true;
}

static bool
rewrite_server_psk (struct bytes message, struct writer *writer)
{
  struct server_psk_exchange exchange;

  if (!server_psk_exchange_read (message, &exchange))
    return false;

  server_psk_exchange_write (writer, &exchange);
  return true;
}

static bool
rewrite_client_psk (struct bytes message, struct writer *writer)
{
  struct client_psk_exchange exchange;

  if (!client_psk_exchange_read (message, &exchange))
    return false;

  client_psk_exchange_write (writer, &exchange);
  return true;
}

static void
psk_messages_are_codecs (void)
{
  codec_check (rewrite_hint, TAP_STRING ("\0\4hint"), CODEC_NO_PREFIX);
  codec_check (rewrite_hint, TAP_STRING ("\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_identity, TAP_STRING ("\0\2me"), CODEC_NO_PREFIX);
  codec_check (rewrite_identity, TAP_STRING ("\0\0"), CODEC_NO_PREFIX);
  codec_check (rewrite_server_psk, TAP_STRING ("\0\4hint\3\0\x1d\5point"), CODEC_NO_PREFIX);
  codec_check (rewrite_server_psk, TAP_STRING ("\0\0\3\0\x1d\5point"), CODEC_NO_PREFIX);
  codec_check (rewrite_client_psk, TAP_STRING ("\0\2me\5point"), CODEC_NO_PREFIX);
  codec_check (rewrite_client_psk, TAP_STRING ("\0\0\5point"), CODEC_NO_PREFIX);
}

static void
psk_fields_stand_in_order (void)
{
  struct server_psk_exchange server;
  struct client_psk_exchange client;

  CHECK (server_psk_exchange_read (TAP_STRING ("\0\4hint\3\0\x1d\5point"), &server));
  CHECK_BYTES (server.hint, TAP_STRING ("hint"));
  CHECK_UINT (server.group, GROUP_X25519);
  CHECK_BYTES (server.point, TAP_STRING ("point"));
  CHECK (client_psk_exchange_read (TAP_STRING ("\0\2me\5point"), &client));
  CHECK_BYTES (client.identity, TAP_STRING ("me"));
  CHECK_BYTES (client.point, TAP_STRING ("point"));
}

static void
psk_points_are_there_and_their_curve_is_named (void)
{
  struct server_psk_exchange server;
  struct client_psk_exchange client;

  CHECK (!server_psk_exchange_read (TAP_STRING ("\0\0\3\0\x1d\0"), &server));
  CHECK (!server_psk_exchange_read (TAP_STRING ("\0\0\1\0\x1d\1p"), &server));
  CHECK (!client_psk_exchange_read (TAP_STRING ("\0\2me\0"), &client));
}

static const struct tap_test tests[] = {
  { "/wire/key-exchange/server/is-a-codec", server_is_a_codec },
  { "/wire/key-exchange/server/fields-stand-in-order", server_fields_stand_in_order },
  { "/wire/key-exchange/server/curve-is-named", server_curve_is_named },
  { "/wire/key-exchange/server/point-has-1-to-255-bytes", server_point_has_1_to_255_bytes },
  { "/wire/key-exchange/server/params-are-what-is-signed", server_params_are_what_is_signed },
  { "/wire/key-exchange/client/is-a-codec", client_is_a_codec },
  { "/wire/key-exchange/client/point-has-1-to-255-bytes", client_point_has_1_to_255_bytes },
  { "/wire/key-exchange/psk/messages-are-codecs", psk_messages_are_codecs },
  { "/wire/key-exchange/psk/fields-stand-in-order", psk_fields_stand_in_order },
  { "/wire/key-exchange/psk/points-are-there-and-their-curve-is-named",
    psk_points_are_there_and_their_curve_is_named },
};

TAP_MAIN (tests)
