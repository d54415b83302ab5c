/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Tickets and key updates. What a ticket holds is not known here. */

#include "wire/post_handshake.h"

bool
new_session_ticket_12_read (struct bytes message, struct new_session_ticket_12 *ticket)
{
  struct reader reader = reader_over (message);

  ticket->lifetime_hint = read_u32 (&reader);
  ticket->ticket = read_vec (&reader, 2);

  return reader_done (&reader);
}

void
new_session_ticket_12_write (struct writer *writer, const struct new_session_ticket_12 *ticket)
{
  write_u32 (writer, ticket->lifetime_hint);
  write_vec (writer, ticket->ticket, 2);
}

bool
new_session_ticket_13_read (struct bytes message, struct new_session_ticket_13 *ticket)
{
  struct reader reader = reader_over (message);

  ticket->lifetime = read_u32 (&reader);
  ticket->age_add = read_u32 (&reader);
  ticket->nonce = read_vec (&reader, 1);
  ticket->ticket = read_vec (&reader, 2);
  ticket->extensions = read_vec (&reader, 2);

  return reader_done (&reader) && ticket->ticket.left > 0;
}

void
new_session_ticket_13_write (struct writer *writer, const struct new_session_ticket_13 *ticket)
{
  write_u32 (writer, ticket->lifetime);
  write_u32 (writer, ticket->age_add);
  write_vec (writer, ticket->nonce, 1);
  write_vec (writer, ticket->ticket, 2);
  write_vec (writer, ticket->extensions, 2);
}

enum read_result
key_update_read (struct bytes message, enum key_update_request *out_request)
{
  struct reader reader = reader_over (message);
  uint8_t request = read_u8 (&reader);

  if (!reader_done (&reader))
    return READ_MALFORMED;
  if (request != UPDATE_NOT_REQUESTED && request != UPDATE_REQUESTED)
    return READ_ILLEGAL;

  *out_request = (enum key_update_request) request;
  return READ_OK;
}

void
key_update_write (struct writer *writer, enum key_update_request request)
{
  write_u8 (writer, (uint8_t) request);
}
