/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which session may resume, what a resumed handshake takes from it, and what is kept of a new one. */

#include "handshake/resume12.h"

#include "handshake/authenticate.h"
#include "handshake/psk12.h"
#include "handshake/resumption.h"
#include "handshake/tickets.h"
#include "wire/post_handshake.h"

#include <stdlib.h>
#include <string.h>

enum
{
  /* A longer ticket would make a ClientHello that no stateless server gathers (conn/hello). It has room
   * for a chain of two or three certificates of a client. */
  MAX_TICKET_LEN = 3072,

  /* RFC 5246 §F.1.4: what is suggested where the server does not say. */
  DEFAULT_LIFETIME = 24 * 60 * 60,
};

/* ---------------------------------------------------------------------------------- to bytes */

/* The peer's chain as it goes into the session, to be released. */
static bool
copy_chain (const struct peer *peer, struct bytes *out)
{
  size_t len = session_chain_len (&peer->chain);
  uint8_t *at = malloc (len > 0 ? len : 1);
  struct writer w = writer_over (at, len);

  if (at == NULL)
    return false;

  session_chain_write (&w, &peer->chain);
  *out = (struct bytes){ at, len };
  return true;
}

/* What both sides keep of this handshake, in `session` besides what is there already. `*out` is to be
 * released; false if there is no memory, or it is too long to be kept. */
static bool
write_session (const struct handshake *h, struct session *session, struct bytes *out)
{
  struct bytes chain = { NULL, 0 };
  bool is_written = false;
  uint8_t *at;
  size_t len;

  if (!copy_chain (h->peer, &chain))
    return false;

  session->version = VERSION_DTLS_1_2;
  session->suite = h->suite->code;
  session->has_extended_master_secret = true;
  memcpy (session->secret, h->known->master_secret, MASTER_SECRET_LEN);
  session->secret_len = MASTER_SECRET_LEN;
  session->alpn = (struct bytes){ h->known->alpn, h->known->alpn_len };
  session->chain = chain;

  len = session_len (session);
  at = len <= DTLS_MAX_SESSION_LEN ? malloc (len) : NULL;
  if (at != NULL)
    {
      struct writer w = writer_over (at, len);

      session_write (&w, session);
      is_written = writer_ok (&w);
      *out = (struct bytes){ at, len };
      if (!is_written)
        bytes_release (out);
    }

  bytes_release (&chain);
  return is_written;
}

static void
release_session (struct handshake *h)
{
  wipe (&h->session, sizeof h->session);
  bytes_release (&h->session_bytes);
  h->has_session = false;
}

/* ---------------------------------------------------------------------------------- both sides */

/* Who the peer is, as the session knows. */
static enum dtls_error
take_peer (struct handshake *h)
{
  if (!suite_is_psk (h->suite))
    return session_chain_read (h->session.chain, &h->peer->chain) ? DTLS_OK : DTLS_ERROR_NO_MEMORY;

  psk12_begin (h);
  memcpy (h->psk_mark, h->session.bound_to, sizeof h->psk_mark);
  return bytes_keep (&h->peer->psk_identity, h->session.psk_identity) ? DTLS_OK
                                                                      : DTLS_ERROR_NO_MEMORY;
}

static enum dtls_error
take_end_point (struct handshake *h)
{
  const struct der_list *chain = &h->peer->chain;

  if (suite_is_psk (h->suite))
    return DTLS_OK;
  if (h->role == DTLS_SERVER)
    return authenticate_end_point (h, h->credential->chain[0]);

  return chain->n > 0 ? authenticate_end_point (h, chain->items[0]) : DTLS_OK;
}

enum dtls_error
resume12_begin (struct handshake *handshake)
{
  struct association *known = handshake->known;
  uint64_t made = handshake->session.made;

  memcpy (known->master_secret, handshake->session.secret, MASTER_SECRET_LEN);
  if (!schedule12_key_block (handshake->crypto, handshake->suite, known, &handshake->key_block))
    return DTLS_ERROR_CRYPTO;

  TRY (take_peer (handshake));
  TRY (take_end_point (handshake));

  known->is_resumed = true;
  handshake->owed &= ~(unsigned) (OWES_KEY_EXCHANGE_SIGNATURE | OWES_CERTIFICATE_VERIFY
                                  | OWES_CERTIFICATE | OWES_VERDICT);
  if (handshake->peer->chain.n > 0 && handshake->config->verifies_resumed)
    handshake->owed |= OWES_VERDICT;

  release_session (handshake);
  handshake->session.made = made;
  return DTLS_OK;
}

/* ---------------------------------------------------------------------------------- the server */

static bool
find_by_id (struct handshake *h, struct bytes id)
{
  struct dtls_buffer out = { NULL, DTLS_MAX_SESSION_LEN, 0 };
  bool is_found;

  if (h->config->session_find == NULL || id.left == 0)
    return false;
  out.at = malloc (out.capacity);
  if (out.at == NULL)
    return false;

  is_found = h->config->session_find (h->config->session_data, id, &out)
             && bytes_keep (&h->session_bytes, (struct bytes){ out.at, out.used });
  wipe_free (out.at, out.capacity);
  return is_found;
}

static bool
may_resume (const struct handshake *h)
{
  return resumption_may (h, VERSION_DTLS_1_2) && offer_has_suite (&h->ours, h->session.suite)
         && offer_has_suite (&h->theirs, h->session.suite);
}

enum dtls_error
resume12_find (struct handshake *handshake, struct bytes session_id, struct bytes ticket)
{
  /* RFC 5077 §3.4: with a ticket, the ID says nothing but what is to be echoed. */
  bool is_found =
      ticket.left > 0 ? resumption_open (handshake, ticket) : find_by_id (handshake, session_id);

  handshake->has_session = is_found && session_read (handshake->session_bytes, &handshake->session)
                           && may_resume (handshake);
  if (!handshake->has_session)
    {
      release_session (handshake);
      return DTLS_OK;
    }

  /* RFC 7627 §5.3: "If the original session used the "extended_master_secret" extension but the new
   * ClientHello does not contain it, the server MUST abort the abbreviated handshake." */
  if (!handshake->known->has_extended_master_secret)
    return DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED;

  if (session_id.left > 0)
    memcpy (handshake->session_id, session_id.at, session_id.left);
  handshake->session_id_len = (uint8_t) session_id.left;
  return DTLS_OK;
}

/* What a session with this suite is bound to: SHA-256 of our leaf, or what our key makes. */
static bool
make_bound (const struct handshake *h, const struct suite *suite, uint8_t out[32])
{
  if (suite_is_psk (suite))
    {
      memcpy (out, h->psk_mark, sizeof h->psk_mark);
      return true;
    }

  return resumption_hash_leaf (h, out);
}

bool
resume12_fits (const struct handshake *handshake)
{
  const struct session *session = &handshake->session;
  uint8_t bound[32];

  return make_bound (handshake, suite_find (session->suite), bound)
         && equal_constant_time (bound, session->bound_to, sizeof bound);
}

void
resume12_forget (struct handshake *handshake)
{
  release_session (handshake);
  handshake->session_id_len = 0;
}

bool
resume12_is_of_key (const struct handshake *handshake)
{
  return handshake->has_session && handshake->session.psk_identity.left > 0;
}

enum dtls_error
resume12_judge_key (struct handshake *handshake, struct effects *effects)
{
  struct handshake_psk *psk = &handshake->psk;
  struct bytes key = { psk->key, psk->key_len };
  bool is_same;

  if (handshake->n_psks_seen == 0)
    {
      if (!bytes_keep (&handshake->peer->psk_identity, handshake->session.psk_identity))
        return DTLS_ERROR_NO_MEMORY;
      handshake->n_psks_seen = 1;
      handshake_ask (handshake, effects, DTLS_WAIT_PSK);
      return DTLS_OK;
    }

  is_same = psk->kind == PSK_EXTERNAL && psk12_mark (handshake->crypto, key, handshake->psk_mark)
            && resume12_fits (handshake);
  wipe (psk, sizeof *psk);
  if (!is_same)
    {
      bytes_release (&handshake->peer->psk_identity);
      resume12_forget (handshake);
    }
  return DTLS_OK;
}

bool
resume12_promises_ticket (const struct handshake *handshake)
{
  return handshake->peer_takes_tickets && handshake->config->n_ticket_keys > 0
         && handshake->known->has_extended_master_secret;
}

enum dtls_error
resume12_choose_id (struct handshake *handshake)
{
  /* RFC 5077 §3.4: none beside a ticket that is to come. */
  if (handshake->config->session_store == NULL || resume12_promises_ticket (handshake)
      || !handshake->known->has_extended_master_secret)
    return DTLS_OK;

  handshake->session_id_len = MAX_SESSION_ID_LEN;
  return handshake_random (handshake, handshake->session_id, MAX_SESSION_ID_LEN)
             ? DTLS_OK
             : DTLS_ERROR_CRYPTO;
}

/* How long a session stays good from now on, in seconds. Renewing makes none live longer: a ticket of 1.2
 * holds the secret of all connections that go on from each other, and lies in the open. */
static uint32_t
lifetime (const struct handshake *h, uint64_t made)
{
  uint64_t age = (h->wall_clock - made) / DTLS_SECOND;
  uint64_t most = h->config->ticket_lifetime / DTLS_SECOND;

  return (uint32_t) (age < most ? most - age : 0);
}

/* The session as we want it back; none whose time is over. */
static bool
write_server_session (struct handshake *h, uint32_t *out_lifetime, struct bytes *out)
{
  uint64_t made = h->known->is_resumed ? h->session.made : h->wall_clock;
  struct session session = {
    .made = made,
    .received = h->wall_clock,
    .lifetime = lifetime (h, made),
    .client_auth = (uint8_t) h->config->client_auth,
    .server_name = { h->known->server_name, h->known->server_name_len },
    .psk_identity = h->peer->psk_identity,
  };
  bool is_written = session.lifetime > 0 && make_bound (h, h->suite, session.bound_to)
                    && write_session (h, &session, out);

  *out_lifetime = session.lifetime;
  wipe (&session, sizeof session);
  return is_written;
}

static void
seal_ticket (struct handshake *h, struct new_session_ticket_12 *out, uint8_t memory[MAX_TICKET_LEN])
{
  struct dtls_buffer buffer = { memory, MAX_TICKET_LEN, 0 };
  struct bytes session = { NULL, 0 };

  if (write_server_session (h, &out->lifetime_hint, &session)
      && ticket_seal (h->crypto, &h->config->ticket_keys[0], session, &buffer))
    out->ticket = (struct bytes){ memory, buffer.used };
  bytes_release (&session);
}

enum dtls_error
resume12_send_ticket (struct handshake *handshake, struct effects *effects)
{
  uint8_t memory[MAX_TICKET_LEN];
  /* RFC 5077 §3.3: a promise is kept with an empty ticket if there can be none. */
  struct new_session_ticket_12 ticket = { .lifetime_hint = 0 };

  seal_ticket (handshake, &ticket, memory);
  new_session_ticket_12_write (effects_draft (effects, 6 + ticket.ticket.left), &ticket);
  return handshake_send (handshake, effects, NEW_SESSION_TICKET);
}

void
resume12_store (struct handshake *handshake)
{
  struct bytes id = { handshake->session_id, handshake->session_id_len };
  struct bytes session = { NULL, 0 };
  uint32_t seconds;

  if (id.left == 0 || handshake->known->is_resumed)
    return;

  if (write_server_session (handshake, &seconds, &session))
    handshake->config->session_store (handshake->config->session_data, id, session);
  bytes_release (&session);
}

/* ---------------------------------------------------------------------------------- the client */

bool
resume12_is_accepted (const struct handshake *handshake, const struct server_hello *hello)
{
  struct bytes ours = { handshake->session_id, handshake->session_id_len };

  return handshake->has_session && handshake->session.version == VERSION_DTLS_1_2 && ours.left > 0
         && bytes_equal (hello->session_id, ours);
}

enum dtls_error
resume12_on_ticket (struct handshake *handshake, const struct message *message,
                    struct effects *effects)
{
  struct new_session_ticket_12 ticket;
  uint32_t seconds;

  (void) effects;
  if (!new_session_ticket_12_read (message->body, &ticket))
    return DTLS_ERROR_DECODE;

  /* RFC 5077 §3.3: it counts only when the server's Finished has verified, in resume12_keep. */
  if (ticket.ticket.left > 0)
    {
      if (!bytes_keep (&handshake->session_bytes, ticket.ticket))
        return DTLS_ERROR_NO_MEMORY;
      seconds = ticket.lifetime_hint > 0 ? ticket.lifetime_hint : DEFAULT_LIFETIME;
      handshake->session.lifetime = seconds < MAX_SESSION_LIFETIME ? seconds : MAX_SESSION_LIFETIME;
    }

  handshake->state = WAIT_CHANGE_CIPHER_SPEC;
  return DTLS_OK;
}

/* A ticket takes the place of an ID (RFC 5077 §3.4). */
static bool
write_client_session (struct handshake *h, struct bytes *out)
{
  struct session session = {
    .made = h->known->is_resumed ? h->session.made : h->wall_clock,
    .received = h->wall_clock,
    .lifetime = DEFAULT_LIFETIME,
    .server_name = h->config->server_name,
    .psk_identity = h->peer->psk_identity,
  };
  bool is_written;

  if (suite_is_psk (h->suite))
    memcpy (session.bound_to, h->psk_mark, sizeof h->psk_mark);
  if (h->session_bytes.left > 0)
    {
      session.ticket = h->session_bytes;
      session.lifetime = h->session.lifetime;
    }
  else
    {
      session.id = (struct bytes){ h->session_id, h->session_id_len };
    }

  is_written = write_session (h, &session, out);
  wipe (&session, sizeof session);
  return is_written;
}

void
resume12_keep (struct handshake *handshake, struct effects *effects)
{
  const struct association *known = handshake->known;
  bool has_id = !known->is_resumed && handshake->session_id_len > 0;
  struct bytes *session = &handshake->peer->session;
  bool is_kept = false;

  if (!handshake->config->keeps_sessions || !known->has_extended_master_secret)
    return;

  /* Without memory there is none, and the next handshake is a whole one. */
  if (handshake->session_bytes.left > 0 || has_id)
    {
      is_kept = write_client_session (handshake, session);
      if (is_kept)
        effects_event (effects, DTLS_EVENT_SESSION);
    }
  else if (known->is_resumed)
    {
      is_kept = bytes_keep (session, handshake->config->session);
    }

  if (!is_kept)
    bytes_release (session);
}
