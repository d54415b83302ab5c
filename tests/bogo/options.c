/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The shim's options. A table says what each is; one that is not in it is unimplemented. */

#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

/* -------------------------------------------------------------------------- files and encodings */

static struct bytes
der_of (int len, uint8_t *der)
{
  if (len <= 0)
    abort ();

  return (struct bytes){ der, (size_t) len };
}

static void
load_chain (struct options *options, const char *path)
{
  FILE *file = fopen (path, "r");
  X509 *certificate;

  if (file == NULL)
    abort ();
  while (options->n_chain < MAX_CHAIN
         && (certificate = PEM_read_X509 (file, NULL, NULL, NULL)) != NULL)
    {
      uint8_t *der = NULL;
      int len = i2d_X509 (certificate, &der);

      options->chain[options->n_chain++] = der_of (len, der);
      X509_free (certificate);
    }
  fclose (file);
}

static void
load_key (struct options *options, const char *path)
{
  FILE *file = fopen (path, "r");
  EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey (file, NULL, NULL, NULL) : NULL;
  uint8_t *der = NULL;
  int len = key != NULL ? i2d_PrivateKey (key, &der) : 0;

  options->key = der_of (len, der);
  EVP_PKEY_free (key);
  fclose (file);
}

static struct bytes
text (const char *value)
{
  return (struct bytes){ (const uint8_t *) value, strlen (value) };
}

/* ------------------------------------------------------------------------------------ the table */

static void
set_port (struct options *o, const char *value)
{
  o->port = (uint16_t) strtoul (value, NULL, 10);
}

static void
set_shim_id (struct options *o, const char *value)
{
  o->shim_id = strtoull (value, NULL, 10);
}

static void
set_ipv6 (struct options *o, const char *value)
{
  (void) value;
  o->is_ipv6 = true;
}

static void
set_server (struct options *o, const char *value)
{
  (void) value;
  o->is_server = true;
}

static void
set_verify_peer (struct options *o, const char *value)
{
  (void) value;
  if (o->client_auth == DTLS_CLIENT_AUTH_NONE)
    o->client_auth = DTLS_CLIENT_AUTH_REQUESTED;
}

static void
set_require_certificate (struct options *o, const char *value)
{
  (void) value;
  o->client_auth = DTLS_CLIENT_AUTH_REQUIRED;
}

static void
set_verify_fails (struct options *o, const char *value)
{
  (void) value;
  o->verify_fails = true;
}

static void
set_custom_verify (struct options *o, const char *value)
{
  (void) value;
  o->has_custom_verify = true;
}

static void
set_writes_first (struct options *o, const char *value)
{
  (void) value;
  o->shim_writes_first = true;
}

static void
set_shuts_down (struct options *o, const char *value)
{
  (void) value;
  o->shim_shuts_down = true;
}

static void
set_no_peer_certificate (struct options *o, const char *value)
{
  (void) value;
  o->expects_no_peer_certificate = true;
}

static void
set_mtu (struct options *o, const char *value)
{
  o->mtu = strtoul (value, NULL, 10);
}

static void
set_retransmit (struct options *o, const char *value)
{
  o->retransmit_initial_ms = strtoul (value, NULL, 10);
}

static void
set_max_certificates (struct options *o, const char *value)
{
  o->max_certificate_message = strtoul (value, NULL, 10);
}

static void
set_host_name (struct options *o, const char *value)
{
  o->server_name = text (value);
}

static void
set_alpn (struct options *o, const char *value)
{
  o->alpn = text (value);
}

static void
set_expect_alpn (struct options *o, const char *value)
{
  o->expect_alpn = value;
}

static void
set_expect_server_name (struct options *o, const char *value)
{
  o->expect_server_name = value;
}

static void
set_export_len (struct options *o, const char *value)
{
  o->export_len = strtoul (value, NULL, 10);
}

static void
set_export_label (struct options *o, const char *value)
{
  o->export_label = value;
}

static void
set_export_context (struct options *o, const char *value)
{
  o->export_context = value;
}

static void
set_use_export_context (struct options *o, const char *value)
{
  (void) value;
  o->has_export_context = true;
}

/* Wants what we always do, or what cannot be seen from outside. */
static void
ignore (struct options *o, const char *value)
{
  (void) o;
  (void) value;
}

/* We speak DTLS 1.2 only. */
static void
set_version (struct options *o, const char *value)
{
  (void) o;
  if (strtoul (value, NULL, 10) != DTLS_1_2)
    exit (EXIT_UNIMPLEMENTED);
}

struct option_row
{
  const char *name;
  bool has_value;
  void (*set) (struct options *, const char *);
};

/* clang-format off */
static const struct option_row rows[] = {
  { "port",                           true,  set_port },
  { "shim-id",                        true,  set_shim_id },
  { "ipv6",                           false, set_ipv6 },
  { "dtls",                           false, ignore },
  { "server",                         false, set_server },
  { "cert-file",                      true,  load_chain },
  { "key-file",                       true,  load_key },
  { "trust-cert",                     true,  ignore },
  { "async",                          false, ignore },
  { "implicit-handshake",             false, ignore },
  { "verify-peer",                    false, set_verify_peer },
  { "require-any-client-certificate", false, set_require_certificate },
  { "verify-fail",                    false, set_verify_fails },
  { "use-custom-verify-callback",     false, set_custom_verify },
  { "expect-verify-result",           false, ignore },
  { "expect-no-peer-cert",            false, set_no_peer_certificate },
  { "shim-writes-first",              false, set_writes_first },
  { "shim-shuts-down",                false, set_shuts_down },
  { "mtu",                            true,  set_mtu },
  { "initial-timeout-duration-ms",    true,  set_retransmit },
  { "max-cert-list",                  true,  set_max_certificates },
  { "max-version",                    true,  set_version },
  { "min-version",                    true,  set_version },
  { "no-tls1",                        false, ignore },
  { "no-tls13",                       false, ignore },
  { "host-name",                      true,  set_host_name },
  { "expect-server-name",             true,  set_expect_server_name },
  { "advertise-alpn",                 true,  set_alpn },
  { "expect-alpn",                    true,  set_expect_alpn },
  { "export-keying-material",         true,  set_export_len },
  { "export-label",                   true,  set_export_label },
  { "export-context",                 true,  set_export_context },
  { "use-export-context",             false, set_use_export_context },
  { "expect-no-hrr",                  false, ignore },
  { "verify-prefs",                   true,  ignore },
  { "renegotiate-freely",             false, ignore },
};
/* clang-format on */

static const struct option_row *
find_row (const char *name)
{
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp (rows[i].name, name) == 0)
      return &rows[i];

  return NULL;
}

void
options_parse (struct options *options, int argc, char **argv)
{
  *options = (struct options){ .export_label = "", .export_context = "" };

  for (int i = 1; i < argc; i++)
    {
      const struct option_row *row;

      if (strcmp (argv[i], "-is-handshaker-supported") == 0)
        {
          puts ("No");
          exit (0);
        }

      row = argv[i][0] == '-' ? find_row (argv[i] + 1) : NULL;
      if (row == NULL || (row->has_value && i + 1 == argc))
        exit (EXIT_UNIMPLEMENTED);
      row->set (options, row->has_value ? argv[++i] : NULL);
    }
}

void
options_clear (struct options *options)
{
  for (size_t i = 0; i < options->n_chain; i++)
    OPENSSL_free ((void *) (uintptr_t) options->chain[i].at);
  OPENSSL_free ((void *) (uintptr_t) options->key.at);
}

const char *
options_error_token (enum dtls_error error)
{
  /* clang-format off */
  static const char *const tokens[N_DTLS_ERRORS] = {
    [DTLS_ERROR_DECODE]                    = "DECODE_ERROR",
    [DTLS_ERROR_ILLEGAL_PARAMETER]         = "ILLEGAL_PARAMETER",
    [DTLS_ERROR_UNEXPECTED_MESSAGE]        = "UNEXPECTED_MESSAGE",
    [DTLS_ERROR_EXCESS_HANDSHAKE_DATA]     = "EXCESS_HANDSHAKE_DATA",
    [DTLS_ERROR_MESSAGE_TOO_LONG]          = "EXCESSIVE_MESSAGE_SIZE",
    [DTLS_ERROR_RECORD_OVERFLOW]           = "DATA_LENGTH_TOO_LONG",
    [DTLS_ERROR_BAD_ALERT]                 = "UNKNOWN_ALERT_TYPE",
    [DTLS_ERROR_UNSUPPORTED_EXTENSION]     = "UNEXPECTED_EXTENSION",
    [DTLS_ERROR_RENEGOTIATION]             = "UNEXPECTED_RECORD",
    [DTLS_ERROR_BAD_SIGNATURE]             = "BAD_SIGNATURE",
    [DTLS_ERROR_BAD_FINISHED]              = "DIGEST_CHECK_FAILED",
    [DTLS_ERROR_PROTOCOL_VERSION]          = "UNSUPPORTED_PROTOCOL",
    [DTLS_ERROR_NO_SHARED_SUITE]           = "NO_SHARED_CIPHER",
    [DTLS_ERROR_CERTIFICATE_REJECTED]      = "CERTIFICATE_VERIFY_FAILED",
    [DTLS_ERROR_CERTIFICATE_REQUIRED]      = "PEER_DID_NOT_RETURN_A_CERTIFICATE",
    [DTLS_ERROR_TIMED_OUT]                 = "READ_TIMEOUT_EXPIRED",
  };
  /* clang-format on */

  return (unsigned) error < N_DTLS_ERRORS && tokens[error] != NULL ? tokens[error] : "OTHER_ERROR";
}
