/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What flight/reassembly must do, said in the simplest way: a flag for every byte of every message.
 * It has no memory budget, so its messages are small enough that none is over. */

#pragma once

#include <string.h>

#include "flight/reassembly.h"

enum
{
  NAIVE_MAX_LEN = 1500, /* seven of them, in pages, are well below REASSEMBLY_AHEAD */
  NAIVE_MESSAGES = 24,  /* numbers from the first on that are modelled */
};

struct naive_message
{
  bool is_started;
  uint8_t type;
  uint32_t len;
  bool has[NAIVE_MAX_LEN];
  uint8_t at[NAIVE_MAX_LEN];
};

struct naive_reassembly
{
  uint32_t first;
  uint32_t next;
  struct naive_message messages[NAIVE_MESSAGES];
};

static inline void
naive_init (struct naive_reassembly *naive, uint16_t next)
{
  memset (naive, 0, sizeof *naive);
  naive->first = next;
  naive->next = next;
}

/* The next one; NULL beyond those modelled. */
static inline struct naive_message *
naive_next (struct naive_reassembly *naive)
{
  uint32_t place = naive->next - naive->first;

  return place < NAIVE_MESSAGES ? &naive->messages[place] : NULL;
}

static inline bool
naive_is_whole (const struct naive_message *message)
{
  if (message == NULL || !message->is_started)
    return false;

  return message->len == 0 || memchr (message->has, 0, message->len) == NULL;
}

static inline bool
naive_is_empty (const struct naive_reassembly *naive)
{
  for (uint32_t i = naive->next - naive->first; i < NAIVE_MESSAGES; i++)
    if (naive->messages[i].is_started)
      return false;

  return true;
}

static inline bool
naive_fill (struct naive_message *message, const struct fragment *fragment)
{
  bool is_new = fragment->message_len == 0 && !message->is_started;

  message->is_started = true;
  message->type = fragment->type;
  message->len = fragment->message_len;
  for (size_t i = 0; i < fragment->body.left; i++)
    if (!message->has[fragment->offset + i])
      {
        message->has[fragment->offset + i] = true;
        message->at[fragment->offset + i] = fragment->body.at[i];
        is_new = true;
      }

  return is_new;
}

/* `cap` is at most NAIVE_MAX_LEN. */
static inline enum reassembly_outcome
naive_add (struct naive_reassembly *naive, const struct fragment *fragment, size_t cap)
{
  struct naive_message *message;

  if (fragment->message_seq < naive->next)
    return REASSEMBLY_OLD;
  if (fragment->message_seq >= naive->next + REASSEMBLY_WINDOW
      || fragment->message_seq >= naive->first + NAIVE_MESSAGES)
    return REASSEMBLY_TOO_FAR;

  message = &naive->messages[fragment->message_seq - naive->first];
  if (message->is_started
      && (message->type != fragment->type || message->len != fragment->message_len))
    return REASSEMBLY_CONTRADICTS;
  if (naive_is_whole (message))
    return REASSEMBLY_DUPLICATE;
  if (fragment->message_len > cap)
    return fragment->message_seq == naive->next ? REASSEMBLY_TOO_LONG : REASSEMBLY_TOO_FAR;
  if (fragment->body.left == 0 && fragment->message_len > 0)
    return REASSEMBLY_DUPLICATE;

  return naive_fill (message, fragment) ? REASSEMBLY_TAKEN : REASSEMBLY_DUPLICATE;
}

/* Whether the two hold the same. */
static inline bool
naive_agrees (struct naive_reassembly *naive, const struct reassembly *reassembly)
{
  const struct naive_message *next = naive_next (naive);
  struct message message;

  if (reassembly_is_empty (reassembly) != naive_is_empty (naive)
      || reassembly_next_seq (reassembly) != naive->next
      || reassembly_peek (reassembly, &message) != naive_is_whole (next))
    return false;

  if (!naive_is_whole (next))
    return true;

  return message.seq == naive->next && message.type == next->type
         && bytes_equal (message.body, (struct bytes){ next->at, next->len });
}

/* After naive_agrees: pops the next message off both, if it is whole. */
static inline bool
naive_pop (struct naive_reassembly *naive, struct reassembly *reassembly)
{
  if (!naive_is_whole (naive_next (naive)))
    return false;

  reassembly_pop (reassembly);
  naive->next++;
  return true;
}
