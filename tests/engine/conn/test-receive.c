/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is not believed: noise, replays and forgeries are dropped without a word. */

#include "random.h"
#include "trace.h"

/* ---------------------------------------------------------------------------------- noise */

static void
drop_garbage (struct pair *pair, enum dtls_role role, uint64_t *seed)
{
  struct trace before = trace_of (pair, role);

  for (size_t len = 0; len <= 64; len++)
    for (unsigned i = 0; i < 16; i++)
      {
        uint8_t garbage[64];
        uint64_t n_dropped = pair_n_dropped (pair, role);

        for (size_t at = 0; at < len; at++)
          garbage[at] = i == 0 ? 0 : (uint8_t) random_next (seed);
        /* Most of it with a header that fits. */
        if (i > 3 && len >= RECORD_HEADER_LEN)
          memcpy (
              garbage,
              ((const uint8_t[]){ (uint8_t) (20 + i % 4), 0xfe, 0xfd, 0, (uint8_t) (i / 8), 0, 0, 0,
                                  0, 9, (uint8_t) i, 0, (uint8_t) (len - RECORD_HEADER_LEN) }),
              RECORD_HEADER_LEN);
        pair_deliver (pair, role, (struct bytes){ garbage, len });
        CHECK (len == 0 || pair_n_dropped (pair, role) > n_dropped);
      }
  check_no_trace (pair, role, &before);
}

static void
test_garbage (void)
{
  uint64_t seed = 7;

  for (size_t s = 0; s < TAP_N (trace_suites); s++)
    {
      struct pair pair;

      connect_with (&pair, &trace_suites[s]);
      /* First the server still has its last flight, then neither has a handshake. */
      for (unsigned i = 0; i < 2; i++)
        {
          drop_garbage (&pair, DTLS_CLIENT, &seed);
          drop_garbage (&pair, DTLS_SERVER, &seed);
          CHECK (pair_talks (&pair));
        }
      PAIR_END (&pair);
    }
}

/* OpenSSL CVE-2026-75806: a ciphertext too short for nonce and tag ended the connection. */
static void
drop_truncated (struct pair *pair, enum dtls_role to, bool is_header_right)
{
  uint8_t record[MAX_DATAGRAM], message[64] = { 1, 2, 3 };
  size_t len =
      make_sealed (pair, other_role (to), CONTENT_APPLICATION_DATA, TAP_BYTES (message), record);
  struct trace before = trace_of (pair, to);
  uint8_t len_low = record[12], len_high = record[11];

  for (size_t cut = 0; cut < len; cut++)
    {
      if (is_header_right && cut >= RECORD_HEADER_LEN)
        {
          record[11] = 0;
          record[12] = (uint8_t) (cut - RECORD_HEADER_LEN);
        }
      pair_deliver (pair, to, (struct bytes){ record, cut });
    }
  check_no_trace (pair, to, &before);

  /* The window did not move: the genuine record still comes through. */
  record[11] = len_high;
  record[12] = len_low;
  pair_deliver (pair, to, (struct bytes){ record, len });
  CHECK_UINT (pair->sides[to].n_messages, before.n_messages + 1);
}

static void
test_truncated_records (void)
{
  for (size_t s = 0; s < TAP_N (trace_suites); s++)
    {
      struct pair pair;

      connect_with (&pair, &trace_suites[s]);
      CHECK (pair_talks (&pair));
      for (unsigned to = 0; to < 2; to++)
        {
          drop_truncated (&pair, to, false);
          drop_truncated (&pair, to, true);
        }
      CHECK (pair_talks (&pair));
      PAIR_END (&pair);
    }
}

static void
test_any_turned_bit (void)
{
  for (size_t s = 0; s < TAP_N (trace_suites); s++)
    {
      uint8_t record[MAX_DATAGRAM], message[16] = { 4, 5, 6 };
      struct trace before;
      struct pair pair;
      size_t len;

      connect_with (&pair, &trace_suites[s]);
      CHECK (pair_talks (&pair));
      len = make_sealed (&pair, DTLS_CLIENT, CONTENT_APPLICATION_DATA, TAP_BYTES (message), record);
      before = trace_of (&pair, DTLS_SERVER);
      for (size_t bit = 0; bit < 8 * len; bit++)
        {
          record[bit / 8] ^= (uint8_t) (1 << bit % 8);
          pair_deliver (&pair, DTLS_SERVER, (struct bytes){ record, len });
          record[bit / 8] ^= (uint8_t) (1 << bit % 8);
        }
      check_no_trace (&pair, DTLS_SERVER, &before);
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ record, len });
      CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, before.n_messages + 1);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- replay */

static void
test_replay (void)
{
  uint8_t record[MAX_DATAGRAM], message[] = { 1 };
  struct dtls_stats stats;
  struct pair pair;
  unsigned n;
  size_t len;

  connect_with (&pair, NULL);
  CHECK (pair_talks (&pair));
  len = make_sealed (&pair, DTLS_CLIENT, CONTENT_APPLICATION_DATA, TAP_BYTES (message), record);
  n = pair.sides[DTLS_SERVER].n_messages;
  for (unsigned i = 0; i < 100; i++)
    pair_deliver (&pair, DTLS_SERVER, (struct bytes){ record, len });
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, n + 1);
  dtls_conn_stats (pair.sides[DTLS_SERVER].conn, &stats);
  CHECK_UINT (stats.dropped[DTLS_DROP_REPLAY], 99);
  PAIR_END (&pair);
}

static void
test_window_is_as_wide_as_configured (void)
{
  static const size_t windows[] = { 64, 256, 4096 };

  for (size_t w = 0; w < TAP_N (windows); w++)
    {
      uint8_t first[MAX_DATAGRAM], second[MAX_DATAGRAM], message[] = { 1 };
      struct pair pair;
      struct side *server = &pair.sides[DTLS_SERVER];
      size_t first_len, second_len;
      unsigned n;

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      server->config.replay_window = windows[w];
      CHECK (pair_handshake (&pair));
      first_len = make_sealed (&pair, DTLS_CLIENT, 23, TAP_BYTES (message), first);
      second_len = make_sealed (&pair, DTLS_CLIENT, 23, TAP_BYTES (message), second);

      /* Just so many that the second is the last that the window still has. */
      pair.sides[DTLS_CLIENT].conn->write.epoch.next += windows[w] - 2;
      inject_sealed (&pair, DTLS_CLIENT, 23, TAP_BYTES (message));
      n = server->n_messages;
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ first, first_len });
      CHECK_UINT (server->n_messages, n);
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ second, second_len });
      CHECK_UINT (server->n_messages, n + 1);
      PAIR_END (&pair);
    }
}

/* OpenSSL CVE-2016-2181: the window followed numbers that nobody vouched for. */
static void
test_forged_number_moves_no_window (void)
{
  uint8_t record[MAX_DATAGRAM], forged[MAX_DATAGRAM], message[] = { 1 };
  struct pair pair;
  unsigned n;
  size_t len;

  connect_with (&pair, NULL);
  CHECK (pair_talks (&pair));
  n = pair.sides[DTLS_SERVER].n_messages;
  len = make_sealed (&pair, DTLS_CLIENT, 23, TAP_BYTES (message), record);
  memcpy (forged, record, len);
  for (unsigned i = 0; i < 6; i++)
    {
      forged[5 + i] = 0xff;
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ forged, len });
    }
  pair_deliver (&pair, DTLS_SERVER, (struct bytes){ record, len });
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, n + 1);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- plaintext */

static const uint8_t fatal_alert[] = { 2, 40 };
static const uint8_t close_notify[] = { 1, 0 };
static const uint8_t change[] = { 1 };
static const uint8_t hello_request[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t hello_request_next[] = { 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0 };
static const uint8_t client_hello[] = { 1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 0, 0 };
static const uint8_t finished[24] = { 20, 0, 0, 12, 0, 3, 0, 0, 0, 0, 0, 12 };
static const uint8_t some_bytes[] = { 'd', 'a', 't', 'a' };

/* clang-format off */
static const struct bytes plain_contents[] = {
  TAP_BYTES (fatal_alert), TAP_BYTES (close_notify), TAP_BYTES (change), TAP_BYTES (hello_request),
  TAP_BYTES (hello_request_next), TAP_BYTES (client_hello), TAP_BYTES (finished), TAP_BYTES (some_bytes),
  { NULL, 0 },
};
/* clang-format on */

/* wolfSSL's and tinydtls's epoch 0: after the handshake nothing in the clear counts. */
static void
drop_all_plaintext (struct pair *pair, enum dtls_role role)
{
  struct trace before = trace_of (pair, role);

  for (unsigned type = 0; type < 256; type++)
    for (size_t i = 0; i < TAP_N (plain_contents); i++)
      inject_plain (pair, role, (uint8_t) type, 0, plain_contents[i]);
  check_no_trace (pair, role, &before);
}

static void
test_plaintext_after_the_handshake (void)
{
  struct pair pair;

  connect_with (&pair, NULL);
  /* Connected, the server with its last flight. */
  drop_all_plaintext (&pair, DTLS_CLIENT);
  drop_all_plaintext (&pair, DTLS_SERVER);
  CHECK (pair_talks (&pair));
  /* Connected, no handshake left. */
  drop_all_plaintext (&pair, DTLS_CLIENT);
  drop_all_plaintext (&pair, DTLS_SERVER);
  CHECK (pair_talks (&pair));
  /* Closed by one, then by both. */
  pair_close (&pair, DTLS_CLIENT);
  pair_settle (&pair);
  drop_all_plaintext (&pair, DTLS_CLIENT);
  drop_all_plaintext (&pair, DTLS_SERVER);
  pair_close (&pair, DTLS_SERVER);
  pair_settle (&pair);
  drop_all_plaintext (&pair, DTLS_CLIENT);
  drop_all_plaintext (&pair, DTLS_SERVER);
  PAIR_END (&pair);
}

static void
test_forged_alert_after_the_handshake (void)
{
  struct pair pair;

  connect_with (&pair, NULL);
  for (unsigned role = 0; role < 2; role++)
    for (unsigned description = 0; description < 256; description++)
      for (uint8_t level = 1; level <= 2; level++)
        {
          uint8_t alert[2] = { level, (uint8_t) description };

          inject_plain (&pair, role, CONTENT_ALERT, 0, TAP_BYTES (alert));
        }
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- application data */

/* Content types and epochs at every step of a handshake; none of it is ever data, and none ends it. Handshake
 * messages and alerts in epoch 0 are left out: those are believed. */
static void
inject_everything (struct pair *pair, enum dtls_role role)
{
  static const uint16_t epochs[] = { 0, 1, 2, 0x7fff, 0xffff };

  if (pair->sides[role].conn == NULL)
    return;
  for (size_t e = 0; e < TAP_N (epochs); e++)
    for (unsigned type = 0; type < 256; type++)
      {
        bool is_believed = epochs[e] == 0
                           && (type == CONTENT_HANDSHAKE || type == CONTENT_ALERT
                               || type == CONTENT_CHANGE_CIPHER_SPEC);

        if (!is_believed)
          inject_plain (pair, role, (uint8_t) type, epochs[e], TAP_BYTES (some_bytes));
      }
}

static void
test_type_epoch_and_state (void)
{
  bool is_over = false;

  for (unsigned n_steps = 0; !is_over; n_steps++)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-ecdsa"), pki_identity ("client-ecdsa"));
      pair.sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
      pair.sides[DTLS_CLIENT].config.mtu = pair.sides[DTLS_SERVER].config.mtu = 512;
      pair_start (&pair);
      for (unsigned i = 0; i < n_steps && !is_over; i++)
        {
          pair_step (&pair, pair.now + DTLS_SECOND);
          is_over = pair_is_connected (&pair);
        }
      inject_everything (&pair, DTLS_CLIENT);
      inject_everything (&pair, DTLS_SERVER);
      CHECK_UINT (pair.sides[DTLS_CLIENT].n_messages, 0);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 0);
      if (!CHECK (pair_handshake (&pair)))
        tell_errors (&pair);
      else
        CHECK (pair_talks (&pair));
      PAIR_END (&pair);
    }
}

static const uint8_t bad_change[] = { 2 };
static const uint8_t long_change[] = { 1, 1 };
static const uint8_t half_alert[] = { 2 };
static const uint8_t odd_alert[] = { 3, 40 };
static const uint8_t long_alert[] = { 2, 40, 0 };
static const uint8_t half_header[] = { 1, 0, 0, 4, 0 };
static const uint8_t beyond_message[] = { 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0 };
static const uint8_t body_missing[] = { 1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 9, 0 };
static const uint8_t far_away[] = { 1, 0, 0, 1, 0x70, 0, 0, 0, 0, 0, 0, 1, 0 };

struct noise
{
  uint8_t type;
  struct bytes content;
};

/* clang-format off */
static const struct noise noises[] = {
  { CONTENT_CHANGE_CIPHER_SPEC, TAP_BYTES (bad_change) },
  { CONTENT_CHANGE_CIPHER_SPEC, TAP_BYTES (long_change) },
  { CONTENT_CHANGE_CIPHER_SPEC, { NULL, 0 } },
  { CONTENT_ALERT,              TAP_BYTES (half_alert) },
  { CONTENT_ALERT,              TAP_BYTES (odd_alert) },
  { CONTENT_ALERT,              TAP_BYTES (long_alert) },
  { CONTENT_ALERT,              { NULL, 0 } },
  { CONTENT_HANDSHAKE,          { NULL, 0 } },
  { CONTENT_HANDSHAKE,          TAP_BYTES (half_header) },
  { CONTENT_HANDSHAKE,          TAP_BYTES (beyond_message) },
  { CONTENT_HANDSHAKE,          TAP_BYTES (body_missing) },
  { CONTENT_HANDSHAKE,          TAP_BYTES (far_away) },
};
/* clang-format on */

/* (a) of what is believed: malformed records in the clear end no handshake. */
static void
test_noise_at_every_step (void)
{
  bool is_over = false;

  for (unsigned n_steps = 0; !is_over; n_steps++)
    {
      struct pair pair;

      pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
      pair_start (&pair);
      for (unsigned i = 0; i < n_steps && !is_over; i++)
        {
          pair_step (&pair, pair.now + DTLS_SECOND);
          is_over = pair_is_connected (&pair);
        }
      for (size_t i = 0; i < TAP_N (noises); i++)
        for (unsigned role = 0; role < 2; role++)
          inject_plain (&pair, role, noises[i].type, 0, noises[i].content);
      if (!CHECK (pair_handshake (&pair)))
        tell_errors (&pair);
      else
        CHECK (pair_talks (&pair));
      PAIR_END (&pair);
    }
}

static const struct tap_test tests[] = {
  { "/conn/receive/garbage-of-any-length-is-dropped-without-a-word", test_garbage },
  { "/conn/receive/truncated-records-of-any-length-are-dropped-without-a-word",
    test_truncated_records },
  { "/conn/receive/any-turned-bit-drops-the-record", test_any_turned_bit },
  { "/conn/receive/replay-is-rejected", test_replay },
  { "/conn/receive/replay-window-is-as-wide-as-configured", test_window_is_as_wide_as_configured },
  { "/conn/receive/forged-number-moves-no-window", test_forged_number_moves_no_window },
  { "/conn/receive/plaintext-of-every-type-is-dropped-after-the-handshake",
    test_plaintext_after_the_handshake },
  { "/conn/receive/forged-epoch-0-alert-is-ignored-after-the-handshake",
    test_forged_alert_after_the_handshake },
  { "/conn/receive/application-data-by-type-epoch-and-state", test_type_epoch_and_state },
  { "/conn/receive/malformed-plaintext-ends-no-handshake", test_noise_at_every_step },
};

TAP_MAIN (tests)
