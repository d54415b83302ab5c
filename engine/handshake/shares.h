/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The key shares of a client's hello, RFC 9846 §4.3.8. */

#pragma once

#include "handshake/machine.h"

/* Those of the first hello, by the configuration; `hello_len` is its length without any. */
enum dtls_error shares_add (struct handshake *handshake, size_t hello_len) DTLS_MUST_CHECK;
/* A fresh one of this group instead of those that there are. */
enum dtls_error shares_replace (struct handshake *handshake, uint16_t group) DTLS_MUST_CHECK;
void shares_drop (struct handshake *handshake);
/* NULL if there is none of this group. */
struct key_share *shares_find (const struct handshake *handshake, uint16_t group);
/* What shares_write writes, in bytes. */
size_t shares_len (const struct handshake *handshake);
/* The body of key_share. */
void shares_write (const struct handshake *handshake, struct writer *writer);
