/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* MoatConnection's inside, for its two subclasses and the files that do its work. */

#pragma once

#include "gio/handshake.h"
#include "gio/pump.h"
#include "moat/moat-connection.h"

struct _MoatConnectionClass
{
  GObjectClass parent_class;

  enum dtls_role role;
  /* Whether the object can be used at all; the base is known. */
  bool (*check) (MoatConnection *self, GError **error);
  /* Adds what only this side knows. */
  void (*configure) (MoatConnection *self, MoatConfig *config);
  MoatAddressRule (*address_rule) (MoatConnection *self);
  /* (transfer full) (nullable): whom the peer must be. */
  GSocketConnectable *(*dup_identity) (MoatConnection *self);
  /* The errors that must not go unasked; and whether the peer's certificate is put to the
   * application even without any. */
  bool (*must_ask) (MoatConnection *self, GTlsCertificateFlags errors);
  /* (transfer full) (nullable): under what its sessions are kept, see gio/session-key.h; and our
   * certificate that it was made from, out (transfer full) (nullable). */
  GBytes *(*make_session_key) (MoatConnection *self, GBytes **out_leaf);
  /* The handshake is over; in the thread where signals belong. */
  void (*handshake_over) (MoatConnection *self);
};

struct _MoatConnection
{
  GObject parent_instance;

  MoatPump pump;
  MoatHandshake handshake;
  bool is_initialized;

  GMutex lock; /* a leaf, for everything below */
  GDatagramBased *base_socket;
  GTlsDatabase *database;
  bool has_own_database; /* set by the application, perhaps to NULL */
  GTlsInteraction *interaction;
  GTlsCertificate *certificate;
  bool requires_close_notify;
  int rehandshake_mode; /* a GTlsRehandshakeMode, kept without effect */
  char **advertised_protocols;
  char *negotiated_protocol;
  MoatContext *context;
  GSocketAddress *peer_address;
  GBytes *session; /* the application's, to be offered instead of one of ours */

  guint mtu;
  guint handshake_timeout;
  guint retransmission_timeout;
  guint max_certificate_size;
  guint replay_window;
  bool requires_extended_master_secret;
};

#define MOAT_CONNECTION_GET_CLASS(object)                                                          \
  G_TYPE_INSTANCE_GET_CLASS (object, MOAT_TYPE_CONNECTION, MoatConnectionClass)

/* The first I/O, if it has not been. */
void moat_connection_begin (MoatConnection *self);
/* (transfer full) (nullable): the one set, or the default one if none was. */
GTlsDatabase *moat_connection_dup_database (MoatConnection *self);
GTlsInteraction *moat_connection_dup_interaction (MoatConnection *self);
/* (transfer full) (nullable) */
GSocketAddress *moat_connection_dup_peer_address (MoatConnection *self);

/* (transfer full): the one set, or the default one. */
MoatContext *moat_connection_dup_context (MoatConnection *self);
/* (transfer full) (nullable) */
GBytes *moat_connection_dup_own_session (MoatConnection *self);

/* Puts `fresh` in the place of an object; the old one goes when nothing is locked. */
void moat_connection_exchange_object (MoatConnection *self, gpointer *place, gpointer fresh);
void moat_connection_use_protocols (MoatConnection *self, const char *const *protocols);
/* A certificate that cannot be used is taken all the same, and tells the caller why. */
bool moat_connection_use_certificate (MoatConnection *self, GTlsCertificate *certificate,
                                      GError **error);

/* Tells about the properties that change with the state. */
void moat_connection_notify_state (MoatConnection *self);
void moat_connection_notify_peer (MoatConnection *self);
