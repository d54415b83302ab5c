/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* An extensions block, each body found in it, and the input as a body itself. */

#include "fuzz.h"

#include <string.h>

#include "wire/extensions.h"

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
  try_small_bodies (body, writer);
}

static enum extensions_result
try_block (struct bytes block, enum extension_place place, struct writer writer)
{
  struct extensions found;
  enum extensions_result result = extensions_read (block, place, &found);

  if (result != EXTENSIONS_OK)
    return result;

  for (size_t i = 0; i < N_EXTENSIONS; i++)
    if (found.has[i])
      try_body (found.body[i], writer);
  return result;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct bytes input = { data, size };
  uint8_t *out = malloc (size + 1);
  enum extensions_result in_client;
  enum extensions_result in_server;

  fuzz_check (out != NULL);
  in_client = try_block (input, IN_CLIENT_HELLO, writer_over (out, size));
  in_server = try_block (input, IN_SERVER_HELLO_12, writer_over (out, size));
  /* Whatever a server may say, a client may ask for. */
  fuzz_check (in_client != EXTENSIONS_MISPLACED);
  fuzz_check (in_client == in_server || in_server == EXTENSIONS_MISPLACED);
  try_body (input, writer_over (out, size));
  free (out);

  return 0;
}
