/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a ClientHello offers, and which version an answer leads to. */

#include "handshake/client12.h"
#include "handshake/client13.h"
#include "handshake/talk13.h"
#include "pair.h"

#define NOTHING ((struct bytes){ NULL, 0 })

static void
allow (struct dtls_config *config, enum dtls_version min_version, enum dtls_version max_version)
{
  config->min_version = min_version;
  config->max_version = max_version;
}

/* ---------------------------------------------------------------------------------- ClientHello */

struct expected_hello
{
  const char *name;
  enum dtls_version min_version;
  enum dtls_version max_version;
  size_t n_suites;
  struct bytes versions; /* the body of supported_versions; empty: none */
  bool has_12;           /* the extensions of 1.2 alone */
  bool has_13;
  uint16_t record_size_limit;
};

static const uint8_t both_versions[] = { 4, 0xfe, 0xfc, 0xfe, 0xfd };
static const uint8_t version_13[] = { 2, 0xfe, 0xfc };

static const struct expected_hello hello_rows[] = {
  { "both", DTLS_1_2, DTLS_1_3, 9, { both_versions, 5 }, true, true, 16385 },
  { "1.2", DTLS_1_2, DTLS_1_2, 6, { NULL, 0 }, true, false, 16384 },
  { "1.3", DTLS_1_3, DTLS_1_3, 3, { version_13, 3 }, false, true, 16385 },
};

static void
check_hello (const struct talk *talk, const struct expected_hello *expected)
{
  const struct extensions *found = &talk->found;
  uint16_t limit = 0;

  CHECK_UINT (talk->hello.version, VERSION_DTLS_1_2);
  CHECK_UINT (talk->hello.session_id.left, 0);
  CHECK_UINT (talk->hello.cookie.left, 0);
  CHECK_BYTES (talk->hello.compression, TAP_STRING ("\0"));
  CHECK_UINT (talk->hello.suites.left, 2 * expected->n_suites);
  CHECK_BYTES (found->body[FOUND_SUPPORTED_VERSIONS], expected->versions);
  CHECK_UINT (found->has[FOUND_EXTENDED_MASTER_SECRET], expected->has_12);
  CHECK_UINT (found->has[FOUND_RENEGOTIATION_INFO], expected->has_12);
  CHECK_UINT (found->has[FOUND_EC_POINT_FORMATS], expected->has_12);
  CHECK_UINT (found->has[FOUND_SESSION_TICKET], expected->has_12);
  CHECK_UINT (found->has[FOUND_KEY_SHARE], expected->has_13);
  CHECK_UINT (found->has[FOUND_PSK_KEY_EXCHANGE_MODES], expected->has_13);
  CHECK (record_size_limit_read (found->body[FOUND_RECORD_SIZE_LIMIT], &limit));
  CHECK_UINT (limit, expected->record_size_limit);
  CHECK (!found->has[FOUND_SERVER_NAME]);
  CHECK (!found->has[FOUND_ALPN]);
  CHECK (!found->has[FOUND_USE_SRTP]);
  CHECK (!found->has[FOUND_COOKIE]);
  CHECK (!found->has[FOUND_PRE_SHARED_KEY]);
  CHECK (!found->has_unknown);
}

static void
test_hello (void)
{
  for (size_t i = 0; i < TAP_N (hello_rows); i++)
    {
      struct talk talk;

      tap_set_row (hello_rows[i].name);
      talk_init (&talk);
      allow (&talk.client.config, hello_rows[i].min_version, hello_rows[i].max_version);
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      check_hello (&talk, &hello_rows[i]);
      /* Small enough for any path, so that no server has to gather it. */
      CHECK (talk.hello_bytes.left < 300);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* RFC 8449 §4, where the configuration limits records. */
static void
test_record_size_limit (void)
{
  static const uint16_t expected[] = { 1000, 1000, 1001 };

  for (size_t i = 0; i < TAP_N (hello_rows); i++)
    {
      struct talk talk;
      uint16_t limit = 0;

      talk_init (&talk);
      allow (&talk.client.config, hello_rows[i].min_version, hello_rows[i].max_version);
      talk.client.config.record_size_limit = 1000;
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      CHECK (record_size_limit_read (talk.found.body[FOUND_RECORD_SIZE_LIMIT], &limit));
      CHECK_UINT (limit, expected[i]);
      talk_clear (&talk);
    }
}

/* What it says it has is what is in it: the client refuses an answer to anything else. */
static void
test_has_extension_tells_the_truth (void)
{
  static const uint8_t key[16] = { 1 };
  static const uint16_t profiles[] = { 1 };
  static const struct dtls_psk psk = { .identity = { key, 1 },
                                       .key = { key, sizeof key },
                                       .role = DTLS_CLIENT };

  for (unsigned i = 0; i < 4 * TAP_N (hello_rows); i++)
    {
      const struct expected_hello *row = &hello_rows[i / 4];
      struct talk talk;

      talk_init (&talk);
      allow (&talk.client.config, row->min_version, row->max_version);
      if (i % 2 != 0)
        {
          talk.client.config.server_name = TAP_STRING ("example.com");
          talk.client.config.alpn = TAP_STRING ("\1a");
          talk.client.config.srtp_profiles = profiles;
          talk.client.config.n_srtp_profiles = 1;
          talk.client.config.psk = &psk;
        }
      talk.client.config.keeps_sessions = i / 2 % 2 != 0;
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      for (unsigned j = 0; j < N_EXTENSIONS; j++)
        CHECK_UINT (opening_has_extension (talk.client.h, j), talk.found.has[j]);
      CHECK_UINT (talk.found.has[FOUND_PRE_SHARED_KEY], row->has_13 && i % 2 != 0);
      talk_clear (&talk);
    }
}

static void
test_largest_hello (void)
{
  static uint8_t name[255], alpn[4096];
  static uint16_t profiles[100];
  struct talk talk;
  struct use_srtp srtp;
  struct bytes got;

  memset (name, 'x', sizeof name);
  for (size_t i = 0; i < sizeof alpn; i += 256)
    {
      memset (alpn + i, 'y', 256);
      alpn[i] = 255;
    }
  talk_init (&talk);
  talk.client.config.server_name = TAP_BYTES (name);
  talk.client.config.alpn = TAP_BYTES (alpn);
  talk.client.config.srtp_profiles = profiles;
  talk.client.config.n_srtp_profiles = TAP_N (profiles);
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  CHECK (server_name_read (talk.found.body[FOUND_SERVER_NAME], &got));
  CHECK_BYTES (got, TAP_BYTES (name));
  CHECK (alpn_read (talk.found.body[FOUND_ALPN], &got));
  CHECK_BYTES (got, TAP_BYTES (alpn));
  CHECK (use_srtp_read (talk.found.body[FOUND_USE_SRTP], &srtp));
  CHECK_UINT (srtp.mki.left, 0);
  talk_clear (&talk);
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
  for (unsigned i = 0; i < 4; i++)
    {
      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair_set_versions (&pair, DTLS_1_2, i / 2 == 0 ? DTLS_1_2 : DTLS_1_3);
      pair.has_cookies = i % 2 == 0;
      pair.sides[DTLS_CLIENT].config.mtu = 256;
      pair.sides[DTLS_CLIENT].config.server_name = TAP_BYTES (name);
      pair.sides[DTLS_CLIENT].config.alpn = TAP_BYTES (alpn);
      CHECK (pair_handshake (&pair));
      CHECK_BYTES (dtls_conn_server_name (pair.sides[DTLS_SERVER].conn), TAP_BYTES (name));
      PAIR_END (&pair);
    }
}

/* ------------------------------------------------------------------------------- configurations */

static void
test_config (void)
{
  static const uint8_t bytes[DTLS_MAX_PSK_IDENTITY_LEN + 1];
  static const uint16_t unknown[] = { 0x1399 };
  static const struct
  {
    const char *name;
    struct dtls_psk psk;
    size_t n_suites;
    enum dtls_error expected;
  } rows[] = {
    { "a key", { .identity = { bytes, 1 }, .key = { bytes, 1 } }, 0, DTLS_OK },
    { "of servers",
      { .identity = { bytes, 1 }, .key = { bytes, 1 }, .role = DTLS_SERVER },
      0,
      DTLS_ERROR_CONFIG },
    { "without identity", { .key = { bytes, 1 } }, 0, DTLS_ERROR_CONFIG },
    { "a long identity",
      { .identity = { bytes, sizeof bytes }, .key = { bytes, 1 } },
      0,
      DTLS_ERROR_CONFIG },
    { "without a key", { .identity = { bytes, 1 } }, 0, DTLS_ERROR_CONFIG },
    { "a long key",
      { .identity = { bytes, 1 }, .key = { bytes, DTLS_MAX_PSK_LEN + 1 } },
      0,
      DTLS_ERROR_CONFIG },
    { "no suite", { .identity = { bytes, 1 }, .key = { bytes, 1 } }, 1, DTLS_ERROR_CONFIG },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct talk talk;

      tap_set_row (rows[i].name);
      talk_init (&talk);
      talk.client.config.psk = &rows[i].psk;
      talk.client.config.suites = unknown;
      talk.client.config.n_suites = rows[i].n_suites;
      CHECK_UINT (talk_begin (&talk), rows[i].expected);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* ---------------------------------------------------------------------------- HelloVerifyRequest */

static const uint8_t verify_request[] = { 0xfe, 0xff, 2, 'c', 'c' };

static void
test_verify_request (void)
{
  struct talk talk;
  uint8_t memory[2048];
  struct client_hello first;

  talk_init (&talk);
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  memcpy (memory, talk.hello_bytes.at, talk.hello_bytes.left);
  CHECK (client_hello_read ((struct bytes){ memory, talk.hello_bytes.left }, &first));
  for (unsigned n = 0; n < 4; n++)
    CHECK_UINT (talk_give (&talk, HELLO_VERIFY_REQUEST, TAP_BYTES (verify_request)), DTLS_OK);
  CHECK_UINT (talk.n_hellos, 5);
  CHECK_BYTES (talk.hello.cookie, TAP_STRING ("cc"));
  CHECK_BYTES (talk.hello.random, first.random);
  CHECK_BYTES (talk.hello.suites, first.suites);
  CHECK_BYTES (talk.hello.extensions, first.extensions);
  CHECK_UINT (talk_give (&talk, HELLO_VERIFY_REQUEST, TAP_BYTES (verify_request)),
              DTLS_ERROR_UNEXPECTED_MESSAGE);
  talk_clear (&talk);
}

/* RFC 9147 §5.1: a server of 1.3 sends none, so a client of 1.3 alone has no version in common. */
static void
test_verify_request_and_13 (void)
{
  struct talk talk;

  talk_init (&talk);
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  CHECK_UINT (talk_give (&talk, HELLO_VERIFY_REQUEST, TAP_BYTES (verify_request)), DTLS_OK);
  CHECK_UINT (talk_hello (&talk, &(struct answer){ .suite = 0 }), DTLS_ERROR_ILLEGAL_PARAMETER);
  talk_clear (&talk);

  talk_init (&talk);
  allow (&talk.client.config, DTLS_1_3, DTLS_1_3);
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  CHECK_UINT (talk_give (&talk, HELLO_VERIFY_REQUEST, TAP_BYTES (verify_request)),
              DTLS_ERROR_PROTOCOL_VERSION);
  talk_clear (&talk);
}

/* ---------------------------------------------------------------------------------- the version */

enum
{
  SUITE_12 = SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
};

static const uint8_t renegotiation_info[] = { 0xff, 0x01, 0, 1, 0 };

#define OF_12                                                                                      \
  .suite = SUITE_12, .omits_version = true, .omits_share = true,                                   \
  .extra = { renegotiation_info, sizeof renegotiation_info }

static const struct
{
  const char *name;
  struct answer answer;
  unsigned of_both; /* enum dtls_error of a client that speaks both versions, */
  unsigned of_12;   /* of one that speaks 1.2, */
  unsigned of_13;   /* or 1.3 */
} version_rows[] = {
  { "1.3", { .suite = 0 }, DTLS_OK, DTLS_ERROR_ILLEGAL_PARAMETER, DTLS_OK },
  { "1.2", { OF_12 }, DTLS_OK, DTLS_OK, DTLS_ERROR_PROTOCOL_VERSION },
  { "1.0",
    { OF_12, .legacy_version = VERSION_DTLS_1_0 },
    DTLS_ERROR_PROTOCOL_VERSION,
    DTLS_ERROR_PROTOCOL_VERSION,
    DTLS_ERROR_PROTOCOL_VERSION },
  { "legacy_version of 1.3",
    { OF_12, .legacy_version = VERSION_DTLS_1_3 },
    DTLS_ERROR_PROTOCOL_VERSION,
    DTLS_ERROR_PROTOCOL_VERSION,
    DTLS_ERROR_PROTOCOL_VERSION },
  { "1.2 by a server that speaks 1.3",
    { OF_12, .random_end = "DOWNGRD\1" },
    DTLS_ERROR_DOWNGRADE,
    DTLS_OK,
    DTLS_ERROR_PROTOCOL_VERSION },
  { "1.2 by one that was to speak less",
    { OF_12, .random_end = "DOWNGRD\0" },
    DTLS_ERROR_DOWNGRADE,
    DTLS_ERROR_DOWNGRADE,
    DTLS_ERROR_PROTOCOL_VERSION },
  { "almost such a mark",
    { OF_12, .random_end = "DOWNGRD\2" },
    DTLS_OK,
    DTLS_OK,
    DTLS_ERROR_PROTOCOL_VERSION },
  { "1.2, selected by the extension",
    { .selected_version = VERSION_DTLS_1_2, .suite = SUITE_12, .omits_share = true },
    DTLS_ERROR_ILLEGAL_PARAMETER,
    DTLS_ERROR_ILLEGAL_PARAMETER,
    DTLS_ERROR_ILLEGAL_PARAMETER },
  { "a suite of 1.3 in 1.2",
    { .omits_version = true, .omits_share = true },
    DTLS_ERROR_ILLEGAL_PARAMETER,
    DTLS_ERROR_ILLEGAL_PARAMETER,
    DTLS_ERROR_PROTOCOL_VERSION },
};

static void
check_version (size_t row, const struct expected_hello *speaks, unsigned expected)
{
  bool is_13 = !version_rows[row].answer.omits_version;
  uint8_t memory[512];
  struct writer w = writer_over (memory, sizeof memory);
  struct answer answer = version_rows[row].answer;
  struct talk talk;

  talk_init (&talk);
  allow (&talk.client.config, speaks->min_version, speaks->max_version);
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  if (is_13 && speaks->has_13)
    CHECK_UINT (talk_hello (&talk, &answer), expected);
  else
    CHECK_UINT (talk_give (&talk, SERVER_HELLO, answer_write (&w, &answer, false)), expected);
  if (expected == DTLS_OK)
    {
      CHECK (talk.client.h->table == (is_13 ? &client13_table : &client12_table));
      CHECK_UINT (talk.client.known.version, is_13 ? VERSION_DTLS_1_3 : VERSION_DTLS_1_2);
      CHECK_UINT (talk.client.h->transcript.is_13, is_13);
      CHECK_UINT (talk.client.h->n_shares, 0);
    }
  talk_clear (&talk);
}

static void
test_version (void)
{
  for (size_t i = 0; i < TAP_N (version_rows); i++)
    {
      tap_set_row (version_rows[i].name);
      check_version (i, &hello_rows[0], version_rows[i].of_both);
      check_version (i, &hello_rows[1], version_rows[i].of_12);
      check_version (i, &hello_rows[2], version_rows[i].of_13);
    }
  tap_set_row (NULL);
}

static const struct tap_test tests[] = {
  { "/handshake/opening/hello/of-the-versions-that-are-allowed", test_hello },
  { "/handshake/opening/hello/record-size-limit-of-both-versions", test_record_size_limit },
  { "/handshake/opening/has-extension-tells-the-truth", test_has_extension_tells_the_truth },
  { "/handshake/opening/largest-hello", test_largest_hello },
  { "/handshake/opening/largest-hello-connects-at-the-smallest-mtu",
    test_largest_hello_connects_at_the_smallest_mtu },
  { "/handshake/opening/config/rejects-keys-of-servers-and-empty-offers", test_config },
  { "/handshake/opening/verify-request/is-answered-with-the-same-hello", test_verify_request },
  { "/handshake/opening/verify-request/is-none-of-1.3", test_verify_request_and_13 },
  { "/handshake/opening/version/by-extension-and-never-downgraded", test_version },
};

TAP_MAIN (tests)
