/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The three messages about certificates in (D)TLS 1.2. What a certificate holds is not known
 * here. */

#include "wire/certificates.h"

/* RFC 5246 §7.4.2: certificate_list<0..2^24-1> of ASN.1Cert<1..2^24-1>. */
bool
certificate_read (struct bytes message, struct bytes *out_list, size_t *out_n)
{
  struct reader reader = reader_over (message);
  struct bytes list = read_vec (&reader, 3);
  struct bytes der;

  if (!reader_done (&reader) || !vec_list_is_well_formed (list, 3))
    return false;

  *out_list = list;
  *out_n = 0;
  while (certificate_next (&list, &der))
    (*out_n)++;

  return true;
}

bool
certificate_next (struct bytes *list, struct bytes *out_der)
{
  return vec_list_next (list, 3, out_der);
}

void
certificate_write (struct writer *writer, const struct bytes *chain, size_t n_chain)
{
  size_t list = write_vec_begin (writer, 3);

  for (size_t i = 0; i < n_chain; i++)
    write_vec (writer, chain[i], 3);
  write_vec_end (writer, list, 3);
}

size_t
certificate_len (const struct bytes *chain, size_t n_chain)
{
  size_t len = 3;

  for (size_t i = 0; i < n_chain; i++)
    len += 3 + chain[i].left;

  return len;
}

/* RFC 5246 §7.4.4. */
bool
certificate_request_read (struct bytes message, struct certificate_request *request)
{
  struct reader reader = reader_over (message);

  request->types = read_vec (&reader, 1);
  request->schemes = read_vec (&reader, 2);
  request->authorities = read_vec (&reader, 2);

  return reader_done (&reader) && request->types.left > 0 && request->schemes.left > 0
         && request->schemes.left % 2 == 0 && vec_list_is_well_formed (request->authorities, 2);
}

void
certificate_request_write (struct writer *writer, const struct certificate_request *request,
                           const struct bytes *authorities, size_t n_authorities)
{
  size_t list;

  write_vec (writer, request->types, 1);
  write_vec (writer, request->schemes, 2);
  list = write_vec_begin (writer, 2);
  for (size_t i = 0; i < n_authorities; i++)
    write_vec (writer, authorities[i], 2);
  write_vec_end (writer, list, 2);
}

bool
authority_next (struct bytes *authorities, struct bytes *out_name)
{
  return vec_list_next (authorities, 2, out_name);
}

/* RFC 5246 §4.7 and §7.4.8. */
bool
certificate_verify_read (struct bytes message, struct certificate_verify *verify)
{
  struct reader reader = reader_over (message);

  verify->scheme = read_u16 (&reader);
  verify->signature = read_vec (&reader, 2);

  return reader_done (&reader);
}

void
certificate_verify_write (struct writer *writer, const struct certificate_verify *verify)
{
  write_u16 (writer, verify->scheme);
  write_vec (writer, verify->signature, 2);
}
