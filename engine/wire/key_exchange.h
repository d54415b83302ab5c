/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* ServerKeyExchange and ClientKeyExchange of (D)TLS 1.2: for ECDHE, RFC 8422 §5.4 and §5.7; for
 * pre-shared keys, RFC 4279 §2; for both together, RFC 5489 §2. */

#pragma once

#include "wire/codepoints.h"
#include "wire/reader.h"
#include "wire/writer.h"

struct server_key_exchange
{
  uint16_t group;
  struct bytes point;  /* 1 to 255 bytes */
  struct bytes params; /* the signed part as it stands in the message: curve type, group, point */
  uint16_t scheme;
  struct bytes signature;
};

/* False also for a curve type other than named_curve. */
bool server_key_exchange_read (struct bytes message,
                               struct server_key_exchange *exchange) DTLS_MUST_CHECK;
/* The signed part alone: curve type, group, point. */
void server_ecdh_params_write (struct writer *writer, uint16_t group, struct bytes point);
/* Writes `exchange->params`, then scheme and signature. */
void server_key_exchange_write (struct writer *writer, const struct server_key_exchange *exchange);

bool client_key_exchange_read (struct bytes message, struct bytes *out_point) DTLS_MUST_CHECK;
void client_key_exchange_write (struct writer *writer, struct bytes point);

/* Plain PSK. A server without a hint sends no ServerKeyExchange. */
bool psk_hint_read (struct bytes message, struct bytes *out_hint) DTLS_MUST_CHECK;
void psk_hint_write (struct writer *writer, struct bytes hint);
bool psk_identity_read (struct bytes message, struct bytes *out_identity) DTLS_MUST_CHECK;
void psk_identity_write (struct writer *writer, struct bytes identity);

/* ECDHE_PSK: both sides' halves, unsigned. */
struct server_psk_exchange
{
  struct bytes hint; /* 0 to 2^16-1 bytes */
  uint16_t group;
  struct bytes point; /* 1 to 255 bytes */
};

/* False also for a curve type other than named_curve. */
bool server_psk_exchange_read (struct bytes message,
                               struct server_psk_exchange *exchange) DTLS_MUST_CHECK;
void server_psk_exchange_write (struct writer *writer, const struct server_psk_exchange *exchange);

struct client_psk_exchange
{
  struct bytes identity; /* 0 to 2^16-1 bytes */
  struct bytes point;    /* 1 to 255 bytes */
};

bool client_psk_exchange_read (struct bytes message,
                               struct client_psk_exchange *exchange) DTLS_MUST_CHECK;
void client_psk_exchange_write (struct writer *writer, const struct client_psk_exchange *exchange);
