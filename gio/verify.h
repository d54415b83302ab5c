/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is to be thought of a peer's certificate chain. It calls databases and signal handlers,
 * so nobody who uses it holds a lock. */

#pragma once

#include "dtls.h"

#include <gio/gio.h>

typedef struct
{
  enum dtls_role peer_role;
  GPtrArray *ders;              /* (element-type GBytes): the chain, leaf first */
  GTlsDatabase *database;       /* (nullable) */
  GSocketConnectable *identity; /* (nullable): whom the peer must be */
  bool must_be_identified;
  GTlsInteraction *interaction; /* (nullable) */

  GTlsCertificate *certificate; /* the chain as objects; made by moat_inquiry_new */
} MoatInquiry;

/* Takes all but the certificate from `facts`, with new references, and makes the objects. NULL with
 * G_TLS_ERROR_BAD_CERTIFICATE for a chain that the host backend cannot read. */
MoatInquiry *moat_inquiry_new (const MoatInquiry *facts, GError **error);
void moat_inquiry_free (MoatInquiry *self);

/* The flags; an error means that the database could not tell (and the flags say so too). */
GTlsCertificateFlags moat_inquiry_ask (MoatInquiry *self, GCancellable *cancellable,
                                       GError **error);

/* Whether the database has a way of its own to be asked asynchronously. */
bool moat_inquiry_can_ask_async (const MoatInquiry *self);
void moat_inquiry_ask_async (MoatInquiry *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
GTlsCertificateFlags moat_inquiry_ask_finish (MoatInquiry *self, GAsyncResult *result,
                                              GError **error);

/* The alert that tells a peer why its certificate was rejected. */
uint8_t moat_verify_alert (GTlsCertificateFlags errors);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MoatInquiry, moat_inquiry_free)
