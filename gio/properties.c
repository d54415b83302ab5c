/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Each property, of our own and of GDtlsConnection: how it is got, set, told of and described. */

#include "gio/properties.h"

#include "gio/connection.h"
#include "gio/facts.h"

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
  PROP_SESSION_RESUMED,
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

/* --------------------------------------------------------------------------------- what is set */

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

void
moat_connection_use_protocols (MoatConnection *self, const char *const *protocols)
{
  char **old;

  g_mutex_lock (&self->lock);
  old = self->advertised_protocols;
  self->advertised_protocols = g_strdupv ((char **) (guintptr) protocols);
  g_mutex_unlock (&self->lock);

  g_strfreev (old);
}

/* What is given away without a reference is the caller's to keep others from replacing. */
MoatContext *
moat_connection_get_context (MoatConnection *self)
{
  g_autoptr (MoatContext) context = NULL;

  g_return_val_if_fail (MOAT_IS_CONNECTION (self), NULL);

  context = moat_connection_dup_context (self);

  return context;
}

void
moat_connection_set_context (MoatConnection *self, MoatContext *context)
{
  g_return_if_fail (MOAT_IS_CONNECTION (self));
  g_return_if_fail (context == NULL || MOAT_IS_CONTEXT (context));

  moat_connection_exchange_object (self, (gpointer *) &self->context, context);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CONTEXT]);
}

/* ------------------------------------------------------------------------------ what is told of */

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
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SESSION_RESUMED]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MAX_PAYLOAD]);
}

/* ----------------------------------------------------------------------------- getting and setting */

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
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  MoatConnection *self = MOAT_CONNECTION (object);
  GTlsCertificate *peer = NULL;

  switch ((MoatConnectionProperty) id)
    {
    case PROP_CONTEXT:
      g_value_take_object (value, moat_connection_dup_context (self));
      break;
    case PROP_DTLS_VERSION:
      g_value_set_static_string (value, moat_facts_of (self).version);
      break;
    case PROP_SESSION_RESUMED:
      g_value_set_boolean (value, moat_facts_of (self).is_resumed);
      break;
    case PROP_MAX_PAYLOAD:
      g_value_set_uint (value, moat_connection_get_max_payload (self));
      break;
    case PROP_DATABASE:
      g_value_take_object (value, moat_connection_dup_database (self));
      break;
    case PROP_PEER_CERTIFICATE:
      moat_facts_dup_peer (self, &peer);
      g_value_take_object (value, peer);
      break;
    case PROP_PEER_CERTIFICATE_ERRORS:
      g_value_set_flags (value, moat_facts_dup_peer (self, NULL));
      break;
    case PROP_NEGOTIATED_PROTOCOL:
      g_value_set_string (value, moat_facts_get_negotiated_protocol (G_DTLS_CONNECTION (self)));
      break;
    case PROP_PROTOCOL_VERSION:
      g_value_set_enum (value, moat_facts_of (self).protocol);
      break;
    case PROP_CIPHERSUITE_NAME:
      g_value_set_string (value, moat_facts_of (self).suite);
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
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
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
      moat_connection_exchange_object (self, (gpointer *) &self->interaction,
                                       g_value_get_object (value));
      break;
    case PROP_CERTIFICATE:
      moat_connection_use_certificate (self, g_value_get_object (value), NULL);
      break;
    case PROP_ADVERTISED_PROTOCOLS:
      moat_connection_use_protocols (self, g_value_get_boxed (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

/* ------------------------------------------------------------------------------------- the class */

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
  props[PROP_SESSION_RESUMED] =
      g_param_spec_boolean ("session-resumed", NULL, NULL, FALSE, readable);
  props[PROP_MAX_PAYLOAD] =
      g_param_spec_uint ("max-payload", NULL, NULL, 0, G_MAXUINT, 0, readable);

  g_object_class_install_properties (class, N_OWN_PROPS, props);
}

void
moat_properties_install (GObjectClass *class)
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

  class->get_property = get_property;
  class->set_property = set_property;

  install_own_properties (class);
  for (gsize i = 0; i < G_N_ELEMENTS (overrides); i++)
    g_object_class_override_property (class, overrides[i].id, overrides[i].name);
}

void
moat_properties_init (MoatConnection *self)
{
  self->requires_close_notify = true;
  self->handshake_timeout = DEFAULT_HANDSHAKE_TIMEOUT;
  self->retransmission_timeout = DEFAULT_RETRANSMISSION_TIMEOUT;
  self->max_certificate_size = DEFAULT_MAX_CERTIFICATE_SIZE;
  self->replay_window = DEFAULT_REPLAY_WINDOW;
}
