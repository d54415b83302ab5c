/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Lines of RFC 9850 for whoever was configured to get them. */

#pragma once

#include "dtls.h"

/* "LABEL random secret"; nothing if no one listens. */
void keylog_secret (const struct dtls_config *config, const char *label,
                    const uint8_t *client_random, struct bytes secret);
