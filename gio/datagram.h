/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* GDatagramBased, as a connection implements it. */

#pragma once

#include <gio/gio.h>

void moat_datagram_init_interface (gpointer interface, gpointer data);
