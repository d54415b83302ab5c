/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* libgiomoat.so: what GIO loads. The classes live in libmoat-1, whose types are static, so once
 * loaded we stay. */

#include "moat/moat-backend.h"

G_MODULE_EXPORT void g_io_moat_load (GIOModule *module);
G_MODULE_EXPORT void g_io_moat_unload (GIOModule *module);
G_MODULE_EXPORT char **g_io_moat_query (void);

void
g_io_moat_load (GIOModule *module)
{
  g_type_module_use (G_TYPE_MODULE (module));
  moat_backend_register ();
}

void
g_io_moat_unload (G_GNUC_UNUSED GIOModule *module)
{
  /* Never called: load has taken a use of the module that nobody gives back. */
}

/* For gio-querymodules: what we implement, so that GIO loads us only when it is wanted. */
char **
g_io_moat_query (void)
{
  const char *points[] = { G_TLS_BACKEND_EXTENSION_POINT_NAME, NULL };

  return g_strdupv ((char **) (guintptr) points);
}
