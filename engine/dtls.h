/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The whole face of the engine: DTLS as bytes, time and keys in, and bytes, events and a deadline
 * out.
 *
 * The one rule of use: after any input (receive, tick, close, an answer), drain the outputs
 * (dtls_conn_next_datagram, dtls_conn_next_event), then arm the deadline (dtls_conn_deadline).
 *
 * There is no clock, environment, thread, lock, socket or global in here. A connection has a read
 * half, a write half and a control part, and the caller keeps what must not overlap apart:
 *
 *   dtls_conn_read                           touches only the read half
 *   dtls_conn_seal, dtls_conn_max_payload,
 *   dtls_conn_overhead                       touch only the write half
 *   every other call on the connection       touches all three
 *
 * so that with one lock for each, taken in the order control, read, write, one thread may read
 * while another writes.
 *
 * Nothing a peer sends makes a call crash, leak or loop. What fails below the handshake is counted
 * (dtls_conn_stats) and dropped. An error means that this connection is over; it stays over. Only
 * DTLS_ERROR_TOO_LARGE and DTLS_ERROR_NOT_CONNECTED refuse one call and change nothing. */

#pragma once

#include "types.h"

/* ---------------------------------------------------------------------------------- foundations */

/* libcrypto's algorithms, fetched once and lent to everything below. One per process is enough; it
 * is immutable after creation and may be used from many threads. */
struct dtls_crypto;

/* Returns NULL if libcrypto lacks an algorithm that we cannot do without, or memory. */
struct dtls_crypto *dtls_crypto_new (void);
void dtls_crypto_free (struct dtls_crypto *crypto);

/* Cryptographically secure random bytes from libcrypto; false if it has none. */
bool dtls_crypto_random (struct dtls_crypto *crypto, uint8_t *out, size_t len) DTLS_MUST_CHECK;

enum dtls_role
{
  DTLS_CLIENT,
  DTLS_SERVER,
};

enum dtls_version
{
  DTLS_VERSION_UNKNOWN = 0,
  DTLS_1_2 = 0xfefd,
  DTLS_1_3 = 0xfefc, /* versions count downwards */
};

/* The alert description (RFC 5246 §7.2) that tells a peer of `error`, or -1 where none is sent. */
int dtls_error_alert (enum dtls_error error);
/* A sentence fragment in English, static. */
const char *dtls_error_text (enum dtls_error error);
/* "handshake_failure" for 40; NULL for a number without a name. Static. */
const char *dtls_alert_name (uint8_t description);
/* The IANA name, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"; NULL if we do not speak it. Static. */
const char *dtls_suite_name (uint16_t suite);
/* The same of a group, "x25519". */
const char *dtls_group_name (uint16_t group);

/* ---------------------------------------------------------------------------------- credentials */

/* A private key. Immutable after creation; may be used from many threads. */
struct dtls_key;

/* `der` is unencrypted PKCS#8, PKCS#1 or SEC 1. DTLS_ERROR_KEY if it is none of a kind we sign
 * with. */
enum dtls_error dtls_key_new (struct dtls_crypto *crypto, struct bytes der,
                              struct dtls_key **out_key) DTLS_MUST_CHECK;
void dtls_key_free (struct dtls_key *key);
/* Whether `key` belongs to the public key of the certificate `leaf` (DER). */
bool dtls_key_matches (struct dtls_crypto *crypto, const struct dtls_key *key, struct bytes leaf);

/* Who we say we are. Everything is borrowed until the handshake is over. */
struct dtls_credential
{
  const struct bytes *chain; /* DER, leaf first */
  size_t n_chain;
  const struct dtls_key *key; /* (nullable): then DTLS_EVENT_SIGNATURE_NEEDED asks for signatures */
};

/* Facts of a certificate, found by a bounded walk of its DER that judges nothing. */

/* Whether the extended key usage (RFC 5280 §4.2.1.12) lets this leaf serve as a `role`'s: it is
 * absent or names that role's purpose or anyExtendedKeyUsage. False for what is no certificate. */
bool dtls_certificate_may_be (struct bytes der, enum dtls_role role);
/* The subject Name, DER, borrowed from `der`. Empty for what is no certificate. */
struct bytes dtls_certificate_subject (struct bytes der);

/* The hash that a pre-shared key goes with in 1.3, RFC 9846 §4.3.11. */
enum dtls_psk_hash
{
  DTLS_PSK_SHA256, /* what a key without a known hash has */
  DTLS_PSK_SHA384,
};

enum
{
  DTLS_MAX_PSK_IDENTITY_LEN = 1024,
  DTLS_MAX_PSK_LEN = 256,
};

/* A key that both sides had before. Borrowed until the handshake is over. */
struct dtls_psk
{
  struct bytes identity; /* 1 to DTLS_MAX_PSK_IDENTITY_LEN bytes */
  struct bytes key;      /* 1 to DTLS_MAX_PSK_LEN bytes; 16 random ones or more (RFC 9257 §6) */
  /* The one role that we ever have with this key. A key that two nodes use in both roles lets anyone
   * reflect a node's messages to itself (RFC 9257 §4.1): in another role it is refused. */
  enum dtls_role role;
  enum dtls_psk_hash hash;
};

/* Protects tickets. The same keys in several processes make them take each other's tickets. */
struct dtls_ticket_key
{
  uint8_t name[16]; /* goes in the clear */
  uint8_t secret[32];
};

/* The ticket keys of a period and of the one before it, for everybody who has the same 32 random
 * bytes: `period` is the caller's count of whatever span it rotates by. False if libcrypto fails. */
bool dtls_ticket_keys_derive (struct dtls_crypto *crypto, const uint8_t secret[32], uint64_t period,
                              struct dtls_ticket_key out[2]) DTLS_MUST_CHECK;

enum
{
  DTLS_MAX_SESSION_ID_LEN = 32,
  DTLS_MAX_SESSION_LEN = 65535, /* of a session as bytes, either side's */
};

/* A server's memory of 1.2 sessions by their ID: bounded; the oldest goes first. Not to be used from
 * two threads at once. */
struct dtls_session_cache;

struct dtls_session_cache *dtls_session_cache_new (size_t max_sessions, size_t max_bytes);
void dtls_session_cache_free (struct dtls_session_cache *cache);
/* One longer than the whole bound is not kept. The same ID again replaces. */
void dtls_session_cache_store (struct dtls_session_cache *cache, struct bytes id,
                               struct bytes session);
/* Borrowed until the next call; empty if it is not there. */
struct bytes dtls_session_cache_find (const struct dtls_session_cache *cache, struct bytes id);
void dtls_session_cache_drop (struct dtls_session_cache *cache, struct bytes id);
size_t dtls_session_cache_n (const struct dtls_session_cache *cache);

/* -------------------------------------------------------------------------------- configuration */

enum dtls_client_auth
{
  DTLS_CLIENT_AUTH_NONE,
  DTLS_CLIENT_AUTH_REQUESTED,
  DTLS_CLIENT_AUTH_REQUIRED,
};

/* Set up by dtls_config_init, changed by the caller, then borrowed, with all that it points to, for
 * as long as a connection made with it lives. May be shared by connections of many threads. */
struct dtls_config
{
  enum dtls_version min_version; /* DTLS_1_2 */
  enum dtls_version max_version; /* DTLS_1_3 */

  /* What we offer or accept, in order of preference; n 0 takes the defaults. Suites and groups that
   * libcrypto cannot do, or that no version allowed has, are left out. */
  const uint16_t *suites;
  size_t n_suites;
  const uint16_t *groups;
  size_t n_groups;
  /* Client: groups that the first hello of 1.3 brings a share of, among `groups`; n 0: the first of
   * them whose share leaves the hello in one datagram, or else the smallest. X25519MLKEM768 is that
   * only if there is no other. */
  const uint16_t *share_groups;
  size_t n_share_groups;
  const uint16_t *signature_schemes;
  size_t n_signature_schemes;

  struct bytes server_name; /* client: what it sends as SNI, ASCII; empty sends none */
  struct bytes alpn;        /* protocols by preference, each with its length byte; empty: no ALPN */
  /* Server: no name in common ends the handshake with DTLS_ERROR_NO_SHARED_PROTOCOL (RFC 7301 §3.2);
   * otherwise it goes on without a protocol. */
  bool requires_protocol;
  /* Client: takes a name from the server that it did not offer, which RFC 7301 §3.1 forbids, from
   * servers that are known to do so. */
  bool takes_other_protocols;
  const struct dtls_credential *credential; /* (nullable): DTLS_EVENT_CREDENTIAL_NEEDED asks */
  enum dtls_client_auth client_auth;        /* server */
  const struct bytes *authorities;          /* server: DER Names sent in its CertificateRequest */
  size_t n_authorities;
  bool requires_extended_master_secret;
  bool acknowledges_server_name; /* server: RFC 6066 §3, that the SNI counted for something; true */
  /* RFC 5764: protection profiles by preference; n 0: no use_srtp. */
  const uint16_t *srtp_profiles;
  size_t n_srtp_profiles;

  /* Pre-shared keys. With one a client offers it, in 1.2 by suites of its own (which come before
   * the others), and may end up with it or with certificates. */
  const struct dtls_psk *psk; /* (nullable) client */
  bool asks_for_psk;          /* server: DTLS_EVENT_PSK_NEEDED for an identity that it is given */
  struct bytes psk_identity_hint; /* server, 1.2: sent if not empty */
  /* With a key the peer needs no certificate; this refuses a peer that uses one, or a server
   * without a credential's being asked for one. */
  bool requires_psk;

  /* Resumption. A session resumes only under the same SNI, ALPN, client-authentication policy and
   * server certificate, with a suite and version that are still allowed. With external keys only 1.2
   * makes sessions: of the same key, which the server asks for again. */
  struct bytes session; /* client: what dtls_conn_session gave; empty, not ours or too old: none */
  /* When a session resumes, ask for a verdict on the chain that it was made with; true. */
  bool verifies_resumed;
  /* Server: the first one seals tickets, all of them open them; n 0: no tickets. */
  const struct dtls_ticket_key *ticket_keys;
  size_t n_ticket_keys;
  unsigned n_tickets; /* of 1.3, after each handshake: 0 to 4; 2 */
  /* At most seven days (RFC 9846 §4.7.1); 1 day. Renewing a session of 1.2 does not prolong it. */
  dtls_duration ticket_lifetime;
  /* Client: whether it says that it takes tickets in 1.2, and keeps sessions at all; true. */
  bool keeps_sessions;
  /* (nullable, all or none) Server: sessions of 1.2 by ID, for clients without tickets. `find`
   * appends to `out` and returns false where there is none. */
  void (*session_store) (void *data, struct bytes id, struct bytes session);
  bool (*session_find) (void *data, struct bytes id, struct dtls_buffer *out);
  void *session_data;
  /* What makes a dtls_time the time since 1970, for tickets that outlive the process: added to it,
   * modulo 2^64. 0. */
  dtls_time wall_clock_offset;

  size_t mtu;                       /* largest datagram we make, 256 to 65507 bytes; 1400 */
  size_t fallback_mtu;              /* for flights after two lost ones; 1200 */
  size_t max_certificate_message;   /* bytes; 100,000 */
  size_t replay_window;             /* records, 64 to 4096; 256 */
  uint16_t record_size_limit;       /* plaintext bytes we accept in a record (RFC 8449); 2^14 */
  dtls_duration retransmit_initial; /* 400 ms */
  dtls_duration handshake_deadline; /* from the first datagram on; 60 s; DTLS_NEVER for none */
  bool paces_flights;               /* long flights in bursts of ten records; true */
  bool answers_partial_acks;        /* 1.3: what an ACK leaves out is sent again at once; true */

  /* (nullable) One line of RFC 9850, without its newline, for each secret. */
  void (*keylog) (void *data, const char *line);
  void *keylog_data;

  /* (nullable) For tests: takes the place of libcrypto's randomness for what others see anyway: the
   * randoms of hellos, session IDs, ticket_age_add. Keys and signatures always come from libcrypto. */
  void (*random) (void *data, uint8_t *out, size_t len);
  void *random_data;
};

void dtls_config_init (struct dtls_config *config);
/* DTLS_ERROR_CONFIG for what is out of bounds, or leaves no version, suite or group that this libcrypto
 * has. New connections check it by themselves; who answers hellos before there is one checks it first. */
enum dtls_error dtls_config_check (const struct dtls_config *config,
                                   const struct dtls_crypto *crypto) DTLS_MUST_CHECK;

/* ------------------------------------------------------------------------------ the first hello */

/* A server proves a client's address before it keeps anything of it: with HelloVerifyRequest, RFC 6347
 * §4.2.1, or, if both speak 1.3, with the cookie of a HelloRetryRequest, RFC 9846 §4.3.2, which also
 * names the group that the server likes best. */
struct dtls_cookie_keys
{
  struct dtls_crypto *crypto;
  const struct dtls_config *config; /* what the connection will be made with */
  uint8_t current[32];
  uint8_t previous[32]; /* still accepted; equal to `current` before the first rotation */
};

/* A whole ClientHello as it came. */
struct dtls_hello
{
  struct bytes message; /* the body, borrowed: from the datagram, or from the gatherer */
  uint16_t message_seq;
  uint64_t record_number;
};

/* Gathers ClientHellos that came in fragments: fixed size, oldest dropped first, bound to
 * addresses. */
struct dtls_hello_gather;

struct dtls_hello_gather *dtls_hello_gather_new (void);
void dtls_hello_gather_free (struct dtls_hello_gather *gather);
/* Looks for a ClientHello in a datagram from `address` (any bytes that name the sender and its
 * port). True when one is whole; `out_hello` is then good until the next call or a change of the
 * datagram. */
bool dtls_hello_find (struct dtls_hello_gather *gather, struct bytes address, struct bytes datagram,
                      struct dtls_hello *out_hello);

enum dtls_hello_answer
{
  DTLS_HELLO_DROP,   /* no hello of ours */
  DTLS_HELLO_REPLY,  /* send the reply to that address, and forget it */
  DTLS_HELLO_ACCEPT, /* the address is proved: dtls_conn_new_server with this hello */
};

/* A pure function of its arguments. The reply (HelloVerifyRequest, HelloRetryRequest, or the alert
 * that a hello deserves which can never be accepted; never longer than the hello) is appended to
 * `reply`; one without room for it is DTLS_HELLO_DROP. */
enum dtls_hello_answer dtls_hello_answer (const struct dtls_cookie_keys *keys, dtls_time now,
                                          struct bytes address, const struct dtls_hello *hello,
                                          struct dtls_buffer *reply);

/* ---------------------------------------------------------------------------------- connections */

struct dtls_conn;

/* The handshake begins with it: drain the outputs. */
enum dtls_error dtls_conn_new_client (const struct dtls_config *config, struct dtls_crypto *crypto,
                                      dtls_time now, struct dtls_conn **out_conn) DTLS_MUST_CHECK;
/* `hello` is what dtls_hello_answer accepted; or NULL to take the first ClientHello that is
 * received, with its address unproved. */
enum dtls_error dtls_conn_new_server (const struct dtls_config *config, struct dtls_crypto *crypto,
                                      dtls_time now, const struct dtls_hello *hello,
                                      struct dtls_conn **out_conn) DTLS_MUST_CHECK;
/* Wipes every secret. NULL is fine. */
void dtls_conn_free (struct dtls_conn *conn);

/* A datagram under way through dtls_conn_read and dtls_conn_receive. It is opened in place, so the
 * buffer must be writable and is scrambled afterwards. Set `at` and `left`, the rest zero. */
struct dtls_datagram
{
  uint8_t *at;
  size_t left;

  /* A record opened by dtls_conn_read that is not for it. Private. */
  struct
  {
    bool is_set;
    uint8_t type;
    uint16_t epoch;
    uint64_t number;
    uint8_t *at;
    size_t len;
    size_t inner_len;
  } found;
};

enum dtls_read
{
  DTLS_READ_END,     /* nothing left in this datagram, or the connection is over */
  DTLS_READ_DATA,    /* one message of application data, in the datagram's memory; may be empty */
  DTLS_READ_CONTROL, /* the rest must go to dtls_conn_receive */
};

/* Call until DTLS_READ_END. */
enum dtls_read dtls_conn_read (struct dtls_conn *conn, struct dtls_datagram *datagram,
                               struct bytes *out_data) DTLS_MUST_CHECK;
/* The same for the whole connection; never DTLS_READ_CONTROL. After DTLS_EVENT_CONNECTED call it once
 * with an empty datagram: data may be there that came before its time, in memory of the connection's
 * which is good until the next call. */
enum dtls_read dtls_conn_receive (struct dtls_conn *conn, dtls_time now,
                                  struct dtls_datagram *datagram,
                                  struct bytes *out_data) DTLS_MUST_CHECK;
/* Does what is due at `now`. Harmless when nothing is. No deadline tells when the keys of an epoch that is
 * over are forgotten, 240 s later, so that it wakes nobody: who does nothing but dtls_conn_read calls this
 * from time to time. */
void dtls_conn_tick (struct dtls_conn *conn, dtls_time now);

/* One record of application data from `parts`, appended to `out`, which must have room for their
 * sum and dtls_conn_overhead. DTLS_ERROR_TOO_LARGE: more than dtls_conn_max_payload or than the
 * room; nothing was appended. Allocates nothing. */
enum dtls_error dtls_conn_seal (struct dtls_conn *conn, const struct bytes *parts, size_t n_parts,
                                struct dtls_buffer *out) DTLS_MUST_CHECK;
/* The most application data in one record: 2^14, or the peer's record_size_limit. 0 while not
 * connected. */
size_t dtls_conn_max_payload (const struct dtls_conn *conn);
/* The bytes that sealing adds to a message. 0 while not connected. */
size_t dtls_conn_overhead (const struct dtls_conn *conn);

/* Ends our side with a close_notify; nothing can be sealed afterwards, and reading goes on. Before
 * the handshake is over it ends the handshake, and the connection with DTLS_ERROR_CLOSED. */
void dtls_conn_close (struct dtls_conn *conn, dtls_time now);
/* Ends the connection at once with this fatal alert, and with DTLS_ERROR_CLOSED: the application has
 * found something that it will not go on with. */
void dtls_conn_abort (struct dtls_conn *conn, dtls_time now, uint8_t alert);
/* Whether a closed connection still repeats its last flight, with the data behind it: a client of 1.3
 * whose server has not acknowledged it, for a second at most. Freeing it before that may lose the
 * data. */
bool dtls_conn_is_lingering (const struct dtls_conn *conn);

enum dtls_key_update
{
  DTLS_KEY_UPDATE_OURS, /* our sending keys */
  DTLS_KEY_UPDATE_BOTH, /* and the peer's */
};

/* 1.3: new keys (RFC 9147 §8), as soon as flights under way are acknowledged; several requests before
 * that are one. It happens by itself long before keys wear out. DTLS_ERROR_NOT_CONNECTED in 1.2 and
 * before the handshake is over. */
enum dtls_error dtls_conn_update_keys (struct dtls_conn *conn, dtls_time now,
                                       enum dtls_key_update update) DTLS_MUST_CHECK;

/* Appends the next whole datagram; false when there is none. `out` must have room for config.mtu.
 */
bool dtls_conn_next_datagram (struct dtls_conn *conn, struct dtls_buffer *out);
/* Another size for the datagrams that we make from here on, also for what is sent again: 256 to
 * 65507 bytes, other values are taken to the nearer end. */
void dtls_conn_set_mtu (struct dtls_conn *conn, size_t mtu);
/* Another start value of the retransmission timer; one that runs is moved as if it had been so from
 * the start of the flight. */
void dtls_conn_set_retransmit_initial (struct dtls_conn *conn, dtls_duration initial);
/* When dtls_conn_tick is due; DTLS_NEVER for not at all. Changes with every input. */
dtls_time dtls_conn_deadline (const struct dtls_conn *conn);

enum dtls_event
{
  DTLS_EVENT_NONE,
  DTLS_EVENT_CREDENTIAL_NEEDED, /* answer with dtls_conn_answer_credential */
  DTLS_EVENT_SIGNATURE_NEEDED,  /* answer with dtls_conn_answer_signature */
  DTLS_EVENT_VERDICT_NEEDED,    /* the peer's chain is there: dtls_conn_answer_verdict */
  DTLS_EVENT_PSK_NEEDED,        /* the client, or its session, names a key: dtls_conn_answer_psk */
  DTLS_EVENT_CONNECTED,         /* application data may flow */
  DTLS_EVENT_SESSION,           /* client: dtls_conn_session has a new one */
  DTLS_EVENT_PEER_CLOSED,       /* close_notify came: no more data will be believed */
  DTLS_EVENT_FAILED,            /* dtls_conn_error () says why; last event */
};

/* DTLS_EVENT_NONE when there is none. */
enum dtls_event dtls_conn_next_event (struct dtls_conn *conn);

/* What the handshake waits for besides the peer. Timers go on meanwhile. */
enum dtls_wait
{
  DTLS_WAIT_NONE,
  DTLS_WAIT_CREDENTIAL,
  DTLS_WAIT_SIGNATURE,
  DTLS_WAIT_VERDICT,
  DTLS_WAIT_PSK,
};

enum dtls_wait dtls_conn_wait (const struct dtls_conn *conn);

/* Answers to a wait reason, now or later. One that nobody asked for is ignored. */

/* NULL for none: a client goes on without, a server fails with DTLS_ERROR_NO_CREDENTIAL. */
void dtls_conn_answer_credential (struct dtls_conn *conn, dtls_time now,
                                  const struct dtls_credential *credential);

struct dtls_signature_request
{
  uint16_t scheme;    /* SignatureScheme, RFC 8446 §4.2.3 */
  struct bytes input; /* what is signed, not yet hashed; borrowed until the next call: copy it */
};

bool dtls_conn_signature_request (const struct dtls_conn *conn,
                                  struct dtls_signature_request *out_request);
/* Empty: it could not be made; the handshake fails with DTLS_ERROR_SIGNING_FAILED. */
void dtls_conn_answer_signature (struct dtls_conn *conn, dtls_time now, struct bytes signature);

/* Whether the peer's chain is good, and if not, the alert that says why (RFC 5246 §7.2.2:
 * bad_certificate 42, certificate_expired 45, certificate_unknown 46, unknown_ca 48, ...). Rejecting
 * ends the connection with DTLS_ERROR_CERTIFICATE_REJECTED. */
struct dtls_verdict
{
  bool is_accepted;
  uint8_t alert; /* when rejected */
};

void dtls_conn_answer_verdict (struct dtls_conn *conn, dtls_time now, struct dtls_verdict verdict);

/* The identity that is asked for, good until that is answered; from DTLS_EVENT_CONNECTED on the one that
 * the connection was made with, good for its life; empty for none. */
struct bytes dtls_conn_psk_identity (const struct dtls_conn *conn);
/* NULL: there is no such key. In 1.3 the handshake then looks at the next identity, or goes on with
 * certificates; in 1.2 it fails with DTLS_ERROR_UNKNOWN_PSK (RFC 4279 §2). `psk` is borrowed for this
 * call only; its identity is not looked at. */
void dtls_conn_answer_psk (struct dtls_conn *conn, dtls_time now, const struct dtls_psk *psk);

/* -------------------------------------------------------------------------------- what is known */

bool
dtls_conn_is_connected (const struct dtls_conn *conn); /* the handshake is over, successfully */
bool dtls_conn_is_handshaking (const struct dtls_conn *conn); /* neither connected nor failed */
/* Whether a record of the peer's has made us believe that it is there: a whole legal message. */
bool dtls_conn_has_heard_peer (const struct dtls_conn *conn);
enum dtls_error dtls_conn_error (const struct dtls_conn *conn);
/* The fatal alert that came with DTLS_ERROR_PEER_ALERT; -1 if none came. */
int dtls_conn_peer_alert (const struct dtls_conn *conn);

enum dtls_version dtls_conn_version (const struct dtls_conn *conn);
uint16_t dtls_conn_suite (const struct dtls_conn *conn); /* 0 while not connected */
uint16_t dtls_conn_group (const struct dtls_conn *conn); /* 0 also where no group was used */
bool dtls_conn_is_resumed (const struct dtls_conn *conn);
bool
dtls_conn_has_psk (const struct dtls_conn *conn); /* authenticated by a key, not certificates */
bool dtls_conn_was_retried (const struct dtls_conn *conn);      /* by a HelloRetryRequest */
uint16_t dtls_conn_srtp_profile (const struct dtls_conn *conn); /* RFC 5764; 0 for none */
bool dtls_conn_has_extended_master_secret (const struct dtls_conn *conn);
struct bytes
dtls_conn_alpn (const struct dtls_conn *conn); /* the chosen protocol; empty for none */
/* Server: the SNI that the client sent. Good for the connection's life. */
struct bytes dtls_conn_server_name (const struct dtls_conn *conn);

/* The peer's chain as DER, leaf first; good for the connection's life. Known from
 * DTLS_EVENT_VERDICT_NEEDED on, also after a failure. */
size_t dtls_conn_n_peer_certificates (const struct dtls_conn *conn);
struct bytes dtls_conn_peer_certificate (const struct dtls_conn *conn, size_t index);

/* Client: whether the server asked for a certificate, and the DER Names it named. Good for the
 * connection's life. */
bool dtls_conn_was_asked_for_certificate (const struct dtls_conn *conn);
size_t dtls_conn_n_authorities (const struct dtls_conn *conn);
struct bytes dtls_conn_authority (const struct dtls_conn *conn, size_t index);

/* The signature schemes that the peer takes, in its order; good while the handshake lasts. */
size_t dtls_conn_peer_schemes (const struct dtls_conn *conn, const uint16_t **out_schemes);

/* Client: the latest session, as bytes that config.session takes; empty before there is one. Good
 * until the next input. It holds secrets. After DTLS_EVENT_SESSION, and in 1.2 from
 * DTLS_EVENT_CONNECTED on. */
struct bytes dtls_conn_session (const struct dtls_conn *conn);

/* RFC 5705, RFC 9846 §7.5; `context` NULL means none, which in 1.2 differs from an empty one. */
enum dtls_error dtls_conn_export (const struct dtls_conn *conn, struct bytes label,
                                  const struct bytes *context, uint8_t *out,
                                  size_t len) DTLS_MUST_CHECK;
/* RFC 5929 §3: the first Finished's verify_data. Returns 12, or 0 while not connected, and in 1.3,
 * where it is not defined (RFC 9846 §C.5). */
size_t dtls_conn_tls_unique (const struct dtls_conn *conn, uint8_t out[12]);
/* RFC 5929 §4.1: the hash of the server's certificate. Returns its length, or 0 if it has none that
 * is defined. `out` holds 64 bytes. */
size_t dtls_conn_server_end_point (const struct dtls_conn *conn, uint8_t *out);

/* Counters of the read half are written by dtls_conn_read, `sealed` by dtls_conn_seal. */
struct dtls_stats
{
  uint64_t dropped[N_DTLS_DROPS]; /* records; [DTLS_DROP_NONE] stays 0 */
  uint64_t opened;                /* records of application data */
  uint64_t sealed;
  uint64_t n_retransmissions; /* of flights */
};

void dtls_conn_stats (const struct dtls_conn *conn, struct dtls_stats *out_stats);
