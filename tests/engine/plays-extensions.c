/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Plays on the extensions of a message. */

#include "mischief.h"

#include "handshake/psk_offer.h"
#include "wire/certificates.h"
#include "wire/extensions.h"
#include "wire/hello.h"
#include "wire/post_handshake.h"
#include "wire/pre_shared_key.h"

#include <stdlib.h>

enum change
{
  ADDS,
  ADDS_FIRST,
  REPLACES,
  REMOVES,
};

static void
write_extension (struct writer *w, uint16_t type, struct bytes content)
{
  size_t body = extension_begin (w, type);

  write_bytes (w, content.at, content.left);
  extension_end (w, body);
}

/* The block with one extension changed. */
static void
write_block (struct writer *w, struct bytes block, enum change change,
             const struct mischief *mischief)
{
  struct reader reader = reader_over (block);

  if (change == ADDS_FIRST)
    write_extension (w, (uint16_t) mischief->number, mischief->bytes);
  while (reader.left > 0)
    {
      uint16_t type = read_u16 (&reader);
      struct bytes old = read_vec (&reader, 2);

      if (type == mischief->number && change == REMOVES)
        continue;
      write_extension (w, type,
                       type == mischief->number && change == REPLACES ? mischief->bytes : old);
    }

  if (change == ADDS)
    write_extension (w, (uint16_t) mischief->number, mischief->bytes);
}

/* Each of these messages ends with its extensions. */
static struct bytes
find_block (const struct piece *piece)
{
  struct bytes message = { piece->body, piece->len };
  struct certificate_request_13 request;
  struct new_session_ticket_13 ticket;
  struct client_hello client;
  struct server_hello server;
  struct bytes block;

  if (piece->type == CLIENT_HELLO && client_hello_read (message, &client))
    return client.extensions;
  if (piece->type == SERVER_HELLO && server_hello_read (message, &server))
    return server.extensions;
  if (piece->type == ENCRYPTED_EXTENSIONS && encrypted_extensions_read (message, &block))
    return block;
  if (piece->type == CERTIFICATE_REQUEST && certificate_request_13_read (message, &request))
    return request.extensions;
  if (piece->type == NEW_SESSION_TICKET && new_session_ticket_13_read (message, &ticket))
    return ticket.extensions;

  abort ();
}

void
puppet_bind (struct puppet *puppet, struct piece *piece)
{
  struct writer w = { .at = piece->body, .used = piece->len, .capacity = piece->len };
  struct offered_psks psks;
  struct client_hello hello;
  struct extensions found;

  if (piece->type != CLIENT_HELLO
      || !client_hello_read ((struct bytes){ piece->body, piece->len }, &hello)
      || extensions_read (hello.extensions, IN_CLIENT_HELLO, &found) != EXTENSIONS_OK
      || !found.has[FOUND_PRE_SHARED_KEY]
      || offered_psks_read (found.body[FOUND_PRE_SHARED_KEY], &psks) != READ_OK)
    return;

  puppet_rebuild_transcript (puppet, 0);
  if (psk_offers_bind (puppet->handshake, &w, piece->len - psks.binders_len) != DTLS_OK)
    abort ();
  puppet_rebuild_transcript (puppet, puppet->n_pieces);
}

static void
change_block (struct puppet *puppet, struct piece *piece, enum change change,
              const struct mischief *mischief)
{
  uint8_t memory[4096];
  struct writer w = writer_over (memory, sizeof memory);
  struct bytes old = find_block (piece);
  size_t block;

  write_bytes (&w, piece->body, piece->len - 2 - old.left);
  block = extension_block_begin (&w);
  write_block (&w, old, change, mischief);
  extension_block_end (&w, block);
  if (!writer_ok (&w))
    abort ();
  piece_set_body (piece, writer_bytes (&w));
  if (mischief->number != EXT_PRE_SHARED_KEY)
    puppet_bind (puppet, piece);
}

void
play_extension (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  change_block (puppet, &puppet->pieces[at], ADDS, mischief);
}

void
play_first_extension (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  change_block (puppet, &puppet->pieces[at], ADDS_FIRST, mischief);
}

void
play_no_extension (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  change_block (puppet, &puppet->pieces[at], REMOVES, mischief);
}

void
play_other_extension (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  change_block (puppet, &puppet->pieces[at], REPLACES, mischief);
}
