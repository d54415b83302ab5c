/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The algorithms that every test of a program borrows, and the main function that makes and frees
 * them. */

#pragma once

#include "dtls.h"
#include "tap.h"

#include <stdlib.h>

static struct dtls_crypto *crypto;

static inline int
lent_run (const struct tap_test *tests, size_t n_tests)
{
  int status;

  crypto = dtls_crypto_new ();
  if (crypto == NULL)
    return EXIT_FAILURE;
  status = tap_run (tests, n_tests);
  dtls_crypto_free (crypto);

  return status;
}

#define LENT_MAIN(tests)                                                                           \
  int main (void)                                                                                  \
  {                                                                                                \
    return lent_run (tests, TAP_N (tests));                                                        \
  }
