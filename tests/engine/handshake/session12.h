/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Servers that keep sessions of DTLS 1.2, and a client's session beyond the life of its connection. */

#pragma once

#include "handshake/talk12.h"

enum
{
  MAX_KEPT = 8192,
};

static const struct dtls_ticket_key ticket_keys[] = { { { 1 }, { 2 } }, { { 3 }, { 4 } } };

/* A client's session, beyond the life of its connection. */
struct kept
{
  uint8_t at[MAX_KEPT];
  size_t len;
};

static inline void
set_up (struct pair *pair)
{
  pair_init (pair, pki_identity ("server-ecdsa"), NULL);
  pair->sides[DTLS_SERVER].config.ticket_keys = ticket_keys;
  pair->sides[DTLS_SERVER].config.n_ticket_keys = 1;
}

static inline void
keep (const struct pair *pair, struct kept *kept)
{
  struct bytes session = dtls_conn_session (pair->sides[DTLS_CLIENT].conn);

  kept->len = 0;
  if (!CHECK (session.left > 0 && session.left <= sizeof kept->at))
    return;

  memcpy (kept->at, session.at, session.left);
  kept->len = session.left;
}

/* In another handshake, a minute later: a session of the future is none. */
static inline void
offer (struct pair *pair, const struct kept *kept)
{
  pair->now += 60 * DTLS_SECOND;
  pair->sides[DTLS_CLIENT].config.session = (struct bytes){ kept->at, kept->len };
}

/* A first handshake as `set_up` has it. */
static inline void
make_session (struct kept *kept)
{
  struct pair pair;

  set_up (&pair);
  if (CHECK (pair_handshake (&pair)))
    keep (&pair, kept);
  PAIR_END (&pair);
}

/* A server without tickets. */
static inline void
store (void *data, struct bytes id, struct bytes session)
{
  dtls_session_cache_store (data, id, session);
}

static inline bool
find (void *data, struct bytes id, struct dtls_buffer *out)
{
  struct bytes session = dtls_session_cache_find (data, id);

  if (session.left == 0 || session.left > out->capacity - out->used)
    return false;
  memcpy (out->at + out->used, session.at, session.left);
  out->used += session.left;
  return true;
}

static inline void
set_up_cache (struct pair *pair, struct dtls_session_cache *cache)
{
  struct dtls_config *config = &pair->sides[DTLS_SERVER].config;

  pair_init (pair, pki_identity ("server-ecdsa"), NULL);
  config->session_store = store;
  config->session_find = find;
  config->session_data = cache;
}
