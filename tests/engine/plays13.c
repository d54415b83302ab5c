/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Plays on what only 1.3 has. */

#include "mischief.h"

#include "handshake/hello13.h"
#include "wire/certificates.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------- epochs */

static struct piece *
add_behind (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = puppet_add (puppet, at);

  piece->epoch = (uint16_t) (mischief->number >> 8);
  piece_set_body (piece, mischief->bytes);
  return piece;
}

void
play_record_in (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = add_behind (puppet, at + 1, mischief);

  piece->content_type = (uint8_t) mischief->number;
  piece->type = INPUT_OUR_TURN; /* no message */
  piece->is_raw = true;
}

void
play_message_in (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct piece *piece = add_behind (puppet, puppet->n_pieces, mischief);

  (void) at;
  piece->type = (uint8_t) mischief->number;
  piece->seq = (uint16_t) puppet->handshake->next_send_seq++;
}

void
play_keys (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  puppet->pieces[at].epoch = (uint16_t) mischief->number;
}

/* ---------------------------------------------------------------------------------- certificates */

void
play_leaf (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct bytes der = puppet->config.credential->chain[0];
  uint8_t memory[4096];
  struct writer w = writer_over (memory, sizeof memory);
  size_t list;

  write_u8 (&w, 0);
  list = write_vec_begin (&w, 3);
  write_vec (&w, der, 3);
  write_vec (&w, mischief->bytes, 2);
  write_vec_end (&w, list, 3);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}

/* JSSE CVE-2020-2655 and its kin. */
void
play_certificate_of (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  const struct identity *identity = pki_identity ((const char *) mischief->bytes.at);
  uint8_t memory[4096];
  struct writer w = writer_over (memory, sizeof memory);

  certificate_13_write (&w, (struct bytes){ NULL, 0 }, identity->chain, identity->whole.n_chain);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}

/* ---------------------------------------------------------------------------------- signatures */

/* RFC 9846 §4.5.2, written here once more: what the engine believes is held against it. */
static struct bytes
signed_input (struct puppet *puppet, size_t at, struct bytes context, uint8_t out[256])
{
  static const char contexts[2][34] = { "TLS 1.3, client CertificateVerify",
                                        "TLS 1.3, server CertificateVerify" };
  struct writer w = writer_over (out, 256);
  uint8_t hash[MAX_HASH_LEN];

  if (context.left == 0)
    context = (struct bytes){ (const uint8_t *) contexts[puppet->role], sizeof contexts[0] - 1 };
  puppet_rebuild_transcript (puppet, at);
  if (handshake_hash (puppet->handshake, hash) != DTLS_OK)
    abort ();
  puppet_rebuild_transcript (puppet, puppet->n_pieces);

  for (unsigned i = 0; i < 64; i++)
    write_u8 (&w, ' ');
  write_bytes (&w, context.at, context.left);
  write_u8 (&w, 0);
  write_bytes (&w, hash, hash_len (puppet->handshake->suite->hash));
  return writer_bytes (&w);
}

static void
sign_with (struct puppet *puppet, struct piece *piece, uint16_t scheme, struct bytes input)
{
  const struct dtls_key *key = puppet->pair->sides[puppet->role].identity->key;
  uint8_t signature[MAX_SIGNATURE_LEN], memory[4 + MAX_SIGNATURE_LEN];
  struct dtls_buffer out = { signature, sizeof signature, 0 };
  struct writer w = writer_over (memory, sizeof memory);
  struct certificate_verify verify = { .scheme = scheme };

  if (signature_make (pki_crypto (), key, scheme, input, &out) != DTLS_OK)
    abort ();
  verify.signature = (struct bytes){ signature, out.used };
  certificate_verify_write (&w, &verify);
  piece_set_body (piece, writer_bytes (&w));
}

void
play_signature (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  uint8_t memory[256];

  sign_with (puppet, &puppet->pieces[at], (uint16_t) mischief->number,
             signed_input (puppet, at, mischief->bytes, memory));
}

void
play_other_transcript (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  uint8_t memory[256];

  sign_with (puppet, &puppet->pieces[at], (uint16_t) mischief->number,
             signed_input (puppet, at - 1, mischief->bytes, memory));
}

/* ---------------------------------------------------------------------------------- retries */

void
play_retry (struct puppet *puppet, size_t at, const struct mischief *mischief)
{
  struct retry13 retry = {
    .suite = puppet->handshake->suite->code,
    .group = (uint16_t) mischief->number,
    .cookie = mischief->bytes,
  };
  uint8_t memory[1024];
  struct writer w = writer_over (memory, sizeof memory);

  hello13_write_retry (&w, &retry);
  piece_set_body (&puppet->pieces[at], writer_bytes (&w));
}
