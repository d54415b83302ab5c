/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Messages after the handshake of 1.3 (RFC 9846 §4.7, RFC 9147 §8). A KeyUpdate ends its epoch: the
 * peer's next message comes with the next keys, and ours is sent with them once ours is
 * acknowledged. */

#include "handshake/post13.h"

#include "wire/extensions.h"
#include "wire/post_handshake.h"

#include <stdlib.h>

enum
{
  MAX_EPOCH = UINT16_MAX, /* RFC 9147 §8 allows receivers to stop here */
};

static uint8_t *
traffic_secret_of (struct handshake *h, enum dtls_role sender)
{
  return sender == DTLS_CLIENT ? h->known->client_traffic : h->known->server_traffic;
}

static enum dtls_role
peer_role (const struct handshake *h)
{
  return h->role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
}

/* ----------------------------------------------------------------------------------- KeyUpdate */

static enum dtls_error
on_key_update (struct handshake *h, const struct message *message, struct effects *effects)
{
  enum key_update_request request = UPDATE_NOT_REQUESTED;

  switch (key_update_read (message->body, &request))
    {
    case READ_MALFORMED:
      return DTLS_ERROR_DECODE;
    case READ_ILLEGAL:
      return DTLS_ERROR_ILLEGAL_PARAMETER;
    case READ_OK:
      break;
    }

  if (h->known->read_epoch == MAX_EPOCH)
    return DTLS_ERROR_KEY_UPDATE_LIMIT;
  if (!schedule13_update (h->crypto, h->suite->hash, traffic_secret_of (h, peer_role (h))))
    return DTLS_ERROR_CRYPTO;

  effects_keys (effects, EFFECT_READ_KEYS, (uint16_t) (h->known->read_epoch + 1));
  if (request == UPDATE_REQUESTED)
    effects_add (effects, EFFECT_UPDATE_KEYS);
  return DTLS_OK;
}

enum dtls_error
post13_send_key_update (struct handshake *handshake, enum key_update_request request,
                        struct effects *effects)
{
  if (handshake->known->write_epoch == MAX_EPOCH)
    return DTLS_ERROR_KEY_UPDATE_LIMIT;

  effects_add (effects, EFFECT_BEGIN_FLIGHT);
  key_update_write (effects_draft (effects, 1), request);
  TRY (handshake_send (handshake, effects, KEY_UPDATE));
  effects_add (effects, EFFECT_END_ACKED_FLIGHT);
  return DTLS_OK;
}

enum dtls_error
post13_on_key_update_acknowledged (struct handshake *handshake, struct effects *effects)
{
  if (!schedule13_update (handshake->crypto, handshake->suite->hash,
                          traffic_secret_of (handshake, handshake->role)))
    return DTLS_ERROR_CRYPTO;

  effects_keys (effects, EFFECT_WRITE_KEYS, (uint16_t) (handshake->known->write_epoch + 1));
  return DTLS_OK;
}

/* ---------------------------------------------------------------------------- NewSessionTicket */

static enum dtls_error
check_extensions (struct bytes block)
{
  struct extensions found;

  switch (extensions_read (block, IN_NEW_SESSION_TICKET_13, &found))
    {
    case EXTENSIONS_MALFORMED:
    case EXTENSIONS_DUPLICATE:
      return DTLS_ERROR_DECODE;
    case EXTENSIONS_MISPLACED:
      return DTLS_ERROR_ILLEGAL_PARAMETER;
    case EXTENSIONS_OK:
      break;
    }

  return DTLS_OK;
}

/* The newest session takes the place of the one before. */
static enum dtls_error
keep_session (struct handshake *h, const struct session *session)
{
  struct bytes *kept = &h->peer->session;
  size_t len = session_len (session);
  uint8_t *at = malloc (len);
  struct writer w = writer_over (at, at != NULL ? len : 0);

  if (at == NULL)
    return DTLS_ERROR_NO_MEMORY;

  session_write (&w, session);
  bytes_release (kept);
  *kept = (struct bytes){ at, writer_ok (&w) ? w.used : 0 };
  return DTLS_OK;
}

static enum dtls_error
keep_ticket (struct handshake *h, const struct new_session_ticket_13 *ticket)
{
  const struct association *known = h->known;
  size_t chain_len = session_chain_len (&h->peer->chain);
  uint8_t *chain = malloc (chain_len > 0 ? chain_len : 1);
  struct writer w = writer_over (chain, chain != NULL ? chain_len : 0);
  enum dtls_error error = DTLS_ERROR_CRYPTO;
  struct session session = {
    .version = known->version,
    .suite = known->suite,
    .made = known->session_made,
    .received = h->wall_clock,
    .lifetime = ticket->lifetime < MAX_SESSION_LIFETIME ? ticket->lifetime : MAX_SESSION_LIFETIME,
    .age_add = ticket->age_add,
    .secret_len = (uint8_t) hash_len (h->suite->hash),
    .server_name = h->config->server_name,
    .alpn = { known->alpn, known->alpn_len },
    .ticket = ticket->ticket,
  };

  if (chain == NULL)
    return DTLS_ERROR_NO_MEMORY;

  session_chain_write (&w, &h->peer->chain);
  session.chain = writer_bytes (&w);
  /* One too long to be kept is no reason to end the connection. */
  if (session_len (&session) > DTLS_MAX_SESSION_LEN)
    error = DTLS_OK;
  else if (schedule13_ticket_psk (h->crypto, h->suite->hash, known, ticket->nonce, session.secret))
    error = keep_session (h, &session);

  wipe (&session, sizeof session);
  free (chain);
  return error;
}

static enum dtls_error
on_new_session_ticket (struct handshake *h, const struct message *message, struct effects *effects)
{
  struct new_session_ticket_13 ticket;

  if (!new_session_ticket_13_read (message->body, &ticket))
    return DTLS_ERROR_DECODE;
  TRY (check_extensions (ticket.extensions));

  /* RFC 9846 §4.7.1: a lifetime of zero is to be discarded. */
  if (!h->config->keeps_sessions || h->known->has_psk || ticket.lifetime == 0)
    return DTLS_OK;

  TRY (keep_ticket (h, &ticket));
  effects_event (effects, DTLS_EVENT_SESSION);
  return DTLS_OK;
}

/* clang-format off */
static const struct row client_rows[] = {
  /* waiting for gets                does                   may go to */
  { CONNECTED,   NEW_SESSION_TICKET, on_new_session_ticket, TO (CONNECTED) },
  { CONNECTED,   KEY_UPDATE,         on_key_update,         TO (CONNECTED) },
};

static const struct row server_rows[] = {
  /* waiting for gets                does                   may go to */
  { CONNECTED,   KEY_UPDATE,         on_key_update,         TO (CONNECTED) },
};
/* clang-format on */

const struct table post13_client_table = { client_rows,
                                           sizeof client_rows / sizeof client_rows[0] };
const struct table post13_server_table = { server_rows,
                                           sizeof server_rows / sizeof server_rows[0] };
