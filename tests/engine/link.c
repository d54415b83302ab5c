/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Links that lose, repeat, delay and spoil. */

#include "link.h"

#include "random.h"

#include <stdlib.h>
#include <string.h>

void *
link_must (void *at)
{
  if (at == NULL)
    abort ();
  return at;
}

static bool
happens (struct pair *pair, unsigned percent)
{
  return percent > 0 && random_below (&pair->seed, 100) < percent;
}

static void
fly (struct pair *pair, enum dtls_role to, struct bytes datagram, dtls_time arrives)
{
  struct flying *flying = link_must (malloc (sizeof *flying + datagram.left));
  struct flying **place = &pair->flying;

  flying->arrives = arrives;
  flying->to = to;
  flying->len = datagram.left;
  if (datagram.left > 0)
    memcpy (flying->at, datagram.at, datagram.left);

  while (*place != NULL && (*place)->arrives <= arrives)
    place = &(*place)->next;
  flying->next = *place;
  *place = flying;
}

static void
fly_spoiled (struct pair *pair, enum dtls_role to, struct bytes datagram, dtls_time arrives)
{
  uint8_t *copy = link_must (malloc (datagram.left));

  memcpy (copy, datagram.at, datagram.left);
  copy[random_below (&pair->seed, (uint32_t) datagram.left)] ^=
      (uint8_t) (1 + random_below (&pair->seed, 255));
  fly (pair, to, (struct bytes){ copy, datagram.left }, arrives);
  free (copy);
}

static void
fly_changed (struct pair *pair, enum dtls_role to, struct bytes datagram, dtls_time arrives)
{
  struct link *link = &pair->links[link_other (to)];
  uint8_t *copy = link_must (malloc (datagram.left + 1));

  memcpy (copy, datagram.at, datagram.left);
  link->changes (link->changes_data, link->n_datagrams - 1, copy, datagram.left);
  fly (pair, to, (struct bytes){ copy, datagram.left }, arrives);
  free (copy);
}

static bool
is_lost (struct pair *pair, struct link *link, unsigned index, struct bytes datagram)
{
  bool is_let_through =
      link->lets_through == NULL || link->lets_through (link->lets_through_data, index, datagram);

  bool fits = link->mtu == 0 || datagram.left <= link->mtu;

  return !is_let_through || !fits || (index < 64 && (link->drops >> index & 1) != 0)
         || happens (pair, link->drop_percent);
}

void
pair_put (struct pair *pair, enum dtls_role from, struct bytes datagram)
{
  struct link *link = &pair->links[from];
  unsigned index = link->n_datagrams++;
  unsigned n_copies = happens (pair, link->duplicate_percent) ? 2 : 1;

  link->n_bytes += datagram.left;
  if (datagram.left > link->longest)
    link->longest = datagram.left;
  if (is_lost (pair, link, index, datagram))
    return;

  for (unsigned i = 0; i < n_copies; i++)
    {
      dtls_time arrives = pair->now + link->delay;

      if (link->jitter > 0)
        arrives += random_below (&pair->seed, (uint32_t) link->jitter);
      if (datagram.left > 0 && happens (pair, link->corrupt_percent))
        fly_spoiled (pair, link_other (from), datagram, arrives);
      else if (link->changes != NULL && datagram.left > 0)
        fly_changed (pair, link_other (from), datagram, arrives);
      else
        fly (pair, link_other (from), datagram, arrives);
    }
}

bool
pair_intercept (struct pair *pair, enum dtls_role to, uint8_t *out, size_t *out_len)
{
  struct flying **place = &pair->flying, *flying;

  while (*place != NULL && (*place)->to != to)
    place = &(*place)->next;
  flying = *place;
  if (flying == NULL)
    return false;

  *place = flying->next;
  memcpy (out, flying->at, flying->len);
  *out_len = flying->len;
  free (flying);
  return true;
}

void
link_clear (struct pair *pair)
{
  while (pair->flying != NULL)
    {
      struct flying *next = pair->flying->next;

      free (pair->flying);
      pair->flying = next;
    }
}
