/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which sessions resume, and what is put into a ticket so that it can be told. */

#include "handshake/tickets13.h"

#include "handshake/authenticate.h"
#include "handshake/resumption.h"
#include "handshake/tickets.h"
#include "wire/post_handshake.h"

#include <string.h>

enum
{
  /* A ticket goes into every hello that uses it. Who sends a longer chain gets none. */
  MAX_TICKET_CHAIN_LEN = 2048,
  /* With it, two names of 255 bytes at most, the secret, and some 80 bytes of the rest. */
  MAX_TICKET_SESSION_LEN = MAX_TICKET_CHAIN_LEN + 2 * 255 + MAX_SECRET_LEN + 128,

  NEW_TICKET_HEAD_LEN = 4 + 4 + 1 + 1 + 2 + 2, /* RFC 9846 §4.7.1: all but the ticket itself */
};

#define MAX_TICKET_AGE (MAX_SESSION_LIFETIME * DTLS_SECOND)

/* ------------------------------------------------------------------------------------ from a client */

static bool
is_of_our_leaf (struct handshake *h)
{
  uint8_t leaf[32];

  return resumption_hash_leaf (h, leaf)
         && equal_constant_time (leaf, h->session.bound_to, sizeof leaf);
}

static void
use_session (struct handshake *h)
{
  h->psk.kind = PSK_RESUMPTION;
  h->psk.hash = suite_find (h->session.suite)->hash;
  memcpy (h->psk.key, h->session.secret, h->session.secret_len);
  h->psk.key_len = h->session.secret_len;
}

/* Whether it was made with the certificate that we have now: the client will not see another. May stop to
 * ask for it. */
static enum dtls_error
compare_leaf (struct handshake *h, struct effects *effects, bool *out_is_same)
{
  TRY (handshake_need_credential (h, effects));
  *out_is_same = h->wait == DTLS_WAIT_NONE && is_of_our_leaf (h);
  return DTLS_OK;
}

enum dtls_error
tickets13_open (struct handshake *handshake, struct bytes identity, struct effects *effects,
                bool *out_is_ticket)
{
  bool is_same;

  *out_is_ticket = resumption_open (handshake, identity);
  if (!*out_is_ticket || !session_read (handshake->session_bytes, &handshake->session)
      || !resumption_may (handshake, VERSION_DTLS_1_3))
    return DTLS_OK;

  TRY (compare_leaf (handshake, effects, &is_same));
  if (is_same)
    use_session (handshake);
  return DTLS_OK;
}

enum dtls_error
tickets13_resume (struct handshake *handshake)
{
  const struct session *session = &handshake->session;
  struct peer *peer = handshake->peer;

  if (!session_chain_read (session->chain, &peer->chain))
    return DTLS_ERROR_NO_MEMORY;

  handshake->has_session = true;
  handshake->known->is_resumed = true;
  handshake->owed &= ~(unsigned) (OWES_CERTIFICATE | OWES_CERTIFICATE_VERIFY | OWES_VERDICT);
  if (peer->chain.n > 0 && handshake->config->verifies_resumed)
    handshake->owed |= OWES_VERDICT;

  return authenticate_end_point (handshake, handshake->credential->chain[0]);
}

/* -------------------------------------------------------------------------------------- to a client */

/* In seconds from now on. RFC 9846 §4.7.1: renewing makes no session older than a ticket may be. */
static uint32_t
lifetime_of (const struct handshake *h, uint64_t made)
{
  dtls_duration age = h->wall_clock - made;
  dtls_duration left = age < MAX_TICKET_AGE ? MAX_TICKET_AGE - age : 0;
  dtls_duration configured = h->config->ticket_lifetime;

  return (uint32_t) ((configured < left ? configured : left) / DTLS_SECOND);
}

/* What every ticket of this handshake says; the chain as bytes goes to `chain`. False if there is to be
 * none. */
static bool
describe (struct handshake *h, struct writer *chain, struct session *out)
{
  *out = (struct session){
    .version = VERSION_DTLS_1_3,
    .suite = h->suite->code,
    .made = h->has_session ? h->session.made : h->wall_clock,
    .received = h->wall_clock,
    .secret_len = (uint8_t) hash_len (h->suite->hash),
    .client_auth = (uint8_t) h->config->client_auth,
    .server_name = { h->known->server_name, h->known->server_name_len },
    .alpn = { h->known->alpn, h->known->alpn_len },
  };
  out->lifetime = lifetime_of (h, out->made);

  session_chain_write (chain, &h->peer->chain);
  out->chain = writer_bytes (chain);
  return out->lifetime > 0 && writer_ok (chain) && resumption_hash_leaf (h, out->bound_to);
}

static bool
seal_session (struct handshake *h, const struct session *session, struct dtls_buffer *out)
{
  uint8_t plain[MAX_TICKET_SESSION_LEN];
  struct writer w = writer_over (plain, sizeof plain);
  bool is_sealed;

  session_write (&w, session);
  is_sealed =
      writer_ok (&w) && ticket_seal (h->crypto, &h->config->ticket_keys[0], writer_bytes (&w), out);
  wipe (plain, sizeof plain);
  return is_sealed;
}

/* RFC 9846 §4.7.1: each has a nonce of its own on this connection, and so a key of its own. */
static enum dtls_error
send_ticket (struct handshake *h, struct session *session, struct effects *effects)
{
  const uint8_t nonce = (uint8_t) h->next_send_seq;
  uint8_t sealed[MAX_TICKET_SESSION_LEN + TICKET_OVERHEAD];
  struct dtls_buffer ticket = { sealed, sizeof sealed, 0 };
  struct new_session_ticket_13 message = { .lifetime = session->lifetime, .nonce = { &nonce, 1 } };

  if (!handshake_random (h, (uint8_t *) &session->age_add, sizeof session->age_add)
      || !schedule13_ticket_psk (h->crypto, h->suite->hash, h->known, message.nonce,
                                 session->secret)
      || !seal_session (h, session, &ticket))
    return DTLS_ERROR_CRYPTO;

  message.age_add = session->age_add;
  message.ticket = (struct bytes){ ticket.at, ticket.used };
  new_session_ticket_13_write (effects_draft (effects, NEW_TICKET_HEAD_LEN + ticket.used),
                               &message);
  return handshake_send (h, effects, NEW_SESSION_TICKET);
}

enum dtls_error
tickets13_send (struct handshake *handshake, struct effects *effects)
{
  const struct dtls_config *config = handshake->config;
  uint8_t memory[MAX_TICKET_CHAIN_LEN];
  struct writer chain = writer_over (memory, sizeof memory);
  enum dtls_error error = DTLS_OK;
  struct session session;

  /* RFC 9846 §4.3.9: of no use without the mode. */
  if (config->n_ticket_keys == 0 || config->n_tickets == 0 || !handshake->peer_takes_tickets
      || handshake->known->has_psk || !describe (handshake, &chain, &session))
    return DTLS_OK;

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  for (unsigned i = 0; i < config->n_tickets && error == DTLS_OK; i++)
    error = send_ticket (handshake, &session, effects);
  wipe (&session, sizeof session);
  effects_add (effects, EFFECT_END_ACKED_FLIGHT);
  return error;
}
