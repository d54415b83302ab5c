/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The transcript as signatures and Finished cover it. */

#include "handshake/transcript.h"
#include "pki.h"
#include "tap.h"
#include "wire/codepoints.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* RFC 6347 §4.2.6: "as if each handshake message had been sent as a single fragment". */
static void
test_messages_have_the_header_of_a_whole (void)
{
  static const uint8_t expected[] = {
    1,  0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c', /* ClientHello */
    14, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0,                /* ServerHelloDone, number 258 */
  };
  struct message hello = { 1, 0, TAP_STRING ("abc") }, done = { 14, 258, { NULL, 0 } };
  struct transcript transcript = { 0 };

  CHECK (transcript_add (&transcript, &hello));
  CHECK (transcript_add (&transcript, &done));
  CHECK_BYTES (transcript_bytes (&transcript), TAP_BYTES (expected));
  transcript_clear (&transcript);
  CHECK_UINT (transcript_bytes (&transcript).left, 0);
}

static void
test_restart_forgets (void)
{
  struct message hello = { 1, 0, TAP_STRING ("abc") };
  struct transcript transcript = { 0 };

  CHECK (transcript_add (&transcript, &hello));
  transcript_restart (&transcript);
  CHECK_UINT (transcript_bytes (&transcript).left, 0);
  CHECK (transcript_add (&transcript, &hello));
  CHECK_UINT (transcript_bytes (&transcript).left, 15);
  transcript_clear (&transcript);
}

static void
expect_hash (enum hash hash, struct bytes bytes, uint8_t *out)
{
  static const char *const names[] = { "SHA256", "SHA384", "SHA512" };

  CHECK (EVP_Q_digest (NULL, names[hash], NULL, bytes.at, bytes.left, out, NULL) == 1);
}

/* Many messages of every size: it grows, and the hash stays that of all of it. */
static void
test_hash_of_a_long_transcript (void)
{
  uint8_t *body = calloc (1, 70000);
  struct transcript transcript = { 0 };

  for (size_t i = 0; i < 40; i++)
    {
      struct message message = { (uint8_t) i, (uint16_t) i, { body, i * i * 40 } };
      uint8_t got[64], expected[64];

      CHECK (transcript_add (&transcript, &message));
      for (enum hash hash = HASH_SHA256; hash <= HASH_SHA512; hash++)
        {
          CHECK (transcript_hash (&transcript, pki_crypto (), hash, got));
          expect_hash (hash, transcript_bytes (&transcript), expected);
          CHECK (memcmp (got, expected, hash_len (hash)) == 0);
        }
    }
  transcript_clear (&transcript);
  free (body);
}

/* RFC 9147 §5.2: type and length alone; also of what was there before. */
static void
test_13_has_short_headers (void)
{
  static const uint8_t expected[] = {
    1,  0, 0, 3, 'a', 'b', 'c', /* ClientHello */
    2,  0, 0, 0,                /* an empty ServerHello */
    11, 0, 1, 4,                /* Certificate of 260 bytes */
  };
  static const uint8_t certificate[260] = { [0] = 1, [259] = 2 };
  const struct message messages[] = { { 1, 0, TAP_STRING ("abc") },
                                      { 2, 7, { NULL, 0 } },
                                      { 11, 8, TAP_BYTES (certificate) } };

  /* It becomes 1.3's before the message of each number, or after the last. */
  for (size_t turn = 0; turn <= TAP_N (messages); turn++)
    {
      struct transcript transcript = { 0 };
      struct bytes all;

      for (size_t i = 0; i < TAP_N (messages); i++)
        {
          if (i == turn)
            transcript_use_13 (&transcript);
          CHECK (transcript_add (&transcript, &messages[i]));
        }
      /* Again changes nothing. */
      transcript_use_13 (&transcript);
      transcript_use_13 (&transcript);
      all = transcript_bytes (&transcript);
      if (CHECK_UINT (all.left, sizeof expected + sizeof certificate))
        {
          CHECK_BYTES (((struct bytes){ all.at, sizeof expected }), TAP_BYTES (expected));
          CHECK_BYTES (((struct bytes){ all.at + sizeof expected, sizeof certificate }),
                       TAP_BYTES (certificate));
        }
      transcript_clear (&transcript);
      CHECK (!transcript.is_13);
    }
}

/* RFC 9846 §4.1: a message of type 254 with the hash of the first ClientHello takes its place. */
static void
test_retry (void)
{
  static const uint8_t hello[] = { 1, 0, 0, 3, 'a', 'b', 'c' };
  const struct message first = { 1, 0, TAP_STRING ("abc") }, request = { 2, 0, TAP_STRING ("r") };

  for (enum hash hash = HASH_SHA256; hash <= HASH_SHA384; hash++)
    for (unsigned is_13_before = 0; is_13_before < 2; is_13_before++)
      {
        uint8_t expected[4 + 64 + 5] = { 254, 0, 0, (uint8_t) hash_len (hash) };
        const size_t len = hash_len (hash);
        struct transcript kept = { 0 }, stateless = { 0 };

        expect_hash (hash, TAP_BYTES (hello), expected + 4);
        memcpy (expected + 4 + len, "\2\0\0\1r", 5);

        if (is_13_before)
          transcript_use_13 (&kept);
        CHECK (transcript_add (&kept, &first));
        CHECK (transcript_retry (&kept, pki_crypto (), hash));
        CHECK (transcript_add (&kept, &request));
        CHECK_BYTES (transcript_bytes (&kept), ((struct bytes){ expected, 4 + len + 5 }));

        CHECK (transcript_retry_from (&stateless, (struct bytes){ expected + 4, len }));
        CHECK (transcript_add (&stateless, &request));
        CHECK_BYTES (transcript_bytes (&stateless), transcript_bytes (&kept));
        transcript_clear (&kept);
        transcript_clear (&stateless);
      }
}

/* RFC 9846 §4.3.11.2: the length is that of the whole hello, and the binders are not covered. */
static void
test_hash_of_a_beginning (void)
{
  static const uint8_t alone[] = { 1, 0, 1, 0, 'a', 'b' };
  static const uint8_t after[] = { 2, 0, 0, 1, 'r', 1, 0, 1, 0, 'a', 'b' };
  const struct partial_message partial = { CLIENT_HELLO, 256, TAP_STRING ("ab") };
  const struct message request = { 2, 0, TAP_STRING ("r") };

  for (enum hash hash = HASH_SHA256; hash <= HASH_SHA384; hash++)
    {
      struct transcript transcript = { 0 };
      uint8_t got[64], expected[64];

      CHECK (transcript_hash_with (&transcript, pki_crypto (), hash, &partial, got));
      expect_hash (hash, TAP_BYTES (alone), expected);
      CHECK (memcmp (got, expected, hash_len (hash)) == 0);

      transcript_use_13 (&transcript);
      CHECK (transcript_add (&transcript, &request));
      CHECK (transcript_hash_with (&transcript, pki_crypto (), hash, &partial, got));
      expect_hash (hash, TAP_BYTES (after), expected);
      CHECK (memcmp (got, expected, hash_len (hash)) == 0);
      CHECK_UINT (transcript_bytes (&transcript).left, 5);
      transcript_clear (&transcript);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/transcript/messages-have-the-header-of-a-whole",
    test_messages_have_the_header_of_a_whole },
  { "/handshake/transcript/restart-forgets", test_restart_forgets },
  { "/handshake/transcript/hash-is-libcryptos-at-every-length", test_hash_of_a_long_transcript },
  { "/handshake/transcript/1.3-has-short-headers-also-of-what-came-before",
    test_13_has_short_headers },
  { "/handshake/transcript/a-retry-leaves-the-hash-of-the-hello", test_retry },
  { "/handshake/transcript/hash-of-the-beginning-of-a-message", test_hash_of_a_beginning },
};

TAP_MAIN (tests)
