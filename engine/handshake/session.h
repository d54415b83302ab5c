/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a session is made of when it resumes, as bytes: the inside of a server's ticket or cache entry,
 * and what a client keeps. In 1.3 none is made of an external key, with which a handshake costs no more;
 * one of 1.2 is as good as the key is, and no longer. */

#pragma once

#include "handshake/association.h"
#include "wire/reader.h"
#include "wire/writer.h"

enum
{
  MAX_SESSION_LIFETIME = 7 * 24 * 60 * 60, /* seconds: RFC 9846 §4.7.1 */
};

struct session
{
  uint16_t version;
  uint16_t suite;
  uint64_t made;     /* µs since 1970 by whoever keeps it: when it was made, not renewed */
  uint64_t received; /* client: when its ticket came; server: when it made the ticket */
  uint32_t lifetime; /* seconds from `received`, at most seven days */
  uint32_t age_add;  /* 1.3 */
  bool has_extended_master_secret; /* 1.2: always, we resume nothing without */
  uint8_t secret[MAX_SECRET_LEN];  /* 1.2: the master secret; 1.3: the ticket's key */
  uint8_t secret_len;
  uint8_t client_auth; /* server: its policy then, enum dtls_client_auth */
  /* What may not change: SHA-256 of the server's leaf, for itself; a mark that the external key makes. */
  uint8_t bound_to[32];
  /* Borrowed from the bytes that it was read from, or from whoever fills it in. */
  struct bytes server_name;
  struct bytes alpn;
  struct bytes id;     /* 1.2 client without a ticket, server's cache */
  struct bytes ticket; /* client */
  /* 1.2: of the external key that authenticated the peer; then there is no chain. */
  struct bytes psk_identity;
  struct bytes chain; /* of the peer, as session_chain_write makes it; may be empty */
};

/* False for what is no session of this format, or breaks a rule that needs no context. */
bool session_read (struct bytes bytes, struct session *out) DTLS_MUST_CHECK;
/* Fails the writer if a vector is too long for its prefix: a ticket or a chain of 2^16 bytes. */
void session_write (struct writer *writer, const struct session *session);
/* What session_write will write, in bytes. */
size_t session_len (const struct session *session);

/* DER elements, each with a three-byte length. */
void session_chain_write (struct writer *writer, const struct der_list *chain);
size_t session_chain_len (const struct der_list *chain);
/* Into `out`, replacing what it held. False if malformed or without memory. */
bool session_chain_read (struct bytes chain, struct der_list *out) DTLS_MUST_CHECK;

/* Whether it is still good at this time since 1970: for its lifetime, and for seven days after it was
 * made, however often it was renewed. A clock that went back makes it too old. */
bool session_is_fresh (const struct session *session, uint64_t wall_clock);
