/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* How a secret is written down. */

#include "handshake/keylog.h"

#include "crypto/digest.h"
#include "wire/codepoints.h"
#include "wire/writer.h"

#include <string.h>

enum
{
  MAX_LABEL_LEN = 32, /* "CLIENT_HANDSHAKE_TRAFFIC_SECRET" has 31 */
  MAX_LINE_LEN = MAX_LABEL_LEN + 1 + 2 * RANDOM_LEN + 1 + 2 * MAX_HASH_LEN,
};

static void
write_hex (struct writer *w, struct bytes bytes)
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < bytes.left; i++)
    {
      write_u8 (w, (uint8_t) digits[bytes.at[i] >> 4]);
      write_u8 (w, (uint8_t) digits[bytes.at[i] & 15]);
    }
}

void
keylog_secret (const struct dtls_config *config, const char *label, const uint8_t *client_random,
               struct bytes secret)
{
  char line[MAX_LINE_LEN + 1];
  struct writer w = writer_over ((uint8_t *) line, sizeof line);

  if (config->keylog == NULL)
    return;

  /* RFC 9850 §2: label, ClientHello.random, secret. */
  write_bytes (&w, (const uint8_t *) label, strlen (label));
  write_u8 (&w, ' ');
  write_hex (&w, (struct bytes){ client_random, RANDOM_LEN });
  write_u8 (&w, ' ');
  write_hex (&w, secret);
  write_u8 (&w, '\0');

  if (writer_ok (&w))
    config->keylog (config->keylog_data, line);
  wipe (line, sizeof line);
}
