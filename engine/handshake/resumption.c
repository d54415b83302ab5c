/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Under another name, protocol, policy or certificate a session would carry trust to where it was not
 * given. */

#include "handshake/resumption.h"

#include "handshake/tickets.h"

#include <stdlib.h>

bool
resumption_open (struct handshake *handshake, struct bytes ticket)
{
  const struct ticket_ring ring = { handshake->config->ticket_keys,
                                    handshake->config->n_ticket_keys };
  /* In proportion to what came. */
  struct dtls_buffer opened = { malloc (ticket.left), ticket.left, 0 };

  bytes_release (&handshake->session_bytes);
  if (opened.at == NULL)
    return false;

  if (ticket_open (handshake->crypto, &ring, ticket, &opened))
    handshake->session_bytes = (struct bytes){ opened.at, opened.used };
  else
    wipe_free (opened.at, opened.capacity);

  return handshake->session_bytes.at != NULL;
}

bool
resumption_may (const struct handshake *handshake, uint16_t version)
{
  const struct dtls_config *config = handshake->config;
  const struct session *session = &handshake->session;
  const struct association *known = handshake->known;
  struct bytes server_name = { known->server_name, known->server_name_len };
  struct bytes alpn = { known->alpn, known->alpn_len };

  if (session->version != version || !session_is_fresh (session, handshake->wall_clock)
      || session->client_auth != config->client_auth
      || !bytes_equal (session->server_name, server_name) || !bytes_equal (session->alpn, alpn))
    return false;

  if (session->psk_identity.left > 0)
    return config->asks_for_psk;
  return !config->requires_psk
         && (config->client_auth != DTLS_CLIENT_AUTH_REQUIRED || session->chain.left > 0);
}

bool
resumption_hash_leaf (const struct handshake *handshake, uint8_t out[32])
{
  return handshake->credential != NULL && handshake->credential->n_chain > 0
         && hash_once (handshake->crypto, HASH_SHA256, handshake->credential->chain[0], out);
}
