/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The puppet: what the machine's effects become, and what records bring it. */

#include "puppet.h"

#include "handshake/shared13.h"
#include "mischief.h"
#include "puppet-records.h"
#include "wire/alert.h"

#include <stdlib.h>
#include <string.h>

static void *
must (void *at)
{
  if (at == NULL)
    abort ();
  return at;
}

static void
forget_flight (struct puppet *puppet)
{
  for (size_t i = 0; i < puppet->n_pieces; i++)
    free (puppet->pieces[i].body);
  puppet->n_pieces = 0;
  puppet->has_considered = false;
}

/* ---------------------------------------------------------------------------------- flights */

struct piece *
puppet_add (struct puppet *puppet, size_t at)
{
  if (puppet->n_pieces == MAX_PIECES || at > puppet->n_pieces)
    abort ();

  memmove (&puppet->pieces[at + 1], &puppet->pieces[at],
           (puppet->n_pieces - at) * sizeof puppet->pieces[0]);
  puppet->n_pieces++;
  puppet->pieces[at] = (struct piece){ .content_type = CONTENT_HANDSHAKE };
  return &puppet->pieces[at];
}

void
piece_set_body (struct piece *piece, struct bytes body)
{
  uint8_t *copy = must (malloc (body.left + 1));

  if (body.left > 0)
    memcpy (copy, body.at, body.left);
  free (piece->body);
  piece->body = copy;
  piece->len = body.left;
}

void
puppet_rebuild_transcript (struct puppet *puppet, size_t n_pieces)
{
  struct transcript *transcript = &puppet->handshake->transcript;

  transcript->used = puppet->n_transcript;
  for (size_t i = 0; i < n_pieces; i++)
    {
      const struct piece *piece = &puppet->pieces[i];
      struct message message = { piece->type, piece->seq, { piece->body, piece->len } };

      if (piece->content_type == CONTENT_HANDSHAKE && !piece->is_raw
          && !transcript_add (transcript, &message))
        abort ();
    }
}

/* What the transcript was before the machine added what it said. */
static size_t
transcript_before (const struct puppet *puppet)
{
  const struct transcript *transcript = &puppet->handshake->transcript;
  size_t header = transcript->is_13 ? 4 : FRAGMENT_HEADER_LEN;
  size_t used = transcript->used;

  for (size_t i = 0; i < puppet->n_pieces; i++)
    if (puppet->pieces[i].content_type == CONTENT_HANDSHAKE)
      used -= header + puppet->pieces[i].len;

  return used;
}

/* Whether the flight is the one that the row means. */
static bool
is_chosen (struct puppet *puppet)
{
  unsigned setup = puppet->mischief->setup;

  puppet->has_considered = true;
  puppet->n_chances++;
  if (setup & EVERY_TIME)
    return true;
  return puppet->n_chances == (setup & ON_SECOND ? 2 : 1);
}

static void
play (struct puppet *puppet)
{
  const struct mischief *mischief = puppet->mischief;

  if (mischief == NULL || mischief->play == NULL || puppet->has_considered)
    return;

  for (size_t i = 0; i < puppet->n_pieces; i++)
    if (puppet->pieces[i].type == mischief->type)
      {
        if (!is_chosen (puppet))
          return;
        puppet->n_transcript = transcript_before (puppet);
        mischief->play (puppet, i, mischief);
        puppet->has_played = true;
        if (mischief->setup & IS_CONSISTENT)
          puppet_rebuild_transcript (puppet, puppet->n_pieces);
        return;
      }
}

/* ---------------------------------------------------------------------------------- answers */

/* What is said so far may be played with here, where signature and Finished will still cover it. */
static void
sign (struct puppet *puppet)
{
  struct handshake *h = puppet->handshake;
  struct effects nothing;

  if (puppet->mischief != NULL && (puppet->mischief->setup & IS_CONSISTENT))
    play (puppet);

  free (h->signing.input);
  h->signing.input = NULL;
  h->credential = &puppet->pair->sides[puppet->role].identity->whole;
  effects_init (&nothing);
  puppet->stuck = shared13_sign (h, &nothing);
  effects_clear (&nothing);
}

static void
give_psk (struct puppet *puppet)
{
  const struct dtls_psk *psk = puppet->pair->sides[puppet->role].given_psk;
  struct handshake_psk *kept = &puppet->handshake->psk;

  kept->kind = PSK_NONE;
  if (psk == NULL)
    return;

  kept->kind = PSK_EXTERNAL;
  kept->hash = psk->hash == DTLS_PSK_SHA384 ? HASH_SHA384 : HASH_SHA256;
  memcpy (kept->key, psk->key.at, psk->key.left);
  kept->key_len = psk->key.left;
}

/* A puppet accepts everybody. */
static void
answer (struct puppet *puppet, enum dtls_event event)
{
  struct handshake *h = puppet->handshake;

  h->wait = DTLS_WAIT_NONE;
  if (event == DTLS_EVENT_VERDICT_NEEDED)
    h->owed &= ~(unsigned) OWES_VERDICT;
  else if (event == DTLS_EVENT_CREDENTIAL_NEEDED)
    puppet->stuck = handshake_set_credential (h, NULL);
  else if (event == DTLS_EVENT_SIGNATURE_NEEDED)
    sign (puppet);
  else if (event == DTLS_EVENT_PSK_NEEDED && puppet->known.version == VERSION_DTLS_1_3)
    give_psk (puppet);
}

/* ---------------------------------------------------------------------------------- effects */

static void
add_piece (struct puppet *puppet, const struct effect *effect)
{
  struct piece *piece = puppet_add (puppet, puppet->n_pieces);

  piece->epoch = puppet->write_epoch;
  if (effect->kind == EFFECT_SEND)
    {
      piece->type = effect->message.type;
      piece->seq = effect->message.seq;
      piece_set_body (piece, effect->message.body);
      return;
    }

  piece->content_type = CONTENT_CHANGE_CIPHER_SPEC;
  piece->type = INPUT_CHANGE_CIPHER_SPEC;
  piece_set_body (piece, (struct bytes){ (const uint8_t[]){ 1 }, 1 });
}

static void
do_effect (struct puppet *puppet, const struct effect *effect)
{
  switch (effect->kind)
    {
    case EFFECT_BEGIN_FLIGHT:
      forget_flight (puppet);
      break;
    case EFFECT_SEND:
    case EFFECT_SEND_CHANGE_CIPHER_SPEC:
      add_piece (puppet, effect);
      break;
    case EFFECT_WRITE_KEYS:
      records_install_write (puppet, effect->epoch);
      break;
    case EFFECT_READ_KEYS:
      records_install_read (puppet, effect->epoch);
      break;
    case EFFECT_ACK_NOW:
      records_send_ack (puppet);
      break;
    case EFFECT_END_FLIGHT:
    case EFFECT_END_LAST_FLIGHT:
    case EFFECT_END_ACKED_FLIGHT:
      play (puppet);
      records_put_flight (puppet);
      break;
    case EFFECT_UPDATE_KEYS: /* a puppet takes nothing after the handshake */
      break;
    case EFFECT_EVENT:
      answer (puppet, effect->event);
      break;
    }
}

static bool
advance_once (struct puppet *puppet, struct effects *effects)
{
  struct handshake *h = puppet->handshake;
  struct message message;

  if (h->state == CONNECTED || puppet->stuck != DTLS_OK)
    return false;

  if (handshake_takes (h, INPUT_OUR_TURN))
    {
      puppet->stuck = handshake_take_input (h, INPUT_OUR_TURN, effects);
    }
  else if (handshake_takes (h, INPUT_CHANGE_CIPHER_SPEC) && puppet->has_change_cipher_spec)
    {
      puppet->stuck = handshake_take_input (h, INPUT_CHANGE_CIPHER_SPEC, effects);
    }
  else if (reassembly_peek (puppet->reassembly, &message))
    {
      puppet->stuck = handshake_take_message (h, &message, effects);
      if (puppet->stuck == DTLS_OK)
        reassembly_pop (puppet->reassembly);
    }
  else
    {
      return false;
    }

  return true;
}

static void
advance (struct puppet *puppet)
{
  struct effects effects;

  puppet->handshake->wall_clock = puppet->pair->now + puppet->config.wall_clock_offset;
  effects_init (&effects);
  while (advance_once (puppet, &effects))
    {
      for (size_t i = 0; puppet->stuck == DTLS_OK && i < effects.n; i++)
        do_effect (puppet, &effects.list[i]);
      effects_clear (&effects);
    }
}

/* ---------------------------------------------------------------------------------- receiving */

static void
take_handshake (struct puppet *puppet, const struct opened *opened)
{
  struct reader reader = reader_over ((struct bytes){ opened->at, opened->len });
  bool is_over = puppet->handshake->state == CONNECTED;
  struct fragment fragment;

  acks_add (&puppet->acks, opened->epoch, opened->number);
  while (reader.left > 0 && fragment_read (&reader, &fragment))
    {
      puppet->n_finished += fragment.type == FINISHED;
      puppet->n_key_updates += fragment.type == KEY_UPDATE;
      if (!is_over
          && reassembly_add (puppet->reassembly, &fragment, 1 << 17) == REASSEMBLY_NO_MEMORY)
        abort ();
    }

  if (is_over && puppet->known.version == VERSION_DTLS_1_3)
    records_send_ack (puppet);
}

static void
take_record (struct puppet *puppet, const struct opened *opened)
{
  struct bytes content = { opened->at, opened->len };
  struct alert alert;

  switch (opened->type)
    {
    case CONTENT_HANDSHAKE:
      take_handshake (puppet, opened);
      break;
    case CONTENT_CHANGE_CIPHER_SPEC:
      puppet->has_change_cipher_spec = true;
      break;
    case CONTENT_ALERT:
      if (!alert_read (content, &alert))
        abort ();
      puppet->alert = alert.description;
      puppet->alert_level = alert.level;
      break;
    case CONTENT_APPLICATION_DATA:
      puppet->n_data++;
      break;
    case CONTENT_ACK: /* nothing is repeated anyway */
      break;
    default:
      abort ();
    }
}

static void
take_datagram (void *data, struct pair *pair, struct bytes datagram)
{
  struct puppet *puppet = data;
  uint8_t *at = (uint8_t *) (uintptr_t) datagram.at; /* the pair's copy, to be scrambled */
  size_t left = datagram.left;
  struct record record;
  struct opened opened;

  (void) pair;
  while (left > 0 && record_split (&at, &left, &record) == DTLS_DROP_NONE)
    {
      if (records_open (puppet, &record, &opened))
        take_record (puppet, &opened);
      advance (puppet);
    }
}

/* ---------------------------------------------------------------------------------- lifetime */

/* One of 1.3 is asked for its signatures: see sign. */
static const struct dtls_credential *
credential_of (const struct side *side)
{
  if (side->identity == NULL)
    return NULL;
  return side->config.max_version == DTLS_1_3 ? &side->identity->keyless : &side->identity->whole;
}

void
puppet_init (struct puppet *puppet, struct pair *pair, enum dtls_role role,
             const struct mischief *mischief)
{
  struct side *side = &pair->sides[role];
  struct handshake_parts parts = {
    .config = &puppet->config,
    .crypto = pki_crypto (),
    .role = role,
    .known = &puppet->known,
    .peer = &puppet->peer,
  };

  *puppet = (struct puppet){
    .role = role, .config = side->config, .pair = pair, .mischief = mischief, .alert = -1
  };
  puppet->known.read_limit = puppet->known.write_limit = MAX_PLAINTEXT_LEN;
  puppet->config.credential = credential_of (side);
  puppet->handshake = must (handshake_new (&parts));
  puppet->reassembly = must (reassembly_new (0));
  epoch_write_init_plain (&puppet->sealed[0], 0);
  side->script = take_datagram;
  side->script_data = puppet;
}

void
puppet_clear (struct puppet *puppet)
{
  forget_flight (puppet);
  handshake_free (puppet->handshake);
  reassembly_free (puppet->reassembly);
  for (unsigned i = 0; i < N_PUPPET_EPOCHS; i++)
    epoch_write_clear (&puppet->sealed[i]);
  epoch_read_clear (&puppet->opened);
  epoch_read_clear (&puppet->previous);
  der_list_clear (&puppet->peer.chain);
  der_list_clear (&puppet->peer.authorities);
  bytes_release (&puppet->peer.psk_identity);
  bytes_release (&puppet->peer.session);
}

void
puppet_start (struct puppet *puppet)
{
  if (puppet->role == DTLS_CLIENT)
    advance (puppet);
}
