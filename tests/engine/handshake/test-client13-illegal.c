/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client of 1.3 against messages that break one rule, each with the error that it ends with. */

#include "handshake/talk13.h"
#include "wire/certificates.h"

enum
{
  DECODE = DTLS_ERROR_DECODE,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  UNEXPECTED = DTLS_ERROR_UNEXPECTED_MESSAGE,
  UNSUPPORTED = DTLS_ERROR_UNSUPPORTED_EXTENSION,
  MISSING = DTLS_ERROR_MISSING_EXTENSION,
};

#define NOTHING ((struct bytes){ NULL, 0 })
/* The bytes of a string literal, for a table. */
#define LITERAL(text)                                                                              \
  {                                                                                                \
    (const uint8_t *) (text), sizeof (text) - 1                                                    \
  }

static const uint8_t psk_key[32] = { 1, 2, 3 };
static const uint8_t much[8000] = { 4 };
static const uint8_t zeros[32];

static const struct dtls_psk external = {
  .identity = LITERAL ("someone"),
  .key = { psk_key, sizeof psk_key },
  .role = DTLS_CLIENT,
};

static const uint16_t srtp_profiles[] = { 1, 7 };

/* A client that asks for all that there is. */
static void
begin (struct talk *talk)
{
  talk_init (talk);
  talk->client.config.alpn = TAP_STRING ("\3one\3two");
  talk->client.config.server_name = TAP_STRING ("server.example.com");
  talk->client.config.srtp_profiles = srtp_profiles;
  talk->client.config.n_srtp_profiles = TAP_N (srtp_profiles);
  talk->client.config.psk = &external;
  CHECK_UINT (talk_begin (talk), DTLS_OK);
}

/* --------------------------------------------------------------------------------- ServerHello */

struct hello_row
{
  const char *name;
  struct answer answer;
  unsigned expected; /* enum dtls_error */
};

/* clang-format off */
static const struct hello_row hello_rows[] = {
  { "nothing wrong",                       { .suite = 0 }, DTLS_OK },
  { "nothing wrong, with the key",         { .has_psk = true }, DTLS_OK },
  { "legacy_version of 1.3",               { .legacy_version = VERSION_DTLS_1_3 }, DTLS_ERROR_PROTOCOL_VERSION },
  { "legacy_version of 1.0",               { .legacy_version = VERSION_DTLS_1_0 }, DTLS_ERROR_PROTOCOL_VERSION },
  { "a session ID",                        { .echoes_session_id = true }, ILLEGAL },
  { "compression",                         { .compression = 1 }, ILLEGAL },
  { "a suite of 1.2",                      { .suite = SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256 }, ILLEGAL },
  { "a suite that was not offered",        { .suite = 0x1304 }, ILLEGAL },
  { "selects 1.2",                         { .selected_version = VERSION_DTLS_1_2 }, ILLEGAL },
  { "selects TLS 1.3",                     { .selected_version = 0x0304 }, ILLEGAL },
  { "selects 1.0",                         { .selected_version = VERSION_DTLS_1_0 }, ILLEGAL },
  { "no share",                            { .omits_share = true }, MISSING },
  { "a key without a share",               { .has_psk = true, .omits_share = true }, ILLEGAL },
  { "a share of a group without ours",     { .group = GROUP_SECP256R1 }, ILLEGAL },
  { "a share of a group that is not ours", { .group = 30 }, ILLEGAL },
  { "a share too long for any group",      { .share = { much, sizeof much } }, ILLEGAL },
  { "a share of zeros",                    { .share = { zeros, sizeof zeros } }, ILLEGAL },
  { "a share one byte short",              { .share = { much, 31 } }, ILLEGAL },
  { "a share with a byte behind it",       { .omits_share = true, .extra = LITERAL ("\0\x33\0\6\0\x1d\0\1xy") }, DECODE },
  { "an empty share",                      { .omits_share = true, .extra = LITERAL ("\0\x33\0\4\0\x1d\0\0") }, DECODE },
  { "the second of one key",               { .has_psk = true, .psk = 1 }, ILLEGAL },
  { "the last of one key",                 { .has_psk = true, .psk = 65535 }, ILLEGAL },
  { "a key that does not fit the suite",   { .has_psk = true, .suite = SUITE_AES_256_GCM_SHA384 }, ILLEGAL },
  { "a key named in three bytes",          { .extra = LITERAL ("\0\x29\0\3\0\0\0") }, DECODE },
  { "an extension of EncryptedExtensions", { .extra = LITERAL ("\0\0\0\0") }, ILLEGAL },
  { "a cookie",                            { .cookie = LITERAL ("c") }, ILLEGAL },
  { "extended_master_secret",              { .extra = LITERAL ("\0\x17\0\0") }, ILLEGAL },
  { "an extension that nobody knows",      { .extra = LITERAL ("\x7a\x7a\0\0") }, UNSUPPORTED },
  { "an extension twice",                  { .extra = LITERAL ("\0\x2b\0\2\xfe\xfc") }, DECODE },
  { "an extension cut short",              { .extra = LITERAL ("\0\x2b\0\2\xfe") }, DECODE },
  { "a version in one byte",               { .omits_version = true, .extra = LITERAL ("\0\x2b\0\1\xfe") }, DECODE },
};
/* clang-format on */

static void
test_hello (void)
{
  for (size_t i = 0; i < TAP_N (hello_rows); i++)
    {
      struct talk talk;

      tap_set_row (hello_rows[i].name);
      begin (&talk);
      CHECK_UINT (talk_hello (&talk, &hello_rows[i].answer), hello_rows[i].expected);
      if (hello_rows[i].expected == DTLS_OK)
        CHECK_UINT (talk.client.h->state, WAIT_ENCRYPTED_EXTENSIONS);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* RFC 9846 §4.3: what was not asked for. */
static void
test_unsolicited_psk (void)
{
  struct talk talk;

  talk_init (&talk);
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  CHECK_UINT (talk_hello (&talk, &(struct answer){ .has_psk = true }), UNSUPPORTED);
  talk_clear (&talk);
}

/* --------------------------------------------------------------------------- HelloRetryRequest */

/* clang-format off */
static const struct hello_row retry_rows[] = {
  { "nothing wrong",                       { .group = GROUP_SECP384R1 }, DTLS_OK },
  { "changes nothing",                     { .suite = 0 }, ILLEGAL },
  { "a group that we sent a share of",     { .group = GROUP_X25519 }, ILLEGAL },
  { "the same beside a cookie",            { .group = GROUP_X25519, .cookie = LITERAL ("c") }, ILLEGAL },
  { "a group that we do not have",         { .group = 30 }, ILLEGAL },
  { "an empty cookie",                     { .extra = LITERAL ("\0\x2c\0\2\0\0") }, DECODE },
  { "a cookie with a byte behind it",      { .extra = LITERAL ("\0\x2c\0\4\0\1cc") }, DECODE },
  { "a group in three bytes",              { .extra = LITERAL ("\0\x33\0\3\0\x17\0") }, DECODE },
  { "legacy_version of 1.3",               { .group = GROUP_SECP384R1, .legacy_version = VERSION_DTLS_1_3 }, DTLS_ERROR_PROTOCOL_VERSION },
  { "a session ID",                        { .group = GROUP_SECP384R1, .echoes_session_id = true }, ILLEGAL },
  { "compression",                         { .group = GROUP_SECP384R1, .compression = 1 }, ILLEGAL },
  { "a suite of 1.2",                      { .group = GROUP_SECP384R1, .suite = SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256 }, ILLEGAL },
  { "selects 1.2",                         { .group = GROUP_SECP384R1, .selected_version = VERSION_DTLS_1_2 }, ILLEGAL },
  { "no version",                          { .group = GROUP_SECP384R1, .omits_version = true }, MISSING },
  { "chooses a key",                       { .group = GROUP_SECP384R1, .has_psk = true }, ILLEGAL },
  { "an extension that nobody knows",      { .group = GROUP_SECP384R1, .extra = LITERAL ("\x7a\x7a\0\0") }, UNSUPPORTED },
  { "an extension twice",                  { .group = GROUP_SECP384R1, .extra = LITERAL ("\0\x33\0\2\0\x17") }, DECODE },
};
/* clang-format on */

static void
test_retry (void)
{
  for (size_t i = 0; i < TAP_N (retry_rows); i++)
    {
      struct talk talk;

      tap_set_row (retry_rows[i].name);
      begin (&talk);
      CHECK_UINT (talk_retry (&talk, &retry_rows[i].answer), retry_rows[i].expected);
      CHECK_UINT (talk.n_hellos, retry_rows[i].expected == DTLS_OK ? 2 : 1);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* A cookie that leaves the second hello no room for anything else. */
static void
test_cookie_too_long (void)
{
  static const uint8_t memory[65500] = { 1 };
  struct answer retry = { .cookie = { memory, sizeof memory } };
  static uint8_t body[66000];
  struct writer w = writer_over (body, sizeof body);
  struct talk talk;

  begin (&talk);
  CHECK_UINT (talk_give (&talk, SERVER_HELLO, answer_write (&w, &retry, true)), ILLEGAL);
  CHECK_UINT (talk.n_hellos, 1);
  talk_clear (&talk);
}

static const struct
{
  const char *name;
  struct answer second;
  bool is_retry;
  unsigned expected; /* enum dtls_error */
} second_rows[] = {
  { "nothing wrong", { .group = GROUP_SECP384R1 }, false, DTLS_OK },
  { "a second HelloRetryRequest", { .group = GROUP_SECP256R1 }, true, UNEXPECTED },
  { "another suite",
    { .group = GROUP_SECP384R1, .suite = SUITE_CHACHA20_POLY1305_SHA256 },
    false,
    ILLEGAL },
  { "the group of before", { .group = GROUP_X25519 }, false, ILLEGAL },
  { "1.2", { .group = GROUP_SECP384R1, .omits_version = true }, false, ILLEGAL },
  { "a version of 1.2",
    { .group = GROUP_SECP384R1, .selected_version = VERSION_DTLS_1_2 },
    false,
    ILLEGAL },
};

static void
test_second_hello (void)
{
  for (size_t i = 0; i < TAP_N (second_rows); i++)
    {
      const struct answer *second = &second_rows[i].second;
      struct talk talk;

      tap_set_row (second_rows[i].name);
      begin (&talk);
      CHECK_UINT (talk_retry (&talk, &(struct answer){ .group = GROUP_SECP384R1 }), DTLS_OK);
      CHECK_UINT (second_rows[i].is_retry ? talk_retry (&talk, second) : talk_hello (&talk, second),
                  second_rows[i].expected);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* ------------------------------------------------------------------------- EncryptedExtensions */

static const struct
{
  const char *name;
  struct bytes block;
  unsigned expected; /* enum dtls_error */
} extension_rows[] = {
  { "none", { NULL, 0 }, DTLS_OK },
  { "ALPN", LITERAL ("\0\x10\0\6\0\4\3two"), DTLS_OK },
  { "ALPN that is not ours", LITERAL ("\0\x10\0\6\0\4\3six"), ILLEGAL },
  { "ALPN of two", LITERAL ("\0\x10\0\x0a\0\x08\3one\3two"), ILLEGAL },
  { "ALPN of none", LITERAL ("\0\x10\0\2\0\0"), DECODE },
  { "ALPN, an empty name", LITERAL ("\0\x10\0\3\0\1\0"), DECODE },
  { "server_name", LITERAL ("\0\0\0\0"), DTLS_OK },
  { "server_name with a body", LITERAL ("\0\0\0\1x"), DECODE },
  { "supported_groups", LITERAL ("\0\x0a\0\4\0\2\0\x1d"), DTLS_OK },
  { "use_srtp", LITERAL ("\0\x0e\0\5\0\2\0\7\0"), DTLS_OK },
  { "use_srtp, not ours", LITERAL ("\0\x0e\0\5\0\2\0\2\0"), ILLEGAL },
  { "use_srtp of two", LITERAL ("\0\x0e\0\7\0\4\0\7\0\1\0"), ILLEGAL },
  { "use_srtp of none", LITERAL ("\0\x0e\0\3\0\0\0"), DECODE },
  { "use_srtp with an MKI", LITERAL ("\0\x0e\0\6\0\2\0\7\1m"), ILLEGAL },
  { "record_size_limit", LITERAL ("\0\x1c\0\2\1\0"), DTLS_OK },
  { "record_size_limit below 64", LITERAL ("\0\x1c\0\2\0\x3f"), ILLEGAL },
  { "record_size_limit of one byte", LITERAL ("\0\x1c\0\1\1"), DECODE },
  { "early_data", LITERAL ("\0\x2a\0\0"), UNSUPPORTED },
  { "key_share", LITERAL ("\0\x33\0\2\0\x1d"), ILLEGAL },
  { "supported_versions", LITERAL ("\0\x2b\0\2\xfe\xfc"), ILLEGAL },
  { "extended_master_secret", LITERAL ("\0\x17\0\0"), ILLEGAL },
  { "unknown", LITERAL ("\x7a\x7a\0\0"), UNSUPPORTED },
  { "twice", LITERAL ("\0\0\0\0\0\0\0\0"), DECODE },
  { "cut short", LITERAL ("\0\0\0"), DECODE },
};

static void
test_extensions (void)
{
  for (size_t i = 0; i < TAP_N (extension_rows); i++)
    {
      struct talk talk;

      tap_set_row (extension_rows[i].name);
      begin (&talk);
      CHECK_UINT (talk_hello (&talk, &(struct answer){ .suite = 0 }), DTLS_OK);
      CHECK_UINT (talk_extensions (&talk, extension_rows[i].block), extension_rows[i].expected);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

static void
test_extensions_message (void)
{
  static const struct bytes bodies[] = { LITERAL (""), LITERAL ("\0"), LITERAL ("\0\0\0") };

  for (size_t i = 0; i < TAP_N (bodies); i++)
    {
      struct talk talk;

      begin (&talk);
      CHECK_UINT (talk_hello (&talk, &(struct answer){ .suite = 0 }), DTLS_OK);
      CHECK_UINT (talk_give (&talk, ENCRYPTED_EXTENSIONS, bodies[i]), DECODE);
      talk_clear (&talk);
    }
}

/* An answer to what this client did not ask for. */
static void
test_unsolicited_extensions (void)
{
  static const struct bytes blocks[] = { LITERAL ("\0\0\0\0"), LITERAL ("\0\x10\0\6\0\4\3two"),
                                         LITERAL ("\0\x0e\0\5\0\2\0\7\0") };

  for (size_t i = 0; i < TAP_N (blocks); i++)
    {
      struct talk talk;

      talk_init (&talk);
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      CHECK_UINT (talk_hello (&talk, &(struct answer){ .suite = 0 }), DTLS_OK);
      CHECK_UINT (talk_extensions (&talk, blocks[i]), UNSUPPORTED);
      talk_clear (&talk);
    }
}

/* RFC 8449 §4: in 1.3 both limits count the content type. */
static void
test_limits (void)
{
  static const struct
  {
    enum dtls_version min_version;
    uint16_t configured;
    struct bytes block;
    uint16_t write_limit;
    uint16_t read_limit;
  } rows[] = {
    { DTLS_1_2, 16384, LITERAL ("\0\x1c\0\2\1\0"), 255, 16384 },
    { DTLS_1_2, 16384, LITERAL ("\0\x1c\0\2\x40\1"), 16384, 16384 },
    { DTLS_1_2, 16384, LITERAL ("\0\x1c\0\2\xff\xff"), 16384, 16384 },
    { DTLS_1_2, 16384, LITERAL ("\0\x1c\0\2\0\x40"), 63, 16384 },
    { DTLS_1_2, 100, LITERAL ("\0\x1c\0\2\1\0"), 255, 99 },
    { DTLS_1_3, 100, LITERAL ("\0\x1c\0\2\1\0"), 255, 100 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct talk talk;

      talk_init (&talk);
      talk.client.config.min_version = rows[i].min_version;
      talk.client.config.record_size_limit = rows[i].configured;
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      CHECK_UINT (talk_hello (&talk, &(struct answer){ .suite = 0 }), DTLS_OK);
      CHECK_UINT (talk_extensions (&talk, rows[i].block), DTLS_OK);
      CHECK_UINT (talk.client.known.write_limit, rows[i].write_limit);
      CHECK_UINT (talk.client.known.read_limit, rows[i].read_limit);
      talk_clear (&talk);
    }
}

/* -------------------------------------------------------------------------------- certificates */

/* To where the server's certificate, or a request for ours, is next. */
static void
begin_certificates (struct talk *talk)
{
  talk_init (talk);
  CHECK_UINT (talk_begin (talk), DTLS_OK);
  CHECK_UINT (talk_hello (talk, &(struct answer){ .suite = 0 }), DTLS_OK);
  CHECK_UINT (talk_extensions (talk, NOTHING), DTLS_OK);
}

#define SCHEMES "\0\x0d\0\4\0\2\4\3"

static const struct
{
  const char *name;
  struct bytes body;
  unsigned expected; /* enum dtls_error */
} request_rows[] = {
  { "nothing wrong", LITERAL ("\0\0\x08" SCHEMES), DTLS_OK },
  { "an extension that nobody knows", LITERAL ("\0\0\x0c" SCHEMES "\x7a\x7a\0\0"), DTLS_OK },
  { "a context", LITERAL ("\1c\0\x08" SCHEMES), ILLEGAL },
  { "no schemes", LITERAL ("\0\0\0"), MISSING },
  { "an empty list of schemes", LITERAL ("\0\0\6\0\x0d\0\2\0\0"), DECODE },
  { "half a scheme", LITERAL ("\0\0\7\0\x0d\0\3\0\1\4"), DECODE },
  { "no authorities in the list", LITERAL ("\0\0\x0e" SCHEMES "\0\x2f\0\2\0\0"), DECODE },
  { "an empty Name", LITERAL ("\0\0\x10" SCHEMES "\0\x2f\0\4\0\2\0\0"), DECODE },
  { "an extension of another message", LITERAL ("\0\0\x0c" SCHEMES "\0\x33\0\0"), ILLEGAL },
  { "schemes twice", LITERAL ("\0\0\x10" SCHEMES SCHEMES), DECODE },
  { "a byte behind it", LITERAL ("\0\0\x08" SCHEMES "x"), DECODE },
  { "cut short", LITERAL ("\0\0\x08\0\x0d\0\4\0\2\4"), DECODE },
  { "empty", LITERAL (""), DECODE },
};

static void
test_request (void)
{
  for (size_t i = 0; i < TAP_N (request_rows); i++)
    {
      struct talk talk;

      tap_set_row (request_rows[i].name);
      begin_certificates (&talk);
      CHECK_UINT (talk_give (&talk, CERTIFICATE_REQUEST, request_rows[i].body),
                  request_rows[i].expected);
      CHECK_UINT (talk.client.peer.has_asked_for_certificate, request_rows[i].expected == DTLS_OK);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

static const struct
{
  const char *name;
  struct bytes context;
  size_t n;                 /* certificates */
  struct bytes certificate; /* empty: a good one */
  struct bytes extensions;  /* with their length */
  struct bytes behind;
  unsigned expected; /* enum dtls_error */
} certificate_rows[] = {
  { "nothing wrong", LITERAL (""), 1, { NULL, 0 }, LITERAL ("\0\0"), { NULL, 0 }, DTLS_OK },
  { "a hundred of them", LITERAL (""), 100, { NULL, 0 }, LITERAL ("\0\0"), { NULL, 0 }, DTLS_OK },
  { "one too many",
    LITERAL (""),
    101,
    { NULL, 0 },
    LITERAL ("\0\0"),
    { NULL, 0 },
    DTLS_ERROR_BAD_CERTIFICATE },
  { "none", LITERAL (""), 0, { NULL, 0 }, LITERAL ("\0\0"), { NULL, 0 }, DECODE },
  { "a context", LITERAL ("c"), 1, { NULL, 0 }, LITERAL ("\0\0"), { NULL, 0 }, ILLEGAL },
  { "no certificate at all",
    LITERAL (""),
    1,
    LITERAL ("rubbish"),
    LITERAL ("\0\0"),
    { NULL, 0 },
    DTLS_ERROR_BAD_CERTIFICATE },
  { "an extension that nobody knows",
    LITERAL (""),
    1,
    { NULL, 0 },
    LITERAL ("\0\4\0\5\0\0"),
    { NULL, 0 },
    UNSUPPORTED },
  { "an extension of another message",
    LITERAL (""),
    1,
    { NULL, 0 },
    LITERAL ("\0\4\0\0\0\0"),
    { NULL, 0 },
    ILLEGAL },
  { "an extension cut short",
    LITERAL (""),
    1,
    { NULL, 0 },
    LITERAL ("\0\3\0\5\0"),
    { NULL, 0 },
    DECODE },
  { "a byte behind it", LITERAL (""), 1, { NULL, 0 }, LITERAL ("\0\0"), LITERAL ("x"), DECODE },
};

static void
test_certificate (void)
{
  struct bytes good = pki_identity ("server-ecdsa")->chain[0];
  static uint8_t memory[100000];

  for (size_t i = 0; i < TAP_N (certificate_rows); i++)
    {
      bool is_good = certificate_rows[i].certificate.left == 0;
      struct writer w = writer_over (memory, sizeof memory);
      struct talk talk;
      size_t list;

      tap_set_row (certificate_rows[i].name);
      write_vec (&w, certificate_rows[i].context, 1);
      list = write_vec_begin (&w, 3);
      for (size_t j = 0; j < certificate_rows[i].n; j++)
        {
          write_vec (&w, is_good ? good : certificate_rows[i].certificate, 3);
          write_bytes (&w, certificate_rows[i].extensions.at, certificate_rows[i].extensions.left);
        }
      write_vec_end (&w, list, 3);
      write_bytes (&w, certificate_rows[i].behind.at, certificate_rows[i].behind.left);

      begin_certificates (&talk);
      CHECK_UINT (talk_give (&talk, CERTIFICATE, writer_bytes (&w)), certificate_rows[i].expected);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

enum
{
  AS_IT_IS,
  FLIPPED, /* a bit of the signature */
  SHORTENED,
  LENGTHENED,
};

static const struct
{
  const char *name;
  const char *identity;
  uint16_t signs;
  uint16_t says;
  int change;
  unsigned expected; /* enum dtls_error */
} verify_rows[] = {
  { "nothing wrong", "server-ecdsa", SIG_ECDSA_SECP256R1_SHA256, SIG_ECDSA_SECP256R1_SHA256,
    AS_IT_IS, DTLS_OK },
  { "a wrong signature", "server-ecdsa", SIG_ECDSA_SECP256R1_SHA256, SIG_ECDSA_SECP256R1_SHA256,
    FLIPPED, DTLS_ERROR_BAD_SIGNATURE },
  { "another curve's scheme", "server-ecdsa", SIG_ECDSA_SECP256R1_SHA256,
    SIG_ECDSA_SECP384R1_SHA384, AS_IT_IS, ILLEGAL },
  { "another curve's scheme, and signed by it", "server-ecdsa", SIG_ECDSA_SECP384R1_SHA384,
    SIG_ECDSA_SECP384R1_SHA384, AS_IT_IS, ILLEGAL },
  { "PKCS #1", "server-rsa", SIG_RSA_PKCS1_SHA256, SIG_RSA_PKCS1_SHA256, AS_IT_IS, ILLEGAL },
  { "another key's scheme", "server-ecdsa", SIG_ECDSA_SECP256R1_SHA256, SIG_ED25519, AS_IT_IS,
    ILLEGAL },
  { "a scheme that was not offered", "server-ecdsa", SIG_ECDSA_SECP256R1_SHA256, 0x0203, AS_IT_IS,
    ILLEGAL },
  { "cut short", "server-ecdsa", SIG_ECDSA_SECP256R1_SHA256, SIG_ECDSA_SECP256R1_SHA256, SHORTENED,
    DECODE },
  { "a byte behind it", "server-ecdsa", SIG_ECDSA_SECP256R1_SHA256, SIG_ECDSA_SECP256R1_SHA256,
    LENGTHENED, DECODE },
};

static void
give_verify (struct talk *talk, size_t row)
{
  struct handshake *server = talk->server.h;
  struct signing *signing = &server->signing;
  uint8_t body[4 + MAX_SIGNATURE_LEN + 1];
  struct writer w = writer_over (body, sizeof body);
  struct certificate_verify verify = { .scheme = verify_rows[row].says };
  struct bytes message;

  signing->scheme = verify_rows[row].signs;
  CHECK_UINT (shared13_sign (server, &talk->server.effects), DTLS_OK);
  if (verify_rows[row].change == FLIPPED)
    signing->signature[signing->signature_len - 1] ^= 1;
  verify.signature = (struct bytes){ signing->signature, signing->signature_len };
  certificate_verify_write (&w, &verify);
  if (verify_rows[row].change == LENGTHENED)
    write_u8 (&w, 0);
  message = writer_bytes (&w);
  if (verify_rows[row].change == SHORTENED)
    message.left--;
  CHECK_UINT (talk_give (talk, CERTIFICATE_VERIFY, message), verify_rows[row].expected);
}

static void
test_verify (void)
{
  for (size_t i = 0; i < TAP_N (verify_rows); i++)
    {
      struct talk talk;

      tap_set_row (verify_rows[i].name);
      begin_certificates (&talk);
      talk.server.h->credential = &pki_identity (verify_rows[i].identity)->whole;
      CHECK_UINT (shared13_send_certificate (talk.server.h, &talk.server.effects), DTLS_OK);
      CHECK_UINT (talk_pass (&talk), DTLS_OK);
      give_verify (&talk, i);
      CHECK_UINT ((talk.client.h->owed & OWES_KEY_EXCHANGE_SIGNATURE) == 0,
                  verify_rows[i].expected == DTLS_OK);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

/* ------------------------------------------------------------------------------------ Finished */

static void
test_finished (void)
{
  static const int changes[] = { FLIPPED, SHORTENED, LENGTHENED };

  for (size_t i = 0; i < TAP_N (changes); i++)
    {
      struct talk talk;
      uint8_t body[33];
      size_t len = 32;

      begin (&talk);
      CHECK_UINT (talk_hello (&talk, &(struct answer){ .has_psk = true }), DTLS_OK);
      CHECK_UINT (talk_extensions (&talk, NOTHING), DTLS_OK);
      CHECK_UINT (shared13_send_finished (talk.server.h, &talk.server.effects), DTLS_OK);
      memcpy (body, talk.server.effects.list[0].message.body.at, len);
      body[len] = 0;
      body[31] ^= changes[i] == FLIPPED;
      len += changes[i] == LENGTHENED;
      len -= changes[i] == SHORTENED;
      CHECK_UINT (talk_give (&talk, FINISHED, (struct bytes){ body, len }),
                  DTLS_ERROR_BAD_FINISHED);
      CHECK (talk.client.h->owed & OWES_FINISHED);
      talk_clear (&talk);
    }
}

/* --------------------------------------------------------------------------------------- order */

static const uint8_t types[] = {
  HELLO_REQUEST,        CLIENT_HELLO,
  SERVER_HELLO,         HELLO_VERIFY_REQUEST,
  NEW_SESSION_TICKET,   END_OF_EARLY_DATA,
  CERTIFICATE,          SERVER_KEY_EXCHANGE,
  ENCRYPTED_EXTENSIONS, CERTIFICATE_REQUEST,
  SERVER_HELLO_DONE,    CERTIFICATE_VERIFY,
  CLIENT_KEY_EXCHANGE,  FINISHED,
  KEY_UPDATE,           MESSAGE_HASH,
};

static const struct
{
  enum state state;
  uint8_t types[2];
} order_rows[] = {
  { WAIT_SECOND_SERVER_HELLO, { SERVER_HELLO } },
  { WAIT_ENCRYPTED_EXTENSIONS, { ENCRYPTED_EXTENSIONS } },
  { WAIT_CERTIFICATE_OR_REQUEST, { CERTIFICATE_REQUEST, CERTIFICATE } },
  { WAIT_SERVER_CERTIFICATE, { CERTIFICATE } },
  { WAIT_CERTIFICATE_VERIFY, { CERTIFICATE_VERIFY } },
  { WAIT_FINISHED, { FINISHED } },
};

/* Each state takes its messages, and ends the handshake at any other. */
static void
test_order (void)
{
  for (size_t i = 0; i < TAP_N (order_rows); i++)
    for (size_t j = 0; j < TAP_N (types); j++)
      {
        bool is_legal = types[j] == order_rows[i].types[0]
                        || (order_rows[i].types[1] != 0 && types[j] == order_rows[i].types[1]);
        struct talk talk;

        begin (&talk);
        CHECK_UINT (talk_hello (&talk, &(struct answer){ .suite = 0 }), DTLS_OK);
        talk.client.h->state = order_rows[i].state;
        CHECK_UINT (handshake_takes (talk.client.h, types[j]), is_legal);
        if (!is_legal)
          CHECK_UINT (talk_give (&talk, types[j], NOTHING), UNEXPECTED);
        talk_clear (&talk);
      }
}

static const struct tap_test tests[] = {
  { "/handshake/client13/server-hello/rejects-what-was-not-offered", test_hello },
  { "/handshake/client13/server-hello/rejects-a-key-that-was-not-offered", test_unsolicited_psk },
  { "/handshake/client13/retry/rejects-what-changes-nothing-or-cannot-be", test_retry },
  { "/handshake/client13/retry/rejects-a-cookie-that-no-hello-has-room-for", test_cookie_too_long },
  { "/handshake/client13/retry/holds-the-server-to-it", test_second_hello },
  { "/handshake/client13/encrypted-extensions/rejects-what-is-no-answer", test_extensions },
  { "/handshake/client13/encrypted-extensions/is-one-block", test_extensions_message },
  { "/handshake/client13/encrypted-extensions/rejects-what-was-not-asked",
    test_unsolicited_extensions },
  { "/handshake/client13/encrypted-extensions/limits-count-the-content-type", test_limits },
  { "/handshake/client13/certificate-request/needs-schemes-and-no-context", test_request },
  { "/handshake/client13/certificate/rejects-what-is-no-chain", test_certificate },
  { "/handshake/client13/certificate-verify/rejects-other-schemes-and-signatures", test_verify },
  { "/handshake/client13/finished/rejects-any-other", test_finished },
  { "/handshake/client13/order/only-the-legal-messages", test_order },
};

TAP_MAIN (tests)
