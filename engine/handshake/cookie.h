/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The cookie of a HelloVerifyRequest, RFC 6347 §4.2.1: a MAC over the client's address, the fields
 * of its hello that may not change, and the time. It proves an address and keeps nothing. */

#pragma once

#include "dtls.h"
#include "wire/hello.h"

enum
{
  /* DTLS 1.0 allowed no more (RFC 4347 §4.2.1), and clients of GnuTLS 3.7 and wolfSSL 5.5 still refuse
   * longer ones. */
  COOKIE_LEN = 32,
};

/* How long a cookie is good, at least; at most twice as long. */
#define COOKIE_LIFETIME (30 * DTLS_SECOND)

bool cookie_make (const struct dtls_cookie_keys *keys, dtls_time now, struct bytes address,
                  const struct client_hello *hello, uint8_t out[COOKIE_LEN]) DTLS_MUST_CHECK;
/* Whether `hello` carries a cookie of ours for this address and itself that is not too old. */
bool cookie_check (const struct dtls_cookie_keys *keys, dtls_time now, struct bytes address,
                   const struct client_hello *hello) DTLS_MUST_CHECK;
