/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Datagrams on their way between the ends of a pair; for pair.c alone. */

#pragma once

#include "pair.h"

/* A datagram on its way. */
struct flying
{
  struct flying *next;
  dtls_time arrives;
  enum dtls_role to;
  size_t len;
  uint8_t at[];
};

static inline enum dtls_role
link_other (enum dtls_role role)
{
  return role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
}

/* Ends the program without memory. */
void *link_must (void *at);
/* Forgets what is on its way. */
void link_clear (struct pair *pair);
