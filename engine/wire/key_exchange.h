/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* ServerKeyExchange and ClientKeyExchange for ECDHE in (D)TLS 1.2, RFC 8422 §5.4 and §5.7. */

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
