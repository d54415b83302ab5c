/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A peer that keeps every rule but one. It runs the engine's own handshake machine, record layer and reassembly, so
 * that all it says is right, keys and transcript included; but before a flight goes out, a play may change it.
 * One table row is one broken rule, with what the engine must make of it. */

#pragma once

#include "flight/reassembly.h"
#include "handshake/machine.h"
#include "pair.h"
#include "record/epoch.h"
#include "record/open.h"

/* One record of a flight. */
struct piece
{
  uint8_t content_type;
  uint16_t epoch;
  uint8_t type; /* HandshakeType, or INPUT_CHANGE_CIPHER_SPEC */
  uint16_t seq;
  uint8_t *body; /* (owned) of the message without its header; of other records all */
  size_t len;
  bool is_raw;        /* the record's content is the body as it is, without a handshake header */
  bool shares_record; /* goes into one record with the piece before it */
  uint16_t announced_epoch; /* the header's, where it lies; otherwise 0 */
};

enum
{
  MAX_PIECES = 32,
};

struct mischief;

struct puppet
{
  enum dtls_role role;
  struct dtls_config config;
  struct association known;
  struct peer peer;
  struct handshake *handshake;   /* (owned) */
  struct reassembly *reassembly; /* (owned) */
  struct epoch_write plain, sealed;
  struct epoch_read opened;
  bool has_change_cipher_spec;

  struct piece pieces[MAX_PIECES]; /* the flight under way */
  size_t n_pieces;
  size_t n_transcript; /* bytes of the transcript before the flight */
  struct pair *pair;
  const struct mischief *mischief; /* (nullable) */
  bool has_played;

  /* What the engine said. */
  int alert; /* the latest; -1: none */
  uint8_t alert_level;
  unsigned n_data; /* records of application data */
  unsigned n_finished;
  enum dtls_error stuck; /* why the puppet's own machine cannot go on */
};

/* Changes the flight, of which piece `at` is the first of the row's type. */
typedef void (*mischief_play) (struct puppet *puppet, size_t at, const struct mischief *mischief);

/* What becomes of the engine, besides the errors of enum dtls_error. */
enum
{
  CONNECTS = DTLS_OK,
  SILENCE = N_DTLS_ERRORS, /* no alert; it waits, and in the end its deadline comes */
};

enum setup
{
  ASKS_CERTIFICATE = 1 << 0, /* the server asks for one; a client has one */
  NAMES_PROTOCOLS = 1 << 1,  /* both: ALPN "a" and "b" */
  NAMES_SERVER = 1 << 2,
  ONLY_P256 = 1 << 3, /* both: the group */
  NEEDS_EMS = 1 << 4, /* the engine */
  IS_CONSISTENT =
      1 << 5, /* the puppet's transcript has what it sent: an odd peer, but an honest one */
  ONLY_SHA256 = 1 << 6, /* the engine: it takes ecdsa_secp256r1_sha256 and no other scheme */
  HAS_RSA = 1 << 7,     /* the server's key */
};

struct mischief
{
  const char *name;
  mischief_play play;
  uint8_t type; /* the first flight with such a piece is the one */
  unsigned setup;
  struct bytes bytes; /* for the play */
  unsigned number;    /* for the play */
  unsigned expected;
};

/* The puppet takes the place of `role` in the pair, the engine has the other. */
void puppet_init (struct puppet *puppet, struct pair *pair, enum dtls_role role,
                  const struct mischief *mischief);
void puppet_clear (struct puppet *puppet);
/* Begins, for a client. */
void puppet_start (struct puppet *puppet);
/* One record, one datagram; `epoch` 0 or 1. */
void puppet_send (struct puppet *puppet, uint8_t content_type, uint16_t epoch,
                  struct bytes content);
/* The same with a handshake header around the content. */
void puppet_send_message (struct puppet *puppet, uint16_t epoch, uint8_t type, uint16_t seq,
                          struct bytes body);

/* A whole conversation by the row against an engine in the other role. */
struct outcome
{
  unsigned became;     /* CONNECTS, SILENCE, or an error */
  int alert;           /* that the engine sent; -1: none */
  bool is_deaf;        /* the puppet has no keys to hear an alert with: its own machine is stuck */
  unsigned n_messages; /* of application data that the engine believed */
  bool has_extended_master_secret;
  const char *broken;
  bool has_played;
};

struct outcome mischief_run (const struct mischief *mischief, enum dtls_role puppet_role);

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
/* The same protected by the puppet's keys, behind it. */
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
/* Of a hello: extension `number` is added, with body `bytes`. */
void play_extension (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* Of a hello: extension `number` is left out. */
void play_no_extension (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* Of a hello: extension `number` has body `bytes` instead. */
void play_other_extension (struct puppet *puppet, size_t at, const struct mischief *mischief);
/* `bytes` come behind it in the same record. */
void play_trailing (struct puppet *puppet, size_t at, const struct mischief *mischief);

/* For plays of the tests' own. */
void piece_set_body (struct piece *piece, struct bytes body);
struct piece *puppet_add (struct puppet *puppet, size_t at);
