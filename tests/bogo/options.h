/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The shim's command line, and the names by which the runner knows our errors. */

#pragma once

#include "dtls.h"

enum
{
  EXIT_UNIMPLEMENTED = 89,
  MAX_CHAIN = 128,
  MAX_NUMBERS = 16,
};

struct options
{
  size_t port;
  uint64_t shim_id;
  bool is_ipv6;
  bool is_server;
  size_t resume_count;
  bool shim_writes_first;
  bool sends_alert;
  bool updates_keys;

  size_t min_version; /* on the wire; 0: any */
  size_t max_version;
  bool has_no_12;
  bool has_no_13;
  uint16_t groups[MAX_NUMBERS];
  size_t n_groups;
  uint16_t srtp_profiles[MAX_NUMBERS];
  size_t n_srtp_profiles;

  struct bytes chain[MAX_CHAIN]; /* (owned) */
  size_t n_chain;
  struct bytes key; /* (owned) */
  size_t key_delay_ms;
  enum dtls_client_auth client_auth;
  bool verify_fails;
  bool has_custom_verify;
  const char *psk;          /* (nullable) */
  const char *psk_identity; /* (nullable) a server's: its hint */
  bool has_no_ticket;

  size_t mtu;
  size_t retransmit_initial_ms;
  size_t max_certificate_message;

  const char *host_name;      /* (nullable) */
  const char *advertise_alpn; /* (nullable) */
  const char *select_alpn;    /* (nullable) a server's choice */
  bool declines_alpn;
  bool rejects_alpn;
  bool selects_empty_alpn;
  bool allows_unknown_alpn;
  bool hides_server_name; /* does not acknowledge it */

  const char *expect_alpn;        /* (nullable) */
  const char *expect_server_name; /* (nullable) */
  bool expects_retry;
  bool expects_no_retry;
  bool expects_session_miss;
  bool expects_session_id;
  bool expects_no_session_id;
  bool expects_ticket_renewal;
  bool expects_no_session;

  size_t export_len;
  const char *export_label;
  const char *export_context;
  bool has_export_context;
};

/* As they are for connection `index` of the process. Ends the process for an option that is not
 * understood. */
void options_parse (struct options *options, int argc, char **argv, unsigned index);
void options_clear (struct options *options);

/* The runner's names for what we say, on stderr: errors.c */
void errors_tell (const struct dtls_conn *conn);
void errors_tell_refusal (enum dtls_error error);
