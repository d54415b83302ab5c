/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The server of DTLS 1.2 as a table of legal moves. */

#pragma once

#include "handshake/machine.h"

extern const struct table server12_table;
/* The first row of it, for whoever finds out the version: to ANSWERING_HELLO. */
enum dtls_error server12_on_client_hello (struct handshake *handshake,
                                          const struct message *message,
                                          struct effects *effects) DTLS_MUST_CHECK;
