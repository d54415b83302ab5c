/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The transcript as signatures and Finished cover it. */

#include "handshake/transcript.h"
#include "pki.h"
#include "tap.h"

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

/* Many messages of every size: it grows, and the hash stays that of all of it. */
static void
test_hash_of_a_long_transcript (void)
{
  static const char *const names[] = { "SHA256", "SHA384", "SHA512" };
  uint8_t *body = calloc (1, 70000);
  struct transcript transcript = { 0 };

  for (size_t i = 0; i < 40; i++)
    {
      struct message message = { (uint8_t) i, (uint16_t) i, { body, i * i * 40 } };
      uint8_t got[64], expected[64];
      struct bytes all;

      CHECK (transcript_add (&transcript, &message));
      all = transcript_bytes (&transcript);
      for (unsigned h = 0; h < TAP_N (names); h++)
        {
          CHECK (transcript_hash (&transcript, pki_crypto (), (enum hash) h, got));
          CHECK (EVP_Q_digest (NULL, names[h], NULL, all.at, all.left, expected, NULL) == 1);
          CHECK (memcmp (got, expected, hash_len ((enum hash) h)) == 0);
        }
    }
  transcript_clear (&transcript);
  free (body);
}

static const struct tap_test tests[] = {
  { "/handshake/transcript/messages-have-the-header-of-a-whole",
    test_messages_have_the_header_of_a_whole },
  { "/handshake/transcript/restart-forgets", test_restart_forgets },
  { "/handshake/transcript/hash-is-libcryptos-at-every-length", test_hash_of_a_long_transcript },
};

TAP_MAIN (tests)
