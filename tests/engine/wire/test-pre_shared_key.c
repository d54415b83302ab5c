/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* wire/pre_shared_key: RFC 9846 §4.3.11. */

#include "codec.h"
#include "wire/extensions.h"
#include "wire/hello.h"
#include "wire/pre_shared_key.h"

#define BYTES_16 "0123456789abcdef"
#define BYTES_31 BYTES_16 "ghijklmnopqrstu"
#define BYTES_32 BYTES_31 "v"
#define BYTES_48 BYTES_32 BYTES_16

/* An identity of one byte with its age, and a binder of 32 bytes. */
#define IDENTITY "\0\1i\1\2\3\4"
#define BINDER "\x20" BYTES_32

enum
{
  MAX_PSKS = 8,
};

static bool
rewrite (struct bytes body, struct writer *writer)
{
  struct offered_psk got[MAX_PSKS];
  struct offered_psks psks;
  size_t n = 0, n_told, binders;

  if (offered_psks_read (body, &psks) != READ_OK)
    return false;

  n_told = psks.n;
  while (n < MAX_PSKS && offered_psks_next (&psks, &got[n]))
    n++;
  CHECK_UINT (n, n_told);

  binders = offered_psks_write (writer, got, n);
  for (size_t i = 0; i < n; i++)
    offered_psks_patch (writer, binders, i, got[i].binder);
  return true;
}

static void
is_a_codec (void)
{
  codec_check (rewrite, TAP_STRING ("\0\x07" IDENTITY "\0\x21" BINDER), CODEC_NO_PREFIX);
  codec_check (rewrite,
               TAP_STRING ("\0\x15" IDENTITY "\0\x08identity\0\0\0\0"
                           "\0\x52" BINDER "\x30" BYTES_48),
               CODEC_NO_PREFIX);
}

static void
lists_are_judged (void)
{
  static const struct
  {
    const char *row;
    struct bytes body;
    enum read_result expected;
  } rows[] = {
    { "one", TAP_STRING ("\0\x07" IDENTITY "\0\x21" BINDER), READ_OK },
    { "two", TAP_STRING ("\0\x0e" IDENTITY IDENTITY "\0\x42" BINDER BINDER), READ_OK },
    { "one and two binders", TAP_STRING ("\0\x07" IDENTITY "\0\x42" BINDER BINDER), READ_ILLEGAL },
    { "two and one binder", TAP_STRING ("\0\x0e" IDENTITY IDENTITY "\0\x21" BINDER), READ_ILLEGAL },
    { "no body", { NULL, 0 }, READ_MALFORMED },
    { "nothing", TAP_STRING ("\0\0\0\0"), READ_MALFORMED },
    { "no identity", TAP_STRING ("\0\0\0\x21" BINDER), READ_MALFORMED },
    { "no binder", TAP_STRING ("\0\x07" IDENTITY "\0\0"), READ_MALFORMED },
    { "no list of binders", TAP_STRING ("\0\x07" IDENTITY), READ_MALFORMED },
    { "an empty identity", TAP_STRING ("\0\6\0\0\1\2\3\4\0\x21" BINDER), READ_MALFORMED },
    { "an empty identity after a good one",
      TAP_STRING ("\0\x0d" IDENTITY "\0\0\1\2\3\4\0\x42" BINDER BINDER), READ_MALFORMED },
    { "an age cut short", TAP_STRING ("\0\6\0\1i\1\2\3\0\x21" BINDER), READ_MALFORMED },
    { "an identity reaching out of the list", TAP_STRING ("\0\x07\0\2i\1\2\3\4\0\x21" BINDER),
      READ_MALFORMED },
    { "half an identity after a good one", TAP_STRING ("\0\x08" IDENTITY "\0\0\x21" BINDER),
      READ_MALFORMED },
    { "an empty binder", TAP_STRING ("\0\x07" IDENTITY "\0\1\0"), READ_MALFORMED },
    { "a binder reaching out of the list", TAP_STRING ("\0\x07" IDENTITY "\0\x21\x21" BYTES_32 "x"),
      READ_MALFORMED },
    { "half a binder after a good one", TAP_STRING ("\0\x07" IDENTITY "\0\x22" BINDER "\x20"),
      READ_MALFORMED },
    { "a byte left over", TAP_STRING ("\0\x07" IDENTITY "\0\x21" BINDER "x"), READ_MALFORMED },
    { "a ServerHello's", TAP_STRING ("\0\0"), READ_MALFORMED },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct offered_psks psks;

      tap_set_row (rows[i].row);
      CHECK_UINT (offered_psks_read (rows[i].body, &psks), rows[i].expected);
    }
}

static void
binder_has_1_to_255_bytes (void)
{
  uint8_t body[2 + 7 + 2 + 1 + 255] = "\0\x07" IDENTITY;

  for (unsigned len = 0; len <= 255; len++)
    {
      struct offered_psks psks;

      body[9] = (uint8_t) ((1 + len) >> 8);
      body[10] = (uint8_t) (1 + len);
      body[11] = (uint8_t) len;
      CHECK_UINT (offered_psks_read ((struct bytes){ body, 12 + len }, &psks),
                  len >= 1 ? READ_OK : READ_MALFORMED);
    }
}

static void
next_gives_each_with_its_binder (void)
{
  struct offered_psks psks;
  struct offered_psk psk;

  CHECK_UINT (offered_psks_read (TAP_STRING ("\0\x15" IDENTITY "\0\x08identity\0\0\0\0"
                                             "\0\x52\x30" BYTES_48 BINDER),
                                 &psks),
              READ_OK);
  CHECK_UINT (psks.n, 2);
  CHECK (offered_psks_next (&psks, &psk));
  CHECK_BYTES (psk.identity, TAP_STRING ("i"));
  CHECK_UINT (psk.obfuscated_age, 0x01020304);
  CHECK_BYTES (psk.binder, TAP_STRING (BYTES_48));
  CHECK (offered_psks_next (&psks, &psk));
  CHECK_BYTES (psk.identity, TAP_STRING ("identity"));
  CHECK_UINT (psk.obfuscated_age, 0);
  CHECK_BYTES (psk.binder, TAP_STRING (BYTES_32));
  CHECK (!offered_psks_next (&psks, &psk));
  CHECK (!offered_psks_next (&psks, &psk));
}

static void
binders_are_zeros_until_patched (void)
{
  static const uint8_t zeros[48];
  const struct offered_psk offer[] = {
    { TAP_STRING ("i"), 1, TAP_STRING (BYTES_32) },
    { TAP_STRING ("identity"), 2, TAP_STRING (BYTES_48) },
  };
  uint8_t out[256];
  struct writer writer = writer_over (out, sizeof out);
  size_t binders = offered_psks_write (&writer, offer, TAP_N (offer));

  for (size_t n_patched = 0; n_patched <= TAP_N (offer); n_patched++)
    {
      struct offered_psks psks;
      struct offered_psk psk;

      CHECK_UINT (offered_psks_read (writer_bytes (&writer), &psks), READ_OK);
      for (size_t i = 0; offered_psks_next (&psks, &psk); i++)
        CHECK_BYTES (psk.binder, i < n_patched ? offer[i].binder
                                               : ((struct bytes){ zeros, offer[i].binder.left }));
      if (n_patched < TAP_N (offer))
        offered_psks_patch (&writer, binders, n_patched, offer[n_patched].binder);
    }
}

/* What the client stops hashing at is what the server takes off the hello's end. */
static void
both_sides_truncate_the_hello_alike (void)
{
  const struct offered_psk offer[] = {
    { TAP_STRING ("ticket"), 1, TAP_STRING (BYTES_32) },
    { TAP_STRING ("other"), 2, TAP_STRING (BYTES_48) },
  };
  struct client_hello hello = {
    .version = VERSION_DTLS_1_2,
    .random = TAP_STRING (BYTES_32),
    .suites = TAP_STRING ("\x13\1"),
    .compression = TAP_STRING ("\0"),
  };
  uint8_t out[512];
  struct writer writer = writer_over (out, sizeof out);
  struct extensions found;
  struct offered_psks psks;
  size_t block, body, binders;

  client_hello_write (&writer, &hello);
  block = extension_block_begin (&writer);
  extension_end (&writer, extension_begin (&writer, EXT_EARLY_DATA));
  body = extension_begin (&writer, EXT_PRE_SHARED_KEY);
  binders = offered_psks_write (&writer, offer, TAP_N (offer));
  extension_end (&writer, body);
  extension_block_end (&writer, block);

  CHECK (client_hello_read (writer_bytes (&writer), &hello));
  CHECK_UINT (extensions_read (hello.extensions, IN_CLIENT_HELLO, &found), EXTENSIONS_OK);
  CHECK_UINT (offered_psks_read (found.body[FOUND_PRE_SHARED_KEY], &psks), READ_OK);
  CHECK_UINT (psks.binders_len, 2 + 33 + 49);
  CHECK_UINT (binders, writer.used - psks.binders_len);
}

static const struct tap_test tests[] = {
  { "/wire/pre-shared-key/is-a-codec", is_a_codec },
  { "/wire/pre-shared-key/lists-are-judged", lists_are_judged },
  { "/wire/pre-shared-key/binder-has-1-to-255-bytes", binder_has_1_to_255_bytes },
  { "/wire/pre-shared-key/next-gives-each-with-its-binder", next_gives_each_with_its_binder },
  { "/wire/pre-shared-key/binders-are-zeros-until-patched", binders_are_zeros_until_patched },
  { "/wire/pre-shared-key/both-sides-truncate-the-hello-alike",
    both_sides_truncate_the_hello_alike },
};

TAP_MAIN (tests)
