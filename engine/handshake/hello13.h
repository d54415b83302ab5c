/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A ClientHello of 1.3 as a server reads it, what of it may not change in a second one, and the
 * HelloRetryRequest that asks for that. All of it is pure: the stateless answer to a hello (conn/hello.c)
 * and the machine (handshake/server13.c) use the same. */

#pragma once

#include "crypto/digest.h"
#include "handshake/negotiate.h"
#include "wire/extensions.h"
#include "wire/hello.h"
#include "wire/key_share.h"
#include "wire/pre_shared_key.h"

/* Borrowed from the message. */
struct hello13
{
  struct bytes message;
  struct client_hello fields;
  struct extensions found;
  struct bytes shares;      /* see client_share_next; may be empty */
  struct offered_psks psks; /* n 0: none is offered */
  bool takes_psk_dhe_ke;    /* psk_key_exchange_modes has the only mode that we know */
  struct bytes cookie;      /* empty: none */
};

/* By every rule that needs neither our configuration nor an earlier hello. */
enum dtls_error hello13_read (struct bytes message, struct hello13 *out) DTLS_MUST_CHECK;

/* What the client says it takes: suites, groups, schemes. */
void hello13_offer (const struct hello13 *hello, struct offer *out);
/* The suite for it; NULL if there is none in common. */
const struct suite *hello13_choose_suite (const struct hello13 *hello, const struct offer *ours,
                                          const struct offer *theirs);
/* Its share of this group; false if it brings none. */
bool hello13_find_share (const struct hello13 *hello, uint16_t group,
                         struct key_share_entry *out) DTLS_MUST_CHECK;
/* The share of the first of our groups that it brings one of. */
bool hello13_choose_share (const struct hello13 *hello, const struct offer *ours,
                           const struct offer *theirs, struct key_share_entry *out) DTLS_MUST_CHECK;

/* RFC 9846 §4.2.2: what a second hello has in common with the first: the fields, the extensions that we
 * do not know as they stand, and those that we know. §4.3 gives extensions no order, and wolfSSL's client
 * comes back with another one; so those that we know have that of enum extension_index here. */
enum
{
  N_CHANGING_EXTENSIONS = 5,
  /* Each that we know, and padding, may end a run of unknown ones. */
  MAX_FIXED_PARTS = 1 + (N_EXTENSIONS + 1 + 1) + N_EXTENSIONS,
};

size_t hello13_fixed_parts (const struct hello13 *hello, struct bytes out[MAX_FIXED_PARTS]);

struct retry13
{
  uint16_t suite;
  uint16_t group;      /* whose share is asked for; 0: none */
  struct bytes cookie; /* may be empty */
};

/* RFC 9846 §4.2.4, in full; less the cookie. */
enum
{
  RETRY13_LEN = 2 + RANDOM_LEN + 1 + 2 + 1 + 2 + 6 + 6 + 6,
};

void hello13_write_retry (struct writer *writer, const struct retry13 *retry);
/* Whether a second hello brings what was asked for: one share, of this group. */
bool hello13_has_only_share (const struct hello13 *hello, uint16_t group,
                             struct key_share_entry *out) DTLS_MUST_CHECK;
