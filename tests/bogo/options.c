/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The shim's options. A table says what each is; one that is not in it is unimplemented. A prefix says
 * for which of the process's connections one counts. */

#include "options.h"

#include <stddef.h>
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

static void
set_shim_id (struct options *options, const char *value)
{
  options->shim_id = strtoull (value, NULL, 10);
}

static void
set_verify_peer (struct options *options, const char *value)
{
  (void) value;
  if (options->client_auth == DTLS_CLIENT_AUTH_NONE)
    options->client_auth = DTLS_CLIENT_AUTH_REQUESTED;
}

static void
set_require_certificate (struct options *options, const char *value)
{
  (void) value;
  options->client_auth = DTLS_CLIENT_AUTH_REQUIRED;
}

static void
add_group (struct options *options, const char *value)
{
  if (options->n_groups < MAX_NUMBERS)
    options->groups[options->n_groups++] = (uint16_t) strtoul (value, NULL, 10);
}

static uint16_t
srtp_profile (const char *name, size_t len)
{
  static const struct
  {
    const char *name;
    uint16_t profile; /* IANA's number */
  } profiles[] = {
    { "SRTP_AES128_CM_SHA1_80", 0x0001 },
    { "SRTP_AES128_CM_SHA1_32", 0x0002 },
    { "SRTP_AEAD_AES_128_GCM", 0x0007 },
    { "SRTP_AEAD_AES_256_GCM", 0x0008 },
  };

  for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
    if (strlen (profiles[i].name) == len && memcmp (profiles[i].name, name, len) == 0)
      return profiles[i].profile;

  exit (EXIT_UNIMPLEMENTED);
}

/* Names with colons between them. */
static void
set_srtp_profiles (struct options *options, const char *value)
{
  while (*value != '\0' && options->n_srtp_profiles < MAX_NUMBERS)
    {
      size_t len = strcspn (value, ":");

      options->srtp_profiles[options->n_srtp_profiles++] = srtp_profile (value, len);
      value += len + (value[len] == ':');
    }
}

/* ------------------------------------------------------------------------------------ the table */

enum option_kind
{
  FLAG,         /* a bool becomes true */
  NUMBER,       /* a size_t */
  TEXT,         /* a const char * */
  CALL,         /* `set`, with a value */
  SWITCH,       /* `set`, without one */
  NOTHING,      /* what we always do, or what cannot be seen from outside */
  NOTHING_MORE, /* the same, with a value */
};

struct option_row
{
  const char *name;
  enum option_kind kind;
  size_t offset;
  void (*set) (struct options *, const char *);
};

#define AT(field) offsetof (struct options, field), NULL
#define BY(function) 0, function

/* clang-format off */
static const struct option_row rows[] = {
  { "port",                           NUMBER,       AT (port) },
  { "shim-id",                        CALL,         BY (set_shim_id) },
  { "ipv6",                           FLAG,         AT (is_ipv6) },
  { "dtls",                           NOTHING,      BY (NULL) },
  { "server",                         FLAG,         AT (is_server) },
  { "async",                          NOTHING,      BY (NULL) },
  { "implicit-handshake",             NOTHING,      BY (NULL) },
  { "resume-count",                   NUMBER,       AT (resume_count) },
  { "shim-writes-first",              FLAG,         AT (shim_writes_first) },
  { "send-alert",                     FLAG,         AT (sends_alert) },
  { "key-update-before-read",         FLAG,         AT (updates_keys) },

  { "min-version",                    NUMBER,       AT (min_version) },
  { "max-version",                    NUMBER,       AT (max_version) },
  { "no-tls1",                        NOTHING,      BY (NULL) },
  { "no-tls12",                       FLAG,         AT (has_no_12) },
  { "no-tls13",                       FLAG,         AT (has_no_13) },
  { "curves",                         CALL,         BY (add_group) },
  { "srtp-profiles",                  CALL,         BY (set_srtp_profiles) },

  { "cert-file",                      CALL,         BY (load_chain) },
  { "key-file",                       CALL,         BY (load_key) },
  { "private-key-delay-ms",           NUMBER,       AT (key_delay_ms) },
  { "trust-cert",                     NOTHING_MORE, BY (NULL) },
  { "verify-peer",                    SWITCH,       BY (set_verify_peer) },
  { "require-any-client-certificate", SWITCH,       BY (set_require_certificate) },
  { "verify-fail",                    FLAG,         AT (verify_fails) },
  { "use-custom-verify-callback",     FLAG,         AT (has_custom_verify) },
  { "verify-prefs",                   NOTHING_MORE, BY (NULL) },
  { "psk",                            TEXT,         AT (psk) },
  { "psk-identity",                   TEXT,         AT (psk_identity) },
  { "no-ticket",                      FLAG,         AT (has_no_ticket) },
  { "renegotiate-freely",             NOTHING,      BY (NULL) },

  { "mtu",                            NUMBER,       AT (mtu) },
  { "initial-timeout-duration-ms",    NUMBER,       AT (retransmit_initial_ms) },
  { "max-cert-list",                  NUMBER,       AT (max_certificate_message) },

  { "host-name",                      TEXT,         AT (host_name) },
  { "no-server-name-ack",             FLAG,         AT (hides_server_name) },
  { "advertise-alpn",                 TEXT,         AT (advertise_alpn) },
  { "select-alpn",                    TEXT,         AT (select_alpn) },
  { "decline-alpn",                   FLAG,         AT (declines_alpn) },
  { "reject-alpn",                    FLAG,         AT (rejects_alpn) },
  { "select-empty-alpn",              FLAG,         AT (selects_empty_alpn) },
  { "allow-unknown-alpn-protos",      FLAG,         AT (allows_unknown_alpn) },

  { "expect-alpn",                    TEXT,         AT (expect_alpn) },
  { "expect-advertised-alpn",         NOTHING_MORE, BY (NULL) },
  { "expect-server-name",             TEXT,         AT (expect_server_name) },
  { "expect-verify-result",           NOTHING,      BY (NULL) },
  { "expect-hrr",                     FLAG,         AT (expects_retry) },
  { "expect-no-hrr",                  FLAG,         AT (expects_no_retry) },
  { "expect-early-data-reason",       NOTHING_MORE, BY (NULL) },
  { "expect-session-miss",            FLAG,         AT (expects_session_miss) },
  { "expect-session-id",              FLAG,         AT (expects_session_id) },
  { "expect-no-session-id",           FLAG,         AT (expects_no_session_id) },
  { "expect-ticket-renewal",          FLAG,         AT (expects_ticket_renewal) },
  { "expect-no-session",              FLAG,         AT (expects_no_session) },

  { "export-keying-material",         NUMBER,       AT (export_len) },
  { "export-label",                   TEXT,         AT (export_label) },
  { "export-context",                 TEXT,         AT (export_context) },
  { "use-export-context",             FLAG,         AT (has_export_context) },
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

static bool
has_value (const struct option_row *row)
{
  return row->kind != FLAG && row->kind != SWITCH && row->kind != NOTHING;
}

static void
set_option (struct options *options, const struct option_row *row, const char *value)
{
  void *field = (uint8_t *) options + row->offset;

  switch (row->kind)
    {
    case FLAG:
      *(bool *) field = true;
      break;
    case NUMBER:
      *(size_t *) field = strtoul (value, NULL, 10);
      break;
    case TEXT:
      *(const char **) field = value;
      break;
    case CALL:
    case SWITCH:
      row->set (options, value);
      break;
    case NOTHING:
    case NOTHING_MORE:
      break;
    }
}

/* Takes the prefix off a name. Whether the option counts for this connection. */
static bool
is_for (const char **name, unsigned index)
{
  static const char initial[] = "on-initial-", resume[] = "on-resume-";

  if (strncmp (*name, initial, sizeof initial - 1) == 0)
    {
      *name += sizeof initial - 1;
      return index == 0;
    }
  if (strncmp (*name, resume, sizeof resume - 1) == 0)
    {
      *name += sizeof resume - 1;
      return index > 0;
    }

  return true;
}

void
options_parse (struct options *options, int argc, char **argv, unsigned index)
{
  *options = (struct options){ .export_label = "", .export_context = "" };

  for (int i = 1; i < argc; i++)
    {
      const char *name = argv[i] + 1, *value = NULL;
      const struct option_row *row;
      bool counts;

      if (strcmp (argv[i], "-is-handshaker-supported") == 0)
        {
          puts ("No");
          exit (0);
        }

      counts = is_for (&name, index);
      row = argv[i][0] == '-' ? find_row (name) : NULL;
      if (row == NULL || (has_value (row) && i + 1 == argc))
        exit (EXIT_UNIMPLEMENTED);
      if (has_value (row))
        value = argv[++i];
      if (counts)
        set_option (options, row, value);
    }
}

void
options_clear (struct options *options)
{
  for (size_t i = 0; i < options->n_chain; i++)
    OPENSSL_free ((void *) (uintptr_t) options->chain[i].at);
  OPENSSL_free ((void *) (uintptr_t) options->key.at);
}
