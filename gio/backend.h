/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* GTlsBackendMoat: DTLS is ours, and everything else is another backend's. */

#pragma once

#include "moat/moat-backend.h"

#define MOAT_TYPE_BACKEND (moat_backend_get_type ())
MOAT_AVAILABLE
GType moat_backend_get_type (void);
