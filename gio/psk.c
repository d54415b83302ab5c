/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the engine would refuse is refused when it is set, where somebody is told. */

#include "gio/psk.h"

#include "gio/secret.h"

/* -------------------------------------------------------------------------------- a client's key */

struct _MoatPsk
{
  GBytes *identity; /* (owned) */
  GBytes *key;      /* (owned) */
  struct dtls_psk psk;
};

MoatPsk *
moat_psk_new (GBytes *identity, GBytes *key, GError **error)
{
  gsize identity_len = g_bytes_get_size (identity);
  gsize key_len = g_bytes_get_size (key);
  MoatPsk *self;

  if (identity_len == 0 || identity_len > DTLS_MAX_PSK_IDENTITY_LEN || key_len == 0
      || key_len > DTLS_MAX_PSK_LEN)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "A pre-shared key has 1 to %d bytes and an identity of 1 to %d",
                   DTLS_MAX_PSK_LEN, DTLS_MAX_PSK_IDENTITY_LEN);
      return NULL;
    }

  self = g_atomic_rc_box_new0 (MoatPsk);
  self->identity = g_bytes_ref (identity);
  self->key = moat_secret_new (moat_bytes_view (key));
  self->psk = (struct dtls_psk){
    .identity = moat_bytes_view (self->identity),
    .key = moat_bytes_view (self->key),
    .role = DTLS_CLIENT,
  };

  return self;
}

MoatPsk *
moat_psk_ref (MoatPsk *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
psk_clear (MoatPsk *self)
{
  g_bytes_unref (self->identity);
  g_bytes_unref (self->key);
}

void
moat_psk_unref (MoatPsk *self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify) psk_clear);
}

const struct dtls_psk *
moat_psk_get (const MoatPsk *self)
{
  return &self->psk;
}

bool
moat_psk_is_named (const MoatPsk *self, GBytes *identity)
{
  return g_bytes_equal (self->identity, identity);
}

/* ------------------------------------------------------------------------------- a server's keys */

struct _MoatPskLookup
{
  MoatPskFunc func;
  gpointer data;
  GDestroyNotify destroy; /* (nullable) */
};

MoatPskLookup *
moat_psk_lookup_new (MoatPskFunc func, gpointer data, GDestroyNotify destroy)
{
  MoatPskLookup *self;

  if (func == NULL)
    return NULL;

  self = g_atomic_rc_box_new (MoatPskLookup);
  *self = (MoatPskLookup){ func, data, destroy };

  return self;
}

MoatPskLookup *
moat_psk_lookup_ref (MoatPskLookup *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
lookup_clear (MoatPskLookup *self)
{
  if (self->destroy != NULL)
    self->destroy (self->data);
}

void
moat_psk_lookup_unref (MoatPskLookup *self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify) lookup_clear);
}

GBytes *
moat_psk_lookup_find (MoatPskLookup *self, MoatContext *context, GBytes *identity)
{
  return self->func (context, identity, self->data);
}
