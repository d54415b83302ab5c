/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lines on standard error; see report.h. */

#include "cli/report.h"

#include <stdio.h>

static enum verbosity current_verbosity = NORMAL;

void
report_set_verbosity (enum verbosity verbosity)
{
  current_verbosity = verbosity;
}

/* Controls steer a terminal; format characters, such as those that turn the direction of writing,
 * make a name look like another. */
static bool
is_harmless (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
      return false;
    default:
      return true;
    }
}

static void
append_harmless (GString *line, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  for (char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      g_string_append_unichar (line, is_harmless (c) ? c : '?');
    }
}

/* A line is written in one piece, so that those of several processes on one terminal do not mix. */
static void G_GNUC_PRINTF (2, 0) say (const char *prefix, const char *format, va_list arguments)
{
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  g_autoptr (GString) line = g_string_new (prefix);

  append_harmless (line, text);
  g_string_append_c (line, '\n');

  fputs (line->str, stderr);
  fflush (stderr);
}

void
report_error (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  say ("moat: ", format, arguments);
  va_end (arguments);
}

void
report_warning (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  say ("moat: warning: ", format, arguments);
  va_end (arguments);
}

void
report_status (const char *format, ...)
{
  va_list arguments;

  if (current_verbosity < NORMAL)
    return;

  va_start (arguments, format);
  say ("", format, arguments);
  va_end (arguments);
}

void
report_detail (const char *format, ...)
{
  va_list arguments;

  if (current_verbosity < VERBOSE)
    return;

  va_start (arguments, format);
  say ("", format, arguments);
  va_end (arguments);
}
