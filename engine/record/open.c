/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The way of a record in: it is split off its datagram, held against its epoch and the replay
 * window, opened where it lies, and only then marked in the window. Every failure drops it without
 * a word (RFC 6347 §4.1.2.7, RFC 9147 §4.5.2). */

#include "record/open.h"

#include "crypto/number_mask.h"
#include "wire/codepoints.h"

#include <string.h>

enum
{
  MAX_UNIFIED_CIPHERTEXT_LEN = MAX_PLAINTEXT_LEN + 256, /* RFC 9846 §5.2 */
  EPOCH_BITS = 3,                                       /* RFC 9147 §4: the lowest two */
};

static enum dtls_drop
split_header (struct bytes datagram, struct record *out, size_t *out_header_len)
{
  struct reader reader = reader_over (datagram);
  struct record_header *header = &out->header;
  bool is_read = record_header_read (&reader, header);

  if (!reader_ok (&reader) || header->version >> 8 != VERSION_DTLS_1_2 >> 8)
    return DTLS_DROP_HEADER;
  if (!is_read || header->len > MAX_CIPHERTEXT_LEN)
    return DTLS_DROP_LENGTH;

  out->form = RECORD_FORM_12;
  out->len = header->len;
  *out_header_len = RECORD_HEADER_LEN;
  return DTLS_DROP_NONE;
}

static enum dtls_drop
split_unified (struct bytes datagram, struct record *out, size_t *out_header_len)
{
  struct reader reader = reader_over (datagram);
  struct unified_header *unified = &out->unified;
  /* No connection ID was negotiated. RFC 9147 §4: how long one is only its receiver knows. */
  bool is_read = unified_header_read (&reader, 0, unified);

  if (!reader_ok (&reader) || unified->has_connection_id)
    return DTLS_DROP_HEADER;
  if (!is_read || unified->len > MAX_UNIFIED_CIPHERTEXT_LEN)
    return DTLS_DROP_LENGTH;

  out->form = RECORD_FORM_13;
  out->len = unified->len;
  *out_header_len = unified->header_len;
  return DTLS_DROP_NONE;
}

enum dtls_drop
record_split (uint8_t **at, size_t *left, struct record *out)
{
  struct bytes datagram = { *at, *left };
  size_t header_len;
  enum dtls_drop drop;

  *out = (struct record){ .at = *at };
  drop = *left > 0 && is_unified_header (**at) ? split_unified (datagram, out, &header_len)
                                               : split_header (datagram, out, &header_len);

  /* Where the next record begins is not known. */
  if (drop != DTLS_DROP_NONE)
    {
      *left = 0;
      return drop;
    }

  out->body = *at + header_len;
  *at = out->body + out->len;
  *left -= header_len + out->len;

  return DTLS_DROP_NONE;
}

static bool
is_cleared (const struct epoch_read *epoch)
{
  return epoch->replay.size == 0 || (epoch->is_protected && epoch->aead == NULL);
}

bool
record_is_of (const struct record *record, const struct epoch_read *epoch)
{
  if (is_cleared (epoch))
    return false;
  if (record->form == RECORD_FORM_12)
    return record->header.epoch == epoch->number;

  return epoch->is_protected && record->unified.epoch_bits == (epoch->number & EPOCH_BITS);
}

static enum dtls_drop
count_forged (struct epoch_read *epoch)
{
  epoch->n_forged++;
  return DTLS_DROP_AUTHENTICATION;
}

/* Nothing vouches for a number in the clear: marking it would let one forged record shut the
 * genuine ones out. What came before is known by its message_seq instead. */
static enum dtls_drop
open_plain (const struct record *record, struct opened *out)
{
  const struct record_header *header = &record->header;

  if (record->len > MAX_PLAINTEXT_LEN)
    return DTLS_DROP_LENGTH;

  *out = (struct opened){ header->type, header->epoch, header->number,
                          record->body, record->len,   record->len };
  return DTLS_DROP_NONE;
}

static enum dtls_drop
open_12 (struct epoch_read *epoch, const struct record *record, struct opened *out)
{
  const struct record_header *header = &record->header;
  size_t explicit_len = epoch_explicit_len (epoch->keys.algorithm);
  size_t tag_len = aead_tag_len (epoch->keys.algorithm);
  uint8_t *ciphertext = record->body + explicit_len;
  uint8_t nonce[AEAD_NONCE_LEN];
  uint8_t additional[ADDITIONAL_LEN];
  struct aead_input input = { nonce, { additional, sizeof additional } };
  struct epoch_record sealed = { header->type, header->version, header->number, 0 };

  if (!replay_check (&epoch->replay, header->number))
    return DTLS_DROP_REPLAY;
  if (record->len < explicit_len + tag_len)
    return DTLS_DROP_LENGTH;

  /* RFC 5288 §3: the sender chose the explicit part; it need not be the record's number. */
  epoch_nonce (&epoch->keys, header->epoch, header->number, nonce);
  memcpy (nonce + AEAD_NONCE_LEN - explicit_len, record->body, explicit_len);
  sealed.plaintext_len = record->len - explicit_len - tag_len;
  epoch_additional (header->epoch, &sealed, additional);

  if (!aead_open (epoch->aead, &input, ciphertext, record->len - explicit_len))
    return count_forged (epoch);

  replay_mark (&epoch->replay, header->number);
  *out = (struct opened){ header->type, header->epoch,        header->number,
                          ciphertext,   sealed.plaintext_len, sealed.plaintext_len };
  return DTLS_DROP_NONE;
}

/* RFC 9147 §4.2.2: of all numbers that end in these bits the one closest to `next`, which is one
 * above the highest that opened. Of two that are as close it is the one to come. */
static uint64_t
reconstruct_number (uint64_t next, uint64_t low, size_t low_len)
{
  uint64_t span = UINT64_C (1) << 8 * low_len;
  uint64_t number = (next & ~(span - 1)) | low;

  if (number + span / 2 <= next && number + span <= MAX_RECORD_NUMBER)
    return number + span;
  if ((number > next + span / 2 || number > MAX_RECORD_NUMBER) && number >= span)
    return number - span;

  return number;
}

/* Copies the header as it was before its number was masked, which is what was authenticated. The
 * datagram keeps its own: if the record does not open, other keys may be tried on it. */
static bool
unmask_header (const struct epoch_read *epoch, const struct record *record,
               uint8_t out[UNIFIED_HEADER_LEN], uint64_t *out_number)
{
  const struct unified_header *unified = &record->unified;
  uint8_t mask[NUMBER_MASK_LEN];
  uint64_t low = 0;

  if (!number_mask_make (epoch->mask, record->body, mask))
    return false;

  memcpy (out, record->at, unified->header_len);
  for (size_t i = 0; i < unified->number_len; i++)
    {
      out[unified->number_at + i] ^= mask[i];
      low = low << 8 | out[unified->number_at + i];
    }

  *out_number = reconstruct_number (epoch->replay.next, low, unified->number_len);
  return true;
}

/* RFC 9147 §4: content, type and any number of zeros. The type is the last byte that is not 0. */
static bool
find_content (const uint8_t *inner, size_t inner_len, size_t *out_len)
{
  size_t len = inner_len;

  while (len > 0 && inner[len - 1] == 0)
    len--;
  if (len == 0)
    return false;

  *out_len = len - 1;
  return true;
}

static enum dtls_drop
open_13 (struct epoch_read *epoch, const struct record *record, struct opened *out)
{
  uint8_t header[UNIFIED_HEADER_LEN];
  uint8_t nonce[AEAD_NONCE_LEN];
  struct aead_input input = { nonce, { header, record->unified.header_len } };
  size_t inner_len;
  size_t len;
  uint64_t number;

  /* RFC 9147 §4.2.3: rejected as if it had failed to open. No tag is longer. */
  if (record->len < NUMBER_SAMPLE_LEN)
    return DTLS_DROP_LENGTH;
  if (!unmask_header (epoch, record, header, &number))
    return count_forged (epoch);
  /* RFC 9147 §4.5.1: this SHOULD come after opening, lest the time it takes tells the number. Before
   * it, a flood of copies costs a cipher's block each; what a clock then tells is which numbers near
   * a record's have come, and nothing of what is in it. */
  if (!replay_check (&epoch->replay, number))
    return DTLS_DROP_REPLAY;

  epoch_nonce (&epoch->keys, epoch->number, number, nonce);
  if (!aead_open (epoch->aead, &input, record->body, record->len))
    return count_forged (epoch);

  replay_mark (&epoch->replay, number);
  inner_len = record->len - aead_tag_len (epoch->keys.algorithm);
  if (!find_content (record->body, inner_len, &len))
    return DTLS_DROP_CONTENT;

  *out = (struct opened){ record->body[len], epoch->number, number, record->body, len, inner_len };
  return DTLS_DROP_NONE;
}

enum dtls_drop
record_open (struct epoch_read *epoch, const struct record *record, struct opened *out)
{
  enum record_form form = epoch->is_protected ? epoch->keys.form : RECORD_FORM_12;

  if (is_cleared (epoch))
    return DTLS_DROP_EPOCH;
  if (record->form != form)
    return DTLS_DROP_HEADER;
  if (!record_is_of (record, epoch))
    return DTLS_DROP_EPOCH;

  if (!epoch->is_protected)
    return open_plain (record, out);
  return form == RECORD_FORM_12 ? open_12 (epoch, record, out) : open_13 (epoch, record, out);
}
