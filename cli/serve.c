/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* `moat serve`: a server for one client at a time, all on one socket.
 *
 * 1. Files are loaded and the socket is bound.
 * 2. A connection on the unconnected socket waits for whoever proves its address with a cookie, and keeps
 *    to it. Without cookies nothing is proved, so the socket itself is connected to the first that says
 *    hello.
 * 3. The session runs until the client closes; then comes the next one, unless --once.
 */

#include "cli/address.h"
#include "cli/commands.h"
#include "cli/identity.h"
#include "cli/interrupt.h"
#include "cli/session.h"

#include <netinet/in.h>
#include <unistd.h>

enum
{
  /* RFC 6347 §4.1, §4.2.2: a record's header of 13 bytes and a handshake message's type. */
  HELLO_START = 14,
};

struct server
{
  const struct options *options;
  struct identity identity;
  struct interrupt interrupt;
  GSocket *socket;       /* (owned) */
  GSocketAddress *local; /* (owned): where it is bound */
  bool takes_both_families;
  bool is_broken; /* it cannot go on: trouble on our own side, not with a client */
  struct lines input;
};

/* --- the socket --- */

static GSocket *
bind_socket (GSocketAddress *address, bool takes_both_families, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (address),
                                             G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);

  if (socket == NULL)
    return NULL;

  if (g_socket_get_family (socket) == G_SOCKET_FAMILY_IPV6
      && !g_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, !takes_both_families, error))
    return NULL;

  g_socket_set_blocking (socket, FALSE);
  if (!g_socket_bind (socket, address, FALSE, error))
    return NULL;

  return g_steal_pointer (&socket);
}

static GSocket *
bind_any (GSocketFamily family, guint16 port, bool takes_both_families, GError **error)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_any (family);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (any, port);

  return bind_socket (address, takes_both_families, error);
}

/* All addresses of this machine: one IPv6 socket has those of IPv4 too. Only where there is no IPv6 at all
 * is it IPv4 alone: a port that is taken must not be mistaken for that. */
static GSocket *
bind_all (const struct options *options, guint16 port, GError **error)
{
  g_autoptr (GError) no_ipv6 = NULL;
  GSocket *socket;

  if (options->only_ipv4)
    return bind_any (G_SOCKET_FAMILY_IPV4, port, false, error);

  socket = bind_any (G_SOCKET_FAMILY_IPV6, port, !options->only_ipv6, &no_ipv6);
  if (socket != NULL)
    return socket;

  if (options->only_ipv6 || g_error_matches (no_ipv6, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)
      || g_error_matches (no_ipv6, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    {
      g_propagate_error (error, g_steal_pointer (&no_ipv6));
      return NULL;
    }

  return bind_any (G_SOCKET_FAMILY_IPV4, port, false, error);
}

static GSocket *
bind_host (const struct options *options, const char *host, guint16 port, GError **error)
{
  GSocketFamily family = G_SOCKET_FAMILY_INVALID;
  GList *addresses;
  GSocket *socket;

  if (options->only_ipv4 || options->only_ipv6)
    family = options->only_ipv4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6;

  addresses = address_resolve (host, port, family, error);
  if (addresses == NULL)
    return NULL;

  socket = bind_socket (addresses->data, false, error);
  g_list_free_full (addresses, g_object_unref);
  return socket;
}

/* STATUS_USAGE: the address makes no sense. */
static enum status
listen_at (struct server *server, GError **error)
{
  g_autofree char *host = NULL;
  guint16 port;

  if (!address_parse (server->options->address, true, &host, &port, error))
    return STATUS_USAGE;

  if (host != NULL)
    server->socket = bind_host (server->options, host, port, error);
  else
    server->socket = bind_all (server->options, port, error);
  if (server->socket == NULL)
    {
      g_prefix_error (error, "cannot listen at %s: ", server->options->address);
      return STATUS_RUNTIME;
    }

  server->takes_both_families = host == NULL && !server->options->only_ipv6;
  server->local = g_socket_get_local_address (server->socket, error);
  return server->local != NULL ? STATUS_OK : STATUS_RUNTIME;
}

/* --- clients without cookies --- */

/* RFC 6347 §4.1, §4.2.2: a record of type handshake (22) in epoch 0 that begins with a ClientHello (1).
 * What a client that has gone still sends is none, and must not keep the next one out. */
static bool
looks_like_hello (const guint8 *start, gssize len)
{
  return len >= HELLO_START && start[0] == 22 && start[3] == 0 && start[4] == 0 && start[13] == 1;
}

static gboolean
on_readable (GSocket *socket G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED,
             gpointer user_data)
{
  bool *is_readable = user_data;

  *is_readable = true;
  return G_SOURCE_REMOVE;
}

static bool
wait_for_datagram (struct server *server)
{
  g_autoptr (GSource) source =
      g_socket_create_source (server->socket, G_IO_IN, server->interrupt.cancellable);
  bool is_readable = false;

  g_source_set_callback (source, G_SOURCE_FUNC (on_readable), &is_readable, NULL);
  g_source_attach (source, NULL);
  while (!is_readable)
    g_main_context_iteration (NULL, TRUE);

  return !g_cancellable_is_cancelled (server->interrupt.cancellable);
}

/* Looks at what has come, and leaves it in the socket if it is a hello. False: nothing for us; an error is
 * set only if nothing will ever come. */
static bool
find_hello (struct server *server, GSocketAddress **out_address, GError **error)
{
  g_autoptr (GError) trouble = NULL;
  guint8 start[HELLO_START];
  GInputVector vector = { start, sizeof start };
  gint flags = G_SOCKET_MSG_PEEK;
  gssize len = g_socket_receive_message (server->socket, out_address, &vector, 1, NULL, NULL,
                                         &flags, NULL, &trouble);

  if (len >= 0 && looks_like_hello (start, len))
    return true;

  if (len >= 0)
    g_socket_receive (server->socket, (char *) start, sizeof start, NULL, &trouble);
  g_clear_object (out_address);

  if (trouble != NULL && !g_error_matches (trouble, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    g_propagate_error (error, g_steal_pointer (&trouble));
  return false;
}

/* Connects the socket to the first that says hello. */
static bool
meet_client (struct server *server, GError **error)
{
  g_autoptr (GSocketAddress) address = NULL;
  GError *trouble = NULL;
  bool is_found = false;

  while (!is_found && trouble == NULL && wait_for_datagram (server))
    is_found = find_hello (server, &address, &trouble);

  if (is_found)
    return g_socket_connect (server->socket, address, NULL, error);

  if (trouble != NULL)
    g_propagate_error (error, trouble);
  else
    g_cancellable_set_error_if_cancelled (server->interrupt.cancellable, error);
  return false;
}

/* A connected socket hears nobody else again, so another one takes its place. */
static bool
leave_client (struct server *server, GError **error)
{
  g_socket_close (server->socket, NULL);
  g_clear_object (&server->socket);

  server->socket = bind_socket (server->local, server->takes_both_families, error);
  return server->socket != NULL;
}

/* --- one client --- */

static MoatServerConnection *
open_connection (const struct server *server, GError **error)
{
  MoatServerConnection *connection = moat_server_connection_new (
      G_DATAGRAM_BASED (server->socket), server->identity.certificate, error);

  if (connection == NULL)
    return NULL;

  identity_apply (&server->identity, server->options, G_DTLS_CONNECTION (connection));
  g_object_set (connection, "authentication-mode", server->options->client_auth, "cookies",
                !server->options->no_cookie, NULL);
  return connection;
}

static enum status
give_up (struct server *server, const char *what, const GError *error)
{
  if (!g_cancellable_is_cancelled (server->interrupt.cancellable))
    report_error ("%s: %s", what, error->message);
  server->is_broken = true;
  return STATUS_RUNTIME;
}

static enum status
serve_client (struct server *server)
{
  g_autoptr (GError) error = NULL;
  MoatServerConnection *connection;
  struct session session;
  enum status status;

  if (server->options->no_cookie && !meet_client (server, &error))
    return give_up (server, "cannot receive", error);

  connection = open_connection (server, &error);
  if (connection == NULL)
    return give_up (server, "cannot serve", error);

  session_init (&session, G_DATAGRAM_BASED (connection), server->options,
                server->interrupt.cancellable);
  session.input = server->options->echo ? NULL : &server->input;

  status = session_handshake (&session);
  if (session.was_refused_port)
    report_error ("the client has gone");
  else if (status == STATUS_OK)
    status = session_talk (&session);

  server->is_broken = session.is_output_lost;
  session_clear (&session);
  if (server->options->no_cookie && !server->options->once && !leave_client (server, &error))
    return give_up (server, "cannot wait for the next client", error);

  return status;
}

/* --- all of them --- */

static enum status
run (struct server *server)
{
  g_autofree char *text = address_to_string (server->local);

  report_status ("listening on %s", text);
  while (true)
    {
      enum status status = serve_client (server);

      /* A client that fails, or what strangers send about it, is no reason to turn away the next. */
      if (server->options->once || server->is_broken || server->interrupt.signal != 0)
        return interrupt_status (&server->interrupt, status);

      report_status ("waiting for the next client");
    }
}

static enum status
serve (const struct options *options)
{
  struct server server = { .options = options };
  g_autoptr (GError) error = NULL;
  enum status status = identity_load (&server.identity, options);

  if (status == STATUS_OK)
    {
      status = listen_at (&server, &error);
      if (error != NULL)
        report_error ("%s", error->message);
    }

  if (status == STATUS_OK)
    {
      lines_init (&server.input, STDIN_FILENO);
      interrupt_init (&server.interrupt);
      status = run (&server);
      interrupt_clear (&server.interrupt);
    }

  g_clear_object (&server.socket);
  g_clear_object (&server.local);
  identity_clear (&server.identity);
  return status;
}

enum status
serve_main (int argc, char **argv)
{
  struct options options = { 0 };
  enum status status = options_parse_serve (&options, argc, argv);

  if (status == STATUS_OK)
    status = serve (&options);

  options_clear (&options);
  return status;
}
