/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3: the accidents that stopped another stack, OpenSSL 4.1.0's, by the numbers of its issues; and others of the
 * same kind. */

#include "setup13.h"
#include "sealed.h"
#include "wiretap.h"

enum
{
  LINK = 10 * DTLS_MILLISECOND,
};

/* Loses so many of the records that `is_it` names. */
struct thief
{
  bool (*is_it) (const struct heard *record);
  unsigned left; /* as many as that; UINT_MAX: all */
  unsigned n_taken;
};

static bool
steals (void *data, const struct heard *record)
{
  struct thief *thief = data;

  if (thief->left == 0 || !thief->is_it (record))
    return false;

  thief->left--;
  thief->n_taken++;
  return true;
}

static void
begin (struct pair *pair, struct wiretap *tap, unsigned shape, struct thief *thief)
{
  setup (pair, shape);
  wiretap_attach (tap, pair);
  tap->takes_away = steals;
  tap->takes_away_data = thief;
}

static void
finish (struct pair *pair, struct wiretap *tap)
{
  check_at_rest (pair, 60 * DTLS_SECOND);
  if (check_same_13 (pair))
    CHECK (pair_talks (pair));
  wiretap_clear (tap);
  PAIR_END (pair);
}

static bool
is_server_ack (const struct heard *record)
{
  return record->from == DTLS_SERVER && record->type == CONTENT_ACK;
}

static bool
is_client_ack (const struct heard *record)
{
  return record->from == DTLS_CLIENT && record->type == CONTENT_ACK;
}

static bool
is_client_finished (const struct heard *record)
{
  return heard_message (record, FINISHED, NULL) && record->from == DTLS_CLIENT;
}

static bool
is_ticket (const struct heard *record)
{
  return heard_message (record, NEW_SESSION_TICKET, NULL);
}

static bool
is_key_update (const struct heard *record)
{
  return heard_message (record, KEY_UPDATE, NULL);
}

static bool
is_first_hello (const struct heard *record)
{
  struct fragment fragment;

  return heard_message (record, CLIENT_HELLO, &fragment) && fragment.message_seq == 0;
}

static bool
is_second_hello (const struct heard *record)
{
  struct fragment fragment;

  return heard_message (record, CLIENT_HELLO, &fragment) && fragment.message_seq == 1;
}

/* #32891: the server's ACK of the client's Finished was lost; its read keys had gone on, so that the repeated
 * Finished was never acknowledged. */
static void
test_32891 (void)
{
  for (unsigned n = 1; n <= 5; n++)
    for (unsigned has_data = 0; has_data < 2; has_data++)
      for (size_t s = 0; s < TAP_N (shapes); s++)
        {
          struct thief thief = { is_server_ack, n, 0 };
          struct wiretap tap;
          struct pair pair;

          tap_set_row (shapes[s].name);
          begin (&pair, &tap, shapes[s].shape, &thief);
          CHECK (pair_handshake (&pair));
          /* Data of the client's takes the server to the next epoch. */
          if (has_data)
            CHECK (pair_talks (&pair));
          CHECK (comes_to_rest (&pair, 60 * DTLS_SECOND));
          CHECK_UINT (thief.n_taken, n);
          /* One transmission for each ACK that was lost, and the first. */
          if ((shapes[s].shape & SHAPE_SMALL) == 0)
            CHECK_UINT (wiretap_count_messages (&tap, 0, DTLS_CLIENT, FINISHED), n + 1);
          finish (&pair, &tap);
        }
  tap_set_row (NULL);
}

/* #32853: the client's ACK of the tickets was lost. */
static void
test_32853 (void)
{
  for (unsigned n = 1; n <= 5; n++)
    {
      struct thief thief = { is_client_ack, n, 0 };
      struct wiretap tap;
      struct pair pair;

      begin (&pair, &tap, SHAPE_PLAIN, &thief);
      CHECK (pair_handshake (&pair));
      CHECK (comes_to_rest (&pair, 60 * DTLS_SECOND));
      CHECK_UINT (thief.n_taken, n);
      CHECK_UINT (wiretap_count_messages (&tap, 0, DTLS_SERVER, NEW_SESSION_TICKET), n + 1);
      CHECK (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_SESSION] <= N_TICKETS);
      finish (&pair, &tap);
    }
}

/* #32878: a KeyUpdate threw away the tickets that were not acknowledged. It waits for them instead. */
static void
test_32878 (void)
{
  for (unsigned n = 1; n <= 4; n++)
    for (unsigned both = 0; both < 2; both++)
      {
        struct thief thief = { is_ticket, n, 0 };
        const struct heard *update, *ack;
        struct wiretap tap;
        struct pair pair;

        begin (&pair, &tap, SHAPE_PLAIN, &thief);
        CHECK (pair_handshake (&pair));
        CHECK_UINT (thief.n_taken, 1);
        update_keys (&pair, DTLS_SERVER, both);
        CHECK (wiretap_find_message (&tap, 0, DTLS_SERVER, KEY_UPDATE) == NULL);
        CHECK (comes_to_rest (&pair, 60 * DTLS_SECOND));

        CHECK (pair.sides[DTLS_CLIENT].n_events[DTLS_EVENT_SESSION] > 0);
        update = wiretap_find_message (&tap, 0, DTLS_SERVER, KEY_UPDATE);
        ack = wiretap_find (&tap, 0, DTLS_CLIENT, CONTENT_ACK);
        if (CHECK (update != NULL && ack != NULL))
          CHECK_UINT (update->at, ack->at + LINK);
        CHECK_UINT (pair.sides[DTLS_SERVER].conn->known.write_epoch, 4);
        CHECK_UINT (pair.sides[DTLS_CLIENT].conn->known.write_epoch, both ? 4 : 3);
        finish (&pair, &tap);
      }
}

/* The client's KeyUpdate waits for the ACK of its Finished, and the peer's request does too. */
static void
test_key_update_waits_for_the_last_flight (void)
{
  for (unsigned asks = 0; asks < 2; asks++)
    {
      struct thief thief = { is_server_ack, 2, 0 };
      struct wiretap tap;
      struct pair pair;
      const struct heard *update;

      begin (&pair, &tap, SHAPE_PLAIN, &thief);
      CHECK (pair_handshake (&pair));
      if (asks)
        update_keys (&pair, DTLS_SERVER, DTLS_KEY_UPDATE_BOTH);
      else
        update_keys (&pair, DTLS_CLIENT, DTLS_KEY_UPDATE_OURS);
      CHECK (comes_to_rest (&pair, 60 * DTLS_SECOND));
      update = wiretap_find_message (&tap, 0, DTLS_CLIENT, KEY_UPDATE);
      if (CHECK (update != NULL))
        for (const struct heard *record = tap.heard; record < update; record++)
          CHECK (!is_client_finished (record) || record->at < update->at);
      CHECK_UINT (pair.sides[DTLS_CLIENT].conn->known.write_epoch, 4);
      CHECK_UINT (pair.sides[DTLS_SERVER].conn->known.write_epoch, 3 + asks);
      finish (&pair, &tap);
    }
}

/* #32063: after a repeated ClientHello the answer had the wrong record number. */
static void
test_32063 (void)
{
  static bool (*const which[]) (const struct heard *) = { is_first_hello, is_second_hello };

  for (size_t i = 0; i < TAP_N (which); i++)
    for (unsigned n = 1; n <= 4; n++)
      {
        struct thief thief = { which[i], n, 0 };
        struct wiretap tap;
        struct pair pair;

        begin (&pair, &tap, SHAPE_COOKIE, &thief);
        CHECK (pair_handshake (&pair));
        CHECK_UINT (thief.n_taken, n);
        finish (&pair, &tap);
      }
}

/* #22197: nothing is kept of a client before its cookie comes back. */
static void
test_22197 (void)
{
  struct thief thief = { is_second_hello, UINT32_MAX, 0 };
  struct wiretap tap;
  struct pair pair;

  begin (&pair, &tap, SHAPE_COOKIE, &thief);
  pair_start (&pair);
  pair_run (&pair, 10 * DTLS_SECOND);
  CHECK (thief.n_taken > 3);
  CHECK (pair.sides[DTLS_SERVER].conn == NULL);
  CHECK_UINT (wiretap_count (&tap, 0, DTLS_SERVER, CONTENT_HANDSHAKE), 1);
  thief.left = 0;
  CHECK (pair_handshake (&pair));
  finish (&pair, &tap);
}

/* Each single kind of record lost once, twice, and so on, while the other side sends what it has. */
static void
test_each_kind_lost_in_each_state (void)
{
  static const struct
  {
    const char *name;
    bool (*is_it) (const struct heard *);
  } kinds[] = {
    { "the server's ACKs", is_server_ack },
    { "the client's ACKs", is_client_ack },
    { "the client's Finished", is_client_finished },
    { "tickets", is_ticket },
    { "key updates", is_key_update },
  };

  for (size_t i = 0; i < TAP_N (kinds); i++)
    for (unsigned n = 1; n <= 6; n++)
      for (unsigned updates = 0; updates < 4; updates++)
        {
          struct thief thief = { kinds[i].is_it, n, 0 };
          struct wiretap tap;
          struct pair pair;

          tap_set_row (kinds[i].name);
          begin (&pair, &tap, SHAPE_CLIENT_AUTH, &thief);
          CHECK (pair_handshake (&pair));
          if (updates & 1)
            update_keys (&pair, DTLS_CLIENT, DTLS_KEY_UPDATE_BOTH);
          if (updates & 2)
            update_keys (&pair, DTLS_SERVER, DTLS_KEY_UPDATE_OURS);
          CHECK (pair_talks (&pair));
          CHECK (comes_to_rest (&pair, 120 * DTLS_SECOND));
          CHECK (thief.left == 0 || updates == 0);
          finish (&pair, &tap);
        }
  tap_set_row (NULL);
}

/* CVE-2026-84782: a transmission that was broken off went on from a stale place. The MTU changes amid a flight that
 * goes out ten records at a time, and it is repeated. */
static bool
is_server_handshake (const struct heard *record)
{
  return record->from == DTLS_SERVER && record->type == CONTENT_HANDSHAKE && record->epoch == 2;
}

static void
test_cve_2026_84782 (void)
{
  static const size_t mtus[] = { 256, 257, 300, 700, 1400 };

  for (size_t i = 0; i < TAP_N (mtus); i++)
    for (dtls_duration when = 0; when < 50; when += 5)
      for (unsigned n = 0; n < 30; n += 7)
        {
          struct thief thief = { is_server_handshake, n, 0 };
          struct wiretap tap;
          struct pair pair;

          begin (&pair, &tap, SHAPE_SMALL, &thief);
          pair.sides[DTLS_SERVER].identity = pki_identity ("server-long-chain");
          pair.sides[DTLS_SERVER].config.mtu = 1400;
          pair_start (&pair);
          dtls_conn_set_mtu (pair.sides[DTLS_SERVER].conn, SMALL_MTU);
          pair_run (&pair, when * DTLS_MILLISECOND);
          dtls_conn_set_mtu (pair.sides[DTLS_SERVER].conn, mtus[i]);
          CHECK (pair_handshake (&pair));
          CHECK_UINT (dtls_conn_n_peer_certificates (pair.sides[DTLS_CLIENT].conn), 5);
          finish (&pair, &tap);
        }
}

static const struct tap_test tests[] = {
  { "/conn/loss13/openssl-32891-ack-of-finished-lost", test_32891 },
  { "/conn/loss13/openssl-32853-acks-of-tickets-lost", test_32853 },
  { "/conn/loss13/openssl-32878-key-update-waits-for-tickets", test_32878 },
  { "/conn/loss13/key-update-waits-for-the-last-flight",
    test_key_update_waits_for_the_last_flight },
  { "/conn/loss13/openssl-32063-hellos-repeated-before-the-cookie", test_32063 },
  { "/conn/loss13/openssl-22197-nothing-is-kept-before-the-cookie", test_22197 },
  { "/conn/loss13/each-kind-of-record-lost-in-each-state", test_each_kind_lost_in_each_state },
  { "/conn/loss13/openssl-cve-2026-84782-a-broken-transmission", test_cve_2026_84782 },
};

TAP_MAIN (tests)
