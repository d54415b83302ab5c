/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The server of 1.3 against our own client: whole handshakes, whom it asks, and what it tells. */

#include "crypto/algorithms.h"
#include "handshake/duel13.h"
#include "wire/extensions.h"

static const uint8_t psk_key[32] = { 1, 2, 3 };

static const struct dtls_psk client_psk = {
  .identity = { (const uint8_t *) "someone", 7 },
  .key = { psk_key, sizeof psk_key },
  .role = DTLS_CLIENT,
};

/* ------------------------------------------------------------------------------------- effects */

static void
check_list (const uint8_t *got, size_t n_got, const uint8_t *expected, size_t n_expected)
{
  CHECK_BYTES (((struct bytes){ got, n_got }), ((struct bytes){ expected, n_expected }));
}

static void
test_effects (void)
{
  static const enum effect_kind expected[] = {
    EFFECT_BEGIN_FLIGHT, EFFECT_SEND,    EFFECT_READ_KEYS, EFFECT_WRITE_KEYS, EFFECT_SEND,
    EFFECT_SEND,         EFFECT_SEND,    EFFECT_SEND,      EFFECT_WRITE_KEYS, EFFECT_END_FLIGHT,
    EFFECT_READ_KEYS,    EFFECT_ACK_NOW, EFFECT_EVENT,
  };
  static const uint8_t sent[] = { SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE,
                                  CERTIFICATE_VERIFY, FINISHED };
  struct duel duel;
  struct duel_side *server = &duel.sides[DTLS_SERVER];

  duel_init (&duel, pki_identity ("server-ecdsa"));
  duel_run (&duel);
  duel_check (&duel);
  if (CHECK_UINT (server->n_kinds, TAP_N (expected)))
    for (size_t i = 0; i < TAP_N (expected); i++)
      CHECK_UINT (server->kinds[i], expected[i]);
  check_list (server->sent, server->n_sent, sent, sizeof sent);
  CHECK_UINT (server->known.group, GROUP_X25519);
  CHECK_UINT (server->known.end_point_hash_len, 32);
  CHECK (!server->known.was_retried);
  CHECK (!server->known.has_psk);
  duel_clear (&duel);
}

/* -------------------------------------------------------------------------- suites, keys, groups */

static const struct
{
  const char *identity;
  uint16_t suite;
  uint16_t group;
} suite_rows[] = {
  { "server-ecdsa", SUITE_AES_128_GCM_SHA256, GROUP_X25519 },
  { "server-rsa", SUITE_AES_256_GCM_SHA384, GROUP_SECP256R1 },
  { "server-p384", SUITE_CHACHA20_POLY1305_SHA256, GROUP_SECP384R1 },
  { "server-ed25519", SUITE_AES_256_GCM_SHA384, GROUP_X25519 },
  { "server-rsapss", SUITE_AES_128_GCM_SHA256, GROUP_X25519MLKEM768 },
};

static void
test_suites (void)
{
  for (size_t i = 0; i < TAP_N (suite_rows); i++)
    {
      struct duel duel;
      struct duel_side *client = &duel.sides[DTLS_CLIENT];

      if (!crypto_has_group (pki_crypto (), suite_rows[i].group))
        continue;
      tap_set_row (suite_rows[i].identity);
      duel_init (&duel, pki_identity (suite_rows[i].identity));
      client->config.suites = &suite_rows[i].suite;
      client->config.n_suites = 1;
      client->config.share_groups = &suite_rows[i].group;
      client->config.n_share_groups = 1;
      duel_run (&duel);
      duel_check (&duel);
      CHECK_UINT (client->known.suite, suite_rows[i].suite);
      CHECK_UINT (client->known.group, suite_rows[i].group);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* --------------------------------------------------------------------------------- questions */

static void
test_asks_for_credential_and_signature (void)
{
  const struct identity *identity = pki_identity ("server-rsa");
  struct duel duel;
  struct duel_side *server = &duel.sides[DTLS_SERVER];

  duel_init (&duel, NULL);
  server->credential = &identity->keyless;
  server->signer = identity;
  duel_run (&duel);
  duel_check (&duel);
  CHECK_UINT (server->n_asked[DTLS_WAIT_CREDENTIAL], 1);
  CHECK_UINT (server->n_asked[DTLS_WAIT_SIGNATURE], 1);
  CHECK_UINT (server->n_asked[DTLS_WAIT_PSK], 0);
  duel_clear (&duel);
}

static void
test_no_credential (void)
{
  struct duel duel;

  duel_init (&duel, NULL);
  duel_run (&duel);
  CHECK_UINT (duel.sides[DTLS_SERVER].error, DTLS_ERROR_NO_CREDENTIAL);
  duel_clear (&duel);
}

/* --------------------------------------------------------------------------- client certificates */

static const struct
{
  const char *name;
  enum dtls_client_auth auth;
  const char *identity; /* (nullable) the client's */
  unsigned n_verdicts;
  enum dtls_error expected;
} auth_rows[] = {
  { "not asked for", DTLS_CLIENT_AUTH_NONE, "client-ecdsa", 0, DTLS_OK },
  { "asked for, given", DTLS_CLIENT_AUTH_REQUESTED, "client-ecdsa", 1, DTLS_OK },
  { "asked for, not given", DTLS_CLIENT_AUTH_REQUESTED, NULL, 0, DTLS_OK },
  { "required, given", DTLS_CLIENT_AUTH_REQUIRED, "client-rsa", 1, DTLS_OK },
  { "required, given, Ed25519", DTLS_CLIENT_AUTH_REQUIRED, "client-ed25519", 1, DTLS_OK },
  { "required, not given", DTLS_CLIENT_AUTH_REQUIRED, NULL, 0, DTLS_ERROR_CERTIFICATE_REQUIRED },
};

static void
test_client_auth (void)
{
  static const uint8_t name[] = { 0x30, 0 };
  static const struct bytes authorities[] = { { name, sizeof name } };

  for (size_t i = 0; i < TAP_N (auth_rows); i++)
    {
      struct duel duel;
      struct duel_side *client = &duel.sides[DTLS_CLIENT], *server = &duel.sides[DTLS_SERVER];
      bool is_asked = auth_rows[i].auth != DTLS_CLIENT_AUTH_NONE;

      tap_set_row (auth_rows[i].name);
      duel_init (&duel, pki_identity ("server-ecdsa"));
      server->config.client_auth = auth_rows[i].auth;
      server->config.authorities = authorities;
      server->config.n_authorities = 1;
      if (auth_rows[i].identity != NULL)
        client->credential = &pki_identity (auth_rows[i].identity)->whole;
      duel_run (&duel);

      CHECK_UINT (server->error, auth_rows[i].expected);
      CHECK_UINT (server->n_asked[DTLS_WAIT_VERDICT], auth_rows[i].n_verdicts);
      CHECK_UINT (server->peer.chain.n > 0, is_asked && auth_rows[i].identity != NULL);
      CHECK_UINT (client->peer.has_asked_for_certificate, is_asked);
      CHECK_UINT (client->peer.authorities.n, is_asked);
      if (auth_rows[i].expected == DTLS_OK)
        duel_check (&duel);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* The last byte of the first such message is turned. */
static void
turn_last_byte (struct duel *duel, enum dtls_role from, struct message *message)
{
  static uint8_t memory[1 << 16];

  if (from != DTLS_CLIENT || message->type != *(const uint8_t *) duel->spoil_data)
    return;

  memcpy (memory, message->body.at, message->body.left);
  memory[message->body.left - 1] ^= 1;
  message->body.at = memory;
}

static void
add_a_byte (struct duel *duel, enum dtls_role from, struct message *message)
{
  static uint8_t memory[1 << 16];

  if (from != DTLS_CLIENT || message->type != *(const uint8_t *) duel->spoil_data)
    return;

  memcpy (memory, message->body.at, message->body.left);
  memory[message->body.left++] = 0;
  message->body.at = memory;
}

static void
change_type (struct duel *duel, enum dtls_role from, struct message *message)
{
  if (from == DTLS_CLIENT && message->type == *(const uint8_t *) duel->spoil_data)
    message->type = 42;
}

static const struct
{
  const char *name;
  void (*spoil) (struct duel *, enum dtls_role, struct message *);
  uint8_t type;
  enum dtls_error expected;
} spoiled_rows[] = {
  { "another signature", turn_last_byte, CERTIFICATE_VERIFY, DTLS_ERROR_BAD_SIGNATURE },
  { "another Finished", turn_last_byte, FINISHED, DTLS_ERROR_BAD_FINISHED },
  { "a byte behind the hello", add_a_byte, CLIENT_HELLO, DTLS_ERROR_DECODE },
  { "a byte behind the certificate", add_a_byte, CERTIFICATE, DTLS_ERROR_DECODE },
  { "a byte behind the signature", add_a_byte, CERTIFICATE_VERIFY, DTLS_ERROR_DECODE },
  { "a byte behind the Finished", add_a_byte, FINISHED, DTLS_ERROR_BAD_FINISHED },
  { "another message for the hello", change_type, CLIENT_HELLO, DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "another message for the certificate", change_type, CERTIFICATE,
    DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "another message for the signature", change_type, CERTIFICATE_VERIFY,
    DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "another message for the Finished", change_type, FINISHED, DTLS_ERROR_UNEXPECTED_MESSAGE },
};

static void
test_spoiled_messages (void)
{
  for (size_t i = 0; i < TAP_N (spoiled_rows); i++)
    {
      struct duel duel;

      tap_set_row (spoiled_rows[i].name);
      duel_init (&duel, pki_identity ("server-ecdsa"));
      duel.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
      duel.sides[DTLS_CLIENT].credential = &pki_identity ("client-ecdsa")->whole;
      duel.spoil = spoiled_rows[i].spoil;
      duel.spoil_data = &spoiled_rows[i].type;
      duel_run (&duel);
      CHECK_UINT (duel.sides[DTLS_SERVER].error, spoiled_rows[i].expected);
      CHECK (duel.sides[DTLS_SERVER].h->state != CONNECTED);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* --------------------------------------------------------------------------- HelloRetryRequest */

static const struct
{
  const char *name;
  bool has_cookies;
  uint16_t share; /* the client's */
  bool has_psk;
  uint16_t group; /* what comes of it */
  bool is_retried;
} retry_rows[] = {
  { "a share of ours", false, GROUP_X25519, false, GROUP_X25519, false },
  { "no share of ours", false, GROUP_SECP384R1, false, GROUP_SECP256R1, true },
  { "no share of ours, with a key", false, GROUP_SECP384R1, true, GROUP_SECP256R1, true },
  { "a cookie, and the best share", true, GROUP_SECP256R1, false, GROUP_SECP256R1, true },
  { "a cookie, and another share", true, GROUP_X25519, false, GROUP_SECP256R1, true },
  { "a cookie, and no share of ours", true, GROUP_SECP384R1, false, GROUP_SECP256R1, true },
  { "a cookie, and a key", true, GROUP_X25519, true, GROUP_SECP256R1, true },
};

/* RFC 9846 §4.2.4. Without cookies only where no share fits; with them the group that we like best. */
static void
test_retry (void)
{
  static const uint16_t ours[] = { GROUP_SECP256R1, GROUP_X25519 };

  for (size_t i = 0; i < TAP_N (retry_rows); i++)
    {
      struct duel duel;
      struct duel_side *client = &duel.sides[DTLS_CLIENT], *server = &duel.sides[DTLS_SERVER];

      tap_set_row (retry_rows[i].name);
      duel_init (&duel, pki_identity ("server-ecdsa"));
      duel.has_cookies = retry_rows[i].has_cookies;
      server->config.groups = ours;
      server->config.n_groups = TAP_N (ours);
      server->config.asks_for_psk = true;
      server->psk = &client_psk;
      client->config.share_groups = &retry_rows[i].share;
      client->config.n_share_groups = 1;
      client->config.psk = retry_rows[i].has_psk ? &client_psk : NULL;
      duel_run (&duel);
      duel_check (&duel);
      CHECK_UINT (server->known.group, retry_rows[i].group);
      CHECK_UINT (server->known.was_retried, retry_rows[i].is_retried);
      CHECK_UINT (server->known.has_psk, retry_rows[i].has_psk);
      CHECK_UINT (client->sent[1] == CLIENT_HELLO, retry_rows[i].is_retried);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* RFC 9147 §5.2: a HelloRetryRequest that was not kept had number 0. */
static void
test_numbers_after_a_cookie (void)
{
  struct duel duel;

  duel_init (&duel, pki_identity ("server-ecdsa"));
  duel.has_cookies = true;
  duel_run (&duel);
  duel_check (&duel);
  /* ServerHello, EncryptedExtensions, Certificate, CertificateVerify, Finished: 1 to 5. */
  CHECK_UINT (duel.sides[DTLS_SERVER].h->next_send_seq, 6);
  duel_clear (&duel);
}

/* -------------------------------------------------------------------------- EncryptedExtensions */

static void
test_extensions (void)
{
  static const uint16_t client_profiles[] = { 1, 7, 8 };
  static const uint16_t server_profiles[] = { 2, 8, 7 };
  struct duel duel;
  struct duel_side *client = &duel.sides[DTLS_CLIENT], *server = &duel.sides[DTLS_SERVER];

  duel_init (&duel, pki_identity ("server-ecdsa"));
  client->config.server_name = TAP_STRING ("server.example.com");
  client->config.alpn = TAP_STRING ("\3one\3two");
  server->config.alpn = TAP_STRING ("\5three\3two");
  client->config.srtp_profiles = client_profiles;
  client->config.n_srtp_profiles = TAP_N (client_profiles);
  server->config.srtp_profiles = server_profiles;
  server->config.n_srtp_profiles = TAP_N (server_profiles);
  client->config.record_size_limit = 1000;
  server->config.record_size_limit = 2000;
  duel_run (&duel);
  duel_check (&duel);

  for (unsigned i = 0; i < 2; i++)
    {
      const struct association *known = &duel.sides[i].known;

      CHECK_BYTES (((struct bytes){ known->alpn, known->alpn_len }), TAP_STRING ("two"));
      CHECK_UINT (known->srtp_profile, 8);
    }
  CHECK_BYTES (((struct bytes){ server->known.server_name, server->known.server_name_len }),
               TAP_STRING ("server.example.com"));
  /* RFC 8449 §4: what each sends is what the other takes. */
  CHECK_UINT (server->known.read_limit, 2000);
  CHECK_UINT (client->known.write_limit, 2000);
  CHECK (server->known.write_limit <= 1000);
  duel_clear (&duel);
}

static void
test_nothing_in_common_is_no_error (void)
{
  static const uint16_t client_profiles[] = { 1 };
  static const uint16_t server_profiles[] = { 7 };
  struct duel duel;
  struct duel_side *client = &duel.sides[DTLS_CLIENT], *server = &duel.sides[DTLS_SERVER];

  duel_init (&duel, pki_identity ("server-ecdsa"));
  client->config.alpn = TAP_STRING ("\3one");
  server->config.alpn = TAP_STRING ("\3two");
  client->config.srtp_profiles = client_profiles;
  client->config.n_srtp_profiles = 1;
  server->config.srtp_profiles = server_profiles;
  server->config.n_srtp_profiles = 1;
  duel_run (&duel);
  duel_check (&duel);
  CHECK_UINT (server->known.alpn_len, 0);
  CHECK_UINT (server->known.srtp_profile, 0);
  duel_clear (&duel);
}

static const struct tap_test tests[] = {
  { "/handshake/server13/asks-for-effects-in-order", test_effects },
  { "/handshake/server13/every-suite-key-and-group", test_suites },
  { "/handshake/server13/asks-for-credential-and-signature",
    test_asks_for_credential_and_signature },
  { "/handshake/server13/cannot-go-on-without-a-credential", test_no_credential },
  { "/handshake/server13/client-auth", test_client_auth },
  { "/handshake/server13/rejects-what-was-changed-on-its-way", test_spoiled_messages },
  { "/handshake/server13/retries-where-it-must", test_retry },
  { "/handshake/server13/goes-on-with-the-numbers-behind-a-cookie", test_numbers_after_a_cookie },
  { "/handshake/server13/answers-extensions", test_extensions },
  { "/handshake/server13/goes-on-with-nothing-in-common", test_nothing_in_common_is_no_error },
};

TAP_MAIN (tests)
