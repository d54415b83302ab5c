/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The steps that both sides share, against what RFC 9846 says and not against themselves. */

#include "crypto/kdf.h"
#include "handshake/authenticate.h"
#include "handshake/talk13.h"
#include "wire/certificates.h"

/* Two sides that have the handshake's secrets. */
static void
begin (struct talk *talk)
{
  talk_init (talk);
  CHECK_UINT (talk_begin (talk), DTLS_OK);
  CHECK_UINT (talk_hello (talk, &(struct answer){ .suite = 0 }), DTLS_OK);
  CHECK_UINT (talk_extensions (talk, (struct bytes){ NULL, 0 }), DTLS_OK);
}

/* RFC 9846 §4.5.2: 64 spaces, the context, a zero, the transcript's hash. */
static void
test_signature (void)
{
  static const struct
  {
    enum dtls_role role;
    const char *identity;
    const char *context;
  } rows[] = {
    { DTLS_SERVER, "server-ecdsa", "TLS 1.3, server CertificateVerify" },
    { DTLS_CLIENT, "client-ecdsa", "TLS 1.3, client CertificateVerify" },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      const struct identity *identity = pki_identity (rows[i].identity);
      uint8_t expected[64 + 33 + 1 + 32];
      struct talk_side *side;
      struct talk talk;

      begin (&talk);
      side = rows[i].role == DTLS_CLIENT ? &talk.client : &talk.server;
      side->h->credential = &identity->keyless; /* so that the input is handed out */
      side->h->signing.scheme = SIG_ECDSA_SECP256R1_SHA256;
      CHECK_UINT (shared13_sign (side->h, &side->effects), DTLS_OK);
      CHECK_UINT (side->h->wait, DTLS_WAIT_SIGNATURE);

      memset (expected, 0x20, 64);
      memcpy (expected + 64, rows[i].context, 34);
      CHECK (hash_once (pki_crypto (), HASH_SHA256, transcript_bytes (&side->h->transcript),
                        expected + 98));
      CHECK_BYTES (((struct bytes){ side->h->signing.input, side->h->signing.input_len }),
                   TAP_BYTES (expected));
      talk_clear (&talk);
    }
}

/* A signature of one side is not good as the other's: the contexts keep them apart. */
static void
test_reflection (void)
{
  uint8_t body[4 + MAX_SIGNATURE_LEN];
  struct writer w = writer_over (body, sizeof body);
  struct certificate_verify verify = { .scheme = SIG_ECDSA_SECP256R1_SHA256 };
  const struct identity *identity = pki_identity ("client-ecdsa");
  struct signing *signing;
  struct talk talk;

  begin (&talk);
  talk.client.h->credential = &identity->whole;
  signing = &talk.client.h->signing;
  signing->scheme = verify.scheme;
  CHECK_UINT (shared13_sign (talk.client.h, &talk.client.effects), DTLS_OK);
  verify.signature = (struct bytes){ signing->signature, signing->signature_len };
  certificate_verify_write (&w, &verify);

  CHECK (der_list_copy (&talk.client.peer.chain, identity->chain, 1));
  CHECK (der_list_copy (&talk.server.peer.chain, identity->chain, 1));
  CHECK_UINT (authenticate_take_leaf (talk.client.h), DTLS_OK);
  CHECK_UINT (authenticate_take_leaf (talk.server.h), DTLS_OK);
  CHECK_UINT (shared13_check_certificate_verify (talk.server.h, writer_bytes (&w)), DTLS_OK);
  CHECK_UINT (shared13_check_certificate_verify (talk.client.h, writer_bytes (&w)),
              DTLS_ERROR_BAD_SIGNATURE);
  talk_clear (&talk);
}

/* RFC 9846 §4.5.3: HMAC of the transcript's hash, by the key that the sender's secret expands to. */
static void
test_finished (void)
{
  for (unsigned role = 0; role < 2; role++)
    {
      uint8_t key[32], hash[32], expected[32];
      struct bytes part = TAP_BYTES (hash);
      struct hmac_input hmac = { TAP_BYTES (key), &part, 1 };
      struct expand_input expand = { .label = TAP_STRING ("finished") };
      struct talk_side *side;
      struct talk talk;

      begin (&talk);
      side = role == DTLS_CLIENT ? &talk.client : &talk.server;
      expand.secret = (struct bytes){ role == DTLS_CLIENT ? side->h->schedule.client_handshake
                                                          : side->h->schedule.server_handshake,
                                      32 };
      CHECK (hkdf_expand_label (pki_crypto (), HASH_SHA256, &expand, key, sizeof key));
      CHECK (hash_once (pki_crypto (), HASH_SHA256, transcript_bytes (&side->h->transcript), hash));
      CHECK (hmac_once (pki_crypto (), HASH_SHA256, &hmac, expected));
      CHECK_UINT (shared13_send_finished (side->h, &side->effects), DTLS_OK);
      CHECK_BYTES (side->effects.list[0].message.body, TAP_BYTES (expected));
      talk_clear (&talk);
    }
}

static void
test_record_size_limit (void)
{
  static const struct
  {
    struct bytes body;
    enum dtls_error expected;
    uint16_t write_limit;
  } rows[] = {
    { TAP_STRING ("\0\x40"), DTLS_OK, 63 },
    { TAP_STRING ("\x40\1"), DTLS_OK, 16384 },
    { TAP_STRING ("\x40\2"), DTLS_OK, 16384 },
    { TAP_STRING ("\0\x3f"), DTLS_ERROR_ILLEGAL_PARAMETER, 0 },
    { TAP_STRING ("\0\0"), DTLS_ERROR_ILLEGAL_PARAMETER, 0 },
    { TAP_STRING ("\0"), DTLS_ERROR_DECODE, 0 },
    { TAP_STRING ("\0\x40\0"), DTLS_ERROR_DECODE, 0 },
  };

  for (size_t i = 0; i < TAP_N (rows); i++)
    {
      struct talk talk;

      begin (&talk);
      CHECK_UINT (shared13_take_record_size_limit (talk.server.h, rows[i].body), rows[i].expected);
      CHECK_UINT (talk.server.known.write_limit, rows[i].write_limit);
      CHECK_UINT (talk.server.h->peer_has_record_size_limit, rows[i].expected == DTLS_OK);
      talk_clear (&talk);
    }
}

static const struct tap_test tests[] = {
  { "/handshake/shared13/certificate-verify/signs-spaces-context-and-hash", test_signature },
  { "/handshake/shared13/certificate-verify/of-one-side-is-none-of-the-other", test_reflection },
  { "/handshake/shared13/finished/is-the-hmac-of-the-transcript", test_finished },
  { "/handshake/shared13/record-size-limit/counts-the-content-type", test_record_size_limit },
};

TAP_MAIN (tests)
