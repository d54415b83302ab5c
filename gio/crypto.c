/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Cookie keys are random and change every minute; a cookie is good under the current key and the
 * one before, so a client has one to two minutes to return it (RFC 6347 §4.2.1). */

#include "gio/crypto.h"

#include <glib.h>
#include <string.h>

#define COOKIE_KEY_LIFE (60 * DTLS_SECOND)

struct dtls_crypto *
moat_crypto_get (void)
{
  static gsize is_made;
  static struct dtls_crypto *crypto;

  if (g_once_init_enter (&is_made))
    {
      crypto = dtls_crypto_new ();
      g_once_init_leave (&is_made, 1);
    }

  return crypto;
}

static bool
rotate (struct dtls_cookie_keys *keys, bool is_first)
{
  struct dtls_crypto *crypto = moat_crypto_get ();
  uint8_t fresh[sizeof keys->current];

  if (!dtls_crypto_random (crypto, fresh, sizeof fresh))
    return false;

  keys->crypto = crypto;
  memcpy (keys->previous, is_first ? fresh : keys->current, sizeof keys->previous);
  memcpy (keys->current, fresh, sizeof keys->current);
  explicit_bzero (fresh, sizeof fresh);

  return true;
}

bool
moat_crypto_get_cookie_keys (dtls_time now, struct dtls_cookie_keys *out_keys)
{
  static GMutex lock;
  static struct dtls_cookie_keys keys;
  static dtls_time changed_at;
  bool is_good = true;

  g_mutex_lock (&lock);
  if (keys.crypto == NULL || now - changed_at >= COOKIE_KEY_LIFE)
    {
      bool is_first = keys.crypto == NULL || now - changed_at >= 2 * COOKIE_KEY_LIFE;

      /* Whoever comes after a failure tries again. */
      is_good = rotate (&keys, is_first);
      if (is_good)
        changed_at = now;
    }
  *out_keys = keys;
  g_mutex_unlock (&lock);

  return is_good;
}
