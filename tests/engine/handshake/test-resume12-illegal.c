/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions of DTLS 1.2 with peers that keep every rule but one. */

#include "handshake/resume12.h"
#include "handshake/session12.h"
#include "wire/extensions.h"

enum
{
  CCS = INPUT_CHANGE_CIPHER_SPEC,
  UNEXPECTED = DTLS_ERROR_UNEXPECTED_MESSAGE,
  ILLEGAL = DTLS_ERROR_ILLEGAL_PARAMETER,
  DECODE = DTLS_ERROR_DECODE,
};

/* ---------------------------------------------------------------------------------- servers that err */

static const uint8_t one[] = { 1 };
static const uint8_t suite_256[] = { 0xc0, 0x2c };
static const uint8_t no_certificate[] = { 0, 0, 0 };
static const uint8_t a_ticket[] = { 0, 0, 0, 0, 0, 1, 7 };
static const uint8_t empty_ticket[] = { 0, 0, 0, 9, 0, 0 };
static const uint8_t finished_of_zeros[12];

enum
{
  SESSION_ID_AT = 2 + RANDOM_LEN + 1, /* in a ServerHello */
  SUITE_AT = SESSION_ID_AT + MAX_SESSION_ID_LEN,
};

/* clang-format off */
static const struct mischief server_rows[] = {
  { "nothing",                              NULL,                 0,                  0, NOTHING,                        0,                          CONNECTS },
  { "another suite than the session's",     play_patch,           SERVER_HELLO,       0, TAP_BYTES (suite_256),          SUITE_AT,                   ILLEGAL },
  { "no extended_master_secret",            play_no_extension,    SERVER_HELLO,       0, NOTHING,                        EXT_EXTENDED_MASTER_SECRET, DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED },
  { "another session_id: a whole handshake then", play_flip,      SERVER_HELLO,       0, NOTHING,                        SESSION_ID_AT,              UNEXPECTED },
  { "session_ticket with a body",           play_other_extension, SERVER_HELLO,       0, TAP_BYTES (one),                EXT_SESSION_TICKET,         DECODE },
  { "a ticket that was not promised",       play_no_extension,    SERVER_HELLO,       0, NOTHING,                        EXT_SESSION_TICKET,         UNEXPECTED },
  { "a promise that is not kept",           play_omit,            NEW_SESSION_TICKET, 0, NOTHING,                        0,                          SILENCE },
  { "another ticket than Finished covers",  play_body,            NEW_SESSION_TICKET, 0, TAP_BYTES (empty_ticket),       0,                          DTLS_ERROR_BAD_FINISHED },
  { "a ticket twice",                       play_twice,           NEW_SESSION_TICKET, 0, NOTHING,                        0,                          UNEXPECTED },
  { "a ticket cut short",                   play_shorten,         NEW_SESSION_TICKET, 0, NOTHING,                        0,                          DECODE },
  { "a ticket with a trailing byte",        play_lengthen,        NEW_SESSION_TICKET, 0, NOTHING,                        0,                          DECODE },
  { "a certificate",                        play_append,          SERVER_HELLO,       0, TAP_BYTES (no_certificate),     CERTIFICATE,                UNEXPECTED },
  { "ServerHelloDone",                      play_append,          SERVER_HELLO,       0, NOTHING,                        SERVER_HELLO_DONE,          UNEXPECTED },
  { "Finished instead of ChangeCipherSpec", play_insert,          CCS,                0, TAP_BYTES (finished_of_zeros),  FINISHED,                   UNEXPECTED },
  { "a wrong Finished",                     play_flip,            FINISHED,           0, NOTHING,                        0,                          DTLS_ERROR_BAD_FINISHED },
  { "Finished in plaintext",                play_plain,           FINISHED,           0, NOTHING,                        0,                          UNEXPECTED },
  { "skips ChangeCipherSpec",               play_skip,            CCS,                0, NOTHING,                        0,                          SILENCE },
  { "skips Finished",                       play_skip,            FINISHED,           0, NOTHING,                        0,                          SILENCE },
};

/* Of a whole handshake. */
static const struct mischief ticket_rows[] = {
  { "nothing",                              NULL,                 0,                  0, NOTHING,                        0,                          CONNECTS },
  { "a ticket that was not promised",       play_no_extension,    SERVER_HELLO,       IS_CONSISTENT, NOTHING,            EXT_SESSION_TICKET,         UNEXPECTED },
  { "a promise that is not kept",           play_omit,            NEW_SESSION_TICKET, 0, NOTHING,                        0,                          SILENCE },
  { "a ticket twice",                       play_twice,           NEW_SESSION_TICKET, 0, NOTHING,                        0,                          UNEXPECTED },
  { "a ticket before ServerHelloDone",      play_insert,          SERVER_HELLO_DONE,  0, TAP_BYTES (a_ticket),           NEW_SESSION_TICKET,         UNEXPECTED },
  { "a ticket cut short",                   play_shorten,         NEW_SESSION_TICKET, 0, NOTHING,                        0,                          DECODE },
  { "a ticket with a trailing byte",        play_lengthen,        NEW_SESSION_TICKET, 0, NOTHING,                        0,                          DECODE },
  { "another ticket than Finished covers",  play_flip,            NEW_SESSION_TICKET, 0, NOTHING,                        9,                          DTLS_ERROR_BAD_FINISHED },
  { "Finished instead of a ticket",         play_insert,          NEW_SESSION_TICKET, 0, TAP_BYTES (finished_of_zeros),  FINISHED,                   UNEXPECTED },
};
/* clang-format on */

static void
test_servers (void)
{
  struct kept kept;

  make_session (&kept);
  for (unsigned resumes = 0; resumes < 2; resumes++)
    {
      const struct mischief *rows = resumes ? server_rows : ticket_rows;

      for (size_t i = 0; i < (resumes ? TAP_N (server_rows) : TAP_N (ticket_rows)); i++)
        {
          struct pair pair;
          struct talk12 talk = { .pair = &pair };

          set_up (&pair);
          if (resumes)
            offer (&pair, &kept);
          talk12_run (&talk, DTLS_SERVER, &rows[i]);
          talk12_check (&talk, &rows[i]);
          talk12_end (&talk);
        }
    }
}

/* An empty ticket in a whole handshake is none, and nothing else is wrong with it. */
static void
empty_ticket_in_earnest (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  uint8_t hash[MAX_HASH_LEN], verify_data[VERIFY_DATA_LEN];
  struct handshake *h = puppet->handshake;
  struct finished_input input = { DTLS_SERVER, hash };
  struct message message = { NEW_SESSION_TICKET, puppet->pieces[at].seq, mischief->bytes };

  play_body (puppet, at, mischief);
  h->transcript.used = puppet->n_transcript;
  if (!transcript_add (&h->transcript, &message)
      || !transcript_hash (&h->transcript, h->crypto, h->suite->hash, hash)
      || !schedule12_finished (h->crypto, h->suite, h->known, &input, verify_data))
    abort ();
  piece_set_body (&puppet->pieces[puppet->n_pieces - 1], TAP_BYTES (verify_data));
}

static void
test_empty_ticket (void)
{
  static const struct mischief row = {
    "an empty ticket", empty_ticket_in_earnest, NEW_SESSION_TICKET, 0, TAP_BYTES (empty_ticket), 0,
    CONNECTS,
  };
  struct pair pair;
  struct talk12 talk = { .pair = &pair };

  set_up (&pair);
  talk12_run (&talk, DTLS_SERVER, &row);
  talk12_check (&talk, &row);
  CHECK_UINT (dtls_conn_session (pair.sides[DTLS_CLIENT].conn).left, 0);
  talk12_end (&talk);
}

/* ---------------------------------------------------------------------------------- clients that err */

/* clang-format off */
static const struct mischief client_rows[] = {
  { "nothing",                              NULL,                 0,            0, NOTHING,                       0,                          CONNECTS },
  { "no extended_master_secret",            play_no_extension,    CLIENT_HELLO, 0, NOTHING,                       EXT_EXTENDED_MASTER_SECRET, DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED },
  { "a ticket that nobody sealed",          play_other_extension, CLIENT_HELLO, IS_CONSISTENT, TAP_BYTES (a_ticket), EXT_SESSION_TICKET,      CONNECTS },
  { "ClientKeyExchange",                    play_insert,          CCS,          0, TAP_BYTES (a_ticket),          CLIENT_KEY_EXCHANGE,        UNEXPECTED },
  { "a certificate",                        play_insert,          CCS,          0, TAP_BYTES (no_certificate),    CERTIFICATE,                UNEXPECTED },
  { "Finished instead of ChangeCipherSpec", play_insert,          CCS,          0, TAP_BYTES (finished_of_zeros), FINISHED,                   UNEXPECTED },
  { "a wrong Finished",                     play_flip,            FINISHED,     0, NOTHING,                       0,                          DTLS_ERROR_BAD_FINISHED },
  { "skips ChangeCipherSpec",               play_skip,            CCS,          0, NOTHING,                       0,                          SILENCE },
  { "skips Finished",                       play_skip,            FINISHED,     0, NOTHING,                       0,                          SILENCE },
};
/* clang-format on */

static void
test_clients (void)
{
  struct kept kept;

  make_session (&kept);
  for (size_t i = 0; i < TAP_N (client_rows); i++)
    {
      struct pair pair;
      struct talk12 talk = { .pair = &pair };

      set_up (&pair);
      offer (&pair, &kept);
      talk12_run (&talk, DTLS_CLIENT, &client_rows[i]);
      talk12_check (&talk, &client_rows[i]);
      talk12_end (&talk);
    }
}

/* RFC 7627 §5.3: without the extension nothing is kept, on neither side. */
static void
test_no_extended_master_secret (void)
{
  static const struct mischief row = {
    "no extended_master_secret", play_no_extension, CLIENT_HELLO, IS_CONSISTENT, NOTHING,
    EXT_EXTENDED_MASTER_SECRET,  CONNECTS,
  };
  struct dtls_session_cache *cache = dtls_session_cache_new (8, 1 << 16);

  for (unsigned has_tickets = 0; has_tickets < 2; has_tickets++)
    {
      struct pair pair;
      struct talk12 talk = { .pair = &pair };

      set_up_cache (&pair, cache);
      pair.sides[DTLS_SERVER].config.ticket_keys = ticket_keys;
      pair.sides[DTLS_SERVER].config.n_ticket_keys = has_tickets;
      talk12_run (&talk, DTLS_CLIENT, &row);
      talk12_check (&talk, &row);
      CHECK (!talk.puppet.handshake->peer_takes_tickets);
      CHECK_UINT (talk.puppet.handshake->session_id_len, 0);
      CHECK_UINT (talk.puppet.peer.session.left, 0);
      CHECK_UINT (dtls_session_cache_n (cache), 0);
      talk12_end (&talk);
    }
  dtls_session_cache_free (cache);
}

static const struct tap_test tests[] = {
  { "/handshake/resume12/a-client-rejects-what-a-server-may-not-say", test_servers },
  { "/handshake/resume12/an-empty-ticket-is-none", test_empty_ticket },
  { "/handshake/resume12/a-server-rejects-what-a-client-may-not-say", test_clients },
  { "/handshake/resume12/nothing-without-extended-master-secret", test_no_extended_master_secret },
};

TAP_MAIN (tests)
