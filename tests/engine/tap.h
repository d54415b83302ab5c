/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A test program without GLib: a table of named tests, run in order, told in the Test Anything
 * Protocol. A check that fails is printed with its place and fails its test, which goes on; each
 * check is also an expression, true if it held, for tests that cannot go on without it. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "types.h"

struct tap_test
{
  const char *name; /* says the rule: "/record/replay/rejects-duplicate" */
  void (*run) (void);
};

static bool tap_is_failing;
static const char *tap_row; /* (nullable) the table's row under test */

#define TAP_N(array) (sizeof (array) / sizeof ((array)[0]))
#define TAP_BYTES(array) ((struct bytes){ (const uint8_t *) (array), sizeof (array) })
/* The bytes of a string literal, without the zero after them. */
#define TAP_STRING(text) ((struct bytes){ (const uint8_t *) (text), sizeof (text) - 1 })

#define CHECK(fact) tap_check ((fact), #fact, __FILE__, __LINE__)
#define CHECK_UINT(got, expected) tap_check_uint ((got), (expected), #got, __FILE__, __LINE__)
#define CHECK_TEXT(got, expected) tap_check_text ((got), (expected), #got, __FILE__, __LINE__)
#define CHECK_BYTES(got, expected) tap_check_bytes ((got), (expected), #got, __FILE__, __LINE__)

/* Names the row that the checks from here on belong to; NULL after the table. */
static inline void
tap_set_row (const char *row)
{
  tap_row = row;
}

static inline bool
tap_check (bool fact, const char *what, const char *file, int line)
{
  if (fact)
    return true;

  tap_is_failing = true;
  printf ("# %s:%d: %s\n", file, line, what);
  if (tap_row != NULL)
    printf ("#   in row: %s\n", tap_row);
  return false;
}

static inline bool
tap_check_uint (uint64_t got, uint64_t expected, const char *what, const char *file, int line)
{
  if (tap_check (got == expected, what, file, line))
    return true;

  printf ("#   got      %llu (0x%llx)\n", (unsigned long long) got, (unsigned long long) got);
  printf ("#   expected %llu (0x%llx)\n", (unsigned long long) expected,
          (unsigned long long) expected);
  return false;
}

/* NULL equals only NULL. */
static inline bool
tap_check_text (const char *got, const char *expected, const char *what, const char *file, int line)
{
  bool is_equal = got == NULL || expected == NULL ? got == expected : strcmp (got, expected) == 0;

  if (tap_check (is_equal, what, file, line))
    return true;

  printf ("#   got      %s\n", got != NULL ? got : "(null)");
  printf ("#   expected %s\n", expected != NULL ? expected : "(null)");
  return false;
}

static inline void
tap_dump (const char *caption, struct bytes bytes)
{
  printf ("#   %s %zu bytes", caption, bytes.left);
  for (size_t i = 0; i < bytes.left; i++)
    printf ("%s%02x", i % 32 == 0 ? "\n#     " : " ", bytes.at[i]);
  printf ("\n");
}

static inline bool
tap_check_bytes (struct bytes got, struct bytes expected, const char *what, const char *file,
                 int line)
{
  bool is_equal =
      got.left == expected.left && (got.left == 0 || memcmp (got.at, expected.at, got.left) == 0);

  if (tap_check (is_equal, what, file, line))
    return true;

  tap_dump ("got     ", got);
  tap_dump ("expected", expected);
  return false;
}

/* Runs every test; what it returns is main's to return. */
static inline int
tap_run (const struct tap_test *tests, size_t n)
{
  bool has_failed = false;

  printf ("1..%zu\n", n);
  for (size_t i = 0; i < n; i++)
    {
      tap_is_failing = false;
      tap_row = NULL;
      tests[i].run ();
      printf ("%s %zu - %s\n", tap_is_failing ? "not ok" : "ok", i + 1, tests[i].name);
      /* A later crash must not swallow what was told. */
      fflush (stdout);
      has_failed = has_failed || tap_is_failing;
    }

  return has_failed ? 1 : 0;
}

#define TAP_MAIN(tests)                                                                            \
  int main (void)                                                                                  \
  {                                                                                                \
    return tap_run (tests, TAP_N (tests));                                                         \
  }
