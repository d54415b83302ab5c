/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What outlives the handshake. `association` is flat and pointer-free: channel bindings and
 * exporters need nothing else. `peer` holds what the peer sent of itself, as DER. */

#pragma once

#include "dtls.h"
#include "wire/codepoints.h"

enum
{
  MAX_SECRET_LEN = 48, /* SHA-384, the longest hash of a suite */
};

struct association
{
  uint16_t version; /* 0 until it is agreed */
  uint16_t suite;
  uint16_t group;
  bool has_extended_master_secret;
  bool is_resumed;
  bool has_psk; /* an external one, and no certificates */
  bool was_retried;
  uint16_t srtp_profile;
  uint8_t master_secret[MASTER_SECRET_LEN]; /* 1.2 */
  /* 1.3, as long as the suite's hash. The traffic secrets are those of the newest epochs. */
  uint8_t client_traffic[MAX_SECRET_LEN];
  uint8_t server_traffic[MAX_SECRET_LEN];
  uint16_t read_epoch; /* the newest one that there are keys for */
  uint16_t write_epoch;
  uint8_t exporter_secret[MAX_SECRET_LEN];
  uint8_t resumption_secret[MAX_SECRET_LEN]; /* a client's, for tickets to come */
  uint64_t session_made; /* µs since 1970: the handshake, of a resumed session the first one */
  uint8_t randoms[2 * RANDOM_LEN]; /* the client's, then the server's */
  uint8_t client_verify_data[VERIFY_DATA_LEN];
  uint8_t server_verify_data[VERIFY_DATA_LEN];
  uint8_t end_point_hash[64]; /* RFC 5929 §4.1 */
  uint8_t end_point_hash_len; /* 0: not defined for this certificate */
  uint8_t alpn[255];
  uint8_t alpn_len;
  uint8_t server_name[255];
  uint8_t server_name_len;
  uint16_t read_limit;  /* plaintext bytes that the peer may put in a record */
  uint16_t write_limit; /* plaintext bytes that we may */
};

/* A list of DER elements in one allocation. */
struct der_list
{
  struct bytes *items; /* (owned), with the bytes behind them */
  size_t n;
};

/* An owned copy in place of what `at` owned. False, and nothing changed, without memory. */
bool bytes_keep (struct bytes *at, struct bytes from) DTLS_MUST_CHECK;
/* Wipes and frees what `at` owns; it is then empty. */
void bytes_release (struct bytes *at);

/* Replaces what `list` held. False without memory. */
bool der_list_copy (struct der_list *list, const struct bytes *items, size_t n) DTLS_MUST_CHECK;
void der_list_clear (struct der_list *list);

struct peer
{
  struct der_list chain; /* leaf first */
  bool has_asked_for_certificate;
  struct der_list authorities;
  struct bytes psk_identity; /* (owned) asked for, or in use */
  struct bytes session;      /* (owned) client: the newest one, for dtls_conn_session */
};
