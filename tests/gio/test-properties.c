/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every property of the three interfaces: type, flags, default, before, during and after a connection.
 * See gio/moat for those of our own. */

#include "fixture.h"

#include <string.h>

G_GNUC_BEGIN_IGNORE_DEPRECATIONS

/* ------------------------------------------------------------------------------------ what there is */

typedef enum
{
  CLIENT = 1 << 0,
  SERVER = 1 << 1,
  EITHER = CLIENT | SERVER,
} Side;

typedef struct
{
  Side side;
  const char *name;
  const char *type;
  GParamFlags flags;
  gint default_value; /* of numbers */
} Property;

enum
{
  R = G_PARAM_READABLE,
  RW = G_PARAM_READWRITE,
  C = G_PARAM_CONSTRUCT,
  CO = G_PARAM_CONSTRUCT_ONLY,
};

/* clang-format off */
static const Property properties[] = {
  { EITHER, "base-socket", "GDatagramBased", RW | CO, 0 },
  { EITHER, "database", "GTlsDatabase", RW, 0 },
  { EITHER, "interaction", "GTlsInteraction", RW, 0 },
  { EITHER, "require-close-notify", "gboolean", RW | C, TRUE },
  { EITHER, "rehandshake-mode", "GTlsRehandshakeMode", RW | C, G_TLS_REHANDSHAKE_NEVER },
  { EITHER, "certificate", "GTlsCertificate", RW, 0 },
  { EITHER, "peer-certificate", "GTlsCertificate", R, 0 },
  { EITHER, "peer-certificate-errors", "GTlsCertificateFlags", R, 0 },
  { EITHER, "advertised-protocols", "GStrv", RW, 0 },
  { EITHER, "negotiated-protocol", "gchararray", R, 0 },
  { EITHER, "protocol-version", "GTlsProtocolVersion", R, G_TLS_PROTOCOL_VERSION_UNKNOWN },
  { EITHER, "ciphersuite-name", "gchararray", R, 0 },
  { CLIENT, "validation-flags", "GTlsCertificateFlags", RW | C, G_TLS_CERTIFICATE_VALIDATE_ALL },
  { CLIENT, "server-identity", "GSocketConnectable", RW | C, 0 },
  { CLIENT, "accepted-cas", "gpointer", R, 0 },
  { SERVER, "authentication-mode", "GTlsAuthenticationMode", RW, G_TLS_AUTHENTICATION_NONE },

  /* Moat's own. */
  { EITHER, "mtu", "guint", RW, 0 },
  { EITHER, "handshake-timeout", "guint", RW, 60000 },
  { EITHER, "retransmission-timeout", "guint", RW, 400 },
  { EITHER, "max-certificate-size", "guint", RW, 100000 },
  { EITHER, "replay-window", "guint", RW, 256 },
  { EITHER, "require-extended-master-secret", "gboolean", RW, FALSE },
  { EITHER, "dtls-version", "gchararray", R, 0 },
  { EITHER, "session-resumed", "gboolean", R, FALSE },
  { EITHER, "max-payload", "guint", R, 0 },
  { EITHER, "context", "MoatContext", RW, 0 },
  { SERVER, "cookies", "gboolean", RW, -1 },
};
/* clang-format on */

/* As a number, whatever it is; pointers are 0 or 1. */
static gint
number_of (const GValue *value)
{
  if (G_VALUE_HOLDS_BOOLEAN (value))
    return g_value_get_boolean (value);
  if (G_VALUE_HOLDS_ENUM (value))
    return g_value_get_enum (value);
  if (G_VALUE_HOLDS_FLAGS (value))
    return (gint) g_value_get_flags (value);
  if (G_VALUE_HOLDS_UINT (value))
    return (gint) g_value_get_uint (value);

  return g_value_peek_pointer (value) != NULL;
}

static void
assert_property (GDtlsConnection *connection, const Property *property)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (connection), property->name);
  GParamFlags mask = G_PARAM_READWRITE;

  g_assert_nonnull (spec);
  g_assert_cmpstr (g_type_name (spec->value_type), ==, property->type);
  if (strcmp (property->name, "context") != 0)
    mask |= G_PARAM_CONSTRUCT | G_PARAM_CONSTRUCT_ONLY;
  g_assert_cmpint (spec->flags & mask, ==, property->flags);

  if (property->default_value >= 0 && !(spec->value_type == G_TYPE_OBJECT))
    g_assert_cmpint (number_of (g_param_spec_get_default_value (spec)), ==,
                     property->default_value);
}

static void
test_table (Fixture *f)
{
  for (gsize i = 0; i < G_N_ELEMENTS (properties); i++)
    {
      if (properties[i].side & CLIENT)
        assert_property (f->client, &properties[i]);
      if (properties[i].side & SERVER)
        assert_property (f->server, &properties[i]);
    }
}

static void
read_all (GDtlsConnection *connection)
{
  guint n;
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (connection), &n);

  g_assert_cmpuint (n, >=, 12);
  for (guint i = 0; i < n; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, specs[i]->value_type);
      if (specs[i]->flags & G_PARAM_READABLE)
        g_object_get_property (G_OBJECT (connection), specs[i]->name, &value);
      if (strcmp (specs[i]->name, "accepted-cas") == 0)
        g_assert_null (g_value_get_pointer (&value));
    }
}

static void
test_read_all (Fixture *f)
{
  read_all (f->client);
  read_all (f->server);
  fixture_handshake (f);
  read_all (f->client);
  read_all (f->server);
}

/* ------------------------------------------------------------------------------- before, and setters */

static void
count (GObject *object, GParamSpec *property, gpointer n)
{
  ++*(guint *) n;
}

static void
test_initial_values (Fixture *f)
{
  g_autoptr (GDatagramBased) base = NULL;

  g_object_get (f->client, "base-socket", &base, NULL);
  g_assert_true (base == f->client_base);
  g_assert_true (g_dtls_connection_get_require_close_notify (f->client));
  g_assert_null (g_dtls_connection_get_certificate (f->client));
  g_assert_nonnull (g_dtls_connection_get_certificate (f->server));
  g_assert_null (g_dtls_connection_get_interaction (f->client));
  g_assert_null (g_dtls_connection_get_peer_certificate (f->client));
  g_assert_cmpint (g_dtls_connection_get_peer_certificate_errors (f->client), ==, 0);
  g_assert_null (g_dtls_connection_get_negotiated_protocol (f->client));
  g_assert_cmpint (g_dtls_connection_get_protocol_version (f->client), ==,
                   G_TLS_PROTOCOL_VERSION_UNKNOWN);
  g_assert_null (g_dtls_connection_get_ciphersuite_name (f->client));
  g_assert_null (g_dtls_client_connection_get_accepted_cas (G_DTLS_CLIENT_CONNECTION (f->client)));
  g_assert_cmpint (
      g_dtls_client_connection_get_validation_flags (G_DTLS_CLIENT_CONNECTION (f->client)), ==,
      G_TLS_CERTIFICATE_VALIDATE_ALL);
}

static void
test_database (Fixture *f)
{
  g_autoptr (GTlsDatabase) first = g_object_ref (g_dtls_connection_get_database (f->client));
  guint n = 0;

  g_signal_connect (f->client, "notify::database", G_CALLBACK (count), &n);
  g_dtls_connection_set_database (f->client, NULL);
  g_assert_cmpuint (n, ==, 1);
  g_assert_null (g_dtls_connection_get_database (f->client));
  g_dtls_connection_set_database (f->client, first);
  g_assert_cmpuint (n, ==, 2);
  g_assert_true (g_dtls_connection_get_database (f->client) == first);
}

static void
test_unset_database (Fixture *f)
{
  GTlsDatabase *database;

  g_clear_object (&f->client);
  f->client = G_DTLS_CONNECTION (g_dtls_client_connection_new (f->client_base, NULL, NULL));
  database = g_dtls_connection_get_database (f->client);
  g_assert_nonnull (database);
  {
    g_autoptr (GTlsDatabase) by_default =
        g_tls_backend_get_default_database (g_tls_backend_get_default ());

    g_assert_true (database == by_default);
  }
}

static void
test_certificate (Fixture *f)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate ("client-ecdsa");
  guint n = 0;

  g_signal_connect (f->client, "notify::certificate", G_CALLBACK (count), &n);
  g_dtls_connection_set_certificate (f->client, certificate);
  g_assert_cmpuint (n, ==, 1);
  g_assert_true (g_dtls_connection_get_certificate (f->client) == certificate);
}

static void
test_interaction (Fixture *f)
{
  g_autoptr (GTlsInteraction) interaction = g_object_new (G_TYPE_TLS_INTERACTION, NULL);
  guint n = 0;

  g_signal_connect (f->client, "notify::interaction", G_CALLBACK (count), &n);
  g_dtls_connection_set_interaction (f->client, interaction);
  g_assert_true (g_dtls_connection_get_interaction (f->client) == interaction);
  g_dtls_connection_set_interaction (f->client, NULL);
  g_assert_null (g_dtls_connection_get_interaction (f->client));
  g_assert_cmpuint (n, ==, 2);
}

static void
test_simple_setters (Fixture *f)
{
  GDtlsClientConnection *client = G_DTLS_CLIENT_CONNECTION (f->client);
  g_autoptr (GSocketConnectable) identity = identity_of ("other.example.com");
  GTlsRehandshakeMode mode = G_TLS_REHANDSHAKE_NEVER;
  GTlsAuthenticationMode authentication;
  guint n = 0;

  g_signal_connect (f->client, "notify", G_CALLBACK (count), &n);
  g_dtls_connection_set_require_close_notify (f->client, FALSE);
  g_assert_false (g_dtls_connection_get_require_close_notify (f->client));
  g_dtls_client_connection_set_server_identity (client, identity);
  g_assert_true (g_dtls_client_connection_get_server_identity (client) == identity);
  g_dtls_client_connection_set_validation_flags (client, G_TLS_CERTIFICATE_EXPIRED);
  g_assert_cmpint (g_dtls_client_connection_get_validation_flags (client), ==,
                   G_TLS_CERTIFICATE_EXPIRED);
  g_assert_cmpuint (n, ==, 3);

  g_object_get (f->client, "rehandshake-mode", &mode, NULL);
  g_assert_cmpint (mode, ==, G_TLS_REHANDSHAKE_NEVER);
  g_dtls_connection_set_rehandshake_mode (f->client, G_TLS_REHANDSHAKE_UNSAFELY);
  g_object_get (f->client, "rehandshake-mode", &mode, NULL);
  g_assert_cmpint (mode, ==, G_TLS_REHANDSHAKE_SAFELY);
  g_assert_cmpint (g_dtls_connection_get_rehandshake_mode (f->client), ==,
                   G_TLS_REHANDSHAKE_SAFELY);

  g_object_set (f->server, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
  g_object_get (f->server, "authentication-mode", &authentication, NULL);
  g_assert_cmpint (authentication, ==, G_TLS_AUTHENTICATION_REQUIRED);
}

static void
test_advertised_protocols (Fixture *f)
{
  static const char *const protocols[] = { "coap", "h2", NULL };
  g_auto (GStrv) got = NULL;
  guint n = 0;

  g_signal_connect (f->client, "notify::advertised-protocols", G_CALLBACK (count), &n);
  g_dtls_connection_set_advertised_protocols (f->client, protocols);
  g_assert_cmpuint (n, ==, 1);
  g_object_get (f->client, "advertised-protocols", &got, NULL);
  g_assert_true (g_strv_equal ((const char *const *) got, protocols));

  g_clear_pointer (&got, g_strfreev);
  g_dtls_connection_set_advertised_protocols (f->client, NULL);
  g_object_get (f->client, "advertised-protocols", &got, NULL);
  g_assert_null (got);
}

/* --------------------------------------------------------------------------------- after, and the end */

static void
test_after_handshake (Fixture *f)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate_without_key ("server-ecdsa");
  g_autofree char *suite = NULL;
  g_autofree char *server_suite = NULL;
  GTlsProtocolVersion protocol;
  g_autofree char *version = NULL;

  fixture_handshake (f);
  /* GLib has no value for 1.3. */
  protocol =
      f->version == IN_1_2 ? G_TLS_PROTOCOL_VERSION_DTLS_1_2 : G_TLS_PROTOCOL_VERSION_UNKNOWN;
  g_assert_cmpint (g_dtls_connection_get_protocol_version (f->client), ==, protocol);
  g_assert_cmpint (g_dtls_connection_get_protocol_version (f->server), ==, protocol);
  suite = g_dtls_connection_get_ciphersuite_name (f->client);
  server_suite = g_dtls_connection_get_ciphersuite_name (f->server);
  g_assert_nonnull (suite);
  g_assert_true (g_str_has_prefix (suite, f->version == IN_1_2 ? "TLS_ECDHE_ECDSA_WITH_" : "TLS_"));
  g_assert_cmpint (strstr (suite, "_WITH_") != NULL, ==, f->version == IN_1_2);
  g_assert_cmpstr (suite, ==, server_suite);
  g_object_get (f->client, "dtls-version", &version, NULL);
  g_assert_cmpstr (version, ==, f->version == IN_1_2 ? "1.2" : "1.3");
  g_assert_true (
      g_tls_certificate_is_same (g_dtls_connection_get_peer_certificate (f->client), certificate));
  g_assert_null (g_dtls_connection_get_peer_certificate (f->server));
}

static void
test_after_close (Fixture *f)
{
  guint max_payload = 1;
  g_autofree char *version = NULL;

  fixture_handshake (f);
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  g_assert_cmpint (g_dtls_connection_get_protocol_version (f->client), ==,
                   G_TLS_PROTOCOL_VERSION_UNKNOWN);
  g_assert_null (g_dtls_connection_get_ciphersuite_name (f->client));
  g_object_get (f->client, "dtls-version", &version, "max-payload", &max_payload, NULL);
  g_assert_null (version);
  g_assert_cmpuint (max_payload, ==, 0);
}

static const char *const told_of_a_handshake[] = {
  "notify::peer-certificate", "notify::peer-certificate-errors", "notify::negotiated-protocol",
  "notify::protocol-version", "notify::ciphersuite-name",
};

static void
test_notify (Fixture *f)
{
  static const char *const protocols[] = { "coap", NULL };
  guint n[G_N_ELEMENTS (told_of_a_handshake)] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (n); i++)
    g_signal_connect (f->client, told_of_a_handshake[i], G_CALLBACK (count), &n[i]);
  g_dtls_connection_set_advertised_protocols (f->client, protocols);
  g_dtls_connection_set_advertised_protocols (f->server, protocols);
  fixture_handshake (f);

  for (guint i = 0; i < G_N_ELEMENTS (n); i++)
    {
      g_test_message ("%s", told_of_a_handshake[i]);
      g_assert_cmpuint (n[i], ==, 1);
    }
}

/* ------------------------------------------------------------------- made without base, without init */

static void
use_bare_instance (GType type)
{
  GDtlsConnection *bare = g_object_new (type, NULL);
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GSource) source = NULL;
  g_autoptr (GError) error = NULL;
  Pending pending = { NULL };
  char byte;
  gsize len;

  read_all (bare);
  g_assert_false (g_dtls_connection_get_channel_binding_data (
      bare, G_TLS_CHANNEL_BINDING_TLS_UNIQUE, data, &error));
  g_assert_error (error, G_TLS_CHANNEL_BINDING_ERROR, G_TLS_CHANNEL_BINDING_ERROR_INVALID_STATE);
  g_clear_error (&error);

  g_assert_false (g_dtls_connection_handshake (bare, NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_dtls_connection_handshake_async (bare, G_PRIORITY_DEFAULT, NULL, pending_done, &pending);
  g_assert_false (pending_handshake_finish (&pending, bare, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_cmpint (receive_bytes (bare, &byte, 1, 0, &len, &error), ==, -1);
  g_clear_error (&error);
  g_assert_cmpint (send_bytes (bare, "x", 1, 0, &error), ==, -1);
  g_clear_error (&error);

  g_datagram_based_condition_check (G_DATAGRAM_BASED (bare), G_IO_IN);
  source = g_datagram_based_create_source (G_DATAGRAM_BASED (bare), G_IO_IN, NULL);
  g_assert_nonnull (source);
  g_source_destroy (source);
  g_clear_pointer (&source, g_source_unref);
  g_assert_true (g_dtls_connection_close (bare, NULL, &error));
  g_assert_finalize_object (bare);
}

static void
test_bare_client (void)
{
  use_bare_instance (g_tls_backend_get_dtls_client_connection_type (g_tls_backend_get_default ()));
}

static void
test_bare_server (void)
{
  use_bare_instance (g_tls_backend_get_dtls_server_connection_type (g_tls_backend_get_default ()));
}

static const TestCase cases[] = {
  { "are-what-gio-says", test_table, OVER_PAIR },
  { "all-can-be-read", test_read_all, OVER_PAIR },
  { "have-their-first-values", test_initial_values, OVER_BOTH },
  { "database-null-is-not-unset", test_database, OVER_PAIR },
  { "database-unset-is-the-default", test_unset_database, OVER_PAIR },
  { "certificate-notifies", test_certificate, OVER_PAIR },
  { "interaction-may-go-again", test_interaction, OVER_PAIR },
  { "setters-set", test_simple_setters, OVER_PAIR },
  { "advertised-protocols-notify", test_advertised_protocols, OVER_PAIR },
  { "tell-of-the-handshake", test_after_handshake, OVER_BOTH },
  { "forget-at-close", test_after_close, OVER_BOTH },
  { "notify-once-after-the-handshake", test_notify, OVER_BOTH },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("properties", cases);
  g_test_add_func ("/gio/properties/bare-client-survives", test_bare_client);
  g_test_add_func ("/gio/properties/bare-server-survives", test_bare_server);

  return g_test_run ();
}

G_GNUC_END_IGNORE_DEPRECATIONS
