/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* record/seal: what goes out to the byte, and that no number is ever used twice. */

#include "crypto/hex.h"
#include "crypto/number_mask.h"
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
  keyed_run_form (RECORD_FORM_12, check_protected_header);
}

struct answer
{
  enum record_form form;
  enum aead_algorithm algorithm;
  uint64_t number;
  uint8_t type;
  const char *content;
  const char *record;
};

#define PING 0, CONTENT_APPLICATION_DATA, "ping"
#define FOX 0x123456, CONTENT_HANDSHAKE, "The quick brown fox jumps"

/* Under the keys of keyed.h. Made with Python's package cryptography: its AES-GCM, ChaCha20-Poly1305,
 * ChaCha20 and AES; AES-CCM written after SP 800-38C over AES alone. */
static const struct answer answers[] = {
  { RECORD_FORM_13, AEAD_AES_128_GCM, PING,
    "2f1704001566011255c5dc209331602a3527384e0fcb1476b50f" },
  { RECORD_FORM_13, AEAD_AES_128_GCM, FOX,
    "2f6457002a0ec60fec19a7764eb7d4fc2f13661174ae71c0dd5d05842a4aa371"
    "098ca633a2bfd2ba8c89c320711f65" },
  { RECORD_FORM_13, AEAD_AES_256_GCM, PING,
    "2f49920015a7e66858f53ff898cffec40293417a307cbea74728" },
  { RECORD_FORM_13, AEAD_AES_256_GCM, FOX,
    "2fccf6002a2f178fdb2d178be0445a6dd3a6c2d4b87811f89e55e00a3316c5ae"
    "ca2279d041b97e32506fc4e3c0a422" },
  { RECORD_FORM_13, AEAD_CHACHA20_POLY1305, PING,
    "2f5d680015dca8b58b6f82ce6aa2ebeeb9a7c453269e12b8e713" },
  { RECORD_FORM_13, AEAD_CHACHA20_POLY1305, FOX,
    "2f1d40002ae33557cfb3623772347d7f1eb89a0d71a18d3e35b249fb2a0953ce"
    "ea515ff8fa03cc2709622dbe92f7b4" },
  { RECORD_FORM_13, AEAD_AES_128_CCM, PING,
    "2fc8e10015dc453de3b19fc155a59e24537701a89371e595e128" },
  { RECORD_FORM_13, AEAD_AES_128_CCM, FOX,
    "2ffa5b002a59c649bc6a0f1d4296e82a25bc093963cc2d72ebf53b9d209fc5fa"
    "4c4e88e32cc104d3ef2d3139cce600" },
  /* Three zeros after the type, RFC 9147 §4.2.3 */
  { RECORD_FORM_13, AEAD_AES_128_CCM_8, PING, "2f97d10010dc453de3b13dcb145af6103261a24fa2" },
  { RECORD_FORM_13, AEAD_AES_128_CCM_8, FOX,
    "2ffa5b002259c649bc6a0f1d4296e82a25bc093963cc2d72ebf53b9d209fc5da74ee7244934d2f" },
  { RECORD_FORM_12, AEAD_AES_128_GCM, FOX,
    "16fefd000100000012345600310001000000123456790de46c6281bc75762647"
    "9ec82486c33f4ff308609e594355b9e5514bc393d97a0f6b8610abc1deb5" },
  { RECORD_FORM_12, AEAD_AES_256_GCM, FOX,
    "16fefd0001000000123456003100010000001234566f313cb8be945195eef6fa"
    "755b8422b7ded724d66279f04aa67ef9612abf93ad8d48d83791c0425af6" },
  { RECORD_FORM_12, AEAD_CHACHA20_POLY1305, FOX,
    "16fefd00010000001234560029e1280f10b9930be2d4628052a6e7e62d83af8a"
    "07c7b669d8726c073c9b9288ffb3f0a1176447eb3990" },
  { RECORD_FORM_12, AEAD_AES_128_CCM, FOX,
    "16fefd000100000012345600310001000000123456c7961185993999b43e898c"
    "bd376dcbd4e3005005163d9f46a9d10682fac7a48d5375b6e933a4700777" },
  { RECORD_FORM_12, AEAD_AES_128_CCM_8, FOX,
    "16fefd000100000012345600290001000000123456c7961185993999b43e898c"
    "bd376dcbd4e3005005163d9f46a9e8189ed1af54eca5" },
};

static void
check_answer (const struct answer *answer)
{
  struct keyed *keyed = keyed_new (answer->form, answer->algorithm);
  struct bytes content = { (const uint8_t *) answer->content, strlen (answer->content) };
  struct seal_input input = { answer->type, VERSION_DTLS_1_2, &content, 1 };
  struct opened opened = { 0 };
  struct hex place;

  keyed->write.next = answer->number;
  CHECK_UINT (record_seal (&keyed->write, &input, &keyed->out), DTLS_OK);
  CHECK_BYTES (((struct bytes){ keyed->room, keyed->out.used }), hex_read (&place, answer->record));

  /* So near to it that 16 bits tell. */
  replay_mark (&keyed->read.replay, answer->number + 1);
  CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_NONE);
  CHECK_UINT (opened.type, answer->type);
  CHECK_UINT (opened.number, answer->number);
  CHECK_BYTES (((struct bytes){ opened.at, opened.len }), content);
  keyed_free (keyed);
}

static void
records_are_the_known_answers (void)
{
  for (size_t i = 0; i < TAP_N (answers); i++)
    {
      tap_set_row (answers[i].record);
      check_answer (&answers[i]);
    }
}

/* RFC 9147 §4.2.3: what stands in the header is the number and the mask of the ciphertext behind
 * it. */
static void
check_masked (struct keyed *keyed, size_t overhead)
{
  const struct epoch_keys *keys = &keyed->read.keys;
  struct number_mask *maker = number_mask_new (keyed->crypto, keys->algorithm, keys->number_key);
  uint8_t mask[NUMBER_MASK_LEN];
  unsigned n_plain = 0;

  for (unsigned i = 0; i < 64; i++)
    {
      const uint8_t *at = keyed->room;
      size_t len = keyed_record_len (keyed, overhead, i);

      keyed_seal_number (keyed, 0x1234 + i, (struct bytes){ data, i });
      CHECK_UINT (at[0], 0x2c | (KEYED_EPOCH_13 & 3));
      CHECK_UINT (at[3] << 8 | at[4], len - 5);
      CHECK (number_mask_make (maker, at + 5, mask));
      CHECK_UINT ((at[1] ^ mask[0]) << 8 | (at[2] ^ mask[1]), 0x1234 + i);
      n_plain += (unsigned) (at[1] << 8 | at[2]) == 0x1234 + i;
    }
  /* The keys are always the same, and so are the masks: none of them is 0. */
  CHECK_UINT (n_plain, 0);
  number_mask_free (maker);
}

static void
number_is_masked (void)
{
  keyed_run_form (RECORD_FORM_13, check_masked);
}

/* The first byte of a header has two bits of the epoch. */
static void
unified_header_has_two_bits_of_the_epoch (void)
{
  struct keyed *keyed = keyed_new (RECORD_FORM_13, AEAD_AES_128_GCM);

  for (unsigned epoch = 0; epoch < 70000; epoch += 999)
    {
      keyed->write.number = (uint16_t) epoch;
      keyed_seal_number (keyed, 0, TAP_STRING ("x"));
      CHECK_UINT (keyed->room[0], 0x2c | (epoch & 3));
    }
  keyed_free (keyed);
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
  struct keyed *plain = keyed_new (RECORD_FORM_12, AEAD_AES_128_GCM);

  keyed_run (check_too_large);

  epoch_write_clear (&plain->write);
  epoch_write_init_plain (&plain->write, 0);
  check_too_large (plain, RECORD_HEADER_LEN);
  keyed_free (plain);
}

/* The number will be used again, so nothing that was sealed with it may be found. A cipher that was
 * keyed for opening makes no tag. */
static void
check_failure (struct keyed *keyed, size_t overhead)
{
  struct aead *sealer = keyed->write.aead;

  keyed->write.aead = keyed->read.aead;
  memset (data, 'x', 100);
  CHECK_UINT (keyed_seal (keyed, (struct bytes){ data, 100 }), DTLS_ERROR_CRYPTO);
  CHECK_UINT (keyed->out.used, 0);
  CHECK_UINT (keyed->write.next, 0);
  for (size_t i = 0; i < overhead + 100; i++)
    CHECK_UINT (keyed->room[i], 0);
  keyed->write.aead = sealer;
}

static void
failure_leaves_nothing (void)
{
  keyed_run (check_failure);
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
  struct keyed *plain = keyed_new (RECORD_FORM_12, AEAD_AES_128_GCM);

  keyed_run_form (RECORD_FORM_12, check_last_number);

  epoch_write_clear (&plain->write);
  epoch_write_init_plain (&plain->write, 0);
  check_last_number (plain, RECORD_HEADER_LEN);
  keyed_free (plain);
}

/* RFC 9147 §4.5.3: no more records than the keys may seal. */
static void
check_used_up_keys (struct keyed *keyed, size_t overhead)
{
  uint64_t last = 0;

  /* Bisected: the last number that the keys are good for. */
  for (uint64_t step = UINT64_C (1) << 47; step > 0; step /= 2)
    {
      keyed->write.next = last + step;
      last += epoch_is_at_seal_limit (&keyed->write) ? 0 : step;
    }

  keyed_seal_number (keyed, last, TAP_STRING ("the last"));
  CHECK_UINT (keyed->out.used, overhead + 8);
  for (unsigned i = 0; i < 3; i++)
    CHECK_UINT (keyed_seal (keyed, TAP_STRING ("one more")), DTLS_ERROR_RECORD_LIMIT);
  CHECK_UINT (keyed->out.used, overhead + 8);
  CHECK_UINT (keyed->write.next, last + 1);
}

static void
keys_used_up_seal_nothing (void)
{
  keyed_run_form (RECORD_FORM_13, check_used_up_keys);
}

static uint64_t
number_of (const uint8_t *at)
{
  uint64_t number = 0;

  for (size_t i = 0; i < EXPLICIT_LEN; i++)
    number = number << 8 | at[i];

  return number;
}

/* A record sealed between others that were not. */
static void
seal_among_failures (struct keyed *keyed, size_t overhead, unsigned i)
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
}

/* Every nonce that was sealed with. For AES it is in the record; for ChaCha20 it is a bijection of
 * the header's epoch and number. */
static void
check_nonces (struct keyed *keyed, size_t overhead)
{
  bool is_explicit = epoch_explicit_len (keyed->read.keys.algorithm) > 0;
  const uint8_t *nonce = keyed->room + (is_explicit ? RECORD_HEADER_LEN : 3);
  uint64_t last = 0;

  for (unsigned i = 0; i < N_RECORDS; i++)
    {
      seal_among_failures (keyed, overhead, i);
      /* Rising numbers are all different. */
      if (!CHECK (number_of (nonce) > last))
        return;
      last = number_of (nonce);
    }
  CHECK_UINT (last, UINT64_C (1) << 48 | (N_RECORDS - 1));
}

/* In 1.3 the nonce is a bijection of the number, and a record opens only under its own. */
static void
check_nonces_13 (struct keyed *keyed, size_t overhead)
{
  for (unsigned i = 0; i < N_RECORDS; i++)
    {
      struct opened opened = { 0 };

      seal_among_failures (keyed, overhead, i);
      if (!CHECK_UINT (keyed_receive (keyed, &opened), DTLS_DROP_NONE)
          || !CHECK_UINT (opened.number, i))
        return;
    }
}

static void
no_nonce_is_used_twice (void)
{
  keyed_run_form (RECORD_FORM_12, check_nonces);
  keyed_run_form (RECORD_FORM_13, check_nonces_13);
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
  { "/record/seal/records-are-the-known-answers", records_are_the_known_answers },
  { "/record/seal/number-is-masked", number_is_masked },
  { "/record/seal/unified-header-has-two-bits-of-the-epoch",
    unified_header_has_two_bits_of_the_epoch },
  { "/record/seal/parts-are-one-plaintext", parts_are_one_plaintext },
  { "/record/seal/what-does-not-fit-uses-no-number", what_does_not_fit_uses_no_number },
  { "/record/seal/failure-leaves-nothing", failure_leaves_nothing },
  { "/record/seal/numbers-end-at-two-to-the-48", numbers_end_at_two_to_the_48 },
  { "/record/seal/keys-used-up-seal-nothing", keys_used_up_seal_nothing },
  { "/record/seal/no-nonce-is-used-twice", no_nonce_is_used_twice },
  { "/record/seal/sealing-and-opening-allocate-nothing", sealing_and_opening_allocate_nothing },
};

TAP_MAIN (tests)
