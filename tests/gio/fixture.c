/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every wait here is for an event; an alarm ends a test that waits for one that never comes. */

#include "fixture.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum
{
  /* Nothing takes that long, also under valgrind on a busy machine; it ends a test that hangs. */
  FAILSAFE_SECONDS = 240,
};

/* ------------------------------------------------------------------------------- how tests run */

static void
on_hang (int signal_number)
{
  static const char text[] = "Bail out! the test hangs\n";
  ssize_t ignored = write (STDOUT_FILENO, text, sizeof text - 1);

  (void) ignored;
  abort ();
}

void
tests_init (int *argc, char ***argv)
{
  g_setenv ("G_MESSAGES_DEBUG", "", FALSE);
  g_test_init (argc, argv, NULL);
  signal (SIGALRM, on_hang);
  alarm (FAILSAFE_SECONDS);
}

void
drain_context (void)
{
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
}

GObject *
fixture_new_context (Fixture *f, GDtlsConnection *connection)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (connection), "context");

  return g_object_new (spec->value_type, "max-version", f->version == IN_1_2 ? "1.2" : "1.3", NULL);
}

/* Two ends that can reach each other, and a connection on each. */
static void
set_up_connections (Fixture *f)
{
  if (f->transport == OVER_UDP)
    {
      f->client_base = G_DATAGRAM_BASED (new_udp_socket ());
      f->server_base = G_DATAGRAM_BASED (new_udp_socket ());
      connect_udp_socket (G_SOCKET (f->client_base), G_SOCKET (f->server_base));
      connect_udp_socket (G_SOCKET (f->server_base), G_SOCKET (f->client_base));
    }
  else
    pair_base_new ((PairBase **) &f->client_base, (PairBase **) &f->server_base);

  fixture_new_client (f, "server.example.com");
  fixture_new_server (f, "server-ecdsa");
}

static void
set_up (Fixture *f, gconstpointer how)
{
  Transport bits = (Transport) GPOINTER_TO_UINT (how);

  alarm (FAILSAFE_SECONDS);
  f->transport = bits & OVER_BOTH;
  f->version = bits & (IN_1_2 | IN_1_3);
  set_up_connections (f);
}

static void
finalize_base (GDatagramBased *base)
{
  g_assert_finalize_object (base);
}

static void
tear_down_connections (Fixture *f)
{
  if (f->client != NULL)
    g_assert_finalize_object (g_steal_pointer (&f->client));
  if (f->server != NULL)
    g_assert_finalize_object (g_steal_pointer (&f->server));
  finalize_base (f->client_base);
  finalize_base (f->server_base);
}

static void
tear_down (Fixture *f, gconstpointer how)
{
  tear_down_connections (f);
  g_assert_finalize_object (g_steal_pointer (&f->client_context));
  g_assert_finalize_object (g_steal_pointer (&f->server_context));
}

void
fixture_renew (Fixture *f)
{
  gpointer how = GUINT_TO_POINTER (f->transport | f->version);

  tear_down (f, how);
  set_up (f, how);
}

void
fixture_renew_connections (Fixture *f)
{
  tear_down_connections (f);
  set_up_connections (f);
}

static void
add_test (const char *prefix, const TestCase *test, Transport how, const char *how_name)
{
  g_autofree char *path = g_strdup_printf ("/gio/%s/%s/%s", prefix, test->name, how_name);
  Transport wanted = test->transports;

  if (!(wanted & (IN_1_2 | IN_1_3)))
    wanted |= IN_1_2 | IN_1_3;
  if ((wanted & how) == how)
    g_test_add_vtable (
        path, sizeof (Fixture), GUINT_TO_POINTER (how), (GTestFixtureFunc) G_CALLBACK (set_up),
        (GTestFixtureFunc) G_CALLBACK (test->run), (GTestFixtureFunc) G_CALLBACK (tear_down));
}

void
add_tests (const char *prefix, const TestCase *cases, gsize n_cases)
{
  for (gsize i = 0; i < n_cases; i++)
    {
      add_test (prefix, &cases[i], OVER_UDP | IN_1_2, "udp-1.2");
      add_test (prefix, &cases[i], OVER_PAIR | IN_1_2, "pair-1.2");
      add_test (prefix, &cases[i], OVER_UDP | IN_1_3, "udp-1.3");
      add_test (prefix, &cases[i], OVER_PAIR | IN_1_3, "pair-1.3");
    }
}

typedef struct
{
  RowTest run;
  gconstpointer row;
  Transport version;
} RowCase;

static void
run_row_case (gconstpointer data)
{
  const RowCase *self = data;
  gpointer how = GUINT_TO_POINTER (OVER_PAIR | self->version);
  Fixture f = { 0 };

  set_up (&f, how);
  self->run (&f, self->row);
  tear_down (&f, how);
}

void
add_row_test (const char *prefix, const char *name, RowTest run, gconstpointer row)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/gio/%s/%s/%s", prefix, name, i == 0 ? "1.2" : "1.3");
      RowCase *self = g_new (RowCase, 1);

      *self = (RowCase){ run, row, i == 0 ? IN_1_2 : IN_1_3 };
      g_test_add_data_func_full (path, self, run_row_case, g_free);
    }
}

/* ------------------------------------------------------------------------------ certificates */

char *
certificate_path (const char *name, const char *suffix)
{
  const char *folder = g_getenv ("MOAT_TEST_CERTS");

  g_assert_nonnull (folder);

  return g_strdup_printf ("%s/%s%s", folder, name, suffix);
}

static char *
read_file (const char *name, const char *suffix)
{
  g_autofree char *path = certificate_path (name, suffix);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);

  return text;
}

static GTlsCertificate *
certificate_from_pem (const char *pem)
{
  g_autoptr (GError) error = NULL;
  GTlsCertificate *certificate = g_tls_certificate_new_from_pem (pem, -1, &error);

  g_assert_no_error (error);

  return certificate;
}

/* g_tls_certificate_new_from_pem keeps only the leaf of a chain whose root it does not see, so each
 * certificate is linked to its issuer here. */
static GTlsCertificate *
link_chain (const char *pem, const char *key)
{
  static const char begin[] = "-----BEGIN CERTIFICATE-----";
  g_auto (GStrv) parts = g_strsplit (pem, begin, -1);
  GType type = g_tls_backend_get_certificate_type (g_tls_backend_get_default ());
  g_autoptr (GTlsCertificate) chain = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = g_strv_length (parts); i > 1; i--)
    {
      g_autofree char *one = g_strconcat (begin, parts[i - 1], NULL);
      GTlsCertificate *next = g_initable_new (type, NULL, &error, "certificate-pem", one, "issuer",
                                              chain, "private-key-pem", i == 2 ? key : NULL, NULL);

      g_assert_no_error (error);
      g_clear_object (&chain);
      chain = next;
    }

  return g_steal_pointer (&chain);
}

GTlsCertificate *
load_certificate (const char *name)
{
  g_autofree char *chain = read_file (name, "-chain.pem");
  g_autofree char *key = read_file (name, "-key.pem");

  return link_chain (chain, key);
}

GTlsCertificate *
load_certificate_without_key (const char *name)
{
  g_autofree char *pem = read_file (name, ".pem");

  return certificate_from_pem (pem);
}

GTlsDatabase *
load_database (const char *name)
{
  g_autofree char *path = certificate_path (name, ".pem");
  g_autoptr (GError) error = NULL;
  GTlsDatabase *database = g_tls_file_database_new (path, &error);

  g_assert_no_error (error);

  return database;
}

/* ---------------------------------------------------------------------------------- both sides */

GSocket *
new_udp_socket (void)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, &error);

  g_assert_no_error (error);
  g_socket_bind (socket, address, FALSE, &error);
  g_assert_no_error (error);

  return socket;
}

void
connect_udp_socket (GSocket *socket, GSocket *to)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (to, &error);

  g_assert_no_error (error);
  g_socket_connect (socket, address, NULL, &error);
  g_assert_no_error (error);
}

GSocketConnectable *
identity_of (const char *host)
{
  return host != NULL ? g_network_address_new (host, 4433) : NULL;
}

void
fixture_new_client (Fixture *f, const char *identity)
{
  g_autoptr (GSocketConnectable) connectable = identity_of (identity);
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GError) error = NULL;

  g_clear_object (&f->client);
  f->client =
      G_DTLS_CONNECTION (g_dtls_client_connection_new (f->client_base, connectable, &error));
  g_assert_no_error (error);
  g_dtls_connection_set_database (f->client, database);
  if (f->client_context == NULL)
    f->client_context = fixture_new_context (f, f->client);
  g_object_set (f->client, "context", f->client_context, NULL);
}

void
fixture_new_server (Fixture *f, const char *certificate)
{
  g_autoptr (GTlsCertificate) loaded = certificate != NULL ? load_certificate (certificate) : NULL;
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (GError) error = NULL;

  g_clear_object (&f->server);
  f->server = G_DTLS_CONNECTION (g_dtls_server_connection_new (f->server_base, loaded, &error));
  g_assert_no_error (error);
  g_dtls_connection_set_database (f->server, database);
  if (f->server_context == NULL)
    f->server_context = fixture_new_context (f, f->server);
  g_object_set (f->server, "context", f->server_context, NULL);
}

typedef struct
{
  GDtlsConnection *connection;
  GCancellable *cancellable;
} HandshakeCall;

static gpointer
run_handshake (gpointer data)
{
  g_autofree HandshakeCall *call = data;
  GError *error = NULL;

  g_assert_cmpint (g_dtls_connection_handshake (call->connection, call->cancellable, &error), ==,
                   error == NULL);
  g_object_unref (call->connection);
  g_clear_object (&call->cancellable);

  return error;
}

GThread *
start_handshake (GDtlsConnection *connection, GCancellable *cancellable)
{
  HandshakeCall *call = g_new (HandshakeCall, 1);

  call->connection = g_object_ref (connection);
  call->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;

  return g_thread_new ("handshake", run_handshake, call);
}

void
pending_done (GObject *source, GAsyncResult *result, gpointer pending)
{
  g_assert_null (((Pending *) pending)->result);
  ((Pending *) pending)->result = g_object_ref (result);
}

gboolean
pending_handshake_finish (Pending *pending, GDtlsConnection *connection, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  until (pending->result != NULL);
  result = g_steal_pointer (&pending->result);

  return g_dtls_connection_handshake_finish (connection, result, error);
}

gboolean
pending_shutdown_finish (Pending *pending, GDtlsConnection *connection, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  until (pending->result != NULL);
  result = g_steal_pointer (&pending->result);

  return g_dtls_connection_shutdown_finish (connection, result, error);
}

void
fixture_try_handshake (Fixture *f, GError **client_error, GError **server_error)
{
  Pending client = { NULL };
  Pending server = { NULL };

  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, &server);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  until (client.result != NULL && server.result != NULL);

  g_assert_cmpint (pending_handshake_finish (&client, f->client, client_error), ==,
                   *client_error == NULL);
  g_assert_cmpint (pending_handshake_finish (&server, f->server, server_error), ==,
                   *server_error == NULL);
}

void
fixture_handshake (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_no_error (client_error);
  g_assert_no_error (server_error);
}

/* ------------------------------------------------------------------------------------ messages */

gint
send_bytes (GDtlsConnection *connection, gconstpointer at, gsize len, gint64 timeout,
            GError **error)
{
  GOutputVector vector = { at, len };
  GOutputMessage message = { .vectors = &vector, .num_vectors = 1 };
  gint n = g_datagram_based_send_messages (G_DATAGRAM_BASED (connection), &message, 1, 0, timeout,
                                           NULL, error);

  if (n == 1)
    g_assert_cmpuint (message.bytes_sent, ==, len);

  return n;
}

gint
receive_bytes (GDtlsConnection *connection, gpointer at, gsize size, gint64 timeout, gsize *out_len,
               GError **error)
{
  GInputVector vector = { at, size };
  GInputMessage message = { .vectors = &vector, .num_vectors = 1 };
  gint n = g_datagram_based_receive_messages (G_DATAGRAM_BASED (connection), &message, 1, 0,
                                              timeout, NULL, error);

  *out_len = n == 1 ? message.bytes_received : 0;

  return n;
}

static gboolean
on_ready (GDatagramBased *based, GIOCondition condition, gpointer is_ready)
{
  *(gboolean *) is_ready = TRUE;

  return G_SOURCE_REMOVE;
}

void
wait_for (GDtlsConnection *connection, GIOCondition condition)
{
  g_autoptr (GSource) source =
      g_datagram_based_create_source (G_DATAGRAM_BASED (connection), condition, NULL);
  gboolean is_ready = FALSE;

  g_source_set_callback (source, G_SOURCE_FUNC (on_ready), &is_ready, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  until (is_ready);
}

void
send_text (GDtlsConnection *connection, const char *text)
{
  g_autoptr (GError) error = NULL;
  gint n;

  wait_for (connection, G_IO_OUT);
  n = send_bytes (connection, text, strlen (text), 0, &error);
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, 1);
}

void
expect_text (GDtlsConnection *connection, const char *text)
{
  char buffer[2048];
  gsize len;
  g_autoptr (GError) error = NULL;
  gint n;

  wait_for (connection, G_IO_IN);
  n = receive_bytes (connection, buffer, sizeof buffer, 0, &len, &error);
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, 1);
  g_assert_cmpmem (buffer, len, text, strlen (text));
}

void
expect_end (GDtlsConnection *connection)
{
  char byte;
  gsize len;
  g_autoptr (GError) error = NULL;
  gint n;

  wait_for (connection, G_IO_IN);
  n = receive_bytes (connection, &byte, 1, 0, &len, &error);
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, 0);
}

void
expect_receive_error (GDtlsConnection *connection, GQuark domain, gint code)
{
  char byte;
  gsize len;
  g_autoptr (GError) error = NULL;
  gint n = receive_bytes (connection, &byte, 1, 0, &len, &error);

  g_assert_error (error, domain, code);
  g_assert_cmpint (n, ==, -1);
}

void
expect_send_error (GDtlsConnection *connection, GQuark domain, gint code)
{
  g_autoptr (GError) error = NULL;
  gint n = send_bytes (connection, "x", 1, 0, &error);

  g_assert_error (error, domain, code);
  g_assert_cmpint (n, ==, -1);
}

static gpointer
run_echo (gpointer data)
{
  GDtlsConnection *server = data; /* (owned) */
  g_autoptr (GError) error = NULL;
  char buffer[2048];
  gsize len;

  g_dtls_connection_handshake (server, NULL, &error);
  g_assert_no_error (error);

  while (receive_bytes (server, buffer, sizeof buffer, -1, &len, &error) == 1)
    {
      send_bytes (server, buffer, len, -1, &error);
      g_assert_no_error (error);
    }
  g_assert_no_error (error);

  g_dtls_connection_close (server, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (server);

  return NULL;
}

GThread *
start_echo (GDtlsConnection *server)
{
  return g_thread_new ("echo", run_echo, g_object_ref (server));
}
