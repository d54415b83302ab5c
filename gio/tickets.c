/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The keys of a period follow from one secret, so that all who have it have the same keys at the same
 * time without talking to each other. */

#include "gio/tickets.h"

#include "gio/crypto.h"
#include "gio/secret.h"

#include <string.h>

enum
{
  MAX_CACHED_SESSIONS = 1024,
  MAX_CACHED_BYTES = 1024 * 1024,
};

void
moat_tickets_init (MoatTickets *self)
{
  g_mutex_init (&self->lock);
}

void
moat_tickets_clear (MoatTickets *self)
{
  explicit_bzero (self->secret, sizeof self->secret);
  explicit_bzero (self->keys, sizeof self->keys);
  dtls_session_cache_free (self->cache);
  g_mutex_clear (&self->lock);
}

/* A longer secret is brought to the length that the engine wants. */
static void
condense (GBytes *secret, uint8_t out[MOAT_TICKET_SECRET_LEN])
{
  struct bytes bytes = moat_bytes_view (secret);
  gsize len = MOAT_TICKET_SECRET_LEN;
  GChecksum *sum;

  if (bytes.left == MOAT_TICKET_SECRET_LEN)
    {
      memcpy (out, bytes.at, MOAT_TICKET_SECRET_LEN);
      return;
    }

  sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (sum, bytes.at, (gssize) bytes.left);
  g_checksum_get_digest (sum, out, &len);
  g_checksum_free (sum);
}

void
moat_tickets_set_secret (MoatTickets *self, GBytes *secret)
{
  g_mutex_lock (&self->lock);
  condense (secret, self->secret);
  self->has_secret = true;
  explicit_bzero (self->keys, sizeof self->keys);
  self->has_keys = false;
  g_mutex_unlock (&self->lock);
}

static bool
make_key (struct dtls_ticket_key *key)
{
  struct dtls_crypto *crypto = moat_crypto_get ();

  return dtls_crypto_random (crypto, key->name, sizeof key->name)
         && dtls_crypto_random (crypto, key->secret, sizeof key->secret);
}

/* The key of the period before stays for the tickets that it made. Without one, also after a jump of the
 * clock, a key that made none takes its place. A clock that is set back a little counts as going on. */
static bool
turn_keys (MoatTickets *self, uint64_t period)
{
  bool goes_on = self->has_keys && (period == self->period + 1 || period + 1 == self->period);
  struct dtls_ticket_key fresh[MOAT_N_TICKET_KEYS] = { 0 };
  bool is_good = make_key (&fresh[0]) && make_key (&fresh[1]);

  if (goes_on)
    fresh[1] = self->keys[0];
  memcpy (self->keys, fresh, sizeof self->keys);
  explicit_bzero (fresh, sizeof fresh);

  return is_good;
}

/* Under the lock. Whoever comes after a failure tries again, with the keys of before gone. */
static bool
have_keys (MoatTickets *self, uint64_t period)
{
  if (self->has_keys && self->period == period)
    return true;

  if (self->has_secret)
    self->has_keys = dtls_ticket_keys_derive (moat_crypto_get (), self->secret, period, self->keys);
  else
    self->has_keys = turn_keys (self, period);
  self->period = period;

  return self->has_keys;
}

bool
moat_tickets_get_keys (MoatTickets *self, dtls_time wall_clock,
                       struct dtls_ticket_key out[MOAT_N_TICKET_KEYS])
{
  bool is_good;

  g_mutex_lock (&self->lock);
  is_good = have_keys (self, wall_clock / MOAT_TICKET_PERIOD);
  if (is_good)
    memcpy (out, self->keys, sizeof self->keys);
  g_mutex_unlock (&self->lock);

  return is_good;
}

void
moat_tickets_store (MoatTickets *self, struct bytes id, struct bytes session)
{
  g_mutex_lock (&self->lock);
  if (self->cache == NULL)
    self->cache = dtls_session_cache_new (MAX_CACHED_SESSIONS, MAX_CACHED_BYTES);
  if (self->cache != NULL)
    dtls_session_cache_store (self->cache, id, session);
  g_mutex_unlock (&self->lock);
}

bool
moat_tickets_find (MoatTickets *self, struct bytes id, struct dtls_buffer *out)
{
  struct bytes found = { NULL, 0 };

  g_mutex_lock (&self->lock);
  if (self->cache != NULL)
    found = dtls_session_cache_find (self->cache, id);
  if (found.left > out->capacity - out->used)
    found.left = 0;
  if (found.left > 0)
    memcpy (out->at + out->used, found.at, found.left);
  out->used += found.left;
  g_mutex_unlock (&self->lock);

  return found.left > 0;
}

void
moat_tickets_drop (MoatTickets *self, struct bytes id)
{
  g_mutex_lock (&self->lock);
  if (self->cache != NULL)
    dtls_session_cache_drop (self->cache, id);
  g_mutex_unlock (&self->lock);
}
