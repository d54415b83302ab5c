/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What both sides agree on beyond keys: channel bindings (contract rows CB1 to CB8) and ALPN. */

#include "fixture.h"

#include <string.h>

/* --------------------------------------------------------------------------------- channel bindings */

static GByteArray *
binding_of (GDtlsConnection *connection, GTlsChannelBindingType type)
{
  GByteArray *data = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (g_dtls_connection_get_channel_binding_data (connection, type, data, &error));
  g_assert_no_error (error);

  return data;
}

static void
assert_binding_matches (Fixture *f, GTlsChannelBindingType type, guint len)
{
  g_autoptr (GByteArray) client = binding_of (f->client, type);
  g_autoptr (GByteArray) server = binding_of (f->server, type);

  g_assert_cmpuint (client->len, ==, len);
  g_assert_cmpmem (client->data, client->len, server->data, server->len);
}

static void
test_unique (Fixture *f)
{
  fixture_handshake (f);
  assert_binding_matches (f, G_TLS_CHANNEL_BINDING_TLS_UNIQUE, 12);
}

/* RFC 9846 §C.5. */
static void
test_no_unique (Fixture *f)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  g_assert_false (g_dtls_connection_get_channel_binding_data (
      f->client, G_TLS_CHANNEL_BINDING_TLS_UNIQUE, data, &error));
  g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR, G_TLS_CHANNEL_BINDING_ERROR_NOT_SUPPORTED);
}

static void
test_exporter (Fixture *f)
{
  fixture_handshake (f);
  assert_binding_matches (f, G_TLS_CHANNEL_BINDING_TLS_EXPORTER, 32);
}

/* RFC 5929 §4.1: the hash of the certificate's own signature; the intermediate signs with SHA-256. */
static void
test_server_end_point (Fixture *f)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate_without_key ("server-ecdsa");
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GByteArray) der = NULL;
  g_autoptr (GByteArray) data = NULL;
  guint8 digest[32];
  gsize len = sizeof digest;

  fixture_handshake (f);
  assert_binding_matches (f, G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT, 32);

  g_object_get (certificate, "certificate", &der, NULL);
  g_checksum_update (checksum, der->data, der->len);
  g_checksum_get_digest (checksum, digest, &len);
  data = binding_of (f->client, G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT);
  g_assert_cmpmem (data->data, data->len, digest, len);
}

static const GTlsChannelBindingType types[] = {
  G_TLS_CHANNEL_BINDING_TLS_UNIQUE,
  G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT,
  G_TLS_CHANNEL_BINDING_TLS_EXPORTER,
};

static void
test_too_early (Fixture *f)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GByteArray) data = g_byte_array_new ();
      g_autoptr (GError) error = NULL;

      g_assert_false (
          g_dtls_connection_get_channel_binding_data (f->client, types[i], data, &error));
      g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR,
                      G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE);
      g_assert_cmpuint (data->len, ==, 0);
    }
}

static void
test_probe (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_assert_true (
          g_dtls_connection_get_channel_binding_data (f->client, types[i], NULL, &error));
      g_assert_no_error (error);
    }

  g_assert_false (g_dtls_connection_get_channel_binding_data (
      f->client, (GTlsChannelBindingType) 4242, NULL, &error));
  g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR, G_TLS_CHANNEL_BINDING_ERROR_NOT_IMPLEMENTED);
}

static void
test_unknown (Fixture *f)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  g_assert_false (g_dtls_connection_get_channel_binding_data (
      f->client, (GTlsChannelBindingType) 4242, data, &error));
  g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR, G_TLS_CHANNEL_BINDING_ERROR_NOT_IMPLEMENTED);
}

static void
test_differs (Fixture *f)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GByteArray) first = NULL;
      g_autoptr (GByteArray) second = NULL;

      if (f->version == IN_1_3 && types[i] == G_TLS_CHANNEL_BINDING_TLS_UNIQUE)
        continue;

      fixture_renew (f);
      fixture_handshake (f);
      first = binding_of (f->client, types[i]);
      fixture_renew (f);
      fixture_handshake (f);
      second = binding_of (f->client, types[i]);

      g_assert_cmpuint (first->len, ==, second->len);
      g_assert_cmpint (memcmp (first->data, second->data, first->len) == 0, ==,
                       types[i] == G_TLS_CHANNEL_BINDING_TLS_SERVER_END_POINT);
    }
}

/* ----------------------------------------------------------------------------------------------- ALPN */

typedef struct
{
  const char *name;
  const char *client[4];
  const char *server[5];
  const char *expected; /* (nullable) */
} Alpn;

/* The server's order counts (RFC 7301 §3.2). Nothing in common is no failure, as everywhere in GIO. */
static const Alpn alpns[] = {
  { "match", { "one", "two", "three" }, { "four", "seven", "nine", "two" }, "two" },
  { "servers-order", { "one", "two" }, { "two", "one" }, "two" },
  { "no-match", { "one", "two", "three" }, { "four", "seven", "nine" }, NULL },
  { "client-only", { "one", "two", "three" }, { NULL }, NULL },
  { "server-only", { NULL }, { "four", "seven" }, NULL },
};

static void
test_alpn (Fixture *f, gconstpointer data)
{
  const Alpn *row = data;

  g_dtls_connection_set_advertised_protocols (f->client, row->client[0] ? row->client : NULL);
  g_dtls_connection_set_advertised_protocols (f->server, row->server[0] ? row->server : NULL);
  fixture_handshake (f);
  g_assert_cmpstr (g_dtls_connection_get_negotiated_protocol (f->client), ==, row->expected);
  g_assert_cmpstr (g_dtls_connection_get_negotiated_protocol (f->server), ==, row->expected);
}

static const TestCase cases[] = {
  { "tls-unique-matches", test_unique, OVER_BOTH | IN_1_2 },
  { "tls-unique-is-not-supported", test_no_unique, OVER_PAIR | IN_1_3 },
  { "tls-exporter-matches", test_exporter, OVER_BOTH },
  { "tls-server-end-point-is-the-certificates-hash", test_server_end_point, OVER_BOTH },
  { "too-early-is-invalid-state", test_too_early, OVER_PAIR },
  { "probe-tells-what-is-implemented", test_probe, OVER_PAIR },
  { "unknown-type-is-not-implemented", test_unknown, OVER_PAIR },
  { "differs-between-connections", test_differs, OVER_PAIR },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("binding", cases);
  for (gsize i = 0; i < G_N_ELEMENTS (alpns); i++)
    add_row_test ("alpn", alpns[i].name, test_alpn, &alpns[i]);

  return g_test_run ();
}
