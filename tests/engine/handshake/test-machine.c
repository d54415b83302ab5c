/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The tables of legal moves as tables, and the obligations that must be met before the end. */

#include "handshake/machine.h"
#include "handshake/client12.h"
#include "handshake/client13.h"
#include "handshake/opening.h"
#include "handshake/post13.h"
#include "handshake/server12.h"
#include "handshake/server13.h"
#include "handshake/welcome.h"
#include "pki.h"
#include "tap.h"

static const struct table *const tables[] = {
  &opening_client_table, &client12_table, &client13_table, &post13_client_table,
  &opening_server_table, &server12_table, &server13_table, &post13_server_table,
};

/* A machine is what finds out the version, and then the version's own. */
static const struct
{
  enum state start;
  const struct table *tables[2];
} machines[] = {
  { START, { &opening_client_table, &client12_table } },
  { START, { &opening_client_table, &client13_table } },
  { WAIT_CLIENT_HELLO, { &opening_server_table, &server12_table } },
  { WAIT_CLIENT_HELLO, { &opening_server_table, &server13_table } },
};

static void
test_one_row_for_a_state_and_input (void)
{
  for (size_t t = 0; t < TAP_N (tables); t++)
    for (size_t i = 0; i < tables[t]->n_rows; i++)
      for (size_t j = 0; j < i; j++)
        CHECK (tables[t]->rows[i].state != tables[t]->rows[j].state
               || tables[t]->rows[i].input != tables[t]->rows[j].input);
}

/* The states that this machine has rows for, and the end: the opening's rows also lead to the other
 * version's. */
static uint64_t
states_of (const struct table *const of[2])
{
  uint64_t states = TO (CONNECTED);

  for (size_t t = 0; t < 2; t++)
    for (size_t i = 0; i < of[t]->n_rows; i++)
      states |= TO (of[t]->rows[i].state);

  return states;
}

/* One step of both searches over a table. */
static void
search (const struct table *table, uint64_t states, uint64_t *reached, uint64_t *ends)
{
  for (size_t i = 0; i < table->n_rows; i++)
    {
      uint64_t from = TO (table->rows[i].state), to = table->rows[i].may_go_to & states;

      if (*reached & from)
        *reached |= to;
      if (to & *ends)
        *ends |= from;
    }
}

/* From the start every state of the machine is reached, and from every state the end. */
static void
test_every_state_is_on_a_way_to_the_end (void)
{
  for (size_t m = 0; m < TAP_N (machines); m++)
    {
      uint64_t states = states_of (machines[m].tables);
      uint64_t reached = TO (machines[m].start), ends = TO (CONNECTED);

      for (unsigned round = 0; round < N_STATES; round++)
        for (size_t t = 0; t < 2; t++)
          search (machines[m].tables[t], states, &reached, &ends);
      CHECK_UINT (reached, states);
      CHECK_UINT (ends, states);
    }
}

/* No version's own rows lead to what it has no rows for. */
static void
test_no_way_into_nothing (void)
{
  for (size_t m = 0; m < TAP_N (machines); m++)
    for (size_t i = 0; i < machines[m].tables[1]->n_rows; i++)
      CHECK_UINT (machines[m].tables[1]->rows[i].may_go_to & ~states_of (machines[m].tables), 0);
}

/* CONNECTED takes nothing, there is no renegotiation; but in 1.3 what follows a handshake. */
static void
test_the_end_takes_nothing (void)
{
  for (size_t m = 0; m < TAP_N (machines); m++)
    for (size_t t = 0; t < 2; t++)
      for (size_t i = 0; i < machines[m].tables[t]->n_rows; i++)
        CHECK (machines[m].tables[t]->rows[i].state != CONNECTED);

  for (size_t i = 0; i < post13_server_table.n_rows; i++)
    CHECK_UINT (post13_server_table.rows[i].input, KEY_UPDATE);
}

static struct handshake *
make (enum dtls_role role, enum dtls_client_auth auth, struct dtls_config *config)
{
  static struct association known;
  static struct peer peer;
  struct handshake_parts parts = {
    .config = config,
    .crypto = pki_crypto (),
    .role = role,
    .known = &known,
    .peer = &peer,
  };

  dtls_config_init (config);
  config->client_auth = auth;
  return handshake_new (&parts);
}

struct obligation_row
{
  const char *name;
  enum dtls_role role;
  enum dtls_client_auth auth;
  unsigned owed;
};

/* clang-format off */
static const struct obligation_row obligation_rows[] = {
  { "client",               DTLS_CLIENT, DTLS_CLIENT_AUTH_NONE,      OWES_FINISHED | OWES_KEY_EXCHANGE_SIGNATURE | OWES_VERDICT },
  { "server",               DTLS_SERVER, DTLS_CLIENT_AUTH_NONE,      OWES_FINISHED },
  { "server that asks",     DTLS_SERVER, DTLS_CLIENT_AUTH_REQUESTED, OWES_FINISHED },
  { "server that requires", DTLS_SERVER, DTLS_CLIENT_AUTH_REQUIRED,  OWES_FINISHED | OWES_CERTIFICATE | OWES_CERTIFICATE_VERIFY | OWES_VERDICT },
};
/* clang-format on */

/* Rule: authentication obligations must all be met before a handshake can complete. */
static void
test_no_end_with_an_obligation_left (void)
{
  for (size_t i = 0; i < TAP_N (obligation_rows); i++)
    {
      struct dtls_config config;
      struct effects effects;
      struct handshake *h = make (obligation_rows[i].role, obligation_rows[i].auth, &config);

      tap_set_row (obligation_rows[i].name);
      effects_init (&effects);
      CHECK_UINT (h->owed, obligation_rows[i].owed);
      h->suite = suite_find (SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256);
      for (unsigned bit = 0; bit < 5; bit++)
        {
          h->owed = 1u << bit;
          CHECK_UINT (handshake_connect (h, &effects), DTLS_ERROR_UNEXPECTED_MESSAGE);
          CHECK (h->state != CONNECTED);
          CHECK_UINT (effects.n, 0);
        }
      h->owed = 0;
      CHECK_UINT (handshake_connect (h, &effects), DTLS_OK);
      CHECK_UINT (h->state, CONNECTED);
      effects_clear (&effects);
      handshake_free (h);
    }
  tap_set_row (NULL);
}

static void
test_every_other_message_is_unexpected (void)
{
  for (unsigned role = 0; role < 2; role++)
    for (unsigned state = 0; state < N_STATES; state++)
      for (unsigned type = 0; type < 256; type++)
        {
          struct dtls_config config;
          struct effects effects;
          struct handshake *h = make (role, DTLS_CLIENT_AUTH_NONE, &config);
          struct message message = { (uint8_t) type, 0, { NULL, 0 } };

          effects_init (&effects);
          h->state = state;
          if (type >= INPUT_CHANGE_CIPHER_SPEC || !handshake_takes (h, (uint8_t) type))
            {
              CHECK_UINT (handshake_take_message (h, &message, &effects),
                          DTLS_ERROR_UNEXPECTED_MESSAGE);
              CHECK_UINT (h->state, state);
              CHECK_UINT (transcript_bytes (&h->transcript).left, 0);
            }
          effects_clear (&effects);
          handshake_free (h);
        }
}

static void
test_nothing_is_taken_while_someone_is_asked (void)
{
  struct dtls_config config;
  struct handshake *h = make (DTLS_SERVER, DTLS_CLIENT_AUTH_NONE, &config);

  CHECK (handshake_takes (h, CLIENT_HELLO));
  h->wait = DTLS_WAIT_SIGNATURE;
  CHECK (!handshake_takes (h, CLIENT_HELLO));
  handshake_free (h);
}

static void
test_message_caps (void)
{
  struct dtls_config config;
  struct handshake *h = make (DTLS_CLIENT, DTLS_CLIENT_AUTH_NONE, &config);

  CHECK_UINT (handshake_message_cap (h, CERTIFICATE), 100000);
  config.max_certificate_message = 5000;
  CHECK_UINT (handshake_message_cap (h, CERTIFICATE), 5000);
  CHECK (handshake_message_cap (h, CERTIFICATE_REQUEST) < 1 << 18);
  CHECK (handshake_message_cap (h, NEW_SESSION_TICKET) < 1 << 18);
  for (unsigned type = 0; type < 256; type++)
    if (type != CERTIFICATE && type != CERTIFICATE_REQUEST && type != NEW_SESSION_TICKET)
      CHECK (handshake_message_cap (h, (uint8_t) type) <= 1 << 14);
  handshake_free (h);
}

static const struct tap_test tests[] = {
  { "/handshake/machine/one-row-for-a-state-and-input", test_one_row_for_a_state_and_input },
  { "/handshake/machine/every-state-is-on-a-way-to-the-end",
    test_every_state_is_on_a_way_to_the_end },
  { "/handshake/machine/no-way-into-nothing", test_no_way_into_nothing },
  { "/handshake/machine/the-end-takes-nothing", test_the_end_takes_nothing },
  { "/handshake/machine/no-end-with-an-obligation-left", test_no_end_with_an_obligation_left },
  { "/handshake/machine/every-other-message-is-unexpected",
    test_every_other_message_is_unexpected },
  { "/handshake/machine/nothing-is-taken-while-someone-is-asked",
    test_nothing_is_taken_while_someone_is_asked },
  { "/handshake/machine/messages-have-caps", test_message_caps },
};

TAP_MAIN (tests)
