/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What moves a puppet, in puppet.c, to what it says and hears; for the two of them alone. */

#pragma once

#include "puppet.h"

/* The pieces, each as a datagram. */
void records_put_flight (struct puppet *puppet);
/* Of the handshake records that came. */
void records_send_ack (struct puppet *puppet);
/* Keys, from what the machine has derived by now. */
void records_install_write (struct puppet *puppet, uint16_t epoch);
void records_install_read (struct puppet *puppet, uint16_t epoch);
bool records_open (struct puppet *puppet, const struct record *record, struct opened *out);
