/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The tables of legal moves as tables, and the obligations that must be met before the end. */

#include "handshake/machine.h"
#include "handshake/client12.h"
#include "handshake/server12.h"
#include "pki.h"
#include "tap.h"

static const struct table *const tables[] = { &client12_table, &server12_table };
static const enum state starts[] = { START, WAIT_CLIENT_HELLO };

static void
test_one_row_for_a_state_and_input (void)
{
  for (size_t t = 0; t < TAP_N (tables); t++)
    for (size_t i = 0; i < tables[t]->n_rows; i++)
      for (size_t j = 0; j < i; j++)
        CHECK (tables[t]->rows[i].state != tables[t]->rows[j].state
               || tables[t]->rows[i].input != tables[t]->rows[j].input);
}

/* From the start every state of the table is reached, and from every state the end. */
static void
test_every_state_is_on_a_way_to_the_end (void)
{
  for (size_t t = 0; t < TAP_N (tables); t++)
    {
      uint32_t reached = TO (starts[t]), ends = TO (CONNECTED), used = 0;

      for (unsigned round = 0; round < N_STATES; round++)
        for (size_t i = 0; i < tables[t]->n_rows; i++)
          {
            const struct row *row = &tables[t]->rows[i];

            used |= TO (row->state) | row->may_go_to;
            if (reached & TO (row->state))
              reached |= row->may_go_to;
            if (row->may_go_to & ends)
              ends |= TO (row->state);
          }
      CHECK_UINT (reached, used);
      CHECK_UINT (ends, used);
    }
}

/* CONNECTED takes nothing: there is no renegotiation. */
static void
test_the_end_takes_nothing (void)
{
  for (size_t t = 0; t < TAP_N (tables); t++)
    for (size_t i = 0; i < tables[t]->n_rows; i++)
      CHECK (tables[t]->rows[i].state != CONNECTED);
}

static struct handshake *
make (enum dtls_role role, enum dtls_client_auth auth, struct dtls_config *config)
{
  static struct association known;
  static struct peer peer;
  struct handshake_parts parts = { config, pki_crypto (), role, &known, &peer };

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
  for (unsigned type = 0; type < 256; type++)
    if (type != CERTIFICATE && type != CERTIFICATE_REQUEST)
      CHECK (handshake_message_cap (h, (uint8_t) type) <= 1 << 14);
  handshake_free (h);
}

static const struct tap_test tests[] = {
  { "/handshake/machine/one-row-for-a-state-and-input", test_one_row_for_a_state_and_input },
  { "/handshake/machine/every-state-is-on-a-way-to-the-end",
    test_every_state_is_on_a_way_to_the_end },
  { "/handshake/machine/the-end-takes-nothing", test_the_end_takes_nothing },
  { "/handshake/machine/no-end-with-an-obligation-left", test_no_end_with_an_obligation_left },
  { "/handshake/machine/every-other-message-is-unexpected",
    test_every_other_message_is_unexpected },
  { "/handshake/machine/nothing-is-taken-while-someone-is-asked",
    test_nothing_is_taken_while_someone_is_asked },
  { "/handshake/machine/messages-have-caps", test_message_caps },
};

TAP_MAIN (tests)
