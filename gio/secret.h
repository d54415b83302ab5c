/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Bytes that are wiped when the last reference goes. */

#pragma once

#include "dtls.h"

#include <glib.h>

/* (transfer full): a copy. */
GBytes *moat_secret_new (struct bytes bytes);

/* A view, good as long as `bytes` is; empty for NULL. */
static inline struct bytes
moat_bytes_view (GBytes *bytes)
{
  struct bytes view = { NULL, 0 };

  if (bytes != NULL)
    view.at = g_bytes_get_data (bytes, &view.left);

  return view;
}
