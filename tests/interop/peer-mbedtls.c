/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Knows Mbed TLS 2.28 and 3: a session of peer.h on it. Cookies are on in the server. */

#include "peer.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct context
{
  const struct options *options;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_x509_crt roots;
  mbedtls_x509_crt chain;
  mbedtls_pk_context key;
  mbedtls_ssl_cookie_ctx cookies;
  mbedtls_ssl_ticket_context tickets;
  mbedtls_ssl_config config;
  const char *protocols[2];     /* for ALPN; the second is NULL */
  mbedtls_ssl_session previous; /* what a client resumes, if has_previous */
  bool has_previous;
};

struct session
{
  struct context *context; /* (unowned) */
  int fd;
  long first_due; /* 0: no timer is set */
  long final_due;
  mbedtls_ssl_context ssl;
};

/* What --suite and --groups may say. Without --suite all AEAD suites are offered, in this order. */
static const struct
{
  const char *name;
  int with_ecdsa;
  int with_rsa; /* or the same again */
} suites[] = {
  { "AES-128-GCM", MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 },
  { "AES-256-GCM", MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 },
  { "CHACHA20-POLY1305", MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 },
  { "PSK-AES-128-GCM", MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_PSK_WITH_AES_128_GCM_SHA256 },
  { "PSK-AES-128-CCM-8", MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8, MBEDTLS_TLS_PSK_WITH_AES_128_CCM_8 },
  { "ECDHE-PSK-CHACHA20-POLY1305", MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 },
};

enum
{
  N_SUITES = sizeof suites / sizeof *suites,
  TICKET_LIFETIME_S = 3600,
};

/* --- what 3 has other names for --- */

#if MBEDTLS_VERSION_MAJOR >= 3

struct group
{
  const char *name;
  uint16_t id;
};

static const struct group groups[] = {
  { "X25519", MBEDTLS_SSL_IANA_TLS_GROUP_X25519 },
  { "P-256", MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1 },
  { "P-384", MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1 },
};

/* The list ends with 0. */
static void
set_group (struct context *context, const struct group *group)
{
  static uint16_t list[2];

  list[0] = group->id;
  mbedtls_ssl_conf_groups (&context->config, list);
}

static void
set_min_version (struct context *context)
{
  mbedtls_ssl_conf_min_tls_version (&context->config, MBEDTLS_SSL_VERSION_TLS1_2);
}

static int
load_key (struct context *context, const char *path)
{
  return mbedtls_pk_parse_keyfile (&context->key, path, NULL, mbedtls_ctr_drbg_random,
                                   &context->random);
}

#else

struct group
{
  const char *name;
  mbedtls_ecp_group_id id;
};

static const struct group groups[] = {
  { "X25519", MBEDTLS_ECP_DP_CURVE25519 },
  { "P-256", MBEDTLS_ECP_DP_SECP256R1 },
  { "P-384", MBEDTLS_ECP_DP_SECP384R1 },
};

/* The list ends with MBEDTLS_ECP_DP_NONE. */
static void
set_group (struct context *context, const struct group *group)
{
  static mbedtls_ecp_group_id list[2];

  list[0] = group->id;
  mbedtls_ssl_conf_curves (&context->config, list);
}

static void
set_min_version (struct context *context)
{
  mbedtls_ssl_conf_min_version (&context->config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                MBEDTLS_SSL_MINOR_VERSION_3);
}

static int
load_key (struct context *context, const char *path)
{
  return mbedtls_pk_parse_keyfile (&context->key, path, NULL);
}

#endif

static enum outcome
outcome_of (const char *call, int result)
{
  char text[128];

  if (result >= 0)
    return DONE;
  if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE
      || result == MBEDTLS_ERR_SSL_TIMEOUT)
    return AGAIN;
  if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
    return CLOSED;

  mbedtls_strerror (result, text, sizeof text);
  return complain ("%s: -0x%04x %s", call, (unsigned) -result, text);
}

/* --- what the library asks for --- */

static int
on_send (void *user_data, const unsigned char *data, size_t len)
{
  const struct session *session = user_data;
  ssize_t sent = send (session->fd, data, len, 0);

  /* A refusal told by ICMP belongs to an earlier datagram; this one is lost like any other. */
  return sent < 0 && errno != ECONNREFUSED ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int) len;
}

static int
on_receive (void *user_data, unsigned char *buffer, size_t capacity)
{
  const struct session *session = user_data;
  ssize_t received = recv (session->fd, buffer, capacity, 0);

  return received < 0 ? MBEDTLS_ERR_SSL_WANT_READ : (int) received;
}

static void
on_set_timer (void *user_data, uint32_t first_ms, uint32_t final_ms)
{
  struct session *session = user_data;

  session->first_due = final_ms == 0 ? 0 : now_ms () + first_ms;
  session->final_due = final_ms == 0 ? 0 : now_ms () + final_ms;
}

static int
on_get_timer (void *user_data)
{
  const struct session *session = user_data;
  long now = now_ms ();

  if (session->final_due == 0)
    return -1;
  if (now >= session->final_due)
    return 2;
  return now >= session->first_due ? 1 : 0;
}

/* --- setting up --- */

static const int *
suite_list (const char *wanted)
{
  static int list[2 * N_SUITES + 1];
  size_t n = 0;

  for (size_t i = 0; i < N_SUITES; i++)
    if (!wanted || strcmp (wanted, suites[i].name) == 0)
      {
        list[n++] = suites[i].with_ecdsa;
        list[n++] = suites[i].with_rsa;
      }
  list[n] = 0;

  return n > 0 ? list : NULL;
}

static enum outcome
choose_group (struct context *context, const char *wanted)
{
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    if (strcmp (wanted, groups[i].name) == 0)
      {
        set_group (context, &groups[i]);
        return DONE;
      }

  return complain ("no such group: %s", wanted);
}

static enum outcome
load_files (struct context *context)
{
  const struct options *options = context->options;
  int result = 0;

  if (options->ca)
    result = mbedtls_x509_crt_parse_file (&context->roots, options->ca);
  if (result == 0 && options->cert)
    result = mbedtls_x509_crt_parse_file (&context->chain, options->cert);
  if (result == 0 && options->key)
    result = load_key (context, options->key);
  if (result == 0 && options->cert && options->key)
    result = mbedtls_ssl_conf_own_cert (&context->config, &context->chain, &context->key);
  mbedtls_ssl_conf_ca_chain (&context->config, &context->roots, NULL);

  return outcome_of ("certificates", result);
}

static enum outcome
choose_algorithms (struct context *context)
{
  const struct options *options = context->options;
  const int *chosen_suites = suite_list (options->suite);

  if (!chosen_suites)
    return complain ("no such suite: %s", options->suite);
  mbedtls_ssl_conf_ciphersuites (&context->config, chosen_suites);

  if (options->groups && choose_group (context, options->groups) != DONE)
    return FAILED;

  if (options->without_extended_master_secret)
    mbedtls_ssl_conf_extended_master_secret (&context->config, MBEDTLS_SSL_EXTENDED_MS_DISABLED);

  return DONE;
}

static int
configure_random (struct context *context)
{
  mbedtls_ctr_drbg_context *random = &context->random;
  int result = mbedtls_ctr_drbg_seed (random, mbedtls_entropy_func, &context->entropy, NULL, 0);

  mbedtls_ssl_conf_rng (&context->config, mbedtls_ctr_drbg_random, random);
  return result;
}

/* What only a server has. */
static int
configure_server (struct context *context)
{
  mbedtls_ctr_drbg_context *random = &context->random;
  mbedtls_ssl_config *config = &context->config;
  int result = mbedtls_ssl_cookie_setup (&context->cookies, mbedtls_ctr_drbg_random, random);

  if (result == 0)
    result = mbedtls_ssl_ticket_setup (&context->tickets, mbedtls_ctr_drbg_random, random,
                                       MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME_S);
  if (context->options->without_cookie)
    mbedtls_ssl_conf_dtls_cookies (config, NULL, NULL, NULL);
  else
    mbedtls_ssl_conf_dtls_cookies (config, mbedtls_ssl_cookie_write, mbedtls_ssl_cookie_check,
                                   &context->cookies);
  mbedtls_ssl_conf_session_tickets_cb (config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                       &context->tickets);
  return result;
}

static int
configure_secrets (struct context *context)
{
  const struct options *options = context->options;
  int result = 0;

  context->protocols[0] = options->alpn;
  if (options->alpn)
    result = mbedtls_ssl_conf_alpn_protocols (&context->config, context->protocols);
  if (result == 0 && options->identity)
    result = mbedtls_ssl_conf_psk (&context->config, options->psk, options->psk_len,
                                   (const unsigned char *) options->identity,
                                   strlen (options->identity));
  return result;
}

static enum outcome
configure (struct context *context)
{
  const struct options *options = context->options;
  mbedtls_ssl_config *config = &context->config;
  int endpoint = options->is_server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
  bool checks_peer = !options->is_server || options->wants_client_certificate;
  int result = mbedtls_ssl_config_defaults (config, endpoint, MBEDTLS_SSL_TRANSPORT_DATAGRAM,
                                            MBEDTLS_SSL_PRESET_DEFAULT);

  if (options->min_version == DTLS_1_3)
    return complain ("Mbed TLS has no DTLS 1.3");
  if (result == 0)
    result = configure_random (context);
  if (result == 0 && options->is_server)
    result = configure_server (context);
  if (result == 0)
    result = configure_secrets (context);
  if (result != 0)
    return outcome_of ("configuration", result);

  set_min_version (context);
  mbedtls_ssl_conf_authmode (config,
                             checks_peer ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
  mbedtls_ssl_conf_handshake_timeout (config, RETRANSMIT_MS, RETRANSMIT_MAX_MS);

  if (load_files (context) != DONE)
    return FAILED;
  return choose_algorithms (context);
}

struct context *
context_new (const struct options *options)
{
  struct context *context = calloc (1, sizeof *context);

  if (!context)
    abort ();

  context->options = options;
  mbedtls_entropy_init (&context->entropy);
  mbedtls_ctr_drbg_init (&context->random);
  mbedtls_x509_crt_init (&context->roots);
  mbedtls_x509_crt_init (&context->chain);
  mbedtls_pk_init (&context->key);
  mbedtls_ssl_cookie_init (&context->cookies);
  mbedtls_ssl_ticket_init (&context->tickets);
  mbedtls_ssl_session_init (&context->previous);
  mbedtls_ssl_config_init (&context->config);

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

  mbedtls_ssl_config_free (&context->config);
  mbedtls_ssl_session_free (&context->previous);
  mbedtls_ssl_ticket_free (&context->tickets);
  mbedtls_ssl_cookie_free (&context->cookies);
  mbedtls_pk_free (&context->key);
  mbedtls_x509_crt_free (&context->chain);
  mbedtls_x509_crt_free (&context->roots);
  mbedtls_ctr_drbg_free (&context->random);
  mbedtls_entropy_free (&context->entropy);
  free (context);
}

/* The cookie is bound to the peer's address. */
static int
set_transport_id (struct session *session)
{
  struct sockaddr_storage peer;
  socklen_t peer_len = sizeof peer;

  if (getpeername (session->fd, (struct sockaddr *) &peer, &peer_len) < 0)
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
  return mbedtls_ssl_set_client_transport_id (&session->ssl, (const unsigned char *) &peer,
                                              peer_len);
}

static enum outcome
connect_ssl (struct session *session)
{
  const struct context *context = session->context;
  const struct options *options = context->options;
  int result = mbedtls_ssl_setup (&session->ssl, &context->config);

  if (result == 0 && options->is_server)
    result = set_transport_id (session);
  if (result == 0 && !options->is_server)
    result = mbedtls_ssl_set_hostname (&session->ssl, options->servername);
  if (result == 0 && context->has_previous)
    result = mbedtls_ssl_set_session (&session->ssl, &context->previous);
  if (result != 0)
    return outcome_of ("session", result);

  if (options->mtu > 0)
    mbedtls_ssl_set_mtu (&session->ssl, (uint16_t) options->mtu);
  mbedtls_ssl_set_bio (&session->ssl, session, on_send, on_receive, NULL);
  mbedtls_ssl_set_timer_cb (&session->ssl, session, on_set_timer, on_get_timer);

  return DONE;
}

struct session *
session_new (struct context *context, int fd)
{
  struct session *session = calloc (1, sizeof *session);

  if (!session)
    abort ();

  session->context = context;
  session->fd = fd;
  mbedtls_ssl_init (&session->ssl);

  if (connect_ssl (session) == DONE)
    return session;

  session_free (session);
  return NULL;
}

void
session_free (struct session *session)
{
  if (!session)
    return;

  mbedtls_ssl_free (&session->ssl);
  free (session);
}

/* --- speaking --- */

enum outcome
session_handshake (struct session *session)
{
  int result = mbedtls_ssl_handshake (&session->ssl);

  /* The HelloVerifyRequest is sent; the library starts over with the hello that brings it back. */
  if (result == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED)
    {
      puts ("sent a cookie");
      result = mbedtls_ssl_session_reset (&session->ssl);
      if (result == 0)
        result = set_transport_id (session);
      return result == 0 ? AGAIN : outcome_of ("reset", result);
    }

  /* Its alert is left to us. RFC 5246 §7.4.6: a fatal handshake_failure. */
  if (result == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE)
    mbedtls_ssl_send_alert_message (&session->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                    MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);

  return outcome_of ("handshake", result);
}

enum outcome
session_read (struct session *session, char *buffer, size_t capacity, size_t *out_len)
{
  int result = mbedtls_ssl_read (&session->ssl, (unsigned char *) buffer, capacity);

  *out_len = result > 0 ? (size_t) result : 0;
  return outcome_of ("read", result);
}

enum outcome
session_write (struct session *session, const char *data, size_t len)
{
  return outcome_of ("write", mbedtls_ssl_write (&session->ssl, (const unsigned char *) data, len));
}

void
session_close (struct session *session)
{
  struct context *context = session->context;
  const struct options *options = context->options;

  if (options->resumes && !options->is_server && !context->has_previous)
    context->has_previous = mbedtls_ssl_get_session (&session->ssl, &context->previous) == 0;
  mbedtls_ssl_close_notify (&session->ssl);
}

enum outcome
session_update_keys (struct session *session)
{
  (void) session;
  return complain ("Mbed TLS has no key update");
}

int
session_wait_ms (const struct session *session)
{
  long left = session->final_due - now_ms ();

  if (session->final_due == 0)
    return -1;
  return left > 0 ? (int) left : 0;
}

/* The library asks on_get_timer() when it is next called. */
enum outcome
session_expired (struct session *session)
{
  (void) session;
  return DONE;
}

const char *
session_version (const struct session *session)
{
  return mbedtls_ssl_get_version (&session->ssl);
}

const char *
session_suite (const struct session *session)
{
  return mbedtls_ssl_get_ciphersuite (&session->ssl);
}

const char *
session_group (const struct session *session)
{
  (void) session;
  return "-";
}

const char *
session_alpn (const struct session *session)
{
  const char *name = mbedtls_ssl_get_alpn_protocol (&session->ssl);

  return name ? name : "-";
}

const char *
session_kind (const struct session *session)
{
  (void) session;
  return "-";
}
