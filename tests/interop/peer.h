/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the small interop peers have in common: one command line, one connected UDP socket, one
 * conversation. peer.c drives; peer-<library>.c gives it a session of one TLS library.
 *
 *   1. The socket is made: a client's connected to the server, a server's bound and, when the first
 *      datagram shows who speaks, connected to that address. One peer, then the end.
 *   2. session_handshake() until it is done.
 *   3. A client sends each message until it comes back; a server sends everything back.
 *   4. The client closes; the server ends when it hears of it.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

enum
{
  MAX_MESSAGES = 8,
  /* The largest plaintext of a record (RFC 6347 §4.1). */
  MAX_DATAGRAM = 16384,
  /* Both libraries start at a second, which makes a lossy run slow; Moat's own start is 400 ms. */
  RETRANSMIT_MS = 400,
  RETRANSMIT_MAX_MS = 6400,
};

struct options
{
  bool is_server;
  bool wants_client_certificate; /* a server's: asks for one and insists */
  bool without_extended_master_secret;
  int port;
  int timeout_s;          /* of the whole run */
  int mtu;                /* the largest UDP payload; 0: the library's own choice */
  const char *ca;         /* (nullable) file of the trusted roots */
  const char *cert;       /* (nullable) file of our chain */
  const char *key;        /* (nullable) file of its key */
  const char *suite;      /* (nullable) an AEAD: AES-128-GCM, AES-256-GCM, CHACHA20-POLY1305 */
  const char *group;      /* (nullable) X25519, P-256 or P-384 */
  const char *servername; /* the name a client asks for and checks */
  const char *messages[MAX_MESSAGES];
  size_t n_messages;
};

enum outcome
{
  DONE,
  AGAIN,  /* wait for the socket or for session_wait_ms() and call again */
  CLOSED, /* the peer's close_notify */
  FAILED, /* said so on standard error */
};

struct session;

/* options is borrowed for the session's life. NULL: failed, and said why on standard error. */
struct session *session_new (const struct options *options, int fd);
void session_free (struct session *session);

enum outcome session_handshake (struct session *session);
enum outcome session_read (struct session *session, char *buffer, size_t capacity, size_t *out_len);
enum outcome session_write (struct session *session, const char *data, size_t len);
void session_close (struct session *session);

/* How long to wait for the socket at most; -1: as long as it takes. */
int session_wait_ms (const struct session *session);

/* That wait is over and nothing came. */
enum outcome session_expired (struct session *session);

const char *session_version (const struct session *session);
const char *session_suite (const struct session *session);
const char *session_group (const struct session *session); /* "-" if the library does not tell */

/* Milliseconds of a clock that never goes back. */
long now_ms (void);

/* One line on standard error; the result is FAILED, so that a caller can return it. */
enum outcome complain (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
