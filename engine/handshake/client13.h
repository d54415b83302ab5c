/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The client of DTLS 1.3 as a table of legal moves. */

#pragma once

#include "handshake/machine.h"

extern const struct table client13_table;
/* The first row of it, for whoever finds out the version. */
enum dtls_error client13_on_server_hello (struct handshake *handshake,
                                          const struct message *message,
                                          struct effects *effects) DTLS_MUST_CHECK;
