/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* One handshake: its state, the row type of the tables of legal moves, and the dispatcher that
 * knows no other. */

#pragma once

#include "crypto/groups.h"
#include "crypto/signature.h"
#include "handshake/effects.h"
#include "handshake/negotiate.h"
#include "handshake/schedule12.h"
#include "handshake/schedule13.h"
#include "handshake/session.h"
#include "handshake/transcript.h"

enum
{
  MAX_SHARES = 4, /* key shares in one hello of ours: nobody needs more than two */
};

/* Named for what is waited for. While ANSWERING it is our turn, see `enum dtls_wait` for who is
 * asked. */
enum state
{
  START,

  /* opening: a client's version is not known yet */
  WAIT_SERVER_HELLO,
  ANSWERING_VERIFY_REQUEST,

  /* client12 */
  WAIT_SERVER_CERTIFICATE, /* client13 too: after a CertificateRequest */
  WAIT_SERVER_KEY_EXCHANGE,
  WAIT_REQUEST_OR_DONE,
  WAIT_PSK_PARAMETERS,   /* ServerKeyExchange of ECDHE_PSK */
  WAIT_PSK_HINT_OR_DONE, /* the same of plain PSK, where it may be missing */
  WAIT_DONE,
  ANSWERING_SERVER, /* client13 too: its Finished is there */
  WAIT_SESSION_TICKET,

  /* client13 */
  ANSWERING_RETRY, /* a HelloRetryRequest */
  WAIT_SECOND_SERVER_HELLO,
  ANSWERING_SERVER_HELLO, /* keys for the rest of its flight */
  WAIT_ENCRYPTED_EXTENSIONS,
  WAIT_CERTIFICATE_OR_REQUEST,

  /* welcome: a server's */
  WAIT_CLIENT_HELLO,

  /* server12, server13 */
  ANSWERING_HELLO,
  WAIT_SECOND_CLIENT_HELLO, /* server13 */
  WAIT_CLIENT_CERTIFICATE,
  WAIT_CLIENT_KEY_EXCHANGE, /* server12 */
  ANSWERING_KEY_EXCHANGE,   /* server12 */
  WAIT_PSK_IDENTITY,        /* server12 */
  ANSWERING_PSK_IDENTITY,   /* server12 */
  ANSWERING_PSK,            /* server12 */
  WAIT_CERTIFICATE_VERIFY,  /* client13 too */
  ANSWERING_CERTIFICATE,
  ANSWERING_FINISHED, /* client12 too: of a server that resumed */
  ANSWERING_RESUMED,  /* server12: the same of a client */

  /* all */
  WAIT_CHANGE_CIPHER_SPEC, /* 1.2 */
  WAIT_FINISHED,
  CONNECTED,

  N_STATES
};

/* What a table row may get besides a HandshakeType. */
enum
{
  INPUT_CHANGE_CIPHER_SPEC = 254,
  INPUT_OUR_TURN = 255,
};

/* What must have been proved before a handshake may end: an empty set. */
enum obligation
{
  OWES_KEY_EXCHANGE_SIGNATURE = 1 << 0, /* client: the server's; in 1.3 its CertificateVerify */
  OWES_CERTIFICATE_VERIFY = 1 << 1,     /* server: of a client that sent a certificate */
  OWES_VERDICT = 1 << 2,                /* on a chain that was sent */
  OWES_CERTIFICATE = 1 << 3,            /* server that requires one */
  OWES_FINISHED = 1 << 4,               /* the peer's */
};

/* A signature that we make, here or outside. */
struct signing
{
  uint16_t scheme; /* 0 while none is chosen */
  uint8_t *input;  /* (owned) (nullable) what someone outside is asked to sign */
  size_t input_len;
  uint8_t signature[MAX_SIGNATURE_LEN];
  size_t signature_len; /* 0 while it is not made */
};

/* Where the handshake's secret comes from besides, or instead of, key shares. */
enum psk_kind
{
  PSK_NONE,
  PSK_RESUMPTION, /* `session` */
  PSK_EXTERNAL,
};

struct handshake_psk
{
  enum psk_kind kind;
  enum hash hash; /* 1.3 */
  uint8_t key[DTLS_MAX_PSK_LEN];
  size_t key_len;
};

struct table;

struct handshake
{
  const struct dtls_config *config;
  struct dtls_crypto *crypto;
  enum dtls_role role;
  struct association *known; /* (unowned) */
  struct peer *peer;         /* (unowned) */

  uint64_t wall_clock;       /* µs since 1970, as config.wall_clock_offset makes it; set by conn */
  const struct table *table; /* of the version, once it is known */
  enum state state;
  enum dtls_wait wait;
  unsigned owed;          /* obligations */
  uint32_t next_send_seq; /* above 65535: none is left */
  struct transcript transcript;

  struct offer ours;
  struct offer theirs; /* what the peer said it takes, as far as it said */
  bool peer_has_renegotiation_info;
  bool peer_has_record_size_limit;
  bool peer_takes_rsa; /* client: as far as the CertificateRequest's types say */
  bool peer_takes_ecdsa;

  const struct suite *suite;
  struct key_share *share;            /* (owned) (nullable) */
  uint8_t peer_point[MAX_PUBLIC_LEN]; /* the peer's public value; judged by key_share_agree */
  size_t peer_point_len;
  struct public_key *peer_key; /* (owned) (nullable) of the leaf that the peer sent */
  enum key_kind peer_kind;

  bool has_credential_answer;
  const struct dtls_credential *credential; /* (nullable) */
  enum key_kind own_kind;
  uint16_t own_scheme; /* the only one that a restricted RSA-PSS key makes; 0: any that fits */
  bool has_sent_key_exchange;
  struct signing signing;

  uint8_t cookie[MAX_COOKIE_LEN]; /* client: of a HelloVerifyRequest */
  uint8_t cookie_len;
  unsigned n_verify_requests;
  struct key_block key_block; /* 1.2 */

  /* 1.3 */
  struct schedule13 schedule;
  bool is_hello_accepted;    /* server: its first hello is what dtls_hello_answer accepted */
  bool has_retried;          /* a HelloRetryRequest was sent or taken */
  struct bytes retry_cookie; /* (owned) client: the HelloRetryRequest's */
  uint16_t retry_group;      /* what it named; 0: none */
  uint8_t hello_digest[32];  /* server: of what may not change in a second hello */
  unsigned n_psks_seen;      /* server: of those that the hello offers, looked at so far */
  struct key_share *shares[MAX_SHARES]; /* (owned) client: what its hello brought */
  size_t n_shares;

  /* Pre-shared keys and resumption. */
  uint8_t psk_mark[32];       /* 1.2: what sessions of the external key are bound to; psk12_mark */
  struct handshake_psk psk;   /* the one in use, or under examination */
  struct session session;     /* client: offered; server: resumed. Borrows from session_bytes */
  struct bytes session_bytes; /* (owned) server: the opened ticket; 1.2 client: the new one */
  bool has_session;           /* `session` is one */
  uint8_t session_id[MAX_SESSION_ID_LEN]; /* 1.2: the one in force */
  uint8_t session_id_len;
  bool
      peer_takes_tickets; /* 1.2: its hello has session_ticket (a server's: one comes); 1.3: psk_dhe_ke */
};

/* `handler (handshake, message, effects)`; `message` is NULL for inputs that are none. */
struct row
{
  enum state state;
  uint8_t input;
  enum dtls_error (*handler) (struct handshake *, const struct message *, struct effects *);
  uint64_t may_go_to; /* TO (state) | ... */
};

#define TO(state) (UINT64_C (1) << (state))

struct table
{
  const struct row *rows;
  size_t n_rows;
};

/* Borrows all but what it makes itself. NULL without memory. */
struct handshake_parts
{
  const struct dtls_config *config;
  struct dtls_crypto *crypto;
  enum dtls_role role;
  struct association *known;
  struct peer *peer;
  bool is_hello_accepted; /* server: dtls_hello_answer took its first hello */
};

struct handshake *handshake_new (const struct handshake_parts *parts);
/* One that is over, for the messages that follow it in 1.3 (handshake/post13). */
struct handshake *handshake_new_post (const struct handshake_parts *parts, uint32_t next_send_seq);
void handshake_free (struct handshake *handshake);

/* Whether the machine takes this input in its state. It takes nothing while someone outside is
 * asked. */
bool handshake_takes (const struct handshake *handshake, uint8_t input);
/* Runs the row for the message, and adds it to the transcript; anything else is
 * DTLS_ERROR_UNEXPECTED_MESSAGE. */
enum dtls_error handshake_take_message (struct handshake *handshake, const struct message *message,
                                        struct effects *effects) DTLS_MUST_CHECK;
/* For INPUT_CHANGE_CIPHER_SPEC and INPUT_OUR_TURN, after handshake_takes. */
enum dtls_error handshake_take_input (struct handshake *handshake, uint8_t input,
                                      struct effects *effects) DTLS_MUST_CHECK;
/* The most bytes that a message of this type may have. */
size_t handshake_message_cap (const struct handshake *handshake, uint8_t type);

/* For handlers. */

/* Sends the draft and adds it to the transcript. */
enum dtls_error handshake_send (struct handshake *handshake, struct effects *effects,
                                uint8_t type) DTLS_MUST_CHECK;
/* Stops with the reason's event. */
void handshake_ask (struct handshake *handshake, struct effects *effects, enum dtls_wait wait);
/* Takes the configuration's credential, or stops to ask for one; nothing once it was answered. */
enum dtls_error handshake_need_credential (struct handshake *handshake,
                                           struct effects *effects) DTLS_MUST_CHECK;
/* Keeps an answered credential, and finds out its key's kind. */
enum dtls_error handshake_set_credential (struct handshake *handshake,
                                          const struct dtls_credential *credential) DTLS_MUST_CHECK;
/* A scheme for the credential's key that the peer takes; 0 for none. */
uint16_t handshake_choose_scheme (const struct handshake *handshake);
/* Signs, or asks for the signature, of `input` by `scheme`. */
enum dtls_error handshake_sign (struct handshake *handshake, struct effects *effects,
                                uint16_t scheme, struct bytes input) DTLS_MUST_CHECK;
/* The row of WAIT_CHANGE_CIPHER_SPEC. */
enum dtls_error handshake_on_change_cipher_spec (struct handshake *handshake,
                                                 const struct message *message,
                                                 struct effects *effects) DTLS_MUST_CHECK;
/* Checks the peer's, and sends our own, Finished. */
enum dtls_error handshake_check_finished (struct handshake *handshake,
                                          const struct message *message) DTLS_MUST_CHECK;
enum dtls_error handshake_send_finished (struct handshake *handshake,
                                         struct effects *effects) DTLS_MUST_CHECK;
/* The last step of both machines: nothing may be owed. */
enum dtls_error handshake_connect (struct handshake *handshake,
                                   struct effects *effects) DTLS_MUST_CHECK;
/* At most MAX_PUBLIC_LEN bytes. */
void handshake_keep_point (struct handshake *handshake, struct bytes point);
/* 1.2: from both key shares to master secret and key block; the transcript ends with
 * ClientKeyExchange. */
enum dtls_error handshake_derive (struct handshake *handshake) DTLS_MUST_CHECK;
/* 1.2: the same from a premaster secret. */
enum dtls_error handshake_derive_from (struct handshake *handshake,
                                       struct bytes premaster) DTLS_MUST_CHECK;
/* 1.3: the transcript so far, by the suite's hash. */
enum dtls_error handshake_hash (const struct handshake *handshake,
                                uint8_t out[MAX_HASH_LEN]) DTLS_MUST_CHECK;
bool handshake_random (struct handshake *handshake, uint8_t *out, size_t len) DTLS_MUST_CHECK;
