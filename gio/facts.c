/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Everything is asked of the engine when it is asked of us, and NULL again when the connection is closed or
 * over, as GDtlsConnection says of its own. */

#include "gio/facts.h"

#include "gio/connection.h"
#include "gio/transfer.h"

MoatNegotiated
moat_facts_of (MoatConnection *self)
{
  MoatPump *pump = &self->pump;
  MoatNegotiated values = { .protocol = G_TLS_PROTOCOL_VERSION_UNKNOWN };

  moat_pump_lock_all (pump);
  if (pump->phase == MOAT_PHASE_CONNECTED && !(pump->is_read_shut && pump->is_write_shut))
    {
      values.suite = dtls_suite_name (dtls_conn_suite (pump->conn));
      values.is_resumed = dtls_conn_is_resumed (pump->conn);
      values.version = dtls_conn_version (pump->conn) == DTLS_1_3 ? "1.3" : "1.2";
      /* GLib has no value for what came after it. */
      if (dtls_conn_version (pump->conn) == DTLS_1_2)
        values.protocol = G_TLS_PROTOCOL_VERSION_DTLS_1_2;
    }
  moat_pump_unlock_all (pump);

  return values;
}

const char *
moat_connection_get_dtls_version (MoatConnection *self)
{
  g_return_val_if_fail (MOAT_IS_CONNECTION (self), NULL);

  return moat_facts_of (self).version;
}

guint
moat_connection_get_max_payload (MoatConnection *self)
{
  g_return_val_if_fail (MOAT_IS_CONNECTION (self), 0);

  if (moat_pump_is_closed (&self->pump))
    return 0;

  return (guint) moat_transfer_max_payload (&self->pump);
}

const char *
moat_facts_get_negotiated_protocol (GDtlsConnection *object)
{
  MoatConnection *self = MOAT_CONNECTION (object);
  g_autofree char *fresh = NULL;
  const char *protocol;

  moat_pump_lock_all (&self->pump);
  if (self->pump.phase == MOAT_PHASE_CONNECTED)
    {
      struct bytes alpn = dtls_conn_alpn (self->pump.conn);

      if (alpn.left > 0)
        fresh = g_strndup ((const char *) alpn.at, alpn.left);
    }
  moat_pump_unlock_all (&self->pump);

  g_mutex_lock (&self->lock);
  if (self->negotiated_protocol == NULL)
    self->negotiated_protocol = g_steal_pointer (&fresh);
  protocol = self->negotiated_protocol;
  g_mutex_unlock (&self->lock);

  return protocol;
}

GTlsCertificateFlags
moat_facts_dup_peer (MoatConnection *self, GTlsCertificate **out_certificate)
{
  GTlsCertificateFlags errors = 0;

  g_mutex_lock (&self->pump.control);
  if (self->pump.phase == MOAT_PHASE_CONNECTED || self->pump.phase == MOAT_PHASE_OVER)
    {
      errors = self->handshake.peer_errors;
      if (out_certificate != NULL)
        g_set_object (out_certificate, self->handshake.peer);
    }
  g_mutex_unlock (&self->pump.control);

  return errors;
}

gboolean
moat_connection_get_session_resumed (MoatConnection *self)
{
  g_return_val_if_fail (MOAT_IS_CONNECTION (self), FALSE);

  return moat_facts_of (self).is_resumed;
}

GBytes *
moat_connection_dup_psk_identity (MoatConnection *self)
{
  GBytes *identity = NULL;

  g_return_val_if_fail (MOAT_IS_CONNECTION (self), NULL);

  moat_pump_lock_all (&self->pump);
  if (self->pump.phase == MOAT_PHASE_CONNECTED && dtls_conn_has_psk (self->pump.conn))
    {
      struct bytes name = dtls_conn_psk_identity (self->pump.conn);

      identity = g_bytes_new (name.at, name.left);
    }
  moat_pump_unlock_all (&self->pump);

  return identity;
}

GBytes *
moat_connection_dup_session (MoatConnection *self)
{
  GBytes *session = NULL;

  g_return_val_if_fail (MOAT_IS_CONNECTION (self), NULL);

  g_mutex_lock (&self->pump.control);
  if (self->pump.session != NULL)
    session = g_bytes_ref (self->pump.session);
  g_mutex_unlock (&self->pump.control);

  return session;
}
