/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* use_srtp in hellos of DTLS 1.2 (RFC 5764 §4.1.1); the other extensions that both sides send are in the
 * tables of test-client12.c and test-server12.c. */

#include "handshake/mutual.h"
#include "handshake/talk12.h"
#include "same.h"

enum
{
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  DECODE = DTLS_ERROR_DECODE,
};

/* Of IANA's registry: SRTP_AES128_CM_HMAC_SHA1_80 and _32, SRTP_AEAD_AES_128_GCM. */
static const uint16_t cm_80[] = { 1 };
static const uint16_t cm_32_then_80[] = { 2, 1 };
static const uint16_t all[] = { 7, 1, 2 };

static void
test_choice (void)
{
  static const struct
  {
    const char *name;
    const uint16_t *client;
    size_t n_client;
    const uint16_t *server;
    size_t n_server;
    uint16_t chosen;
  } rows[] = {
    { "neither", NULL, 0, NULL, 0, 0 },
    { "only the client", all, 3, NULL, 0, 0 },
    { "only the server", NULL, 0, all, 3, 0 },
    { "the server's order", all, 3, cm_32_then_80, 2, 2 },
    { "the one in common", cm_80, 1, all, 3, 1 },
    { "none in common", cm_80, 1, all, 1, 0 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct pair pair;

      tap_set_row (rows[i].name);
      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair.sides[DTLS_CLIENT].config.srtp_profiles = rows[i].client;
      pair.sides[DTLS_CLIENT].config.n_srtp_profiles = rows[i].n_client;
      pair.sides[DTLS_SERVER].config.srtp_profiles = rows[i].server;
      pair.sides[DTLS_SERVER].config.n_srtp_profiles = rows[i].n_server;
      CHECK (pair_handshake (&pair));
      for (unsigned side = 0; side < 2; side++)
        CHECK_UINT (dtls_conn_srtp_profile (pair.sides[side].conn), rows[i].chosen);
      PAIR_END (&pair);
    }
}

static const uint8_t profile_1[] = { 0, 2, 0, 1, 0 };
static const uint8_t profile_7[] = { 0, 2, 0, 7, 0 };
static const uint8_t two_profiles[] = { 0, 4, 0, 1, 0, 2, 0 };
static const uint8_t no_profile[] = { 0, 0, 0 };
static const uint8_t half_profile[] = { 0, 1, 0, 0 };
static const uint8_t no_mki[] = { 0, 2, 0, 1 };
static const uint8_t an_mki[] = { 0, 2, 0, 1, 1, 9 };
static const uint8_t trailing[] = { 0, 2, 0, 1, 0, 0 };

/* Both sides have profiles 2 and 1. */
/* clang-format off */
static const struct mischief server_rows[] = {
  { "one of ours",                  play_other_extension, SERVER_HELLO, IS_CONSISTENT, TAP_BYTES (profile_1), EXT_USE_SRTP, CONNECTS },
  { "none",                         play_no_extension,    SERVER_HELLO, IS_CONSISTENT, NOTHING,          EXT_USE_SRTP,      CONNECTS },
  { "one that was not offered",     play_other_extension, SERVER_HELLO, 0, TAP_BYTES (profile_7),        EXT_USE_SRTP,      ILLEGAL },
  { "two",                          play_other_extension, SERVER_HELLO, 0, TAP_BYTES (two_profiles),     EXT_USE_SRTP,      ILLEGAL },
  { "an MKI that we did not send",  play_other_extension, SERVER_HELLO, 0, TAP_BYTES (an_mki),           EXT_USE_SRTP,      ILLEGAL },
  { "an empty list",                play_other_extension, SERVER_HELLO, 0, TAP_BYTES (no_profile),       EXT_USE_SRTP,      DECODE },
  { "half a profile",               play_other_extension, SERVER_HELLO, 0, TAP_BYTES (half_profile),     EXT_USE_SRTP,      DECODE },
  { "no MKI field",                 play_other_extension, SERVER_HELLO, 0, TAP_BYTES (no_mki),           EXT_USE_SRTP,      DECODE },
  { "a trailing byte",              play_other_extension, SERVER_HELLO, 0, TAP_BYTES (trailing),         EXT_USE_SRTP,      DECODE },
};

static const struct mischief client_rows[] = {
  { "one of ours",                  play_other_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (profile_1), EXT_USE_SRTP, CONNECTS },
  { "none of ours",                 play_other_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (profile_7), EXT_USE_SRTP, CONNECTS },
  { "an MKI, which we do not use",  play_other_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (an_mki), EXT_USE_SRTP,    CONNECTS },
  { "an empty list",                play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (no_profile),       EXT_USE_SRTP,      DECODE },
  { "half a profile",               play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (half_profile),     EXT_USE_SRTP,      DECODE },
  { "no MKI field",                 play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (no_mki),           EXT_USE_SRTP,      DECODE },
  { "a trailing byte",              play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (trailing),         EXT_USE_SRTP,      DECODE },
};
/* clang-format on */

static void
check_peers (const struct mischief *rows, size_t n, enum dtls_role puppet)
{
  for (size_t i = 0; i < n; i++)
    {
      struct pair pair;
      struct talk12 talk = { .pair = &pair };

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      for (unsigned side = 0; side < 2; side++)
        {
          pair.sides[side].config.srtp_profiles = cm_32_then_80;
          pair.sides[side].config.n_srtp_profiles = 2;
        }
      talk12_run (&talk, puppet, &rows[i]);
      talk12_check (&talk, &rows[i]);
      talk12_end (&talk);
    }
}

static void
test_peers (void)
{
  check_peers (server_rows, TAP_N (server_rows), DTLS_SERVER);
  check_peers (client_rows, TAP_N (client_rows), DTLS_CLIENT);
}

/* An answer to what was not asked. */
static void
test_unasked (void)
{
  static const struct mischief row = {
    "use_srtp",
    play_extension,
    SERVER_HELLO,
    0,
    TAP_BYTES (profile_1),
    EXT_USE_SRTP,
    DTLS_ERROR_UNSUPPORTED_EXTENSION,
  };

  check_row (&row, DTLS_SERVER);
}

static const struct tap_test tests[] = {
  { "/handshake/mutual/srtp/the-servers-first-that-the-client-has", test_choice },
  { "/handshake/mutual/srtp/rejects-what-is-malformed-or-not-offered", test_peers },
  { "/handshake/mutual/srtp/rejects-an-answer-to-nothing", test_unasked },
};

TAP_MAIN (tests)
