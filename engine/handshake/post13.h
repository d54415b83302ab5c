/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What follows a handshake of 1.3: NewSessionTicket to clients, KeyUpdate both ways. */

#pragma once

#include "handshake/machine.h"

extern const struct table post13_client_table;
extern const struct table post13_server_table;

/* A flight that is one KeyUpdate. DTLS_ERROR_KEY_UPDATE_LIMIT if no epoch is left. */
enum dtls_error post13_send_key_update (struct handshake *handshake,
                                        enum key_update_request request,
                                        struct effects *effects) DTLS_MUST_CHECK;
/* It was acknowledged: our sending keys change. */
enum dtls_error post13_on_key_update_acknowledged (struct handshake *handshake,
                                                   struct effects *effects) DTLS_MUST_CHECK;
