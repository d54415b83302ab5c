/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Knows wolfSSL: a session of peer.h on it. Debian's (5.5) has DTLS 1.2 alone, and no say over the
 * size of its datagrams; the one that build-peers makes (5.9) has DTLS 1.3 and WOLFSSL_DTLS_MTU.
 */

#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

struct context
{
  const struct options *options;
  WOLFSSL_CTX *wolf;
  WOLFSSL_SESSION *previous; /* (owned) (nullable) what a client resumes */
};

struct session
{
  struct context *context; /* (unowned) */
  WOLFSSL *ssl;
  int fd;
  int wait_ms; /* the library counts in seconds; we count for it, and double as it does */
  bool is_1_3;
  bool is_connected;
};

/* What --suite and --groups may say. Without --suite all AEAD suites are offered, in this order. */
static const struct
{
  const char *name;
  const char *list;
} suites[] = {
  { "AES-128-GCM",
    "TLS13-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256" },
  { "AES-256-GCM",
    "TLS13-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384" },
  { "CHACHA20-POLY1305", "TLS13-CHACHA20-POLY1305-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
                         "ECDHE-RSA-CHACHA20-POLY1305" },
  { "PSK-AES-128-GCM", "PSK-AES128-GCM-SHA256" },
  { "ECDHE-PSK-CHACHA20-POLY1305", "ECDHE-PSK-CHACHA20-POLY1305" },
};

static const char all_suites[] = "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:"
                                 "TLS13-CHACHA20-POLY1305-SHA256:"
                                 "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

enum
{
  MAX_GROUPS = 8,
};

static const struct
{
  const char *name;
  int id;
} groups[] = {
  { "X25519", WOLFSSL_ECC_X25519 },
  { "P-256", WOLFSSL_ECC_SECP256R1 },
  { "P-384", WOLFSSL_ECC_SECP384R1 },
#ifdef WOLFSSL_HAVE_MLKEM
  { "X25519MLKEM768", WOLFSSL_X25519MLKEM768 },
#endif
};

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

/* --- a key that both know --- */

static const struct options *
options_of (WOLFSSL *ssl)
{
  const struct context *context = wolfSSL_get_psk_callback_ctx (ssl);

  return context->options;
}

static unsigned
give_psk (const struct options *options, unsigned char *key, unsigned key_max)
{
  if (options->psk_len > key_max)
    return 0;

  memcpy (key, options->psk, options->psk_len);
  return (unsigned) options->psk_len;
}

static unsigned
on_client_psk (WOLFSSL *ssl, const char *hint, char *identity, unsigned identity_max,
               unsigned char *key, unsigned key_max)
{
  const struct options *options = options_of (ssl);

  (void) hint;
  if (strlen (options->identity) >= identity_max)
    return 0;

  strcpy (identity, options->identity);
  return give_psk (options, key, key_max);
}

static unsigned
on_server_psk (WOLFSSL *ssl, const char *identity, unsigned char *key, unsigned key_max)
{
  const struct options *options = options_of (ssl);

  return strcmp (identity, options->identity) == 0 ? give_psk (options, key, key_max) : 0;
}

#ifdef WOLFSSL_DTLS13
/* RFC 9846 §4.3.11: a key without a hash of its own goes with SHA-256. */
static const char psk_suite_13[] = "TLS13-AES128-GCM-SHA256";

static unsigned
on_client_psk_13 (WOLFSSL *ssl, const char *hint, char *identity, unsigned identity_max,
                  unsigned char *key, unsigned key_max, const char **out_suite)
{
  *out_suite = psk_suite_13;
  return on_client_psk (ssl, hint, identity, identity_max, key, key_max);
}

static unsigned
on_server_psk_13 (WOLFSSL *ssl, const char *identity, unsigned char *key, unsigned key_max,
                  const char **out_suite)
{
  *out_suite = psk_suite_13;
  return on_server_psk (ssl, identity, key, key_max);
}
#endif

static void
use_psk (struct context *context)
{
  WOLFSSL_CTX *wolf = context->wolf;

  wolfSSL_CTX_set_psk_callback_ctx (wolf, context);
  wolfSSL_CTX_set_psk_client_callback (wolf, on_client_psk);
  wolfSSL_CTX_set_psk_server_callback (wolf, on_server_psk);
#ifdef WOLFSSL_DTLS13
  wolfSSL_CTX_set_psk_client_tls13_callback (wolf, on_client_psk_13);
  wolfSSL_CTX_set_psk_server_tls13_callback (wolf, on_server_psk_13);
#endif
}

/* --- setting up --- */

static WOLFSSL_METHOD *
method_of (const struct options *options)
{
  bool is_server = options->is_server;

#ifdef WOLFSSL_DTLS13
  if (options->min_version == DTLS_1_3)
    return is_server ? wolfDTLSv1_3_server_method () : wolfDTLSv1_3_client_method ();
  if (options->max_version == DTLS_1_3)
    return is_server ? wolfDTLS_server_method () : wolfDTLS_client_method ();
#endif
  if (options->min_version == DTLS_1_3)
    return NULL;
  return is_server ? wolfDTLSv1_2_server_method () : wolfDTLSv1_2_client_method ();
}

static enum outcome
load_files (WOLFSSL_CTX *wolf, const struct options *options)
{
  if (options->ca && wolfSSL_CTX_load_verify_locations (wolf, options->ca, NULL) != SSL_SUCCESS)
    return complain ("cannot read %s", options->ca);
  if (options->cert && wolfSSL_CTX_use_certificate_chain_file (wolf, options->cert) != SSL_SUCCESS)
    return complain ("cannot read %s", options->cert);
  if (options->key
      && wolfSSL_CTX_use_PrivateKey_file (wolf, options->key, SSL_FILETYPE_PEM) != SSL_SUCCESS)
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

static int
group_id (const char *name)
{
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    if (strcmp (name, groups[i].name) == 0)
      return groups[i].id;

  return -1;
}

/* In their order, which wolfSSL_CTX_UseSupportedCurve() would not keep; but a context for DTLS 1.2
 * alone knows no other. */
static bool
set_groups (WOLFSSL_CTX *wolf, bool is_1_2, int *ids, int n)
{
  if (!is_1_2)
    return wolfSSL_CTX_set_groups (wolf, ids, n) == SSL_SUCCESS;

  for (int i = 0; i < n; i++)
    if (wolfSSL_CTX_UseSupportedCurve (wolf, (word16) ids[i]) != SSL_SUCCESS)
      return false;

  return true;
}

static enum outcome
use_groups (WOLFSSL_CTX *wolf, const struct options *options)
{
  const char *list = options->groups;
  int ids[MAX_GROUPS];
  int n = 0;
  char name[32];

  for (; n < MAX_GROUPS && next_name (&list, name, sizeof name); n++)
    {
      ids[n] = group_id (name);
      if (ids[n] < 0)
        return complain ("no such group: %s", name);
    }

  if (!set_groups (wolf, options->max_version == DTLS_1_2, ids, n))
    return complain ("cannot use these groups");
  return DONE;
}

static enum outcome
choose_algorithms (WOLFSSL_CTX *wolf, const struct options *options)
{
  const char *list = suite_list (options->suite);

  if (!list || wolfSSL_CTX_set_cipher_list (wolf, list) != SSL_SUCCESS)
    return complain ("cannot use suite %s", options->suite ? options->suite : "list");

  return options->groups ? use_groups (wolf, options) : DONE;
}

static enum outcome
configure (struct context *context)
{
  const struct options *options = context->options;
  bool checks_peer = !options->is_server || options->wants_client_certificate;
  WOLFSSL_METHOD *method = method_of (options);

  context->wolf = method ? wolfSSL_CTX_new (method) : NULL;
  if (!context->wolf)
    return complain ("no context for these versions");

  wolfSSL_CTX_set_verify (
      context->wolf,
      checks_peer ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, NULL);
  if (options->without_extended_master_secret)
    wolfSSL_CTX_DisableExtendedMasterSecret (context->wolf);
  if (options->identity)
    use_psk (context);

  if (load_files (context->wolf, options) != DONE)
    return FAILED;
  return choose_algorithms (context->wolf, options);
}

struct context *
context_new (const struct options *options)
{
  struct context *context = calloc (1, sizeof *context);

  if (!context)
    abort ();

  wolfSSL_Init ();
  context->options = options;
  if (configure (context) == DONE)
    return context;

  context_free (context);
  return NULL;
}

void
context_free (struct context *context)
{
  if (!context)
    return;

  wolfSSL_SESSION_free (context->previous);
  wolfSSL_CTX_free (context->wolf);
  wolfSSL_Cleanup ();
  free (context);
}

/* --- one connection --- */

/* A refusal told by ICMP belongs to an earlier datagram; this one is lost like any other. */
static int
on_send (WOLFSSL *ssl, char *data, int len, void *user_data)
{
  const struct session *session = user_data;
  ssize_t sent = send (session->fd, data, (size_t) len, 0);

  (void) ssl;
  return sent < 0 && errno != ECONNREFUSED ? WOLFSSL_CBIO_ERR_GENERAL : len;
}

static int
on_receive (WOLFSSL *ssl, char *buffer, int capacity, void *user_data)
{
  const struct session *session = user_data;
  ssize_t received = recv (session->fd, buffer, (size_t) capacity, 0);

  (void) ssl;
  return received < 0 ? WOLFSSL_CBIO_ERR_WANT_READ : (int) received;
}

static enum outcome
ask_for_name (WOLFSSL *ssl, const char *name)
{
  if (wolfSSL_UseSNI (ssl, WOLFSSL_SNI_HOST_NAME, name, (word16) strlen (name)) != SSL_SUCCESS
      || wolfSSL_check_domain_name (ssl, name) != SSL_SUCCESS)
    return complain ("cannot ask for %s", name);

  return DONE;
}

static enum outcome
use_alpn (WOLFSSL *ssl, char *name)
{
#ifdef HAVE_ALPN
  if (wolfSSL_UseALPN (ssl, name, (unsigned) strlen (name), WOLFSSL_ALPN_FAILED_ON_MISMATCH)
      == SSL_SUCCESS)
    return DONE;
#else
  (void) ssl;
#endif
  return complain ("cannot use ALPN %s", name);
}

#ifdef WOLFSSL_DTLS13
static enum outcome
prepare_1_3 (WOLFSSL *ssl, const struct options *options)
{
  if (options->mtu > 0 && wolfSSL_dtls_set_mtu (ssl, (word16) options->mtu) != SSL_SUCCESS)
    return complain ("no MTU of %d", options->mtu);
  if (options->max_version != DTLS_1_3 || !options->is_server)
    return DONE;

  /* It takes a hello in pieces only when it may ask for no cookie. */
  if (options->without_cookie)
    {
      if (wolfSSL_disable_hrr_cookie (ssl) != SSL_SUCCESS)
        return complain ("cannot do without cookie");
      return DONE;
    }
  if (wolfSSL_send_hrr_cookie (ssl, NULL, 0) != SSL_SUCCESS
      || wolfSSL_dtls13_allow_ch_frag (ssl, 1) != SSL_SUCCESS)
    return complain ("cannot ask for a cookie");
  return DONE;
}
#endif

static enum outcome
prepare (struct session *session)
{
  const struct context *context = session->context;
  const struct options *options = context->options;

  wolfSSL_dtls_set_using_nonblock (session->ssl, 1);
  wolfSSL_SSLSetIOSend (session->ssl, on_send);
  wolfSSL_SSLSetIORecv (session->ssl, on_receive);
  wolfSSL_SetIOWriteCtx (session->ssl, session);
  wolfSSL_SetIOReadCtx (session->ssl, session);
  if (options->alpn && use_alpn (session->ssl, options->alpn) != DONE)
    return FAILED;
#ifdef WOLFSSL_DTLS13
  if (prepare_1_3 (session->ssl, options) != DONE)
    return FAILED;
#endif
  if (options->is_server)
    return DONE;

  if (context->previous && wolfSSL_set_session (session->ssl, context->previous) != SSL_SUCCESS)
    return complain ("the session cannot be resumed");
#ifdef HAVE_SESSION_TICKET
  if (options->resumes && wolfSSL_UseSessionTicket (session->ssl) != SSL_SUCCESS)
    return complain ("cannot ask for a ticket");
#endif
  return options->identity ? DONE : ask_for_name (session->ssl, options->servername);
}

struct session *
session_new (struct context *context, int fd)
{
  struct session *session = calloc (1, sizeof *session);

  if (!session)
    abort ();

  session->context = context;
  session->fd = fd;
  session->wait_ms = RETRANSMIT_MS;
  session->ssl = wolfSSL_new (context->wolf);

  if (session->ssl && wolfSSL_set_dtls_fd_connected (session->ssl, fd) == SSL_SUCCESS
      && prepare (session) == DONE)
    return session;

  complain ("no session");
  session_free (session);
  return NULL;
}

void
session_free (struct session *session)
{
  if (!session)
    return;

  wolfSSL_free (session->ssl);
  free (session);
}

/* --- speaking --- */

enum outcome
session_handshake (struct session *session)
{
  bool is_server = session->context->options->is_server;
  int result = is_server ? wolfSSL_accept (session->ssl) : wolfSSL_connect (session->ssl);
  enum outcome outcome = outcome_of (session, "handshake", result);

  session->is_connected = outcome == DONE;
  session->is_1_3 = strstr (wolfSSL_get_version (session->ssl), "1.3") != NULL;
  if (session->is_connected)
    session->wait_ms = RETRANSMIT_MS;
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
  struct context *context = session->context;

  if (context->options->resumes && !context->options->is_server && !context->previous)
    context->previous = wolfSSL_get1_session (session->ssl);
  wolfSSL_shutdown (session->ssl);
}

enum outcome
session_update_keys (struct session *session)
{
#ifdef WOLFSSL_DTLS13
  return outcome_of (session, "key update", wolfSSL_update_keys (session->ssl));
#else
  (void) session;
  return complain ("no key update");
#endif
}

/* In 1.3 what follows the handshake is sent again, too. */
int
session_wait_ms (const struct session *session)
{
  if (session->is_connected && !session->is_1_3)
    return -1;
#ifdef WOLFSSL_DTLS13
  if (wolfSSL_dtls13_use_quick_timeout (session->ssl))
    return session->wait_ms / 4;
#endif
  return session->wait_ms;
}

enum outcome
session_expired (struct session *session)
{
  if (session->is_connected && !session->is_1_3)
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
  const char *name = wolfSSL_get_curve_name (session->ssl);

  return name ? name : "-";
}

const char *
session_alpn (const struct session *session)
{
#ifdef HAVE_ALPN
  char *name = NULL;
  word16 len = 0;

  if (wolfSSL_ALPN_GetProtocol (session->ssl, &name, &len) == SSL_SUCCESS && name)
    return name;
#endif
  (void) session;
  return "-";
}

const char *
session_kind (const struct session *session)
{
  return wolfSSL_session_reused (session->ssl) ? "resumed" : "full";
}
