/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What outlives its message: lists of DER, and bytes. */

#include "handshake/association.h"
#include "tap.h"

static void
test_copy_is_its_own (void)
{
  uint8_t first[] = { 1, 2, 3 }, second[] = { 4 };
  const struct bytes items[] = { TAP_BYTES (first), { NULL, 0 }, TAP_BYTES (second) };
  struct der_list list = { NULL, 0 };

  CHECK (der_list_copy (&list, items, TAP_N (items)));
  first[0] = second[0] = 9;
  CHECK_UINT (list.n, 3);
  CHECK_BYTES (list.items[0], TAP_STRING ("\1\2\3"));
  CHECK_UINT (list.items[1].left, 0);
  CHECK_BYTES (list.items[2], TAP_STRING ("\4"));
  der_list_clear (&list);
}

static void
test_copy_replaces (void)
{
  const struct bytes one[] = { TAP_STRING ("one") }, two[] = { TAP_STRING ("two") };
  struct der_list list = { NULL, 0 };

  CHECK (der_list_copy (&list, one, 1));
  CHECK (der_list_copy (&list, two, 1));
  CHECK_UINT (list.n, 1);
  CHECK_BYTES (list.items[0], TAP_STRING ("two"));
  /* Also from itself. */
  CHECK (der_list_copy (&list, list.items, 1));
  CHECK_BYTES (list.items[0], TAP_STRING ("two"));
  CHECK (der_list_copy (&list, NULL, 0));
  CHECK_UINT (list.n, 0);
  der_list_clear (&list);
  der_list_clear (&list);
  CHECK (list.items == NULL);
}

static void
test_kept_bytes (void)
{
  uint8_t text[] = { 'a', 'b', 'c' };
  struct bytes kept = { NULL, 0 };

  CHECK (bytes_keep (&kept, TAP_BYTES (text)));
  text[0] = 'x';
  CHECK_BYTES (kept, TAP_STRING ("abc"));
  /* Also from itself. */
  CHECK (bytes_keep (&kept, (struct bytes){ kept.at + 1, 2 }));
  CHECK_BYTES (kept, TAP_STRING ("bc"));
  CHECK (bytes_keep (&kept, (struct bytes){ NULL, 0 }));
  CHECK_UINT (kept.left, 0);
  bytes_release (&kept);
  bytes_release (&kept);
  CHECK (kept.at == NULL);
}

static const struct tap_test tests[] = {
  { "/handshake/association/a-copied-list-is-its-own", test_copy_is_its_own },
  { "/handshake/association/a-copy-replaces-what-was-there", test_copy_replaces },
  { "/handshake/association/kept-bytes-are-their-owners", test_kept_bytes },
};

TAP_MAIN (tests)
