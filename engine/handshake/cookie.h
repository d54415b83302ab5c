/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Cookies, which prove an address and keep nothing: of a HelloVerifyRequest (RFC 6347 §4.2.1), and of a
 * HelloRetryRequest (RFC 9846 §4.3.2), which is also all that a server has to know of the first hello
 * when the second one comes. Each is a MAC over the client's address, the fields of its hello that may
 * not change, and the time. */

#pragma once

#include "dtls.h"
#include "handshake/association.h"
#include "handshake/hello13.h"
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

/* What a HelloRetryRequest's tells. */
struct cookie13
{
  const struct suite *suite;
  uint16_t group;                /* whose share was asked for; 0: none was */
  uint8_t first[MAX_SECRET_LEN]; /* the first hello's hash, by the suite's */
};

enum
{
  /* Short, so that it fits a HelloRetryRequest that is not longer than any hello worth an answer. */
  COOKIE13_MAC_LEN = 16,
  MAX_COOKIE13_LEN = 1 + 2 + 2 + MAX_SECRET_LEN + COOKIE13_MAC_LEN,
};

struct cookie13_subject
{
  dtls_time now;
  struct bytes address;
  const struct hello13 *hello; /* the first, or the one that carries the cookie */
};

/* Appends it to `out`, which has room for MAX_COOKIE13_LEN. */
bool cookie13_make (const struct dtls_cookie_keys *keys, const struct cookie13_subject *subject,
                    const struct cookie13 *cookie, struct writer *out) DTLS_MUST_CHECK;
/* Whether the hello's is one of ours for this address and itself that is not too old. */
bool cookie13_check (const struct dtls_cookie_keys *keys,
                     const struct cookie13_subject *subject) DTLS_MUST_CHECK;
/* What one says that was checked before. False for what cannot be one of ours. */
bool cookie13_read (struct bytes bytes, struct cookie13 *out) DTLS_MUST_CHECK;
