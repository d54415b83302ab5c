/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Closing, before and after the handshake is over. */

#include "same.h"
#include "sealed.h"

static void
set_up (struct pair *pair)
{
  pair_init (pair, pki_identity ("server-ecdsa"), NULL);
}

static void
test_close_notify (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      struct pair pair;
      struct side *closer = &pair.sides[role];
      struct side *other = &pair.sides[1 - role];

      set_up (&pair);
      CHECK (pair_handshake (&pair));
      CHECK (pair_talks (&pair));
      pair_close (&pair, role);
      pair_close (&pair, role);
      pair_settle (&pair);
      CHECK_UINT (other->n_events[DTLS_EVENT_PEER_CLOSED], 1);
      CHECK_UINT (closer->n_events[DTLS_EVENT_PEER_CLOSED], 0);
      CHECK_UINT (dtls_conn_error (closer->conn), DTLS_OK);
      CHECK_UINT (pair_send (&pair, role, TAP_STRING ("no")), DTLS_ERROR_CLOSED);

      /* The other half stays open. */
      closer->n_messages = 0;
      CHECK_UINT (pair_send (&pair, 1 - role, TAP_STRING ("yes")), DTLS_OK);
      pair_settle (&pair);
      CHECK_UINT (closer->n_messages, 1);
      pair_close (&pair, 1 - role);
      pair_settle (&pair);
      CHECK_UINT (closer->n_events[DTLS_EVENT_PEER_CLOSED], 1);
      CHECK_UINT (dtls_conn_deadline (closer->conn), DTLS_NEVER);
      PAIR_END (&pair);
    }
}

static void
continue_after_close_notify (enum dtls_role role, bool has_talked)
{
  static const uint8_t fatal[] = { 2, 40 };
  uint8_t record[MAX_DATAGRAM];
  struct pair pair;
  struct side *other = &pair.sides[1 - role];
  size_t len;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  if (has_talked)
    CHECK (pair_talks (&pair));
  len = make_sealed (&pair, role, CONTENT_APPLICATION_DATA, TAP_STRING ("late"), record);
  pair_close (&pair, role);
  pair_settle (&pair);
  /* A server that has heard no data keeps its last flight; its end opens nothing again. */
  pair_run (&pair, 300 * DTLS_SECOND);
  other->n_messages = 0;
  pair_deliver (&pair, 1 - role, (struct bytes){ record, len });
  inject_sealed (&pair, role, CONTENT_ALERT, TAP_BYTES (fatal));
  CHECK_UINT (other->n_messages, 0);
  CHECK_UINT (dtls_conn_error (other->conn), DTLS_OK);
  PAIR_END (&pair);
}

/* DTLS-Fuzzer's ContinueAfterCloseNotify. */
static void
test_nothing_counts_after_close_notify (void)
{
  for (unsigned role = 0; role < 2; role++)
    for (unsigned has_talked = 0; has_talked < 2; has_talked++)
      continue_after_close_notify (role, has_talked);
}

/* At every step of the handshake, by either side. */
static void
test_close_in_the_handshake (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      bool is_over = false;

      for (unsigned n_steps = 0; !is_over; n_steps++)
        {
          struct pair pair;
          struct dtls_conn *closer, *other;

          set_up (&pair);
          pair.sides[DTLS_SERVER].config.mtu = 512;
          pair_start (&pair);
          closer = pair.sides[role].conn;
          other = pair.sides[1 - role].conn;
          for (unsigned i = 0; i < n_steps; i++)
            pair_step (&pair, DTLS_NEVER);
          is_over = dtls_conn_is_connected (closer);
          pair_close (&pair, role);
          if (!is_over)
            {
              CHECK_UINT (dtls_conn_error (closer), DTLS_ERROR_CLOSED);
              CHECK (closer->handshake == NULL);
              CHECK_UINT (dtls_conn_deadline (closer), DTLS_NEVER);
            }
          pair_run (&pair, 120 * DTLS_SECOND);
          /* It hears of it by the alert, or runs out of patience; if it was connected, only reading has ended. */
          CHECK (is_over || dtls_conn_error (other) == DTLS_ERROR_PEER_ALERT
                 || dtls_conn_error (other) == DTLS_ERROR_TIMED_OUT
                 || pair.sides[1 - role].n_events[DTLS_EVENT_PEER_CLOSED] == 1);
          PAIR_END (&pair);
        }
    }
}

static const struct tap_test tests[] = {
  { "/conn/close/close-notify-closes-one-half", test_close_notify },
  { "/conn/close/nothing-counts-after-close-notify", test_nothing_counts_after_close_notify },
  { "/conn/close/close-ends-a-handshake-at-any-step", test_close_in_the_handshake },
};

TAP_MAIN (tests)
