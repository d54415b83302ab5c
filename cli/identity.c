/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Certificates, keys and trust from files; see identity.h. */

#include "cli/identity.h"

#include "cli/keylog.h"
#include "cli/settings.h"

static bool
has_key (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) key = NULL;
  g_autofree char *uri = NULL;

  g_object_get (certificate, "private-key", &key, "private-key-pkcs11-uri", &uri, NULL);
  return key != NULL || uri != NULL;
}

/* Whether the key is the certificate's, before anybody connects: a server's connection that nothing is done
 * with looks. */
static bool
is_usable (GTlsCertificate *certificate, GError **error)
{
  g_autoptr (GSocket) socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (MoatServerConnection) connection = NULL;

  /* Without IPv4 it has to wait for the handshake. */
  if (socket == NULL)
    return true;

  connection = moat_server_connection_new (G_DATAGRAM_BASED (socket), certificate, error);
  return connection != NULL;
}

static GTlsCertificate *
load_certificate (const struct options *options, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;

  if (options->key != NULL)
    certificate = g_tls_certificate_new_from_files (options->cert, options->key, error);
  else
    certificate = g_tls_certificate_new_from_file (options->cert, error);

  if (certificate != NULL && !has_key (certificate))
    {
      g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                           "there is no private key in it; name its file with --key");
      return NULL;
    }

  if (certificate == NULL || !is_usable (certificate, error))
    return NULL;

  return g_steal_pointer (&certificate);
}

/* A database of no certificate at all would make one, and then trust nobody without saying why. */
static GTlsDatabase *
load_trust (const char *file, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (file, NULL);
  GList *authorities = g_tls_certificate_list_new_from_file (path, error);

  if (authorities == NULL)
    {
      if (error != NULL && *error == NULL)
        g_set_error_literal (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
                             "there is no certificate in it");
      return NULL;
    }

  g_list_free_full (authorities, g_object_unref);
  return g_tls_file_database_new (path, error);
}

enum status
identity_load (struct identity *identity, const struct options *options)
{
  g_autoptr (GError) error = NULL;
  enum status status;

  identity->context = moat_context_new ();
  status = settings_apply (options, identity->context);
  if (status != STATUS_OK)
    return status;

  if (options->cert != NULL)
    {
      identity->certificate = load_certificate (options, &error);
      if (identity->certificate == NULL)
        {
          if (options->key != NULL)
            report_error ("cannot use the certificate %s with the key %s: %s", options->cert,
                          options->key, error->message);
          else
            report_error ("cannot use the certificate %s: %s", options->cert, error->message);
          return STATUS_UNREADABLE;
        }
    }

  if (options->ca != NULL)
    {
      identity->database = load_trust (options->ca, &error);
      if (identity->database == NULL)
        {
          report_error ("cannot use the CA certificates in %s: %s", options->ca, error->message);
          return STATUS_UNREADABLE;
        }
    }

  if (!keylog_open (identity->context, options->keylog, &error))
    {
      report_error ("%s", error->message);
      return STATUS_RUNTIME;
    }

  return STATUS_OK;
}

void
identity_clear (struct identity *identity)
{
  g_clear_object (&identity->certificate);
  g_clear_object (&identity->database);
  g_clear_object (&identity->context);
}

/* Rounded up: 0 means no limit. */
static guint
timeout_ms (const struct options *options)
{
  const double ms = options->timeout * 1000;
  const guint whole = (guint) ms;

  return whole < ms ? whole + 1 : whole;
}

void
identity_apply (const struct identity *identity, const struct options *options,
                GDtlsConnection *connection)
{
  g_object_set (connection, "context", identity->context, "mtu", (guint) options->mtu,
                "handshake-timeout", timeout_ms (options), NULL);

  if (identity->certificate != NULL)
    g_dtls_connection_set_certificate (connection, identity->certificate);
  if (identity->database != NULL)
    g_dtls_connection_set_database (connection, identity->database);
  if (options->alpn != NULL)
    g_dtls_connection_set_advertised_protocols (connection, (const char *const *) options->alpn);
}
