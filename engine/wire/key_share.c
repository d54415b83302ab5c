/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Key shares, a client's list of them and a server's one. */

#include "wire/key_share.h"

#include "wire/u16_set.h"

static bool
read_entry (struct reader *reader, struct key_share_entry *entry)
{
  entry->group = read_u16 (reader);
  entry->key_exchange = read_vec (reader, 2);

  return reader_ok (reader) && entry->key_exchange.left > 0;
}

static void
write_entry (struct writer *writer, const struct key_share_entry *entry)
{
  write_u16 (writer, entry->group);
  write_vec (writer, entry->key_exchange, 2);
}

bool
client_share_next (struct bytes *shares, struct key_share_entry *out_share)
{
  struct reader reader = reader_over (*shares);

  if (!read_entry (&reader, out_share))
    return false;

  *shares = read_rest (&reader);
  return true;
}

enum read_result
client_shares_read (struct bytes body, struct bytes *out_shares)
{
  struct reader reader = reader_over (body);
  struct u16_set groups = { { 0 } };
  struct key_share_entry share;
  bool has_twice = false;
  struct bytes rest;

  *out_shares = read_vec (&reader, 2);
  if (!reader_done (&reader))
    return READ_MALFORMED;

  /* RFC 9846 §4.3.8: "Clients MUST NOT offer multiple KeyShareEntry values for the same group." */
  rest = *out_shares;
  while (client_share_next (&rest, &share))
    if (!u16_set_add (&groups, share.group))
      has_twice = true;
  if (rest.left > 0)
    return READ_MALFORMED;

  return has_twice ? READ_ILLEGAL : READ_OK;
}

void
client_shares_write (struct writer *writer, const struct key_share_entry *shares, size_t n)
{
  size_t list = write_vec_begin (writer, 2);

  for (size_t i = 0; i < n; i++)
    write_entry (writer, &shares[i]);
  write_vec_end (writer, list, 2);
}

bool
server_share_read (struct bytes body, struct key_share_entry *out_share)
{
  struct reader reader = reader_over (body);

  return read_entry (&reader, out_share) && reader_done (&reader);
}

void
server_share_write (struct writer *writer, const struct key_share_entry *share)
{
  write_entry (writer, share);
}
