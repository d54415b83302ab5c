/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The growing run of handshake messages. */

#include "handshake/transcript.h"

#include <stdlib.h>
#include <string.h>

enum
{
  FIRST_CAPACITY = 2048, /* a hello exchange and a small chain */
};

static bool
make_room (struct transcript *transcript, size_t len)
{
  size_t capacity = transcript->capacity > 0 ? transcript->capacity : FIRST_CAPACITY;
  uint8_t *at;

  if (len <= transcript->capacity - transcript->used)
    return true;

  while (capacity - transcript->used < len)
    capacity *= 2;

  at = realloc (transcript->at, capacity);
  if (at == NULL)
    return false;

  transcript->at = at;
  transcript->capacity = capacity;
  return true;
}

bool
transcript_add (struct transcript *transcript, const struct message *message)
{
  struct fragment whole = {
    .type = message->type,
    .message_len = (uint32_t) message->body.left,
    .message_seq = message->seq,
    .offset = 0,
    .body = message->body,
  };
  struct writer w;

  if (!make_room (transcript, FRAGMENT_HEADER_LEN + message->body.left))
    return false;

  w = writer_over (transcript->at + transcript->used, transcript->capacity - transcript->used);
  fragment_write_header (&w, &whole);
  write_bytes (&w, message->body.at, message->body.left);
  if (!writer_ok (&w))
    return false;

  transcript->used += w.used;
  return true;
}

void
transcript_restart (struct transcript *transcript)
{
  transcript->used = 0;
}

void
transcript_clear (struct transcript *transcript)
{
  free (transcript->at);
  *transcript = (struct transcript){ NULL, 0, 0 };
}

struct bytes
transcript_bytes (const struct transcript *transcript)
{
  return (struct bytes){ transcript->at, transcript->used };
}

bool
transcript_hash (const struct transcript *transcript, struct dtls_crypto *crypto, enum hash hash,
                 uint8_t *out)
{
  return hash_once (crypto, hash, transcript_bytes (transcript), out);
}
