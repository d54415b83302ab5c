/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Hint, identity and premaster secret. */

#include "handshake/psk12.h"

#include "wire/key_exchange.h"

#include <assert.h>
#include <string.h>

static bool
has_key_exchange (const struct handshake *h)
{
  return h->suite->authentication == SUITE_ECDHE_PSK;
}

void
psk12_begin (struct handshake *handshake)
{
  handshake->known->has_psk = true;
  handshake->owed &= ~(unsigned) (OWES_KEY_EXCHANGE_SIGNATURE | OWES_VERDICT | OWES_CERTIFICATE
                                  | OWES_CERTIFICATE_VERIFY);
}

bool
psk12_mark (struct dtls_crypto *crypto, struct bytes key, uint8_t out[32])
{
  static const uint8_t label[] = "moat session of a pre-shared key";
  const struct bytes part = { label, sizeof label - 1 };
  struct hmac_input input = { key, &part, 1 };

  return hmac_once (crypto, HASH_SHA256, &input, out);
}

/* -------------------------------------------------------------------------- ServerKeyExchange */

enum dtls_error
psk12_send_parameters (struct handshake *handshake, struct effects *effects)
{
  struct bytes hint = handshake->config->psk_identity_hint;
  struct server_psk_exchange exchange = { .hint = hint };

  if (!has_key_exchange (handshake))
    {
      /* RFC 4279 §2: "If no hint is provided, the ServerKeyExchange message is omitted." */
      if (hint.left == 0)
        return DTLS_OK;
      psk_hint_write (effects_draft (effects, 2 + hint.left), hint);
      return handshake_send (handshake, effects, SERVER_KEY_EXCHANGE);
    }

  exchange.group = handshake->known->group;
  exchange.point = key_share_public (handshake->share);
  server_psk_exchange_write (effects_draft (effects, 2 + hint.left + 4 + MAX_ECDH_PUBLIC_LEN),
                             &exchange);
  return handshake_send (handshake, effects, SERVER_KEY_EXCHANGE);
}

enum dtls_error
psk12_on_parameters (struct handshake *handshake, const struct message *message,
                     struct effects *effects)
{
  struct server_psk_exchange exchange;

  (void) effects;
  if (!server_psk_exchange_read (message->body, &exchange))
    return DTLS_ERROR_DECODE;
  if (!offer_has_group (&handshake->ours, exchange.group)
      || !group_is_of (exchange.group, VERSION_DTLS_1_2))
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  handshake->known->group = exchange.group;
  handshake_keep_point (handshake, exchange.point);
  handshake->state = WAIT_DONE;
  return DTLS_OK;
}

enum dtls_error
psk12_on_hint (struct handshake *handshake, const struct message *message, struct effects *effects)
{
  struct bytes hint;

  (void) effects;
  /* RFC 4279 §5.2: "clients MUST ignore the identity hint field". */
  if (!psk_hint_read (message->body, &hint))
    return DTLS_ERROR_DECODE;

  handshake->state = WAIT_DONE;
  return DTLS_OK;
}

/* ------------------------------------------------------------------------------ premaster secret */

/* What comes before the key in the premaster secret: RFC 5489 §2, the secret of the key exchange;
 * RFC 4279 §2, without one as many zeros as the key is long. At most DTLS_MAX_PSK_LEN bytes. */
static enum dtls_error
other_secret (struct handshake *h, size_t key_len, uint8_t out[DTLS_MAX_PSK_LEN], size_t *out_len)
{
  struct bytes peer_point = { h->peer_point, h->peer_point_len };

  static_assert ((int) MAX_SHARED_LEN <= (int) DTLS_MAX_PSK_LEN, "either fits");

  if (has_key_exchange (h))
    return key_share_agree (h->share, peer_point, out, out_len);

  memset (out, 0, key_len);
  *out_len = key_len;
  return DTLS_OK;
}

static enum dtls_error
derive_from (struct handshake *h, struct bytes key)
{
  uint8_t other[DTLS_MAX_PSK_LEN], premaster[2 + DTLS_MAX_PSK_LEN + 2 + DTLS_MAX_PSK_LEN];
  struct writer w = writer_over (premaster, sizeof premaster);
  size_t other_len = 0;
  enum dtls_error error;

  if (key.left > DTLS_MAX_PSK_LEN)
    return DTLS_ERROR_CONFIG;

  error = other_secret (h, key.left, other, &other_len);
  if (error == DTLS_OK)
    {
      write_vec (&w, (struct bytes){ other, other_len }, 2);
      write_vec (&w, key, 2);
      error = handshake_derive_from (h, writer_bytes (&w));
    }
  if (error == DTLS_OK && !psk12_mark (h->crypto, key, h->psk_mark))
    error = DTLS_ERROR_CRYPTO;

  /* The ephemeral key has done its work: forward secrecy begins here. */
  key_share_free (h->share);
  h->share = NULL;
  wipe (other, sizeof other);
  wipe (premaster, sizeof premaster);
  return error;
}

/* -------------------------------------------------------------------------- ClientKeyExchange */

static void
write_identity (const struct handshake *h, struct effects *effects)
{
  struct bytes identity = h->config->psk->identity;
  struct writer *w = effects_draft (effects, 2 + identity.left + 1 + MAX_ECDH_PUBLIC_LEN);
  struct client_psk_exchange exchange = { .identity = identity };

  if (!has_key_exchange (h))
    {
      psk_identity_write (w, identity);
      return;
    }

  exchange.point = key_share_public (h->share);
  client_psk_exchange_write (w, &exchange);
}

enum dtls_error
psk12_send_identity (struct handshake *handshake, struct effects *effects)
{
  const struct dtls_psk *psk = handshake->config->psk;

  if (has_key_exchange (handshake))
    {
      handshake->share = key_share_new (handshake->crypto, handshake->known->group);
      if (handshake->share == NULL)
        return DTLS_ERROR_CRYPTO;
    }
  if (!bytes_keep (&handshake->peer->psk_identity, psk->identity))
    return DTLS_ERROR_NO_MEMORY;

  write_identity (handshake, effects);
  TRY (handshake_send (handshake, effects, CLIENT_KEY_EXCHANGE));
  return derive_from (handshake, psk->key);
}

static bool
read_identity (const struct handshake *h, struct bytes message, struct client_psk_exchange *out)
{
  *out = (struct client_psk_exchange){ .identity = { NULL, 0 } };

  return has_key_exchange (h) ? client_psk_exchange_read (message, out)
                              : psk_identity_read (message, &out->identity);
}

enum dtls_error
psk12_on_identity (struct handshake *handshake, const struct message *message,
                   struct effects *effects)
{
  struct client_psk_exchange exchange;

  (void) effects;
  if (!read_identity (handshake, message->body, &exchange))
    return DTLS_ERROR_DECODE;
  if (exchange.identity.left > DTLS_MAX_PSK_IDENTITY_LEN)
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  /* RFC 4279 allows an empty one, but no key of ours has it: struct dtls_psk. */
  if (exchange.identity.left == 0)
    return DTLS_ERROR_UNKNOWN_PSK;
  if (!bytes_keep (&handshake->peer->psk_identity, exchange.identity))
    return DTLS_ERROR_NO_MEMORY;

  if (exchange.point.left > 0)
    handshake_keep_point (handshake, exchange.point);
  handshake->state = ANSWERING_PSK_IDENTITY;
  return DTLS_OK;
}

enum dtls_error
psk12_ask (struct handshake *handshake, const struct message *message, struct effects *effects)
{
  (void) message;
  handshake_ask (handshake, effects, DTLS_WAIT_PSK);
  handshake->state = ANSWERING_PSK;
  return DTLS_OK;
}

/* Its own step, since the extended master secret covers the ClientKeyExchange and nothing after it.
 */
enum dtls_error
psk12_derive (struct handshake *handshake, const struct message *message, struct effects *effects)
{
  struct handshake_psk *psk = &handshake->psk;
  enum dtls_error error;

  (void) message;
  (void) effects;
  /* RFC 4279 §2 allows us to hide it and go on with a key of nobody's. In DTLS that is no decrypt_error,
   * but a record dropped without a word: the honest client with a wrong name would wait for its
   * deadline. */
  if (psk->kind != PSK_EXTERNAL)
    return DTLS_ERROR_UNKNOWN_PSK;

  error = derive_from (handshake, (struct bytes){ psk->key, psk->key_len });
  wipe (psk, sizeof *psk);
  if (error != DTLS_OK)
    return error;

  handshake->state = WAIT_CHANGE_CIPHER_SPEC;
  return DTLS_OK;
}
