/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A client's session, kept in a file from one run to the next. */

#pragma once

#include <moat/moat.h>

/* Offers the session in `file`, if that is there and nobody else can have put it there. One that the library
 * cannot use is passed over. */
void session_file_offer (const char *file, MoatConnection *connection);
/* Writes the connection's newest session, if it has one. The file is for its owner alone. */
void session_file_store (const char *file, MoatConnection *connection);
