/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Records that an engine would not send, in the clear or under its own keys. */

#pragma once

#include <stdlib.h>

#include "conn/conn.h"
#include "pair.h"
#include "record/seal.h"
#include "tap.h"
#include "wire/codepoints.h"
#include "wire/record_header.h"

static inline enum dtls_role
other_role (enum dtls_role role)
{
  return role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
}

/* An unprotected record, whatever its epoch says. Returns its length. */
static inline size_t
make_plain (uint8_t *out, size_t capacity, const struct record_header *header, struct bytes content)
{
  struct writer w = writer_over (out, capacity);
  struct record_header whole = *header;

  whole.version = VERSION_DTLS_1_2;
  whole.len = (uint16_t) content.left;
  record_header_write (&w, &whole);
  write_bytes (&w, content.at, content.left);
  CHECK (writer_ok (&w));
  return w.used;
}

/* To `to` at once, as from anybody. */
static inline void
inject_plain (struct pair *pair, enum dtls_role to, uint8_t type, uint16_t epoch,
              struct bytes content)
{
  uint8_t *memory = malloc (MAX_DATAGRAM);
  struct record_header header = { .type = type, .epoch = epoch, .number = 1000 };
  size_t len = make_plain (memory, MAX_DATAGRAM, &header, content);

  pair_deliver (pair, to, (struct bytes){ memory, len });
  free (memory);
}

/* A record under the keys of `from`, with its next number. */
static inline size_t
make_sealed (struct pair *pair, enum dtls_role from, uint8_t type, struct bytes content,
             uint8_t *out)
{
  struct dtls_buffer buffer = { out, MAX_DATAGRAM, 0 };
  struct seal_input input = { type, VERSION_DTLS_1_2, &content, 1 };

  CHECK_UINT (record_seal (&pair->sides[from].conn->write.epoch, &input, &buffer), DTLS_OK);
  return buffer.used;
}

/* To the other side at once. */
static inline void
inject_sealed (struct pair *pair, enum dtls_role from, uint8_t type, struct bytes content)
{
  uint8_t *memory = malloc (MAX_DATAGRAM);
  size_t len = make_sealed (pair, from, type, content, memory);

  pair_deliver (pair, other_role (from), (struct bytes){ memory, len });
  free (memory);
}

/* The same with a handshake header around a whole message. */
static inline void
inject_sealed_message (struct pair *pair, enum dtls_role from, uint8_t type, uint16_t seq,
                       struct bytes body)
{
  uint8_t memory[512];
  struct writer w = writer_over (memory, sizeof memory);
  struct fragment whole = {
    .type = type, .message_len = (uint32_t) body.left, .message_seq = seq, .body = body
  };

  fragment_write_header (&w, &whole);
  write_bytes (&w, body.at, body.left);
  inject_sealed (pair, from, CONTENT_HANDSHAKE, writer_bytes (&w));
}
