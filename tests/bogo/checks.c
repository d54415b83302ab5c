/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the runner expects us to know, and to have done. */

#include "shim.h"

#include <string.h>

static bool
is_text (struct bytes bytes, const char *text)
{
  return strlen (text) == bytes.left && memcmp (text, bytes.at, bytes.left) == 0;
}

static void
check_resumption (struct shim *shim)
{
  const struct options *o = shim->options;
  /* A miss is expected of all of them, and seen on those that could resume. */
  bool is_expected = shim->index > 0 && !o->expects_session_miss;

  if (dtls_conn_is_resumed (shim->conn) != is_expected)
    shim_complain (shim, is_expected ? "the session did not resume" : "a session resumed");
}

void
checks_when_connected (struct shim *shim)
{
  const struct options *o = shim->options;
  bool was_retried = dtls_conn_was_retried (shim->conn);

  if (o->expect_alpn != NULL && !is_text (dtls_conn_alpn (shim->conn), o->expect_alpn))
    shim_complain (shim, "another ALPN protocol than expected");
  if (o->declines_alpn && dtls_conn_alpn (shim->conn).left > 0)
    shim_complain (shim, "an ALPN protocol that was declined");
  if (o->expect_server_name != NULL
      && !is_text (dtls_conn_server_name (shim->conn), o->expect_server_name))
    shim_complain (shim, "another server name than expected");
  if ((o->expects_retry && !was_retried) || (o->expects_no_retry && was_retried))
    shim_complain (shim, was_retried ? "a retry came" : "no retry came");
  check_resumption (shim);
}

void
checks_at_the_end (struct shim *shim)
{
  const struct options *o = shim->options;

  if (!dtls_conn_is_connected (shim->conn) || shim->has_failed)
    return;

  if (o->expects_session_id && shim->index == 0 && !shim->has_stored)
    shim_complain (shim, "no session went into the cache");
  if (o->expects_no_session_id && shim->has_stored)
    shim_complain (shim, "a session went into the cache");
  if (o->expects_ticket_renewal && shim->index > 0 && !shim->has_new_session)
    shim_complain (shim, "no new ticket came");
  if (o->expects_no_session && shim->has_new_session)
    shim_complain (shim, "a session came");
}
