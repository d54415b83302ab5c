/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The verdict on the peer: who is asked, and what becomes of the answer. */

#pragma once

#include "gio/handshake.h"

/* Asks here, or starts to ask; the engine gets the answer. Nothing is locked. */
void moat_verdict_ask (MoatConnection *connection, MoatCaller caller, GCancellable *cancellable);
/* Whether the calling thread is in a handler or a database that the verdict waits for. */
bool moat_verdict_is_inside (MoatConnection *connection);
