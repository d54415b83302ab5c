/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Pre-shared keys in DTLS 1.2: what both sides agree on, and peers that keep every rule but one. */

#include "handshake/psk12.h"
#include "handshake/talk12.h"
#include "same.h"
#include "wire/key_exchange.h"

enum
{
  CCS = INPUT_CHANGE_CIPHER_SPEC,
  UNEXPECTED = DTLS_ERROR_UNEXPECTED_MESSAGE,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  DECODE = DTLS_ERROR_DECODE,
};

static const uint8_t key_bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
static const uint8_t wrong_bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17 };
static const char identity[] = "luggage combination";

static const struct dtls_psk client_key = {
  .identity = { (const uint8_t *) identity, sizeof identity - 1 },
  .key = { key_bytes, sizeof key_bytes },
  .role = DTLS_CLIENT,
};
static const struct dtls_psk server_key = {
  .key = { key_bytes, sizeof key_bytes },
  .role = DTLS_SERVER,
};
static const struct dtls_psk wrong_key = {
  .key = { wrong_bytes, sizeof wrong_bytes },
  .role = DTLS_SERVER,
};

static const uint16_t plain_suite[] = { SUITE_PSK_AES_128_GCM_SHA256 };
static const uint16_t ecdhe_suite[] = { SUITE_ECDHE_PSK_AES_128_GCM_SHA256 };

static void
set_suites (struct pair *pair, const uint16_t *suites, size_t n)
{
  for (unsigned i = 0; i < 2; i++)
    {
      pair->sides[i].config.suites = suites;
      pair->sides[i].config.n_suites = n;
    }
}

/* Nobody has a certificate. */
static void
set_up (struct pair *pair)
{
  pair_init (pair, NULL, NULL);
  pair->sides[DTLS_CLIENT].config.psk = &client_key;
  pair->sides[DTLS_SERVER].config.asks_for_psk = true;
  pair->sides[DTLS_SERVER].given_psk = &server_key;
}

static void
check_psk (const struct pair *pair)
{
  for (unsigned i = 0; i < 2; i++)
    {
      const struct dtls_conn *conn = pair->sides[i].conn;

      CHECK (dtls_conn_has_psk (conn));
      CHECK_BYTES (dtls_conn_psk_identity (conn), client_key.identity);
      CHECK_UINT (dtls_conn_n_peer_certificates (conn), 0);
      CHECK_UINT (pair->sides[i].n_events[DTLS_EVENT_VERDICT_NEEDED], 0);
      CHECK_UINT (pair->sides[i].n_events[DTLS_EVENT_CREDENTIAL_NEEDED], 0);
    }
}

/* ---------------------------------------------------------------------------------- what works */

static void
test_every_suite (void)
{
  static const struct
  {
    uint16_t suite;
    bool has_group;
  } rows[] = {
    { SUITE_ECDHE_PSK_AES_128_GCM_SHA256, true },
    { SUITE_ECDHE_PSK_AES_256_GCM_SHA384, true },
    { SUITE_ECDHE_PSK_CHACHA20_POLY1305_SHA256, true },
    { SUITE_ECDHE_PSK_AES_128_CCM_SHA256, true },
    { SUITE_ECDHE_PSK_AES_128_CCM_8_SHA256, true },
    { SUITE_PSK_AES_128_GCM_SHA256, false },
    { SUITE_PSK_AES_256_GCM_SHA384, false },
    { SUITE_PSK_CHACHA20_POLY1305_SHA256, false },
    { SUITE_PSK_AES_128_CCM, false },
    { SUITE_PSK_AES_128_CCM_8, false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    for (unsigned has_hint = 0; has_hint < 2; has_hint++)
      {
        struct pair pair;

        tap_set_row (suite_name (rows[i].suite));
        set_up (&pair);
        set_suites (&pair, &rows[i].suite, 1);
        if (has_hint)
          pair.sides[DTLS_SERVER].config.psk_identity_hint = TAP_STRING ("hint");
        CHECK (pair_handshake (&pair));
        if (check_same (&pair))
          {
            check_psk (&pair);
            CHECK (pair_talks (&pair));
            CHECK_UINT (dtls_conn_suite (pair.sides[0].conn), rows[i].suite);
            CHECK_UINT (dtls_conn_group (pair.sides[0].conn) != 0, rows[i].has_group);
          }
        PAIR_END (&pair);
      }
}

/* Keys and names at their ends: RFC 4279 §5.3 wants 64 and 128 bytes at least. */
static void
test_lengths (void)
{
  static const uint8_t bytes[DTLS_MAX_PSK_IDENTITY_LEN] = { 7 };
  static const size_t key_lens[] = { 1, 63, 65, DTLS_MAX_PSK_LEN };
  static const size_t identity_lens[] = { 1, 128, DTLS_MAX_PSK_IDENTITY_LEN };

  for (size_t k = 0; k < TAP_N (key_lens); k++)
    for (size_t i = 0; i < TAP_N (identity_lens); i++)
      for (unsigned plain = 0; plain < 2; plain++)
        {
          struct dtls_psk client = {
            .identity = { bytes, identity_lens[i] },
            .key = { bytes, key_lens[k] },
            .role = DTLS_CLIENT,
          };
          struct dtls_psk server = client;
          struct pair pair;

          server.role = DTLS_SERVER;
          set_up (&pair);
          set_suites (&pair, plain ? plain_suite : ecdhe_suite, 1);
          pair.sides[DTLS_CLIENT].config.psk = &client;
          pair.sides[DTLS_SERVER].given_psk = &server;
          CHECK (pair_handshake (&pair));
          CHECK_BYTES (dtls_conn_psk_identity (pair.sides[DTLS_SERVER].conn), client.identity);
          PAIR_END (&pair);
        }
}

/* The answer may come later, and it is for the identity. */
static void
test_late_answer (void)
{
  struct pair pair;

  set_up (&pair);
  pair.sides[DTLS_SERVER].psk = ANSWERS_LATER;
  pair_start (&pair);
  pair_run (&pair, DTLS_SECOND);
  CHECK_UINT (dtls_conn_wait (pair.sides[DTLS_SERVER].conn), DTLS_WAIT_PSK);
  CHECK_BYTES (dtls_conn_psk_identity (pair.sides[DTLS_SERVER].conn), client_key.identity);
  pair_run (&pair, 10 * DTLS_SECOND);
  CHECK (check_same (&pair));
  check_psk (&pair);
  PAIR_END (&pair);
}

/* RFC 4279 §2: unknown_psk_identity. A key of the other role is none: RFC 9257 §4.1. */
static void
test_unknown_identity (void)
{
  const struct dtls_psk *const answers[] = { NULL, &client_key };

  for (size_t i = 0; i < TAP_N (answers); i++)
    {
      struct pair pair;

      set_up (&pair);
      pair.sides[DTLS_SERVER].given_psk = answers[i];
      CHECK (!pair_handshake (&pair));
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_ERROR_UNKNOWN_PSK);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[DTLS_CLIENT].conn),
                  ALERT_UNKNOWN_PSK_IDENTITY);
      PAIR_END (&pair);
    }
}

/* Other keys make other records: neither side believes the other, and nobody is told. */
static void
test_wrong_key (void)
{
  const uint16_t *const suites[] = { plain_suite, ecdhe_suite };

  for (size_t i = 0; i < TAP_N (suites); i++)
    {
      struct pair pair;

      set_up (&pair);
      set_suites (&pair, suites[i], 1);
      pair.sides[DTLS_SERVER].given_psk = &wrong_key;
      pair_start (&pair);
      pair_run (&pair, 120 * DTLS_SECOND);
      for (unsigned side = 0; side < 2; side++)
        {
          CHECK (!dtls_conn_is_connected (pair.sides[side].conn));
          CHECK_UINT (dtls_conn_error (pair.sides[side].conn), DTLS_ERROR_TIMED_OUT);
        }
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- servers that err */

static const uint8_t a_request[] = { 1, 64, 0, 2, 4, 3, 0, 0 };
static const uint8_t no_certificate[] = { 0, 0, 0 };
static const uint8_t empty_hint[] = { 0, 0 };
static const uint8_t zero_point[] = { 0, 0, 3, 0, 29, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                      0, 0, 0, 0, 0,  0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t group_x448[] = { 0, 30 };
static const uint8_t group_mlkem[] = { 0x11, 0xec };
static const uint8_t explicit_prime[] = { 1 };
static const uint8_t a_verify[] = { 4, 3, 0, 4, 1, 2, 3, 4 };

/* clang-format off */
static const struct mischief ecdhe_server_rows[] = {
  { "nothing",                          NULL,          0,                   0, NOTHING,                   0,                   CONNECTS },
  { "omits ServerKeyExchange",          play_omit,     SERVER_KEY_EXCHANGE, 0, NOTHING,                   0,                   UNEXPECTED },
  { "sends ServerKeyExchange twice",    play_twice,    SERVER_KEY_EXCHANGE, 0, NOTHING,                   0,                   UNEXPECTED },
  { "sends a certificate",              play_append,   SERVER_HELLO,        0, TAP_BYTES (no_certificate), CERTIFICATE,        UNEXPECTED },
  { "asks for a certificate",           play_append,   SERVER_KEY_EXCHANGE, 0, TAP_BYTES (a_request),     CERTIFICATE_REQUEST, UNEXPECTED },
  { "only a hint",                      play_body,     SERVER_KEY_EXCHANGE, 0, TAP_BYTES (empty_hint),    0,                   DECODE },
  { "a hint that nobody looks at",      play_patch,    SERVER_KEY_EXCHANGE, IS_CONSISTENT, TAP_STRING ("gnit"),       2,                   CONNECTS },
  { "explicit parameters",              play_patch,    SERVER_KEY_EXCHANGE, 0, TAP_BYTES (explicit_prime), 6,                  DECODE },
  { "a group that was not offered",     play_patch,    SERVER_KEY_EXCHANGE, 0, TAP_BYTES (group_x448),    7,                   ILLEGAL },
  { "a group of 1.3 alone",             play_patch,    SERVER_KEY_EXCHANGE, 0, TAP_BYTES (group_mlkem),   7,                   ILLEGAL },
  { "X25519: zero",                     play_body,     SERVER_KEY_EXCHANGE, 0, TAP_BYTES (zero_point),    0,                   ILLEGAL },
  { "cut short",                        play_shorten,  SERVER_KEY_EXCHANGE, 0, NOTHING,                   0,                   DECODE },
  { "a trailing byte",                  play_lengthen, SERVER_KEY_EXCHANGE, 0, NOTHING,                   0,                   DECODE },
  { "ServerHelloDone with a body",      play_lengthen, SERVER_HELLO_DONE,   0, NOTHING,                   0,                   DECODE },
  { "a wrong Finished",                 play_flip,     FINISHED,            0, NOTHING,                   0,                   DTLS_ERROR_BAD_FINISHED },
};

static const struct mischief plain_server_rows[] = {
  { "nothing",                          NULL,          0,                   0, NOTHING,                   0,                   CONNECTS },
  { "an empty hint",                    play_append,   SERVER_HELLO,        IS_CONSISTENT, TAP_BYTES (empty_hint), SERVER_KEY_EXCHANGE, CONNECTS },
  { "a hint of one byte",               play_append,   SERVER_HELLO,        0, TAP_BYTES (explicit_prime), SERVER_KEY_EXCHANGE, DECODE },
  { "parameters of a key exchange",     play_append,   SERVER_HELLO,        0, TAP_BYTES (zero_point),    SERVER_KEY_EXCHANGE, DECODE },
  { "sends a certificate",              play_append,   SERVER_HELLO,        0, TAP_BYTES (no_certificate), CERTIFICATE,        UNEXPECTED },
  { "asks for a certificate",           play_append,   SERVER_HELLO,        0, TAP_BYTES (a_request),     CERTIFICATE_REQUEST, UNEXPECTED },
  { "a wrong Finished",                 play_flip,     FINISHED,            0, NOTHING,                   0,                   DTLS_ERROR_BAD_FINISHED },
};
/* clang-format on */

static void
check_servers (const struct mischief *rows, size_t n, const uint16_t *suite)
{
  for (size_t i = 0; i < n; i++)
    {
      struct pair pair;
      struct talk12 talk = { .pair = &pair, .psk = &server_key };

      set_up (&pair);
      set_suites (&pair, suite, 1);
      if (suite == ecdhe_suite)
        pair.sides[DTLS_SERVER].config.psk_identity_hint = TAP_STRING ("hint");
      talk12_run (&talk, DTLS_SERVER, &rows[i]);
      talk12_check (&talk, &rows[i]);
      talk12_end (&talk);
    }
}

static void
test_servers (void)
{
  check_servers (ecdhe_server_rows, TAP_N (ecdhe_server_rows), ecdhe_suite);
  check_servers (plain_server_rows, TAP_N (plain_server_rows), plain_suite);
}

/* ---------------------------------------------------------------------------------- clients that err */

static const uint8_t no_identity[] = { 0, 0 };
static const uint8_t no_identity_and_a_point[35] = { 0, 0, 32, 9 };
static const uint8_t an_identity_and_zero[36] = { 0, 1, 'x', 32 };
static const uint8_t long_identity[2 + DTLS_MAX_PSK_IDENTITY_LEN + 1] = {
  (DTLS_MAX_PSK_IDENTITY_LEN + 1) >> 8, (DTLS_MAX_PSK_IDENTITY_LEN + 1) & 0xff
};

/* clang-format off */
static const struct mischief ecdhe_client_rows[] = {
  { "nothing",                          NULL,          0,                   0, NOTHING,                   0,                   CONNECTS },
  { "sends a certificate",              play_insert,   CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (no_certificate), CERTIFICATE,        UNEXPECTED },
  { "sends CertificateVerify",          play_append,   CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (a_verify),      CERTIFICATE_VERIFY,  UNEXPECTED },
  { "sends ClientKeyExchange twice",    play_twice,    CLIENT_KEY_EXCHANGE, 0, NOTHING,                   0,                   UNEXPECTED },
  { "skips ClientKeyExchange",          play_skip,     CLIENT_KEY_EXCHANGE, 0, NOTHING,                   0,                   SILENCE },
  { "an empty identity",                play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (no_identity_and_a_point), 0,         DTLS_ERROR_UNKNOWN_PSK },
  { "only an identity",                 play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (no_identity),   0,                   DECODE },
  { "X25519: zero",                     play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (an_identity_and_zero), 0,            ILLEGAL },
  { "cut short",                        play_shorten,  CLIENT_KEY_EXCHANGE, 0, NOTHING,                   0,                   DECODE },
  { "a trailing byte",                  play_lengthen, CLIENT_KEY_EXCHANGE, 0, NOTHING,                   0,                   DECODE },
  { "another point than that of the keys", play_flip,  CLIENT_KEY_EXCHANGE, 0, NOTHING,                   30,                  SILENCE },
  { "a wrong Finished",                 play_flip,     FINISHED,            0, NOTHING,                   0,                   DTLS_ERROR_BAD_FINISHED },
};

static const struct mischief plain_client_rows[] = {
  { "nothing",                          NULL,          0,                   0, NOTHING,                   0,                   CONNECTS },
  { "an empty identity",                play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (no_identity),   0,                   DTLS_ERROR_UNKNOWN_PSK },
  { "an identity that is too long",     play_body,     CLIENT_KEY_EXCHANGE, 0, TAP_BYTES (long_identity), 0,                   ILLEGAL },
  { "cut short",                        play_shorten,  CLIENT_KEY_EXCHANGE, 0, NOTHING,                   0,                   DECODE },
  { "a trailing byte",                  play_lengthen, CLIENT_KEY_EXCHANGE, 0, NOTHING,                   0,                   DECODE },
  { "another identity than Finished covers", play_flip, CLIENT_KEY_EXCHANGE, 0, NOTHING,                  3,                   SILENCE },
};
/* clang-format on */

static void
check_clients (const struct mischief *rows, size_t n, const uint16_t *suite)
{
  for (size_t i = 0; i < n; i++)
    {
      struct pair pair;
      struct talk12 talk = { .pair = &pair };

      set_up (&pair);
      set_suites (&pair, suite, 1);
      talk12_run (&talk, DTLS_CLIENT, &rows[i]);
      talk12_check (&talk, &rows[i]);
      talk12_end (&talk);
    }
}

static void
test_clients (void)
{
  check_clients (ecdhe_client_rows, TAP_N (ecdhe_client_rows), ecdhe_suite);
  check_clients (plain_client_rows, TAP_N (plain_client_rows), plain_suite);
}

static const struct tap_test tests[] = {
  { "/handshake/psk12/every-suite-connects-without-certificates", test_every_suite },
  { "/handshake/psk12/keys-and-identities-of-any-length", test_lengths },
  { "/handshake/psk12/the-key-may-come-later", test_late_answer },
  { "/handshake/psk12/an-unknown-identity-is-refused-with-its-alert", test_unknown_identity },
  { "/handshake/psk12/a-wrong-key-connects-nobody", test_wrong_key },
  { "/handshake/psk12/a-client-rejects-what-a-server-may-not-say", test_servers },
  { "/handshake/psk12/a-server-rejects-what-a-client-may-not-say", test_clients },
};

TAP_MAIN (tests)
