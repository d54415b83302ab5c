/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The two key exchange messages. Whether a point lies on its curve is not known here. */

#include "wire/key_exchange.h"

/* RFC 8422 §5.4: ECCurveType; the explicit curves are gone. */
enum
{
  NAMED_CURVE = 3,
};

/* ServerECDHParams. */
static void
read_ecdh_params (struct reader *reader, uint16_t *out_group, struct bytes *out_point)
{
  uint8_t curve_type = read_u8 (reader);

  *out_group = read_u16 (reader);
  *out_point = read_vec (reader, 1);
  if (curve_type != NAMED_CURVE || out_point->left == 0)
    reader_fail (reader);
}

bool
server_key_exchange_read (struct bytes message, struct server_key_exchange *exchange)
{
  struct reader reader = reader_over (message);

  read_ecdh_params (&reader, &exchange->group, &exchange->point);
  exchange->params = (struct bytes){ message.at, message.left - reader.left };
  exchange->scheme = read_u16 (&reader);
  exchange->signature = read_vec (&reader, 2);

  return reader_done (&reader);
}

void
server_ecdh_params_write (struct writer *writer, uint16_t group, struct bytes point)
{
  write_u8 (writer, NAMED_CURVE);
  write_u16 (writer, group);
  write_vec (writer, point, 1);
}

void
server_key_exchange_write (struct writer *writer, const struct server_key_exchange *exchange)
{
  write_bytes (writer, exchange->params.at, exchange->params.left);
  write_u16 (writer, exchange->scheme);
  write_vec (writer, exchange->signature, 2);
}

/* RFC 8422 §5.7: the implicit encoding of static ECDH certificates is gone, so the point is
 * there. */
bool
client_key_exchange_read (struct bytes message, struct bytes *out_point)
{
  struct reader reader = reader_over (message);

  *out_point = read_vec (&reader, 1);

  return reader_done (&reader) && out_point->left > 0;
}

void
client_key_exchange_write (struct writer *writer, struct bytes point)
{
  write_vec (writer, point, 1);
}

/* A message of one vector with a two-byte length. */
static bool
read_one (struct bytes message, struct bytes *out)
{
  struct reader reader = reader_over (message);

  *out = read_vec (&reader, 2);

  return reader_done (&reader);
}

bool
psk_hint_read (struct bytes message, struct bytes *out_hint)
{
  return read_one (message, out_hint);
}

void
psk_hint_write (struct writer *writer, struct bytes hint)
{
  write_vec (writer, hint, 2);
}

bool
psk_identity_read (struct bytes message, struct bytes *out_identity)
{
  return read_one (message, out_identity);
}

void
psk_identity_write (struct writer *writer, struct bytes identity)
{
  write_vec (writer, identity, 2);
}

bool
server_psk_exchange_read (struct bytes message, struct server_psk_exchange *exchange)
{
  struct reader reader = reader_over (message);

  exchange->hint = read_vec (&reader, 2);
  read_ecdh_params (&reader, &exchange->group, &exchange->point);

  return reader_done (&reader);
}

void
server_psk_exchange_write (struct writer *writer, const struct server_psk_exchange *exchange)
{
  write_vec (writer, exchange->hint, 2);
  server_ecdh_params_write (writer, exchange->group, exchange->point);
}

bool
client_psk_exchange_read (struct bytes message, struct client_psk_exchange *exchange)
{
  struct reader reader = reader_over (message);

  exchange->identity = read_vec (&reader, 2);
  exchange->point = read_vec (&reader, 1);

  return reader_done (&reader) && exchange->point.left > 0;
}

void
client_psk_exchange_write (struct writer *writer, const struct client_psk_exchange *exchange)
{
  write_vec (writer, exchange->identity, 2);
  write_vec (writer, exchange->point, 1);
}
