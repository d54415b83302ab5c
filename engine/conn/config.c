/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Defaults and limits of dtls_config. */

#include "conn/config.h"

#include "handshake/negotiate.h"
#include "handshake/psk_offer.h"
#include "handshake/session.h"
#include "record/replay.h"
#include "wire/codepoints.h"
#include "wire/extensions.h"

enum
{
  MIN_RECORD_SIZE_LIMIT = 64, /* RFC 8449 §4 */
  MAX_ALPN_LEN = 8192,        /* a hello with more would be refused as too long by our own server */
  MAX_TICKETS = 4,
};

void
dtls_config_init (struct dtls_config *config)
{
  *config = (struct dtls_config){
    .min_version = DTLS_1_2,
    .max_version = DTLS_1_3,
    .mtu = 1400,
    .fallback_mtu = 1200,
    .max_certificate_message = 100000,
    .replay_window = 256,
    .record_size_limit = MAX_PLAINTEXT_LEN,
    .retransmit_initial = 400 * DTLS_MILLISECOND,
    .handshake_deadline = 60 * DTLS_SECOND,
    .paces_flights = true,
    .answers_partial_acks = true,
    .verifies_resumed = true,
    .keeps_sessions = true,
    .acknowledges_server_name = true,
    .n_tickets = 2,
    .ticket_lifetime = 24 * 3600 * DTLS_SECOND,
  };
}

/* Whether the Names fit a CertificateRequest, RFC 5246 §7.4.4. */
static bool
authorities_fit (const struct dtls_config *config)
{
  size_t left = UINT16_MAX;

  for (size_t i = 0; i < config->n_authorities; i++)
    {
      size_t len = config->authorities[i].left;

      if (len == 0 || len > UINT16_MAX || left < 2 + len)
        return false;
      left -= 2 + len;
    }

  return true;
}

static bool
is_version (enum dtls_version version)
{
  return version == DTLS_1_2 || version == DTLS_1_3;
}

/* Versions count downwards. */
static bool
versions_are_good (const struct dtls_config *config)
{
  return is_version (config->min_version) && is_version (config->max_version)
         && config->max_version <= config->min_version;
}

static bool
sessions_are_good (const struct dtls_config *config)
{
  return config->n_tickets <= MAX_TICKETS
         && config->ticket_lifetime <= MAX_SESSION_LIFETIME * DTLS_SECOND
         && (config->session_store == NULL) == (config->session_find == NULL);
}

enum dtls_error
dtls_config_check (const struct dtls_config *config, const struct dtls_crypto *crypto)
{
  struct offer offer;
  bool is_good =
      config->mtu >= MIN_MTU && config->mtu <= MAX_MTU && config->fallback_mtu >= MIN_MTU
      && config->fallback_mtu <= MAX_MTU && config->max_certificate_message > 0
      && config->max_certificate_message < (1 << 24) && config->replay_window >= MIN_REPLAY_WINDOW
      && config->replay_window <= MAX_REPLAY_WINDOW
      && config->record_size_limit >= MIN_RECORD_SIZE_LIMIT
      && config->record_size_limit <= MAX_PLAINTEXT_LEN && config->retransmit_initial > 0
      && config->handshake_deadline > 0 && config->server_name.left <= 255
      && config->alpn.left <= MAX_ALPN_LEN
      && (config->alpn.left == 0 || alpn_is_well_formed (config->alpn)) && authorities_fit (config)
      && versions_are_good (config) && psk_offers_allow (config->psk)
      && config->psk_identity_hint.left <= DTLS_MAX_PSK_IDENTITY_LEN && sessions_are_good (config)
      && offer_from_config (&offer, config, crypto);

  return is_good ? DTLS_OK : DTLS_ERROR_CONFIG;
}
