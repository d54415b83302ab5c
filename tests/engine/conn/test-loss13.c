/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3: any datagram of any handshake, its ACKs and tickets included, may be lost, once, twice, or together with any
 * other. The handshake then takes longer, and ends the same. */

#include "setup13.h"

/* What an undisturbed handshake of a shape needs. */
struct course
{
  unsigned n[2]; /* datagrams, to the end of all talk */
};

static void
follow (unsigned shape, struct course *out)
{
  struct pair pair;

  setup (&pair, shape);
  CHECK (pair_handshake (&pair));
  check_same_13 (&pair);
  CHECK_UINT (dtls_conn_is_resumed (pair.sides[DTLS_CLIENT].conn), (shape & SHAPE_RESUMED) != 0);
  CHECK_UINT (dtls_conn_was_retried (pair.sides[DTLS_CLIENT].conn),
              (shape & (SHAPE_RETRY | SHAPE_COOKIE)) != 0);
  check_at_rest (&pair, DTLS_SECOND);
  for (unsigned i = 0; i < 2; i++)
    out->n[i] = pair.links[i].n_datagrams;
  CHECK (out->n[0] < 32 && out->n[1] < 32);
  PAIR_END (&pair);
}

/* Losses of these datagrams cost at most `bound` until both sides are connected, and again until all is quiet. */
static void
connect_despite (const struct shape_row *row, const uint64_t drops[2], dtls_duration bound)
{
  struct pair pair;
  dtls_time begin;
  char name[128];

  snprintf (name, sizeof name, "%s; lost of the client's %llx, of the server's %llx", row->name,
            (unsigned long long) drops[0], (unsigned long long) drops[1]);
  tap_set_row (name);
  setup (&pair, row->shape);
  for (unsigned i = 0; i < 2; i++)
    pair.links[i].drops = drops[i];
  begin = pair.now;
  if (CHECK (pair_handshake (&pair)))
    {
      if (!CHECK (pair.now - begin <= bound))
        printf ("#   it took %llu ms\n", (unsigned long long) (pair.now - begin) / 1000);
      check_at_rest (&pair, bound);
      CHECK (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_SESSION] > 0);
      for (unsigned i = 0; i < 2; i++)
        pair.links[i].drops = 0;
      if (check_same_13 (&pair))
        CHECK (pair_talks (&pair));
    }
  else
    {
      tell_sides (&pair);
    }
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static uint64_t
bit (unsigned n)
{
  return UINT64_C (1) << n;
}

/* One expiry, and what goes with it. */
static void
test_any_datagram_lost_once (void)
{
  for (size_t s = 0; s < TAP_N (shapes); s++)
    {
      struct course course;

      follow (shapes[s].shape, &course);
      for (unsigned from = 0; from < 2; from++)
        for (unsigned i = 0; i < course.n[from]; i++)
          {
            uint64_t drops[2] = { 0 };

            drops[from] = bit (i);
            connect_despite (&shapes[s], drops, DTLS_SECOND);
          }
    }
}

/* Two expiries: 0.4 and 0.8 seconds, on both sides. */
static void
lose_pairs (const struct shape_row *row, const struct course *course, enum dtls_role from,
            enum dtls_role other)
{
  for (unsigned i = 0; i < course->n[from]; i++)
    for (unsigned j = from == other ? i + 1 : 0; j < course->n[other] + 4; j++)
      {
        uint64_t drops[2] = { 0 };

        drops[from] |= bit (i);
        drops[other] |= bit (j);
        connect_despite (row, drops, 3 * DTLS_SECOND);
      }
}

/* The second may be the first's retransmission. */
static void
test_any_two_datagrams_lost (void)
{
  for (size_t s = 0; s < TAP_N (shapes); s++)
    {
      struct course course;

      follow (shapes[s].shape, &course);
      lose_pairs (&shapes[s], &course, DTLS_CLIENT, DTLS_CLIENT);
      lose_pairs (&shapes[s], &course, DTLS_SERVER, DTLS_SERVER);
      lose_pairs (&shapes[s], &course, DTLS_CLIENT, DTLS_SERVER);
    }
}

/* ---------------------------------------------------------------------------------- the same twice, thrice */

enum
{
  MAX_RUN = 6, /* the seventh transmission comes 25 seconds after the first; cookies live for 30 */
};

/* So many datagrams from the n-th on are lost: the flight and its retransmissions. */
struct grudge
{
  unsigned index;
  unsigned left;
};

static bool
lets_through (void *data, unsigned index, struct bytes datagram)
{
  struct grudge *grudge = data;

  (void) datagram;
  if (index < grudge->index || grudge->left == 0)
    return true;

  grudge->left--;
  return false;
}

static void
connect_despite_run (const struct shape_row *row, enum dtls_role from, unsigned index,
                     unsigned n_lost, dtls_duration bound)
{
  struct grudge grudge = { index, n_lost };
  struct pair pair;
  char name[128];

  snprintf (name, sizeof name, "%s; %u of the %s's lost from %u on", row->name, n_lost,
            from == DTLS_CLIENT ? "client" : "server", index);
  tap_set_row (name);
  setup (&pair, row->shape);
  pair.links[from].lets_through = lets_through;
  pair.links[from].lets_through_data = &grudge;
  if (CHECK (pair_handshake (&pair)))
    {
      check_at_rest (&pair, bound);
      grudge.left = 0;
      if (check_same_13 (&pair))
        CHECK (pair_talks (&pair));
    }
  else
    {
      tell_sides (&pair);
    }
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static void
test_any_run_of_datagrams_lost (void)
{
  for (size_t s = 0; s < TAP_N (shapes); s++)
    {
      struct course course;

      follow (shapes[s].shape, &course);
      for (unsigned from = 0; from < 2; from++)
        for (unsigned i = 0; i < course.n[from]; i++)
          for (unsigned n = 2; n <= MAX_RUN; n++)
            connect_despite_run (&shapes[s], from, i, n, 60 * DTLS_SECOND);
    }
}

/* ---------------------------------------------------------------------------------- sizes */

static void
test_every_mtu (void)
{
  for (size_t mtu = SMALL_MTU; mtu <= 1500; mtu += 3)
    {
      struct pair pair;

      setup (&pair, shapes[mtu % 9].shape);
      for (unsigned i = 0; i < 2; i++)
        pair.sides[i].config.mtu = mtu;
      if (CHECK (pair_handshake (&pair)))
        check_at_rest (&pair, DTLS_SECOND);
      for (unsigned i = 0; i < 2; i++)
        CHECK (pair.links[i].longest <= mtu);
      check_same_13 (&pair);
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

      setup (&pair, SHAPE_CLIENT_AUTH);
      pair.sides[DTLS_SERVER].identity = pki_identity ("server-long-chain");
      pair.sides[DTLS_CLIENT].identity = pki_identity ("client-rsa");
      pair.links[narrow].mtu = 1200;
      if (CHECK (pair_handshake (&pair)))
        check_at_rest (&pair, 10 * DTLS_SECOND);
      check_same_13 (&pair);
      PAIR_END (&pair);
    }
}

static const struct tap_test tests[] = {
  { "/conn/loss13/any-datagram-may-be-lost-once", test_any_datagram_lost_once },
  { "/conn/loss13/any-two-datagrams-may-be-lost", test_any_two_datagrams_lost },
  { "/conn/loss13/any-run-of-datagrams-may-be-lost", test_any_run_of_datagrams_lost },
  { "/conn/loss13/every-mtu", test_every_mtu },
  { "/conn/loss13/a-path-narrower-than-the-mtu-is-met-by-the-fall-back", test_narrow_path },
};

TAP_MAIN (tests)
