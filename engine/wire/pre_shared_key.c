/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Two lists side by side: identities, and a binder for each. */

#include "wire/pre_shared_key.h"

#include <assert.h>
#include <string.h>

enum
{
  /* RFC 9846 §4.3.11 has PskBinderEntry<32..255>. A shorter one is read: it goes with an identity that
   * nobody may look at, and with one that somebody does it verifies by no key. */
  MIN_BINDER_LEN = 1,
};

static bool
next_identity (struct bytes *identities, struct offered_psk *out_psk)
{
  struct reader reader = reader_over (*identities);

  out_psk->identity = read_vec (&reader, 2);
  out_psk->obfuscated_age = read_u32 (&reader);
  if (!reader_ok (&reader) || out_psk->identity.left == 0)
    return false;

  *identities = read_rest (&reader);
  return true;
}

static bool
next_binder (struct bytes *binders, struct offered_psk *out_psk)
{
  struct reader reader = reader_over (*binders);

  out_psk->binder = read_vec (&reader, 1);
  if (!reader_ok (&reader) || out_psk->binder.left < MIN_BINDER_LEN)
    return false;

  *binders = read_rest (&reader);
  return true;
}

/* 0 for a list that is empty or malformed. */
static size_t
count (struct bytes list, bool (*next) (struct bytes *, struct offered_psk *))
{
  struct offered_psk psk;
  size_t n = 0;

  while (next (&list, &psk))
    n++;

  return list.left == 0 ? n : 0;
}

enum read_result
offered_psks_read (struct bytes body, struct offered_psks *psks)
{
  struct reader reader = reader_over (body);
  size_t n_binders;

  psks->identities = read_vec (&reader, 2);
  psks->binders = read_vec (&reader, 2);
  psks->n = count (psks->identities, next_identity);
  psks->binders_len = 2 + psks->binders.left;

  n_binders = count (psks->binders, next_binder);
  if (!reader_done (&reader) || psks->n == 0 || n_binders == 0)
    return READ_MALFORMED;

  return psks->n == n_binders ? READ_OK : READ_ILLEGAL;
}

bool
offered_psks_next (struct offered_psks *psks, struct offered_psk *out_psk)
{
  return next_identity (&psks->identities, out_psk) && next_binder (&psks->binders, out_psk);
}

size_t
offered_psks_write (struct writer *writer, const struct offered_psk *psks, size_t n)
{
  static const uint8_t zeros[UINT8_MAX];
  size_t identities = write_vec_begin (writer, 2);
  size_t binders, list;

  for (size_t i = 0; i < n; i++)
    {
      write_vec (writer, psks[i].identity, 2);
      write_u32 (writer, psks[i].obfuscated_age);
    }
  write_vec_end (writer, identities, 2);

  binders = writer->used;
  list = write_vec_begin (writer, 2);
  for (size_t i = 0; i < n; i++)
    {
      assert (psks[i].binder.left >= MIN_BINDER_LEN && psks[i].binder.left <= sizeof zeros);
      write_vec (writer, (struct bytes){ zeros, psks[i].binder.left }, 1);
    }
  write_vec_end (writer, list, 2);

  return binders;
}

void
offered_psks_patch (struct writer *writer, size_t binders, size_t index, struct bytes binder)
{
  size_t at = binders + 2;

  if (!writer_ok (writer))
    return;

  for (size_t i = 0; i < index; i++)
    at += 1 + (size_t) writer->at[at];
  assert (at < writer->used && writer->at[at] == binder.left);
  memcpy (writer->at + at + 1, binder.at, binder.left);
}
