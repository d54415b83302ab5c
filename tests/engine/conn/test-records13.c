/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* 1.3: what is believed of a record, by its content, its epoch, and how far the connection is. What fails below the
 * handshake is dropped without a word; plaintext is believed until the first protected record has opened; what a
 * protected record does wrong is fatal. */

#include "setup13.h"
#include "trace.h"

/* ---------------------------------------------------------------------------------- contents */

enum outcome
{
  DROPPED = N_DTLS_ERRORS, /* and counted; no trace */
  IGNORED,                 /* legal, and without effect */
  TAKEN,                   /* application data */
};

/* clang-format off */
static const struct
{
  const char *name;
  uint8_t type;
  struct bytes content;
  unsigned plain;   /* while plaintext is believed; else DROPPED */
  unsigned keyed_2; /* in the handshake's epoch */
  unsigned keyed_3; /* later */
} contents[] = {
#define BYTES(text) { (const uint8_t *) (text), sizeof (text) - 1 }
  { "no type",                     0,  BYTES ("data"),     DROPPED,                DROPPED,                       DROPPED },
  { "ChangeCipherSpec",            20, BYTES ("\x01"),     IGNORED,                DTLS_ERROR_UNEXPECTED_MESSAGE, DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "ChangeCipherSpec of 2",       20, BYTES ("\x02"),     DROPPED,                DTLS_ERROR_UNEXPECTED_MESSAGE, DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "ChangeCipherSpec, long",      20, BYTES ("\x01\x01"), DROPPED,                DTLS_ERROR_UNEXPECTED_MESSAGE, DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "ChangeCipherSpec, empty",     20, BYTES (""),         DROPPED,                DTLS_ERROR_UNEXPECTED_MESSAGE, DTLS_ERROR_UNEXPECTED_MESSAGE },
  { "fatal alert",                 21, BYTES ("\x02\x28"), DTLS_ERROR_PEER_ALERT,  DTLS_ERROR_PEER_ALERT,         DTLS_ERROR_PEER_ALERT },
  { "warning",                     21, BYTES ("\x01\x6e"), IGNORED,                IGNORED,                       IGNORED },
  { "alert of level 0",            21, BYTES ("\x00\x28"), DROPPED,                DTLS_ERROR_BAD_ALERT,          DTLS_ERROR_BAD_ALERT },
  { "alert of level 3",            21, BYTES ("\x03\x28"), DROPPED,                DTLS_ERROR_BAD_ALERT,          DTLS_ERROR_BAD_ALERT },
  { "half an alert",               21, BYTES ("\x02"),     DROPPED,                DTLS_ERROR_DECODE,             DTLS_ERROR_DECODE },
  { "an alert and a half",         21, BYTES ("\x02\x28\x02"), DROPPED,            DTLS_ERROR_DECODE,             DTLS_ERROR_DECODE },
  { "alert, empty",                21, BYTES (""),         DROPPED,                DTLS_ERROR_DECODE,             DTLS_ERROR_DECODE },
  { "handshake, empty",            22, BYTES (""),         DROPPED,                DTLS_ERROR_DECODE,             DTLS_ERROR_DECODE },
  { "half a fragment's header",    22, BYTES ("\x08\0\0\x04\0"), DROPPED,          DTLS_ERROR_DECODE,             DTLS_ERROR_DECODE },
  { "a fragment beyond its message", 22, BYTES ("\x08\0\0\x01\0\x09\0\0\x01\0\0\x01x"), DROPPED, DTLS_ERROR_DECODE, DTLS_ERROR_DECODE },
  { "a fragment cut short",        22, BYTES ("\x08\0\0\x09\0\x09\0\0\0\0\0\x09x"), DROPPED, DTLS_ERROR_DECODE,   DTLS_ERROR_DECODE },
  { "application data",            23, BYTES ("data"),     DROPPED,                DTLS_ERROR_UNEXPECTED_MESSAGE, TAKEN },
  { "application data, empty",     23, BYTES (""),         DROPPED,                DTLS_ERROR_UNEXPECTED_MESSAGE, TAKEN },
  { "heartbeat",                   24, BYTES ("data"),     DROPPED,                DROPPED,                       DROPPED },
  { "tls12_cid",                   25, BYTES ("data"),     DROPPED,                DROPPED,                       DROPPED },
  { "return routability",          27, BYTES ("data"),     DROPPED,                DROPPED,                       DROPPED },
  { "unknown type",                99, BYTES ("data"),     DROPPED,                DROPPED,                       DROPPED },
  { "unknown type, empty",         255, BYTES (""),        DROPPED,                DROPPED,                       DROPPED },
};
/* clang-format on */

/* ---------------------------------------------------------------------------------- states */

enum believed
{
  PLAIN_BELIEVED,
  PLAIN_DROPPED,
};

/* What is left of a conversation at this point, and what the victim reads. */
struct stage
{
  const char *name;
  enum dtls_role to;
  unsigned shape;
  enum believed plain;
  bool has_keys_2; /* the victim opens the handshake's epoch */
  bool has_keys_3;
  void (*reach) (struct pair *pair);
};

static void
reach_start (struct pair *pair)
{
  pair->links[DTLS_CLIENT].drop_percent = 100;
  pair_start (pair);
}

/* Until the server has sent something; nothing of it has arrived. */
static void
reach_answer (struct pair *pair)
{
  pair_start (pair);
  while (pair->links[DTLS_SERVER].n_datagrams == 0 && pair_step (pair, DTLS_NEVER))
    ;
}

/* HelloRetryRequest has arrived. */
static void
reach_retried (struct pair *pair)
{
  reach_answer (pair);
  pair_run (pair, 10 * DTLS_MILLISECOND);
  CHECK (dtls_conn_was_retried (pair->sides[DTLS_CLIENT].conn)
         || pair->sides[DTLS_CLIENT].conn->handshake->state == WAIT_SECOND_SERVER_HELLO);
}

/* The client has keys, and some of the server's flight is missing. */
static void
reach_half (struct pair *pair)
{
  reach_answer (pair);
  pair->links[DTLS_SERVER].drop_percent = 100;
  pair_run (pair, 15 * DTLS_MILLISECOND);
  CHECK (pair->sides[DTLS_CLIENT].conn->has_opened);
}

/* The client's ACK of that has arrived. */
static void
reach_acknowledged (struct pair *pair)
{
  reach_half (pair);
  pair_run (pair, 120 * DTLS_MILLISECOND);
  CHECK (pair->sides[DTLS_SERVER].conn->has_opened);
}

static void
reach_end (struct pair *pair)
{
  CHECK (pair_handshake (pair));
  pair_run (pair, DTLS_SECOND);
}

static bool
loses_third (void *data, unsigned index, struct bytes datagram)
{
  (void) data;
  (void) datagram;
  return index != 2;
}

/* clang-format off */
static const struct stage stages[] = {
  { "client, hello sent",          DTLS_CLIENT, SHAPE_PLAIN, PLAIN_BELIEVED, false, false, reach_start },
  { "server, nothing came",        DTLS_SERVER, SHAPE_PLAIN, PLAIN_BELIEVED, false, false, reach_start },
  { "client, retried",             DTLS_CLIENT, SHAPE_RETRY, PLAIN_BELIEVED, false, false, reach_retried },
  { "server, has asked for a retry", DTLS_SERVER, SHAPE_RETRY, PLAIN_BELIEVED, false, false, reach_answer },
  { "server, flight sent",         DTLS_SERVER, SHAPE_CLIENT_AUTH, PLAIN_BELIEVED, false, false, reach_answer },
  { "client, some is missing", DTLS_CLIENT, SHAPE_SMALL, PLAIN_DROPPED,  true,  false, reach_half },
  { "server, client has keys",     DTLS_SERVER, SHAPE_SMALL, PLAIN_BELIEVED, true,  false, reach_half },
  { "server, has opened an ACK",   DTLS_SERVER, SHAPE_SMALL, PLAIN_DROPPED,  true,  false, reach_acknowledged },
  { "client, connected",           DTLS_CLIENT, SHAPE_PLAIN, PLAIN_DROPPED,  false, true,  reach_end },
  { "server, connected",           DTLS_SERVER, SHAPE_PLAIN, PLAIN_DROPPED,  false, true,  reach_end },
};
/* clang-format on */

static void
begin (struct pair *pair, const struct stage *stage)
{
  setup (pair, stage->shape);
  if (stage->shape == SHAPE_SMALL)
    pair->links[DTLS_SERVER].lets_through = loses_third;
}

static void
send_keyed (struct pair *pair, enum dtls_role to, uint16_t epoch, uint8_t type,
            struct bytes content)
{
  struct dtls_conn *from = pair->sides[!to].conn;
  uint8_t memory[256];
  struct dtls_buffer out = { memory, sizeof memory, 0 };
  struct seal_input input = { type, VERSION_DTLS_1_2, &content, 1 };

  CHECK_UINT (conn_write_epoch (from, epoch)->number, epoch);
  CHECK_UINT (record_seal (conn_write_epoch (from, epoch), &input, &out), DTLS_OK);
  pair_deliver (pair, to, (struct bytes){ memory, out.used });
}

static void
check_outcome (struct pair *pair, enum dtls_role to, const struct trace *before, uint64_t n_dropped,
               unsigned outcome)
{
  if (outcome == TAKEN)
    {
      CHECK_UINT (pair->sides[to].n_messages, before->n_messages + 1);
    }
  else if (outcome >= DROPPED)
    {
      check_no_trace (pair, to, before);
      CHECK_UINT (pair_n_dropped (pair, to), n_dropped + (outcome == DROPPED));
    }
  else
    {
      CHECK_UINT (dtls_conn_error (pair->sides[to].conn), outcome);
    }
}

/* Content in this epoch, where that epoch is read. */
static void
take_content (const struct stage *stage, uint16_t epoch, size_t i)
{
  unsigned plain = stage->plain == PLAIN_BELIEVED ? contents[i].plain : DROPPED;
  unsigned outcome = epoch == 0 ? plain : epoch == 2 ? contents[i].keyed_2 : contents[i].keyed_3;
  struct trace before;
  struct pair pair;
  uint64_t n_dropped;
  char row[128];

  snprintf (row, sizeof row, "%s; epoch %u: %s", stage->name, epoch, contents[i].name);
  tap_set_row (row);
  begin (&pair, stage);
  stage->reach (&pair);
  before = trace_of (&pair, stage->to);
  n_dropped = pair_n_dropped (&pair, stage->to);
  if (epoch == 0)
    inject_plain (&pair, stage->to, contents[i].type, 0, contents[i].content);
  else
    send_keyed (&pair, stage->to, epoch, contents[i].type, contents[i].content);
  check_outcome (&pair, stage->to, &before, n_dropped, outcome);
  PAIR_END (&pair);
  tap_set_row (NULL);
}

static void
test_contents_by_epoch_and_state (void)
{
  for (size_t s = 0; s < TAP_N (stages); s++)
    for (size_t i = 0; i < TAP_N (contents); i++)
      {
        take_content (&stages[s], 0, i);
        if (stages[s].has_keys_2)
          take_content (&stages[s], 2, i);
        if (stages[s].has_keys_3)
          take_content (&stages[s], 3, i);
      }
}

/* ---------------------------------------------------------------------------------- the old epoch */

/* RFC 9147 §4.2.1: data never comes in the handshake's epoch, however late; its keys are still there. */
static void
test_data_in_the_handshakes_epoch_behind_its_end (void)
{
  for (unsigned has_talked = 0; has_talked < 2; has_talked++)
    {
      struct epoch_write writer;
      struct bytes content = TAP_STRING ("data");
      uint8_t memory[64];
      struct dtls_buffer out = { memory, sizeof memory, 0 };
      struct seal_input input = { CONTENT_APPLICATION_DATA, VERSION_DTLS_1_2, &content, 1 };
      struct pair pair;
      struct dtls_conn *client;

      setup (&pair, SHAPE_PLAIN);
      pair_start (&pair);
      client = pair.sides[DTLS_CLIENT].conn;
      while (client->old_write == NULL && pair_step (&pair, DTLS_NEVER))
        ;
      CHECK (epoch_write_init (&writer, pki_crypto (), 2, &client->old_write->keys));
      writer.next = 10;
      CHECK (pair_handshake (&pair));
      if (has_talked)
        CHECK (pair_talks (&pair));
      CHECK_UINT (record_seal (&writer, &input, &out), DTLS_OK);
      pair_deliver (&pair, DTLS_SERVER, (struct bytes){ memory, out.used });
      CHECK_UINT (dtls_conn_error (pair.sides[DTLS_SERVER].conn), DTLS_ERROR_UNEXPECTED_MESSAGE);
      CHECK_UINT (pair.sides[DTLS_SERVER].n_messages, has_talked ? 2 : 0);
      epoch_write_clear (&writer);
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- other forms */

/* A 1.2 header with an epoch, in any state: no keys go with it. With the right bits it is not even a forgery. */
static void
test_headers_of_12_with_an_epoch (void)
{
  static const uint16_t epochs[] = { 1, 2, 3, 4, 0x0100, 65535 };
  static const uint8_t content[64];

  for (size_t s = 0; s < TAP_N (stages); s++)
    for (size_t e = 0; e < TAP_N (epochs); e++)
      for (uint8_t type = 20; type <= 27; type++)
        {
          struct dtls_stats stats;
          struct trace before;
          struct pair pair;

          tap_set_row (stages[s].name);
          begin (&pair, &stages[s]);
          stages[s].reach (&pair);
          before = trace_of (&pair, stages[s].to);
          inject_plain (&pair, stages[s].to, type, epochs[e], TAP_BYTES (content));
          check_no_trace (&pair, stages[s].to, &before);
          dtls_conn_stats (pair.sides[stages[s].to].conn, &stats);
          CHECK_UINT (stats.dropped[DTLS_DROP_AUTHENTICATION], 0);
          PAIR_END (&pair);
        }
  tap_set_row (NULL);
}

/* RFC 9147 §4: a record with a connection ID, where none was negotiated. */
static void
test_connection_id_bit (void)
{
  for (size_t s = 0; s < TAP_N (stages); s++)
    for (unsigned bits = 0; bits < 16; bits++)
      {
        uint8_t record[64] = { 0 };
        struct trace before;
        struct pair pair;
        uint64_t n;

        tap_set_row (stages[s].name);
        begin (&pair, &stages[s]);
        stages[s].reach (&pair);
        record[0] = (uint8_t) (0x30 | bits);
        record[4] = sizeof record - 5;
        before = trace_of (&pair, stages[s].to);
        n = pair_n_dropped (&pair, stages[s].to);
        pair_deliver (&pair, stages[s].to, TAP_BYTES (record));
        check_no_trace (&pair, stages[s].to, &before);
        CHECK_UINT (pair_n_dropped (&pair, stages[s].to), n + 1);
        PAIR_END (&pair);
      }
  tap_set_row (NULL);
}

static const struct tap_test tests[] = {
  { "/conn/records13/contents-by-epoch-and-state", test_contents_by_epoch_and_state },
  { "/conn/records13/data-in-the-handshakes-epoch-behind-its-end",
    test_data_in_the_handshakes_epoch_behind_its_end },
  { "/conn/records13/headers-of-1.2-with-an-epoch-are-dropped", test_headers_of_12_with_an_epoch },
  { "/conn/records13/a-connection-id-is-dropped", test_connection_id_bit },
};

TAP_MAIN (tests)
