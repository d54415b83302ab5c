/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The first hello, before there is a connection: found in datagrams, answered with a cookie by a
 * pure function (1.2: HelloVerifyRequest; 1.3: HelloRetryRequest), and accepted when the cookie is
 * ours. Fragments are gathered in an object of fixed size. */

#include "dtls.h"

#include "handshake/cookie.h"
#include "handshake/hello13.h"
#include "handshake/transcript.h"
#include "handshake/welcome.h"
#include "record/open.h"
#include "record/seal.h"
#include "wire/alert.h"
#include "wire/fragment.h"

#include <assert.h>
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

  MAX_REPLY_LEN = RETRY13_LEN + MAX_COOKIE13_LEN, /* longer than a HelloVerifyRequest */
};

static_assert (MAX_REPLY_LEN >= 3 + COOKIE_LEN, "room for a HelloVerifyRequest too");

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

struct question
{
  const struct dtls_cookie_keys *keys;
  dtls_time now;
  struct bytes address;
  const struct dtls_hello *hello;
  struct dtls_buffer *reply;
};

static enum dtls_hello_answer
reply_record (const struct question *q, const struct seal_input *input)
{
  const size_t len = input->parts[0].left;
  struct epoch_write epoch;

  /* Nobody's address is proved: what we send is no longer than what came. */
  if (len > FRAGMENT_HEADER_LEN + q->hello->message.left)
    return DTLS_HELLO_DROP;

  /* RFC 6347 §4.2.1: the record number of the ClientHello that it answers; nothing is remembered.
   */
  epoch_write_init_plain (&epoch, q->hello->record_number);
  return record_seal (&epoch, input, q->reply) == DTLS_OK ? DTLS_HELLO_REPLY : DTLS_HELLO_DROP;
}

static enum dtls_hello_answer
reply_message (const struct question *q, uint16_t record_version, uint8_t type, struct bytes body)
{
  uint8_t memory[FRAGMENT_HEADER_LEN + MAX_REPLY_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  struct fragment fragment = {
    .type = type,
    .message_len = (uint32_t) body.left,
    .message_seq = q->hello->message_seq,
    .body = body,
  };
  struct bytes part;
  struct seal_input input = { CONTENT_HANDSHAKE, record_version, &part, 1 };

  fragment_write_header (&w, &fragment);
  write_bytes (&w, body.at, body.left);
  part = writer_bytes (&w);
  return writer_ok (&w) ? reply_record (q, &input) : DTLS_HELLO_DROP;
}

static enum dtls_hello_answer
answer_12 (const struct question *q, const struct client_hello *hello)
{
  uint8_t cookie[COOKIE_LEN], memory[MAX_REPLY_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  /* RFC 6347 §4.2.1: this version says nothing, and 1.0 is what every client takes. */
  struct hello_verify_request request = { VERSION_DTLS_1_0, { cookie, sizeof cookie } };

  if (cookie_check (q->keys, q->now, q->address, hello))
    return DTLS_HELLO_ACCEPT;
  if (!cookie_make (q->keys, q->now, q->address, hello, cookie))
    return DTLS_HELLO_DROP;

  hello_verify_request_write (&w, &request);
  return reply_message (q, VERSION_DTLS_1_0, HELLO_VERIFY_REQUEST, writer_bytes (&w));
}

/* RFC 9846 §4.3.2: the cookie brings back what is needed of this hello. */
static bool
make_retry (const struct question *q, const struct hello13 *hello, struct cookie13 *cookie,
            struct writer *out)
{
  const struct transcript nothing = { .is_13 = true };
  const struct partial_message whole = { CLIENT_HELLO, hello->message.left, hello->message };
  const struct cookie13_subject subject = { q->now, q->address, hello };
  uint8_t memory[MAX_COOKIE13_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  struct retry13 retry = { cookie->suite->code, cookie->group, { NULL, 0 } };

  if (!transcript_hash_with (&nothing, q->keys->crypto, cookie->suite->hash, &whole, cookie->first)
      || !cookie13_make (q->keys, &subject, cookie, &w))
    return false;

  retry.cookie = writer_bytes (&w);
  hello13_write_retry (out, &retry);
  return writer_ok (out);
}

static enum dtls_error
answer_13 (const struct question *q, const struct offer *ours, enum dtls_hello_answer *out_answer)
{
  uint8_t memory[MAX_REPLY_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  struct cookie13_subject subject = { q->now, q->address, NULL };
  struct key_share_entry share;
  struct cookie13 cookie;
  struct hello13 hello;
  struct offer theirs;

  TRY (hello13_read (q->hello->message, &hello));
  subject.hello = &hello;
  if (hello.cookie.left > 0)
    {
      *out_answer = DTLS_HELLO_ACCEPT;
      /* RFC 9147 §5.1: an invalid cookie "MUST terminate the handshake"; another HelloRetryRequest
       * would be a second one. */
      return cookie13_check (q->keys, &subject) ? DTLS_OK : DTLS_ERROR_ILLEGAL_PARAMETER;
    }

  hello13_offer (&hello, &theirs);
  cookie.suite = hello13_choose_suite (&hello, ours, &theirs);
  if (cookie.suite == NULL)
    return DTLS_ERROR_NO_SHARED_SUITE;
  cookie.group = choose_group (ours, &theirs, VERSION_DTLS_1_3);
  if (cookie.group == 0)
    return DTLS_ERROR_NO_SHARED_GROUP;

  /* The round trip is made anyway: it may as well bring the share that we like best. RFC 9846 §4.3.8:
   * one that is there already is not asked for. */
  if (hello13_find_share (&hello, cookie.group, &share))
    cookie.group = 0;
  if (!make_retry (q, &hello, &cookie, &w))
    return DTLS_ERROR_CRYPTO;

  *out_answer = reply_message (q, VERSION_DTLS_1_2, SERVER_HELLO, writer_bytes (&w));
  return DTLS_OK;
}

static enum dtls_error
answer (const struct question *q, enum dtls_hello_answer *out_answer)
{
  struct client_hello hello;
  struct extensions found;
  struct offer ours;
  uint16_t version;

  if (!offer_from_config (&ours, q->keys->config, q->keys->crypto))
    return DTLS_ERROR_CONFIG;
  TRY (welcome_read (q->hello->message, &hello, &found));
  TRY (welcome_choose_version (&ours, &hello, &found, &version));

  if (version == VERSION_DTLS_1_3)
    return answer_13 (q, &ours, out_answer);

  *out_answer = answer_12 (q, &hello);
  return DTLS_OK;
}

/* What a client must be told that would otherwise ask again and again. */
static bool
is_worth_an_alert (enum dtls_error error)
{
  switch (error)
    {
    case DTLS_ERROR_ILLEGAL_PARAMETER:
    case DTLS_ERROR_MISSING_EXTENSION:
    case DTLS_ERROR_PROTOCOL_VERSION:
    case DTLS_ERROR_INAPPROPRIATE_FALLBACK:
    case DTLS_ERROR_NO_SHARED_SUITE:
    case DTLS_ERROR_NO_SHARED_GROUP:
      return true;
    default:
      return false;
    }
}

static enum dtls_hello_answer
reply_alert (const struct question *q, enum dtls_error error)
{
  uint8_t memory[ALERT_LEN];
  struct writer w = writer_over (memory, sizeof memory);
  struct alert alert = { ALERT_LEVEL_FATAL, (uint8_t) dtls_error_alert (error) };
  struct bytes part;
  struct seal_input input = { CONTENT_ALERT, VERSION_DTLS_1_2, &part, 1 };

  alert_write (&w, &alert);
  part = writer_bytes (&w);
  return reply_record (q, &input);
}

enum dtls_hello_answer
dtls_hello_answer (const struct dtls_cookie_keys *keys, dtls_time now, struct bytes address,
                   const struct dtls_hello *hello, struct dtls_buffer *reply)
{
  const struct question q = { keys, now, address, hello, reply };
  enum dtls_hello_answer found = DTLS_HELLO_DROP;
  enum dtls_error error;

  if (hello->message_seq > MAX_HELLO_SEQ)
    return DTLS_HELLO_DROP;

  error = answer (&q, &found);
  if (error == DTLS_OK)
    return found;

  return is_worth_an_alert (error) ? reply_alert (&q, error) : DTLS_HELLO_DROP;
}
