/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Registering Moat as a TLS backend without the GIO module, for programs that link Moat
 * themselves. */

#pragma once

#include <moat/moat-macros.h>

G_BEGIN_DECLS

/**
 * moat_backend_register:
 *
 * Adds Moat to GIO's TLS backends, as its module does, under the name `moat`. Has an effect only
 * before the first use of g_tls_backend_get_default(). Calling it again does nothing.
 */
MOAT_AVAILABLE
void moat_backend_register (void);

G_END_DECLS
