/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A DTLS client for an echo server, on GIO's public API alone.
 *
 *   dtls-client [--ca FILE] [--servername NAME] [--cert FILE --key FILE] HOST:PORT [LINE...]
 *
 * 1. Connect a UDP socket to the server.
 * 2. Make a DTLS connection on that socket, which also knows whom the certificate must name, and do the
 *    handshake. It fails if the certificate is not trusted.
 * 3. Print what was agreed; send every line, print what comes back; close.
 */

#include "example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
  /* DTLS repeats lost handshake messages, but never data: what must arrive, the application repeats. */
  REPLY_MS = 500,
  TRIES = 20,
};

static char *option_ca;
static char *option_servername;
static char *option_cert;
static char *option_key;

/* clang-format off */
static const GOptionEntry entries[] = {
  { "ca", 0, 0, G_OPTION_ARG_FILENAME, &option_ca, "CAs that the server is checked against", "FILE" },
  { "servername", 0, 0, G_OPTION_ARG_STRING, &option_servername, "Whom its certificate must name", "NAME" },
  { "cert", 0, 0, G_OPTION_ARG_FILENAME, &option_cert, "Our certificate and its issuers", "FILE" },
  { "key", 0, 0, G_OPTION_ARG_FILENAME, &option_key, "Our private key, if not in --cert", "FILE" },
  G_OPTION_ENTRY_NULL
};
/* clang-format on */

/* A connected socket hears nobody but the server, and is told if nothing listens there. */
static GSocket *
connect_socket (GSocketConnectable *server, GError **error)
{
  g_autoptr (GSocketAddressEnumerator) addresses = g_socket_connectable_enumerate (server);
  g_autoptr (GSocketAddress) address = g_socket_address_enumerator_next (addresses, NULL, error);
  g_autoptr (GSocket) socket = NULL;

  if (address == NULL)
    return NULL;

  socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_DATAGRAM,
                         G_SOCKET_PROTOCOL_UDP, error);
  if (socket == NULL || !g_socket_connect (socket, address, NULL, error))
    return NULL;

  return g_steal_pointer (&socket);
}

static GDatagramBased *
make_connection (GSocket *socket, GSocketConnectable *server, GError **error)
{
  g_autoptr (GSocketConnectable) identity = NULL;
  g_autoptr (GDatagramBased) connection = NULL;
  g_autoptr (GTlsCertificate) certificate = NULL;

  if (option_servername != NULL)
    identity = g_network_address_new (option_servername, 0);
  else
    identity = g_object_ref (server);

  connection = g_dtls_client_connection_new (G_DATAGRAM_BASED (socket), identity, error);
  if (connection == NULL || !trust (G_DTLS_CONNECTION (connection), option_ca, error))
    return NULL;

  if (option_cert != NULL)
    {
      certificate = load_certificate (option_cert, option_key, error);
      if (certificate == NULL)
        return NULL;
      g_dtls_connection_set_certificate (G_DTLS_CONNECTION (connection), certificate);
    }

  return g_steal_pointer (&connection);
}

/* Waits for `line` to come back. RECEIVED_ERROR with G_IO_ERROR_TIMED_OUT: it has not, this time. An
 * echo that comes late, of a line sent twice, is passed over. */
static enum received
await_echo (GDtlsConnection *connection, const char *line, GError **error)
{
  char buffer[MAX_MESSAGE];
  size_t len = 0;
  enum received received;

  do
    received = receive_message (connection, buffer, REPLY_MS * 1000, &len, error);
  while (received == RECEIVED_MESSAGE && (len != strlen (line) || memcmp (buffer, line, len) != 0));

  if (received == RECEIVED_MESSAGE)
    printf ("%.*s\n", (int) len, buffer);
  return received;
}

static bool
exchange (GDtlsConnection *connection, const char *line, GError **error)
{
  for (int i = 0; i < TRIES; i++)
    {
      g_autoptr (GError) missed = NULL;
      enum received received;

      if (!send_message (connection, line, strlen (line), error))
        return false;

      received = await_echo (connection, line, &missed);
      if (received == RECEIVED_MESSAGE)
        return true;

      if (received == RECEIVED_END)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The server has closed");
          return false;
        }
      if (!g_error_matches (missed, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        {
          g_propagate_error (error, g_steal_pointer (&missed));
          return false;
        }
    }

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "No echo of “%s”", line);
  return false;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("HOST:PORT [LINE…]");
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) server = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GDatagramBased) datagrams = NULL;
  GDtlsConnection *connection;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fail ("usage", error);
  if (argc < 2)
    {
      fprintf (stderr, "Which server? Give it as HOST:PORT.\n");
      return EXIT_FAILURE;
    }

  server = g_network_address_parse (argv[1], 0, &error);
  if (server == NULL)
    return fail (argv[1], error);
  socket = connect_socket (server, &error);
  if (socket == NULL)
    return fail ("socket", error);

  datagrams = make_connection (socket, server, &error);
  if (datagrams == NULL)
    return fail ("connection", error);
  connection = G_DTLS_CONNECTION (datagrams);

  if (!g_dtls_connection_handshake (connection, NULL, &error))
    {
      print_connection (connection);
      return fail ("handshake", error);
    }
  print_connection (connection);

  for (int i = 2; i < argc; i++)
    if (!exchange (connection, argv[i], &error))
      return fail ("exchange", error);

  if (!g_dtls_connection_close (connection, NULL, &error))
    return fail ("close", error);
  return EXIT_SUCCESS;
}
