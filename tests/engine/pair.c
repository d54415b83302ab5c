/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The clock and the answers. */

#include "pair.h"

#include "crypto/signature.h"
#include "link.h"
#include "wire/record_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
broken (struct pair *pair, const char *rule)
{
  if (pair->broken == NULL)
    pair->broken = rule;
}

/* ---------------------------------------------------------------------------------- lifetime */

static void
keep_secret_line (void *data, const char *line)
{
  struct side *side = data;

  snprintf (side->keylog, sizeof side->keylog, "%s", line);
  side->n_keylog++;
}

static void
side_init (struct side *side, enum dtls_role role, const struct identity *identity)
{
  *side = (struct side){
    .role = role,
    .identity = identity,
    .credential = identity != NULL ? ANSWERS_BEFORE : ANSWERS_AT_ONCE,
    .answer_delay = 3 * DTLS_SECOND,
    .given_verdict = { true, 0 },
  };
  dtls_config_init (&side->config);
  side->config.max_version = DTLS_1_2;
  side->config.keylog = keep_secret_line;
  side->config.keylog_data = side;
}

void
pair_init (struct pair *pair, const struct identity *server, const struct identity *client)
{
  static const char address[] = "192.0.2.7:49152";

  *pair = (struct pair){
    .client_address = { (const uint8_t *) address, sizeof address },
    .seed = 1,
    .now = 1000 * DTLS_SECOND,
  };
  side_init (&pair->sides[DTLS_CLIENT], DTLS_CLIENT, client);
  side_init (&pair->sides[DTLS_SERVER], DTLS_SERVER, server);
  pair->links[DTLS_CLIENT].delay = pair->links[DTLS_SERVER].delay = 10 * DTLS_MILLISECOND;

  pair->cookie_keys.crypto = pki_crypto ();
  pair->cookie_keys.config = &pair->sides[DTLS_SERVER].config;
  memset (pair->cookie_keys.current, 0x5a, sizeof pair->cookie_keys.current);
  memset (pair->cookie_keys.previous, 0x5a, sizeof pair->cookie_keys.previous);
}

void
pair_set_versions (struct pair *pair, enum dtls_version min, enum dtls_version max)
{
  for (unsigned i = 0; i < 2; i++)
    {
      pair->sides[i].config.min_version = min;
      pair->sides[i].config.max_version = max;
    }
}

void
pair_clear (struct pair *pair)
{
  link_clear (pair);

  for (unsigned i = 0; i < 2; i++)
    {
      dtls_conn_free (pair->sides[i].conn);
      free (pair->sides[i].message);
      free (pair->sides[i].session);
      pair->sides[i].session = NULL;
      pair->sides[i].conn = NULL;
      pair->sides[i].message = NULL;
    }
  dtls_hello_gather_free (pair->gather);
  pair->gather = NULL;
}

/* ---------------------------------------------------------------------------------- answers */

static void
answer_signature (struct pair *pair, struct side *side)
{
  uint8_t signature[MAX_SIGNATURE_LEN];
  struct dtls_buffer out = { signature, sizeof signature, 0 };
  struct dtls_signature_request request;

  if (!dtls_conn_signature_request (side->conn, &request)
      || signature_make (pki_crypto (), side->identity->key, request.scheme, request.input, &out)
             != DTLS_OK)
    broken (pair, "a signature was asked for that cannot be made");
  dtls_conn_answer_signature (side->conn, pair->now, (struct bytes){ signature, out.used });
}

static const struct dtls_credential *
credential_of (const struct side *side)
{
  if (side->identity == NULL)
    return NULL;
  return side->signature == ANSWERS_BEFORE ? &side->identity->whole : &side->identity->keyless;
}

static void
answer (struct pair *pair, struct side *side, enum dtls_event event)
{
  if (event == DTLS_EVENT_CREDENTIAL_NEEDED)
    dtls_conn_answer_credential (side->conn, pair->now, credential_of (side));
  else if (event == DTLS_EVENT_SIGNATURE_NEEDED)
    answer_signature (pair, side);
  else if (event == DTLS_EVENT_PSK_NEEDED)
    dtls_conn_answer_psk (side->conn, pair->now, side->given_psk);
  else
    dtls_conn_answer_verdict (side->conn, pair->now, side->given_verdict);
}

static void
take_question (struct pair *pair, struct side *side, enum dtls_event event)
{
  enum answering when = event == DTLS_EVENT_CREDENTIAL_NEEDED  ? side->credential
                        : event == DTLS_EVENT_SIGNATURE_NEEDED ? side->signature
                        : event == DTLS_EVENT_PSK_NEEDED       ? side->psk
                                                               : side->verdict;

  if (when == ANSWERS_BEFORE || when == ANSWERS_AT_ONCE)
    {
      answer (pair, side, event);
    }
  else if (when == ANSWERS_LATER)
    {
      side->due_answer = event;
      side->due_at = pair->now + side->answer_delay;
    }
}

/* ---------------------------------------------------------------------------------- draining */

static bool
is_question (enum dtls_event event)
{
  return event == DTLS_EVENT_CREDENTIAL_NEEDED || event == DTLS_EVENT_SIGNATURE_NEEDED
         || event == DTLS_EVENT_VERDICT_NEEDED || event == DTLS_EVENT_PSK_NEEDED;
}

static void
keep_session (struct side *side)
{
  struct bytes session = dtls_conn_session (side->conn);

  free (side->session);
  side->session = link_must (malloc (session.left + 1));
  side->session_len = session.left;
  if (session.left > 0)
    memcpy (side->session, session.at, session.left);
}

static void
note_message (struct side *side, struct bytes message)
{
  free (side->message);
  side->message = link_must (malloc (message.left + 1));
  if (message.left > 0)
    memcpy (side->message, message.at, message.left);
  side->message_len = message.left;
  side->n_messages++;
}

/* What came before its time. */
static void
take_early_data (struct pair *pair, struct side *side)
{
  struct dtls_datagram nothing = { .left = 0 };
  struct bytes message;

  while (dtls_conn_receive (side->conn, pair->now, &nothing, &message) == DTLS_READ_DATA)
    note_message (side, message);
}

static void
take_event (struct pair *pair, struct side *side, enum dtls_event event)
{
  if (side->n_events[DTLS_EVENT_FAILED] > 0)
    broken (pair, "an event came after DTLS_EVENT_FAILED");
  side->n_events[event]++;
  if (side->n_events[event] > 1 && event != DTLS_EVENT_SESSION && event != DTLS_EVENT_PSK_NEEDED)
    broken (pair, "an event came twice");

  if (is_question (event))
    take_question (pair, side, event);
  if (event == DTLS_EVENT_CONNECTED)
    take_early_data (pair, side);
  if (side->role == DTLS_CLIENT && (event == DTLS_EVENT_SESSION || event == DTLS_EVENT_CONNECTED))
    keep_session (side);
  if (event == DTLS_EVENT_FAILED)
    side->due_answer = DTLS_EVENT_NONE;
}

/* Nonces are made of the record number alone: twice the same under one key gives both plaintexts away. */
static void
watch_number (struct pair *pair, struct side *side, const struct record_header *header)
{
  if (header->epoch == 0)
    return;
  if (header->number < side->next_number)
    broken (pair, "a record number was used twice");
  side->next_number = header->number + 1;
}

/* 1.3 hides its numbers; tests/engine/record and the link's replay tests watch those. */
static void
watch_records (struct pair *pair, struct side *side, struct bytes datagram)
{
  struct reader reader = reader_over (datagram);
  struct unified_header unified;
  struct record_header header;

  while (reader.left > 0)
    {
      if (is_unified_header (*reader.at) && unified_header_read (&reader, 0, &unified))
        {
          read_bytes (&reader, unified.len);
        }
      else if (record_header_read (&reader, &header))
        {
          read_bytes (&reader, header.len);
          watch_number (pair, side, &header);
        }
      else
        {
          broken (pair, "a datagram is not made of whole records");
          return;
        }
    }
}

static void
take_datagram (struct pair *pair, struct side *side, struct bytes datagram)
{
  if (datagram.left > side->config.mtu)
    broken (pair, "a datagram is longer than the MTU");
  watch_records (pair, side, datagram);
  pair_put (pair, side->role, datagram);
}

void
pair_drain (struct pair *pair, enum dtls_role role)
{
  static uint8_t memory[MAX_DATAGRAM];
  struct side *side = &pair->sides[role];
  struct dtls_buffer out = { memory, sizeof memory, 0 };
  enum dtls_event event;
  bool has_more = side->conn != NULL;

  while (has_more && pair->broken == NULL)
    {
      has_more = false;
      while ((event = dtls_conn_next_event (side->conn)) != DTLS_EVENT_NONE)
        {
          take_event (pair, side, event);
          has_more = true;
        }
      while (dtls_conn_next_datagram (side->conn, &out))
        {
          take_datagram (pair, side, (struct bytes){ memory, out.used });
          out.used = 0;
          has_more = true;
        }
    }
}

/* ---------------------------------------------------------------------------------- deliveries */

/* As two threads would: the reader alone as far as it may, then the whole. */
static void
receive (struct pair *pair, struct side *side, struct dtls_datagram *datagram)
{
  struct bytes message;
  enum dtls_read read;

  while ((read = dtls_conn_read (side->conn, datagram, &message)) == DTLS_READ_DATA)
    note_message (side, message);
  if (read == DTLS_READ_CONTROL)
    while (dtls_conn_receive (side->conn, pair->now, datagram, &message) == DTLS_READ_DATA)
      note_message (side, message);
}

static void
server_new (struct pair *pair, const struct dtls_hello *hello)
{
  struct side *side = &pair->sides[DTLS_SERVER];

  if (dtls_conn_new_server (&side->config, pki_crypto (), pair->now, hello, &side->conn) != DTLS_OK)
    broken (pair, "a server cannot be made");
}

/* What a listener does before there is a connection. */
static void
take_first_hello (struct pair *pair, struct bytes datagram)
{
  uint8_t memory[512];
  struct dtls_buffer reply = { memory, sizeof memory, 0 };
  struct dtls_hello hello;

  pair->n_unproved_in += datagram.left;
  if (!dtls_hello_find (pair->gather, pair->client_address, datagram, &hello))
    return;

  switch (dtls_hello_answer (&pair->cookie_keys, pair->now, pair->client_address, &hello, &reply))
    {
    case DTLS_HELLO_DROP:
      break;
    case DTLS_HELLO_REPLY:
      pair->n_unproved_out += reply.used;
      if (pair->n_unproved_out > 3 * pair->n_unproved_in)
        broken (pair, "more than three times the bytes went to an address that is not proved");
      pair_put (pair, DTLS_SERVER, (struct bytes){ memory, reply.used });
      break;
    case DTLS_HELLO_ACCEPT:
      server_new (pair, &hello);
      pair_drain (pair, DTLS_SERVER);
      break;
    }
}

void
pair_deliver (struct pair *pair, enum dtls_role to, struct bytes datagram)
{
  struct side *side = &pair->sides[to];
  /* Just its size: the address sanitiser sees a read beyond it. */
  uint8_t *copy = link_must (malloc (datagram.left > 0 ? datagram.left : 1));
  struct dtls_datagram under_way = { .at = copy, .left = datagram.left };

  if (datagram.left > 0)
    memcpy (copy, datagram.at, datagram.left);

  if (side->script != NULL)
    side->script (side->script_data, pair, (struct bytes){ copy, datagram.left });
  else if (side->conn != NULL)
    receive (pair, side, &under_way);
  else if (to == DTLS_SERVER && pair->has_cookies)
    take_first_hello (pair, (struct bytes){ copy, datagram.left });

  free (copy);
  pair_drain (pair, to);
}

/* ---------------------------------------------------------------------------------- the clock */

void
pair_start (struct pair *pair)
{
  struct side *client = &pair->sides[DTLS_CLIENT];
  struct side *server = &pair->sides[DTLS_SERVER];

  pair->is_started = true;
  pair->gather = link_must (dtls_hello_gather_new ());
  for (unsigned i = 0; i < 2; i++)
    if (pair->sides[i].credential == ANSWERS_BEFORE)
      pair->sides[i].config.credential = credential_of (&pair->sides[i]);

  if (server->script == NULL && !pair->has_cookies)
    server_new (pair, NULL);
  if (client->script == NULL
      && dtls_conn_new_client (&client->config, pki_crypto (), pair->now, &client->conn) != DTLS_OK)
    broken (pair, "a client cannot be made");

  pair_drain (pair, DTLS_SERVER);
  pair_drain (pair, DTLS_CLIENT);
}

static dtls_time
side_next (const struct side *side)
{
  dtls_time next = side->conn != NULL ? dtls_conn_deadline (side->conn) : DTLS_NEVER;

  return side->due_answer != DTLS_EVENT_NONE && side->due_at < next ? side->due_at : next;
}

static void
side_wake (struct pair *pair, struct side *side)
{
  enum dtls_event event = side->due_answer;

  if (event != DTLS_EVENT_NONE && side->due_at <= pair->now)
    {
      side->due_answer = DTLS_EVENT_NONE;
      answer (pair, side, event);
    }
  dtls_conn_tick (side->conn, pair->now);
  pair_drain (pair, side->role);
  if (dtls_conn_deadline (side->conn) <= pair->now)
    broken (pair, "a deadline is still due after the tick that it asked for");
}

static void
land (struct pair *pair)
{
  struct flying *flying = pair->flying;

  pair->flying = flying->next;
  pair_deliver (pair, flying->to, (struct bytes){ flying->at, flying->len });
  free (flying);
}

bool
pair_step (struct pair *pair, dtls_time until)
{
  dtls_time landing = pair->flying != NULL ? pair->flying->arrives : DTLS_NEVER;
  dtls_time next = landing;
  struct side *waking = NULL;

  for (unsigned i = 0; i < 2; i++)
    if (side_next (&pair->sides[i]) < next)
      {
        waking = &pair->sides[i];
        next = side_next (waking);
      }

  if (next > until || next == DTLS_NEVER)
    {
      if (until != DTLS_NEVER)
        pair->now = until;
      return false;
    }

  if (next > pair->now)
    pair->now = next;
  if (waking != NULL)
    side_wake (pair, waking);
  else
    land (pair);
  return true;
}

void
pair_run (struct pair *pair, dtls_duration duration)
{
  dtls_time until = pair->now + duration;

  while (pair_step (pair, until))
    ;
}

void
pair_settle (struct pair *pair)
{
  while (pair->flying != NULL)
    pair_step (pair, pair->flying->arrives);
}

static bool
is_settled (const struct side *side)
{
  return side->conn != NULL && !dtls_conn_is_handshaking (side->conn);
}

bool
pair_is_connected (const struct pair *pair)
{
  for (unsigned i = 0; i < 2; i++)
    if (pair->sides[i].conn == NULL || !dtls_conn_is_connected (pair->sides[i].conn)
        || dtls_conn_error (pair->sides[i].conn) != DTLS_OK)
      return false;

  return true;
}

bool
pair_handshake (struct pair *pair)
{
  dtls_time limit = pair->now + 600 * DTLS_SECOND;

  if (!pair->is_started)
    pair_start (pair);
  while (!(is_settled (&pair->sides[0]) && is_settled (&pair->sides[1])) && pair_step (pair, limit))
    ;
  return pair_is_connected (pair);
}

/* ---------------------------------------------------------------------------------- afterwards */

enum dtls_error
pair_send (struct pair *pair, enum dtls_role from, struct bytes message)
{
  static uint8_t memory[MAX_DATAGRAM];
  struct dtls_buffer out = { memory, sizeof memory, 0 };
  enum dtls_error error = dtls_conn_seal (pair->sides[from].conn, &message, 1, &out);

  if (error != DTLS_OK)
    return error;

  watch_records (pair, &pair->sides[from], (struct bytes){ memory, out.used });
  pair_put (pair, from, (struct bytes){ memory, out.used });
  return DTLS_OK;
}

static bool
is_heard (struct pair *pair, enum dtls_role from, const char *text)
{
  const struct side *to = &pair->sides[link_other (from)];
  struct bytes message = { (const uint8_t *) text, strlen (text) };
  unsigned n = to->n_messages;

  if (pair_send (pair, from, message) != DTLS_OK)
    return false;

  pair_settle (pair);
  return to->n_messages == n + 1 && to->message_len == message.left
         && memcmp (to->message, message.at, message.left) == 0;
}

bool
pair_talks (struct pair *pair)
{
  return is_heard (pair, DTLS_CLIENT, "from the client")
         && is_heard (pair, DTLS_SERVER, "from the server")
         && is_heard (pair, DTLS_CLIENT, "and once more");
}

void
pair_close (struct pair *pair, enum dtls_role role)
{
  dtls_conn_close (pair->sides[role].conn, pair->now);
  pair_drain (pair, role);
}

uint64_t
pair_n_dropped (const struct pair *pair, enum dtls_role role)
{
  struct dtls_stats stats;
  uint64_t n = 0;

  dtls_conn_stats (pair->sides[role].conn, &stats);
  for (unsigned i = 0; i < N_DTLS_DROPS; i++)
    n += stats.dropped[i];
  return n;
}
