/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every handshake message so far, as signatures and Finished cover them: in 1.2 with the DTLS header of
 * a message that was never fragmented (RFC 6347 §4.2.6), in 1.3 with type and length alone (RFC 9147
 * §5.2). It begins as 1.2's, since a client does not know yet. The bytes are kept, not a
 * running hash: a CertificateVerify may use another hash than the suite, and Ed25519 signs the
 * bytes themselves. */

#pragma once

#include "crypto/digest.h"
#include "flight/reassembly.h"

struct transcript
{
  uint8_t *at; /* (owned) */
  size_t used;
  size_t capacity;
  bool is_13;
};

bool transcript_add (struct transcript *transcript, const struct message *message) DTLS_MUST_CHECK;
/* Forgets everything: RFC 6347 §4.2.1, the first ClientHello and the HelloVerifyRequest are not
 * covered. */
void transcript_restart (struct transcript *transcript);
/* From here on it is 1.3's; what is there loses the headers that 1.3 does not cover. */
void transcript_use_13 (struct transcript *transcript);
/* RFC 9846 §4.1 (message_hash): what is there, one ClientHello, becomes the hash of it. */
bool transcript_retry (struct transcript *transcript, struct dtls_crypto *crypto,
                       enum hash hash) DTLS_MUST_CHECK;
/* The same with the hash of a ClientHello that was not kept. */
bool transcript_retry_from (struct transcript *transcript, struct bytes hash) DTLS_MUST_CHECK;
void transcript_clear (struct transcript *transcript);
struct bytes transcript_bytes (const struct transcript *transcript);
/* 1.3: of what is there and then the beginning of a message of `type` and `message_len` bytes, as
 * binders cover it. */
struct partial_message
{
  uint8_t type;
  size_t message_len;
  struct bytes beginning;
};

bool transcript_hash_with (const struct transcript *transcript, struct dtls_crypto *crypto,
                           enum hash hash, const struct partial_message *partial,
                           uint8_t *out) DTLS_MUST_CHECK;
bool transcript_hash (const struct transcript *transcript, struct dtls_crypto *crypto,
                      enum hash hash, uint8_t *out) DTLS_MUST_CHECK;
