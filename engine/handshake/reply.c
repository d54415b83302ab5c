/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A server's choices out of our offers. */

#include "handshake/reply.h"

#include "wire/certificates.h"
#include "wire/extensions.h"

#include <stdlib.h>
#include <string.h>

enum dtls_error
reply_take_protocol (struct handshake *handshake, struct bytes body)
{
  const struct dtls_config *config = handshake->config;
  struct bytes names, name, rest;

  if (!alpn_read (body, &names))
    return DTLS_ERROR_DECODE;

  /* RFC 7301 §3.1: exactly one name, and one of ours. */
  rest = names;
  if (!alpn_next (&rest, &name) || rest.left > 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;
  if (choose_protocol (config->alpn, names).left == 0 && !config->takes_other_protocols)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  memcpy (handshake->known->alpn, name.at, name.left);
  handshake->known->alpn_len = (uint8_t) name.left;
  return DTLS_OK;
}

enum dtls_error
reply_take_srtp_profile (struct handshake *handshake, struct bytes body)
{
  const struct dtls_config *config = handshake->config;
  struct use_srtp srtp;

  if (!use_srtp_read (body, &srtp))
    return DTLS_ERROR_DECODE;
  /* RFC 5764 §4.1.1: a single profile; §4.1.3: an MKI that is not the client's is refused. */
  if (u16_list_len (srtp.profiles) != 1 || srtp.mki.left > 0)
    return DTLS_ERROR_ILLEGAL_PARAMETER;

  for (size_t i = 0; i < config->n_srtp_profiles; i++)
    if (u16_list_has (srtp.profiles, config->srtp_profiles[i]))
      {
        handshake->known->srtp_profile = config->srtp_profiles[i];
        return DTLS_OK;
      }

  return DTLS_ERROR_ILLEGAL_PARAMETER;
}

enum dtls_error
reply_take_authorities (struct handshake *handshake, struct bytes authorities)
{
  struct bytes name, rest = authorities, *items;
  size_t n = 0;
  bool is_kept;

  while (authority_next (&rest, &name))
    n++;

  items = calloc (n > 0 ? n : 1, sizeof *items);
  if (items == NULL)
    return DTLS_ERROR_NO_MEMORY;

  for (size_t i = 0; i < n && authority_next (&authorities, &items[i]); i++)
    ;
  is_kept = der_list_copy (&handshake->peer->authorities, items, n);
  free (items);
  return is_kept ? DTLS_OK : DTLS_ERROR_NO_MEMORY;
}
