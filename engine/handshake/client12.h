/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The client of DTLS 1.2 as a table of legal moves. */

#pragma once

#include "handshake/machine.h"

extern const struct table client12_table;
