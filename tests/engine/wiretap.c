/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The wiretap: a copy of each record is opened with its sender's own keys as it goes onto the link. */

#include "wiretap.h"

#include "conn/conn.h"
#include "link.h"
#include "wire/codepoints.h"

#include <stdlib.h>
#include <string.h>

static void
broken (struct wiretap *tap, const char *rule)
{
  if (tap->pair->broken == NULL)
    tap->pair->broken = rule;
}

static uint8_t *
copy_of (const uint8_t *at, size_t len)
{
  uint8_t *copy = link_must (malloc (len + 1));

  if (len > 0)
    memcpy (copy, at, len);
  return copy;
}

/* ---------------------------------------------------------------------------------- opening */

static bool
open_with (const struct epoch_write *sender, const struct record *record, struct opened *out)
{
  struct epoch_read epoch;
  enum dtls_drop drop;

  if (sender->keys.form != RECORD_FORM_13
      || !epoch_read_init (&epoch, pki_crypto (), sender->number, &sender->keys))
    return false;

  /* The sender's own count takes the place of what a reader has seen. */
  replay_init (&epoch.replay, MAX_REPLAY_WINDOW);
  epoch.replay.next = sender->next;
  drop = record_is_of (record, &epoch) ? record_open (&epoch, record, out) : DTLS_DROP_EPOCH;
  epoch_read_clear (&epoch);
  return drop == DTLS_DROP_NONE;
}

static bool
open_record (struct dtls_conn *conn, const struct record *record, struct opened *out)
{
  struct epoch_read plain;

  if (record->form == RECORD_FORM_13)
    return conn != NULL
           && (open_with (&conn->write.epoch, record, out)
               || (conn->old_write != NULL && open_with (conn->old_write, record, out)));

  epoch_read_init_plain (&plain);
  return record_open (&plain, record, out) == DTLS_DROP_NONE;
}

/* ---------------------------------------------------------------------------------- keeping */

static void
watch_number (struct wiretap *tap, const struct heard *fresh)
{
  for (size_t i = 0; i < tap->n; i++)
    {
      const struct heard *old = &tap->heard[i];

      if (old->from == fresh->from && old->epoch == fresh->epoch && old->number == fresh->number
          && fresh->epoch > 0
          && (old->record.left != fresh->record.left
              || memcmp (old->record.at, fresh->record.at, fresh->record.left) != 0))
        broken (tap, "a record number was used twice under one key");
    }
}

static void
keep (struct wiretap *tap, const struct heard *heard)
{
  if (tap->n == tap->capacity)
    {
      tap->capacity = tap->capacity > 0 ? 2 * tap->capacity : 64;
      tap->heard = link_must (realloc (tap->heard, tap->capacity * sizeof *tap->heard));
    }
  tap->heard[tap->n++] = *heard;
}

static bool
hear_record (struct wiretap *tap, struct heard *heard, const struct record *record,
             const uint8_t *original)
{
  struct dtls_conn *conn = tap->pair->sides[heard->from].conn;
  size_t len = (size_t) (record->body + record->len - record->at);
  struct opened opened;

  if (!open_record (conn, record, &opened))
    {
      broken (tap, "a record went out that its sender's keys do not open");
      return false;
    }

  heard->type = opened.type;
  heard->epoch = opened.epoch;
  heard->number = opened.number;
  heard->content = (struct bytes){ copy_of (opened.at, opened.len), opened.len };
  heard->record = (struct bytes){ copy_of (original, len), len };
  watch_number (tap, heard);
  heard->is_lost = tap->takes_away != NULL && tap->takes_away (tap->takes_away_data, heard);
  keep (tap, heard);
  return true;
}

static bool
hear (void *data, unsigned index, struct bytes datagram)
{
  struct wiretap_end *end = data;
  struct wiretap *tap = end->tap;
  uint8_t *copy = copy_of (datagram.at, datagram.left), *at = copy;
  size_t left = datagram.left, first = tap->n;
  bool is_lost = false;
  struct record record;

  while (left > 0 && record_split (&at, &left, &record) == DTLS_DROP_NONE)
    {
      struct heard heard = { .from = end->from, .datagram = index, .at = tap->pair->now };

      if (!hear_record (tap, &heard, &record, datagram.at + (record.at - copy)))
        break;
      is_lost |= heard.is_lost;
    }
  for (size_t i = first; i < tap->n; i++)
    tap->heard[i].is_lost = is_lost;
  free (copy);
  return !is_lost;
}

void
wiretap_attach (struct wiretap *tap, struct pair *pair)
{
  *tap = (struct wiretap){ .pair = pair };
  for (unsigned i = 0; i < 2; i++)
    {
      tap->ends[i] = (struct wiretap_end){ tap, i };
      pair->links[i].lets_through = hear;
      pair->links[i].lets_through_data = &tap->ends[i];
    }
}

void
wiretap_clear (struct wiretap *tap)
{
  for (size_t i = 0; i < tap->n; i++)
    {
      bytes_release (&tap->heard[i].content);
      bytes_release (&tap->heard[i].record);
    }
  free (tap->heard);
  *tap = (struct wiretap){ .n = 0 };
}

/* ---------------------------------------------------------------------------------- asking */

bool
heard_message (const struct heard *heard, uint8_t message, struct fragment *out)
{
  struct reader reader = reader_over (heard->content);
  struct fragment fragment;

  if (heard->type != CONTENT_HANDSHAKE)
    return false;

  while (reader.left > 0 && fragment_read (&reader, &fragment))
    if (fragment.type == message)
      {
        if (out != NULL)
          *out = fragment;
        return true;
      }

  return false;
}

const struct heard *
wiretap_find (const struct wiretap *tap, size_t start, enum dtls_role from, uint8_t type)
{
  for (size_t i = start; i < tap->n; i++)
    if (tap->heard[i].from == from && tap->heard[i].type == type)
      return &tap->heard[i];

  return NULL;
}

const struct heard *
wiretap_latest (const struct wiretap *tap, enum dtls_role from, uint8_t type)
{
  for (size_t i = tap->n; i > 0; i--)
    if (tap->heard[i - 1].from == from && tap->heard[i - 1].type == type)
      return &tap->heard[i - 1];

  return NULL;
}

int
wiretap_alert (const struct wiretap *tap, enum dtls_role from)
{
  const struct heard *alert = wiretap_latest (tap, from, CONTENT_ALERT);

  return alert != NULL && alert->content.left == 2 ? alert->content.at[1] : -1;
}

size_t
wiretap_count (const struct wiretap *tap, size_t start, enum dtls_role from, uint8_t type)
{
  size_t n = 0;

  for (size_t i = start; i < tap->n; i++)
    n += tap->heard[i].from == from && tap->heard[i].type == type;
  return n;
}

const struct heard *
wiretap_find_message (const struct wiretap *tap, size_t start, enum dtls_role from, uint8_t message)
{
  for (size_t i = start; i < tap->n; i++)
    if (tap->heard[i].from == from && heard_message (&tap->heard[i], message, NULL))
      return &tap->heard[i];

  return NULL;
}

size_t
wiretap_count_messages (const struct wiretap *tap, size_t start, enum dtls_role from,
                        uint8_t message)
{
  size_t n = 0;

  for (size_t i = start; i < tap->n; i++)
    n += tap->heard[i].from == from && heard_message (&tap->heard[i], message, NULL);
  return n;
}

size_t
heard_numbers (const struct heard *ack, struct record_number *out, size_t max)
{
  struct record_number number;
  struct bytes numbers;
  size_t n = 0;

  if (ack->type != CONTENT_ACK || !ack_read (ack->content, &numbers))
    return 0;

  while (ack_next (&numbers, &number))
    {
      if (n < max)
        out[n] = number;
      n++;
    }
  return n;
}

bool
heard_acknowledges (const struct heard *ack, const struct heard *record)
{
  struct record_number numbers[64];
  size_t n = heard_numbers (ack, numbers, 64);

  for (size_t i = 0; i < n; i++)
    if (numbers[i].epoch == record->epoch && numbers[i].number == record->number)
      return true;

  return false;
}
