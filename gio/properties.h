/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The properties that every connection has. */

#pragma once

#include "moat/moat-connection.h"

void moat_properties_install (GObjectClass *class);
/* Their defaults, in a new object. */
void moat_properties_init (MoatConnection *connection);
