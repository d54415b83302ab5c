/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What is believed: an authenticated record that does wrong is fatal, and an error stays. */

#include "crypto/aead.h"
#include "trace.h"

/* ---------------------------------------------------------------------------------- authenticated content */

struct content_row
{
  const char *name;
  uint8_t type;
  struct bytes content;
  unsigned error; /* DTLS_OK: dropped or ignored */
};

static const uint8_t fatal_alert[] = { 2, 40 };
static const uint8_t half_alert[] = { 2 };
static const uint8_t odd_alert[] = { 3, 40 };
static const uint8_t long_alert[] = { 2, 40, 0 };
static const uint8_t change[] = { 1 };
static const uint8_t some_bytes[] = { 'd', 'a', 't', 'a' };
static const uint8_t half_header[] = { 1, 0, 0, 4, 0 };
static const uint8_t beyond_message[] = { 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0 };
static const uint8_t body_missing[] = { 1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 9, 0 };
static const uint8_t hello_request[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t hello_request_next[] = { 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0 };
static const uint8_t client_hello[] = { 1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0xfe, 0xfd, 0, 0 };
static const uint8_t warning[] = { 1, 110 };
static const uint8_t no_level[] = { 0, 40 };
static const uint8_t old_certificate[] = { 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

/* clang-format off */
static const struct content_row content_rows[] = {
  { "a fatal alert",                    CONTENT_ALERT,              TAP_BYTES (fatal_alert),        DTLS_ERROR_PEER_ALERT },
  { "a warning",                        CONTENT_ALERT,              TAP_BYTES (warning),            DTLS_OK },
  { "an alert of level 0",              CONTENT_ALERT,              TAP_BYTES (no_level),           DTLS_ERROR_BAD_ALERT },
  { "an alert of level 3",              CONTENT_ALERT,              TAP_BYTES (odd_alert),          DTLS_ERROR_BAD_ALERT },
  { "an empty alert",                   CONTENT_ALERT,              { NULL, 0 },                    DTLS_ERROR_DECODE },
  { "half an alert",                    CONTENT_ALERT,              TAP_BYTES (half_alert),         DTLS_ERROR_DECODE },
  { "an alert and a half",              CONTENT_ALERT,              TAP_BYTES (long_alert),         DTLS_ERROR_DECODE },
  { "ChangeCipherSpec",                 CONTENT_CHANGE_CIPHER_SPEC, TAP_BYTES (change),             DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "an unknown content type",          0,                          TAP_BYTES (some_bytes),         DTLS_OK },
  { "heartbeat",                        24,                         TAP_BYTES (some_bytes),         DTLS_OK },
  { "an unknown content type, empty",   255,                        { NULL, 0 },                    DTLS_OK },
  { "an empty handshake record",        CONTENT_HANDSHAKE,          { NULL, 0 },                    DTLS_ERROR_DECODE },
  { "half a fragment header",           CONTENT_HANDSHAKE,          TAP_BYTES (half_header),        DTLS_ERROR_DECODE },
  { "a fragment beyond its message",    CONTENT_HANDSHAKE,          TAP_BYTES (beyond_message),     DTLS_ERROR_DECODE },
  { "a fragment cut short",             CONTENT_HANDSHAKE,          TAP_BYTES (body_missing),       DTLS_ERROR_DECODE },
  { "HelloRequest",                     CONTENT_HANDSHAKE,          TAP_BYTES (hello_request_next), DTLS_ERROR_RENEGOTIATION },
  { "HelloRequest, numbers begun again", CONTENT_HANDSHAKE,         TAP_BYTES (hello_request),      DTLS_ERROR_RENEGOTIATION },
  { "ClientHello, numbers begun again", CONTENT_HANDSHAKE,          TAP_BYTES (client_hello),       DTLS_ERROR_RENEGOTIATION },
  { "a message that was there already", CONTENT_HANDSHAKE,          TAP_BYTES (old_certificate),    DTLS_OK },
};
/* clang-format on */

static void
take_content (const struct content_row *row, enum dtls_role to, bool has_talked)
{
  struct pair pair;
  struct side *side = &pair.sides[to];
  struct side *from = &pair.sides[other_role (to)];

  tap_set_row (row->name);
  connect_with (&pair, NULL);
  if (has_talked)
    CHECK (pair_talks (&pair));
  inject_sealed (&pair, other_role (to), row->type, row->content);
  CHECK_UINT (dtls_conn_error (side->conn), row->error);
  pair_settle (&pair);

  if (row->error == DTLS_OK)
    CHECK (pair_talks (&pair));
  else if (row->error != DTLS_ERROR_PEER_ALERT)
    CHECK_UINT ((unsigned) dtls_conn_peer_alert (from->conn),
                (unsigned) dtls_error_alert ((enum dtls_error) row->error));
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static void
test_authenticated_content (void)
{
  for (size_t i = 0; i < TAP_N (content_rows); i++)
    for (unsigned to = 0; to < 2; to++)
      for (unsigned has_talked = 0; has_talked < 2; has_talked++)
        take_content (&content_rows[i], to, has_talked);
}

/* RFC 5746 would let it be done safely; we do not do it at all. */
static void
test_renegotiation (void)
{
  for (unsigned to = 0; to < 2; to++)
    for (unsigned type = 0; type < 256; type++)
      {
        struct pair pair;
        bool is_renegotiation = type == HELLO_REQUEST || type == CLIENT_HELLO;

        connect_with (&pair, NULL);
        CHECK (pair_talks (&pair));
        inject_sealed_message (&pair, other_role (to), (uint8_t) type,
                               pair.sides[to].conn->next_message_seq, TAP_BYTES (some_bytes));
        CHECK_UINT (dtls_conn_error (pair.sides[to].conn),
                    is_renegotiation ? DTLS_ERROR_RENEGOTIATION : DTLS_ERROR_UNEXPECTED_MESSAGE);
        pair_settle (&pair);
        CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[other_role (to)].conn),
                    ALERT_UNEXPECTED_MESSAGE);
        PAIR_END (&pair);
      }
}

static void
test_every_alert_is_named (void)
{
  for (unsigned description = 1; description < 256; description++)
    {
      uint8_t alert[2] = { ALERT_LEVEL_FATAL, (uint8_t) description };
      struct pair pair;

      connect_with (&pair, NULL);
      inject_sealed (&pair, DTLS_SERVER, CONTENT_ALERT, TAP_BYTES (alert));
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_CLIENT].conn), DTLS_ERROR_PEER_ALERT);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[DTLS_CLIENT].conn), description);
      CHECK_UINT (pair.links[DTLS_CLIENT].n_datagrams, 2);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- limits */

/* More than record_seal would: `len` zeros under the keys of `from`. */
static void
inject_long (struct pair *pair, enum dtls_role from, size_t len)
{
  struct epoch_write *epoch = &pair->sides[from].conn->write.epoch;
  size_t explicit_len = epoch_explicit_len (epoch->keys.algorithm);
  uint8_t *memory = calloc (1, MAX_DATAGRAM), *zeros = calloc (1, len + 1);
  uint8_t nonce[AEAD_NONCE_LEN], additional[ADDITIONAL_LEN];
  struct aead_input input = { nonce, { additional, sizeof additional } };
  struct bytes part = { zeros, len };
  struct epoch_record record = { 23, VERSION_DTLS_1_2, epoch->next, len };
  struct record_header header = { 23, VERSION_DTLS_1_2, 1, epoch->next, 0 };
  struct writer w = writer_over (memory, MAX_DATAGRAM);

  header.len = (uint16_t) (explicit_len + len + aead_tag_len (AEAD_AES_128_GCM));
  record_header_write (&w, &header);
  epoch_nonce (&epoch->keys, 1, epoch->next, nonce);
  epoch_additional (1, &record, additional);
  write_bytes (&w, nonce + AEAD_NONCE_LEN - explicit_len, explicit_len);
  CHECK (aead_seal (epoch->aead, &input, &part, 1, memory + w.used));
  pair_deliver (pair, other_role (from), (struct bytes){ memory, RECORD_HEADER_LEN + header.len });
  epoch->next++;
  free (memory);
  free (zeros);
}

static void
test_plaintext_over_2_14 (void)
{
  for (size_t s = 0; s < TAP_N (trace_suites); s++)
    {
      struct pair pair;

      connect_with (&pair, &trace_suites[s]);
      inject_long (&pair, DTLS_CLIENT, 1 << 14);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 1);
      CHECK_UINT (pair.sides[DTLS_SERVER].message_len, 1 << 14);
      inject_long (&pair, DTLS_CLIENT, (1 << 14) + 1);
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_ERROR_RECORD_OVERFLOW);
      pair_settle (&pair);
      CHECK_UINT ((unsigned) dtls_conn_peer_alert (pair.sides[DTLS_CLIENT].conn),
                  ALERT_RECORD_OVERFLOW);
      PAIR_END (&pair);
    }
}

/* A record that no cipher makes so long: it is not even opened. */
static void
test_ciphertext_over_its_limit (void)
{
  struct pair pair;
  struct trace before;

  connect_with (&pair, NULL);
  before = trace_of (&pair, DTLS_SERVER);
  inject_long (&pair, DTLS_CLIENT, MAX_CIPHERTEXT_LEN);
  check_no_trace (&pair, DTLS_SERVER, &before);
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

static void
test_over_record_size_limit (void)
{
  static const uint8_t message[101];
  struct pair pair;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  pair.sides[DTLS_SERVER].config.record_size_limit = 100;
  CHECK (pair_handshake (&pair));
  inject_sealed (&pair, DTLS_CLIENT, 23, (struct bytes){ message, 100 });
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 1);
  inject_sealed (&pair, DTLS_CLIENT, 23, (struct bytes){ message, 101 });
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_ERROR_RECORD_OVERFLOW);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- datagrams of several records */

static void
test_several_records_in_a_datagram (void)
{
  uint8_t datagram[MAX_DATAGRAM], message[] = { 1, 2, 3 };
  struct pair pair;
  size_t len = 0;

  connect_with (&pair, NULL);
  for (unsigned i = 0; i < 5; i++)
    len += make_sealed (&pair, DTLS_CLIENT, i == 2 ? 99 : 23, TAP_BYTES (message), datagram + len);
  /* A forged one in the middle takes nothing with it; a broken header takes the rest. */
  datagram[len - 1] ^= 1;
  len += make_sealed (&pair, DTLS_CLIENT, 23, TAP_BYTES (message), datagram + len);
  pair_deliver (&pair, DTLS_SERVER, (struct bytes){ datagram, len });
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 4);
  PAIR_END (&pair);
}

static void
test_empty_messages_are_messages (void)
{
  struct pair pair;

  connect_with (&pair, NULL);
  CHECK_UINT (pair_send (&pair, DTLS_CLIENT, (struct bytes){ NULL, 0 }), DTLS_OK);
  pair_settle (&pair);
  CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, 1);
  CHECK_UINT (pair.sides[DTLS_SERVER].message_len, 0);
  PAIR_END (&pair);
}

/* OpenSSL CVE-2014-0221 and pion CVE-2022-29190 ran in circles: 5,000 empty records of every type. */
static void
test_many_empty_records (void)
{
  uint8_t *datagram = malloc (MAX_DATAGRAM);
  struct pair pair;

  connect_with (&pair, NULL);
  for (unsigned type = 20; type <= 24; type++)
    {
      size_t len = 0;

      for (unsigned i = 0; i < 5000; i++)
        {
          struct record_header header = { .type = (uint8_t) type, .epoch = i & 1, .number = i };

          len +=
              make_plain (datagram + len, MAX_DATAGRAM - len, &header, (struct bytes){ NULL, 0 });
        }
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ datagram, len });
      CHECK_UINT (pair_n_dropped (&pair, DTLS_SERVER), (type - 19) * 5000);
    }
  CHECK (pair_talks (&pair));
  free (datagram);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- Finished, once more */

/* DTLS-Fuzzer's InvalidFinishedAsRetransmission: it may call for the last flight again, and does no more. */
static void
test_wrong_finished_as_retransmission (void)
{
  static const uint8_t zeros[12];
  struct pair pair;
  struct trace before;

  connect_with (&pair, NULL);
  before = trace_of (&pair, DTLS_SERVER);
  inject_sealed_message (&pair, DTLS_CLIENT, FINISHED, 2, TAP_BYTES (zeros));
  CHECK_UINT (trace_of (&pair, DTLS_SERVER).n_datagrams, before.n_datagrams + 1);
  CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_OK);
  pair_settle (&pair);
  CHECK (pair_talks (&pair));

  /* Acknowledged by data: nothing calls for it any more. */
  before = trace_of (&pair, DTLS_SERVER);
  inject_sealed_message (&pair, DTLS_CLIENT, FINISHED, 2, TAP_BYTES (zeros));
  check_no_trace (&pair, DTLS_SERVER, &before);
  CHECK (pair_talks (&pair));
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- the end */

static void
check_stays (struct pair *pair, enum dtls_role role, enum dtls_error error)
{
  struct dtls_conn *conn = pair->sides[role].conn;
  uint8_t memory[256];
  struct dtls_buffer out = { memory, sizeof memory, 0 };
  struct bytes message = TAP_STRING ("too late");

  CHECK_UINT (dtls_conn_error (conn), error);
  CHECK_UINT (dtls_conn_seal (conn, &message, 1, &out), error);
  CHECK_UINT (out.used, 0);
  CHECK_UINT (dtls_conn_max_payload (conn), 0);
  CHECK_UINT (dtls_conn_overhead (conn), 0);
  CHECK_UINT (dtls_conn_deadline (conn), DTLS_NEVER);
  dtls_conn_tick (conn, pair->now + 1000 * DTLS_SECOND);
  dtls_conn_close (conn, pair->now);
  CHECK_UINT (dtls_conn_next_event (conn), DTLS_EVENT_NONE);
  CHECK (!dtls_conn_next_datagram (conn, &out));
  CHECK (!dtls_conn_is_handshaking (conn));
  CHECK_UINT (dtls_conn_error (conn), error);
}

static void
continue_after_an_error (enum dtls_role to, bool has_talked)
{
  uint8_t record[MAX_DATAGRAM];
  struct pair pair;
  size_t len;

  connect_with (&pair, NULL);
  if (has_talked)
    CHECK (pair_talks (&pair));
  len = make_sealed (&pair, other_role (to), 23, TAP_STRING ("data"), record);
  inject_sealed (&pair, other_role (to), CONTENT_CHANGE_CIPHER_SPEC, TAP_BYTES (change));
  check_stays (&pair, to, DTLS_ERROR_UNEXPECTED_MESSAGE);
  pair.sides[to].n_messages = 0;
  pair_deliver (&pair, to, (struct bytes){ record, len });
  CHECK_UINT (pair.sides[to].n_messages, 0);
  check_stays (&pair, to, DTLS_ERROR_UNEXPECTED_MESSAGE);
  pair_settle (&pair);
  check_stays (&pair, other_role (to), DTLS_ERROR_PEER_ALERT);
  PAIR_END (&pair);
}

static void
test_errors_stay (void)
{
  for (unsigned to = 0; to < 2; to++)
    for (unsigned has_talked = 0; has_talked < 2; has_talked++)
      continue_after_an_error (to, has_talked);
}

static const struct tap_test tests[] = {
  { "/conn/receive/authenticated-nonsense-is-fatal-and-unknown-types-are-dropped",
    test_authenticated_content },
  { "/conn/receive/renegotiation-is-refused-with-unexpected-message", test_renegotiation },
  { "/conn/receive/every-alert-is-named-and-answered-with-silence", test_every_alert_is_named },
  { "/conn/receive/plaintext-over-2-14-is-record-overflow", test_plaintext_over_2_14 },
  { "/conn/receive/ciphertext-over-its-limit-is-dropped", test_ciphertext_over_its_limit },
  { "/conn/receive/plaintext-over-record-size-limit-is-record-overflow",
    test_over_record_size_limit },
  { "/conn/receive/several-records-in-a-datagram", test_several_records_in_a_datagram },
  { "/conn/receive/empty-messages-are-messages", test_empty_messages_are_messages },
  { "/conn/receive/many-empty-records-are-only-counted", test_many_empty_records },
  { "/conn/receive/invalid-finished-as-retransmission-changes-nothing",
    test_wrong_finished_as_retransmission },
  { "/conn/receive/errors-stay", test_errors_stay },
};

TAP_MAIN (tests)
