/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* ClientHellos of 1.3 made by hand, right but for what a test wants, and a server that takes them. */

#pragma once

#include "handshake/duel13.h"
#include "wire/extensions.h"
#include "wire/hello.h"
#include "wire/key_share.h"
#include "wire/pre_shared_key.h"

/* The bytes of a string literal, for a table. */
#define LITERAL(text)                                                                              \
  {                                                                                                \
    (const uint8_t *) (text), sizeof (text) - 1                                                    \
  }

/* A share of P-256, the generator; and a list with it alone. */
#define CRAFTED_P256_ENTRY                                                                         \
  "\0\x17\0\x41\4"                                                                                 \
  "\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2"                               \
  "\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96"                               \
  "\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16"                               \
  "\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5"
#define CRAFTED_P256_SHARE "\0\x45" CRAFTED_P256_ENTRY

/* What is zero is as it should be. */
struct crafted
{
  uint16_t version;
  struct bytes session_id;
  struct bytes cookie; /* legacy_cookie */
  struct bytes suites;
  struct bytes compression;
  struct bytes random_end; /* in place of the random's last bytes */
  unsigned omitted[3];     /* extensions, by their type plus 1 */
  unsigned changed;        /* an extension, by its type plus 1, with another body */
  struct bytes body;
  struct bytes extra;  /* whole extensions, ahead of pre_shared_key */
  struct bytes behind; /* the same, as the last */
  bool has_psk;
};

struct crafted_extension
{
  uint16_t type;
  struct bytes body;
};

/* X25519 and P-256; a share of X25519, which any 32 bytes that are not of small order are. */
/* clang-format off */
static const struct crafted_extension crafted_extensions[] = {
  { EXT_SUPPORTED_VERSIONS,     LITERAL ("\4\xfe\xfc\xfe\xfd") },
  { EXT_SUPPORTED_GROUPS,       LITERAL ("\0\4\0\x1d\0\x17") },
  { EXT_SIGNATURE_ALGORITHMS,   LITERAL ("\0\4\4\3\x08\4") },
  { EXT_KEY_SHARE,              LITERAL ("\0\x24\0\x1d\0\x20" "0123456789abcdef0123456789abcdef") },
  { EXT_PSK_KEY_EXCHANGE_MODES, LITERAL ("\1\1") },
  { EXT_PRE_SHARED_KEY,         LITERAL ("\0\x0d\0\7someone\0\0\0\0\0\x21\x20" "0123456789abcdef0123456789abcdef") },
};
/* clang-format on */

static inline bool
crafted_omits (const struct crafted *crafted, uint16_t type)
{
  for (size_t i = 0; i < TAP_N (crafted->omitted); i++)
    if (crafted->omitted[i] == type + 1u)
      return true;

  return type == EXT_PRE_SHARED_KEY && !crafted->has_psk;
}

static inline void
crafted_write_extensions (struct writer *w, const struct crafted *crafted)
{
  for (size_t i = 0; i < TAP_N (crafted_extensions); i++)
    {
      const struct crafted_extension *extension = &crafted_extensions[i];
      struct bytes content = extension->body;
      size_t body;

      if (extension->type == EXT_PRE_SHARED_KEY && crafted->extra.left > 0)
        write_bytes (w, crafted->extra.at, crafted->extra.left);
      if (crafted_omits (crafted, extension->type))
        continue;
      if (crafted->changed == extension->type + 1u)
        content = crafted->body;
      body = extension_begin (w, extension->type);
      if (content.left > 0)
        write_bytes (w, content.at, content.left);
      extension_end (w, body);
    }

  if (crafted->behind.left > 0)
    write_bytes (w, crafted->behind.at, crafted->behind.left);
}

static inline struct bytes
crafted_or (struct bytes given, struct bytes usual)
{
  return given.at != NULL ? given : usual;
}

/* The message's body, in `memory`. */
static inline struct bytes
crafted_write (const struct crafted *crafted, uint8_t *memory, size_t capacity)
{
  static uint8_t block[1 << 14];
  uint8_t random[RANDOM_LEN] = { 1, 2, 3 };
  struct writer w = writer_over (memory, capacity), extensions = writer_over (block, sizeof block);
  struct client_hello hello = {
    .version = crafted->version != 0 ? crafted->version : VERSION_DTLS_1_2,
    .random = { random, sizeof random },
    .session_id = crafted->session_id,
    .cookie = crafted->cookie,
    .suites = crafted_or (crafted->suites, TAP_STRING ("\x13\1\x13\2\xc0\x2b")),
    .compression = crafted_or (crafted->compression, TAP_STRING ("\0")),
  };

  if (crafted->random_end.left > 0)
    memcpy (random + RANDOM_LEN - crafted->random_end.left, crafted->random_end.at,
            crafted->random_end.left);
  crafted_write_extensions (&extensions, crafted);
  hello.extensions = writer_bytes (&extensions);
  client_hello_write (&w, &hello);
  CHECK (writer_ok (&w));
  return writer_bytes (&w);
}

/* A server that has been set up, and what it makes of one more hello. Questions stay open. */
static inline enum dtls_error
crafted_give (struct duel *duel, const struct crafted *crafted)
{
  static uint8_t memory[1 << 14];
  struct duel_side *server = &duel->sides[DTLS_SERVER];
  struct message message = { CLIENT_HELLO, 0, crafted_write (crafted, memory, sizeof memory) };
  enum dtls_error error;

  if (server->h == NULL)
    duel_side_begin (duel, DTLS_SERVER, false);
  effects_clear (&server->effects);
  error = handshake_take_message (server->h, &message, &server->effects);
  while (error == DTLS_OK && handshake_takes (server->h, INPUT_OUR_TURN))
    error = handshake_take_input (server->h, INPUT_OUR_TURN, &server->effects);
  return error;
}
