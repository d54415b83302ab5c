/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Whole cookie exchanges, and a client that answers any HelloVerifyRequest. */

#include "capture.h"
#include "handshake/cookie.h"
#include "same.h"
#include "sealed.h"
#include "wire/hello.h"

/* ---------------------------------------------------------------------------------- whole handshakes */

/* A link that loses, repeats and overtakes. */
static void
init_bad_pair (struct pair *pair, uint64_t seed)
{
  pair_init (pair, pki_identity ("server-ed25519"), NULL);
  pair->has_cookies = true;
  pair->seed = seed;
  for (unsigned i = 0; i < 2; i++)
    {
      pair->sides[i].config.mtu = 256;
      pair->sides[i].config.handshake_deadline = DTLS_NEVER;
      pair->links[i].drop_percent = 15;
      pair->links[i].duplicate_percent = 30;
      pair->links[i].jitter = 100 * DTLS_MILLISECOND;
    }
}

/* One connection comes of it. */
static void
test_cookie_exchange_over_a_bad_link (void)
{
  for (uint64_t seed = 1; seed <= 300; seed++)
    {
      struct pair pair;

      init_bad_pair (&pair, seed);
      if (!CHECK (pair_handshake (&pair)))
        tell_errors (&pair);
      else
        check_same (&pair);
      PAIR_END (&pair);
    }
}

/* The same with HelloRetryRequest, and second hellos in fragments where the share is a long one. */
static void
test_retry_exchange_over_a_bad_link (void)
{
  for (uint64_t seed = 1; seed <= 300; seed++)
    {
      struct pair pair;

      init_bad_pair (&pair, seed);
      pair_set_versions (&pair, DTLS_1_3, DTLS_1_3);
      if (CHECK (pair_handshake (&pair)))
        {
          check_same_export (&pair, NULL);
          for (unsigned i = 0; i < 2; i++)
            CHECK (dtls_conn_was_retried (pair.sides[i].conn));
        }
      else
        {
          tell_errors (&pair);
        }
      PAIR_END (&pair);
    }
}

/* The keys change between request and answer, and the clock stands at the edge of a period. */
static void
test_keys_rotate_within_a_handshake (void)
{
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  pair.has_cookies = true;
  pair.now = 40 * COOKIE_LIFETIME - 15 * DTLS_MILLISECOND;
  pair_start (&pair);
  pair_step (&pair, DTLS_NEVER);
  memcpy (pair.cookie_keys.previous, pair.cookie_keys.current, 32);
  memset (pair.cookie_keys.current, 0x33, 32);
  if (CHECK (pair_handshake (&pair)))
    check_same (&pair);
  CHECK_UINT (pair.links[DTLS_CLIENT].n_datagrams, 3);
  PAIR_END (&pair);
}

/* A cookie that has expired gets another request, and that one's answer is good. */
static void
test_expired_cookie_gets_another (void)
{
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  pair.has_cookies = true;
  pair_start (&pair);
  pair_step (&pair, DTLS_NEVER);
  memset (pair.cookie_keys.previous, 0x33, 32);
  memset (pair.cookie_keys.current, 0x33, 32);
  if (CHECK (pair_handshake (&pair)))
    check_same (&pair);
  CHECK_UINT (pair.links[DTLS_CLIENT].n_datagrams, 4);
  PAIR_END (&pair);
}

/* RFC 6347 §4.2.1: the ServerHello has the record number of the hello that it answers. */
static void
test_server_hello_has_the_hellos_record_number (void)
{
  struct capture server;
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  pair.has_cookies = true;
  server.n = 0;
  pair.links[DTLS_SERVER].lets_through = captures;
  pair.links[DTLS_SERVER].lets_through_data = &server;
  CHECK (pair_handshake (&pair));
  CHECK_UINT (server.at[0][10], 0);
  CHECK_UINT (server.at[0][RECORD_HEADER_LEN], HELLO_VERIFY_REQUEST);
  CHECK_UINT (server.at[1][10], 1);
  CHECK_UINT (server.at[1][RECORD_HEADER_LEN], SERVER_HELLO);
  CHECK_UINT (server.at[1][RECORD_HEADER_LEN + 5], 1);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- the client's side */

/* A server of a script: asks for `cookie` as often as it is told, and keeps the hello that comes with it. */
struct asker
{
  struct bytes cookie;
  unsigned n_left;
  unsigned n_hellos;
  bool has_alert; /* one came */
  bool has_same;  /* every later hello is the first but for its cookie */
  uint8_t first[2048];
  size_t first_len;
  struct bytes seen; /* the latest cookie */
  uint8_t seen_memory[255];
};

static void
compare_hello (struct asker *asker, struct bytes message)
{
  uint8_t memory[2048];
  struct writer w = writer_over (memory, sizeof memory);
  struct client_hello hello;

  if (!CHECK (client_hello_read (message, &hello)))
    return;
  memcpy (asker->seen_memory, hello.cookie.at, hello.cookie.left);
  asker->seen = (struct bytes){ asker->seen_memory, hello.cookie.left };
  hello.cookie = (struct bytes){ NULL, 0 };
  client_hello_write (&w, &hello);

  if (asker->n_hellos++ == 0)
    {
      memcpy (asker->first, memory, w.used);
      asker->first_len = w.used;
      asker->has_same = true;
    }
  else if (w.used != asker->first_len || memcmp (memory, asker->first, w.used) != 0)
    {
      asker->has_same = false;
    }
}

static void
ask (void *data, struct pair *pair, struct bytes datagram)
{
  struct asker *asker = data;
  uint8_t body[512], memory[1024];
  struct writer w = writer_over (body, sizeof body);
  struct hello_verify_request request = { VERSION_DTLS_1_0, asker->cookie };
  struct fragment fragment = { .type = HELLO_VERIFY_REQUEST };
  struct record_header header = { .type = CONTENT_HANDSHAKE };
  const size_t headers = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN;

  if (datagram.at[0] == CONTENT_ALERT)
    {
      asker->has_alert = true;
      return;
    }
  compare_hello (asker, (struct bytes){ datagram.at + headers, datagram.left - headers });
  if (asker->n_left == 0)
    return;

  asker->n_left--;
  fragment.message_len = (uint32_t) (3 + asker->cookie.left);
  fragment.body = (struct bytes){ NULL, 3 + asker->cookie.left };
  fragment.message_seq = datagram.at[RECORD_HEADER_LEN + 5];
  fragment_write_header (&w, &fragment);
  hello_verify_request_write (&w, &request);
  pair_put (
      pair, DTLS_SERVER,
      (struct bytes){ memory, make_plain (memory, sizeof memory, &header, writer_bytes (&w)) });
}

static void
test_client_answers_cookies_of_every_length (void)
{
  uint8_t cookie[255];

  for (size_t i = 0; i < sizeof cookie; i++)
    cookie[i] = (uint8_t) (i * 7 + 1);

  for (size_t len = 0; len <= 255; len++)
    {
      struct asker asker = { .cookie = { cookie, len }, .n_left = 1 };
      struct pair pair;

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair.sides[DTLS_SERVER].script = ask;
      pair.sides[DTLS_SERVER].script_data = &asker;
      pair_start (&pair);
      pair_run (&pair, 100 * DTLS_MILLISECOND);
      CHECK_UINT (asker.n_hellos, 2);
      CHECK_BYTES (asker.seen, asker.cookie);
      CHECK (asker.has_same);
      PAIR_END (&pair);
    }
}

/* Again and again, as from someone who makes us send: after four it is over. */
static void
test_client_answers_four_times_at_most (void)
{
  static const uint8_t cookie[] = { 1, 2, 3 };
  struct asker asker = { .cookie = TAP_BYTES (cookie), .n_left = 100000 };
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  pair.sides[DTLS_SERVER].script = ask;
  pair.sides[DTLS_SERVER].script_data = &asker;
  pair_start (&pair);
  pair_run (&pair, 61 * DTLS_SECOND);
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_ERROR_UNEXPECTED_MESSAGE);
  CHECK_UINT (asker.n_hellos, 5);
  CHECK (asker.has_alert);
  CHECK (asker.has_same);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/hello/handshake/over-a-bad-link", test_cookie_exchange_over_a_bad_link },
  { "/conn/hello/handshake/13-over-a-bad-link", test_retry_exchange_over_a_bad_link },
  { "/conn/hello/handshake/keys-rotate-in-between", test_keys_rotate_within_a_handshake },
  { "/conn/hello/handshake/expired-cookie-gets-another", test_expired_cookie_gets_another },
  { "/conn/hello/handshake/server-hello-has-the-hellos-record-number",
    test_server_hello_has_the_hellos_record_number },
  { "/conn/hello/client/answers-cookies-of-0-to-255-bytes",
    test_client_answers_cookies_of_every_length },
  { "/conn/hello/client/answers-four-times-at-most", test_client_answers_four_times_at_most },
};

TAP_MAIN (tests)
