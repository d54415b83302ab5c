/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What an attacker's look at gio/ found, one rule each. Where a fault was to wait without rest, how often
 * the base was asked for a source tells, and not the clock. */

#include "fixture.h"
#include "judge.h"

#include <sys/resource.h>
#include <sys/socket.h>

enum
{
  BRIEF = 50000, /* µs */
  FEW = 8,
};

/* ------------------------------------------------------------------------------- a counting base */

/* A GSocket that GIO does not know as one, so that its sources are what is waited for. */
#define COUNTING_TYPE_BASE (counting_base_get_type ())
G_DECLARE_FINAL_TYPE (CountingBase, counting_base, COUNTING, BASE, GObject)

struct _CountingBase
{
  GObject parent_instance;

  GDatagramBased *socket; /* (owned) */
  gint n_sources;         /* atomic */
};

static void counting_base_init_datagram_based (GDatagramBasedInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (CountingBase, counting_base, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_DATAGRAM_BASED,
                                                      counting_base_init_datagram_based))

static gint
counting_base_receive (GDatagramBased *based, GInputMessage *messages, guint n, gint flags,
                       gint64 timeout, GCancellable *cancellable, GError **error)
{
  return g_datagram_based_receive_messages (COUNTING_BASE (based)->socket, messages, n, flags,
                                            timeout, cancellable, error);
}

static gint
counting_base_send (GDatagramBased *based, GOutputMessage *messages, guint n, gint flags,
                    gint64 timeout, GCancellable *cancellable, GError **error)
{
  return g_datagram_based_send_messages (COUNTING_BASE (based)->socket, messages, n, flags, timeout,
                                         cancellable, error);
}

static GSource *
counting_base_create_source (GDatagramBased *based, GIOCondition condition,
                             GCancellable *cancellable)
{
  CountingBase *self = COUNTING_BASE (based);

  g_atomic_int_inc (&self->n_sources);

  return g_datagram_based_create_source (self->socket, condition, cancellable);
}

static void
counting_base_finalize (GObject *object)
{
  CountingBase *self = COUNTING_BASE (object);

  g_clear_object (&self->socket);

  G_OBJECT_CLASS (counting_base_parent_class)->finalize (object);
}

static void
counting_base_class_init (CountingBaseClass *class)
{
  G_OBJECT_CLASS (class)->finalize = counting_base_finalize;
}

static void
counting_base_init (CountingBase *self)
{
}

static void
counting_base_init_datagram_based (GDatagramBasedInterface *iface)
{
  iface->receive_messages = counting_base_receive;
  iface->send_messages = counting_base_send;
  iface->create_source = counting_base_create_source;
}

/* The client on such a base. */
static CountingBase *
count_client (Fixture *f)
{
  CountingBase *self = g_object_new (COUNTING_TYPE_BASE, NULL);

  g_clear_object (&f->client);
  self->socket = f->client_base;
  f->client_base = G_DATAGRAM_BASED (self);
  fixture_new_client (f, "server.example.com");

  return self;
}

static gint
receive_briefly (Fixture *f, GCancellable *cancellable)
{
  char byte;
  GInputVector vector = { &byte, 1 };
  GInputMessage message = { NULL, &vector, 1, 0, 0, NULL, NULL };
  g_autoptr (GError) error = NULL;
  gint n = g_datagram_based_receive_messages (G_DATAGRAM_BASED (f->client), &message, 1, 0, BRIEF,
                                              cancellable, &error);

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);

  return n;
}

/* -------------------------------------------------------------------------------------- waiting */

static void
test_waits_once (Fixture *f)
{
  CountingBase *base = count_client (f);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  fixture_handshake (f);
  g_atomic_int_set (&base->n_sources, 0);
  g_assert_cmpint (receive_briefly (f, NULL), ==, -1);
  g_assert_cmpint (receive_briefly (f, cancellable), ==, -1);
  g_assert_cmpint (g_atomic_int_get (&base->n_sources), <, FEW);
}

static gboolean
send_hello (gpointer data)
{
  GDtlsConnection **server = data;

  g_assert_cmpint (send_bytes (*server, "hello", 5, 0, NULL), ==, 1);
  *server = NULL;

  return G_SOURCE_REMOVE;
}

static gpointer
receive_for_ages (gpointer client)
{
  char buffer[8];
  gsize len;

  g_assert_cmpint (receive_bytes (client, buffer, sizeof buffer, G_MAXINT64, &len, NULL), ==, 1);

  return NULL;
}

static void
test_longest_timeout (Fixture *f)
{
  CountingBase *base = count_client (f);
  GDtlsConnection *server = f->server;
  GThread *thread;

  fixture_handshake (f);
  g_atomic_int_set (&base->n_sources, 0);
  thread = g_thread_new ("receive", receive_for_ages, f->client);
  g_timeout_add (BRIEF / 1000, send_hello, &server);
  until (server == NULL);
  g_thread_join (thread);
  g_assert_cmpint (g_atomic_int_get (&base->n_sources), <, FEW);
}

static void
test_lack_of_descriptors (Fixture *f)
{
  struct rlimit all;
  struct rlimit none;
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  fixture_handshake (f);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &all), ==, 0);
  none = (struct rlimit){ 3, all.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, BRIEF, &len, &error), ==, -1);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &all), ==, 0);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);

  send_text (f->server, "still there");
  expect_text (f->client, "still there");
}

/* ------------------------------------------------------------------------------------- the base */

static void
use_socketpair (Fixture *f, int type)
{
  int fds[2];

  g_clear_object (&f->client);
  g_clear_object (&f->server);
  g_clear_object (&f->client_base);
  g_clear_object (&f->server_base);
  g_assert_cmpint (socketpair (AF_UNIX, type, 0, fds), ==, 0);
  f->client_base = G_DATAGRAM_BASED (g_socket_new_from_fd (fds[0], NULL));
  f->server_base = G_DATAGRAM_BASED (g_socket_new_from_fd (fds[1], NULL));
  fixture_new_client (f, "server.example.com");
  fixture_new_server (f, "server-ecdsa");
}

static void
test_end_of_sequence (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  char byte;
  gsize len;

  use_socketpair (f, SOCK_SEQPACKET);
  fixture_handshake (f);
  drain_context ();
  g_assert_true (g_socket_close (G_SOCKET (f->server_base), NULL));
  g_assert_cmpint (receive_bytes (f->client, &byte, 1, -1, &len, &error), ==, -1);
  g_assert_error (error, G_TLS_ERROR, G_TLS_ERROR_EOF);
}

/* A far end that breaks the pair off with something unread leaves ECONNRESET behind. */
static void
test_error_is_no_end (Fixture *f)
{
  const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
  GSocket *far;

  use_socketpair (f, SOCK_DGRAM);
  fixture_handshake (f);
  drain_context ();
  far = G_SOCKET (f->server_base);
  send_text (f->client, "unread");
  g_assert_cmpint (connect (g_socket_get_fd (far), &nobody, sizeof nobody), ==, 0);
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  send_text (f->client, "more");
}

/* -------------------------------------------------------------------------------------- contexts */

static GMainContext *
enter_context (void)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);

  return context;
}

static void
leave_context (GMainContext *context)
{
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
}

/* In a context that nobody ever runs. */
static gpointer
poll_once (gpointer client)
{
  GMainContext *context = enter_context ();

  expect_receive_error (client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  leave_context (context);

  return NULL;
}

static void
test_poll_elsewhere (Fixture *f)
{
  Pending client = { NULL };
  Pending server = { NULL };
  g_autoptr (GError) error = NULL;

  g_dtls_connection_handshake_async (f->client, 0, NULL, pending_done, &client);
  drain_context ();
  g_thread_join (g_thread_new ("poll", poll_once, f->client));
  g_dtls_connection_handshake_async (f->server, 0, NULL, pending_done, &server);
  g_assert_true (pending_handshake_finish (&client, f->client, &error));
  g_assert_true (pending_handshake_finish (&server, f->server, &error));
  g_assert_no_error (error);
}

static gpointer
connect_by_polling (gpointer client)
{
  GMainContext *context = enter_context ();

  wait_for (client, G_IO_OUT);
  leave_context (context);

  return NULL;
}

static void
test_close_async (Fixture *f)
{
  Pending pending = { NULL };
  GThread *server = start_handshake (f->server, NULL);
  g_autoptr (GError) error = NULL;

  g_thread_join (g_thread_new ("connect", connect_by_polling, f->client));
  g_assert_null (g_thread_join (server));
  g_dtls_connection_close_async (f->client, 0, NULL, pending_done, &pending);
  g_assert_true (pending_shutdown_finish (&pending, f->client, &error));
  g_assert_no_error (error);
}

static void
test_close_async_is_driven (Fixture *f)
{
  Pending pending = { NULL };
  GMainContext *other;
  g_autoptr (GError) error = NULL;

  fixture_handshake (f);
  drain_context ();
  pair_base_set_send_room (PAIR_BASE (f->client_base), 0);
  g_dtls_connection_close_async (f->client, 0, NULL, pending_done, &pending);
  drain_context ();
  g_assert_null (pending.result);

  other = enter_context ();
  expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_datagram_based_condition_check (G_DATAGRAM_BASED (f->client), G_IO_OUT);
  leave_context (other);
  drain_context ();

  pair_base_set_send_room (PAIR_BASE (f->client_base), G_MAXUINT);
  g_assert_true (pending_shutdown_finish (&pending, f->client, &error));
  g_assert_no_error (error);
}

static gboolean
on_never (GDatagramBased *connection, GIOCondition condition, gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* The fixture's end asserts that the connection is gone. */
static void
test_context_takes_sources_along (Fixture *f)
{
  GMainContext *context = enter_context ();
  GSource *source;

  fixture_handshake (f);
  source = g_datagram_based_create_source (G_DATAGRAM_BASED (f->client), G_IO_IN, NULL);
  g_source_set_callback (source, G_SOURCE_FUNC (on_never), NULL, NULL);
  g_source_attach (source, context);
  g_source_unref (source);
  drain_context ();
  leave_context (context);
}

/* Each replaced driver would ask for a source of its own when its context runs at last. */
static void
test_one_driver (Fixture *f)
{
  CountingBase *base = count_client (f);
  GMainContext *context = g_main_context_new ();

  for (guint i = 0; i < 10 * FEW; i++)
    {
      if (i % 2 != 0)
        g_main_context_push_thread_default (context);
      expect_receive_error (f->client, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      if (i % 2 != 0)
        g_main_context_pop_thread_default (context);
    }

  while (g_main_context_iteration (context, FALSE))
    ;
  drain_context ();
  g_main_context_unref (context);
  g_assert_cmpint (g_atomic_int_get (&base->n_sources), <, FEW);
}

/* ------------------------------------------------------------------------------------- callbacks */

static void
drop_client (Fixture *f)
{
  g_clear_object (&f->client);
}

static void
on_peer (GObject *connection, GParamSpec *pspec, gpointer fixture)
{
  drop_client (fixture);
}

static gboolean
on_accept (GDtlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags errors,
           gpointer fixture)
{
  drop_client (fixture);

  return TRUE;
}

static void
handshake_and_drop (Fixture *f)
{
  GThread *server = start_handshake (f->server, NULL);
  GDtlsConnection *client = f->client;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_dtls_connection_handshake (client, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (f->client);
  g_assert_null (g_thread_join (server));
}

static void
test_unref_in_notify (Fixture *f)
{
  g_signal_connect (f->client, "notify::peer-certificate", G_CALLBACK (on_peer), f);
  handshake_and_drop (f);
}

static void
test_unref_in_accept (Fixture *f)
{
  g_dtls_connection_set_database (f->client, NULL);
  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (on_accept), f);
  handshake_and_drop (f);
}

typedef struct
{
  GDtlsConnection *client; /* (unowned) */
  gboolean is_closing;
  gboolean is_done;
} Closing;

static void
on_not_inside (GObject *connection, GAsyncResult *result, gpointer data)
{
  Closing *closing = data;

  g_assert_false (closing->is_closing);
  g_assert_false (
      g_dtls_connection_handshake_finish (G_DTLS_CONNECTION (connection), result, NULL));
  closing->is_done = TRUE;
}

static gboolean
close_in_source (gpointer data)
{
  Closing *closing = data;

  closing->is_closing = TRUE;
  g_assert_true (g_dtls_connection_close (closing->client, NULL, NULL));
  closing->is_closing = FALSE;

  return G_SOURCE_REMOVE;
}

static void
test_callback_is_not_inside (Fixture *f)
{
  Closing closing = { f->client, FALSE, FALSE };

  g_dtls_connection_handshake_async (f->client, 0, NULL, on_not_inside, &closing);
  drain_context ();
  g_idle_add (close_in_source, &closing);
  until (closing.is_done);
}

/* --------------------------------------------------------------------------------------- trust */

static void
test_dates_without_database (Fixture *f)
{
  static const struct
  {
    const char *certificate;
    GTlsCertificateFlags error;
  } rows[] = {
    { "server-expired", G_TLS_CERTIFICATE_EXPIRED },
    { "server-not-yet", G_TLS_CERTIFICATE_NOT_ACTIVATED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) client = NULL;
      g_autoptr (GError) server = NULL;

      fixture_renew (f);
      fixture_new_server (f, rows[i].certificate);
      g_dtls_connection_set_database (f->client, NULL);
      g_object_set (f->client, "validation-flags",
                    G_TLS_CERTIFICATE_VALIDATE_ALL & ~G_TLS_CERTIFICATE_UNKNOWN_CA, NULL);
      fixture_try_handshake (f, &client, &server);
      g_assert_error (client, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
      g_assert_cmpuint (g_dtls_connection_get_peer_certificate_errors (f->client), ==,
                        G_TLS_CERTIFICATE_UNKNOWN_CA | rows[i].error);
    }
}

static gboolean
on_accept_too_late (GDtlsConnection *connection, GTlsCertificate *certificate,
                    GTlsCertificateFlags errors, gpointer user_data)
{
  g_assert_not_reached ();
}

static void
test_late_answer (Fixture *f)
{
  JudgeAsyncDatabase *judge = judge_async_database_new (G_TLS_CERTIFICATE_EXPIRED);
  Pending client = { NULL };
  Pending server = { NULL };

  g_signal_connect (f->client, "accept-certificate", G_CALLBACK (on_accept_too_late), NULL);
  g_dtls_connection_set_database (f->client, G_TLS_DATABASE (judge));
  g_dtls_connection_handshake_async (f->client, 0, NULL, pending_done, &client);
  g_dtls_connection_handshake_async (f->server, 0, NULL, pending_done, &server);
  until (judge_async_database_is_asked (judge));
  g_assert_true (g_dtls_connection_close (f->client, NULL, NULL));
  g_assert_false (pending_handshake_finish (&client, f->client, NULL));
  judge_async_database_answer (judge);
  drain_context ();
  g_assert_false (pending_handshake_finish (&server, f->server, NULL));
  g_object_unref (judge);
}

static const TestCase cases[] = {
  { "a-base-with-descriptors-is-waited-for-once", test_waits_once, OVER_UDP },
  { "the-longest-timeout-waits-once", test_longest_timeout, OVER_UDP },
  { "lack-of-descriptors-fails-the-call-alone", test_lack_of_descriptors, OVER_UDP },
  { "a-far-ends-close-is-the-end-of-a-sequence", test_end_of_sequence, OVER_UDP },
  { "a-datagram-sockets-error-is-no-end", test_error_is_no_end, OVER_UDP },
  { "a-poll-elsewhere-leaves-a-handshake-its-driver", test_poll_elsewhere, OVER_BOTH },
  { "close-async-needs-no-other-context", test_close_async, OVER_BOTH },
  { "close-async-is-driven-where-it-waits", test_close_async_is_driven, OVER_PAIR },
  { "a-context-takes-its-sources-along", test_context_takes_sources_along, OVER_BOTH },
  { "two-polling-contexts-share-one-driver", test_one_driver, OVER_UDP },
  { "the-last-reference-may-go-in-notify", test_unref_in_notify, OVER_BOTH },
  { "the-last-reference-may-go-in-accept-certificate", test_unref_in_accept, OVER_BOTH },
  { "no-callback-comes-inside-close", test_callback_is_not_inside, OVER_BOTH },
  { "dates-count-without-a-database", test_dates_without_database, OVER_BOTH },
  { "an-answer-after-the-end-asks-nobody", test_late_answer, OVER_BOTH },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  ADD_TESTS ("review", cases);

  return g_test_run ();
}
