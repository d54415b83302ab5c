/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the shim is made of. */

#pragma once

#include "options.h"

enum
{
  MAX_FRAME = 1 << 17,
};

/* What lives from one of the process's connections to the next. */
struct memory
{
  struct dtls_crypto *crypto;
  struct dtls_ticket_key ticket_key;
  struct dtls_session_cache *cache;
  uint8_t session[DTLS_MAX_SESSION_LEN]; /* a client's latest */
  size_t session_len;
  uint64_t clock_ns;
};

struct shim
{
  const struct options *options;
  struct memory *memory;
  unsigned index; /* of the connection */

  struct dtls_key *key; /* (owned) (nullable) */
  struct dtls_credential credential;
  struct dtls_psk psk;
  uint8_t alpn[256]; /* a server's choice, with its length byte */
  struct dtls_config config;

  int fd;
  struct dtls_conn *conn;
  bool is_over; /* nothing more to do on this connection */
  bool has_failed;
  bool has_stored; /* a server, in its cache */
  bool has_new_session;
};

dtls_time shim_now (const struct shim *shim);
void shim_complain (struct shim *shim, const char *what);

/* setup.c: the engine's configuration, as the options want it. */
void setup_begin (struct shim *shim);
void setup_end (struct shim *shim);

/* checks.c: the options that begin with `expect-`. */
void checks_when_connected (struct shim *shim);
void checks_at_the_end (struct shim *shim);

/* signing.c: one that takes its time. */
void signing_answer (struct shim *shim);

/* wire.c: the TCP connection to the runner. */
bool wire_connect (struct shim *shim);
/* The kernel would throw our last alert away if we closed with input unread. */
void wire_hang_up (struct shim *shim);
bool wire_write (struct shim *shim, const uint8_t *at, size_t len);
/* False at the end of the stream. */
bool wire_read (struct shim *shim, uint8_t *at, size_t len);
void wire_write_datagram (struct shim *shim, const uint8_t *at, size_t len);
