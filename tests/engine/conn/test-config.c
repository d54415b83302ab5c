/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The limits of a configuration, and that a connection is refused beyond them. */

#include "pair.h"
#include "tap.h"

struct config_row
{
  const char *name;
  void (*change) (struct dtls_config *config);
  bool is_good;
};

/* clang-format off */
static void leave (struct dtls_config *c) { (void) c; }
static void mtu_255 (struct dtls_config *c) { c->mtu = 255; }
static void mtu_256 (struct dtls_config *c) { c->mtu = 256; }
static void mtu_65507 (struct dtls_config *c) { c->mtu = 65507; }
static void mtu_65508 (struct dtls_config *c) { c->mtu = 65508; }
static void fallback_255 (struct dtls_config *c) { c->fallback_mtu = 255; }
static void fallback_65508 (struct dtls_config *c) { c->fallback_mtu = 65508; }
static void certificate_0 (struct dtls_config *c) { c->max_certificate_message = 0; }
static void certificate_2_24 (struct dtls_config *c) { c->max_certificate_message = 1 << 24; }
static void certificate_most (struct dtls_config *c) { c->max_certificate_message = (1 << 24) - 1; }
static void window_63 (struct dtls_config *c) { c->replay_window = 63; }
static void window_64 (struct dtls_config *c) { c->replay_window = 64; }
static void window_4096 (struct dtls_config *c) { c->replay_window = 4096; }
static void window_4097 (struct dtls_config *c) { c->replay_window = 4097; }
static void limit_63 (struct dtls_config *c) { c->record_size_limit = 63; }
static void limit_64 (struct dtls_config *c) { c->record_size_limit = 64; }
static void limit_16385 (struct dtls_config *c) { c->record_size_limit = 16385; }
static void no_retransmission (struct dtls_config *c) { c->retransmit_initial = 0; }
static void no_deadline (struct dtls_config *c) { c->handshake_deadline = DTLS_NEVER; }
static void deadline_0 (struct dtls_config *c) { c->handshake_deadline = 0; }
static void name_256 (struct dtls_config *c) { static const uint8_t name[256] = { 'x' }; c->server_name = TAP_BYTES (name); }
static void alpn_empty_name (struct dtls_config *c) { c->alpn = TAP_STRING ("\1a\0"); }
static void alpn_cut_short (struct dtls_config *c) { c->alpn = TAP_STRING ("\2a"); }
static void alpn_good (struct dtls_config *c) { c->alpn = TAP_STRING ("\1a\2bc"); }

static const struct config_row config_rows[] = {
  { "the defaults",                       leave,             true },
  { "MTU 255",                            mtu_255,           false },
  { "MTU 256",                            mtu_256,           true },
  { "MTU 65507",                          mtu_65507,         true },
  { "MTU 65508",                          mtu_65508,         false },
  { "fall-back MTU 255",                  fallback_255,      false },
  { "fall-back MTU 65508",                fallback_65508,    false },
  { "no certificate message",             certificate_0,     false },
  { "certificate message of 2^24",        certificate_2_24,  false },
  { "certificate message of 2^24-1",      certificate_most,  true },
  { "replay window 63",                   window_63,         false },
  { "replay window 64",                   window_64,         true },
  { "replay window 4096",                 window_4096,       true },
  { "replay window 4097",                 window_4097,       false },
  { "record_size_limit 63",               limit_63,          false },
  { "record_size_limit 64",               limit_64,          true },
  { "record_size_limit 2^14+1",           limit_16385,       false },
  { "retransmission after no time",       no_retransmission, false },
  { "no handshake deadline",              no_deadline,       true },
  { "a handshake deadline of no time",    deadline_0,        false },
  { "a server name of 256 bytes",         name_256,          false },
  { "ALPN with an empty name",            alpn_empty_name,   false },
  { "ALPN cut short",                     alpn_cut_short,    false },
  { "ALPN of two names",                  alpn_good,         true },
};
/* clang-format on */

static void
test_limits (void)
{
  for (size_t i = 0; i < TAP_N (config_rows); i++)
    {
      struct dtls_config config;
      struct dtls_conn *client = NULL, *server = NULL;
      enum dtls_error expected = config_rows[i].is_good ? DTLS_OK : DTLS_ERROR_CONFIG;

      tap_set_row (config_rows[i].name);
      dtls_config_init (&config);
      config_rows[i].change (&config);
      CHECK_UINT (dtls_conn_new_client (&config, pki_crypto (), 0, &client), expected);
      CHECK_UINT (dtls_conn_new_server (&config, pki_crypto (), 0, NULL, &server), expected);
      CHECK ((client != NULL) == config_rows[i].is_good);
      dtls_conn_free (client);
      dtls_conn_free (server);
    }
  tap_set_row (NULL);
}

/* Suites, groups and schemes that nobody speaks leave nothing to offer. */
static void
test_nothing_to_offer (void)
{
  static const uint16_t unknown[] = { 0x1234 };

  for (unsigned list = 0; list < 3; list++)
    {
      struct pair pair;
      struct dtls_config *config = &pair.sides[DTLS_CLIENT].config;

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      *(list == 0   ? &config->suites
        : list == 1 ? &config->groups
                    : &config->signature_schemes) = unknown;
      *(list == 0   ? &config->n_suites
        : list == 1 ? &config->n_groups
                    : &config->n_signature_schemes) = 1;
      CHECK (!pair_handshake (&pair));
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_ERROR_CONFIG);
      PAIR_END (&pair);
    }
}

static const struct tap_test tests[] = {
  { "/conn/config/limits", test_limits },
  { "/conn/config/nothing-to-offer-ends-the-handshake", test_nothing_to_offer },
};

TAP_MAIN (tests)
