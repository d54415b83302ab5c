/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* HTTPS by libsoup, client and server, with Moat as the TLS backend of the process. */

#include "fixture.h"

#include <libsoup/soup.h>

static void
answer (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
        gpointer data)
{
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_STATIC, "over TLS", 8);
}

static SoupServer *
start_server (const char *certificate_name, char **out_uri)
{
  g_autoptr (GTlsCertificate) certificate = load_certificate (certificate_name);
  SoupServer *server = soup_server_new ("tls-certificate", certificate, NULL);
  g_autoptr (GError) error = NULL;
  GSList *uris;

  soup_server_add_handler (server, NULL, answer, NULL, NULL);
  soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_HTTPS | SOUP_SERVER_LISTEN_IPV4_ONLY,
                            &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (server);
  *out_uri = g_uri_to_string (uris->data);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);

  return server;
}

static GBytes *
get (const char *uri, GError **error)
{
  g_autoptr (GTlsDatabase) database = load_database ("ca");
  g_autoptr (SoupSession) session =
      soup_session_new_with_options ("tls-database", database, "proxy-resolver", NULL, NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", uri);
  g_autoptr (GAsyncResult) result = NULL;
  Pending pending = { NULL };

  soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL, pending_done,
                                    &pending);
  until (pending.result != NULL);
  result = g_steal_pointer (&pending.result);

  return soup_session_send_and_read_finish (session, result, error);
}

static void
test_good (void)
{
  g_autofree char *uri = NULL;
  g_autoptr (SoupServer) server = start_server ("server-ecdsa", &uri);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = get (uri, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (body, NULL), g_bytes_get_size (body), "over TLS", 8);
  soup_server_disconnect (server);
}

static void
test_bad (void)
{
  g_autofree char *uri = NULL;
  g_autoptr (SoupServer) server = start_server ("server-untrusted", &uri);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = get (uri, &error);

  g_assert_null (body);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
  soup_server_disconnect (server);
}

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  g_test_add_func ("/gio/https/good-certificate-is-served", test_good);
  g_test_add_func ("/gio/https/bad-certificate-is-refused", test_bad);

  return g_test_run ();
}
