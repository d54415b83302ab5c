/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One engine connection with its three locks, and the one place where bytes move between it and its
 * base.
 *
 * The locks are taken in the order control, read, write. What is marked (all) is changed only
 * with all three held, so any one of them is enough to look at it. None of them is held while the
 * base or anyone else is called.
 *
 * Two turns, taken before them in the order intake, output, keep what one side did in one order from
 * being seen in another on the other: a batch is handed to the engine before the next is received,
 * and what was sealed is sent before anything is sealed later. They are held while the base is called,
 * which must not wait; it may call back in the same thread. */

#pragma once

#include "gio/base.h"
#include "gio/config.h"
#include "gio/credential.h"
#include "gio/error.h"
#include "gio/queue.h"
#include "gio/wake.h"

typedef enum
{
  MOAT_PHASE_FRESH,       /* no I/O yet */
  MOAT_PHASE_LISTENING,   /* a server without a client: nobody has proved an address yet */
  MOAT_PHASE_HANDSHAKING, /* the engine is at it */
  MOAT_PHASE_CONNECTED,   /* application data may flow */
  MOAT_PHASE_OVER,        /* every call gives the same error from now on */
} MoatPhase;

/* What happened that someone outside must hear of; see gio/handshake.h. */
typedef enum
{
  MOAT_NEWS_VERDICT_NEEDED = 1 << 0,
  MOAT_NEWS_CONNECTED = 1 << 1,
  MOAT_NEWS_OVER = 1 << 2,
  MOAT_NEWS_KEYLOG = 1 << 3,
  MOAT_NEWS_SOFT_ERROR = 1 << 4,
  MOAT_NEWS_CLOSED = 1 << 5,  /* by us, both halves */
  MOAT_NEWS_FLUSHED = 1 << 6, /* the base took what it had no room for, or the linger is over */
  MOAT_NEWS_PSK_NEEDED = 1 << 7,
} MoatNews;

/* What the verdict on the peer says about the session. */
typedef enum
{
  MOAT_TRUST_NONE,   /* there was none yet, or something was overlooked */
  MOAT_TRUST_EARNED, /* the peer is who it must be, by the same rules as when the handshake began */
} MoatTrust;

typedef struct
{
  MoatBase base;
  GMutex control;
  GMutex read;
  GMutex write;
  GRecMutex intake;
  GRecMutex output;

  enum dtls_role role;    /* set before the first I/O */
  MoatConfig *config;     /* (all) (owned) (nullable): set when the first I/O begins */
  struct dtls_conn *conn; /* (all) (owned) (nullable) */
  MoatPhase phase;        /* (all) */
  dtls_time deadline;     /* (all): the engine's */
  dtls_time visited_at;   /* (all): when the control part was last looked after */
  dtls_time
      busy_since;  /* (all): when the deadline came that stands or was replaced; or DTLS_NEVER */
  size_t mtu;      /* (all) */
  size_t overhead; /* (all): a record's; 0 while not connected */
  bool has_heard_peer;  /* (all) */
  bool is_read_shut;    /* (all): by us */
  bool is_write_shut;   /* (all): by us */
  bool is_lingering;    /* (all): closed, but what was sent may have to be sent again */
  bool has_peer_closed; /* (all): its close_notify came */
  bool is_base_at_end;  /* (all): the base ended while we were connected */
  bool is_base_lost;    /* (all): it failed, or ended before */
  MoatFailure failure;  /* (all): why it is OVER, and */
  GError *reason;       /* (all) (nullable) what is to be said instead, if we know better */

  MoatQueue plaintext;   /* read lock */
  dtls_time attended_at; /* read lock: when a reader last took of it, or it was empty */
  MoatQueue backlog;     /* write lock: what the base had no room for */
  int has_backlog;       /* atomic */

  /* Under the control lock. */
  struct dtls_hello_gather *gather; /* (owned) (nullable): while LISTENING */
  uint8_t peer_name[16];      /* random: what cookies are bound to where senders have no address */
  MoatCredential *credential; /* (owned) (nullable): what the engine gets when it asks */
  MoatCredential *shown;      /* (owned) (nullable): what it got; it borrows that */
  GError *credential_problem; /* (owned) (nullable): why there is none */
  GError *verdict_reason;     /* (owned) (nullable) */
  GError *soft_error;         /* (owned) (nullable): an ICMP error that a call has yet to tell */
  GPtrArray *keylog_lines;    /* (owned) */
  MoatTrust trust;
  GBytes *session; /* (owned) (nullable): a client's newest */

  int news; /* atomic; MoatNews */
  MoatWake wake;
} MoatPump;

void moat_pump_init (MoatPump *self);
/* Wipes everything. */
void moat_pump_clear (MoatPump *self);

static inline dtls_time
moat_pump_now (void)
{
  return (dtls_time) g_get_monotonic_time ();
}

void moat_pump_lock_all (MoatPump *self);
void moat_pump_unlock_all (MoatPump *self);

/* The first I/O: the handshake starts. Takes `config`; only the first call counts. */
typedef enum
{
  MOAT_ADDRESS_IS_TRUSTED,
  MOAT_ADDRESS_MUST_BE_PROVED, /* a server sends cookies */
} MoatAddressRule;

void moat_pump_begin (MoatPump *self, MoatConfig *config, MoatAddressRule rule);

/* Feeds the input that waits, does what is due, sends what is ready. Never waits. */
void moat_pump_step (MoatPump *self);
/* The same with `scratch`'s datagrams from `first` on as the input, behind `begun`, one that was
 * only partly read (nullable). */
void moat_pump_process (MoatPump *self, MoatScratch *scratch, struct dtls_datagram *begun,
                        guint first);

/* The base failed (`problem`, transfer full) or came to its end (NULL). */
void moat_pump_lose_base (MoatPump *self, GError *problem);
/* A datagram was refused on the way. Takes `problem`. */
void moat_pump_note_soft_error (MoatPump *self, GError *problem);

/* What a full queue has room for. */
typedef enum
{
  MOAT_ROOM_FOR_ALL,
  MOAT_ROOM_FOR_CONTROL, /* application data is lost, as if it had been on the way */
} MoatRoom;

/* A message for whoever reads next; under the read lock. */
void moat_pump_queue (MoatPump *self, struct bytes message);
/* Makes of a datagram's application data what a reader finds. Under all locks, like the next ones. */
void moat_pump_feed (MoatPump *self, struct dtls_datagram *datagram, MoatRoom room);
void moat_pump_tell (MoatPump *self, MoatNews news);
/* The connection ends for a reason that is not the engine's. */
void moat_pump_become_over (MoatPump *self, enum dtls_error error);

/* What follows is in events.c, under all locks. */

void moat_pump_take_events (MoatPump *self);
void moat_pump_hear_keylog (MoatPump *self);

/* What follows is in answers.c. */

/* (transfer full) (element-type utf8): freeing it wipes it. */
GPtrArray *moat_keylog_lines_new (void);
/* (transfer full) (element-type utf8): what the key log has yet to get; the same. */
GPtrArray *moat_pump_take_keylog_lines (MoatPump *self);
/* Replaces the credential; or notes why there is none. Takes both. */
void moat_pump_take_credential (MoatPump *self, MoatCredential *credential, GError *problem);
/* (transfer full) (element-type GBytes): the peer's chain, leaf first; empty if it has none. */
GPtrArray *moat_pump_dup_peer_chain (MoatPump *self);
/* `reason` (transfer full) (nullable): what rejecting is to be called. */
void moat_pump_answer_verdict (MoatPump *self, struct dtls_verdict verdict, MoatTrust trust,
                               GError *reason);
/* (transfer full) (nullable): the identity whose key the handshake waits for; NULL if for none. */
GBytes *moat_pump_dup_psk_question (MoatPump *self);
/* NULL: there is no such key. */
void moat_pump_answer_psk (MoatPump *self, GBytes *key);
enum dtls_error moat_pump_update_keys (MoatPump *self, enum dtls_key_update update);

typedef enum
{
  MOAT_SHUT_READ = 1 << 0,
  MOAT_SHUT_WRITE = 1 << 1,
} MoatShut;

void moat_pump_shut (MoatPump *self, MoatShut halves);
/* What follows is in readiness.c. */

/* Whether nothing but application data is going on, so that a reader or a writer needs its own
 * half only. */
bool moat_pump_is_steady_for_reading (MoatPump *self);
bool moat_pump_is_steady_for_writing (MoatPump *self);
/* A reader is there, and is about to take what is queued: the base may keep the rest meanwhile. */
void moat_pump_attend (MoatPump *self);
/* Whether what the base may have is to be received now. */
bool moat_pump_wants_input (MoatPump *self);
/* Under the read lock. */
MoatRoom moat_pump_room (const MoatPump *self);
/* Whether someone has to drive the connection even if nobody reads or writes. */
bool moat_pump_needs_driving (MoatPump *self);
MoatPhase moat_pump_phase (MoatPump *self);
dtls_time moat_pump_deadline (MoatPump *self);
bool moat_pump_is_closed (MoatPump *self);
/* Whether nothing that was sent waits any more: for room in the base, or for the peer's ACK after we
 * closed. */
bool moat_pump_is_flushed (MoatPump *self);
/* Why nothing can be done any more; with one of the locks held. NULL if something can. */
GError *moat_pump_error_locked (const MoatPump *self, MoatTimeoutClass timeout_class);

/* What to wait for at the base, for whoever wants `wanted` of the connection. */
GIOCondition moat_pump_interest (MoatPump *self, GIOCondition wanted);
/* What of the connection is ready when the base fulfils `base_ready`: IN, OUT, ERR and HUP. */
GIOCondition moat_pump_ready (MoatPump *self, GIOCondition base_ready);
