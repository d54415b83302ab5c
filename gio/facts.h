/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is known of a connection and its peer. */

#pragma once

#include "moat/moat-connection.h"

#include <stdbool.h>

/* While it is connected and not closed; otherwise nothing. */
typedef struct
{
  GTlsProtocolVersion protocol;
  const char *version; /* (nullable) static */
  const char *suite;   /* (nullable) static */
  bool is_resumed;
} MoatNegotiated;

MoatNegotiated moat_facts_of (MoatConnection *connection);
/* (nullable): lives as long as the connection, and there is only one handshake. */
const char *moat_facts_get_negotiated_protocol (GDtlsConnection *connection);
/* The peer's certificate is shown when the handshake is over, whichever way. */
GTlsCertificateFlags moat_facts_dup_peer (MoatConnection *connection,
                                          GTlsCertificate **out_certificate);
