/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* Certificate, CertificateRequest and CertificateVerify of (D)TLS 1.2, RFC 5246 §7.4.2, §7.4.4,
 * §7.4.8. */

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
/* Takes the next Name off a list that certificate_request_read has checked; false at its end. */
bool authority_next (struct bytes *authorities, struct bytes *out_name);

struct certificate_verify
{
  uint16_t scheme;
  struct bytes signature;
};

bool certificate_verify_read (struct bytes message,
                              struct certificate_verify *verify) DTLS_MUST_CHECK;
void certificate_verify_write (struct writer *writer, const struct certificate_verify *verify);
