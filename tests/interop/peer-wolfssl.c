/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Knows wolfSSL 5.5: a session of peer.h on it. Its server always sends a cookie. Debian builds it
 * without WOLFSSL_DTLS_MTU, so it has no say over the size of its datagrams.
 */

#include "peer.h"

#include <stdlib.h>
#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

struct session
{
  const struct options *options;
  WOLFSSL_CTX *context;
  WOLFSSL *ssl;
  int wait_ms; /* the library counts in seconds; we count for it, and double as it does */
  bool is_connected;
};

/* What --suite and --group may say. Without --suite all AEAD suites are offered, in this order. */
static const struct
{
  const char *name;
  const char *list;
} suites[] = {
  { "AES-128-GCM", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256" },
  { "AES-256-GCM", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384" },
  { "CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305" },
};

static const struct
{
  const char *name;
  word16 id;
} groups[] = {
  { "X25519", WOLFSSL_ECC_X25519 },
  { "P-256", WOLFSSL_ECC_SECP256R1 },
  { "P-384", WOLFSSL_ECC_SECP384R1 },
};

static const char all_suites[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

static enum outcome
outcome_of (struct session *session, const char *call, int result)
{
  char text[WOLFSSL_MAX_ERROR_SZ];
  int error;

  if (result > 0)
    return DONE;

  error = wolfSSL_get_error (session->ssl, result);
  if (error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE)
    return AGAIN;
  if (error == WOLFSSL_ERROR_ZERO_RETURN)
    return CLOSED;

  wolfSSL_ERR_error_string_n ((unsigned long) error, text, sizeof text);
  return complain ("%s: %d %s", call, error, text);
}

/* --- setting up --- */

static enum outcome
load_files (struct session *session)
{
  const struct options *options = session->options;
  WOLFSSL_CTX *context = session->context;

  if (options->ca && wolfSSL_CTX_load_verify_locations (context, options->ca, NULL) != SSL_SUCCESS)
    return complain ("cannot read %s", options->ca);
  if (options->cert
      && wolfSSL_CTX_use_certificate_chain_file (context, options->cert) != SSL_SUCCESS)
    return complain ("cannot read %s", options->cert);
  if (options->key
      && wolfSSL_CTX_use_PrivateKey_file (context, options->key, SSL_FILETYPE_PEM) != SSL_SUCCESS)
    return complain ("cannot read %s", options->key);

  return DONE;
}

static const char *
suite_list (const char *wanted)
{
  for (size_t i = 0; wanted && i < sizeof suites / sizeof *suites; i++)
    if (strcmp (wanted, suites[i].name) == 0)
      return suites[i].list;

  return wanted ? NULL : all_suites;
}

static bool
use_group (WOLFSSL_CTX *context, const char *wanted)
{
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    if (strcmp (wanted, groups[i].name) == 0)
      return wolfSSL_CTX_UseSupportedCurve (context, groups[i].id) == SSL_SUCCESS;

  return false;
}

static enum outcome
choose_algorithms (struct session *session)
{
  const struct options *options = session->options;
  const char *chosen = suite_list (options->suite);

  if (!chosen || wolfSSL_CTX_set_cipher_list (session->context, chosen) != SSL_SUCCESS)
    return complain ("no such suite: %s", options->suite);
  if (options->group && !use_group (session->context, options->group))
    return complain ("no such group: %s", options->group);
  if (options->group && options->is_server)
    return complain ("this wolfSSL's server takes whatever group the client has");
  if (options->mtu > 0)
    return complain ("this wolfSSL cannot be told an MTU");

  return DONE;
}

static enum outcome
configure (struct session *session)
{
  const struct options *options = session->options;
  bool checks_peer = !options->is_server || options->wants_client_certificate;

  session->context = wolfSSL_CTX_new (options->is_server ? wolfDTLSv1_2_server_method ()
                                                         : wolfDTLSv1_2_client_method ());
  if (!session->context)
    return complain ("no context");

  wolfSSL_CTX_set_verify (
      session->context,
      checks_peer ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, NULL);
  if (options->without_extended_master_secret)
    wolfSSL_CTX_DisableExtendedMasterSecret (session->context);

  if (load_files (session) != DONE)
    return FAILED;
  return choose_algorithms (session);
}

static enum outcome
connect_ssl (struct session *session, int fd)
{
  const char *name = session->options->servername;

  session->ssl = wolfSSL_new (session->context);
  if (!session->ssl || wolfSSL_set_dtls_fd_connected (session->ssl, fd) != SSL_SUCCESS)
    return complain ("no session");
  wolfSSL_dtls_set_using_nonblock (session->ssl, 1);

  if (!session->options->is_server
      && (wolfSSL_UseSNI (session->ssl, WOLFSSL_SNI_HOST_NAME, name, (word16) strlen (name))
              != SSL_SUCCESS
          || wolfSSL_check_domain_name (session->ssl, name) != SSL_SUCCESS))
    return complain ("cannot ask for %s", name);

  return DONE;
}

struct session *
session_new (const struct options *options, int fd)
{
  struct session *session = calloc (1, sizeof *session);

  if (!session)
    abort ();

  wolfSSL_Init ();
  session->options = options;
  session->wait_ms = RETRANSMIT_MS;

  if (configure (session) == DONE && connect_ssl (session, fd) == DONE)
    return session;

  session_free (session);
  return NULL;
}

void
session_free (struct session *session)
{
  if (!session)
    return;

  wolfSSL_free (session->ssl);
  wolfSSL_CTX_free (session->context);
  wolfSSL_Cleanup ();
  free (session);
}

/* --- speaking --- */

enum outcome
session_handshake (struct session *session)
{
  int result =
      session->options->is_server ? wolfSSL_accept (session->ssl) : wolfSSL_connect (session->ssl);
  enum outcome outcome = outcome_of (session, "handshake", result);

  session->is_connected = outcome == DONE;
  return outcome;
}

enum outcome
session_read (struct session *session, char *buffer, size_t capacity, size_t *out_len)
{
  int result = wolfSSL_read (session->ssl, buffer, (int) capacity);

  *out_len = result > 0 ? (size_t) result : 0;
  return outcome_of (session, "read", result);
}

enum outcome
session_write (struct session *session, const char *data, size_t len)
{
  return outcome_of (session, "write", wolfSSL_write (session->ssl, data, (int) len));
}

void
session_close (struct session *session)
{
  wolfSSL_shutdown (session->ssl);
}

int
session_wait_ms (const struct session *session)
{
  return session->is_connected ? -1 : session->wait_ms;
}

enum outcome
session_expired (struct session *session)
{
  if (session->is_connected)
    return DONE;

  if (session->wait_ms < RETRANSMIT_MAX_MS)
    session->wait_ms *= 2;
  if (wolfSSL_dtls_got_timeout (session->ssl) != SSL_SUCCESS)
    return complain ("too many retransmissions");

  return DONE;
}

const char *
session_version (const struct session *session)
{
  return wolfSSL_get_version (session->ssl);
}

const char *
session_suite (const struct session *session)
{
  return wolfSSL_get_cipher_name (session->ssl);
}

const char *
session_group (const struct session *session)
{
  return wolfSSL_get_curve_name (session->ssl);
}
