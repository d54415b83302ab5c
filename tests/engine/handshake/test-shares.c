/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Which key shares a first hello of 1.3 brings. */

#include "handshake/shares.h"
#include "crypto/algorithms.h"
#include "handshake/talk13.h"

enum
{
  MAX_GROUPS = 5,
};

/* Lists end with 0. */
struct share_row
{
  const char *name;
  uint16_t groups[MAX_GROUPS];
  uint16_t share_groups[MAX_GROUPS];
  size_t mtu;
  uint16_t expected[MAX_GROUPS];
};

/* clang-format off */
static const struct share_row rows[] = {
  { "the default",                 { 0 }, { 0 }, 1400, { GROUP_X25519 } },
  { "the first",                   { GROUP_SECP384R1, GROUP_X25519 }, { 0 }, 1400, { GROUP_SECP384R1 } },
  { "the smallest if none fits",   { GROUP_SECP384R1, GROUP_X25519, GROUP_SECP256R1 }, { 0 }, 100, { GROUP_X25519 } },
  { "asked for",                   { 0 }, { GROUP_SECP384R1 }, 1400, { GROUP_SECP384R1 } },
  { "two, in the groups' order",   { 0 }, { GROUP_SECP384R1, GROUP_X25519 }, 1400, { GROUP_X25519, GROUP_SECP384R1 } },
  { "one twice",                   { 0 }, { GROUP_SECP256R1, GROUP_SECP256R1 }, 1400, { GROUP_SECP256R1 } },
  { "none of our groups",          { GROUP_SECP256R1 }, { GROUP_X25519 }, 1400, { GROUP_SECP256R1 } },
};

/* Only where libcrypto has it. */
static const struct share_row hybrid_rows[] = {
  { "hybrid, not while there is another", { GROUP_X25519MLKEM768, GROUP_SECP256R1 }, { 0 }, 1400, { GROUP_SECP256R1 } },
  { "hybrid, not even where it fits", { GROUP_X25519MLKEM768, GROUP_SECP384R1 }, { 0 }, 9000, { GROUP_SECP384R1 } },
  { "hybrid, not if none fits",    { GROUP_X25519MLKEM768, GROUP_SECP384R1, GROUP_X25519 }, { 0 }, 100, { GROUP_X25519 } },
  { "hybrid, and nothing else",    { GROUP_X25519MLKEM768 }, { 0 }, 1400, { GROUP_X25519MLKEM768 } },
  { "hybrid, asked for",           { 0 }, { GROUP_X25519MLKEM768, GROUP_X25519 }, 1400, { GROUP_X25519MLKEM768, GROUP_X25519 } },
};
/* clang-format on */

static size_t
n_of (const uint16_t *list)
{
  size_t n = 0;

  while (list[n] != 0)
    n++;
  return n;
}

static void
check_shares (const struct talk *talk, const uint16_t *expected)
{
  struct key_share_entry share = { .group = 0 };
  struct bytes shares = { NULL, 0 };
  size_t n = 0;

  CHECK_UINT (client_shares_read (talk->found.body[FOUND_KEY_SHARE], &shares), READ_OK);
  for (; client_share_next (&shares, &share); n++)
    if (n < n_of (expected))
      {
        CHECK_UINT (share.group, expected[n]);
        CHECK (shares_find (talk->client.h, share.group) != NULL);
      }
  CHECK_UINT (n, n_of (expected));
}

static void
check_row (const struct share_row *row)
{
  struct talk talk;

  tap_set_row (row->name);
  talk_init (&talk);
  talk.client.config.groups = row->groups;
  talk.client.config.n_groups = n_of (row->groups);
  talk.client.config.share_groups = row->share_groups;
  talk.client.config.n_share_groups = n_of (row->share_groups);
  talk.client.config.mtu = row->mtu;
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  check_shares (&talk, row->expected);
  talk_clear (&talk);
  tap_set_row (NULL);
}

static void
test_groups (void)
{
  for (size_t i = 0; i < TAP_N (rows); i++)
    check_row (&rows[i]);
  for (size_t i = 0; i < TAP_N (hybrid_rows); i++)
    if (crypto_has_group (pki_crypto (), GROUP_X25519MLKEM768))
      check_row (&hybrid_rows[i]);
}

static void
test_replace (void)
{
  static const uint16_t p384[] = { GROUP_SECP384R1, 0 };
  struct talk talk;

  talk_init (&talk);
  CHECK_UINT (talk_begin (&talk), DTLS_OK);
  CHECK_UINT (shares_replace (talk.client.h, GROUP_SECP384R1), DTLS_OK);
  CHECK_UINT (talk.client.h->n_shares, 1);
  CHECK (shares_find (talk.client.h, p384[0]) != NULL);
  CHECK (shares_find (talk.client.h, GROUP_X25519) == NULL);
  CHECK_UINT (shares_len (talk.client.h), 2 + 4 + 97);
  shares_drop (talk.client.h);
  CHECK (shares_find (talk.client.h, p384[0]) == NULL);
  talk_clear (&talk);
}

static const struct tap_test tests[] = {
  { "/handshake/shares/of-the-groups-that-are-asked-for-or-fit", test_groups },
  { "/handshake/shares/replaced-by-one", test_replace },
};

TAP_MAIN (tests)
