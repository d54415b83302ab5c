/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The way of a record out: header, explicit nonce, ciphertext and tag are written straight behind
 * what the buffer holds, and only then does the buffer grow and the number count. */

#include "record/seal.h"

#include "crypto/digest.h"
#include "wire/codepoints.h"
#include "wire/record_header.h"

#include <string.h>

/* False if it is more than a record may carry. */
static bool
sum_parts (const struct seal_input *input, size_t *out_len)
{
  size_t len = 0;

  for (size_t i = 0; i < input->n_parts; i++)
    {
      if (input->parts[i].left > MAX_PLAINTEXT_LEN - len)
        return false;
      len += input->parts[i].left;
    }

  *out_len = len;
  return true;
}

static void
write_parts (const struct seal_input *input, uint8_t *to)
{
  for (size_t i = 0; i < input->n_parts; i++)
    {
      if (input->parts[i].left == 0)
        continue;
      memmove (to, input->parts[i].at, input->parts[i].left);
      to += input->parts[i].left;
    }
}

static bool
write_sealed (struct epoch_write *epoch, const struct seal_input *input, size_t len, uint8_t *to)
{
  size_t explicit_len = epoch_explicit_len (epoch->keys.algorithm);
  uint8_t nonce[AEAD_NONCE_LEN];
  uint8_t additional[ADDITIONAL_LEN];
  struct aead_input with = { nonce, { additional, sizeof additional } };
  struct epoch_record record = { input->type, input->version, epoch->next, len };

  epoch_nonce (&epoch->keys, epoch->number, epoch->next, nonce);
  epoch_additional (epoch->number, &record, additional);
  memcpy (to, nonce + AEAD_NONCE_LEN - explicit_len, explicit_len);

  return aead_seal (epoch->aead, &with, input->parts, input->n_parts, to + explicit_len);
}

/* All of the record but `len` bytes of body, of which the buffer is known to have the room. */
static void
write_header (const struct epoch_write *epoch, const struct seal_input *input, size_t len,
              uint8_t *to)
{
  struct record_header header = {
    .type = input->type,
    .version = input->version,
    .epoch = epoch->number,
    .number = epoch->next,
    .len = (uint16_t) len,
  };
  struct writer writer = writer_over (to, RECORD_HEADER_LEN);

  record_header_write (&writer, &header);
}

enum dtls_error
record_seal (struct epoch_write *epoch, const struct seal_input *input, struct dtls_buffer *out)
{
  size_t overhead = epoch_overhead (epoch);
  size_t room = out->capacity - out->used;
  uint8_t *to;
  size_t len;

  /* RFC 6347 §4.1: a number is used once; there is no next epoch to go on in. */
  if (epoch->next > MAX_RECORD_NUMBER)
    return DTLS_ERROR_RECORD_LIMIT;
  if (!sum_parts (input, &len) || room < overhead || room - overhead < len)
    return DTLS_ERROR_TOO_LARGE;
  if (epoch->is_protected && epoch->aead == NULL)
    return DTLS_ERROR_CRYPTO;

  to = out->at + out->used;
  write_header (epoch, input, overhead - RECORD_HEADER_LEN + len, to);
  if (!epoch->is_protected)
    write_parts (input, to + RECORD_HEADER_LEN);
  else if (!write_sealed (epoch, input, len, to + RECORD_HEADER_LEN))
    {
      /* The number will be used again: half a record under it must not be found in the buffer. */
      wipe (to, overhead + len);
      return DTLS_ERROR_CRYPTO;
    }

  out->used += overhead + len;
  epoch->next++;
  return DTLS_OK;
}
