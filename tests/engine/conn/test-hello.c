/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The first hello is found in datagrams, and answered by a pure function. */

#include "capture.h"
#include "handshake/cookie.h"
#include "record/seal.h"
#include "same.h"
#include "sealed.h"
#include "wire/hello.h"

static const char here[] = "192.0.2.7:49152";
static const char elsewhere[] = "192.0.2.7:49153";

static struct bytes
text (const char *address)
{
  return (struct bytes){ (const uint8_t *) address, strlen (address) };
}

/* The first is without a cookie, the second with one, from `here`; the keys are out_pair's. */
static void
capture_hellos (struct pair *pair, struct capture *capture)
{
  *capture = (struct capture){ .n = 0 };
  pair_init (pair, pki_identity ("server-ecdsa"), NULL);
  pair->has_cookies = true;
  pair->client_address = text (here);
  memset (pair->cookie_keys.previous, 0x11, sizeof pair->cookie_keys.previous);
  pair->links[DTLS_CLIENT].lets_through = captures;
  pair->links[DTLS_CLIENT].lets_through_data = capture;
  CHECK (pair_handshake (pair));
  CHECK (capture->n >= 2);
}

static struct bytes
captured (const struct capture *capture, unsigned index)
{
  return (struct bytes){ capture->at[index], capture->len[index] };
}

struct reply
{
  uint8_t at[512];
  struct dtls_buffer buffer;
};

static enum dtls_hello_answer
answer_of (const struct dtls_cookie_keys *keys, dtls_time now, const char *address,
           struct bytes datagram, struct reply *reply)
{
  struct dtls_hello_gather *gather = dtls_hello_gather_new ();
  enum dtls_hello_answer answer = DTLS_HELLO_DROP;
  struct dtls_hello hello;

  reply->buffer = (struct dtls_buffer){ reply->at, sizeof reply->at, 0 };
  if (dtls_hello_find (gather, text (address), datagram, &hello))
    answer = dtls_hello_answer (keys, now, text (address), &hello, &reply->buffer);
  dtls_hello_gather_free (gather);
  return answer;
}

/* ---------------------------------------------------------------------------------- the answer */

static void
test_same_input_same_answer (void)
{
  struct capture capture;
  struct reply first, again;
  struct pair pair;

  capture_hellos (&pair, &capture);
  for (unsigned i = 0; i < 100; i++)
    {
      struct reply *reply = i == 0 ? &first : &again;

      CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 0), reply),
                  DTLS_HELLO_REPLY);
      CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 1), &again),
                  DTLS_HELLO_ACCEPT);
      CHECK_UINT (again.buffer.used, 0);
      if (i > 0 && reply == &again)
        {
          answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 0), &again);
          CHECK_BYTES (((struct bytes){ again.at, again.buffer.used }),
                       ((struct bytes){ first.at, first.buffer.used }));
        }
    }
  PAIR_END (&pair);
}

/* OpenSSL #22197 and #32063: whatever number the hello's record has, the answer carries the same, and a second hello
 * is accepted with any. */
static void
test_record_number_is_copied (void)
{
  static const uint64_t numbers[] = { 0, 1, 7, 255, 65536, MAX_RECORD_NUMBER };
  struct capture capture;
  struct reply reply;
  struct pair pair;

  capture_hellos (&pair, &capture);
  for (size_t i = 0; i < TAP_N (numbers); i++)
    {
      struct writer w = writer_over (capture.at[0] + 5, 6);
      struct writer second = writer_over (capture.at[1] + 5, 6);

      write_u48 (&w, numbers[i]);
      write_u48 (&second, numbers[i]);
      CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 0), &reply),
                  DTLS_HELLO_REPLY);
      CHECK_BYTES (((struct bytes){ reply.at + 3, 8 }), ((struct bytes){ capture.at[0] + 3, 8 }));
      CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 1), &reply),
                  DTLS_HELLO_ACCEPT);
    }
  PAIR_END (&pair);
}

/* RFC 6347 §4.2.2: the answer has the message_seq of its hello. */
static void
test_message_seq_is_copied (void)
{
  struct capture capture;
  struct reply reply;
  struct pair pair;

  capture_hellos (&pair, &capture);
  for (unsigned seq = 0; seq < 65536; seq += 257)
    {
      bool has_successor = seq < 65535;

      capture.at[0][RECORD_HEADER_LEN + 4] = (uint8_t) (seq >> 8);
      capture.at[0][RECORD_HEADER_LEN + 5] = (uint8_t) seq;
      CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 0), &reply),
                  has_successor ? DTLS_HELLO_REPLY : DTLS_HELLO_DROP);
      if (has_successor)
        CHECK_BYTES (((struct bytes){ reply.at + RECORD_HEADER_LEN + 4, 2 }),
                     ((struct bytes){ capture.at[0] + RECORD_HEADER_LEN + 4, 2 }));
    }
  PAIR_END (&pair);
}

static void
test_reply_is_never_longer_than_the_hello (void)
{
  struct capture capture;
  struct reply reply;
  struct pair pair;

  capture_hellos (&pair, &capture);
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 0), &reply),
              DTLS_HELLO_REPLY);
  CHECK (reply.buffer.used > 0 && reply.buffer.used <= capture.len[0]);
  PAIR_END (&pair);
}

/* RFC 6347 §4.2.1: the shortest hello that can be: an answer must not amplify it either. */
static void
test_smallest_hello (void)
{
  static const uint8_t random[32];
  const uint8_t suites[] = { 0xc0, 0x2b }, compression[] = { 0 };
  uint8_t memory[128];
  struct writer w = writer_over (memory, sizeof memory);
  struct client_hello smallest = { .version = VERSION_DTLS_1_2,
                                   .random = TAP_BYTES (random),
                                   .suites = TAP_BYTES (suites),
                                   .compression = TAP_BYTES (compression) };
  struct dtls_config config;
  struct dtls_cookie_keys keys = { .crypto = pki_crypto (), .config = &config };
  struct dtls_hello hello = { .message_seq = 0 };
  struct reply reply = { .buffer = { reply.at, sizeof reply.at, 0 } };

  dtls_config_init (&config);
  client_hello_write (&w, &smallest);
  hello.message = writer_bytes (&w);
  CHECK_UINT (dtls_hello_answer (&keys, 0, text (here), &hello, &reply.buffer), DTLS_HELLO_REPLY);
  CHECK (reply.buffer.used <= RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN + hello.message.left);
}

static void
test_reply_without_room_is_dropped (void)
{
  struct capture capture;
  struct reply full;
  struct pair pair;

  capture_hellos (&pair, &capture);
  answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 0), &full);
  for (size_t room = 0; room <= full.buffer.used; room++)
    {
      struct dtls_hello_gather *gather = dtls_hello_gather_new ();
      uint8_t memory[512];
      struct dtls_buffer reply = { memory, room, 0 };
      struct dtls_hello hello;

      CHECK (dtls_hello_find (gather, text (here), captured (&capture, 0), &hello));
      CHECK_UINT (dtls_hello_answer (&pair.cookie_keys, pair.now, text (here), &hello, &reply),
                  room == full.buffer.used ? DTLS_HELLO_REPLY : DTLS_HELLO_DROP);
      dtls_hello_gather_free (gather);
    }
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- cookies that are not good */

static void
test_cookie_of_another_address (void)
{
  struct capture capture;
  struct reply reply;
  struct pair pair;

  capture_hellos (&pair, &capture);
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, elsewhere, captured (&capture, 1), &reply),
              DTLS_HELLO_REPLY);
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, "", captured (&capture, 1), &reply),
              DTLS_HELLO_REPLY);
  PAIR_END (&pair);
}

/* Every byte of what RFC 6347 §4.2.1 names: version, random, session_id, suites, compression; and of the cookie. */
static void
test_cookie_of_another_hello (void)
{
  struct capture capture;
  struct reply reply;
  struct pair pair;
  struct client_hello hello;
  const size_t headers = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN;
  struct bytes message;

  capture_hellos (&pair, &capture);
  message = (struct bytes){ capture.at[1] + headers, capture.len[1] - headers };
  if (!CHECK (client_hello_read (message, &hello)))
    return;

  for (const uint8_t *at = message.at; at < hello.compression.at + hello.compression.left; at++)
    {
      uint8_t *byte = capture.at[1] + (at - capture.at[1]);
      enum dtls_hello_answer answer;

      *byte ^= 1;
      answer = answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 1), &reply);
      CHECK (answer != DTLS_HELLO_ACCEPT);
      *byte ^= 1;
    }

  /* Extensions may change with a cookie that does not cover them. */
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 1), &reply),
              DTLS_HELLO_ACCEPT);
  PAIR_END (&pair);
}

static void
test_cookie_of_every_length (void)
{
  static const uint8_t cookie[255] = { 1 };
  struct capture capture;
  struct pair pair;
  struct client_hello parsed;
  const size_t headers = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN;

  capture_hellos (&pair, &capture);
  CHECK (client_hello_read ((struct bytes){ capture.at[1] + headers, capture.len[1] - headers },
                            &parsed));
  for (size_t len = 0; len <= 255; len++)
    {
      uint8_t memory[2048];
      struct writer w = writer_over (memory, sizeof memory);
      struct client_hello changed = parsed;
      struct dtls_hello hello = { .message_seq = 1, .record_number = 1 };
      struct reply reply = { .buffer = { reply.at, sizeof reply.at, 0 } };

      changed.cookie = (struct bytes){ cookie, len };
      client_hello_write (&w, &changed);
      hello.message = writer_bytes (&w);
      CHECK_UINT (
          dtls_hello_answer (&pair.cookie_keys, pair.now, text (here), &hello, &reply.buffer),
          DTLS_HELLO_REPLY);
    }
  PAIR_END (&pair);
}

static void
test_cookie_expires (void)
{
  struct capture capture;
  struct reply reply;
  struct pair pair;

  capture_hellos (&pair, &capture);
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now + COOKIE_LIFETIME, here,
                         captured (&capture, 1), &reply),
              DTLS_HELLO_ACCEPT);
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now + 2 * COOKIE_LIFETIME, here,
                         captured (&capture, 1), &reply),
              DTLS_HELLO_REPLY);
  /* Its period's number comes again after 256 half-minutes, its MAC does not. */
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now + 256 * COOKIE_LIFETIME, here,
                         captured (&capture, 1), &reply),
              DTLS_HELLO_REPLY);
  /* Nor is one of the future good. */
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now - COOKIE_LIFETIME, here,
                         captured (&capture, 1), &reply),
              DTLS_HELLO_REPLY);
  PAIR_END (&pair);
}

static void
test_cookie_keys_rotate (void)
{
  struct capture capture;
  struct reply reply;
  struct pair pair;
  struct dtls_cookie_keys once, twice;

  capture_hellos (&pair, &capture);
  once = twice = pair.cookie_keys;
  memcpy (once.previous, pair.cookie_keys.current, sizeof once.previous);
  memset (once.current, 0x77, sizeof once.current);
  memset (twice.previous, 0x77, sizeof twice.previous);
  memset (twice.current, 0x78, sizeof twice.current);
  CHECK_UINT (answer_of (&once, pair.now, here, captured (&capture, 1), &reply), DTLS_HELLO_ACCEPT);
  CHECK_UINT (answer_of (&twice, pair.now, here, captured (&capture, 1), &reply), DTLS_HELLO_REPLY);
  PAIR_END (&pair);
}

static void
test_what_is_no_hello_is_dropped (void)
{
  struct capture capture;
  struct reply reply;
  struct pair pair;

  capture_hellos (&pair, &capture);
  for (size_t cut = 0; cut < capture.len[0]; cut++)
    CHECK_UINT (
        answer_of (&pair.cookie_keys, pair.now, here, (struct bytes){ capture.at[0], cut }, &reply),
        DTLS_HELLO_DROP);
  for (unsigned type = 0; type < 256; type++)
    {
      capture.at[0][RECORD_HEADER_LEN] = (uint8_t) type;
      CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 0), &reply),
                  type == CLIENT_HELLO ? DTLS_HELLO_REPLY : DTLS_HELLO_DROP);
    }
  capture.at[0][RECORD_HEADER_LEN] = CLIENT_HELLO;
  capture.at[0][4] = 1;
  CHECK_UINT (answer_of (&pair.cookie_keys, pair.now, here, captured (&capture, 0), &reply),
              DTLS_HELLO_DROP);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- gathering */

/* The hello's message cut to pieces of `len` bytes, delivered in the order of `step`. */
static bool
gather_in_pieces (struct dtls_hello_gather *gather, const char *address, struct bytes message,
                  size_t len, size_t step)
{
  size_t n = (message.left + len - 1) / len;
  uint8_t memory[4096];
  struct dtls_hello hello;
  bool is_found = false;

  for (size_t i = 0; i < n; i++)
    {
      size_t piece = i * step % n;
      size_t offset = piece * len;
      size_t left = message.left - offset < len ? message.left - offset : len;
      uint8_t content_memory[4096];
      struct writer w = writer_over (content_memory, sizeof content_memory);
      struct fragment fragment = {
        .type = CLIENT_HELLO,
        .message_len = (uint32_t) message.left,
        .offset = (uint32_t) offset,
        .body = { message.at + offset, left },
      };
      struct record_header header = { .type = CONTENT_HANDSHAKE, .number = i };

      fragment_write_header (&w, &fragment);
      write_bytes (&w, fragment.body.at, left);
      is_found = dtls_hello_find (
          gather, text (address),
          (struct bytes){ memory, make_plain (memory, sizeof memory, &header, writer_bytes (&w)) },
          &hello);
      if (is_found && i + 1 < n)
        return false;
    }

  return is_found && hello.message.left == message.left
         && memcmp (hello.message.at, message.at, message.left) == 0;
}

static struct bytes
message_of (const struct capture *capture, unsigned index)
{
  const size_t headers = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN;

  return (struct bytes){ capture->at[index] + headers, capture->len[index] - headers };
}

static void
test_gathers_fragments_in_any_order (void)
{
  struct dtls_hello_gather *gather = dtls_hello_gather_new ();
  struct capture capture;
  struct pair pair;

  capture_hellos (&pair, &capture);
  for (size_t len = 1; len < 200; len += 6)
    {
      CHECK (gather_in_pieces (gather, here, message_of (&capture, 0), len, 1));
      /* 1009 is prime and beyond any count of pieces: a permutation. */
      CHECK (gather_in_pieces (gather, here, message_of (&capture, 0), len, 1009));
    }
  dtls_hello_gather_free (gather);
  PAIR_END (&pair);
}

static void
test_gathers_by_address (void)
{
  struct dtls_hello_gather *gather = dtls_hello_gather_new ();
  struct capture capture;
  struct pair pair;
  struct bytes message;
  struct fragment half = { .type = CLIENT_HELLO };

  capture_hellos (&pair, &capture);
  message = message_of (&capture, 0);
  /* Each address sends another half: neither has a whole. */
  for (unsigned i = 0; i < 2; i++)
    {
      uint8_t content_memory[2048], memory[2048];
      struct writer w = writer_over (content_memory, sizeof content_memory);
      struct record_header header = { .type = CONTENT_HANDSHAKE };
      struct dtls_hello hello;

      half.message_len = (uint32_t) message.left;
      half.offset = i == 0 ? 0 : (uint32_t) message.left / 2;
      half.body = (struct bytes){ message.at + half.offset,
                                  i == 0 ? message.left / 2 : message.left - message.left / 2 };
      fragment_write_header (&w, &half);
      write_bytes (&w, half.body.at, half.body.left);
      CHECK (!dtls_hello_find (
          gather, text (i == 0 ? here : elsewhere),
          (struct bytes){ memory, make_plain (memory, sizeof memory, &header, writer_bytes (&w)) },
          &hello));
    }
  dtls_hello_gather_free (gather);
  PAIR_END (&pair);
}

/* A hello that says it is 2^24-1 bytes long, or a flood of beginnings, takes no memory and shuts nobody out for good. */
static void
test_gatherer_is_of_fixed_size (void)
{
  struct dtls_hello_gather *gather = dtls_hello_gather_new ();
  static const uint8_t huge[] = { 1, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 9 };
  static const uint8_t small[] = { 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9 };
  struct capture capture;
  struct pair pair;

  capture_hellos (&pair, &capture);
  for (unsigned i = 0; i < 10000; i++)
    {
      uint8_t memory[64];
      struct record_header header = { .type = CONTENT_HANDSHAKE, .number = i };
      size_t len =
          make_plain (memory, sizeof memory, &header, i & 1 ? TAP_BYTES (huge) : TAP_BYTES (small));
      struct bytes address = { (const uint8_t *) &i, sizeof i };
      struct dtls_hello hello;

      CHECK (!dtls_hello_find (gather, address, (struct bytes){ memory, len }, &hello));
    }
  CHECK (gather_in_pieces (gather, here, message_of (&capture, 0), 40, 1));
  dtls_hello_gather_free (gather);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/hello/answer/same-input-same-answer", test_same_input_same_answer },
  { "/conn/hello/answer/copies-the-record-number", test_record_number_is_copied },
  { "/conn/hello/answer/copies-message-seq", test_message_seq_is_copied },
  { "/conn/hello/answer/is-never-longer-than-the-hello",
    test_reply_is_never_longer_than_the_hello },
  { "/conn/hello/answer/is-never-longer-than-the-smallest-hello", test_smallest_hello },
  { "/conn/hello/answer/without-room-is-dropped", test_reply_without_room_is_dropped },
  { "/conn/hello/cookie/of-another-address-gets-another", test_cookie_of_another_address },
  { "/conn/hello/cookie/of-another-hello-gets-another", test_cookie_of_another_hello },
  { "/conn/hello/cookie/that-is-not-ours-of-any-length-gets-another", test_cookie_of_every_length },
  { "/conn/hello/cookie/expires-after-30-to-60-seconds", test_cookie_expires },
  { "/conn/hello/cookie/outlives-one-rotation-of-keys", test_cookie_keys_rotate },
  { "/conn/hello/find/what-is-no-hello-is-dropped", test_what_is_no_hello_is_dropped },
  { "/conn/hello/find/gathers-fragments-in-any-order", test_gathers_fragments_in_any_order },
  { "/conn/hello/find/gathers-by-address", test_gathers_by_address },
  { "/conn/hello/find/is-of-fixed-size", test_gatherer_is_of_fixed_size },
};

TAP_MAIN (tests)
