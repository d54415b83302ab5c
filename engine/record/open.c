/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The way of a record in: it is split off its datagram, held against its epoch and the replay
 * window, opened where it lies, and only then marked in the window. Every failure drops it without
 * a word (RFC 6347 §4.1.2.7). */

#include "record/open.h"

#include "wire/codepoints.h"

#include <string.h>

static enum dtls_drop
split_header (struct bytes datagram, struct record_header *header)
{
  struct reader reader = reader_over (datagram);
  bool is_read = record_header_read (&reader, header);

  if (!reader_ok (&reader) || header->version >> 8 != VERSION_DTLS_1_2 >> 8)
    return DTLS_DROP_HEADER;
  if (!is_read || header->len > MAX_CIPHERTEXT_LEN)
    return DTLS_DROP_LENGTH;

  return DTLS_DROP_NONE;
}

enum dtls_drop
record_split (uint8_t **at, size_t *left, struct record *out)
{
  enum dtls_drop drop = split_header ((struct bytes){ *at, *left }, &out->header);

  /* Where the next record begins is not known. */
  if (drop != DTLS_DROP_NONE)
    {
      *left = 0;
      return drop;
    }

  out->body = *at + RECORD_HEADER_LEN;
  *at = out->body + out->header.len;
  *left -= RECORD_HEADER_LEN + out->header.len;

  return DTLS_DROP_NONE;
}

static void
opened_set (struct opened *out, const struct record *record, uint8_t *at, size_t len)
{
  out->type = record->header.type;
  out->epoch = record->header.epoch;
  out->number = record->header.number;
  out->at = at;
  out->len = len;
}

/* Nothing vouches for a number in the clear: marking it would let one forged record shut the
 * genuine ones out. What came before is known by its message_seq instead. */
static enum dtls_drop
open_plain (const struct record *record, struct opened *out)
{
  if (record->header.len > MAX_PLAINTEXT_LEN)
    return DTLS_DROP_LENGTH;

  opened_set (out, record, record->body, record->header.len);
  return DTLS_DROP_NONE;
}

static enum dtls_drop
open_protected (struct epoch_read *epoch, const struct record *record, struct opened *out)
{
  const struct record_header *header = &record->header;
  size_t explicit_len = epoch_explicit_len (epoch->keys.algorithm);
  uint8_t nonce[AEAD_NONCE_LEN];
  uint8_t additional[ADDITIONAL_LEN];
  struct aead_input input = { nonce, { additional, sizeof additional } };
  struct epoch_record sealed = { header->type, header->version, header->number, 0 };

  if (!replay_check (&epoch->replay, header->number))
    return DTLS_DROP_REPLAY;
  if (header->len < explicit_len + AEAD_TAG_LEN)
    return DTLS_DROP_LENGTH;

  /* RFC 5288 §3: the sender chose the explicit part; it need not be the record's number. */
  epoch_nonce (&epoch->keys, header->epoch, header->number, nonce);
  memcpy (nonce + AEAD_NONCE_LEN - explicit_len, record->body, explicit_len);
  sealed.plaintext_len = header->len - explicit_len - AEAD_TAG_LEN;
  epoch_additional (header->epoch, &sealed, additional);

  if (!aead_open (epoch->aead, &input, record->body + explicit_len, header->len - explicit_len))
    {
      epoch->n_forged++;
      return DTLS_DROP_AUTHENTICATION;
    }

  replay_mark (&epoch->replay, header->number);
  opened_set (out, record, record->body + explicit_len, sealed.plaintext_len);
  return DTLS_DROP_NONE;
}

enum dtls_drop
record_open (struct epoch_read *epoch, const struct record *record, struct opened *out)
{
  bool is_cleared = epoch->replay.size == 0 || (epoch->is_protected && epoch->aead == NULL);

  if (is_cleared || record->header.epoch != epoch->number)
    return DTLS_DROP_EPOCH;

  return epoch->is_protected ? open_protected (epoch, record, out) : open_plain (record, out);
}
