/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The PRF against the vectors that the TLS working group passed around for want of any in RFC 5246,
 * and against libcrypto's own. HKDF against RFC 5869's vectors, and its labels against RFC 8448's
 * traces and a computation of their own. */

#include "crypto/kdf.h"

#include "crypto/hex.h"
#include "crypto/lent.h"
#include "dtls.h"
#include "heap.h"
#include "tap.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

struct prf_case
{
  enum hash hash;
  const char *secret;
  const char *seed;
  const char *expected;
};

static const struct prf_case cases[] = {
  { HASH_SHA256, "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
    "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
    "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab"
    "4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
    "87347b66" },
  { HASH_SHA384, "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
    "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cd"
    "e9ca0faa60be9fe34f82b1233c9146a0e534cb400fed2700884f9dc236f80edd"
    "8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425"
    "9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee6"
    "91c8f3a26854308d5eaa3be85e0990703d73e56f" },
  { HASH_SHA512, "b0323523c1853599584d88568bbb05eb", "d4640e12e4bcdbfb437f03e6ae418ee5",
    "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283"
    "042df6789875c7147e906d868bc75c45e20eb40c1cf4a1713b27371f68432592"
    "f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fe"
    "c702f054b409d6f28dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9"
    "f6b9826675bec7d01a845658dc9c397545401d40b9f46c7a400ee1b8f81ca0a6"
    "0d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e6"
    "40d4d898" },
};

static void
test_vectors (void)
{
  for (size_t i = 0; i < TAP_N (cases); i++)
    {
      struct hex secret, seed, expected_place;
      struct bytes expected = hex_read (&expected_place, cases[i].expected);
      const struct prf_input input = {
        .secret = hex_read (&secret, cases[i].secret),
        .label = TAP_STRING ("test label"),
        .seeds = { hex_read (&seed, cases[i].seed) },
      };
      uint8_t out[MAX_HEX_LEN];

      tap_set_row (cases[i].secret);
      /* Every length is a prefix of the longest, and not a byte more is written. */
      for (size_t len = 0; len <= expected.left; len++)
        {
          memset (out, 0xa5, sizeof out);
          CHECK (prf (crypto, cases[i].hash, &input, out, len));
          CHECK (memcmp (out, expected.at, len) == 0);
          CHECK_UINT (out[len], 0xa5);
        }
    }
}

/* However one seed is cut into three, it is the same. */
static void
test_seeds (void)
{
  struct hex secret, seed_place, expected;
  struct bytes seed = hex_read (&seed_place, cases[0].seed);

  hex_read (&expected, cases[0].expected);
  for (size_t a = 0; a <= seed.left; a++)
    for (size_t b = a; b <= seed.left; b++)
      {
        const struct prf_input input = {
          .secret = hex_read (&secret, cases[0].secret),
          .label = TAP_STRING ("test label"),
          .seeds = { { seed.at, a }, { seed.at + a, b - a }, { seed.at + b, seed.left - b } },
        };
        uint8_t out[48];

        CHECK (prf (crypto, HASH_SHA256, &input, out, sizeof out));
        CHECK (memcmp (out, expected.at, sizeof out) == 0);
      }
}

static void
test_empty (void)
{
  const struct prf_input input = { .label = { NULL, 0 } };
  uint8_t out[40], again[40];

  CHECK (prf (crypto, HASH_SHA256, &input, out, sizeof out));
  CHECK (prf (crypto, HASH_SHA256, &input, again, sizeof again));
  CHECK (memcmp (out, again, sizeof out) == 0);
}

static bool
prf_of_libcrypto (uint8_t *secret, size_t secret_len, uint8_t *seed, size_t seed_len, uint8_t *out,
                  size_t out_len)
{
  char hash[] = "SHA2-384";
  const OSSL_PARAM params[] = {
    OSSL_PARAM_construct_utf8_string (OSSL_KDF_PARAM_DIGEST, hash, 0),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SECRET, secret, secret_len),
    OSSL_PARAM_construct_octet_string (OSSL_KDF_PARAM_SEED, seed, seed_len),
    OSSL_PARAM_construct_end (),
  };
  EVP_KDF *kdf = EVP_KDF_fetch (NULL, "TLS1-PRF", NULL);
  EVP_KDF_CTX *ctx = EVP_KDF_CTX_new (kdf);
  bool is_done = EVP_KDF_derive (ctx, out, out_len, params) == 1;

  EVP_KDF_CTX_free (ctx);
  EVP_KDF_free (kdf);
  return is_done;
}

/* A secret longer than a block of the hash, and seeds of every length up to libcrypto's limit. */
static void
test_against_libcrypto (void)
{
  static uint8_t secret[200], seed[1024];

  for (size_t i = 0; i < sizeof secret; i++)
    secret[i] = (uint8_t) (i * 7);
  for (size_t i = 0; i < sizeof seed; i++)
    seed[i] = (uint8_t) (i * 5 + 1);

  for (size_t len = 1; len <= sizeof seed; len += 31)
    {
      const struct prf_input input = { .secret = TAP_BYTES (secret), .label = { seed, len } };
      uint8_t ours[104], theirs[104];

      CHECK (prf (crypto, HASH_SHA384, &input, ours, sizeof ours));
      CHECK (prf_of_libcrypto (secret, sizeof secret, seed, len, theirs, sizeof theirs));
      CHECK (memcmp (ours, theirs, sizeof ours) == 0);
    }
}

/* RFC 5705 §4: an exporter's context may have 2^16 - 1 bytes. */
static void
test_long_seed (void)
{
  static uint8_t context[UINT16_MAX];
  const struct prf_input input = { .secret = TAP_STRING ("secret"),
                                   .label = TAP_STRING ("EXPERIMENTAL"),
                                   .seeds = { TAP_BYTES (context) } };
  uint8_t with_zero[32], with_one[32];

  CHECK (prf (crypto, HASH_SHA256, &input, with_zero, sizeof with_zero));
  context[sizeof context - 1] = 1;
  CHECK (prf (crypto, HASH_SHA256, &input, with_one, sizeof with_one));
  CHECK (memcmp (with_zero, with_one, sizeof with_one) != 0);
}

/* ------------------------------------------------------------------------------------ HKDF */

struct hkdf_case
{
  const char *secret;
  const char *salt;
  const char *info;
  const char *extracted;
  const char *expanded;
};

#define BYTES_0B "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"

/* RFC 5869 appendix A.1 to A.3, those with SHA-256; the last has an empty salt. */
static const struct hkdf_case hkdf_cases[] = {
  { BYTES_0B, "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
    "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    "34007208d5b887185865" },
  { "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
    "404142434445464748494a4b4c4d4e4f",
    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
    "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
    "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
    "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
    "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
    "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
  { BYTES_0B, "", "", "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    "9d201395faa4b61a96c8" },
};

static void
test_hkdf_vectors (void)
{
  for (size_t i = 0; i < TAP_N (hkdf_cases); i++)
    {
      const struct hkdf_case *c = &hkdf_cases[i];
      struct hex secret, salt, info, extracted_place, expanded_place;
      struct bytes extracted = hex_read (&extracted_place, c->extracted);
      struct bytes expanded = hex_read (&expanded_place, c->expanded);
      const struct hkdf_input input = { extracted, hex_read (&info, c->info) };
      uint8_t out[MAX_HEX_LEN];

      tap_set_row (c->extracted);
      CHECK (hkdf_extract (crypto, HASH_SHA256, hex_read (&salt, c->salt),
                           hex_read (&secret, c->secret), out));
      CHECK_BYTES (((struct bytes){ out, 32 }), extracted);

      /* Every length is a prefix of the longest, and not a byte more is written. */
      for (size_t len = 0; len <= expanded.left; len++)
        {
          memset (out, 0xa5, sizeof out);
          CHECK (hkdf_expand (crypto, HASH_SHA256, &input, out, len));
          CHECK (memcmp (out, expanded.at, len) == 0);
          CHECK_UINT (out[len], 0xa5);
        }
    }
}

/* RFC 9846 §7.1: "0" is a string of Hash.length bytes set to zero. */
static void
test_extract_of_zeros (void)
{
  static const uint8_t zeros[MAX_HASH_LEN];
  static const enum hash hashes[] = { HASH_SHA256, HASH_SHA384, HASH_SHA512 };
  const struct bytes none = { NULL, 0 };
  struct hex early;
  uint8_t out[MAX_HASH_LEN], expected[MAX_HASH_LEN];

  /* RFC 8448 §3: the early secret without a PSK */
  CHECK (hkdf_extract (crypto, HASH_SHA256, none, none, out));
  CHECK_BYTES (
      ((struct bytes){ out, 32 }),
      hex_read (&early, "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"));

  for (size_t i = 0; i < TAP_N (hashes); i++)
    {
      const struct bytes zero = { zeros, hash_len (hashes[i]) };

      memset (out, 0xa5, sizeof out);
      CHECK (hkdf_extract (crypto, hashes[i], none, none, out));
      CHECK (hkdf_extract (crypto, hashes[i], zero, zero, expected));
      CHECK (memcmp (out, expected, zero.left) == 0);
      CHECK (zero.left == sizeof out || out[zero.left] == 0xa5);
    }
}

struct label_case
{
  const char *secret;
  const char *label;
  const char *context;
  const char *info;
  const char *expanded;
};

/* RFC 8448 §3: of the server's handshake secrets */
static const struct label_case label_cases[] = {
  { "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a", "derived",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "0020 0d 746c7331332064657269766564"
    "20 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba" },
  { "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac", "s hs traffic",
    "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8",
    "0020 12 746c73313320732068732074726166666963"
    "20 860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8",
    "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38" },
  { "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38", "key", "",
    "0010 09 746c733133206b6579 00", "3fce516009c21727d0f2e4e86ee403bc" },
  { "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38", "iv", "",
    "000c 08 746c733133206976 00", "5d313eb2671276ee13000b30" },
};

struct label_memory
{
  uint8_t at[2 + 1 + 255 + 1 + 255];
};

/* RFC 9846 §7.1: HkdfLabel once more, not by the engine's writer. */
static struct bytes
label_by_hand (struct label_memory *memory, const char *prefix, const struct expand_input *input,
               size_t out_len)
{
  uint8_t *at = memory->at;

  *at++ = (uint8_t) (out_len / 256);
  *at++ = (uint8_t) (out_len % 256);
  *at++ = (uint8_t) (6 + input->label.left);
  memcpy (at, prefix, 6);
  memcpy (at + 6, input->label.at, input->label.left);
  at += 6 + input->label.left;
  *at++ = (uint8_t) input->context.left;
  memcpy (at, input->context.at, input->context.left);

  return (struct bytes){ memory->at, (size_t) (at - memory->at) + input->context.left };
}

/* RFC 5869 §2.3 once more, with libcrypto's HMAC. */
static void
expand_by_hand (const EVP_MD *md, struct bytes secret, struct bytes info, uint8_t *out,
                size_t out_len)
{
  uint8_t input[MAX_HASH_LEN + sizeof (struct label_memory) + 1];
  uint8_t block[MAX_HASH_LEN];
  size_t block_len = 0;

  for (uint8_t i = 1; out_len > 0; i++)
    {
      size_t n;

      memcpy (input, block, block_len);
      memcpy (input + block_len, info.at, info.left);
      input[block_len + info.left] = i;
      HMAC (md, secret.at, (int) secret.left, input, block_len + info.left + 1, block, NULL);
      block_len = (size_t) EVP_MD_get_size (md);

      n = out_len < block_len ? out_len : block_len;
      memcpy (out, block, n);
      out += n;
      out_len -= n;
    }
}

/* The traces are TLS's: what they show is that the two functions above are right, and hkdf_expand.
 */
static void
test_traces (void)
{
  for (size_t i = 0; i < TAP_N (label_cases); i++)
    {
      const struct label_case *c = &label_cases[i];
      struct hex secret, context, info_place, expanded_place;
      struct bytes info = hex_read (&info_place, c->info);
      struct bytes expanded = hex_read (&expanded_place, c->expanded);
      const struct expand_input input = { hex_read (&secret, c->secret),
                                          { (const uint8_t *) c->label, strlen (c->label) },
                                          hex_read (&context, c->context) };
      const struct hkdf_input expand = { input.secret, info };
      struct label_memory memory;
      uint8_t out[32];

      tap_set_row (c->label);
      CHECK_BYTES (label_by_hand (&memory, "tls13 ", &input, expanded.left), info);
      expand_by_hand (EVP_sha256 (), input.secret, info, out, expanded.left);
      CHECK_BYTES (((struct bytes){ out, expanded.left }), expanded);
      CHECK (hkdf_expand (crypto, HASH_SHA256, &expand, out, expanded.left));
      CHECK_BYTES (((struct bytes){ out, expanded.left }), expanded);

      /* RFC 9147 §5.9: DTLS never gets the same keys. */
      CHECK (hkdf_expand_label (crypto, HASH_SHA256, &input, out, expanded.left));
      CHECK (memcmp (out, expanded.at, expanded.left) != 0);
    }
}

static void
test_literal_label (void)
{
  const struct expand_input input = { TAP_STRING ("secret"), TAP_STRING ("sn"), { NULL, 0 } };
  const struct hkdf_input literal = { TAP_STRING ("secret"), TAP_STRING ("\x00\x10\x08"
                                                                         "dtls13sn\x00") };
  uint8_t out[16], expected[16];

  CHECK (hkdf_expand_label (crypto, HASH_SHA256, &input, out, sizeof out));
  CHECK (hkdf_expand (crypto, HASH_SHA256, &literal, expected, sizeof expected));
  CHECK_BYTES (TAP_BYTES (out), TAP_BYTES (expected));
}

static void
test_labels (void)
{
  static const size_t label_lens[] = { 1, 2, 12, 13, 100, 248, 249 };
  static const size_t context_lens[] = { 0, 1, 32, 48, 64, 254, 255 };
  static const size_t out_lens[] = { 1, 12, 32, 33, 48, 64, 65, 1000 };
  const EVP_MD *const mds[] = { EVP_sha256 (), EVP_sha384 (), EVP_sha512 () };
  uint8_t label[249], context[255], secret[48];

  memset (label, 'l', sizeof label);
  memset (context, 'c', sizeof context);
  memset (secret, 's', sizeof secret);

  for (size_t i = 0; i < TAP_N (label_lens) * TAP_N (context_lens) * TAP_N (out_lens); i++)
    for (int hash = HASH_SHA256; hash <= HASH_SHA512; hash++)
      {
        size_t label_len = label_lens[i % TAP_N (label_lens)];
        size_t context_len = context_lens[i / TAP_N (label_lens) % TAP_N (context_lens)];
        size_t len = out_lens[i / TAP_N (label_lens) / TAP_N (context_lens)];
        const struct expand_input input = { TAP_BYTES (secret),
                                            { label, label_len },
                                            { context, context_len } };
        struct label_memory memory;
        uint8_t out[1001], expected[1000];

        out[len] = 0xa5;
        CHECK (hkdf_expand_label (crypto, hash, &input, out, len));
        expand_by_hand (mds[hash], input.secret, label_by_hand (&memory, "dtls13", &input, len),
                        expected, len);
        CHECK (memcmp (out, expected, len) == 0);
        CHECK_UINT (out[len], 0xa5);
      }
}

/* Nothing is left in the output, nor written after it. */
static void
check_not_expanded (enum hash hash, const struct expand_input *input, size_t len)
{
  static uint8_t out[UINT16_MAX + 2];
  bool is_wiped = true;

  memset (out, 0xa5, sizeof out);
  CHECK (!hkdf_expand_label (crypto, hash, input, out, len));
  for (size_t i = 0; i < len; i++)
    is_wiped = is_wiped && out[i] == 0;
  CHECK (is_wiped);
  CHECK_UINT (out[len], 0xa5);
}

static void
test_limits (void)
{
  static uint8_t bytes[1 << 17], out[255 * 64];
  const struct bytes some = { bytes, 1 };
  static const size_t too_long_labels[] = { 250, 251, 255, 256, 1 << 16, 1 << 17 };
  static const size_t too_long_contexts[] = { 256, 257, 1 << 16, 1 << 17 };
  const struct expand_input good = { some, some, some };
  /* RFC 9846 §7.1 has label<7..255>, the prefix with it; BoringSSL exports under an empty one. */
  const struct expand_input no_label = { some, { bytes, 0 }, some };

  CHECK (hkdf_expand_label (crypto, HASH_SHA256, &no_label, out, 32));
  for (size_t i = 0; i < TAP_N (too_long_labels); i++)
    check_not_expanded (HASH_SHA256,
                        &(struct expand_input){ some, { bytes, too_long_labels[i] }, some }, 32);
  for (size_t i = 0; i < TAP_N (too_long_contexts); i++)
    check_not_expanded (HASH_SHA256,
                        &(struct expand_input){ some, some, { bytes, too_long_contexts[i] } }, 32);

  /* RFC 5869 §2.3: at most 255 times the hash's length. */
  for (int hash = HASH_SHA256; hash <= HASH_SHA512; hash++)
    {
      size_t most = 255 * hash_len (hash);

      CHECK (hkdf_expand_label (crypto, hash, &good, out, most));
      check_not_expanded (hash, &good, most + 1);
      check_not_expanded (hash, &good, UINT16_MAX + 1);
    }
}

/* The key schedule of a connection that lives long takes nothing that it does not give back, and
 * leaves no error behind. */
static void
test_heap (void)
{
  const struct expand_input input = { TAP_STRING ("secret"), TAP_STRING ("label"), { NULL, 0 } };
  static const uint8_t label[MAX_EXPAND_LABEL_LEN + 1];
  const struct expand_input too_long = { .label = { label, sizeof label } };
  uint8_t out[100];
  bool is_good = heap_is_counted ();
  size_t before;

  ERR_clear_error ();
  before = heap_reset ();
  for (int i = 0; i < 100; i++)
    {
      is_good &= hkdf_extract (crypto, HASH_SHA384, input.secret, input.label, out);
      is_good &= hkdf_expand_label (crypto, HASH_SHA384, &input, out, sizeof out);
      is_good &= !hkdf_expand_label (crypto, HASH_SHA384, &too_long, out, sizeof out);
    }
  CHECK (is_good);
  CHECK_UINT (heap.used, before);
  CHECK_UINT (ERR_peek_error (), 0);
}

static const struct tap_test tests[] = {
  { "/crypto/kdf/prf-gives-the-known-answers-at-every-length", test_vectors },
  { "/crypto/kdf/prf-joins-its-seeds", test_seeds },
  { "/crypto/kdf/prf-takes-nothing", test_empty },
  { "/crypto/kdf/prf-agrees-with-libcrypto", test_against_libcrypto },
  { "/crypto/kdf/prf-takes-a-long-context", test_long_seed },
  { "/crypto/kdf/hkdf-gives-the-known-answers-at-every-length", test_hkdf_vectors },
  { "/crypto/kdf/hkdf-extract-takes-nothing-for-zeros", test_extract_of_zeros },
  { "/crypto/kdf/hkdf-follows-the-traces", test_traces },
  { "/crypto/kdf/hkdf-label-is-dtls13-without-a-space", test_literal_label },
  { "/crypto/kdf/hkdf-label-is-what-it-is-by-hand", test_labels },
  { "/crypto/kdf/hkdf-label-refuses-other-lengths", test_limits },
  { "/crypto/kdf/hkdf-gives-the-heap-back", test_heap },
};

LENT_MAIN (tests)
