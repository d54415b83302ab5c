/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Every handshake message so far, as the signatures and Finished of 1.2 cover them: with the DTLS
 * header of a message that was never fragmented (RFC 6347 §4.2.6). The bytes are kept, not a
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
};

bool transcript_add (struct transcript *transcript, const struct message *message) DTLS_MUST_CHECK;
/* Forgets everything: RFC 6347 §4.2.1, the first ClientHello and the HelloVerifyRequest are not
 * covered. */
void transcript_restart (struct transcript *transcript);
void transcript_clear (struct transcript *transcript);
struct bytes transcript_bytes (const struct transcript *transcript);
bool transcript_hash (const struct transcript *transcript, struct dtls_crypto *crypto,
                      enum hash hash, uint8_t *out) DTLS_MUST_CHECK;
