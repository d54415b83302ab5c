/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the small interop peers have in common: one command line, one connected UDP socket, one
 * conversation. peer.c drives; peer-<library>.c gives it a session of one TLS library.
 *
 *   1. The socket is made: a client's connected to the server, a server's bound and, when the first
 *      hello shows who speaks, connected to that address.
 *   2. session_handshake() until it is done.
 *   3. A client sends each message until it comes back; a server sends everything back.
 *   4. The client closes; the server is done when it hears of it.
 *
 * One such connection, then the end; with --resume two of them, the second of which resumes.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum
{
  MAX_MESSAGES = 8,
  MAX_PSK = 64,
  /* The largest plaintext of a record (RFC 6347 §4.1). */
  MAX_DATAGRAM = 16384,
  /* Both libraries start at a second, which makes a lossy run slow; Moat's own start is 400 ms. */
  RETRANSMIT_MS = 400,
  RETRANSMIT_MAX_MS = 6400,
};

enum version
{
  DTLS_1_2,
  DTLS_1_3,
};

struct options
{
  bool is_server;
  bool wants_client_certificate; /* a server's: asks for one and insists */
  bool without_extended_master_secret;
  bool without_cookie; /* a server's, where the library can do without */
  bool resumes;
  bool updates_keys; /* before every message that is sent */
  enum version min_version;
  enum version max_version;
  int port;
  int timeout_s;        /* of the whole run */
  int mtu;              /* the largest UDP payload; 0: the library's own choice */
  const char *ca;       /* (nullable) file of the trusted roots */
  const char *cert;     /* (nullable) file of our chain */
  const char *key;      /* (nullable) file of its key */
  const char *suite;    /* (nullable) an AEAD: AES-128-GCM, AES-256-GCM, CHACHA20-POLY1305 */
  const char *groups;   /* (nullable) X25519, P-256, P-384, X25519MLKEM768; preferred ones first */
  char *alpn;           /* (nullable) the one protocol that is offered or taken */
  const char *identity; /* (nullable) of the key that both know */
  uint8_t psk[MAX_PSK];
  size_t psk_len;         /* 0: certificates */
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

/* What outlives a connection: the configuration, and what one connection leaves for the next to
 * resume. */
struct context;
struct session;

/* options is borrowed for the context's life, context and fd for the session's. NULL: failed, and
 * said why on standard error. */
struct context *context_new (const struct options *options);
void context_free (struct context *context);
struct session *session_new (struct context *context, int fd);
void session_free (struct session *session);

enum outcome session_handshake (struct session *session);
enum outcome session_read (struct session *session, char *buffer, size_t capacity, size_t *out_len);
enum outcome session_write (struct session *session, const char *data, size_t len);
void session_close (struct session *session);

/* The keys that we send with are replaced. */
enum outcome session_update_keys (struct session *session);

/* How long to wait for the socket at most; -1: as long as it takes. */
int session_wait_ms (const struct session *session);

/* That wait is over and nothing came. */
enum outcome session_expired (struct session *session);

/* "-" if the library does not tell. */
const char *session_version (const struct session *session);
const char *session_suite (const struct session *session);
const char *session_group (const struct session *session);
const char *session_alpn (const struct session *session);
const char *session_kind (const struct session *session); /* full or resumed */

/* Takes the next name from a list with commas: false if there is none, or it does not fit. */
bool next_name (const char **list, char *name, size_t capacity);

/* Milliseconds of a clock that never goes back. */
long now_ms (void);

/* One line on standard error; the result is FAILED, so that a caller can return it. */
enum outcome complain (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
