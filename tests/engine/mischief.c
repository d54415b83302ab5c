/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A conversation of a puppet and an engine, set up as a row says. */

#include "mischief.h"

static const uint16_t p256[] = { GROUP_SECP256R1 };
/* Whatever libcrypto has: rows know which share comes first, and how long it is. */
static const uint16_t small_groups[] = { GROUP_X25519, GROUP_SECP256R1, GROUP_SECP384R1 };

static const struct dtls_psk client_key = {
  .identity = { (const uint8_t *) "puppet", 6 },
  .key = { (const uint8_t *) "0123456789abcdef", 16 },
  .role = DTLS_CLIENT,
};
static const struct dtls_psk server_key = {
  .identity = { (const uint8_t *) "puppet", 6 },
  .key = { (const uint8_t *) "0123456789abcdef", 16 },
  .role = DTLS_SERVER,
};
static const struct dtls_ticket_key ticket_key = { .name = "a puppet's", .secret = { 1 } };

static void
set_versions (struct pair *pair, unsigned setup, enum dtls_role engine)
{
  enum dtls_version only = setup & IS_13 ? DTLS_1_3 : DTLS_1_2;

  pair_set_versions (pair, only, only);
  for (unsigned i = 0; i < 2; i++)
    if ((setup & BOTH_ENDS_HAVE_BOTH) || ((setup & ENGINE_HAS_BOTH) && i == engine))
      {
        pair->sides[i].config.min_version = DTLS_1_2;
        pair->sides[i].config.max_version = DTLS_1_3;
      }
}

static void
set_groups (struct side *side, bool only_p256)
{
  side->config.groups = only_p256 ? p256 : small_groups;
  side->config.n_groups = only_p256 ? 1 : sizeof small_groups / sizeof small_groups[0];
}

static void
set_up_server (struct side *server, unsigned setup)
{
  if (setup & ASKS_CERTIFICATE)
    server->config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  set_groups (server, (setup & (RETRIES | ONLY_P256)) != 0);
  if (setup & HAS_KEY)
    {
      server->config.asks_for_psk = true;
      server->given_psk = &server_key;
    }
  if (setup & HAS_TICKET)
    {
      server->config.ticket_keys = &ticket_key;
      server->config.n_ticket_keys = 1;
      server->config.n_tickets = 1;
    }
}

static void
set_up_engine (struct side *engine, unsigned setup)
{
  static const uint16_t sha256 = SIG_ECDSA_SECP256R1_SHA256, pss = SIG_RSA_PSS_RSAE_SHA256;

  if (setup & (ONLY_SHA256 | ONLY_PSS_SHA256))
    {
      engine->config.signature_schemes = setup & ONLY_SHA256 ? &sha256 : &pss;
      engine->config.n_signature_schemes = 1;
    }
  engine->config.requires_extended_master_secret = (setup & NEEDS_EMS) != 0;
}

void
mischief_set_up (struct pair *pair, unsigned setup, enum dtls_role engine)
{
  pair_init (pair, pki_identity (setup & HAS_RSA ? "server-rsa" : "server-ecdsa"),
             setup & ASKS_CERTIFICATE ? pki_identity ("client-ecdsa") : NULL);
  set_versions (pair, setup, engine);
  set_up_server (&pair->sides[DTLS_SERVER], setup);
  set_groups (&pair->sides[DTLS_CLIENT], (setup & ONLY_P256) != 0);
  set_up_engine (&pair->sides[engine], setup);
  pair->has_cookies = (setup & HAS_COOKIES) != 0;

  if (setup & NAMES_SERVER)
    pair->sides[DTLS_CLIENT].config.server_name =
        (struct bytes){ (const uint8_t *) "server.example.com", 18 };
  if (setup & HAS_KEY)
    pair->sides[DTLS_CLIENT].config.psk = &client_key;

  for (unsigned i = 0; i < 2; i++)
    if (setup & NAMES_PROTOCOLS)
      pair->sides[i].config.alpn = (struct bytes){ (const uint8_t *) "\1a\1b", 4 };
}

static unsigned
became (const struct dtls_conn *conn)
{
  enum dtls_error error = conn != NULL ? dtls_conn_error (conn) : DTLS_ERROR_TIMED_OUT;

  if (error != DTLS_OK)
    return error == DTLS_ERROR_TIMED_OUT ? (unsigned) SILENCE : (unsigned) error;
  return dtls_conn_is_connected (conn) ? (unsigned) CONNECTS : (unsigned) SILENCE;
}

static struct outcome
outcome_of (const struct puppet *puppet, const struct side *engine)
{
  const struct dtls_conn *conn = engine->conn;
  struct outcome outcome = {
    .became = became (conn),
    .alert = puppet->alert,
    .is_deaf = puppet->stuck != DTLS_OK && puppet->opened.number == 0,
    .n_messages = engine->n_messages,
    .n_key_updates = puppet->n_key_updates,
    .has_played = puppet->has_played,
  };

  if (conn == NULL)
    return outcome;

  outcome.has_extended_master_secret = dtls_conn_has_extended_master_secret (conn);
  outcome.was_retried = dtls_conn_was_retried (conn);
  outcome.has_psk = dtls_conn_has_psk (conn);
  outcome.version = dtls_conn_version (conn);
  return outcome;
}

struct outcome
mischief_run (const struct mischief *mischief, enum dtls_role puppet_role)
{
  enum dtls_role engine = puppet_role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  struct outcome outcome;
  struct puppet puppet;
  struct pair pair;

  mischief_set_up (&pair, mischief->setup, engine);
  puppet_init (&puppet, &pair, puppet_role, mischief);
  pair_start (&pair);
  puppet_start (&puppet);
  /* Twice the handshake deadline. */
  pair_run (&pair, 120 * DTLS_SECOND);

  outcome = outcome_of (&puppet, &pair.sides[engine]);
  outcome.has_played |= mischief->play == NULL;
  if (outcome.became == CONNECTS && puppet.handshake->state != CONNECTED)
    pair.broken = "the engine is connected and its peer is not";

  puppet_clear (&puppet);
  outcome.broken = pair.broken;
  pair_clear (&pair);
  return outcome;
}
