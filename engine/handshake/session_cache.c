/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions by their ID, in the order in which they came. The table of chains is as large as it will ever
 * need to be from the start. What is hashed are IDs that servers of ours made up at random: a peer can ask
 * for others, but cannot put them in, so it cannot make a chain long. */

#include "dtls.h"

#include "crypto/digest.h"
#include "wire/reader.h"

#include <stdlib.h>
#include <string.h>

enum
{
  MAX_CHAINS = 1 << 16, /* with more sessions than that, chains are longer than one */
};

struct entry
{
  struct entry *older; /* (nullable) */
  struct entry *newer; /* (nullable) */
  struct entry *next;  /* (nullable) of the same chain */
  struct bytes id;     /* both lie behind the entry, in its allocation */
  struct bytes session;
};

struct dtls_session_cache
{
  size_t max_sessions;
  size_t max_bytes;
  size_t n;
  size_t n_bytes; /* of the sessions */
  struct entry *oldest;
  struct entry *newest;
  size_t n_chains;        /* a power of two */
  struct entry *chains[]; /* (owned) */
};

struct dtls_session_cache *
dtls_session_cache_new (size_t max_sessions, size_t max_bytes)
{
  struct dtls_session_cache *cache;
  size_t n_chains = 1;

  while (n_chains < max_sessions && n_chains < MAX_CHAINS)
    n_chains *= 2;

  cache = calloc (1, sizeof *cache + n_chains * sizeof cache->chains[0]);
  if (cache == NULL)
    return NULL;

  cache->max_sessions = max_sessions;
  cache->max_bytes = max_bytes;
  cache->n_chains = n_chains;
  return cache;
}

/* FNV-1a */
static size_t
chain_of (const struct dtls_session_cache *cache, struct bytes id)
{
  uint64_t hash = UINT64_C (0xcbf29ce484222325);

  for (size_t i = 0; i < id.left; i++)
    hash = (hash ^ id.at[i]) * UINT64_C (0x100000001b3);

  return (size_t) (hash ^ hash >> 32) & (cache->n_chains - 1);
}

static struct entry *
find_entry (const struct dtls_session_cache *cache, struct bytes id)
{
  struct entry *entry = cache->chains[chain_of (cache, id)];

  while (entry != NULL && !bytes_equal (entry->id, id))
    entry = entry->next;

  return entry;
}

static void
unchain (struct dtls_session_cache *cache, const struct entry *entry)
{
  struct entry **link = &cache->chains[chain_of (cache, entry->id)];

  while (*link != entry)
    link = &(*link)->next;
  *link = entry->next;
}

static void
drop_entry (struct dtls_session_cache *cache, struct entry *entry)
{
  unchain (cache, entry);
  *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
  *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
  cache->n--;
  cache->n_bytes -= entry->session.left;
  wipe_free (entry, sizeof *entry + entry->id.left + entry->session.left);
}

void
dtls_session_cache_free (struct dtls_session_cache *cache)
{
  if (cache == NULL)
    return;

  while (cache->oldest != NULL)
    drop_entry (cache, cache->oldest);
  free (cache);
}

static struct entry *
entry_new (struct bytes id, struct bytes session)
{
  struct entry *entry = calloc (1, sizeof *entry + id.left + session.left);
  uint8_t *at;

  if (entry == NULL)
    return NULL;

  at = (uint8_t *) (entry + 1);
  memcpy (at, id.at, id.left);
  memcpy (at + id.left, session.at, session.left);
  entry->id = (struct bytes){ at, id.left };
  entry->session = (struct bytes){ at + id.left, session.left };
  return entry;
}

static void
add_entry (struct dtls_session_cache *cache, struct entry *entry)
{
  struct entry **chain = &cache->chains[chain_of (cache, entry->id)];

  entry->next = *chain;
  *chain = entry;
  entry->older = cache->newest;
  *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
  cache->newest = entry;
  cache->n++;
  cache->n_bytes += entry->session.left;
}

void
dtls_session_cache_drop (struct dtls_session_cache *cache, struct bytes id)
{
  struct entry *entry = find_entry (cache, id);

  if (entry != NULL)
    drop_entry (cache, entry);
}

static bool
may_keep (const struct dtls_session_cache *cache, struct bytes id, struct bytes session)
{
  return id.left > 0 && id.left <= DTLS_MAX_SESSION_ID_LEN && session.left > 0
         && session.left <= cache->max_bytes && cache->max_sessions > 0;
}

void
dtls_session_cache_store (struct dtls_session_cache *cache, struct bytes id, struct bytes session)
{
  /* Made before anything is dropped: `session` may be of what is kept here. */
  struct entry *entry = may_keep (cache, id, session) ? entry_new (id, session) : NULL;

  dtls_session_cache_drop (cache, id);
  if (entry == NULL)
    return;

  while (cache->n >= cache->max_sessions || cache->n_bytes > cache->max_bytes - entry->session.left)
    drop_entry (cache, cache->oldest);
  add_entry (cache, entry);
}

struct bytes
dtls_session_cache_find (const struct dtls_session_cache *cache, struct bytes id)
{
  const struct entry *entry = find_entry (cache, id);

  return entry != NULL ? entry->session : (struct bytes){ NULL, 0 };
}

size_t
dtls_session_cache_n (const struct dtls_session_cache *cache)
{
  return cache->n;
}
