/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Datagrams, each after its length in two bytes, at a server that has no connection yet. A hello that is answered comes
 * again with the cookie, and makes a server. */

#include "conversation.h"
#include "fuzz.h"

#include "pair.h"
#include "wire/fragment.h"
#include "wire/hello.h"
#include "wire/record_header.h"

static const struct bytes address = { (const uint8_t *) "192.0.2.1:4711", 14 };

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
  struct dtls_config config;
  struct dtls_conn *conn;

  dtls_config_init (&config);
  config.credential = &conversation_identity ()->whole;
  if (dtls_conn_new_server (&config, pki_crypto (), 0, hello, &conn) != DTLS_OK)
    return;
  hear_out (conn);
  dtls_conn_free (conn);
}

/* The hello as the client would send it after this reply. */
static void
come_again (const struct dtls_cookie_keys *keys, const struct dtls_hello *hello, struct bytes reply)
{
  const size_t headers = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN;
  size_t capacity = hello->message.left + MAX_COOKIE_LEN;
  uint8_t *memory = malloc (capacity);
  struct writer w = writer_over (memory, capacity);
  struct dtls_buffer nothing = { NULL, 0, 0 };
  struct hello_verify_request request;
  struct client_hello again;
  struct dtls_hello second = *hello;

  fuzz_check (memory != NULL && reply.left > headers);
  fuzz_check (hello_verify_request_read ((struct bytes){ reply.at + headers, reply.left - headers },
                                         &request));
  fuzz_check (client_hello_read (hello->message, &again));
  again.cookie = request.cookie;
  client_hello_write (&w, &again);
  second.message = writer_bytes (&w);
  second.message_seq++;
  fuzz_check (dtls_hello_answer (keys, 0, address, &second, &nothing) == DTLS_HELLO_ACCEPT);
  become_server (&second);
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
  fuzz_check (reply.used <= hello->message.left + RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN);
  come_again (keys, hello, (struct bytes){ memory[0], reply.used });
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct dtls_hello_gather *gather = dtls_hello_gather_new ();
  struct dtls_cookie_keys keys = { .crypto = pki_crypto () };
  struct reader reader = reader_over ((struct bytes){ data, size });

  fuzz_check (gather != NULL);
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
