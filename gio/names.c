/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The engine knows names by number only, and is asked about them once in a program's life. */

#include "gio/names.h"

#include "dtls.h"

const MoatNames moat_suite_names = { "cipher suite", dtls_suite_name };
const MoatNames moat_group_names = { "key exchange group", dtls_group_name };

/* 0 for unknown. */
static guint16
find (const MoatNames *self, const char *name)
{
  for (guint code = 1; code <= G_MAXUINT16; code++)
    if (g_strcmp0 (self->name ((guint16) code), name) == 0)
      return (guint16) code;

  return 0;
}

bool
moat_names_parse (const MoatNames *self, const char *const *names, GBytes **out_codes,
                  GError **error)
{
  g_autoptr (GArray) codes = g_array_new (FALSE, FALSE, sizeof (guint16));

  for (gsize i = 0; names != NULL && names[i] != NULL; i++)
    {
      guint16 code = find (self, names[i]);

      if (code == 0)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "There is no %s “%s”",
                       self->kind, names[i]);
          return false;
        }
      g_array_append_val (codes, code);
    }

  *out_codes = codes->len > 0 ? g_bytes_new (codes->data, codes->len * sizeof (guint16)) : NULL;

  return true;
}

char **
moat_names_print (const MoatNames *self, GBytes *codes)
{
  g_autoptr (GStrvBuilder) names = NULL;
  const guint16 *at;
  gsize size;

  if (codes == NULL)
    return NULL;

  names = g_strv_builder_new ();
  at = g_bytes_get_data (codes, &size);
  for (gsize i = 0; i < size / sizeof *at; i++)
    g_strv_builder_add (names, self->name (at[i]));

  return g_strv_builder_end (names);
}
