/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* GSources on a connection: the one that create_source gives to applications, and the internal
 * driver. */

#pragma once

#include "moat/moat-connection.h"

/* Holds a reference on the connection; calls a GDatagramBasedSourceFunc when `condition` is met. */
GSource *moat_source_new (MoatConnection *connection, GIOCondition condition,
                          GCancellable *cancellable);
/* Holds none, calls nobody, and ends when the connection needs no driving. */
GSource *moat_source_new_driver (MoatConnection *connection);
