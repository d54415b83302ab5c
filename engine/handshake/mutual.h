/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Extensions that mean the same in both hellos, whoever reads them. */

#pragma once

#include "handshake/machine.h"
#include "wire/extensions.h"

/* renegotiation_info, extended_master_secret, ec_point_formats and record_size_limit. */
enum dtls_error mutual_take (struct handshake *handshake,
                             const struct extensions *found) DTLS_MUST_CHECK;
