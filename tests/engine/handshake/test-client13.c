/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client of 1.3 against servers that keep every rule, and its handshake as a whole: what it asks
 * for, whom it asks, and that both sides come to the same secrets. */

#include "handshake/talk13.h"
#include "wire/certificates.h"
#include "wire/pre_shared_key.h"

static const uint8_t psk_key[32] = { 1, 2, 3 };

static const struct dtls_psk external = {
  .identity = { (const uint8_t *) "someone", 7 },
  .key = { psk_key, sizeof psk_key },
  .role = DTLS_CLIENT,
};

/* Both have the same secrets, of which nothing is zero. */
static void
check_secrets (struct talk *talk)
{
  const struct association *client = &talk->client.known;
  struct association *server = &talk->server.known;
  size_t len = hash_len (talk->client.h->suite->hash);
  static const uint8_t zeros[MAX_SECRET_LEN];

  CHECK_UINT (shared13_to_resumption (talk->server.h), DTLS_OK);
  CHECK (memcmp (client->client_traffic, server->client_traffic, len) == 0);
  CHECK (memcmp (client->server_traffic, server->server_traffic, len) == 0);
  CHECK (memcmp (client->exporter_secret, server->exporter_secret, len) == 0);
  CHECK (memcmp (client->resumption_secret, server->resumption_secret, len) == 0);
  CHECK (memcmp (client->client_traffic, zeros, len) != 0);
  CHECK (memcmp (client->resumption_secret, zeros, len) != 0);
}

static void
check_connected (struct talk *talk)
{
  CHECK_UINT (talk->client.h->state, CONNECTED);
  CHECK_UINT (talk->client.h->owed, 0);
  CHECK_UINT (talk->event, DTLS_EVENT_CONNECTED);
  CHECK_UINT (talk->server_error, DTLS_OK);
  CHECK_UINT (talk->client.known.version, VERSION_DTLS_1_3);
  check_secrets (talk);
}

/* The application's yes. */
static enum dtls_error
accept_chain (struct talk *talk)
{
  if (!CHECK_UINT (talk->client.h->wait, DTLS_WAIT_VERDICT))
    return DTLS_OK;

  talk->client.h->wait = DTLS_WAIT_NONE;
  talk->client.h->owed &= ~(unsigned) OWES_VERDICT;
  return talk_turn (talk);
}

static void
to_extensions (struct talk *talk, const struct answer *answer)
{
  CHECK_UINT (talk_begin (talk), DTLS_OK);
  CHECK_UINT (talk_hello (talk, answer), DTLS_OK);
  CHECK_UINT (talk_extensions (talk, (struct bytes){ NULL, 0 }), DTLS_OK);
}

static void
test_effects (void)
{
  static const enum effect_kind expected[] = {
    EFFECT_BEGIN_FLIGHT, EFFECT_SEND,      EFFECT_END_FLIGHT,       EFFECT_READ_KEYS,
    EFFECT_WRITE_KEYS,   EFFECT_EVENT,     EFFECT_BEGIN_FLIGHT,     EFFECT_SEND,
    EFFECT_WRITE_KEYS,   EFFECT_READ_KEYS, EFFECT_END_ACKED_FLIGHT, EFFECT_EVENT,
  };
  struct talk talk;

  talk_init (&talk);
  to_extensions (&talk, &(struct answer){ .suite = 0 });
  CHECK_UINT (talk_certificate (&talk, pki_identity ("server-ecdsa"), SIG_ECDSA_SECP256R1_SHA256),
              DTLS_OK);
  CHECK_UINT (talk_finished (&talk), DTLS_OK);
  CHECK_UINT (accept_chain (&talk), DTLS_OK);
  check_connected (&talk);
  if (CHECK_UINT (talk.n_kinds, TAP_N (expected)))
    for (size_t i = 0; i < TAP_N (expected); i++)
      CHECK_UINT (talk.kinds[i], expected[i]);
  CHECK_UINT (talk.client.known.group, GROUP_X25519);
  CHECK_UINT (talk.client.known.suite, SUITE_AES_128_GCM_SHA256);
  CHECK_UINT (talk.client.known.end_point_hash_len, 32);
  CHECK (!talk.client.known.was_retried);
  CHECK_UINT (talk.client.h->n_shares, 0);
  talk_clear (&talk);
}

/* ------------------------------------------------------------------------------------- suites */

static const struct
{
  const char *name;
  uint16_t suite;
  uint16_t group;
  const char *identity;
  uint16_t scheme;
} suite_rows[] = {
  { "AES-128", SUITE_AES_128_GCM_SHA256, GROUP_X25519, "server-ecdsa", SIG_ECDSA_SECP256R1_SHA256 },
  { "AES-256", SUITE_AES_256_GCM_SHA384, GROUP_X25519, "server-rsa", SIG_RSA_PSS_RSAE_SHA256 },
  { "ChaCha20", SUITE_CHACHA20_POLY1305_SHA256, GROUP_SECP256R1, "server-p384",
    SIG_ECDSA_SECP384R1_SHA384 },
  { "Ed25519", SUITE_AES_128_GCM_SHA256, GROUP_SECP384R1, "server-ed25519", SIG_ED25519 },
  { "RSA-PSS", SUITE_AES_128_GCM_SHA256, GROUP_X25519, "server-rsapss", SIG_RSA_PSS_PSS_SHA256 },
};

static void
test_suites (void)
{
  for (size_t i = 0; i < TAP_N (suite_rows); i++)
    {
      struct talk talk;

      tap_set_row (suite_rows[i].name);
      talk_init (&talk);
      talk.client.config.share_groups = &suite_rows[i].group;
      talk.client.config.n_share_groups = 1;
      to_extensions (
          &talk, &(struct answer){ .suite = suite_rows[i].suite, .group = suite_rows[i].group });
      CHECK_UINT (
          talk_certificate (&talk, pki_identity (suite_rows[i].identity), suite_rows[i].scheme),
          DTLS_OK);
      CHECK_UINT (talk_finished (&talk), DTLS_OK);
      CHECK_UINT (accept_chain (&talk), DTLS_OK);
      check_connected (&talk);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* --------------------------------------------------------------------------- HelloRetryRequest */

static const uint8_t long_cookie[4000] = { 7 };

static const struct
{
  const char *name;
  struct answer retry;
  uint16_t group; /* of the share in the second hello */
} retry_rows[] = {
  { "a group", { .group = GROUP_SECP256R1 }, GROUP_SECP256R1 },
  { "a cookie", { .cookie = { long_cookie, 1 } }, GROUP_X25519 },
  { "a long cookie", { .cookie = { long_cookie, sizeof long_cookie } }, GROUP_X25519 },
  { "both, and the longer hash",
    { .group = GROUP_SECP384R1, .cookie = { long_cookie, 9 }, .suite = SUITE_AES_256_GCM_SHA384 },
    GROUP_SECP384R1 },
};

/* RFC 9846 §4.2.2: all but what may change is as it was. */
static void
check_second_hello (const struct talk *talk, const struct client_hello *first,
                    const struct extensions *found, const struct answer *retry)
{
  static const unsigned may_change[] = { FOUND_KEY_SHARE, FOUND_COOKIE, FOUND_PRE_SHARED_KEY };
  struct bytes cookie = { NULL, 0 };

  CHECK_BYTES (talk->hello.random, first->random);
  CHECK_BYTES (talk->hello.session_id, first->session_id);
  CHECK_BYTES (talk->hello.cookie, first->cookie);
  CHECK_BYTES (talk->hello.suites, first->suites);
  for (unsigned i = 0; i < N_EXTENSIONS; i++)
    if (i != may_change[0] && i != may_change[1] && i != may_change[2])
      {
        CHECK_UINT (talk->found.has[i], found->has[i]);
        CHECK_BYTES (talk->found.body[i], found->body[i]);
      }
  if (retry->group == 0)
    CHECK_BYTES (talk->found.body[FOUND_KEY_SHARE], found->body[FOUND_KEY_SHARE]);

  CHECK_UINT (talk->found.has[FOUND_COOKIE], retry->cookie.left > 0);
  if (talk->found.has[FOUND_COOKIE])
    CHECK (cookie_read (talk->found.body[FOUND_COOKIE], &cookie));
  CHECK_BYTES (cookie, retry->cookie);
}

static void
test_retry (void)
{
  for (size_t i = 0; i < TAP_N (retry_rows); i++)
    {
      const struct answer *retry = &retry_rows[i].retry;
      struct answer hello = { .suite = retry->suite, .group = retry_rows[i].group };
      struct client_hello first;
      struct extensions found;
      uint8_t memory[8192];
      struct talk talk;

      tap_set_row (retry_rows[i].name);
      talk_init (&talk);
      talk.client.config.server_name = TAP_STRING ("server.example.com");
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      memcpy (memory, talk.hello_bytes.at, talk.hello_bytes.left);
      CHECK (client_hello_read ((struct bytes){ memory, talk.hello_bytes.left }, &first));
      CHECK_UINT (extensions_read (first.extensions, IN_CLIENT_HELLO, &found), EXTENSIONS_OK);

      CHECK_UINT (talk_retry (&talk, retry), DTLS_OK);
      CHECK_UINT (talk.n_hellos, 2);
      check_second_hello (&talk, &first, &found, retry);
      CHECK_UINT (talk_hello (&talk, &hello), DTLS_OK);
      CHECK_UINT (talk_extensions (&talk, (struct bytes){ NULL, 0 }), DTLS_OK);
      CHECK_UINT (
          talk_certificate (&talk, pki_identity ("server-ecdsa"), SIG_ECDSA_SECP256R1_SHA256),
          DTLS_OK);
      CHECK_UINT (talk_finished (&talk), DTLS_OK);
      CHECK_UINT (accept_chain (&talk), DTLS_OK);
      check_connected (&talk);
      CHECK (talk.client.known.was_retried);
      CHECK_UINT (talk.client.known.group, retry_rows[i].group);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* ------------------------------------------------------------------------------- certificates */

static const uint8_t asks_ecdsa[] = { 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3 };
static const uint8_t asks_pkcs1[] = { 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 1 };
static const uint8_t asks_with_authority[] = { 0,  0, 20, 0, 13, 0, 4, 0,    2, 4, 3, 0,
                                               47, 0, 8,  0, 6,  0, 4, 0x30, 2, 5, 0 };

static enum dtls_error
ask_certificate (struct talk *talk, struct bytes request)
{
  struct writer *w = effects_draft (&talk->server.effects, request.left);

  write_bytes (w, request.at, request.left);
  CHECK_UINT (handshake_send (talk->server.h, &talk->server.effects, CERTIFICATE_REQUEST), DTLS_OK);
  return talk_pass (talk);
}

enum
{
  WITHOUT,      /* a credential */
  AT_HAND,      /* with its key */
  FROM_OUTSIDE, /* and so is the signature */
};

static const struct
{
  const char *name;
  struct bytes request;
  const char *identity;
  int credential;
  size_t n_certificates; /* that the server gets */
} request_rows[] = {
  { "an ECDSA key", { asks_ecdsa, sizeof asks_ecdsa }, "client-ecdsa", AT_HAND, 1 },
  { "a signature from outside",
    { asks_ecdsa, sizeof asks_ecdsa },
    "client-ecdsa",
    FROM_OUTSIDE,
    1 },
  { "with an authority",
    { asks_with_authority, sizeof asks_with_authority },
    "client-ecdsa",
    AT_HAND,
    1 },
  { "without a credential", { asks_ecdsa, sizeof asks_ecdsa }, "client-ecdsa", WITHOUT, 0 },
  { "a key that the server cannot take",
    { asks_ecdsa, sizeof asks_ecdsa },
    "client-rsa",
    AT_HAND,
    0 },
  { "PKCS #1 is no scheme of 1.3", { asks_pkcs1, sizeof asks_pkcs1 }, "client-rsa", AT_HAND, 0 },
};

/* The answers that the client waits for, in their order: verdict, credential, signature. */
static void
answer_questions (struct talk *talk, const struct identity *identity, int credential)
{
  struct handshake *h = talk->client.h;
  struct dtls_buffer signature = { h->signing.signature, MAX_SIGNATURE_LEN, 0 };

  CHECK_UINT (accept_chain (talk), DTLS_OK);
  if (!CHECK_UINT (h->wait, DTLS_WAIT_CREDENTIAL))
    return;
  h->wait = DTLS_WAIT_NONE;
  CHECK_UINT (handshake_set_credential (h, credential == WITHOUT   ? NULL
                                           : credential == AT_HAND ? &identity->whole
                                                                   : &identity->keyless),
              DTLS_OK);
  CHECK_UINT (talk_turn (talk), DTLS_OK);
  if (credential != FROM_OUTSIDE || !CHECK_UINT (h->wait, DTLS_WAIT_SIGNATURE))
    return;

  CHECK_UINT (signature_make (pki_crypto (), identity->key, h->signing.scheme,
                              (struct bytes){ h->signing.input, h->signing.input_len }, &signature),
              DTLS_OK);
  h->signing.signature_len = signature.used;
  h->wait = DTLS_WAIT_NONE;
  CHECK_UINT (talk_turn (talk), DTLS_OK);
}

static void
test_request (void)
{
  for (size_t i = 0; i < TAP_N (request_rows); i++)
    {
      bool has_authority = request_rows[i].request.at == asks_with_authority;
      struct talk talk;

      tap_set_row (request_rows[i].name);
      talk_init (&talk);
      to_extensions (&talk, &(struct answer){ .suite = 0 });
      CHECK_UINT (ask_certificate (&talk, request_rows[i].request), DTLS_OK);
      CHECK_UINT (
          talk_certificate (&talk, pki_identity ("server-ecdsa"), SIG_ECDSA_SECP256R1_SHA256),
          DTLS_OK);
      talk.server.h->owed |= OWES_CERTIFICATE_VERIFY;
      CHECK_UINT (talk_finished (&talk), DTLS_OK);
      answer_questions (&talk, pki_identity (request_rows[i].identity), request_rows[i].credential);
      check_connected (&talk);
      CHECK_UINT (talk.server.peer.chain.n > 0, request_rows[i].n_certificates > 0);
      CHECK_UINT ((talk.server.h->owed & OWES_CERTIFICATE_VERIFY) == 0,
                  request_rows[i].n_certificates > 0);
      CHECK (talk.client.peer.has_asked_for_certificate);
      CHECK_UINT (talk.client.peer.authorities.n, has_authority);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* --------------------------------------------------------------------------- pre-shared keys */

static void
test_external_psk (void)
{
  struct talk talk;

  talk_init (&talk);
  talk.client.config.psk = &external;
  to_extensions (&talk, &(struct answer){ .has_psk = true });
  CHECK_UINT (talk.client.h->state, WAIT_FINISHED);
  CHECK_UINT (talk_finished (&talk), DTLS_OK);
  check_connected (&talk);
  CHECK (talk.client.known.has_psk);
  CHECK (!talk.client.known.is_resumed);
  CHECK_BYTES (talk.client.peer.psk_identity, external.identity);
  talk_clear (&talk);
}

static void
test_psk_that_the_server_does_not_use (void)
{
  struct talk talk;

  talk_init (&talk);
  talk.client.config.psk = &external;
  to_extensions (&talk, &(struct answer){ .suite = 0 });
  CHECK_UINT (talk_certificate (&talk, pki_identity ("server-ecdsa"), SIG_ECDSA_SECP256R1_SHA256),
              DTLS_OK);
  CHECK_UINT (talk_finished (&talk), DTLS_OK);
  CHECK_UINT (accept_chain (&talk), DTLS_OK);
  check_connected (&talk);
  CHECK (!talk.client.known.has_psk);
  talk_clear (&talk);

  talk_init (&talk);
  talk.client.config.psk = &external;
  talk.client.config.requires_psk = true;
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  CHECK_UINT (talk_hello (&talk, &(struct answer){ .suite = 0 }), DTLS_ERROR_PSK_REQUIRED);
  talk_clear (&talk);
}

/* The key is of SHA-256: when a HelloRetryRequest settles on another hash, it is no longer offered. */
static void
test_psk_after_a_retry (void)
{
  static const struct
  {
    uint16_t suite;
    bool has_psk;
  } rows[] = {
    { SUITE_CHACHA20_POLY1305_SHA256, true },
    { SUITE_AES_256_GCM_SHA384, false },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct answer retry = { .group = GROUP_SECP256R1, .suite = rows[i].suite };
      struct answer hello = { .group = GROUP_SECP256R1, .suite = rows[i].suite, .has_psk = true };
      struct talk talk;

      talk_init (&talk);
      talk.client.config.psk = &external;
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      CHECK (talk.found.has[FOUND_PRE_SHARED_KEY]);
      CHECK_UINT (talk_retry (&talk, &retry), DTLS_OK);
      CHECK_UINT (talk.found.has[FOUND_PRE_SHARED_KEY], rows[i].has_psk);
      CHECK_UINT (talk_hello (&talk, &hello),
                  rows[i].has_psk ? DTLS_OK : DTLS_ERROR_UNSUPPORTED_EXTENSION);
      talk_clear (&talk);
    }
}

/* ---------------------------------------------------------------------------------- resumption */

/* A session of 1.3 with this chain, for config.session. */
static struct bytes
make_session (uint8_t *memory, size_t capacity, const struct der_list *chain)
{
  uint8_t chain_memory[8192];
  struct writer chain_writer = writer_over (chain_memory, sizeof chain_memory);
  struct writer w = writer_over (memory, capacity);
  struct session session = {
    .version = VERSION_DTLS_1_3,
    .suite = SUITE_AES_128_GCM_SHA256,
    .made = 5 * DTLS_SECOND,
    .received = 6 * DTLS_SECOND,
    .lifetime = 3600,
    .age_add = 7,
    .secret = { 1, 2, 3 },
    .secret_len = 32,
    .ticket = TAP_STRING ("a ticket"),
  };

  session_chain_write (&chain_writer, chain);
  session.chain = writer_bytes (&chain_writer);
  session_write (&w, &session);
  return writer_bytes (&w);
}

static const struct
{
  const char *name;
  bool verifies_resumed;
  bool asks_verdict;
} resumption_rows[] = {
  { "a chain is judged again", true, true },
  { "or not", false, false },
};

static void
test_resumption (void)
{
  const struct identity *identity = pki_identity ("server-ecdsa");

  for (size_t i = 0; i < TAP_N (resumption_rows); i++)
    {
      struct der_list chain = { NULL, 0 };
      uint8_t memory[16384];
      struct talk talk;

      tap_set_row (resumption_rows[i].name);
      CHECK (der_list_copy (&chain, identity->whole.chain, identity->whole.n_chain));
      talk_init (&talk);
      talk.client.config.session = make_session (memory, sizeof memory, &chain);
      talk.client.config.verifies_resumed = resumption_rows[i].verifies_resumed;
      talk.client.config.wall_clock_offset = 16 * DTLS_SECOND;
      to_extensions (&talk, &(struct answer){ .has_psk = true });
      CHECK_UINT (talk_finished (&talk), DTLS_OK);
      if (resumption_rows[i].asks_verdict)
        CHECK_UINT (accept_chain (&talk), DTLS_OK);
      check_connected (&talk);
      CHECK (talk.client.known.is_resumed);
      CHECK (!talk.client.known.has_psk);
      CHECK_UINT (talk.client.peer.chain.n, chain.n);
      CHECK_UINT (talk.client.known.end_point_hash_len, 32);
      talk_clear (&talk);
      der_list_clear (&chain);
    }
  tap_set_row (NULL);
}

/* The ticket is offered before the external key, which the server may choose all the same. */
static void
test_second_identity (void)
{
  const struct identity *identity = pki_identity ("server-ecdsa");
  struct der_list chain = { NULL, 0 };
  uint8_t memory[16384];
  struct talk talk;

  CHECK (der_list_copy (&chain, identity->whole.chain, identity->whole.n_chain));
  talk_init (&talk);
  talk.client.config.session = make_session (memory, sizeof memory, &chain);
  talk.client.config.wall_clock_offset = 16 * DTLS_SECOND;
  talk.client.config.psk = &external;
  to_extensions (&talk, &(struct answer){ .has_psk = true, .psk = 1 });
  CHECK_UINT (talk_finished (&talk), DTLS_OK);
  check_connected (&talk);
  CHECK (talk.client.known.has_psk);
  CHECK (!talk.client.known.is_resumed);
  talk_clear (&talk);
  der_list_clear (&chain);
}

/* ------------------------------------------------------------------------------------- key log */

static void
count_line (void *data, const char *line)
{
  static const char *const labels[] = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
    "CLIENT_TRAFFIC_SECRET_0 ",
    "SERVER_TRAFFIC_SECRET_0 ",
    "EXPORTER_SECRET ",
  };
  unsigned *seen = data;

  for (size_t i = 0; i < TAP_N (labels); i++)
    if (strncmp (line, labels[i], strlen (labels[i])) == 0)
      {
        *seen |= 1U << i;
        CHECK_UINT (strlen (line), strlen (labels[i]) + 64 + 1 + 64);
      }
}

static void
test_keylog (void)
{
  unsigned seen = 0;
  struct talk talk;

  talk_init (&talk);
  talk.client.config.psk = &external;
  talk.client.config.keylog = count_line;
  talk.client.config.keylog_data = &seen;
  to_extensions (&talk, &(struct answer){ .has_psk = true });
  CHECK_UINT (seen, 3);
  CHECK_UINT (talk_finished (&talk), DTLS_OK);
  CHECK_UINT (seen, 31);
  talk_clear (&talk);
}

static const struct tap_test tests[] = {
  { "/handshake/client13/effects/keys-and-flights-in-order", test_effects },
  { "/handshake/client13/suites/both-sides-come-to-the-same-secrets", test_suites },
  { "/handshake/client13/retry/only-share-and-cookie-change", test_retry },
  { "/handshake/client13/request/answers-with-a-certificate-or-an-empty-list", test_request },
  { "/handshake/client13/psk/an-external-key-needs-no-certificate", test_external_psk },
  { "/handshake/client13/psk/goes-without-unless-required", test_psk_that_the_server_does_not_use },
  { "/handshake/client13/psk/after-a-retry-only-of-the-suites-hash", test_psk_after_a_retry },
  { "/handshake/client13/resumption/brings-back-the-chain-and-its-verdict", test_resumption },
  { "/handshake/client13/psk/the-server-may-choose-the-second", test_second_identity },
  { "/handshake/client13/keylog/each-secret-when-it-is-known", test_keylog },
};

TAP_MAIN (tests)
