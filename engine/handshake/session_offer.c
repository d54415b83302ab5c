/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Whether a session may still be offered, and by what name. */

#include "handshake/session_offer.h"

#include "handshake/psk12.h"
#include "wire/extensions.h"

#include <string.h>

/* Whether the name that a session was made with, if any, is still one of ours. */
static bool
has_protocol (struct bytes ours, struct bytes name)
{
  struct bytes other;

  while (alpn_next (&ours, &other))
    if (bytes_equal (name, other))
      return true;

  return name.left == 0;
}

/* Whether what vouched for the server then would do now: its certificate, unless a key is required; or
 * the very key that we have. */
static bool
is_vouched_for (const struct handshake *h, const struct session *session)
{
  const struct dtls_psk *psk = h->config->psk;
  uint8_t mark[32];

  if (session->psk_identity.left == 0)
    return session->chain.left > 0 && !h->config->requires_psk;

  return psk != NULL && bytes_equal (psk->identity, session->psk_identity)
         && psk12_mark (h->crypto, psk->key, mark)
         && equal_constant_time (mark, session->bound_to, sizeof mark);
}

/* RFC 9846 §4.7.1: a session resumes under the same server name only. */
static bool
may_offer (const struct handshake *h, const struct session *session)
{
  const struct dtls_config *config = h->config;

  if (!offer_has_suite (&h->ours, session->suite) || !session_is_fresh (session, h->wall_clock))
    return false;
  if (session->ticket.left == 0 && (session->version == VERSION_DTLS_1_3 || session->id.left == 0))
    return false;
  return is_vouched_for (h, session) && bytes_equal (session->server_name, config->server_name)
         && has_protocol (config->alpn, session->alpn);
}

/* RFC 5077 §3.4: a session ID of our own makes the server say, by its echo, that it took the ticket.
 */
static enum dtls_error
choose_session_id (struct handshake *h)
{
  struct bytes id = h->session.id;

  if (h->session.version != VERSION_DTLS_1_2)
    return DTLS_OK;

  if (h->session.ticket.left == 0)
    {
      memcpy (h->session_id, id.at, id.left);
      h->session_id_len = (uint8_t) id.left;
      return DTLS_OK;
    }

  h->session_id_len = MAX_SESSION_ID_LEN;
  return handshake_random (h, h->session_id, MAX_SESSION_ID_LEN) ? DTLS_OK : DTLS_ERROR_CRYPTO;
}

/* A session that is not ours, or no longer good, is none: it may come from a file. */
enum dtls_error
session_offer_choose (struct handshake *handshake)
{
  struct bytes bytes = handshake->config->session;

  if (bytes.left == 0 || !session_read (bytes, &handshake->session))
    return DTLS_OK;

  handshake->has_session = may_offer (handshake, &handshake->session);
  return handshake->has_session ? choose_session_id (handshake) : DTLS_OK;
}

struct bytes
session_offer_ticket_12 (const struct handshake *handshake)
{
  bool is_of_12 = handshake->has_session && handshake->session.version == VERSION_DTLS_1_2;

  return is_of_12 ? handshake->session.ticket : (struct bytes){ NULL, 0 };
}
