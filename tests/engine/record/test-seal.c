/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* record/seal: what goes out to the byte, and that no number is ever used twice. */

#include "heap.h"
#include "keyed.h"

enum
{
  N_RECORDS = 20000,
  EXPLICIT_LEN = 8,
};

static uint8_t data[MAX_PLAINTEXT_LEN + 1];

static void
plain_record_is_header_and_parts (void)
{
  static const uint8_t expected[] = { 22,   0xfe, 0xff, 0,   0,   0,   0,   0,   0,    0,    9,
                                      0x00, 0x06, 'a',  'b', 'c', 'd', 'e', 'f', 21,   0xfe, 0xfd,
                                      0,    0,    0,    0,   0,   0,   0,   10,  0x00, 0x00 };
  struct bytes parts[] = { TAP_STRING ("abc"), { NULL, 0 }, TAP_STRING ("de"), TAP_STRING ("f") };
  struct seal_input first = { CONTENT_HANDSHAKE, VERSION_DTLS_1_0, parts, TAP_N (parts) };
  struct seal_input second = { CONTENT_ALERT, VERSION_DTLS_1_2, NULL, 0 };
  uint8_t room[64];
  struct dtls_buffer out = { room, sizeof room, 0 };
  struct epoch_write plain;

  epoch_write_init_plain (&plain, 9);
  CHECK_UINT (record_seal (&plain, &first, &out), DTLS_OK);
  CHECK_UINT (record_seal (&plain, &second, &out), DTLS_OK);
  CHECK_BYTES (((struct bytes){ room, out.used }), TAP_BYTES (expected));
  CHECK_UINT (plain.next, 11);
}

static void
check_protected_header (struct keyed *keyed, size_t overhead)
{
  static const uint8_t expected[] = { 23, 0xfe, 0xfd, 0x00, 0x01, 0, 0, 0, 0x01, 0x02, 0x03 };
  size_t explicit_len = epoch_explicit_len (keyed->read.keys.algorithm);
  size_t len = overhead - RECORD_HEADER_LEN + 5;

  keyed_seal_number (keyed, 0x010203, TAP_STRING ("hello"));
  CHECK_UINT (keyed->out.used, RECORD_HEADER_LEN + len);
  CHECK_BYTES (((struct bytes){ keyed->room, sizeof expected }), TAP_BYTES (expected));
  CHECK_UINT (keyed->room[11] << 8 | keyed->room[12], len);

  /* RFC 5288 §3: the explicit part is epoch and number, as the header has them. */
  if (explicit_len > 0)
    CHECK_BYTES (((struct bytes){ keyed->room + RECORD_HEADER_LEN, explicit_len }),
                 ((struct bytes){ keyed->room + 3, EXPLICIT_LEN }));
}

static void
protected_record_carries_its_nonce (void)
{
  keyed_run (check_protected_header);
}

static void
check_parts (struct keyed *keyed, size_t overhead)
{
  struct bytes parts[] = { TAP_STRING ("a"), { NULL, 0 }, TAP_STRING ("bcd"), { data, 1000 } };
  struct seal_input input = { CONTENT_HANDSHAKE, VERSION_DTLS_1_2, parts, TAP_N (parts) };
  struct opened opened = { 0 };

  CHECK_UINT (record_seal (&keyed->write, &input, &keyed->out), DTLS_OK);
  CHECK_UINT (keyed->out.used, overhead + 1004);
  if (!CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_NONE))
    return;
  CHECK_UINT (opened.type, CONTENT_HANDSHAKE);
  CHECK_UINT (opened.len, 1004);
  CHECK_BYTES (((struct bytes){ opened.at, 4 }), TAP_STRING ("abcd"));
}

static void
parts_are_one_plaintext (void)
{
  keyed_run (check_parts);
}

static void
check_too_large (struct keyed *keyed, size_t overhead)
{
  struct bytes parts[] = {
    { data, 1 }, { data, MAX_PLAINTEXT_LEN }, { data, SIZE_MAX }, { data, SIZE_MAX }
  };
  struct seal_input input = { CONTENT_APPLICATION_DATA, VERSION_DTLS_1_2, parts, 0 };
  struct dtls_buffer *out = &keyed->out;

  for (input.n_parts = 2; input.n_parts <= TAP_N (parts); input.n_parts++)
    CHECK_UINT (record_seal (&keyed->write, &input, out), DTLS_ERROR_TOO_LARGE);
  CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, MAX_PLAINTEXT_LEN + 1 }),
              DTLS_ERROR_TOO_LARGE);
  for (size_t room = 0; room < overhead + 10; room++)
    {
      out->capacity = room;
      CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, 10 }), DTLS_ERROR_TOO_LARGE);
    }
  CHECK_UINT (out->used, 0);
  CHECK_UINT (keyed->write.next, 0);

  out->capacity = overhead + 10;
  CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, 10 }), DTLS_OK);
  CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, 0 }), DTLS_ERROR_TOO_LARGE);
  CHECK_UINT (out->used, overhead + 10);

  out->used = 0;
  out->capacity = sizeof keyed->room;
  CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, MAX_PLAINTEXT_LEN }), DTLS_OK);
  CHECK_UINT (out->used, overhead + MAX_PLAINTEXT_LEN);
  CHECK_UINT (keyed->write.next, 2);
}

static void
what_does_not_fit_uses_no_number (void)
{
  struct keyed *plain = keyed_new (AEAD_AES_128_GCM);

  keyed_run (check_too_large);

  epoch_write_clear (&plain->write);
  epoch_write_init_plain (&plain->write, 0);
  check_too_large (plain, RECORD_HEADER_LEN);
  keyed_free (plain);
}

static void
check_last_number (struct keyed *keyed, size_t overhead)
{
  struct opened opened;

  keyed_seal_number (keyed, MAX_RECORD_NUMBER - 1, TAP_STRING ("a"));
  CHECK_UINT (keyed_seal (keyed, TAP_STRING ("b")), DTLS_OK);
  CHECK_UINT (keyed->out.used, 2 * (overhead + 1));
  for (unsigned i = 0; i < 3; i++)
    CHECK_UINT (keyed_seal (keyed, TAP_STRING ("c")), DTLS_ERROR_RECORD_LIMIT);
  CHECK_UINT (keyed->out.used, 2 * (overhead + 1));

  if (!keyed->write.is_protected)
    return;
  CHECK_UINT (keyed_open (keyed, keyed->room + overhead + 1, overhead + 1, &opened),
              DTLS_DROP_NONE);
  CHECK_UINT (opened.number, MAX_RECORD_NUMBER);
}

static void
numbers_end_at_two_to_the_48 (void)
{
  struct keyed *plain = keyed_new (AEAD_AES_128_GCM);

  keyed_run (check_last_number);

  epoch_write_clear (&plain->write);
  epoch_write_init_plain (&plain->write, 0);
  check_last_number (plain, RECORD_HEADER_LEN);
  keyed_free (plain);
}

static uint64_t
number_of (const uint8_t *at)
{
  uint64_t number = 0;

  for (size_t i = 0; i < EXPLICIT_LEN; i++)
    number = number << 8 | at[i];

  return number;
}

/* Every nonce that was sealed with, successes and failures mixed. For GCM it is in the record; for
 * ChaCha20 it is a bijection of the header's epoch and number. */
static void
check_nonces (struct keyed *keyed, size_t overhead)
{
  const uint8_t *nonce = keyed->room + (overhead == 29 ? 3 : RECORD_HEADER_LEN);
  uint64_t last = 0;

  for (unsigned i = 0; i < N_RECORDS; i++)
    {
      keyed->out.used = 0;
      if (i % 3 == 0)
        CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, sizeof data }), DTLS_ERROR_TOO_LARGE);
      if (i % 5 == 0)
        {
          keyed->out.capacity = overhead;
          CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, 1 }), DTLS_ERROR_TOO_LARGE);
          keyed->out.capacity = sizeof keyed->room;
        }

      CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, i % 40 }), DTLS_OK);
      /* Rising numbers are all different. */
      if (!CHECK (number_of (nonce) > last))
        return;
      last = number_of (nonce);
    }
  CHECK_UINT (last, UINT64_C (1) << 48 | (N_RECORDS - 1));
}

static void
no_nonce_is_used_twice (void)
{
  keyed_run (check_nonces);
}

static void
check_allocations (struct keyed *keyed, size_t overhead)
{
  struct opened opened;

  (void) overhead;
  keyed_seal_number (keyed, 0, (struct bytes){ data, 100 });
  CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_NONE);

  heap_reset ();
  for (size_t i = 1; i < 1000; i++)
    {
      keyed_seal_number (keyed, i, (struct bytes){ data, i });
      CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_NONE);
    }
  if (heap_is_counted ())
    CHECK_UINT (heap.n_allocations, 0);
}

static void
sealing_and_opening_allocate_nothing (void)
{
  heap_is_counted ();
  keyed_run (check_allocations);
}

static const struct tap_test tests[] = {
  { "/record/seal/plain-record-is-header-and-parts", plain_record_is_header_and_parts },
  { "/record/seal/protected-record-carries-its-nonce", protected_record_carries_its_nonce },
  { "/record/seal/parts-are-one-plaintext", parts_are_one_plaintext },
  { "/record/seal/what-does-not-fit-uses-no-number", what_does_not_fit_uses_no_number },
  { "/record/seal/numbers-end-at-two-to-the-48", numbers_end_at_two_to_the_48 },
  { "/record/seal/no-nonce-is-used-twice", no_nonce_is_used_twice },
  { "/record/seal/sealing-and-opening-allocate-nothing", sealing_and_opening_allocate_nothing },
};

TAP_MAIN (tests)
