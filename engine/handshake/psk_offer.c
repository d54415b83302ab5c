/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The list of a client's pre-shared keys, and its binders. */

#include "handshake/psk_offer.h"

#include "wire/pre_shared_key.h"

bool
psk_offers_allow (const struct dtls_psk *psk)
{
  return psk == NULL
         || (psk->role == DTLS_CLIENT /* RFC 9257 §4.1 */
             && psk->identity.left > 0 && psk->identity.left <= DTLS_MAX_PSK_IDENTITY_LEN
             && psk->key.left > 0 && psk->key.left <= DTLS_MAX_PSK_LEN);
}

/* RFC 9846 §4.3.11.1: milliseconds since the ticket came, and what hides them, modulo 2^32. */
static uint32_t
obfuscate_age (const struct session *session, uint64_t wall_clock)
{
  return (uint32_t) ((wall_clock - session->received) / DTLS_MILLISECOND) + session->age_add;
}

static struct psk_offer
offer_of_session (const struct handshake *h)
{
  const struct session *session = &h->session;

  return (struct psk_offer){
    .kind = PSK_RESUMPTION,
    .hash = suite_find (session->suite)->hash,
    .identity = session->ticket,
    .key = { session->secret, session->secret_len },
    .obfuscated_age = obfuscate_age (session, h->wall_clock),
  };
}

static struct psk_offer
offer_of_external (const struct dtls_psk *psk)
{
  return (struct psk_offer){
    .kind = PSK_EXTERNAL,
    .hash = psk->hash == DTLS_PSK_SHA384 ? HASH_SHA384 : HASH_SHA256,
    .identity = psk->identity,
    .key = psk->key,
  };
}

/* RFC 9846 §4.2.2: offering one, the client has a suite of its hash; §4.2.4: after a
 * HelloRetryRequest its suite is the only one. */
static bool
is_of_use (const struct handshake *h, const struct psk_offer *offer)
{
  if (h->has_retried)
    return h->suite->hash == offer->hash;

  return choose_suite_13_of (&h->ours, &h->ours, offer->hash) != NULL;
}

size_t
psk_offers (const struct handshake *handshake, struct psk_offer out[MAX_PSK_OFFERS])
{
  size_t n = 0;

  if (!offer_has_version (&handshake->ours, VERSION_DTLS_1_3))
    return 0;

  if (handshake->has_session && handshake->session.version == VERSION_DTLS_1_3)
    {
      out[n] = offer_of_session (handshake);
      n += is_of_use (handshake, &out[n]);
    }
  if (handshake->config->psk != NULL)
    {
      out[n] = offer_of_external (handshake->config->psk);
      n += is_of_use (handshake, &out[n]);
    }

  return n;
}

size_t
psk_offers_len (const struct handshake *handshake)
{
  struct psk_offer offers[MAX_PSK_OFFERS];
  size_t n = psk_offers (handshake, offers);
  size_t len = 2 + 2; /* both lists' lengths */

  for (size_t i = 0; i < n; i++)
    len += 2 + offers[i].identity.left + 4 + 1 + MAX_SECRET_LEN;

  return len;
}

size_t
psk_offers_write (const struct handshake *handshake, struct writer *writer)
{
  struct psk_offer offers[MAX_PSK_OFFERS];
  struct offered_psk psks[MAX_PSK_OFFERS];
  size_t n = psk_offers (handshake, offers);

  for (size_t i = 0; i < n; i++)
    psks[i] = (struct offered_psk){
      .identity = offers[i].identity,
      .obfuscated_age = offers[i].obfuscated_age,
      .binder = { NULL, hash_len (offers[i].hash) },
    };

  return offered_psks_write (writer, psks, n);
}

static enum dtls_error
make_binder (const struct handshake *h, const struct psk_offer *offer,
             const struct partial_message *hello, uint8_t out[MAX_HASH_LEN])
{
  uint8_t hash[MAX_HASH_LEN];
  struct binder_input input = { offer->kind == PSK_EXTERNAL, hash };
  struct schedule13 schedule;
  bool is_made = transcript_hash_with (&h->transcript, h->crypto, offer->hash, hello, hash)
                 && schedule13_begin (h->crypto, offer->hash, offer->key, &schedule)
                 && schedule13_binder (h->crypto, &schedule, &input, out);

  wipe (&schedule, sizeof schedule);
  return is_made ? DTLS_OK : DTLS_ERROR_CRYPTO;
}

enum dtls_error
psk_offers_bind (const struct handshake *handshake, struct writer *writer, size_t binders)
{
  struct psk_offer offers[MAX_PSK_OFFERS];
  size_t n = psk_offers (handshake, offers);
  /* RFC 9846 §4.3.11.2: up to the binders, with the lengths that count them. */
  struct partial_message hello = { CLIENT_HELLO, writer->used, { writer->at, binders } };
  uint8_t binder[MAX_HASH_LEN];

  for (size_t i = 0; i < n; i++)
    {
      TRY (make_binder (handshake, &offers[i], &hello, binder));
      offered_psks_patch (writer, binders, i, (struct bytes){ binder, hash_len (offers[i].hash) });
    }

  return DTLS_OK;
}
