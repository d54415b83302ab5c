/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server that has no client yet: it keeps nothing of anybody until an address is proved (RFC
 * 6347 §4.2.1). */

#pragma once

#include "gio/pump.h"

/* Answers the batch while the pump is LISTENING. Returns how many datagrams at its start were
 * dealt with; the rest is for the connection. */
guint moat_first_hello_answer (MoatPump *pump, MoatScratch *scratch);
