/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The derivations of DTLS 1.3, in the order in which RFC 9846 §7.1 draws them. */

#include "handshake/schedule13.h"

#include "crypto/kdf.h"

#include <string.h>

/* What HKDF-Expand-Label takes of a secret as long as the hash. `context_hash` is as long too, or NULL
 * for no context. */
static struct expand_input
expansion (enum hash hash, const uint8_t *secret, const char *label, const uint8_t *context_hash)
{
  return (struct expand_input){
    .secret = { secret, hash_len (hash) },
    .label = { (const uint8_t *) label, strlen (label) },
    .context = { context_hash, context_hash != NULL ? hash_len (hash) : 0 },
  };
}

/* RFC 9846 §7.1: Derive-Secret from the secret that the schedule has come to. */
static bool
derive (struct dtls_crypto *crypto, const struct schedule13 *schedule, const char *label,
        const uint8_t *transcript_hash, uint8_t *out)
{
  const struct expand_input input =
      expansion (schedule->hash, schedule->secret, label, transcript_hash);

  return hkdf_expand_label (crypto, schedule->hash, &input, out, hash_len (schedule->hash));
}

/* The hash of no messages. */
static bool
hash_nothing (struct dtls_crypto *crypto, enum hash hash, uint8_t *out)
{
  return hash_once (crypto, hash, (struct bytes){ NULL, 0 }, out);
}

/* One step down: from `input` and what is derived of the secret so far, the next one in its place. */
static bool
step (struct dtls_crypto *crypto, struct schedule13 *schedule, struct bytes input)
{
  uint8_t nothing[MAX_HASH_LEN], derived[MAX_HASH_LEN];
  bool is_ok;

  is_ok =
      hash_nothing (crypto, schedule->hash, nothing)
      && derive (crypto, schedule, "derived", nothing, derived)
      && hkdf_extract (crypto, schedule->hash, (struct bytes){ derived, hash_len (schedule->hash) },
                       input, schedule->secret);

  wipe (derived, sizeof derived);
  return is_ok;
}

bool
schedule13_begin (struct dtls_crypto *crypto, enum hash hash, struct bytes psk,
                  struct schedule13 *schedule)
{
  *schedule = (struct schedule13){ .hash = hash };
  return hkdf_extract (crypto, hash, (struct bytes){ NULL, 0 }, psk, schedule->secret);
}

bool
schedule13_finished (struct dtls_crypto *crypto, enum hash hash, const uint8_t *traffic_secret,
                     const uint8_t *transcript_hash, uint8_t *out)
{
  uint8_t key[MAX_HASH_LEN];
  const size_t len = hash_len (hash);
  const struct expand_input input = expansion (hash, traffic_secret, "finished", NULL);
  const struct bytes covered = { transcript_hash, len };
  const struct hmac_input hmac = { { key, len }, &covered, 1 };
  bool is_ok =
      hkdf_expand_label (crypto, hash, &input, key, len) && hmac_once (crypto, hash, &hmac, out);

  if (!is_ok)
    wipe (out, len);
  wipe (key, sizeof key);
  return is_ok;
}

bool
schedule13_binder (struct dtls_crypto *crypto, const struct schedule13 *schedule,
                   const struct binder_input *input, uint8_t *out)
{
  uint8_t nothing[MAX_HASH_LEN], key[MAX_HASH_LEN];
  bool is_ok;

  /* RFC 9846 §7.1: labels of their own keep one kind of key from passing for the other. */
  is_ok =
      hash_nothing (crypto, schedule->hash, nothing)
      && derive (crypto, schedule, input->is_external ? "ext binder" : "res binder", nothing, key)
      && schedule13_finished (crypto, schedule->hash, key, input->transcript_hash, out);

  if (!is_ok)
    wipe (out, hash_len (schedule->hash));
  wipe (key, sizeof key);
  return is_ok;
}

bool
schedule13_handshake (struct dtls_crypto *crypto, struct schedule13 *schedule, struct bytes shared,
                      const uint8_t *transcript_hash)
{
  bool is_ok =
      step (crypto, schedule, shared)
      && derive (crypto, schedule, "c hs traffic", transcript_hash, schedule->client_handshake)
      && derive (crypto, schedule, "s hs traffic", transcript_hash, schedule->server_handshake);

  if (!is_ok)
    wipe (schedule, sizeof *schedule);
  return is_ok;
}

bool
schedule13_master (struct dtls_crypto *crypto, struct schedule13 *schedule,
                   const uint8_t *transcript_hash, struct association *known)
{
  bool is_ok = step (crypto, schedule, (struct bytes){ NULL, 0 })
               && derive (crypto, schedule, "c ap traffic", transcript_hash, known->client_traffic)
               && derive (crypto, schedule, "s ap traffic", transcript_hash, known->server_traffic)
               && derive (crypto, schedule, "exp master", transcript_hash, known->exporter_secret);

  if (is_ok)
    return true;

  wipe (schedule, sizeof *schedule);
  wipe (known->client_traffic, sizeof known->client_traffic);
  wipe (known->server_traffic, sizeof known->server_traffic);
  wipe (known->exporter_secret, sizeof known->exporter_secret);
  return false;
}

bool
schedule13_resumption (struct dtls_crypto *crypto, const struct schedule13 *schedule,
                       const uint8_t *transcript_hash, struct association *known)
{
  return derive (crypto, schedule, "res master", transcript_hash, known->resumption_secret);
}

bool
schedule13_update (struct dtls_crypto *crypto, enum hash hash, uint8_t *traffic_secret)
{
  uint8_t next[MAX_HASH_LEN];
  const size_t len = hash_len (hash);
  const struct expand_input input = expansion (hash, traffic_secret, "traffic upd", NULL);
  bool is_ok = hkdf_expand_label (crypto, hash, &input, next, len);

  if (is_ok)
    memcpy (traffic_secret, next, len);
  else
    wipe (traffic_secret, len);
  wipe (next, sizeof next);
  return is_ok;
}

bool
schedule13_traffic_keys (struct dtls_crypto *crypto, const struct suite *suite,
                         const uint8_t *traffic_secret, struct traffic_keys *out)
{
  const size_t key_len = aead_key_len (suite->aead);
  const struct expand_input key = expansion (suite->hash, traffic_secret, "key", NULL);
  const struct expand_input iv = expansion (suite->hash, traffic_secret, "iv", NULL);
  const struct expand_input number_key = expansion (suite->hash, traffic_secret, "sn", NULL);
  bool is_ok;

  *out = (struct traffic_keys){ .algorithm = suite->aead };
  is_ok = hkdf_expand_label (crypto, suite->hash, &key, out->key, key_len)
          && hkdf_expand_label (crypto, suite->hash, &iv, out->iv, AEAD_NONCE_LEN)
          && hkdf_expand_label (crypto, suite->hash, &number_key, out->number_key, key_len);

  if (!is_ok)
    wipe (out, sizeof *out);
  return is_ok;
}

bool
schedule13_ticket_psk (struct dtls_crypto *crypto, enum hash hash, const struct association *known,
                       struct bytes nonce, uint8_t *out)
{
  struct expand_input input = expansion (hash, known->resumption_secret, "resumption", NULL);

  input.context = nonce;
  return hkdf_expand_label (crypto, hash, &input, out, hash_len (hash));
}

bool
schedule13_export (struct dtls_crypto *crypto, enum hash hash, const struct association *known,
                   const struct export_input *input, struct dtls_buffer *out)
{
  uint8_t nothing[MAX_HASH_LEN], secret[MAX_HASH_LEN], context[MAX_HASH_LEN];
  const size_t room = out->capacity - out->used;
  const struct expand_input from_label = {
    .secret = { known->exporter_secret, hash_len (hash) },
    .label = input->label,
    .context = { nothing, hash_len (hash) },
  };
  const struct expand_input from_context = expansion (hash, secret, "exporter", context);
  bool is_ok;

  is_ok = hash_nothing (crypto, hash, nothing)
          && hkdf_expand_label (crypto, hash, &from_label, secret, hash_len (hash))
          && hash_once (crypto, hash, input->context, context)
          && hkdf_expand_label (crypto, hash, &from_context, out->at + out->used, room);

  if (is_ok)
    out->used += room;
  else
    wipe (out->at + out->used, room);
  wipe (secret, sizeof secret);
  return is_ok;
}
