/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A conversation of DTLS 1.2 between an engine and a puppet as mischief_run has them, but with a pair that
 * the test has set up, and with what the puppet came to know. */

#pragma once

#include <stdlib.h>

#include "handshake/rows.h"

struct talk12
{
  struct pair *pair;
  struct puppet puppet;
  const struct dtls_psk *psk; /* (nullable) what a puppet of a server has */
};

/* Another puppet instead of one that there was. */
static inline void
talk12_run (struct talk12 *talk, enum dtls_role puppet_role, const struct mischief *row)
{
  struct handshake_psk *psk;

  puppet_init (&talk->puppet, talk->pair, puppet_role, row);
  if (talk->psk != NULL)
    {
      psk = &talk->puppet.handshake->psk;
      psk->kind = PSK_EXTERNAL;
      memcpy (psk->key, talk->psk->key.at, talk->psk->key.left);
      psk->key_len = talk->psk->key.left;
    }

  talk->puppet.handshake->wall_clock = talk->pair->now;
  pair_start (talk->pair);
  puppet_start (&talk->puppet);
  pair_run (talk->pair, 120 * DTLS_SECOND); /* twice the handshake deadline */
}

/* What became of the engine is what the row says, and the puppet heard the alert for it. */
static inline void
talk12_check (struct talk12 *talk, const struct mischief *row)
{
  enum dtls_role engine = talk->puppet.role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  const struct dtls_conn *conn = talk->pair->sides[engine].conn;
  unsigned error = dtls_conn_error (conn);
  bool is_deaf = talk->puppet.stuck != DTLS_OK && talk->puppet.opened.number == 0;
  bool tells = row->expected != CONNECTS && row->expected != SILENCE;

  tap_set_row (row->name);
  CHECK (talk->puppet.has_played || row->play == NULL);
  CHECK_UINT (error == DTLS_ERROR_TIMED_OUT ? (unsigned) SILENCE : error, row->expected);
  CHECK_UINT (dtls_conn_is_connected (conn), row->expected == CONNECTS);
  if (row->expected == CONNECTS)
    CHECK_UINT (talk->puppet.handshake->state, CONNECTED);
  if (!is_deaf)
    CHECK_UINT ((unsigned) talk->puppet.alert,
                tells ? (unsigned) dtls_error_alert ((enum dtls_error) row->expected) : UINT32_MAX);
  CHECK_UINT (talk->pair->sides[engine].n_messages, 0);
  CHECK_TEXT (talk->pair->broken, NULL);
  tap_set_row (NULL);
}

static inline void
talk12_end (struct talk12 *talk)
{
  bytes_release (&talk->puppet.peer.psk_identity);
  bytes_release (&talk->puppet.peer.session);
  puppet_clear (&talk->puppet);
  pair_clear (talk->pair);
}
