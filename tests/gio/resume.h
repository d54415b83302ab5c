/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One connection after the other with the same contexts, for the tests of what resumes. */

#pragma once

#include "fixture.h"

#include <moat/moat.h>

/* What connections have in common that would otherwise be loaded anew for each. */
typedef struct
{
  GTlsDatabase *database;
  GTlsCertificate *client_certificate; /* (nullable) */
  const char *identity;
  const char *protocol; /* (nullable) */
  GTlsCertificateFlags validation_flags;
} Conditions;

static const Conditions usual = { .identity = "server.example.com",
                                  .validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL };

static inline gboolean
accept_all (GDtlsConnection *connection, GTlsCertificate *peer, GTlsCertificateFlags errors,
            gpointer n)
{
  if (n != NULL)
    ++*(guint *) n;

  return TRUE;
}

static inline void
set_up_both (Fixture *f, const Conditions *conditions)
{
  const char *protocols[] = { conditions->protocol, NULL };

  fixture_new_client (f, conditions->identity);
  if (f->server == NULL)
    fixture_new_server (f, "server-ecdsa");
  g_dtls_connection_set_database (f->client, conditions->database);
  g_object_set (f->client, "validation-flags", conditions->validation_flags, NULL);
  if (conditions->client_certificate != NULL)
    g_dtls_connection_set_certificate (f->client, conditions->client_certificate);
  if (conditions->protocol != NULL)
    {
      g_dtls_connection_set_advertised_protocols (f->client, protocols);
      g_dtls_connection_set_advertised_protocols (f->server, protocols);
    }
}

/* Another connection of each side, with the contexts of those before. */
static inline void
prepare (Fixture *f, const Conditions *conditions)
{
  fixture_renew_connections (f);
  set_up_both (f, conditions);
}

/* One more client and one more server with the contexts of the first. */
static inline void
add_connections (Fixture *f, Fixture *other, const Conditions *conditions)
{
  *other = (Fixture){ .transport = f->transport, .version = f->version };
  other->client_context = g_object_ref (f->client_context);
  other->server_context = g_object_ref (f->server_context);
  if (f->transport == OVER_UDP)
    {
      other->client_base = G_DATAGRAM_BASED (new_udp_socket ());
      other->server_base = G_DATAGRAM_BASED (new_udp_socket ());
      connect_udp_socket (G_SOCKET (other->client_base), G_SOCKET (other->server_base));
      connect_udp_socket (G_SOCKET (other->server_base), G_SOCKET (other->client_base));
    }
  else
    pair_base_new ((PairBase **) &other->client_base, (PairBase **) &other->server_base);

  set_up_both (other, conditions);
}

static inline void
remove_connections (Fixture *other)
{
  g_assert_finalize_object (g_steal_pointer (&other->client));
  g_assert_finalize_object (g_steal_pointer (&other->server));
  g_clear_object (&other->client_base);
  g_clear_object (&other->server_base);
  g_clear_object (&other->client_context);
  g_clear_object (&other->server_context);
}

/* A server's tickets of 1.3 come before what it sends. */
static inline void
let_tickets_come (Fixture *f)
{
  send_text (f->server, "after the tickets");
  expect_text (f->client, "after the tickets");
}

static inline gboolean
is_resumed (GDtlsConnection *connection)
{
  return moat_connection_get_session_resumed (MOAT_CONNECTION (connection));
}

/* Both sides connect, and say the same. */
static inline void
connect_and_expect (Fixture *f, gboolean resumes)
{
  fixture_handshake (f);
  g_assert_cmpint (is_resumed (f->client), ==, resumes);
  g_assert_cmpint (is_resumed (f->server), ==, resumes);
  let_tickets_come (f);
}

static inline void
close_both (Fixture *f)
{
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  expect_end (f->server);
  g_assert_true (g_dtls_connection_close (f->server, NULL, NULL));
}
