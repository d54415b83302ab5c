/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The client of DTLS 1.2 as a table of legal moves. */

#pragma once

#include "handshake/machine.h"

extern const struct table client12_table;
/* The first row of it, for whoever finds out the version: to WAIT_SERVER_CERTIFICATE,
 * WAIT_PSK_PARAMETERS, WAIT_PSK_HINT_OR_DONE, or, where the server resumes, WAIT_SESSION_TICKET or
 * WAIT_CHANGE_CIPHER_SPEC. */
enum dtls_error client12_on_server_hello (struct handshake *handshake,
                                          const struct message *message,
                                          struct effects *effects) DTLS_MUST_CHECK;
