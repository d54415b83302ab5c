/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Datagrams, each after its length in two bytes, at a server that has no connection yet. A hello that is answered with a
 * cookie comes again with it, and makes a server. */

#include "conversation.h"
#include "fuzz.h"

#include "pair.h"
#include "wire/extensions.h"
#include "wire/fragment.h"
#include "wire/hello.h"
#include "wire/key_share.h"
#include "wire/record_header.h"

enum
{
  HEADERS = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN,
  MAX_MORE = 512, /* cookie and share, of a second hello */
};

static const struct bytes address = { (const uint8_t *) "192.0.2.1:4711", 14 };
static struct dtls_config config;

static void
set_up (void)
{
  /* Most hellos bring a share of X25519: a retry asks for the other. */
  static const uint16_t groups[] = { GROUP_SECP256R1, GROUP_X25519 };

  dtls_config_init (&config);
  config.credential = &conversation_identity ()->whole;
  config.groups = groups;
  config.n_groups = 2;
}

/* Takes what the new connection says. */
static void
hear_out (struct dtls_conn *conn)
{
  static uint8_t memory[MAX_DATAGRAM];
  struct dtls_buffer out = { memory, sizeof memory, 0 };

  while (dtls_conn_next_event (conn) != DTLS_EVENT_NONE)
    ;
  while (dtls_conn_next_datagram (conn, &out))
    out.used = 0;
}

static void
become_server (const struct dtls_hello *hello)
{
  struct dtls_conn *conn;

  if (dtls_conn_new_server (&config, pki_crypto (), 0, hello, &conn) != DTLS_OK)
    return;
  hear_out (conn);
  dtls_conn_free (conn);
}

static void
come_again (const struct dtls_cookie_keys *keys, const struct dtls_hello *hello, struct bytes again)
{
  struct dtls_buffer nothing = { NULL, 0, 0 };
  struct dtls_hello second = *hello;

  second.message = again;
  second.message_seq++;
  fuzz_check (dtls_hello_answer (keys, 0, address, &second, &nothing) == DTLS_HELLO_ACCEPT);
  become_server (&second);
}

/* The hello as a client would send it after this HelloVerifyRequest. */
static void
verify (struct writer *w, struct client_hello *hello, struct bytes reply)
{
  struct hello_verify_request request;

  fuzz_check (hello_verify_request_read (reply, &request));
  hello->cookie = request.cookie;
  client_hello_write (w, hello);
}

/* A share of the group that is asked for: which, is not for the cookie to say. */
static void
write_share (struct writer *w, const struct extensions *asked)
{
  static const uint8_t point[65] = { 4 };
  struct key_share_entry share = { .key_exchange = { point, sizeof point } };
  size_t body;

  if (!asked->has[FOUND_KEY_SHARE])
    return;

  fuzz_check (selected_read (asked->body[FOUND_KEY_SHARE], &share.group));
  body = extension_begin (w, EXT_KEY_SHARE);
  client_shares_write (w, &share, 1);
  extension_end (w, body);
}

static void
write_retried (struct writer *w, struct bytes old, const struct extensions *asked)
{
  struct reader reader = reader_over (old);
  size_t body = extension_begin (w, EXT_COOKIE);

  write_bytes (w, asked->body[FOUND_COOKIE].at, asked->body[FOUND_COOKIE].left);
  extension_end (w, body);
  write_share (w, asked);
  while (reader.left > 0)
    {
      uint16_t type = read_u16 (&reader);
      struct bytes content = read_vec (&reader, 2);

      if (type == EXT_KEY_SHARE && asked->has[FOUND_KEY_SHARE])
        continue;
      body = extension_begin (w, type);
      write_bytes (w, content.at, content.left);
      extension_end (w, body);
    }
}

/* The same after this HelloRetryRequest. */
static void
retry (struct writer *w, struct client_hello *hello, struct bytes reply)
{
  struct server_hello request;
  struct extensions asked;
  struct bytes old = hello->extensions;
  size_t block;

  fuzz_check (server_hello_read (reply, &request) && server_hello_is_retry (&request));
  fuzz_check (extensions_read (request.extensions, IN_HELLO_RETRY_REQUEST, &asked) == EXTENSIONS_OK
              && asked.has[FOUND_COOKIE]);

  hello->extensions = (struct bytes){ NULL, 0 };
  client_hello_write (w, hello);
  block = extension_block_begin (w);
  write_retried (w, old, &asked);
  extension_block_end (w, block);
}

static void
answer_reply (const struct dtls_cookie_keys *keys, const struct dtls_hello *hello,
              struct bytes reply)
{
  size_t capacity = hello->message.left + MAX_MORE;
  uint8_t *memory = malloc (capacity);
  struct writer w = writer_over (memory, capacity);
  struct bytes body = { reply.at + HEADERS, reply.left - HEADERS };
  struct client_hello again;

  fuzz_check (memory != NULL && reply.left > HEADERS);
  fuzz_check (client_hello_read (hello->message, &again));
  if (reply.at[RECORD_HEADER_LEN] == HELLO_VERIFY_REQUEST)
    verify (&w, &again, body);
  else
    retry (&w, &again, body);

  /* Unless its extensions were as long as can be. */
  if (writer_ok (&w))
    come_again (keys, hello, writer_bytes (&w));
  free (memory);
}

static void
answer (const struct dtls_cookie_keys *keys, const struct dtls_hello *hello)
{
  uint8_t memory[2][512];
  struct dtls_buffer reply = { memory[0], sizeof memory[0], 0 };
  struct dtls_buffer same = { memory[1], sizeof memory[1], 0 };
  enum dtls_hello_answer answer = dtls_hello_answer (keys, 0, address, hello, &reply);

  /* A pure function. */
  fuzz_check (dtls_hello_answer (keys, 0, address, hello, &same) == answer);
  fuzz_check (bytes_equal ((struct bytes){ memory[0], reply.used },
                           (struct bytes){ memory[1], same.used }));
  if (answer != DTLS_HELLO_REPLY)
    return;

  /* A hello in fragments took more than its length. */
  fuzz_check (reply.used <= hello->message.left + HEADERS);
  if (memory[0][0] == CONTENT_HANDSHAKE)
    answer_reply (keys, hello, (struct bytes){ memory[0], reply.used });
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct dtls_hello_gather *gather = dtls_hello_gather_new ();
  struct dtls_cookie_keys keys = { .crypto = pki_crypto (), .config = &config };
  struct reader reader = reader_over ((struct bytes){ data, size });

  fuzz_check (gather != NULL);
  set_up ();
  while (reader.left > 0)
    {
      struct bytes datagram = read_vec (&reader, 2);
      struct dtls_hello hello;

      if (dtls_hello_find (gather, address, datagram, &hello))
        answer (&keys, &hello);
    }
  dtls_hello_gather_free (gather);
  return 0;
}
