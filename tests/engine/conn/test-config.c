/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The limits of a configuration, and that a connection is refused beyond them. */

#include "pair.h"
#include "tap.h"
#include "wire/codepoints.h"

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

static const uint16_t unknown[] = { 0x1234 }, of_13[] = { SUITE_AES_128_GCM_SHA256 };
static void suites_unknown (struct dtls_config *c) { c->suites = unknown; c->n_suites = 1; }
static void groups_unknown (struct dtls_config *c) { c->groups = unknown; c->n_groups = 1; }
static void schemes_unknown (struct dtls_config *c) { c->signature_schemes = unknown; c->n_signature_schemes = 1; }
static void suite_of_13 (struct dtls_config *c) { c->suites = of_13; c->n_suites = 1; }
static void suite_of_13_in_12 (struct dtls_config *c) { suite_of_13 (c); c->max_version = DTLS_1_2; }

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
  { "only unknown suites",                suites_unknown,    false },
  { "only unknown groups",                groups_unknown,    false },
  { "only unknown signature schemes",     schemes_unknown,   false },
  { "only a suite of 1.3",                suite_of_13,       true },
  { "only a suite of 1.3, and no 1.3",    suite_of_13_in_12, false },
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

static const struct tap_test tests[] = {
  { "/conn/config/limits", test_limits },
};

TAP_MAIN (tests)
