/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The dispatcher, and the steps that both machines share. */

#include "handshake/machine.h"

#include "handshake/opening.h"
#include "handshake/post13.h"
#include "handshake/welcome.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- lifetime */

static struct handshake *
new_bare (const struct handshake_parts *parts)
{
  struct handshake *h = calloc (1, sizeof *h);

  if (h == NULL)
    return NULL;

  h->config = parts->config;
  h->crypto = parts->crypto;
  h->role = parts->role;
  h->known = parts->known;
  h->peer = parts->peer;
  return h;
}

struct handshake *
handshake_new (const struct handshake_parts *parts)
{
  struct handshake *h = new_bare (parts);

  if (h == NULL)
    return NULL;

  h->is_hello_accepted = parts->is_hello_accepted;
  h->table = parts->role == DTLS_CLIENT ? &opening_client_table : &opening_server_table;
  h->state = parts->role == DTLS_CLIENT ? START : WAIT_CLIENT_HELLO;
  h->owed = OWES_FINISHED;
  if (parts->role == DTLS_CLIENT)
    h->owed |= OWES_KEY_EXCHANGE_SIGNATURE | OWES_VERDICT;
  else if (parts->config->client_auth == DTLS_CLIENT_AUTH_REQUIRED)
    h->owed |= OWES_CERTIFICATE | OWES_CERTIFICATE_VERIFY | OWES_VERDICT;

  return h;
}

struct handshake *
handshake_new_post (const struct handshake_parts *parts, uint32_t next_send_seq)
{
  struct handshake *h = new_bare (parts);

  if (h == NULL)
    return NULL;

  h->table = parts->role == DTLS_CLIENT ? &post13_client_table : &post13_server_table;
  h->state = CONNECTED;
  h->suite = suite_find (parts->known->suite);
  h->next_send_seq = next_send_seq;
  return h;
}

void
handshake_free (struct handshake *handshake)
{
  if (handshake == NULL)
    return;

  transcript_clear (&handshake->transcript);
  for (size_t i = 0; i < handshake->n_shares; i++)
    key_share_free (handshake->shares[i]);
  bytes_release (&handshake->retry_cookie);
  bytes_release (&handshake->session_bytes);
  key_share_free (handshake->share);
  public_key_free (handshake->peer_key);
  free (handshake->signing.input);
  wipe_free (handshake, sizeof *handshake);
}

/* ------------------------------------------------------------------------------------- dispatch */

static const struct row *
find_row (const struct handshake *h, uint8_t input)
{
  const struct table *table = h->table;

  for (size_t i = 0; i < table->n_rows; i++)
    if (table->rows[i].state == h->state && table->rows[i].input == input)
      return &table->rows[i];

  return NULL;
}

static enum dtls_error
run_row (struct handshake *h, const struct row *row, const struct message *message,
         struct effects *effects)
{
  TRY (row->handler (h, message, effects));

  assert ((row->may_go_to & TO (h->state)) != 0);
  return DTLS_OK;
}

bool
handshake_takes (const struct handshake *handshake, uint8_t input)
{
  return handshake->wait == DTLS_WAIT_NONE && find_row (handshake, input) != NULL;
}

enum dtls_error
handshake_take_message (struct handshake *handshake, const struct message *message,
                        struct effects *effects)
{
  const struct row *row = NULL;
  bool is_over = handshake->state == CONNECTED;

  if (message->type != INPUT_CHANGE_CIPHER_SPEC && message->type != INPUT_OUR_TURN)
    row = find_row (handshake, message->type);
  if (row == NULL)
    return DTLS_ERROR_UNEXPECTED_MESSAGE;

  TRY (run_row (handshake, row, message, effects));
  if (is_over)
    return DTLS_OK;

  /* Only now: signatures and Finished cover what came before their own message. */
  return transcript_add (&handshake->transcript, message) ? DTLS_OK : DTLS_ERROR_NO_MEMORY;
}

enum dtls_error
handshake_take_input (struct handshake *handshake, uint8_t input, struct effects *effects)
{
  const struct row *row = find_row (handshake, input);

  return row != NULL ? run_row (handshake, row, NULL, effects) : DTLS_ERROR_UNEXPECTED_MESSAGE;
}

/* Generous beside what is legal, small beside memory. The long ones only where they may come. */
size_t
handshake_message_cap (const struct handshake *handshake, uint8_t type)
{
  const size_t any = 1 << 14;
  bool is_client = handshake->role == DTLS_CLIENT;

  if (type == CERTIFICATE && (is_client || handshake->config->client_auth != DTLS_CLIENT_AUTH_NONE))
    return handshake->config->max_certificate_message;
  if (type == CERTIFICATE_REQUEST && is_client)
    return 3 + 255 + 2 + 65534 + 2 + 65535; /* RFC 5246 §7.4.4: all three lists full */
  if (type == NEW_SESSION_TICKET && is_client)
    return 4 + 4 + 1 + 255 + 2 + 65535 + 2 + 65535; /* RFC 9846 §4.7.1: all of it full */

  return any;
}

/* --------------------------------------------------------------------------------- shared steps */

enum dtls_error
handshake_send (struct handshake *handshake, struct effects *effects, uint8_t type)
{
  struct message message;

  /* RFC 9147 §5.2: message_seq does not wrap. */
  if (handshake->next_send_seq > UINT16_MAX)
    return DTLS_ERROR_MESSAGE_LIMIT;
  if (!effects_send (effects, type, (uint16_t) handshake->next_send_seq, &message))
    return DTLS_ERROR_NO_MEMORY;

  handshake->next_send_seq++;
  if (handshake->state == CONNECTED)
    return DTLS_OK;

  return transcript_add (&handshake->transcript, &message) ? DTLS_OK : DTLS_ERROR_NO_MEMORY;
}

void
handshake_ask (struct handshake *handshake, struct effects *effects, enum dtls_wait wait)
{
  static const enum dtls_event events[] = {
    [DTLS_WAIT_CREDENTIAL] = DTLS_EVENT_CREDENTIAL_NEEDED,
    [DTLS_WAIT_SIGNATURE] = DTLS_EVENT_SIGNATURE_NEEDED,
    [DTLS_WAIT_VERDICT] = DTLS_EVENT_VERDICT_NEEDED,
    [DTLS_WAIT_PSK] = DTLS_EVENT_PSK_NEEDED,
  };

  handshake->wait = wait;
  effects_event (effects, events[wait]);
}

/* RFC 4055 §1.2: an id-RSASSA-PSS key with parameters signs with their hash only. */
static uint16_t
pss_scheme (enum hash hash)
{
  static const uint16_t schemes[] = {
    [HASH_SHA256] = SIG_RSA_PSS_PSS_SHA256,
    [HASH_SHA384] = SIG_RSA_PSS_PSS_SHA384,
    [HASH_SHA512] = SIG_RSA_PSS_PSS_SHA512,
  };

  return schemes[hash];
}

uint16_t
handshake_choose_scheme (const struct handshake *handshake)
{
  uint16_t own = handshake->own_scheme;

  if (own == 0)
    return choose_scheme (&handshake->ours, &handshake->theirs, handshake->own_kind,
                          handshake->known->version);

  return offer_has_scheme (&handshake->ours, own) && offer_has_scheme (&handshake->theirs, own)
             ? own
             : 0;
}

enum dtls_error
handshake_set_credential (struct handshake *handshake, const struct dtls_credential *credential)
{
  struct leaf leaf;

  handshake->has_credential_answer = true;
  handshake->credential = credential;
  if (credential == NULL)
    return DTLS_OK;

  if (credential->n_chain == 0 || !leaf_read (credential->chain[0], &leaf))
    return DTLS_ERROR_NO_CREDENTIAL;

  handshake->own_kind = leaf.kind;
  if (leaf.kind == KEY_RSA_PSS && leaf.has_pss_hash)
    handshake->own_scheme = pss_scheme (leaf.pss_hash);
  return DTLS_OK;
}

enum dtls_error
handshake_need_credential (struct handshake *handshake, struct effects *effects)
{
  if (handshake->has_credential_answer)
    return DTLS_OK;
  if (handshake->config->credential != NULL)
    return handshake_set_credential (handshake, handshake->config->credential);

  handshake_ask (handshake, effects, DTLS_WAIT_CREDENTIAL);
  return DTLS_OK;
}

enum dtls_error
handshake_sign (struct handshake *handshake, struct effects *effects, uint16_t scheme,
                struct bytes input)
{
  struct signing *signing = &handshake->signing;
  struct dtls_buffer out = { signing->signature, MAX_SIGNATURE_LEN, 0 };

  signing->scheme = scheme;
  if (handshake->credential->key != NULL)
    {
      TRY (signature_make (handshake->crypto, handshake->credential->key, scheme, input, &out));
      signing->signature_len = out.used;
      return DTLS_OK;
    }

  /* A copy: the transcript may move before the answer comes. */
  signing->input = malloc (input.left);
  if (signing->input == NULL)
    return DTLS_ERROR_NO_MEMORY;

  memcpy (signing->input, input.at, input.left);
  signing->input_len = input.left;
  handshake_ask (handshake, effects, DTLS_WAIT_SIGNATURE);
  return DTLS_OK;
}

enum dtls_error
handshake_on_change_cipher_spec (struct handshake *handshake, const struct message *message,
                                 struct effects *effects)
{
  (void) message;
  effects_keys (effects, EFFECT_READ_KEYS, 1);
  handshake->state = WAIT_FINISHED;
  return DTLS_OK;
}

static enum dtls_error
finished_data (struct handshake *h, enum dtls_role from, uint8_t out[VERIFY_DATA_LEN])
{
  uint8_t hash[MAX_HASH_LEN];
  struct finished_input input = { from, hash };

  if (!transcript_hash (&h->transcript, h->crypto, h->suite->hash, hash)
      || !schedule12_finished (h->crypto, h->suite, h->known, &input, out))
    return DTLS_ERROR_CRYPTO;

  return DTLS_OK;
}

static uint8_t *
verify_data_of (struct handshake *h, enum dtls_role from)
{
  return from == DTLS_CLIENT ? h->known->client_verify_data : h->known->server_verify_data;
}

enum dtls_error
handshake_check_finished (struct handshake *handshake, const struct message *message)
{
  enum dtls_role from = handshake->role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  uint8_t expected[VERIFY_DATA_LEN];

  TRY (finished_data (handshake, from, expected));

  if (message->body.left != VERIFY_DATA_LEN
      || !equal_constant_time (message->body.at, expected, VERIFY_DATA_LEN))
    return DTLS_ERROR_BAD_FINISHED;

  memcpy (verify_data_of (handshake, from), expected, VERIFY_DATA_LEN);
  handshake->owed &= ~(unsigned) OWES_FINISHED;
  return DTLS_OK;
}

enum dtls_error
handshake_send_finished (struct handshake *handshake, struct effects *effects)
{
  uint8_t *verify_data = verify_data_of (handshake, handshake->role);

  effects_add (effects, EFFECT_SEND_CHANGE_CIPHER_SPEC);
  effects_keys (effects, EFFECT_WRITE_KEYS, 1);

  TRY (finished_data (handshake, handshake->role, verify_data));
  write_bytes (effects_draft (effects, VERIFY_DATA_LEN), verify_data, VERIFY_DATA_LEN);
  return handshake_send (handshake, effects, FINISHED);
}

enum dtls_error
handshake_connect (struct handshake *handshake, struct effects *effects)
{
  if (handshake->owed != 0)
    return DTLS_ERROR_UNEXPECTED_MESSAGE;

  handshake->known->suite = handshake->suite->code;
  handshake->known->session_made =
      handshake->known->is_resumed ? handshake->session.made : handshake->wall_clock;
  if (handshake->known->version == VERSION_DTLS_1_3)
    handshake->table = handshake->role == DTLS_CLIENT ? &post13_client_table : &post13_server_table;
  effects_event (effects, DTLS_EVENT_CONNECTED);
  handshake->state = CONNECTED;
  return DTLS_OK;
}

static bool
derive_master (struct handshake *h, struct bytes premaster)
{
  uint8_t hash[MAX_HASH_LEN];

  if (!h->known->has_extended_master_secret)
    return schedule12_master (h->crypto, h->suite, premaster, h->known);

  return transcript_hash (&h->transcript, h->crypto, h->suite->hash, hash)
         && schedule12_extended_master (h->crypto, h->suite, premaster, hash, h->known);
}

void
handshake_keep_point (struct handshake *handshake, struct bytes point)
{
  memcpy (handshake->peer_point, point.at, point.left);
  handshake->peer_point_len = point.left;
}

enum dtls_error
handshake_derive_from (struct handshake *handshake, struct bytes premaster)
{
  bool is_derived = derive_master (handshake, premaster)
                    && schedule12_key_block (handshake->crypto, handshake->suite, handshake->known,
                                             &handshake->key_block);

  return is_derived ? DTLS_OK : DTLS_ERROR_CRYPTO;
}

enum dtls_error
handshake_derive (struct handshake *handshake)
{
  struct bytes peer_point = { handshake->peer_point, handshake->peer_point_len };
  uint8_t premaster[MAX_SHARED_LEN];
  size_t premaster_len = 0;
  enum dtls_error error;

  error = key_share_agree (handshake->share, peer_point, premaster, &premaster_len);
  if (error == DTLS_OK)
    {
      error = handshake_derive_from (handshake, (struct bytes){ premaster, premaster_len });
      /* The ephemeral key has done its work: forward secrecy begins here. */
      key_share_free (handshake->share);
      handshake->share = NULL;
    }

  wipe (premaster, sizeof premaster);
  return error;
}

bool
handshake_random (struct handshake *handshake, uint8_t *out, size_t len)
{
  if (handshake->config->random == NULL)
    return dtls_crypto_random (handshake->crypto, out, len);

  handshake->config->random (handshake->config->random_data, out, len);
  return true;
}

enum dtls_error
handshake_hash (const struct handshake *handshake, uint8_t out[MAX_HASH_LEN])
{
  return transcript_hash (&handshake->transcript, handshake->crypto, handshake->suite->hash, out)
             ? DTLS_OK
             : DTLS_ERROR_CRYPTO;
}
