/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3 over links that lose, repeat, reorder and spoil at random, by seed: handshakes, tickets, data and key updates. */

#include "random.h"
#include "setup13.h"

enum
{
  N_SEEDS = 4000,
  N_TALKING_SEEDS = 1000,
  N_ROUNDS = 30,
};

static void
spoil_links (struct pair *pair, unsigned corrupt_percent)
{
  for (unsigned i = 0; i < 2; i++)
    {
      struct link *link = &pair->links[i];

      link->drop_percent = random_below (&pair->seed, 21);
      link->duplicate_percent = random_below (&pair->seed, 31);
      link->jitter = random_below (&pair->seed, 2) * 100 * DTLS_MILLISECOND;
      link->corrupt_percent = corrupt_percent;
    }
}

static void
mend_links (struct pair *pair)
{
  for (unsigned i = 0; i < 2; i++)
    {
      struct link *link = &pair->links[i];

      link->drop_percent = link->duplicate_percent = link->corrupt_percent = 0;
      link->jitter = 0;
    }
}

/* Twelve retransmissions take 411 seconds; more than that is never needed. */
static void
check_outcome (struct pair *pair)
{
  check_at_rest (pair, 411 * DTLS_SECOND);
  CHECK (pair->sides[DTLS_CLIENT].n_events[DTLS_EVENT_SESSION] > 0);
  mend_links (pair);
  if (check_same_13 (pair))
    CHECK (pair_talks (pair));
}

static const struct shape_row *
begin_by_seed (struct pair *pair, uint64_t seed)
{
  const struct shape_row *row = &shapes[seed % TAP_N (shapes)];
  static char name[96];

  snprintf (name, sizeof name, "seed %llu, %s", (unsigned long long) seed, row->name);
  tap_set_row (name);
  setup (pair, row->shape);
  pair->seed = seed;
  if ((row->shape & SHAPE_SMALL) == 0)
    for (unsigned i = 0; i < 2; i++)
      pair->sides[i].config.mtu = SMALL_MTU + random_below (&pair->seed, 1245);
  return row;
}

static void
test_loss_repetition_and_reordering (void)
{
  for (uint64_t seed = 1; seed <= N_SEEDS; seed++)
    {
      struct pair pair;

      begin_by_seed (&pair, seed);
      spoil_links (&pair, 0);
      if (CHECK (pair_handshake (&pair)))
        check_outcome (&pair);
      else
        tell_sides (&pair);
      PAIR_END (&pair);
    }
  tap_set_row (NULL);
}

/* ---------------------------------------------------------------------------------- while data flows */

/* Either side sends, asks for new keys, or waits. */
static void
play_round (struct pair *pair)
{
  uint8_t message[64];

  for (unsigned i = 0; i < 2; i++)
    {
      unsigned what = random_below (&pair->seed, 6);

      memset (message, (int) what, sizeof message);
      if (what == 0)
        update_keys (pair, i, random_below (&pair->seed, 2));
      else
        CHECK_UINT (pair_send (pair, i, TAP_BYTES (message)), DTLS_OK);
    }
  pair_run (pair, random_below (&pair->seed, 300) * DTLS_MILLISECOND);
}

/* Epochs of one direction are the same at both ends, once all is quiet. */
static unsigned
check_epochs (const struct pair *pair)
{
  unsigned n = 0;

  for (unsigned i = 0; i < 2; i++)
    {
      const struct dtls_conn *writer = pair->sides[i].conn, *reader = pair->sides[!i].conn;

      CHECK_UINT (writer->write.epoch.number, writer->known.write_epoch);
      CHECK_UINT (reader->known.read_epoch, writer->known.write_epoch);
      n += writer->known.write_epoch;
    }
  return n;
}

static void
test_key_updates_amid_data (void)
{
  unsigned n_epochs = 0, n_messages = 0;

  for (uint64_t seed = 1; seed <= N_TALKING_SEEDS; seed++)
    {
      struct pair pair;

      begin_by_seed (&pair, seed);
      if (!CHECK (pair_handshake (&pair)))
        {
          PAIR_END (&pair);
          continue;
        }
      spoil_links (&pair, seed % 4 == 0 ? 5 : 0);
      for (unsigned i = 0; i < N_ROUNDS; i++)
        play_round (&pair);
      mend_links (&pair);
      check_outcome (&pair);
      n_epochs += check_epochs (&pair);
      n_messages += pair.sides[0].n_messages + pair.sides[1].n_messages;
      PAIR_END (&pair);
    }
  tap_set_row (NULL);

  printf ("# %u epochs, %u messages\n", n_epochs, n_messages);
  CHECK (n_epochs > 8 * N_TALKING_SEEDS);
  CHECK (n_messages > N_ROUNDS * N_TALKING_SEEDS);
}

/* ---------------------------------------------------------------------------------- spoiled bytes */

/* Plaintext may mislead a handshake into ending; it must never mislead it into two sides that disagree. */
static void
test_spoiled_handshakes_agree_or_end (void)
{
  unsigned n_connected = 0, n_ended = 0;

  for (uint64_t seed = 1; seed <= N_SEEDS; seed++)
    {
      struct pair pair;

      begin_by_seed (&pair, seed);
      spoil_links (&pair, 10);
      for (unsigned i = 0; i < 2; i++)
        pair.sides[i].config.handshake_deadline = 60 * DTLS_SECOND;
      if (pair_handshake (&pair))
        {
          check_outcome (&pair);
          n_connected++;
        }
      else
        {
          n_ended++;
        }
      PAIR_END (&pair);
    }
  tap_set_row (NULL);

  printf ("# %u connected, %u ended\n", n_connected, n_ended);
  CHECK (n_connected > N_SEEDS / 10);
  CHECK (n_ended > N_SEEDS / 20);
}

static const struct tap_test tests[] = {
  { "/conn/loss13/4000-seeds-of-loss-repetition-and-reordering",
    test_loss_repetition_and_reordering },
  { "/conn/loss13/1000-seeds-of-key-updates-amid-data", test_key_updates_amid_data },
  { "/conn/loss13/spoiled-handshakes-agree-or-end", test_spoiled_handshakes_agree_or_end },
};

TAP_MAIN (tests)
