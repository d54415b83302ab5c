/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Under what a client's session may be offered: everything that made the verdict on its peer, and that
 * the peer knows us by. */

#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct
{
  GSocketConnectable *identity; /* (nullable): whom the server must be */
  guint16 port;                 /* of the server, as far as the base knows; else 0 */
  GTlsDatabase *database;       /* (nullable) */
  GTlsCertificateFlags flags;   /* the errors that are not overlooked */
  GBytes *leaf;                 /* (nullable): our certificate, DER */
  char **protocols;             /* (nullable): ALPN */
} MoatSessionFacts;

/* Whether sessions may be offered or kept at all, by the identity and the flags: not if errors are
 * overlooked, nobody in particular is expected, or by an object that we cannot tell from others of its
 * kind. */
bool moat_session_key_may_be (const MoatSessionFacts *facts);
/* (transfer full) (nullable): NULL if there may be none. */
GBytes *moat_session_key_new (const MoatSessionFacts *facts);
