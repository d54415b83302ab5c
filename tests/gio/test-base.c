/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a base may do to a connection, a GSocket above all; C7 of docs/gio-contract.md. */

#include "fixture.h"

#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------ GSockets */

static void
test_stream_socket (void)
{
  g_autoptr (GSocket) socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
  g_autoptr (GTlsCertificate) certificate = load_certificate ("server-ecdsa");
  g_autoptr (GError) error = NULL;

  g_assert_null (g_dtls_client_connection_new (G_DATAGRAM_BASED (socket), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_null (g_dtls_server_connection_new (G_DATAGRAM_BASED (socket), certificate, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static void
test_unconnected_client (void)
{
  g_autoptr (GSocket) socket = new_udp_socket ();
  g_autoptr (GError) error = NULL;

  g_assert_null (g_dtls_client_connection_new (G_DATAGRAM_BASED (socket), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED);
}

/* GLib's own datagram calls fail on such a socket, without an error. */
static void
test_socket_with_timeout (Fixture *f)
{
  g_socket_set_timeout (G_SOCKET (f->client_base), 1);
  g_socket_set_timeout (G_SOCKET (f->server_base), 1);
  fixture_handshake (f);
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
}

static void
test_blocking_socket (Fixture *f)
{
  g_socket_set_blocking (G_SOCKET (f->client_base), TRUE);
  fixture_handshake (f);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_socket_set_blocking (G_SOCKET (f->client_base), FALSE);
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
}

/* ------------------------------------------------------------------------- an unconnected server */

static void
use_unconnected_server (Fixture *f)
{
  g_clear_object (&f->client);
  g_clear_object (&f->server);
  g_clear_object (&f->client_base);
  g_clear_object (&f->server_base);
  f->server_base = G_DATAGRAM_BASED (new_udp_socket ());
  f->client_base = G_DATAGRAM_BASED (new_udp_socket ());
  connect_udp_socket (G_SOCKET (f->client_base), G_SOCKET (f->server_base));
  fixture_new_server (f, "server-ecdsa");
  fixture_new_client (f, "server.example.com");
}

static void
test_pins_the_first (Fixture *f)
{
  g_autoptr (GSocket) stranger = new_udp_socket ();

  use_unconnected_server (f);
  connect_udp_socket (stranger, G_SOCKET (f->server_base));
  g_assert_cmpint (g_socket_send (stranger, "noise", 5, NULL, NULL), ==, 5);
  g_assert_cmpint (g_socket_send (stranger, "", 0, NULL, NULL), ==, 0);
  fixture_handshake (f);
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
  send_text (f->server, "pong");
  expect_text (f->client, "pong");

  /* Someone else comes too late, and disturbs nobody. */
  g_assert_cmpint (g_socket_send (stranger, "noise", 5, NULL, NULL), ==, 5);
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
}

/* RFC 6347 §4.2.1: before the address is proved, nothing but an answer no longer than the question. */
static void
test_asks_for_proof (Fixture *f)
{
  g_autoptr (GSocket) stranger = new_udp_socket ();
  g_autoptr (GError) error = NULL;
  gchar hello[2048];
  gchar answer[2048];
  gssize hello_len;
  gssize answer_len;

  use_unconnected_server (f);

  /* The client's own first hello, sent on from another address. */
  connect_udp_socket (stranger, G_SOCKET (f->server_base));
  {
    g_autoptr (GSocket) trap = new_udp_socket ();
    g_autoptr (GSocket) caller = new_udp_socket ();
    GDtlsConnection *client;

    connect_udp_socket (caller, trap);
    client =
        G_DTLS_CONNECTION (g_dtls_client_connection_new (G_DATAGRAM_BASED (caller), NULL, NULL));
    g_object_set (client, "context", f->client_context, NULL);
    expect_receive_error (client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    hello_len = g_socket_receive (trap, hello, sizeof hello, NULL, &error);
    g_assert_no_error (error);
    g_object_unref (client);
  }
  g_assert_cmpint (g_socket_send (stranger, hello, (gsize) hello_len, NULL, NULL), ==, hello_len);
  expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  drain_context ();

  answer_len = g_socket_receive (stranger, answer, sizeof answer, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (answer_len, <=, hello_len);
  /* HelloVerifyRequest, or HelloRetryRequest, which is a ServerHello */
  g_assert_cmpint (answer[13], ==, f->version == IN_1_2 ? 3 : 2);
  g_assert_cmpint (g_socket_condition_check (stranger, G_IO_IN), ==, 0);

  fixture_handshake (f);
  g_assert_cmpint (g_socket_condition_check (stranger, G_IO_IN), ==, 0);
}

static void
test_cookies_stay_on (Fixture *f)
{
  gboolean cookies = FALSE;

  g_object_get (f->server, "cookies", &cookies, NULL);
  g_assert_true (cookies);
  use_unconnected_server (f);
  g_object_set (f->server, "cookies", FALSE, NULL);
  fixture_handshake (f);
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
}

static void
test_cookies_off_on_other_bases (Fixture *f)
{
  gboolean cookies = TRUE;
  guint n_without;

  g_object_get (f->server, "cookies", &cookies, NULL);
  g_assert_false (cookies);
  fixture_handshake (f);
  n_without = pair_base_n_sent (PAIR_BASE (f->client_base));

  fixture_renew (f);
  g_object_set (f->server, "cookies", TRUE, NULL);
  fixture_handshake (f);
  /* The second hello takes two datagrams where it has a share of ML-KEM. */
  g_assert_cmpuint (pair_base_n_sent (PAIR_BASE (f->client_base)), >, n_without);
}

/* C7. */
static void
test_closed_unconnected (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  use_unconnected_server (f);
  fixture_handshake (f);
  g_assert_true (g_socket_close (G_SOCKET (f->server_base), NULL));
  g_assert_cmpint (receive_bytes (f->server, &byte, 1, 0, &len, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* ----------------------------------------------------------------------------------------------- ICMP */

/* An address of this process alone, so that a port that was given back stays free. */
static GSocketAddress *
private_address (guint16 port)
{
  guint pid = (guint) getpid ();
  g_autofree char *host =
      g_strdup_printf ("127.%u.%u.%u", 64 + (pid >> 16) % 64, (pid >> 8) & 255, 1 + pid % 254);

  return g_inet_socket_address_new_from_string (host, port);
}

static GSocket *
bind_to (GSocketAddress *address)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

  g_socket_bind (socket, address, FALSE, &error);
  g_assert_no_error (error);

  return socket;
}

/* The client calls a port that is closed; later there is a server on it. */
static GSocketAddress *
call_closed_port (Fixture *f)
{
  g_autoptr (GSocketAddress) any = private_address (0);
  g_autoptr (GSocket) server = bind_to (any);
  g_autoptr (GSocket) client = bind_to (any);
  GSocketAddress *address = g_socket_get_local_address (server, NULL);

  g_assert_true (g_socket_connect (client, address, NULL, NULL));
  g_clear_object (&f->client);
  g_clear_object (&f->client_base);
  f->client_base = G_DATAGRAM_BASED (g_steal_pointer (&client));
  fixture_new_client (f, "server.example.com");
  g_object_set (f->client, "retransmission-timeout", 20, NULL);

  return address;
}

static void
open_port (Fixture *f, GSocketAddress *address)
{
  g_clear_object (&f->server);
  g_clear_object (&f->server_base);
  f->server_base = G_DATAGRAM_BASED (bind_to (address));
  connect_udp_socket (G_SOCKET (f->server_base), G_SOCKET (f->client_base));
  fixture_new_server (f, "server-ecdsa");
}

/* Every refusal is told once. One may still be on its way when the port opens. */
static void
handshake_after (Fixture *f, gint code)
{
  g_autoptr (GError) error = NULL;
  Pending client = { NULL };
  Pending server = { NULL };

  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, &server);
  for (;;)
    {
      g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done,
                                         &client);
      if (pending_handshake_finish (&client, f->client, &error))
        break;
      g_assert_error (error, G_IO_ERROR, code);
      g_clear_error (&error);
    }
  g_assert_true (pending_handshake_finish (&server, f->server, &error));
}

static void
test_refused (Fixture *f)
{
  g_autoptr (GSocketAddress) address = call_closed_port (f);
  g_autoptr (GError) error = NULL;

  g_assert_false (g_dtls_connection_handshake (f->client, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);

  open_port (f, address);
  handshake_after (f, G_IO_ERROR_CONNECTION_REFUSED);
  send_text (f->client, "ping");
  expect_text (f->server, "ping");
}

static void
test_refused_async (Fixture *f)
{
  g_autoptr (GSocketAddress) address = call_closed_port (f);
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };

  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_assert_false (pending_handshake_finish (&pending, f->client, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);

  open_port (f, address);
  handshake_after (f, G_IO_ERROR_CONNECTION_REFUSED);
}

/* Anyone can forge it, so it ends nothing that stands. */
static void
test_refused_later (Fixture *f)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  address = g_socket_get_local_address (G_SOCKET (f->server_base), NULL);
  g_assert_true (g_socket_close (G_SOCKET (f->server_base), NULL));
  for (guint i = 0; i < 4; i++)
    {
      g_assert_cmpint (send_bytes (f->client, "x", 1, -1, &error), ==, 1);
      g_assert_no_error (error);
      expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    }
}

/* ---------------------------------------------------------------------------------------- other bases */

static const GIOErrorEnum soft_errors[] = {
  G_IO_ERROR_CONNECTION_REFUSED,
  G_IO_ERROR_HOST_UNREACHABLE,
  G_IO_ERROR_NETWORK_UNREACHABLE,
};

static void
test_soft_errors (Fixture *f)
{
  for (guint i = 0; i < G_N_ELEMENTS (soft_errors); i++)
    {
      fixture_renew (f);
      g_object_set (f->client, "retransmission-timeout", 20, NULL);
      fixture_handshake (f);

      pair_base_fail_receives (PAIR_BASE (f->client_base), 1, soft_errors[i]);
      expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      pair_base_fail_sends (PAIR_BASE (f->client_base), 1, soft_errors[i]);
      g_assert_cmpint (send_bytes (f->client, "may be lost", 11, -1, NULL), ==, 1);
      send_text (f->server, "still here");
      expect_text (f->client, "still here");
    }
}

static void
test_soft_error_in_handshake (Fixture *f)
{
  g_object_set (f->client, "retransmission-timeout", 20, NULL);
  pair_base_fail_sends (PAIR_BASE (f->client_base), 1, G_IO_ERROR_HOST_UNREACHABLE);
  handshake_after (f, G_IO_ERROR_HOST_UNREACHABLE);
}

static void
test_hard_error (Fixture *f)
{
  fixture_handshake (f);
  pair_base_fail_receives (PAIR_BASE (f->client_base), 1, G_IO_ERROR_FAILED);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_FAILED);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_FAILED);
  wait_for (f->client, G_IO_IN);
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
}

/* A base whose way is not open yet says so in both directions. */
static void
test_blocked_first (Fixture *f)
{
  Pending client = { NULL };
  Pending server = { NULL };
  g_autoptr (GError) error = NULL;

  pair_base_set_send_room (PAIR_BASE (f->client_base), 0);
  pair_base_set_receive_blocked (PAIR_BASE (f->client_base), TRUE);
  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, &server);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  drain_context ();
  g_assert_cmpuint (pair_base_n_sent (PAIR_BASE (f->client_base)), ==, 0);
  g_assert_null (client.result);

  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  pair_base_set_receive_blocked (PAIR_BASE (f->client_base), FALSE);
  g_assert_true (pending_handshake_finish (&client, f->client, &error));
  g_assert_true (pending_handshake_finish (&server, f->server, &error));
}

static void
test_small_room (Fixture *f)
{
  Pending client = { NULL };
  Pending server = { NULL };

  g_object_set (f->server, "mtu", 300, NULL);
  g_dtls_connection_handshake_async (f->server, G_PRIORITY_DEFAULT, NULL, pending_done, &server);
  g_dtls_connection_handshake_async (f->client, G_PRIORITY_DEFAULT, NULL, pending_done, &client);
  while (client.result == NULL || server.result == NULL)
    {
      pair_base_set_send_room (PAIR_BASE (f->client_base), 1);
      pair_base_set_send_room (PAIR_BASE (f->server_base), 1);
      g_main_context_iteration (NULL, TRUE);
    }
  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  pair_base_set_send_room (PAIR_BASE (f->server_base), G_MAXUINT);
  g_assert_true (pending_handshake_finish (&client, f->client, NULL));
  g_assert_true (pending_handshake_finish (&server, f->server, NULL));
}

static const TestCase cases[] = {
  { "socket-timeout-is-without-effect", test_socket_with_timeout, OVER_UDP },
  { "blocking-socket-does-not-block", test_blocking_socket, OVER_UDP },
  { "unconnected-server-pins-the-first", test_pins_the_first, OVER_UDP },
  { "unconnected-server-asks-for-proof", test_asks_for_proof, OVER_UDP },
  { "unconnected-server-keeps-cookies-on", test_cookies_stay_on, OVER_UDP },
  { "other-bases-need-no-cookies", test_cookies_off_on_other_bases, OVER_PAIR },
  { "closed-unconnected-socket-is-closed", test_closed_unconnected, OVER_UDP },
  { "refusal-is-told-once-and-goes-on", test_refused, OVER_UDP },
  { "refusal-is-told-once-and-goes-on-async", test_refused_async, OVER_UDP },
  { "later-refusals-are-not-told", test_refused_later, OVER_UDP },
  { "soft-errors-end-nothing", test_soft_errors, OVER_PAIR },
  { "soft-error-in-the-handshake-goes-on", test_soft_error_in_handshake, OVER_PAIR },
  { "hard-error-is-remembered", test_hard_error, OVER_PAIR },
  { "blocked-base-is-waited-for", test_blocked_first, OVER_PAIR },
  { "one-datagram-at-a-time", test_small_room, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  g_test_add_func ("/gio/base/stream-socket-is-not-supported", test_stream_socket);
  g_test_add_func ("/gio/base/unconnected-client-is-not-connected", test_unconnected_client);
  ADD_TESTS ("base", cases);

  return g_test_run ();
}
