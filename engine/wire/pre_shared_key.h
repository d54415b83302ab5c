/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* OfferedPsks, the body of the extension pre_shared_key in a ClientHello, RFC 9846 §4.3.11. The one
 * in a ServerHello is an index alone: see selected_read in wire/extensions.h. */

#pragma once

#include "wire/reader.h"
#include "wire/writer.h"

struct offered_psks
{
  struct bytes identities;
  struct bytes binders;
  size_t n; /* of each, at least one */
  /* With the length before them. They end the hello, as the extension is its last: without these
   * bytes it is what binders are computed over, RFC 9846 §4.3.11.2. */
  size_t binders_len;
};

struct offered_psk
{
  struct bytes identity;   /* 1 to 2^16-1 bytes */
  uint32_t obfuscated_age; /* RFC 9846 §4.3.11.1; 0 if it is no ticket */
  struct bytes binder;     /* 1 to 255 bytes; what verifies has 32 or 48 */
};

/* READ_ILLEGAL if there are not as many binders as identities. */
enum read_result offered_psks_read (struct bytes body, struct offered_psks *psks) DTLS_MUST_CHECK;
/* Takes the next one, with its binder, off what offered_psks_read gave; false at the end. */
bool offered_psks_next (struct offered_psks *psks, struct offered_psk *out_psk);

/* Binders are zeros of the lengths given. Returns where their list begins: once every length around
 * it is patched, what the writer holds up to there is what they are computed over. */
size_t offered_psks_write (struct writer *writer, const struct offered_psk *psks, size_t n);
/* Puts a binder of the length given before in place of the zeros. `binders` is what
 * offered_psks_write returned. */
void offered_psks_patch (struct writer *writer, size_t binders, size_t index, struct bytes binder);
