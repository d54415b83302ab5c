/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The GObject: properties, interface tables, the beginning and the end of its life. What it does
 * is in the other files. */

#include "gio/connection.h"

#include "gio/binding.h"
#include "gio/crypto.h"
#include "gio/datagram.h"
#include "gio/shutdown.h"
#include "gio/transfer.h"

enum
{
  MIN_MTU = 256,
  MAX_MTU = 65507, /* 65535 less the headers of IPv4 and UDP */
  DEFAULT_HANDSHAKE_TIMEOUT = 60000,
  DEFAULT_RETRANSMISSION_TIMEOUT = 400,
  DEFAULT_MAX_CERTIFICATE_SIZE = 100000,
  MAX_CERTIFICATE_SIZE =
      (1 << 24) - 1, /* RFC 5246 §7.4: a handshake message's length has 24 bits */
  MIN_REPLAY_WINDOW = 64,
  DEFAULT_REPLAY_WINDOW = 256,
  MAX_REPLAY_WINDOW = 4096,
};

typedef enum
{
  /* Of our own. */
  PROP_CONTEXT = 1,
  PROP_MTU,
  PROP_HANDSHAKE_TIMEOUT,
  PROP_RETRANSMISSION_TIMEOUT,
  PROP_MAX_CERTIFICATE_SIZE,
  PROP_REPLAY_WINDOW,
  PROP_REQUIRE_EXTENDED_MASTER_SECRET,
  PROP_DTLS_VERSION,
  PROP_MAX_PAYLOAD,
  N_OWN_PROPS,

  /* Of GDtlsConnection. */
  PROP_BASE_SOCKET = N_OWN_PROPS,
  PROP_DATABASE,
  PROP_INTERACTION,
  PROP_REQUIRE_CLOSE_NOTIFY,
  PROP_REHANDSHAKE_MODE,
  PROP_CERTIFICATE,
  PROP_PEER_CERTIFICATE,
  PROP_PEER_CERTIFICATE_ERRORS,
  PROP_ADVERTISED_PROTOCOLS,
  PROP_NEGOTIATED_PROTOCOL,
  PROP_PROTOCOL_VERSION,
  PROP_CIPHERSUITE_NAME,
} MoatConnectionProperty;

static GParamSpec *props[N_OWN_PROPS];

static void moat_connection_init_initable (gpointer interface, gpointer data);
static void moat_connection_init_dtls (gpointer interface, gpointer data);

G_DEFINE_ABSTRACT_TYPE_WITH_CODE (
    MoatConnection, moat_connection, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, moat_connection_init_initable)
        G_IMPLEMENT_INTERFACE (G_TYPE_DATAGRAM_BASED,
                               (GInterfaceInitFunc) moat_datagram_init_interface)
            G_IMPLEMENT_INTERFACE (G_TYPE_DTLS_CONNECTION, moat_connection_init_dtls))

/* --------------------------------------------------------------------------------- plain values */

GTlsDatabase *
moat_connection_dup_database (MoatConnection *self)
{
  GTlsDatabase *database = NULL;
  bool has_own;

  g_mutex_lock (&self->lock);
  has_own = self->has_own_database;
  g_set_object (&database, self->database);
  g_mutex_unlock (&self->lock);

  if (has_own || database != NULL)
    return database;

  database = g_tls_backend_get_default_database (g_tls_backend_get_default ());
  if (database == NULL)
    return NULL;

  /* GDtlsConnection's getter gives away no reference, so this one has to stay. */
  g_mutex_lock (&self->lock);
  if (!self->has_own_database)
    g_set_object (&self->database, database);
  g_mutex_unlock (&self->lock);

  return database;
}

GTlsInteraction *
moat_connection_dup_interaction (MoatConnection *self)
{
  GTlsInteraction *interaction = NULL;

  g_mutex_lock (&self->lock);
  g_set_object (&interaction, self->interaction);
  g_mutex_unlock (&self->lock);

  return interaction;
}

GSocketAddress *
moat_connection_dup_peer_address (MoatConnection *self)
{
  GSocketAddress *address = NULL;

  g_mutex_lock (&self->lock);
  g_set_object (&address, self->peer_address);
  g_mutex_unlock (&self->lock);

  if (address != NULL || moat_pump_phase (&self->pump) != MOAT_PHASE_CONNECTED)
    return address;

  address = moat_base_dup_peer (&self->pump.base);
  g_mutex_lock (&self->lock);
  g_set_object (&self->peer_address, address);
  g_mutex_unlock (&self->lock);

  return address;
}

/* Puts `fresh` in the place of an object; the old one goes when nothing is locked. */
static void
exchange_object (MoatConnection *self, gpointer *place, gpointer fresh)
{
  g_autoptr (GObject) old = NULL;

  if (fresh != NULL)
    g_object_ref (fresh);

  g_mutex_lock (&self->lock);
  old = *place;
  *place = fresh;
  g_mutex_unlock (&self->lock);
}

bool
moat_connection_use_certificate (MoatConnection *self, GTlsCertificate *certificate, GError **error)
{
  g_autoptr (GError) problem = NULL;
  MoatCredential *credential = NULL;

  exchange_object (self, (gpointer *) &self->certificate, certificate);

  if (certificate != NULL)
    credential = moat_credential_new (certificate, &problem);
  moat_pump_take_credential (&self->pump, credential,
                             problem != NULL ? g_error_copy (problem) : NULL);

  if (problem == NULL)
    return true;

  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

/* Both under one lock: between the two a getter would put the default one in its place, for good. */
static void
use_database (MoatConnection *self, GTlsDatabase *database)
{
  g_autoptr (GTlsDatabase) old = NULL;

  if (database != NULL)
    g_object_ref (database);

  g_mutex_lock (&self->lock);
  old = self->database;
  self->database = database;
  self->has_own_database = true;
  g_mutex_unlock (&self->lock);
}

static void
use_protocols (MoatConnection *self, const char *const *protocols)
{
  char **old;

  g_mutex_lock (&self->lock);
  old = self->advertised_protocols;
  self->advertised_protocols = g_strdupv ((char **) (guintptr) protocols);
  g_mutex_unlock (&self->lock);

  g_strfreev (old);
}

/* (transfer full), since another thread may set another one at any time. */
static MoatContext *
dup_context (MoatConnection *self)
{
  MoatContext *context = NULL;

  g_mutex_lock (&self->lock);
  g_set_object (&context, self->context);
  g_mutex_unlock (&self->lock);

  return context != NULL ? context : g_object_ref (moat_context_get_default ());
}

/* What is given away without a reference is the caller's to keep others from replacing. */
MoatContext *
moat_connection_get_context (MoatConnection *self)
{
  g_autoptr (MoatContext) context = NULL;

  g_return_val_if_fail (MOAT_IS_CONNECTION (self), NULL);

  context = dup_context (self);

  return context;
}

void
moat_connection_set_context (MoatConnection *self, MoatContext *context)
{
  g_return_if_fail (MOAT_IS_CONNECTION (self));
  g_return_if_fail (context == NULL || MOAT_IS_CONTEXT (context));

  exchange_object (self, (gpointer *) &self->context, context);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CONTEXT]);
}

/* -------------------------------------------------------------------------- what was negotiated */

typedef struct
{
  GTlsProtocolVersion protocol;
  const char *version; /* (nullable) static */
  const char *suite;   /* (nullable) static */
} Negotiated;

static Negotiated
negotiated (MoatConnection *self)
{
  MoatPump *pump = &self->pump;
  Negotiated values = { G_TLS_PROTOCOL_VERSION_UNKNOWN, NULL, NULL };

  moat_pump_lock_all (pump);
  if (pump->phase == MOAT_PHASE_CONNECTED && !(pump->is_read_shut && pump->is_write_shut))
    {
      values.suite = dtls_suite_name (dtls_conn_suite (pump->conn));
      if (dtls_conn_version (pump->conn) == DTLS_1_2)
        {
          values.protocol = G_TLS_PROTOCOL_VERSION_DTLS_1_2;
          values.version = "1.2";
        }
    }
  moat_pump_unlock_all (pump);

  return values;
}

const char *
moat_connection_get_dtls_version (MoatConnection *self)
{
  g_return_val_if_fail (MOAT_IS_CONNECTION (self), NULL);

  return negotiated (self).version;
}

guint
moat_connection_get_max_payload (MoatConnection *self)
{
  g_return_val_if_fail (MOAT_IS_CONNECTION (self), 0);

  if (moat_pump_is_closed (&self->pump))
    return 0;

  return (guint) moat_transfer_max_payload (&self->pump);
}

/* The string must live as long as the connection, and there is only one handshake. */
static const char *
moat_connection_get_negotiated_protocol (GDtlsConnection *object)
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

/* The peer's certificate is shown when the handshake is over, whichever way. */
static GTlsCertificateFlags
dup_peer (MoatConnection *self, GTlsCertificate **out_certificate)
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

void
moat_connection_notify_peer (MoatConnection *self)
{
  g_object_notify (G_OBJECT (self), "peer-certificate");
  g_object_notify (G_OBJECT (self), "peer-certificate-errors");
  g_object_notify (G_OBJECT (self), "negotiated-protocol");
}

void
moat_connection_notify_state (MoatConnection *self)
{
  g_object_notify (G_OBJECT (self), "protocol-version");
  g_object_notify (G_OBJECT (self), "ciphersuite-name");
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_DTLS_VERSION]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MAX_PAYLOAD]);
}

/* ------------------------------------------------------------------------------------ first I/O */

static MoatConfig *
make_config (MoatConnection *self)
{
  g_autoptr (MoatContext) context = dup_context (self);
  MoatConfig *config = moat_config_new (context);
  struct dtls_config *engine = &config->engine;

  g_mutex_lock (&self->lock);
  engine->mtu = self->mtu;
  engine->max_certificate_message = self->max_certificate_size;
  engine->replay_window = self->replay_window;
  engine->retransmit_initial = self->retransmission_timeout * DTLS_MILLISECOND;
  engine->handshake_deadline =
      self->handshake_timeout > 0 ? self->handshake_timeout * DTLS_MILLISECOND : DTLS_NEVER;
  engine->requires_extended_master_secret = self->requires_extended_master_secret;
  moat_config_set_protocols (config, (const char *const *) self->advertised_protocols);
  g_mutex_unlock (&self->lock);

  if (engine->mtu == 0)
    engine->mtu = moat_base_mtu (&self->pump.base);
  engine->fallback_mtu = MIN (engine->fallback_mtu, engine->mtu);

  MOAT_CONNECTION_GET_CLASS (self)->configure (self, config);

  return config;
}

void
moat_connection_begin (MoatConnection *self)
{
  if (moat_pump_phase (&self->pump) != MOAT_PHASE_FRESH)
    return;

  moat_pump_begin (&self->pump, make_config (self),
                   MOAT_CONNECTION_GET_CLASS (self)->address_rule (self));
}

/* ------------------------------------------------------------------------------ GDtlsConnection */

static gboolean
moat_connection_handshake (GDtlsConnection *object, GCancellable *cancellable, GError **error)
{
  /* A handler may drop the caller's reference. */
  g_autoptr (MoatConnection) self = g_object_ref (MOAT_CONNECTION (object));

  return moat_handshake_run (self, cancellable, error);
}

static void
moat_connection_handshake_async (GDtlsConnection *object, int io_priority,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  moat_handshake_run_async (MOAT_CONNECTION (object), io_priority, cancellable, callback,
                            user_data);
}

static gboolean
moat_connection_finish (GDtlsConnection *object, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, object), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

static gboolean
moat_connection_shutdown (GDtlsConnection *object, gboolean shutdown_read, gboolean shutdown_write,
                          GCancellable *cancellable, GError **error)
{
  g_autoptr (MoatConnection) self = g_object_ref (MOAT_CONNECTION (object));

  return moat_shutdown_run (self, shutdown_read, shutdown_write, cancellable, error);
}

static void
moat_connection_shutdown_async (GDtlsConnection *object, gboolean shutdown_read,
                                gboolean shutdown_write, int io_priority, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  moat_shutdown_run_async (MOAT_CONNECTION (object), shutdown_read, shutdown_write, io_priority,
                           cancellable, callback, user_data);
}

static void
moat_connection_set_advertised_protocols (GDtlsConnection *object, const char *const *protocols)
{
  use_protocols (MOAT_CONNECTION (object), protocols);
  g_object_notify (G_OBJECT (object), "advertised-protocols");
}

static void
moat_connection_init_dtls (gpointer interface, G_GNUC_UNUSED gpointer data)
{
  GDtlsConnectionInterface *iface = interface;

  iface->handshake = moat_connection_handshake;
  iface->handshake_async = moat_connection_handshake_async;
  iface->handshake_finish = moat_connection_finish;
  iface->shutdown = moat_connection_shutdown;
  iface->shutdown_async = moat_connection_shutdown_async;
  iface->shutdown_finish = moat_connection_finish;
  iface->set_advertised_protocols = moat_connection_set_advertised_protocols;
  iface->get_negotiated_protocol = moat_connection_get_negotiated_protocol;
  iface->get_binding_data = moat_binding_get_data;
}

/* ----------------------------------------------------------------------------------- properties */

static void
get_own_property (MoatConnection *self, guint id, GValue *value)
{
  switch (id)
    {
    case PROP_MTU:
      g_value_set_uint (value, self->mtu);
      break;
    case PROP_HANDSHAKE_TIMEOUT:
      g_value_set_uint (value, self->handshake_timeout);
      break;
    case PROP_RETRANSMISSION_TIMEOUT:
      g_value_set_uint (value, self->retransmission_timeout);
      break;
    case PROP_MAX_CERTIFICATE_SIZE:
      g_value_set_uint (value, self->max_certificate_size);
      break;
    case PROP_REPLAY_WINDOW:
      g_value_set_uint (value, self->replay_window);
      break;
    case PROP_REQUIRE_EXTENDED_MASTER_SECRET:
      g_value_set_boolean (value, self->requires_extended_master_secret);
      break;
    case PROP_BASE_SOCKET:
      g_value_set_object (value, self->base_socket);
      break;
    case PROP_INTERACTION:
      g_value_set_object (value, self->interaction);
      break;
    case PROP_REQUIRE_CLOSE_NOTIFY:
      g_value_set_boolean (value, self->requires_close_notify);
      break;
    case PROP_REHANDSHAKE_MODE:
      g_value_set_enum (value, self->rehandshake_mode);
      break;
    case PROP_CERTIFICATE:
      g_value_set_object (value, self->certificate);
      break;
    case PROP_ADVERTISED_PROTOCOLS:
      g_value_set_boxed (value, self->advertised_protocols);
      break;
    default:
      break;
    }
}

static void
moat_connection_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  MoatConnection *self = MOAT_CONNECTION (object);
  GTlsCertificate *peer = NULL;

  switch ((MoatConnectionProperty) id)
    {
    case PROP_CONTEXT:
      g_value_take_object (value, dup_context (self));
      break;
    case PROP_DTLS_VERSION:
      g_value_set_static_string (value, negotiated (self).version);
      break;
    case PROP_MAX_PAYLOAD:
      g_value_set_uint (value, moat_connection_get_max_payload (self));
      break;
    case PROP_DATABASE:
      g_value_take_object (value, moat_connection_dup_database (self));
      break;
    case PROP_PEER_CERTIFICATE:
      dup_peer (self, &peer);
      g_value_take_object (value, peer);
      break;
    case PROP_PEER_CERTIFICATE_ERRORS:
      g_value_set_flags (value, dup_peer (self, NULL));
      break;
    case PROP_NEGOTIATED_PROTOCOL:
      g_value_set_string (value,
                          moat_connection_get_negotiated_protocol (G_DTLS_CONNECTION (self)));
      break;
    case PROP_PROTOCOL_VERSION:
      g_value_set_enum (value, negotiated (self).protocol);
      break;
    case PROP_CIPHERSUITE_NAME:
      g_value_set_string (value, negotiated (self).suite);
      break;
    default:
      if (id == 0 || id > PROP_CIPHERSUITE_NAME)
        {
          G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
          break;
        }
      g_mutex_lock (&self->lock);
      get_own_property (self, id, value);
      g_mutex_unlock (&self->lock);
      break;
    }
}

/* Numbers and flags; under the lock. */
static bool
set_plain_property (MoatConnection *self, guint id, const GValue *value)
{
  switch (id)
    {
    case PROP_MTU:
      self->mtu = g_value_get_uint (value);
      /* Nothing smaller holds a flight, and 0 means ours to choose. */
      if (self->mtu > 0)
        self->mtu = MAX (self->mtu, MIN_MTU);
      return true;
    case PROP_HANDSHAKE_TIMEOUT:
      self->handshake_timeout = g_value_get_uint (value);
      return true;
    case PROP_RETRANSMISSION_TIMEOUT:
      self->retransmission_timeout = g_value_get_uint (value);
      return true;
    case PROP_MAX_CERTIFICATE_SIZE:
      self->max_certificate_size = g_value_get_uint (value);
      return true;
    case PROP_REPLAY_WINDOW:
      self->replay_window = g_value_get_uint (value);
      return true;
    case PROP_REQUIRE_EXTENDED_MASTER_SECRET:
      self->requires_extended_master_secret = g_value_get_boolean (value);
      return true;
    case PROP_REQUIRE_CLOSE_NOTIFY:
      self->requires_close_notify = g_value_get_boolean (value);
      return true;
    case PROP_REHANDSHAKE_MODE:
      self->rehandshake_mode = g_value_get_enum (value);
      return true;
    default:
      return false;
    }
}

static void
moat_connection_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  MoatConnection *self = MOAT_CONNECTION (object);
  bool is_plain;

  g_mutex_lock (&self->lock);
  is_plain = set_plain_property (self, id, value);
  g_mutex_unlock (&self->lock);
  if (is_plain)
    {
      if (pspec->flags & G_PARAM_EXPLICIT_NOTIFY)
        g_object_notify_by_pspec (object, pspec);
      return;
    }

  switch ((MoatConnectionProperty) id)
    {
    case PROP_CONTEXT:
      moat_connection_set_context (self, g_value_get_object (value));
      break;
    case PROP_BASE_SOCKET:
      self->base_socket = g_value_dup_object (value);
      break;
    case PROP_DATABASE:
      use_database (self, g_value_get_object (value));
      break;
    case PROP_INTERACTION:
      exchange_object (self, (gpointer *) &self->interaction, g_value_get_object (value));
      break;
    case PROP_CERTIFICATE:
      moat_connection_use_certificate (self, g_value_get_object (value), NULL);
      break;
    case PROP_ADVERTISED_PROTOCOLS:
      use_protocols (self, g_value_get_boxed (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

/* ------------------------------------------------------------------------------- life and class */

static gboolean
moat_connection_initable_init (GInitable *initable, GCancellable *cancellable, GError **error)
{
  MoatConnection *self = MOAT_CONNECTION (initable);

  if (self->is_initialized)
    return TRUE;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (self->base_socket == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           "A DTLS connection needs a base socket");
      return FALSE;
    }
  if (moat_crypto_get () == NULL)
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE,
                           "libcrypto lacks what DTLS needs");
      return FALSE;
    }

  self->pump.role = MOAT_CONNECTION_GET_CLASS (self)->role;
  if (!moat_base_init (&self->pump.base, self->base_socket, error)
      || !MOAT_CONNECTION_GET_CLASS (self)->check (self, error))
    return FALSE;

  self->is_initialized = true;

  return TRUE;
}

static void
moat_connection_init_initable (gpointer interface, G_GNUC_UNUSED gpointer data)
{
  ((GInitableIface *) interface)->init = moat_connection_initable_init;
}

/* One attempt at a close_notify, and whoever the application left waiting is gone with its
 * reference. */
static void
moat_connection_dispose (GObject *object)
{
  MoatConnection *self = MOAT_CONNECTION (object);

  moat_handshake_abandon (self);
  if (self->is_initialized && !moat_pump_is_closed (&self->pump))
    moat_pump_shut (&self->pump, MOAT_SHUT_READ | MOAT_SHUT_WRITE);

  G_OBJECT_CLASS (moat_connection_parent_class)->dispose (object);
}

static void
moat_connection_finalize (GObject *object)
{
  MoatConnection *self = MOAT_CONNECTION (object);

  moat_pump_clear (&self->pump);
  moat_handshake_clear (&self->handshake);
  g_clear_object (&self->base_socket);
  g_clear_object (&self->database);
  g_clear_object (&self->interaction);
  g_clear_object (&self->certificate);
  g_clear_object (&self->context);
  g_clear_object (&self->peer_address);
  g_clear_pointer (&self->advertised_protocols, g_strfreev);
  g_clear_pointer (&self->negotiated_protocol, g_free);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (moat_connection_parent_class)->finalize (object);
}

static void
install_own_properties (GObjectClass *class)
{
  const GParamFlags writable = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  props[PROP_CONTEXT] = g_param_spec_object ("context", NULL, NULL, MOAT_TYPE_CONTEXT, writable);
  props[PROP_MTU] = g_param_spec_uint ("mtu", NULL, NULL, 0, MAX_MTU, 0, writable);
  props[PROP_HANDSHAKE_TIMEOUT] = g_param_spec_uint ("handshake-timeout", NULL, NULL, 0, G_MAXUINT,
                                                     DEFAULT_HANDSHAKE_TIMEOUT, writable);
  props[PROP_RETRANSMISSION_TIMEOUT] = g_param_spec_uint (
      "retransmission-timeout", NULL, NULL, 1, G_MAXUINT, DEFAULT_RETRANSMISSION_TIMEOUT, writable);
  props[PROP_MAX_CERTIFICATE_SIZE] =
      g_param_spec_uint ("max-certificate-size", NULL, NULL, 1, MAX_CERTIFICATE_SIZE,
                         DEFAULT_MAX_CERTIFICATE_SIZE, writable);
  props[PROP_REPLAY_WINDOW] =
      g_param_spec_uint ("replay-window", NULL, NULL, MIN_REPLAY_WINDOW, MAX_REPLAY_WINDOW,
                         DEFAULT_REPLAY_WINDOW, writable);
  props[PROP_REQUIRE_EXTENDED_MASTER_SECRET] =
      g_param_spec_boolean ("require-extended-master-secret", NULL, NULL, FALSE, writable);
  props[PROP_DTLS_VERSION] = g_param_spec_string ("dtls-version", NULL, NULL, NULL, readable);
  props[PROP_MAX_PAYLOAD] =
      g_param_spec_uint ("max-payload", NULL, NULL, 0, G_MAXUINT, 0, readable);

  g_object_class_install_properties (class, N_OWN_PROPS, props);
}

static void
moat_connection_class_init (MoatConnectionClass *class)
{
  static const struct
  {
    guint id;
    const char *name;
  } overrides[] = {
    { PROP_BASE_SOCKET, "base-socket" },
    { PROP_DATABASE, "database" },
    { PROP_INTERACTION, "interaction" },
    { PROP_REQUIRE_CLOSE_NOTIFY, "require-close-notify" },
    { PROP_REHANDSHAKE_MODE, "rehandshake-mode" },
    { PROP_CERTIFICATE, "certificate" },
    { PROP_PEER_CERTIFICATE, "peer-certificate" },
    { PROP_PEER_CERTIFICATE_ERRORS, "peer-certificate-errors" },
    { PROP_ADVERTISED_PROTOCOLS, "advertised-protocols" },
    { PROP_NEGOTIATED_PROTOCOL, "negotiated-protocol" },
    { PROP_PROTOCOL_VERSION, "protocol-version" },
    { PROP_CIPHERSUITE_NAME, "ciphersuite-name" },
  };
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = moat_connection_get_property;
  object_class->set_property = moat_connection_set_property;
  object_class->dispose = moat_connection_dispose;
  object_class->finalize = moat_connection_finalize;

  install_own_properties (object_class);
  for (gsize i = 0; i < G_N_ELEMENTS (overrides); i++)
    g_object_class_override_property (object_class, overrides[i].id, overrides[i].name);
}

static void
moat_connection_init (MoatConnection *self)
{
  g_mutex_init (&self->lock);
  moat_pump_init (&self->pump);
  self->handshake.priority = G_PRIORITY_DEFAULT;

  self->requires_close_notify = true;
  self->handshake_timeout = DEFAULT_HANDSHAKE_TIMEOUT;
  self->retransmission_timeout = DEFAULT_RETRANSMISSION_TIMEOUT;
  self->max_certificate_size = DEFAULT_MAX_CERTIFICATE_SIZE;
  self->replay_window = DEFAULT_REPLAY_WINDOW;
}
