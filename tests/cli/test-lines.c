/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lines cut from what a pipe gives, in whatever pieces it gives it. */

#include "cli/lines.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

static void
read_and_cut (struct lines *lines, GString *result)
{
  enum line found;
  const char *line;
  size_t len;

  g_assert_cmpint (lines_read (lines), ==, 0);
  while ((found = lines_take (lines, &line, &len)) != LINE_NONE)
    if (found == LINE_WHOLE)
      g_string_append_printf (result, "%.*s|", (int) len, line);
    else
      g_string_append_c (result, '!');
}

/* What comes out of `pieces`, with a read after each: "line|" for a line, "!" for one that was too long,
 * and "." for the end. */
static char *
cut (const char *const *pieces)
{
  g_autoptr (GString) result = g_string_new (NULL);
  struct lines lines;
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  lines_init (&lines, ends[0]);

  for (; *pieces != NULL; pieces++)
    {
      g_assert_cmpint (write (ends[1], *pieces, strlen (*pieces)), ==, strlen (*pieces));
      read_and_cut (&lines, result);
    }
  close (ends[1]);
  while (!lines.is_at_end)
    read_and_cut (&lines, result);

  close (ends[0]);
  g_string_append_c (result, '.');
  return g_string_free (g_steal_pointer (&result), FALSE);
}

static void
test_cuts_at_newlines_alone (void)
{
  static const struct
  {
    const char *pieces[4];
    const char *expected;
  } cases[] = {
    { { NULL }, "." },
    { { "\n" }, "|." },
    { { "\n\n" }, "||." },
    { { "one\n" }, "one|." },
    { { "one\ntwo\n" }, "one|two|." },
    { { "one\ntwo" }, "one|two|." },
    { { "on", "e\nt", "wo" }, "one|two|." },
    { { "one", "\n", "two" }, "one|two|." },
    { { " a\tb\r\n" }, " a\tb\r|." },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *result = cut (cases[i].pieces);

      g_assert_cmpstr (result, ==, cases[i].expected);
    }
}

static void
test_passes_over_what_is_too_long (void)
{
  g_autofree char *longest = g_strnfill (MAX_LINE, 'x');
  g_autofree char *beyond = g_strnfill (MAX_LINE + 1, 'x');
  g_autofree char *longest_whole = g_strconcat (longest, "|.", NULL);
  g_autofree char *longest_of_two = g_strconcat ("a|", longest, "|b|.", NULL);
  const struct
  {
    const char *pieces[8];
    const char *expected;
  } cases[] = {
    { { longest }, longest_whole },
    { { longest, "\n" }, longest_whole },
    { { "a\n", longest, "\nb" }, longest_of_two },
    { { beyond }, "!." },
    { { beyond, "\n" }, "!." },
    { { beyond, "\nb\n" }, "!b|." },
    { { longest, "y\nb" }, "!b|." },
    { { "a\n", beyond, beyond, "x", "\nb" }, "a|!b|." },
    { { beyond, beyond, "\n", beyond, "\nb" }, "!!b|." },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *result = cut (cases[i].pieces);

      g_assert_cmpstr (result, ==, cases[i].expected);
    }
}

static void
test_error_is_the_end (void)
{
  struct lines lines;
  const char *line;
  size_t len;

  lines_init (&lines, -1);
  g_assert_cmpint (lines_read (&lines), !=, 0);
  g_assert_true (lines.is_at_end);
  g_assert_cmpint (lines_take (&lines, &line, &len), ==, LINE_NONE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cli/lines/cuts-at-newlines-alone", test_cuts_at_newlines_alone);
  g_test_add_func ("/cli/lines/passes-over-what-is-too-long", test_passes_over_what_is_too_long);
  g_test_add_func ("/cli/lines/error-is-the-end", test_error_is_the_end);

  return g_test_run ();
}
