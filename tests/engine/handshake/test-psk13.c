/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* External pre-shared keys in 1.3: between two engines, and of clients that keep every rule but one. */

#include "handshake/rows.h"
#include "sealed.h"
#include "wire/extensions.h"
#include "wire/hello.h"
#include "wire/pre_shared_key.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum
{
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  MISSING = DTLS_ERROR_MISSING_EXTENSION,
  DECODE = DTLS_ERROR_DECODE,
  BAD_BINDER = DTLS_ERROR_BAD_FINISHED, /* RFC 9846 §4.3.11: decrypt_error */
  HONEST = IS_CONSISTENT,
};

/* ---------------------------------------------------------------------------------- clients that err */

enum
{
  BINDER_LEN = 32,
  BINDER_ENTRY_LEN = 1 + BINDER_LEN,
};

/* The list of identities is the row's bytes, then the hello's own; of as many binders the last is right. */
static void
more_identities (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = &puppet->pieces[at];
  struct handshake *h = puppet->handshake;
  uint8_t memory[2048], block[1024], hash[MAX_HASH_LEN], binder[MAX_HASH_LEN];
  struct writer w = writer_over (memory, sizeof memory), body = writer_over (block, sizeof block);
  struct binder_input input = { true, hash };
  struct offered_psk psks[4] = { { .binder = { NULL, BINDER_LEN } } };
  struct mischief changed = *mischief;
  struct partial_message partial = { .type = CLIENT_HELLO };
  struct schedule13 schedule;
  size_t n = mischief->number, binders_len = 2 + (n + 1) * BINDER_ENTRY_LEN;

  for (size_t i = 0; i <= n; i++)
    psks[i] = (struct offered_psk){ i < n ? mischief->bytes : puppet->config.psk->identity,
                                    0,
                                    { NULL, BINDER_LEN } };
  offered_psks_write (&body, psks, n + 1);
  changed.number = EXT_PRE_SHARED_KEY;
  changed.bytes = writer_bytes (&body);
  play_other_extension (puppet, at, &changed);

  write_bytes (&w, piece->body, piece->len);
  partial.message_len = piece->len;
  partial.beginning = (struct bytes){ memory, piece->len - binders_len };
  puppet_rebuild_transcript (puppet, at);
  if (!transcript_hash_with (&h->transcript, h->crypto, HASH_SHA256, &partial, hash)
      || !schedule13_begin (h->crypto, HASH_SHA256, puppet->config.psk->key, &schedule)
      || !schedule13_binder (h->crypto, &schedule, &input, binder))
    abort ();
  offered_psks_patch (&w, piece->len - binders_len, n, (struct bytes){ binder, BINDER_LEN });
  piece_set_body (piece, writer_bytes (&w));
  puppet_rebuild_transcript (puppet, puppet->n_pieces);
}

static const uint8_t modes_ke[] = { 1, 0 };
static const uint8_t modes_grease[] = { 3, 0x0b, 1, 0x2a };
static const uint8_t modes_none[] = { 0 };
#define IDENTITY "\0\x0c\0\6puppet\0\0\0\0"
#define BINDER_31                                                                                  \
  "\x1f"                                                                                           \
  "0123456789abcdef0123456789abcde"
#define BINDER_32                                                                                  \
  "\x20"                                                                                           \
  "0123456789abcdef0123456789abcdef"

/* clang-format off */
static const struct mischief binder_rows[] = {
  { "nothing",                       NULL,                 0,            0, NOTHING,                                       0, CONNECTS },
  { "a wrong binder",                play_flip,            CLIENT_HELLO, 0, NOTHING,                                       UINT_MAX, BAD_BINDER },
  { "a wrong binder after a retry",  play_flip,            CLIENT_HELLO, RETRIES | ON_SECOND, NOTHING,                     UINT_MAX, BAD_BINDER },
  { "a wrong binder behind a cookie", play_flip,           CLIENT_HELLO, HAS_COOKIES | ON_SECOND, NOTHING,                 UINT_MAX, BAD_BINDER },
  { "a wrong binder before a retry, which nobody looks at", play_flip, CLIENT_HELLO, RETRIES | HONEST, NOTHING,            UINT_MAX, CONNECTS },
  { "another hello than the binder covers", play_flip,     CLIENT_HELLO, 0, NOTHING,                                       5, BAD_BINDER },
  { "a binder one byte short",       play_other_extension, CLIENT_HELLO, 0, TAP_STRING (IDENTITY "\0\x20" BINDER_31),      EXT_PRE_SHARED_KEY, BAD_BINDER },
  { "no binder",                     play_other_extension, CLIENT_HELLO, 0, TAP_STRING (IDENTITY "\0\0"),                  EXT_PRE_SHARED_KEY, DECODE },
  { "no binders",                    play_other_extension, CLIENT_HELLO, 0, TAP_STRING (IDENTITY),                         EXT_PRE_SHARED_KEY, DECODE },
  { "an empty binder",               play_other_extension, CLIENT_HELLO, 0, TAP_STRING (IDENTITY "\0\1\0"),                EXT_PRE_SHARED_KEY, DECODE },
  { "one binder too many",           play_other_extension, CLIENT_HELLO, 0, TAP_STRING (IDENTITY "\0\x42" BINDER_32 BINDER_32), EXT_PRE_SHARED_KEY, ILLEGAL },
  { "one binder too few",            play_other_extension, CLIENT_HELLO, 0, TAP_STRING ("\0\x0e\0\1i\0\0\0\0\0\1j\0\0\0\0\0\x21" BINDER_32), EXT_PRE_SHARED_KEY, ILLEGAL },
  { "a byte behind the binders",     play_other_extension, CLIENT_HELLO, 0, TAP_STRING (IDENTITY "\0\x21" BINDER_32 "x"),  EXT_PRE_SHARED_KEY, DECODE },
  { "an empty identity",             play_other_extension, CLIENT_HELLO, 0, TAP_STRING ("\0\6\0\0\0\0\0\0\0\x21" BINDER_32), EXT_PRE_SHARED_KEY, DECODE },
  { "no identity",                   play_other_extension, CLIENT_HELLO, 0, TAP_STRING ("\0\0\0\x21" BINDER_32),           EXT_PRE_SHARED_KEY, DECODE },
  { "pre_shared_key not the last",   play_extension,       CLIENT_HELLO, 0, NOTHING,                                       0x4a4a, ILLEGAL },
  { "pre_shared_key twice",          play_extension,       CLIENT_HELLO, 0, TAP_STRING (IDENTITY "\0\x21" BINDER_32),      EXT_PRE_SHARED_KEY, DECODE },
  { "no psk_key_exchange_modes",     play_no_extension,    CLIENT_HELLO, 0, NOTHING,                                       EXT_PSK_KEY_EXCHANGE_MODES, MISSING },
  { "no mode in the list",           play_other_extension, CLIENT_HELLO, 0, TAP_BYTES (modes_none),                        EXT_PSK_KEY_EXCHANGE_MODES, DECODE },
  { "modes that nobody knows",       play_other_extension, CLIENT_HELLO, HONEST, TAP_BYTES (modes_grease),                 EXT_PSK_KEY_EXCHANGE_MODES, CONNECTS },
  { "no key_share",                  play_no_extension,    CLIENT_HELLO, 0, NOTHING,                                       EXT_KEY_SHARE, MISSING },
  { "pre_shared_key is gone after a retry", play_no_extension, CLIENT_HELLO, RETRIES | ON_SECOND | HONEST, NOTHING,        EXT_PRE_SHARED_KEY, CONNECTS },
};
/* clang-format on */

static void
test_binders (void)
{
  check_rows_with (binder_rows, TAP_N (binder_rows), DTLS_CLIENT, IS_13 | HAS_KEY);
}

/* Without forward secrecy no key is used, and certificates do it. */
static void
test_mode_without_shares (void)
{
  const struct mischief row = {
    "only psk_ke",        play_other_extension,       CLIENT_HELLO, IS_13 | HAS_KEY | HONEST,
    TAP_BYTES (modes_ke), EXT_PSK_KEY_EXCHANGE_MODES, CONNECTS,
  };
  struct outcome outcome = mischief_run (&row, DTLS_CLIENT);

  CHECK_UINT (outcome.became, CONNECTS);
  CHECK (!outcome.has_psk);
}

static void
answer_by_identity (struct pair *pair)
{
  struct side *server = &pair->sides[DTLS_SERVER];

  while (dtls_conn_wait (server->conn) == DTLS_WAIT_PSK)
    {
      struct bytes identity = dtls_conn_psk_identity (server->conn);
      bool is_known = bytes_equal (identity, server->given_psk->identity);

      dtls_conn_answer_psk (server->conn, pair->now, is_known ? server->given_psk : NULL);
      pair_drain (pair, DTLS_SERVER);
    }
}

/* Whoever is asked knows but the last of these. The puppet's own machine has offered one key and learns that the third
 * was taken, which it does not like. */
static void
test_identities (void)
{
  for (unsigned n = 0; n < 3; n++)
    {
      const struct mischief row = {
        "unknown identities first",
        more_identities,
        CLIENT_HELLO,
        IS_13 | HAS_KEY | HONEST,
        TAP_STRING ("\x0a\x0agrease"),
        n,
        CONNECTS,
      };
      struct puppet puppet;
      struct pair pair;

      mischief_set_up (&pair, row.setup, DTLS_SERVER);
      pair.sides[DTLS_SERVER].psk = ANSWERS_NEVER;
      puppet_init (&puppet, &pair, DTLS_CLIENT, &row);
      pair_start (&pair);
      puppet_start (&puppet);
      pair_settle (&pair);
      answer_by_identity (&pair);
      pair_run (&pair, DTLS_SECOND);
      CHECK (puppet.has_played);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_events[DTLS_EVENT_PSK_NEEDED], n + 1);
      CHECK_UINT (dtls_conn_is_connected (pair.sides[DTLS_SERVER].conn), n == 0);
      CHECK_UINT (puppet.stuck, n == 0 ? DTLS_OK : ILLEGAL);
      puppet_clear (&puppet);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- two engines */

static const struct dtls_psk good = { TAP_STRING ("puppet"), TAP_STRING ("0123456789abcdef"),
                                      DTLS_SERVER, DTLS_PSK_SHA256 };
static const struct dtls_psk wrong = { TAP_STRING ("puppet"), TAP_STRING ("0123456789abcdeF"),
                                       DTLS_SERVER, DTLS_PSK_SHA256 };
static const struct dtls_psk of_a_client = { TAP_STRING ("puppet"), TAP_STRING ("0123456789abcdef"),
                                             DTLS_CLIENT, DTLS_PSK_SHA256 };
static const struct dtls_psk of_384 = { TAP_STRING ("puppet"), TAP_STRING ("0123456789abcdef"),
                                        DTLS_SERVER, DTLS_PSK_SHA384 };

/* clang-format off */
static const struct
{
  const char *name;
  const struct dtls_psk *given; /* (nullable) */
  bool server_requires, client_requires;
  unsigned server, client; /* what becomes of them */
  bool has_psk;
} engine_rows[] = {
  { "the key",                          &good,        true,  true,  CONNECTS,                CONNECTS,              true },
  { "the key, and certificates would do", &good,      false, false, CONNECTS,                CONNECTS,              true },
  { "identity unknown: certificates",   NULL,         false, false, CONNECTS,                CONNECTS,              false },
  { "identity unknown to a server that requires one", NULL, true, false, DTLS_ERROR_PSK_REQUIRED, DTLS_ERROR_PEER_ALERT, false },
  { "identity unknown, and the client requires one", NULL, false, true, DTLS_ERROR_PEER_ALERT, DTLS_ERROR_PSK_REQUIRED, false },
  { "another key",                      &wrong,       false, false, BAD_BINDER,              DTLS_ERROR_PEER_ALERT, true },
  { "a key of the other role: none",    &of_a_client, false, false, CONNECTS,                CONNECTS,              false },
  { "a key of the other role, and one is required", &of_a_client, true, false, DTLS_ERROR_PSK_REQUIRED, DTLS_ERROR_PEER_ALERT, false },
};
/* clang-format on */

static const unsigned engine_setups[] = { 0, RETRIES, HAS_COOKIES };

static void
test_engines (void)
{
  for (size_t i = 0; i < TAP_N (engine_rows); i++)
    for (size_t setup = 0; setup < TAP_N (engine_setups); setup++)
      {
        struct pair pair;

        tap_set_row (engine_rows[i].name);
        mischief_set_up (&pair, IS_13 | HAS_KEY | engine_setups[setup], DTLS_SERVER);
        pair.sides[DTLS_SERVER].given_psk = engine_rows[i].given;
        pair.sides[DTLS_SERVER].config.requires_psk = engine_rows[i].server_requires;
        pair.sides[DTLS_CLIENT].config.requires_psk = engine_rows[i].client_requires;
        pair_handshake (&pair);
        CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), engine_rows[i].server);
        CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), engine_rows[i].client);
        if (engine_rows[i].server == CONNECTS)
          {
            CHECK (pair_talks (&pair));
            for (unsigned side = 0; side < 2; side++)
              CHECK_UINT (dtls_conn_has_psk (pair.sides[side].conn), engine_rows[i].has_psk);
            CHECK_UINT (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_VERDICT_NEEDED],
                        !engine_rows[i].has_psk);
          }
        PAIR_END (&pair);
      }
}

/* RFC 9846 §4.3.11: with another hash it is another key; where the HelloRetryRequest has settled the hash it is no key
 * at all. */
static void
test_hash (void)
{
  for (size_t setup = 0; setup < TAP_N (engine_setups); setup++)
    {
      bool is_settled = engine_setups[setup] != 0;
      struct pair pair;

      mischief_set_up (&pair, IS_13 | HAS_KEY | engine_setups[setup], DTLS_SERVER);
      pair.sides[DTLS_SERVER].given_psk = &of_384;
      CHECK_UINT (pair_handshake (&pair), is_settled);
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn),
                  is_settled ? DTLS_OK : BAD_BINDER);
      CHECK (!dtls_conn_has_psk (pair.sides[DTLS_SERVER].conn));
      PAIR_END (&pair);
    }
}

/* RFC 9257 §4.1: what a client says is reflected to it, as if by a server that has the key too. A client takes no
 * ClientHello. */
static void
test_reflection (void)
{
  struct pair pair;
  uint8_t datagram[2048];
  size_t len;

  mischief_set_up (&pair, IS_13 | HAS_KEY, DTLS_CLIENT);
  pair_start (&pair);
  if (CHECK (pair_intercept (&pair, DTLS_SERVER, datagram, &len)))
    pair_deliver (&pair, DTLS_CLIENT, (struct bytes){ datagram, len });
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_ERROR_UNEXPECTED_MESSAGE);
  PAIR_END (&pair);
}

/* A server's ticket makes no session, which would outlive the key. */
static void
test_no_session (void)
{
  static const uint8_t ticket[] = { 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 2, 'a', 'b', 0, 0 };

  for (unsigned setup = IS_13; setup <= (IS_13 | HAS_KEY); setup += HAS_KEY)
    {
      struct pair pair;

      mischief_set_up (&pair, setup, DTLS_CLIENT);
      CHECK (pair_handshake (&pair));
      pair_settle (&pair);
      CHECK_UINT (dtls_conn_has_psk (pair.sides[DTLS_CLIENT].conn), (setup & HAS_KEY) != 0);
      inject_sealed_message (&pair, DTLS_SERVER, NEW_SESSION_TICKET,
                             (uint16_t) pair.sides[DTLS_CLIENT].conn->next_message_seq,
                             TAP_BYTES (ticket));
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_OK);
      CHECK_UINT (dtls_conn_session (pair.sides[DTLS_CLIENT].conn).left > 0, !(setup & HAS_KEY));
      PAIR_END (&pair);
    }
}

static const struct tap_test tests[] = {
  { "/mischief/psk13/binders/bind-the-whole-hello-to-the-key", test_binders },
  { "/mischief/psk13/modes/no-key-without-forward-secrecy", test_mode_without_shares },
  { "/mischief/psk13/identities/unknown-ones-are-passed-over", test_identities },
  { "/mischief/psk13/engines/each-key-has-its-outcome", test_engines },
  { "/mischief/psk13/engines/a-key-has-one-hash", test_hash },
  { "/mischief/psk13/engines/no-session-is-made", test_no_session },
  { "/mischief/psk13/engines/nothing-is-gained-by-reflection", test_reflection },
};

TAP_MAIN (tests)
