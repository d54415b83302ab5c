/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Pre-shared keys in a ClientHello: which, in what order, how old, and bound to the hello. */

#include "handshake/psk_offer.h"
#include "crypto/kdf.h"
#include "handshake/talk13.h"
#include "wire/pre_shared_key.h"

enum
{
  AGE_ADD = 0xfffffff0,
};

static const uint8_t external_key[48] = { 5, 6, 7 };

static struct dtls_psk external = {
  .identity = { (const uint8_t *) "someone", 7 },
  .key = { external_key, sizeof external_key },
  .role = DTLS_CLIENT,
};

static struct bytes
make_session (uint8_t *memory, size_t capacity, uint16_t suite)
{
  struct writer w = writer_over (memory, capacity);
  struct session session = {
    .version = VERSION_DTLS_1_3,
    .suite = suite,
    .made = 5 * DTLS_SECOND,
    .received = 6 * DTLS_SECOND,
    .lifetime = 3600,
    .age_add = AGE_ADD,
    .secret = { 1, 2, 3 },
    .secret_len = (uint8_t) hash_len (suite_find (suite)->hash),
    .ticket = TAP_STRING ("a ticket"),
    .chain = TAP_STRING ("\0\0\1\x30"),
  };

  session_write (&w, &session);
  return writer_bytes (&w);
}

static void
begin (struct talk *talk, bool has_session, bool has_external)
{
  static uint8_t memory[1024];

  talk_init (talk);
  if (has_session)
    talk->client.config.session = make_session (memory, sizeof memory, SUITE_AES_256_GCM_SHA384);
  if (has_external)
    talk->client.config.psk = &external;
  talk->client.config.wall_clock_offset = 7 * DTLS_SECOND + 999;
  CHECK_UINT (talk_begin (talk), DTLS_OK);
}

/* RFC 9846 §4.3.11.2 from the ground up: the key schedule to the binder key, the Finished key, and the
 * transcript that `before` begins and the hello without its binders ends. */
struct binder
{
  enum hash hash;
  struct bytes key;
  const char *label;
  struct bytes before;
};

static struct bytes
expand (enum hash hash, const uint8_t *secret, const char *label, struct bytes context,
        uint8_t *out)
{
  size_t len = hash_len (hash);
  struct expand_input input = {
    .secret = { secret, len },
    .label = { (const uint8_t *) label, strlen (label) },
    .context = context,
  };

  CHECK (hkdf_expand_label (pki_crypto (), hash, &input, out, len));
  return (struct bytes){ out, len };
}

static void
make_binder (const struct talk *talk, const struct binder *binder, size_t binders_len,
             uint8_t out[MAX_HASH_LEN])
{
  size_t len = hash_len (binder->hash);
  size_t hello_len = talk->hello_bytes.left;
  uint8_t early[MAX_HASH_LEN], empty[MAX_HASH_LEN], key[MAX_HASH_LEN], finished[MAX_HASH_LEN];
  uint8_t transcript[8192], hash[MAX_HASH_LEN];
  struct writer w = writer_over (transcript, sizeof transcript);
  struct bytes part = { hash, len };
  struct hmac_input input = { .parts = &part, .n_parts = 1 };

  write_bytes (&w, binder->before.at, binder->before.left);
  write_u8 (&w, CLIENT_HELLO);
  write_u24 (&w, (uint32_t) hello_len);
  write_bytes (&w, talk->hello_bytes.at, hello_len - binders_len);
  CHECK (hash_once (pki_crypto (), binder->hash, writer_bytes (&w), hash));

  CHECK (hash_once (pki_crypto (), binder->hash, (struct bytes){ NULL, 0 }, empty));
  CHECK (hkdf_extract (pki_crypto (), binder->hash, (struct bytes){ NULL, 0 }, binder->key, early));
  expand (binder->hash, early, binder->label, (struct bytes){ empty, len }, key);
  input.key = expand (binder->hash, key, "finished", (struct bytes){ NULL, 0 }, finished);
  CHECK (hmac_once (pki_crypto (), binder->hash, &input, out));
}

static void
check_binder (const struct talk *talk, const struct offered_psks *psks,
              const struct offered_psk *psk, const struct binder *binder)
{
  uint8_t expected[MAX_HASH_LEN];

  make_binder (talk, binder, psks->binders_len, expected);
  CHECK_BYTES (psk->binder, ((struct bytes){ expected, hash_len (binder->hash) }));
}

static void
test_both (void)
{
  static const uint8_t ticket_key[48] = { 1, 2, 3 };
  struct binder of_ticket = { HASH_SHA384, TAP_BYTES (ticket_key), "res binder", { NULL, 0 } };
  struct binder of_external = { HASH_SHA256, external.key, "ext binder", { NULL, 0 } };
  struct offered_psks psks, rest;
  struct offered_psk psk;
  struct talk talk;

  begin (&talk, true, true);
  CHECK_UINT (offered_psks_read (talk.found.body[FOUND_PRE_SHARED_KEY], &psks), READ_OK);
  CHECK_UINT (psks.n, 2);
  rest = psks;
  CHECK (offered_psks_next (&rest, &psk));
  CHECK_BYTES (psk.identity, TAP_STRING ("a ticket"));
  /* One second and less than a millisecond more, modulo 2^32. */
  CHECK_UINT (psk.obfuscated_age, (uint32_t) (AGE_ADD + 1000));
  check_binder (&talk, &psks, &psk, &of_ticket);
  CHECK (offered_psks_next (&rest, &psk));
  CHECK_BYTES (psk.identity, external.identity);
  CHECK_UINT (psk.obfuscated_age, 0);
  check_binder (&talk, &psks, &psk, &of_external);
  talk_clear (&talk);
}

/* RFC 9846 §4.3.11.2: over the first hello's hash and the HelloRetryRequest too, and as old as the
 * ticket is by then. */
static void
test_after_retry (void)
{
  static const uint8_t ticket_key[48] = { 1, 2, 3 };
  struct answer retry = { .group = GROUP_SECP256R1, .suite = SUITE_AES_256_GCM_SHA384 };
  struct binder of_ticket = { HASH_SHA384, TAP_BYTES (ticket_key), "res binder", { NULL, 0 } };
  uint8_t before[1024], first[4096], hash[MAX_HASH_LEN], body[512];
  struct writer transcript = writer_over (before, sizeof before);
  struct writer hello = writer_over (first, sizeof first);
  struct writer w = writer_over (body, sizeof body);
  struct offered_psks psks, rest;
  struct offered_psk psk;
  struct bytes message;
  struct talk talk;

  begin (&talk, true, true);
  write_u8 (&hello, CLIENT_HELLO);
  write_vec (&hello, talk.hello_bytes, 3);
  CHECK (hash_once (pki_crypto (), HASH_SHA384, writer_bytes (&hello), hash));
  message = answer_write (&w, &retry, true);
  write_u8 (&transcript, MESSAGE_HASH);
  write_vec (&transcript, (struct bytes){ hash, 48 }, 3);
  write_u8 (&transcript, SERVER_HELLO);
  write_vec (&transcript, message, 3);
  of_ticket.before = writer_bytes (&transcript);

  talk.client.h->wall_clock += 2 * DTLS_SECOND;
  CHECK_UINT (talk_give (&talk, SERVER_HELLO, message), DTLS_OK);
  CHECK_UINT (talk.n_hellos, 2);
  CHECK_UINT (offered_psks_read (talk.found.body[FOUND_PRE_SHARED_KEY], &psks), READ_OK);
  CHECK_UINT (psks.n, 1);
  rest = psks;
  CHECK (offered_psks_next (&rest, &psk));
  CHECK_BYTES (psk.identity, TAP_STRING ("a ticket"));
  CHECK_UINT (psk.obfuscated_age, (uint32_t) (AGE_ADD + 3000));
  check_binder (&talk, &psks, &psk, &of_ticket);
  talk_clear (&talk);
}

/* RFC 9846 §4.2.2: only with a suite of the key's hash. */
static void
test_hash (void)
{
  static const struct
  {
    uint16_t suite;
    enum dtls_psk_hash hash;
    size_t n;
  } rows[] = {
    { SUITE_AES_128_GCM_SHA256, DTLS_PSK_SHA256, 1 },
    { SUITE_AES_128_GCM_SHA256, DTLS_PSK_SHA384, 0 },
    { SUITE_AES_256_GCM_SHA384, DTLS_PSK_SHA256, 0 },
    { SUITE_AES_256_GCM_SHA384, DTLS_PSK_SHA384, 1 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct psk_offer offers[MAX_PSK_OFFERS];
      struct dtls_psk psk = external;
      struct talk talk;

      psk.hash = rows[i].hash;
      talk_init (&talk);
      talk.client.config.suites = &rows[i].suite;
      talk.client.config.n_suites = 1;
      talk.client.config.psk = &psk;
      CHECK_UINT (talk_begin (&talk), DTLS_OK);
      CHECK_UINT (psk_offers (talk.client.h, offers), rows[i].n);
      CHECK_UINT (talk.found.has[FOUND_PRE_SHARED_KEY], rows[i].n > 0);
      talk_clear (&talk);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/psk_offer/a-ticket-and-an-external-key-with-their-binders", test_both },
  { "/handshake/psk_offer/after-a-retry-bound-to-it", test_after_retry },
  { "/handshake/psk_offer/only-with-a-suite-of-its-hash", test_hash },
};

TAP_MAIN (tests)
