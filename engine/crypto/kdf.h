/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The pseudo-random function of (D)TLS 1.2, RFC 5246 §5. */

#pragma once

#include "crypto/digest.h"

struct prf_input
{
  struct bytes secret;
  struct bytes label;    /* ASCII, without a terminator */
  struct bytes seeds[3]; /* one after the other; empty ones add nothing */
};

/* False if libcrypto fails; `out` is then wiped. */
bool prf (struct dtls_crypto *crypto, enum hash hash, const struct prf_input *input, uint8_t *out,
          size_t out_len) DTLS_MUST_CHECK;
