/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Pre-shared keys in DTLS 1.2: the rows of both tables that only they have, in protocol order. Plain PSK
 * (RFC 4279 §2) proves that the peer has the key; ECDHE_PSK (RFC 5489) keeps what was said secret from
 * whoever gets the key later. There are no certificates; the Finished proves everything. */

#pragma once

#include "handshake/machine.h"

/* The suite that was agreed is one of them: certificates and their signatures are no longer owed. */
void psk12_begin (struct handshake *handshake);
/* What a session of this key is bound to. It tells nobody more of the key than a guess can confirm. */
bool psk12_mark (struct dtls_crypto *crypto, struct bytes key, uint8_t out[32]) DTLS_MUST_CHECK;

/* Server: the ServerKeyExchange; nothing where there is none. */
enum dtls_error psk12_send_parameters (struct handshake *handshake,
                                       struct effects *effects) DTLS_MUST_CHECK;
/* Client: WAIT_PSK_PARAMETERS, WAIT_PSK_HINT_OR_DONE. */
enum dtls_error psk12_on_parameters (struct handshake *handshake, const struct message *message,
                                     struct effects *effects) DTLS_MUST_CHECK;
enum dtls_error psk12_on_hint (struct handshake *handshake, const struct message *message,
                               struct effects *effects) DTLS_MUST_CHECK;

/* Client: the ClientKeyExchange, and the keys. */
enum dtls_error psk12_send_identity (struct handshake *handshake,
                                     struct effects *effects) DTLS_MUST_CHECK;
/* Server: WAIT_PSK_IDENTITY, ANSWERING_PSK_IDENTITY (asks for the key), ANSWERING_PSK (has the answer).
 */
enum dtls_error psk12_on_identity (struct handshake *handshake, const struct message *message,
                                   struct effects *effects) DTLS_MUST_CHECK;
enum dtls_error psk12_ask (struct handshake *handshake, const struct message *message,
                           struct effects *effects) DTLS_MUST_CHECK;
enum dtls_error psk12_derive (struct handshake *handshake, const struct message *message,
                              struct effects *effects) DTLS_MUST_CHECK;
