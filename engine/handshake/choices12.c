/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Resumption first; then a pre-shared key or a certificate, as our order of suites has it. */

#include "handshake/choices12.h"

#include "handshake/authenticate.h"
#include "handshake/psk12.h"
#include "handshake/resume12.h"

#include <string.h>

/* Whether we like this suite of pre-shared keys better than any that goes with a certificate. */
static bool
comes_before_certificates (const struct handshake *h, const struct suite *psk)
{
  for (size_t i = 0; i < h->ours.n_suites; i++)
    {
      const struct suite *suite = suite_find (h->ours.suites[i]);

      if (suite == psk)
        return true;
      if (suite->version == VERSION_DTLS_1_2 && !suite_is_psk (suite)
          && offer_has_suite (&h->theirs, suite->code))
        return false;
    }

  return false;
}

/* Whoever has the certificates need not be asked for one that nobody looks at. */
static bool
needs_credential (const struct handshake *h, const struct suite *psk)
{
  if (h->config->requires_psk)
    return false;

  if (h->has_session)
    return !resume12_is_of_key (h);

  return psk == NULL || !comes_before_certificates (h, psk);
}

/* With our certificate; the error says why there is none. */
static enum dtls_error
choose_certificate_suite (const struct handshake *h, const struct suite **out)
{
  const struct suite *suite = choose_suite_12 (&h->ours, &h->theirs, h->own_kind);

  if (h->config->requires_psk)
    return DTLS_ERROR_PSK_REQUIRED;
  if (choose_group (&h->ours, &h->theirs, VERSION_DTLS_1_2) == 0)
    return DTLS_ERROR_NO_SHARED_GROUP;
  if (h->credential == NULL)
    return DTLS_ERROR_NO_CREDENTIAL;
  if (suite == NULL || !offer_takes_key_kind (&h->theirs, h->own_kind))
    return DTLS_ERROR_NO_SHARED_SUITE;
  if (handshake_choose_scheme (h) == 0)
    return DTLS_ERROR_NO_SHARED_SIGNATURE;

  *out = suite;
  return DTLS_OK;
}

static enum dtls_error
begin_full (struct handshake *h, const struct suite *psk)
{
  const struct suite *suite = NULL;
  enum dtls_error error = choose_certificate_suite (h, &suite);

  if (psk != NULL && (error != DTLS_OK || comes_before_certificates (h, psk)))
    suite = psk;
  else if (error != DTLS_OK)
    return error;

  h->suite = suite;
  resume12_forget (h);
  TRY (resume12_choose_id (h));
  if (suite->authentication != SUITE_PSK)
    {
      h->known->group = choose_group (&h->ours, &h->theirs, VERSION_DTLS_1_2);
      h->share = key_share_new (h->crypto, h->known->group);
      if (h->share == NULL)
        return DTLS_ERROR_CRYPTO;
    }

  if (suite == psk)
    {
      psk12_begin (h);
      return DTLS_OK;
    }

  h->signing.scheme = handshake_choose_scheme (h);
  return authenticate_end_point (h, h->credential->chain[0]);
}

/* RFC 9846 §4.2.3: the mark of a server that could have spoken 1.3. */
static bool
make_random (struct handshake *h)
{
  static const uint8_t mark[] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 1 };
  uint8_t *random = h->known->randoms + RANDOM_LEN;

  if (!handshake_random (h, random, RANDOM_LEN))
    return false;
  if (offer_has_version (&h->ours, VERSION_DTLS_1_3))
    memcpy (random + RANDOM_LEN - sizeof mark, mark, sizeof mark);
  return true;
}

enum dtls_error
choices12_make (struct handshake *handshake, struct effects *effects)
{
  const struct suite *psk = handshake->config->asks_for_psk
                                ? choose_psk_suite_12 (&handshake->ours, &handshake->theirs)
                                : NULL;

  if (resume12_is_of_key (handshake))
    {
      TRY (resume12_judge_key (handshake, effects));
      if (handshake->wait != DTLS_WAIT_NONE)
        return DTLS_OK;
    }
  if (needs_credential (handshake, psk))
    {
      TRY (handshake_need_credential (handshake, effects));
      if (handshake->wait != DTLS_WAIT_NONE)
        return DTLS_OK;
    }

  if (!make_random (handshake))
    return DTLS_ERROR_CRYPTO;
  if (!handshake->has_session || !resume12_fits (handshake))
    return begin_full (handshake, psk);

  handshake->suite = suite_find (handshake->session.suite);
  return resume12_begin (handshake);
}
