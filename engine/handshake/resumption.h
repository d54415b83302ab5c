/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* What decides at a server whether a session resumes, in both versions. */

#pragma once

#include "handshake/machine.h"

/* To `handshake->session_bytes`, in place of what was there. False if it is no ticket of ours. */
bool resumption_open (struct handshake *handshake, struct bytes ticket);
/* Whether `handshake->session` may, by all that is known without the credential. An external key that began
 * it is judged by itself. */
bool resumption_may (const struct handshake *handshake, uint16_t version);
/* SHA-256 of our leaf, which a session of certificates is bound to. False if we have none. */
bool resumption_hash_leaf (const struct handshake *handshake, uint8_t out[32]);
