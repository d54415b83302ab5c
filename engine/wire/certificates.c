/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright 2026 The Moat authors */

/* The three messages about certificates. What a certificate holds is not known here. */

#include "wire/certificates.h"

#include "wire/extensions.h"

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

bool
certificate_entry_next (struct bytes *entries, struct certificate_entry *out_entry)
{
  struct reader reader = reader_over (*entries);

  out_entry->der = read_vec (&reader, 3);
  out_entry->extensions = read_vec (&reader, 2);
  if (!reader_ok (&reader))
    return false;

  *entries = read_rest (&reader);
  return true;
}

/* RFC 9846 §4.5.1: certificate_list<0..2^24-1> of cert_data<1..2^24-1> and extensions. */
bool
certificate_13_read (struct bytes message, struct certificate_13 *certificate)
{
  struct reader reader = reader_over (message);
  struct certificate_entry entry;
  struct bytes rest;

  certificate->context = read_vec (&reader, 1);
  certificate->entries = read_vec (&reader, 3);
  certificate->n = 0;

  rest = certificate->entries;
  for (; certificate_entry_next (&rest, &entry); certificate->n++)
    if (entry.der.left == 0)
      return false;

  return reader_done (&reader) && rest.left == 0;
}

void
certificate_13_write (struct writer *writer, struct bytes context, const struct bytes *chain,
                      size_t n_chain)
{
  size_t list;

  write_vec (writer, context, 1);
  list = write_vec_begin (writer, 3);
  for (size_t i = 0; i < n_chain; i++)
    {
      write_vec (writer, chain[i], 3);
      write_vec (writer, (struct bytes){ NULL, 0 }, 2);
    }
  write_vec_end (writer, list, 3);
}

size_t
certificate_13_len (struct bytes context, const struct bytes *chain, size_t n_chain)
{
  return 1 + context.left + certificate_len (chain, n_chain) + 2 * n_chain;
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

/* The same list in 1.2's message, where it may be empty, and in 1.3's extension. */
void
certificate_authorities_write (struct writer *writer, const struct bytes *authorities,
                               size_t n_authorities)
{
  size_t list = write_vec_begin (writer, 2);

  for (size_t i = 0; i < n_authorities; i++)
    write_vec (writer, authorities[i], 2);
  write_vec_end (writer, list, 2);
}

void
certificate_request_write (struct writer *writer, const struct certificate_request *request,
                           const struct bytes *authorities, size_t n_authorities)
{
  write_vec (writer, request->types, 1);
  write_vec (writer, request->schemes, 2);
  certificate_authorities_write (writer, authorities, n_authorities);
}

bool
authority_next (struct bytes *authorities, struct bytes *out_name)
{
  return vec_list_next (authorities, 2, out_name);
}

bool
certificate_request_13_read (struct bytes message, struct certificate_request_13 *request)
{
  struct reader reader = reader_over (message);

  request->context = read_vec (&reader, 1);
  request->extensions = read_vec (&reader, 2);

  return reader_done (&reader);
}

size_t
certificate_request_13_begin (struct writer *writer, struct bytes context)
{
  write_vec (writer, context, 1);

  return extension_block_begin (writer);
}

bool
certificate_authorities_read (struct bytes body, struct bytes *out_authorities)
{
  struct reader reader = reader_over (body);

  *out_authorities = read_vec (&reader, 2);

  return reader_done (&reader) && out_authorities->left > 0
         && vec_list_is_well_formed (*out_authorities, 2);
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
