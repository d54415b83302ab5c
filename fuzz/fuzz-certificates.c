/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The bodies of Certificate and CertificateRequest of both versions, and of CertificateVerify. */

#include "fuzz.h"

#include "wire/certificates.h"
#include "wire/extensions.h"

static void
try_certificate (struct bytes message, struct writer writer)
{
  struct bytes list;
  struct bytes der;
  size_t body;
  size_t n;

  if (!certificate_read (message, &list, &n))
    return;

  body = write_vec_begin (&writer, 3);
  for (; certificate_next (&list, &der); n--)
    {
      fuzz_check (der.left > 0);
      write_vec (&writer, der, 3);
    }
  write_vec_end (&writer, body, 3);

  fuzz_check (n == 0 && list.left == 0);
  fuzz_check_same (&writer, message);
}

static void
try_certificate_13 (struct bytes message, struct writer writer)
{
  struct certificate_13 certificate;
  struct certificate_entry entry;
  size_t list;

  if (!certificate_13_read (message, &certificate))
    return;

  write_vec (&writer, certificate.context, 1);
  list = write_vec_begin (&writer, 3);
  for (; certificate_entry_next (&certificate.entries, &entry); certificate.n--)
    {
      fuzz_check (entry.der.left > 0);
      write_vec (&writer, entry.der, 3);
      write_vec (&writer, entry.extensions, 2);
    }
  write_vec_end (&writer, list, 3);

  fuzz_check (certificate.n == 0 && certificate.entries.left == 0);
  fuzz_check_same (&writer, message);
}

static void
try_authorities (struct bytes body, struct writer writer)
{
  struct bytes authorities;
  struct bytes name;
  size_t list;

  if (!certificate_authorities_read (body, &authorities))
    return;

  fuzz_check (authorities.left > 0);
  list = write_vec_begin (&writer, 2);
  while (authority_next (&authorities, &name))
    {
      fuzz_check (name.left > 0);
      write_vec (&writer, name, 2);
    }
  write_vec_end (&writer, list, 2);
  fuzz_check_same (&writer, body);
}

static void
try_certificate_request_13 (struct bytes message, struct writer writer)
{
  struct certificate_request_13 request;
  struct extensions found;
  struct writer first = writer;
  size_t block;

  if (!certificate_request_13_read (message, &request))
    return;

  block = certificate_request_13_begin (&writer, request.context);
  write_bytes (&writer, request.extensions.at, request.extensions.left);
  extension_block_end (&writer, block);
  fuzz_check_same (&writer, message);

  if (extensions_read (request.extensions, IN_CERTIFICATE_REQUEST_13, &found) == EXTENSIONS_OK
      && found.has[FOUND_CERTIFICATE_AUTHORITIES])
    try_authorities (found.body[FOUND_CERTIFICATE_AUTHORITIES], first);
}

static void
try_certificate_request (struct bytes message, struct writer writer)
{
  struct certificate_request request;
  struct bytes name;
  size_t list;

  if (!certificate_request_read (message, &request))
    return;

  fuzz_check (request.types.left > 0 && request.schemes.left > 0 && request.schemes.left % 2 == 0);
  write_vec (&writer, request.types, 1);
  write_vec (&writer, request.schemes, 2);
  list = write_vec_begin (&writer, 2);
  while (authority_next (&request.authorities, &name))
    {
      fuzz_check (name.left > 0);
      write_vec (&writer, name, 2);
    }
  write_vec_end (&writer, list, 2);

  fuzz_check_same (&writer, message);
}

static void
try_certificate_verify (struct bytes message, struct writer writer)
{
  struct certificate_verify verify;

  if (!certificate_verify_read (message, &verify))
    return;

  certificate_verify_write (&writer, &verify);
  fuzz_check_same (&writer, message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static void (*const codecs[]) (struct bytes, struct writer) = {
    try_certificate, try_certificate_13,    try_certificate_request, try_certificate_request_13,
    try_authorities, try_certificate_verify
  };

  return fuzz_codecs (codecs, sizeof codecs / sizeof codecs[0], (struct bytes){ data, size });
}
