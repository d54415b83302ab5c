/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The shim's command line, and the names by which the runner knows our errors. */

#pragma once

#include "dtls.h"

enum
{
  EXIT_UNIMPLEMENTED = 89,
  MAX_CHAIN = 128,
};

struct options
{
  uint16_t port;
  uint64_t shim_id;
  bool is_ipv6;
  bool is_server;
  unsigned resume_count;
  bool shim_writes_first;
  bool shim_shuts_down;

  struct bytes chain[MAX_CHAIN]; /* (owned) */
  size_t n_chain;
  struct bytes key; /* (owned) */
  enum dtls_client_auth client_auth;
  bool verify_fails;
  bool has_custom_verify;
  bool expects_no_peer_certificate;

  size_t mtu;
  uint64_t retransmit_initial_ms;
  size_t max_certificate_message;

  struct bytes server_name;
  struct bytes alpn;
  const char *expect_alpn;        /* (nullable) */
  const char *expect_server_name; /* (nullable) */

  size_t export_len;
  const char *export_label;
  const char *export_context;
  bool has_export_context;
};

/* Ends the process for an option that is not understood. */
void options_parse (struct options *options, int argc, char **argv);
void options_clear (struct options *options);
const char *options_error_token (enum dtls_error error);
