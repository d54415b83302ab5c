/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The part of the examples that is the same for a client and a server; see example.h. */

#include "example.h"

#include <stdio.h>
#include <stdlib.h>

/* --- messages --- */

/* A DTLS connection is a GDatagramBased: it takes and gives whole messages, several at a time if need
 * be, each in as many pieces of memory as suits. Here it is one message in one piece. */

enum received
receive_message (GDtlsConnection *connection, char buffer[MAX_MESSAGE], gint64 timeout_us,
                 size_t *out_len, GError **error)
{
  GInputVector vector = { buffer, MAX_MESSAGE };
  GInputMessage message = { .vectors = &vector, .num_vectors = 1 };
  gint n_messages = g_datagram_based_receive_messages (G_DATAGRAM_BASED (connection), &message, 1,
                                                       0, timeout_us, NULL, error);

  if (n_messages < 0)
    return RECEIVED_ERROR;
  /* No message and no error is the end; an empty message is one message of length 0. */
  if (n_messages == 0)
    return RECEIVED_END;

  *out_len = message.bytes_received;
  return RECEIVED_MESSAGE;
}

bool
send_message (GDtlsConnection *connection, const char *data, size_t len, GError **error)
{
  GOutputVector vector = { data, len };
  GOutputMessage message = { .vectors = &vector, .num_vectors = 1 };

  return g_datagram_based_send_messages (G_DATAGRAM_BASED (connection), &message, 1, 0, -1, NULL,
                                         error)
         == 1;
}

/* --- certificates --- */

GTlsCertificate *
load_certificate (const char *cert, const char *key, GError **error)
{
  return g_tls_certificate_new_from_files (cert, key != NULL ? key : cert, error);
}

/* On a client this is asked only if the certificate has a fault; on a server for every client that
 * shows a certificate. The errors are the verdict of the connection's database: to let one of them pass
 * is the application's decision alone. */
static gboolean
on_accept_certificate (GDtlsConnection *connection G_GNUC_UNUSED,
                       GTlsCertificate *certificate G_GNUC_UNUSED, GTlsCertificateFlags errors,
                       gpointer user_data G_GNUC_UNUSED)
{
  return errors == 0;
}

bool
trust (GDtlsConnection *connection, const char *ca, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (GTlsDatabase) database = NULL;

  g_signal_connect (connection, "accept-certificate", G_CALLBACK (on_accept_certificate), NULL);

  if (ca == NULL)
    return true;

  path = g_canonicalize_filename (ca, NULL);
  database = g_tls_file_database_new (path, error);
  if (database == NULL)
    return false;

  g_dtls_connection_set_database (connection, database);
  return true;
}

/* --- what to print --- */

/* GIO has no name yet for 1.3; Moat's connections have a property that tells. */
static char *
version_name (GDtlsConnection *connection)
{
  g_autofree char *version = NULL;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (connection), "dtls-version") != NULL)
    g_object_get (connection, "dtls-version", &version, NULL);
  if (version != NULL)
    return g_strconcat ("DTLS ", version, NULL);

  switch (g_dtls_connection_get_protocol_version (connection))
    {
    case G_TLS_PROTOCOL_VERSION_DTLS_1_0:
      return g_strdup ("DTLS 1.0");
    case G_TLS_PROTOCOL_VERSION_DTLS_1_2:
      return g_strdup ("DTLS 1.2");
    default:
      return g_strdup ("unknown");
    }
}

void
print_connection (GDtlsConnection *connection)
{
  g_autofree char *version = version_name (connection);
  g_autofree char *suite = g_dtls_connection_get_ciphersuite_name (connection);
  GTlsCertificate *peer = g_dtls_connection_get_peer_certificate (connection);
  GTlsCertificateFlags errors = g_dtls_connection_get_peer_certificate_errors (connection);
  g_autofree char *faults = g_flags_to_string (G_TYPE_TLS_CERTIFICATE_FLAGS, errors);
  g_autofree char *subject = NULL;

  if (peer != NULL)
    subject = g_tls_certificate_get_subject_name (peer);

  printf ("version: %s\n", version);
  printf ("cipher suite: %s\n", suite != NULL ? suite : "none");
  printf ("peer: %s\n", subject != NULL ? subject : "no certificate");
  if (peer != NULL)
    printf ("verdict: %s\n", errors == 0 ? "trusted" : faults);
  fflush (stdout);
}

int
fail (const char *what, const GError *error)
{
  fprintf (stderr, "%s: %s\n", what, error->message);
  return EXIT_FAILURE;
}
