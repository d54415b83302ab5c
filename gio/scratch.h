/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* A thread's memory for one batch of datagrams in each direction. It belongs to no connection: a
 * thread keeps one between calls, so that steady traffic allocates nothing and idle connections
 * hold nothing. */

#pragma once

#include <gio/gio.h>
#include <stdint.h>
#include <sys/socket.h>

enum
{
  /* Datagrams per receive call: 16 of them already cost as much to decrypt as the call itself. */
  SCRATCH_MAX_IN = 16,
  /* No UDP datagram is longer: RFC 768's 16-bit length field. Untouched pages cost nothing. */
  SCRATCH_IN_SIZE = 65536,
  SCRATCH_MAX_OUT = 64,
  /* Room for one datagram of the longest kind, or for 64 of 1,400 bytes and more. */
  SCRATCH_OUT_SIZE = 128 * 1024,
};

/* A datagram that came in. */
typedef struct
{
  uint8_t *at;
  size_t len;
  struct sockaddr_storage address; /* where the base was asked for it */
  socklen_t address_len;           /* 0 for unknown */
} MoatDatagram;

typedef struct
{
  MoatDatagram in[SCRATCH_MAX_IN];
  guint n_in;

  struct iovec out[SCRATCH_MAX_OUT]; /* datagrams to send, in `out_bytes` */
  guint n_out;
  size_t out_used;

  /* The forms that the system and GDatagramBased want them in. */
  struct mmsghdr headers[SCRATCH_MAX_OUT];
  struct iovec in_iovecs[SCRATCH_MAX_IN];
  GInputMessage in_messages[SCRATCH_MAX_IN];
  GInputVector in_vectors[SCRATCH_MAX_IN];
  GSocketAddress *in_addresses[SCRATCH_MAX_IN];
  GOutputMessage out_messages[SCRATCH_MAX_OUT];
  GOutputVector out_vectors[SCRATCH_MAX_OUT];

  uint8_t out_bytes[SCRATCH_OUT_SIZE];
  uint8_t in_bytes[SCRATCH_MAX_IN][SCRATCH_IN_SIZE];
} MoatScratch;

/* A base may call back into another connection of the same thread, so scratches nest: each taker
 * gets one of its own, and gives it back. */
MoatScratch *moat_scratch_take (void);
void moat_scratch_give (MoatScratch *scratch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MoatScratch, moat_scratch_give)
