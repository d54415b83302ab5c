/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which binding there is when, and what its absence is called. */

#include "gio/binding.h"

#include "gio/connection.h"

#include <string.h>

enum
{
  MAX_BINDING = 64,      /* RFC 5929 §4.1: a hash, SHA-512 at most */
  EXPORTER_BINDING = 32, /* RFC 9266 §4.2 */
};

static const struct bytes exporter_label = { (const uint8_t *) "EXPORTER-Channel-Binding",
                                             sizeof "EXPORTER-Channel-Binding" - 1 };

typedef struct
{
  uint8_t bytes[MAX_BINDING];
  size_t len;
  GTlsChannelBindingError error; /* when `len` is 0 */
} Binding;

static void
export_binding (const struct dtls_conn *conn, Binding *binding)
{
  const struct bytes empty = { (const uint8_t *) "", 0 };

  /* RFC 9266 §3: without the extended master secret it would bind to nothing in 1.2. */
  if (dtls_conn_version (conn) == DTLS_1_2 && !dtls_conn_has_extended_master_secret (conn))
    {
      binding->error = G_TLS_CHANNEL_BINDING_ERROR_NOT_AVAILABLE;
      return;
    }

  if (dtls_conn_export (conn, exporter_label, &empty, binding->bytes, EXPORTER_BINDING) == DTLS_OK)
    binding->len = EXPORTER_BINDING;
  else
    binding->error = G_TLS_CHANNEL_BINDING_ERROR_GENERAL_ERROR;
}

/* Under all locks, while connected. */
static void
read_binding (const struct dtls_conn *conn, GTlsChannelBindingType type, Binding *binding)
{
  switch (type)
    {
    case G_TLS_CHANNEL_BINDING_TLS_UNIQUE:
      /* RFC 9846 §C.5: it is not defined for 1.3. */
      binding->len = dtls_conn_tls_unique (conn, binding->bytes);
      binding->error = dtls_conn_version (conn) == DTLS_1_3
                           ? G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED
                           : G_TLS_CHANNEL_BINDING_ERROR_NOT_AVAILABLE;
      break;
    case G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT:
      /* RFC 5929 §4.1: undefined for a signature with no or with several hash functions. */
      binding->len = dtls_conn_server_end_point (conn, binding->bytes);
      binding->error = G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED;
      break;
    case G_TLS_CHANNEL_BINDING_TLS_EXPORTER:
      export_binding (conn, binding);
      break;
    default:
      binding->error = G_TLS_CHANNEL_BINDING_ERROR_NOT_IMPLEMENTED;
      break;
    }
}

static const char *
text_of (GTlsChannelBindingError error)
{
  switch (error)
    {
    case G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE:
      return "There is no channel binding without a connection";
    case G_TLS_CHANNEL_BINDING_ERROR_NOT_IMPLEMENTED:
      return "The channel binding type is not implemented";
    case G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED:
      return "The server's certificate has no end-point binding";
    case G_TLS_CHANNEL_BINDING_ERROR_NOT_AVAILABLE:
      return "This connection has no such channel binding";
    default:
      return "The channel binding could not be made";
    }
}

gboolean
moat_binding_get_data (GDtlsConnection *object, GTlsChannelBindingType type, GByteArray *data,
                       GError **error)
{
  MoatConnection *self = MOAT_CONNECTION (object);
  Binding binding = { .error = G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE };
  bool is_known;

  moat_pump_lock_all (&self->pump);
  if (self->pump.phase == MOAT_PHASE_CONNECTED)
    read_binding (self->pump.conn, type, &binding);
  moat_pump_unlock_all (&self->pump);

  /* Without `data` the question is only whether the type is known. */
  is_known = binding.error != G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE
             && binding.error != G_TLS_CHANNEL_BINDING_ERROR_NOT_IMPLEMENTED;
  if (data == NULL && is_known)
    return TRUE;

  if (binding.len == 0)
    {
      g_set_error_literal (error, G_TLS_CHANNEL_BINDING_ERROR, binding.error,
                           text_of (binding.error));
      return FALSE;
    }

  if (data != NULL)
    {
      g_byte_array_set_size (data, 0);
      g_byte_array_append (data, binding.bytes, (guint) binding.len);
    }
  explicit_bzero (binding.bytes, sizeof binding.bytes);

  return TRUE;
}
