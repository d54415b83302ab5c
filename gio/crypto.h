/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What the whole process shares: libcrypto's algorithms and the keys of our cookies. */

#pragma once

#include "dtls.h"

/* (nullable): if libcrypto cannot serve us. Lives as long as the process. */
struct dtls_crypto *moat_crypto_get (void);

/* The keys as they are at `now`. False if there is no randomness to be had. */
bool moat_crypto_get_cookie_keys (dtls_time now, struct dtls_cookie_keys *out_keys) DTLS_MUST_CHECK;
