/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Handshake messages put together again, RFC 6347 §4.2.3.
 *
 * A message that arrives in one piece is copied into one block of its size. Any other is gathered
 * in pages of 256 bytes, each with a bit for every byte that is here; a page exists once a byte of
 * it has come. The announced length decides nothing but what lies within the message. When no byte
 * is missing, the pages become one block. A list of extents was rejected: a peer that sends every
 * other byte makes it cost 32 times the message and its search quadratic, whereas pages never cost
 * more than 1.2 times the message.
 *
 * What one connection can be made to hold: the next message, limited by its cap, and
 * REASSEMBLY_AHEAD for all messages beyond it. They have separate budgets so that nothing held
 * ahead can keep the next one out. */

#include "flight/reassembly.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum
{
  PAGE_LEN = 256,
  FIRST_PAGES = 8,
  NO_SEQ = 1 << 16, /* one above the last message_seq */
};

struct page
{
  uint32_t index; /* of its first byte in the message, in pages */
  uint64_t has[PAGE_LEN / 64];
  uint8_t at[PAGE_LEN];
};

/* What a page costs, its place in the list included. */
enum
{
  PAGE_COST = sizeof (struct page) + sizeof (struct page *),
};

/* One message under way. */
struct slot
{
  bool is_started; /* type and len are fixed */
  bool is_whole;   /* all of it is in `whole` */
  uint8_t type;
  uint32_t len;
  uint32_t n_missing;
  uint8_t *whole;      /* (owned) (nullable) len bytes */
  struct page **pages; /* (owned) (nullable) by rising index */
  size_t n_pages;
  size_t capacity;
};

/* A message's slot is its number modulo the window: the window never has two of one slot. */
struct reassembly
{
  uint32_t next_seq; /* NO_SEQ after the last: it does not wrap */
  struct slot slots[REASSEMBLY_WINDOW];
};

static struct slot *
slot_of (struct reassembly *reassembly, uint32_t seq)
{
  return &reassembly->slots[seq % REASSEMBLY_WINDOW];
}

static void
slot_drop_pages (struct slot *slot)
{
  for (size_t i = 0; i < slot->n_pages; i++)
    free (slot->pages[i]);
  free (slot->pages);

  slot->pages = NULL;
  slot->n_pages = 0;
  slot->capacity = 0;
}

static void
slot_clear (struct slot *slot)
{
  slot_drop_pages (slot);
  free (slot->whole);
  *slot = (struct slot){ 0 };
}

static size_t
slot_cost (const struct slot *slot)
{
  return slot->n_pages * PAGE_COST + (slot->whole != NULL ? slot->len : 0);
}

struct reassembly *
reassembly_new (uint32_t next_seq)
{
  struct reassembly *reassembly = calloc (1, sizeof *reassembly);

  if (reassembly != NULL)
    reassembly->next_seq = next_seq;

  return reassembly;
}

void
reassembly_free (struct reassembly *reassembly)
{
  if (reassembly == NULL)
    return;

  reassembly_restart (reassembly, 0);
  free (reassembly);
}

void
reassembly_restart (struct reassembly *reassembly, uint32_t next_seq)
{
  for (size_t i = 0; i < REASSEMBLY_WINDOW; i++)
    slot_clear (&reassembly->slots[i]);
  reassembly->next_seq = next_seq;
}

/* Where in the list the page is, or would be. */
static size_t
find_page (const struct slot *slot, uint32_t index)
{
  size_t low = 0;
  size_t high = slot->n_pages;

  while (low < high)
    {
      size_t middle = low + (high - low) / 2;

      if (slot->pages[middle]->index < index)
        low = middle + 1;
      else
        high = middle;
    }

  return low;
}

static bool
has_page_at (const struct slot *slot, size_t place, uint32_t index)
{
  return place < slot->n_pages && slot->pages[place]->index == index;
}

static bool
make_room (struct slot *slot)
{
  size_t capacity = slot->capacity > 0 ? 2 * slot->capacity : FIRST_PAGES;
  struct page **pages;

  if (slot->n_pages < slot->capacity)
    return true;

  pages = realloc (slot->pages, capacity * sizeof *pages);
  if (pages == NULL)
    return false;

  slot->pages = pages;
  slot->capacity = capacity;
  return true;
}

/* The page, new if need be; NULL without memory. */
static struct page *
get_page (struct slot *slot, uint32_t index)
{
  size_t place = find_page (slot, index);
  struct page *page;

  if (has_page_at (slot, place, index))
    return slot->pages[place];
  if (!make_room (slot))
    return NULL;

  page = calloc (1, sizeof *page);
  if (page == NULL)
    return NULL;

  page->index = index;
  memmove (slot->pages + place + 1, slot->pages + place,
           (slot->n_pages - place) * sizeof *slot->pages);
  slot->pages[place] = page;
  slot->n_pages++;

  return page;
}

/* Copies what is missing, and returns how much that was. The bytes that came first stay. */
static uint32_t
page_fill (struct page *page, uint32_t from, struct bytes bytes)
{
  uint32_t n_new = 0;

  for (size_t i = 0; i < bytes.left; i++)
    {
      uint64_t bit = UINT64_C (1) << (from + i) % 64;
      uint64_t *word = &page->has[(from + i) / 64];

      if ((*word & bit) != 0)
        continue;
      *word |= bit;
      page->at[from + i] = bytes.at[i];
      n_new++;
    }

  return n_new;
}

/* What storing the fragment would add to the slot's cost. */
static size_t
cost_of_adding (const struct slot *slot, const struct fragment *fragment)
{
  /* Both below 2^24. */
  uint32_t first = fragment->offset / PAGE_LEN;
  uint32_t last = (fragment->offset + (uint32_t) fragment->body.left - 1) / PAGE_LEN;
  size_t cost = 0;

  for (uint32_t index = first; index <= last; index++)
    if (!has_page_at (slot, find_page (slot, index), index))
      cost += PAGE_COST;

  return cost;
}

static bool
add_to_pages (struct slot *slot, const struct fragment *fragment)
{
  uint32_t offset = fragment->offset;
  struct bytes rest = fragment->body;

  while (rest.left > 0)
    {
      uint32_t from = offset % PAGE_LEN;
      size_t len = rest.left < PAGE_LEN - from ? rest.left : PAGE_LEN - from;
      struct page *page = get_page (slot, offset / PAGE_LEN);

      if (page == NULL)
        return false;

      slot->n_missing -= page_fill (page, from, (struct bytes){ rest.at, len });
      offset += (uint32_t) len;
      rest = (struct bytes){ rest.at + len, rest.left - len };
    }

  return true;
}

/* Makes one block of the pages, of which no byte is missing. */
static bool
gather (struct slot *slot)
{
  uint8_t *whole = malloc (slot->len);

  if (whole == NULL)
    return false;

  for (size_t i = 0; i < slot->n_pages; i++)
    {
      size_t offset = i * PAGE_LEN;
      size_t left = slot->len - offset;

      memcpy (whole + offset, slot->pages[i]->at, left < PAGE_LEN ? left : PAGE_LEN);
    }

  slot_drop_pages (slot);
  slot->whole = whole;
  slot->is_whole = true;
  return true;
}

/* The whole message in one fragment, and nothing of it here: the common case needs no pages. */
static bool
take_whole (struct slot *slot, const struct fragment *fragment)
{
  if (slot->len > 0)
    {
      slot->whole = malloc (slot->len);
      if (slot->whole == NULL)
        return false;
      memcpy (slot->whole, fragment->body.at, slot->len);
    }

  slot->n_missing = 0;
  slot->is_whole = true;
  return true;
}

static enum reassembly_outcome
slot_add (struct slot *slot, const struct fragment *fragment)
{
  uint32_t n_missing = slot->n_missing;

  if (slot->n_pages == 0 && fragment->body.left == slot->len)
    return take_whole (slot, fragment) ? REASSEMBLY_TAKEN : REASSEMBLY_NO_MEMORY;

  if (!add_to_pages (slot, fragment) || (slot->n_missing == 0 && !gather (slot)))
    return REASSEMBLY_NO_MEMORY;

  return slot->n_missing < n_missing ? REASSEMBLY_TAKEN : REASSEMBLY_DUPLICATE;
}

static bool
contradicts (const struct slot *slot, const struct fragment *fragment)
{
  return slot->is_started && (slot->type != fragment->type || slot->len != fragment->message_len);
}

/* Whether it may be held ahead of its turn. */
static bool
fits_ahead (const struct reassembly *reassembly, const struct slot *slot,
            const struct fragment *fragment)
{
  size_t next = reassembly->next_seq % REASSEMBLY_WINDOW;
  size_t cost = fragment->body.left > 0 ? cost_of_adding (slot, fragment) : 0;

  for (size_t i = 0; i < REASSEMBLY_WINDOW; i++)
    if (i != next)
      cost += slot_cost (&reassembly->slots[i]);

  return cost <= REASSEMBLY_AHEAD;
}

/* The parser sees to it as well; but whoever builds a fragment by hand must not reach beyond a
 * message. */
static bool
lies_within_message (const struct fragment *fragment)
{
  return (uint64_t) fragment->offset + fragment->body.left <= fragment->message_len;
}

enum reassembly_outcome
reassembly_add (struct reassembly *reassembly, const struct fragment *fragment, size_t cap)
{
  uint32_t seq = fragment->message_seq;
  bool is_next = seq == reassembly->next_seq;
  struct slot *slot = slot_of (reassembly, seq);

  assert (lies_within_message (fragment));

  if (seq < reassembly->next_seq)
    return REASSEMBLY_OLD;
  if (seq - reassembly->next_seq >= REASSEMBLY_WINDOW)
    return REASSEMBLY_TOO_FAR;
  if (contradicts (slot, fragment))
    return REASSEMBLY_CONTRADICTS;
  if (slot->is_whole)
    return REASSEMBLY_DUPLICATE;
  if (fragment->message_len > cap)
    return is_next ? REASSEMBLY_TOO_LONG : REASSEMBLY_TOO_FAR;
  /* An empty fragment of a message that is not empty brings nothing, and fixes nothing. */
  if (fragment->body.left == 0 && fragment->message_len > 0)
    return REASSEMBLY_DUPLICATE;
  if (!is_next && !fits_ahead (reassembly, slot, fragment))
    return REASSEMBLY_TOO_FAR;

  if (!slot->is_started)
    *slot = (struct slot){
      .is_started = true,
      .type = fragment->type,
      .len = fragment->message_len,
      .n_missing = fragment->message_len,
    };

  return slot_add (slot, fragment);
}

bool
reassembly_peek (const struct reassembly *reassembly, struct message *out)
{
  const struct slot *slot = &reassembly->slots[reassembly->next_seq % REASSEMBLY_WINDOW];

  if (!slot->is_whole)
    return false;

  *out = (struct message){
    .type = slot->type,
    .seq = (uint16_t) reassembly->next_seq,
    .body = { slot->whole, slot->len },
  };
  return true;
}

void
reassembly_pop (struct reassembly *reassembly)
{
  struct slot *slot = slot_of (reassembly, reassembly->next_seq);

  assert (slot->is_whole);

  slot_clear (slot);
  reassembly->next_seq++;
}

bool
reassembly_is_empty (const struct reassembly *reassembly)
{
  for (size_t i = 0; i < REASSEMBLY_WINDOW; i++)
    if (reassembly->slots[i].is_started)
      return false;

  return true;
}

bool
reassembly_has_begun_next (const struct reassembly *reassembly)
{
  return reassembly->slots[reassembly->next_seq % REASSEMBLY_WINDOW].is_started;
}

uint32_t
reassembly_next_seq (const struct reassembly *reassembly)
{
  return reassembly->next_seq;
}
