/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The first hello, before there is a connection: found in datagrams, answered with a cookie by a
 * pure function, and accepted when the cookie is ours. Fragments are gathered in an object of fixed
 * size. */

#include "dtls.h"

#include "handshake/cookie.h"
#include "record/open.h"
#include "record/seal.h"
#include "wire/fragment.h"

#include <stdlib.h>
#include <string.h>

enum
{
  N_SLOTS = 8,
  MAX_GATHERED_LEN = 4096, /* a hello with a post-quantum key share has about 1,800 bytes */
  MAX_ADDRESS_LEN = 128,   /* a struct sockaddr_storage */
  /* Messages on a connection have numbers, which must not run out: a hello with a number beyond any
   * that a client comes to. */
  MAX_HELLO_SEQ = UINT16_MAX - 64,
};

/* One hello under way. */
struct slot
{
  uint64_t age; /* when it was last added to; 0: free */
  uint8_t address[MAX_ADDRESS_LEN];
  size_t address_len;
  uint16_t message_seq;
  size_t message_len;
  size_t n_missing;
  uint8_t has[MAX_GATHERED_LEN / 8];
  uint8_t bytes[MAX_GATHERED_LEN];
};

struct dtls_hello_gather
{
  uint64_t clock; /* counts additions */
  struct slot slots[N_SLOTS];
};

struct dtls_hello_gather *
dtls_hello_gather_new (void)
{
  return calloc (1, sizeof (struct dtls_hello_gather));
}

void
dtls_hello_gather_free (struct dtls_hello_gather *gather)
{
  free (gather);
}

/* ------------------------------------------------------------------------------------ gathering */

static bool
slot_is_from (const struct slot *slot, struct bytes address)
{
  return slot->age > 0 && slot->address_len == address.left
         && memcmp (slot->address, address.at, address.left) == 0;
}

static bool
slot_is_for (const struct slot *slot, const struct fragment *fragment)
{
  return slot->message_seq == fragment->message_seq && slot->message_len == fragment->message_len;
}

/* The slot of this address, if it has one: nobody takes more than one place. Else the oldest. */
static struct slot *
find_slot (struct dtls_hello_gather *gather, struct bytes address)
{
  struct slot *oldest = &gather->slots[0];

  for (size_t i = 0; i < N_SLOTS; i++)
    {
      if (slot_is_from (&gather->slots[i], address))
        return &gather->slots[i];
      if (gather->slots[i].age < oldest->age)
        oldest = &gather->slots[i];
    }

  return oldest;
}

static void
begin_slot (struct slot *slot, struct bytes address, const struct fragment *fragment)
{
  memcpy (slot->address, address.at, address.left);
  slot->address_len = address.left;
  slot->message_seq = fragment->message_seq;
  slot->message_len = fragment->message_len;
  slot->n_missing = fragment->message_len;
  memset (slot->has, 0, sizeof slot->has);
}

/* True when the hello is whole; its slot is then free again, but good until the next call. */
static bool
gather_fragment (struct dtls_hello_gather *gather, struct bytes address,
                 const struct fragment *fragment, struct bytes *out_message)
{
  struct slot *slot;

  if (fragment->message_len > MAX_GATHERED_LEN || address.left > MAX_ADDRESS_LEN)
    return false;

  slot = find_slot (gather, address);
  if (!slot_is_from (slot, address) || !slot_is_for (slot, fragment))
    begin_slot (slot, address, fragment);
  slot->age = ++gather->clock;
  for (size_t i = 0; i < fragment->body.left; i++)
    {
      size_t at = fragment->offset + i;

      if ((slot->has[at / 8] >> at % 8 & 1) != 0)
        continue;
      slot->has[at / 8] |= (uint8_t) (1 << at % 8);
      slot->bytes[at] = fragment->body.at[i];
      slot->n_missing--;
    }

  if (slot->n_missing > 0)
    return false;

  slot->age = 0;
  *out_message = (struct bytes){ slot->bytes, slot->message_len };
  return true;
}

static bool
take_fragment (struct dtls_hello_gather *gather, struct bytes address,
               const struct fragment *fragment, struct dtls_hello *out)
{
  if (fragment->type != CLIENT_HELLO || fragment->body.left == 0)
    return false;

  out->message_seq = fragment->message_seq;
  out->message = fragment->body;
  return fragment->body.left == fragment->message_len
         || gather_fragment (gather, address, fragment, &out->message);
}

bool
dtls_hello_find (struct dtls_hello_gather *gather, struct bytes address, struct bytes datagram,
                 struct dtls_hello *out_hello)
{
  struct reader reader = reader_over (datagram);
  struct record_header header;

  while (reader.left > 0 && record_header_read (&reader, &header))
    {
      struct reader body = reader_over (read_bytes (&reader, header.len));
      struct fragment fragment;

      if (header.epoch != 0 || header.type != CONTENT_HANDSHAKE)
        continue;

      out_hello->record_number = header.number;
      while (body.left > 0 && fragment_read (&body, &fragment))
        if (take_fragment (gather, address, &fragment, out_hello))
          return true;
    }

  return false;
}

/* ------------------------------------------------------------------------------------ answering */

static bool
write_verify_request (struct bytes cookie, const struct dtls_hello *hello,
                      struct dtls_buffer *reply)
{
  uint8_t memory[FRAGMENT_HEADER_LEN + 3 + MAX_COOKIE_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  /* RFC 6347 §4.2.1: this version says nothing, and 1.0 is what every client takes. */
  struct hello_verify_request request = { VERSION_DTLS_1_0, cookie };
  struct fragment fragment = {
    .type = HELLO_VERIFY_REQUEST,
    .message_len = (uint32_t) (3 + cookie.left),
    .message_seq = hello->message_seq,
    .body = { NULL, 3 + cookie.left },
  };
  struct epoch_write epoch;
  struct bytes part;
  struct seal_input input = { CONTENT_HANDSHAKE, VERSION_DTLS_1_0, &part, 1 };

  fragment_write_header (&w, &fragment);
  hello_verify_request_write (&w, &request);
  part = writer_bytes (&w);

  /* RFC 6347 §4.2.1: the record number of the ClientHello that it answers; nothing is remembered.
   */
  epoch_write_init_plain (&epoch, hello->record_number);
  return record_seal (&epoch, &input, reply) == DTLS_OK;
}

enum dtls_hello_answer
dtls_hello_answer (const struct dtls_cookie_keys *keys, dtls_time now, struct bytes address,
                   const struct dtls_hello *hello, struct dtls_buffer *reply)
{
  uint8_t cookie[COOKIE_LEN];
  struct client_hello parsed;

  if (hello->message_seq > MAX_HELLO_SEQ || !client_hello_read (hello->message, &parsed))
    return DTLS_HELLO_DROP;
  if (cookie_check (keys, now, address, &parsed))
    return DTLS_HELLO_ACCEPT;
  if (!cookie_make (keys, now, address, &parsed, cookie))
    return DTLS_HELLO_DROP;

  return write_verify_request ((struct bytes){ cookie, sizeof cookie }, hello, reply)
             ? DTLS_HELLO_REPLY
             : DTLS_HELLO_DROP;
}
