/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* libcrypto's algorithms, fetched once (an implicit fetch per use costs more than a small record), and
 * which of our code points this libcrypto can do. The private half is in crypto/fetched.h, for this folder. */

#pragma once

#include "crypto/aead.h"

/* dtls.h; dtls_crypto_new, dtls_crypto_free and dtls_crypto_random are implemented here. */
struct dtls_crypto;

/* Whether this libcrypto, found out when it was fetched, can do it. False for a group that we do not speak.
 * An AEAD comes with its cipher alone, which hides record numbers in 1.3. */
bool crypto_has_group (const struct dtls_crypto *crypto, uint16_t group);
bool crypto_has_aead (const struct dtls_crypto *crypto, enum aead_algorithm algorithm);
