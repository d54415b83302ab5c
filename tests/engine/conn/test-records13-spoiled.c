/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3: what is not as it was sent is dropped without a word, and costs a retransmission at most: any turned bit, any
 * truncation, noise, replays. And how long a record may be. */

#include "crypto/number_mask.h"
#include "random.h"
#include "setup13.h"
#include "trace.h"

static const uint16_t suites[] = { SUITE_AES_128_GCM_SHA256, SUITE_AES_256_GCM_SHA384,
                                   SUITE_CHACHA20_POLY1305_SHA256, SUITE_AES_128_CCM_SHA256 };

static void
begin_with (struct pair *pair, const uint16_t *suite)
{
  setup (pair, SHAPE_PLAIN);
  for (unsigned i = 0; i < 2; i++)
    {
      pair->sides[i].config.suites = suite;
      pair->sides[i].config.n_suites = 1;
    }
  CHECK (pair_handshake (pair));
  pair_run (pair, DTLS_SECOND);
  CHECK (pair_talks (pair));
}

/* ---------------------------------------------------------------------------------- handshakes */

struct turn
{
  unsigned index; /* of the datagram */
  size_t bit;
  size_t n_bits;     /* of the datagram */
  bool is_protected; /* the bit is of a protected record */
};

static bool
is_in_protected (const uint8_t *at, size_t len, size_t byte)
{
  size_t begin = 0;

  while (begin < len)
    {
      bool is_unified = is_unified_header (at[begin]);
      size_t header = is_unified ? UNIFIED_HEADER_LEN : RECORD_HEADER_LEN;
      size_t record = header + (size_t) (at[begin + header - 2] << 8 | at[begin + header - 1]);

      if (byte < begin + record)
        return is_unified;
      begin += record;
    }

  return false;
}

static void
turn_bit (void *data, unsigned index, uint8_t *at, size_t len)
{
  struct turn *turn = data;

  if (index != turn->index)
    return;

  turn->n_bits = 8 * len;
  turn->is_protected = is_in_protected (at, len, turn->bit / 8);
  at[turn->bit / 8 % len] ^= (uint8_t) (1 << turn->bit % 8);
}

/* Under keys a turned bit is a loss. In the clear it may end the handshake, but never with two sides that disagree. */
static void
connect_despite (unsigned shape, enum dtls_role from, struct turn *turn, unsigned *n_connected)
{
  struct pair pair;
  bool is_connected;
  char row[96];

  snprintf (row, sizeof row, "shape %u, the %s's datagram %u, bit %zu", shape,
            from == DTLS_CLIENT ? "client" : "server", turn->index, turn->bit);
  tap_set_row (row);
  setup (&pair, shape);
  for (unsigned i = 0; i < 2; i++)
    pair.sides[i].config.handshake_deadline = 20 * DTLS_SECOND;
  pair.links[from].changes = turn_bit;
  pair.links[from].changes_data = turn;
  is_connected = pair_handshake (&pair);
  if (turn->is_protected && !CHECK (is_connected))
    tell_sides (&pair);
  if (is_connected)
    {
      check_at_rest (&pair, 2 * DTLS_SECOND);
      if (check_same_13 (&pair))
        CHECK (pair_talks (&pair));
      *n_connected += 1;
    }
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static void
turn_bits (unsigned shape, enum dtls_role from, unsigned index, size_t step)
{
  struct turn turn = { .index = index, .n_bits = 1 };
  unsigned n_connected = 0, n = 0;

  for (turn.bit = 0; turn.bit < turn.n_bits; turn.bit += step)
    {
      connect_despite (shape, from, &turn, &n_connected);
      n++;
    }
  CHECK (n_connected > 0);
  CHECK (n > 1);
}

/* Hello; ServerHello to Finished; Finished; ACK; tickets; ACK. Steps that are prime to 8 see every place of a byte. */
static void
test_any_bit_of_a_handshake (void)
{
  turn_bits (SHAPE_PLAIN, DTLS_CLIENT, 0, 3);
  turn_bits (SHAPE_PLAIN, DTLS_SERVER, 0, 3);
  for (unsigned i = 1; i < 3; i++)
    {
      turn_bits (SHAPE_PLAIN, DTLS_CLIENT, i, 1);
      turn_bits (SHAPE_PLAIN, DTLS_SERVER, i, 1);
    }
  for (unsigned i = 0; i < 3; i++)
    turn_bits (SHAPE_COOKIE, DTLS_SERVER, i, 13);
}

/* ---------------------------------------------------------------------------------- data */

static void
test_any_bit_of_data (void)
{
  for (size_t s = 0; s < TAP_N (suites); s++)
    {
      uint8_t record[MAX_DATAGRAM], message[16] = { 4, 5, 6 };
      struct trace before;
      struct pair pair;
      uint64_t n;
      size_t len;

      begin_with (&pair, &suites[s]);
      len = make_sealed (&pair, DTLS_CLIENT, CONTENT_APPLICATION_DATA, TAP_BYTES (message), record);
      before = trace_of (&pair, DTLS_SERVER);
      n = pair_n_dropped (&pair, DTLS_SERVER);
      for (size_t bit = 0; bit < 8 * len; bit++)
        {
          record[bit / 8] ^= (uint8_t) (1 << bit % 8);
          pair_deliver (&pair, DTLS_SERVER, (struct bytes){ record, len });
          record[bit / 8] ^= (uint8_t) (1 << bit % 8);
        }
      check_no_trace (&pair, DTLS_SERVER, &before);
      /* A shorter length leaves something behind, which is dropped too. */
      CHECK (pair_n_dropped (&pair, DTLS_SERVER) >= n + 8 * len);
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ record, len });
      CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, before.n_messages + 1);
      PAIR_END (&pair);
    }
}

/* OpenSSL CVE-2026-75806: every length, the header as it was, or right for it. */
static void
test_truncated_data (void)
{
  for (size_t s = 0; s < TAP_N (suites); s++)
    for (unsigned is_right = 0; is_right < 2; is_right++)
      for (unsigned to = 0; to < 2; to++)
        {
          uint8_t record[MAX_DATAGRAM], message[64] = { 1, 2, 3 };
          struct trace before;
          struct pair pair;
          uint8_t len_low;
          size_t len;

          begin_with (&pair, &suites[s]);
          len = make_sealed (&pair, other_role (to), CONTENT_APPLICATION_DATA, TAP_BYTES (message),
                             record);
          len_low = record[4];
          before = trace_of (&pair, to);
          for (size_t cut = 0; cut < len; cut++)
            {
              if (is_right && cut >= UNIFIED_HEADER_LEN)
                record[4] = (uint8_t) (cut - UNIFIED_HEADER_LEN);
              pair_deliver (&pair, to, (struct bytes){ record, cut });
            }
          check_no_trace (&pair, to, &before);
          record[4] = len_low;
          pair_deliver (&pair, to, (struct bytes){ record, len });
          CHECK_UINT (pair.sides[to].n_messages, before.n_messages + 1);
          PAIR_END (&pair);
        }
}

/* Every length from 0 to 64 behind every first byte there is. */
static void
test_garbage (void)
{
  uint64_t seed = 7;

  for (size_t s = 0; s < TAP_N (suites); s++)
    for (unsigned to = 0; to < 2; to++)
      {
        struct trace before;
        struct pair pair;

        begin_with (&pair, &suites[s]);
        before = trace_of (&pair, to);
        for (unsigned first = 0; first < 256; first++)
          for (size_t len = 1; len <= 64; len++)
            {
              uint8_t garbage[64];
              uint64_t n = pair_n_dropped (&pair, to);

              for (size_t at = 0; at < len; at++)
                garbage[at] = (uint8_t) random_next (&seed);
              garbage[0] = (uint8_t) first;
              if (len >= UNIFIED_HEADER_LEN && (first & 0x34) == 0x24)
                {
                  size_t at = first & 8 ? 3 : 2;

                  garbage[at] = 0;
                  garbage[at + 1] = (uint8_t) (len - at - 2);
                }
              pair_deliver (&pair, to, (struct bytes){ garbage, len });
              CHECK (pair_n_dropped (&pair, to) > n);
            }
        check_no_trace (&pair, to, &before);
        CHECK (pair_talks (&pair));
        PAIR_END (&pair);
      }
}

static void
test_replays (void)
{
  for (size_t s = 0; s < TAP_N (suites); s++)
    {
      uint8_t records[300][64];
      size_t len[300];
      struct dtls_stats stats;
      struct pair pair;
      unsigned n;

      begin_with (&pair, &suites[s]);
      for (unsigned i = 0; i < 300; i++)
        len[i] = make_sealed (&pair, DTLS_CLIENT, CONTENT_APPLICATION_DATA, TAP_STRING ("x"),
                              records[i]);
      n = pair.sides[DTLS_SERVER].n_messages;
      /* The newest first: those 256 behind it still count, the others are too old. */
      for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 300; i > 0; i--)
          pair_deliver (&pair, DTLS_SERVER, (struct bytes){ records[i - 1], len[i - 1] });
      CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, n + 256);
      dtls_conn_stats (pair.sides[DTLS_SERVER].conn, &stats);
      CHECK_UINT (stats.dropped[DTLS_DROP_REPLAY], 900 - 256);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- forms of the header */

/* RFC 9147 §4: a record of data whose number has one byte or two, with its length or without. */
static size_t
make_record (struct epoch_write *epoch, bool is_long, bool has_length, uint8_t *out)
{
  static const uint8_t inner[] = { 'f', 'o', 'r', 'm', CONTENT_APPLICATION_DATA };
  size_t header_len = 2 + is_long + (has_length ? 2 : 0);
  size_t len = sizeof inner + aead_tag_len (epoch->keys.algorithm);
  uint8_t nonce[AEAD_NONCE_LEN], mask[NUMBER_MASK_LEN];
  struct aead_input input = { nonce, { out, header_len } };
  struct bytes part = TAP_BYTES (inner);
  struct writer w = writer_over (out, header_len);

  write_u8 (&w, (uint8_t) (0x20 | is_long << 3 | has_length << 2 | (epoch->number & 3)));
  if (is_long)
    write_u16 (&w, (uint16_t) epoch->next);
  else
    write_u8 (&w, (uint8_t) epoch->next);
  if (has_length)
    write_u16 (&w, (uint16_t) len);

  epoch_nonce (&epoch->keys, epoch->number, epoch->next++, nonce);
  CHECK (aead_seal (epoch->aead, &input, &part, 1, out + header_len));
  CHECK (number_mask_make (epoch->mask, out + header_len, mask));
  out[1] ^= mask[0];
  if (is_long)
    out[2] ^= mask[1];
  return header_len + len;
}

static void
test_header_forms (void)
{
  for (size_t s = 0; s < TAP_N (suites); s++)
    for (unsigned form = 0; form < 4; form++)
      for (unsigned to = 0; to < 2; to++)
        {
          uint8_t record[64];
          struct pair pair;
          size_t len;
          unsigned n;

          begin_with (&pair, &suites[s]);
          n = pair.sides[to].n_messages;
          len = make_record (&pair.sides[!to].conn->write.epoch, form & 1, form & 2, record);
          pair_deliver (&pair, to, (struct bytes){ record, len });
          CHECK_UINT (pair.sides[to].n_messages, n + 1);
          CHECK_BYTES (((struct bytes){ pair.sides[to].message, pair.sides[to].message_len }),
                       TAP_STRING ("form"));
          CHECK (pair_talks (&pair));
          PAIR_END (&pair);
        }
}

/* ---------------------------------------------------------------------------------- length and padding */

/* An inner plaintext of data, its type and `n_padding` zeros: what is sealed as type 0 ends with a zero itself. */
static void
inject_padded (struct pair *pair, enum dtls_role from, uint8_t type, size_t n_data,
               size_t n_padding)
{
  uint8_t *inner = calloc (1, n_data + 1 + n_padding);

  memset (inner, 'd', n_data);
  inner[n_data] = type;
  inject_sealed (pair, from, 0, (struct bytes){ inner, n_data + n_padding });
  free (inner);
}

static void
test_padding (void)
{
  static const size_t paddings[] = { 1, 2, 15, 16, 255, 1000, 16000 };

  for (size_t i = 0; i < TAP_N (paddings); i++)
    for (unsigned to = 0; to < 2; to++)
      {
        struct pair pair;
        struct side *side = &pair.sides[to];
        unsigned n;

        begin_with (&pair, &suites[0]);
        n = side->n_messages;
        inject_padded (&pair, other_role (to), CONTENT_APPLICATION_DATA, 7, paddings[i]);
        CHECK_UINT (side->n_messages, n + 1);
        CHECK_BYTES (((struct bytes){ side->message, side->message_len }), TAP_STRING ("ddddddd"));
        inject_padded (&pair, other_role (to), CONTENT_APPLICATION_DATA, 0, paddings[i]);
        CHECK_UINT (side->n_messages, n + 2);
        CHECK_UINT (side->message_len, 0);
        PAIR_END (&pair);
      }
}

/* RFC 9147bis §4.5.2: nothing but padding is a record that cannot be processed: dropped. */
static void
test_nothing_but_padding (void)
{
  static const uint8_t zeros[1000];

  for (size_t len = 0; len < sizeof zeros; len += len < 20 ? 1 : 331)
    {
      struct trace before;
      struct pair pair;
      uint64_t n;

      begin_with (&pair, &suites[0]);
      before = trace_of (&pair, DTLS_SERVER);
      n = pair_n_dropped (&pair, DTLS_SERVER);
      inject_sealed (&pair, DTLS_CLIENT, 0, (struct bytes){ zeros, len });
      check_no_trace (&pair, DTLS_SERVER, &before);
      CHECK_UINT (pair_n_dropped (&pair, DTLS_SERVER), n + 1);
      CHECK (pair_talks (&pair));
      PAIR_END (&pair);
    }
}

/* RFC 8449 §4: in 1.3 the limit counts type and padding; ours is 100 bytes of data. */
static void
test_record_size_limit (void)
{
  static const struct
  {
    size_t n_data, n_padding;
    enum dtls_error error;
  } rows[] = { { 100, 0, DTLS_OK },
               { 101, 0, DTLS_ERROR_RECORD_OVERFLOW },
               { 99, 1, DTLS_OK },
               { 0, 100, DTLS_OK },
               { 99, 2, DTLS_ERROR_RECORD_OVERFLOW },
               { 0, 101, DTLS_ERROR_RECORD_OVERFLOW } };

  for (size_t i = 0; i < TAP_N (rows); i++)
    for (unsigned to = 0; to < 2; to++)
      {
        static const uint8_t message[101];
        enum dtls_role from = other_role (to);
        struct pair pair;
        struct side *side = &pair.sides[to];

        setup (&pair, SHAPE_PLAIN);
        side->config.record_size_limit = 100;
        CHECK (pair_handshake (&pair));
        check_at_rest (&pair, DTLS_SECOND);
        CHECK_UINT (dtls_conn_max_payload (pair.sides[from].conn), 100);
        CHECK_UINT (dtls_conn_max_payload (side->conn), 1 << 14);
        CHECK_UINT (pair_send (&pair, from, (struct bytes){ message, 101 }), DTLS_ERROR_TOO_LARGE);
        CHECK_UINT (pair_send (&pair, from, (struct bytes){ message, 100 }), DTLS_OK);
        pair_settle (&pair);
        CHECK_UINT (side->message_len, 100);
        inject_padded (&pair, from, CONTENT_APPLICATION_DATA, rows[i].n_data, rows[i].n_padding);
        CHECK_UINT (dtls_conn_error (side->conn), rows[i].error);
        pair_settle (&pair);
        if (rows[i].error != DTLS_OK)
          CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[from].conn),
                      ALERT_RECORD_OVERFLOW);
        PAIR_END (&pair);
      }
}

/* RFC 9846 §5.2: 2^14 bytes of data; with padding 2^14 + 1 in all. */
static void
test_largest_record (void)
{
  static uint8_t message[1 << 14];

  for (size_t s = 0; s < TAP_N (suites); s++)
    {
      struct pair pair;
      struct side *server = &pair.sides[DTLS_SERVER];

      begin_with (&pair, &suites[s]);
      CHECK_UINT (pair_send (&pair, DTLS_CLIENT, TAP_BYTES (message)), DTLS_OK);
      pair_settle (&pair);
      CHECK_UINT (server->message_len, 1 << 14);
      inject_padded (&pair, DTLS_CLIENT, CONTENT_APPLICATION_DATA, 1, (1 << 14) - 1);
      CHECK_UINT (server->message_len, 1);
      CHECK_UINT (dtls_conn_error (server->conn), DTLS_OK);
      PAIR_END (&pair);
    }
}

static const struct tap_test tests[] = {
  { "/conn/records13/any-turned-bit-of-a-handshake-is-a-loss", test_any_bit_of_a_handshake },
  { "/conn/records13/any-turned-bit-of-data-is-a-loss", test_any_bit_of_data },
  { "/conn/records13/truncated-records-of-any-length-are-dropped", test_truncated_data },
  { "/conn/records13/garbage-of-any-length-is-dropped", test_garbage },
  { "/conn/records13/replays-are-dropped", test_replays },
  { "/conn/records13/every-form-of-the-header-is-read", test_header_forms },
  { "/conn/records13/padding-is-taken-off", test_padding },
  { "/conn/records13/nothing-but-padding-is-dropped", test_nothing_but_padding },
  { "/conn/records13/record-size-limit-counts-type-and-padding", test_record_size_limit },
  { "/conn/records13/largest-record", test_largest_record },
};

TAP_MAIN (tests)
