/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which groups a first hello brings a share of, and the shares themselves. */

#include "handshake/shares.h"

#include "wire/fragment.h"
#include "wire/key_share.h"
#include "wire/record_header.h"

enum
{
  ENTRY_OVERHEAD = 2 + 2, /* RFC 9846 §4.3.8: KeyShareEntry's group and length */
};

struct key_share *
shares_find (const struct handshake *handshake, uint16_t group)
{
  for (size_t i = 0; i < handshake->n_shares; i++)
    if (key_share_group (handshake->shares[i]) == group)
      return handshake->shares[i];

  return NULL;
}

void
shares_drop (struct handshake *handshake)
{
  for (size_t i = 0; i < handshake->n_shares; i++)
    key_share_free (handshake->shares[i]);
  handshake->n_shares = 0;
}

static enum dtls_error
add (struct handshake *h, uint16_t group)
{
  struct key_share *share = key_share_new (h->crypto, group);

  if (share == NULL)
    return DTLS_ERROR_CRYPTO;

  h->shares[h->n_shares++] = share;
  return DTLS_OK;
}

enum dtls_error
shares_replace (struct handshake *handshake, uint16_t group)
{
  shares_drop (handshake);
  return add (handshake, group);
}

static size_t
public_len (uint16_t group)
{
  switch (group)
    {
    case GROUP_X25519:
      return 32;
    case GROUP_SECP256R1:
      return 65;
    case GROUP_SECP384R1:
      return MAX_ECDH_PUBLIC_LEN;
    default:
      return MAX_PUBLIC_LEN;
    }
}

/* The first whose share leaves the hello in one datagram, as many servers drop a first hello that
 * comes in pieces; or else the smallest. A share of ML-KEM is that only where there is no other
 * group: it fits into the barest hello alone, and no longer once the MTU has fallen back. */
static uint16_t
default_group (const struct handshake *h, size_t hello_len)
{
  size_t len = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN + hello_len + ENTRY_OVERHEAD;
  uint16_t smallest = h->ours.groups[0];

  for (size_t i = 0; i < h->ours.n_groups; i++)
    {
      uint16_t group = h->ours.groups[i];
      size_t public = public_len (group);

      if (public <= MAX_ECDH_PUBLIC_LEN && len + public <= h->config->mtu)
        return group;
      if (public < public_len (smallest))
        smallest = group;
    }

  return smallest;
}

static bool
is_configured (const struct dtls_config *config, uint16_t group)
{
  for (size_t i = 0; i < config->n_share_groups; i++)
    if (config->share_groups[i] == group)
      return true;

  return false;
}

enum dtls_error
shares_add (struct handshake *handshake, size_t hello_len)
{
  const struct offer *ours = &handshake->ours;

  /* RFC 9846 §4.3.8: in the order of supported_groups. */
  for (size_t i = 0; i < ours->n_groups && handshake->n_shares < MAX_SHARES; i++)
    if (is_configured (handshake->config, ours->groups[i]))
      TRY (add (handshake, ours->groups[i]));

  /* Also where libcrypto has none of those: an empty list would cost a round trip. */
  if (handshake->n_shares == 0)
    return add (handshake, default_group (handshake, hello_len));

  return DTLS_OK;
}

size_t
shares_len (const struct handshake *handshake)
{
  size_t len = 2;

  for (size_t i = 0; i < handshake->n_shares; i++)
    len += ENTRY_OVERHEAD + key_share_public (handshake->shares[i]).left;

  return len;
}

void
shares_write (const struct handshake *handshake, struct writer *writer)
{
  struct key_share_entry entries[MAX_SHARES];

  for (size_t i = 0; i < handshake->n_shares; i++)
    entries[i] = (struct key_share_entry){ key_share_group (handshake->shares[i]),
                                           key_share_public (handshake->shares[i]) };
  client_shares_write (writer, entries, handshake->n_shares);
}
