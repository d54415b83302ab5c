/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* `moat connect`: a client.
 *
 * 1. Files are loaded and the host's name is resolved.
 * 2. Its addresses are tried in turn; one where nothing listens gives way to the next.
 * 3. The session runs until the server closes, or standard input has ended and its answers are there.
 */

#include "cli/address.h"
#include "cli/commands.h"
#include "cli/identity.h"
#include "cli/interrupt.h"
#include "cli/session-file.h"
#include "cli/session.h"

#include <unistd.h>

struct client
{
  const struct options *options;
  struct identity identity;
  struct interrupt interrupt;
  GSocketConnectable *server; /* (owned): whom the certificate must name */
  struct lines input;
  char *failure; /* (owned) (nullable): why the last address gave way to the next */
};

static GSocketFamily
wanted_family (const struct options *options)
{
  if (options->only_ipv4)
    return G_SOCKET_FAMILY_IPV4;
  return options->only_ipv6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_INVALID;
}

/* An address is no name: it is looked for among the certificate's addresses, and no SNI is sent. */
static GSocketConnectable *
make_identity (const char *name, guint16 port)
{
  GSocketAddress *literal = g_inet_socket_address_new_from_string (name, port);

  return literal != NULL ? G_SOCKET_CONNECTABLE (literal) : g_network_address_new (name, port);
}

static MoatClientConnection *
open_connection (const struct client *client, GSocketAddress *address, GError **error)
{
  g_autoptr (MoatClientConnection) connection = NULL;
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (address),
                                             G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);

  if (socket == NULL || !g_socket_connect (socket, address, NULL, error))
    return NULL;

  connection = moat_client_connection_new (G_DATAGRAM_BASED (socket), client->server, error);
  if (connection == NULL)
    return NULL;

  identity_apply (&client->identity, client->options, G_DTLS_CONNECTION (connection));
  if (client->options->session_file != NULL)
    session_file_offer (client->options->session_file, MOAT_CONNECTION (connection));

  return g_steal_pointer (&connection);
}

/* One address. STATUS_NO_ANSWER or STATUS_RUNTIME and a failure in `client`: the next may do better. */
static enum status
try_address (struct client *client, GSocketAddress *address)
{
  g_autofree char *text = address_to_string (address);
  g_autoptr (GError) error = NULL;
  MoatClientConnection *connection;
  struct session session;
  enum status status;

  report_detail ("trying %s", text);
  connection = open_connection (client, address, &error);
  if (connection == NULL)
    {
      client->failure = g_strdup_printf ("cannot reach %s: %s", text, error->message);
      return STATUS_RUNTIME;
    }

  session_init (&session, G_DATAGRAM_BASED (connection), client->options,
                client->interrupt.cancellable);
  session.input = &client->input;
  session.ends_with_input = true;

  status = session_handshake (&session);
  if (session.was_refused_port)
    client->failure = g_strdup_printf ("no server answers at %s: the port is closed", text);
  else if (status == STATUS_OK)
    status = session_talk (&session);
  if (client->options->session_file != NULL)
    session_file_store (client->options->session_file, MOAT_CONNECTION (session.connection));

  session_clear (&session);
  return status;
}

static enum status
run (struct client *client, GList *addresses)
{
  GList *at = addresses;
  enum status status;

  do
    {
      g_clear_pointer (&client->failure, g_free);
      status = try_address (client, at->data);
      at = at->next;
    }
  while (client->failure != NULL && at != NULL);

  if (client->failure != NULL)
    report_error ("%s", client->failure);
  g_clear_pointer (&client->failure, g_free);
  return interrupt_status (&client->interrupt, status);
}

static enum status
connect_to (const struct options *options)
{
  struct client client = { .options = options };
  g_autofree char *host = NULL;
  g_autoptr (GError) error = NULL;
  GList *addresses = NULL;
  enum status status;
  guint16 port;

  if (!address_parse (options->address, false, &host, &port, &error))
    {
      report_error ("%s", error->message);
      return STATUS_USAGE;
    }

  status = identity_load (&client.identity, options);
  if (status != STATUS_OK)
    goto out;

  addresses = address_resolve (host, port, wanted_family (options), &error);
  if (addresses == NULL)
    {
      report_error ("cannot find %s: %s", host, error->message);
      status = STATUS_RUNTIME;
      goto out;
    }

  client.server = make_identity (options->servername != NULL ? options->servername : host, port);
  lines_init (&client.input, STDIN_FILENO);
  interrupt_init (&client.interrupt);
  status = run (&client, addresses);
  interrupt_clear (&client.interrupt);
  g_object_unref (client.server);

out:
  g_list_free_full (addresses, g_object_unref);
  identity_clear (&client.identity);
  return status;
}

enum status
connect_main (int argc, char **argv)
{
  struct options options = { 0 };
  enum status status = options_parse_connect (&options, argc, argv);

  if (status == STATUS_OK)
    status = connect_to (&options);

  options_clear (&options);
  return status;
}
