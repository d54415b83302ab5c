/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a connection is made of. Its folder carries each layer's output to the next, and owns no
 * rule of the protocol. */

#pragma once

#include "dtls.h"
#include "flight/acks.h"
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
  /* 1.3. The peer may use it from now on; the first record of it makes it the current one. */
  struct epoch_read *next;     /* (owned) (nullable) */
  struct epoch_read *previous; /* (owned) (nullable) for what was late, 240 s */
  bool is_open;                /* dtls_conn_read may work alone */
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
  struct sent_data *sent; /* (owned) (nullable) 1.3 client: until its last flight is acknowledged */
};

/* What a client of 1.3 sealed before it knew that the server is connected: should it close at once,
 * these records are sent again with the flight that they followed, byte for byte, so that what came
 * twice falls to the replay window. */
enum
{
  MAX_SENT_DATA = 16 * 1024, /* what is sealed beyond it is sent once */
};

struct sent_data
{
  size_t used;
  size_t sending; /* of the record that is next in this transmission; `used`: none */
  uint8_t records[MAX_SENT_DATA]; /* each with its length in two bytes before it */
};

enum
{
  MAX_EVENTS = 8,     /* more than a handshake has */
  BURST_RECORDS = 10, /* of a flight at a time, RFC 9147 §5.8.3 */
};

/* Records of an epoch to come that arrived before its keys, as they came: a Finished that overtook its
 * ChangeCipherSpec, a flight that overtook its ServerHello, data of a client whose Finished waits for
 * the verdict on its certificate. Dropping them would cost a retransmission, or the data. */
enum
{
  MAX_HELD_LEN = 4096, /* what does not fit is dropped */
};

struct held
{
  size_t used;
  size_t taken;                  /* what of it was looked at in this pass */
  size_t kept;                   /* what of that stays: its keys are still not there */
  bool may_open;                 /* keys came since the last pass */
  uint8_t records[MAX_HELD_LEN]; /* each with its length in two bytes before it */
};

/* Which flight the outbox holds. */
enum flight_kind
{
  FLIGHT_NONE,
  FLIGHT_UNFINISHED, /* its messages are being made */
  FLIGHT_AWAITS_ANSWER,
  FLIGHT_LAST, /* 1.2: nothing answers it; it goes out again when the peer's last one recurs */
  FLIGHT_AWAITS_ACK, /* 1.3 */
};

/* A KeyUpdate of ours. */
enum key_update_state
{
  KEY_UPDATE_NONE,
  KEY_UPDATE_DUE, /* as soon as no flight is under way */
  KEY_UPDATE_SENT,
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
  struct epoch_write plain; /* epoch 0 */
  struct epoch_write
      *old_write; /* (owned) (nullable) 1.3: the handshake's, while a flight needs it */
  struct handshake *handshake;   /* (owned) (nullable) gone when it is over and acknowledged */
  struct reassembly *reassembly; /* (owned) (nullable) with it */
  struct outbox *outbox;         /* (owned) (nullable) with it */
  struct held *held;             /* (owned) (nullable) with it; made when needed */
  uint32_t next_message_seq;     /* of the peer's, when reassembly is gone */
  uint32_t next_send_seq;        /* ours, when the handshake is gone */
  enum flight_kind flight;
  unsigned burst_left;
  bool has_change_cipher_spec; /* the peer's came: it may come before its turn */
  bool has_begun;              /* server: the deadline runs */
  bool has_heard_peer;
  bool has_opened; /* 1.3: a protected record: plaintext is believed no longer */
  bool is_connected;
  bool is_closed; /* by us */
  bool is_peer_closed;
  enum dtls_error error;
  int peer_alert; /* -1: none */
  bool has_alert; /* one that is still to be sent */
  uint8_t alert_level;
  uint8_t alert_description;
  struct timers timers;
  struct acks acks;   /* 1.3 */
  bool has_ack;       /* one that is still to be sent */
  bool flight_is_ack; /* the flight under way makes the ACKs that are owed needless */
  enum key_update_state key_update;
  bool key_update_asks;      /* the next one asks the peer for its own */
  bool key_update_has_asked; /* the one that was sent does */
  uint16_t key_update_asked; /* the read epoch in which we last asked for the next */
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
/* The peer has our last flight, or will never ask for it again. */
void conn_forget_handshake (struct dtls_conn *conn);
/* Sends the flight, or what is not acknowledged of it, from its beginning. */
void conn_transmit (struct dtls_conn *conn);
/* Does what a handler asked for outside of conn_advance, and clears it. */
void conn_do_effects (struct dtls_conn *conn, struct effects *effects, enum dtls_error error);
bool conn_is_13 (const struct dtls_conn *conn); /* the version is known to be 1.3 */

/* keys.c: epochs. */
enum dtls_error conn_install_write (struct dtls_conn *conn, uint16_t epoch) DTLS_MUST_CHECK;
enum dtls_error conn_install_read (struct dtls_conn *conn, uint16_t epoch) DTLS_MUST_CHECK;
/* The epoch of that number that we can still seal with. */
struct epoch_write *conn_write_epoch (struct dtls_conn *conn, uint16_t number);
/* The one of the three that this record is of; NULL for none. */
struct epoch_read *conn_read_epoch (struct dtls_conn *conn, const struct record *record);
/* A record of this epoch has opened. */
void conn_note_opened (struct dtls_conn *conn, const struct epoch_read *epoch);
void conn_clear_read (struct dtls_conn *conn);
void conn_drop_previous_epoch (struct dtls_conn *conn);
void conn_drop_old_write (struct dtls_conn *conn);

/* receive.c. Takes one opened record. True when it is application data for the caller. */
bool conn_take_opened (struct dtls_conn *conn, const struct opened *opened);
void conn_count_drop (struct dtls_conn *conn, enum dtls_drop drop);
/* Content that is wrong: from an authenticated record it ends the connection, from any other it is
 * noise. */
void conn_reject (struct dtls_conn *conn, uint16_t epoch, enum dtls_error error);

/* messages.c: handshake records. */
void conn_take_handshake (struct dtls_conn *conn, const struct opened *opened);

/* held.c. False if there is no reason or no room to hold it. */
bool conn_hold (struct dtls_conn *conn, const struct record *record);
/* The next record that was held and opens now. Without `with_data`, only such as belong to the
 * handshake. */
bool conn_next_held (struct dtls_conn *conn, bool with_data, struct opened *out);
/* Takes the handshake's records that were held, once their keys are there. After conn_advance, from
 * calls of the outside only: it advances again itself. */
void conn_take_held (struct dtls_conn *conn);

/* acknowledge.c: 1.3's ACKs. */
void conn_take_ack (struct dtls_conn *conn, const struct opened *opened);
/* A record brought handshake messages. */
void conn_owe_ack (struct dtls_conn *conn, uint16_t epoch, uint64_t number);
/* The peer has all of our flight. */
void conn_flight_acknowledged (struct dtls_conn *conn);

/* update.c: KeyUpdate, and the objects of messages after the handshake. */
void conn_request_key_update (struct dtls_conn *conn, bool asks_peer);
/* Sends it if it is due and nothing is in its way. */
void conn_send_key_update (struct dtls_conn *conn);
/* New keys before the old ones wear out. */
void conn_watch_limits (struct dtls_conn *conn);
/* Makes the objects for messages after the handshake. False: the connection has failed. */
bool conn_begin_post (struct dtls_conn *conn);

/* close.c. Keeps a sealed record, if there is room for it. */
void sent_data_keep (struct sent_data *sent, struct bytes record);
bool sent_data_next (struct sent_data *sent, size_t room, struct bytes *out_record);
void conn_end_linger (struct dtls_conn *conn);
/* A flight that waits for its ACK is not repeated any more. */
void conn_let_go (struct dtls_conn *conn);
