/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One connection from its handshake to its end, and the standard streams that it is joined to. The same
 * for a client and a server:
 *
 *   session_init         on a connection that has everything but I/O
 *   session_handshake    until the peer is agreed with, or not
 *   session_talk         lines to datagrams and datagrams to lines, until one side has enough
 *   session_clear        close_notify, and what the connection held
 *
 * All of it runs in the default main context, which the calls iterate while they wait. */

#pragma once

#include "cli/lines.h"
#include "cli/options.h"

struct session
{
  GDtlsConnection *connection; /* (owned) */
  const struct options *options;
  struct lines *input; /* (unowned) (nullable): of what is typed; NULL sends nothing of it */
  GCancellable *interrupt;
  bool ends_with_input;

  GTlsCertificateFlags refused; /* why we did not take the peer's certificate */
  bool was_refused_port;        /* nothing listens where the handshake went */
  bool has_no_update;           /* key updates: told already */
  bool is_output_lost;          /* standard output takes nothing any more */
  bool is_over;
  enum status status; /* of the end */

  GSource *incoming; /* (owned) (nullable): these are what the session waits for */
  GSource *outgoing;
  GSource *typing;
  GSource *lingering;
  GBytes *waiting; /* (owned) (nullable): a message that found the socket full */
  gint64 last_sent;
};

/* Takes `connection`. */
void session_init (struct session *session, GDatagramBased *connection,
                   const struct options *options, GCancellable *interrupt);
/* Both report what goes wrong, unless `interrupt` was the reason. */
enum status session_handshake (struct session *session);
enum status session_talk (struct session *session);
void session_clear (struct session *session);
