/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A puppet's records, out and in, and the keys that they are sealed with. */

#include "puppet-records.h"

#include "record/seal.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *
new_datagram (void)
{
  uint8_t *memory = malloc (MAX_DATAGRAM);

  if (memory == NULL)
    abort ();
  return memory;
}

/* ---------------------------------------------------------------------------------- sending */

static void
put_content (struct puppet *puppet, const struct piece *piece, struct bytes content)
{
  uint8_t *memory = new_datagram ();
  struct dtls_buffer out = { memory, MAX_DATAGRAM, 0 };
  struct seal_input input = { piece->content_type, VERSION_DTLS_1_2, &content, 1 };

  if (record_seal (&puppet->sealed[piece->epoch], &input, &out) != DTLS_OK)
    abort ();
  if (piece->announced_epoch != 0)
    memory[4] = (uint8_t) piece->announced_epoch;
  pair_put (puppet->pair, puppet->role, (struct bytes){ memory, out.used });
  free (memory);
}

/* Appends the piece's content as it stands in a record. */
static void
write_piece (struct writer *w, const struct piece *piece)
{
  struct fragment whole = {
    .type = piece->type,
    .message_len = (uint32_t) piece->len,
    .message_seq = piece->seq,
    .body = { piece->body, piece->len },
  };

  if (piece->content_type == CONTENT_HANDSHAKE && !piece->is_raw)
    fragment_write_header (w, &whole);
  write_bytes (w, piece->body, piece->len);
}

void
records_put_flight (struct puppet *puppet)
{
  uint8_t *memory = new_datagram ();

  for (size_t i = 0; i < puppet->n_pieces;)
    {
      struct writer w = writer_over (memory, MAX_DATAGRAM);
      const struct piece *first = &puppet->pieces[i];

      do
        write_piece (&w, &puppet->pieces[i++]);
      while (i < puppet->n_pieces && puppet->pieces[i].shares_record);
      put_content (puppet, first, writer_bytes (&w));
    }

  free (memory);
}

void
puppet_send (struct puppet *puppet, uint8_t content_type, uint16_t epoch, struct bytes content)
{
  struct piece piece = { .content_type = content_type, .epoch = epoch };

  put_content (puppet, &piece, content);
}

void
puppet_send_message (struct puppet *puppet, uint16_t epoch, uint8_t type, uint16_t seq,
                     struct bytes body)
{
  uint8_t *memory = new_datagram ();
  struct writer w = writer_over (memory, MAX_DATAGRAM);
  struct fragment whole = { .type = type, .message_seq = seq, .body = body };

  whole.message_len = (uint32_t) body.left;
  fragment_write_header (&w, &whole);
  write_bytes (&w, body.at, body.left);
  puppet_send (puppet, CONTENT_HANDSHAKE, epoch, writer_bytes (&w));
  free (memory);
}

void
records_send_ack (struct puppet *puppet)
{
  uint8_t memory[2 + MAX_OWED_ACKS * RECORD_NUMBER_LEN];
  struct writer w = writer_over (memory, sizeof memory);

  if (acks_write (&puppet->acks, &w, sizeof memory))
    puppet_send (puppet, CONTENT_ACK, puppet->write_epoch, writer_bytes (&w));
}

/* ---------------------------------------------------------------------------------- keys */

static struct epoch_keys
keys_of_block (const struct key_block *block, enum dtls_role sender)
{
  struct epoch_keys keys = { .form = RECORD_FORM_12, .algorithm = block->algorithm };

  memcpy (keys.key, sender == DTLS_CLIENT ? block->client_key : block->server_key,
          sizeof block->client_key);
  memcpy (keys.iv, sender == DTLS_CLIENT ? block->client_iv : block->server_iv,
          sizeof block->client_iv);
  return keys;
}

static struct epoch_keys
keys_of_traffic (const struct puppet *puppet, uint16_t epoch, enum dtls_role sender)
{
  const struct handshake *h = puppet->handshake;
  const struct schedule13 *schedule = &h->schedule;
  const uint8_t *client = epoch == 2 ? schedule->client_handshake : puppet->known.client_traffic;
  const uint8_t *server = epoch == 2 ? schedule->server_handshake : puppet->known.server_traffic;
  struct epoch_keys keys = { .form = RECORD_FORM_13 };
  struct traffic_keys traffic;

  if (!schedule13_traffic_keys (h->crypto, h->suite, sender == DTLS_CLIENT ? client : server,
                                &traffic))
    abort ();
  keys.algorithm = traffic.algorithm;
  memcpy (keys.key, traffic.key, sizeof keys.key);
  memcpy (keys.number_key, traffic.number_key, sizeof keys.number_key);
  memcpy (keys.iv, traffic.iv, sizeof keys.iv);
  return keys;
}

static struct epoch_keys
keys_of (const struct puppet *puppet, uint16_t epoch, enum dtls_role sender)
{
  return epoch == 1 ? keys_of_block (&puppet->handshake->key_block, sender)
                    : keys_of_traffic (puppet, epoch, sender);
}

void
records_install_write (struct puppet *puppet, uint16_t epoch)
{
  struct epoch_keys keys = keys_of (puppet, epoch, puppet->role);

  if (!epoch_write_init (&puppet->sealed[epoch], pki_crypto (), epoch, &keys))
    abort ();
  puppet->write_epoch = epoch;
}

void
records_install_read (struct puppet *puppet, uint16_t epoch)
{
  enum dtls_role peer = puppet->role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  struct epoch_keys keys = keys_of (puppet, epoch, peer);

  puppet->previous = puppet->opened;
  if (!epoch_read_init (&puppet->opened, pki_crypto (), epoch, &keys))
    abort ();
}

/* ---------------------------------------------------------------------------------- receiving */

bool
records_open (struct puppet *puppet, const struct record *record, struct opened *out)
{
  struct epoch_read plain;

  epoch_read_init_plain (&plain);
  if (record_is_of (record, &plain))
    return record_open (&plain, record, out) == DTLS_DROP_NONE;
  if (record_is_of (record, &puppet->opened))
    return record_open (&puppet->opened, record, out) == DTLS_DROP_NONE;

  return record_open (&puppet->previous, record, out) == DTLS_DROP_NONE;
}
