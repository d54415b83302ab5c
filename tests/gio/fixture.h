/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client and a server that can reach each other, for tests that know nothing but GIO's API, and how
 * such tests wait: on events, with one failsafe that only ever ends a test that hangs. */

#pragma once

#include "pair-base.h"

#include <gio/gio.h>

typedef enum
{
  OVER_UDP = 1 << 0, /* two connected GSockets on loopback */
  OVER_PAIR = 1 << 1,
  OVER_BOTH = OVER_UDP | OVER_PAIR,
  /* Without one of these it is in both. */
  IN_1_2 = 1 << 2,
  IN_1_3 = 1 << 3,
} Transport;

typedef struct
{
  Transport transport;     /* OVER_UDP or OVER_PAIR */
  Transport version;       /* IN_1_2 or IN_1_3 */
  GObject *client_context; /* MoatContext, of this version at most; no other test has it */
  GObject *server_context;
  GDatagramBased *client_base;
  GDatagramBased *server_base;
  GDtlsConnection *client; /* wants server.example.com, below the test root */
  GDtlsConnection *server; /* is it, with an ECDSA key */
} Fixture;

typedef struct
{
  const char *name; /* the rule */
  void (*run) (Fixture *f);
  Transport transports;
} TestCase;

/* Each case becomes /gio/PREFIX/NAME/TRANSPORT-VERSION. After each, both connections must be gone with their last
 * reference here, and nothing may hold the bases. */
void add_tests (const char *prefix, const TestCase *cases, gsize n_cases);
#define ADD_TESTS(prefix, cases) add_tests (prefix, cases, G_N_ELEMENTS (cases))

/* One case of a table of the test's own, over a pair: /gio/PREFIX/NAME/1.2 and /gio/PREFIX/NAME/1.3. */
typedef void (*RowTest) (Fixture *f, gconstpointer row);
void add_row_test (const char *prefix, const char *name, RowTest run, gconstpointer row);

void tests_init (int *argc, char ***argv);

/* Runs the thread's context until `condition` holds. */
#define until(condition)                                                                           \
  while (!(condition))                                                                             \
  g_main_context_iteration (g_main_context_get_thread_default (), TRUE)

/* Does what the context has to do now. */
void drain_context (void);

/* ------------------------------------------------------------------------------ certificates */

/* NAME of tools/make-test-certs, with its key and its chain. */
GTlsCertificate *load_certificate (const char *name);
GTlsCertificate *load_certificate_without_key (const char *name);
/* Trusts NAME alone. */
GTlsDatabase *load_database (const char *name);
char *certificate_path (const char *name, const char *suffix);

/* ---------------------------------------------------------------------------------- both sides */

GSocket *new_udp_socket (void); /* bound to a free port of 127.0.0.1 */
void connect_udp_socket (GSocket *socket, GSocket *to);

/* Replace one side before its first I/O; NULL for no identity, no certificate. */
void fixture_new_client (Fixture *f, const char *identity);
void fixture_new_server (Fixture *f, const char *certificate);
/* Everything anew, after asserting that the old is gone. */
void fixture_renew (Fixture *f);
/* The same, but what contexts remember stays. */
void fixture_renew_connections (Fixture *f);
/* (transfer full): a MoatContext for connections like this one, of the fixture's version at most. */
GObject *fixture_new_context (Fixture *f, GDtlsConnection *connection);
/* Also for another type's properties: (transfer full). */
GSocketConnectable *identity_of (const char *host);

/* Both at once in this thread's context. */
void fixture_handshake (Fixture *f);
/* The same, but either may fail. Both errors are out (transfer full). */
void fixture_try_handshake (Fixture *f, GError **client_error, GError **server_error);

/* A blocking handshake in a thread; g_thread_join gives its error, or NULL (transfer full). */
GThread *start_handshake (GDtlsConnection *connection, GCancellable *cancellable);

/* An asynchronous result that something waits for. */
typedef struct
{
  GAsyncResult *result;
} Pending;

void pending_done (GObject *source, GAsyncResult *result, gpointer pending);
gboolean pending_handshake_finish (Pending *pending, GDtlsConnection *connection, GError **error);
gboolean pending_shutdown_finish (Pending *pending, GDtlsConnection *connection, GError **error);

/* ------------------------------------------------------------------------------------ messages */

/* One message; what send_messages and receive_messages return. */
gint send_bytes (GDtlsConnection *connection, gconstpointer at, gsize len, gint64 timeout,
                 GError **error);
gint receive_bytes (GDtlsConnection *connection, gpointer at, gsize size, gint64 timeout,
                    gsize *out_len, GError **error);

/* Waits in this thread's context for the source to be ready. */
void wait_for (GDtlsConnection *connection, GIOCondition condition);
/* Waits for OUT and sends. */
void send_text (GDtlsConnection *connection, const char *text);
/* Waits for IN; the next message is this. */
void expect_text (GDtlsConnection *connection, const char *text);
/* Waits for IN; the stream has ended. */
void expect_end (GDtlsConnection *connection);
/* A non-blocking receive (send) gives this error. */
void expect_receive_error (GDtlsConnection *connection, GQuark domain, gint code);
void expect_send_error (GDtlsConnection *connection, GQuark domain, gint code);

/* A thread that runs a blocking server: handshake, then it sends back what comes until the end, and
 * closes. Join it with g_thread_join. */
GThread *start_echo (GDtlsConnection *server);
