/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* An extensions block, each body found in it, the input as EncryptedExtensions, and the input as a
 * body itself. */

#include "fuzz.h"

#include <string.h>

#include "wire/extensions.h"
#include "wire/key_share.h"
#include "wire/pre_shared_key.h"

enum
{
  MAX_PSKS = 16, /* of those that are written again */
};

static void
try_server_name (struct bytes body)
{
  struct bytes name;

  if (server_name_read (body, &name) && name.left > 0)
    fuzz_check (name.left <= 255 && memchr (name.at, 0, name.left) == NULL);
}

static void
try_pairs (struct bytes body)
{
  struct bytes list;

  if (u16_list_read (body, &list))
    fuzz_check (u16_list_has (list, u16_list_at (list, u16_list_len (list) - 1)));
  if (supported_versions_read (body, &list))
    fuzz_check (u16_list_has (list, u16_list_at (list, u16_list_len (list) - 1)));
}

static void
try_alpn (struct bytes body, struct writer writer)
{
  struct bytes names;
  struct bytes name;

  if (!alpn_read (body, &names))
    return;

  alpn_write (&writer, names);
  fuzz_check_same (&writer, body);
  while (alpn_next (&names, &name))
    fuzz_check (name.left >= 1 && name.left <= 255);
  fuzz_check (names.left == 0);
}

static void
try_key_shares (struct bytes body, struct writer writer)
{
  struct writer first = writer;
  struct key_share_entry share;
  struct bytes shares;
  size_t list;

  if (server_share_read (body, &share))
    {
      fuzz_check (share.key_exchange.left > 0);
      server_share_write (&first, &share);
      fuzz_check_same (&first, body);
    }
  if (client_shares_read (body, &shares) == READ_MALFORMED)
    return;

  list = write_vec_begin (&writer, 2);
  while (client_share_next (&shares, &share))
    {
      fuzz_check (share.key_exchange.left > 0);
      server_share_write (&writer, &share);
    }
  write_vec_end (&writer, list, 2);
  fuzz_check (shares.left == 0);
  fuzz_check_same (&writer, body);
}

static void
try_psks (struct bytes body, struct writer writer)
{
  struct offered_psk all[MAX_PSKS];
  struct offered_psks psks;
  struct offered_psk psk;
  size_t binders;

  if (offered_psks_read (body, &psks) != READ_OK)
    return;

  fuzz_check (psks.n > 0 && psks.binders_len < body.left);
  for (size_t i = 0; offered_psks_next (&psks, &psk); i++)
    {
      fuzz_check (psk.identity.left > 0 && psk.binder.left > 0 && psk.binder.left <= 255);
      if (i < MAX_PSKS)
        all[i] = psk;
    }
  fuzz_check (psks.identities.left == 0 && psks.binders.left == 0);
  if (psks.n > MAX_PSKS)
    return;

  binders = offered_psks_write (&writer, all, psks.n);
  fuzz_check (binders + psks.binders_len == body.left);
  for (size_t i = 0; i < psks.n; i++)
    offered_psks_patch (&writer, binders, i, all[i].binder);
  fuzz_check_same (&writer, body);
}

static void
try_bodies_of_13 (struct bytes body, struct writer writer)
{
  struct writer first = writer, second = writer, third = writer;
  struct use_srtp srtp;
  struct bytes bytes;
  uint16_t selected;
  uint32_t size;

  if (cookie_read (body, &bytes))
    {
      cookie_write (&writer, bytes);
      fuzz_check_same (&writer, body);
    }
  if (psk_key_exchange_modes_read (body, &bytes))
    {
      fuzz_check (bytes.left > 0);
      psk_key_exchange_modes_write (&first, bytes);
      fuzz_check_same (&first, body);
    }
  if (use_srtp_read (body, &srtp))
    {
      fuzz_check (u16_list_len (srtp.profiles) > 0);
      use_srtp_write (&second, &srtp);
      fuzz_check_same (&second, body);
    }
  if (selected_read (body, &selected))
    {
      selected_write (&third, selected);
      fuzz_check_same (&third, body);
    }
  fuzz_check (max_early_data_size_read (body, &size) == (body.left == 4));
}

static void
try_small_bodies (struct bytes body, struct writer writer)
{
  struct writer first = writer;
  struct bytes verify_data;
  bool has_uncompressed;
  uint16_t limit;

  if (record_size_limit_read (body, &limit))
    {
      record_size_limit_write (&writer, limit);
      fuzz_check_same (&writer, body);
    }
  if (renegotiation_info_read (body, &verify_data))
    {
      renegotiation_info_write (&first, verify_data);
      fuzz_check_same (&first, body);
    }
  if (ec_point_formats_read (body, &has_uncompressed))
    fuzz_check (has_uncompressed == (memchr (body.at + 1, 0, body.left - 1) != NULL));
}

static void
try_body (struct bytes body, struct writer writer)
{
  try_server_name (body);
  try_pairs (body);
  try_alpn (body, writer);
  try_key_shares (body, writer);
  try_psks (body, writer);
  try_bodies_of_13 (body, writer);
  try_small_bodies (body, writer);
}

static void
try_found (const struct extensions *found, struct writer writer)
{
  for (size_t i = 0; i < N_EXTENSIONS; i++)
    {
      fuzz_check (found->has[i] || found->body[i].left == 0);
      if (found->has[i])
        try_body (found->body[i], writer);
    }
}

/* Whatever stands in a block, the place decides about one result only. */
static void
try_block (struct bytes block, struct writer writer)
{
  struct extensions in_client;
  enum extensions_result result = extensions_read (block, IN_CLIENT_HELLO, &in_client);
  bool is_sound = result == EXTENSIONS_OK || result == EXTENSIONS_MISPLACED;

  if (is_sound)
    try_found (&in_client, writer);
  /* A client may ask for whatever there is, but for the place of pre_shared_key. */
  fuzz_check (result != EXTENSIONS_MISPLACED || in_client.has[FOUND_PRE_SHARED_KEY]);

  for (unsigned place = IN_CLIENT_HELLO + 1; place <= IN_NEW_SESSION_TICKET_13; place++)
    {
      struct extensions found;
      enum extensions_result other = extensions_read (block, (enum extension_place) place, &found);

      fuzz_check (is_sound ? other == EXTENSIONS_OK || other == EXTENSIONS_MISPLACED
                           : other == result);
      for (size_t i = 0; is_sound && i < N_EXTENSIONS; i++)
        fuzz_check (found.has[i] == in_client.has[i]
                    && bytes_equal (found.body[i], in_client.body[i]));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct bytes input = { data, size };
  uint8_t *out = malloc (size + 1);
  struct bytes block;

  fuzz_check (out != NULL);
  try_block (input, writer_over (out, size));
  if (encrypted_extensions_read (input, &block))
    try_block (block, writer_over (out, size));
  try_body (input, writer_over (out, size));
  free (out);

  return 0;
}
