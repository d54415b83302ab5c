/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Extensions that mean the same in both hellos, whoever reads them. */

#pragma once

#include "handshake/machine.h"
#include "wire/extensions.h"

/* renegotiation_info, extended_master_secret, ec_point_formats, record_size_limit and use_srtp, and
 * whether session_ticket is there. */
enum dtls_error mutual_take (struct handshake *handshake,
                             const struct extensions *found) DTLS_MUST_CHECK;
