/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Each identity, in the client's order, may be a ticket of ours; if not, whoever knows external keys is
 * asked. And the binder of the one taken. */

#include "handshake/psk_choice.h"

#include "handshake/shared13.h"
#include "handshake/tickets13.h"

enum
{
  MAX_PSKS_SEEN = 8, /* each may cost a question to someone outside */
};

/* The suite that goes with a key of this hash; after a HelloRetryRequest only its own can be. */
static const struct suite *
suite_for (const struct handshake *h, enum hash hash)
{
  if (h->has_retried)
    return h->suite->hash == hash ? h->suite : NULL;

  return choose_suite_13_of (&h->ours, &h->theirs, hash);
}

static void
forget_key (struct handshake *h)
{
  wipe (&h->psk, sizeof h->psk);
}

/* `handshake->psk` is then it, if it is a ticket that fits; otherwise the answer will be. */
static enum dtls_error
look_up (struct handshake *h, struct bytes identity, struct effects *effects)
{
  bool is_ticket = false;

  forget_key (h);
  bytes_release (&h->peer->psk_identity);
  if (h->config->n_ticket_keys > 0)
    TRY (tickets13_open (h, identity, effects, &is_ticket));
  if (is_ticket || !h->config->asks_for_psk || identity.left > DTLS_MAX_PSK_IDENTITY_LEN)
    return DTLS_OK;

  if (!bytes_keep (&h->peer->psk_identity, identity))
    return DTLS_ERROR_NO_MEMORY;
  handshake_ask (h, effects, DTLS_WAIT_PSK);
  return DTLS_OK;
}

/* RFC 9846 §4.3.11.2: over all up to the binders, which end the hello and with it the transcript. */
static enum dtls_error
check_binder (struct handshake *h, const struct hello13 *hello, struct bytes binder)
{
  struct bytes covered = transcript_bytes (&h->transcript);
  uint8_t hash[MAX_HASH_LEN], expected[MAX_HASH_LEN];
  struct binder_input input = { h->psk.kind == PSK_EXTERNAL, hash };
  bool is_good;

  covered.left -= hello->psks.binders_len;
  if (!hash_once (h->crypto, h->psk.hash, covered, hash)
      || !schedule13_binder (h->crypto, &h->schedule, &input, expected))
    return DTLS_ERROR_CRYPTO;

  is_good = binder.left == hash_len (h->psk.hash)
            && equal_constant_time (binder.at, expected, binder.left);
  wipe (expected, sizeof expected);
  return is_good ? DTLS_OK : DTLS_ERROR_BAD_FINISHED;
}

/* RFC 9846 §4.3.11: "servers ... SHOULD select a single PSK and validate solely the binder that
 * corresponds to that PSK"; one that does not verify ends the handshake. */
static enum dtls_error
take (struct handshake *h, const struct hello13 *hello, struct bytes binder)
{
  h->suite = suite_for (h, h->psk.hash);
  TRY (shared13_begin (h));
  TRY (check_binder (h, hello, binder));
  if (h->psk.kind == PSK_RESUMPTION)
    return tickets13_resume (h);

  h->known->has_psk = true;
  h->owed &= ~(unsigned) (OWES_CERTIFICATE | OWES_CERTIFICATE_VERIFY | OWES_VERDICT);
  return DTLS_OK;
}

static bool
is_usable (const struct handshake *h)
{
  return h->psk.kind != PSK_NONE && suite_for (h, h->psk.hash) != NULL;
}

enum dtls_error
psk_choice_go_on (struct handshake *handshake, const struct hello13 *hello, struct effects *effects)
{
  struct offered_psks rest = hello->psks;
  struct offered_psk psk;

  if (!hello->takes_psk_dhe_ke)
    return DTLS_OK;

  for (unsigned i = 0; i < MAX_PSKS_SEEN && offered_psks_next (&rest, &psk); i++)
    {
      if (i >= handshake->n_psks_seen)
        {
          TRY (look_up (handshake, psk.identity, effects));
          /* Before the credential is known it cannot be judged: it is looked up again. */
          if (handshake->wait == DTLS_WAIT_CREDENTIAL)
            return DTLS_OK;

          handshake->n_psks_seen = i + 1;
          if (handshake->wait == DTLS_WAIT_PSK)
            return DTLS_OK;
        }

      /* The newest one, looked up or answered; those before it were refused. */
      if (i + 1 == handshake->n_psks_seen && is_usable (handshake))
        return take (handshake, hello, psk.binder);
    }

  forget_key (handshake);
  bytes_release (&handshake->peer->psk_identity);
  return DTLS_OK;
}
