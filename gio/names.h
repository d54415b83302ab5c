/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lists of IANA names, as applications have them, and of code points, as the engine wants them. */

#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

/* Something that the engine has names for. */
typedef struct
{
  const char *kind;               /* "cipher suite" */
  const char *(*name) (uint16_t); /* of a code point; NULL for what we do not speak */
} MoatNames;

extern const MoatNames moat_suite_names;
extern const MoatNames moat_group_names;

/* `out_codes` (transfer full) (nullable): guint16; NULL for no names. False with
 * G_IO_ERROR_INVALID_ARGUMENT for a name that there is not. */
bool moat_names_parse (const MoatNames *self, const char *const *names, GBytes **out_codes,
                       GError **error);
/* (transfer full) (nullable) */
char **moat_names_print (const MoatNames *self, GBytes *codes);
