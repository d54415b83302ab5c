/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* flight/outbox beside a model without any cleverness, at random: a mark for every byte that can be
 * acknowledged, and one for what has no byte. */

#include "random.h"
#include "entries.h"

enum
{
  MAX_ENTRIES = 8,
  MAX_UNITS = MAX_ENTRIES * MAX_LEN,
  MAX_EPOCH = 4,
};

struct model
{
  size_t n_entries;
  int lens[MAX_ENTRIES];
  uint16_t epochs[MAX_ENTRIES];
  size_t n_units;
  size_t entries[MAX_UNITS]; /* that the unit is of */
  size_t offsets[MAX_UNITS];
  bool is_acknowledged[MAX_UNITS];
  size_t next;
  uint64_t n_records;    /* of all flights: the next record's number, in every epoch */
  uint64_t first_record; /* of this flight */
  struct
  {
    uint16_t epoch;
    bool has[MAX_UNITS];
  } records[MAX_SENT_RECORDS];
};

static void
model_clear (struct model *model)
{
  uint64_t n_records = model->n_records;

  memset (model, 0, sizeof *model);
  model->n_records = n_records;
  model->first_record = n_records;
}

static void
model_add (struct model *model, uint16_t epoch, int len)
{
  model->lens[model->n_entries] = len;
  model->epochs[model->n_entries] = epoch;
  for (size_t i = 0; i < (len > 0 ? (size_t) len : 1); i++)
    {
      model->entries[model->n_units] = model->n_entries;
      model->offsets[model->n_units++] = i;
    }
  model->n_entries++;
}

/* n_units if nothing is left. */
static size_t
model_hole (const struct model *model, size_t from)
{
  while (from < model->n_units && model->is_acknowledged[from])
    from++;
  return from;
}

/* How many units the piece at `unit` has; 0 if it does not fit. */
static size_t
model_piece (const struct model *model, size_t unit, size_t room)
{
  size_t entry = model->entries[unit];
  size_t n = 0;

  if (model->lens[entry] <= 0)
    return room >= (model->lens[entry] == 0 ? FRAGMENT_HEADER_LEN : 1);

  while (unit + n < model->n_units && model->entries[unit + n] == entry
         && !model->is_acknowledged[unit + n] && FRAGMENT_HEADER_LEN + n < room)
    n++;
  return n;
}

static size_t
model_n_ranges (const struct model *model)
{
  size_t n = 0;

  for (size_t i = 0; i < model->n_units; i++)
    if (model->is_acknowledged[i] && (i == 0 || !model->is_acknowledged[i - 1]))
      n++;
  return n;
}

enum news
{
  NO_NEWS,
  NEWS,
  TOO_MUCH_NEWS,
};

static enum news
model_acknowledge (struct model *model, uint16_t epoch, uint64_t number)
{
  static struct model before;
  bool is_news = false;

  if (number < model->first_record || number >= model->n_records
      || number + MAX_SENT_RECORDS < model->n_records
      || model->records[number % MAX_SENT_RECORDS].epoch != epoch)
    return NO_NEWS;

  before = *model;
  for (size_t i = 0; i < model->n_units; i++)
    if (model->records[number % MAX_SENT_RECORDS].has[i])
      {
        is_news = is_news || !model->is_acknowledged[i];
        model->is_acknowledged[i] = true;
      }
  if (model_n_ranges (model) <= MAX_ACKNOWLEDGED_RANGES)
    return is_news ? NEWS : NO_NEWS;

  *model = before;
  return TOO_MUCH_NEWS;
}

static bool
model_has (const struct model *model, size_t unit, size_t n, const struct outbox_piece *piece)
{
  size_t entry = model->entries[unit];
  const struct fragment *fragment = &piece->fragment;

  if (piece->epoch != model->epochs[entry]
      || piece->is_change_cipher_spec != (model->lens[entry] == CHANGE_CIPHER_SPEC))
    return false;
  if (piece->is_change_cipher_spec)
    return true;
  if (fragment->type != entry + 1 || fragment->message_seq != entry
      || fragment->message_len != (uint32_t) model->lens[entry]
      || fragment->offset != model->offsets[unit]
      || fragment->body.left != (model->lens[entry] > 0 ? n : 0))
    return false;

  for (size_t i = 0; i < fragment->body.left; i++)
    if (fragment->body.at[i] != body_byte (entry, fragment->offset + i))
      return false;
  return true;
}

static void
check_facts (const struct model *model, const struct outbox *outbox)
{
  size_t hole = model_hole (model, model->next);
  uint16_t epoch = 0;

  CHECK_UINT (outbox_is_acknowledged (outbox), model_hole (model, 0) == model->n_units);
  CHECK_UINT (outbox_has_more (outbox, &epoch), hole < model->n_units);
  if (hole < model->n_units)
    CHECK_UINT (epoch, model->epochs[model->entries[hole]]);

  for (uint16_t i = 0; i <= MAX_EPOCH; i++)
    {
      bool is_needed = false;

      for (size_t unit = 0; unit < model->n_units; unit++)
        is_needed = is_needed
                    || (!model->is_acknowledged[unit] && model->epochs[model->entries[unit]] == i);
      CHECK_UINT (outbox_needs_epoch (outbox, i), is_needed);
    }
}

/* One record of as many pieces as fit. False if none did. */
static bool
send_record (struct model *model, struct outbox *outbox, size_t room)
{
  struct sent_record record = { .number = model->n_records };
  bool *has = model->records[model->n_records % MAX_SENT_RECORDS].has;
  struct outbox_piece piece;
  size_t n_pieces = 0;

  for (;;)
    {
      size_t unit = model_hole (model, model->next);
      size_t n = unit < model->n_units ? model_piece (model, unit, room) : 0;

      if (n_pieces > 0 && n > 0 && model->epochs[model->entries[unit]] != record.epoch)
        break;
      if (!CHECK_UINT (outbox_next (outbox, room, &piece), n > 0) || n == 0
          || !CHECK (model_has (model, unit, n, &piece)))
        break;

      if (n_pieces++ == 0)
        {
          record.begin = piece.begin;
          record.epoch = piece.epoch;
          memset (has, 0, MAX_UNITS);
        }
      record.end = piece.end;
      memset (has + unit, 1, n);
      model->next = unit + n;
      room -= piece.is_change_cipher_spec ? 1 : FRAGMENT_HEADER_LEN + piece.fragment.body.left;
    }
  if (n_pieces == 0)
    return false;

  model->records[model->n_records++ % MAX_SENT_RECORDS].epoch = record.epoch;
  outbox_note_sent (outbox, &record);
  return true;
}

static void
add_at_random (struct model *model, struct outbox *outbox, uint64_t *state)
{
  uint32_t kind = random_below (state, 8);
  int len = kind == 0   ? CHANGE_CIPHER_SPEC
            : kind == 1 ? 0
                        : (int) random_below (state, MAX_LEN + 1);
  uint16_t epoch = model->n_entries > 0 ? model->epochs[model->n_entries - 1] : 0;

  if (model->n_entries == MAX_ENTRIES)
    return;

  if (epoch < MAX_EPOCH)
    epoch = (uint16_t) (epoch + random_below (state, 2));
  add_entry (outbox, model->n_entries, epoch, len);
  model_add (model, epoch, len);
}

static void
acknowledge_at_random (struct model *model, struct outbox *outbox, uint64_t *state,
                       unsigned n_seen[])
{
  uint64_t back = random_below (state, MAX_SENT_RECORDS + 4);
  uint64_t number = back <= model->n_records ? model->n_records - back : 0;
  uint16_t epoch = random_below (state, 16) == 0 ? (uint16_t) random_below (state, MAX_EPOCH + 1)
                                                 : model->records[number % MAX_SENT_RECORDS].epoch;
  enum news news = model_acknowledge (model, epoch, number);

  n_seen[news]++;
  CHECK_UINT (outbox_acknowledge (outbox, epoch, number), news == NEWS);
}

/* In the end everything is sent and acknowledged. */
static void
finish (struct model *model, struct outbox *outbox)
{
  uint64_t first = model->n_records;

  outbox_rewind (outbox);
  model->next = 0;
  while (send_record (model, outbox, SIZE_MAX))
    continue;
  for (uint64_t number = first; number < model->n_records; number++)
    {
      uint16_t epoch = model->records[number % MAX_SENT_RECORDS].epoch;

      CHECK_UINT (model_acknowledge (model, epoch, number), NEWS);
      CHECK (outbox_acknowledge (outbox, epoch, number));
    }
  CHECK_UINT (model_hole (model, 0), model->n_units);
  check_facts (model, outbox);
}

/* Too little for anything now and then. */
static size_t
room_at_random (uint64_t *state, uint32_t most_body)
{
  return random_below (state, 8) == 0 ? random_below (state, FRAGMENT_HEADER_LEN + 1)
                                      : FRAGMENT_HEADER_LEN + 1 + random_below (state, most_body);
}

static void
step_at_random (struct model *model, struct outbox *outbox, uint64_t *state, uint32_t most_body,
                unsigned n_seen[])
{
  uint32_t kind = random_below (state, 2000);

  if (kind < 60)
    add_at_random (model, outbox, state);
  else if (kind < 1300)
    send_record (model, outbox, room_at_random (state, most_body));
  else if (kind < 1990)
    acknowledge_at_random (model, outbox, state, n_seen);
  else if (kind < 1998)
    {
      outbox_rewind (outbox);
      model->next = 0;
    }
  else
    {
      outbox_clear (outbox);
      model_clear (model);
    }
  check_facts (model, outbox);
}

static void
behaves_like_a_mark_on_every_byte (void)
{
  enum
  {
    N_SEEDS = 100,
    N_STEPS = 1000,
  };

  static const uint32_t most_bodies[] = { 3, 12, 50, 600 };
  static struct model model;
  unsigned n_seen[] = { [NO_NEWS] = 0, [NEWS] = 0, [TOO_MUCH_NEWS] = 0 };

  for (uint64_t seed = 0; seed < N_SEEDS && !tap_is_failing; seed++)
    {
      struct outbox *outbox = empty_outbox ();
      uint32_t most_body = most_bodies[seed % TAP_N (most_bodies)];
      uint64_t state = seed;

      model_clear (&model);
      for (unsigned step = 0; step < N_STEPS && !tap_is_failing; step++)
        step_at_random (&model, outbox, &state, most_body, n_seen);
      finish (&model, outbox);
      outbox_free (outbox);
      if (tap_is_failing)
        printf ("# seed %u\n", (unsigned) seed);
    }

  /* All that can happen did. */
  CHECK (n_seen[NO_NEWS] > 0);
  CHECK (n_seen[NEWS] > 0);
  CHECK (n_seen[TOO_MUCH_NEWS] > 0);
}

static const struct tap_test tests[] = {
  { "/flight/outbox/behaves-like-a-mark-on-every-byte", behaves_like_a_mark_on_every_byte },
};

TAP_MAIN (tests)
