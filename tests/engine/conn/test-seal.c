/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Application data out: when, how much, and how often. */

#include "same.h"
#include "sealed.h"

static void
set_up (struct pair *pair)
{
  pair_init (pair, pki_identity ("server-ecdsa"), NULL);
}

static void
test_nothing_is_sealed_before_the_end (void)
{
  struct bytes message = TAP_STRING ("early");
  bool is_over = false;

  for (unsigned n_steps = 0; !is_over; n_steps++)
    {
      uint8_t memory[256];
      struct dtls_buffer out = { memory, sizeof memory, 0 };
      struct pair pair;

      set_up (&pair);
      pair_start (&pair);
      for (unsigned i = 0; i < n_steps; i++)
        pair_step (&pair, DTLS_NEVER);
      is_over = pair_is_connected (&pair);
      for (unsigned i = 0; i < 2; i++)
        if (!dtls_conn_is_connected (pair.sides[i].conn))
          {
            CHECK_UINT (dtls_conn_seal (pair.sides[i].conn, &message, 1, &out),
                        DTLS_ERROR_NOT_CONNECTED);
            CHECK_UINT (dtls_conn_max_payload (pair.sides[i].conn), 0);
            CHECK_UINT (dtls_conn_overhead (pair.sides[i].conn), 0);
          }
      CHECK_UINT (out.used, 0);
      PAIR_END (&pair);
    }
}

static void
test_seal_needs_room (void)
{
  struct bytes message = TAP_STRING ("sixteen bytes ok");
  struct pair pair;
  struct dtls_conn *client;
  size_t needed;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  client = pair.sides[DTLS_CLIENT].conn;
  needed = message.left + dtls_conn_overhead (client);
  for (size_t room = 0; room <= needed; room++)
    {
      uint8_t memory[256] = { 0 };
      struct dtls_buffer out = { memory, 5 + room, 5 };
      bool fits = room == needed;

      CHECK_UINT (dtls_conn_seal (client, &message, 1, &out),
                  fits ? DTLS_OK : DTLS_ERROR_TOO_LARGE);
      CHECK_UINT (out.used, fits ? 5 + needed : 5);
      CHECK_UINT (memory[5 + room], 0);
    }
  PAIR_END (&pair);
}

static void
test_seal_joins_its_parts (void)
{
  const struct bytes parts[] = { TAP_STRING ("one "), { NULL, 0 }, TAP_STRING ("message") };
  uint8_t memory[256];
  struct dtls_buffer out = { memory, sizeof memory, 0 };
  struct pair pair;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  CHECK_UINT (dtls_conn_seal (pair.sides[DTLS_CLIENT].conn, parts, TAP_N (parts), &out), DTLS_OK);
  pair_deliver (&pair, DTLS_SERVER, (struct bytes){ memory, out.used });
  CHECK_BYTES (
      ((struct bytes){ pair.sides[DTLS_SERVER].message, pair.sides[DTLS_SERVER].message_len }),
      TAP_STRING ("one message"));
  PAIR_END (&pair);
}

/* Rule: sending stops before a number would come twice; an alert needs one too. */
static void
test_sealing_stops_before_numbers_wrap (void)
{
  struct bytes message = TAP_STRING ("x");
  struct pair pair;
  struct dtls_conn *client;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  client = pair.sides[DTLS_CLIENT].conn;
  client->write.epoch.next = MAX_RECORD_NUMBER;
  CHECK_UINT (pair_send (&pair, DTLS_CLIENT, message), DTLS_OK);
  pair_settle (&pair);
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 1);
  CHECK_UINT (pair_send (&pair, DTLS_CLIENT, message), DTLS_ERROR_RECORD_LIMIT);
  CHECK_UINT (pair_send (&pair, DTLS_CLIENT, message), DTLS_ERROR_RECORD_LIMIT);
  pair_close (&pair, DTLS_CLIENT);
  CHECK (pair.flying == NULL);
  PAIR_END (&pair);
}

static void
test_forgery_limit_ends_it (void)
{
  static const uint8_t forged[64];
  struct pair pair;
  struct dtls_conn *server;

  set_up (&pair);
  CHECK (pair_handshake (&pair));
  CHECK (pair_talks (&pair));
  server = pair.sides[DTLS_SERVER].conn;
  server->read.epoch.n_forged = (UINT64_C (1) << 36) - 2;
  inject_plain (&pair, DTLS_SERVER, 23, 1, TAP_BYTES (forged));
  CHECK_UINT (dtls_conn_error (server), DTLS_OK);
  CHECK (pair_talks (&pair));

  /* The read half opens nothing more; the next call that holds the whole connection ends it. */
  inject_plain (&pair, DTLS_SERVER, 23, 1, TAP_BYTES (forged));
  pair.sides[DTLS_SERVER].n_messages = 0;
  inject_sealed (&pair, DTLS_CLIENT, 23, TAP_STRING ("too late"));
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 0);
  CHECK_UINT (dtls_conn_error (server), DTLS_ERROR_FORGERY_LIMIT);
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/seal/nothing-is-sealed-before-the-handshake-is-over",
    test_nothing_is_sealed_before_the_end },
  { "/conn/seal/sealing-needs-room-and-writes-no-further", test_seal_needs_room },
  { "/conn/seal/sealing-joins-its-parts", test_seal_joins_its_parts },
  { "/conn/seal/sealing-stops-before-numbers-wrap", test_sealing_stops_before_numbers_wrap },
  { "/conn/seal/forgery-limit-ends-the-connection", test_forgery_limit_ends_it },
};

TAP_MAIN (tests)
