/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Pre-shared keys: the one that a client has, and the function that finds a server's. Both are immutable
 * and counted. */

#pragma once

#include "dtls.h"
#include "moat/moat-context.h"

typedef struct _MoatPsk MoatPsk;

/* (transfer full) (nullable): NULL with G_IO_ERROR_INVALID_ARGUMENT for what no peer could take. */
MoatPsk *moat_psk_new (GBytes *identity, GBytes *key, GError **error);
MoatPsk *moat_psk_ref (MoatPsk *self);
void moat_psk_unref (MoatPsk *self);
/* Good as long as the object is. */
const struct dtls_psk *moat_psk_get (const MoatPsk *self);
bool moat_psk_is_named (const MoatPsk *self, GBytes *identity);

typedef struct _MoatPskLookup MoatPskLookup;

/* (transfer full) (nullable): NULL for no `func`. */
MoatPskLookup *moat_psk_lookup_new (MoatPskFunc func, gpointer data, GDestroyNotify destroy);
MoatPskLookup *moat_psk_lookup_ref (MoatPskLookup *self);
void moat_psk_lookup_unref (MoatPskLookup *self);
/* (transfer full) (nullable): the key of that name. */
GBytes *moat_psk_lookup_find (MoatPskLookup *self, MoatContext *context, GBytes *identity);
