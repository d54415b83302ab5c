/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The extensions that both sides send, each by the rule of its RFC. */

#include "handshake/mutual.h"

#include "handshake/reply.h"

static enum dtls_error
take_renegotiation_info (struct handshake *h, struct bytes body)
{
  struct bytes verify_data;

  if (!renegotiation_info_read (body, &verify_data))
    return DTLS_ERROR_DECODE;

  h->peer_has_renegotiation_info = true;
  /* RFC 5746 §3.4, §3.6: this is no renegotiation. */
  return verify_data.left == 0 ? DTLS_OK : DTLS_ERROR_RENEGOTIATION_INFO;
}

static enum dtls_error
take_point_formats (struct bytes body)
{
  bool has_uncompressed;

  if (!ec_point_formats_read (body, &has_uncompressed))
    return DTLS_ERROR_DECODE;

  return has_uncompressed ? DTLS_OK : DTLS_ERROR_ILLEGAL_PARAMETER; /* RFC 8422 §5.1.2 */
}

static enum dtls_error
take_record_size_limit (struct handshake *h, struct bytes body)
{
  uint16_t limit;

  if (body.left != sizeof limit)
    return DTLS_ERROR_DECODE;
  if (!record_size_limit_read (body, &limit))
    return DTLS_ERROR_ILLEGAL_PARAMETER; /* RFC 8449 §4: below 64 */

  h->peer_has_record_size_limit = true;
  h->known->write_limit = limit < MAX_PLAINTEXT_LEN ? limit : MAX_PLAINTEXT_LEN;
  h->known->read_limit = h->config->record_size_limit;
  return DTLS_OK;
}

/* RFC 5764 §4.1.1. A client's MKI is ours to ignore: we send none back, and none is used. */
static enum dtls_error
choose_srtp_profile (struct handshake *h, struct bytes body)
{
  const struct dtls_config *config = h->config;
  struct use_srtp srtp;

  if (!use_srtp_read (body, &srtp))
    return DTLS_ERROR_DECODE;

  for (size_t i = 0; i < config->n_srtp_profiles && h->known->srtp_profile == 0; i++)
    if (u16_list_has (srtp.profiles, config->srtp_profiles[i]))
      h->known->srtp_profile = config->srtp_profiles[i];
  return DTLS_OK;
}

static enum dtls_error
take_srtp (struct handshake *h, struct bytes body)
{
  return h->role == DTLS_CLIENT ? reply_take_srtp_profile (h, body) : choose_srtp_profile (h, body);
}

enum dtls_error
mutual_take (struct handshake *handshake, const struct extensions *found)
{
  if (found->has[FOUND_RENEGOTIATION_INFO])
    TRY (take_renegotiation_info (handshake, found->body[FOUND_RENEGOTIATION_INFO]));
  if (found->has[FOUND_EC_POINT_FORMATS])
    TRY (take_point_formats (found->body[FOUND_EC_POINT_FORMATS]));
  if (found->has[FOUND_RECORD_SIZE_LIMIT])
    TRY (take_record_size_limit (handshake, found->body[FOUND_RECORD_SIZE_LIMIT]));
  if (found->has[FOUND_USE_SRTP])
    TRY (take_srtp (handshake, found->body[FOUND_USE_SRTP]));
  handshake->peer_takes_tickets = found->has[FOUND_SESSION_TICKET];

  if (found->body[FOUND_EXTENDED_MASTER_SECRET].left > 0)
    return DTLS_ERROR_DECODE;
  handshake->known->has_extended_master_secret = found->has[FOUND_EXTENDED_MASTER_SECRET];
  if (handshake->config->requires_extended_master_secret
      && !handshake->known->has_extended_master_secret)
    return DTLS_ERROR_EXTENDED_MASTER_SECRET_REQUIRED;

  return DTLS_OK;
}
