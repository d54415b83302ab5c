/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a ClientHello offers. */

#include "handshake/opening.h"
#include "pair.h"
#include "tap.h"
#include "wire/extensions.h"
#include "wire/hello.h"

struct sent
{
  struct handshake *h;
  struct effects effects;
  struct client_hello hello;
  struct extensions found;
};

static void
send (struct sent *sent, const struct dtls_config *config)
{
  static struct association known;
  static struct peer peer;
  struct handshake_parts parts = { config, pki_crypto (), DTLS_CLIENT, &known, &peer };

  memset (known.randoms, 7, RANDOM_LEN);
  sent->h = handshake_new (&parts);
  effects_init (&sent->effects);
  CHECK (offer_from_config (&sent->h->ours, config, pki_crypto ()));
  if (CHECK_UINT (opening_send (sent->h, &sent->effects), DTLS_OK))
    {
      CHECK (client_hello_read (sent->effects.list[0].message.body, &sent->hello));
      CHECK_UINT (extensions_read (sent->hello.extensions, IN_CLIENT_HELLO, &sent->found),
                  EXTENSIONS_OK);
    }
}

static void
done (struct sent *sent)
{
  effects_clear (&sent->effects);
  handshake_free (sent->h);
}

static void
test_default_hello (void)
{
  struct dtls_config config;
  struct sent sent;
  struct bytes list;

  dtls_config_init (&config);
  send (&sent, &config);
  CHECK_UINT (sent.hello.version, VERSION_DTLS_1_2);
  CHECK_UINT (sent.hello.session_id.left, 0);
  CHECK_UINT (sent.hello.cookie.left, 0);
  CHECK_BYTES (sent.hello.compression, TAP_STRING ("\0"));
  CHECK_UINT (sent.hello.suites.left, 12);
  CHECK (sent.found.has[FOUND_EXTENDED_MASTER_SECRET]);
  CHECK (sent.found.has[FOUND_RENEGOTIATION_INFO]);
  CHECK (sent.found.has[FOUND_RECORD_SIZE_LIMIT]);
  CHECK (!sent.found.has[FOUND_SERVER_NAME]);
  CHECK (!sent.found.has[FOUND_ALPN]);
  CHECK (!sent.found.has_unknown);
  CHECK (u16_list_read (sent.found.body[FOUND_SUPPORTED_GROUPS], &list));
  CHECK_UINT (u16_list_at (list, 0), GROUP_X25519);
  /* Small enough for any path, so that no server has to gather it. */
  CHECK (sent.effects.list[0].message.body.left < 200);
  done (&sent);
}

/* What it says it has is what is in it: the client refuses an answer to anything else. */
static void
test_has_extension_tells_the_truth (void)
{
  for (unsigned full = 0; full < 2; full++)
    {
      struct dtls_config config;
      struct sent sent;

      dtls_config_init (&config);
      if (full)
        {
          config.server_name = TAP_STRING ("example.com");
          config.alpn = TAP_STRING ("\1a");
        }
      send (&sent, &config);
      for (unsigned i = 0; i < N_EXTENSIONS; i++)
        CHECK_UINT (opening_has_extension (sent.h, i), sent.found.has[i]);
      done (&sent);
    }
}

static void
test_largest_hello (void)
{
  static uint8_t name[255], alpn[4096];
  struct dtls_config config;
  struct sent sent;
  struct bytes got;

  memset (name, 'x', sizeof name);
  for (size_t i = 0; i < sizeof alpn; i += 256)
    {
      memset (alpn + i, 'y', 256);
      alpn[i] = 255;
    }
  dtls_config_init (&config);
  config.server_name = TAP_BYTES (name);
  config.alpn = TAP_BYTES (alpn);
  send (&sent, &config);
  CHECK (server_name_read (sent.found.body[FOUND_SERVER_NAME], &got));
  CHECK_BYTES (got, TAP_BYTES (name));
  CHECK (alpn_read (sent.found.body[FOUND_ALPN], &got));
  CHECK_BYTES (got, TAP_BYTES (alpn));
  done (&sent);
}

static void
test_largest_hello_connects_at_the_smallest_mtu (void)
{
  static uint8_t name[255], alpn[2048];
  struct pair pair;

  memset (name, 'x', sizeof name);
  for (size_t i = 0; i < sizeof alpn; i += 256)
    {
      memset (alpn + i, 'y', 256);
      alpn[i] = 255;
    }
  for (unsigned cookies = 0; cookies < 2; cookies++)
    {
      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair.has_cookies = cookies;
      pair.sides[DTLS_CLIENT].config.mtu = 256;
      pair.sides[DTLS_CLIENT].config.server_name = TAP_BYTES (name);
      pair.sides[DTLS_CLIENT].config.alpn = TAP_BYTES (alpn);
      CHECK (pair_handshake (&pair));
      CHECK_BYTES (dtls_conn_server_name (pair.sides[DTLS_SERVER].conn), TAP_BYTES (name));
      PAIR_END (&pair);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/opening/default-hello", test_default_hello },
  { "/handshake/opening/has-extension-tells-the-truth", test_has_extension_tells_the_truth },
  { "/handshake/opening/largest-hello", test_largest_hello },
  { "/handshake/opening/largest-hello-connects-at-the-smallest-mtu",
    test_largest_hello_connects_at_the_smallest_mtu },
};

TAP_MAIN (tests)
