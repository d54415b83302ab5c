/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The key schedule against RFC 9846 §7, written down a second time: the vectors below come from a script of
 * thirty lines on Python's hmac and hashlib, with HKDF and HkdfLabel spelled out and the prefix "dtls13". A
 * run that begins with n stands for n, n + 1, n + 2, ...; inputs are such runs, as long as the hash: the
 * pre-shared key from 1, the shared secret (always 32 bytes) from 0x40, and the hashes of the transcript from
 * 0x80 (hello without binders), 0x90 (to ServerHello), 0xa0 (to the server's Finished) and 0xb0 (to the
 * client's). The first vector of SHA-256 is also the early secret of RFC 8448 §3. */

#include "crypto/hex.h"
#include "crypto/kdf.h"
#include "crypto/lent.h"
#include "handshake/schedule13.h"

struct vectors
{
  enum hash hash;
  const char *early_without_psk;
  const char *early;
  const char *external_binder;
  const char *resumption_binder;
  const char *client_handshake;
  const char *server_handshake;
  const char *server_finished; /* over the transcript to ServerHello */
  const char *client_traffic;
  const char *server_traffic;
  const char *exporter;
  const char *resumption;
  const char *next_client_traffic;
  const char *ticket_psk;               /* of the nonce 00 01 */
  const char *exported;                 /* 70 bytes for EXPORTER-moat-test and "context" */
  const char *exported_without_context; /* the same for an empty one */
  /* Of the client's first traffic secret, for keys of 16 and 32 bytes. */
  const char *key_16; /* (nullable) no suite of SHA-384 has such */
  const char *number_key_16;
  const char *key_32;
  const char *number_key_32;
  const char *iv;
};

static const struct vectors sha256 = {
  .hash = HASH_SHA256,
  .early_without_psk = "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a",
  .early = "23499e7edf0fbe6baa137df0f23becaefa722ad19fc262855409de8cd8b3c897",
  .external_binder = "dc0e6fa7a13314373fe0485fdcbb16f70fb7bd2a62bbc21979f41750b57e1ba6",
  .resumption_binder = "171cb079ee7a6fb42c7530a62360e859a6175f9d60de13e5da0be7c5ca624f7d",
  .client_handshake = "ba7ce8e4499f91800182e3687191c283ab69e879ea567c53bab53494fa163b9b",
  .server_handshake = "28d8f6f287c71b618719e2cd28c04cb5fb55837af8201d83166c8b4ec11e037f",
  .server_finished = "67f153b366ec83ad2265bd5f6b8d88be9ed578c1f60dc66ad84a69d9f1435768",
  .client_traffic = "c3c25a684c766bac8a5a4b6b50e02ffd65a9490dd027a987a1940b2e309f0719",
  .server_traffic = "77dcf836ad44a9d2f28e5f1937f5002d9445acb86e5a7c00270036e343983c55",
  .exporter = "9a9b75b8d78f5a9751aeea7d7f2f49e8c09737cd5f337bda3db8ef349f3a6057",
  .resumption = "f8132f1eaf8acb9ea0e1e20151e88ee0116faeef800aaf954ef0ae30083a718e",
  .next_client_traffic = "80103ff9da5fe7f85e542a695111d32e2aa1a2c013efec47ee24656c3800316d",
  .ticket_psk = "01e470efdd5541085ba0d81949ba7368816f579173db05bc5cf6c642d8c4b23f",
  .exported = "bd7102c6a4c8bfdc27ccf99134c8db59e634543d507c04a37750e4c59dcd606360a04f60e2cea286"
              "1a5523346f261d71da55c11fb90eaab008fda92a1fbbdda72b90674de359",
  .exported_without_context =
      "f79979ff72dbd351c5ae0a9332ebdd98451e3ae265b6c9a036063a6ac6660e17786c046fde9ecdc4"
      "68ba75eb9b5c7062d6535d939097207cdcfb864db8170ac12704061384fa",
  .key_16 = "411db2242d9fc88c9446f8bd761b7b2c",
  .number_key_16 = "9156601247a59a06acc145b2d4a1389c",
  .key_32 = "73bd98e0adbd5a207a31c452971f8eaef9d59c9199e3d0f3b482e99bdebb79ec",
  .number_key_32 = "cc00168e3628689365442b957545aa12afe22283e3adfa71fe56406037eb1e2a",
  .iv = "192919c1f882c5a5292ec2c4",
};

static const struct vectors sha384 = {
  .hash = HASH_SHA384,
  .early_without_psk =
      "7ee8206f5570023e6dc7519eb1073bc4e791ad37b5c382aa10ba18e2357e716971f9362f2c2fe2a7"
      "6bfd78dfec4ea9b5",
  .early = "e64174c689bb335160bd24e716e8b2280fd85bf5277d32840aa09af4872a6bfb91d02569cafaa7f3"
           "dddfec54b791287a",
  .external_binder =
      "7cc50f8dcb9996f535dfcaf827fd86a0bccf1998850bbc67185bb660b4ac30d4d5ecf6c17a2ff423"
      "72b4f4eae6c47d33",
  .resumption_binder =
      "6982a0c35a62815b594b04a7b43f8505d2cbbcbd46ea60a5daaae61e253686a8b2803bfda890a99b"
      "b5bf33dc943fc661",
  .client_handshake =
      "1c559a2e564b1eef77d9e40c2546982428354a80fdd081cd6ab0d739427447d29b62ffb575f81c93"
      "9319d3f415984cc0",
  .server_handshake =
      "b92d3527f09b50d24e08627306a324d2700af30fcd7480e30c09fa8e16719cee11e44faa98042b56"
      "b56042c392ba311d",
  .server_finished =
      "a1affc2db5a2a0540958523c11b7417276d9aeba71ab67eb4f9e751bb961c603e9066c35f2554d63"
      "43ff8dce2dc39046",
  .client_traffic =
      "11a95358721468004c7e94dc136912dff21c419b415c80dd430e07b6a07c2b59605a75160e4f55a0"
      "23d6e78d86e46319",
  .server_traffic =
      "a82193bba1673fdc0c4113a7c09caea45c275c1212b15f92a2eeba9c119228a73aeb1df1b17885ca"
      "de85d60208f96a4c",
  .exporter = "af2f98e1cc690304c02099282c5543b4d0e3600341a7b174cd25d483bd5b7bea28e5efca1acf5feb"
              "1872348cd3568424",
  .resumption = "4f4ed41ab01da9d1c5fdb03c5bc1d45ebc69476faee4f206276a38aac1a2e82cd2264699f8a18ed6"
                "121003a9ab759ec7",
  .next_client_traffic =
      "10cd6986f2a7640fce9023960953e0a586824d8737825d6256dfe34a9d888609e270483017d4699f"
      "c75baa292a75681d",
  .ticket_psk = "1b2814cc2b86f66230eeab10fe323ccceb76cdcf5a03c40b85f96878b32dc49acebc7954738ac7c3"
                "d77278ac19f00452",
  .exported = "6cd21fc2b037a164aa762486cd010aab1d97cdf017778f0936efd7d62db2ce0d075b1a799c466c66"
              "0fbe18d5f52fd3252ab2928ca477f2bcf9559dbd292a1dc211d63474fe1b",
  .exported_without_context =
      "8e4a6b3882ddb28d3c24707fdcf4e87a81aff3cf7c19f153421092f164f248405206df27e90f6de1"
      "59fdd3a2274d6ffb5a684135fe0fa5f72b6486f606884d769a9757862163",
  .key_32 = "29c1b3fbfbed1afe743ee7dd2205a9de358cdcab4171045ec71a00301e814ea1",
  .number_key_32 = "5a45022d6ae5c3a4fc31589acc4ddeb901027f782bcf06fb5ce1834eddcf1d56",
  .iv = "fd424b1de6199e8033a62a5a",
};

enum
{
  TO_HELLO = 0x80,
  TO_SERVER_HELLO = 0x90,
  TO_SERVER_FINISHED = 0xa0,
  TO_CLIENT_FINISHED = 0xb0,
};

struct run
{
  uint8_t at[MAX_HASH_LEN];
};

static struct run
run_from (unsigned first)
{
  struct run run;

  for (size_t i = 0; i < sizeof run.at; i++)
    run.at[i] = (uint8_t) (first + i);
  return run;
}

static bool
is_hex (const uint8_t *got, size_t len, const char *expected)
{
  struct hex place;

  return CHECK_BYTES (((struct bytes){ got, len }), hex_read (&place, expected));
}

static void
begin (const struct vectors *v, struct schedule13 *schedule)
{
  const struct run psk = run_from (1);

  CHECK (
      schedule13_begin (crypto, v->hash, (struct bytes){ psk.at, hash_len (v->hash) }, schedule));
}

static void
begin_handshake (const struct vectors *v, struct schedule13 *schedule)
{
  const struct run shared = run_from (0x40), transcript = run_from (TO_SERVER_HELLO);

  begin (v, schedule);
  CHECK (schedule13_handshake (crypto, schedule, (struct bytes){ shared.at, 32 }, transcript.at));
}

static void
come_to_the_end (const struct vectors *v, struct association *known)
{
  const struct run to_server = run_from (TO_SERVER_FINISHED);
  const struct run to_client = run_from (TO_CLIENT_FINISHED);
  struct schedule13 schedule;

  begin_handshake (v, &schedule);
  CHECK (schedule13_master (crypto, &schedule, to_server.at, known));
  CHECK (schedule13_resumption (crypto, &schedule, to_client.at, known));
}

static const struct vectors *const both[] = { &sha256, &sha384 };

static void
test_early (void)
{
  for (size_t i = 0; i < TAP_N (both); i++)
    {
      const size_t len = hash_len (both[i]->hash);
      struct schedule13 schedule;

      CHECK (schedule13_begin (crypto, both[i]->hash, (struct bytes){ NULL, 0 }, &schedule));
      is_hex (schedule.secret, len, both[i]->early_without_psk);
      begin (both[i], &schedule);
      is_hex (schedule.secret, len, both[i]->early);
      CHECK_UINT (schedule.hash, both[i]->hash);
    }
}

static void
test_binders (void)
{
  const struct run transcript = run_from (TO_HELLO);
  const struct binder_input external = { true, transcript.at };
  const struct binder_input resumption = { false, transcript.at };

  for (size_t i = 0; i < TAP_N (both); i++)
    {
      const size_t len = hash_len (both[i]->hash);
      struct schedule13 schedule;
      uint8_t binder[MAX_HASH_LEN];

      begin (both[i], &schedule);
      CHECK (schedule13_binder (crypto, &schedule, &external, binder));
      is_hex (binder, len, both[i]->external_binder);
      CHECK (schedule13_binder (crypto, &schedule, &resumption, binder));
      is_hex (binder, len, both[i]->resumption_binder);
      /* It stays where it was. */
      is_hex (schedule.secret, len, both[i]->early);
    }
}

static void
test_handshake (void)
{
  const struct run transcript = run_from (TO_SERVER_HELLO);

  for (size_t i = 0; i < TAP_N (both); i++)
    {
      const size_t len = hash_len (both[i]->hash);
      struct schedule13 schedule;
      uint8_t verify_data[MAX_HASH_LEN];

      begin_handshake (both[i], &schedule);
      is_hex (schedule.client_handshake, len, both[i]->client_handshake);
      is_hex (schedule.server_handshake, len, both[i]->server_handshake);
      CHECK (schedule13_finished (crypto, both[i]->hash, schedule.server_handshake, transcript.at,
                                  verify_data));
      is_hex (verify_data, len, both[i]->server_finished);
    }
}

static void
test_application (void)
{
  for (size_t i = 0; i < TAP_N (both); i++)
    {
      const size_t len = hash_len (both[i]->hash);
      struct association known = { .version = VERSION_DTLS_1_3 };

      come_to_the_end (both[i], &known);
      is_hex (known.client_traffic, len, both[i]->client_traffic);
      is_hex (known.server_traffic, len, both[i]->server_traffic);
      is_hex (known.exporter_secret, len, both[i]->exporter);
      is_hex (known.resumption_secret, len, both[i]->resumption);
    }
}

static void
test_update (void)
{
  for (size_t i = 0; i < TAP_N (both); i++)
    {
      struct association known = { .version = VERSION_DTLS_1_3 };

      come_to_the_end (both[i], &known);
      CHECK (schedule13_update (crypto, both[i]->hash, known.client_traffic));
      is_hex (known.client_traffic, hash_len (both[i]->hash), both[i]->next_client_traffic);
    }
}

struct key_row
{
  uint16_t suite;
  const struct vectors *vectors;
  size_t key_len;
};

static const struct key_row key_rows[] = {
  { SUITE_AES_128_GCM_SHA256, &sha256, 16 },
  { SUITE_AES_256_GCM_SHA384, &sha384, 32 },
  { SUITE_CHACHA20_POLY1305_SHA256, &sha256, 32 },
  { SUITE_AES_128_CCM_SHA256, &sha256, 16 },
};

/* RFC 9147 §4.2.3: the key for record numbers is as long as the other. */
static void
test_traffic_keys (void)
{
  for (size_t i = 0; i < TAP_N (key_rows); i++)
    {
      const struct suite *suite = suite_find (key_rows[i].suite);
      const struct vectors *v = key_rows[i].vectors;
      const size_t len = key_rows[i].key_len;
      struct association known = { .version = VERSION_DTLS_1_3 };
      struct traffic_keys keys;

      tap_set_row (suite_name (key_rows[i].suite));
      come_to_the_end (v, &known);
      CHECK (schedule13_traffic_keys (crypto, suite, known.client_traffic, &keys));
      CHECK_UINT (keys.algorithm, suite->aead);
      is_hex (keys.key, len, len == 16 ? v->key_16 : v->key_32);
      is_hex (keys.number_key, len, len == 16 ? v->number_key_16 : v->number_key_32);
      is_hex (keys.iv, sizeof keys.iv, v->iv);
      for (size_t at = len; at < sizeof keys.key; at++)
        CHECK (keys.key[at] == 0 && keys.number_key[at] == 0);
    }
  tap_set_row (NULL);
}

static void
test_tickets (void)
{
  static const uint8_t nonce[] = { 0, 1 };

  for (size_t i = 0; i < TAP_N (both); i++)
    {
      const size_t len = hash_len (both[i]->hash);
      struct association known = { .version = VERSION_DTLS_1_3 };
      uint8_t psk[MAX_HASH_LEN], other[MAX_HASH_LEN];

      come_to_the_end (both[i], &known);
      CHECK (schedule13_ticket_psk (crypto, both[i]->hash, &known, TAP_BYTES (nonce), psk));
      is_hex (psk, len, both[i]->ticket_psk);
      CHECK (
          schedule13_ticket_psk (crypto, both[i]->hash, &known, (struct bytes){ nonce, 1 }, other));
      CHECK (memcmp (psk, other, len) != 0);
    }
}

static void
test_export (void)
{
  const struct export_input with = { TAP_STRING ("EXPORTER-moat-test"), TAP_STRING ("context") };
  const struct export_input without = { TAP_STRING ("EXPORTER-moat-test"), { NULL, 0 } };

  for (size_t i = 0; i < TAP_N (both); i++)
    {
      struct association known = { .version = VERSION_DTLS_1_3 };
      uint8_t memory[72] = { 0x5a };
      struct dtls_buffer out = { memory, 71, 1 };

      come_to_the_end (both[i], &known);
      CHECK (schedule13_export (crypto, both[i]->hash, &known, &with, &out));
      CHECK_UINT (out.used, 71);
      is_hex (memory + 1, 70, both[i]->exported);
      out.used = 1;
      CHECK (schedule13_export (crypto, both[i]->hash, &known, &without, &out));
      is_hex (memory + 1, 70, both[i]->exported_without_context);
      CHECK_UINT (memory[0], 0x5a);
      CHECK_UINT (memory[71], 0);
    }
}

/* RFC 5869 §2.3 and RFC 9846 §7.1 bound what can be asked for. */
static void
test_export_is_bounded (void)
{
  static uint8_t memory[255 * 32 + 1], label[MAX_EXPAND_LABEL_LEN + 1];
  const struct export_input inputs[] = {
    { TAP_STRING ("label"), { NULL, 0 } },
    { { NULL, 0 }, { NULL, 0 } },
    { TAP_BYTES (label), { NULL, 0 } },
    { { label, MAX_EXPAND_LABEL_LEN }, { NULL, 0 } },
  };
  static const bool fits[] = { true, true, false, true };
  struct association known = { .version = VERSION_DTLS_1_3 };
  struct dtls_buffer out = { memory, sizeof memory, 0 };

  come_to_the_end (&sha256, &known);
  CHECK (!schedule13_export (crypto, HASH_SHA256, &known, &inputs[0], &out));
  CHECK_UINT (out.used, 0);
  for (size_t i = 0; i < TAP_N (inputs); i++)
    {
      out = (struct dtls_buffer){ memory, 255 * 32, 0 };
      CHECK_UINT (schedule13_export (crypto, HASH_SHA256, &known, &inputs[i], &out), fits[i]);
      CHECK_UINT (out.used, fits[i] ? 255 * 32 : 0);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/schedule13/early-secret-with-and-without-a-key", test_early },
  { "/handshake/schedule13/binders-of-the-two-kinds-of-keys-differ", test_binders },
  { "/handshake/schedule13/handshake-secrets-and-finished", test_handshake },
  { "/handshake/schedule13/application-secrets", test_application },
  { "/handshake/schedule13/update-replaces-a-traffic-secret", test_update },
  { "/handshake/schedule13/traffic-keys-of-every-suite", test_traffic_keys },
  { "/handshake/schedule13/each-nonce-gives-a-ticket-its-own-key", test_tickets },
  { "/handshake/schedule13/exporter-without-a-context-is-with-an-empty-one", test_export },
  { "/handshake/schedule13/exporter-is-bounded", test_export_is_bounded },
};

LENT_MAIN (tests)
