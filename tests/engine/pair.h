/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Two ends of a conversation on a virtual clock: two engines, or one and a script, with a link for each direction
 * that loses, repeats, delays and spoils datagrams as it is told or as its seed says. Nothing sleeps: the clock jumps
 * to the next delivery or deadline.
 *
 *   struct pair pair;
 *   pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
 *   pair.sides[DTLS_SERVER].config.mtu = 256;
 *   CHECK (pair_handshake (&pair));
 *   PAIR_END (&pair);
 *
 * What must hold in every test (datagrams within the MTU, no record number twice under one key, three times the
 * client's bytes at most before its address is proved, no event after the last) is watched all the time;
 * PAIR_END fails the test if it did not. */

#pragma once

#include "pki.h"

enum
{
  MAX_DATAGRAM = 1 << 16,
};

/* When a question of the engine's is answered. */
enum answering
{
  ANSWERS_BEFORE, /* it stands in the configuration; nothing is asked. For a verdict: at once */
  ANSWERS_AT_ONCE,
  ANSWERS_LATER, /* after `answer_delay` */
  ANSWERS_NEVER,
};

struct pair;

struct side
{
  /* Set before pair_start. */
  struct dtls_config config;
  const struct identity *identity; /* (nullable) */
  enum answering credential;
  enum answering signature;
  enum answering verdict;
  dtls_duration answer_delay;
  struct dtls_verdict given_verdict;
  const struct dtls_psk *given_psk; /* (nullable) server: for any identity */
  enum answering psk;
  /* (nullable) Takes the place of the engine: gets the datagrams, and may call pair_put. */
  void (*script) (void *data, struct pair *pair, struct bytes datagram);
  void *script_data;

  /* What happened. */
  enum dtls_role role;
  struct dtls_conn *conn; /* (owned) (nullable) */
  unsigned n_events[DTLS_EVENT_FAILED + 1];
  char keylog[256]; /* the latest line */
  uint8_t *session; /* (owned) (nullable) client: the latest one */
  size_t session_len;
  unsigned n_keylog;
  unsigned n_messages; /* of application data */
  uint8_t *message;    /* (owned) the latest */
  size_t message_len;

  /* Private. */
  enum dtls_event due_answer; /* DTLS_EVENT_NONE: none */
  dtls_time due_at;
  uint64_t next_number; /* of records sealed in epoch 1 */
};

struct link
{
  /* Set at any time. */
  dtls_duration delay;
  dtls_duration jitter; /* up to so much more: later ones overtake */
  unsigned drop_percent;
  unsigned duplicate_percent;
  unsigned corrupt_percent;
  size_t mtu;     /* longer ones are lost; 0: none is too long */
  uint64_t drops; /* bit n: the n-th datagram from the start is lost */
  /* (nullable) Whether this datagram gets through; sees every one. */
  bool (*lets_through) (void *data, unsigned index, struct bytes datagram);
  void *lets_through_data;
  /* (nullable) May change this datagram, which gets through, on its way. */
  void (*changes) (void *data, unsigned index, uint8_t *at, size_t len);
  void *changes_data;

  /* What happened. */
  unsigned n_datagrams;
  size_t n_bytes;
  size_t longest;
};

struct flying;

struct pair
{
  struct side sides[2]; /* by enum dtls_role */
  struct link links[2]; /* by sender */
  bool has_cookies;
  struct dtls_cookie_keys cookie_keys;
  struct bytes client_address;
  uint64_t seed;
  dtls_time now;
  const char *broken; /* (nullable) a rule that did not hold */

  /* Private. */
  bool is_started;
  struct flying *flying; /* (owned) by time of arrival */
  struct dtls_hello_gather *gather;
  size_t n_unproved_in; /* bytes from and to the client before its address is proved */
  size_t n_unproved_out;
};

/* `client` NULL: it has no certificate, and says so when asked. */
void pair_init (struct pair *pair, const struct identity *server, const struct identity *client);
void pair_clear (struct pair *pair);
#define PAIR_END(pair) (CHECK_TEXT ((pair)->broken, NULL), pair_clear (pair))

/* The versions that both sides allow; pair_init leaves them with 1.2 alone, which most rules were written
 * for. */
void pair_set_versions (struct pair *pair, enum dtls_version min, enum dtls_version max);
/* Makes the engines. */
void pair_start (struct pair *pair);
/* Takes what the engine has to say after it was called. */
void pair_drain (struct pair *pair, enum dtls_role role);
/* The next delivery, deadline or answer, if there is one not later than `until`; otherwise the clock goes on to
 * `until` (but for DTLS_NEVER). */
bool pair_step (struct pair *pair, dtls_time until);
void pair_run (struct pair *pair, dtls_duration duration);
/* Starts, and runs until both sides are connected or failed or nothing happens any more. True if both are
 * connected. */
bool pair_handshake (struct pair *pair);
bool pair_is_connected (const struct pair *pair);
/* Runs until nothing is under way; deadlines are left alone. */
void pair_settle (struct pair *pair);

/* One datagram of application data. */
enum dtls_error pair_send (struct pair *pair, enum dtls_role from, struct bytes message);
/* Whether a message from each side reaches the other. */
bool pair_talks (struct pair *pair);
void pair_close (struct pair *pair, enum dtls_role role);

/* Onto the link, as if sent by `from`. */
void pair_put (struct pair *pair, enum dtls_role from, struct bytes datagram);
/* Takes the next datagram off its way to `to`, at most MAX_DATAGRAM bytes. False if there is none. */
bool pair_intercept (struct pair *pair, enum dtls_role to, uint8_t *out, size_t *out_len);
/* Past the link: `to` has it at once. */
void pair_deliver (struct pair *pair, enum dtls_role to, struct bytes datagram);

/* The drops of a connection, all reasons together. */
uint64_t pair_n_dropped (const struct pair *pair, enum dtls_role role);
