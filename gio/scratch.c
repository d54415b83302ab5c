/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One scratch waits in each thread; a nested taker gets a fresh one, freed when it comes back
 * second. */

#include "gio/scratch.h"

static GPrivate kept = G_PRIVATE_INIT (g_free);

MoatScratch *
moat_scratch_take (void)
{
  MoatScratch *scratch = g_private_get (&kept);

  if (scratch != NULL)
    g_private_set (&kept, NULL);
  else
    scratch = g_new (MoatScratch, 1);

  scratch->n_in = 0;
  scratch->n_out = 0;
  scratch->out_used = 0;

  return scratch;
}

void
moat_scratch_give (MoatScratch *scratch)
{
  if (g_private_get (&kept) == NULL)
    g_private_set (&kept, scratch);
  else
    g_free (scratch);
}
