/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* From options to the engine's configuration. Where the engine does more than BoringSSL by default, the
 * runner would take it for a fault: bursts, answers to partial ACKs, a verdict when a session resumes. */

#include "shim.h"

#include <stdlib.h>
#include <string.h>

enum
{
  MAX_MTU = 65507,
};

static struct bytes
text (const char *value)
{
  return (struct bytes){ (const uint8_t *) value, value != NULL ? strlen (value) : 0 };
}

/* ------------------------------------------------------------------------- sessions of a server */

static void
store_session (void *data, struct bytes id, struct bytes session)
{
  struct shim *shim = data;

  shim->has_stored = true;
  dtls_session_cache_store (shim->memory->cache, id, session);
}

static bool
find_session (void *data, struct bytes id, struct dtls_buffer *out)
{
  struct shim *shim = data;
  struct bytes session = dtls_session_cache_find (shim->memory->cache, id);

  if (session.left == 0 || session.left > out->capacity - out->used)
    return false;

  memcpy (out->at + out->used, session.at, session.left);
  out->used += session.left;
  return true;
}

static void
set_up_sessions (struct shim *shim)
{
  struct dtls_config *config = &shim->config;

  config->verifies_resumed = false;
  if (!shim->options->is_server)
    {
      config->session = (struct bytes){ shim->memory->session, shim->memory->session_len };
      config->keeps_sessions = !shim->options->has_no_ticket;
      return;
    }

  config->ticket_keys = &shim->memory->ticket_key;
  config->n_ticket_keys = shim->options->has_no_ticket ? 0 : 1;
  config->session_store = store_session;
  config->session_find = find_session;
  config->session_data = shim;
}

/* ------------------------------------------------------------------------------------- the rest */

static void
set_up_versions (struct shim *shim)
{
  const struct options *o = shim->options;

  /* Versions count downwards. */
  if (o->has_no_13 || (o->max_version > DTLS_1_3 && o->max_version != 0))
    shim->config.max_version = DTLS_1_2;
  if (o->has_no_12 || o->min_version == DTLS_1_3)
    shim->config.min_version = DTLS_1_3;
}

/* The same three with every libcrypto, unless the runner asks for others; and a share of the first, so
 * that a retry comes only where it is expected. */
static void
set_up_groups (struct shim *shim)
{
  static const uint16_t usual[] = { 29, 23, 24 }; /* x25519, secp256r1, secp384r1 */
  const struct options *o = shim->options;
  bool is_usual = o->n_groups == 0;

  shim->config.groups = shim->config.share_groups = is_usual ? usual : o->groups;
  shim->config.n_groups = is_usual ? sizeof usual / sizeof usual[0] : o->n_groups;
  shim->config.n_share_groups = is_usual ? 1 : o->n_groups;
}

static void
set_up_credential (struct shim *shim)
{
  const struct options *o = shim->options;

  if (o->n_chain == 0 || o->key.left == 0)
    return;

  shim->credential = (struct dtls_credential){ o->chain, o->n_chain, NULL };
  if (dtls_key_new (shim->memory->crypto, o->key, &shim->key) != DTLS_OK)
    abort ();
  if (o->key_delay_ms == 0)
    shim->credential.key = shim->key;
  /* There shim.c answers the engine's question instead. */
  if (!o->selects_empty_alpn)
    shim->config.credential = &shim->credential;
}

static void
set_up_psk (struct shim *shim)
{
  const struct options *o = shim->options;

  if (o->psk == NULL)
    return;

  shim->psk = (struct dtls_psk){
    .identity = text (o->psk_identity),
    .key = text (o->psk),
    .role = o->is_server ? DTLS_SERVER : DTLS_CLIENT,
  };
  if (o->is_server)
    {
      shim->config.asks_for_psk = true;
      shim->config.psk_identity_hint = text (o->psk_identity);
    }
  else
    {
      shim->config.psk = &shim->psk;
    }
}

static void
set_up_protocols (struct shim *shim)
{
  const struct options *o = shim->options;

  shim->config.alpn = text (o->advertise_alpn);
  shim->config.takes_other_protocols = o->allows_unknown_alpn;
  shim->config.requires_protocol = o->rejects_alpn;
  if (o->select_alpn != NULL)
    {
      shim->alpn[0] = (uint8_t) strlen (o->select_alpn);
      memcpy (shim->alpn + 1, o->select_alpn, shim->alpn[0]);
      shim->config.alpn = (struct bytes){ shim->alpn, (size_t) 1 + shim->alpn[0] };
    }
}

void
setup_begin (struct shim *shim)
{
  const struct options *o = shim->options;
  struct dtls_config *config = &shim->config;

  dtls_config_init (config);
  config->mtu = o->mtu > 0 ? o->mtu : 1472;
  config->fallback_mtu = MAX_MTU; /* never: the runner says itself when it is another */
  config->handshake_deadline = DTLS_NEVER;
  config->paces_flights = false;
  config->answers_partial_acks = false;
  config->acknowledges_server_name = !o->hides_server_name;
  if (o->retransmit_initial_ms > 0)
    config->retransmit_initial = o->retransmit_initial_ms * DTLS_MILLISECOND;
  if (o->max_certificate_message > 0)
    config->max_certificate_message = o->max_certificate_message;
  config->client_auth = o->client_auth;
  config->server_name = text (o->host_name);
  config->srtp_profiles = o->srtp_profiles;
  config->n_srtp_profiles = o->n_srtp_profiles;

  set_up_versions (shim);
  set_up_groups (shim);
  set_up_credential (shim);
  set_up_psk (shim);
  set_up_protocols (shim);
  set_up_sessions (shim);
}

void
setup_end (struct shim *shim)
{
  dtls_key_free (shim->key);
  shim->key = NULL;
}
