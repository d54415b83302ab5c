/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Telling the world what the pump has found out, and asking what it must know, each in the right
 * thread. */

#pragma once

#include "gio/handshake.h"

/* Gives the news to whom it concerns: here, if signals belong here, or by an errand. */
void moat_news_attend (MoatConnection *connection, MoatCaller caller, GCancellable *cancellable);
/* Whether news that has a place has been left, by a call that was cancelled, for whoever dispatches in this
 * thread. */
bool moat_news_waits_here (MoatConnection *connection);
/* Ends the asynchronous calls that waited for the base to take everything, if it has. */
void moat_news_finish_shutdowns (MoatConnection *connection);
/* Has someone attend to it where signals belong. Under the pump's control lock. */
void moat_news_send_errand (MoatConnection *connection);
