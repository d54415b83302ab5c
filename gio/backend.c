/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One TLS backend serves a whole process. So that nobody's HTTPS changes when Moat is installed,
 * whatever is not DTLS comes from the host backend: the one that GIO would have chosen without
 * us. On a machine without any it is GIO's own dummy, whose types exist and fail with
 * G_TLS_ERROR_UNAVAILABLE. */

#include "gio/backend.h"

#include "moat/moat-client-connection.h"
#include "moat/moat-server-connection.h"

#define EXTENSION_NAME "moat"

typedef struct
{
  GObject parent_instance;
} GTlsBackendMoat;

typedef struct
{
  GObjectClass parent_class;
} GTlsBackendMoatClass;

static void moat_backend_init_interface (gpointer interface, gpointer data);

/* The type's name is what programs compare with the extension's. */
#define g_tls_backend_moat_get_type moat_backend_get_type
G_DEFINE_FINAL_TYPE_WITH_CODE (GTlsBackendMoat, g_tls_backend_moat, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_TLS_BACKEND,
                                                      moat_backend_init_interface))

/* ----------------------------------------------------------------------------- the host backend */

/* NULL if it cannot serve here. */
static GTlsBackend *
try_backend (GType type)
{
  if (type == MOAT_TYPE_BACKEND)
    return NULL;
  if (g_type_is_a (type, G_TYPE_INITABLE))
    return g_initable_new (type, NULL, NULL, NULL);

  return g_object_new (type, NULL);
}

/* GIO keeps extensions sorted by priority, and its dummy is the last of them. */
static GTlsBackend *
find_host (void)
{
  GIOExtensionPoint *point = g_io_extension_point_lookup (G_TLS_BACKEND_EXTENSION_POINT_NAME);
  GTlsBackend *host = NULL;

  for (GList *l = g_io_extension_point_get_extensions (point); l != NULL && host == NULL;
       l = l->next)
    host = try_backend (g_io_extension_get_type (l->data));

  return host;
}

/* Found at the first question. The vfuncs for types are not told whom they are asked of, so
 * there is one host for the process. */
static GTlsBackend *
get_host (void)
{
  static GTlsBackend *host;

  if (g_once_init_enter (&host))
    g_once_init_leave (&host, find_host ());

  return host;
}

/* --------------------------------------------------------------------------- what is the host's */

static gboolean
moat_backend_supports_tls (G_GNUC_UNUSED GTlsBackend *backend)
{
  return g_tls_backend_supports_tls (get_host ());
}

static GType
moat_backend_get_certificate_type (void)
{
  return g_tls_backend_get_certificate_type (get_host ());
}

static GType
moat_backend_get_client_connection_type (void)
{
  return g_tls_backend_get_client_connection_type (get_host ());
}

static GType
moat_backend_get_server_connection_type (void)
{
  return g_tls_backend_get_server_connection_type (get_host ());
}

static GType
moat_backend_get_file_database_type (void)
{
  return g_tls_backend_get_file_database_type (get_host ());
}

/* GLib calls this with its database lock held, so the public getter would wait for itself. */
static GTlsDatabase *
moat_backend_get_default_database (G_GNUC_UNUSED GTlsBackend *backend)
{
  GTlsBackend *host = get_host ();
  GTlsBackendInterface *iface = G_TLS_BACKEND_GET_INTERFACE (host);

  return iface->get_default_database != NULL ? iface->get_default_database (host) : NULL;
}

/* --------------------------------------------------------------------------------- what is ours */

static gboolean
moat_backend_supports_dtls (G_GNUC_UNUSED GTlsBackend *backend)
{
  return TRUE;
}

static void
moat_backend_init_interface (gpointer interface, G_GNUC_UNUSED gpointer data)
{
  GTlsBackendInterface *iface = interface;

  iface->supports_tls = moat_backend_supports_tls;
  iface->supports_dtls = moat_backend_supports_dtls;
  iface->get_certificate_type = moat_backend_get_certificate_type;
  iface->get_client_connection_type = moat_backend_get_client_connection_type;
  iface->get_server_connection_type = moat_backend_get_server_connection_type;
  iface->get_file_database_type = moat_backend_get_file_database_type;
  iface->get_default_database = moat_backend_get_default_database;
  iface->get_dtls_client_connection_type = moat_client_connection_get_type;
  iface->get_dtls_server_connection_type = moat_server_connection_get_type;
}

static void
g_tls_backend_moat_class_init (G_GNUC_UNUSED GTlsBackendMoatClass *class)
{
  /* The interface is all there is. */
}

static void
g_tls_backend_moat_init (G_GNUC_UNUSED GTlsBackendMoat *self)
{
  /* No state. */
}

void
moat_backend_register (void)
{
  GIOExtensionPoint *point = g_io_extension_point_register (G_TLS_BACKEND_EXTENSION_POINT_NAME);

  if (g_io_extension_point_get_extension_by_name (point, EXTENSION_NAME) == NULL)
    g_io_extension_point_implement (G_TLS_BACKEND_EXTENSION_POINT_NAME, MOAT_TYPE_BACKEND,
                                    EXTENSION_NAME, MOAT_BACKEND_PRIORITY);
}
