/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A peer of either version on strings. It runs the engine's own handshake machine, record layer and reassembly, so
 * that all it says is right, keys and transcript included; but before a flight goes out, a play may change it. It
 * accepts everybody, has no clock, and repeats nothing. */

#pragma once

#include "flight/acks.h"
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
  N_PUPPET_EPOCHS = 4, /* 0; 1 of 1.2; 2 and 3 of 1.3 */
};

struct mischief;

struct puppet
{
  enum dtls_role role;
  struct dtls_config config;
  struct association known;
  struct peer peer;
  struct handshake *handshake;                /* (owned) */
  struct reassembly *reassembly;              /* (owned) */
  struct epoch_write sealed[N_PUPPET_EPOCHS]; /* by number; those there were keys for */
  uint16_t write_epoch;
  struct epoch_read opened, previous; /* number 0: there are no keys yet */
  struct acks acks;
  bool has_change_cipher_spec;

  struct piece pieces[MAX_PIECES]; /* the flight under way */
  size_t n_pieces;
  size_t n_transcript; /* bytes of the transcript before the flight; for plays */
  struct pair *pair;
  const struct mischief *mischief; /* (nullable) */
  bool has_considered;             /* whether the flight under way is the one to play with */
  unsigned n_chances;              /* flights that a play would fit */
  bool has_played;

  /* What the engine said. */
  int alert; /* the latest; -1: none */
  uint8_t alert_level;
  unsigned n_data; /* records of application data */
  unsigned n_finished;
  unsigned n_key_updates;
  enum dtls_error stuck; /* why the puppet's own machine cannot go on */
};

/* The puppet takes the place of `role` in the pair, the engine has the other. */
void puppet_init (struct puppet *puppet, struct pair *pair, enum dtls_role role,
                  const struct mischief *mischief);
void puppet_clear (struct puppet *puppet);
/* Begins, for a client. */
void puppet_start (struct puppet *puppet);
/* One record, one datagram; in an epoch that there are keys for. */
void puppet_send (struct puppet *puppet, uint8_t content_type, uint16_t epoch,
                  struct bytes content);
/* The same with a handshake header around the content. */
void puppet_send_message (struct puppet *puppet, uint16_t epoch, uint8_t type, uint16_t seq,
                          struct bytes body);

/* For plays. */
void piece_set_body (struct piece *piece, struct bytes body);
struct piece *puppet_add (struct puppet *puppet, size_t at);
/* The transcript as if the machine had said what the first `n_pieces` of the flight say. */
void puppet_rebuild_transcript (struct puppet *puppet, size_t n_pieces);
