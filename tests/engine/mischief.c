/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The puppet: handshake machine, keys and records strung together without timers, and its strings. */

#include "mischief.h"

#include "handshake/suites.h"
#include "record/seal.h"
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

/* ---------------------------------------------------------------------------------- sending */

static void
put_content (struct puppet *puppet, const struct piece *piece, struct bytes content)
{
  uint8_t *memory = must (malloc (MAX_DATAGRAM));
  struct dtls_buffer out = { memory, MAX_DATAGRAM, 0 };
  struct seal_input input = { piece->content_type, VERSION_DTLS_1_2, &content, 1 };
  struct epoch_write *epoch = piece->epoch == 0 ? &puppet->plain : &puppet->sealed;

  if (record_seal (epoch, &input, &out) != DTLS_OK)
    abort ();
  if (piece->announced_epoch != 0)
    memory[4] = (uint8_t) piece->announced_epoch;
  pair_put (puppet->pair, puppet->role, (struct bytes){ memory, out.used });
  free (memory);
}

/* Appends the piece's content as it stands in a record. */
static void
write_piece (struct writer *w, const struct piece *piece)
{
  struct fragment whole = {
    .type = piece->type,
    .message_len = (uint32_t) piece->len,
    .message_seq = piece->seq,
    .body = { piece->body, piece->len },
  };

  if (piece->content_type == CONTENT_HANDSHAKE && !piece->is_raw)
    fragment_write_header (w, &whole);
  write_bytes (w, piece->body, piece->len);
}

static void
put_flight (struct puppet *puppet)
{
  uint8_t *memory = must (malloc (MAX_DATAGRAM));

  for (size_t i = 0; i < puppet->n_pieces;)
    {
      struct writer w = writer_over (memory, MAX_DATAGRAM);
      const struct piece *first = &puppet->pieces[i];

      do
        write_piece (&w, &puppet->pieces[i++]);
      while (i < puppet->n_pieces && puppet->pieces[i].shares_record);
      put_content (puppet, first, writer_bytes (&w));
    }

  free (memory);
}

static void
forget_flight (struct puppet *puppet)
{
  for (size_t i = 0; i < puppet->n_pieces; i++)
    free (puppet->pieces[i].body);
  puppet->n_pieces = 0;
}

void
puppet_send (struct puppet *puppet, uint8_t content_type, uint16_t epoch, struct bytes content)
{
  struct piece piece = { .content_type = content_type, .epoch = epoch };

  put_content (puppet, &piece, content);
}

void
puppet_send_message (struct puppet *puppet, uint16_t epoch, uint8_t type, uint16_t seq,
                     struct bytes body)
{
  uint8_t *memory = must (malloc (MAX_DATAGRAM));
  struct writer w = writer_over (memory, MAX_DATAGRAM);
  struct fragment whole = { .type = type, .message_seq = seq, .body = body };

  whole.message_len = (uint32_t) body.left;
  fragment_write_header (&w, &whole);
  write_bytes (&w, body.at, body.left);
  puppet_send (puppet, CONTENT_HANDSHAKE, epoch, writer_bytes (&w));
  free (memory);
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

/* The transcript as if the machine had said what the flight says now. */
static void
rebuild_transcript (struct puppet *puppet)
{
  struct transcript *transcript = &puppet->handshake->transcript;

  transcript->used = puppet->n_transcript;
  for (size_t i = 0; i < puppet->n_pieces; i++)
    {
      const struct piece *piece = &puppet->pieces[i];
      struct message message = { piece->type, piece->seq, { piece->body, piece->len } };

      if (piece->content_type == CONTENT_HANDSHAKE && !transcript_add (transcript, &message))
        abort ();
    }
}

static void
play (struct puppet *puppet)
{
  const struct mischief *mischief = puppet->mischief;

  if (mischief == NULL || mischief->play == NULL || puppet->has_played)
    return;

  for (size_t i = 0; i < puppet->n_pieces; i++)
    if (puppet->pieces[i].type == mischief->type)
      {
        mischief->play (puppet, i, mischief);
        puppet->has_played = true;
        if (mischief->setup & IS_CONSISTENT)
          rebuild_transcript (puppet);
        return;
      }
}

/* ---------------------------------------------------------------------------------- effects */

static struct epoch_keys
keys_of (const struct key_block *block, enum dtls_role sender)
{
  struct epoch_keys keys = { .algorithm = block->algorithm };

  memcpy (keys.key, sender == DTLS_CLIENT ? block->client_key : block->server_key, sizeof keys.key);
  memcpy (keys.iv, sender == DTLS_CLIENT ? block->client_iv : block->server_iv, sizeof keys.iv);
  return keys;
}

static void
install_keys (struct puppet *puppet, enum effect_kind kind)
{
  enum dtls_role peer = puppet->role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  enum dtls_role sender = kind == EFFECT_WRITE_KEYS ? puppet->role : peer;
  struct epoch_keys keys = keys_of (&puppet->handshake->key_block, sender);
  bool is_ready = kind == EFFECT_WRITE_KEYS
                      ? epoch_write_init (&puppet->sealed, pki_crypto (), 1, &keys)
                      : epoch_read_init (&puppet->opened, pki_crypto (), 1, &keys);

  if (!is_ready)
    abort ();
}

static void
add_piece (struct puppet *puppet, const struct effect *effect)
{
  struct piece *piece = puppet_add (puppet, puppet->n_pieces);

  piece->epoch = puppet->sealed.number;
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
    case EFFECT_READ_KEYS:
      install_keys (puppet, effect->kind);
      break;
    case EFFECT_END_FLIGHT:
    case EFFECT_END_LAST_FLIGHT:
      play (puppet);
      put_flight (puppet);
      break;
    case EFFECT_EVENT:
      /* A puppet accepts everybody. */
      puppet->handshake->wait = DTLS_WAIT_NONE;
      puppet->handshake->owed &= ~(unsigned) OWES_VERDICT;
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
      puppet->n_transcript = h->transcript.used;
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
take_handshake (struct puppet *puppet, struct bytes content)
{
  struct reader reader = reader_over (content);
  struct fragment fragment;

  while (reader.left > 0 && fragment_read (&reader, &fragment))
    {
      if (fragment.type == FINISHED)
        puppet->n_finished++;
      if (puppet->handshake->state != CONNECTED
          && reassembly_add (puppet->reassembly, &fragment, 1 << 17) == REASSEMBLY_NO_MEMORY)
        abort ();
    }
}

static void
take_record (struct puppet *puppet, const struct opened *opened)
{
  struct bytes content = { opened->at, opened->len };
  struct alert alert;

  switch (opened->type)
    {
    case CONTENT_HANDSHAKE:
      take_handshake (puppet, content);
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
  struct epoch_read plain;
  struct record record;
  struct opened opened;

  (void) pair;
  epoch_read_init_plain (&plain);
  while (left > 0 && record_split (&at, &left, &record) == DTLS_DROP_NONE)
    {
      struct epoch_read *epoch = record.header.epoch == 0 ? &plain : &puppet->opened;

      if (record_open (epoch, &record, &opened) == DTLS_DROP_NONE)
        take_record (puppet, &opened);
      advance (puppet);
    }
}

/* ---------------------------------------------------------------------------------- lifetime */

void
puppet_init (struct puppet *puppet, struct pair *pair, enum dtls_role role,
             const struct mischief *mischief)
{
  struct side *side = &pair->sides[role];
  struct handshake_parts parts = { &puppet->config, pki_crypto (), role, &puppet->known,
                                   &puppet->peer };

  *puppet = (struct puppet){
    .role = role, .config = side->config, .pair = pair, .mischief = mischief, .alert = -1
  };
  puppet->known.read_limit = puppet->known.write_limit = MAX_PLAINTEXT_LEN;
  if (side->identity != NULL)
    puppet->config.credential = &side->identity->whole;
  puppet->handshake = must (handshake_new (&parts));
  puppet->reassembly = must (reassembly_new (0));
  epoch_write_init_plain (&puppet->plain, 0);
  side->script = take_datagram;
  side->script_data = puppet;
}

void
puppet_clear (struct puppet *puppet)
{
  forget_flight (puppet);
  handshake_free (puppet->handshake);
  reassembly_free (puppet->reassembly);
  epoch_write_clear (&puppet->plain);
  epoch_write_clear (&puppet->sealed);
  epoch_read_clear (&puppet->opened);
  der_list_clear (&puppet->peer.chain);
  der_list_clear (&puppet->peer.authorities);
}

void
puppet_start (struct puppet *puppet)
{
  if (puppet->role == DTLS_CLIENT)
    advance (puppet);
}

/* ---------------------------------------------------------------------------------- conversations */

static void
set_up (struct pair *pair, unsigned setup, enum dtls_role engine)
{
  static const uint16_t p256[] = { GROUP_SECP256R1 };
  static const uint16_t sha256[] = { SIG_ECDSA_SECP256R1_SHA256 };

  pair_init (pair, pki_identity (setup & HAS_RSA ? "server-rsa" : "server-ecdsa"),
             setup & ASKS_CERTIFICATE ? pki_identity ("client-ecdsa") : NULL);
  if (setup & ASKS_CERTIFICATE)
    pair->sides[DTLS_SERVER].config.client_auth = DTLS_CLIENT_AUTH_REQUIRED;
  if (setup & NAMES_SERVER)
    pair->sides[DTLS_CLIENT].config.server_name =
        (struct bytes){ (const uint8_t *) "server.example.com", 18 };
  if (setup & ONLY_SHA256)
    {
      pair->sides[engine].config.signature_schemes = sha256;
      pair->sides[engine].config.n_signature_schemes = 1;
    }
  pair->sides[engine].config.requires_extended_master_secret = (setup & NEEDS_EMS) != 0;

  for (unsigned i = 0; i < 2; i++)
    {
      if (setup & NAMES_PROTOCOLS)
        pair->sides[i].config.alpn = (struct bytes){ (const uint8_t *) "\1a\1b", 4 };
      if (setup & ONLY_P256)
        {
          pair->sides[i].config.groups = p256;
          pair->sides[i].config.n_groups = 1;
        }
    }
}

static unsigned
became (const struct dtls_conn *conn)
{
  enum dtls_error error = dtls_conn_error (conn);

  if (error != DTLS_OK)
    return error == DTLS_ERROR_TIMED_OUT ? (unsigned) SILENCE : (unsigned) error;
  return dtls_conn_is_connected (conn) ? (unsigned) CONNECTS : (unsigned) SILENCE;
}

struct outcome
mischief_run (const struct mischief *mischief, enum dtls_role puppet_role)
{
  enum dtls_role engine = puppet_role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
  struct outcome outcome;
  struct puppet puppet;
  struct pair pair;

  set_up (&pair, mischief->setup, engine);
  puppet_init (&puppet, &pair, puppet_role, mischief);
  pair_start (&pair);
  puppet_start (&puppet);
  /* Twice the handshake deadline. */
  pair_run (&pair, 120 * DTLS_SECOND);

  outcome = (struct outcome){
    .became = became (pair.sides[engine].conn),
    .alert = puppet.alert,
    .is_deaf = puppet.stuck != DTLS_OK && puppet.opened.number == 0,
    .n_messages = pair.sides[engine].n_messages,
    .has_extended_master_secret = dtls_conn_has_extended_master_secret (pair.sides[engine].conn),
    .has_played = puppet.has_played || mischief->play == NULL,
  };
  if (outcome.became == CONNECTS && puppet.handshake->state != CONNECTED)
    pair.broken = "the engine is connected and its peer is not";

  puppet_clear (&puppet);
  outcome.broken = pair.broken;
  pair_clear (&pair);
  return outcome;
}
