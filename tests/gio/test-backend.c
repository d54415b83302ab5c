/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The module in a process: what is ours, what stays the host's, and what happens without one. Contract rows
 * B1 to B9 of docs/gio-contract.md. */

#include "fixture.h"

#include <glib/gstdio.h>

static GList *
get_extensions (void)
{
  /* GIO registers the point, and loads the modules, with the first question. */
  g_tls_backend_get_default ();

  return g_io_extension_point_get_extensions (
      g_io_extension_point_lookup (G_TLS_BACKEND_EXTENSION_POINT_NAME));
}

/* Of those that are not Moat, the one of highest priority. */
static GTlsBackend *
new_host (void)
{
  for (GList *l = get_extensions (); l != NULL; l = l->next)
    if (g_strcmp0 (g_io_extension_get_name (l->data), "moat") != 0)
      return g_object_new (g_io_extension_get_type (l->data), NULL);

  g_assert_not_reached ();
}

static void
test_extension (void)
{
  GIOExtension *extension;

  get_extensions ();
  extension = g_io_extension_point_get_extension_by_name (
      g_io_extension_point_lookup (G_TLS_BACKEND_EXTENSION_POINT_NAME), "moat");
  g_assert_nonnull (extension);
  g_assert_cmpstr (g_type_name (g_io_extension_get_type (extension)), ==, "GTlsBackendMoat");
  g_assert_cmpint (g_io_extension_get_priority (extension), ==, MOAT_GIO_PRIORITY);
}

static void
test_is_the_default (void)
{
  GTlsBackend *backend = g_tls_backend_get_default ();

  g_assert_cmpstr (G_OBJECT_TYPE_NAME (backend), ==, "GTlsBackendMoat");
  g_assert_true (g_tls_backend_get_default () == backend);
}

static void
test_supports_both (void)
{
  g_assert_true (g_tls_backend_supports_tls (g_tls_backend_get_default ()));
  g_assert_true (g_tls_backend_supports_dtls (g_tls_backend_get_default ()));
}

static void
test_dtls_types (void)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  GType client = g_tls_backend_get_dtls_client_connection_type (backend);
  GType server = g_tls_backend_get_dtls_server_connection_type (backend);

  g_assert_cmpstr (g_type_name (client), ==, "MoatClientConnection");
  g_assert_cmpstr (g_type_name (server), ==, "MoatServerConnection");
  g_assert_true (g_type_is_a (client, G_TYPE_DTLS_CLIENT_CONNECTION));
  g_assert_true (g_type_is_a (server, G_TYPE_DTLS_SERVER_CONNECTION));
  g_assert_true (g_type_is_a (client, G_TYPE_DATAGRAM_BASED));
  g_assert_true (g_type_is_a (client, G_TYPE_INITABLE));
  g_assert_true (g_type_is_a (server, G_TYPE_INITABLE));
  g_assert_false (g_type_is_a (client, G_TYPE_TLS_CONNECTION));
}

static void
test_other_types_are_the_hosts (void)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  g_autoptr (GTlsBackend) host = new_host ();

  g_assert_cmpuint (g_tls_backend_get_certificate_type (backend), ==,
                    g_tls_backend_get_certificate_type (host));
  g_assert_cmpuint (g_tls_backend_get_client_connection_type (backend), ==,
                    g_tls_backend_get_client_connection_type (host));
  g_assert_cmpuint (g_tls_backend_get_server_connection_type (backend), ==,
                    g_tls_backend_get_server_connection_type (host));
  g_assert_cmpuint (g_tls_backend_get_file_database_type (backend), ==,
                    g_tls_backend_get_file_database_type (host));
}

static void
test_default_database (void)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  g_autoptr (GTlsBackend) host = new_host ();
  g_autoptr (GTlsDatabase) hosts = G_TLS_BACKEND_GET_INTERFACE (host)->get_default_database (host);
  g_autoptr (GTlsDatabase) first = g_tls_backend_get_default_database (backend);
  g_autoptr (GTlsDatabase) second = g_tls_backend_get_default_database (backend);
  g_autoptr (GTlsDatabase) other = load_database ("ca");
  g_autoptr (GTlsDatabase) third = NULL;

  g_assert_true (first == second);
  g_assert_true (G_OBJECT_TYPE (first) == G_OBJECT_TYPE (hosts));

  g_tls_backend_set_default_database (backend, other);
  third = g_tls_backend_get_default_database (backend);
  g_assert_true (third == other);
  g_tls_backend_set_default_database (backend, NULL);
  g_clear_object (&third);
  third = g_tls_backend_get_default_database (backend);
  g_assert_true (third == first);
}

/* ---------------------------------------------------------------------------- other environments */

/* The choice is made once in a process, so each of these has one of its own. */
static void
run_with (const char *variable, const char *value, const char *path)
{
  g_autofree char *before = g_strdup (g_getenv (variable));

  if (value != NULL)
    g_setenv (variable, value, TRUE);
  else
    g_unsetenv (variable);
  g_test_trap_subprocess (path, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();

  if (before != NULL)
    g_setenv (variable, before, TRUE);
  else
    g_unsetenv (variable);
}

static void
test_chosen_by_priority (void)
{
  run_with ("GIO_USE_TLS", NULL, "/gio/backend/subprocess/is-moat");
}

static void
subprocess_is_moat (void)
{
  test_is_the_default ();
}

static void
test_not_chosen (void)
{
  g_autoptr (GTlsBackend) host = new_host ();
  const char *name = NULL;

  for (GList *l = get_extensions (); l != NULL; l = l->next)
    if (g_io_extension_get_type (l->data) == G_OBJECT_TYPE (host))
      name = g_io_extension_get_name (l->data);

  run_with ("GIO_USE_TLS", name, "/gio/backend/subprocess/is-not-moat");
}

static void
subprocess_is_not_moat (void)
{
  g_autoptr (GTlsCertificate) certificate = NULL;

  g_assert_cmpstr (G_OBJECT_TYPE_NAME (g_tls_backend_get_default ()), !=, "GTlsBackendMoat");
  certificate = load_certificate ("server-ecdsa");
  g_assert_nonnull (certificate);
}

static void
test_no_host (void)
{
  g_autofree char *empty = g_dir_make_tmp ("moat-no-modules-XXXXXX", NULL);

  run_with ("GIO_MODULE_DIR", empty, "/gio/backend/subprocess/no-host");
  g_assert_cmpint (g_rmdir (empty), ==, 0);
}

static void
subprocess_no_host (void)
{
  GTlsBackend *backend = g_tls_backend_get_default ();
  g_autofree char *path = certificate_path ("server-ecdsa", ".pem");
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;
  PairBase *near;
  PairBase *far;
  GDtlsConnection *client;
  GDtlsConnection *server;

  g_assert_cmpstr (G_OBJECT_TYPE_NAME (backend), ==, "GTlsBackendMoat");
  g_assert_false (g_tls_backend_supports_tls (backend));
  g_assert_true (g_tls_backend_supports_dtls (backend));
  certificate = g_tls_certificate_new_from_file (path, &error);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_UNAVAILABLE);
  g_clear_error (&error);

  /* Connections can be made; without certificates a handshake ends in an error. */
  pair_base_new (&near, &far);
  client = G_DTLS_CONNECTION (g_dtls_client_connection_new (G_DATAGRAM_BASED (near), NULL, &error));
  g_assert_no_error (error);
  server = G_DTLS_CONNECTION (g_dtls_server_connection_new (G_DATAGRAM_BASED (far), NULL, &error));
  g_assert_no_error (error);
  expect_receive_error (client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_assert_false (g_dtls_connection_handshake (server, NULL, &error));
  g_assert_cmpint (error->domain, ==, G_TLS_ERROR);

  g_object_unref (client);
  g_object_unref (server);
  g_object_unref (near);
  g_object_unref (far);
}

/* --------------------------------------------------------------------------------- TLS stays as it was */

static void
on_accept_done (GObject *listener, GAsyncResult *result, gpointer stream)
{
  g_autoptr (GError) error = NULL;

  *(GSocketConnection **) stream =
      g_socket_listener_accept_finish (G_SOCKET_LISTENER (listener), result, NULL, &error);
  g_assert_no_error (error);
}

static void
on_connect_done (GObject *client, GAsyncResult *result, gpointer stream)
{
  g_autoptr (GError) error = NULL;

  *(GSocketConnection **) stream =
      g_socket_client_connect_finish (G_SOCKET_CLIENT (client), result, &error);
  g_assert_no_error (error);
}

static void
on_tls_event (GSocketClient *client, GSocketClientEvent event, GSocketConnectable *connectable,
              GIOStream *connection, gpointer database)
{
  g_autoptr (GSocketConnectable) identity = NULL;

  if (event != G_SOCKET_CLIENT_TLS_HANDSHAKING)
    return;

  identity = identity_of ("server.example.com");
  g_tls_connection_set_database (G_TLS_CONNECTION (connection), database);
  g_tls_client_connection_set_server_identity (G_TLS_CLIENT_CONNECTION (connection), identity);
}

/* What HTTPS is made of. */
static void
test_tls_through_socket_client (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GTlsCertificate) certificate = load_certificate ("server-ecdsa");
  g_autoptr (GSocketConnection) accepted = NULL;
  g_autoptr (GSocketConnection) connected = NULL;
  g_autoptr (GIOStream) server = NULL;
  g_autoptr (GError) error = NULL;
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, &error);
  GTlsConnection *tls;
  Pending handshake = { NULL };
  char bytes[4];

  g_assert_no_error (error);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_tls (client, TRUE);
  g_signal_connect (client, "event", G_CALLBACK (on_tls_event), database);
  g_socket_listener_accept_async (listener, NULL, on_accept_done, &accepted);
  g_socket_client_connect_to_host_async (client, "127.0.0.1", port, NULL, on_connect_done,
                                         &connected);
  until (accepted != NULL);
  server = g_tls_server_connection_new (G_IO_STREAM (accepted), certificate, &error);
  g_assert_no_error (error);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (server), G_PRIORITY_DEFAULT, NULL,
                                    pending_done, &handshake);
  until (connected != NULL && handshake.result != NULL);
  g_assert_true (
      g_tls_connection_handshake_finish (G_TLS_CONNECTION (server), handshake.result, &error));
  g_object_unref (handshake.result);

  tls = G_TLS_CONNECTION (
      g_tcp_wrapper_connection_get_base_io_stream (G_TCP_WRAPPER_CONNECTION (connected)));
  g_assert_true (G_OBJECT_TYPE (tls)
                 == g_tls_backend_get_client_connection_type (g_tls_backend_get_default ()));
  g_assert_cmpint (g_tls_connection_get_peer_certificate_errors (tls), ==, 0);
  g_assert_true (g_output_stream_write_all (g_io_stream_get_output_stream (server), "data", 4, NULL,
                                            NULL, &error));
  g_assert_true (g_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (connected)),
                                          bytes, 4, NULL, NULL, &error));
  g_assert_cmpmem (bytes, 4, "data", 4);
}

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  g_test_add_func ("/gio/backend/extension-is-moat", test_extension);
  g_test_add_func ("/gio/backend/is-a-singleton", test_is_the_default);
  g_test_add_func ("/gio/backend/supports-tls-and-dtls", test_supports_both);
  g_test_add_func ("/gio/backend/dtls-types-are-moats", test_dtls_types);
  g_test_add_func ("/gio/backend/other-types-are-the-hosts", test_other_types_are_the_hosts);
  g_test_add_func ("/gio/backend/default-database-is-the-hosts", test_default_database);
  g_test_add_func ("/gio/backend/chosen-by-priority", test_chosen_by_priority);
  g_test_add_func ("/gio/backend/harmless-when-not-chosen", test_not_chosen);
  g_test_add_func ("/gio/backend/without-a-host-certificates-are-unavailable", test_no_host);
  g_test_add_func ("/gio/backend/tls-through-a-socket-client", test_tls_through_socket_client);
  g_test_add_func ("/gio/backend/subprocess/is-moat", subprocess_is_moat);
  g_test_add_func ("/gio/backend/subprocess/is-not-moat", subprocess_is_not_moat);
  g_test_add_func ("/gio/backend/subprocess/no-host", subprocess_no_host);

  return g_test_run ();
}
