/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which files secrets are taken from, and that nothing of them stays. */

#include "cli/secret.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -------------------------------------------------------------------------------- what is wiped */

static struct
{
  const guint8 *at;
  size_t len;
} wiped;

/* In place of libc's. */
void
explicit_bzero (void *at, size_t len)
{
  wiped.at = at;
  wiped.len = len;
  memset (at, 0, len);
}

static void
assert_wipes (GBytes *secret)
{
  gsize len;
  const guint8 *at = g_bytes_get_data (secret, &len);

  wiped.at = NULL;
  g_bytes_unref (secret);
  g_assert_true (wiped.at == at);
  g_assert_cmpuint (wiped.len, >=, len);
}

/* --------------------------------------------------------------------------------------- a file */

typedef struct
{
  char *folder; /* (owned) */
  char *file;   /* (owned): in it */
} Scratch;

static void
set_up (Scratch *self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("moat-XXXXXX", NULL);
  g_assert_nonnull (self->folder);
  self->file = g_build_filename (self->folder, "secret", NULL);
}

static void
tear_down (Scratch *self, gconstpointer data)
{
  g_assert_cmpint (g_remove (self->file), ==, 0);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->file);
  g_free (self->folder);
}

static void
write_file (const Scratch *self, const char *text, gsize len)
{
  g_assert_true (g_file_set_contents (self->file, text, (gssize) len, NULL));
}

static void
expect_bytes (const Scratch *self, enum secret_source source, const char *text)
{
  g_autoptr (GError) error = NULL;
  GBytes *secret = secret_read (self->file, source, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (secret, NULL), g_bytes_get_size (secret), text, strlen (text));
  assert_wipes (secret);
}

static void
expect_error (const char *file, enum secret_source source, GFileError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (secret_read (file, source, &error));
  g_assert_error (error, G_FILE_ERROR, (gint) code);
}

static void
test_modes (Scratch *self, gconstpointer data)
{
  static const struct
  {
    mode_t mode;
    gboolean is_good;
  } rows[] = {
    { 0600, TRUE },  { 0400, TRUE },  { 0644, TRUE },  { 0700, TRUE },
    { 0620, FALSE }, { 0602, FALSE }, { 0666, FALSE }, { 0660, FALSE },
  };

  write_file (self, "secret", 6);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_assert_cmpint (chmod (self->file, rows[i].mode), ==, 0);
      expect_bytes (self, SECRET_FROM_ANYWHERE, "secret");
      if (rows[i].is_good)
        expect_bytes (self, SECRET_FROM_OWN_FILE, "secret");
      else
        expect_error (self->file, SECRET_FROM_OWN_FILE, G_FILE_ERROR_PERM);
    }
}

static void
test_other_owner (Scratch *self, gconstpointer data)
{
  write_file (self, "secret", 6);
  if (geteuid () != 0)
    {
      g_test_skip ("only root gives files away");
      return;
    }

  g_assert_cmpint (chmod (self->file, 0600), ==, 0);
  g_assert_cmpint (chown (self->file, 1, 1), ==, 0);
  expect_error (self->file, SECRET_FROM_OWN_FILE, G_FILE_ERROR_PERM);
}

/* Nobody writes to the pipe, so waiting for it would have no end. */
static void
test_other_kinds (Scratch *self, gconstpointer data)
{
  g_assert_cmpint (mkfifo (self->file, 0600), ==, 0);
  expect_error (self->file, SECRET_FROM_OWN_FILE, G_FILE_ERROR_PERM);
  expect_error (self->folder, SECRET_FROM_OWN_FILE, G_FILE_ERROR_PERM);
  expect_error ("/dev/null", SECRET_FROM_OWN_FILE, G_FILE_ERROR_PERM);
}

static void
test_missing (Scratch *self, gconstpointer data)
{
  expect_error (self->file, SECRET_FROM_OWN_FILE, G_FILE_ERROR_NOENT);
  expect_error (self->file, SECRET_FROM_ANYWHERE, G_FILE_ERROR_NOENT);
  write_file (self, "", 0);
  expect_bytes (self, SECRET_FROM_OWN_FILE, "");
}

static void
test_length (Scratch *self, gconstpointer data)
{
  g_autofree char *text = g_strnfill (SECRET_MAX_LEN + 1, 'x');

  write_file (self, text, SECRET_MAX_LEN + 1);
  wiped.len = 0;
  expect_error (self->file, SECRET_FROM_ANYWHERE, G_FILE_ERROR_INVAL);
  g_assert_cmpuint (wiped.len, ==, SECRET_MAX_LEN + 1);
  expect_error ("/dev/zero", SECRET_FROM_ANYWHERE, G_FILE_ERROR_INVAL);

  text[SECRET_MAX_LEN] = '\0';
  write_file (self, text, SECRET_MAX_LEN);
  expect_bytes (self, SECRET_FROM_ANYWHERE, text);
}

/* ---------------------------------------------------------------------------------------- digits */

static void
test_hex (void)
{
  static const struct
  {
    const char *text;
    const char *bytes; /* (nullable) */
  } rows[] = {
    { "414243", "ABC" }, { " 4a4B\r\n", "JK" }, { "4", NULL },  { "41424", NULL },  { "", NULL },
    { " \n", NULL },     { "41 42", NULL },     { "0x", NULL }, { "4142g0", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GBytes) text = g_bytes_new_static (rows[i].text, strlen (rows[i].text));
      GBytes *secret = secret_from_hex (text);

      g_assert_cmpint (secret == NULL, ==, rows[i].bytes == NULL);
      if (secret == NULL)
        continue;
      g_assert_cmpmem (g_bytes_get_data (secret, NULL), g_bytes_get_size (secret), rows[i].bytes,
                       strlen (rows[i].bytes));
      assert_wipes (secret);
    }
}

static const struct
{
  const char *path;
  void (*run) (Scratch *self, gconstpointer data);
} cases[] = {
  { "/cli/secret/own-file-is-written-by-nobody-else", test_modes },
  { "/cli/secret/own-file-is-of-no-other-user", test_other_owner },
  { "/cli/secret/own-file-is-a-regular-one", test_other_kinds },
  { "/cli/secret/missing-is-told-from-empty", test_missing },
  { "/cli/secret/length-has-a-limit", test_length },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add (cases[i].path, Scratch, NULL, set_up, cases[i].run, tear_down);
  g_test_add_func ("/cli/secret/hexadecimal-digits", test_hex);

  return g_test_run ();
}
