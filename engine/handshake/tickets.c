/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sealing and opening of tickets, in the manner of RFC 5077 §4, but with an AEAD; and the keys for it. A
 * key's random nonces are good for 2^32 tickets: it is to be replaced long before that. */

#include "handshake/tickets.h"

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "wire/reader.h"
#include "wire/writer.h"

#include <string.h>

enum
{
  NAME_LEN = sizeof ((struct dtls_ticket_key *) NULL)->name,
  SECRET_LEN = sizeof ((struct dtls_ticket_key *) NULL)->secret,
  HEAD_LEN = NAME_LEN + AEAD_NONCE_LEN, /* what is in the clear */
};

bool
ticket_seal (struct dtls_crypto *crypto, const struct dtls_ticket_key *key, struct bytes session,
             struct dtls_buffer *out)
{
  uint8_t *head = out->at + out->used;
  const struct aead_input input = { head + NAME_LEN, { head, HEAD_LEN } };
  struct aead *aead;
  bool is_sealed;

  if (out->capacity - out->used < TICKET_OVERHEAD
      || out->capacity - out->used - TICKET_OVERHEAD < session.left)
    return false;

  memcpy (head, key->name, NAME_LEN);
  if (!dtls_crypto_random (crypto, head + NAME_LEN, AEAD_NONCE_LEN))
    return false;

  aead = aead_new (crypto, AEAD_AES_256_GCM, AEAD_SEALS, key->secret);
  is_sealed = aead != NULL && aead_seal (aead, &input, &session, 1, head + HEAD_LEN);
  aead_free (aead);

  if (is_sealed)
    out->used += TICKET_OVERHEAD + session.left;
  return is_sealed;
}

static bool
open_with (struct dtls_crypto *crypto, const struct dtls_ticket_key *key, struct bytes ticket,
           struct dtls_buffer *out)
{
  const struct aead_input input = { ticket.at + NAME_LEN, { ticket.at, HEAD_LEN } };
  const size_t sealed_len = ticket.left - HEAD_LEN;
  uint8_t *at = out->at + out->used;
  struct aead *aead = aead_new (crypto, AEAD_AES_256_GCM, AEAD_OPENS, key->secret);
  bool is_open;

  memcpy (at, ticket.at + HEAD_LEN, sealed_len);
  is_open = aead != NULL && aead_open (aead, &input, at, sealed_len);
  aead_free (aead);

  if (is_open)
    out->used += ticket.left - TICKET_OVERHEAD;
  return is_open;
}

bool
ticket_open (struct dtls_crypto *crypto, const struct ticket_ring *ring, struct bytes ticket,
             struct dtls_buffer *out)
{
  if (ticket.left < TICKET_OVERHEAD || out->capacity - out->used < ticket.left)
    return false;

  for (size_t i = 0; i < ring->n; i++)
    if (bytes_equal ((struct bytes){ ring->keys[i].name, NAME_LEN },
                     (struct bytes){ ticket.at, NAME_LEN })
        && open_with (crypto, &ring->keys[i], ticket, out))
      return true;

  return false;
}

static bool
derive_key (struct dtls_crypto *crypto, const uint8_t *secret, uint64_t period,
            struct dtls_ticket_key *out)
{
  static const char label[] = "moat ticket key";
  uint8_t info[sizeof label - 1 + sizeof period], bytes[NAME_LEN + SECRET_LEN];
  struct writer w = writer_over (info, sizeof info);
  struct hkdf_input input = { { secret, SECRET_LEN }, { info, sizeof info } };
  bool is_derived;

  write_bytes (&w, (const uint8_t *) label, sizeof label - 1);
  write_u64 (&w, period);

  is_derived = writer_ok (&w) && hkdf_expand (crypto, HASH_SHA256, &input, bytes, sizeof bytes);
  if (is_derived)
    {
      memcpy (out->name, bytes, NAME_LEN);
      memcpy (out->secret, bytes + NAME_LEN, SECRET_LEN);
    }
  wipe (bytes, sizeof bytes);
  return is_derived;
}

bool
dtls_ticket_keys_derive (struct dtls_crypto *crypto, const uint8_t secret[32], uint64_t period,
                         struct dtls_ticket_key out[2])
{
  if (derive_key (crypto, secret, period, &out[0])
      && derive_key (crypto, secret, period - 1, &out[1]))
    return true;

  wipe (out, 2 * sizeof *out);
  return false;
}
