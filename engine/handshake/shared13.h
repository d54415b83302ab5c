/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What both machines of DTLS 1.3 do alike, in protocol order:
 *
 *   secrets            shared13_begin, shared13_to_handshake, shared13_to_application,
 *                      shared13_to_resumption
 *   record_size_limit  shared13_take_record_size_limit
 *   Certificate        shared13_take_certificate, shared13_send_certificate
 *   CertificateVerify  shared13_check_certificate_verify, shared13_sign,
 *                      shared13_send_certificate_verify
 *   Finished           shared13_check_finished, shared13_send_finished
 *
 * None of them moves to another state. */

#pragma once

#include "handshake/machine.h"

/* RFC 9846 §7.1, each from the one before. Call them where the transcript ends as said. */

/* The early secret, from `handshake->psk` (or none) by the hash of `handshake->suite`. */
enum dtls_error shared13_begin (struct handshake *handshake) DTLS_MUST_CHECK;
/* The transcript ends with ServerHello: the traffic secrets of epoch 2, to `handshake->schedule`, and
 * their lines of the key log. `shared` is what the key shares gave. */
enum dtls_error shared13_to_handshake (struct handshake *handshake,
                                       struct bytes shared) DTLS_MUST_CHECK;
/* It ends with the server's Finished: the traffic secrets of epoch 3 and the exporter secret, to
 * `handshake->known`, and their lines. */
enum dtls_error shared13_to_application (struct handshake *handshake) DTLS_MUST_CHECK;
/* It ends with the client's Finished: the resumption secret, to `handshake->known`. */
enum dtls_error shared13_to_resumption (struct handshake *handshake) DTLS_MUST_CHECK;

/* The peer's limit, which in 1.3 counts the content type too: `known->write_limit` is one less, and
 * `peer_has_record_size_limit` is set. `known->read_limit` is for the caller, who knows what we sent.
 */
enum dtls_error shared13_take_record_size_limit (struct handshake *handshake,
                                                 struct bytes body) DTLS_MUST_CHECK;

/* Keeps the peer's chain, with the leaf's key imported, from a message whose request context must be
 * empty, as it is within a handshake, and that may have no extensions, as we ask for none. An empty
 * list leaves `handshake->peer->chain` empty: whether that may be is for the caller. A leaf that may
 * not sign, or whose key is none of ours, is refused here. */
enum dtls_error shared13_take_certificate (struct handshake *handshake,
                                           struct bytes message) DTLS_MUST_CHECK;
/* The chain of `handshake->credential`, or an empty list without one. */
enum dtls_error shared13_send_certificate (struct handshake *handshake,
                                           struct effects *effects) DTLS_MUST_CHECK;

/* The peer's; what of OWES_KEY_EXCHANGE_SIGNATURE or OWES_CERTIFICATE_VERIFY was owed is paid. */
enum dtls_error shared13_check_certificate_verify (struct handshake *handshake,
                                                   struct bytes message) DTLS_MUST_CHECK;
/* Ours, by `handshake->signing.scheme`, which handshake_choose_scheme chose; the transcript ends with
 * our Certificate. It is made, or asked for (then `handshake->wait` is DTLS_WAIT_SIGNATURE); nothing
 * once it is there. */
enum dtls_error shared13_sign (struct handshake *handshake,
                               struct effects *effects) DTLS_MUST_CHECK;
/* With the signature that is then there. */
enum dtls_error shared13_send_certificate_verify (struct handshake *handshake,
                                                  struct effects *effects) DTLS_MUST_CHECK;

/* The peer's, with the traffic secret of epoch 2; OWES_FINISHED is paid. */
enum dtls_error shared13_check_finished (struct handshake *handshake,
                                         struct bytes message) DTLS_MUST_CHECK;
enum dtls_error shared13_send_finished (struct handshake *handshake,
                                        struct effects *effects) DTLS_MUST_CHECK;
