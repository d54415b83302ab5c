/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The two key exchange messages of ECDHE. Whether a point lies on its curve is not known here. */

#include "wire/key_exchange.h"

/* RFC 8422 §5.4: ECCurveType; the explicit curves are gone. */
enum
{
  NAMED_CURVE = 3,
};

bool
server_key_exchange_read (struct bytes message, struct server_key_exchange *exchange)
{
  struct reader reader = reader_over (message);
  uint8_t curve_type;

  curve_type = read_u8 (&reader);
  exchange->group = read_u16 (&reader);
  exchange->point = read_vec (&reader, 1);
  exchange->params = (struct bytes){ message.at, message.left - reader.left };
  exchange->scheme = read_u16 (&reader);
  exchange->signature = read_vec (&reader, 2);

  return reader_done (&reader) && curve_type == NAMED_CURVE && exchange->point.left > 0;
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
