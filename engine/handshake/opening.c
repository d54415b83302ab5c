/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Writing the ClientHello. */

#include "handshake/opening.h"

#include "wire/extensions.h"

enum
{
  /* Fixed fields, cookie, suites, and every extension at its longest: a name of 255 bytes, and the
   * lists of handshake/negotiate.h. ALPN comes on top. */
  MAX_HELLO_LEN = 2 + RANDOM_LEN + 1 + 1 + MAX_COOKIE_LEN + 2 + 2 * MAX_OFFERED_SUITES + 2 + 2
                  + (9 + 255) + (6 + 2 * MAX_OFFERED_GROUPS) + 6 + (6 + 2 * MAX_OFFERED_SCHEMES) + 4
                  + 6 + 5,
};

bool
opening_has_extension (const struct handshake *handshake, unsigned extension_index)
{
  switch (extension_index)
    {
    case FOUND_SERVER_NAME:
      return handshake->config->server_name.left > 0;
    case FOUND_ALPN:
      return handshake->config->alpn.left > 0;
    case FOUND_SUPPORTED_GROUPS:
    case FOUND_EC_POINT_FORMATS:
    case FOUND_SIGNATURE_ALGORITHMS:
    case FOUND_EXTENDED_MASTER_SECRET:
    case FOUND_RECORD_SIZE_LIMIT:
    case FOUND_RENEGOTIATION_INFO:
      return true;
    default:
      return false;
    }
}

static void
write_extensions (const struct handshake *h, struct writer *w)
{
  size_t body;

  if (opening_has_extension (h, FOUND_SERVER_NAME))
    {
      body = extension_begin (w, EXT_SERVER_NAME);
      server_name_write (w, h->config->server_name);
      extension_end (w, body);
    }

  body = extension_begin (w, EXT_RENEGOTIATION_INFO);
  renegotiation_info_write (w, (struct bytes){ NULL, 0 });
  extension_end (w, body);

  body = extension_begin (w, EXT_EXTENDED_MASTER_SECRET);
  extension_end (w, body);

  body = extension_begin (w, EXT_SUPPORTED_GROUPS);
  u16_list_write (w, h->ours.groups, h->ours.n_groups);
  extension_end (w, body);

  body = extension_begin (w, EXT_EC_POINT_FORMATS);
  ec_point_formats_write (w);
  extension_end (w, body);

  body = extension_begin (w, EXT_SIGNATURE_ALGORITHMS);
  u16_list_write (w, h->ours.schemes, h->ours.n_schemes);
  extension_end (w, body);

  if (opening_has_extension (h, FOUND_ALPN))
    {
      body = extension_begin (w, EXT_ALPN);
      alpn_write (w, h->config->alpn);
      extension_end (w, body);
    }

  body = extension_begin (w, EXT_RECORD_SIZE_LIMIT);
  record_size_limit_write (w, h->config->record_size_limit);
  extension_end (w, body);
}

enum dtls_error
opening_send (struct handshake *handshake, struct effects *effects)
{
  uint8_t suites[2 * MAX_OFFERED_SUITES];
  struct writer suite_list = writer_over (suites, sizeof suites);
  struct writer *w;
  size_t block;
  struct client_hello hello = {
    .version = VERSION_DTLS_1_2,
    .random = { handshake->known->randoms, RANDOM_LEN },
    .cookie = { handshake->cookie, handshake->cookie_len },
    .compression = { (const uint8_t[]){ 0 }, 1 },
  };

  for (size_t i = 0; i < handshake->ours.n_suites; i++)
    write_u16 (&suite_list, handshake->ours.suites[i]);
  hello.suites = writer_bytes (&suite_list);

  w = effects_draft (effects, MAX_HELLO_LEN + 6 + handshake->config->alpn.left);
  client_hello_write (w, &hello);
  block = write_vec_begin (w, 2);
  write_extensions (handshake, w);
  write_vec_end (w, block, 2);
  return handshake_send (handshake, effects, CLIENT_HELLO);
}
