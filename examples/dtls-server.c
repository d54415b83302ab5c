/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A DTLS echo server for one client, on GIO's public API alone.
 *
 *   dtls-server --cert FILE --key FILE [--ca FILE] [--client-auth] [PORT]
 *
 * 1. Bind a UDP socket on loopback (port 0, the default: any free one) and say which.
 * 2. Make a DTLS connection on that socket and do the handshake with whoever comes first.
 * 3. Print what was agreed, and send back every message until the client closes.
 */

#include "example.h"

#include <stdio.h>
#include <stdlib.h>

enum
{
  /* The word that a client goes away is a datagram, and it can get lost like any other. */
  SILENCE_S = 60,
};

static char *option_ca;
static char *option_cert;
static char *option_key;
static gboolean option_client_auth;

/* clang-format off */
static const GOptionEntry entries[] = {
  { "ca", 0, 0, G_OPTION_ARG_FILENAME, &option_ca, "CAs that clients are checked against", "FILE" },
  { "cert", 0, 0, G_OPTION_ARG_FILENAME, &option_cert, "Our certificate and its issuers", "FILE" },
  { "key", 0, 0, G_OPTION_ARG_FILENAME, &option_key, "Our private key, if not in --cert", "FILE" },
  { "client-auth", 0, 0, G_OPTION_ARG_NONE, &option_client_auth, "Insist on a client certificate", NULL },
  G_OPTION_ENTRY_NULL
};
/* clang-format on */

static GSocket *
listen_on_loopback (guint16 port, GError **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, port);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GSocket) socket = NULL;

  socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);
  if (socket == NULL || !g_socket_bind (socket, address, FALSE, error))
    return NULL;

  bound = g_socket_get_local_address (socket, error);
  if (bound == NULL)
    return NULL;

  printf ("listening on 127.0.0.1:%u\n",
          g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  fflush (stdout);
  return g_steal_pointer (&socket);
}

/* Moat takes a socket that is not connected: it first has a client prove its address with a cookie, and
 * keeps to that client from then on. Other backends want to be shown whom to talk to; the datagram
 * itself stays in the socket for the connection. */
static bool
choose_client (GSocket *socket, GError **error)
{
  g_autoptr (GSocketAddress) client = NULL;
  char byte;
  GInputVector vector = { &byte, 1 };
  gint flags = G_SOCKET_MSG_PEEK;

  if (g_strcmp0 (G_OBJECT_TYPE_NAME (g_tls_backend_get_default ()), "GTlsBackendMoat") == 0)
    return true;

  return g_socket_receive_message (socket, &client, &vector, 1, NULL, NULL, &flags, NULL, error)
             >= 0
         && g_socket_connect (socket, client, NULL, error);
}

static GDatagramBased *
make_connection (GSocket *socket, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate (option_cert, option_key, error);
  g_autoptr (GDatagramBased) connection = NULL;

  if (certificate == NULL)
    return NULL;

  connection = g_dtls_server_connection_new (G_DATAGRAM_BASED (socket), certificate, error);
  if (connection == NULL || !trust (G_DTLS_CONNECTION (connection), option_ca, error))
    return NULL;

  if (option_client_auth)
    g_object_set (connection, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);

  return g_steal_pointer (&connection);
}

static bool
echo_until_closed (GDtlsConnection *connection, GError **error)
{
  char buffer[MAX_MESSAGE];
  size_t len = 0;
  enum received received;

  while ((received = receive_message (connection, buffer, SILENCE_S * G_USEC_PER_SEC, &len, error))
         == RECEIVED_MESSAGE)
    {
      printf ("echo: %.*s\n", (int) len, buffer);
      fflush (stdout);
      if (!send_message (connection, buffer, len, error))
        return false;
    }

  return received == RECEIVED_END;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("[PORT]");
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GDatagramBased) datagrams = NULL;
  GDtlsConnection *connection;
  guint64 port = 0;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fail ("usage", error);
  if (argc > 1 && !g_ascii_string_to_unsigned (argv[1], 10, 0, G_MAXUINT16, &port, &error))
    return fail ("port", error);
  if (option_cert == NULL)
    {
      fprintf (stderr, "A server needs a certificate: --cert and --key.\n");
      return EXIT_FAILURE;
    }

  socket = listen_on_loopback ((guint16) port, &error);
  if (socket == NULL || !choose_client (socket, &error))
    return fail ("socket", error);

  datagrams = make_connection (socket, &error);
  if (datagrams == NULL)
    return fail ("connection", error);
  connection = G_DTLS_CONNECTION (datagrams);

  if (!g_dtls_connection_handshake (connection, NULL, &error))
    {
      print_connection (connection);
      return fail ("handshake", error);
    }
  print_connection (connection);

  if (!echo_until_closed (connection, &error))
    return fail ("echo", error);
  if (!g_dtls_connection_close (connection, NULL, &error))
    return fail ("close", error);

  printf ("closed\n");
  return EXIT_SUCCESS;
}
