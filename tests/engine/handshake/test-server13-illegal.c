/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server of 1.3 against hellos that break one rule, each with the error that it ends with. */

#include "handshake/crafted13.h"

enum
{
  DECODE = DTLS_ERROR_DECODE,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  MISSING = DTLS_ERROR_MISSING_EXTENSION,
  NO_SUITE = DTLS_ERROR_NO_SHARED_SUITE,
  NO_GROUP = DTLS_ERROR_NO_SHARED_GROUP,
};

#define OMITS(type) .omitted = { (type) + 1 }
#define CHANGES(type, text) .changed = (type) + 1, .body = LITERAL (text)

/* ---------------------------------------------------------------------------------- the first */

struct hello_row
{
  const char *name;
  struct crafted hello;
  unsigned expected; /* enum dtls_error */
};

/* clang-format off */
static const struct hello_row hello_rows[] = {
  { "nothing wrong",                         { .version = 0 }, DTLS_OK },
  { "nothing wrong, with a session ID",      { .session_id = LITERAL ("old") }, DTLS_OK },
  { "nothing wrong, with a key nobody has",  { .has_psk = true }, DTLS_OK },
  { "nothing wrong, with early data",        { .has_psk = true, .extra = LITERAL ("\0\x2a\0\0") }, DTLS_OK },
  { "nothing wrong, with what is unknown",   { .extra = LITERAL ("\x7a\x7a\0\1x") }, DTLS_OK },
  { "nothing wrong, with what is 1.2's",     { .extra = LITERAL ("\0\x17\0\0" "\0\x23\0\0" "\xff\1\0\1\0") }, DTLS_OK },
  { "nothing wrong, with unknown suites",    { .suites = LITERAL ("\x0a\x0a\x13\1") }, DTLS_OK },

  /* RFC 9846 §4.2.2, RFC 9147 §5.3 */
  { "legacy_version of 1.3",                 { .version = VERSION_DTLS_1_3 }, DTLS_ERROR_PROTOCOL_VERSION },
  { "legacy_version of 1.0",                 { .version = VERSION_DTLS_1_0 }, DTLS_ERROR_PROTOCOL_VERSION },
  { "a legacy_cookie",                       { .cookie = LITERAL ("c") }, ILLEGAL },
  { "compression",                           { .compression = LITERAL ("\1") }, ILLEGAL },
  { "compression or none",                   { .compression = LITERAL ("\0\1") }, ILLEGAL },
  { "no compression twice",                  { .compression = LITERAL ("\0\0") }, ILLEGAL },
  { "only suites of 1.2",                    { .suites = LITERAL ("\xc0\x2b") }, NO_SUITE },
  { "only suites that we do not have",       { .suites = LITERAL ("\x13\5") }, NO_SUITE },

  /* RFC 9846 §9.2 */
  { "no signature_algorithms",               { OMITS (EXT_SIGNATURE_ALGORITHMS) }, MISSING },
  { "no supported_groups",                   { OMITS (EXT_SUPPORTED_GROUPS) }, MISSING },
  { "no key_share",                          { OMITS (EXT_KEY_SHARE) }, MISSING },
  { "no signature_algorithms, a key in vain", { OMITS (EXT_SIGNATURE_ALGORITHMS), .has_psk = true }, MISSING },
  { "no groups, a key",                      { OMITS (EXT_SUPPORTED_GROUPS), .has_psk = true }, MISSING },
  { "neither groups nor shares, a key",      { .omitted = { EXT_SUPPORTED_GROUPS + 1, EXT_KEY_SHARE + 1 }, .has_psk = true }, NO_GROUP },
  { "neither groups nor shares",             { .omitted = { EXT_SUPPORTED_GROUPS + 1, EXT_KEY_SHARE + 1 } }, MISSING },
  { "a key without modes",                   { OMITS (EXT_PSK_KEY_EXCHANGE_MODES), .has_psk = true }, MISSING },

  /* RFC 9846 §4.3 */
  { "an extension twice",                    { .extra = LITERAL ("\0\x2d\0\2\1\1") }, DECODE },
  { "an unknown extension twice",            { .extra = LITERAL ("\x7a\x7a\0\0\x7a\x7a\0\0") }, DECODE },
  { "pre_shared_key not the last",           { .has_psk = true, .behind = LITERAL ("\x7a\x7a\0\0") }, ILLEGAL },
  { "an extension cut short",                { .behind = LITERAL ("\x7a\x7a\0\2x") }, DECODE },
  { "a cookie that nobody gave",             { .extra = LITERAL ("\0\x2c\0\3\0\1c") }, ILLEGAL },
  { "an empty cookie",                       { .extra = LITERAL ("\0\x2c\0\2\0\0") }, DECODE },
  { "supported_versions, empty",             { CHANGES (EXT_SUPPORTED_VERSIONS, "\0") }, DECODE },
  { "supported_versions, a byte too many",   { CHANGES (EXT_SUPPORTED_VERSIONS, "\2\xfe\xfc\xfe") }, DECODE },
  { "supported_groups, empty",               { CHANGES (EXT_SUPPORTED_GROUPS, "\0\0") }, DECODE },
  { "supported_groups, odd",                 { CHANGES (EXT_SUPPORTED_GROUPS, "\0\3\0\x1d\0") }, DECODE },
  { "signature_algorithms, empty",           { CHANGES (EXT_SIGNATURE_ALGORITHMS, "\0\0") }, DECODE },
  { "signature_algorithms, a byte too many", { CHANGES (EXT_SIGNATURE_ALGORITHMS, "\0\2\4\3x") }, DECODE },
  { "signature_algorithms_cert, empty",      { .extra = LITERAL ("\0\x32\0\2\0\0") }, DECODE },
  { "certificate_authorities, empty",        { .extra = LITERAL ("\0\x2f\0\2\0\0") }, DECODE },
  { "certificate_authorities, a byte too many", { .extra = LITERAL ("\0\x2f\0\6\0\3\0\1nx") }, DECODE },
  { "early data with a body",                { .has_psk = true, .extra = LITERAL ("\0\x2a\0\1x") }, DECODE },
  { "use_srtp, empty",                       { .extra = LITERAL ("\0\x0e\0\3\0\0\0") }, DECODE },
  { "server_name, a byte too many",          { .extra = LITERAL ("\0\0\0\7\0\4\0\0\1nx") }, DECODE },
  { "ALPN with an empty name",               { .extra = LITERAL ("\0\x10\0\3\0\1\0") }, DECODE },
  { "record_size_limit below 64",            { .extra = LITERAL ("\0\x1c\0\2\0\x3f") }, ILLEGAL },
  { "record_size_limit in one byte",         { .extra = LITERAL ("\0\x1c\0\1\x40") }, DECODE },

  /* RFC 9846 §4.3.8 */
  { "key_share, cut short",                  { CHANGES (EXT_KEY_SHARE, "\0\5\0\x1d\0\2x") }, DECODE },
  { "key_share, an empty share",             { CHANGES (EXT_KEY_SHARE, "\0\4\0\x1d\0\0") }, DECODE },
  { "key_share, a byte too many",            { CHANGES (EXT_KEY_SHARE, "\0\0x") }, DECODE },
  { "two shares of a group",                 { CHANGES (EXT_KEY_SHARE, "\0\x0a\0\x1d\0\1x\0\x1d\0\1y") }, ILLEGAL },
  { "a share one byte short",                { CHANGES (EXT_KEY_SHARE, "\0\x23\0\x1d\0\x1f" "0123456789abcdef0123456789abcde") }, ILLEGAL },
  { "a share of zeros",                      { CHANGES (EXT_KEY_SHARE, "\0\x24\0\x1d\0\x20" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") }, ILLEGAL },
  { "no group of ours",                      { CHANGES (EXT_SUPPORTED_GROUPS, "\0\2\0\x1e") }, NO_GROUP },
  { "no scheme of ours",                     { CHANGES (EXT_SIGNATURE_ALGORITHMS, "\0\2\2\3") }, DTLS_ERROR_NO_SHARED_SIGNATURE },
  { "only PKCS #1",                          { CHANGES (EXT_SIGNATURE_ALGORITHMS, "\0\2\4\1") }, DTLS_ERROR_NO_SHARED_SIGNATURE },

  /* RFC 9846 §4.3.9, §4.3.11 */
  { "no modes in the list",                  { CHANGES (EXT_PSK_KEY_EXCHANGE_MODES, "\0") }, DECODE },
  { "no identities",                         { .has_psk = true, CHANGES (EXT_PRE_SHARED_KEY, "\0\0\0\x21\x20" "0123456789abcdef0123456789abcdef") }, DECODE },
  { "no binders",                            { .has_psk = true, CHANGES (EXT_PRE_SHARED_KEY, "\0\7\0\1i\0\0\0\0\0\0") }, DECODE },
  { "more identities than binders",          { .has_psk = true, CHANGES (EXT_PRE_SHARED_KEY, "\0\x0e\0\1i\0\0\0\0\0\1j\0\0\0\0\0\x21\x20" "0123456789abcdef0123456789abcdef") }, ILLEGAL },
};
/* clang-format on */

static void
test_first_hello (void)
{
  for (size_t i = 0; i < TAP_N (hello_rows); i++)
    {
      struct duel duel;
      struct duel_side *server = &duel.sides[DTLS_SERVER];

      tap_set_row (hello_rows[i].name);
      duel_init (&duel, pki_identity ("server-ecdsa"));
      CHECK_UINT (crafted_give (&duel, &hello_rows[i].hello), hello_rows[i].expected);
      if (hello_rows[i].expected == DTLS_OK)
        CHECK_UINT (server->h->state, WAIT_FINISHED);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* ---------------------------------------------------------------------------------- the second */

#define RIGHT_SHARE .changed = EXT_KEY_SHARE + 1, .body = LITERAL (CRAFTED_P256_SHARE)

/* clang-format off */
static const struct hello_row second_rows[] = {
  { "nothing wrong",                   { RIGHT_SHARE }, DTLS_OK },
  { "padding is new",                  { RIGHT_SHARE, .extra = LITERAL ("\0\x15\0\2\0\0") }, DTLS_OK },
  { "a key is new",                    { RIGHT_SHARE, .has_psk = true }, DTLS_OK },
  { "the same share again",            { .version = 0 }, ILLEGAL },
  { "no share",                        { CHANGES (EXT_KEY_SHARE, "\0\0") }, ILLEGAL },
  { "a share of a third group",        { CHANGES (EXT_KEY_SHARE, "\0\5\0\x18\0\1x") }, ILLEGAL },
  { "two shares",                      { CHANGES (EXT_KEY_SHARE, "\0\x4a" CRAFTED_P256_ENTRY "\0\x1d\0\1y") }, ILLEGAL },
  { "no key_share",                    { OMITS (EXT_KEY_SHARE) }, MISSING },
  { "another random",                  { RIGHT_SHARE, .random_end = LITERAL ("!") }, ILLEGAL },
  { "another session ID",              { RIGHT_SHARE, .session_id = LITERAL ("i") }, ILLEGAL },
  { "another legacy_version",          { RIGHT_SHARE, .version = VERSION_DTLS_1_0 }, ILLEGAL },
  { "one suite less",                  { RIGHT_SHARE, .suites = LITERAL ("\x13\1\x13\2") }, ILLEGAL },
  { "the suites in another order",     { RIGHT_SHARE, .suites = LITERAL ("\x13\2\x13\1\xc0\x2b") }, ILLEGAL },
  { "an extension is new",             { RIGHT_SHARE, .extra = LITERAL ("\x7a\x7a\0\0") }, ILLEGAL },
  { "an extension is missing",         { RIGHT_SHARE, OMITS (EXT_PSK_KEY_EXCHANGE_MODES) }, ILLEGAL },
  { "a cookie that nobody gave",       { RIGHT_SHARE, .extra = LITERAL ("\0\x2c\0\3\0\1c") }, ILLEGAL },
  { "early data",                      { RIGHT_SHARE, .has_psk = true, .extra = LITERAL ("\0\x2a\0\0") }, ILLEGAL },
};
/* clang-format on */

/* RFC 9846 §4.2.2: it is the first but for what may change. */
static void
test_second_hello (void)
{
  static const uint16_t ours[] = { GROUP_SECP256R1 };

  for (size_t i = 0; i < TAP_N (second_rows); i++)
    {
      struct duel duel;
      struct duel_side *server = &duel.sides[DTLS_SERVER];

      tap_set_row (second_rows[i].name);
      duel_init (&duel, pki_identity ("server-ecdsa"));
      server->config.groups = ours;
      server->config.n_groups = 1;
      CHECK_UINT (crafted_give (&duel, &(struct crafted){ .version = 0 }), DTLS_OK);
      CHECK_UINT (server->h->state, WAIT_SECOND_CLIENT_HELLO);
      CHECK_UINT (crafted_give (&duel, &second_rows[i].hello), second_rows[i].expected);
      if (second_rows[i].expected == DTLS_OK)
        CHECK_UINT (server->h->state, WAIT_FINISHED);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* RFC 9846 §4.2.4: never a second HelloRetryRequest; and no hello where another message is due. */
static void
test_hello_out_of_turn (void)
{
  struct duel duel;

  duel_init (&duel, pki_identity ("server-ecdsa"));
  CHECK_UINT (crafted_give (&duel, &(struct crafted){ .version = 0 }), DTLS_OK);
  CHECK_UINT (crafted_give (&duel, &(struct crafted){ .version = 0 }),
              DTLS_ERROR_UNEXPECTED_MESSAGE);
  duel_clear (&duel);
}

/* An accepted hello must carry what the cookie has to tell. */
static void
test_accepted_without_a_cookie (void)
{
  /* The extension's header, the cookie's length and period; the suite. */
  static const uint8_t unknown_suite[4 + 2 + 53] = { 0, 0x2c, 0, 55, 0, 53, 0, 0x13, 9 };
  static const uint8_t other_suite[4 + 2 + 53] = { 0, 0x2c, 0, 55, 0, 53, 0, 0x13, 3 };
  static const uint8_t right_suite[4 + 2 + 53] = { 0, 0x2c, 0, 55, 0, 53, 0, 0x13, 1 };
  const struct crafted hellos[] = {
    { .version = 0 },
    { .extra = LITERAL ("\0\x2c\0\3\0\1c") },
    { .extra = TAP_BYTES (unknown_suite) },
    { .extra = TAP_BYTES (other_suite) },
    { .extra = TAP_BYTES (right_suite) },
  };

  for (size_t i = 0; i < TAP_N (hellos); i++)
    {
      struct duel duel;

      duel_init (&duel, pki_identity ("server-ecdsa"));
      duel_side_begin (&duel, DTLS_SERVER, true);
      CHECK_UINT (crafted_give (&duel, &hellos[i]), i + 1 < TAP_N (hellos) ? ILLEGAL : DTLS_OK);
      duel_clear (&duel);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/server13/rejects-illegal-hellos", test_first_hello },
  { "/handshake/server13/rejects-a-second-hello-that-differs", test_second_hello },
  { "/handshake/server13/rejects-a-hello-out-of-turn", test_hello_out_of_turn },
  { "/handshake/server13/an-accepted-hello-has-our-cookie", test_accepted_without_a_cookie },
};

TAP_MAIN (tests)
