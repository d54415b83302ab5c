/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The file that receives the secrets of our connections, for tools such as Wireshark (RFC 9850). */

#pragma once

#include <moat/moat.h>
#include <stdbool.h>

/* Has the connections of `context` add their secrets to `file` or, if that is NULL, to the file that
 * SSLKEYLOGFILE names, if any. A file that is not there is made readable for its owner alone. A process
 * that runs with more rights than its user's own writes none. False if the file cannot be opened. */
bool keylog_open (MoatContext *context, const char *file, GError **error);
