/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Certificate and CertificateRequest of (D)TLS 1.2, RFC 5246 §7.4.2 and §7.4.4, and of 1.3,
 * RFC 9846 §4.5.1 and §4.4.2; CertificateVerify, RFC 5246 §7.4.8 and RFC 9846 §4.5.2, which is the
 * same in both. */

#pragma once

#include "wire/codepoints.h"
#include "wire/reader.h"
#include "wire/writer.h"

/* Checks the whole list (each entry 1 to 2^24-1 bytes) and counts it. `out_list` is the list's
 * contents, for certificate_next. */
bool certificate_read (struct bytes message, struct bytes *out_list, size_t *out_n) DTLS_MUST_CHECK;
/* Takes the next certificate off the list; false at its end. */
bool certificate_next (struct bytes *list, struct bytes *out_der);
void certificate_write (struct writer *writer, const struct bytes *chain, size_t n_chain);
/* What certificate_write will write, in bytes. */
size_t certificate_len (const struct bytes *chain, size_t n_chain);

/* RFC 9846 §4.5.1. */
struct certificate_13
{
  struct bytes context; /* 0 to 255 bytes */
  struct bytes entries; /* see certificate_entry_next; may be empty */
  size_t n;
};

struct certificate_entry
{
  struct bytes der;        /* at least one byte */
  struct bytes extensions; /* a block, see extensions_read */
};

/* Checks the whole list, but not the extensions in it, and counts it. */
bool certificate_13_read (struct bytes message, struct certificate_13 *certificate) DTLS_MUST_CHECK;
/* Takes the next entry off the list; false at its end. */
bool certificate_entry_next (struct bytes *entries, struct certificate_entry *out_entry);
/* No extensions with any certificate. */
void certificate_13_write (struct writer *writer, struct bytes context, const struct bytes *chain,
                           size_t n_chain);
/* What certificate_13_write will write, in bytes. */
size_t certificate_13_len (struct bytes context, const struct bytes *chain, size_t n_chain);

struct certificate_request
{
  struct bytes types;   /* ClientCertificateType, at least one */
  struct bytes schemes; /* pairs, at least one; see u16_list_at */
  struct bytes
      authorities; /* DER Names, each with a two-byte length; see authority_next; may be empty */
};

bool certificate_request_read (struct bytes message,
                               struct certificate_request *request) DTLS_MUST_CHECK;
/* `authorities` are written from the array given. */
void certificate_request_write (struct writer *writer, const struct certificate_request *request,
                                const struct bytes *authorities, size_t n_authorities);
/* Takes the next Name off a list that certificate_request_read or certificate_authorities_read has
 * checked; false at its end. */
bool authority_next (struct bytes *authorities, struct bytes *out_name);

/* RFC 9846 §4.4.2. */
struct certificate_request_13
{
  struct bytes context;    /* 0 to 255 bytes */
  struct bytes extensions; /* a block, see extensions_read */
};

bool certificate_request_13_read (struct bytes message,
                                  struct certificate_request_13 *request) DTLS_MUST_CHECK;
/* Extensions follow, in place as the Names in them may be long; then extension_block_end with what
 * it returned. */
size_t certificate_request_13_begin (struct writer *writer, struct bytes context);

/* The extension certificate_authorities (RFC 9846 §4.3.4), 1.3's place for the Names: at least one,
 * none empty. */
bool certificate_authorities_read (struct bytes body,
                                   struct bytes *out_authorities) DTLS_MUST_CHECK;
void certificate_authorities_write (struct writer *writer, const struct bytes *authorities,
                                    size_t n_authorities);

struct certificate_verify
{
  uint16_t scheme;
  struct bytes signature;
};

bool certificate_verify_read (struct bytes message,
                              struct certificate_verify *verify) DTLS_MUST_CHECK;
void certificate_verify_write (struct writer *writer, const struct certificate_verify *verify);
