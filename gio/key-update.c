/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* New keys because the application wants them. */

#include "gio/connection.h"
#include "gio/news.h"

static bool
may_update (MoatConnection *self, GError **error)
{
  const char *version;

  if (moat_pump_is_closed (&self->pump))
    {
      moat_error_set_closed (error);
      return false;
    }

  version = moat_connection_get_dtls_version (self);
  if (g_strcmp0 (version, "1.2") != 0)
    return true;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "DTLS 1.2 has no key updates");
  return false;
}

gboolean
moat_connection_update_keys (MoatConnection *self, gboolean request_peer, GError **error)
{
  enum dtls_key_update update = request_peer ? DTLS_KEY_UPDATE_BOTH : DTLS_KEY_UPDATE_OURS;
  MoatFailure failure = { .peer_alert = -1 };
  GError *problem;

  g_return_val_if_fail (MOAT_IS_CONNECTION (self), FALSE);

  if (!may_update (self, error))
    return FALSE;

  failure.error = moat_pump_update_keys (&self->pump, update);
  if (failure.error == DTLS_OK)
    {
      /* It is repeated until the peer acknowledges it. */
      moat_handshake_drive (self, NULL);
      moat_news_attend (self, MOAT_CALLER_POLLS, NULL);
      return TRUE;
    }

  problem = moat_handshake_dup_error (self, MOAT_MAY_NOT_TIME_OUT);
  g_propagate_error (error,
                     problem != NULL ? problem : moat_error_new (&failure, MOAT_MAY_NOT_TIME_OUT));
  return FALSE;
}
