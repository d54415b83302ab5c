/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The GObject: what it holds, interface tables, the beginning and the end of its life. Its properties are
 * in properties.c, and what it does is in the other files. */

#include "gio/connection.h"

#include "gio/binding.h"
#include "gio/crypto.h"
#include "gio/datagram.h"
#include "gio/facts.h"
#include "gio/properties.h"
#include "gio/shutdown.h"

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

void
moat_connection_exchange_object (MoatConnection *self, gpointer *place, gpointer fresh)
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

  moat_connection_exchange_object (self, (gpointer *) &self->certificate, certificate);

  if (certificate != NULL)
    credential = moat_credential_new (certificate, &problem);
  moat_pump_take_credential (&self->pump, credential,
                             problem != NULL ? g_error_copy (problem) : NULL);

  if (problem == NULL)
    return true;

  g_propagate_error (error, g_steal_pointer (&problem));
  return false;
}

MoatContext *
moat_connection_dup_context (MoatConnection *self)
{
  MoatContext *context = NULL;

  g_mutex_lock (&self->lock);
  g_set_object (&context, self->context);
  g_mutex_unlock (&self->lock);

  return context != NULL ? context : g_object_ref (moat_context_get_default ());
}

GBytes *
moat_connection_dup_own_session (MoatConnection *self)
{
  GBytes *session = NULL;

  g_mutex_lock (&self->lock);
  if (self->session != NULL)
    session = g_bytes_ref (self->session);
  g_mutex_unlock (&self->lock);

  return session;
}

void
moat_connection_set_session (MoatConnection *self, GBytes *session)
{
  GBytes *old;

  g_return_if_fail (MOAT_IS_CONNECTION (self));

  g_mutex_lock (&self->lock);
  old = self->session;
  self->session = session != NULL ? g_bytes_ref (session) : NULL;
  g_mutex_unlock (&self->lock);

  g_clear_pointer (&old, g_bytes_unref);
}

/* ------------------------------------------------------------------------------------ first I/O */

static MoatConfig *
make_config (MoatConnection *self)
{
  g_autoptr (MoatContext) context = moat_connection_dup_context (self);
  MoatConfig *config = moat_config_new (context, MOAT_CONNECTION_GET_CLASS (self)->role);
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
  moat_connection_use_protocols (MOAT_CONNECTION (object), protocols);
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
  iface->get_negotiated_protocol = moat_facts_get_negotiated_protocol;
  iface->get_binding_data = moat_binding_get_data;
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
  g_clear_pointer (&self->session, g_bytes_unref);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (moat_connection_parent_class)->finalize (object);
}

static void
moat_connection_class_init (MoatConnectionClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->dispose = moat_connection_dispose;
  object_class->finalize = moat_connection_finalize;

  moat_properties_install (object_class);
}

static void
moat_connection_init (MoatConnection *self)
{
  g_mutex_init (&self->lock);
  moat_pump_init (&self->pump);
  self->handshake.priority = G_PRIORITY_DEFAULT;

  moat_properties_init (self);
}
