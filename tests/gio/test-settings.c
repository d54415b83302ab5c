/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is set in a context or on a connection reaches the protocol: versions, groups, and each number that
 * a handshake alone would not show. */

#include "fixture.h"

#include <moat/moat.h>

#include <string.h>

/* ------------------------------------------------------------------------------------- versions */

typedef struct
{
  const char *name;
  const char *client[2]; /* from, to */
  const char *server[2];
  const char *expected; /* (nullable): they have none in common */
} Versions;

static const Versions versions[] = {
  { "both-have-both", { "1.2", "1.3" }, { "1.2", "1.3" }, "1.3" },
  { "client-has-the-old-one", { "1.2", "1.2" }, { "1.2", "1.3" }, "1.2" },
  { "server-has-the-old-one", { "1.2", "1.3" }, { "1.2", "1.2" }, "1.2" },
  { "client-wants-the-new-one", { "1.3", "1.3" }, { "1.2", "1.3" }, "1.3" },
  { "server-wants-the-new-one", { "1.2", "1.3" }, { "1.3", "1.3" }, "1.3" },
  { "client-wants-too-much", { "1.3", "1.3" }, { "1.2", "1.2" }, NULL },
  { "server-wants-too-much", { "1.2", "1.2" }, { "1.3", "1.3" }, NULL },
};

static void
use_versions (GObject *context, const char *const range[2])
{
  MoatContext *self = MOAT_CONTEXT (context);

  g_assert_true (moat_context_set_min_version (self, range[0], NULL));
  g_assert_true (moat_context_set_max_version (self, range[1], NULL));
  g_assert_cmpstr (moat_context_get_min_version (self), ==, range[0]);
  g_assert_cmpstr (moat_context_get_max_version (self), ==, range[1]);
}

static void
test_versions (Fixture *f, gconstpointer data)
{
  const Versions *row = data;
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  use_versions (f->client_context, row->client);
  use_versions (f->server_context, row->server);
  fixture_try_handshake (f, &client_error, &server_error);
  if (row->expected != NULL)
    {
      g_assert_no_error (client_error);
      g_assert_no_error (server_error);
    }
  else
    {
      g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
      g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
    }
  g_assert_cmpstr (moat_connection_get_dtls_version (MOAT_CONNECTION (f->client)), ==,
                   row->expected);
  g_assert_cmpstr (moat_connection_get_dtls_version (MOAT_CONNECTION (f->server)), ==,
                   row->expected);
}

static void
test_upside_down (Fixture *f)
{
  static const char *const range[2] = { "1.3", "1.2" };
  g_autoptr (GError) error = NULL;

  use_versions (f->client_context, range);
  g_assert_false (g_dtls_connection_handshake (f->client, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

/* On a socket, a server that has nobody yet tells at once, too. */
static void
test_nothing_left (Fixture *f)
{
  static const char *const suite_of_13[] = { "TLS_AES_128_GCM_SHA256", NULL };
  static const char *const only_12[2] = { "1.2", "1.2" };

  for (guint i = 0; i < 2; i++)
    {
      GObject *context = i == 0 ? f->client_context : f->server_context;
      g_autoptr (GError) error = NULL;

      use_versions (context, only_12);
      g_assert_true (moat_context_set_cipher_suites (MOAT_CONTEXT (context), suite_of_13, NULL));
      g_assert_false (g_dtls_connection_handshake (i == 0 ? f->client : f->server, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }
}

static void
test_version_names (void)
{
  static const char *const wrong[] = { "1.0", "1.1", "1.4", "1", "", "DTLS 1.2", NULL };
  g_autoptr (MoatContext) context = moat_context_new ();
  g_autofree char *name = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (moat_context_set_min_version (context, wrong[i], &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_clear_error (&error);
      g_assert_false (moat_context_set_max_version (context, wrong[i], &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    }

  g_test_expect_message ("Moat", G_LOG_LEVEL_WARNING, "*1.1*");
  g_object_set (context, "max-version", "1.1", NULL);
  g_test_assert_expected_messages ();
  g_object_get (context, "max-version", &name, NULL);
  g_assert_cmpstr (name, ==, "1.3");
}

/* --------------------------------------------------------------------------------------- groups */

static gboolean
use_group (GObject *context, const char *name)
{
  const char *names[] = { name, NULL };

  return moat_context_set_groups (MOAT_CONTEXT (context), names, NULL);
}

static void
test_groups (Fixture *f)
{
  static const char *const names[] = { "x25519", "secp256r1", "secp384r1" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto (GStrv) got = NULL;

      fixture_renew (f);
      g_assert_true (use_group (f->server_context, names[i]));
      got = moat_context_dup_groups (MOAT_CONTEXT (f->server_context));
      g_assert_cmpuint (g_strv_length (got), ==, 1);
      g_assert_cmpstr (got[0], ==, names[i]);
      fixture_handshake (f);
      send_text (f->client, "ping");
      expect_text (f->server, "ping");
    }
}

static void
test_no_common_group (Fixture *f)
{
  g_autoptr (GError) client_error = NULL;
  g_autoptr (GError) server_error = NULL;

  use_group (f->client_context, "secp256r1");
  use_group (f->server_context, "secp384r1");
  fixture_try_handshake (f, &client_error, &server_error);
  g_assert_error (client_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
  g_assert_error (server_error, G_TLS_ERROR, G_TLS_ERROR_MISC);
}

static void
test_group_names (void)
{
  const char *const names[] = { "secp384r1", "X25519MLKEM768", NULL };
  const char *const wrong[] = { "secp384r1", "sect163k1", NULL };
  g_autoptr (MoatContext) context = moat_context_new ();
  g_auto (GStrv) got = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (moat_context_dup_groups (context));
  g_assert_true (moat_context_set_groups (context, names, NULL));
  g_assert_false (moat_context_set_groups (context, wrong, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  got = moat_context_dup_groups (context);
  g_assert_true (g_strv_equal ((const char *const *) got, names));
  g_assert_true (moat_context_set_groups (context, NULL, NULL));
  g_assert_null (moat_context_dup_groups (context));
}

/* ---------------------------------------------------------------------- numbers of a connection */

/* The source is ready when the first flight is due again. */
static gint64
repeats_after (GDtlsConnection *client, guint milliseconds)
{
  g_autoptr (GSource) source =
      g_datagram_based_create_source (G_DATAGRAM_BASED (client), G_IO_IN, NULL);
  gint64 begun = g_get_monotonic_time ();
  gint64 due;

  g_object_set (client, "retransmission-timeout", milliseconds, "handshake-timeout", 0, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  do
    {
      g_main_context_iteration (g_main_context_get_thread_default (), FALSE);
      due = g_source_get_ready_time (source);
    }
  while (due < 0);
  g_source_destroy (source);

  return due - begun;
}

static void
test_retransmission_timeout (Fixture *f)
{
  g_assert_cmpint (repeats_after (f->client, 50000), >=, 50 * G_USEC_PER_SEC);
  fixture_renew (f);
  g_assert_cmpint (repeats_after (f->client, 40000), <, 50 * G_USEC_PER_SEC);
}

enum
{
  N_OVERTAKING = 80,
};

static PairFate
hold_first (guint index, const guint8 *at, gsize len, gpointer user_data)
{
  return index == 0 ? PAIR_HOLD : PAIR_DELIVER;
}

/* One message is overtaken by more than a window of 64 holds, and fewer than one of 256 does. */
static gboolean
late_one_arrives (Fixture *f, guint window)
{
  char buffer[16];
  gsize len;

  fixture_renew (f);
  g_object_set (f->server, "replay-window", window, NULL);
  fixture_handshake (f);
  drain_context ();
  pair_base_set_script (PAIR_BASE (f->client_base), hold_first, NULL);
  send_text (f->client, "late");
  for (guint i = 0; i < N_OVERTAKING; i++)
    send_text (f->client, "x");
  for (guint i = 0; i < N_OVERTAKING; i++)
    expect_text (f->server, "x");

  g_assert_cmpuint (pair_base_n_held (PAIR_BASE (f->client_base)), ==, 1);
  pair_base_release (PAIR_BASE (f->client_base));
  if (receive_bytes (f->server, buffer, sizeof buffer, 0, &len, NULL) != 1)
    return FALSE;

  g_assert_cmpmem (buffer, len, "late", strlen ("late"));
  return TRUE;
}

static void
test_replay_window (Fixture *f)
{
  g_assert_false (late_one_arrives (f, 64));
  g_assert_true (late_one_arrives (f, 256));
}

/* A ClientHello of 1.2 with all that our server wants but extended_master_secret. */
static const guint8 old_hello[] = {
  22,   254, 255,  0,    0,  0,  0,  0,  0,  0,  0,  0,  87, /* record */
  1,    0,   0,    75,   0,  0,  0,  0,  0,  0,  0,  75,     /* client_hello, in one fragment */
  254,  253,                                                 /* DTLS 1.2 */
  1,    2,   3,    4,    5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,    /* random */
  17,   18,  19,   20,   21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, /* session_id */
  0,                                                                        /* cookie */
  0,    2,   0xc0, 0x2b,                                /* ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 */
  1,    0,                                              /* no compression */
  0,    31,                                             /* extensions */
  0,    10,  0,    4,    0,  2,  0,  23,                /* supported_groups: secp256r1 */
  0,    11,  0,    2,    1,  0,                         /* ec_point_formats: uncompressed */
  0,    13,  0,    8,    0,  6,  4,  3,  8,  4,  4,  1, /* signature_algorithms */
  0xff, 1,   0,    1,    0,                             /* renegotiation_info */
};

static void
test_extended_master_secret (Fixture *f)
{
  for (guint i = 0; i < 2; i++)
    {
      gboolean is_required = i == 1;

      fixture_renew (f);
      g_object_set (f->server, "require-extended-master-secret", is_required, NULL);
      pair_base_inject (PAIR_BASE (f->server_base), old_hello, sizeof old_hello);
      if (is_required)
        expect_receive_error (f->server, G_TLS_ERROR, G_TLS_ERROR_MISC);
      else
        expect_receive_error (f->server, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_assert_cmpuint (pair_base_n_sent (PAIR_BASE (f->server_base)), >, 0);
    }
}

static const TestCase cases[] = {
  { "upside-down-versions-are-an-invalid-argument", test_upside_down, OVER_PAIR | IN_1_3 },
  { "nothing-left-is-an-invalid-argument", test_nothing_left, OVER_BOTH | IN_1_2 },
  { "each-group-connects", test_groups, OVER_PAIR },
  { "no-common-group-fails-both", test_no_common_group, OVER_PAIR },
  { "retransmission-timeout-counts", test_retransmission_timeout, OVER_PAIR },
  { "replay-window-counts", test_replay_window, OVER_PAIR },
  { "required-extended-master-secret-counts", test_extended_master_secret, OVER_PAIR | IN_1_2 },
};

int
main (int argc, char **argv)
{
  tests_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (versions); i++)
    add_row_test ("settings/versions", versions[i].name, test_versions, &versions[i]);
  ADD_TESTS ("settings", cases);
  g_test_add_func ("/gio/settings/unknown-version-is-an-invalid-argument", test_version_names);
  g_test_add_func ("/gio/settings/unknown-group-is-an-invalid-argument", test_group_names);

  return g_test_run ();
}
