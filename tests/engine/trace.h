/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Connected pairs, and what an engine shows to the world: what is dropped must leave no trace. */

#pragma once

#include "same.h"
#include "sealed.h"

static const uint16_t trace_suites[] = {
  SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
  SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384,
  SUITE_ECDHE_ECDSA_CHACHA20_POLY1305_SHA256,
};

static inline void
connect_with (struct pair *pair, const uint16_t *suite)
{
  pair_init (pair, pki_identity ("server-ecdsa"), NULL);
  if (suite != NULL)
    {
      pair->sides[DTLS_SERVER].config.suites = suite;
      pair->sides[DTLS_SERVER].config.n_suites = 1;
    }
  CHECK (pair_handshake (pair));
}

/* What an engine shows to the world. */
struct trace
{
  unsigned n_datagrams, n_messages, n_events;
  dtls_time deadline;
  enum dtls_error error;
};

static inline struct trace
trace_of (const struct pair *pair, enum dtls_role role)
{
  const struct side *side = &pair->sides[role];
  struct trace trace = {
    .n_datagrams = pair->links[role].n_datagrams,
    .n_messages = side->n_messages,
    .deadline = dtls_conn_deadline (side->conn),
    .error = dtls_conn_error (side->conn),
  };

  for (unsigned i = 0; i <= DTLS_EVENT_FAILED; i++)
    trace.n_events += side->n_events[i];
  return trace;
}

static inline void
check_no_trace (const struct pair *pair, enum dtls_role role, const struct trace *before)
{
  struct trace now = trace_of (pair, role);

  CHECK_UINT (now.n_datagrams, before->n_datagrams);
  CHECK_UINT (now.n_messages, before->n_messages);
  CHECK_UINT (now.n_events, before->n_events);
  CHECK_UINT (now.deadline, before->deadline);
  CHECK_UINT (now.error, before->error);
}
