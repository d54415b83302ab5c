/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Answers from outside: the handshake stopped with a wait reason, and goes on with what it is told.
 */

#include "conn/conn.h"

#include <string.h>

enum dtls_wait
dtls_conn_wait (const struct dtls_conn *conn)
{
  bool is_waiting = conn->handshake != NULL && conn->error == DTLS_OK;

  return is_waiting ? conn->handshake->wait : DTLS_WAIT_NONE;
}

/* Whether the answer was asked for; the handshake then waits no longer. */
static bool
take_answer (struct dtls_conn *conn, dtls_time now, enum dtls_wait wait)
{
  conn->now = now;
  if (dtls_conn_wait (conn) != wait)
    return false;

  conn->handshake->wait = DTLS_WAIT_NONE;
  return true;
}

void
dtls_conn_answer_credential (struct dtls_conn *conn, dtls_time now,
                             const struct dtls_credential *credential)
{
  enum dtls_error error;

  if (!take_answer (conn, now, DTLS_WAIT_CREDENTIAL))
    return;

  error = handshake_set_credential (conn->handshake, credential);
  if (error != DTLS_OK)
    conn_fail (conn, error);
  conn_advance (conn);
  conn_take_held (conn);
}

bool
dtls_conn_signature_request (const struct dtls_conn *conn,
                             struct dtls_signature_request *out_request)
{
  if (dtls_conn_wait (conn) != DTLS_WAIT_SIGNATURE)
    return false;

  out_request->scheme = conn->handshake->signing.scheme;
  out_request->input =
      (struct bytes){ conn->handshake->signing.input, conn->handshake->signing.input_len };
  return true;
}

void
dtls_conn_answer_signature (struct dtls_conn *conn, dtls_time now, struct bytes signature)
{
  struct signing *signing;

  if (!take_answer (conn, now, DTLS_WAIT_SIGNATURE))
    return;

  signing = &conn->handshake->signing;
  if (signature.left == 0 || signature.left > sizeof signing->signature)
    {
      conn_fail (conn, DTLS_ERROR_SIGNING_FAILED);
      return;
    }

  memcpy (signing->signature, signature.at, signature.left);
  signing->signature_len = signature.left;
  conn_advance (conn);
  conn_take_held (conn);
}

void
dtls_conn_answer_verdict (struct dtls_conn *conn, dtls_time now, struct dtls_verdict verdict)
{
  if (!take_answer (conn, now, DTLS_WAIT_VERDICT))
    return;

  if (!verdict.is_accepted)
    {
      conn_fail_with (conn, DTLS_ERROR_CERTIFICATE_REJECTED, verdict.alert);
      return;
    }

  conn->handshake->owed &= ~(unsigned) OWES_VERDICT;
  conn_advance (conn);
  conn_take_held (conn);
}

/* RFC 9257 §4.1: a key of the other role is none. */
static bool
is_usable (const struct dtls_conn *conn, const struct dtls_psk *psk)
{
  return psk->role == conn->role && psk->key.left > 0 && psk->key.left <= DTLS_MAX_PSK_LEN;
}

void
dtls_conn_answer_psk (struct dtls_conn *conn, dtls_time now, const struct dtls_psk *psk)
{
  struct handshake_psk *kept;

  if (!take_answer (conn, now, DTLS_WAIT_PSK))
    return;

  kept = &conn->handshake->psk;
  kept->kind = PSK_NONE;
  if (psk != NULL && is_usable (conn, psk))
    {
      kept->kind = PSK_EXTERNAL;
      kept->hash = psk->hash == DTLS_PSK_SHA384 ? HASH_SHA384 : HASH_SHA256;
      memcpy (kept->key, psk->key.at, psk->key.left);
      kept->key_len = psk->key.left;
    }

  conn_advance (conn);
  conn_take_held (conn);
}
