/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What a client takes of a server's answers, in either version: each checked against what it
 * offered. */

#pragma once

#include "handshake/machine.h"

/* The body of ALPN: one name, and one of ours. */
enum dtls_error reply_take_protocol (struct handshake *handshake,
                                     struct bytes body) DTLS_MUST_CHECK;
/* The body of use_srtp: one profile, one of ours, and the MKI that we sent, which is none. */
enum dtls_error reply_take_srtp_profile (struct handshake *handshake,
                                         struct bytes body) DTLS_MUST_CHECK;
/* The Names of a CertificateRequest, well-formed; see authority_next. */
enum dtls_error reply_take_authorities (struct handshake *handshake,
                                        struct bytes authorities) DTLS_MUST_CHECK;
