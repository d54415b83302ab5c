/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What only a client has: whom it wants to talk to, what it lets pass, and what the server asked
 * for. */

#include "moat/moat-client-connection.h"

#include "gio/connection.h"
#include "gio/identity.h"
#include "gio/session-key.h"

struct _MoatClientConnectionClass
{
  MoatConnectionClass parent_class;
};

struct _MoatClientConnection
{
  MoatConnection parent_instance;

  /* Under the parent's lock. */
  GTlsCertificateFlags validation_flags;
  GSocketConnectable *identity; /* (owned) (nullable) */
};

typedef enum
{
  PROP_VALIDATION_FLAGS = 1,
  PROP_SERVER_IDENTITY,
  PROP_ACCEPTED_CAS,
} MoatClientConnectionProperty;

static void moat_client_connection_init_dtls_client (gpointer interface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE (MoatClientConnection, moat_client_connection, MOAT_TYPE_CONNECTION,
                               G_IMPLEMENT_INTERFACE (G_TYPE_DTLS_CLIENT_CONNECTION,
                                                      moat_client_connection_init_dtls_client))

static void
moat_client_connection_init_dtls_client (G_GNUC_UNUSED gpointer interface,
                                         G_GNUC_UNUSED gpointer data)
{
  /* The interface has properties only. */
}

/* --------------------------------------------------------------------------- a client's answers */

static bool
moat_client_connection_check (MoatConnection *connection, GError **error)
{
  if (!moat_base_is_unconnected_socket (&connection->pump.base))
    return true;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
                       "A DTLS client needs a socket that is connected to its server");
  return false;
}

static GSocketConnectable *
moat_client_connection_dup_identity (MoatConnection *connection)
{
  MoatClientConnection *self = MOAT_CLIENT_CONNECTION (connection);
  GSocketConnectable *identity = NULL;

  g_mutex_lock (&connection->lock);
  g_set_object (&identity, self->identity);
  g_mutex_unlock (&connection->lock);

  return identity;
}

static guint16
port_of_server (const MoatConnection *connection)
{
  g_autoptr (GSocketAddress) address = moat_base_dup_peer (&connection->pump.base);

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return 0;

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

/* (transfer full) (nullable): our certificate, DER. */
static GBytes *
dup_leaf (MoatConnection *connection)
{
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GByteArray) der = NULL;

  g_mutex_lock (&connection->lock);
  g_set_object (&certificate, connection->certificate);
  g_mutex_unlock (&connection->lock);

  if (certificate != NULL)
    g_object_get (certificate, "certificate", &der, NULL);

  return der != NULL ? g_bytes_new (der->data, der->len) : NULL;
}

static GBytes *
moat_client_connection_make_session_key (MoatConnection *connection, GBytes **out_leaf)
{
  g_autoptr (GSocketConnectable) identity = moat_client_connection_dup_identity (connection);
  g_autoptr (GTlsDatabase) database = NULL;
  g_auto (GStrv) protocols = NULL;
  MoatSessionFacts facts = { .identity = identity, .port = port_of_server (connection) };

  *out_leaf = NULL;

  g_mutex_lock (&connection->lock);
  facts.flags = MOAT_CLIENT_CONNECTION (connection)->validation_flags;
  protocols = g_strdupv (connection->advertised_protocols);
  g_mutex_unlock (&connection->lock);

  if (!moat_session_key_may_be (&facts))
    return NULL;

  database = moat_connection_dup_database (connection);
  facts.database = database;
  facts.leaf = *out_leaf = dup_leaf (connection);
  facts.protocols = protocols;

  return moat_session_key_new (&facts);
}

/* The application's own, whoever trusts it; or one of ours that was made under the same conditions. */
static void
offer_session (MoatConnection *connection, MoatConfig *config)
{
  g_autoptr (GBytes) own = moat_connection_dup_own_session (connection);
  g_autoptr (GBytes) session = NULL;
  g_autoptr (GBytes) key = NULL;

  if (own != NULL)
    {
      moat_config_take_session (config, g_steal_pointer (&own));
      return;
    }
  if (!config->settings.keeps_sessions)
    return;

  key = moat_client_connection_make_session_key (connection, &config->session_leaf);
  if (key != NULL)
    session = moat_sessions_take (moat_context_get_sessions (config->context), key);
  moat_config_take_session (config, g_steal_pointer (&session));
  config->session_key = g_steal_pointer (&key);
}

static void
moat_client_connection_configure (MoatConnection *connection, MoatConfig *config)
{
  g_autoptr (GSocketConnectable) identity = moat_client_connection_dup_identity (connection);

  if (identity != NULL)
    moat_config_take_server_name (config, moat_identity_server_name (identity));
  offer_session (connection, config);
}

/* RFC 6347 §4.2.1: it is the server who asks for a proof. */
static MoatAddressRule
moat_client_connection_address_rule (G_GNUC_UNUSED MoatConnection *connection)
{
  return MOAT_ADDRESS_IS_TRUSTED;
}

static bool
moat_client_connection_must_ask (MoatConnection *connection, GTlsCertificateFlags errors)
{
  MoatClientConnection *self = MOAT_CLIENT_CONNECTION (connection);
  GTlsCertificateFlags serious;

  g_mutex_lock (&connection->lock);
  serious = errors & self->validation_flags;
  g_mutex_unlock (&connection->lock);

  return serious != 0;
}

static void
moat_client_connection_handshake_over (MoatConnection *connection)
{
  g_object_notify (G_OBJECT (connection), "accepted-cas");
}

/* GDtlsClientConnection's getter hands the list and its arrays to the caller. */
static GList *
copy_accepted_cas (MoatPump *pump)
{
  GList *names = NULL;
  size_t n = 0;

  moat_pump_lock_all (pump);
  if (pump->conn != NULL && dtls_conn_was_asked_for_certificate (pump->conn))
    n = dtls_conn_n_authorities (pump->conn);
  for (size_t i = n; i > 0; i--)
    {
      struct bytes name = dtls_conn_authority (pump->conn, i - 1);
      GByteArray *array = g_byte_array_sized_new ((guint) name.left);

      g_byte_array_append (array, name.at, (guint) name.left);
      names = g_list_prepend (names, array);
    }
  moat_pump_unlock_all (pump);

  return names;
}

/* ----------------------------------------------------------------------------------- the object */

static void
moat_client_connection_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  MoatClientConnection *self = MOAT_CLIENT_CONNECTION (object);
  MoatConnection *connection = &self->parent_instance;

  switch ((MoatClientConnectionProperty) id)
    {
    case PROP_VALIDATION_FLAGS:
      g_mutex_lock (&connection->lock);
      g_value_set_flags (value, self->validation_flags);
      g_mutex_unlock (&connection->lock);
      break;
    case PROP_SERVER_IDENTITY:
      g_value_take_object (value, moat_client_connection_dup_identity (connection));
      break;
    case PROP_ACCEPTED_CAS:
      g_value_set_pointer (value, copy_accepted_cas (&connection->pump));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
moat_client_connection_set_property (GObject *object, guint id, const GValue *value,
                                     GParamSpec *pspec)
{
  MoatClientConnection *self = MOAT_CLIENT_CONNECTION (object);
  MoatConnection *connection = &self->parent_instance;
  g_autoptr (GSocketConnectable) old = NULL;

  switch ((MoatClientConnectionProperty) id)
    {
    case PROP_VALIDATION_FLAGS:
      g_mutex_lock (&connection->lock);
      self->validation_flags = g_value_get_flags (value);
      g_mutex_unlock (&connection->lock);
      break;
    case PROP_SERVER_IDENTITY:
      g_mutex_lock (&connection->lock);
      old = self->identity;
      self->identity = g_value_dup_object (value);
      g_mutex_unlock (&connection->lock);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
moat_client_connection_finalize (GObject *object)
{
  g_clear_object (&MOAT_CLIENT_CONNECTION (object)->identity);

  G_OBJECT_CLASS (moat_client_connection_parent_class)->finalize (object);
}

static void
moat_client_connection_class_init (MoatClientConnectionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  MoatConnectionClass *connection_class = &class->parent_class;

  object_class->get_property = moat_client_connection_get_property;
  object_class->set_property = moat_client_connection_set_property;
  object_class->finalize = moat_client_connection_finalize;

  connection_class->role = DTLS_CLIENT;
  connection_class->check = moat_client_connection_check;
  connection_class->configure = moat_client_connection_configure;
  connection_class->address_rule = moat_client_connection_address_rule;
  connection_class->dup_identity = moat_client_connection_dup_identity;
  connection_class->must_ask = moat_client_connection_must_ask;
  connection_class->make_session_key = moat_client_connection_make_session_key;
  connection_class->handshake_over = moat_client_connection_handshake_over;

  g_object_class_override_property (object_class, PROP_VALIDATION_FLAGS, "validation-flags");
  g_object_class_override_property (object_class, PROP_SERVER_IDENTITY, "server-identity");
  g_object_class_override_property (object_class, PROP_ACCEPTED_CAS, "accepted-cas");
}

static void
moat_client_connection_init (MoatClientConnection *self)
{
  self->validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL;
}

MoatClientConnection *
moat_client_connection_new (GDatagramBased *base, GSocketConnectable *identity, GError **error)
{
  g_return_val_if_fail (G_IS_DATAGRAM_BASED (base), NULL);
  g_return_val_if_fail (identity == NULL || G_IS_SOCKET_CONNECTABLE (identity), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (MOAT_TYPE_CLIENT_CONNECTION, NULL, error, "base-socket", base,
                         "server-identity", identity, NULL);
}
