/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Exporters, channel bindings and the key log, each held against libcrypto's own word for what the RFC describes. */

#include "same.h"
#include "sealed.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>

/* Both randoms, from the hellos on the wire, and the client's protected record. */
struct witness
{
  uint8_t randoms[2][RANDOM_LEN];
  uint8_t finished[256]; /* the record */
  size_t finished_len;
};

static bool
watch (struct witness *witness, enum dtls_role from, unsigned index, struct bytes datagram)
{
  const size_t random_at = RECORD_HEADER_LEN + FRAGMENT_HEADER_LEN + 2;
  struct reader reader = reader_over (datagram);
  struct record_header header;

  if (index == 0)
    memcpy (witness->randoms[from], datagram.at + random_at, RANDOM_LEN);
  while (from == DTLS_CLIENT && reader.left > 0)
    {
      const uint8_t *start = reader.at;

      if (!CHECK (record_header_read (&reader, &header)))
        return true;
      read_bytes (&reader, header.len);
      if (header.epoch == 1 && witness->finished_len == 0)
        {
          witness->finished_len = RECORD_HEADER_LEN + (size_t) header.len;
          memcpy (witness->finished, start, witness->finished_len);
        }
    }
  return true;
}

static bool
watch_client (void *data, unsigned index, struct bytes datagram)
{
  return watch (data, DTLS_CLIENT, index, datagram);
}

static bool
watch_server (void *data, unsigned index, struct bytes datagram)
{
  return watch (data, DTLS_SERVER, index, datagram);
}

static void
connect_before (struct pair *pair, const char *server, uint16_t suite, struct witness *witness)
{
  static uint16_t only;

  only = suite;
  *witness = (struct witness){ .finished_len = 0 };
  pair_init (pair, pki_identity (server), NULL);
  pair->sides[DTLS_SERVER].config.suites = &only;
  pair->sides[DTLS_SERVER].config.n_suites = 1;
  pair->links[DTLS_CLIENT].lets_through = watch_client;
  pair->links[DTLS_SERVER].lets_through = watch_server;
  pair->links[DTLS_CLIENT].lets_through_data = witness;
  pair->links[DTLS_SERVER].lets_through_data = witness;
  CHECK (pair_handshake (pair));
}

/* RFC 9850 §2.1: CLIENT_RANDOM, 32 bytes and the master secret's 48 in hexadecimal. */
static bool
read_keylog (const char *line, uint8_t random[RANDOM_LEN], uint8_t secret[MASTER_SECRET_LEN])
{
  const size_t len = 14 + 2 * RANDOM_LEN + 1 + 2 * MASTER_SECRET_LEN;

  if (!CHECK_UINT (strlen (line), len) || !CHECK (memcmp (line, "CLIENT_RANDOM ", 14) == 0)
      || !CHECK (line[14 + 2 * RANDOM_LEN] == ' '))
    return false;

  for (size_t i = 0; i < RANDOM_LEN + MASTER_SECRET_LEN; i++)
    {
      const char *at = line + 14 + 2 * i + (i >= RANDOM_LEN);
      char digits[3] = { at[0], at[1], 0 };
      uint8_t byte = (uint8_t) strtoul (digits, NULL, 16);

      CHECK (strspn (digits, "0123456789abcdef") == 2);
      if (i < RANDOM_LEN)
        random[i] = byte;
      else
        secret[i - RANDOM_LEN] = byte;
    }
  return true;
}

/* RFC 5246 §5 by libcrypto. */
static void
libcrypto_prf (const char *digest, const uint8_t *secret, struct bytes seed, uint8_t *out,
               size_t len)
{
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, "TLS1-PRF", NULL);
  EVP_KDF_CTX *ctx = EVP_KDF_CTX_new (kdf);
  char name[16];
  uint8_t key[MASTER_SECRET_LEN], seed_copy[512];
  OSSL_PARAM params[4];

  snprintf (name, sizeof name, "%s", digest);
  memcpy (key, secret, sizeof key);
  memcpy (seed_copy, seed.at, seed.left);
  params[0] = OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, name, 0);
  params[1] = OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SECRET, key, sizeof key);
  params[2] = OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SEED, seed_copy, seed.left);
  params[3] = OSSL_PARAM_construct_end ();
  CHECK (EVP_KDF_derive (ctx, out, len, params) == 1);
  EVP_KDF_CTX_free (ctx);
  EVP_KDF_free (kdf);
}

/* ---------------------------------------------------------------------------------- exporters */

struct export_row
{
  const char *name;
  const char *label;
  bool has_context;
  struct bytes context;
};

/* clang-format off */
static const struct export_row export_rows[] = {
  { "no context",    "EXTRACTOR-dtls_srtp",           false, { NULL, 0 } },
  { "empty context", "EXTRACTOR-dtls_srtp",           true,  { NULL, 0 } },
  { "a context",     "EXPORTER_DTLS_OVER_SCTP",       true,  TAP_STRING ("context") },
  { "RFC 9266",      "EXPORTER-Channel-Binding",      true,  { NULL, 0 } },
};
/* clang-format on */

/* RFC 5705 §4: label, both randoms, and a context with its length if there is one. */
static void
check_export (const struct pair *pair, const struct witness *witness, const char *digest,
              const struct export_row *row)
{
  uint8_t seed_memory[512], expected[100], got[100], random[RANDOM_LEN];
  uint8_t secret[MASTER_SECRET_LEN];
  struct writer seed = writer_over (seed_memory, sizeof seed_memory);
  struct bytes label = { (const uint8_t *) row->label, strlen (row->label) };

  if (!read_keylog (pair->sides[DTLS_CLIENT].keylog, random, secret))
    return;
  write_bytes (&seed, label.at, label.left);
  write_bytes (&seed, witness->randoms[DTLS_CLIENT], RANDOM_LEN);
  write_bytes (&seed, witness->randoms[DTLS_SERVER], RANDOM_LEN);
  if (row->has_context)
    write_vec (&seed, row->context, 2);
  libcrypto_prf (digest, secret, writer_bytes (&seed), expected, sizeof expected);

  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_UINT (dtls_conn_export (pair->sides[i].conn, label,
                                    row->has_context ? &row->context : NULL, got, sizeof got),
                  DTLS_OK);
      CHECK_BYTES (TAP_BYTES (got), TAP_BYTES (expected));
    }
}

static void
test_exporters (void)
{
  for (size_t i = 0; i < TAP_N (export_rows); i++)
    for (unsigned is_384 = 0; is_384 < 2; is_384++)
      {
        struct witness witness;
        struct pair pair;

        tap_set_row (export_rows[i].name);
        connect_before (&pair, "server-ecdsa",
                        is_384 ? SUITE_ECDHE_ECDSA_AES_256_GCM_SHA384
                               : SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256,
                        &witness);
        check_export (&pair, &witness, is_384 ? "SHA384" : "SHA256", &export_rows[i]);
        PAIR_END (&pair);
      }
  tap_set_row (NULL);
}

static void
test_export_is_refused (void)
{
  static const char *const reserved[] = { "client finished", "server finished", "master secret",
                                          "extended master secret", "key expansion" };
  static uint8_t long_context[65536];
  struct bytes too_long = TAP_BYTES (long_context), fits = { long_context, 65535 };
  struct bytes label = TAP_STRING ("EXPORTER-x");
  uint8_t out[32];
  struct pair pair;
  struct dtls_conn *client;

  pair_init (&pair, pki_identity ("server-ecdsa"), NULL);
  pair_start (&pair);
  client = pair.sides[DTLS_CLIENT].conn;
  CHECK_UINT (dtls_conn_export (client, label, NULL, out, sizeof out), DTLS_ERROR_NOT_CONNECTED);
  CHECK_UINT (dtls_conn_tls_unique (client, out), 0);
  CHECK_UINT (dtls_conn_server_end_point (client, out), 0);
  CHECK (pair_handshake (&pair));

  for (size_t i = 0; i < TAP_N (reserved); i++)
    CHECK_UINT (dtls_conn_export (
                    client, (struct bytes){ (const uint8_t *) reserved[i], strlen (reserved[i]) },
                    NULL, out, sizeof out),
                DTLS_ERROR_CONFIG);
  CHECK_UINT (dtls_conn_export (client, label, &too_long, out, sizeof out), DTLS_ERROR_CONFIG);
  CHECK_UINT (dtls_conn_export (client, label, &fits, out, sizeof out), DTLS_OK);
  PAIR_END (&pair);
}

/* ---------------------------------------------------------------------------------- channel bindings */

/* RFC 5929 §3.1: the first Finished, which is the client's; here as it stood in its record. */
static void
test_tls_unique (void)
{
  struct witness witness;
  struct pair pair;
  struct epoch_read epoch;
  struct record record;
  struct opened opened;
  uint8_t unique[2][12];
  uint8_t *at = witness.finished;
  size_t left;

  connect_before (&pair, "server-ecdsa", SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, &witness);
  left = witness.finished_len;
  CHECK (
      epoch_read_init (&epoch, pki_crypto (), 1, &pair.sides[DTLS_SERVER].conn->read.epoch.keys));
  if (CHECK_UINT (record_split (&at, &left, &record), DTLS_DROP_NONE)
      && CHECK_UINT (record_open (&epoch, &record, &opened), DTLS_DROP_NONE)
      && CHECK_UINT (opened.len, FRAGMENT_HEADER_LEN + 12))
    for (unsigned i = 0; i < 2; i++)
      {
        CHECK_UINT (dtls_conn_tls_unique (pair.sides[i].conn, unique[i]), 12);
        CHECK_BYTES (TAP_BYTES (unique[i]),
                     ((struct bytes){ opened.at + FRAGMENT_HEADER_LEN, 12 }));
      }
  epoch_read_clear (&epoch);
  PAIR_END (&pair);
}

/* RFC 5929 §4.1: all our leaves are signed with SHA-256. */
static void
test_server_end_point (void)
{
  static const char *const servers[] = { "server-ecdsa", "server-p384", "server-ed25519" };

  for (size_t i = 0; i < TAP_N (servers); i++)
    {
      struct bytes leaf = pki_identity (servers[i])->chain[0];
      struct witness witness;
      struct pair pair;
      uint8_t expected[32], got[64];

      connect_before (&pair, servers[i], SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, &witness);
      CHECK (EVP_Q_digest (NULL, "SHA256", NULL, leaf.at, leaf.left, expected, NULL) == 1);
      for (unsigned side = 0; side < 2; side++)
        {
          CHECK_UINT (dtls_conn_server_end_point (pair.sides[side].conn, got), 32);
          CHECK_BYTES (((struct bytes){ got, 32 }), TAP_BYTES (expected));
        }
      PAIR_END (&pair);
    }
}

/* ---------------------------------------------------------------------------------- the key log */

static void
test_key_log (void)
{
  struct witness witness;
  struct pair pair;
  uint8_t random[RANDOM_LEN], secret[MASTER_SECRET_LEN];

  connect_before (&pair, "server-ecdsa", SUITE_ECDHE_ECDSA_AES_128_GCM_SHA256, &witness);
  for (unsigned i = 0; i < 2; i++)
    {
      CHECK_UINT (pair.sides[i].n_keylog, 1);
      if (!read_keylog (pair.sides[i].keylog, random, secret))
        continue;
      CHECK_BYTES (TAP_BYTES (random), TAP_BYTES (witness.randoms[DTLS_CLIENT]));
      CHECK_BYTES (TAP_BYTES (secret), TAP_BYTES (pair.sides[i].conn->known.master_secret));
    }
  PAIR_END (&pair);
}

static const struct tap_test tests[] = {
  { "/conn/exporter/is-rfc-5705-by-libcrypto-on-both-sides", test_exporters },
  { "/conn/exporter/refuses-reserved-labels-long-contexts-and-early-calls",
    test_export_is_refused },
  { "/conn/exporter/tls-unique-is-the-clients-finished", test_tls_unique },
  { "/conn/exporter/server-end-point-is-the-hash-of-the-leaf", test_server_end_point },
  { "/conn/exporter/key-log-has-one-line-of-rfc-9850", test_key_log },
};

TAP_MAIN (tests)
