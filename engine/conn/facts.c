/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is known of a connection and its peer. */

#include "conn/conn.h"

bool
dtls_conn_is_connected (const struct dtls_conn *conn)
{
  return conn->is_connected;
}

bool
dtls_conn_is_handshaking (const struct dtls_conn *conn)
{
  return !conn->is_connected && conn->error == DTLS_OK;
}

bool
dtls_conn_has_heard_peer (const struct dtls_conn *conn)
{
  return conn->has_heard_peer;
}

enum dtls_error
dtls_conn_error (const struct dtls_conn *conn)
{
  return conn->error;
}

int
dtls_conn_peer_alert (const struct dtls_conn *conn)
{
  return conn->peer_alert;
}

enum dtls_version
dtls_conn_version (const struct dtls_conn *conn)
{
  return conn->is_connected ? (enum dtls_version) conn->known.version : DTLS_VERSION_UNKNOWN;
}

uint16_t
dtls_conn_suite (const struct dtls_conn *conn)
{
  return conn->known.suite;
}

uint16_t
dtls_conn_group (const struct dtls_conn *conn)
{
  return conn->is_connected ? conn->known.group : 0;
}

bool
dtls_conn_is_resumed (const struct dtls_conn *conn)
{
  return conn->is_connected && conn->known.is_resumed;
}

bool
dtls_conn_has_psk (const struct dtls_conn *conn)
{
  return conn->is_connected && conn->known.has_psk;
}

bool
dtls_conn_was_retried (const struct dtls_conn *conn)
{
  return conn->is_connected && conn->known.was_retried;
}

uint16_t
dtls_conn_srtp_profile (const struct dtls_conn *conn)
{
  return conn->is_connected ? conn->known.srtp_profile : 0;
}

struct bytes
dtls_conn_psk_identity (const struct dtls_conn *conn)
{
  return conn->peer.psk_identity;
}

struct bytes
dtls_conn_session (const struct dtls_conn *conn)
{
  return conn->peer.session;
}

bool
dtls_conn_has_extended_master_secret (const struct dtls_conn *conn)
{
  return conn->is_connected && conn->known.has_extended_master_secret;
}

struct bytes
dtls_conn_alpn (const struct dtls_conn *conn)
{
  return (struct bytes){ conn->known.alpn, conn->is_connected ? conn->known.alpn_len : 0 };
}

struct bytes
dtls_conn_server_name (const struct dtls_conn *conn)
{
  return (struct bytes){ conn->known.server_name, conn->known.server_name_len };
}

size_t
dtls_conn_n_peer_certificates (const struct dtls_conn *conn)
{
  return conn->peer.chain.n;
}

struct bytes
dtls_conn_peer_certificate (const struct dtls_conn *conn, size_t index)
{
  return index < conn->peer.chain.n ? conn->peer.chain.items[index] : (struct bytes){ NULL, 0 };
}

bool
dtls_conn_was_asked_for_certificate (const struct dtls_conn *conn)
{
  return conn->peer.has_asked_for_certificate;
}

size_t
dtls_conn_n_authorities (const struct dtls_conn *conn)
{
  return conn->peer.authorities.n;
}

struct bytes
dtls_conn_authority (const struct dtls_conn *conn, size_t index)
{
  return index < conn->peer.authorities.n ? conn->peer.authorities.items[index]
                                          : (struct bytes){ NULL, 0 };
}

size_t
dtls_conn_peer_schemes (const struct dtls_conn *conn, const uint16_t **out_schemes)
{
  if (conn->handshake == NULL)
    return 0;

  *out_schemes = conn->handshake->theirs.schemes;
  return conn->handshake->theirs.n_schemes;
}

void
dtls_conn_stats (const struct dtls_conn *conn, struct dtls_stats *out_stats)
{
  for (unsigned i = 0; i < N_DTLS_DROPS; i++)
    out_stats->dropped[i] = conn->read.dropped[i];
  out_stats->opened = conn->read.n_opened;
  out_stats->sealed = conn->write.n_sealed;
  out_stats->n_retransmissions = conn->n_retransmissions;
}
