/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The growing run of handshake messages. */

#include "handshake/transcript.h"

#include "wire/codepoints.h"

#include <stdlib.h>
#include <string.h>

enum
{
  FIRST_CAPACITY = 2048, /* a hello exchange and a small chain */
  HEADER_13_LEN = 4,     /* RFC 9147 §5.2: type and length */
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

struct bytes
transcript_bytes (const struct transcript *transcript)
{
  return (struct bytes){ transcript->at, transcript->used };
}

static void
write_header_13 (struct writer *w, uint8_t type, size_t message_len)
{
  write_u8 (w, type);
  write_u24 (w, (uint32_t) message_len);
}

static void
write_header (struct writer *w, const struct transcript *transcript, const struct message *message)
{
  struct fragment whole = {
    .type = message->type,
    .message_len = (uint32_t) message->body.left,
    .message_seq = message->seq,
    .offset = 0,
    .body = message->body,
  };

  if (transcript->is_13)
    write_header_13 (w, message->type, message->body.left);
  else
    fragment_write_header (w, &whole);
}

bool
transcript_add (struct transcript *transcript, const struct message *message)
{
  struct writer w;

  if (!make_room (transcript, FRAGMENT_HEADER_LEN + message->body.left))
    return false;

  w = writer_over (transcript->at + transcript->used, transcript->capacity - transcript->used);
  write_header (&w, transcript, message);
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
transcript_use_13 (struct transcript *transcript)
{
  struct reader r = reader_over (transcript_bytes (transcript));
  uint8_t *to = transcript->at;

  if (transcript->is_13)
    return;

  /* In place, each message further down than it was. A header of 1.2 begins with that of 1.3. */
  while (r.left > 0)
    {
      const uint8_t *header = r.at;
      struct fragment whole;

      if (!fragment_read (&r, &whole))
        break;
      memmove (to, header, HEADER_13_LEN);
      memmove (to + HEADER_13_LEN, header + FRAGMENT_HEADER_LEN, whole.body.left);
      to += HEADER_13_LEN + whole.body.left;
    }

  transcript->used = (size_t) (to - transcript->at);
  transcript->is_13 = true;
}

bool
transcript_hash (const struct transcript *transcript, struct dtls_crypto *crypto, enum hash hash,
                 uint8_t *out)
{
  return hash_once (crypto, hash, transcript_bytes (transcript), out);
}

bool
transcript_retry_from (struct transcript *transcript, struct bytes hash)
{
  struct message first = { .type = MESSAGE_HASH, .seq = 0, .body = hash };

  transcript_restart (transcript);
  transcript->is_13 = true;
  return transcript_add (transcript, &first);
}

bool
transcript_retry (struct transcript *transcript, struct dtls_crypto *crypto, enum hash hash)
{
  uint8_t first[MAX_HASH_LEN];

  transcript_use_13 (transcript);
  return transcript_hash (transcript, crypto, hash, first)
         && transcript_retry_from (transcript, (struct bytes){ first, hash_len (hash) });
}

bool
transcript_hash_with (const struct transcript *transcript, struct dtls_crypto *crypto,
                      enum hash hash, const struct partial_message *partial, uint8_t *out)
{
  uint8_t header[HEADER_13_LEN];
  struct writer w = writer_over (header, sizeof header);
  struct digest *digest = digest_new (crypto, hash);
  bool is_hashed;

  write_header_13 (&w, partial->type, partial->message_len);
  is_hashed = digest != NULL && digest_update (digest, transcript_bytes (transcript))
              && digest_update (digest, writer_bytes (&w))
              && digest_update (digest, partial->beginning) && digest_peek (digest, out);

  digest_free (digest);
  return is_hashed;
}

void
transcript_clear (struct transcript *transcript)
{
  free (transcript->at);
  *transcript = (struct transcript){ .at = NULL };
}
