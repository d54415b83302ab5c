/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which version a first hello leads to. */

#include "handshake/crafted13.h"
#include "handshake/server12.h"
#include "handshake/server13.h"
#include "handshake/welcome.h"

enum
{
  V12 = VERSION_DTLS_1_2,
  V13 = VERSION_DTLS_1_3,
  BAD = DTLS_ERROR_PROTOCOL_VERSION,
  FALLBACK = DTLS_ERROR_INAPPROPRIATE_FALLBACK,
};

struct version_row
{
  const char *name;
  unsigned max, min; /* ours */
  unsigned legacy;   /* the hello's */
  struct bytes list; /* body of supported_versions; empty: none */
  bool has_scsv;
  unsigned expected; /* version, or enum dtls_error */
};

#define NO_LIST LITERAL ("")

/* clang-format off */
static const struct version_row version_rows[] = {
  /* name                                     max  min  legacy  list                                   scsv   expected */
  { "both have both",                         V13, V12, V12,    LITERAL ("\4\xfe\xfc\xfe\xfd"),         false, V13 },
  { "the client likes 1.2 better",            V13, V12, V12,    LITERAL ("\4\xfe\xfd\xfe\xfc"),         false, V13 },
  { "the client has 1.3 only",                V13, V12, V12,    LITERAL ("\2\xfe\xfc"),                 false, V13 },
  { "the client has 1.2 only, in a list",     V13, V12, V12,    LITERAL ("\2\xfe\xfd"),                 false, V12 },
  { "the client has no list",                 V13, V12, V12,    NO_LIST,                                false, V12 },
  { "we have 1.2 only",                       V12, V12, V12,    LITERAL ("\4\xfe\xfc\xfe\xfd"),         false, V12 },
  { "we have 1.3 only",                       V13, V13, V12,    LITERAL ("\4\xfe\xfc\xfe\xfd"),         false, V13 },
  { "1.3 only against 1.2 only",              V13, V13, V12,    LITERAL ("\2\xfe\xfd"),                 false, BAD },
  { "1.3 only against no list",               V13, V13, V12,    NO_LIST,                                false, BAD },
  { "1.2 only against 1.3 only",              V12, V12, V12,    LITERAL ("\2\xfe\xfc"),                 false, BAD },
  { "unknown ones among them",                V13, V12, V12,    LITERAL ("\6\x1a\x1a\xfe\xfc\xfe\xfb"), false, V13 },
  { "unknown ones only",                      V13, V12, V12,    LITERAL ("\4\x1a\x1a\xfe\xfb"),         false, BAD },
  { "TLS's number",                           V13, V12, V12,    LITERAL ("\2\3\4"),                     false, BAD },
  { "1.0 in a list",                          V13, V12, V12,    LITERAL ("\2\xfe\xff"),                 false, BAD },
  { "a list that is empty",                   V13, V12, V12,    LITERAL ("\0"),                         false, DTLS_ERROR_DECODE },
  { "a list with half a version",             V13, V12, V12,    LITERAL ("\3\xfe\xfc\xfe"),             false, DTLS_ERROR_DECODE },

  /* RFC 9846 §4.2.2 */
  { "1.3 with a legacy_version of 1.3",       V13, V12, V13,    LITERAL ("\2\xfe\xfc"),                 false, BAD },
  { "1.3 with a legacy_version of 1.0",       V13, V12, 0xfeff, LITERAL ("\2\xfe\xfc"),                 false, BAD },
  { "1.2 in a list, whatever legacy_version", V13, V12, 0xfeff, LITERAL ("\2\xfe\xfd"),                 false, V12 },

  /* RFC 5246 §E.1 */
  { "legacy_version of 1.3",                  V13, V12, V13,    NO_LIST,                                false, V12 },
  { "legacy_version to come",                 V13, V12, 0xfe00, NO_LIST,                                false, V12 },
  { "legacy_version's major part to come",    V13, V12, 0xfdff, NO_LIST,                                false, V12 },
  { "legacy_version of 1.0",                  V13, V12, 0xfeff, NO_LIST,                                false, BAD },
  { "legacy_version of TLS",                  V13, V12, 0x0303, NO_LIST,                                false, BAD },

  /* RFC 7507 §3 */
  { "fallback from 1.3",                      V13, V12, V12,    NO_LIST,                                true,  FALLBACK },
  { "fallback from 1.3, in a list",           V13, V12, V12,    LITERAL ("\2\xfe\xfd"),                 true,  FALLBACK },
  { "fallback below what we have",            V13, V13, V12,    LITERAL ("\2\xfe\xfd"),                 true,  FALLBACK },
  { "fallback to 1.0",                        V12, V12, 0xfeff, NO_LIST,                                true,  FALLBACK },
  { "no fallback: our best is 1.2",           V12, V12, V12,    NO_LIST,                                true,  V12 },
  { "no fallback: it is 1.3",                 V13, V12, V12,    LITERAL ("\4\xfe\xfc\xfe\xfd"),         true,  V13 },
  { "no fallback: the client has more",       V12, V12, V12,    LITERAL ("\2\xfe\xfc"),                 true,  BAD },
};
/* clang-format on */

static enum dtls_error
choose (const struct dtls_config *config, const struct crafted *crafted, uint16_t *out_version)
{
  static uint8_t memory[1024];
  struct client_hello hello;
  struct extensions found;
  struct offer ours;

  CHECK (offer_from_config (&ours, config, pki_crypto ()));
  CHECK_UINT (welcome_read (crafted_write (crafted, memory, sizeof memory), &hello, &found),
              DTLS_OK);
  return welcome_choose_version (&ours, &hello, &found, out_version);
}

static struct crafted
hello_of (const struct version_row *row)
{
  struct crafted hello = { .version = (uint16_t) row->legacy };

  if (row->list.left > 0)
    {
      hello.changed = EXT_SUPPORTED_VERSIONS + 1;
      hello.body = row->list;
    }
  else
    {
      hello.omitted[0] = EXT_SUPPORTED_VERSIONS + 1;
    }
  if (row->has_scsv)
    hello.suites = TAP_STRING ("\x13\1\xc0\x2b\x56\0");
  return hello;
}

static void
test_versions (void)
{
  for (size_t i = 0; i < TAP_N (version_rows); i++)
    {
      const struct version_row *row = &version_rows[i];
      const struct crafted hello = hello_of (row);
      struct dtls_config config;
      uint16_t version = 0;
      enum dtls_error error;

      tap_set_row (row->name);
      dtls_config_init (&config);
      config.max_version = row->max;
      config.min_version = row->min;
      error = choose (&config, &hello, &version);
      CHECK_UINT (error == DTLS_OK ? version : (unsigned) error, row->expected);
      CHECK_UINT (version != 0, error == DTLS_OK);
    }
  tap_set_row (NULL);
}

/* A version counts only with a suite that goes with it. */
static void
test_suites_decide (void)
{
  static const uint16_t suites_12[] = { SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256 };
  static const uint16_t suites_13[] = { SUITE_AES_128_GCM_SHA256 };
  const struct crafted both = { .version = 0 };
  struct dtls_config config;
  uint16_t version;

  dtls_config_init (&config);
  config.n_suites = 1;
  config.suites = suites_12;
  CHECK_UINT (choose (&config, &both, &version), DTLS_OK);
  CHECK_UINT (version, V12);
  config.suites = suites_13;
  CHECK_UINT (choose (&config, &both, &version), DTLS_OK);
  CHECK_UINT (version, V13);
}

/* Each version goes on with its own table; what both need is there. */
static void
test_tables (void)
{
  for (unsigned i = 0; i < 2; i++)
    {
      const uint16_t version = i == 0 ? V12 : V13;
      struct crafted hello = { .extra = LITERAL ("\0\0\0\6\0\4\0\0\1n"
                                                 "\0\x10\0\4\0\2\1p") };
      struct duel duel;
      struct duel_side *server = &duel.sides[DTLS_SERVER];
      static uint8_t memory[1024];
      struct message message = { CLIENT_HELLO, 0, { NULL, 0 } };

      duel_init (&duel, pki_identity ("server-ecdsa"));
      server->config.alpn = TAP_STRING ("\1p");
      server->config.max_version = version;
      message.body = crafted_write (&hello, memory, sizeof memory);
      duel_side_begin (&duel, DTLS_SERVER, false);
      CHECK_UINT (handshake_take_message (server->h, &message, &server->effects), DTLS_OK);
      CHECK (server->h->table == (version == V12 ? &server12_table : &server13_table));
      CHECK_UINT (server->h->state, ANSWERING_HELLO);
      CHECK_UINT (server->h->transcript.is_13, version == V13);
      CHECK_UINT (server->known.version, version);
      CHECK_UINT (server->known.randoms[2], 3);
      CHECK_BYTES (((struct bytes){ server->known.server_name, server->known.server_name_len }),
                   TAP_STRING ("n"));
      CHECK_BYTES (((struct bytes){ server->known.alpn, server->known.alpn_len }),
                   TAP_STRING ("p"));
      duel_clear (&duel);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/welcome/chooses-the-best-version-in-common", test_versions },
  { "/handshake/welcome/a-version-needs-a-suite", test_suites_decide },
  { "/handshake/welcome/goes-on-with-the-versions-table", test_tables },
};

TAP_MAIN (tests)
