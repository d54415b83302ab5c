/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Handshake messages straight into the machine of either role, without records: type, length in two bytes, body. So
 * what is sealed on the wire is reached without keys. The first byte is the setting. */

#include "conversation.h"
#include "fuzz.h"

#include "handshake/machine.h"
#include "pair.h"

#include <string.h>

enum
{
  IS_SERVER = 1 << 0,
  ONLY_12 = 1 << 1,
  ONLY_13 = 1 << 2,
  ASKS_CLIENT = 1 << 3,
  HAS_KEY = 1 << 4,
  HAS_TICKETS = 1 << 5,
  HAS_NAMES = 1 << 6,
  HAS_OTHER_GROUP = 1 << 7,
};

static const uint16_t p256[] = { GROUP_SECP256R1 };
static const struct dtls_ticket_key ticket_key = { .name = "fuzz", .secret = { 1 } };
static const struct dtls_psk key = {
  { (const uint8_t *) "fuzz", 4 },
  { (const uint8_t *) "a key", 5 },
  DTLS_CLIENT,
  DTLS_PSK_SHA256,
};

struct machine
{
  struct dtls_config config;
  struct association known;
  struct peer peer;
  struct handshake *h;
  struct effects effects;
};

static void
configure (struct dtls_config *config, uint8_t setting)
{
  dtls_config_init (config);
  config->credential = &conversation_identity ()->whole;
  if (setting & ONLY_12)
    config->max_version = DTLS_1_2;
  else if (setting & ONLY_13)
    config->min_version = DTLS_1_3;
  if (setting & ASKS_CLIENT)
    config->client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  if (setting & HAS_KEY)
    config->psk = &key;
  config->asks_for_psk = (setting & HAS_KEY) != 0;
  config->ticket_keys = &ticket_key;
  config->n_ticket_keys = setting & HAS_TICKETS ? 1 : 0;
  if (setting & HAS_NAMES)
    {
      config->server_name = (struct bytes){ (const uint8_t *) "a.example", 9 };
      config->alpn = (struct bytes){ (const uint8_t *) "\1a\1b", 4 };
    }
  if (setting & HAS_OTHER_GROUP)
    {
      config->groups = p256;
      config->n_groups = 1;
    }
}

static void
begin (struct machine *m, uint8_t setting)
{
  struct handshake_parts parts = {
    .config = &m->config,
    .crypto = pki_crypto (),
    .role = setting & IS_SERVER ? DTLS_SERVER : DTLS_CLIENT,
    .known = &m->known,
    .peer = &m->peer,
  };

  configure (&m->config, setting);
  m->known.read_limit = m->known.write_limit = MAX_PLAINTEXT_LEN;
  effects_init (&m->effects);
  m->h = handshake_new (&parts);
  fuzz_check (m->h != NULL);
}

/* Whoever is asked says yes, and knows the key. */
static void
answer (struct machine *m)
{
  struct handshake *h = m->h;

  if (h->wait == DTLS_WAIT_VERDICT)
    h->owed &= ~(unsigned) OWES_VERDICT;
  if (h->wait == DTLS_WAIT_PSK)
    {
      h->psk.kind = PSK_EXTERNAL;
      h->psk.hash = HASH_SHA256;
      h->psk.key_len = key.key.left;
      memcpy (h->psk.key, key.key.at, key.key.left);
    }
  h->wait = DTLS_WAIT_NONE;
}

static enum dtls_error
take_turns (struct machine *m)
{
  enum dtls_error error = DTLS_OK;

  do
    {
      answer (m);
      if (handshake_takes (m->h, INPUT_OUR_TURN))
        error = handshake_take_input (m->h, INPUT_OUR_TURN, &m->effects);
      fuzz_check (m->effects.n <= MAX_EFFECTS);
      effects_clear (&m->effects);
    }
  while (error == DTLS_OK
         && (m->h->wait != DTLS_WAIT_NONE || handshake_takes (m->h, INPUT_OUR_TURN)));

  return error;
}

/* Nobody who cannot prove anything gets to the end. */
static enum dtls_error
take_message (struct machine *m, struct reader *reader, uint16_t seq)
{
  struct message message = { .type = read_u8 (reader), .seq = seq };
  enum dtls_error error;

  message.body = read_vec (reader, 2);
  error = handshake_take_message (m->h, &message, &m->effects);
  fuzz_check (m->h->state != CONNECTED);
  return error == DTLS_OK ? take_turns (m) : error;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct reader reader = reader_over ((struct bytes){ data, size });
  struct machine m = { .h = NULL };
  enum dtls_error error;

  begin (&m, read_u8 (&reader));
  error = take_turns (&m);
  for (uint16_t seq = 0; error == DTLS_OK && reader.left > 0; seq++)
    error = take_message (&m, &reader, seq);

  effects_clear (&m.effects);
  handshake_free (m.h);
  der_list_clear (&m.peer.chain);
  der_list_clear (&m.peer.authorities);
  bytes_release (&m.peer.psk_identity);
  bytes_release (&m.peer.session);
  return 0;
}
