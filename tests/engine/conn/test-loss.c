/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Handshakes and data over links that lose, repeat, reorder and spoil datagrams, at every MTU. Ed25519 and X25519
 * throughout: their messages have the same length in every run, so that a seed is the same accident every time. */

#include "random.h"
#include "same.h"

#include <stdlib.h>

enum
{
  MIN_MTU = 256,
};

/* clang-format off */
enum mode
{
  PLAIN        = 0,
  WITH_COOKIES = 1 << 0,
  WITH_CLIENT  = 1 << 1, /* it has a certificate, and must show it */
  WITH_SMALL_MTU  = 1 << 2, /* small datagrams */
  N_MODES      = 1 << 3,
};
/* clang-format on */

static void
set_up (struct pair *pair, unsigned mode)
{
  bool has_client = (mode & WITH_CLIENT) != 0;

  pair_init (pair, pki_identity ("server-ed25519"),
             has_client ? pki_identity ("client-ed25519") : NULL);
  pair->has_cookies = (mode & WITH_COOKIES) != 0;
  if (has_client)
    pair->sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  for (unsigned i = 0; i < 2; i++)
    {
      if (mode & WITH_SMALL_MTU)
        pair->sides[i].config.mtu = MIN_MTU;
      pair->sides[i].config.handshake_deadline = DTLS_NEVER;
    }
}

/* How many datagrams each side needs when none is lost. */
static void
count_datagrams (unsigned mode, unsigned out_n[2])
{
  struct pair pair;

  set_up (&pair, mode);
  CHECK (pair_handshake (&pair));
  for (unsigned i = 0; i < 2; i++)
    out_n[i] = pair.links[i].n_datagrams;
  PAIR_END (&pair);
}

static void
connect_despite (unsigned mode, uint64_t client_drops, uint64_t server_drops)
{
  struct pair pair;
  char row[96];

  snprintf (row, sizeof row, "mode %u, lost of the client's %llx, of the server's %llx", mode,
            (unsigned long long) client_drops, (unsigned long long) server_drops);
  tap_set_row (row);
  set_up (&pair, mode);
  pair.links[DTLS_CLIENT].drops = client_drops;
  pair.links[DTLS_SERVER].drops = server_drops;
  if (!CHECK (pair_handshake (&pair)))
    tell_errors (&pair);
  /* What is still to be lost would be data now. */
  pair.links[DTLS_CLIENT].drops = pair.links[DTLS_SERVER].drops = 0;
  if (check_same (&pair))
    CHECK (pair_talks (&pair));
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static uint64_t
bit (unsigned n)
{
  return UINT64_C (1) << n;
}

static void
test_any_datagram_lost_once (void)
{
  for (unsigned mode = 0; mode < N_MODES; mode++)
    {
      unsigned n[2];

      count_datagrams (mode, n);
      for (unsigned i = 0; i < n[DTLS_CLIENT]; i++)
        connect_despite (mode, bit (i), 0);
      for (unsigned i = 0; i < n[DTLS_SERVER]; i++)
        connect_despite (mode, 0, bit (i));
    }
}

/* Two of either side's or one of each; the second may be the first's retransmission. */
static void
test_any_two_datagrams_lost (void)
{
  for (unsigned mode = 0; mode < N_MODES; mode++)
    {
      unsigned n[2];

      count_datagrams (mode, n);
      for (unsigned i = 0; i < n[DTLS_CLIENT]; i++)
        {
          for (unsigned j = i + 1; j < 2 * n[DTLS_CLIENT]; j++)
            connect_despite (mode, bit (i) | bit (j), 0);
          for (unsigned j = 0; j < n[DTLS_SERVER]; j++)
            connect_despite (mode, bit (i), bit (j));
        }
      for (unsigned i = 0; i < n[DTLS_SERVER]; i++)
        for (unsigned j = i + 1; j < 2 * n[DTLS_SERVER]; j++)
          connect_despite (mode, 0, bit (i) | bit (j));
    }
}

/* A link that is dead for a while, from its n-th datagram on. */
struct outage
{
  const struct pair *pair;
  unsigned from;
  dtls_time until; /* 0: not yet begun */
};

static bool
is_up (void *data, unsigned index, struct bytes datagram)
{
  /* Transmissions at 0, 0.4, 1.2 and 2.8 seconds: the fourth gets through. */
  static const dtls_duration three_transmissions = 2 * DTLS_SECOND;
  struct outage *outage = data;

  (void) datagram;
  if (index < outage->from)
    return true;
  if (outage->until == 0)
    outage->until = outage->pair->now + three_transmissions;
  return outage->pair->now > outage->until;
}

static void
connect_despite_outage (unsigned mode, enum dtls_role from, unsigned index)
{
  struct pair pair;
  struct outage outage = { &pair, index, 0 };

  set_up (&pair, mode);
  pair.links[from].lets_through = is_up;
  pair.links[from].lets_through_data = &outage;
  if (!CHECK (pair_handshake (&pair)))
    tell_errors (&pair);
  else
    check_same (&pair);
  CHECK (outage.until > 0);
  PAIR_END (&pair);
}

static void
test_any_flight_lost_three_times (void)
{
  for (unsigned mode = 0; mode < N_MODES; mode++)
    {
      unsigned n[2];

      count_datagrams (mode, n);
      for (unsigned from = 0; from < 2; from++)
        for (unsigned i = 0; i < n[from]; i++)
          connect_despite_outage (mode, from, i);
    }
}

/* ---------------------------------------------------------------------------------- seeds */

static void
connect_by_seed (uint64_t seed, unsigned mode, size_t mtu)
{
  struct pair pair;
  char row[64];

  snprintf (row, sizeof row, "seed %llu, mode %u, MTU %zu", (unsigned long long) seed, mode, mtu);
  tap_set_row (row);
  set_up (&pair, mode);
  pair.seed = seed;
  for (unsigned i = 0; i < 2; i++)
    {
      pair.sides[i].config.mtu = mtu;
      pair.links[i].drop_percent = random_below (&pair.seed, 21);
      pair.links[i].duplicate_percent = random_below (&pair.seed, 31);
      pair.links[i].jitter = random_below (&pair.seed, 2) * 100 * DTLS_MILLISECOND;
    }

  if (!CHECK (pair_handshake (&pair)))
    tell_errors (&pair);
  else
    check_same (&pair);
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static void
test_loss_repetition_and_reordering (void)
{
  for (uint64_t seed = 1; seed <= 3000; seed++)
    connect_by_seed (seed, (unsigned) seed % N_MODES, MIN_MTU + seed * 7 % 1245);
}

static void
test_every_mtu (void)
{
  for (size_t mtu = MIN_MTU; mtu <= 1500; mtu++)
    {
      struct pair pair;

      set_up (&pair, mtu % N_MODES & ~(unsigned) WITH_SMALL_MTU);
      for (unsigned i = 0; i < 2; i++)
        pair.sides[i].config.mtu = mtu;
      if (!CHECK (pair_handshake (&pair)))
        tell_errors (&pair);
      for (unsigned i = 0; i < 2; i++)
        CHECK (pair.links[i].longest <= mtu);
      check_same (&pair);
      PAIR_END (&pair);
      connect_by_seed (mtu, mtu % N_MODES, mtu);
    }
}

static void
test_long_chain_at_every_mtu (void)
{
  for (size_t mtu = MIN_MTU; mtu <= 1500; mtu += 13)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-long-chain"), NULL);
      pair.sides[DTLS_SERVER].config.mtu = mtu;
      CHECK (pair_handshake (&pair));
      CHECK (pair.links[DTLS_SERVER].longest <= mtu);
      CHECK_UINT (dtls_conn_n_peer_certificates (pair.sides[DTLS_CLIENT].conn), 5);
      PAIR_END (&pair);
    }
}

/* A path narrower than the MTU says: the fall-back gets through after two lost flights, in both directions. */
static void
test_narrow_path (void)
{
  for (unsigned narrow = 0; narrow < 2; narrow++)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-long-chain"), pki_identity ("client-rsa"));
      pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
      pair.links[narrow].mtu = 1200;
      if (CHECK (pair_handshake (&pair)))
        check_same (&pair);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- spoiled bytes */

/* Plaintext may mislead a handshake into ending; it must never mislead it into two sides that disagree. */
static void
test_spoiled_handshakes_agree_or_end (void)
{
  unsigned n_connected = 0, n_ended = 0;

  for (uint64_t seed = 1; seed <= 3000; seed++)
    {
      struct pair pair;

      set_up (&pair, (unsigned) seed % N_MODES);
      pair.seed = seed;
      for (unsigned i = 0; i < 2; i++)
        {
          pair.sides[i].config.handshake_deadline = 60 * DTLS_SECOND;
          pair.links[i].corrupt_percent = 10;
          pair.links[i].drop_percent = 5;
        }

      if (pair_handshake (&pair))
        {
          check_same (&pair);
          n_connected++;
        }
      else
        {
          n_ended++;
        }
      PAIR_END (&pair);
    }

  CHECK (n_connected > 300);
  CHECK (n_ended > 300);
}

/* ---------------------------------------------------------------------------------- data */

enum
{
  N_MESSAGES = 200,
};

/* What came of N_MESSAGES, each its own number in every byte. */
struct tally
{
  unsigned n_seen[N_MESSAGES];
  unsigned n_taken;
};

static void
take_latest (struct side *side, struct tally *tally)
{
  if (side->n_messages == tally->n_taken)
    return;

  tally->n_taken++;
  CHECK_UINT (side->n_messages, tally->n_taken);
  if (!CHECK_UINT (side->message_len, 64) || !CHECK (side->message[0] < N_MESSAGES))
    return;
  for (size_t i = 1; i < side->message_len; i++)
    CHECK (side->message[i] == side->message[0]);
  tally->n_seen[side->message[0]]++;
}

static void
exchange_by_seed (uint64_t seed, unsigned *n_lost)
{
  struct tally tally = { { 0 }, 0 };
  struct pair pair;
  struct link *link = &pair.links[DTLS_CLIENT];

  set_up (&pair, PLAIN);
  pair.seed = seed;
  CHECK (pair_handshake (&pair));
  link->drop_percent = 10;
  link->duplicate_percent = 30;
  link->corrupt_percent = 10;
  link->jitter = 50 * DTLS_MILLISECOND;

  for (unsigned i = 0; i < N_MESSAGES; i++)
    {
      uint8_t message[64];

      memset (message, (int) i, sizeof message);
      CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_BYTES (message)), DTLS_OK);
    }
  while (pair.flying != NULL)
    {
      pair_step (&pair, DTLS_NEVER);
      take_latest (&pair.sides[DTLS_SERVER], &tally);
    }

  for (unsigned i = 0; i < N_MESSAGES; i++)
    {
      CHECK (tally.n_seen[i] <= 1);
      *n_lost += tally.n_seen[i] == 0;
    }
  CHECK (pair_is_connected (&pair));
  PAIR_END (&pair);
}

static void
test_messages_come_once_and_whole_or_not_at_all (void)
{
  unsigned n_lost = 0;

  for (uint64_t seed = 1; seed <= 50; seed++)
    exchange_by_seed (seed, &n_lost);

  /* About 10 % lost and 9 % spoiled, the repeated ones aside. */
  CHECK (n_lost > 50 * N_MESSAGES / 20);
  CHECK (n_lost < 50 * N_MESSAGES / 4);
}

static const struct tap_test tests[] = {
  { "/conn/loss/any-datagram-may-be-lost-once", test_any_datagram_lost_once },
  { "/conn/loss/any-two-datagrams-may-be-lost", test_any_two_datagrams_lost },
  { "/conn/loss/any-flight-may-be-lost-three-times", test_any_flight_lost_three_times },
  { "/conn/loss/3000-seeds-of-loss-repetition-and-reordering",
    test_loss_repetition_and_reordering },
  { "/conn/loss/every-mtu-from-256-to-1500-with-and-without-loss", test_every_mtu },
  { "/conn/loss/a-long-chain-at-every-mtu", test_long_chain_at_every_mtu },
  { "/conn/loss/a-path-narrower-than-the-mtu-is-met-by-the-fall-back", test_narrow_path },
  { "/conn/loss/spoiled-handshakes-agree-or-end", test_spoiled_handshakes_agree_or_end },
  { "/conn/loss/messages-come-once-and-whole-or-not-at-all",
    test_messages_come_once_and_whole_or_not_at_all },
};

TAP_MAIN (tests)
