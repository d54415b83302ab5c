/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The socket below a connection: batches of datagrams in and out, never waiting. A GSocket is
 * driven by its descriptor, since GLib's datagram calls mind the socket's own timeout; any other
 * GDatagramBased through its receive_messages, send_messages and create_source, and nothing else
 * of it. */

#pragma once

#include "dtls.h"
#include "gio/scratch.h"

typedef struct
{
  GDatagramBased *object; /* (unowned) (nullable): in an instance that never was initialised */
  GSocket *socket;        /* (unowned) (nullable): `object`, if it is one */
  bool has_connected_socket;
  bool has_far_end;               /* a SEQPACKET socket: the far end's close is seen */
  struct sockaddr_storage remote; /* of a connected socket */
  socklen_t remote_len;
  bool wants_addresses; /* of senders; set before the first datagram */

  /* Whom a server that was not told has pinned; never changes afterwards. */
  bool has_pinned;
  struct sockaddr_storage pinned;
  socklen_t pinned_len;
  GSocketAddress *pinned_address; /* (owned) (nullable): the same */
} MoatBase;

typedef enum
{
  MOAT_BASE_DONE,      /* everything that could be done at once */
  MOAT_BASE_BLOCKED,   /* nothing (more) without waiting */
  MOAT_BASE_END,       /* the base has come to its end */
  MOAT_BASE_SOFT,      /* one datagram was lost on the way out or refused; the base goes on */
  MOAT_BASE_TOO_LARGE, /* the next datagram to send is longer than the base can carry */
  MOAT_BASE_GONE,      /* the base cannot be used any more */
} MoatBaseResult;

/* Fails for a GSocket that is no datagram socket. */
bool moat_base_init (MoatBase *self, GDatagramBased *object, GError **error);
void moat_base_clear (MoatBase *self);

bool moat_base_is_unconnected_socket (const MoatBase *self);
/* The largest UDP payload on the way to the peer, as far as is known. */
size_t moat_base_mtu (const MoatBase *self);

/* Receives at most `max` datagrams into `scratch`; empty ones are dropped. */
MoatBaseResult moat_base_receive (MoatBase *self, MoatScratch *scratch, guint max, GError **error);
/* Sends `scratch`'s datagrams to the peer, from `*done` on, and counts them there. One that was
 * lost softly is counted too. */
MoatBaseResult moat_base_send (MoatBase *self, MoatScratch *scratch, guint *done, GError **error);
/* Answers a datagram's sender; what cannot be sent at once is forgotten. */
void moat_base_reply (MoatBase *self, MoatDatagram *to, const struct dtls_buffer *reply);

/* The bytes that name a datagram's sender; empty if the base does not know. */
struct bytes moat_base_sender (const MoatBase *self, const MoatDatagram *datagram);
void moat_base_pin (MoatBase *self, MoatDatagram *datagram);
bool moat_base_is_from_peer (const MoatBase *self, const MoatDatagram *datagram);
/* Returns: (transfer full) (nullable) */
GSocketAddress *moat_base_dup_peer (const MoatBase *self);

/* (transfer full) (nullable): a source for `condition`. Its callback is called with the
 * condition as its second and `data` as its third argument, whatever the base is. `destroy`
 * (nullable) gets the data when the callback cannot be called any more. */
typedef gboolean (*MoatBaseFunc) (gpointer base, GIOCondition condition, gpointer data);
GSource *moat_base_create_source (const MoatBase *self, GIOCondition condition, MoatBaseFunc func,
                                  gpointer data, GDestroyNotify destroy);
