/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a connection is made of. Its folder carries each layer's output to the next, and owns no
 * rule of the protocol. */

#pragma once

#include "dtls.h"
#include "flight/outbox.h"
#include "flight/reassembly.h"
#include "flight/timers.h"
#include "handshake/machine.h"
#include "record/epoch.h"
#include "record/open.h"

/* Opening application data. Touched by dtls_conn_read, and by calls that hold everything. */
struct read_half
{
  struct epoch_read epoch; /* number 0 until the keys are there */
  bool is_open;            /* dtls_conn_read may work alone */
  uint64_t dropped[N_DTLS_DROPS];
  uint64_t n_opened;
};

/* Sealing application data. Touched by dtls_conn_seal, and by calls that hold everything. */
struct write_half
{
  struct epoch_write epoch; /* number 0 until the keys are there */
  bool is_open;
  enum dtls_error refusal; /* what dtls_conn_seal says while it is not open */
  uint64_t n_sealed;
};

enum
{
  MAX_EVENTS = 8,     /* more than a handshake has */
  BURST_RECORDS = 10, /* of a flight at a time, RFC 9147 §5.8.3 */
};

/* Handshake records of the epoch to come that arrived before its keys, as they came: a Finished
 * that overtook its ChangeCipherSpec, or came while someone outside was asked. Dropping it would
 * cost a retransmission. */
enum
{
  MAX_HELD_LEN = 1024, /* a Finished has 61 bytes with AES-GCM; in fragments of two bytes, 306 */
};

struct held
{
  size_t used;
  uint8_t records[MAX_HELD_LEN]; /* one after the other, as in a datagram; what does not fit is
                                    dropped */
};

/* Which flight the outbox holds. */
enum flight_kind
{
  FLIGHT_NONE,
  FLIGHT_UNFINISHED, /* its messages are being made */
  FLIGHT_AWAITS_ANSWER,
  FLIGHT_LAST, /* nothing answers it; it goes out again when the peer's last one recurs */
};

struct dtls_conn
{
  const struct dtls_config *config; /* (unowned) */
  struct dtls_crypto *crypto;       /* (unowned) */
  enum dtls_role role;
  dtls_time now; /* of the latest input */
  size_t mtu;

  struct association known;
  struct peer peer;

  struct read_half read;
  struct write_half write;

  /* The control part. */
  struct epoch_write plain;      /* epoch 0 */
  struct handshake *handshake;   /* (owned) (nullable) gone when it is over and acknowledged */
  struct reassembly *reassembly; /* (owned) (nullable) with it */
  struct outbox *outbox;         /* (owned) (nullable) with it */
  struct held *held;             /* (owned) (nullable) with it; made when needed */
  uint16_t next_message_seq;     /* of the peer's, when reassembly is gone */
  enum flight_kind flight;
  unsigned burst_left;
  bool has_change_cipher_spec; /* the peer's came: it may come before its turn */
  bool has_begun;              /* server: the deadline runs */
  bool has_heard_peer;
  bool is_connected;
  bool is_closed; /* by us */
  bool is_peer_closed;
  enum dtls_error error;
  int peer_alert; /* -1: none */
  bool has_alert; /* one that is still to be sent */
  uint8_t alert_level;
  uint8_t alert_description;
  struct timers timers;
  uint64_t n_retransmissions;
  enum dtls_event events[MAX_EVENTS];
  unsigned n_events;
};

/* conn.c */
void conn_event (struct dtls_conn *conn, enum dtls_event event);
/* Ends the connection; its alert goes out. The first error stays. */
void conn_fail (struct dtls_conn *conn, enum dtls_error error);
/* The same with an alert of the caller's; -1 for none. */
void conn_fail_with (struct dtls_conn *conn, enum dtls_error error, int alert);
/* Lets the handshake take what is there, until it waits. */
void conn_advance (struct dtls_conn *conn);
/* Takes the records that were held, once their keys are there. After conn_advance, from calls of
 * the outside only: it advances again itself. receive.c */
void conn_take_held (struct dtls_conn *conn);
/* The peer has our last flight, or will never ask for it again. */
void conn_forget_handshake (struct dtls_conn *conn);
/* Sends the flight from its beginning. */
void conn_transmit (struct dtls_conn *conn);
