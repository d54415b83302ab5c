/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The engine's configuration of one connection, with everything that it borrows. */

#pragma once

#include "dtls.h"
#include "gio/context.h"

typedef struct
{
  struct dtls_config engine;

  MoatContext *context; /* (owned) */
  MoatSettings settings;
  struct dtls_ticket_key ticket_keys[MOAT_N_TICKET_KEYS]; /* a server's, during its handshake */

  /* (owned) (nullable), all of them: */
  char *server_name;
  GByteArray *alpn;
  GPtrArray *authorities; /* (element-type GBytes) */
  struct bytes *authority_views;
  GBytes *session;      /* a client's, to be offered */
  GBytes *session_key;  /* under which its sessions are kept; NULL: they are not */
  GBytes *session_leaf; /* our certificate that the key names, DER */

  /* A server's session of 1.2: the one that was looked for last, or made. */
  uint8_t session_id[DTLS_MAX_SESSION_ID_LEN];
  size_t session_id_len;
  bool has_made_session;
} MoatConfig;

/* The defaults, with what `context` says to one in this role. */
MoatConfig *moat_config_new (MoatContext *context, enum dtls_role role);
void moat_config_free (MoatConfig *self);

/* A server's keys and clock, of the moment when its handshake begins: it may have waited long for its
 * client. */
void moat_config_take_ticket_keys (MoatConfig *self);
/* And when the handshake is over, for nothing must keep them longer than their context does. */
void moat_config_wipe_ticket_keys (MoatConfig *self);
/* The session of a connection that ended with an error must not resume any more (RFC 5246 §7.2.2). Under
 * another's ID nothing is dropped, which anyone could have named: it was resumed, or we made it. */
void moat_config_drop_session (MoatConfig *self, bool was_resumed);

/* To be offered; takes it. NULL for none. */
void moat_config_take_session (MoatConfig *self, GBytes *session);
/* One of the context's that was not offered is the next connection's. */
void moat_config_give_session_back (MoatConfig *self);

void moat_config_take_server_name (MoatConfig *self, char *name);
void moat_config_set_protocols (MoatConfig *self, const char *const *protocols);
void moat_config_take_authorities (MoatConfig *self, GPtrArray *names);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MoatConfig, moat_config_free)
