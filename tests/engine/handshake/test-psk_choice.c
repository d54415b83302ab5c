/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server of 1.3 that is offered pre-shared keys: whom it asks for which, and what it takes. */

#include "handshake/crafted13.h"

static const uint8_t right_key[32] = { 1, 2, 3 };
static const uint8_t wrong_key[32] = { 1, 2, 4 };

#define SOMEONE LITERAL ("someone")

static const struct dtls_psk right = { SOMEONE, TAP_BYTES (right_key), DTLS_CLIENT,
                                       DTLS_PSK_SHA256 };
static const struct dtls_psk right_384 = { SOMEONE, TAP_BYTES (right_key), DTLS_CLIENT,
                                           DTLS_PSK_SHA384 };
static const struct dtls_psk wrong = { SOMEONE, TAP_BYTES (wrong_key), DTLS_CLIENT,
                                       DTLS_PSK_SHA256 };
static const struct dtls_psk stranger = { LITERAL ("stranger"), TAP_BYTES (right_key), DTLS_CLIENT,
                                          DTLS_PSK_SHA256 };

/* ------------------------------------------------------------------------------------- one key */

enum setup
{
  HAS_COOKIES = 1 << 0,
  HAS_CERTIFICATE = 1 << 1, /* the server */
  NEEDS_KEY = 1 << 2,
  NEEDS_CERTIFICATE = 1 << 3, /* of the client */
  ONLY_SHA256 = 1 << 4,       /* suites of the client */
  DOES_NOT_ASK = 1 << 5,
};

struct key_row
{
  const char *name;
  const struct dtls_psk *client; /* (nullable) */
  const struct dtls_psk *server; /* (nullable) */
  unsigned setup;
  unsigned n_asked;
  bool is_taken;
  unsigned expected; /* enum dtls_error, of the server */
};

/* clang-format off */
static const struct key_row key_rows[] = {
  { "a key",                                &right,     &right,     0,                                        1, true,  DTLS_OK },
  { "a key of SHA-384",                     &right_384, &right_384, 0,                                        1, true,  DTLS_OK },
  { "a key, and a certificate",             &right,     &right,     HAS_CERTIFICATE,                          1, true,  DTLS_OK },
  { "a key, with a cookie",                 &right,     &right,     HAS_COOKIES,                              1, true,  DTLS_OK },
  { "a key of SHA-384, with a cookie",      &right_384, &right_384, HAS_COOKIES,                              1, true,  DTLS_OK },
  { "a key in place of the client's certificate", &right, &right,   NEEDS_CERTIFICATE,                        1, true,  DTLS_OK },
  { "a key that is required",               &right,     &right,     HAS_CERTIFICATE | NEEDS_KEY,              1, true,  DTLS_OK },
  { "nobody knows the key",                 &stranger,  &right,     HAS_CERTIFICATE,                          1, false, DTLS_OK },
  { "nobody is asked",                      &right,     &right,     HAS_CERTIFICATE | DOES_NOT_ASK,           0, false, DTLS_OK },
  { "none is offered",                      NULL,       &right,     HAS_CERTIFICATE,                          0, false, DTLS_OK },
  { "the server's is of another hash",      &right,     &right_384, HAS_CERTIFICATE | ONLY_SHA256,            1, false, DTLS_OK },
  { "nobody knows one that is required",    &stranger,  &right,     HAS_CERTIFICATE | NEEDS_KEY,              1, false, DTLS_ERROR_PSK_REQUIRED },
  { "none is offered where it is required", NULL,       &right,     HAS_CERTIFICATE | NEEDS_KEY,              0, false, DTLS_ERROR_PSK_REQUIRED },
  { "nobody knows it, and no certificate",  &stranger,  &right,     0,                                        1, false, DTLS_ERROR_UNKNOWN_PSK },
  { "another key",                          &right,     &wrong,     HAS_CERTIFICATE,                          1, false, DTLS_ERROR_BAD_FINISHED },
  { "another key, with a cookie",           &right,     &wrong,     HAS_CERTIFICATE | HAS_COOKIES,            1, false, DTLS_ERROR_BAD_FINISHED },
  { "the binder of another hash",           &right,     &right_384, HAS_CERTIFICATE,                          1, false, DTLS_ERROR_BAD_FINISHED },
};
/* clang-format on */

static void
set_up (struct duel *duel, const struct key_row *row)
{
  static const uint16_t sha256[] = { SUITE_AES_128_GCM_SHA256 };
  struct duel_side *client = &duel->sides[DTLS_CLIENT], *server = &duel->sides[DTLS_SERVER];

  duel_init (duel, row->setup & HAS_CERTIFICATE ? pki_identity ("server-ecdsa") : NULL);
  duel->has_cookies = row->setup & HAS_COOKIES;
  client->config.psk = row->client;
  server->psk = row->server;
  server->config.asks_for_psk = !(row->setup & DOES_NOT_ASK);
  server->config.requires_psk = row->setup & NEEDS_KEY;
  if (row->setup & NEEDS_CERTIFICATE)
    server->config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  if (row->setup & ONLY_SHA256)
    {
      client->config.suites = sha256;
      client->config.n_suites = 1;
    }
}

static void
test_one_key (void)
{
  for (size_t i = 0; i < TAP_N (key_rows); i++)
    {
      const struct key_row *row = &key_rows[i];
      struct duel duel;
      struct duel_side *server = &duel.sides[DTLS_SERVER];

      tap_set_row (row->name);
      set_up (&duel, row);
      duel_run (&duel);
      CHECK_UINT (server->error, row->expected);
      CHECK_UINT (server->n_asked[DTLS_WAIT_PSK], row->n_asked);
      CHECK_UINT (server->known.has_psk, row->is_taken);
      CHECK (!server->known.is_resumed);
      if (row->expected == DTLS_OK)
        {
          duel_check (&duel);
          CHECK_UINT (suite_find (server->known.suite)->hash == HASH_SHA384,
                      row->is_taken && row->client->hash == DTLS_PSK_SHA384);
          CHECK_BYTES (server->peer.psk_identity,
                       (row->is_taken ? row->client->identity : (struct bytes){ NULL, 0 }));
        }
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* ---------------------------------------------------------------------------------- many keys */

/* A hello that offers `n` of them, each with an identity of `len` bytes that ends with its number. */
static enum dtls_error
offer_many (struct duel *duel, unsigned n, size_t len, const struct crafted *base)
{
  static uint8_t memory[1 << 13], identity[2048];
  struct writer w = writer_over (memory, sizeof memory);
  struct crafted hello = *base;
  size_t list = write_vec_begin (&w, 2);

  for (unsigned i = 0; i < n; i++)
    {
      identity[len - 1] = (uint8_t) i;
      write_vec (&w, (struct bytes){ identity, len }, 2);
      write_u32 (&w, 0);
    }
  write_vec_end (&w, list, 2);
  list = write_vec_begin (&w, 2);
  for (unsigned i = 0; i < n; i++)
    write_vec (&w, TAP_BYTES (right_key), 1);
  write_vec_end (&w, list, 2);

  hello.has_psk = true;
  hello.changed = EXT_PRE_SHARED_KEY + 1;
  hello.body = writer_bytes (&w);
  return crafted_give (duel, &hello);
}

static enum dtls_error
answer_no (struct duel_side *server)
{
  server->h->wait = DTLS_WAIT_NONE;
  server->h->psk.kind = PSK_NONE;
  return handshake_take_input (server->h, INPUT_OUR_TURN, &server->effects);
}

static void
test_at_most_eight (void)
{
  struct duel duel;
  struct duel_side *server = &duel.sides[DTLS_SERVER];
  unsigned n = 0;

  duel_init (&duel, pki_identity ("server-ecdsa"));
  server->config.asks_for_psk = true;
  CHECK_UINT (offer_many (&duel, 20, 1, &(struct crafted){ .version = 0 }), DTLS_OK);
  while (server->h->wait == DTLS_WAIT_PSK)
    {
      CHECK_UINT (server->peer.psk_identity.left, 1);
      CHECK_UINT (server->peer.psk_identity.at[0], n);
      n++;
      CHECK_UINT (answer_no (server), DTLS_OK);
    }
  CHECK_UINT (n, 8);
  CHECK_UINT (server->h->state, WAIT_FINISHED);
  CHECK_UINT (server->peer.psk_identity.left, 0);
  duel_clear (&duel);
}

static const struct
{
  const char *name;
  size_t len;
  struct crafted hello;
  bool is_asked;
} asked_rows[] = {
  { "1 byte", 1, { .version = 0 }, true },
  { "1024 bytes", 1024, { .version = 0 }, true },
  { "1025 bytes", 1025, { .version = 0 }, false },
  { "the mode without key exchange alone",
    1,
    { .changed = EXT_PSK_KEY_EXCHANGE_MODES + 1, .body = LITERAL ("\1\0") },
    false },
};

static void
test_not_asked (void)
{
  for (size_t i = 0; i < TAP_N (asked_rows); i++)
    {
      struct duel duel;
      struct duel_side *server = &duel.sides[DTLS_SERVER];
      struct crafted hello = asked_rows[i].hello;

      tap_set_row (asked_rows[i].name);
      duel_init (&duel, pki_identity ("server-ecdsa"));
      server->config.asks_for_psk = true;
      if (hello.changed == 0)
        {
          CHECK_UINT (offer_many (&duel, 1, asked_rows[i].len, &hello), DTLS_OK);
        }
      else
        {
          hello.has_psk = true;
          CHECK_UINT (crafted_give (&duel, &hello), DTLS_OK);
          CHECK (!server->h->peer_takes_tickets);
        }
      CHECK_UINT (server->h->wait == DTLS_WAIT_PSK, asked_rows[i].is_asked);
      CHECK_UINT (server->h->state, asked_rows[i].is_asked ? ANSWERING_HELLO : WAIT_FINISHED);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* RFC 9846 §4.3.11: the one that was chosen is judged by its own binder, whatever was refused before. */
static void
test_binder_of_the_chosen (void)
{
  struct duel duel;
  struct duel_side *server = &duel.sides[DTLS_SERVER];

  duel_init (&duel, pki_identity ("server-ecdsa"));
  server->config.asks_for_psk = true;
  CHECK_UINT (offer_many (&duel, 3, 1, &(struct crafted){ .version = 0 }), DTLS_OK);
  CHECK_UINT (answer_no (server), DTLS_OK);
  CHECK_UINT (server->peer.psk_identity.at[0], 1);
  server->h->wait = DTLS_WAIT_NONE;
  server->h->psk = (struct handshake_psk){ PSK_EXTERNAL, HASH_SHA256, { 1 }, 16 };
  CHECK_UINT (handshake_take_input (server->h, INPUT_OUR_TURN, &server->effects),
              DTLS_ERROR_BAD_FINISHED);
  CHECK (!server->known.has_psk);
  duel_clear (&duel);
}

/* RFC 9846 §4.2.4: the suite of a HelloRetryRequest stays, and a key of another hash is of no use. */
static void
test_retry_keeps_the_suite (void)
{
  static const uint16_t ours[] = { GROUP_SECP256R1 };
  const struct crafted second = { .has_psk = true,
                                  .changed = EXT_KEY_SHARE + 1,
                                  .body = LITERAL (CRAFTED_P256_SHARE) };
  struct duel duel;
  struct duel_side *server = &duel.sides[DTLS_SERVER];

  duel_init (&duel, pki_identity ("server-ecdsa"));
  server->config.groups = ours;
  server->config.n_groups = 1;
  server->config.asks_for_psk = true;
  CHECK_UINT (crafted_give (&duel, &(struct crafted){ .version = 0 }), DTLS_OK);
  CHECK_UINT (crafted_give (&duel, &second), DTLS_OK);
  CHECK_UINT (server->h->wait, DTLS_WAIT_PSK);
  server->h->wait = DTLS_WAIT_NONE;
  server->h->psk = (struct handshake_psk){ PSK_EXTERNAL, HASH_SHA384, { 1 }, 16 };
  CHECK_UINT (handshake_take_input (server->h, INPUT_OUR_TURN, &server->effects), DTLS_OK);
  CHECK_UINT (server->h->state, WAIT_FINISHED);
  CHECK_UINT (server->h->suite->code, SUITE_AES_128_GCM_SHA256);
  CHECK (!server->known.has_psk);
  duel_clear (&duel);
}

/* A ticket that does not resume, then the external key: the second of two is the one. */
static void
test_second_is_taken (void)
{
  static const struct dtls_ticket_key keys[] = { { { 1 }, { 2 } }, { { 3 }, { 4 } } };
  static uint8_t kept[1 << 14];
  struct duel duel;
  struct duel_side *client = &duel.sides[DTLS_CLIENT], *server = &duel.sides[DTLS_SERVER];
  struct bytes session;

  for (unsigned i = 0; i < 2; i++)
    {
      duel_init (&duel, pki_identity ("server-ecdsa"));
      server->config.ticket_keys = &keys[i];
      server->config.n_ticket_keys = 1;
      server->config.asks_for_psk = true;
      server->psk = &right;
      if (i == 1)
        {
          client->config.session = session;
          client->config.psk = &right;
        }
      duel_run (&duel);
      duel_check (&duel);
      CHECK_UINT (server->known.has_psk, i == 1);
      CHECK_UINT (server->h->n_psks_seen, 2 * i);
      /* The first brings a session, which the other server does not know. */
      if (i == 0)
        {
          session = (struct bytes){ kept, client->peer.session.left };
          memcpy (kept, client->peer.session.at, session.left);
        }
      duel_clear (&duel);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/psk_choice/takes-a-key-that-both-have", test_one_key },
  { "/handshake/psk_choice/asks-for-eight-at-most", test_at_most_eight },
  { "/handshake/psk_choice/asks-only-for-what-could-be-used", test_not_asked },
  { "/handshake/psk_choice/judges-the-binder-of-the-chosen-one", test_binder_of_the_chosen },
  { "/handshake/psk_choice/a-retry-keeps-the-suite", test_retry_keeps_the_suite },
  { "/handshake/psk_choice/takes-the-second-where-the-first-is-none", test_second_is_taken },
};

TAP_MAIN (tests)
