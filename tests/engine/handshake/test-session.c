/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Sessions as bytes: what was written is read again, and nothing else is. */

#include "codec.h"
#include "handshake/session.h"
#include "handshake/suites.h"
#include "random.h"
#include "tap.h"

#include <string.h>

#define HOUR (3600 * DTLS_SECOND)
#define DAY (24 * HOUR)

static const uint8_t chain[] = { 0, 0, 2, 0x30, 0, 0, 0, 3, 0x30, 1, 7 };
static const uint8_t ticket[300] = { 1, 2, 3 };

static struct session
session_13 (void)
{
  return (struct session){
    .version = VERSION_DTLS_1_3,
    .suite = SUITE_AES_256_GCM_SHA384,
    .made = 1000 * DAY,
    .received = 1000 * DAY + HOUR,
    .lifetime = 7 * 24 * 3600,
    .age_add = 0xfedcba98,
    .secret = { 9, 8, 7 },
    .secret_len = 48,
    .client_auth = DTLS_CLIENT_AUTH_REQUIRED,
    .bound_to = { 0xaa, 0xbb },
    .server_name = TAP_STRING ("example.org"),
    .alpn = TAP_STRING ("coap"),
    .ticket = TAP_BYTES (ticket),
    .chain = TAP_BYTES (chain),
  };
}

static struct session
session_12 (void)
{
  return (struct session){
    .version = VERSION_DTLS_1_2,
    .suite = SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
    .made = 1000 * DAY,
    .received = 1000 * DAY,
    .lifetime = 3600,
    .has_extended_master_secret = true,
    .secret = { 1 },
    .secret_len = MASTER_SECRET_LEN,
    .id = TAP_STRING ("12345678123456781234567812345678"),
  };
}

static struct session
session_of_key (void)
{
  struct session session = session_12 ();

  session.suite = SUITE_ECDHE_PSK_AES_128_GCM_SHA256;
  session.psk_identity = TAP_STRING ("someone");
  return session;
}

struct written
{
  uint8_t at[4096];
  size_t len;
};

static struct bytes
write_session (const struct session *session, struct written *out)
{
  struct writer w = writer_over (out->at, sizeof out->at);

  session_write (&w, session);
  CHECK (writer_ok (&w));
  out->len = w.used;
  return (struct bytes){ out->at, out->len };
}

static bool
rewrite (struct bytes message, struct writer *writer)
{
  struct session session;

  if (!session_read (message, &session))
    return false;

  session_write (writer, &session);
  return true;
}

static void
check_session (const struct session *session)
{
  struct written written;
  struct bytes bytes = write_session (session, &written);
  struct session again;

  CHECK_UINT (session_len (session), bytes.left);
  codec_check (rewrite, bytes, CODEC_NO_PREFIX);
  if (!CHECK (session_read (bytes, &again)))
    return;

  CHECK_UINT (again.version, session->version);
  CHECK_UINT (again.suite, session->suite);
  CHECK_UINT (again.made, session->made);
  CHECK_UINT (again.received, session->received);
  CHECK_UINT (again.lifetime, session->lifetime);
  CHECK_UINT (again.age_add, session->age_add);
  CHECK_UINT (again.has_extended_master_secret, session->has_extended_master_secret);
  CHECK_BYTES (((struct bytes){ again.secret, again.secret_len }),
               ((struct bytes){ session->secret, session->secret_len }));
  CHECK_UINT (again.client_auth, session->client_auth);
  CHECK_BYTES (TAP_BYTES (again.bound_to), TAP_BYTES (session->bound_to));
  CHECK_BYTES (again.server_name, session->server_name);
  CHECK_BYTES (again.alpn, session->alpn);
  CHECK_BYTES (again.id, session->id);
  CHECK_BYTES (again.ticket, session->ticket);
  CHECK_BYTES (again.psk_identity, session->psk_identity);
  CHECK_BYTES (again.chain, session->chain);
}

static void
test_round_trip (void)
{
  struct session all = session_13 (), least = session_12 (), of_key = session_of_key ();

  check_session (&all);
  check_session (&least);
  check_session (&of_key);
}

/* A session that says one thing that may not be. */
struct broken_row
{
  const char *name;
  void (*break_it) (struct session *);
};

static void
suite_that_we_do_not_speak (struct session *s)
{
  s->suite = 0x002f;
}

static void
suite_of_another_version (struct session *s)
{
  s->suite = SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384;
}

static void
external_key_without_identity (struct session *s)
{
  *s = session_of_key ();
  s->psk_identity.left = 0;
}

static void
external_key_of_a_long_identity (struct session *s)
{
  static const uint8_t identity[DTLS_MAX_PSK_IDENTITY_LEN + 1] = { 1 };

  *s = session_of_key ();
  s->psk_identity = TAP_BYTES (identity);
}

static void
external_key_and_a_chain (struct session *s)
{
  struct bytes some_chain = s->chain;

  *s = session_of_key ();
  s->chain = some_chain;
}

static void
external_key_of_another_suite (struct session *s)
{
  *s = session_12 ();
  s->psk_identity = TAP_STRING ("someone");
}

static void
external_key_in_13 (struct session *s)
{
  s->chain.left = 0;
  s->psk_identity = TAP_STRING ("someone");
}

static void
version_that_is_none (struct session *s)
{
  s->version = 0;
}

static void
secret_of_another_hash (struct session *s)
{
  s->secret_len = 32;
}

static void
no_secret (struct session *s)
{
  s->secret_len = 0;
}

static void
extended_master_secret_in_13 (struct session *s)
{
  s->has_extended_master_secret = true;
}

static void
no_extended_master_secret_in_12 (struct session *s)
{
  *s = session_12 ();
  s->has_extended_master_secret = false;
}

static void
short_master_secret (struct session *s)
{
  *s = session_12 ();
  s->secret_len = 32;
}

static void
id_of_33_bytes (struct session *s)
{
  s->id = (struct bytes){ ticket, 33 };
}

static void
more_than_seven_days (struct session *s)
{
  s->lifetime = 7 * 24 * 3600 + 1;
}

static void
client_auth_that_is_none (struct session *s)
{
  s->client_auth = DTLS_CLIENT_AUTH_REQUIRED + 1;
}

static void
chain_cut_short (struct session *s)
{
  s->chain.left--;
}

static void
empty_certificate (struct session *s)
{
  static const uint8_t empty[] = { 0, 0, 0 };

  s->chain = TAP_BYTES (empty);
}

static const struct broken_row broken_rows[] = {
  { "a suite that we do not speak", suite_that_we_do_not_speak },
  { "a suite of another version", suite_of_another_version },
  { "an external key without an identity", external_key_without_identity },
  { "an external key of a long identity", external_key_of_a_long_identity },
  { "an external key and a chain", external_key_and_a_chain },
  { "an external key with a suite of certificates", external_key_of_another_suite },
  { "an external key in 1.3", external_key_in_13 },
  { "no version", version_that_is_none },
  { "a secret of another hash's length", secret_of_another_hash },
  { "no secret", no_secret },
  { "extended master secret in 1.3", extended_master_secret_in_13 },
  { "no extended master secret in 1.2", no_extended_master_secret_in_12 },
  { "a master secret of 32 bytes", short_master_secret },
  { "an ID of 33 bytes", id_of_33_bytes },
  { "more than seven days", more_than_seven_days },
  { "a policy that is none", client_auth_that_is_none },
  { "a chain that is cut short", chain_cut_short },
  { "an empty certificate", empty_certificate },
};

static bool
is_zero (const struct session *session)
{
  static const struct session zero = { .version = 0 };

  return memcmp (session, &zero, sizeof zero) == 0;
}

static void
test_rules (void)
{
  for (size_t i = 0; i < TAP_N (broken_rows); i++)
    {
      struct session session = session_13 (), out;
      struct written written;

      tap_set_row (broken_rows[i].name);
      broken_rows[i].break_it (&session);
      CHECK (!session_read (write_session (&session, &written), &out));
      CHECK (is_zero (&out));
    }
  tap_set_row (NULL);
}

/* Every bit of magic and format. */
static void
test_another_format (void)
{
  struct session session = session_13 (), out;
  struct written written;
  struct bytes bytes = write_session (&session, &written);

  for (size_t bit = 0; bit < 8 * 5; bit++)
    {
      written.at[bit / 8] ^= (uint8_t) (1 << bit % 8);
      CHECK (!session_read (bytes, &out));
      written.at[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
  CHECK (session_read (bytes, &out));
}

/* A copy that ends where its allocation ends. What is read is what is written again. */
static unsigned
try_bytes (struct bytes bytes)
{
  uint8_t *copy = malloc (bytes.left > 0 ? bytes.left : 1);
  uint8_t out[4096];
  struct writer w = writer_over (out, sizeof out);
  struct session session;
  bool is_read;

  if (copy == NULL)
    abort ();
  memcpy (copy, bytes.at, bytes.left);
  is_read = session_read ((struct bytes){ copy, bytes.left }, &session);
  if (is_read)
    {
      session_write (&w, &session);
      CHECK_BYTES (writer_bytes (&w), ((struct bytes){ copy, bytes.left }));
    }
  else
    CHECK (is_zero (&session));
  free (copy);

  return is_read;
}

static void
test_garbage (void)
{
  struct session session = session_13 ();
  struct written written;
  struct bytes bytes = write_session (&session, &written);
  uint64_t seed = 4;
  unsigned n_read = 0;

  for (unsigned i = 0; i < 200000; i++)
    {
      struct written spoiled = written;
      unsigned n = 1 + random_below (&seed, 4);

      while (n-- > 0)
        spoiled.at[random_below (&seed, (uint32_t) bytes.left)] = (uint8_t) random_next (&seed);
      n_read += try_bytes ((struct bytes){ spoiled.at, bytes.left });
    }
  /* Most of it is opaque; so some are read, and some are not. */
  CHECK (n_read > 0 && n_read < 200000);

  for (unsigned i = 0; i < 20000; i++)
    {
      uint8_t noise[256];
      size_t len = random_below (&seed, sizeof noise);

      for (size_t at = 0; at < len; at++)
        noise[at] = (uint8_t) random_next (&seed);
      CHECK (!try_bytes ((struct bytes){ noise, len }));
    }
}

/* 65535 bytes are read, and one more is not; nor does a vector of 2^16 bytes fit its prefix. */
static void
test_length_is_bounded (void)
{
  static uint8_t body[65536], out[70000];
  struct session session = session_13 (), again;
  size_t longest;

  session.ticket.left = 0;
  longest = DTLS_MAX_SESSION_LEN - session_len (&session);
  for (size_t len = longest - 1; len <= 65536; len++)
    {
      struct writer w = writer_over (out, sizeof out);

      session.ticket = (struct bytes){ body, len };
      session_write (&w, &session);
      CHECK_UINT (writer_ok (&w), len < 65536);
      CHECK_UINT (session_read (writer_bytes (&w), &again), len <= longest);
    }
}

static void
test_chain (void)
{
  const struct bytes items[] = { TAP_STRING ("leaf"), TAP_STRING ("issuer") };
  struct der_list list = { NULL, 0 }, again = { NULL, 0 };
  uint8_t out[64];
  struct writer w = writer_over (out, sizeof out);
  struct bytes bytes;

  CHECK (der_list_copy (&list, items, TAP_N (items)));
  session_chain_write (&w, &list);
  bytes = writer_bytes (&w);
  CHECK_UINT (bytes.left, 16);
  CHECK_UINT (session_chain_len (&list), 16);
  CHECK (session_chain_read (bytes, &again));
  if (CHECK_UINT (again.n, 2))
    {
      CHECK_BYTES (again.items[0], items[0]);
      CHECK_BYTES (again.items[1], items[1]);
    }

  /* What is refused replaces nothing. */
  for (size_t len = 1; len < bytes.left; len++)
    CHECK_UINT (session_chain_read ((struct bytes){ out, len }, &list), len == 7);
  CHECK_UINT (list.n, 1);
  CHECK (session_chain_read ((struct bytes){ NULL, 0 }, &again));
  CHECK_UINT (again.n, 0);
  CHECK_UINT (session_chain_len (&again), 0);
  der_list_clear (&list);
  der_list_clear (&again);
}

struct fresh_row
{
  const char *name;
  uint64_t made;
  uint64_t received;
  uint32_t lifetime;
  uint64_t now;
  bool is_fresh;
};

/* clang-format off */
static const struct fresh_row fresh_rows[] = {
  { "at once",                        DAY, DAY,      3600,          DAY,                true },
  { "a microsecond before its end",   DAY, DAY,      3600,          DAY + HOUR - 1,     true },
  { "at its end",                     DAY, DAY,      3600,          DAY + HOUR,         false },
  { "without a lifetime",             DAY, DAY,      0,             DAY,                false },
  { "the clock went back",            DAY, DAY,      3600,          DAY - 1,            false },
  { "back to before it was renewed",  DAY, 2 * DAY,  3600,          2 * DAY - 1,        false },
  { "renewed",                        DAY, 7 * DAY,  2 * 24 * 3600, 8 * DAY - 1,        true },
  { "renewed for more than 7 days",   DAY, 7 * DAY,  2 * 24 * 3600, 8 * DAY,            false },
  { "longest",                        0,   0,        7 * 24 * 3600, 7 * DAY - 1,        true },
  { "at the end of all time",         0,   0,        7 * 24 * 3600, UINT64_MAX,         false },
};
/* clang-format on */

static void
test_freshness (void)
{
  for (size_t i = 0; i < TAP_N (fresh_rows); i++)
    {
      const struct fresh_row *row = &fresh_rows[i];
      struct session session = session_13 ();

      tap_set_row (row->name);
      session.made = row->made;
      session.received = row->received;
      session.lifetime = row->lifetime;
      CHECK_UINT (session_is_fresh (&session, row->now), row->is_fresh);
    }
  tap_set_row (NULL);
}

static const struct tap_test tests[] = {
  { "/handshake/session/is-read-as-it-was-written", test_round_trip },
  { "/handshake/session/what-breaks-a-rule-is-not-read", test_rules },
  { "/handshake/session/another-format-is-not-read", test_another_format },
  { "/handshake/session/garbage-is-refused-or-read-as-it-is", test_garbage },
  { "/handshake/session/has-less-than-2-to-the-16-bytes", test_length_is_bounded },
  { "/handshake/session/chain-is-read-as-it-was-written", test_chain },
  { "/handshake/session/fresh-for-its-lifetime-and-for-seven-days", test_freshness },
};

TAP_MAIN (tests)
