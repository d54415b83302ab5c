/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Pairs of 1.3 in every shape that a handshake has, and what must hold of them afterwards. Ed25519 and fixed
 * groups throughout: their messages have the same length in every run. */

#pragma once

#include "conn/conn.h"
#include "pair.h"
#include "tap.h"
#include "wire/codepoints.h"

#include <stdlib.h>

enum
{
  SMALL_MTU = 256,
  N_TICKETS = 2,
};

/* clang-format off */
enum shape
{
  SHAPE_PLAIN       = 0,
  SHAPE_CLIENT_AUTH = 1 << 0,
  SHAPE_RETRY       = 1 << 1, /* the server wants another group */
  SHAPE_COOKIE      = 1 << 2,
  SHAPE_RESUMED     = 1 << 3, /* after another handshake, whose ticket it is */
  SHAPE_SMALL       = 1 << 4, /* small datagrams */
};

struct shape_row
{
  const char *name;
  unsigned shape;
};

static const struct shape_row shapes[] = {
  { "plain",                       SHAPE_PLAIN },
  { "client authentication",       SHAPE_CLIENT_AUTH },
  { "retry",                       SHAPE_RETRY },
  { "cookie",                      SHAPE_COOKIE },
  { "retry, client authentication", SHAPE_RETRY | SHAPE_CLIENT_AUTH },
  { "cookie, client authentication", SHAPE_COOKIE | SHAPE_CLIENT_AUTH },
  { "resumed",                     SHAPE_RESUMED },
  { "resumed, retry",              SHAPE_RESUMED | SHAPE_RETRY },
  { "resumed, cookie",             SHAPE_RESUMED | SHAPE_COOKIE },
  { "plain, small",                SHAPE_SMALL },
  { "client authentication, small", SHAPE_SMALL | SHAPE_CLIENT_AUTH },
  { "retry, small",                SHAPE_SMALL | SHAPE_RETRY },
  { "cookie, small",               SHAPE_SMALL | SHAPE_COOKIE },
  { "resumed, small",              SHAPE_SMALL | SHAPE_RESUMED },
};
/* clang-format on */

static const uint16_t setup_group[] = { GROUP_SECP256R1 };
static const struct dtls_ticket_key setup_ticket_key = { .name = "a test's", .secret = { 1 } };

/* Without what the shape needs of an earlier handshake. */
static inline void
setup_fresh (struct pair *pair, unsigned shape)
{
  bool has_client = (shape & SHAPE_CLIENT_AUTH) != 0;
  struct side *server = &pair->sides[DTLS_SERVER];

  pair_init (pair, pki_identity ("server-ed25519"),
             has_client ? pki_identity ("client-ed25519") : NULL);
  pair_set_versions (pair, DTLS_1_3, DTLS_1_3);
  pair->has_cookies = (shape & SHAPE_COOKIE) != 0;
  if (has_client)
    server->config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  if (shape & SHAPE_RETRY)
    {
      server->config.groups = setup_group;
      server->config.n_groups = 1;
    }
  server->config.ticket_keys = &setup_ticket_key;
  server->config.n_ticket_keys = 1;
  for (unsigned i = 0; i < 2; i++)
    {
      if (shape & SHAPE_SMALL)
        pair->sides[i].config.mtu = SMALL_MTU;
      pair->sides[i].config.handshake_deadline = DTLS_NEVER;
    }
}

/* A session of an undisturbed handshake, made once. */
static inline struct bytes
setup_session (void)
{
  static uint8_t session[4096];
  static size_t len;
  struct pair pair;

  if (len > 0)
    return (struct bytes){ session, len };

  setup_fresh (&pair, SHAPE_PLAIN);
  CHECK (pair_handshake (&pair));
  pair_run (&pair, DTLS_SECOND);
  len = pair.sides[DTLS_CLIENT].session_len;
  if (!CHECK (len > 0 && len <= sizeof session))
    abort ();
  memcpy (session, pair.sides[DTLS_CLIENT].session, len);
  PAIR_END (&pair);
  return (struct bytes){ session, len };
}

static inline void
setup (struct pair *pair, unsigned shape)
{
  setup_fresh (pair, shape);
  if ((shape & SHAPE_RESUMED) == 0)
    return;

  pair->sides[DTLS_CLIENT].config.session = setup_session ();
  pair->now += 10 * DTLS_SECOND;
}

/* Connected, tickets and all, with nothing under way. */
static inline void
setup_connected (struct pair *pair, unsigned shape)
{
  setup (pair, shape);
  CHECK (pair_handshake (pair));
  pair_run (pair, DTLS_SECOND);
}

static inline void
update_keys (struct pair *pair, enum dtls_role role, enum dtls_key_update update)
{
  CHECK_UINT (dtls_conn_update_keys (pair->sides[role].conn, pair->now, update), DTLS_OK);
  pair_drain (pair, role);
}

/* ---------------------------------------------------------------------------------- what must hold */

static inline void
tell_sides (const struct pair *pair)
{
  for (unsigned i = 0; i < 2; i++)
    if (pair->sides[i].conn != NULL)
      printf ("#   %s: %s; its peer's alert: %d; %u datagrams; epochs %u and %u\n",
              i == DTLS_CLIENT ? "client" : "server",
              dtls_error_text (dtls_conn_error (pair->sides[i].conn)),
              dtls_conn_peer_alert (pair->sides[i].conn), pair->links[i].n_datagrams,
              pair->sides[i].conn->write.epoch.number, pair->sides[i].conn->read.epoch.number);
}

static inline bool
check_same_13 (const struct pair *pair)
{
  struct bytes label = TAP_STRING ("EXPORTER-moat-test");
  uint8_t keys[2][32];

  if (!CHECK (pair_is_connected (pair)))
    {
      tell_sides (pair);
      return false;
    }

  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_UINT (dtls_conn_version (pair->sides[i].conn), DTLS_1_3);
      CHECK_UINT (dtls_conn_export (pair->sides[i].conn, label, NULL, keys[i], sizeof keys[i]),
                  DTLS_OK);
    }
  CHECK_UINT (dtls_conn_suite (pair->sides[0].conn), dtls_conn_suite (pair->sides[1].conn));
  return CHECK_BYTES (TAP_BYTES (keys[0]), TAP_BYTES (keys[1]));
}

/* No deadline but the end of the previous epoch. */
static inline bool
is_quiet (const struct dtls_conn *conn)
{
  for (enum timer timer = 0; timer < N_TIMERS; timer++)
    if (timer != TIMER_EPOCH && conn->timers.due[timer] != DTLS_NEVER)
      return false;

  return true;
}

static inline bool
is_pair_quiet (const struct pair *pair)
{
  return is_quiet (pair->sides[DTLS_CLIENT].conn) && is_quiet (pair->sides[DTLS_SERVER].conn);
}

/* Runs until nothing is left to be done, within `bound`. */
static inline bool
comes_to_rest (struct pair *pair, dtls_duration bound)
{
  dtls_time limit = pair->now + bound;

  /* What is still on its way may call for another ACK. */
  while ((!is_pair_quiet (pair) || pair->flying != NULL) && pair_step (pair, limit))
    ;
  return is_pair_quiet (pair) && pair->flying == NULL;
}

/* Both sides have all of each other's messages, hold nothing of the handshake, and stay silent for ever. */
static inline void
check_at_rest (struct pair *pair, dtls_duration bound)
{
  const struct dtls_conn *client = pair->sides[DTLS_CLIENT].conn;
  const struct dtls_conn *server = pair->sides[DTLS_SERVER].conn;
  unsigned n[2];

  if (!CHECK (comes_to_rest (pair, bound)))
    {
      tell_sides (pair);
      return;
    }

  CHECK (client->handshake == NULL && server->handshake == NULL);
  CHECK_UINT (client->next_message_seq, server->next_send_seq);
  CHECK_UINT (server->next_message_seq, client->next_send_seq);
  for (unsigned i = 0; i < 2; i++)
    n[i] = pair->links[i].n_datagrams;
  pair_run (pair, 1000 * DTLS_SECOND);
  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_UINT (pair->links[i].n_datagrams, n[i]);
      CHECK (dtls_conn_deadline (pair->sides[i].conn) == DTLS_NEVER);
    }
}
