/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* libcrypto's algorithms, fetched once (an implicit fetch per use costs more than a small record), and
 * which of our code points this libcrypto can do. The private half is in crypto/fetched.h, for this folder. */

#pragma once

#include "types.h"

struct
    dtls_crypto; /* dtls.h: dtls_crypto_new, dtls_crypto_free, dtls_crypto_random are implemented here */

/* Whether this libcrypto, found out when it was fetched, can do it. False for what we do not speak. */
bool crypto_has_group (const struct dtls_crypto *crypto, uint16_t group);
bool crypto_has_suite (const struct dtls_crypto *crypto, uint16_t suite);
