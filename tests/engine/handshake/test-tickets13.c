/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions of 1.3 from one handshake to the next: what resumes, what must not, and for how long. */

#include "handshake/duel13.h"
#include "handshake/tickets.h"

static const uint8_t psk_key[32] = { 1, 2, 3 };

static const struct dtls_psk client_psk = {
  .identity = { (const uint8_t *) "someone", 7 },
  .key = { psk_key, sizeof psk_key },
  .role = DTLS_CLIENT,
};

static const struct dtls_ticket_key ticket_key = { { 1 }, { 2 } };
static const struct dtls_ticket_key other_key = { { 3 }, { 4 } };

static uint8_t kept_memory[1 << 16];

static void
configure (struct duel *duel)
{
  struct duel_side *client = &duel->sides[DTLS_CLIENT], *server = &duel->sides[DTLS_SERVER];

  duel_init (duel, pki_identity ("server-ecdsa"));
  server->config.ticket_keys = &ticket_key;
  server->config.n_ticket_keys = 1;
  server->config.alpn = TAP_STRING ("\3one\3two");
  client->config.alpn = TAP_STRING ("\3one");
  client->config.server_name = TAP_STRING ("server.example.com");
}

/* What the client has to resume with; good until the next one is kept. */
static struct bytes
keep (const struct duel *duel)
{
  struct bytes session = duel->sides[DTLS_CLIENT].peer.session;

  if (session.left > 0)
    memcpy (kept_memory, session.at, session.left);
  return (struct bytes){ kept_memory, session.left };
}

static struct bytes
make_session (enum dtls_client_auth auth, const struct identity *identity)
{
  struct duel duel;
  struct bytes session;

  configure (&duel);
  duel.sides[DTLS_SERVER].config.client_auth = auth;
  if (identity != NULL)
    duel.sides[DTLS_CLIENT].credential = &identity->whole;
  duel_run (&duel);
  duel_check (&duel);
  session = keep (&duel);
  duel_clear (&duel);
  return session;
}

/* ------------------------------------------------------------------------------------- sending */

static unsigned
count_sent (const struct duel_side *side, uint8_t type)
{
  unsigned n = 0;

  for (size_t i = 0; i < side->n_sent; i++)
    n += side->sent[i] == type;
  return n;
}

struct ticket_row
{
  const char *name;
  unsigned n_keys;
  unsigned n_tickets;
  dtls_duration lifetime;
  unsigned expected;
};

static const struct ticket_row ticket_rows[] = {
  { "two", 1, 2, 3600 * DTLS_SECOND, 2 },
  { "one", 1, 1, 3600 * DTLS_SECOND, 1 },
  { "four", 1, 4, 3600 * DTLS_SECOND, 4 },
  { "none wanted", 1, 0, 3600 * DTLS_SECOND, 0 },
  { "no key for them", 0, 2, 3600 * DTLS_SECOND, 0 },
  { "less than a second", 1, 2, DTLS_SECOND - 1, 0 },
};

static void
test_number (void)
{
  for (size_t i = 0; i < TAP_N (ticket_rows); i++)
    {
      const struct ticket_row *row = &ticket_rows[i];
      struct duel duel;
      struct duel_side *server = &duel.sides[DTLS_SERVER];
      size_t n_kinds;

      tap_set_row (row->name);
      configure (&duel);
      server->config.n_ticket_keys = row->n_keys;
      server->config.n_tickets = row->n_tickets;
      server->config.ticket_lifetime = row->lifetime;
      duel_run (&duel);
      CHECK_UINT (server->error, DTLS_OK);
      CHECK_UINT (count_sent (server, NEW_SESSION_TICKET), row->expected);
      n_kinds = server->n_kinds;
      if (row->expected > 0)
        CHECK_UINT (server->kinds[n_kinds - 2], EFFECT_END_ACKED_FLIGHT);
      CHECK_UINT (server->kinds[n_kinds - 1], EFFECT_EVENT);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* What a ticket of ours says inside. */
static bool
open_session (struct bytes kept, uint8_t *memory, size_t capacity, struct session *out)
{
  const struct ticket_ring ring = { &ticket_key, 1 };
  struct dtls_buffer opened = { memory, capacity, 0 };
  struct session client;

  return session_read (kept, &client) && ticket_open (pki_crypto (), &ring, client.ticket, &opened)
         && session_read ((struct bytes){ memory, opened.used }, out);
}

static void
test_contents (void)
{
  static uint8_t memory[1 << 16];
  const struct identity *identity = pki_identity ("client-ecdsa");
  struct bytes kept = make_session (DTLS_CLIENT_AUTH_REQUESTED, identity);
  struct der_list chain = { NULL, 0 };
  struct session session, client;
  uint8_t leaf[32];

  if (!CHECK (open_session (kept, memory, sizeof memory, &session)))
    return;
  CHECK_UINT (session.version, VERSION_DTLS_1_3);
  CHECK_UINT (session.client_auth, DTLS_CLIENT_AUTH_REQUESTED);
  CHECK_UINT (session.lifetime, 24 * 3600);
  CHECK_UINT (session.made, 1000000 * DTLS_SECOND);
  CHECK_UINT (session.received, 1000000 * DTLS_SECOND);
  CHECK_BYTES (session.server_name, TAP_STRING ("server.example.com"));
  CHECK_BYTES (session.alpn, TAP_STRING ("one"));
  CHECK_UINT (session.ticket.left, 0);
  CHECK (hash_once (pki_crypto (), HASH_SHA256, pki_identity ("server-ecdsa")->chain[0], leaf));
  CHECK_BYTES (TAP_BYTES (session.bound_to), TAP_BYTES (leaf));
  CHECK (session_chain_read (session.chain, &chain));
  if (CHECK_UINT (chain.n, identity->whole.n_chain))
    CHECK_BYTES (chain.items[0], identity->chain[0]);
  der_list_clear (&chain);

  CHECK (session_read (kept, &client));
  CHECK_UINT (client.age_add, session.age_add);
  CHECK_BYTES (((struct bytes){ client.secret, client.secret_len }),
               ((struct bytes){ session.secret, session.secret_len }));
}

/* RFC 9846 §4.7.1: each has a nonce, a key and an age_add of its own. */
static uint8_t seen_tickets[4][2048];
static size_t seen_len[4];
static unsigned n_seen;

static void
keep_tickets (struct duel *duel, enum dtls_role from, struct message *message)
{
  (void) duel;
  if (from != DTLS_SERVER || message->type != NEW_SESSION_TICKET || n_seen == 4)
    return;

  seen_len[n_seen] = message->body.left;
  memcpy (seen_tickets[n_seen++], message->body.at, message->body.left);
}

static void
test_tickets_differ (void)
{
  struct duel duel;

  n_seen = 0;
  configure (&duel);
  duel.sides[DTLS_SERVER].config.n_tickets = 4;
  duel.spoil = keep_tickets;
  duel_run (&duel);
  duel_check (&duel);
  CHECK_UINT (n_seen, 4);
  for (unsigned i = 0; i < n_seen; i++)
    for (unsigned j = 0; j < i; j++)
      {
        const uint8_t *a = seen_tickets[i], *b = seen_tickets[j];

        CHECK_UINT (seen_len[i], seen_len[j]);
        CHECK (memcmp (a + 4, b + 4, 4) != 0); /* age_add */
        CHECK_UINT (a[8], 1);                  /* the nonce's length */
        CHECK (a[9] != b[9]);
        CHECK (memcmp (a + 12, b + 12, seen_len[i] - 14) != 0);
      }
  duel_clear (&duel);
}

static void
test_no_ticket_with_a_long_chain (void)
{
  struct bytes chain[8];
  struct dtls_credential credential = { chain, 0, NULL };
  const struct identity *identity = pki_identity ("client-ecdsa");
  size_t len = 0;
  struct duel duel;

  credential.key = identity->key;
  for (size_t i = 0; i < 8; i++)
    {
      chain[i] = identity->chain[0];
      len += 3 + chain[i].left;
      credential.n_chain++;
    }
  CHECK (len > 2048);

  configure (&duel);
  duel.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  duel.sides[DTLS_CLIENT].credential = &credential;
  duel_run (&duel);
  duel_check (&duel);
  CHECK_UINT (count_sent (&duel.sides[DTLS_SERVER], NEW_SESSION_TICKET), 0);
  duel_clear (&duel);
}

/* ------------------------------------------------------------------------------------ resuming */

/* What differs in the second handshake. */
enum change
{
  NOTHING_ELSE,
  SERVER_NAME,
  PROTOCOL,
  CLIENT_AUTH,
  CERTIFICATE_OF_SERVER,
  TICKET_KEY,
  NEXT_TICKET_KEY,
  SUITE,
  OTHER_HASH,
  LATE,
  TOO_LATE,
  CLOCK_WENT_BACK,
  ASKED_CREDENTIAL,
  ASKED_OTHER_CREDENTIAL,
  COOKIES,
};

static const struct
{
  const char *name;
  enum change change;
  bool is_resumed;
} resume_rows[] = {
  { "the same again", NOTHING_ELSE, true },
  { "another name", SERVER_NAME, false },
  { "another protocol", PROTOCOL, false },
  { "another policy", CLIENT_AUTH, false },
  { "another certificate", CERTIFICATE_OF_SERVER, false },
  { "other ticket keys", TICKET_KEY, false },
  { "newer ticket keys, and the old ones", NEXT_TICKET_KEY, true },
  { "another suite of the hash", SUITE, true },
  { "only suites of another hash", OTHER_HASH, false },
  { "a day less a second later", LATE, true },
  { "a day later", TOO_LATE, false },
  { "before it was made", CLOCK_WENT_BACK, false },
  { "the credential is asked for", ASKED_CREDENTIAL, true },
  { "another credential is the answer", ASKED_OTHER_CREDENTIAL, false },
  { "with a cookie", COOKIES, true },
};

static void
change (struct duel *duel, enum change change)
{
  static const uint16_t chacha[] = { SUITE_CHACHA20_POLY1305_SHA256 };
  static const uint16_t aes256[] = { SUITE_AES_256_GCM_SHA384 };
  static struct dtls_ticket_key ring[2];
  struct dtls_config *server = &duel->sides[DTLS_SERVER].config;

  ring[0] = other_key;
  ring[1] = ticket_key;
  switch (change)
    {
    case SERVER_NAME:
      duel->sides[DTLS_CLIENT].config.server_name = TAP_STRING ("other.example.com");
      break;
    case PROTOCOL:
      server->alpn = TAP_STRING ("\3two");
      break;
    case CLIENT_AUTH:
      server->client_auth = DTLS_CLIENT_AUTH_REQUESTED;
      break;
    case CERTIFICATE_OF_SERVER:
      server->credential = &pki_identity ("server-p384")->whole;
      break;
    case TICKET_KEY:
      server->ticket_keys = &other_key;
      break;
    case NEXT_TICKET_KEY:
      server->ticket_keys = ring;
      server->n_ticket_keys = 2;
      break;
    case SUITE:
      server->suites = chacha;
      server->n_suites = 1;
      break;
    case OTHER_HASH:
      server->suites = aes256;
      server->n_suites = 1;
      break;
    case LATE:
      duel->now += (24 * 3600 - 1) * DTLS_SECOND;
      break;
    case TOO_LATE:
      duel->now += 24 * 3600 * DTLS_SECOND;
      break;
    case CLOCK_WENT_BACK:
      duel->now -= DTLS_SECOND;
      break;
    case ASKED_CREDENTIAL:
      duel->sides[DTLS_SERVER].credential = server->credential;
      server->credential = NULL;
      break;
    case ASKED_OTHER_CREDENTIAL:
      duel->sides[DTLS_SERVER].credential = &pki_identity ("server-p384")->whole;
      server->credential = NULL;
      break;
    case COOKIES:
      duel->has_cookies = true;
      break;
    case NOTHING_ELSE:
      break;
    }
}

/* The client offers it whatever it would think of it by itself: the server is to judge. */
static struct bytes
make_client_offer (struct bytes kept, const struct duel *duel)
{
  static uint8_t memory[1 << 16];
  struct writer w = writer_over (memory, sizeof memory);
  struct session session;

  if (!CHECK (session_read (kept, &session)))
    return kept;

  session.made = session.received = duel->now;
  session.lifetime = MAX_SESSION_LIFETIME;
  session.server_name = duel->sides[DTLS_CLIENT].config.server_name;
  session_write (&w, &session);
  return writer_bytes (&w);
}

static void
test_resumes (void)
{
  struct bytes kept = make_session (DTLS_CLIENT_AUTH_NONE, NULL);

  for (size_t i = 0; i < TAP_N (resume_rows); i++)
    {
      struct duel duel;
      struct duel_side *client = &duel.sides[DTLS_CLIENT], *server = &duel.sides[DTLS_SERVER];

      tap_set_row (resume_rows[i].name);
      configure (&duel);
      server->config.n_tickets = 0;
      change (&duel, resume_rows[i].change);
      client->config.session = make_client_offer (kept, &duel);
      duel_run (&duel);
      duel_check (&duel);
      CHECK_UINT (server->known.is_resumed, resume_rows[i].is_resumed);
      CHECK_UINT (count_sent (server, CERTIFICATE), !resume_rows[i].is_resumed);
      CHECK_UINT (server->known.end_point_hash_len, 32);
      CHECK (!server->known.has_psk);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* ----------------------------------------------------------------------------- the client's chain */

static const struct
{
  const char *name;
  enum dtls_client_auth auth;
  bool has_certificate;
  bool verifies;
  unsigned n_verdicts;
} chain_rows[] = {
  { "asked for, given", DTLS_CLIENT_AUTH_REQUESTED, true, true, 1 },
  { "asked for, given, taken as before", DTLS_CLIENT_AUTH_REQUESTED, true, false, 0 },
  { "asked for, not given", DTLS_CLIENT_AUTH_REQUESTED, false, true, 0 },
  { "required, given", DTLS_CLIENT_AUTH_REQUIRED, true, true, 1 },
  { "required, given, taken as before", DTLS_CLIENT_AUTH_REQUIRED, true, false, 0 },
};

static void
test_chain_comes_back (void)
{
  const struct identity *identity = pki_identity ("client-rsa");

  for (size_t i = 0; i < TAP_N (chain_rows); i++)
    {
      bool has_certificate = chain_rows[i].has_certificate;
      struct duel duel;
      struct duel_side *server = &duel.sides[DTLS_SERVER];
      struct bytes kept = make_session (chain_rows[i].auth, has_certificate ? identity : NULL);

      tap_set_row (chain_rows[i].name);
      configure (&duel);
      server->config.client_auth = chain_rows[i].auth;
      server->config.verifies_resumed = chain_rows[i].verifies;
      duel.sides[DTLS_CLIENT].config.session = kept;
      duel_run (&duel);
      duel_check (&duel);
      CHECK (server->known.is_resumed);
      CHECK_UINT (server->n_asked[DTLS_WAIT_VERDICT], chain_rows[i].n_verdicts);
      CHECK_UINT (server->peer.chain.n, has_certificate ? identity->whole.n_chain : 0);
      if (server->peer.chain.n > 0)
        CHECK_BYTES (server->peer.chain.items[0], identity->chain[0]);
      CHECK_UINT (count_sent (server, CERTIFICATE_REQUEST), 0);
      CHECK_UINT (count_sent (server, NEW_SESSION_TICKET), 2);
      duel_clear (&duel);
    }
  tap_set_row (NULL);
}

/* Where a certificate is required, a session without one is none, however its ticket came to be. */
static void
test_required_chain (void)
{
  static uint8_t opened[1 << 14], plain[1 << 14], sealed[1 << 14], offered[1 << 14];
  struct bytes kept = make_session (DTLS_CLIENT_AUTH_REQUIRED, pki_identity ("client-ecdsa"));

  for (unsigned i = 0; i < 2; i++)
    {
      struct writer w = writer_over (plain, sizeof plain);
      struct writer client_writer = writer_over (offered, sizeof offered);
      struct dtls_buffer ticket = { sealed, sizeof sealed, 0 };
      struct session session, client;
      struct duel duel;

      if (!CHECK (open_session (kept, opened, sizeof opened, &session)))
        return;
      if (i == 1)
        session.chain = (struct bytes){ NULL, 0 };
      session_write (&w, &session);
      CHECK (ticket_seal (pki_crypto (), &ticket_key, writer_bytes (&w), &ticket));
      CHECK (session_read (kept, &client));
      client.ticket = (struct bytes){ ticket.at, ticket.used };
      session_write (&client_writer, &client);

      configure (&duel);
      duel.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
      duel.sides[DTLS_CLIENT].credential = &pki_identity ("client-ecdsa")->whole;
      duel.sides[DTLS_CLIENT].config.session = writer_bytes (&client_writer);
      duel_run (&duel);
      duel_check (&duel);
      CHECK_UINT (duel.sides[DTLS_SERVER].known.is_resumed, i == 0);
      duel_clear (&duel);
    }
}

/* RFC 9846 §4.7.1: renewed again and again, it still ends seven days after it was made. */
static void
test_renewal_has_an_end (void)
{
  static uint8_t memory[1 << 16];
  static uint8_t offered[1 << 16];
  struct bytes kept = make_session (DTLS_CLIENT_AUTH_NONE, NULL);
  const uint64_t made = 1000000 * DTLS_SECOND;
  struct session session;

  for (unsigned day = 1; day <= 8; day++)
    {
      struct duel duel;
      bool may_resume = day < 8;

      configure (&duel);
      duel.now = made + (24 * day - 1) * 3600 * DTLS_SECOND;
      duel.sides[DTLS_SERVER].config.ticket_lifetime = 7 * 86400 * DTLS_SECOND;
      kept = make_client_offer (kept, &duel);
      memcpy (offered, kept.at, kept.left);
      duel.sides[DTLS_CLIENT].config.session = (struct bytes){ offered, kept.left };
      duel_run (&duel);
      duel_check (&duel);
      CHECK_UINT (duel.sides[DTLS_SERVER].known.is_resumed, may_resume);
      kept = keep (&duel);
      if (may_resume && CHECK (open_session (kept, memory, sizeof memory, &session)))
        {
          CHECK_UINT (session.made, made);
          CHECK_UINT (session.received, duel.now);
          CHECK_UINT (session.lifetime, MAX_SESSION_LIFETIME - (24 * day - 1) * 3600);
        }
      duel_clear (&duel);
    }
}

/* ------------------------------------------------------------------------------ an external key's */

/* It would outlive the key. */
static void
test_no_ticket_of_an_external_key (void)
{
  struct duel duel;
  struct duel_side *server = &duel.sides[DTLS_SERVER];

  configure (&duel);
  server->config.asks_for_psk = true;
  server->psk = &client_psk;
  duel.sides[DTLS_CLIENT].config.psk = &client_psk;
  duel_run (&duel);
  duel_check (&duel);
  CHECK (server->known.has_psk);
  CHECK_UINT (count_sent (server, NEW_SESSION_TICKET), 0);
  CHECK_UINT (keep (&duel).left, 0);
  duel_clear (&duel);
}

/* A session that certificates made is no key, where keys are required. */
static void
test_required_key (void)
{
  struct duel duel;

  configure (&duel);
  duel.sides[DTLS_SERVER].config.requires_psk = true;
  duel.sides[DTLS_CLIENT].config.session = make_session (DTLS_CLIENT_AUTH_NONE, NULL);
  duel_run (&duel);
  CHECK_UINT (duel.sides[DTLS_SERVER].error, DTLS_ERROR_PSK_REQUIRED);
  duel_clear (&duel);
}

/* Every byte of a ticket counts; one that does not open is no error. */
static void
test_corrupt_tickets (void)
{
  struct bytes kept = make_session (DTLS_CLIENT_AUTH_NONE, NULL);
  struct session session;
  size_t at;

  if (!CHECK (session_read (kept, &session)))
    return;
  at = (size_t) (session.ticket.at - kept_memory);
  for (size_t i = 0; i < session.ticket.left; i++)
    {
      struct duel duel;

      configure (&duel);
      duel.sides[DTLS_SERVER].config.n_tickets = 0;
      kept_memory[at + i] ^= 1;
      duel.sides[DTLS_CLIENT].config.session = kept;
      duel_run (&duel);
      duel_check (&duel);
      CHECK (!duel.sides[DTLS_SERVER].known.is_resumed);
      duel_clear (&duel);
      kept_memory[at + i] ^= 1;
    }
}

static const struct tap_test tests[] = {
  { "/handshake/tickets13/sends-as-many-as-configured", test_number },
  { "/handshake/tickets13/binds-what-the-session-depends-on", test_contents },
  { "/handshake/tickets13/no-two-are-alike", test_tickets_differ },
  { "/handshake/tickets13/none-with-a-long-chain", test_no_ticket_with_a_long_chain },
  { "/handshake/tickets13/resumes-where-nothing-else-changed", test_resumes },
  { "/handshake/tickets13/brings-back-the-clients-chain", test_chain_comes_back },
  { "/handshake/tickets13/needs-the-chain-where-one-is-required", test_required_chain },
  { "/handshake/tickets13/renewal-ends-after-seven-days", test_renewal_has_an_end },
  { "/handshake/tickets13/none-of-an-external-key", test_no_ticket_of_an_external_key },
  { "/handshake/tickets13/is-no-key-where-one-is-required", test_required_key },
  { "/handshake/tickets13/ignores-a-ticket-with-any-byte-changed", test_corrupt_tickets },
};

TAP_MAIN (tests)
