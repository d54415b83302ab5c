/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What only a server has: whether it asks clients for certificates, and for a proof of their
 * address. */

#include "moat/moat-server-connection.h"

#include "gio/authorities.h"
#include "gio/connection.h"

struct _MoatServerConnectionClass
{
  MoatConnectionClass parent_class;
};

struct _MoatServerConnection
{
  MoatConnection parent_instance;

  /* Under the parent's lock. */
  GTlsAuthenticationMode authentication_mode;
  enum
  {
    COOKIES_BY_BASE,
    COOKIES_ON,
    COOKIES_OFF,
  } cookies;
};

typedef enum
{
  PROP_AUTHENTICATION_MODE = 1,
  PROP_COOKIES,
  N_PROPS,
} MoatServerConnectionProperty;

static GParamSpec *props[N_PROPS];

static void moat_server_connection_init_dtls_server (gpointer interface, gpointer data);

G_DEFINE_FINAL_TYPE_WITH_CODE (MoatServerConnection, moat_server_connection, MOAT_TYPE_CONNECTION,
                               G_IMPLEMENT_INTERFACE (G_TYPE_DTLS_SERVER_CONNECTION,
                                                      moat_server_connection_init_dtls_server))

static void
moat_server_connection_init_dtls_server (G_GNUC_UNUSED gpointer interface,
                                         G_GNUC_UNUSED gpointer data)
{
  /* The interface has properties only. */
}

/* --------------------------------------------------------------------------- a server's answers */

/* On an unconnected socket the proof is what tells the client from everybody else. */
static bool
uses_cookies (MoatServerConnection *self)
{
  MoatConnection *connection = &self->parent_instance;
  bool is_on_socket = G_IS_SOCKET (connection->base_socket);
  bool uses;

  if (moat_base_is_unconnected_socket (&connection->pump.base))
    return true;

  g_mutex_lock (&connection->lock);
  uses = self->cookies == COOKIES_ON || (self->cookies == COOKIES_BY_BASE && is_on_socket);
  g_mutex_unlock (&connection->lock);

  return uses;
}

static MoatAddressRule
moat_server_connection_address_rule (MoatConnection *connection)
{
  return uses_cookies (MOAT_SERVER_CONNECTION (connection)) ? MOAT_ADDRESS_MUST_BE_PROVED
                                                            : MOAT_ADDRESS_IS_TRUSTED;
}

/* A certificate may come later; one that is there must be of use. */
static bool
moat_server_connection_check (MoatConnection *connection, GError **error)
{
  bool is_good = true;

  g_mutex_lock (&connection->pump.control);
  if (connection->pump.credential_problem != NULL)
    {
      g_propagate_error (error, g_error_copy (connection->pump.credential_problem));
      is_good = false;
    }
  g_mutex_unlock (&connection->pump.control);

  return is_good;
}

static enum dtls_client_auth
client_auth (MoatServerConnection *self)
{
  GTlsAuthenticationMode mode;

  g_mutex_lock (&self->parent_instance.lock);
  mode = self->authentication_mode;
  g_mutex_unlock (&self->parent_instance.lock);

  switch (mode)
    {
    case G_TLS_AUTHENTICATION_REQUESTED:
      return DTLS_CLIENT_AUTH_REQUESTED;
    case G_TLS_AUTHENTICATION_REQUIRED:
      return DTLS_CLIENT_AUTH_REQUIRED;
    default:
      return DTLS_CLIENT_AUTH_NONE;
    }
}

static void
moat_server_connection_configure (MoatConnection *connection, MoatConfig *config)
{
  g_autoptr (GTlsDatabase) database = NULL;

  config->engine.client_auth = client_auth (MOAT_SERVER_CONNECTION (connection));
  if (config->engine.client_auth == DTLS_CLIENT_AUTH_NONE)
    return;

  database = moat_connection_dup_database (connection);
  moat_config_take_authorities (config, moat_authorities_of (database));
}

/* Clients have no name that anybody could have expected. */
static GSocketConnectable *
moat_server_connection_dup_identity (G_GNUC_UNUSED MoatConnection *connection)
{
  return NULL;
}

/* GDtlsConnection::accept-certificate: on the server side the application always decides. */
static bool
moat_server_connection_must_ask (G_GNUC_UNUSED MoatConnection *connection,
                                 G_GNUC_UNUSED GTlsCertificateFlags errors)
{
  return true;
}

static GBytes *
moat_server_connection_make_session_key (G_GNUC_UNUSED MoatConnection *connection,
                                         GBytes **out_leaf)
{
  *out_leaf = NULL;

  return NULL;
}

static void
moat_server_connection_handshake_over (G_GNUC_UNUSED MoatConnection *connection)
{
  /* A server has nothing more to tell than every connection. */
}

/* ----------------------------------------------------------------------------------- the object */

static void
moat_server_connection_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  MoatServerConnection *self = MOAT_SERVER_CONNECTION (object);

  switch ((MoatServerConnectionProperty) id)
    {
    case PROP_AUTHENTICATION_MODE:
      g_mutex_lock (&self->parent_instance.lock);
      g_value_set_enum (value, self->authentication_mode);
      g_mutex_unlock (&self->parent_instance.lock);
      break;
    case PROP_COOKIES:
      g_value_set_boolean (value, uses_cookies (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
moat_server_connection_set_property (GObject *object, guint id, const GValue *value,
                                     GParamSpec *pspec)
{
  MoatServerConnection *self = MOAT_SERVER_CONNECTION (object);

  switch ((MoatServerConnectionProperty) id)
    {
    case PROP_AUTHENTICATION_MODE:
      g_mutex_lock (&self->parent_instance.lock);
      self->authentication_mode = g_value_get_enum (value);
      g_mutex_unlock (&self->parent_instance.lock);
      break;
    case PROP_COOKIES:
      g_mutex_lock (&self->parent_instance.lock);
      self->cookies = g_value_get_boolean (value) ? COOKIES_ON : COOKIES_OFF;
      g_mutex_unlock (&self->parent_instance.lock);
      g_object_notify_by_pspec (object, props[PROP_COOKIES]);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
moat_server_connection_class_init (MoatServerConnectionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  MoatConnectionClass *connection_class = &class->parent_class;

  object_class->get_property = moat_server_connection_get_property;
  object_class->set_property = moat_server_connection_set_property;

  connection_class->role = DTLS_SERVER;
  connection_class->check = moat_server_connection_check;
  connection_class->configure = moat_server_connection_configure;
  connection_class->address_rule = moat_server_connection_address_rule;
  connection_class->dup_identity = moat_server_connection_dup_identity;
  connection_class->must_ask = moat_server_connection_must_ask;
  connection_class->make_session_key = moat_server_connection_make_session_key;
  connection_class->handshake_over = moat_server_connection_handshake_over;

  g_object_class_override_property (object_class, PROP_AUTHENTICATION_MODE, "authentication-mode");
  props[PROP_COOKIES] =
      g_param_spec_boolean ("cookies", NULL, NULL, TRUE,
                            G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property (object_class, PROP_COOKIES, props[PROP_COOKIES]);
}

static void
moat_server_connection_init (MoatServerConnection *self)
{
  self->authentication_mode = G_TLS_AUTHENTICATION_NONE;
}

MoatServerConnection *
moat_server_connection_new (GDatagramBased *base, GTlsCertificate *certificate, GError **error)
{
  g_return_val_if_fail (G_IS_DATAGRAM_BASED (base), NULL);
  g_return_val_if_fail (certificate == NULL || G_IS_TLS_CERTIFICATE (certificate), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (MOAT_TYPE_SERVER_CONNECTION, NULL, error, "base-socket", base,
                         "certificate", certificate, NULL);
}
