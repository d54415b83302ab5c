/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which session a client offers to resume, and which it had better not. */

#include "handshake/session_offer.h"
#include "handshake/psk12.h"
#include "handshake/talk13.h"

enum
{
  HAS_TICKET = 1 << 0,
  HAS_ID = 1 << 1,
  OF_PSK = 1 << 2, /* 1.2: an external key vouched for the server; otherwise its certificate */
  OF_12 = 1 << 3,
  IS_RUBBISH = 1 << 4,
  REQUIRES_PSK = 1 << 5,
  KEEPS_NOTHING = 1 << 6,
  ONLY_12 = 1 << 7,
  ONLY_13 = 1 << 8,
  HAS_PSK = 1 << 9, /* the client has that key, */
  HAS_OTHER_PSK = 1 << 10,
  HAS_NEXT_PSK = 1 << 12, /* or another one of that name */
  OF_NOBODY = 1 << 11,    /* nothing vouched for it */
};

static const uint8_t a_chain[] = { 0, 0, 1, 0x30 };
static const uint16_t other_suites[] = { SUITE_CHACHA20_POLY1305_SHA256,
                                         SUITE_ECDHE_RSA_CHACHA20_POLY1305_SHA256 };

static const struct dtls_psk someone = {
  { (const uint8_t *) "someone", 7 }, { (const uint8_t *) "a key", 5 }, DTLS_CLIENT, DTLS_PSK_SHA256
};
static const struct dtls_psk someone_later = { { (const uint8_t *) "someone", 7 },
                                               { (const uint8_t *) "the next", 8 },
                                               DTLS_CLIENT,
                                               DTLS_PSK_SHA256 };
static const struct dtls_psk another = {
  { (const uint8_t *) "another", 7 }, { (const uint8_t *) "a key", 5 }, DTLS_CLIENT, DTLS_PSK_SHA256
};

static struct bytes
make_session (uint8_t *memory, size_t capacity, unsigned is)
{
  struct writer w = writer_over (memory, capacity);
  struct session session = {
    .version = is & OF_12 ? VERSION_DTLS_1_2 : VERSION_DTLS_1_3,
    .suite = is & OF_PSK  ? SUITE_ECDHE_PSK_AES_128_GCM_SHA256
             : is & OF_12 ? SUITE_ECDHE_RSA_AES_128_GCM_SHA256
                          : SUITE_AES_128_GCM_SHA256,
    .made = 5 * DTLS_SECOND,
    .received = 6 * DTLS_SECOND,
    .lifetime = 3600,
    .has_extended_master_secret = is & OF_12,
    .secret_len = is & OF_12 ? MASTER_SECRET_LEN : 32,
    .server_name = TAP_STRING ("here"),
    .alpn = TAP_STRING ("one"),
  };

  if (is & HAS_TICKET)
    session.ticket = TAP_STRING ("a ticket");
  if (is & HAS_ID)
    session.id = TAP_STRING ("an id");
  if (is & OF_PSK)
    {
      session.psk_identity = someone.identity;
      CHECK (psk12_mark (pki_crypto (), someone.key, session.bound_to));
    }
  else if (!(is & OF_NOBODY))
    session.chain = TAP_BYTES (a_chain);
  session_write (&w, &session);
  if (is & IS_RUBBISH)
    memory[0] ^= 1;
  return writer_bytes (&w);
}

#define HERE                                                                                       \
  {                                                                                                \
    (const uint8_t *) "here", 4                                                                    \
  }
#define ONE                                                                                        \
  {                                                                                                \
    (const uint8_t *) "\3one", 4                                                                   \
  }

static const struct
{
  const char *name;
  unsigned is;
  uint64_t seconds; /* the time */
  struct bytes server_name;
  struct bytes alpn;
  bool has_other_suites;
  bool is_offered;
  size_t session_id_len;
} rows[] = {
  { "1.3", HAS_TICKET, 7, HERE, ONE, false, true, 0 },
  { "1.2, a ticket", OF_12 | HAS_TICKET, 7, HERE, ONE, false, true, 32 },
  { "1.2, an ID", OF_12 | HAS_ID, 7, HERE, ONE, false, true, 5 },
  { "among other protocols",
    HAS_TICKET,
    7,
    HERE,
    { (const uint8_t *) "\3two\3one", 8 },
    false,
    true,
    0 },
  { "although none is kept", HAS_TICKET | KEEPS_NOTHING, 7, HERE, ONE, false, true, 0 },
  { "1.2 and a ticket, although none is kept", OF_12 | HAS_TICKET | KEEPS_NOTHING, 7, HERE, ONE,
    false, true, 32 },
  { "just in time", HAS_TICKET, 3605, HERE, ONE, false, true, 0 },
  { "too late", HAS_TICKET, 3606, HERE, ONE, false, false, 0 },
  { "from the future", HAS_TICKET, 5, HERE, ONE, false, false, 0 },
  { "of another server", HAS_TICKET, 7, { (const uint8_t *) "there", 5 }, ONE, false, false, 0 },
  { "no server's name", HAS_TICKET, 7, { NULL, 0 }, ONE, false, false, 0 },
  { "of another protocol", HAS_TICKET, 7, HERE, { (const uint8_t *) "\3two", 4 }, false, false, 0 },
  { "no protocol", HAS_TICKET, 7, HERE, { NULL, 0 }, false, false, 0 },
  { "a suite that is not allowed", HAS_TICKET, 7, HERE, ONE, true, false, 0 },
  { "1.2, a suite that is not allowed", OF_12 | HAS_TICKET, 7, HERE, ONE, true, false, 0 },
  { "1.3 is not allowed", HAS_TICKET | ONLY_12, 7, HERE, ONE, false, false, 0 },
  { "1.2 is not allowed", OF_12 | HAS_TICKET | ONLY_13, 7, HERE, ONE, false, false, 0 },
  { "1.3 without a ticket", HAS_ID, 7, HERE, ONE, false, false, 0 },
  { "1.2 without either", OF_12, 7, HERE, ONE, false, false, 0 },
  { "of certificates, where a key is required", HAS_TICKET | REQUIRES_PSK, 7, HERE, ONE, false,
    false, 0 },
  { "of a key, where one is required", OF_12 | HAS_ID | OF_PSK | HAS_PSK | REQUIRES_PSK, 7, HERE,
    ONE, false, true, 5 },
  { "of the key that there is", OF_12 | HAS_ID | OF_PSK | HAS_PSK, 7, HERE, ONE, false, true, 5 },
  { "of another name", OF_12 | HAS_ID | OF_PSK | HAS_OTHER_PSK, 7, HERE, ONE, false, false, 0 },
  { "of a key that was replaced", OF_12 | HAS_ID | OF_PSK | HAS_NEXT_PSK, 7, HERE, ONE, false,
    false, 0 },
  { "of a key, where there is none", OF_12 | HAS_ID | OF_PSK, 7, HERE, ONE, false, false, 0 },
  { "beside a key", HAS_TICKET | HAS_PSK, 7, HERE, ONE, false, true, 0 },
  { "where a key is required that there is", HAS_TICKET | HAS_PSK | REQUIRES_PSK, 7, HERE, ONE,
    false, false, 0 },
  { "of a server that nothing vouched for", HAS_TICKET | OF_NOBODY, 7, HERE, ONE, false, false, 0 },
  { "no session at all", HAS_TICKET | IS_RUBBISH, 7, HERE, ONE, false, false, 0 },
};

static void
check_hello (const struct talk *talk, size_t row)
{
  bool is_12 = rows[row].is & OF_12;
  bool has_ticket_12 = rows[row].is_offered && is_12 && rows[row].is & HAS_TICKET;
  struct bytes ticket = talk->found.body[FOUND_SESSION_TICKET];

  CHECK_UINT (talk->client.h->has_session, rows[row].is_offered);
  CHECK_UINT (talk->found.has[FOUND_PRE_SHARED_KEY],
              (rows[row].is_offered && !is_12)
                  || rows[row].is & (HAS_PSK | HAS_OTHER_PSK | HAS_NEXT_PSK));
  CHECK_UINT (talk->hello.session_id.left, rows[row].session_id_len);
  CHECK_BYTES (ticket, has_ticket_12 ? TAP_STRING ("a ticket") : ((struct bytes){ NULL, 0 }));
  if (rows[row].session_id_len == 5)
    CHECK_BYTES (talk->hello.session_id, TAP_STRING ("an id"));
}

static void
test_offer (void)
{
  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      unsigned is = rows[i].is;
      uint8_t memory[1024];
      struct talk talk;

      tap_set_row (rows[i].name);
      talk_init (&talk);
      talk.client.config.session = make_session (memory, sizeof memory, is);
      talk.client.config.server_name = rows[i].server_name;
      talk.client.config.alpn = rows[i].alpn;
      talk.client.config.wall_clock_offset = rows[i].seconds * DTLS_SECOND;
      talk.client.config.requires_psk = is & REQUIRES_PSK;
      talk.client.config.keeps_sessions = !(is & KEEPS_NOTHING);
      if (is & HAS_PSK)
        talk.client.config.psk = &someone;
      if (is & HAS_OTHER_PSK)
        talk.client.config.psk = &another;
      if (is & HAS_NEXT_PSK)
        talk.client.config.psk = &someone_later;
      if (is & ONLY_12)
        talk.client.config.max_version = DTLS_1_2;
      if (is & ONLY_13)
        talk.client.config.min_version = DTLS_1_3;
      if (rows[i].has_other_suites)
        {
          talk.client.config.suites = other_suites;
          talk.client.config.n_suites = TAP_N (other_suites);
        }
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      check_hello (&talk, i);
      talk_clear (&talk);
    }
  tap_set_row (NULL);
}

static const struct tap_test tests[] = {
  { "/handshake/session_offer/only-where-it-may-resume", test_offer },
};

TAP_MAIN (tests)
