/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Fragments in, whole messages out in order, memory bounded by what was received. */

#pragma once

#include "wire/fragment.h"

enum
{
  REASSEMBLY_WINDOW = 7, /* messages from the next one on that may be held */
  /* The most bytes of memory for messages beyond the next one, all together. The next one has its
   * cap, and takes up to about 1.2 times that (2.2 for the moment in which it becomes whole). */
  REASSEMBLY_AHEAD = 64 * 1024,
};

/* A whole handshake message. */
struct message
{
  uint8_t type;
  uint16_t seq;
  struct bytes body;
};

struct reassembly; /* one heap object; holds nothing else while no message is under way */

struct reassembly *reassembly_new (uint32_t next_seq);
void reassembly_free (struct reassembly *reassembly);

enum reassembly_outcome
{
  REASSEMBLY_TAKEN,       /* it brought bytes that were missing */
  REASSEMBLY_DUPLICATE,   /* all of it was here */
  REASSEMBLY_OLD,         /* of a message that was popped already */
  REASSEMBLY_TOO_FAR,     /* beyond the window, or over the memory budget: dropped */
  REASSEMBLY_CONTRADICTS, /* another type or length than its message's first fragment: dropped */
  REASSEMBLY_TOO_LONG,    /* longer than `cap`, and it is the next message in order; not kept */
  REASSEMBLY_NO_MEMORY,
};

/* `cap` is the most bytes that a message of this type may have. A future message over its cap is
 * TOO_FAR. Where fragments overlap, the bytes that came first stay. */
enum reassembly_outcome reassembly_add (struct reassembly *reassembly,
                                        const struct fragment *fragment,
                                        size_t cap) DTLS_MUST_CHECK;
/* The next message, if it is whole; borrowed until reassembly_pop. */
bool reassembly_peek (const struct reassembly *reassembly, struct message *out);
void reassembly_pop (struct reassembly *reassembly);
/* Whether anything, whole or in part, is held. */
bool reassembly_is_empty (const struct reassembly *reassembly);
/* Whether anything of the next message is held. */
bool reassembly_has_begun_next (const struct reassembly *reassembly);
/* 65536 when the last message was popped: every fragment is then OLD. */
uint32_t reassembly_next_seq (const struct reassembly *reassembly);
/* Goes on with `next_seq`, and forgets what is held. */
void reassembly_restart (struct reassembly *reassembly, uint32_t next_seq);
