/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Knows NSS: a session of peer.h on it, without a database, so all is in memory. Debian 12's 3.87
 * speaks a draft of DTLS 1.3 and no more, so that is off.
 */

#include "peer.h"

#include <cert.h>
#include <certdb.h>
#include <fcntl.h>
#include <nss.h>
#include <nssb64.h>
#include <pk11pub.h>
#include <private/pprio.h>
#include <prerror.h>
#include <secerr.h>
#include <secmod.h>
#include <ssl.h>
#include <sslproto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum
{
  MAX_CHAIN = 4,
  MAX_PEM = 1 << 14,
  MAX_NAME = 64,
};

struct context
{
  const struct options *options;
  CERTCertificate *authorities[MAX_CHAIN]; /* (owned) who is trusted */
  CERTCertificate *chain[MAX_CHAIN];       /* (owned) ours; NSS finds the issuers while they live */
  SECKEYPrivateKey *key;                   /* (owned) (nullable) */
};

struct session
{
  struct context *context; /* (unowned) */
  PRFileDesc *ssl;
  SSLChannelInfo info; /* once it is connected */
  bool is_connected;
  char alpn[MAX_NAME];
};

/* Without --suite all of them are offered. */
static const struct
{
  const char *name;
  PRInt32 with_ecdsa;
  PRInt32 with_rsa;
} suites[] = {
  { "AES-128-GCM", TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 },
  { "AES-256-GCM", TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 },
  { "CHACHA20-POLY1305", TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 },
};

static const struct
{
  const char *name;
  SSLNamedGroup group;
} groups[] = {
  { "X25519", ssl_grp_ec_curve25519 },
  { "P-256", ssl_grp_ec_secp256r1 },
  { "P-384", ssl_grp_ec_secp384r1 },
};

static enum outcome
fail (const char *call)
{
  PRErrorCode code = PR_GetError ();

  return complain ("%s: %d %s", call, code, PR_ErrorToString (code, PR_LANGUAGE_I_DEFAULT));
}

static enum outcome
outcome_of (const char *call, bool is_done)
{
  if (is_done)
    return DONE;
  return PR_GetError () == PR_WOULD_BLOCK_ERROR ? AGAIN : fail (call);
}

/* --- certificates and keys --- */

static bool
read_file (const char *path, char text[MAX_PEM])
{
  FILE *file = fopen (path, "r");
  size_t len;

  if (!file)
    return false;
  len = fread (text, 1, MAX_PEM - 1, file);
  text[len] = '\0';
  fclose (file);

  return true;
}

/* The next PEM object of a text, as DER; false if there is none. */
static bool
next_pem (char **text, SECItem *out_der)
{
  char *begin = strstr (*text, "-----BEGIN");
  char *end = begin ? strstr (begin, "-----END") : NULL;

  begin = begin ? strchr (begin, '\n') : NULL;
  if (!begin || !end)
    return false;

  *text = end + strlen ("-----END");
  *out_der = (SECItem){ siBuffer, NULL, 0 };
  return NSSBase64_DecodeBuffer (NULL, out_der, begin, (unsigned) (end - begin)) != NULL;
}

static enum outcome
load_certificates (const char *path, CERTCertificate *list[MAX_CHAIN])
{
  char text[MAX_PEM];
  char *at = text;
  SECItem der;

  if (!read_file (path, text))
    return complain ("cannot read %s", path);

  for (int i = 0; i < MAX_CHAIN && next_pem (&at, &der); i++)
    {
      list[i] = CERT_NewTempCertificate (CERT_GetDefaultCertDB (), &der, NULL, PR_FALSE, PR_TRUE);
      SECITEM_FreeItem (&der, PR_FALSE);
      if (!list[i])
        return fail (path);
    }

  return list[0] ? DONE : complain ("no certificate in %s", path);
}

static enum outcome
trust (CERTCertificate *authority)
{
  CERTCertTrust flags = { .sslFlags =
                              CERTDB_VALID_CA | CERTDB_TRUSTED_CA | CERTDB_TRUSTED_CLIENT_CA };

  if (CERT_ChangeCertTrust (CERT_GetDefaultCertDB (), authority, &flags) != SECSuccess)
    return fail ("trust");
  return DONE;
}

/* NSS wants to be told the public half. */
static SECItem *
public_value (SECKEYPublicKey *key)
{
  return key->keyType == ecKey ? &key->u.ec.publicValue : &key->u.rsa.modulus;
}

static SECStatus
import_key (struct context *context, SECItem *der)
{
  PK11SlotInfo *slot = PK11_GetInternalSlot ();
  SECKEYPublicKey *public_key = CERT_ExtractPublicKey (context->chain[0]);
  SECStatus status = SECFailure;

  if (slot && public_key)
    status = PK11_ImportDERPrivateKeyInfoAndReturnKey (
        slot, der, NULL, public_value (public_key), PR_FALSE, PR_TRUE, KU_ALL, &context->key, NULL);

  SECKEY_DestroyPublicKey (public_key);
  PK11_FreeSlot (slot);
  return status;
}

static enum outcome
load_key (struct context *context, const char *path)
{
  char text[MAX_PEM];
  char *at = text;
  SECStatus status;
  SECItem der;

  if (!read_file (path, text) || !next_pem (&at, &der))
    return complain ("cannot read %s", path);

  status = import_key (context, &der);
  SECITEM_ZfreeItem (&der, PR_FALSE);
  return status == SECSuccess ? DONE : fail (path);
}

static enum outcome
load_files (struct context *context)
{
  const struct options *options = context->options;

  if (options->ca && load_certificates (options->ca, context->authorities) != DONE)
    return FAILED;
  for (int i = 0; i < MAX_CHAIN && context->authorities[i]; i++)
    if (trust (context->authorities[i]) != DONE)
      return FAILED;
  if (options->cert && load_certificates (options->cert, context->chain) != DONE)
    return FAILED;

  return options->key ? load_key (context, options->key) : DONE;
}

static enum outcome
start (struct context *context)
{
  if (NSS_NoDB_Init (NULL) != SECSuccess || NSS_SetDomesticPolicy () != SECSuccess)
    return fail ("NSS");
  if (context->options->is_server && SSL_ConfigServerSessionIDCache (0, 0, 0, NULL) != SECSuccess)
    return fail ("session cache");

  return load_files (context);
}

struct context *
context_new (const struct options *options)
{
  struct context *context = calloc (1, sizeof *context);

  if (!context)
    abort ();

  context->options = options;
  if (options->min_version == DTLS_1_3 || options->identity)
    complain ("NSS has neither DTLS 1.3 nor PSK");
  else if (start (context) == DONE)
    return context;

  context_free (context);
  return NULL;
}

void
context_free (struct context *context)
{
  if (!context)
    return;

  for (int i = 0; i < MAX_CHAIN; i++)
    {
      if (context->chain[i])
        CERT_DestroyCertificate (context->chain[i]);
      if (context->authorities[i])
        CERT_DestroyCertificate (context->authorities[i]);
    }
  if (context->key)
    SECKEY_DestroyPrivateKey (context->key);
  if (NSS_IsInitialized ())
    {
      SSL_ClearSessionCache ();
      NSS_Shutdown ();
    }
  free (context);
}

/* --- setting up --- */

static SECStatus
choose_suites (PRFileDesc *ssl, const char *wanted)
{
  const PRUint16 *all = SSL_GetImplementedCiphers ();
  SECStatus status = SECSuccess;

  for (PRUint16 i = 0; i < SSL_GetNumImplementedCiphers (); i++)
    SSL_CipherPrefSet (ssl, all[i], PR_FALSE);

  for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
    if (!wanted || strcmp (wanted, suites[i].name) == 0)
      if (SSL_CipherPrefSet (ssl, suites[i].with_ecdsa, PR_TRUE) != SECSuccess
          || SSL_CipherPrefSet (ssl, suites[i].with_rsa, PR_TRUE) != SECSuccess)
        status = SECFailure;

  return status;
}

static enum outcome
choose_groups (PRFileDesc *ssl, const char *list)
{
  SSLNamedGroup chosen[sizeof groups / sizeof *groups];
  unsigned n = 0;
  char name[MAX_NAME];

  while (n < sizeof chosen / sizeof *chosen && next_name (&list, name, sizeof name))
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
      if (strcmp (name, groups[i].name) == 0)
        chosen[n++] = groups[i].group;

  if (n == 0 || SSL_NamedGroupConfig (ssl, chosen, n) != SECSuccess)
    return complain ("cannot use these groups");
  return DONE;
}

/* RFC 7301 §3.1: a list of names, each after its length; here of one. */
static SECStatus
offer_protocol (PRFileDesc *ssl, const char *name)
{
  unsigned char list[MAX_NAME];
  size_t len = strlen (name);

  if (len >= sizeof list)
    return SECFailure;
  list[0] = (unsigned char) len;
  memcpy (list + 1, name, len);

  return SSL_SetNextProtoNego (ssl, list, (unsigned) len + 1);
}

static enum outcome
choose_algorithms (PRFileDesc *ssl, const struct options *options)
{
  const SSLVersionRange only_1_2 = { SSL_LIBRARY_VERSION_TLS_1_2, SSL_LIBRARY_VERSION_TLS_1_2 };

  if (SSL_VersionRangeSet (ssl, &only_1_2) != SECSuccess
      || choose_suites (ssl, options->suite) != SECSuccess)
    return fail ("suites");
  if (options->groups && choose_groups (ssl, options->groups) != DONE)
    return FAILED;
  if (options->alpn && offer_protocol (ssl, options->alpn) != SECSuccess)
    return fail ("ALPN");

  SSL_OptionSet (ssl, SSL_ENABLE_EXTENDED_MASTER_SECRET, !options->without_extended_master_secret);
  SSL_OptionSet (ssl, SSL_ENABLE_SESSION_TICKETS, options->resumes);
  SSL_OptionSet (ssl, SSL_NO_CACHE, !options->resumes);
  return DONE;
}

static SECStatus
on_certificate_wanted (void *user_data, PRFileDesc *ssl, CERTDistNames *authorities,
                       CERTCertificate **out_certificate, SECKEYPrivateKey **out_key)
{
  const struct context *context = user_data;

  (void) ssl;
  (void) authorities;
  if (!context->key)
    return SECFailure;

  *out_certificate = CERT_DupCertificate (context->chain[0]);
  *out_key = SECKEY_CopyPrivateKey (context->key);
  return SECSuccess;
}

/* NSS asks of an RSA certificate that its key may encrypt, which nothing needs it for any more. */
static bool
is_chain_good (CERTCertificate *peer, SECCertificateUsage usage)
{
  CERTVerifyLog log = { .arena = PORT_NewArena (DER_DEFAULT_CHUNKSIZE) };
  bool is_good = true;

  CERT_VerifyCertificate (CERT_GetDefaultCertDB (), peer, PR_TRUE, usage, PR_Now (), NULL, &log,
                          NULL);
  for (CERTVerifyLogNode *node = log.head; node; node = node->next)
    {
      if (node->error != SEC_ERROR_INADEQUATE_KEY_USAGE)
        {
          PR_SetError ((PRErrorCode) node->error, 0);
          is_good = false;
        }
      CERT_DestroyCertificate (node->cert);
    }

  PORT_FreeArena (log.arena, PR_FALSE);
  return is_good;
}

static SECStatus
on_chain (void *user_data, PRFileDesc *ssl, PRBool checks_signature, PRBool is_server)
{
  const struct context *context = user_data;
  CERTCertificate *peer = SSL_PeerCertificate (ssl);
  SECCertificateUsage usage = is_server ? certificateUsageSSLClient : certificateUsageSSLServer;
  SECStatus status = peer && is_chain_good (peer, usage) ? SECSuccess : SECFailure;

  (void) checks_signature;
  if (status == SECSuccess && !is_server)
    status = CERT_VerifyCertName (peer, context->options->servername);

  CERT_DestroyCertificate (peer);
  return status;
}

static enum outcome
become_server (PRFileDesc *ssl, const struct context *context)
{
  bool asks = context->options->wants_client_certificate;

  if (SSL_ConfigServerCert (ssl, context->chain[0], context->key, NULL, 0) != SECSuccess)
    return fail ("certificate");
  SSL_OptionSet (ssl, SSL_REQUEST_CERTIFICATE, asks);
  SSL_OptionSet (ssl, SSL_REQUIRE_CERTIFICATE, asks ? SSL_REQUIRE_ALWAYS : SSL_REQUIRE_NEVER);

  return SSL_ResetHandshake (ssl, PR_TRUE) == SECSuccess ? DONE : fail ("reset");
}

static enum outcome
become_client (PRFileDesc *ssl, struct context *context)
{
  if (SSL_SetURL (ssl, context->options->servername) != SECSuccess
      || SSL_GetClientAuthDataHook (ssl, on_certificate_wanted, context) != SECSuccess
      || SSL_ResetHandshake (ssl, PR_FALSE) != SECSuccess)
    return fail ("client");

  return DONE;
}

static enum outcome
prepare (struct session *session)
{
  struct context *context = session->context;
  const struct options *options = context->options;

  if (choose_algorithms (session->ssl, options) != DONE)
    return FAILED;
  if (SSL_AuthCertificateHook (session->ssl, on_chain, context) != SECSuccess)
    return fail ("hook");

  return options->is_server ? become_server (session->ssl, context)
                            : become_client (session->ssl, context);
}

/* peer.c keeps its descriptor, so NSS has one of its own. */
static PRFileDesc *
import_socket (int fd)
{
  PRSocketOptionData option = { .option = PR_SockOpt_Nonblocking, .value.non_blocking = PR_TRUE };
  PRFileDesc *udp = PR_ImportUDPSocket (fcntl (fd, F_DUPFD_CLOEXEC, 0));
  PRFileDesc *ssl;

  if (!udp)
    return NULL;
  ssl = PR_SetSocketOption (udp, &option) == PR_SUCCESS ? DTLS_ImportFD (NULL, udp) : NULL;
  if (!ssl)
    PR_Close (udp);

  return ssl;
}

struct session *
session_new (struct context *context, int fd)
{
  struct session *session = calloc (1, sizeof *session);

  if (!session)
    abort ();

  session->context = context;
  session->ssl = import_socket (fd);
  if (session->ssl ? prepare (session) == DONE : fail ("socket") == DONE)
    return session;

  session_free (session);
  return NULL;
}

void
session_free (struct session *session)
{
  if (!session)
    return;

  if (session->ssl)
    PR_Close (session->ssl);
  free (session);
}

/* --- speaking --- */

static void
note_protocol (struct session *session)
{
  SSLNextProtoState state;
  unsigned len = 0;

  if (SSL_GetNextProto (session->ssl, &state, (unsigned char *) session->alpn, &len,
                        sizeof session->alpn - 1)
          != SECSuccess
      || (state != SSL_NEXT_PROTO_NEGOTIATED && state != SSL_NEXT_PROTO_SELECTED))
    len = 0;
  session->alpn[len] = '\0';
}

enum outcome
session_handshake (struct session *session)
{
  enum outcome outcome = outcome_of ("handshake", SSL_ForceHandshake (session->ssl) == SECSuccess);

  if (outcome == DONE)
    {
      session->is_connected = true;
      SSL_GetChannelInfo (session->ssl, &session->info, sizeof session->info);
      note_protocol (session);
    }
  return outcome;
}

enum outcome
session_read (struct session *session, char *buffer, size_t capacity, size_t *out_len)
{
  PRInt32 result = PR_Recv (session->ssl, buffer, (PRInt32) capacity, 0, PR_INTERVAL_NO_WAIT);

  *out_len = result > 0 ? (size_t) result : 0;
  return result == 0 ? CLOSED : outcome_of ("read", result > 0);
}

enum outcome
session_write (struct session *session, const char *data, size_t len)
{
  PRInt32 result = PR_Send (session->ssl, data, (PRInt32) len, 0, PR_INTERVAL_NO_WAIT);

  return outcome_of ("write", result >= 0);
}

void
session_close (struct session *session)
{
  PR_Shutdown (session->ssl, PR_SHUTDOWN_SEND);
}

enum outcome
session_update_keys (struct session *session)
{
  (void) session;
  return complain ("NSS has no DTLS 1.3");
}

/* Its own timer, which starts at 50 ms. */
int
session_wait_ms (const struct session *session)
{
  PRIntervalTime timeout;

  if (session->is_connected || DTLS_GetHandshakeTimeout (session->ssl, &timeout) != SECSuccess)
    return -1;
  return (int) PR_IntervalToMilliseconds (timeout) + 1;
}

/* The library looks when it is next called. */
enum outcome
session_expired (struct session *session)
{
  (void) session;
  return DONE;
}

const char *
session_version (const struct session *session)
{
  return session->info.protocolVersion == SSL_LIBRARY_VERSION_TLS_1_2 ? "DTLSv1.2" : "-";
}

const char *
session_suite (const struct session *session)
{
  for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
    if (session->info.cipherSuite == suites[i].with_ecdsa
        || session->info.cipherSuite == suites[i].with_rsa)
      return suites[i].name;

  return "-";
}

const char *
session_group (const struct session *session)
{
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    if (session->info.keaGroup == groups[i].group)
      return groups[i].name;

  return "-";
}

const char *
session_alpn (const struct session *session)
{
  return session->alpn[0] ? session->alpn : "-";
}

const char *
session_kind (const struct session *session)
{
  return session->info.resumed ? "resumed" : "full";
}
