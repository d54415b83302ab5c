/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A peer that keeps every rule but one: a puppet whose flights a play changes. One table row is one broken rule, with
 * what the engine must make of it. */

#pragma once

#include "puppet.h"

/* Changes the flight, of which piece `at` is the first of the row's type. */
typedef void (*mischief_play) (struct puppet *puppet, size_t at, const struct mischief *mischief);

/* What becomes of the engine, besides the errors of enum dtls_error. */
enum
{
  CONNECTS = DTLS_OK,
  SILENCE = N_DTLS_ERRORS, /* no alert; it waits, and in the end its deadline comes */
};

/* clang-format off */
enum setup
{
  ASKS_CERTIFICATE = 1 << 0,  /* the server asks for one; a client has one */
  NAMES_PROTOCOLS  = 1 << 1,  /* both: ALPN "a" and "b" */
  NAMES_SERVER     = 1 << 2,
  ONLY_P256        = 1 << 3,  /* both: the group */
  NEEDS_EMS        = 1 << 4,  /* the engine */
  IS_CONSISTENT    = 1 << 5,  /* the puppet's transcript has what it sent: an odd peer, but an honest one */
  ONLY_SHA256      = 1 << 6,  /* the engine: it takes ecdsa_secp256r1_sha256 and no other scheme */
  HAS_RSA          = 1 << 7,  /* the server's key */
  IS_13            = 1 << 8,  /* both speak 1.3 alone; otherwise 1.2 */
  ENGINE_HAS_BOTH  = 1 << 9,  /* the engine speaks both, the puppet what it does otherwise */
  RETRIES          = 1 << 10, /* 1.3: the server has P-256 alone, and the client sends a share of X25519 */
  HAS_KEY          = 1 << 11, /* both: an external pre-shared key */
  HAS_TICKET       = 1 << 12, /* 1.3: the server sends one */
  HAS_COOKIES      = 1 << 13, /* an engine that is a server */
  EVERY_TIME       = 1 << 14, /* the play is for every flight with such a piece */
  ON_SECOND        = 1 << 15, /* for the second one */
  BOTH_ENDS_HAVE_BOTH = 1 << 16, /* versions */
  ONLY_PSS_SHA256  = 1 << 17, /* the engine: it takes rsa_pss_rsae_sha256 and no other scheme */
};
/* clang-format on */

struct mischief
{
  const char *name;
  mischief_play play;
  uint8_t type; /* the first flight with such a piece is the one, unless the setup says otherwise */
  unsigned setup;
  struct bytes bytes; /* for the play */
  unsigned number;    /* for the play */
  unsigned expected;
};

/* A whole conversation by the row against an engine in the other role. */
struct outcome
{
  unsigned became;     /* CONNECTS, SILENCE, or an error */
  int alert;           /* that the engine sent; -1: none */
  bool is_deaf;        /* the puppet has no keys to hear an alert with: its own machine is stuck */
  unsigned n_messages; /* of application data that the engine believed */
  bool has_extended_master_secret;
  bool was_retried;
  bool has_psk;
  unsigned version;
  unsigned n_key_updates; /* that the engine sent */
  const char *broken;
  bool has_played;
};

struct outcome mischief_run (const struct mischief *mischief, enum dtls_role puppet_role);
/* What RETRIES and the like make of both sides, for tests that go on from there. */
void mischief_set_up (struct pair *pair, unsigned setup, enum dtls_role engine);

/* ---------------------------------------------------------------------------------- plays */

/* The piece is missing: those behind it keep their numbers. */
void play_skip (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The piece is missing, and those behind it move up. */
void play_omit (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The same record content twice. */
void play_repeat (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The message twice, with numbers of their own. */
void play_twice (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The two change places on the wire. */
void play_reorder (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The two change places in the protocol, numbers included. */
void play_swap (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* A message of type `number` with body `bytes` comes before it, with a number of its own. */
void play_insert (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The same behind it. */
void play_append (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* A plaintext record of content type `number` with `bytes` comes before it. */
void play_record (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The same protected by the puppet's keys of 1.2, behind it. */
void play_sealed_record (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The record is in epoch `number`. */
void play_epoch (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The piece is `bytes`, unsealed in epoch 0 even if its turn is later. */
void play_plain (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The body is replaced with `bytes`. */
void play_body (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* Byte `number` of the body is turned; UINT_MAX is the last. */
void play_flip (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The body loses its last byte, or gets one more. */
void play_shorten (struct puppet *puppet, size_t at, const struct mischief *mischief);
void play_lengthen (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* `bytes` take the place of those at offset `number`. */
void play_patch (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* message_seq is `number` too high, for this piece and those behind it. */
void play_renumber (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* A record behind it: the number's low byte is its content type, and what is above that its epoch, of
 * those that there are keys for. */
void play_record_in (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The same of a message: its type, with the number that is due behind the flight. */
void play_message_in (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The piece goes in epoch `number`, by its keys. */
void play_keys (struct puppet *puppet, size_t at, const struct mischief *mischief);
#define IN_EPOCH(epoch, type) ((unsigned) (epoch) << 8 | (type))

/* Of a hello, EncryptedExtensions, 1.3's CertificateRequest or NewSessionTicket: extension `number` is
 * added, with body `bytes`. Binders of a ClientHello are made anew. */
void play_extension (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The same, but ahead of all others. */
void play_first_extension (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* Extension `number` is left out. */
void play_no_extension (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* Extension `number` has body `bytes` instead. */
void play_other_extension (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* `bytes` come behind it in the same record. */
void play_trailing (struct puppet *puppet, size_t at, const struct mischief *mischief);

/* 1.3's Certificate: the side's leaf alone, with `bytes` for its extensions; or the chain of the identity that `bytes`
 * names, a string, of whose key the puppet has nothing. */
void play_leaf (struct puppet *puppet, size_t at, const struct mischief *mischief);
void play_certificate_of (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* 1.3's CertificateVerify, signed by the side's key with scheme `number`; `bytes` (empty: the right one) is
 * the context string without its zero byte. */
void play_signature (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* The same over a transcript that lacks its last message. */
void play_other_transcript (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* A HelloRetryRequest in the place of a ServerHello, for group `number` (0: none) with cookie `bytes`. */
void play_retry (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* Binders of a ClientHello that was changed, as whoever has the keys makes them; nothing for any other
 * message, or one that is past it. */
void puppet_bind (struct puppet *puppet, struct piece *piece);
