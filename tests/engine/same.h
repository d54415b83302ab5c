/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What two connected engines must agree on. */

#pragma once

#include "pair.h"
#include "tap.h"

static inline void
check_same_export (const struct pair *pair, const struct bytes *context)
{
  uint8_t keys[2][64];
  struct bytes label = TAP_STRING ("EXPORTER-moat-test");

  for (unsigned i = 0; i < 2; i++)
    CHECK_UINT (dtls_conn_export (pair->sides[i].conn, label, context, keys[i], sizeof keys[i]),
                DTLS_OK);
  CHECK_BYTES (TAP_BYTES (keys[0]), TAP_BYTES (keys[1]));
}

static inline void
check_same_bindings (const struct pair *pair)
{
  uint8_t unique[2][12] = { { 0 } }, end_point[2][64] = { { 0 } };
  size_t end_point_len[2];

  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_UINT (dtls_conn_tls_unique (pair->sides[i].conn, unique[i]), 12);
      end_point_len[i] = dtls_conn_server_end_point (pair->sides[i].conn, end_point[i]);
    }
  CHECK_BYTES (TAP_BYTES (unique[0]), TAP_BYTES (unique[1]));
  CHECK_BYTES (((struct bytes){ end_point[0], end_point_len[0] }),
               ((struct bytes){ end_point[1], end_point_len[1] }));
}

/* Both sides are connected, hold the same keys and say the same of what was agreed. */
static inline bool
check_same (const struct pair *pair)
{
  const struct dtls_conn *client = pair->sides[DTLS_CLIENT].conn;
  const struct dtls_conn *server = pair->sides[DTLS_SERVER].conn;
  struct bytes empty = { NULL, 0 };

  if (!CHECK (pair_is_connected (pair)))
    return false;

  CHECK_UINT (dtls_conn_version (client), DTLS_1_2);
  CHECK_UINT (dtls_conn_version (server), DTLS_1_2);
  CHECK_UINT (dtls_conn_suite (client), dtls_conn_suite (server));
  CHECK_UINT (dtls_conn_group (client), dtls_conn_group (server));
  CHECK_UINT (dtls_conn_has_extended_master_secret (client),
              dtls_conn_has_extended_master_secret (server));
  CHECK_BYTES (dtls_conn_alpn (client), dtls_conn_alpn (server));
  CHECK_TEXT (pair->sides[DTLS_CLIENT].keylog, pair->sides[DTLS_SERVER].keylog);
  check_same_export (pair, NULL);
  check_same_export (pair, &empty);
  check_same_bindings (pair);
  return true;
}

/* Why it did not connect, for the log. */
static inline void
tell_errors (const struct pair *pair)
{
  for (unsigned i = 0; i < 2; i++)
    if (pair->sides[i].conn != NULL)
      printf ("#   %s: %s; its peer's alert: %d\n", i == DTLS_CLIENT ? "client" : "server",
              dtls_error_text (dtls_conn_error (pair->sides[i].conn)),
              dtls_conn_peer_alert (pair->sides[i].conn));
}
