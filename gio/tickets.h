/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What lets a server's clients resume: the keys of tickets, and the sessions of 1.2 by their ID for
 * clients that take no tickets. */

#pragma once

#include "dtls.h"

#include <glib.h>

/* A ticket is good for as long as its key is in use at least: keys change after that time, and the one
 * before opens tickets for as long again. */
#define MOAT_TICKET_PERIOD (12 * 3600 * DTLS_SECOND)

enum
{
  MOAT_TICKET_SECRET_LEN = 32,
  MOAT_N_TICKET_KEYS = 2,
};

/* Its lock is a leaf. */
typedef struct
{
  GMutex lock;
  bool has_secret; /* that was set */
  uint8_t secret[MOAT_TICKET_SECRET_LEN];
  bool has_keys;
  uint64_t period; /* whose keys these are, and that of the one before it */
  struct dtls_ticket_key keys[MOAT_N_TICKET_KEYS];
  struct dtls_session_cache *cache; /* (owned) (nullable) */
} MoatTickets;

void moat_tickets_init (MoatTickets *self);
/* Wipes everything. */
void moat_tickets_clear (MoatTickets *self);

/* 32 bytes or more. */
void moat_tickets_set_secret (MoatTickets *self, GBytes *secret);
/* The keys of this time since 1970: derived from the secret that was set, or else random ones. Of those
 * nothing is left after the first call beyond their time. False if libcrypto fails. */
bool moat_tickets_get_keys (MoatTickets *self, dtls_time wall_clock,
                            struct dtls_ticket_key out[MOAT_N_TICKET_KEYS]);

void moat_tickets_store (MoatTickets *self, struct bytes id, struct bytes session);
bool moat_tickets_find (MoatTickets *self, struct bytes id, struct dtls_buffer *out);
void moat_tickets_drop (MoatTickets *self, struct bytes id);
